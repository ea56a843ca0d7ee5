// SPDX-License-Identifier: GPL-2.0-only
#include "exposition.h"

#include <inttypes.h>
#include <string.h>

#include "utf8.h"

const char *text_content_type(enum text_format format)
{
	return format == TEXT_OPENMETRICS ?
	       "application/openmetrics-text; version=1.0.0; charset=utf-8" :
	       "text/plain; version=0.0.4; charset=utf-8";
}

void text_begin(struct text *t, FILE *f, enum text_format format)
{
	*t = (struct text){ .f = f, .format = format };
}

void text_family(struct text *t, const struct text_family *family)
{
	t->family = family;
	t->begun = false;
}

void text_end(struct text *t)
{
	if (t->format == TEXT_OPENMETRICS)
		fputs("# EOF\n", t->f);
}

/* ----------------------------------------------------------------- comments */

/* What samples of the type are called, where that is not the family's name. */
static const char *suffix(enum text_type type)
{
	return type == TEXT_COUNTER ? "_total" : type == TEXT_INFO ? "_info" : "";
}

/* The older format has neither units nor these two types, and calls a family as its samples. */
static void begin_family(struct text *t)
{
	static const char *const types[] = {
		[TEXT_GAUGE] = "gauge", [TEXT_COUNTER] = "counter",
		[TEXT_HISTOGRAM] = "histogram", [TEXT_INFO] = "info",
		[TEXT_STATESET] = "stateset",
	};
	const struct text_family *family = t->family;
	bool old = t->format == TEXT_PROMETHEUS;
	const char *type = types[old && family->type > TEXT_HISTOGRAM ? TEXT_GAUGE : family->type];
	const char *end = old ? suffix(family->type) : "";

	if (t->begun)
		return;
	t->begun = true;
	fprintf(t->f, "# TYPE %s%s %s\n", family->name, end, type);
	if (family->unit && !old)
		fprintf(t->f, "# UNIT %s%s %s\n", family->name, end, family->unit);
	fprintf(t->f, "# HELP %s%s %s\n", family->name, end, family->help);
}

/* ------------------------------------------------------------------- labels */

/*
 * Of what drivers and users call things anything may be in it. Three characters have an
 * escape of their own; other control characters and bytes that are no UTF-8 become U+FFFD.
 */
static void label_value(FILE *f, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t left = strlen(value);

	while (left) {
		int n = utf8_length(s, left);

		if (*s == '\\' || *s == '"')
			fprintf(f, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", f);
		else if (!n || (n == 1 && (*s < 0x20 || *s == 0x7f)))
			fputs("\xef\xbf\xbd", f);
		else
			fwrite(s, 1, (size_t)n, f);
		s += n ? n : 1;
		left -= n ? (size_t)n : 1;
	}
}

/* A sample's name and labels, @extra last. */
static void sample(struct text *t, const char *end, const struct text_label *labels,
		   const char *extra, const char *extra_value)
{
	char before = '{';

	begin_family(t);
	fprintf(t->f, "%s%s", t->family->name, end);
	for (; labels->name; labels++) {
		if (!labels->value || !*labels->value)
			continue;
		fprintf(t->f, "%c%s=\"", before, labels->name);
		label_value(t->f, labels->value);
		putc('"', t->f);
		before = ',';
	}
	if (extra) {
		fprintf(t->f, "%c%s=\"", before, extra);
		label_value(t->f, extra_value);
		putc('"', t->f);
		before = ',';
	}
	fputs(before == ',' ? "} " : " ", t->f);
}

/* ------------------------------------------------------------------- values */

/* All nine digits, but for zeroes at the end: a double would have to round. */
static int seconds(char *text, size_t size, uint64_t ns)
{
	int n = snprintf(text, size, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	text[n] = '\0';
	return n;
}

static void put_ns(struct text *t, uint64_t ns)
{
	char text[40];

	seconds(text, sizeof(text), ns);
	fprintf(t->f, "%s\n", text);
}

void text_u64(struct text *t, const struct text_label *labels, uint64_t value)
{
	sample(t, suffix(t->family->type), labels, NULL, NULL);
	fprintf(t->f, "%" PRIu64 "\n", value);
}

void text_ns(struct text *t, const struct text_label *labels, uint64_t ns)
{
	sample(t, suffix(t->family->type), labels, NULL, NULL);
	put_ns(t, ns);
}

void text_info(struct text *t, const struct text_label *labels)
{
	text_u64(t, labels, 1);
}

void text_states(struct text *t, const struct text_label *labels, const char *const *states,
		 size_t nr, size_t on)
{
	for (size_t i = 0; i < nr; i++) {
		sample(t, "", labels, t->family->name, states[i]);
		fprintf(t->f, "%d\n", i == on);
	}
}

void text_histogram(struct text *t, const struct text_label *labels,
		    const struct text_histogram *h)
{
	uint64_t count = 0;
	char edge[40];

	for (unsigned int i = 0; i <= BUCKETS; i++) {
		count += h->buckets->counts[i];
		if (i < BUCKETS)
			seconds(edge, sizeof(edge), buckets_edge(i));
		sample(t, "_bucket", labels, "le", i < BUCKETS ? edge : "+Inf");
		fprintf(t->f, "%" PRIu64 "\n", count);
	}
	/* OpenMetrics has a count only where there is a sum; +Inf's bucket is the same. */
	if (h->sum_ns != TEXT_NO_SUM) {
		sample(t, "_sum", labels, NULL, NULL);
		put_ns(t, h->sum_ns);
		sample(t, "_count", labels, NULL, NULL);
		fprintf(t->f, "%" PRIu64 "\n", count);
	}
	if (h->created_ns && t->format == TEXT_OPENMETRICS) {
		sample(t, "_created", labels, NULL, NULL);
		put_ns(t, h->created_ns);
	}
}
