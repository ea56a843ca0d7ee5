/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looks at what bpf/accel_stats.bpf.c counts. Each look is a comparison with the one
 * before, in memory: no system call for a context, nothing at all for one in which
 * nothing has happened since.
 *
 * A context that ended is in the look that follows, and in no later one. One that could
 * not be had any more, because its record was needed, is counted.
 */
#ifndef TOOLS_LIB_STATS_H
#define TOOLS_LIB_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats_maps.h"

#define STATS_ALL	(-1)	/* as an engine: all of them */

struct stats;

/* What one device or context has counted; valid until the next look. */
struct stats_row {
	const struct accel_stats_head *head;	/* a copy */
	bool ended;				/* since the look before */
	bool changed;				/* and so it has an interval */
	/* private */
	const struct accel_stats_head *before;	/* NULL: all of it is new */
	uint64_t id;
};

struct stats_loss {
	uint64_t events;	/* latencies that devices have counted, while we looked */
	uint64_t events_new;	/* since the look before */
	uint64_t unkept;	/* of these, not with their context */
	uint64_t unsplit;	/* not with their engine */
	uint64_t no_device;	/* not counted: no record for the device */
	uint64_t no_record;	/* contexts for which there was no record */
	uint64_t missed;	/* contexts that ended unseen: looks were too far apart */
	uint64_t untimed;
};

/* stats_new() - begin to look; @m is the caller's and stays. NULL: no memory */
struct stats *stats_new(struct stats_maps *m);
void stats_free(struct stats *s);

/* stats_look() - 0 or -errno; -ESTALE: these programs are gone, open what there is now */
int stats_look(struct stats *s);

/* stats_contexts() - all that are open or ended since the look before, by id */
const struct stats_row *stats_contexts(const struct stats *s, size_t *nr);
const struct stats_row *stats_context(const struct stats *s, uint64_t id);	/* or NULL */
const struct stats_row *stats_device(const struct stats *s, uint32_t index, uint64_t id);

/* stats_hist() - add to @interval and @total (or NULL) what the row has of @kind on @engine */
void stats_hist(const struct stats_row *row, enum accel_stats_kind kind, int engine,
		struct accel_hist *interval, struct accel_hist *total);

/* stats_delta() - what a counter of the head grew by since the look before */
#define stats_delta(row, member) \
	((row)->changed ? (row)->head->member - ((row)->before ? (row)->before->member : 0) : 0)

void stats_loss(const struct stats *s, struct stats_loss *loss);

#endif /* TOOLS_LIB_STATS_H */
