/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes metrics in one of two text formats that monitoring systems read: OpenMetrics
 * 1.0.0, and Prometheus' own, version 0.0.4. A family is described once, the names of its
 * samples and its comments follow from its type and the format.
 *
 * ::
 *
 *	static const struct text_family pinned = {
 *		"accel_device_pinned_bytes", TEXT_GAUGE, "bytes", "Memory that is pinned."
 *	};
 *
 *	text_begin(&t, f, TEXT_OPENMETRICS);
 *	text_family(&t, &pinned);
 *	text_u64(&t, LABELS({ "device", "acc0" }), 4096);
 *	text_end(&t);
 *
 * All samples of a family follow each other, as both formats want it: a family is begun
 * once, and nothing is written of one that has no sample.
 */
#ifndef ACCEL_EXPORTER_EXPOSITION_H
#define ACCEL_EXPORTER_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "buckets.h"

enum text_format { TEXT_PROMETHEUS, TEXT_OPENMETRICS };

enum text_type { TEXT_GAUGE, TEXT_COUNTER, TEXT_HISTOGRAM, TEXT_INFO, TEXT_STATESET };

/**
 * struct text_family - a family of metrics
 * @name: without what its type appends (_total, _info, _bucket); ends with "_" @unit
 * @type: see enum text_type
 * @unit: a base unit, "seconds" or "bytes"; NULL: it has none
 * @help: one line for people, ASCII without backslashes and quotes
 */
struct text_family {
	const char *name;
	enum text_type type;
	const char *unit;
	const char *help;
};

/* Left out where @value is NULL or "": to both formats that is the same. */
struct text_label {
	const char *name;
	const char *value;
};

/* LABELS({ "device", name }, ...) - ends with an empty one */
#define LABELS(...)	((const struct text_label[]){ __VA_ARGS__, { NULL, NULL } })
#define NO_LABELS	((const struct text_label[]){ { NULL, NULL } })

struct text {
	FILE *f;
	enum text_format format;
	const struct text_family *family;
	bool begun;		/* the family's comments are written */
};

/* text_content_type() - of HTTP */
const char *text_content_type(enum text_format format);

void text_begin(struct text *t, FILE *f, enum text_format format);
void text_family(struct text *t, const struct text_family *family);
void text_end(struct text *t);

/* One sample of a gauge or a counter; of nanoseconds in seconds, with all their digits. */
void text_u64(struct text *t, const struct text_label *labels, uint64_t value);
void text_ns(struct text *t, const struct text_label *labels, uint64_t ns);

/* text_info() - labels are all that it has */
void text_info(struct text *t, const struct text_label *labels);

/* text_states() - which of @nr states it is in: @on, or none of them */
void text_states(struct text *t, const struct text_label *labels, const char *const *states,
		 size_t nr, size_t on);

/**
 * struct text_histogram - a histogram's values
 * @buckets: how many fell where
 * @sum_ns: of all of them, %TEXT_NO_SUM where that is not known
 * @created_ns: when counting began, CLOCK_REALTIME; 0: not known
 */
struct text_histogram {
	const struct buckets *buckets;
	uint64_t sum_ns;
	uint64_t created_ns;
};

#define TEXT_NO_SUM	UINT64_MAX

/* text_histogram() - buckets, and where there is a sum, the sum and the count */
void text_histogram(struct text *t, const struct text_label *labels,
		    const struct text_histogram *h);

#endif /* ACCEL_EXPORTER_EXPOSITION_H */
