// SPDX-License-Identifier: GPL-2.0-only
/*
 * What BPF programs may ask: of devices, contexts and engines.
 *
 * For programs of the types struct_ops (policies), tracing (fentry, fexit, tp_btf, and
 * with them tracepoint, perf_event and LSM programs) and syscall, from 6.12 on.
 *
 * A program may run anywhere, also in an interrupt or under the very lock that protects
 * what it asks for. So nothing here takes a lock or sleeps: devices and contexts are freed
 * after a grace period, and figures are read one by one. Each is what it was at some
 * moment of the call; two of them need not be of the same.
 *
 * Pointers are the verifier's trusted ones: arguments of the program's own hook,
 * references that were acquired here, or what an iterator gives (see kfuncs_iter.c), for
 * as long as it lasts.
 */
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/cfi.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/workqueue.h>
#include <uapi/linux/accelerator_bpf.h>

#include "kfuncs.h"
#include "policy.h"

static_assert((int)ACCEL_BPF_OP_OPEN == (int)ACCEL_OP_OPEN);
static_assert((int)ACCEL_BPF_OP_CLOSE == (int)ACCEL_OP_CLOSE);
static_assert((int)ACCEL_BPF_OP_IOCTL == (int)ACCEL_OP_IOCTL);
static_assert((int)ACCEL_BPF_OP_MMAP == (int)ACCEL_OP_MMAP);
static_assert((int)ACCEL_BPF_OP_FAULT == (int)ACCEL_OP_FAULT);
static_assert((int)ACCEL_BPF_OP_MEM_PIN == (int)ACCEL_OP_MEM_PIN);
static_assert((int)ACCEL_BPF_OP_MEM_UNPIN == (int)ACCEL_OP_MEM_UNPIN);
static_assert((int)ACCEL_BPF_OP_DMA_MAP == (int)ACCEL_OP_DMA_MAP);
static_assert((int)ACCEL_BPF_OP_DMA_UNMAP == (int)ACCEL_OP_DMA_UNMAP);
static_assert((int)ACCEL_BPF_OP_JOB == (int)ACCEL_OP_JOB);
static_assert((int)ACCEL_BPF_OP_NR == (int)ACCEL_OP_NR);

/* --------------------------------------------------------------- references */

/*
 * Putting the last one sleeps, which a program must not: a worker does it. Nor may a program
 * that was called in an NMI, or under a workqueue's own lock, wake a worker: an interrupt
 * that it asks for does that.
 */
static LLIST_HEAD(accel_contexts_to_put);
static LLIST_HEAD(accel_devices_to_put);

static void accel_put_work(struct work_struct *work)
{
	struct llist_node *contexts = llist_del_all(&accel_contexts_to_put);
	struct llist_node *devices = llist_del_all(&accel_devices_to_put);
	struct accel_context *ctx, *next_ctx;
	struct accel_device *adev, *next;

	llist_for_each_entry_safe(ctx, next_ctx, contexts, put_link)
		accel_context_put(ctx);
	llist_for_each_entry_safe(adev, next, devices, put_link)
		put_device(&adev->dev);
}

static DECLARE_WORK(accel_put, accel_put_work);

static void accel_put_irq_work(struct irq_work *work)
{
	schedule_work(&accel_put);
}

static DEFINE_IRQ_WORK(accel_put_soon, accel_put_irq_work);

__bpf_kfunc_start_defs();

/**
 * bpf_accel_device_find - a device by its number
 * @index: N of accN
 *
 * Return: the device, to be given to bpf_accel_device_put(); NULL: there is none.
 */
__bpf_kfunc struct accel_device *bpf_accel_device_find(u32 index)
{
	struct accel_device *adev, *found = NULL;
	unsigned long id;

	rcu_read_lock();
	xa_for_each(&accel_devices, id, adev)
		if (adev->index == index) {
			if (kobject_get_unless_zero(&adev->dev.kobj))
				found = adev;
			break;
		}
	rcu_read_unlock();
	return found;
}

