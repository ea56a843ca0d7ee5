/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A streaming JSON writer: nothing is kept but the nesting, so that output may
 * go on for ever. What it writes is valid, or it says so: a value without a key
 * in an object, a key in an array, an end that does not match and a depth over
 * %JSON_DEPTH set the error that json_end() returns, and are not written.
 *
 * u64 are written exactly, as JSON numbers (RFC 8259 sets no limit; readers that
 * keep doubles round above 2^53). NaN, infinities and unknown values are null.
 * Strings are UTF-8; bytes that are not become U+FFFD, so that a process with
 * an odd name cannot break a reader.
 *
 * ::
 *
 *	struct json j;
 *
 *	json_begin(&j, stdout, JSON_PRETTY);
 *	json_object(&j, NULL);
 *	json_str(&j, "name", "acc0");
 *	json_array(&j, "engines");
 *	json_u64(&j, NULL, 1);
 *	json_close(&j);
 *	json_close(&j);
 *	err = json_end(&j);
 */
#ifndef TOOLS_LIB_JSON_H
#define TOOLS_LIB_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH	32

/* json_begin() flags */
#define JSON_PRETTY	(1U << 0)	/* indented by two spaces */
#define JSON_LINES	(1U << 1)	/* each top-level value on a line of its own (NDJSON) */

struct json {
	FILE *f;
	unsigned int flags;
	int error;			/* -errno of the first mistake or write error */
	int depth;
	unsigned int values;		/* at top level */
	struct {
		bool array;
		bool any;		/* it has a member */
	} level[JSON_DEPTH];
};

/* json_begin() - start writing to @f; without %JSON_LINES, one top-level value */
void json_begin(struct json *j, FILE *f, unsigned int flags);

/*
 * json_end() - flush; 0, or -errno of the first error: -EINVAL for misuse
 * (something is still open, nothing was written without %JSON_LINES), else the
 * write's own.
 */
int json_end(struct json *j);

/* json_error() - what has gone wrong so far, 0 or -errno */
int json_error(const struct json *j);

/* @key: in an object, the member's name; NULL in an array and at top level. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_close(struct json *j);	/* the innermost object or array */

void json_str(struct json *j, const char *key, const char *value);	/* NULL: null */
void json_strn(struct json *j, const char *key, const char *value, size_t max);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_hex(struct json *j, const char *key, uint64_t value);		/* "0x1f", a string */
void json_double(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

/* json_u64_or_null() - null when @value is UINT64_MAX, fmt.h's and hist.h's "unknown" */
void json_u64_or_null(struct json *j, const char *key, uint64_t value);

#endif /* TOOLS_LIB_JSON_H */
