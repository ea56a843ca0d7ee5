// SPDX-License-Identifier: GPL-2.0-only
/* The histogram: slots, exact ranks against sorted values, merge, difference, picture. */
#include "unit.h"

#include "hist.h"

static uint64_t random_state = 88172645463325252ULL;

static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void test_slots(void **state)
{
	(void)state;
	/* Without a gap, without an overlap, and no wider than 1/16 of its lower end. */
	for (uint32_t i = 0; i < ACCEL_HIST_SLOTS; i++) {
		uint64_t low = accel_hist_low(i), high = accel_hist_high(i);

		assert_int_equal(accel_hist_index(low), i);
		assert_int_equal(accel_hist_index(high), i);
		if (i)
			assert_int_equal(low, accel_hist_high(i - 1) + 1);
		if (low >= ACCEL_HIST_SUB)
			assert_true((high - low + 1) * 16 <= low);
		else
			assert_int_equal(low, high);
	}
	assert_int_equal(accel_hist_low(0), 0);
	assert_int_equal(accel_hist_high(ACCEL_HIST_SLOTS - 1), (1ULL << 38) - 1);
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(accel_hist_index(0), 0);
	assert_int_equal(accel_hist_index(1ULL << 37), ACCEL_HIST_SLOTS - 16);
	assert_int_equal(accel_hist_index(1ULL << 38), ACCEL_HIST_SLOTS - 1);
	assert_int_equal(accel_hist_index(UINT64_MAX), ACCEL_HIST_SLOTS - 1);
	for (int bit = 0; bit < 64; bit++)
		assert_int_equal(accel_hist_msb(1ULL << bit | (bit ? 1 : 0)), bit);
}

static void test_empty(void **state)
{
	static struct accel_hist h;

	(void)state;
	assert_int_equal(hist_count(&h), 0);
	assert_int_equal(hist_percentile(&h, 50), HIST_NONE);
	assert_int_equal(hist_mean(&h), HIST_NONE);
}

static void test_small(void **state)
{
	static struct accel_hist h;

	(void)state;
	/* Slots of width 1: answers are exact. */
	for (int i = 1; i <= 10; i++)
		hist_add(&h, i);
	assert_int_equal(hist_percentile(&h, 0), 1);
	assert_int_equal(hist_percentile(&h, 10), 1);
	assert_int_equal(hist_percentile(&h, 10.001), 2);
	assert_int_equal(hist_percentile(&h, 50), 5);
	assert_int_equal(hist_percentile(&h, 90), 9);
	assert_int_equal(hist_percentile(&h, 99), 10);
	assert_int_equal(hist_percentile(&h, 100), 10);
	assert_int_equal(hist_percentile(&h, 1000), 10);
	assert_int_equal(hist_mean(&h), 5);
	assert_int_equal(h.max, 10);
}