/**
 * bpf_accel_context_device - the device of a context
 * @ctx: the context
 *
 * Return: the device, to be given to bpf_accel_device_put(); NULL: both are being freed.
 */
__bpf_kfunc struct accel_device *bpf_accel_context_device(struct accel_context *ctx)
{
	struct accel_device *adev = ctx->adev;

	return kobject_get_unless_zero(&adev->dev.kobj) ? adev : NULL;
}

/**
 * bpf_accel_device_put - give back a device
 * @adev: from bpf_accel_device_find() or bpf_accel_context_device()
 */
__bpf_kfunc void bpf_accel_device_put(struct accel_device *adev)
{
	if (refcount_dec_not_one(&adev->dev.kobj.kref.refcount))
		return;
	if (llist_add(&adev->put_link, &accel_devices_to_put))
		irq_work_queue(&accel_put_soon);
}

/* The same for one that is in a map as the map goes. */
__bpf_kfunc void bpf_accel_device_put_dtor(void *adev)
{
	bpf_accel_device_put(adev);
}

CFI_NOSEAL(bpf_accel_device_put_dtor);

/**
 * bpf_accel_context_get - keep a context
 * @ctx: the context
 *
 * Return: the context, to be given to bpf_accel_context_put(); NULL: it is being freed.
 */
__bpf_kfunc struct accel_context *bpf_accel_context_get(struct accel_context *ctx)
{
	return kref_get_unless_zero(&ctx->ref) ? ctx : NULL;
}

/**
 * bpf_accel_context_find - a context by its id
 * @adev: its device
 * @id: its id
 *
 * Return: the context, to be given to bpf_accel_context_put(); NULL: there is none.
 */
__bpf_kfunc struct accel_context *bpf_accel_context_find(struct accel_device *adev, u64 id)
{
	struct accel_context *ctx;

	rcu_read_lock();
	ctx = xa_load(&adev->contexts, id);
	if (ctx && !kref_get_unless_zero(&ctx->ref))
		ctx = NULL;
	rcu_read_unlock();
	return ctx;
}

/**
 * bpf_accel_context_put - give back a context
 * @ctx: from bpf_accel_context_get() or bpf_accel_context_find()
 */
__bpf_kfunc void bpf_accel_context_put(struct accel_context *ctx)
{
	if (refcount_dec_not_one(&ctx->ref.refcount))
		return;
	if (llist_add(&ctx->put_link, &accel_contexts_to_put))
		irq_work_queue(&accel_put_soon);
}

/* The same for one that is in a map as the map goes. */
__bpf_kfunc void bpf_accel_context_put_dtor(void *ctx)
{
	bpf_accel_context_put(ctx);
}

CFI_NOSEAL(bpf_accel_context_put_dtor);

/* ------------------------------------------------------------------ figures */

/* Fill in a program's structure with ours: it may know less than we do, or more. */
static int accel_bpf_fill(void *to, u32 to_size, const void *from, u32 from_size)
{
	if (!to_size)
		return -EINVAL;
	memcpy(to, from, min(to_size, from_size));
	if (to_size > from_size)
		memset(to + from_size, 0, to_size - from_size);
	return 0;
}

/**
 * bpf_accel_device_info - what a device is, and what it has
 * @adev: the device
 * @info: filled in: a struct accel_bpf_device, of which the program may know less or more
 * @info__sz: its size
 *
 * Return: 0; -EINVAL: no size.
 */
__bpf_kfunc int bpf_accel_device_info(struct accel_device *adev, void *info, u32 info__sz)
{
	struct accel_bpf_device all = {
		.id = adev->id,
		.index = adev->index,
		.state = READ_ONCE(adev->state),
		.contexts = atomic_read(&adev->num_contexts),
		.engines = adev->num_engines,
		.pinned_bytes = atomic64_read(&adev->pinned_bytes),
		.mapped_bytes = atomic64_read(&adev->mapped_bytes),
	};

	static_assert(sizeof(all.name) == sizeof(adev->name));
	memcpy(all.name, adev->name, sizeof(all.name));
	memcpy(all.driver, adev->drv_name, sizeof(all.driver));
	return accel_bpf_fill(info, info__sz, &all, sizeof(all));
}

