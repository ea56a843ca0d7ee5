/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the benchmarks' programs share. A program prints one line a sample,
 *
 *	@ SERIES VALUE
 *
 * and bench.py makes rows of them: medians, ratios and verdicts, as AREA.toml says.
 * Series that a row compares are sampled in turn, so that a machine that changes its
 * pace changes all of them.
 */
#ifndef SELFTESTS_BENCH_H
#define SELFTESTS_BENCH_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* More than the 20 samples that bench.py asks for. */
#define BENCH_ROUNDS	25

static inline double bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static inline void bench_sample(const char *series, double value)
{
	printf("@ %s %.3f\n", series, value);
	fflush(stdout);
}

__attribute__((noreturn, format(printf, 1, 2)))
static inline void bench_die(const char *fmt, ...)
{
	va_list ap;

	fputs("bench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

#endif
