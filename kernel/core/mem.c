// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions of memory that a device may reach: their handles, their mapping, and their end. How
 * they are obtained is a file for each way (struct accel_mem_ops); who finds and uses them is
 * in mem_use.c.
 */
#include <linux/indirect_call_wrapper.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <trace/events/accel.h>

#include "gate.h"
#include "policy.h"

/*
 * Of a type for ever: a BPF program that walks a context's regions may look at one that
 * is freed. It finds a region there, though maybe of somebody else. With a constructor,
 * so that init_on_alloc does not clear what accel_mem_alloc() sets, and what is written
 * before it is read.
 */
static struct kmem_cache *accel_mem_cache;

const char *accel_trace_way(const struct accel_mem *mem)
{
	return mem->ops->name;
}

static void accel_mem_free(struct kref *ref)
{
	struct accel_mem *mem = container_of(ref, struct accel_mem, ref);

	if (mem->ops->forget)
		mem->ops->forget(mem);
	kmem_cache_free(accel_mem_cache, mem);
}

/*
 * The same, while the context is known to stay: its next region need not be allocated. With
 * KASAN, too: it lets the memory of a cache that is of a type for ever be used after its end.
 */
static __always_inline void accel_mem_keep(struct kref *ref)
{
	struct accel_mem *mem = container_of(ref, struct accel_mem, ref);

	if (mem->ops->forget)
		mem->ops->forget(mem);
	if (cmpxchg(&mem->ctx->spare_mem, NULL, mem))
		kmem_cache_free(accel_mem_cache, mem);
}

/**
 * accel_mem_free_spare - what a context has kept for its next region
 * @ctx: a context that nobody uses
 */
void accel_mem_free_spare(struct accel_context *ctx)
{
	if (ctx->spare_mem)
		kmem_cache_free(accel_mem_cache, ctx->spare_mem);
}

/* Context: any. */
void accel_mem_put(struct accel_mem *mem)
{
	kref_put(&mem->ref, accel_mem_free);
}

static __always_inline struct accel_mem *__accel_mem_alloc(struct accel_context *ctx,
							   const struct accel_mem_ops *ops)
{
	struct accel_mem *mem = NULL;

	if (READ_ONCE(ctx->spare_mem))
		mem = xchg(&ctx->spare_mem, NULL);
	if (!mem)
		mem = kmem_cache_alloc(accel_mem_cache, GFP_KERNEL_ACCOUNT);
	if (!mem)
		return NULL;
	memset(mem, 0, offsetof(struct accel_mem, first));
	kref_init(&mem->ref);
	mem->ctx = ctx;
	mem->ops = ops;
	mem->way = ops->way;
	mem->id = accel_id_next();
	mem->dirty.num = 0;
	RB_CLEAR_NODE(&mem->node);
	return mem;
}

/**
 * accel_mem_alloc - a region that is nothing yet
 * @ctx: the context that is to own it
 * @ops: the way to obtain it
 *
 * The caller sets addr, length, npages and flags, and what is @ops' own.
 *
 * Context: process, may sleep.
 * Return: the region, for accel_mem_create() or accel_mem_put(); NULL: no memory.
 */
struct accel_mem *accel_mem_alloc(struct accel_context *ctx, const struct accel_mem_ops *ops)
{
	return __accel_mem_alloc(ctx, ops);
}

/*
 * What is done to each region asks first whether it is user memory, as nearly all are: where
 * the kernel has retpolines, an indirect call costs more than what it calls. Only with them:
 * else these are plain indirect calls.
 */
static __always_inline int accel_mem_ops_acquire(struct accel_mem *mem,
						 struct accel_pin_times *times, bool timed)
{
	return INDIRECT_CALL_1(mem->ops->acquire, accel_mem_user_acquire, mem, times, timed);
}

static __always_inline int accel_mem_ops_map(struct accel_mem *mem)
{
	return INDIRECT_CALL_1(mem->ops->map, accel_mem_dma_map, mem);
}

static __always_inline void accel_mem_ops_unmap(struct accel_mem *mem)
{
	INDIRECT_CALL_1(mem->ops->unmap, accel_mem_dma_unmap, mem);
}