/**
 * bpf_accel_context_info - whose a context is, and what it holds
 * @ctx: the context
 * @info: filled in: a struct accel_bpf_context, of which the program may know less or more
 * @info__sz: its size
 *
 * Return: 0; -EINVAL: no size.
 */
__bpf_kfunc int bpf_accel_context_info(struct accel_context *ctx, void *info, u32 info__sz)
{
	struct accel_bpf_context all = {
		.id = ctx->id,
		.device_id = ctx->adev->id,
		.device_index = ctx->adev->index,
		.node = ctx->node,
		.tgid = ctx->tgid,
		.uid = ctx->uid,
		.cgroup_id = ctx->cgroup_id,
		.pinned_bytes = atomic64_read(&ctx->pinned_bytes),
		.mapped_bytes = atomic64_read(&ctx->mapped_bytes),
		.mems = READ_ONCE(ctx->num_mems),
		.jobs = READ_ONCE(ctx->num_jobs),
	};

	static_assert(sizeof(all.comm) == sizeof(ctx->comm));
	memcpy(all.comm, ctx->comm, sizeof(all.comm));
	return accel_bpf_fill(info, info__sz, &all, sizeof(all));
}

static int accel_bpf_count(const struct accel_op_stats __percpu *stats, u32 op,
			   void *count, u32 size)
{
	struct accel_bpf_count all;
	struct accel_op_count sum;

	if (op >= ACCEL_OP_NR)
		return -EINVAL;
	accel_stats_sum(stats, op, &sum);
	all.calls = sum.calls;
	all.errors = sum.errors;
	all.inflight = sum.inflight;
	return accel_bpf_fill(count, size, &all, sizeof(all));
}

/**
 * bpf_accel_context_count - how often a context did something; a sum over all processors
 * @ctx: the context
 * @op: enum accel_bpf_op
 * @count: filled in: a struct accel_bpf_count
 * @count__sz: its size
 *
 * Return: 0; -EINVAL: there is no such @op, or no size.
 */
__bpf_kfunc int bpf_accel_context_count(struct accel_context *ctx, u32 op,
					void *count, u32 count__sz)
{
	return accel_bpf_count(ctx->stats, op, count, count__sz);
}

/**
 * bpf_accel_device_count - how often something was done with a device
 * @adev: the device
 * @op: enum accel_bpf_op
 * @count: filled in: a struct accel_bpf_count
 * @count__sz: its size
 *
 * Return: 0; -EINVAL: there is no such @op, or no size.
 */
__bpf_kfunc int bpf_accel_device_count(struct accel_device *adev, u32 op,
				       void *count, u32 count__sz)
{
	return accel_bpf_count(adev->stats, op, count, count__sz);
}

/**
 * bpf_accel_engine_info - how loaded an engine is
 * @adev: its device
 * @engine: its index
 * @info: filled in: a struct accel_bpf_engine, of which the program may know less or more
 * @info__sz: its size
 *
 * Also under the engine's own lock, as in the hooks job_start and job_done.
 *
 * Return: 0; -EINVAL: there is no such engine, or no size.
 */
__bpf_kfunc int bpf_accel_engine_info(struct accel_device *adev, u32 engine,
				      void *info, u32 info__sz)
{
	const struct accel_engine *from;
	struct accel_bpf_engine all;

	if (engine >= READ_ONCE(adev->num_engines))
		return -EINVAL;
	from = adev->engines[engine];
	all.depth = from->depth;
	all.queued = READ_ONCE(from->num_queued);
	all.running = READ_ONCE(from->num_running);
	all.reserved = 0;
	all.jobs = READ_ONCE(from->jobs);
	all.errors = READ_ONCE(from->errors);
	all.bytes = READ_ONCE(from->bytes);
	all.wait_ns = READ_ONCE(from->wait_ns);
	all.busy_ns = accel_engine_busy_ns(from, ktime_get_mono_fast_ns());
	static_assert(sizeof(all.name) == sizeof(from->name));
	memcpy(all.name, from->name, sizeof(all.name));
	return accel_bpf_fill(info, info__sz, &all, sizeof(all));
}

