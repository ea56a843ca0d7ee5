// SPDX-License-Identifier: GPL-2.0-only
/* Looks at records that a test counts in, as the BPF programs do. */
#include "unit.h"

#include <errno.h>

#include "hist.h"
#include "stats.h"

#define CONTEXTS	4
#define DEVICES		2

static struct accel_stats_control control;
static struct accel_stats_ctx contexts[CONTEXTS];
static struct accel_stats_dev devices[DEVICES];
static struct stats_maps maps = {
	.control = &control, .contexts = contexts, .devices = devices,
	.num_contexts = CONTEXTS, .num_devices = DEVICES,
};

static void claim(struct accel_stats_ctx *c, uint64_t id)
{
	memset(c, 0, sizeof(*c));
	c->head.id = id;
	c->id_again = id;
	c->head.dev_id = 1;
	c->head.state = ACCEL_STATS_LIVE;
}

static void end(struct accel_stats_ctx *c)
{
	c->head.state = ACCEL_STATS_ENDED;
	control.ended++;
}

static void add_to(struct accel_stats_head *h, struct accel_stats_piece *pieces, uint32_t kind,
		   uint32_t row, uint64_t ns)
{
	uint32_t slot = accel_hist_index(ns);
	__u8 *piece = &h->dir[row * ACCEL_STATS_OCTAVES + slot / ACCEL_HIST_SUB];

	if (!*piece)
		*piece = ++h->used;
	pieces[*piece - 1].slots[slot % ACCEL_HIST_SUB]++;
	h->sum[kind] += ns;
	h->count[kind]++;
}

static void add(struct accel_stats_ctx *c, uint32_t kind, uint32_t row, uint64_t ns)
{
	add_to(&c->head, c->pieces, kind, row, ns);
	add_to(&devices[0].head, devices[0].pieces, kind, row, ns);
}

static struct stats *begin(void)
{
	memset(&control, 0, sizeof(control));
	control.version = ACCEL_STATS_VERSION;
	memset(contexts, 0, sizeof(contexts));
	memset(devices, 0, sizeof(devices));
	devices[0].head.id = 1;
	devices[0].id_again = 1;
	devices[0].head.state = ACCEL_STATS_LIVE;
	return stats_new(&maps);
}

static uint64_t interval(const struct stats_row *row, uint32_t kind, int engine)
{
	struct accel_hist h = { 0 };

	assert_non_null(row);
	stats_hist(row, kind, engine, &h, NULL);
	return hist_count(&h);
}

static uint64_t total(const struct stats_row *row, uint32_t kind, int engine)
{
	struct accel_hist h = { 0 };

	assert_non_null(row);
	stats_hist(row, kind, engine, NULL, &h);
	return hist_count(&h);
}

static struct stats_loss loss(const struct stats *s)
{
	struct stats_loss l;

	stats_loss(s, &l);
	return l;
}

static void test_intervals(void **state)
{
	struct stats *s = begin();
	const struct stats_row *row;
	struct accel_hist h = { 0 };

	(void)state;
	claim(&contexts[0], 7);
	add(&contexts[0], ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 1000);
	assert_int_equal(stats_look(s), 0);
	/* What was there before is no interval's. */
	assert_int_equal(interval(stats_context(s, 7), ACCEL_STATS_IOCTL, STATS_ALL), 0);
	assert_int_equal(total(stats_context(s, 7), ACCEL_STATS_IOCTL, STATS_ALL), 1);
	assert_int_equal(loss(s).events, 0);

	for (int i = 0; i < 100; i++)
		add(&contexts[0], ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 50000);
	assert_int_equal(stats_look(s), 0);
	row = stats_context(s, 7);
	assert_int_equal(interval(row, ACCEL_STATS_IOCTL, STATS_ALL), 100);
	assert_int_equal(total(row, ACCEL_STATS_IOCTL, STATS_ALL), 101);
	assert_int_equal(interval(row, ACCEL_STATS_PIN, STATS_ALL), 0);
	stats_hist(row, ACCEL_STATS_IOCTL, STATS_ALL, &h, NULL);
	assert_true(hist_percentile(&h, 50) >= 46875 && hist_percentile(&h, 50) <= 53125);
	assert_int_equal(stats_delta(row, sum[ACCEL_STATS_IOCTL]), 5000000);
	assert_int_equal(interval(stats_device(s, 0, 1), ACCEL_STATS_IOCTL, STATS_ALL), 100);
	assert_int_equal(loss(s).events, 100);

	assert_int_equal(stats_look(s), 0);
	row = stats_context(s, 7);
	assert_false(row->changed);
	assert_int_equal(interval(row, ACCEL_STATS_IOCTL, STATS_ALL), 0);
	assert_int_equal(stats_delta(row, jobs), 0);
	assert_int_equal(total(row, ACCEL_STATS_IOCTL, STATS_ALL), 101);
	assert_int_equal(loss(s).events_new, 0);
	assert_null(stats_device(s, 0, 2));
	assert_null(stats_device(s, DEVICES, 1));
	stats_free(s);
}

static void test_engines(void **state)
{
	struct stats *s = begin();
	const struct stats_row *row;

	(void)state;
	assert_int_equal(stats_look(s), 0);
	claim(&contexts[2], 3);
	for (int e = 0; e < ACCEL_STATS_ENGINES; e++)
		add(&contexts[2], ACCEL_STATS_RUN, ACCEL_STATS_ROW(ACCEL_STATS_RUN, e), 1000 + e);
	/* without its engine: there were no more pieces for that */
	add(&contexts[2], ACCEL_STATS_RUN, ACCEL_STATS_RUN, 1 << 30);
	assert_int_equal(stats_look(s), 0);
	row = stats_context(s, 3);
	assert_int_equal(interval(row, ACCEL_STATS_RUN, STATS_ALL), ACCEL_STATS_ENGINES + 1);
	assert_int_equal(interval(row, ACCEL_STATS_RUN, 0), 1);
	assert_int_equal(interval(row, ACCEL_STATS_RUN, ACCEL_STATS_ENGINES - 1), 1);
	assert_int_equal(interval(row, ACCEL_STATS_WAIT, STATS_ALL), 0);
	stats_free(s);
}

