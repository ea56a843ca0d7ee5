/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Latencies of devices since observing began, from what "accelctl observe on" has pinned.
 * That may begin, end, change hands and begin again while we run: each look sees whether
 * it is still the same.
 *
 * The pinned slots are of 32 bits and go round (bpf/accel_stats.h); here they are added up
 * in 64, look by look. What had gone round before we began is not known: such a histogram
 * begins with us, and says so by when it was created.
 */
#ifndef ACCEL_EXPORTER_LATENCIES_H
#define ACCEL_EXPORTER_LATENCIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buckets.h"
#include "stats.h"

enum latencies_state {
	LATENCIES_ON,
	LATENCIES_OFF,		/* nothing is pinned */
	LATENCIES_UNREACHABLE,	/* /sys/fs/bpf is not ours to enter: off, or not for us */
	LATENCIES_DENIED,	/* pinned for others */
	LATENCIES_MISMATCH,	/* pinned by another version */
	LATENCIES_FAILED,
	LATENCIES_STATES
};

/* Of one kind, all engines together. */
struct latency {
	struct buckets buckets;
	uint64_t sum_ns;
	uint64_t created_ns;	/* CLOCK_REALTIME */
};

struct latency_device {
	uint64_t id;
	struct latency kinds[ACCEL_STATS_KINDS];
	/* Jobs', by engine; those that could not be told apart are in @kinds alone. */
	struct buckets wait[ACCEL_STATS_ENGINES], run[ACCEL_STATS_ENGINES];
	uint64_t sum_before[ACCEL_STATS_KINDS];	/* private: not counted in sum_ns */
};

struct latencies;

/* latencies_new() - @contexts: also look at those of contexts; NULL: no memory */
struct latencies *latencies_new(bool contexts);
void latencies_free(struct latencies *l);

enum latencies_state latencies_look(struct latencies *l);
const char *latencies_state_name(enum latencies_state state);
/* latencies_why() - why the last look found nothing, and the next step; "" if it did */
const char *latencies_why(const struct latencies *l);

/* Of the last look; NULL: nothing is known. */
const struct latency_device *latencies_device(const struct latencies *l, uint32_t index,
					      uint64_t id);
const struct accel_stats_control *latencies_control(const struct latencies *l);
/* for rows of contexts, which may have ended; NULL without @contexts */
const struct stats *latencies_contexts(const struct latencies *l);

/*
 * latency_device_update() - take in what @row has counted since the look before
 * @realtime_ns: CLOCK_REALTIME less CLOCK_MONOTONIC
 *
 * All of @d is zero but its id when it sees @row for the first time: then, if it can, all
 * that was counted before.
 */
void latency_device_update(struct latency_device *d, const struct stats_row *row, bool first,
			   uint64_t now_ns, uint64_t realtime_ns);

#endif /* ACCEL_EXPORTER_LATENCIES_H */
