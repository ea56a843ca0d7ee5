// SPDX-License-Identifier: GPL-2.0-only
/* The gate's states and counters, and ids. */
#include <linux/bitmap.h>
#include <linux/idr.h>
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

/* The least that is free, given back with the context's last reference. */
static void slots(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx[4], *next;
	int i, k;

	for (i = 0; i < ARRAY_SIZE(ctx); i++) {
		ctx[i] = fake_open(test, fake);
		KUNIT_ASSERT_FALSE(test, IS_ERR(ctx[i]));
		KUNIT_EXPECT_LT(test, ctx[i]->slot, ACCEL_MAX_SLOTS);
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_LT(test, ctx[k]->slot, ctx[i]->slot);
	}
	i = ctx[1]->slot;
	/* closed, but somebody still looks at it: nobody may be taken for it */
	next = accel_context_next(&fake->accel, ctx[1]->id);
	KUNIT_ASSERT_PTR_EQ(test, next, ctx[1]);
	accel_context_close(ctx[1]);
	ctx[1] = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx[1]));
	KUNIT_EXPECT_NE(test, ctx[1]->slot, i);
	accel_context_close(ctx[1]);
	accel_context_put(next);
	ctx[1] = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx[1]));
	KUNIT_EXPECT_EQ(test, ctx[1]->slot, i);
	for (i = 0; i < ARRAY_SIZE(ctx); i++)
		accel_context_close(ctx[i]);
	fake_unregister(test, fake);
}

/* Without one, a context is as good as any other. */
static void out_of_slots(struct kunit *test)
{
	unsigned long *ours = kunit_kcalloc(test, BITS_TO_LONGS(ACCEL_MAX_SLOTS), sizeof(long),
					    GFP_KERNEL);
	struct fake_device *fake = fake_register(test);
	struct accel_context *without, *with;
	int slot, last = -1;

	KUNIT_ASSERT_NOT_NULL(test, ours);
	while ((slot = ida_alloc_max(&accel_slots, ACCEL_MAX_SLOTS - 1, GFP_KERNEL)) >= 0) {
		set_bit(slot, ours);
		last = slot;
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, slot, -ENOSPC);
	KUNIT_EXPECT_EQ(test, last, ACCEL_MAX_SLOTS - 1);
	without = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(without));
	KUNIT_EXPECT_EQ(test, without->slot, ACCEL_NO_SLOT);
	/* the one that is given back is the next one's, and is not given back twice */
	clear_bit(last, ours);
	ida_free(&accel_slots, last);
	with = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(with));
	KUNIT_EXPECT_EQ(test, with->slot, last);
	accel_context_close(without);
	KUNIT_EXPECT_EQ(test, ida_alloc_max(&accel_slots, ACCEL_MAX_SLOTS - 1, GFP_KERNEL),
			-ENOSPC);
	accel_context_close(with);
	for_each_set_bit(slot, ours, ACCEL_MAX_SLOTS) {
		ida_free(&accel_slots, slot);
		cond_resched();
	}
	fake_unregister(test, fake);
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
	KUNIT_CASE(slots),
	KUNIT_CASE_SLOW(out_of_slots),
	KUNIT_CASE(context_walk),
	{ }
};

static struct kunit_suite gate_suite = {
	.name = "accel_gate",
	.test_cases = gate_cases,
};

kunit_test_suite(gate_suite);