static void test_ends(void **state)
{
	struct stats *s = begin();
	const struct stats_row *row;
	size_t nr;

	(void)state;
	claim(&contexts[0], 1);
	end(&contexts[0]);
	assert_int_equal(stats_look(s), 0);
	/* It ended before we began. */
	stats_contexts(s, &nr);
	assert_int_equal(nr, 0);

	/* Opened and closed between two looks: in one, and not in the next. */
	claim(&contexts[1], 2);
	add(&contexts[1], ACCEL_STATS_WAIT, ACCEL_STATS_ROW(ACCEL_STATS_WAIT, 1), 0);
	end(&contexts[1]);
	assert_int_equal(stats_look(s), 0);
	row = stats_contexts(s, &nr);
	assert_int_equal(nr, 1);
	assert_true(row->ended);
	assert_int_equal(row->head->id, 2);
	assert_int_equal(interval(row, ACCEL_STATS_WAIT, 1), 1);
	assert_int_equal(stats_look(s), 0);
	stats_contexts(s, &nr);
	assert_int_equal(nr, 0);
	assert_int_equal(loss(s).missed, 0);

	/* A record that had three owners since: two were missed, none is the other's. */
	claim(&contexts[1], 3);
	add(&contexts[1], ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 500);
	end(&contexts[1]);
	claim(&contexts[1], 4);
	end(&contexts[1]);
	claim(&contexts[1], 5);
	add(&contexts[1], ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 700);
	assert_int_equal(stats_look(s), 0);
	assert_null(stats_context(s, 3));
	assert_null(stats_context(s, 4));
	row = stats_context(s, 5);
	assert_false(row->ended);
	assert_int_equal(interval(row, ACCEL_STATS_IOCTL, STATS_ALL), 1);
	assert_int_equal(loss(s).missed, 2);

	/* Its last interval is that of the look that finds it ended. */
	add(&contexts[1], ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 700);
	end(&contexts[1]);
	assert_int_equal(stats_look(s), 0);
	row = stats_context(s, 5);
	assert_true(row->ended);
	assert_int_equal(interval(row, ACCEL_STATS_IOCTL, STATS_ALL), 1);
	assert_int_equal(total(row, ACCEL_STATS_IOCTL, STATS_ALL), 2);
	assert_int_equal(loss(s).missed, 2);
	stats_free(s);
}

static void test_odd(void **state)
{
	struct stats *s = begin();
	size_t nr;

	(void)state;
	/* Being filled in: not there yet. */
	claim(&contexts[0], 1);
	contexts[0].head.state = ACCEL_STATS_CLAIMED;
	/* Numbers that a program of ours never writes lead nowhere else. */
	claim(&contexts[1], 2);
	contexts[1].head.used = UINT32_MAX;
	contexts[1].head.count[ACCEL_STATS_IOCTL] = 1;
	memset(contexts[1].head.dir, 0xff, sizeof(contexts[1].head.dir));
	assert_int_equal(stats_look(s), 0);
	stats_contexts(s, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(total(stats_context(s, 2), ACCEL_STATS_IOCTL, STATS_ALL), 0);
	stats_free(s);
}

/* A record that got a new owner while it was copied: the old one's begin, its end is not. */
static void test_torn(void **state)
{
	struct stats *s = begin();
	size_t nr;

	(void)state;
	claim(&contexts[0], 1);
	add(&contexts[0], ACCEL_STATS_IOCTL, ACCEL_STATS_IOCTL, 1000);
	end(&contexts[0]);
	contexts[0].id_again = 0;
	claim(&contexts[1], 2);
	contexts[1].id_again = 3;
	claim(&contexts[2], 4);
	devices[0].id_again = 0;
	assert_int_equal(stats_look(s), 0);
	stats_contexts(s, &nr);
	assert_int_equal(nr, 1);
	assert_non_null(stats_context(s, 4));
	assert_null(stats_device(s, 0, 1));

	/* Whole by the next look, and all there. */
	claim(&contexts[0], 5);
	contexts[1].head.id = 3;
	devices[0].id_again = 1;
	assert_int_equal(stats_look(s), 0);
	stats_contexts(s, &nr);
	assert_int_equal(nr, 3);
	assert_non_null(stats_device(s, 0, 1));
	stats_free(s);
}

static void test_gone(void **state)
{
	struct stats *s = begin();

	(void)state;
	claim(&contexts[0], 1);
	assert_int_equal(stats_look(s), 0);
	control.version = 0;
	assert_int_equal(stats_look(s), -ESTALE);
	stats_free(s);
}

static void test_layout(void **state)
{
	(void)state;
	assert_true(sizeof(struct accel_stats_ctx) <= 8192);
	assert_int_equal(sizeof(struct accel_stats_head) % 8, 0);
	assert_int_equal(offsetof(struct accel_stats_head, dir) % 4, 0);
	assert_int_equal(offsetof(struct accel_stats_ctx, pieces), sizeof(struct accel_stats_head));
	/* A directory's entry is a byte. */
	assert_true(ACCEL_STATS_DEV_PIECES <= 255);
	assert_int_equal(sizeof(struct accel_stats_control), 96);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_layout),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
