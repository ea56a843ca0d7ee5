// SPDX-License-Identifier: GPL-2.0-only
/* The same programs for kernels where tp_btf cannot be had; see TRACEPOINT(). */
#define ACCEL_RAW_TP
#include "accel_trace.bpf.c"