/**
 * bpf_accel_job_engine - the engine of a job
 * @job: the job
 *
 * Return: its index, for bpf_accel_engine_info().
 */
__bpf_kfunc u32 bpf_accel_job_engine(struct accel_job *job)
{
	return job->engine->index;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(accel_kfunc_ids)
BTF_ID_FLAGS(func, bpf_accel_device_find, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_accel_context_device, KF_ACQUIRE | KF_RET_NULL | KF_RCU)
BTF_ID_FLAGS(func, bpf_accel_device_put, KF_RELEASE)
BTF_ID_FLAGS(func, bpf_accel_context_get, KF_ACQUIRE | KF_RET_NULL | KF_RCU)
BTF_ID_FLAGS(func, bpf_accel_context_find, KF_ACQUIRE | KF_RET_NULL | KF_RCU)
BTF_ID_FLAGS(func, bpf_accel_context_put, KF_RELEASE)
BTF_ID_FLAGS(func, bpf_accel_device_info, KF_RCU)
BTF_ID_FLAGS(func, bpf_accel_context_info, KF_RCU)
BTF_ID_FLAGS(func, bpf_accel_context_count, KF_RCU)
BTF_ID_FLAGS(func, bpf_accel_device_count, KF_RCU)
BTF_ID_FLAGS(func, bpf_accel_engine_info, KF_RCU)
BTF_ID_FLAGS(func, bpf_accel_job_engine, KF_RCU)
BTF_ID_FLAGS(func, bpf_iter_accel_device_new, KF_ITER_NEW | KF_RCU_PROTECTED)
BTF_ID_FLAGS(func, bpf_iter_accel_device_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_accel_device_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_iter_accel_context_new, KF_ITER_NEW | KF_RCU | KF_RCU_PROTECTED)
BTF_ID_FLAGS(func, bpf_iter_accel_context_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_accel_context_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_iter_accel_mem_new, KF_ITER_NEW | KF_RCU | KF_RCU_PROTECTED)
BTF_ID_FLAGS(func, bpf_iter_accel_mem_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_accel_mem_destroy, KF_ITER_DESTROY)
BTF_KFUNCS_END(accel_kfunc_ids)

static const struct btf_kfunc_id_set accel_kfunc_set = {
	.owner = THIS_MODULE,
	.set = &accel_kfunc_ids,
};

BTF_ID_LIST(accel_dtor_ids)
BTF_ID(struct, accel_device)
BTF_ID(func, bpf_accel_device_put_dtor)
BTF_ID(struct, accel_context)
BTF_ID(func, bpf_accel_context_put_dtor)

/**
 * accel_kfuncs_init - let BPF programs call what is here
 *
 * Return: 0 or a negative errno. 0 also for a module without BTF, which nobody can call.
 */
int accel_kfuncs_init(void)
{
	const struct btf_id_dtor_kfunc dtors[] = {
		{ .btf_id = accel_dtor_ids[0], .kfunc_btf_id = accel_dtor_ids[1] },
		{ .btf_id = accel_dtor_ids[2], .kfunc_btf_id = accel_dtor_ids[3] },
	};
	int ret;

	ret = register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &accel_kfunc_set);
	ret = ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_TRACING, &accel_kfunc_set);
	ret = ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_SYSCALL, &accel_kfunc_set);
	return ret ?: register_btf_id_dtor_kfuncs(dtors, ARRAY_SIZE(dtors), THIS_MODULE);
}

/**
 * accel_kfuncs_exit - wait for what programs have left to be done
 */
void accel_kfuncs_exit(void)
{
	irq_work_sync(&accel_put_soon);
	flush_work(&accel_put);
}
