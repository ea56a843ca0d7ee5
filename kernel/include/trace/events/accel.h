/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints of the accelerator subsystem. docs/tracepoints.md is their
 * reference; fields are only ever added.
 *
 * Every event carries the device (index and id) and, where there is one, the
 * context's id. Completion events carry ret and duration_ns, 0 when nobody
 * looked as the operation began. BPF programs get the typed pointers of
 * TP_PROTO; no pointer is ever printed.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM accel

#if !defined(_TRACE_ACCEL_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_ACCEL_H

#include <linux/accelerator.h>
#include <linux/tracepoint.h>

#ifndef _TRACE_ACCEL_TYPES
#define _TRACE_ACCEL_TYPES

/* struct accel_pin_times - where the time of one pin went, in nanoseconds, 0: not timed */
struct accel_pin_times {
	u64 account_ns;		/* charging RLIMIT_MEMLOCK */
	u64 fault_ns;		/* faulting pages in, of some memory their pin, too */
	u64 pin_ns;		/* pages that were there; of iommufd's pages, all of it */
	u64 faulted_pages;
	u64 gather_ns;		/* coalescing them into a table */
};

/* The way of a region by name: struct accel_mem_ops is the core's own. */
const char *accel_trace_way(const struct accel_mem *mem);

/* The name of the job's engine: struct accel_engine is the core's own. */
const char *accel_trace_engine(const struct accel_job *job);
#endif

DECLARE_EVENT_CLASS(accel_device,
	TP_PROTO(struct accel_device *adev),
	TP_ARGS(adev),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u32, dev)
		__field(u32, contexts)
		__string(driver, adev->drv_name)
	),
	TP_fast_assign(
		__entry->dev_id = adev->id;
		__entry->dev = adev->index;
		__entry->contexts = atomic_read(&adev->num_contexts);
		__assign_str(driver);
	),
	TP_printk("dev=acc%u dev_id=%llu driver=%s contexts=%u",
		  __entry->dev, __entry->dev_id, __get_str(driver), __entry->contexts)
);

/* The device can be opened. */
DEFINE_EVENT(accel_device, accel_device_register,
	TP_PROTO(struct accel_device *adev), TP_ARGS(adev));

/* Its memory is freed: nothing refers to it any more. */
DEFINE_EVENT(accel_device, accel_device_release,
	TP_PROTO(struct accel_device *adev), TP_ARGS(adev));

/* It is gone for its users: calls, mappings, pins and jobs have ended. */
TRACE_EVENT(accel_device_unregister,
	TP_PROTO(struct accel_device *adev, u64 duration_ns),
	TP_ARGS(adev, duration_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u32, dev)
		__field(u32, contexts)
		__field(u64, duration_ns)
		__string(driver, adev->drv_name)
	),
	TP_fast_assign(
		__entry->dev_id = adev->id;
		__entry->dev = adev->index;
		__entry->contexts = atomic_read(&adev->num_contexts);
		__entry->duration_ns = duration_ns;
		__assign_str(driver);
	),
	TP_printk("dev=acc%u dev_id=%llu driver=%s contexts=%u duration_ns=%llu",
		  __entry->dev, __entry->dev_id, __get_str(driver),
		  __entry->contexts, __entry->duration_ns)
);

TRACE_EVENT(accel_device_state,
	TP_PROTO(struct accel_device *adev, int old_state, int new_state),
	TP_ARGS(adev, old_state, new_state),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u32, dev)
		__field(int, old_state)
		__field(int, new_state)
	),
	TP_fast_assign(
		__entry->dev_id = adev->id;
		__entry->dev = adev->index;
		__entry->old_state = old_state;
		__entry->new_state = new_state;
	),
	TP_printk("dev=acc%u dev_id=%llu old_state=%d new_state=%d",
		  __entry->dev, __entry->dev_id, __entry->old_state, __entry->new_state)
);

/*
 * accel_device_unregister() still waits: ctx for op, one line for each; ctx 0 is
 * what no context does, such as an open. op 32 is no call: jobs that have been started.
 */
TRACE_EVENT(accel_unplug_drain,
	TP_PROTO(struct accel_device *adev, u64 ctx_id, int op, u64 calls, u64 waited_ns),
	TP_ARGS(adev, ctx_id, op, calls, waited_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u32, dev)
		__field(int, op)
		__field(u64, ctx)
		__field(u64, calls)
		__field(u64, waited_ns)
	),
	TP_fast_assign(
		__entry->dev_id = adev->id;
		__entry->dev = adev->index;
		__entry->op = op;
		__entry->ctx = ctx_id;
		__entry->calls = calls;
		__entry->waited_ns = waited_ns;
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu op=%d calls=%llu waited_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->op,
		  __entry->calls, __entry->waited_ns)
);