static void test_one_value(void **state)
{
	(void)state;
	for (int bit = 0; bit < 38; bit++) {
		struct accel_hist h = { 0 };
		uint64_t v = (1ULL << bit) + (random_u64() & ((1ULL << bit) - 1));

		hist_add(&h, v);
		for (int p = 0; p <= 100; p += 10) {
			uint64_t got = hist_percentile(&h, p);

			assert_true(got <= v);
			assert_true((v - got) * 16 <= v);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void test_ranks(void **state)
{
	enum { N = 5000 };
	static const double percents[] = { 1, 10, 25, 50, 75, 90, 99, 99.9, 100 };
	static uint64_t values[N];

	(void)state;
	for (int round = 0; round < 20; round++) {
		static struct accel_hist h;
		int n = round ? 1 + random_u64() % N : N;

		memset(&h, 0, sizeof(h));
		for (int i = 0; i < n; i++) {
			/* Every order of magnitude is as likely as any other. */
			values[i] = random_u64() >> (27 + random_u64() % 37);
			hist_add(&h, values[i]);
		}
		qsort(values, n, sizeof(*values), by_value);
		assert_int_equal(hist_count(&h), n);
		for (size_t p = 0; p < ARRAY_SIZE(percents); p++) {
			/* In integers, as the rank is defined: ceil(n * percent / 100). */
			uint64_t rank = (n * (uint64_t)(percents[p] * 10 + 0.5) + 999) / 1000;
			uint64_t want = values[rank ? rank - 1 : 0];
			uint64_t got = hist_percentile(&h, percents[p]);
			uint64_t off = got > want ? got - want : want - got;

			assert_int_equal(accel_hist_index(got), accel_hist_index(want));
			assert_true(off * 16 <= want);
		}
		assert_true(hist_percentile(&h, 100) <= h.max);
	}
}

static void test_beyond(void **state)
{
	struct accel_hist h = { 0 };

	(void)state;
	hist_add(&h, 1ULL << 50);
	assert_int_equal(hist_percentile(&h, 50), 1ULL << 50);
	assert_int_equal(h.max, 1ULL << 50);
}

static void test_merge_diff(void **state)
{
	static struct accel_hist a, b, both, diff;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t va = random_u64() >> 30, vb = random_u64() >> 40;

		hist_add(&a, va);
		hist_add(&b, vb);
		hist_add(&both, va);
		hist_add(&both, vb);
	}
	diff = a;
	hist_merge(&diff, &b);
	assert_memory_equal(&diff, &both, sizeof(both));
	hist_diff(&diff, &both, &a);
	assert_memory_equal(diff.slots, b.slots, sizeof(b.slots));
	assert_int_equal(diff.sum, b.sum);
	assert_true(diff.max >= b.max && diff.max <= b.max + b.max / 16);
	/* Nothing happened. */
	hist_diff(&diff, &a, &a);
	assert_int_equal(hist_count(&diff), 0);
	assert_int_equal(diff.max, 0);
	/* It was reset in between: no slot of 2^64 - 5. */
	hist_diff(&diff, &a, &both);
	assert_memory_equal(diff.slots, a.slots, sizeof(a.slots));
	/* In place. */
	hist_diff(&both, &both, &a);
	assert_memory_equal(both.slots, b.slots, sizeof(b.slots));
}

static void test_add_is_the_same(void **state)
{
	static struct accel_hist user, shared;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t v = random_u64() >> (random_u64() % 64);

		hist_add(&user, v);
		accel_hist_add(&shared, v);
	}
	assert_memory_equal(&user, &shared, sizeof(user));
}

static void test_picture(void **state)
{
	static struct accel_hist h;
	char text[2048] = "";
	FILE *f;

	(void)state;
	for (int i = 0; i < 100; i++)
		hist_add(&h, 1000);
	for (int i = 0; i < 50; i++)
		hist_add(&h, 2100);
	hist_add(&h, 9000);
	f = fmemopen(text, sizeof(text), "w");
	hist_print(f, &h, 2, 20);
	fclose(f);
	assert_string_equal(text,
		"  [512ns, 1.02us)             100 |@@@@@@@@@@@@@@@@@@@@|\n"
		"  [1.02us, 2.05us)              0 |                    |\n"
		"  [2.05us, 4.10us)             50 |@@@@@@@@@@          |\n"
		"  [4.10us, 8.19us)              0 |                    |\n"
		"  [8.19us, 16.4us)              1 |@                   |\n");
	memset(&h, 0, sizeof(h));
	f = fmemopen(text, sizeof(text), "w");
	hist_print(f, &h, 0, 20);
	fclose(f);
	assert_string_equal(text, "(no values)\n");
	hist_add(&h, 0);
	hist_add(&h, UINT64_MAX);
	f = fmemopen(text, sizeof(text), "w");
	hist_print(f, &h, 0, 10);
	fclose(f);
	assert_non_null(strstr(text, "[0ns, 2ns)"));
	assert_non_null(strstr(text, ", ...)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_one_value),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_merge_diff),
		cmocka_unit_test(test_add_is_the_same),
		cmocka_unit_test(test_picture),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
