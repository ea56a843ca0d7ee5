// SPDX-License-Identifier: GPL-2.0-only
/*
 * accel-trace's kernel side: one program for each tracepoint. Each fills in a
 * record; accel_trace.bpf.h has what becomes of it.
 */
#include "accel_trace.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* ------------------------------------------------------------------ records */

static __always_inline void head(struct accel_event *e, u32 type)
{
	__builtin_memset(e, 0, sizeof(*e));
	e->ts_ns = bpf_ktime_get_ns();
	e->type = type;
	e->cpu = bpf_get_smp_processor_id();
}

static __always_inline void head_device(struct accel_event *e, struct accel_device *adev)
{
	e->dev_id = adev->id;
	e->dev = adev->index;
}

/* Done by whoever runs: the registering of a device, by the driver's probe. */
static __always_inline void head_current(struct accel_event *e)
{
	u64 id = bpf_get_current_pid_tgid();

	e->tgid = id >> 32;
	e->tid = id;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
}

static __always_inline void head_owner(struct accel_event *e, struct accel_context *actx)
{
	head_device(e, actx->adev);
	e->flags |= ACCEL_EVF_CONTEXT;
	e->ctx = actx->id;
	e->cgroup_id = actx->cgroup_id;
	e->uid = actx->uid;
	e->owner = actx->tgid;
}

/* Done in a call of the owner's, or of a process that got the file from it. */
static __always_inline void head_call(struct accel_event *e, struct accel_context *actx)
{
	head_owner(e, actx);
	head_current(e);
}

/* Done by an engine's thread, an interrupt or a teardown: the owner's all the same. */
static __always_inline void head_async(struct accel_event *e, struct accel_context *actx)
{
	head_owner(e, actx);
	e->tgid = e->owner;
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), actx->comm);
}

static __always_inline void set_ret(struct accel_event *e, s64 ret)
{
	e->ret = ret;
	e->flags |= ACCEL_EVF_RET;
}

/* ------------------------------------------------------------------ devices */

