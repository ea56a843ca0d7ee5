// SPDX-License-Identifier: GPL-2.0-only
/*
 * accel-trace's kernel side: one program for each tracepoint. Each says who did it, which
 * the filter judges, and what a record of its type has besides; accel_trace.bpf.h has what
 * becomes of it. Memory of a ring is not zeroed: all of a record is written.
 */
#include "accel_trace.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* ---------------------------------------------------------------------- who */

/* Done by whoever runs: the registering of a device, by the driver's probe. */
static __always_inline void who_runs(struct who *w)
{
	u64 id = bpf_get_current_pid_tgid();

	w->tgid = id >> 32;
	w->tid = id;
}

static __always_inline void who_owns(struct who *w, struct accel_context *actx)
{
	w->flags |= ACCEL_EVF_CONTEXT;
	w->ctx = GET(actx, id);
	w->cgroup_id = GET(actx, cgroup_id);
	w->owner = GET(actx, tgid);
	w->dev = GET(actx, adev, index);
}

/* Done in a call of the owner's, or of a process that got the file from it. */
static __always_inline void who_calls(struct who *w, struct accel_context *actx)
{
	who_owns(w, actx);
	who_runs(w);
}

/* Done by an engine's thread, an interrupt or a teardown: the owner's all the same. */
static __always_inline void who_owned(struct who *w, struct accel_context *actx)
{
	who_owns(w, actx);
	w->tgid = w->owner;
}

static __always_inline void set_ret(struct who *w, s64 ret)
{
	w->ret = ret;
	w->flags |= ACCEL_EVF_RET;
}

/* ------------------------------------------------------------------ records */

static __always_inline void head(struct accel_event *e, u32 type, const struct who *w)
{
	e->ts_ns = bpf_ktime_get_ns();
	e->ctx = w->ctx;
	e->cgroup_id = w->cgroup_id;
	e->time_ns = w->time_ns;
	e->ret = w->ret;
	e->dev = w->dev;
	e->tgid = w->tgid;
	e->tid = w->tid;
	e->owner = w->owner;
	e->cpu = bpf_get_smp_processor_id();
	e->type = type;
	e->flags = w->flags;
	e->reserved = 0;
}

static __always_inline void head_current(struct accel_event *e)
{
	bpf_get_current_comm(e->comm, sizeof(e->comm));
}

static __always_inline void head_call(struct accel_event *e, struct accel_context *actx)
{
	e->dev_id = GET(actx, adev, id);
	e->uid = GET(actx, uid);
	head_current(e);
}

static __always_inline void head_owned(struct accel_event *e, struct accel_context *actx)
{
	e->dev_id = GET(actx, adev, id);
	e->uid = GET(actx, uid);
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), actx->comm);
}

/* ------------------------------------------------------------------ devices */

static __always_inline void head_device(struct accel_event *e, struct accel_device *adev)
{
	e->dev_id = GET(adev, id);
	e->uid = 0;
	head_current(e);
	__builtin_memset(&e->device, 0, sizeof(e->device));
}

static __always_inline int device_event(void *ctx, u32 type, struct accel_device *adev, u64 ns)
{
	struct who w = { .time_ns = ns };

	if (!adev)
		return 0;
	w.dev = GET(adev, index);
	who_runs(&w);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, type, device, {
		head_device(e, adev);
		e->device.contexts = GET(adev, num_contexts.counter);
		bpf_probe_read_kernel(e->device.driver, sizeof(e->device.driver), adev->drv_name);
	});
	return 0;
}

TRACEPOINT(accel_device_register)
int BPF_PROG(on_device_register, struct accel_device *adev)
{
	return device_event(ctx, ACCEL_EV_DEVICE_REGISTER, adev, 0);
}

TRACEPOINT(accel_device_unregister)
int BPF_PROG(on_device_unregister, struct accel_device *adev, u64 duration_ns)
{
	return device_event(ctx, ACCEL_EV_DEVICE_UNREGISTER, adev, duration_ns);
}

TRACEPOINT(accel_device_release)
int BPF_PROG(on_device_release, struct accel_device *adev)
{
	return device_event(ctx, ACCEL_EV_DEVICE_RELEASE, adev, 0);
}

TRACEPOINT(accel_device_state)
int BPF_PROG(on_device_state, struct accel_device *adev, int old_state, int new_state)
{
	struct who w = { 0 };

	if (!adev)
		return 0;
	w.dev = GET(adev, index);
	who_runs(&w);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_DEVICE_STATE, device, {
		head_device(e, adev);
		e->device.old_state = old_state;
		e->device.new_state = new_state;
	});
	return 0;
}

TRACEPOINT(accel_unplug_drain)
int BPF_PROG(on_unplug_drain, struct accel_device *adev, u64 ctx_id, int op, u64 calls,
	     u64 waited_ns)
{
	struct who w = { .time_ns = waited_ns, .ctx = ctx_id };

	if (!adev)
		return 0;
	if (ctx_id)
		w.flags |= ACCEL_EVF_CONTEXT;
	w.dev = GET(adev, index);
	who_runs(&w);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_UNPLUG_DRAIN, device, {
		head_device(e, adev);
		e->device.op = op;
		e->device.calls = calls;
	});
	return 0;
}

