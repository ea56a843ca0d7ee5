/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A log-linear histogram of nanoseconds, the same in BPF programs and in user
 * space: each power of two is cut into 16 equal slots, so that no slot is wider
 * than 1/16 (6.25 %) of its lower bound; values below 32 have a slot each.
 * Whatever the last slot cannot hold (2^38 ns, 4.6 minutes, and more) is counted
 * in it.
 *
 * A BPF program includes accel.bpf.h (or vmlinux.h) first. What is computed from
 * a histogram (percentiles, pictures) is in tools/lib/hist.h.
 */
#ifndef _ACCEL_HIST_H
#define _ACCEL_HIST_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define ACCEL_HIST_SUB_BITS	4
#define ACCEL_HIST_SUB		(1U << ACCEL_HIST_SUB_BITS)
#define ACCEL_HIST_MAX_BITS	38
#define ACCEL_HIST_SLOTS	((ACCEL_HIST_MAX_BITS - ACCEL_HIST_SUB_BITS + 1) * ACCEL_HIST_SUB)

/**
 * struct accel_hist - a histogram; all zeroes is an empty one
 * @sum: of all values
 * @max: the largest value
 * @slots: how many values fell into each slot; their sum is the number of values
 */
struct accel_hist {
	__u64 sum;
	__u64 max;
	__u64 slots[ACCEL_HIST_SLOTS];
};

/* The highest bit that is set in @v, which is not 0. No clz in BPF. */
static inline __attribute__((always_inline)) __u32 accel_hist_msb(__u64 v)
{
	__u32 r = 0;

	if (v >> 32) {
		v >>= 32;
		r += 32;
	}
	if (v >> 16) {
		v >>= 16;
		r += 16;
	}
	if (v >> 8) {
		v >>= 8;
		r += 8;
	}
	if (v >> 4) {
		v >>= 4;
		r += 4;
	}
	if (v >> 2) {
		v >>= 2;
		r += 2;
	}
	if (v >> 1)
		r += 1;
	return r;
}

/* accel_hist_index() - the slot of @v, always below ACCEL_HIST_SLOTS */
static inline __attribute__((always_inline)) __u32 accel_hist_index(__u64 v)
{
	__u32 shift;

	if (v < ACCEL_HIST_SUB)
		return (__u32)v;
	if (v >> ACCEL_HIST_MAX_BITS)
		return ACCEL_HIST_SLOTS - 1;
	shift = accel_hist_msb(v) - ACCEL_HIST_SUB_BITS;
	return ((shift + 1) << ACCEL_HIST_SUB_BITS) + ((__u32)(v >> shift) & (ACCEL_HIST_SUB - 1));
}

/* accel_hist_low() - the smallest value of slot @i */
static inline __attribute__((always_inline)) __u64 accel_hist_low(__u32 i)
{
	__u32 shift;

	if (i < ACCEL_HIST_SUB)
		return i;
	shift = (i >> ACCEL_HIST_SUB_BITS) - 1;
	return (__u64)(ACCEL_HIST_SUB + (i & (ACCEL_HIST_SUB - 1))) << shift;
}

/* accel_hist_width() - how many values slot @i takes (the last one: nominally) */
static inline __attribute__((always_inline)) __u64 accel_hist_width(__u32 i)
{
	return i < ACCEL_HIST_SUB ? 1 : 1ULL << ((i >> ACCEL_HIST_SUB_BITS) - 1);
}

/* accel_hist_high() - the largest value of slot @i (the last one: nominally) */
static inline __attribute__((always_inline)) __u64 accel_hist_high(__u32 i)
{
	return accel_hist_low(i) + accel_hist_width(i) - 1;
}

/*
 * accel_hist_add() - count @v; safe against other processors and interrupts
 *
 * max is exact unless a dozen processors raise it within the same nanoseconds.
 */
static inline __attribute__((always_inline)) void accel_hist_add(struct accel_hist *h, __u64 v)
{
	__u32 i = accel_hist_index(v);
	int try;

	if (i >= ACCEL_HIST_SLOTS)	/* never: for the verifier */
		return;
	__sync_fetch_and_add(&h->slots[i], 1);
	__sync_fetch_and_add(&h->sum, v);
	for (try = 0; try < 12; try++) {
		__u64 old = *(volatile __u64 *)&h->max;

		if (v <= old || __sync_val_compare_and_swap(&h->max, old, v) == old)
			break;
	}
}

#endif /* _ACCEL_HIST_H */