static __always_inline int device_event(void *ctx, u32 type, struct accel_device *adev, u64 ns)
{
	struct accel_event e;

	if (!adev)
		return 0;
	head(&e, type);
	head_device(&e, adev);
	head_current(&e);
	e.time_ns = ns;
	e.device.contexts = adev->num_contexts.counter;
	bpf_probe_read_kernel(e.device.driver, sizeof(e.device.driver), adev->drv_name);
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_device_register")
int BPF_PROG(on_device_register, struct accel_device *adev)
{
	return device_event(ctx, ACCEL_EV_DEVICE_REGISTER, adev, 0);
}

SEC("tp_btf/accel_device_unregister")
int BPF_PROG(on_device_unregister, struct accel_device *adev, u64 duration_ns)
{
	return device_event(ctx, ACCEL_EV_DEVICE_UNREGISTER, adev, duration_ns);
}

SEC("tp_btf/accel_device_release")
int BPF_PROG(on_device_release, struct accel_device *adev)
{
	return device_event(ctx, ACCEL_EV_DEVICE_RELEASE, adev, 0);
}

SEC("tp_btf/accel_device_state")
int BPF_PROG(on_device_state, struct accel_device *adev, int old_state, int new_state)
{
	struct accel_event e;

	if (!adev)
		return 0;
	head(&e, ACCEL_EV_DEVICE_STATE);
	head_device(&e, adev);
	head_current(&e);
	e.device.old_state = old_state;
	e.device.new_state = new_state;
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_unplug_drain")
int BPF_PROG(on_unplug_drain, struct accel_device *adev, u64 ctx_id, int op, u64 calls,
	     u64 waited_ns)
{
	struct accel_event e;

	if (!adev)
		return 0;
	head(&e, ACCEL_EV_UNPLUG_DRAIN);
	head_device(&e, adev);
	head_current(&e);
	if (ctx_id)
		e.flags |= ACCEL_EVF_CONTEXT;
	e.ctx = ctx_id;
	e.device.op = op;
	e.device.calls = calls;
	e.time_ns = waited_ns;
	deliver(ctx, &e);
	return 0;
}

/* ----------------------------------------------------------------- contexts */

static __always_inline int context_event(void *ctx, u32 type, struct accel_context *actx,
					 int ret, u64 ns)
{
	struct accel_event e;

	if (!actx)
		return 0;
	head(&e, type);
	head_call(&e, actx);
	set_ret(&e, ret);
	e.time_ns = ns;
	e.context.node = actx->node;
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_context_open")
int BPF_PROG(on_context_open, struct accel_context *actx, int ret, u64 duration_ns)
{
	return context_event(ctx, ACCEL_EV_CONTEXT_OPEN, actx, ret, duration_ns);
}

SEC("tp_btf/accel_context_close")
int BPF_PROG(on_context_close, struct accel_context *actx, int ret, u64 duration_ns)
{
	return context_event(ctx, ACCEL_EV_CONTEXT_CLOSE, actx, ret, duration_ns);
}

/* -------------------------------------------------------------------- calls */

SEC("tp_btf/accel_ioctl_enter")
int BPF_PROG(on_ioctl_enter, struct accel_context *actx, unsigned int cmd)
{
	struct accel_event e;

	if (!actx)
		return 0;
	head(&e, ACCEL_EV_IOCTL_ENTER);
	head_call(&e, actx);
	e.ioctl.cmd = cmd;
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_ioctl")
int BPF_PROG(on_ioctl, struct accel_context *actx, unsigned int cmd, const char *name, long ret,
	     u64 duration_ns)
{
	struct accel_event e;

	if (!actx)
		return 0;
	head(&e, ACCEL_EV_IOCTL);
	head_call(&e, actx);
	set_ret(&e, ret);
	e.time_ns = duration_ns;
	e.ioctl.cmd = cmd;
	if (name)
		bpf_probe_read_kernel_str(e.ioctl.name, sizeof(e.ioctl.name), name);
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_mmap")
int BPF_PROG(on_mmap, struct accel_context *actx, u64 map_id, u64 offset, u64 bytes, bool write,
	     int ret, u64 duration_ns)
{
	struct accel_event e;

	if (!actx)
		return 0;
	head(&e, ACCEL_EV_MMAP);
	head_call(&e, actx);
	set_ret(&e, ret);
	e.time_ns = duration_ns;
	e.mmap.map = map_id;
	e.mmap.offset = offset;
	e.mmap.bytes = bytes;
	e.mmap.write = write;
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_munmap")
int BPF_PROG(on_munmap, struct accel_context *actx, u64 map_id, u64 bytes)
{
	struct accel_event e;

	if (!actx)
		return 0;
	head(&e, ACCEL_EV_MUNMAP);
	head_call(&e, actx);
	e.mmap.map = map_id;
	e.mmap.bytes = bytes;
	deliver(ctx, &e);
	return 0;
}

/* ------------------------------------------------------------------- memory */

SEC("tp_btf/accel_mem_pin")
int BPF_PROG(on_mem_pin, struct accel_context *actx, struct accel_mem *mem,
	     const struct accel_pin_times *times, int ret, u64 duration_ns)
{
	struct accel_event e;

	if (!actx || !mem || !times)
		return 0;
	head(&e, ACCEL_EV_MEM_PIN);
	head_call(&e, actx);
	set_ret(&e, ret);
	e.time_ns = duration_ns;
	e.pin.mem = mem->id;
	e.pin.bytes = mem->length;
	e.pin.pages = mem->npages;
	e.pin.folios = mem->nfolios;
	e.pin.segments = mem->nsegs;
	e.pin.flags = mem->flags;
	e.pin.way = mem->way;
	e.pin.faulted_pages = times->faulted_pages;
	e.pin.account_ns = times->account_ns;
	e.pin.fault_ns = times->fault_ns;
	e.pin.pin_ns = times->pin_ns;
	e.pin.gather_ns = times->gather_ns;
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_mem_unpin")
int BPF_PROG(on_mem_unpin, struct accel_context *actx, struct accel_mem *mem, bool dirty,
	     u64 duration_ns)
{
	struct accel_event e;

	if (!actx || !mem)
		return 0;
	head(&e, ACCEL_EV_MEM_UNPIN);
	head_call(&e, actx);
	e.time_ns = duration_ns;
	e.pin.mem = mem->id;
	e.pin.bytes = mem->length;
	e.pin.pages = mem->npages;
	e.pin.flags = dirty;
	e.pin.way = mem->way;
	deliver(ctx, &e);
	return 0;
}

static __always_inline int dma_event(void *ctx, u32 type, struct accel_context *actx,
				     struct accel_mem *mem, int ret, u64 ns, u64 iommu_ns)
{
	struct accel_event e;

	if (!actx || !mem)
		return 0;
	head(&e, type);
	head_call(&e, actx);
	set_ret(&e, ret);
	e.time_ns = ns;
	e.dma.mem = mem->id;
	e.dma.bytes = mem->length;
	e.dma.pages = mem->npages;
	e.dma.folios = mem->nfolios;
	e.dma.segments = mem->nsegs;
	e.dma.way = mem->way;
	e.dma.iommu_ns = iommu_ns;
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_dma_map")
int BPF_PROG(on_dma_map, struct accel_context *actx, struct accel_mem *mem, int ret,
	     u64 duration_ns, u64 iommu_ns)
{
	return dma_event(ctx, ACCEL_EV_DMA_MAP, actx, mem, ret, duration_ns,
			 iommu_ns);
}

SEC("tp_btf/accel_dma_unmap")
int BPF_PROG(on_dma_unmap, struct accel_context *actx, struct accel_mem *mem, int ret,
	     u64 duration_ns, u64 iommu_ns)
{
	return dma_event(ctx, ACCEL_EV_DMA_UNMAP, actx, mem, ret, duration_ns,
			 iommu_ns);
}

/* --------------------------------------------------------------------- jobs */

static __always_inline void job_fields(struct accel_event *e, struct accel_job *job)
{
	e->job.job = job->id;
	e->job.op = job->op;
	e->job.bytes = job->bytes;
	bpf_probe_read_kernel(e->job.engine, sizeof(e->job.engine), job->engine->name);
}

SEC("tp_btf/accel_job_queue")
int BPF_PROG(on_job_queue, struct accel_job *job, int ret)
{
	struct accel_event e;

	if (!job)
		return 0;
	head(&e, ACCEL_EV_JOB_QUEUE);
	head_call(&e, job->ctx);
	set_ret(&e, ret);
	job_fields(&e, job);
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_job_start")
int BPF_PROG(on_job_start, struct accel_job *job, u64 queue_ns)
{
	struct accel_event e;

	if (!job)
		return 0;
	head(&e, ACCEL_EV_JOB_START);
	head_async(&e, job->ctx);
	e.time_ns = queue_ns;
	job_fields(&e, job);
	e.job.queue_ns = queue_ns;
	deliver(ctx, &e);
	return 0;
}

SEC("tp_btf/accel_job_done")
int BPF_PROG(on_job_done, struct accel_job *job, int ret, u64 queue_ns, u64 run_ns,
	     u64 duration_ns)
{
	struct accel_event e;

	if (!job)
		return 0;
	head(&e, ACCEL_EV_JOB_DONE);
	head_async(&e, job->ctx);
	set_ret(&e, ret);
	e.time_ns = run_ns;
	job_fields(&e, job);
	e.job.queue_ns = queue_ns;
	e.job.run_ns = run_ns;
	e.job.total_ns = duration_ns;
	deliver(ctx, &e);
	return 0;
}

/* ---------------------------------------------------------- child processes */

/* Loaded with -f and COMMAND only. Threads come by here, too: their tgid is known. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	u32 from = parent->tgid, to = child->tgid;
	u8 one = 1;

	if (from != to && bpf_map_lookup_elem(&pids, &from))
		bpf_map_update_elem(&pids, &to, &one, BPF_ANY);
	return 0;
}