/* A policy has refused: ret is what the caller is told. */
TRACE_EVENT(accel_policy_deny,
	TP_PROTO(struct accel_context *ctx, u64 policy_id, const char *policy, const char *hook,
		 int ret),
	TP_ARGS(ctx, policy_id, policy, hook, ret),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, policy_id)
		__field(u32, dev)
		__field(int, ret)
		__string(policy, policy)
		__string(hook, hook)
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->policy_id = policy_id;
		__entry->ret = ret;
		__assign_str(policy);
		__assign_str(hook);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu policy=%s policy_id=%llu hook=%s ret=%d",
		  __entry->dev, __entry->dev_id, __entry->ctx, __get_str(policy),
		  __entry->policy_id, __get_str(hook), __entry->ret)
);

DECLARE_EVENT_CLASS(accel_context,
	TP_PROTO(struct accel_context *ctx, int ret, u64 duration_ns),
	TP_ARGS(ctx, ret, duration_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, cgroup_id)
		__field(u64, duration_ns)
		__field(u32, dev)
		__field(u32, node)
		__field(u32, tgid)
		__field(u32, uid)
		__field(int, ret)
		__array(char, owner, TASK_COMM_LEN)
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->node = ctx->node;
		__entry->tgid = ctx->tgid;
		__entry->uid = ctx->uid;
		__entry->cgroup_id = ctx->cgroup_id;
		__entry->ret = ret;
		__entry->duration_ns = duration_ns;
		memcpy(__entry->owner, ctx->comm, TASK_COMM_LEN);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu node=%u tgid=%u uid=%u owner=%.16s cgroup_id=%llu ret=%d duration_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->node,
		  __entry->tgid, __entry->uid, __entry->owner, __entry->cgroup_id,
		  __entry->ret, __entry->duration_ns)
);

/* A file was opened, or (ret < 0) not. */
DEFINE_EVENT(accel_context, accel_context_open,
	TP_PROTO(struct accel_context *ctx, int ret, u64 duration_ns),
	TP_ARGS(ctx, ret, duration_ns));

/* Its last close: everything it owned has been released. */
DEFINE_EVENT(accel_context, accel_context_close,
	TP_PROTO(struct accel_context *ctx, int ret, u64 duration_ns),
	TP_ARGS(ctx, ret, duration_ns));

TRACE_EVENT(accel_ioctl_enter,
	TP_PROTO(struct accel_context *ctx, unsigned int cmd),
	TP_ARGS(ctx, cmd),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u32, dev)
		__field(u32, cmd)
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->cmd = cmd;
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu cmd=0x%x",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->cmd)
);

/* name: from the driver's table, NULL when the command is not in it. */
TRACE_EVENT(accel_ioctl,
	TP_PROTO(struct accel_context *ctx, unsigned int cmd, const char *name, long ret,
		 u64 duration_ns),
	TP_ARGS(ctx, cmd, name, ret, duration_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, duration_ns)
		__field(long, ret)
		__field(u32, dev)
		__field(u32, cmd)
		__string(name, name ? name : "?")
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->cmd = cmd;
		__entry->ret = ret;
		__entry->duration_ns = duration_ns;
		__assign_str(name);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu cmd=0x%x name=%s ret=%ld duration_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->cmd,
		  __get_str(name), __entry->ret, __entry->duration_ns)
);

TRACE_EVENT(accel_mmap,
	TP_PROTO(struct accel_context *ctx, u64 map_id, u64 offset, u64 bytes, bool write,
		 int ret, u64 duration_ns),
	TP_ARGS(ctx, map_id, offset, bytes, write, ret, duration_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, map)
		__field(u64, offset)
		__field(u64, bytes)
		__field(u64, duration_ns)
		__field(u32, dev)
		__field(int, ret)
		__field(bool, write)
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->map = map_id;
		__entry->offset = offset;
		__entry->bytes = bytes;
		__entry->write = write;
		__entry->ret = ret;
		__entry->duration_ns = duration_ns;
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu map=%llu offset=%llu bytes=%llu write=%d ret=%d duration_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->map,
		  __entry->offset, __entry->bytes, __entry->write, __entry->ret,
		  __entry->duration_ns)
);

