// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions of memory that a device may reach: their handles, their DMA mapping,
 * who uses them, and their end.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <trace/events/accel.h>

#include "core.h"

static_assert(BITS_PER_LONG == 64, "region ids index xarrays");

static enum dma_data_direction accel_mem_dir(const struct accel_mem *mem)
{
	switch (mem->flags & (ACCEL_MEM_READ | ACCEL_MEM_WRITE)) {
	case ACCEL_MEM_READ:
		return DMA_TO_DEVICE;
	case ACCEL_MEM_WRITE:
		return DMA_FROM_DEVICE;
	default:
		return DMA_BIDIRECTIONAL;
	}
}

static struct device *accel_mem_dma_device(const struct accel_mem *mem)
{
	return mem->ctx->adev->dev.parent;
}

static void accel_mem_free(struct kref *ref)
{
	kfree(container_of(ref, struct accel_mem, ref));
}

static bool accel_mem_needs_sync(struct accel_mem *mem)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(&mem->sgt, sg, i)
		if (dma_need_sync(accel_mem_dma_device(mem), sg_dma_address(sg)))
			return true;
	return false;
}

/* Gated by the caller's call. */
static int accel_mem_map(struct accel_mem *mem)
{
	struct accel_call call = {
		.ctx = mem->ctx,
		.op = ACCEL_OP_DMA_MAP,
		.u.mem.mem = mem,
	};
	int ret;

	ret = accel_call_begin(&call);
	if (!ret)
		/* Each job makes coherent what it uses, see accel_mem_sync(). */
		ret = dma_map_sgtable(accel_mem_dma_device(mem), &mem->sgt,
				      accel_mem_dir(mem), DMA_ATTR_SKIP_CPU_SYNC);
	if (!ret) {
		mem->mapped = true;
		mem->needs_sync = accel_mem_needs_sync(mem);
		mem->nsegs = mem->sgt.nents;
		atomic64_add(mem->length, &mem->ctx->mapped_bytes);
		atomic64_add(mem->length, &mem->ctx->adev->mapped_bytes);
	}
	return accel_call_end(&call, ret);
}

static void accel_mem_unmap(struct accel_mem *mem)
{
	struct accel_call call = {
		.ctx = mem->ctx,
		.op = ACCEL_OP_DMA_UNMAP,
		.u.mem.mem = mem,
	};

	accel_call_begin(&call);
	/*
	 * Each job has synced what it wrote. To sync again would copy a bounce
	 * buffer's old contents over what the processor has written since.
	 */
	dma_unmap_sgtable(accel_mem_dma_device(mem), &mem->sgt, accel_mem_dir(mem),
			  DMA_ATTR_SKIP_CPU_SYNC);
	mem->mapped = false;
	atomic64_sub(mem->length, &mem->ctx->mapped_bytes);
	atomic64_sub(mem->length, &mem->ctx->adev->mapped_bytes);
	accel_call_end(&call, 0);
}

/* ctx->lock is held and the device is still there: unmap, unpin, forget. */
static void accel_mem_release(struct accel_mem *mem)
{
	struct accel_call call = {
		.ctx = mem->ctx,
		.op = ACCEL_OP_MEM_UNPIN,
		.u.mem = { .mem = mem, .dirty = mem->dirty },
	};

	accel_call_begin(&call);
	xa_erase(&mem->ctx->mems, mem->id);
	accel_mem_unmap(mem);
	accel_mem_user_unpin(mem);
	atomic64_sub(mem->length, &mem->ctx->pinned_bytes);
	atomic64_sub(mem->length, &mem->ctx->adev->pinned_bytes);
	accel_call_end(&call, 0);
	kref_put(&mem->ref, accel_mem_free);
}

/**
 * accel_mem_release_all - unmap and unpin all regions of a context
 * @ctx: a context without jobs; ctx->lock is held
 *
 * Context: process, may sleep.
 */
void accel_mem_release_all(struct accel_context *ctx)
{
	struct accel_mem *mem;
	unsigned long id;

	xa_for_each(&ctx->mems, id, mem)
		accel_mem_release(mem);
}

