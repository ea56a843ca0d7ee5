/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histograms in user space: percentiles, merging, pictures. The slots themselves
 * are bpf/accel_hist.h's, shared with BPF programs.
 */
#ifndef TOOLS_LIB_HIST_H
#define TOOLS_LIB_HIST_H

#include <stdint.h>
#include <stdio.h>

#include "accel_hist.h"

/* What a histogram without values answers where a number is asked for. */
#define HIST_NONE	UINT64_MAX

/* hist_add() - count one value; for one thread, see accel_hist_add() for more */
void hist_add(struct accel_hist *h, uint64_t value);

/* hist_count() - how many values */
uint64_t hist_count(const struct accel_hist *h);

/* hist_mean() - their mean, rounded down; %HIST_NONE when there are none */
uint64_t hist_mean(const struct accel_hist *h);

/**
 * hist_percentile() - the value that @percent of all values do not exceed
 * @h: histogram
 * @percent: 0 to 100
 *
 * The rank is exact: of n values the one with rank ceil(n * percent / 100), at
 * least 1, is looked for. Within its slot, values are taken to lie evenly: the
 * k-th of m is at low + (k - 1/2) * width / m. The answer never exceeds the
 * largest value seen and is at most one slot (6.25 %) away from the true one.
 *
 * Return: the value, %HIST_NONE when the histogram is empty.
 */
uint64_t hist_percentile(const struct accel_hist *h, double percent);

/* hist_merge() - add what @from has counted to @to */
void hist_merge(struct accel_hist *to, const struct accel_hist *from);

/**
 * hist_diff() - what was counted between two readings of the same histogram
 * @out: the difference; may be @now or @before
 * @now: the later reading
 * @before: the earlier one
 *
 * Slots that went backwards (the histogram was reset) start from zero. The
 * largest value is not known for an interval: it is @now's, lowered to the end
 * of the highest slot in use.
 */
void hist_diff(struct accel_hist *out, const struct accel_hist *now,
	       const struct accel_hist *before);

/**
 * hist_print() - draw it, one line for each power of two
 * @f: where to
 * @h: histogram
 * @indent: spaces before each line
 * @width: columns of the longest bar
 *
 * ::
 *
 *      [8.19us, 16.4us)      1234 |@@@@@@@@@@@@@@@@@@@@          |
 */
void hist_print(FILE *f, const struct accel_hist *h, int indent, int width);

#endif /* TOOLS_LIB_HIST_H */
