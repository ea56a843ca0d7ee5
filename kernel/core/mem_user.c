// SPDX-License-Identifier: GPL-2.0-only
/*
 * User memory: charged, pinned for long, gathered into a table of folios.
 *
 * The charge is to mm->pinned_vm against RLIMIT_MEMLOCK, as RDMA does. Pages are
 * pinned in batches of one page of pointers: 512 pages are one 2 MiB folio, whose
 * references are then taken with one atomic, and the pointers are dropped at once.
 */
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <trace/events/accel.h>

#include "core.h"

static int accel_mem_charge(struct accel_mem *mem)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	u64 pinned;

	if (!can_do_mlock())
		return -EPERM;
	pinned = atomic64_add_return(mem->npages, &current->mm->pinned_vm);
	if (pinned > limit && !capable(CAP_IPC_LOCK)) {
		atomic64_sub(mem->npages, &current->mm->pinned_vm);
		return -ENOMEM;
	}
	mmgrab(current->mm);
	mem->user.mm = current->mm;
	return 0;
}

static void accel_mem_uncharge(struct accel_mem *mem)
{
	if (!mem->user.mm)
		return;
	atomic64_sub(mem->npages, &mem->user.mm->pinned_vm);
	mmdrop(mem->user.mm);
	mem->user.mm = NULL;
}

/*
 * Pin up to a batch. When the time is wanted, pages that are there are pinned
 * first, without faulting, so that what it costs to fault in the rest is known.
 */
static long accel_mem_pin_batch(unsigned long addr, unsigned long want, unsigned int gup,
				struct page **pages, struct accel_pin_times *times, bool timed)
{
	long present, faulted;
	u64 start, middle;

	if (!timed)
		return pin_user_pages_fast(addr, want, gup, pages);
	start = ktime_get_ns();
	present = pin_user_pages_fast(addr, want, gup | FOLL_NOFAULT, pages);
	middle = ktime_get_ns();
	times->pin_ns += middle - start;
	if (present == want)
		return present;
	if (present < 0)
		present = 0;
	faulted = pin_user_pages_fast(addr + present * PAGE_SIZE, want - present, gup,
				      pages + present);
	times->fault_ns += ktime_get_ns() - middle;
	if (faulted > 0)
		times->faulted_pages += faulted;
	else if (!present)
		return faulted;
	return present + max(faulted, 0L);
}

static int accel_mem_pin(struct accel_mem *mem, struct page **pages,
			 struct accel_pin_times *times, bool timed)
{
	unsigned int gup = FOLL_LONGTERM | (mem->flags & ACCEL_MEM_WRITE ? FOLL_WRITE : 0);
	unsigned long left = mem->npages, addr = mem->addr;
	struct folio *last = NULL;
	u64 start = 0;
	long got;
	int ret;

	while (left) {
		if (fatal_signal_pending(current))
			return -EINTR;
		got = accel_mem_pin_batch(addr, min(left, ACCEL_PIN_BATCH), gup, pages,
					  times, timed);
		if (got <= 0)
			return got ?: -EFAULT;
		left -= got;
		if (timed)
			start = ktime_get_ns();
		ret = accel_mem_gather(mem, pages, got, left, &last);
		if (timed)
			times->gather_ns += ktime_get_ns() - start;
		if (ret) {
			unpin_user_pages(pages, got);
			return ret;
		}
		addr += got << PAGE_SHIFT;
		cond_resched();
	}
	return 0;
}

/* The pages of one entry: dirty are those that the device may have written to. */
static void accel_mem_unpin_entry(struct accel_mem *mem, struct scatterlist *sg, u64 offset)
{
	u64 first = PAGE_ALIGN_DOWN(max(mem->dirty_from, offset));
	u64 end = min(PAGE_ALIGN(mem->dirty_to), offset + sg->length);
	unsigned long before = sg->length >> PAGE_SHIFT, dirty = 0, after = 0;
	unsigned long pfn = page_to_pfn(sg_page(sg));

	if (first < end) {
		before = (first - offset) >> PAGE_SHIFT;
		dirty = (end - first) >> PAGE_SHIFT;
		after = (offset + sg->length - end) >> PAGE_SHIFT;
	}
	if (before)
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), before, false);
	if (dirty)
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn + before), dirty, true);
	if (after)
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn + before + dirty), after,
						 false);
}

/*
 * Undo accel_mem_user_acquire(), also a half-done one. Locks folios where they are to
 * be dirty.
 */
static void accel_mem_user_release(struct accel_mem *mem)
{
	struct sg_table *sgt = &mem->append.sgt;
	struct scatterlist *sg;
	u64 offset = 0;
	unsigned int i;

	for_each_sgtable_sg(sgt, sg, i) {
		accel_mem_unpin_entry(mem, sg, offset);
		offset += sg->length;
	}
	accel_mem_gather_free(mem);
	accel_mem_uncharge(mem);
}

/* Faults pages in, so for as long as user space likes. */
static int accel_mem_user_acquire(struct accel_mem *mem, struct accel_pin_times *times,
				  bool timed)
{
	u64 start = timed ? ktime_get_ns() : 0;
	struct page **pages;
	int ret;

	ret = accel_mem_charge(mem);
	if (ret)
		return ret;
	if (timed)
		times->account_ns = ktime_get_ns() - start;
	pages = (struct page **)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!pages) {
		accel_mem_uncharge(mem);
		return -ENOMEM;
	}
	ret = accel_mem_pin(mem, pages, times, timed);
	free_page((unsigned long)pages);
	if (ret)
		accel_mem_user_release(mem);
	return ret;
}

const struct accel_mem_ops accel_mem_user_ops = {
	.way = ACCEL_MEM_WAY_USER,
	.name = "user",
	.pins = true,
	.acquire = accel_mem_user_acquire,
	.map = accel_mem_dma_map,
	.unmap = accel_mem_dma_unmap,
	.release = accel_mem_user_release,
};