/* ----------------------------------------------------------------- contexts */

static __always_inline int context_event(void *ctx, u32 type, struct accel_context *actx,
					 int ret, u64 ns)
{
	struct who w = { .time_ns = ns };

	if (!actx)
		return 0;
	who_calls(&w, actx);
	set_ret(&w, ret);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, type, context, {
		head_call(e, actx);
		e->context.node = GET(actx, node);
		e->context.reserved = 0;
	});
	return 0;
}

TRACEPOINT(accel_context_open)
int BPF_PROG(on_context_open, struct accel_context *actx, int ret, u64 duration_ns)
{
	return context_event(ctx, ACCEL_EV_CONTEXT_OPEN, actx, ret, duration_ns);
}

TRACEPOINT(accel_context_close)
int BPF_PROG(on_context_close, struct accel_context *actx, int ret, u64 duration_ns)
{
	return context_event(ctx, ACCEL_EV_CONTEXT_CLOSE, actx, ret, duration_ns);
}

/* -------------------------------------------------------------------- calls */

TRACEPOINT(accel_ioctl_enter)
int BPF_PROG(on_ioctl_enter, struct accel_context *actx, unsigned int cmd)
{
	struct who w = { .cmd = cmd };

	if (!actx)
		return 0;
	who_calls(&w, actx);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_IOCTL_ENTER, ioctl, {
		head_call(e, actx);
		__builtin_memset(&e->ioctl, 0, sizeof(e->ioctl));
		e->ioctl.cmd = cmd;
	});
	return 0;
}

TRACEPOINT(accel_ioctl)
int BPF_PROG(on_ioctl, struct accel_context *actx, unsigned int cmd, const char *name, long ret,
	     u64 duration_ns)
{
	struct who w = { .time_ns = duration_ns, .cmd = cmd };

	if (!actx)
		return 0;
	who_calls(&w, actx);
	set_ret(&w, ret);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_IOCTL, ioctl, {
		head_call(e, actx);
		__builtin_memset(&e->ioctl, 0, sizeof(e->ioctl));
		e->ioctl.cmd = cmd;
		if (name)
			bpf_probe_read_kernel_str(e->ioctl.name, sizeof(e->ioctl.name), name);
	});
	return 0;
}

TRACEPOINT(accel_policy_deny)
int BPF_PROG(on_policy_deny, struct accel_context *actx, u64 policy_id, const char *policy,
	     const char *hook, int ret)
{
	struct who w = { 0 };

	if (!actx)
		return 0;
	who_calls(&w, actx);
	set_ret(&w, ret);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_POLICY_DENY, policy, {
		head_call(e, actx);
		__builtin_memset(&e->policy, 0, sizeof(e->policy));
		e->policy.id = policy_id;
		bpf_probe_read_kernel_str(e->policy.name, sizeof(e->policy.name), policy);
		bpf_probe_read_kernel_str(e->policy.hook, sizeof(e->policy.hook), hook);
	});
	return 0;
}

TRACEPOINT(accel_mmap)
int BPF_PROG(on_mmap, struct accel_context *actx, u64 map_id, u64 offset, u64 bytes, bool write,
	     int ret, u64 duration_ns)
{
	struct who w = { .time_ns = duration_ns };

	if (!actx)
		return 0;
	who_calls(&w, actx);
	set_ret(&w, ret);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_MMAP, mmap, {
		head_call(e, actx);
		e->mmap.map = map_id;
		e->mmap.offset = offset;
		e->mmap.bytes = bytes;
		e->mmap.write = write;
		e->mmap.reserved = 0;
	});
	return 0;
}

TRACEPOINT(accel_munmap)
int BPF_PROG(on_munmap, struct accel_context *actx, u64 map_id, u64 bytes)
{
	struct who w = { 0 };

	if (!actx)
		return 0;
	who_calls(&w, actx);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_MUNMAP, mmap, {
		head_call(e, actx);
		__builtin_memset(&e->mmap, 0, sizeof(e->mmap));
		e->mmap.map = map_id;
		e->mmap.bytes = bytes;
	});
	return 0;
}

/* ------------------------------------------------------------------- memory */

TRACEPOINT(accel_mem_pin)
int BPF_PROG(on_mem_pin, struct accel_context *actx, struct accel_mem *mem,
	     const struct accel_pin_times *times, int ret, u64 duration_ns)
{
	struct who w = { .time_ns = duration_ns };

	if (!actx || !mem || !times)
		return 0;
	who_calls(&w, actx);
	set_ret(&w, ret);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_MEM_PIN, pin, {
		head_call(e, actx);
		e->pin.mem = GET(mem, id);
		e->pin.bytes = GET(mem, length);
		e->pin.pages = GET(mem, npages);
		e->pin.folios = GET(mem, nfolios);
		e->pin.segments = GET(mem, nsegs);
		e->pin.flags = GET(mem, flags);
		e->pin.way = GET(mem, way);
		e->pin.faulted_pages = GET(times, faulted_pages);
		e->pin.account_ns = GET(times, account_ns);
		e->pin.fault_ns = GET(times, fault_ns);
		e->pin.pin_ns = GET(times, pin_ns);
		e->pin.gather_ns = GET(times, gather_ns);
	});
	return 0;
}

