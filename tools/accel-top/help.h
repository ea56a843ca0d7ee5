/* SPDX-License-Identifier: GPL-2.0-only */
/* The page behind the key h. */
#ifndef ACCEL_TOP_HELP_H
#define ACCEL_TOP_HELP_H

#include "canvas.h"

/* Draws line @y of it on line @y; false: there is no such line. */
bool help_line(struct canvas *c, int y);

#endif