/* The last part of a mapping, and the last copy of it, was unmapped. */
TRACE_EVENT(accel_munmap,
	TP_PROTO(struct accel_context *ctx, u64 map_id, u64 bytes),
	TP_ARGS(ctx, map_id, bytes),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, map)
		__field(u64, bytes)
		__field(u32, dev)
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->map = map_id;
		__entry->bytes = bytes;
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu map=%llu bytes=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->map,
		  __entry->bytes)
);

/*
 * A region was pinned and mapped for DMA, or (ret < 0) not. duration_ns is the
 * whole, the DMA map (an event of its own) included. times is never NULL.
 */
TRACE_EVENT(accel_mem_pin,
	TP_PROTO(struct accel_context *ctx, struct accel_mem *mem,
		 const struct accel_pin_times *times, int ret, u64 duration_ns),
	TP_ARGS(ctx, mem, times, ret, duration_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, mem)
		__field(u64, bytes)
		__field(u64, pages)
		__field(u64, faulted_pages)
		__field(u64, account_ns)
		__field(u64, fault_ns)
		__field(u64, pin_ns)
		__field(u64, duration_ns)
		__field(u32, dev)
		__field(u32, folios)
		__field(u32, flags)
		__field(int, ret)
		__field(u64, gather_ns)
		__field(u32, segments)
		__string(way, accel_trace_way(mem))
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->mem = mem->id;
		__entry->bytes = mem->length;
		__entry->pages = mem->npages;
		__entry->folios = mem->nfolios;
		__entry->flags = mem->flags;
		__entry->faulted_pages = times->faulted_pages;
		__entry->account_ns = times->account_ns;
		__entry->fault_ns = times->fault_ns;
		__entry->pin_ns = times->pin_ns;
		__entry->ret = ret;
		__entry->duration_ns = duration_ns;
		__entry->gather_ns = times->gather_ns;
		__entry->segments = mem->nsegs;
		__assign_str(way);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu mem=%llu way=%s bytes=%llu pages=%llu folios=%u segments=%u flags=0x%x faulted_pages=%llu account_ns=%llu fault_ns=%llu pin_ns=%llu gather_ns=%llu ret=%d duration_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->mem,
		  __get_str(way), __entry->bytes, __entry->pages, __entry->folios,
		  __entry->segments, __entry->flags, __entry->faulted_pages,
		  __entry->account_ns, __entry->fault_ns, __entry->pin_ns,
		  __entry->gather_ns, __entry->ret, __entry->duration_ns)
);

/* dirty: the device wrote to it. */
TRACE_EVENT(accel_mem_unpin,
	TP_PROTO(struct accel_context *ctx, struct accel_mem *mem, bool dirty, u64 duration_ns),
	TP_ARGS(ctx, mem, dirty, duration_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, mem)
		__field(u64, bytes)
		__field(u64, pages)
		__field(u64, duration_ns)
		__field(u32, dev)
		__field(bool, dirty)
		__string(way, accel_trace_way(mem))
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->mem = mem->id;
		__entry->bytes = mem->length;
		__entry->pages = mem->npages;
		__entry->dirty = dirty;
		__entry->duration_ns = duration_ns;
		__assign_str(way);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu mem=%llu way=%s bytes=%llu pages=%llu dirty=%d duration_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->mem,
		  __get_str(way), __entry->bytes, __entry->pages, __entry->dirty, __entry->duration_ns)
);

/* iommu_ns: the DMA mapping proper, without the driver's own page table. */
DECLARE_EVENT_CLASS(accel_dma,
	TP_PROTO(struct accel_context *ctx, struct accel_mem *mem, int ret, u64 duration_ns,
		 u64 iommu_ns),
	TP_ARGS(ctx, mem, ret, duration_ns, iommu_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, mem)
		__field(u64, bytes)
		__field(u64, duration_ns)
		__field(u32, dev)
		__field(u32, segments)
		__field(int, ret)
		__field(u64, pages)
		__field(u64, iommu_ns)
		__field(u32, folios)
		__string(way, accel_trace_way(mem))
	),
	TP_fast_assign(
		__entry->dev_id = ctx->adev->id;
		__entry->dev = ctx->adev->index;
		__entry->ctx = ctx->id;
		__entry->mem = mem->id;
		__entry->bytes = mem->length;
		__entry->segments = mem->nsegs;
		__entry->ret = ret;
		__entry->duration_ns = duration_ns;
		__entry->pages = mem->npages;
		__entry->iommu_ns = iommu_ns;
		__entry->folios = mem->nfolios;
		__assign_str(way);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu mem=%llu way=%s bytes=%llu pages=%llu folios=%u segments=%u ret=%d duration_ns=%llu iommu_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->mem,
		  __get_str(way), __entry->bytes, __entry->pages, __entry->folios,
		  __entry->segments, __entry->ret, __entry->duration_ns, __entry->iommu_ns)
);