TRACEPOINT(accel_mem_unpin)
int BPF_PROG(on_mem_unpin, struct accel_context *actx, struct accel_mem *mem, bool dirty,
	     u64 duration_ns)
{
	struct who w = { .time_ns = duration_ns };

	if (!actx || !mem)
		return 0;
	who_calls(&w, actx);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_MEM_UNPIN, pin, {
		head_call(e, actx);
		__builtin_memset(&e->pin, 0, sizeof(e->pin));
		e->pin.mem = GET(mem, id);
		e->pin.bytes = GET(mem, length);
		e->pin.pages = GET(mem, npages);
		e->pin.flags = dirty;
		e->pin.way = GET(mem, way);
	});
	return 0;
}

static __always_inline int dma_event(void *ctx, u32 type, struct accel_context *actx,
				     struct accel_mem *mem, int ret, u64 ns, u64 iommu_ns)
{
	struct who w = { .time_ns = ns };

	if (!actx || !mem)
		return 0;
	who_calls(&w, actx);
	set_ret(&w, ret);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, type, dma, {
		head_call(e, actx);
		e->dma.mem = GET(mem, id);
		e->dma.bytes = GET(mem, length);
		e->dma.pages = GET(mem, npages);
		e->dma.folios = GET(mem, nfolios);
		e->dma.segments = GET(mem, nsegs);
		e->dma.way = GET(mem, way);
		e->dma.reserved = 0;
		e->dma.iommu_ns = iommu_ns;
	});
	return 0;
}

TRACEPOINT(accel_dma_map)
int BPF_PROG(on_dma_map, struct accel_context *actx, struct accel_mem *mem, int ret,
	     u64 duration_ns, u64 iommu_ns)
{
	return dma_event(ctx, ACCEL_EV_DMA_MAP, actx, mem, ret, duration_ns, iommu_ns);
}

TRACEPOINT(accel_dma_unmap)
int BPF_PROG(on_dma_unmap, struct accel_context *actx, struct accel_mem *mem, int ret,
	     u64 duration_ns, u64 iommu_ns)
{
	return dma_event(ctx, ACCEL_EV_DMA_UNMAP, actx, mem, ret, duration_ns, iommu_ns);
}

/* --------------------------------------------------------------------- jobs */

static __always_inline void job_fields(struct accel_event *e, struct accel_job *job)
{
	struct accel_engine *engine = GET(job, engine);

	e->job.job = GET(job, id);
	e->job.op = GET(job, op);
	e->job.bytes = GET(job, bytes);
	e->job.queue_ns = 0;
	e->job.run_ns = 0;
	e->job.total_ns = 0;
	e->job.reserved = 0;
	bpf_probe_read_kernel(e->job.engine, sizeof(e->job.engine), engine->name);
}

TRACEPOINT(accel_job_queue)
int BPF_PROG(on_job_queue, struct accel_job *job, int ret)
{
	struct who w = { .job = job };

	if (!job)
		return 0;
	who_calls(&w, GET(job, ctx));
	set_ret(&w, ret);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_JOB_QUEUE, job, {
		head_call(e, GET(job, ctx));
		job_fields(e, job);
	});
	return 0;
}

TRACEPOINT(accel_job_start)
int BPF_PROG(on_job_start, struct accel_job *job, u64 queue_ns)
{
	struct who w = { .time_ns = queue_ns, .job = job };

	if (!job)
		return 0;
	who_owned(&w, GET(job, ctx));
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_JOB_START, job, {
		head_owned(e, GET(job, ctx));
		job_fields(e, job);
		e->job.queue_ns = queue_ns;
	});
	return 0;
}

TRACEPOINT(accel_job_done)
int BPF_PROG(on_job_done, struct accel_job *job, int ret, u64 queue_ns, u64 run_ns,
	     u64 duration_ns)
{
	struct who w = { .time_ns = run_ns, .job = job };

	if (!job)
		return 0;
	who_owned(&w, GET(job, ctx));
	set_ret(&w, ret);
	if (!passes(&w))
		return 0;
	EMIT(ctx, &w, ACCEL_EV_JOB_DONE, job, {
		head_owned(e, GET(job, ctx));
		job_fields(e, job);
		e->job.queue_ns = queue_ns;
		e->job.run_ns = run_ns;
		e->job.total_ns = duration_ns;
	});
	return 0;
}

/* ---------------------------------------------------------- child processes */

/* Loaded with -f and COMMAND only. Threads come by here, too: their tgid is known. */
TRACEPOINT(sched_process_fork)
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 from = GET(parent, tgid), to = GET(child, tgid);
	u8 one = 1;

	if (from != to && bpf_map_lookup_elem(&pids, &from))
		bpf_map_update_elem(&pids, &to, &one, BPF_ANY);
	return 0;
}
