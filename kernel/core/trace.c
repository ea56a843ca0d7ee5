// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints' bodies, and nothing else. */
#include "core.h"

#define CREATE_TRACE_POINTS
#include <trace/events/accel.h>