DEFINE_EVENT(accel_dma, accel_dma_map,
	TP_PROTO(struct accel_context *ctx, struct accel_mem *mem, int ret, u64 duration_ns,
		 u64 iommu_ns),
	TP_ARGS(ctx, mem, ret, duration_ns, iommu_ns));

DEFINE_EVENT(accel_dma, accel_dma_unmap,
	TP_PROTO(struct accel_context *ctx, struct accel_mem *mem, int ret, u64 duration_ns,
		 u64 iommu_ns),
	TP_ARGS(ctx, mem, ret, duration_ns, iommu_ns));

/* ret < 0: refused, there will be no accel_job_done. Process context. */
TRACE_EVENT(accel_job_queue,
	TP_PROTO(struct accel_job *job, int ret),
	TP_ARGS(job, ret),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, job)
		__field(u64, bytes)
		__field(u32, dev)
		__field(u32, op)
		__field(int, ret)
		__string(engine, accel_trace_engine(job))
	),
	TP_fast_assign(
		__entry->dev_id = job->ctx->adev->id;
		__entry->dev = job->ctx->adev->index;
		__entry->ctx = job->ctx->id;
		__entry->job = job->id;
		__entry->op = job->op;
		__entry->bytes = job->bytes;
		__entry->ret = ret;
		__assign_str(engine);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu job=%llu engine=%s op=%u bytes=%llu ret=%d",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->job,
		  __get_str(engine), __entry->op, __entry->bytes, __entry->ret)
);

/* In the engine's thread, the current task is not the submitter. */
TRACE_EVENT(accel_job_start,
	TP_PROTO(struct accel_job *job, u64 queue_ns),
	TP_ARGS(job, queue_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, job)
		__field(u64, queue_ns)
		__field(u32, dev)
		__field(u32, op)
		__string(engine, accel_trace_engine(job))
	),
	TP_fast_assign(
		__entry->dev_id = job->ctx->adev->id;
		__entry->dev = job->ctx->adev->index;
		__entry->ctx = job->ctx->id;
		__entry->job = job->id;
		__entry->op = job->op;
		__entry->queue_ns = queue_ns;
		__assign_str(engine);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu job=%llu engine=%s op=%u queue_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->job,
		  __get_str(engine), __entry->op, __entry->queue_ns)
);

/*
 * Any context, also hard interrupt. run_ns is 0 for a job that never started;
 * duration_ns is from queue to done.
 */
TRACE_EVENT(accel_job_done,
	TP_PROTO(struct accel_job *job, int ret, u64 queue_ns, u64 run_ns, u64 duration_ns),
	TP_ARGS(job, ret, queue_ns, run_ns, duration_ns),
	TP_STRUCT__entry(
		__field(u64, dev_id)
		__field(u64, ctx)
		__field(u64, job)
		__field(u64, bytes)
		__field(u64, queue_ns)
		__field(u64, run_ns)
		__field(u64, duration_ns)
		__field(u32, dev)
		__field(u32, op)
		__field(int, ret)
		__string(engine, accel_trace_engine(job))
	),
	TP_fast_assign(
		__entry->dev_id = job->ctx->adev->id;
		__entry->dev = job->ctx->adev->index;
		__entry->ctx = job->ctx->id;
		__entry->job = job->id;
		__entry->op = job->op;
		__entry->bytes = job->bytes;
		__entry->queue_ns = queue_ns;
		__entry->run_ns = run_ns;
		__entry->ret = ret;
		__entry->duration_ns = duration_ns;
		__assign_str(engine);
	),
	TP_printk("dev=acc%u dev_id=%llu ctx=%llu job=%llu engine=%s op=%u bytes=%llu ret=%d queue_ns=%llu run_ns=%llu duration_ns=%llu",
		  __entry->dev, __entry->dev_id, __entry->ctx, __entry->job,
		  __get_str(engine), __entry->op, __entry->bytes, __entry->ret,
		  __entry->queue_ns, __entry->run_ns, __entry->duration_ns)
);

#endif /* _TRACE_ACCEL_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH trace/events
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE accel
#include <trace/define_trace.h>
