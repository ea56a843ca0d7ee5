// SPDX-License-Identifier: GPL-2.0-only
/*
 * A region as pages of a device's own page table. The table is written by hand, with
 * addresses that no allocator would give on purpose. And what was written of a region.
 */
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include "fake.h"

struct segment {
	dma_addr_t addr;
	unsigned int length;
};

struct page_of_table {
	u64 va;
	dma_addr_t addr;
	size_t size;
};

#define MAX_SEGMENTS	4

struct table {
	struct accel_mem mem;
	struct sg_table sgt;
	struct scatterlist sg[MAX_SEGMENTS];
};

static void table_of(struct table *t, const struct segment *segments, unsigned int n)
{
	unsigned int i;

	memset(t, 0, sizeof(*t));
	sg_init_table(t->sg, n);
	for (i = 0; i < n; i++) {
		sg_dma_address(&t->sg[i]) = segments[i].addr;
		sg_dma_len(&t->sg[i]) = segments[i].length;
		t->mem.length += segments[i].length;
	}
	t->sgt.sgl = t->sg;
	t->sgt.nents = n;
	t->sgt.orig_nents = n;
	t->mem.sgt = &t->sgt;
}

#define ALL_SIZES	(SZ_4K | SZ_64K | SZ_2M)

static void expect_walk(struct kunit *test, struct table *t, unsigned long sizes, u64 va,
			const struct page_of_table *want, unsigned int n)
{
	struct accel_mem_iter it;
	unsigned int i;

	accel_mem_iter_start(&it, &t->mem, sizes, va);
	for (i = 0; i < n; i++) {
		KUNIT_ASSERT_TRUE_MSG(test, accel_mem_iter_next(&it), "page %u", i);
		KUNIT_EXPECT_EQ_MSG(test, it.va, want[i].va, "page %u", i);
		KUNIT_EXPECT_EQ_MSG(test, it.addr, want[i].addr, "page %u", i);
		KUNIT_EXPECT_EQ_MSG(test, it.size, want[i].size, "page %u", i);
	}
	KUNIT_EXPECT_FALSE(test, accel_mem_iter_next(&it));
	KUNIT_EXPECT_EQ(test, it.left, 0);
}

static void largest_that_fits(struct kunit *test)
{
	/* not aligned, then aligned for 64 KiB, with a rest; and a piece of its own */
	static const struct segment segments[] = {
		{ 0x1000f000, SZ_4K + SZ_64K + SZ_8K }, { 0x40200000, SZ_2M + SZ_4K },
	};
	static const struct page_of_table want[] = {
		{ 0x7f00f000, 0x1000f000, SZ_4K },
		{ 0x7f010000, 0x10010000, SZ_64K },
		{ 0x7f020000, 0x10020000, SZ_4K },
		{ 0x7f021000, 0x10021000, SZ_4K },
	};
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	table_of(t, segments, 1);
	expect_walk(test, t, ALL_SIZES, 0x7f00f000, want, ARRAY_SIZE(want));
	table_of(t, &segments[1], 1);
	expect_walk(test, t, ALL_SIZES, 0x7f200000,
		    (const struct page_of_table[]){ { 0x7f200000, 0x40200000, SZ_2M },
						    { 0x7f400000, 0x40400000, SZ_4K } }, 2);
	/* what the hardware has not, it is not given */
	expect_walk(test, t, SZ_2M | SZ_4K, 0x7f200000,
		    (const struct page_of_table[]){ { 0x7f200000, 0x40200000, SZ_2M },
						    { 0x7f400000, 0x40400000, SZ_4K } }, 2);
}