static int accel_mem_check(const struct accel_mem_pin *arg)
{
	if (arg->reserved || !arg->flags ||
	    arg->flags & ~(ACCEL_MEM_READ | ACCEL_MEM_WRITE))
		return -EINVAL;
	if (!arg->length || !PAGE_ALIGNED(arg->addr) || !PAGE_ALIGNED(arg->length))
		return -EINVAL;
	if (!access_ok((void __user *)(uintptr_t)arg->addr, arg->length))
		return -EFAULT;
	return 0;
}

/* Inside the gate: map, and make the handle valid. */
static int accel_mem_publish(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	int ret;

	ret = accel_mem_map(mem);
	if (ret)
		return ret;
	atomic64_add(mem->length, &ctx->pinned_bytes);
	atomic64_add(mem->length, &ctx->adev->pinned_bytes);
	ret = xa_insert(&ctx->mems, mem->id, mem, GFP_KERNEL_ACCOUNT);
	if (ret) {
		atomic64_sub(mem->length, &ctx->pinned_bytes);
		atomic64_sub(mem->length, &ctx->adev->pinned_bytes);
		accel_mem_unmap(mem);
	}
	return ret;
}

/**
 * accel_ioctl_mem_pin - handler of %ACCEL_IOCTL_MEM_PIN
 * @ctx: the context
 * @arg: struct accel_mem_pin
 *
 * Pinning faults pages in, which user space can prolong for ever (userfaultfd, a
 * file system of its own), so the gate is entered only afterwards.
 *
 * Context: process, may sleep, not gated.
 * Return: 0 or a negative errno, see struct accel_mem_pin.
 */
long accel_ioctl_mem_pin(struct accel_context *ctx, void *arg)
{
	struct accel_mem_pin *pin = arg;
	struct accel_pin_times times = {};
	struct accel_call call = { .ctx = ctx, .op = ACCEL_OP_MEM_PIN };
	struct accel_mem *mem;
	int ret;

	mem = kzalloc(sizeof(*mem), GFP_KERNEL_ACCOUNT);
	if (!mem)
		return -ENOMEM;
	kref_init(&mem->ref);
	mem->ctx = ctx;
	mem->id = accel_id_next();
	mem->addr = pin->addr;
	mem->length = pin->length;
	mem->npages = pin->length >> PAGE_SHIFT;
	mem->flags = pin->flags;
	call.u.mem.mem = mem;
	call.u.mem.times = &times;

	ret = accel_call_begin(&call);
	if (!ret)
		ret = accel_mem_check(pin);
	if (!ret)
		ret = accel_mem_user_pin(mem, &times, call.start_ns);
	if (!ret) {
		ret = accel_call_enter(&call);
		if (!ret) {
			/* The user may unpin a guessed id as soon as it is valid. */
			kref_get(&mem->ref);
			ret = accel_mem_publish(mem);
			if (ret)
				kref_put(&mem->ref, accel_mem_free);
		}
		if (ret)
			accel_mem_user_unpin(mem);
	}
	pin->mem_id = mem->id;
	accel_call_end(&call, ret);
	kref_put(&mem->ref, accel_mem_free);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_mem_pin, ACCEL_EXPORT_NS);

static bool accel_mem_idle(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	bool idle;

	xa_lock(&ctx->mems);
	idle = !mem->users;
	xa_unlock(&ctx->mems);
	return idle || READ_ONCE(ctx->dead);
}

/**
 * accel_ioctl_mem_unpin - handler of %ACCEL_IOCTL_MEM_UNPIN
 * @ctx: the context
 * @arg: struct accel_mem_unpin
 *
 * Context: process, sleeps until no job uses the region, not gated.
 * Return: 0, -ENOENT, -ENODEV; -ERESTARTSYS: a signal, the region is as before.
 */
