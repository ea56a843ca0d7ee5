// SPDX-License-Identifier: GPL-2.0-only
/* Latencies of a frame: quantiles of what a device or a context has counted. */
#include "lats.h"

#include <string.h>

#include "hist.h"

static void quantiles(struct frame_quantiles *q, const struct accel_hist *h)
{
	q->count = hist_count(h);
	if (!q->count)
		return;
	q->p50 = hist_percentile(h, 50);
	q->p99 = hist_percentile(h, 99);
	q->max = h->max;
}

static void fill_lat(struct frame_lat *lat, const struct stats_row *row, enum frame_latency kind,
		     int engine)
{
	static const enum accel_stats_kind kinds[FRAME_LATENCIES] = {
		[FRAME_IOCTL] = ACCEL_STATS_IOCTL, [FRAME_WAIT] = ACCEL_STATS_WAIT,
		[FRAME_RUN] = ACCEL_STATS_RUN, [FRAME_PIN] = ACCEL_STATS_PIN,
		[FRAME_DMA] = ACCEL_STATS_DMA,
	};
	struct accel_hist interval, total;

	/* Of thousands of contexts most have nothing of most kinds. */
	if (!row->head->count[kinds[kind]])
		return;
	memset(&total, 0, sizeof(total));
	memset(&interval, 0, sizeof(interval));
	stats_hist(row, kinds[kind], engine, row->changed ? &interval : NULL, &total);
	if (row->changed)
		quantiles(&lat->interval, &interval);
	quantiles(&lat->total, &total);
}

unsigned int lats_fill(const struct stats *stats, struct frame_lat lat[FRAME_LATENCIES],
		       const struct stats_row *row, int engine)
{
	if (!stats)
		return 0;
	for (int kind = 0; row && kind < FRAME_LATENCIES; kind++)
		fill_lat(&lat[kind], row, (enum frame_latency)kind, engine);
	return FRAME_LATENCY;
}
