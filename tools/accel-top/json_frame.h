/* SPDX-License-Identifier: GPL-2.0-only */
/* A frame as one line of JSON; the schema is in docs/accel-top.md. */
#ifndef ACCEL_TOP_JSON_FRAME_H
#define ACCEL_TOP_JSON_FRAME_H

#include <stdio.h>

#include "frame.h"
#include "view.h"

/* The view's filters and order count for contexts. 0 or -errno. */
int json_frame(FILE *out, const struct frame *f, const struct view *v);

#endif
