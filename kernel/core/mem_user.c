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

/* of a number of pages */
#define KIB(pages)		((u64)(pages) << (PAGE_SHIFT - 10))

static int accel_mem_charge(struct accel_mem *mem)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	u64 pinned;

	if (!can_do_mlock())
		return accel_context_error(mem->ctx, -EPERM,
					   "mem_pin: RLIMIT_MEMLOCK is 0; raise it (ulimit -l, LimitMEMLOCK=)");
	pinned = atomic64_add_return(mem->npages, &current->mm->pinned_vm);
	if (pinned > limit && !capable(CAP_IPC_LOCK)) {
		pinned = atomic64_sub_return(mem->npages, &current->mm->pinned_vm);
		return accel_context_error(mem->ctx, -ENOMEM,
					   "mem_pin: %llu KiB needed, %llu of RLIMIT_MEMLOCK's %llu KiB are pinned; raise it (ulimit -l, LimitMEMLOCK=)",
					   KIB(mem->npages), KIB(pinned), KIB(limit));
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

/* Why a page of a file is not pinned. */
static int accel_mem_explain_file(struct accel_mem *mem, struct vm_area_struct *vma, u64 addr)
{
	const char *fs = file_inode(vma->vm_file)->i_sb->s_type->name;
	u64 offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);

	if (offset >= i_size_read(file_inode(vma->vm_file)))
		return accel_context_error(mem->ctx, -EFAULT,
					   "mem_pin: 0x%llx is beyond the end of '%pD' (%s)",
					   addr, vma->vm_file, fs);
	/* See writable_file_mapping_allowed() in mm/gup.c. */
	if (mem->flags & ACCEL_MEM_WRITE && vma->vm_flags & VM_SHARED)
		return accel_context_error(mem->ctx, -EOPNOTSUPP,
					   "mem_pin: 0x%llx is '%pD': %s has to see each write; use a memfd",
					   addr, vma->vm_file, fs);
	return accel_context_error(mem->ctx, -EFAULT,
				   "mem_pin: 0x%llx, '%pD' (%s), cannot be pinned",
				   addr, vma->vm_file, fs);
}

/* Say why the page at @addr could not be pinned: one errno stands for many reasons. */
static int accel_mem_explain(struct accel_mem *mem, u64 addr, int error)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (error != -EFAULT || mmap_read_lock_killable(mm))
		return error;
	vma = vma_lookup(mm, addr);
	if (!vma)
		accel_context_error(mem->ctx, error, "mem_pin: nothing is mapped at 0x%llx", addr);
	else if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		accel_context_error(mem->ctx, error,
				    "mem_pin: 0x%llx is a device's memory; import it as a dma-buf",
				    addr);
	else if (mem->flags & ACCEL_MEM_WRITE && !(vma->vm_flags & VM_WRITE))
		accel_context_error(mem->ctx, error,
				    "mem_pin: 0x%llx is mapped read-only, and the device is to write",
				    addr);
	else if (!(vma->vm_flags & VM_READ))
		accel_context_error(mem->ctx, error, "mem_pin: 0x%llx may not be read", addr);
	else if (vma->vm_file)
		error = accel_mem_explain_file(mem, vma, addr);
	mmap_read_unlock(mm);
	return error;
}

static unsigned int accel_mem_gup_flags(const struct accel_mem *mem)
{
	return FOLL_LONGTERM | (mem->flags & ACCEL_MEM_WRITE ? FOLL_WRITE : 0);
}

/* A region of one page, of which there may be many: nothing to gather. */
static int accel_mem_pin_one(struct accel_mem *mem)
{
	struct page *page;
	long got = pin_user_pages_fast(mem->addr, 1, accel_mem_gup_flags(mem), &page);

	if (got <= 0)
		return accel_mem_explain(mem, mem->addr, got ?: -EFAULT);
	accel_table_of_run(mem, &page);
	return 0;
}

/* What joins @g is pinned, also when this fails. */
static int accel_mem_pin(struct accel_mem *mem, struct accel_gather *g, struct page **pages,
			 struct accel_pin_times *times, bool timed)
{
	unsigned int gup = accel_mem_gup_flags(mem);
	unsigned long left = mem->npages, addr = mem->addr, joined;
	u64 start = 0;
	long got;
	int ret;