static __always_inline void accel_mem_ops_release(struct accel_mem *mem)
{
	INDIRECT_CALL_1(mem->ops->release, accel_mem_user_release, mem);
}

static __always_inline int __accel_mem_map(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	struct accel_device *adev = ctx->adev;
	struct accel_call call __uninitialized;
	int ret;

	ret = accel_mem_begin(&call, ACCEL_OP_DMA_MAP, mem);
	if (!ret)
		ret = accel_policy_dma_map(mem);
	if (!ret)
		ret = accel_mem_ops_map(mem);
	call.u.mem.iommu_ns = call.start_ns ? ktime_get_ns() - call.start_ns : 0;
	if (call.start_ns && !mem->nfolios)
		mem->nfolios = accel_table_folios(mem);
	if (!ret && adev->drv->mem_map) {
		ret = adev->drv->mem_map(mem);
		if (ret)
			accel_mem_ops_unmap(mem);
	}
	if (likely(!ret)) {
		atomic64_add(mem->length, &ctx->mapped_bytes);
		atomic64_add(mem->length, &adev->mapped_bytes);
	}
	accel_mem_end(&call, ACCEL_OP_DMA_MAP, mem, ret);
	return ret;
}

/**
 * accel_mem_map - make a region reachable, for the DMA and in the device's own table
 * @mem: the region
 *
 * Context: process, gated, and with what else the way's @map asks for.
 * Return: 0 or a negative errno.
 */
int accel_mem_map(struct accel_mem *mem)
{
	return __accel_mem_map(mem);
}

static __always_inline void __accel_mem_unmap(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	struct accel_device *adev = ctx->adev;
	/* called in any case: hardware that cannot be resumed reaches nothing */
	bool powered = adev->drv->mem_unmap && !accel_power_get(adev);
	struct accel_call call __uninitialized;
	u64 start = 0;

	accel_mem_begin(&call, ACCEL_OP_DMA_UNMAP, mem);
	if (adev->drv->mem_unmap)
		adev->drv->mem_unmap(mem);
	if (powered)
		accel_power_put(adev);
	if (call.start_ns)
		start = ktime_get_ns();
	accel_mem_ops_unmap(mem);
	call.u.mem.iommu_ns = start ? ktime_get_ns() - start : 0;
	atomic64_sub(mem->length, &ctx->mapped_bytes);
	atomic64_sub(mem->length, &adev->mapped_bytes);
	accel_mem_end(&call, ACCEL_OP_DMA_UNMAP, mem, 0);
}

/**
 * accel_mem_unmap - undo accel_mem_map()
 * @mem: the region; no job uses it
 *
 * Context: process, the device is still there; likewise.
 */
void accel_mem_unmap(struct accel_mem *mem)
{
	__accel_mem_unmap(mem);
}

static __always_inline int accel_mem_attach(struct accel_mem *mem)
{
	return mem->ops->attach ? mem->ops->attach(mem) : __accel_mem_map(mem);
}

static __always_inline void accel_mem_detach(struct accel_mem *mem)
{
	if (mem->ops->detach)
		mem->ops->detach(mem);
	else
		__accel_mem_unmap(mem);
}

static __always_inline void accel_mem_count_pins(struct accel_mem *mem, s64 bytes)
{
	if (!mem->ops->pins)
		return;
	atomic64_add(bytes, &mem->ctx->pinned_bytes);
	atomic64_add(bytes, &mem->ctx->adev->pinned_bytes);
}

/* What could not be done while a lock was held, or inside the gate. */
static void accel_mem_finish(struct accel_mem *mem)
{
	if (mem->ops->finish)
		mem->ops->finish(mem);
}

/* ctx->mem_lock is held. In a way that accel_mem_next_rcu() may read at the same time. */
static void accel_mem_insert(struct accel_mem *mem)
{
	struct rb_node **link = &mem->ctx->mems.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = mem->id < rb_entry(parent, struct accel_mem, node)->id ?
			&parent->rb_left : &parent->rb_right;
	}
	raw_write_seqcount_begin(&mem->ctx->mem_seq);
	rb_link_node_rcu(&mem->node, parent, link);
	rb_insert_color(&mem->node, &mem->ctx->mems);
	raw_write_seqcount_end(&mem->ctx->mem_seq);
}

