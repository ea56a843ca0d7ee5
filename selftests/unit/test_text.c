// SPDX-License-Identifier: GPL-2.0-only
/* Names that others have chosen must not command the terminal that shows them. */
#include "unit.h"

#include "text.h"

static void test_safe(void **state)
{
	static const struct {
		const char *text, *shown;
	} names[] = {
		{ "", "" },
		{ "worker", "worker" },
		{ "a\033[31mb\n\t\x7f", "a?[31mb???" },
		{ "\xc2\x9b" "2J", "?2J" },		/* U+009B, as good as ESC [ */
		{ "\x9b" "2J", "?2J" },			/* and as a terminal without UTF-8 has it */
		{ "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9" },
		{ "\xe2\x80\xae" "cod.exe", "?cod.exe" },	/* right-to-left override */
		{ "a\xe2\x80\x8b" "b", "a?b" },		/* a space of no width */
		{ "\xf0\x9f\x92\xa3", "\xf0\x9f\x92\xa3" },
		{ "\xc0\xaf\xed\xa0\x80\xff", "??????" },	/* too long, half a pair, nothing */
		{ "\xe2\x80", "??" },			/* cut in the middle */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(TEXT_SAFE(names[i].text, 100), names[i].shown);
}

static void test_bounds(void **state)
{
	const char four[4] = { 'a', 'b', (char)0xc3, (char)0xa9 };	/* not terminated */
	char to[4];

	(void)state;
	assert_string_equal(TEXT_SAFE("0123456789", 4), "0123");
	assert_string_equal(TEXT_SAFE(four, 4), "ab\xc3\xa9");
	assert_string_equal(TEXT_SAFE(four, 3), "ab?");
	/* What does not fit whole is not begun. */
	assert_int_equal(text_safe(to, sizeof(to), "abc\xc3\xa9", 100), 3);
	assert_string_equal(to, "abc");
	assert_int_equal(text_safe(to, sizeof(to), "ab\xc3\xa9", 100), 2);
	assert_string_equal(to, "ab");
	assert_int_equal(text_safe(to, 1, "ab", 100), 0);
	assert_string_equal(to, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_bounds),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
