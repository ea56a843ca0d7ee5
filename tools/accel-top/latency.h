/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Latencies from BPF: the programs of bpf/accel_top.bpf.c, what they counted
 * and what that cost. Each read is one look; "interval" is what was counted
 * since the look before.
 */
#ifndef ACCEL_TOP_LATENCY_H
#define ACCEL_TOP_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#include "accel_top.h"
#include "model.h"

#define LATENCY_ALL		(-1)	/* as an engine: all of them, and none */

struct latency;

struct latency_cost {
	uint64_t events;	/* counted, since the beginning */
	uint64_t events_new;	/* in the interval */
	uint64_t lost_full;
	uint64_t lost_missed;
	uint64_t untimed;
	double ns_per_event;	/* below 0: not known (yet) */
};

/*
 * 0, or -errno and in @why a line for the user. @max_pieces: of the map, 0: as
 * it was built.
 */
int latency_open(struct latency **out, uint32_t max_pieces, char *why, size_t size);
void latency_close(struct latency *l);

/*
 * Looks. @snap, read just before, tells which contexts are open: what others
 * have left is counted one last time for their device, and removed. 0 or -errno.
 */
int latency_read(struct latency *l, const struct accel_snapshot *snap);

/*
 * Adds to @interval and @total what one context (@ctx_id 0: all of the device,
 * also closed ones) had on @engine.
 */
void latency_sum(const struct latency *l, uint64_t dev_id, uint64_t ctx_id,
		 enum accel_top_kind kind, int engine, struct accel_hist *interval,
		 struct accel_hist *total);
void latency_cost(const struct latency *l, struct latency_cost *cost);

#endif
