/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines, written by hand into a buffer: printf() takes longer for one of them than the
 * kernel for the event that it tells of.
 *
 * out_line() answers where to write, with room for %OUT_LINE bytes; each put_*() writes
 * there and answers what follows; out_end() is told where the line ended.
 */
#ifndef ACCEL_TRACE_OUT_H
#define ACCEL_TRACE_OUT_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define OUT_LINE	1024
#define OUT_ROOM	(64 * 1024)

struct out {
	int fd;
	int error;		/* -errno of the first write that failed */
	size_t len;
	char buf[OUT_ROOM];
};

static inline int out_flush(struct out *o)
{
	size_t done = 0;

	while (done < o->len && !o->error) {
		ssize_t n = write(o->fd, o->buf + done, o->len - done);

		if (n >= 0)
			done += n;
		else if (errno != EINTR)
			o->error = -errno;
	}
	o->len = 0;
	return o->error;
}

static inline char *out_line(struct out *o)
{
	if (o->len + OUT_LINE > OUT_ROOM)
		out_flush(o);
	return o->buf + o->len;
}

static inline void out_end(struct out *o, char *end)
{
	o->len = end - o->buf;
}

/* A constant string. */
#define put_text(p, text) ((char *)memcpy(p, text, sizeof(text) - 1) + sizeof(text) - 1)

static inline char *put_str(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	return p;
}

/* At most @max of it. */
static inline char *put_strn(char *p, const char *s, size_t max)
{
	while (max-- && *s)
		*p++ = *s++;
	return p;
}

static inline char *put_u64(char *p, uint64_t v)
{
	char digits[40] = { 0 };
	char *at = digits + 20;

	do
		*--at = (char)('0' + v % 10);
	while (v /= 10);
	/* Of a fixed length, so that it is a few stores; what follows overwrites the rest. */
	memcpy(p, at, 20);
	return p + (digits + 20 - at);
}

static inline char *put_i64(char *p, int64_t v)
{
	if (v >= 0)
		return put_u64(p, v);
	*p++ = '-';
	return put_u64(p, -(uint64_t)v);
}

static inline char *put_hex(char *p, uint64_t v)
{
	int shift = v ? (63 - __builtin_clzll(v)) / 4 * 4 : 0;

	*p++ = '0';
	*p++ = 'x';
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[v >> shift & 15];
	return p;
}

/* @width digits of @v, zeroes first. */
static inline char *put_digits(char *p, uint64_t v, int width)
{
	for (int i = width; i--; v /= 10)
		p[i] = '0' + v % 10;
	return p + width;
}

#define OUT_BLANKS \
	"                                                                "

/*
 * Blanks up to @column, at most 64, of what began at @start. All 64 of them are written:
 * that is four stores, and what follows overwrites those that are too many.
 */
static inline char *put_pad(char *p, char *start, int column)
{
	memcpy(p, OUT_BLANKS, 64);
	return p < start + column ? start + column : p;
}

/* @v at the right of @width columns, at most 16 */
static inline char *put_right(char *p, uint64_t v, int width)
{
	char digits[24];
	int n = put_u64(digits, v) - digits;

	memcpy(p, OUT_BLANKS, 16);
	if (n < width)
		p += width - n;
	memcpy(p, digits, 24);
	return p + n;
}

#endif /* ACCEL_TRACE_OUT_H */
