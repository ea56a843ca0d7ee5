/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A small JSON reader for tests that check the tools' output: strict (what it
 * takes is valid), and u64 stay exact.
 */
#ifndef SELFTESTS_JSON_READ_H
#define SELFTESTS_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind {
	JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT
};

struct json_node {
	enum json_kind kind;
	char *name;		/* in an object */
	char *text;		/* of a string, decoded; of a number, as written */
	size_t count;		/* of members */
	struct json_node *first;
	struct json_node *next;
};

/* json_parse() - all of @text is one value; NULL when it is not valid */
struct json_node *json_parse(const char *text);
void json_free(struct json_node *node);

/* json_at() - "totals.jobs", "devices.0.name"; NULL when there is none */
const struct json_node *json_at(const struct json_node *node, const char *path);

/* json_find() - the member of array @list whose @path is @value, as text or number */
const struct json_node *json_find(const struct json_node *list, const char *path,
				  const char *value);

/* Of the value at @path; UINT64_MAX, NaN, NULL when it is null, missing or another kind. */
uint64_t json_u64_at(const struct json_node *node, const char *path);
double json_double_at(const struct json_node *node, const char *path);
const char *json_text_at(const struct json_node *node, const char *path);

#endif
