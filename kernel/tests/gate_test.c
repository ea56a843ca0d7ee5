// SPDX-License-Identifier: GPL-2.0-only
/* The gate's states and counters, and ids. */
#include <linux/slab.h>
#include <linux/sort.h>

#include "fake.h"

static void expect_counts(struct kunit *test, struct accel_context *ctx, enum accel_op op,
			  u64 calls, u64 errors, u32 inflight, u32 held)
{
	struct accel_op_count sum;

	accel_stats_sum(ctx->stats, op, &sum);
	KUNIT_EXPECT_EQ(test, sum.calls, calls);
	KUNIT_EXPECT_EQ(test, sum.errors, errors);
	KUNIT_EXPECT_EQ(test, sum.inflight, inflight);
	KUNIT_EXPECT_EQ(test, sum.held, held);
}

static void counters(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx = fake_open(test, fake);
	struct accel_call call = { .ctx = ctx, .op = ACCEL_OP_MMAP };

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	expect_counts(test, ctx, ACCEL_OP_OPEN, 1, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, accel_call_begin(&call), 0);
	expect_counts(test, ctx, ACCEL_OP_MMAP, 0, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, accel_call_enter(&call), 0);
	expect_counts(test, ctx, ACCEL_OP_MMAP, 0, 0, 1, 1);
	accel_call_leave(&call);
	expect_counts(test, ctx, ACCEL_OP_MMAP, 0, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, accel_call_enter(&call), 0);
	KUNIT_EXPECT_EQ(test, accel_call_end(&call, -EINVAL), -EINVAL);
	expect_counts(test, ctx, ACCEL_OP_MMAP, 1, 1, 0, 0);
	accel_context_close(ctx);
	fake_unregister(test, fake);
}

static void closing(struct kunit *test)
{
	struct fake_device *fake = fake_alloc(test, fake_parent(test));
	struct accel_context *ctx = accel_context_new(&fake->accel.nodes[0]);
	struct accel_call inside = { .ctx = ctx, .op = ACCEL_OP_IOCTL };
	struct accel_call late = { .ctx = ctx, .op = ACCEL_OP_IOCTL };
	struct accel_call open = { .ctx = ctx, .op = ACCEL_OP_OPEN };

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	KUNIT_EXPECT_EQ(test, accel_call_begin(&inside), 0);
	KUNIT_EXPECT_EQ(test, accel_call_enter(&inside), 0);
	KUNIT_EXPECT_EQ(test, accel_call_begin(&late), 0);

	accel_gate_close(&fake->accel);
	KUNIT_EXPECT_FALSE(test, accel_gate_is_open(&fake->accel));
	/* What had begun cannot enter any more, what begins hears it at once. */
	KUNIT_EXPECT_EQ(test, accel_call_enter(&late), -ENODEV);
	accel_call_end(&late, -ENODEV);
	KUNIT_EXPECT_EQ(test, accel_call_begin(&open), -ENXIO);
	KUNIT_EXPECT_EQ(test, accel_call_enter(&open), -ENXIO);
	accel_call_end(&open, -ENXIO);
	/* And what is inside keeps the device until it leaves. */
	KUNIT_EXPECT_FALSE(test, completion_done(&fake->accel.drained));
	accel_call_end(&inside, 0);
	accel_gate_drain(&fake->accel);
	accel_context_put(ctx);
	accel_device_put(&fake->accel);
}

static int compare_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void ids(struct kunit *test)
{
	const int n = 10000;
	u64 *jobs = kunit_kmalloc_array(test, n, sizeof(u64), GFP_KERNEL), last = 0, id;
	int i, same = 0;

	KUNIT_ASSERT_NOT_NULL(test, jobs);
	for (i = 0; i < n; i++) {
		id = accel_id_next();
		KUNIT_ASSERT_GT(test, id, last);
		last = id;
		jobs[i] = accel_job_id_next();
		cond_resched();
	}
	sort(jobs, n, sizeof(u64), compare_u64, NULL);
	for (i = 1; i < n; i++)
		same += jobs[i] == jobs[i - 1];
	KUNIT_EXPECT_EQ(test, same, 0);
	KUNIT_EXPECT_GT(test, jobs[0], 0);
}

static void context_walk(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx[3], *found;
	int i;

	for (i = 0; i < 3; i++) {
		ctx[i] = fake_open(test, fake);
		KUNIT_ASSERT_FALSE(test, IS_ERR(ctx[i]));
	}
	accel_context_close(ctx[1]);
	found = accel_context_next(&fake->accel, ctx[0]->id + 1);
	KUNIT_EXPECT_PTR_EQ(test, found, ctx[2]);
	accel_context_put(found);
	KUNIT_EXPECT_NULL(test, accel_context_next(&fake->accel, ctx[2]->id + 1));
	accel_context_close(ctx[0]);
	accel_context_close(ctx[2]);
	fake_unregister(test, fake);
}

static struct kunit_case gate_cases[] = {
	KUNIT_CASE(counters),
	KUNIT_CASE(closing),
	KUNIT_CASE(ids),
	KUNIT_CASE(context_walk),
	{ }
};

static struct kunit_suite gate_suite = {
	.name = "accel_gate",
	.test_cases = gate_cases,
};

kunit_test_suite(gate_suite);
