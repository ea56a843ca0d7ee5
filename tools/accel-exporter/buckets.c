// SPDX-License-Identifier: GPL-2.0-only
#include "buckets.h"

/* The last slot takes all that is too large for the others: no edge may lie beyond it. */
_Static_assert(BUCKETS_LAST < ACCEL_HIST_MAX_BITS, "the last edge is one of a slot");
_Static_assert(BUCKETS_FIRST >= ACCEL_HIST_SUB_BITS, "the first edge is one of a power of two");

void buckets_add(struct buckets *b, const struct accel_hist *h)
{
	unsigned int i = 0;

	for (unsigned int slot = 0; slot < ACCEL_HIST_SLOTS; slot++) {
		while (i < BUCKETS && accel_hist_low(slot) > buckets_edge(i))
			i++;
		b->counts[i] += h->slots[slot];
	}
}

uint64_t buckets_total(const struct buckets *b)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i <= BUCKETS; i++)
		total += b->counts[i];
	return total;
}