/* Aligned in memory, and not where the device is to see it. */
static void both_sides_count(struct kunit *test)
{
	static const struct segment segments[] = { { 0x40200000, 2 * SZ_64K } };
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct accel_mem_iter it;
	unsigned int n = 0;

	KUNIT_ASSERT_NOT_NULL(test, t);
	table_of(t, segments, 1);
	accel_mem_iter_start(&it, &t->mem, ALL_SIZES, 0x1000);
	while (accel_mem_iter_next(&it)) {
		KUNIT_EXPECT_EQ(test, it.size, SZ_4K);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 2 * SZ_64K / SZ_4K);
	KUNIT_EXPECT_EQ(test, it.left, 0);
}

/* No page is small enough: the walk says where it has ended. */
static void nothing_fits(struct kunit *test)
{
	static const struct segment segments[] = { { 0x40200000, SZ_64K }, { 0x40300000, SZ_4K } };
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct accel_mem_iter it;

	KUNIT_ASSERT_NOT_NULL(test, t);
	table_of(t, segments, 2);
	accel_mem_iter_start(&it, &t->mem, SZ_64K, 0x10000);
	KUNIT_EXPECT_TRUE(test, accel_mem_iter_next(&it));
	KUNIT_EXPECT_EQ(test, it.size, SZ_64K);
	KUNIT_EXPECT_FALSE(test, accel_mem_iter_next(&it));
	KUNIT_EXPECT_EQ(test, it.left, SZ_4K);
}

static void one_size_throughout(struct kunit *test)
{
	static const struct {
		struct segment segments[2];
		unsigned long sizes;
		u64 va;
		unsigned long best;
	} cases[] = {
		{ { { 0x40200000, SZ_2M }, { 0x80000000, SZ_4M } }, ALL_SIZES, SZ_2M, SZ_2M },
		/* where it is to be */
		{ { { 0x40200000, SZ_2M }, { 0x80000000, SZ_4M } }, ALL_SIZES, SZ_64K, SZ_64K },
		/* where a segment is */
		{ { { 0x40200000, SZ_2M }, { 0x80010000, SZ_4M } }, ALL_SIZES, SZ_2M, SZ_64K },
		/* how long one is: it may not reach beyond */
		{ { { 0x40200000, SZ_2M }, { 0x80000000, SZ_4K } }, ALL_SIZES, SZ_2M, SZ_4K },
		{ { { 0x40200000, SZ_2M }, { 0x80000000, SZ_4K } }, SZ_64K | SZ_2M, SZ_2M, 0 },
		{ { { 0, SZ_4M }, { SZ_4M, SZ_4M } }, SZ_2M, 0, SZ_2M },
	};
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		table_of(t, cases[i].segments, 2);
		KUNIT_EXPECT_EQ_MSG(test, accel_mem_best_page_size(&t->mem, cases[i].sizes,
								   cases[i].va),
				    cases[i].best, "case %u", i);
	}
}

static void byte_to_address(struct kunit *test)
{
	static const struct segment segments[] = { { 0x40200000, SZ_8K }, { 0x1000, SZ_4K } };
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	dma_addr_t addr = 0;
	size_t len = 0;

	KUNIT_ASSERT_NOT_NULL(test, t);
	table_of(t, segments, 2);
	KUNIT_EXPECT_EQ(test, accel_mem_dma_addr(&t->mem, 5, &addr, &len), 0);
	KUNIT_EXPECT_EQ(test, addr, 0x40200005);
	KUNIT_EXPECT_EQ(test, len, SZ_8K - 5);
	KUNIT_EXPECT_EQ(test, accel_mem_dma_addr(&t->mem, SZ_8K, &addr, &len), 0);
	KUNIT_EXPECT_EQ(test, addr, 0x1000);
	KUNIT_EXPECT_EQ(test, len, SZ_4K);
	KUNIT_EXPECT_EQ(test, accel_mem_dma_addr(&t->mem, SZ_8K + SZ_4K, &addr, &len), -ERANGE);
}

#define DIRTY_ADDS	6

