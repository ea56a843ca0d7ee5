// SPDX-License-Identifier: GPL-2.0-only
/*
 * User memory: charged, pinned for long, gathered into a table of folios.
 *
 * The charge is to the user, against RLIMIT_MEMLOCK, and the region keeps it: it is an
 * open file's, which outlives the process that pins and goes to others. A limit that held
 * for each mm would be one more for each fork(). mm->pinned_vm is told besides, as it is
 * what people see (VmPin).
 *
 * Pages are pinned in batches of one page of pointers: 512 pages are one 2 MiB folio, whose
 * references are then taken with one atomic, and the pointers are dropped at once.
 */
#include <linux/backing-dev.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/uidgid.h>
#include <trace/events/accel.h>

#include "core.h"

/* Batches that are pinned before others may have the processor: a folio each, or 4,096 pages */
#define ACCEL_PIN_BATCHES	8

/* of a number of pages */
#define KIB(pages)		((u64)(pages) << (PAGE_SHIFT - 10))

/* Asked for in this order, as capable() is a way through all security modules. */
static bool accel_mem_is_exempt(void)
{
	return cap_raised(current_cap(), CAP_IPC_LOCK) && capable(CAP_IPC_LOCK);
}

/* Nothing is charged that would be over the limit, not even for a moment. */
static int accel_mem_charge_user(struct accel_mem *mem)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT, locked;
	struct user_struct *user = current_user();

	if (!rlimit(RLIMIT_MEMLOCK))
		return accel_context_error(mem->ctx, -EPERM,
					   "mem_pin: RLIMIT_MEMLOCK is 0; raise it (ulimit -l, LimitMEMLOCK=)");
	locked = atomic_long_read(&user->locked_vm);
	do {
		if (locked > limit || mem->npages > limit - locked)
			return accel_context_error(mem->ctx, -ENOMEM,
						   "mem_pin: %llu KiB needed, user %u has locked %llu of RLIMIT_MEMLOCK's %llu KiB; raise it (ulimit -l, LimitMEMLOCK=)",
						   KIB(mem->npages),
						   from_kuid(&init_user_ns, user->uid),
						   KIB(locked), KIB(limit));
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &locked, locked + mem->npages));
	mem->user.user = get_uid(user);
	return 0;
}

static int accel_mem_charge(struct accel_mem *mem)
{
	int ret;

	if (!accel_mem_is_exempt()) {
		ret = accel_mem_charge_user(mem);
		if (ret)
			return ret;
	}
	atomic64_add(mem->npages, &current->mm->pinned_vm);
	mmgrab(current->mm);
	mem->user.mm = current->mm;
	return 0;
}

static void accel_mem_uncharge(struct accel_mem *mem)
{
	struct user_struct *user = mem->user.user;

	if (!mem->user.mm)
		return;
	if (user) {
		atomic_long_sub(mem->npages, &user->locked_vm);
		free_uid(user);
		mem->user.user = NULL;
	}
	atomic64_sub(mem->npages, &mem->user.mm->pinned_vm);
	mmdrop(mem->user.mm);
	mem->user.mm = NULL;
}

/* Of other memory it may turn out that it is not pinned: then nothing has been done to it. */
static bool accel_mem_may_fault_in(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) && (vma->vm_flags & (VM_WRITE | VM_SHADOW_STACK)) == VM_WRITE;
}

/*
 * Fault in pages that are to be written, without looking for each in the page table before
 * and after, as pin_user_pages_fast() does. As there, they are to be of memory that may stay
 * pinned. Says how many, from the first on, should be there now.
 */
static long accel_mem_fault_in(unsigned long addr, long want)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool unlocked = false;
	unsigned int flags;
	long done = 0;

	if (mmap_read_lock_killable(mm))
		return 0;
	flags = memalloc_pin_save();
	vma = vma_lookup(mm, addr);
	if (vma && accel_mem_may_fault_in(vma)) {
		want = min_t(unsigned long, want, (vma->vm_end - addr) >> PAGE_SHIFT);
		/* when it has been unlocked in between, the vma may be another one */
		while (done < want && !unlocked &&
		       !fixup_user_fault(mm, addr + (done << PAGE_SHIFT), FAULT_FLAG_WRITE,
					 &unlocked))
			done++;
	}
	memalloc_pin_restore(flags);
	mmap_read_unlock(mm);
	return done;
}

static u64 accel_mem_now(bool timed)
{
	return timed ? ktime_get_ns() : 0;
}

/*
 * Go on with a batch of which @got pages, or an error, were got without faulting. Where one is
 * not there, few are faulted in, so that those behind them which are there are not taken for
 * others: twice as many each time that the next one is not there, either. What does not stay
 * until it is pinned is faulted in and pinned in one.
 */
static noinline long accel_mem_pin_absent(unsigned long addr, long want, long got,
					  unsigned int gup, struct page **pages,
					  struct accel_pin_times *times, bool timed)
{
	long done = 0, few = 1, faulted = 0, here;
	u64 start, middle = accel_mem_now(timed);

