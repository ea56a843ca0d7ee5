/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers for people: three significant digits and a unit. What is not known is
 * "-"; what cannot be (NaN, a negative rate, 37100 %) is never shown as a number.
 *
 * Each function writes to a struct fmt_buf and returns its text, so that
 * printf("%s of %s", FMT(fmt_bytes, used), FMT(fmt_bytes, all)) works.
 */
#ifndef TOOLS_LIB_FMT_H
#define TOOLS_LIB_FMT_H

#include <stddef.h>
#include <stdint.h>

/* A u64 that is not known; the same as hist.h's HIST_NONE. */
#define FMT_UNKNOWN	UINT64_MAX

struct fmt_buf {
	char text[32];
};

/* FMT(function, value...) - with a buffer that lives until the end of the block */
#define FMT(fn, ...)	fn(&(struct fmt_buf){ { 0 } }, __VA_ARGS__)

/* "0ns" "999ns" "12.3us" "1.50ms" "2.00s" "3m20s" "5h03m" "2d04h" */
const char *fmt_ns(struct fmt_buf *b, uint64_t ns);

/* fmt_ns_to() - the same at @p, which is not terminated; what follows it */
char *fmt_ns_to(char *p, uint64_t ns);

/* "0B" "1023B" "4.00KiB" "1.50GiB" */
const char *fmt_bytes(struct fmt_buf *b, uint64_t bytes);

/* "12.5GB/s": powers of ten, as bandwidth is sold; unknown when NaN or negative */
const char *fmt_bandwidth(struct fmt_buf *b, double bytes_per_s);

/* "999" "12.3k" "4.56M": a count */
const char *fmt_count(struct fmt_buf *b, uint64_t n);

/* "0" "0.5" "12.3k": events in a second; unknown when NaN or negative */
const char *fmt_rate(struct fmt_buf *b, double per_s);

/*
 * "0.0%" "12.5%" "100%"; a little more than 100 (clocks were read one after the
 * other) is 100, more than 105 or negative is unknown.
 */
const char *fmt_percent(struct fmt_buf *b, double percent);

/* fmt_load() - the same of one processor's time, of which several may be used: "250%" */
const char *fmt_load(struct fmt_buf *b, double percent);

/**
 * fmt_ratio() - @part of @whole in percent
 *
 * Return: 0 to 100, NaN when @whole is 0 or @part makes no sense; fmt_percent()
 * understands that.
 */
double fmt_ratio(uint64_t part, uint64_t whole);

#endif /* TOOLS_LIB_FMT_H */
