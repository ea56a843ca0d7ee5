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

const char *fmt_ns(struct fmt_buf *b, uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s", NULL };
	uint64_t s = ns / 1000000000;

	if (ns == FMT_UNKNOWN)
		return unknown(b);
	if (s < 100)
		return scaled(b, ns, 1000, units, "", 1);
	if (s < 6000)
		snprintf(b->text, sizeof(b->text), "%um%02us", (unsigned int)(s / 60),
			 (unsigned int)(s % 60));
	else if (s < 86400)
		snprintf(b->text, sizeof(b->text), "%uh%02um", (unsigned int)(s / 3600),
			 (unsigned int)(s / 60 % 60));
	else
		snprintf(b->text, sizeof(b->text), "%llud%02uh", (unsigned long long)(s / 86400),
			 (unsigned int)(s / 3600 % 24));
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

double fmt_ratio(uint64_t part, uint64_t whole)
{
	if (!whole || part == FMT_UNKNOWN || whole == FMT_UNKNOWN)
		return NAN;
	return (double)part * 100 / whole;
}

const char *fmt_printable(struct fmt_buf *b, const char *text, size_t max)
{
	size_t i;

	if (max >= sizeof(b->text))
		max = sizeof(b->text) - 1;
	for (i = 0; i < max && text[i]; i++)
		b->text[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	b->text[i] = 0;
	return b->text;
}