/* ctx->lock and ctx->mem_lock are held. */
static __always_inline void accel_mem_forget(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;

	raw_write_seqcount_begin(&ctx->mem_seq);
	rb_erase(&mem->node, &ctx->mems);
	raw_write_seqcount_end(&ctx->mem_seq);
	RB_CLEAR_NODE(&mem->node);
	ctx->num_mems--;
}

/* ctx->lock is held and the device is still there: unmap and unpin what is forgotten. */
static __always_inline void accel_mem_release_forgotten(struct accel_mem *mem)
{
	struct accel_call call __uninitialized;

	accel_mem_begin(&call, ACCEL_OP_MEM_UNPIN, mem);
	if (mem->dmabuf)
		accel_export_revoke(mem);
	call.u.mem.dirty = mem->dirty.num;
	accel_mem_detach(mem);
	accel_mem_ops_release(mem);
	accel_mem_count_pins(mem, -mem->length);
	accel_policy_mem_unpin(mem);
	accel_mem_end(&call, ACCEL_OP_MEM_UNPIN, mem, 0);
}

/* Likewise: forget, unmap, unpin. */
static noinline void accel_mem_release(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;

	spin_lock(&ctx->mem_lock);
	accel_mem_forget(mem);
	spin_unlock(&ctx->mem_lock);
	accel_mem_release_forgotten(mem);
	accel_mem_put(mem);
}

/**
 * accel_mem_release_all - unmap and unpin all regions of a context
 * @ctx: a context without jobs; ctx->lock is held
 *
 * Context: process, may sleep.
 */
void accel_mem_release_all(struct accel_context *ctx)
{
	struct rb_node *node;

	/* Nothing is added any more, and ctx->lock is what takes away. */
	while ((node = rb_first(&ctx->mems)))
		accel_mem_release(rb_entry(node, struct accel_mem, node));
}

/* From here on accel_mem_revoke() waits, until the region is valid or unmapped again. */
static int accel_mem_begin_mapping(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	int ret = 0;

	/* Nobody can: nobody else knows it. */
	if (!mem->ops->early)
		return 0;
	spin_lock(&ctx->mem_lock);
	if (mem->revoked)
		ret = -EAGAIN;
	else
		mem->mapping = true;
	spin_unlock(&ctx->mem_lock);
	return ret;
}

static void accel_mem_end_mapping(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;

	spin_lock(&ctx->mem_lock);
	mem->mapping = false;
	wake_up_all(&ctx->mem_wq);
	spin_unlock(&ctx->mem_lock);
}

/* The handle names the region from here on, unless it was revoked meanwhile. */
static __always_inline int accel_mem_make_valid(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	int ret = 0;

	spin_lock(&ctx->mem_lock);
	if (mem->revoked) {
		ret = -EAGAIN;
	} else {
		/* Nobody who revokes waits: they would have been before us. */
		mem->mapping = false;
		/* The user may unpin a guessed id as soon as it is valid. */
		kref_get(&mem->ref);
		accel_mem_count_pins(mem, mem->length);
		accel_mem_insert(mem);
		ctx->num_mems++;
	}
	spin_unlock(&ctx->mem_lock);
	return ret;
}

/* Inside the gate: map, and make the handle valid. */
static __always_inline int accel_mem_publish(struct accel_mem *mem)
{
	int ret;

	ret = accel_mem_begin_mapping(mem);
	if (ret)
		return ret;
	ret = accel_mem_attach(mem);
	if (!ret) {
		ret = accel_mem_make_valid(mem);
		if (!ret)
			return 0;
		accel_mem_detach(mem);
	}
	accel_mem_end_mapping(mem);
	return ret;
}

/**
 * accel_mem_create - obtain a region and make its handle valid
 * @mem: from accel_mem_alloc(), filled in; the caller's reference is consumed
 * @ret: 0, or what is wrong with the caller's arguments: that is traced, too
 * @id: the handle
 *
 * What obtains it may fault pages in, which user space can prolong for ever
 * (userfaultfd, a file system of its own), so the gate is entered only afterwards.
 *
 * Context: process, may sleep, not gated.
 * Return: 0 or a negative errno.
 */
