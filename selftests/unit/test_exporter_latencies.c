// SPDX-License-Identifier: GPL-2.0-only
/* What the exporter adds up of slots that go round, and where it cannot know the rest. */
#include "unit.h"

#include "../../tools/accel-exporter/buckets.c"
#include "../../tools/accel-exporter/latencies.c"

#define OFFSET	UINT64_C(1700000000000000000)
#define NOW	UINT64_C(9000000000)
#define BEGUN	UINT64_C(5000000000)

static struct accel_stats_control control;
static struct accel_stats_dev devices[1];
static struct stats_maps maps = { .control = &control, .devices = devices, .num_devices = 1 };
static struct stats *stats;
static struct latency_device d;
static bool seen;

static int begin(void **state)
{
	(void)state;
	memset(&control, 0, sizeof(control));
	control.version = ACCEL_STATS_VERSION;
	memset(devices, 0, sizeof(devices));
	memset(&d, 0, sizeof(d));
	seen = false;
	devices[0].head.id = 1;
	devices[0].id_again = 1;
	devices[0].head.state = ACCEL_STATS_LIVE;
	devices[0].head.begun_ns = BEGUN;
	stats = stats_new(&maps);
	return !stats;
}

static int end(void **state)
{
	(void)state;
	stats_free(stats);
	return 0;
}

/* @n times @ns, as programs count it; @row tells the engine. */
static void count(uint32_t kind, uint32_t row, uint64_t ns, uint64_t n)
{
	struct accel_stats_head *h = &devices[0].head;
	uint32_t slot = accel_hist_index(ns);
	__u8 *piece = &h->dir[row * ACCEL_STATS_OCTAVES + slot / ACCEL_HIST_SUB];

	if (!*piece)
		*piece = (__u8)++h->used;
	devices[0].pieces[*piece - 1].slots[slot % ACCEL_HIST_SUB] += (uint32_t)n;
	h->sum[kind] += n * ns;
	h->count[kind] += n;
}

static void look(void)
{
	const struct stats_row *row;

	assert_int_equal(stats_look(stats), 0);
	row = stats_device(stats, 0, 1);
	assert_non_null(row);
	latency_device_update(&d, row, !seen, NOW, OFFSET);
	seen = true;
}

/* All of @n lie in the bucket of @ns. */
static void all_in(const struct buckets *b, uint64_t ns, uint64_t n)
{
	unsigned int i = 0;

	while (i < BUCKETS && buckets_edge(i) < ns)
		i++;
	assert_int_equal(b->counts[i], n);
	assert_int_equal(buckets_total(b), n);
}

static void test_grows(void **state)
{
	const struct latency *ioctl = &d.kinds[ACCEL_STATS_IOCTL];

	(void)state;
	/* What was there before we came counts, and is not counted twice. */
	count(ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 5000, 3);
	look();
	all_in(&ioctl->buckets, 5000, 3);
	assert_int_equal(ioctl->sum_ns, 15000);
	assert_int_equal(ioctl->created_ns, OFFSET + BEGUN);
	look();
	look();
	all_in(&ioctl->buckets, 5000, 3);
	count(ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 5000, 4);
	look();
	all_in(&ioctl->buckets, 5000, 7);
	assert_int_equal(ioctl->sum_ns, 35000);
	assert_int_equal(ioctl->created_ns, OFFSET + BEGUN);
	assert_int_equal(buckets_total(&d.kinds[ACCEL_STATS_PIN].buckets), 0);
}

static void test_engines(void **state)
{
	(void)state;
	count(ACCEL_STATS_WAIT, ACCEL_STATS_ROW(ACCEL_STATS_WAIT, 0), 5000, 2);
	count(ACCEL_STATS_WAIT, ACCEL_STATS_ROW(ACCEL_STATS_WAIT, 31), 5000, 3);
	count(ACCEL_STATS_RUN, ACCEL_STATS_ROW(ACCEL_STATS_RUN, 31), 9000, 5);
	look();
	/* there was no more room to tell engines apart */
	count(ACCEL_STATS_WAIT, ACCEL_STATS_WAIT, 5000, 4);
	look();
	all_in(&d.wait[0], 5000, 2);
	all_in(&d.wait[31], 5000, 3);
	all_in(&d.run[31], 9000, 5);
	assert_int_equal(buckets_total(&d.run[0]), 0);
	all_in(&d.kinds[ACCEL_STATS_WAIT].buckets, 5000, 9);
	all_in(&d.kinds[ACCEL_STATS_RUN].buckets, 9000, 5);
	assert_int_equal(d.kinds[ACCEL_STATS_WAIT].sum_ns, 45000);
}

#define ROUND	(UINT64_C(1) << 32)

/* A slot goes round between two looks: counts go on. */
static void test_goes_round(void **state)
{
	const struct latency *ioctl = &d.kinds[ACCEL_STATS_IOCTL];
	uint64_t n = 0, step = ROUND - 1000;

	(void)state;
	look();
	for (int i = 0; i < 5; i++) {
		count(ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 5000, step);
		n += step;
		look();
		all_in(&ioctl->buckets, 5000, n);
		assert_int_equal(ioctl->sum_ns, n * 5000);
	}
	assert_int_equal(ioctl->created_ns, OFFSET + BEGUN);
}

/* It did before we came: which slot it was is not known. All begins with us, then. */
static void test_went_round(void **state)
{
	const struct latency *run = &d.kinds[ACCEL_STATS_RUN];
	const struct latency *wait = &d.kinds[ACCEL_STATS_WAIT];

	(void)state;
	count(ACCEL_STATS_RUN, ACCEL_STATS_ROW(ACCEL_STATS_RUN, 2), 5000, ROUND + 7);
	count(ACCEL_STATS_WAIT, ACCEL_STATS_ROW(ACCEL_STATS_WAIT, 2), 5000, ROUND - 1);
	look();
	assert_int_equal(buckets_total(&run->buckets), 0);
	assert_int_equal(buckets_total(&d.run[2]), 0);
	assert_int_equal(run->sum_ns, 0);
	assert_int_equal(run->created_ns, OFFSET + NOW);
	/* what did not go round is as it was */
	all_in(&wait->buckets, 5000, ROUND - 1);
	all_in(&d.wait[2], 5000, ROUND - 1);
	assert_int_equal(wait->created_ns, OFFSET + BEGUN);

	count(ACCEL_STATS_RUN, ACCEL_STATS_ROW(ACCEL_STATS_RUN, 2), 7000, 3);
	look();
	all_in(&run->buckets, 7000, 3);
	all_in(&d.run[2], 7000, 3);
	assert_int_equal(run->sum_ns, 21000);
	assert_int_equal(run->created_ns, OFFSET + NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grows, begin, end),
		cmocka_unit_test_setup_teardown(test_engines, begin, end),
		cmocka_unit_test_setup_teardown(test_goes_round, begin, end),
		cmocka_unit_test_setup_teardown(test_went_round, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
