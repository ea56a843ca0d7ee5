// SPDX-License-Identifier: GPL-2.0-only
#include "fmt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *unknown(struct fmt_buf *b)
{
	return strcpy(b->text, "-");
}

/*
 * Three significant digits of @value, scaled by @base into one of @units; the
 * rounding is looked at before the unit is chosen, so 999.99 us is 1.00ms.
 */
static const char *scaled(struct fmt_buf *b, double value, double base,
			  const char *const *units, const char *suffix, int whole_first)
{
	int digits;

	while (units[1] && value >= base - 0.5) {
		value /= base;
		units++;
		whole_first = 0;
	}
	digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	if (whole_first)
		digits = 0;
	snprintf(b->text, sizeof(b->text), "%.*f%s%s", digits, value, *units, suffix);
	return b->text;
}

static char *put(char *p, uint64_t v)
{
	char digits[20];
	int n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*p++ = digits[--n];
	return p;
}

static char *put2(char *p, uint64_t v)
{
	*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

/* Below 100 s; scaled() with whole numbers, for what is written a million times a second. */
static char *put_short(char *p, uint64_t ns)
{
	static const char units[] = "num";
	uint64_t unit = 1, v;
	int i = 0;

	while (i < 3 && 2 * ns >= 1999 * unit) {
		unit *= 1000;
		i++;
	}
	if (!i) {
		p = put(p, ns);
	} else if (1000 * ns < 9995 * unit) {
		v = (100 * ns + unit / 2) / unit;
		p = put(p, v / 100);
		*p++ = '.';
		p = put2(p, v % 100);
	} else if (100 * ns < 9995 * unit) {
		v = (10 * ns + unit / 2) / unit;
		p = put(p, v / 10);
		*p++ = '.';
		*p++ = (char)('0' + v % 10);
	} else {
		p = put(p, (ns + unit / 2) / unit);
	}
	if (i < 3)
		*p++ = units[i];
	*p++ = 's';
	return p;
}

char *fmt_ns_to(char *p, uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	if (ns == FMT_UNKNOWN) {
		*p++ = '-';
	} else if (s < 100) {
		p = put_short(p, ns);
	} else if (s < 6000) {
		p = put(p, s / 60);
		*p++ = 'm';
		p = put2(p, s % 60);
		*p++ = 's';
	} else if (s < 86400) {
		p = put(p, s / 3600);
		*p++ = 'h';
		p = put2(p, s / 60 % 60);
		*p++ = 'm';
	} else {
		p = put(p, s / 86400);
		*p++ = 'd';
		p = put2(p, s / 3600 % 24);
		*p++ = 'h';
	}
	return p;
}

const char *fmt_ns(struct fmt_buf *b, uint64_t ns)
{
	*fmt_ns_to(b->text, ns) = 0;
	return b->text;
}

const char *fmt_bytes(struct fmt_buf *b, uint64_t bytes)
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL
	};

	if (bytes == FMT_UNKNOWN)
		return unknown(b);
	return scaled(b, bytes, 1024, units, "", 1);
}

static const char *const metric[] = { "", "k", "M", "G", "T", "P", "E", NULL };

const char *fmt_bandwidth(struct fmt_buf *b, double bytes_per_s)
{
	if (!isfinite(bytes_per_s) || bytes_per_s < 0)
		return unknown(b);
	return scaled(b, bytes_per_s, 1000, metric, "B/s", 1);
}

const char *fmt_count(struct fmt_buf *b, uint64_t n)
{
	if (n == FMT_UNKNOWN)
		return unknown(b);
	return scaled(b, n, 1000, metric, "", 1);
}

const char *fmt_rate(struct fmt_buf *b, double per_s)
{
	if (!isfinite(per_s) || per_s < 0)
		return unknown(b);
	if (per_s > 0 && per_s < 9.95) {
		snprintf(b->text, sizeof(b->text), "%.1f", per_s);
		return b->text;
	}
	return scaled(b, per_s, 1000, metric, "", 1);
}

const char *fmt_percent(struct fmt_buf *b, double percent)
{
	if (!isfinite(percent) || percent < -0.05 || percent > 105)
		return unknown(b);
	if (percent < 0)
		percent = 0;
	if (percent >= 99.95)
		return strcpy(b->text, "100%");
	snprintf(b->text, sizeof(b->text), "%.1f%%", percent);
	return b->text;
}

const char *fmt_load(struct fmt_buf *b, double percent)
{
	if (!isfinite(percent) || percent < -0.05)
		return unknown(b);
	if (percent < 99.95)
		return fmt_percent(b, percent);
	snprintf(b->text, sizeof(b->text), "%.0f%%", percent < 1e6 ? percent : 1e6);
	return b->text;
}

double fmt_ratio(uint64_t part, uint64_t whole)
{
	if (!whole || part == FMT_UNKNOWN || whole == FMT_UNKNOWN)
		return NAN;
	return (double)part * 100 / whole;
}
