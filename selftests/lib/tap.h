/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A TAP writer for test programs: header only, one test program, one thread
 * that reports. main() ends with "return tap_done();".
 *
 *	tap_plan(3);			or none: the plan is then written at the end
 *	tap_ok(fd >= 0, "open %s", path);
 *	tap_is(ret, -EINVAL, "reserved bits");
 *	tap_skip("no IOMMU here");
 *	tap_bail("cannot go on: %s", strerror(errno));
 */
#ifndef SELFTESTS_TAP_H
#define SELFTESTS_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	unsigned int planned, run, failed;
} tap_state;

__attribute__((unused, format(printf, 1, 2)))
static void tap_diag(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

__attribute__((unused))
static void tap_plan(unsigned int n)
{
	tap_state.planned = n;
	printf("1..%u\n", n);
	fflush(stdout);
}

__attribute__((unused, format(printf, 2, 0)))
static void tap_point(int ok, const char *fmt, va_list ap)
{
	tap_state.run++;
	tap_state.failed += !ok;
	printf("%sok %u - ", ok ? "" : "not ", tap_state.run);
	vprintf(fmt, ap);
}

/* Returns its condition, so that a test can stop at the first failure. */
#define tap_ok(cond, ...) tap_ok_at(!!(cond), #cond, __FILE__, __LINE__, __VA_ARGS__)

__attribute__((unused, format(printf, 5, 6)))
static int tap_ok_at(int ok, const char *expr, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_point(ok, fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!ok)
		printf("#   %s:%d: %s\n", file, line, expr);
	fflush(stdout);
	return ok;
}

/* Integers that must be equal; says both where they are not. */
#define tap_is(got, want, ...) \
	tap_is_at((long long)(got), (long long)(want), #got, __FILE__, __LINE__, __VA_ARGS__)

__attribute__((unused, format(printf, 6, 7)))
static int tap_is_at(long long got, long long want, const char *expr, const char *file, int line,
		     const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_point(got == want, fmt, ap);
	va_end(ap);
	putchar('\n');
	if (got != want)
		printf("#   %s:%d: %s is %lld, expected %lld\n", file, line, expr, got, want);
	fflush(stdout);
	return got == want;
}

/* One test point that could not be tried here, and why. */
__attribute__((unused, format(printf, 1, 2)))
static void tap_skip(const char *why, ...)
{
	va_list ap;

	tap_state.run++;
	printf("ok %u # SKIP ", tap_state.run);
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* The whole program cannot be tried here. */
__attribute__((unused, noreturn, format(printf, 1, 2)))
static void tap_skip_all(const char *why, ...)
{
	va_list ap;

	fputs("1..0 # SKIP ", stdout);
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	putchar('\n');
	exit(0);
}

/* Nothing after this makes sense. */
__attribute__((unused, noreturn, format(printf, 1, 2)))
static void tap_bail(const char *why, ...)
{
	va_list ap;

	fputs("Bail out! ", stdout);
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

__attribute__((unused))
static int tap_done(void)
{
	if (!tap_state.planned)
		printf("1..%u\n", tap_state.run);
	else if (tap_state.planned != tap_state.run)
		tap_diag("planned %u, ran %u", tap_state.planned, tap_state.run);
	fflush(stdout);
	return tap_state.failed || (tap_state.planned && tap_state.planned != tap_state.run);
}

#endif
