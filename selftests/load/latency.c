// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>

#include "latency.h"

static unsigned int slot_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < LATENCY_SUB)
		return ns;
	if (ns >> LATENCY_MAX_BITS)
		return LATENCY_SLOTS - 1;
	shift = 63 - __builtin_clzll(ns) - LATENCY_SUB_BITS;
	return ((shift + 1) << LATENCY_SUB_BITS) + ((ns >> shift) & (LATENCY_SUB - 1));
}

static uint64_t middle_of(unsigned int slot)
{
	unsigned int shift;

	if (slot < LATENCY_SUB)
		return slot;
	shift = (slot >> LATENCY_SUB_BITS) - 1;
	return ((uint64_t)(LATENCY_SUB + (slot & (LATENCY_SUB - 1))) << shift) +
	       ((1ULL << shift) >> 1);
}

void latency_add(struct latency *lat, uint64_t ns)
{
	uint64_t max = atomic_load_explicit(&lat->max, memory_order_relaxed);

	atomic_fetch_add_explicit(&lat->slots[slot_of(ns)], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&lat->sum, ns, memory_order_relaxed);
	while (ns > max && !atomic_compare_exchange_weak(&lat->max, &max, ns))
		;
}

void latency_read(struct latency *lat, struct latency_counts *counts)
{
	counts->sum = lat->sum;
	counts->max = lat->max;
	counts->count = 0;
	for (unsigned int i = 0; i < LATENCY_SLOTS; i++) {
		counts->slots[i] = atomic_load_explicit(&lat->slots[i], memory_order_relaxed);
		counts->count += counts->slots[i];
	}
}

void latency_diff(struct latency_counts *now, struct latency_counts *before)
{
	struct latency_counts new = *now;
	unsigned int highest = 0;

	now->count -= before->count;
	now->sum -= before->sum;
	for (unsigned int i = 0; i < LATENCY_SLOTS; i++) {
		now->slots[i] -= before->slots[i];
		if (now->slots[i])
			highest = i;
	}
	/* of an interval only the slot is known, unless it is the largest ever */
	if (now->max == before->max)
		now->max = middle_of(highest);
	*before = new;
}

uint64_t latency_percentile(const struct latency_counts *counts, double percent)
{
	uint64_t rank = ceil(counts->count * percent / 100), seen = 0;

	if (!counts->count)
		return UINT64_MAX;
	if (!rank)
		rank = 1;
	for (unsigned int i = 0; i < LATENCY_SLOTS; i++) {
		seen += counts->slots[i];
		if (seen >= rank)
			return middle_of(i) < counts->max ? middle_of(i) : counts->max;
	}
	return counts->max;
}
