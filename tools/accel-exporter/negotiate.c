// SPDX-License-Identifier: GPL-2.0-only
/* The header Accept, RFC 9110, 12.5.1: ranges of media types, each with a weight. */
#include "negotiate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS	" \t"

/* A part of the header, not terminated. */
struct span {
	const char *at;
	size_t len;
};

static struct span trim(struct span s)
{
	while (s.len && strchr(BLANKS, s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && strchr(BLANKS, s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Up to @end, which in quotes ends nothing; *@rest is what follows it. */
static struct span cut(struct span *rest, char end)
{
	struct span first = { rest->at, 0 };
	bool quoted = false;

	while (first.len < rest->len && (quoted || first.at[first.len] != end)) {
		if (first.at[first.len] == '"')
			quoted = !quoted;
		else if (quoted && first.at[first.len] == '\\' && first.len + 1 < rest->len)
			first.len++;
		first.len++;
	}
	rest->at += first.len;
	rest->len -= first.len;
	if (rest->len) {
		rest->at++;
		rest->len--;
	}
	return trim(first);
}

static bool is(struct span s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp(s.at, word, s.len);
}

/* In thousandths, as no more digits are allowed; what is no weight is none. */
static int weight(struct span s)
{
	char text[8];
	double q;

	if (!s.len || s.len >= sizeof(text) || s.at[0] < '0' || s.at[0] > '1')
		return 0;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	q = strtod(text, NULL);
	return q < 1 ? (int)(q * 1000 + 0.5) : 1000;
}

static struct span unquote(struct span s)
{
	if (s.len >= 2 && s.at[0] == '"' && s.at[s.len - 1] == '"')
		return (struct span){ s.at + 1, s.len - 2 };
	return s;
}

enum text_format negotiate(const char *accept)
{
	struct span rest = { accept, accept ? strlen(accept) : 0 };
	int openmetrics = 0, plain = 0;

	while (rest.len) {
		struct span params = cut(&rest, ','), type = cut(&params, ';');
		struct span version = { "", 0 };
		int q = 1000;

		while (params.len) {
			struct span value = cut(&params, ';'), name = cut(&value, '=');

			value = unquote(trim(value));
			if (is(name, "q"))
				q = weight(value);
			else if (is(name, "version"))
				version = value;
		}
		if (is(type, "application/openmetrics-text")) {
			if ((!version.len || is(version, "1.0.0")) && q > openmetrics)
				openmetrics = q;
		} else if (is(type, "text/plain")) {
			if ((!version.len || is(version, "0.0.4")) && q > plain)
				plain = q;
		}
	}
	return openmetrics && openmetrics >= plain ? TEXT_OPENMETRICS : TEXT_PROMETHEUS;
}
