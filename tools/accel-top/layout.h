/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole picture: a frame, a size and what the user wants to see, in; lines
 * of styled cells, out. A pure function: no terminal, no clock, no file; the
 * same input gives the same picture, which is how it is tested.
 */
#ifndef ACCEL_TOP_LAYOUT_H
#define ACCEL_TOP_LAYOUT_H

#include "canvas.h"
#include "frame.h"
#include "view.h"

/*
 * Draws over all of @c. In @v, only scroll, page and the selection are changed,
 * so that they fit what is there. -1: no memory.
 */
int layout_draw(struct canvas *c, const struct frame *f, struct view *v);

/* Batch: all rows and no more lines than they need, at most @width cells wide. */
int layout_plain(struct canvas *c, const struct frame *f, struct view *v, int width);

#endif
