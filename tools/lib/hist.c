// SPDX-License-Identifier: GPL-2.0-only
#include "hist.h"

#include <math.h>
#include <string.h>

#include "fmt.h"

void hist_add(struct accel_hist *h, uint64_t value)
{
	h->slots[accel_hist_index(value)]++;
	h->sum += value;
	if (value > h->max)
		h->max = value;
}

uint64_t hist_count(const struct accel_hist *h)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < ACCEL_HIST_SLOTS; i++)
		n += h->slots[i];
	return n;
}

uint64_t hist_mean(const struct accel_hist *h)
{
	uint64_t n = hist_count(h);

	return n ? h->sum / n : HIST_NONE;
}

uint64_t hist_percentile(const struct accel_hist *h, double percent)
{
	uint64_t n = hist_count(h), rank, before = 0;

	if (!n)
		return HIST_NONE;
	if (!(percent > 0))	/* a NaN, too */
		percent = 0;
	if (percent > 100)
		percent = 100;
	/* In long double: 99 % of 100 must be 99, not 99.00000000000001 and so 100. */
	rank = (uint64_t)ceill((long double)n * percent / 100 - 1e-9L);
	if (rank < 1)
		rank = 1;
	if (rank > n)
		rank = n;

	for (unsigned int i = 0; i < ACCEL_HIST_SLOTS; i++) {
		long double within, value;

		if (before + h->slots[i] < rank) {
			before += h->slots[i];
			continue;
		}
		if (i == ACCEL_HIST_SLOTS - 1 && h->max > accel_hist_high(i))
			return h->max;
		within = ((long double)(rank - before) - 0.5L) / h->slots[i];
		value = accel_hist_low(i) + floorl(within * accel_hist_width(i));
		/* max may be behind the slots when read while a program counts. */
		if (h->max >= accel_hist_low(i) && value > h->max)
			return h->max;
		return (uint64_t)value;
	}
	return h->max;
}

void hist_merge(struct accel_hist *to, const struct accel_hist *from)
{
	for (unsigned int i = 0; i < ACCEL_HIST_SLOTS; i++)
		to->slots[i] += from->slots[i];
	to->sum += from->sum;
	if (from->max > to->max)
		to->max = from->max;
}

void hist_diff(struct accel_hist *out, const struct accel_hist *now,
	       const struct accel_hist *before)
{
	uint64_t max = now->max, sum;
	unsigned int i, top = 0;
	int reset = now->sum < before->sum;

	for (i = 0; i < ACCEL_HIST_SLOTS; i++)
		if (now->slots[i] < before->slots[i])
			reset = 1;
	sum = reset ? now->sum : now->sum - before->sum;
	for (i = 0; i < ACCEL_HIST_SLOTS; i++) {
		out->slots[i] = reset ? now->slots[i] : now->slots[i] - before->slots[i];
		if (out->slots[i])
			top = i;
	}
	out->sum = sum;
	if (!out->slots[top])
		max = 0;
	else if (top < ACCEL_HIST_SLOTS - 1 && max > accel_hist_high(top))
		max = accel_hist_high(top);
	out->max = max;
}

/* Lines are powers of two: the first takes 0 and 1, the others [2^i, 2^(i+1)). */
static unsigned int octave(unsigned int slot)
{
	uint64_t low = accel_hist_low(slot);

	return low < 2 ? 0 : accel_hist_msb(low);
}

void hist_print(FILE *f, const struct accel_hist *h, int indent, int width)
{
	uint64_t lines[ACCEL_HIST_MAX_BITS] = { 0 }, most = 0;
	int first = -1, last = -1;

	for (unsigned int i = 0; i < ACCEL_HIST_SLOTS; i++)
		lines[octave(i)] += h->slots[i];
	for (int i = 0; i < ACCEL_HIST_MAX_BITS; i++) {
		if (!lines[i])
			continue;
		if (first < 0)
			first = i;
		last = i;
		if (lines[i] > most)
			most = lines[i];
	}
	if (first < 0) {
		fprintf(f, "%*s(no values)\n", indent, "");
		return;
	}
	for (int i = first; i <= last; i++) {
		/* At least one mark for whatever is not zero: a tail must be seen. */
		int bar = lines[i] ? (int)((double)lines[i] * width / most) : 0;
		char range[48];

		if (lines[i] && !bar)
			bar = 1;
		snprintf(range, sizeof(range), "[%s, %s)", FMT(fmt_ns, i ? 1ULL << i : 0),
			 i == ACCEL_HIST_MAX_BITS - 1 ? "..." : FMT(fmt_ns, 1ULL << (i + 1)));
		fprintf(f, "%*s%-20s %10llu |", indent, "", range, (unsigned long long)lines[i]);
		for (int c = 0; c < width; c++)
			putc(c < bar ? '@' : ' ', f);
		fputs("|\n", f);
	}
}
