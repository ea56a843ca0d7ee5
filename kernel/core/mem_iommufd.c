// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions that are named by an IOVA: iommufd knows their pages, pins them and accounts
 * for them; the device reaches them through the DMA API and a page table of its own.
 *
 * IOMMU_IOAS_UNMAP takes a region away at any time, also one that is being pinned: it
 * calls accel_iommufd_unmap(), and when that returns the device must not reach the
 * region, nor may it be pinned. So each region is in its binding's list before iommufd
 * is asked to pin it, and stays there until iommufd has it back.
 *
 * iommufd takes locks under which it faults pages in, and user space may prolong that
 * for ever. All calls into it are therefore made where neither a lock of ours nor the
 * gate is held: what ends a region first takes it from the device (release) and then,
 * whoever it is, gives it back to iommufd (finish).
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/ktime.h>
#include <trace/events/accel.h>

#include "iommufd.h"

#if IS_ENABLED(CONFIG_IOMMUFD)

/* of a number of pages */
#define KIB(pages)		((u64)(pages) << (PAGE_SHIFT - 10))

/*
 * iommufd's errnos in the terms of struct accel_mem_pin, and in words. Which page of the
 * batch it was, and what the user has locked, iommufd does not say.
 */
static int accel_iommufd_explain(struct accel_mem *mem, u64 iova, u64 end, int error)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	bool write = mem->flags & ACCEL_MEM_WRITE;
	struct accel_context *ctx = mem->ctx;

	switch (error) {
	case -EPERM:
		return accel_context_error(ctx, -EACCES,
					   "mem_pin: IOVA 0x%llx to 0x%llx is not mapped in the IOAS for the device to %s",
					   iova, end, write ? "write" : "read");
	case -ENOENT:
		return accel_context_error(ctx, error,
					   "mem_pin: not all of IOVA 0x%llx to 0x%llx is mapped in the IOAS",
					   iova, end);
	case -EFAULT:
		return accel_context_error(ctx, error,
					   "mem_pin: the memory that IOVA 0x%llx to 0x%llx was mapped to is not all there, or may not be written",
					   iova, end);
	case -ENOMEM:
		return accel_context_error(ctx, error,
					   "mem_pin: %llu KiB needed, which may be over RLIMIT_MEMLOCK's %llu KiB, counted by iommufd for the user; raise it (ulimit -l, LimitMEMLOCK=)",
					   KIB(mem->npages), KIB(limit));
	default:
		return error;
	}
}

static int accel_iommufd_pin(struct accel_mem *mem, struct accel_gather *g, struct page **pages,
			     struct accel_pin_times *times, bool timed)
{
	unsigned int flags = mem->flags & ACCEL_MEM_WRITE ? IOMMUFD_ACCESS_RW_WRITE : 0;
	struct iommufd_access *access = mem->iommufd.bind->access;
	unsigned long left = mem->npages, n;
	u64 start = 0, middle = 0, iova;
	int ret;

	while (left) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!accel_gate_is_open(mem->ctx->adev))
			return -ENODEV;
		if (READ_ONCE(mem->revoked))
			return -EAGAIN;
		n = min(left, ACCEL_PIN_BATCH);
		if (timed)
			start = ktime_get_ns();
		iova = mem->addr + mem->iommufd.pinned * PAGE_SIZE;
		ret = iommufd_access_pin_pages(access, iova, n * PAGE_SIZE, pages, flags);
		/* All of it is aligned. So EINVAL means that it is being unmapped. */
		if (ret == -EINVAL)
			ret = -EAGAIN;
		if (ret)
			return accel_iommufd_explain(mem, iova, iova + n * PAGE_SIZE, ret);
		mem->iommufd.pinned += n;
		left -= n;
		if (timed)
			middle = ktime_get_ns();
		ret = accel_gather_add(g, pages, n);
		if (!ret && !left)
			ret = accel_gather_end(g, mem);
		if (timed) {
			times->pin_ns += middle - start;
			times->gather_ns += ktime_get_ns() - middle;
		}
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

/* iommufd wants to have back what it was asked for, batch by batch. */
static void accel_iommufd_unpin(struct accel_mem *mem)
{
	unsigned long left = mem->iommufd.pinned, iova = mem->addr, n;

	for (; left; left -= n, iova += n * PAGE_SIZE) {
		n = min(left, ACCEL_PIN_BATCH);
		iommufd_access_unpin_pages(mem->iommufd.bind->access, iova, n * PAGE_SIZE);
		cond_resched();
	}
	mem->iommufd.pinned = 0;
}

static void accel_mem_iommufd_release(struct accel_mem *mem)
{
	struct accel_iommufd *bind = mem->iommufd.bind;

	spin_lock(&bind->lock);
	mem->iommufd.state = ACCEL_PIN_RELEASED;
	wake_up_all(&bind->wq);
	spin_unlock(&bind->lock);
}

static void accel_mem_iommufd_finish(struct accel_mem *mem)
{
	struct accel_iommufd *bind = mem->iommufd.bind;
	bool mine;

	/* never recorded */
	if (!bind)
		return;
	spin_lock(&bind->lock);
	mine = mem->iommufd.state == ACCEL_PIN_RELEASED;
	if (mine)
		mem->iommufd.state = ACCEL_PIN_UNPINNING;
	spin_unlock(&bind->lock);
	if (!mine)
		return;
	accel_table_free(mem);
	accel_iommufd_unpin(mem);
	spin_lock(&bind->lock);
	mem->iommufd.state = ACCEL_PIN_NONE;
	list_del(&mem->iommufd.link);
	wake_up_all(&bind->wq);
	spin_unlock(&bind->lock);
	accel_mem_put(mem);
}