int accel_mem_create(struct accel_mem *mem, int ret, u64 *id)
{
	struct accel_context *ctx = mem->ctx;
	struct accel_device *adev = ctx->adev;
	struct accel_pin_times times = {};
	struct accel_call call __uninitialized;

	call.u.mem.times = &times;
	call.held = false;
	ret = accel_mem_begin(&call, ACCEL_OP_MEM_PIN, mem) ?: ret;
	if (!ret)
		ret = accel_policy_mem_pin(mem);
	if (!ret)
		ret = accel_mem_ops_acquire(mem, &times, call.start_ns);
	if (!ret) {
		if (call.start_ns)
			mem->nfolios = accel_table_folios(mem);
		ret = __accel_enter(ACCEL_OP_MEM_PIN, ctx, adev);
		call.held = !ret;
		if (!ret)
			ret = accel_mem_publish(mem);
		if (ret)
			accel_mem_ops_release(mem);
	}
	*id = mem->id;
	accel_mem_end(&call, ACCEL_OP_MEM_PIN, mem, ret);
	if (call.held)
		__accel_leave(ACCEL_OP_MEM_PIN, ctx, adev);
	if (ret) {
		accel_policy_mem_failed(mem);
		accel_mem_finish(mem);
	}
	accel_mem_put(mem);
	return ret;
}

static int accel_mem_check(const struct accel_mem_pin *arg)
{
	u64 last;

	if (arg->reserved || !(arg->flags & (ACCEL_MEM_READ | ACCEL_MEM_WRITE)) ||
	    arg->flags & ~(ACCEL_MEM_READ | ACCEL_MEM_WRITE | ACCEL_MEM_IOVA))
		return -EINVAL;
	if (!arg->length || !PAGE_ALIGNED(arg->addr) || !PAGE_ALIGNED(arg->length))
		return -EINVAL;
	if (arg->flags & ACCEL_MEM_IOVA)
		return check_add_overflow(arg->addr, arg->length - 1, &last) ? -EINVAL : 0;
	if (!access_ok((void __user *)(uintptr_t)arg->addr, arg->length))
		return -EFAULT;
	return 0;
}

/**
 * accel_ioctl_mem_pin - handler of %ACCEL_IOCTL_MEM_PIN
 * @ctx: the context
 * @arg: struct accel_mem_pin
 *
 * Context: process, may sleep, not gated.
 * Return: 0 or a negative errno, see struct accel_mem_pin.
 */
long accel_ioctl_mem_pin(struct accel_context *ctx, void *arg)
{
	const struct accel_mem_ops *ops = &accel_mem_user_ops;
	struct accel_mem_pin *pin = arg;
	struct accel_mem *mem;

	if (pin->flags & ACCEL_MEM_IOVA)
		ops = accel_iommufd_mem_ops(ctx);
	if (!ops)
		return accel_iommufd_unsupported(ctx);
	mem = __accel_mem_alloc(ctx, ops);
	if (!mem)
		return -ENOMEM;
	mem->addr = pin->addr;
	mem->length = pin->length;
	mem->npages = pin->length >> PAGE_SHIFT;
	mem->flags = pin->flags & ~ACCEL_MEM_IOVA;
	return accel_mem_create(mem, accel_mem_check(pin), &pin->mem_id);
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_mem_pin, ACCEL_EXPORT_NS);

static bool accel_mem_idle(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	bool idle;

	spin_lock(&ctx->mem_lock);
	idle = !mem->users && !mem->mapping;
	spin_unlock(&ctx->mem_lock);
	return idle;
}

/* ctx->lock is held, so nobody else takes it away: unless somebody has, or it never was. */
static void accel_mem_release_once(struct accel_mem *mem)
{
	if (!RB_EMPTY_NODE(&mem->node))
		accel_mem_release(mem);
}

/**
 * accel_mem_revoke - end a region although jobs use it
 * @mem: a region, also one that is still being created; the caller has a reference
 * @error: what its jobs end with
 *
 * When it returns, the device does not reach the region, its handle names nothing and
 * struct accel_mem_ops.release was called; of a region that is being created, either
 * that is so or the creation is going to fail with -EAGAIN before it is mapped.
 *
 * Context: process; sleeps until the jobs have ended, as accel_jobs_cancel(), for
 * nothing that user space can prolong. The caller holds no lock of the context's.
 */
