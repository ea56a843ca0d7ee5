/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCEL_TOP_LATS_H
#define ACCEL_TOP_LATS_H

#include "frame.h"
#include "stats.h"

/*
 * @stats: NULL: there are none; @row: NULL: nothing has been counted yet; @engine: or
 * STATS_ALL. Returns the frame's bit of what is valid then.
 */
unsigned int lats_fill(const struct stats *stats, struct frame_lat lat[FRAME_LATENCIES],
		       const struct stats_row *row, int engine);

#endif