/* Faults pages in, so for as long as user space likes. */
static int accel_mem_iommufd_acquire(struct accel_mem *mem, struct accel_pin_times *times,
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
	ret = accel_iommufd_record(mem);
	if (!ret)
		ret = accel_iommufd_pin(mem, &gather, pages, times, timed);
	if (pages != few)
		accel_pin_batch_put(pages);
	if (ret && mem->iommufd.bind) {
		accel_gather_free(&gather);
		accel_mem_iommufd_release(mem);
		accel_mem_iommufd_finish(mem);
	}
	return ret;
}

const struct accel_mem_ops accel_mem_iommufd_ops = {
	.way = ACCEL_MEM_WAY_IOMMUFD,
	.name = "iommufd",
	.pins = true,
	.early = true,
	.acquire = accel_mem_iommufd_acquire,
	.map = accel_mem_dma_map,
	.unmap = accel_mem_dma_unmap,
	.release = accel_mem_iommufd_release,
	.finish = accel_mem_iommufd_finish,
	.forget = accel_mem_iommufd_forget,
};

static bool accel_iommufd_has(struct accel_iommufd *bind, const struct accel_mem *mem)
{
	bool has;

	spin_lock(&bind->lock);
	has = mem->iommufd.state != ACCEL_PIN_NONE;
	spin_unlock(&bind->lock);
	return has;
}

/* The first region that has a byte of the range, with a reference; bind->lock is held. */
static struct accel_mem *accel_iommufd_find(struct accel_iommufd *bind, u64 first, u64 last)
{
	struct accel_mem *mem;

	list_for_each_entry(mem, &bind->pins, iommufd.link)
		if (mem->addr <= last && mem->addr + mem->length - 1 >= first) {
			kref_get(&mem->ref);
			return mem;
		}
	return NULL;
}

/*
 * iommufd's callback: take the range away from the device and give it back. Nothing of
 * iommufd's is locked. It may be made by several tasks at a time, for the same range.
 */
static void accel_iommufd_unmap(void *data, unsigned long iova, unsigned long length)
{
	unsigned long last = length > ULONG_MAX - iova ? ULONG_MAX : iova + length - 1;
	struct accel_iommufd *bind = data;
	struct accel_mem *mem;

	spin_lock(&bind->lock);
	bind->unmaps++;
	while ((mem = accel_iommufd_find(bind, iova, last))) {
		spin_unlock(&bind->lock);
		accel_mem_revoke(mem, -EFAULT);
		accel_mem_iommufd_finish(mem);
		/* or whoever pins it, or is giving it back, does */
		wait_event(bind->wq, !accel_iommufd_has(bind, mem));
		accel_mem_put(mem);
		spin_lock(&bind->lock);
	}
	if (!--bind->unmaps)
		wake_up_all(&bind->wq);
	spin_unlock(&bind->lock);
}

const struct iommufd_access_ops accel_iommufd_access_ops = {
	.needs_pin_pages = 1,
	.unmap = accel_iommufd_unmap,
};

/* bind->lock is held. */
static struct accel_mem *accel_iommufd_next(struct accel_iommufd *bind,
					    enum accel_pin_state state)
{
	struct accel_mem *mem;

	list_for_each_entry(mem, &bind->pins, iommufd.link)
		if (mem->iommufd.state == state)
			return mem;
	return NULL;
}

static bool accel_iommufd_any(struct accel_iommufd *bind, enum accel_pin_state state)
{
	bool any;

	spin_lock(&bind->lock);
	any = accel_iommufd_next(bind, state);
	spin_unlock(&bind->lock);
	return any;
}

static bool accel_iommufd_quiet(struct accel_iommufd *bind)
{
	bool quiet;

	spin_lock(&bind->lock);
	quiet = list_empty(&bind->pins) && !bind->unmaps;
	spin_unlock(&bind->lock);
	return quiet;
}

/**
 * accel_iommufd_drop_pins - give all regions back to iommufd
 * @bind: a binding that its context has let go of, so that no region joins it
 *
 * First it waits, idle, for who is pinning: iommufd holds the locks that everybody else
 * would wait for.
 *
 * Context: process; sleeps for as long as user space can prolong a page fault.
 */
void accel_iommufd_drop_pins(struct accel_iommufd *bind)
{
	struct accel_mem *mem;

	wait_event_idle(bind->wq, !accel_iommufd_any(bind, ACCEL_PIN_TAKEN));
	spin_lock(&bind->lock);
	while ((mem = accel_iommufd_next(bind, ACCEL_PIN_RELEASED))) {
		kref_get(&mem->ref);
		spin_unlock(&bind->lock);
		accel_mem_iommufd_finish(mem);
		accel_mem_put(mem);
		spin_lock(&bind->lock);
	}
	spin_unlock(&bind->lock);
	wait_event_idle(bind->wq, accel_iommufd_quiet(bind));
}

#endif /* CONFIG_IOMMUFD */
