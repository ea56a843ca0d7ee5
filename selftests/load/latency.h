/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Durations, counted in slots of at most 1/256 (0.4 %) of their value, so that
 * percentiles are 0.2 % from the true ones at the most: 15 times finer than the
 * tools', which are checked against them. Below 512 ns each has a slot of its own.
 */
#ifndef LOAD_LATENCY_H
#define LOAD_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

#define LATENCY_SUB_BITS	8
#define LATENCY_SUB		(1U << LATENCY_SUB_BITS)
#define LATENCY_MAX_BITS	40
#define LATENCY_SLOTS		((LATENCY_MAX_BITS - LATENCY_SUB_BITS + 1) * LATENCY_SUB)

struct latency {
	_Atomic uint64_t sum;
	_Atomic uint64_t max;
	_Atomic uint32_t slots[LATENCY_SLOTS];
};

/* A reading of one, or the difference of two. */
struct latency_counts {
	uint64_t count, sum, max;
	uint32_t slots[LATENCY_SLOTS];
};

void latency_add(struct latency *lat, uint64_t ns);
void latency_read(struct latency *lat, struct latency_counts *counts);

/* latency_diff() - @now becomes what came after @before, which becomes @now */
void latency_diff(struct latency_counts *now, struct latency_counts *before);

/* latency_percentile() - nearest rank: the ceil(n * percent / 100)-th; UINT64_MAX: none */
uint64_t latency_percentile(const struct latency_counts *counts, double percent);

#endif