long accel_ioctl_mem_unpin(struct accel_context *ctx, void *arg)
{
	struct accel_mem_unpin *unpin = arg;
	struct accel_mem *mem;
	int ret;

	xa_lock(&ctx->mems);
	mem = xa_load(&ctx->mems, unpin->mem_id);
	if (mem && !mem->closing) {
		mem->closing = true;
		kref_get(&mem->ref);
	} else {
		mem = NULL;
	}
	xa_unlock(&ctx->mems);
	if (!mem)
		return -ENOENT;

	ret = wait_event_interruptible(ctx->mem_wq, accel_mem_idle(mem));
	mutex_lock(&ctx->lock);
	if (ctx->dead) {
		ret = -ENODEV;
	} else if (ret) {
		xa_lock(&ctx->mems);
		mem->closing = false;
		xa_unlock(&ctx->mems);
	} else {
		accel_mem_release(mem);
	}
	mutex_unlock(&ctx->lock);
	kref_put(&mem->ref, accel_mem_free);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_mem_unpin, ACCEL_EXPORT_NS);

/**
 * accel_mem_use - find a region by its handle, for a job
 * @ctx: the context that owns it
 * @id: the handle
 * @access: %ACCEL_MEM_READ, %ACCEL_MEM_WRITE or both: what the job will do
 * @offset: first byte
 * @length: bytes
 *
 * Return: the region, until accel_mem_unuse(); ERR_PTR -ENOENT, -EACCES, -ERANGE.
 */
struct accel_mem *accel_mem_use(struct accel_context *ctx, u64 id, u32 access,
				u64 offset, u64 length)
{
	struct accel_mem *mem;

	xa_lock(&ctx->mems);
	mem = xa_load(&ctx->mems, id);
	if (!mem || mem->closing)
		mem = ERR_PTR(-ENOENT);
	else if (access & ~mem->flags)
		mem = ERR_PTR(-EACCES);
	else if (offset > mem->length || length > mem->length - offset)
		mem = ERR_PTR(-ERANGE);
	else
		mem->users++;
	xa_unlock(&ctx->mems);
	return mem;
}

/**
 * accel_mem_unuse - a job no longer uses a region
 * @mem: the region
 * @written: the device may have written to it
 *
 * Context: process.
 */
void accel_mem_unuse(struct accel_mem *mem, bool written)
{
	struct accel_context *ctx = mem->ctx;

	xa_lock(&ctx->mems);
	mem->dirty |= written;
	/* Under the lock: whoever sees no users may free the region at once. */
	if (!--mem->users)
		wake_up_all(&ctx->mem_wq);
	xa_unlock(&ctx->mems);
}

/**
 * accel_mem_sync - make a range of a region what the device, or the processor, sees
 * @mem: the region
 * @offset: first byte
 * @length: bytes
 * @for_device: before the device's access, else after it
 *
 * Nothing on coherent hardware; copies where DMA is bounced.
 *
 * Context: any.
 */
void accel_mem_sync(struct accel_mem *mem, u64 offset, u64 length, bool for_device)
{
	struct device *dev = accel_mem_dma_device(mem);
	enum dma_data_direction dir = accel_mem_dir(mem);
	struct scatterlist *sg;
	unsigned int i;

	if (!mem->needs_sync)
		return;
	for_each_sgtable_dma_sg(&mem->sgt, sg, i) {
		u64 here = sg_dma_len(sg), n;

		if (offset >= here) {
			offset -= here;
			continue;
		}
		if (!length)
			break;
		n = min(length, here - offset);
		if (for_device)
			dma_sync_single_range_for_device(dev, sg_dma_address(sg), offset, n, dir);
		else
			dma_sync_single_range_for_cpu(dev, sg_dma_address(sg), offset, n, dir);
		length -= n;
		offset = 0;
	}
}

/**
 * accel_mem_dma_addr - where the device finds a byte of a region
 * @mem: a region that a job uses
 * @offset: of the byte
 * @addr: the bus address
 * @len: bytes that follow it without a gap, at least 1
 *
 * Context: any.
 * Return: 0, or -ERANGE.
 */
int accel_mem_dma_addr(struct accel_mem *mem, u64 offset, dma_addr_t *addr, size_t *len)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(&mem->sgt, sg, i) {
		if (offset < sg_dma_len(sg)) {
			*addr = sg_dma_address(sg) + offset;
			*len = sg_dma_len(sg) - offset;
			return 0;
		}
		offset -= sg_dma_len(sg);
	}
	return -ERANGE;
}
EXPORT_SYMBOL_NS_GPL(accel_mem_dma_addr, ACCEL_EXPORT_NS);
