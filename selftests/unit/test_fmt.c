// SPDX-License-Identifier: GPL-2.0-only
/* Numbers for people: units change where they should, nothing impossible is shown. */
#include "unit.h"

#include <math.h>

#include "fmt.h"

static void test_ns(void **state)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} cases[] = {
		{ 0, "0ns" }, { 999, "999ns" }, { 1000, "1.00us" }, { 12345, "12.3us" },
		{ 999499, "999us" }, { 999500, "1.00ms" }, { 1500000, "1.50ms" },
		{ 99949, "99.9us" }, { 99950, "100us" }, { 9994, "9.99us" }, { 9995, "10.0us" },
		{ 2000000000, "2.00s" }, { 99000000000, "99.0s" }, { 100000000000, "1m40s" },
		{ 3600000000000, "60m00s" }, { 7200000000000, "2h00m" },
		{ 187200000000000, "2d04h" }, { UINT64_MAX, "-" },
		{ UINT64_MAX - 1, "213503d23h" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(FMT(fmt_ns, cases[i].ns), cases[i].want);
}

static void test_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {
		{ 0, "0B" }, { 1023, "1023B" }, { 1024, "1.00KiB" }, { 4096, "4.00KiB" },
		{ 1536 << 20, "1.50GiB" }, { 1048575, "1.00MiB" }, { 102400, "100KiB" },
		{ UINT64_MAX - 1, "16.0EiB" }, { UINT64_MAX, "-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(FMT(fmt_bytes, cases[i].bytes), cases[i].want);
}

static void test_rates(void **state)
{
	(void)state;
	assert_string_equal(FMT(fmt_rate, 0), "0");
	assert_string_equal(FMT(fmt_rate, 0.5), "0.5");
	assert_string_equal(FMT(fmt_rate, 12.4), "12");
	assert_string_equal(FMT(fmt_rate, 12345), "12.3k");
	assert_string_equal(FMT(fmt_rate, NAN), "-");
	assert_string_equal(FMT(fmt_rate, -1), "-");
	assert_string_equal(FMT(fmt_rate, INFINITY), "-");
	assert_string_equal(FMT(fmt_bandwidth, 12.5e9), "12.5GB/s");
	assert_string_equal(FMT(fmt_bandwidth, 0), "0B/s");
	assert_string_equal(FMT(fmt_bandwidth, NAN), "-");
	assert_string_equal(FMT(fmt_count, 999), "999");
	assert_string_equal(FMT(fmt_count, 1000), "1.00k");
	assert_string_equal(FMT(fmt_count, 4560000), "4.56M");
	assert_string_equal(FMT(fmt_count, UINT64_MAX), "-");
}

static void test_percent(void **state)
{
	(void)state;
	assert_string_equal(FMT(fmt_percent, 0), "0.0%");
	assert_string_equal(FMT(fmt_percent, 12.54), "12.5%");
	assert_string_equal(FMT(fmt_percent, 99.96), "100%");
	assert_string_equal(FMT(fmt_percent, 101), "100%");
	assert_string_equal(FMT(fmt_percent, 37100), "-");
	assert_string_equal(FMT(fmt_percent, -3), "-");
	assert_string_equal(FMT(fmt_percent, NAN), "-");
	assert_string_equal(FMT(fmt_percent, fmt_ratio(1, 0)), "-");
	assert_string_equal(FMT(fmt_percent, fmt_ratio(1, 8)), "12.5%");
	assert_string_equal(FMT(fmt_percent, fmt_ratio(FMT_UNKNOWN, 8)), "-");
}

static void test_load(void **state)
{
	(void)state;
	assert_string_equal(FMT(fmt_load, 0.0), "0.0%");
	assert_string_equal(FMT(fmt_load, 12.5), "12.5%");
	/* Two processors and a half are no mistake. */
	assert_string_equal(FMT(fmt_load, 250), "250%");
	assert_string_equal(FMT(fmt_load, -3), "-");
	assert_string_equal(FMT(fmt_load, NAN), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ns),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_load),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
