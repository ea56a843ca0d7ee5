// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "json_read.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH	64

static struct json_node *parse_value(const char **p, int depth);

static void skip_space(const char **p)
{
	while (**p == ' ' || **p == '\t' || **p == '\n' || **p == '\r')
		(*p)++;
}

void json_free(struct json_node *node)
{
	while (node) {
		struct json_node *next = node->next;

		json_free(node->first);
		free(node->name);
		free(node->text);
		free(node);
		node = next;
	}
}

/* Good enough for tests: \u of the basic plane, no surrogates. */
static size_t put_utf8(char *out, unsigned int ch)
{
	if (ch < 0x80) {
		out[0] = (char)ch;
		return 1;
	}
	if (ch < 0x800) {
		out[0] = (char)(0xc0 | ch >> 6);
		out[1] = (char)(0x80 | (ch & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | ch >> 12);
	out[1] = (char)(0x80 | (ch >> 6 & 0x3f));
	out[2] = (char)(0x80 | (ch & 0x3f));
	return 3;
}

/* Bytes up to the quote that ends a string. */
static size_t quoted(const char *s)
{
	const char *end = s;

	while (*end && *end != '"')
		end += *end == '\\' && end[1] ? 2 : 1;
	return (size_t)(end - s);
}

static char *parse_string(const char **p)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *s = *p + 1;
	/* Decoded it is not longer. */
	char *text = malloc(quoted(s) + 1);
	size_t len = 0;

	while (text && *s != '"') {
		const char *name;

		if ((unsigned char)*s < 0x20)
			goto bad;
		if (*s != '\\') {
			text[len++] = *s++;
			continue;
		}
		s++;
		if (*s == 'u') {
			char hex[5] = "";

			for (int i = 0; i < 4; i++) {
				if (!isxdigit((unsigned char)s[1 + i]))
					goto bad;
				hex[i] = s[1 + i];
			}
			len += put_utf8(text + len, (unsigned int)strtoul(hex, NULL, 16));
			s += 5;
			continue;
		}
		name = *s ? strchr(names, *s) : NULL;
		if (!name)
			goto bad;
		text[len++] = values[name - names];
		s++;
	}
	if (!text)
		return NULL;
	text[len] = '\0';
	*p = s + 1;
	return text;
bad:
	free(text);
	return NULL;
}

static char *parse_number(const char **p)
{
	const char *s = *p;

	if (*s == '-')
		s++;
	if (!isdigit((unsigned char)*s) || (*s == '0' && isdigit((unsigned char)s[1])))
		return NULL;
	while (isdigit((unsigned char)*s))
		s++;
	if (*s == '.') {
		if (!isdigit((unsigned char)*++s))
			return NULL;
		while (isdigit((unsigned char)*s))
			s++;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '+' || *s == '-')
			s++;
		if (!isdigit((unsigned char)*s))
			return NULL;
		while (isdigit((unsigned char)*s))
			s++;
	}
	s = strndup(*p, (size_t)(s - *p));
	if (s)
		*p += strlen(s);
	return (char *)s;
}

static bool parse_members(const char **p, struct json_node *node, char end, int depth)
{
	struct json_node **last = &node->first;

	(*p)++;
	skip_space(p);
	if (**p == end) {
		(*p)++;
		return true;
	}
	for (;;) {
		char *name = NULL;

		skip_space(p);
		if (end == '}') {
			name = **p == '"' ? parse_string(p) : NULL;
			if (!name)
				return false;
			skip_space(p);
			if (*(*p)++ != ':') {
				free(name);
				return false;
			}
		}
		*last = parse_value(p, depth + 1);
		if (!*last) {
			free(name);
			return false;
		}
		(*last)->name = name;
		last = &(*last)->next;
		node->count++;
		skip_space(p);
		if (**p == end) {
			(*p)++;
			return true;
		}
		if (*(*p)++ != ',')
			return false;
	}
}

static struct json_node *parse_value(const char **p, int depth)
{
	static const struct {
		const char *text;
		enum json_kind kind;
	} words[] = { { "null", JSON_NULL }, { "false", JSON_FALSE }, { "true", JSON_TRUE } };
	struct json_node *node = depth < MAX_DEPTH ? calloc(1, sizeof(*node)) : NULL;
	bool good = false;

	if (!node)
		return NULL;
	skip_space(p);
	switch (**p) {
	case '{':
		node->kind = JSON_OBJECT;
		good = parse_members(p, node, '}', depth);
		break;
	case '[':
		node->kind = JSON_ARRAY;
		good = parse_members(p, node, ']', depth);
		break;
	case '"':
		node->kind = JSON_STRING;
		node->text = parse_string(p);
		good = node->text;
		break;
	default:
		for (size_t i = 0; i < 3; i++) {
			size_t len = strlen(words[i].text);

			if (!strncmp(*p, words[i].text, len)) {
				node->kind = words[i].kind;
				*p += len;
				return node;
			}
		}
		node->kind = JSON_NUMBER;
		node->text = parse_number(p);
		good = node->text;
	}
	if (good)
		return node;
	json_free(node);
	return NULL;
}

struct json_node *json_parse(const char *text)
{
	struct json_node *node = parse_value(&text, 0);

	skip_space(&text);
	if (node && *text) {
		json_free(node);
		return NULL;
	}
	return node;
}

const struct json_node *json_at(const struct json_node *node, const char *path)
{
	while (node && *path) {
		size_t len = strcspn(path, ".");
		const struct json_node *child = node->first;

		if (node->kind == JSON_ARRAY) {
			for (unsigned long i = strtoul(path, NULL, 10); child && i; i--)
				child = child->next;
		} else {
			while (child && (strlen(child->name) != len || strncmp(child->name, path, len)))
				child = child->next;
		}
		node = child;
		path += len;
		if (*path == '.')
			path++;
	}
	return node;
}

const struct json_node *json_find(const struct json_node *list, const char *path,
				  const char *value)
{
	for (const struct json_node *n = list ? list->first : NULL; n; n = n->next) {
		const struct json_node *at = json_at(n, path);

		if (at && at->text && !strcmp(at->text, value))
			return n;
	}
	return NULL;
}

uint64_t json_u64_at(const struct json_node *node, const char *path)
{
	const struct json_node *at = json_at(node, path);
	unsigned long long n;
	char *end;

	if (!at || at->kind != JSON_NUMBER || at->text[0] == '-')
		return UINT64_MAX;
	errno = 0;
	n = strtoull(at->text, &end, 10);
	return *end || errno ? UINT64_MAX : n;
}

double json_double_at(const struct json_node *node, const char *path)
{
	const struct json_node *at = json_at(node, path);

	return at && at->kind == JSON_NUMBER ? strtod(at->text, NULL) : NAN;
}

const char *json_text_at(const struct json_node *node, const char *path)
{
	const struct json_node *at = json_at(node, path);

	return at && at->kind == JSON_STRING ? at->text : NULL;
}