void accel_mem_revoke(struct accel_mem *mem, int error)
{
	struct accel_context *ctx = mem->ctx;

	spin_lock(&ctx->mem_lock);
	if (!mem->revoked)
		WRITE_ONCE(mem->revoked, error);
	spin_unlock(&ctx->mem_lock);
	accel_jobs_abort(mem, error);
	wait_event(ctx->mem_wq, accel_mem_idle(mem));
	mutex_lock(&ctx->lock);
	accel_mem_release_once(mem);
	mutex_unlock(&ctx->lock);
}

/* Of a region that jobs use, or others; or of none. */
static noinline long accel_mem_unpin_used(struct accel_context *ctx, u64 id)
{
	bool exported = false;
	struct accel_mem *mem;
	int ret;

	spin_lock(&ctx->mem_lock);
	mem = accel_mem_find(ctx, id);
	if (mem) {
		mem->closing = true;
		/* From here on it has no new users, nor is it exported. */
		exported = mem->dmabuf;
		kref_get(&mem->ref);
	}
	spin_unlock(&ctx->mem_lock);
	if (!mem)
		return READ_ONCE(ctx->dead) ? -ENODEV : -ENOENT;

	ret = wait_event_interruptible(ctx->mem_wq, accel_mem_idle(mem) || READ_ONCE(ctx->dead));
	if (!ret && exported)
		ret = accel_export_settle(mem);
	mutex_lock(&ctx->lock);
	if (ctx->dead) {
		ret = -ENODEV;
	} else if (ret) {
		spin_lock(&ctx->mem_lock);
		mem->closing = false;
		spin_unlock(&ctx->mem_lock);
	} else {
		accel_mem_release_once(mem);
	}
	mutex_unlock(&ctx->lock);
	accel_mem_finish(mem);
	kref_put(&mem->ref, accel_mem_keep);
	return ret;
}

/* ctx->lock is held. A region for which nothing is to be waited, forgotten; NULL: another one. */
static __always_inline struct accel_mem *accel_mem_take_unused(struct accel_context *ctx, u64 id)
{
	struct accel_mem *mem;

	spin_lock(&ctx->mem_lock);
	mem = accel_mem_find(ctx, id);
	if (mem && (mem->users || mem->dmabuf))
		mem = NULL;
	if (mem)
		accel_mem_forget(mem);
	spin_unlock(&ctx->mem_lock);
	return mem;
}

/**
 * accel_ioctl_mem_unpin - handler of %ACCEL_IOCTL_MEM_UNPIN
 * @ctx: the context
 * @arg: struct accel_mem_unpin
 *
 * Context: process, sleeps until no job uses the region, not gated.
 * Return: 0, -ENOENT, -ENODEV; -ERESTARTSYS: a signal, the region is as before, and
 * shared with whom it was shared.
 */
long accel_ioctl_mem_unpin(struct accel_context *ctx, void *arg)
{
	struct accel_mem_unpin *unpin = arg;
	struct accel_mem *mem;

	mutex_lock(&ctx->lock);
	/* Of a context that is dead there is none. */
	mem = accel_mem_take_unused(ctx, unpin->mem_id);
	if (likely(mem))
		accel_mem_release_forgotten(mem);
	mutex_unlock(&ctx->lock);
	if (unlikely(!mem))
		return accel_mem_unpin_used(ctx, unpin->mem_id);
	accel_mem_finish(mem);
	kref_put(&mem->ref, accel_mem_keep);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_mem_unpin, ACCEL_EXPORT_NS);

/* A cache with a constructor is not cleared, see the top. */
static void accel_mem_ctor(void *mem)
{
}

/**
 * accel_mem_init - the cache of regions
 *
 * Return: 0 or -ENOMEM.
 */
int __init accel_mem_init(void)
{
	accel_mem_cache = kmem_cache_create("accel_mem", sizeof(struct accel_mem), 0,
					    SLAB_HWCACHE_ALIGN | SLAB_TYPESAFE_BY_RCU,
					    accel_mem_ctor);
	return accel_mem_cache ? 0 : -ENOMEM;
}

/**
 * accel_mem_exit - undo accel_mem_init()
 */
void accel_mem_exit(void)
{
	kmem_cache_destroy(accel_mem_cache);
}
