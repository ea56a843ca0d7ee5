// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages of a region the device may have written: these are marked dirty when they are
 * unpinned, and have to be written to disk or swap. Others are not, but for what is between
 * two ranges that have become one, since only a few are told apart.
 */
#include <kunit/visibility.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "core.h"

/* There is one range too many: the two with the fewest pages between them become one. */
static void accel_dirty_join(struct accel_dirty *dirty)
{
	struct accel_pages *ranges = dirty->ranges, *nearest = ranges;
	unsigned int i;

	for (i = 1; i + 1 < dirty->num; i++)
		if (ranges[i + 1].first - ranges[i].end < nearest[1].first - nearest->end)
			nearest = &ranges[i];
	nearest->end = nearest[1].end;
	dirty->num--;
	i = nearest - ranges + 1;
	memmove(&ranges[i], &ranges[i + 1], (dirty->num - i) * sizeof(*ranges));
}

/**
 * accel_dirty_add - the device may have written to a range
 * @dirty: what it may have written so far; its ranges ascend, and do not touch
 * @offset: first byte
 * @length: bytes
 *
 * Context: any.
 */
void accel_dirty_add(struct accel_dirty *dirty, u64 offset, u64 length)
{
	struct accel_pages add = { offset >> PAGE_SHIFT, PFN_UP(offset + length) };
	struct accel_pages *ranges = dirty->ranges;
	unsigned int i = 0, end;

	if (!length)
		return;
	while (i < dirty->num && ranges[i].end < add.first)
		i++;
	/* those from i to end touch it */
	for (end = i; end < dirty->num && ranges[end].first <= add.end; end++) {
		add.first = min(add.first, ranges[end].first);
		add.end = max(add.end, ranges[end].end);
	}
	memmove(&ranges[i + 1], &ranges[end], (dirty->num - end) * sizeof(*ranges));
	ranges[i] = add;
	dirty->num += 1 - (end - i);
	if (dirty->num > ACCEL_DIRTY_RANGES)
		accel_dirty_join(dirty);
}
EXPORT_SYMBOL_IF_KUNIT(accel_dirty_add);

/**
 * accel_dirty_add_all - what was written to one region was written to another, too
 * @dirty: of the one
 * @from: of the other, which has the same pages
 *
 * Context: any.
 */
void accel_dirty_add_all(struct accel_dirty *dirty, const struct accel_dirty *from)
{
	unsigned int i;

	for (i = 0; i < from->num; i++)
		accel_dirty_add(dirty, (u64)from->ranges[i].first << PAGE_SHIFT,
				(u64)(from->ranges[i].end - from->ranges[i].first) << PAGE_SHIFT);
}