	while (left) {
		if (fatal_signal_pending(current))
			return -EINTR;
		got = accel_mem_pin_batch(addr, min(left, ACCEL_PIN_BATCH), gup, pages,
					  times, timed);
		if (got <= 0)
			return accel_mem_explain(mem, addr, got ?: -EFAULT);
		left -= got;
		if (timed)
			start = ktime_get_ns();
		joined = g->pages;
		if (got == mem->npages && accel_table_of_run(mem, pages)) {
			if (timed)
				times->gather_ns += ktime_get_ns() - start;
			return 0;
		}
		ret = accel_gather_add(g, pages, got);
		if (timed)
			times->gather_ns += ktime_get_ns() - start;
		if (ret) {
			joined = g->pages - joined;
			unpin_user_pages(pages + joined, got - joined);
			return ret;
		}
		addr += got << PAGE_SHIFT;
		cond_resched();
	}
	if (timed)
		start = ktime_get_ns();
	ret = accel_gather_end(g, mem);
	if (timed)
		times->gather_ns += ktime_get_ns() - start;
	return ret;
}

/* The pages of one entry, of a region that the device may have written to: part of them dirty. */
static void accel_mem_unpin_entry(struct accel_mem *mem, struct scatterlist *sg, u64 offset)
{
	unsigned long pfn = page_to_pfn(sg_page(sg)), before, dirty, after;
	u64 first, end;

	first = PAGE_ALIGN_DOWN(max(mem->dirty_from, offset));
	end = min(PAGE_ALIGN(mem->dirty_to), offset + sg->length);

	if (first >= end) {
		accel_unpin_clean(sg_page(sg), sg->length >> PAGE_SHIFT);
		return;
	}
	before = (first - offset) >> PAGE_SHIFT;
	dirty = (end - first) >> PAGE_SHIFT;
	after = (offset + sg->length - end) >> PAGE_SHIFT;
	if (before)
		accel_unpin_clean(pfn_to_page(pfn), before);
	unpin_user_page_range_dirty_lock(pfn_to_page(pfn + before), dirty, true);
	if (after)
		accel_unpin_clean(pfn_to_page(pfn + before + dirty), after);
}

static void accel_mem_unpin_dirty(struct accel_mem *mem)
{
	struct scatterlist *sg;
	u64 offset = 0;

	for (sg = mem->table.sgl; sg; sg = accel_sg_next(sg)) {
		accel_mem_unpin_entry(mem, sg, offset);
		offset += sg->length;
	}
}

/* Locks folios where they are to be dirty. */
static void accel_mem_user_release(struct accel_mem *mem)
{
	if (mem->dirty_from < mem->dirty_to)
		accel_mem_unpin_dirty(mem);
	else
		accel_table_unpin_clean(mem);
	accel_table_free(mem);
	accel_mem_uncharge(mem);
}

static noinline int accel_mem_pin_all(struct accel_mem *mem, struct accel_pin_times *times,
				      bool timed)
{
	struct page *few[ACCEL_GATHER_FEW] __uninitialized, **pages = few;
	struct accel_gather gather __uninitialized;
	int ret;

	if (mem->npages > ARRAY_SIZE(few)) {
		pages = accel_pin_batch_get();
		if (!pages)
			return -ENOMEM;
	}
	accel_gather_start(&gather, mem->ctx->adev);
	ret = accel_mem_pin(mem, &gather, pages, times, timed);
	if (pages != few)
		accel_pin_batch_put(pages);
	if (ret)
		accel_gather_unpin(&gather);
	return ret;
}

/* Faults pages in, so for as long as user space likes. */
static int accel_mem_user_acquire(struct accel_mem *mem, struct accel_pin_times *times,
				  bool timed)
{
	u64 start = timed ? ktime_get_ns() : 0;
	int ret;

	ret = accel_mem_charge(mem);
	if (ret)
		return ret;
	if (timed)
		times->account_ns = ktime_get_ns() - start;
	if (mem->npages == 1 && !timed)
		ret = accel_mem_pin_one(mem);
	else
		ret = accel_mem_pin_all(mem, times, timed);
	if (ret)
		accel_mem_uncharge(mem);
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
