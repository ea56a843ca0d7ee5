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

#define ACCEL_PIN_BATCH		(PAGE_SIZE / sizeof(struct page *))

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
	mem->mm = current->mm;
	return 0;
}

static void accel_mem_uncharge(struct accel_mem *mem)
{
	if (!mem->mm)
		return;
	atomic64_sub(mem->npages, &mem->mm->pinned_vm);
	mmdrop(mem->mm);
	mem->mm = NULL;
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

static u32 accel_count_folios(struct page **pages, unsigned long n, struct folio **last)
{
	unsigned long i;
	u32 folios = 0;

	for (i = 0; i < n; i++) {
		struct folio *folio = page_folio(pages[i]);

		if (folio != *last)
			folios++;
		*last = folio;
	}
	return folios;
}

static int accel_mem_gather(struct accel_mem *mem, struct page **pages,
			    struct accel_pin_times *times, bool timed)
{
	struct device *parent = mem->ctx->adev->dev.parent;
	unsigned int segment = min_t(size_t, dma_get_max_seg_size(parent),
				     dma_max_mapping_size(parent)) & PAGE_MASK;
	unsigned int gup = FOLL_LONGTERM | (mem->flags & ACCEL_MEM_WRITE ? FOLL_WRITE : 0);
	unsigned long left = mem->npages, addr = mem->addr;
	struct folio *last = NULL;
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
		ret = sg_alloc_append_table_from_pages(&mem->append, pages, got, 0,
						       got << PAGE_SHIFT, segment, left,
						       GFP_KERNEL_ACCOUNT);
		if (ret) {
			unpin_user_pages(pages, got);
			return ret;
		}
		mem->nfolios += accel_count_folios(pages, got, &last);
		addr += got << PAGE_SHIFT;
		cond_resched();
	}
	return 0;
}

/**
 * accel_mem_user_pin - charge and pin a region of the caller's memory
 * @mem: addr, length and flags are set and checked
 * @times: where the time went
 * @timed: fill @times in
 *
 * Context: process; faults pages in, so for as long as user space likes: not gated.
 * Return: 0; -EPERM, -ENOMEM, -EFAULT, -EINTR with nothing pinned or charged.
 */
int accel_mem_user_pin(struct accel_mem *mem, struct accel_pin_times *times, bool timed)
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
	ret = accel_mem_gather(mem, pages, times, timed);
	free_page((unsigned long)pages);
	if (ret)
		accel_mem_user_unpin(mem);
	else
		mem->sgt = mem->append.sgt;
	return ret;
}

/**
 * accel_mem_user_unpin - undo accel_mem_user_pin(), also a half-done one
 * @mem: a region that is not mapped for DMA
 *
 * Pages are marked dirty only when the device may have written to them.
 *
 * Context: process, may sleep (locks folios).
 */
void accel_mem_user_unpin(struct accel_mem *mem)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(mem->append.sgt.sgl, sg, mem->append.sgt.orig_nents, i)
		unpin_user_page_range_dirty_lock(sg_page(sg),
						 DIV_ROUND_UP(sg->length, PAGE_SIZE),
						 mem->dirty);
	sg_free_append_table(&mem->append);
	memset(&mem->append, 0, sizeof(mem->append));
	accel_mem_uncharge(mem);
}