/* In pages: what is added, one after the other, and what is said of it then. */
static void ranges_written(struct kunit *test)
{
	static const struct {
		struct accel_pages add[DIRTY_ADDS], want[ACCEL_DIRTY_RANGES];
	} cases[] = {
		{ { { 3, 5 } }, { { 3, 5 } } },
		/* in any order */
		{ { { 14, 15 }, { 1, 2 }, { 7, 9 } }, { { 1, 2 }, { 7, 9 }, { 14, 15 } } },
		/* what touches or overlaps is one */
		{ { { 1, 2 }, { 2, 3 } }, { { 1, 3 } } },
		{ { { 2, 3 }, { 1, 2 } }, { { 1, 3 } } },
		{ { { 1, 4 }, { 2, 3 } }, { { 1, 4 } } },
		{ { { 2, 3 }, { 1, 4 } }, { { 1, 4 } } },
		{ { { 1, 2 }, { 4, 5 }, { 8, 9 }, { 2, 8 } }, { { 1, 9 } } },
		{ { { 1, 2 }, { 4, 5 }, { 8, 9 }, { 12, 13 }, { 4, 9 } },
		  { { 1, 2 }, { 4, 9 }, { 12, 13 } } },
		/* of too many the nearest two are: the first, in the middle, the last */
		{ { { 0, 1 }, { 10, 11 }, { 20, 21 }, { 30, 31 }, { 3, 4 } },
		  { { 0, 4 }, { 10, 11 }, { 20, 21 }, { 30, 31 } } },
		{ { { 0, 1 }, { 10, 11 }, { 20, 21 }, { 30, 31 }, { 13, 14 } },
		  { { 0, 1 }, { 10, 14 }, { 20, 21 }, { 30, 31 } } },
		{ { { 0, 1 }, { 10, 11 }, { 20, 21 }, { 30, 31 }, { 33, 34 } },
		  { { 0, 1 }, { 10, 11 }, { 20, 21 }, { 30, 34 } } },
		/* the new one need not be of them */
		{ { { 0, 1 }, { 3, 4 }, { 20, 21 }, { 30, 31 }, { 50, 51 }, { 2, 3 } },
		  { { 0, 4 }, { 20, 21 }, { 30, 31 }, { 50, 51 } } },
		/* 2^40 pages and more */
		{ { { 1UL << 40, 3UL << 40 }, { 0, 1 } }, { { 0, 1 }, { 1UL << 40, 3UL << 40 } } },
	};
	struct accel_dirty dirty;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		dirty.num = 0;
		for (k = 0; k < DIRTY_ADDS; k++) {
			u64 first = cases[i].add[k].first, end = cases[i].add[k].end;

			/* from the last byte of a page; where the case has ended, nothing */
			accel_dirty_add(&dirty, (first << PAGE_SHIFT) + PAGE_SIZE - 1,
					end ? ((end - first - 1) << PAGE_SHIFT) + 1 : 0);
		}
		KUNIT_ASSERT_LE_MSG(test, dirty.num, ACCEL_DIRTY_RANGES, "case %u", i);
		for (k = 0; k < ACCEL_DIRTY_RANGES; k++) {
			bool there = k < dirty.num;

			KUNIT_EXPECT_EQ_MSG(test, there ? dirty.ranges[k].first : 0,
					    cases[i].want[k].first, "case %u, range %u", i, k);
			KUNIT_EXPECT_EQ_MSG(test, there ? dirty.ranges[k].end : 0,
					    cases[i].want[k].end, "case %u, range %u", i, k);
		}
	}
}

static struct kunit_case mem_cases[] = {
	KUNIT_CASE(largest_that_fits),
	KUNIT_CASE(both_sides_count),
	KUNIT_CASE(nothing_fits),
	KUNIT_CASE(one_size_throughout),
	KUNIT_CASE(byte_to_address),
	KUNIT_CASE(ranges_written),
	{ }
};

static struct kunit_suite mem_suite = {
	.name = "accel_mem",
	.test_cases = mem_cases,
};

kunit_test_suite(mem_suite);
