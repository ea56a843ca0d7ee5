// SPDX-License-Identifier: GPL-2.0-only
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "utf8.h"

void json_begin(struct json *j, FILE *f, unsigned int flags)
{
	memset(j, 0, sizeof(*j));
	j->f = f;
	j->flags = flags;
}

static void fail(struct json *j, int error)
{
	if (!j->error)
		j->error = error;
}

int json_error(const struct json *j)
{
	if (!j->error && ferror(j->f))
		return -EIO;
	return j->error;
}

static void put_string(struct json *j, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	FILE *f = j->f;

	putc('"', f);
	for (size_t i = 0; i < len;) {
		int n = utf8_length(s + i, len - i);

		if (n == 0) {
			fputs("\\ufffd", f);
			i++;
			continue;
		}
		if (n == 1 && (s[i] < 0x20 || s[i] == '"' || s[i] == '\\' || s[i] == 0x7f)) {
			switch (s[i]) {
			case '"':
			case '\\':
				putc('\\', f);
				putc(s[i], f);
				break;
			case '\n':
				fputs("\\n", f);
				break;
			case '\t':
				fputs("\\t", f);
				break;
			default:
				fprintf(f, "\\u%04x", s[i]);
			}
		} else {
			fwrite(s + i, 1, n, f);
		}
		i += n;
	}
	putc('"', f);
}

static void newline(struct json *j)
{
	if (j->flags & JSON_PRETTY)
		fprintf(j->f, "\n%*s", 2 * j->depth, "");
}

/* What comes before each value; false: it must not be written. */
static bool before(struct json *j, const char *key)
{
	if (j->error)
		return false;
	if (!j->depth) {
		if (key || (j->values && !(j->flags & JSON_LINES))) {
			fail(j, -EINVAL);
			return false;
		}
		j->values++;
		return true;
	}
	if (j->level[j->depth - 1].array != !key) {
		fail(j, -EINVAL);
		return false;
	}
	if (j->level[j->depth - 1].any)
		putc(',', j->f);
	j->level[j->depth - 1].any = true;
	newline(j);
	if (key) {
		put_string(j, key, strlen(key));
		putc(':', j->f);
		if (j->flags & JSON_PRETTY)
			putc(' ', j->f);
	}
	return true;
}

static void after(struct json *j)
{
	if (!j->depth)
		putc('\n', j->f);
}

static void open_level(struct json *j, const char *key, bool array)
{
	if (j->depth == JSON_DEPTH)
		fail(j, -EINVAL);
	if (!before(j, key))
		return;
	putc(array ? '[' : '{', j->f);
	j->level[j->depth].array = array;
	j->level[j->depth].any = false;
	j->depth++;
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, false);
}

void json_array(struct json *j, const char *key)
{
	open_level(j, key, true);
}

void json_close(struct json *j)
{
	if (!j->depth)
		fail(j, -EINVAL);
	if (j->error)
		return;
	j->depth--;
	if (j->level[j->depth].any)
		newline(j);
	putc(j->level[j->depth].array ? ']' : '}', j->f);
	after(j);
}

void json_strn(struct json *j, const char *key, const char *value, size_t max)
{
	if (!value) {
		json_null(j, key);
		return;
	}
	if (!before(j, key))
		return;
	put_string(j, value, strnlen(value, max));
	after(j);
}

void json_str(struct json *j, const char *key, const char *value)
{
	json_strn(j, key, value, SIZE_MAX);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	if (!before(j, key))
		return;
	fprintf(j->f, "%" PRIu64, value);
	after(j);
}

void json_u64_or_null(struct json *j, const char *key, uint64_t value)
{
	if (value == UINT64_MAX)
		json_null(j, key);
	else
		json_u64(j, key, value);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
	if (!before(j, key))
		return;
	fprintf(j->f, "%" PRId64, value);
	after(j);
}

void json_hex(struct json *j, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_str(j, key, text);
}

void json_double(struct json *j, const char *key, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	if (!before(j, key))
		return;
	snprintf(text, sizeof(text), "%.15g", value);
	/* A locale may have written a decimal comma. */
	for (char *c = text; *c; c++)
		if (*c == ',')
			*c = '.';
	fputs(text, j->f);
	after(j);
}

void json_bool(struct json *j, const char *key, bool value)
{
	if (!before(j, key))
		return;
	fputs(value ? "true" : "false", j->f);
	after(j);
}

void json_null(struct json *j, const char *key)
{
	if (!before(j, key))
		return;
	fputs("null", j->f);
	after(j);
}

int json_end(struct json *j)
{
	if (j->depth || (!j->values && !(j->flags & JSON_LINES)))
		fail(j, -EINVAL);
	errno = 0;
	if (fflush(j->f) || ferror(j->f))
		fail(j, errno ? -errno : -EIO);
	return j->error;
}