	for (;;) {
		got = max(got, 0L);
		done += got;
		if (done == want)
			return done;
		if (got > faulted)
			few = 1;
		if (fatal_signal_pending(current))
			return done ?: -EINTR;
		here = min(few, want - done);
		few = 2 * here;
		if (gup & FOLL_WRITE && got >= faulted)
			faulted = accel_mem_fault_in(addr + (done << PAGE_SHIFT), here);
		else
			faulted = 0;
		got = faulted;
		if (!faulted) {
			got = pin_user_pages_fast(addr + (done << PAGE_SHIFT), here, gup,
						  pages + done);
			done += max(got, 0L);
		}
		times->fault_ns += accel_mem_now(timed) - middle;
		if (got <= 0)
			return done ?: got;
		times->faulted_pages += got;
		cond_resched();
		if (done == want)
			return done;
		start = accel_mem_now(timed);
		got = pin_user_pages_fast(addr + (done << PAGE_SHIFT), want - done,
					  gup | FOLL_NOFAULT, pages + done);
		middle = accel_mem_now(timed);
		times->pin_ns += middle - start;
	}
}

/*
 * Pin up to a batch; and if it is timed, say where the time goes. Pages that are there, as most
 * are, are pinned without faulting.
 */
static __always_inline long accel_mem_pin_batch(unsigned long addr, long want, unsigned int gup,
						struct page **pages,
						struct accel_pin_times *times, bool timed)
{
	u64 start = accel_mem_now(timed);
	long got = pin_user_pages_fast(addr, want, gup | FOLL_NOFAULT, pages);

	if (timed)
		times->pin_ns += ktime_get_ns() - start;
	if (likely(got == want))
		return got;
	return accel_mem_pin_absent(addr, want, got, gup, pages, times, timed);
}

/*
 * What is not pinned for long to be written, see writable_file_mapping_allowed() in mm/gup.c
 * and vma_needs_dirty_tracking() in mm/vma.c. To be asked of shared mappings.
 */
static bool accel_mem_is_tracked(struct vm_area_struct *vma)
{
	return (vma->vm_ops && (vma->vm_ops->page_mkwrite || vma->vm_ops->pfn_mkwrite)) ||
	       mapping_can_writeback(vma->vm_file->f_mapping);
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
	if (mem->flags & ACCEL_MEM_WRITE && vma->vm_flags & VM_SHARED &&
	    accel_mem_is_tracked(vma))
		return accel_context_error(mem->ctx, -EOPNOTSUPP,
					   "mem_pin: 0x%llx is '%pD': %s has to see each write; use a memfd",
					   addr, vma->vm_file, fs);
	return accel_context_error(mem->ctx, -EFAULT,
				   "mem_pin: 0x%llx of '%pD' cannot be faulted in: is %s full, or its file unreadable?",
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
	/* An entry has room for a page: see accel_device_register(). */
	accel_table_set_run(mem, page, 1);
	return 0;
}

/* What joins @g is pinned, also when this fails. */
static int accel_mem_pin(struct accel_mem *mem, struct accel_gather *g, struct page **pages,
			 struct accel_pin_times *times, bool timed)
{
	unsigned int gup = accel_mem_gup_flags(mem);
	unsigned long left = mem->npages, addr = mem->addr, joined;
	unsigned int batches = 0;
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
		if (!(++batches % ACCEL_PIN_BATCHES))
			cond_resched();
	}
	if (timed)
		start = ktime_get_ns();
	ret = accel_gather_end(g, mem);
	if (timed)
		times->gather_ns += ktime_get_ns() - start;
	return ret;
}

/* Of @left pages from page @at of a region on, those that are dirty, or not, like the first. */
static unsigned long accel_mem_alike(const struct accel_dirty *dirty, unsigned int *range,
				     unsigned long at, unsigned long left, bool *is_dirty)
{
	const struct accel_pages *next = &dirty->ranges[*range];

	*is_dirty = false;
	if (*range == dirty->num)
		return left;
	if (at < next->first)
		return min(left, next->first - at);
	*is_dirty = true;
	if (left < next->end - at)
		return left;
	++*range;
	return next->end - at;
}

/* Of a region that the device may have written to: some pages are dirty. */
static void accel_mem_unpin_dirty(struct accel_mem *mem)
{
	unsigned long at = 0, pfn, left, n;
	unsigned int range = 0;
	struct scatterlist *sg;
	bool dirty;

	for (sg = mem->table.sgl; sg; sg = accel_sg_next(sg)) {
		pfn = page_to_pfn(sg_page(sg));
		for (left = sg->length >> PAGE_SHIFT; left; left -= n, pfn += n, at += n) {
			n = accel_mem_alike(&mem->dirty, &range, at, left, &dirty);
			if (dirty)
				accel_unpin_dirty(pfn_to_page(pfn), n);
			else
				accel_unpin_clean(pfn_to_page(pfn), n);
		}
	}
}

/* Locks folios where they are to be dirty. */
void accel_mem_user_release(struct accel_mem *mem)
{
	if (mem->dirty.num)
		accel_mem_unpin_dirty(mem);
	else if (mem->npages == 1)
		unpin_user_page(sg_page(mem->first));
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
int accel_mem_user_acquire(struct accel_mem *mem, struct accel_pin_times *times, bool timed)
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
