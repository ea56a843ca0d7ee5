/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the unit tests share: cmocka's headers in their order, captured output. */
#ifndef SELFTESTS_UNIT_H
#define SELFTESTS_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* What is written to a stream (stdout, stderr) between begin and end. */
struct capture {
	FILE *stream;
	FILE *file;
	int saved;
	char text[65536];
};

static inline void capture_begin(struct capture *c, FILE *stream)
{
	fflush(stream);
	c->stream = stream;
	c->file = tmpfile();
	assert_non_null(c->file);
	c->saved = dup(fileno(stream));
	dup2(fileno(c->file), fileno(stream));
}

static inline const char *capture_end(struct capture *c)
{
	size_t len;

	fflush(c->stream);
	dup2(c->saved, fileno(c->stream));
	close(c->saved);
	rewind(c->file);
	len = fread(c->text, 1, sizeof(c->text) - 1, c->file);
	c->text[len] = 0;
	fclose(c->file);
	return c->text;
}

#endif
