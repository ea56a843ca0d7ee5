// SPDX-License-Identifier: GPL-2.0-only
/* The JSON writer: what it writes, byte by byte, and what it refuses to write. */
#include "unit.h"

#include <errno.h>
#include <math.h>

#include "json.h"

static char text[8192];
static struct json j;
static FILE *f;

static void begin(unsigned int flags)
{
	memset(text, 0, sizeof(text));
	f = fmemopen(text, sizeof(text) - 1, "w");
	assert_non_null(f);
	json_begin(&j, f, flags);
}

static int end(void)
{
	int err = json_end(&j);

	fclose(f);
	return err;
}

static void test_object(void **state)
{
	(void)state;
	begin(0);
	json_object(&j, NULL);
	json_str(&j, "s", "x");
	json_u64(&j, "u", UINT64_MAX);
	json_i64(&j, "i", INT64_MIN);
	json_bool(&j, "t", true);
	json_bool(&j, "f", false);
	json_null(&j, "n");
	json_str(&j, "ns", NULL);
	json_hex(&j, "h", 0xc020ac00);
	json_double(&j, "d", 0.5);
	json_double(&j, "nan", NAN);
	json_double(&j, "inf", -INFINITY);
	json_u64_or_null(&j, "unknown", UINT64_MAX);
	json_array(&j, "a");
	json_u64(&j, NULL, 1);
	json_object(&j, NULL);
	json_close(&j);
	json_array(&j, NULL);
	json_close(&j);
	json_close(&j);
	json_close(&j);
	assert_int_equal(end(), 0);
	assert_string_equal(text,
		"{\"s\":\"x\",\"u\":18446744073709551615,\"i\":-9223372036854775808,"
		"\"t\":true,\"f\":false,\"n\":null,\"ns\":null,\"h\":\"0xc020ac00\",\"d\":0.5,"
		"\"nan\":null,\"inf\":null,\"unknown\":null,\"a\":[1,{},[]]}\n");
}

static void test_pretty(void **state)
{
	(void)state;
	begin(JSON_PRETTY);
	json_object(&j, NULL);
	json_array(&j, "a");
	json_u64(&j, NULL, 1);
	json_u64(&j, NULL, 2);
	json_close(&j);
	json_object(&j, "o");
	json_close(&j);
	json_close(&j);
	assert_int_equal(end(), 0);
	assert_string_equal(text, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"o\": {}\n}\n");
}

static void test_lines(void **state)
{
	(void)state;
	begin(JSON_LINES);
	for (int i = 0; i < 2; i++) {
		json_object(&j, NULL);
		json_i64(&j, "i", i);
		json_close(&j);
	}
	assert_int_equal(end(), 0);
	assert_string_equal(text, "{\"i\":0}\n{\"i\":1}\n");
	begin(JSON_LINES);
	assert_int_equal(end(), 0);
	assert_string_equal(text, "");
}

static void string_is(const char *value, const char *want)
{
	begin(0);
	json_str(&j, NULL, value);
	assert_int_equal(end(), 0);
	assert_string_equal(text, want);
}

static void test_strings(void **state)
{
	(void)state;
	string_is("a\"b\\c/d", "\"a\\\"b\\\\c/d\"\n");
	string_is("\n\t\r\x01\x1f\x7f", "\"\\n\\t\\u000d\\u0001\\u001f\\u007f\"\n");
	string_is("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\n");
	string_is("\xff", "\"\\ufffd\"\n");
	string_is("\xc3", "\"\\ufffd\"\n");			/* cut off */
	string_is("\xc0\x80", "\"\\ufffd\\ufffd\"\n");		/* overlong */
	string_is("\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\"\n");
	string_is("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n");	/* a surrogate */
	string_is("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n");
	begin(0);
	json_strn(&j, NULL, "sixteen.bytes.xxNOT", 16);
	assert_int_equal(end(), 0);
	assert_string_equal(text, "\"sixteen.bytes.xx\"\n");
}

static void test_misuse(void **state)
{
	(void)state;
	begin(0);		/* a value without a key */
	json_object(&j, NULL);
	json_u64(&j, NULL, 1);
	assert_int_equal(json_error(&j), -EINVAL);
	assert_int_equal(end(), -EINVAL);

	begin(0);		/* a key in an array */
	json_array(&j, NULL);
	json_u64(&j, "k", 1);
	assert_int_equal(end(), -EINVAL);

	begin(0);		/* a key at the top */
	json_u64(&j, "k", 1);
	assert_int_equal(end(), -EINVAL);

	begin(0);		/* not closed */
	json_object(&j, NULL);
	assert_int_equal(end(), -EINVAL);

	begin(0);		/* closed too often */
	json_object(&j, NULL);
	json_close(&j);
	json_close(&j);
	assert_int_equal(end(), -EINVAL);

	begin(0);		/* nothing */
	assert_int_equal(end(), -EINVAL);

	begin(0);		/* two */
	json_u64(&j, NULL, 1);
	json_u64(&j, NULL, 2);
	assert_int_equal(end(), -EINVAL);
	assert_string_equal(text, "1\n");
}

static void test_depth(void **state)
{
	(void)state;
	begin(0);
	for (int i = 0; i < JSON_DEPTH; i++)
		json_array(&j, NULL);
	assert_int_equal(json_error(&j), 0);
	for (int i = 0; i < JSON_DEPTH; i++)
		json_close(&j);
	assert_int_equal(end(), 0);

	begin(0);
	for (int i = 0; i < JSON_DEPTH + 1; i++)
		json_array(&j, NULL);
	assert_int_equal(end(), -EINVAL);
}

static void test_full_disk(void **state)
{
	(void)state;
	f = fopen("/dev/full", "w");
	if (!f)
		skip();
	json_begin(&j, f, 0);
	json_u64(&j, NULL, 1);
	assert_int_equal(end(), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_full_disk),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
