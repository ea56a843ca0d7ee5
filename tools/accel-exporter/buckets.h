/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A classic histogram, of few buckets with fixed upper edges, made of a log-linear one
 * (bpf/accel_hist.h) without a guess: each power of two is the edge of a slot there, so
 * that each slot lies in one bucket as a whole. Values are whole nanoseconds and an edge
 * belongs to the bucket below it ("le"), so edges are powers of two less one nanosecond.
 */
#ifndef ACCEL_EXPORTER_BUCKETS_H
#define ACCEL_EXPORTER_BUCKETS_H

#include <stdint.h>

#include "accel_hist.h"

#define BUCKETS_FIRST	10	/* 2^10 - 1 ns: 1.023 us */
#define BUCKETS_LAST	37	/* 2^37 - 1 ns: 137 s */
#define BUCKETS		(BUCKETS_LAST - BUCKETS_FIRST + 1)

/* The last one takes what is above all edges. */
struct buckets {
	uint64_t counts[BUCKETS + 1];
};

/* buckets_edge() - the largest value in bucket @i, in nanoseconds */
static inline uint64_t buckets_edge(unsigned int i)
{
	return (UINT64_C(1) << (BUCKETS_FIRST + i)) - 1;
}

void buckets_add(struct buckets *b, const struct accel_hist *h);
uint64_t buckets_total(const struct buckets *b);

#endif /* ACCEL_EXPORTER_BUCKETS_H */
