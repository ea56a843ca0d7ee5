// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate: every operation on a device or a context passes it, and it alone
 * knows about liveness, timing, counting and tracing.
 *
 * An operation begins (counted as in flight, timed when its tracepoint is
 * enabled), enters and leaves any number of times, and ends (counted, traced).
 * Between enter and leave it holds a reference that keeps the device registered:
 * this is where the driver may be called. Nothing that user space can prolong
 * happens there: copying from and to its memory, faulting its pages in, waiting
 * for its jobs are all done outside, so that a device can always go.
 *
 * The reference is a percpu_ref. Entering and leaving takes 44 instructions, where
 * SRCU takes 26, of which two are full memory barriers: on a real processor they make
 * it cost two to five times as much as the percpu_ref. A read-write semaphore costs as
 * much as SRCU, and more with each processor. To close, percpu_ref and SRCU take a
 * grace period; but percpu_ref's runs while somebody is inside, so that it is drained
 * half a millisecond after the last one left, SRCU 15 to 20. And it takes one word per
 * processor, where SRCU takes 384 bytes. docs/benchmarks.md has the figures. Who is
 * inside neither of them knows: the counters do, see drain.c.
 */
#include <linux/ktime.h>
#include <linux/pm_runtime.h>

#include "gate.h"

static void trace_open(const struct accel_call *call, long ret, u64 ns)
{
	trace_accel_context_open(call->ctx, ret, ns);
}

static void trace_close(const struct accel_call *call, long ret, u64 ns)
{
	trace_accel_context_close(call->ctx, ret, ns);
}

static void trace_ioctl_enter(const struct accel_call *call)
{
	trace_accel_ioctl_enter(call->ctx, call->u.ioctl.cmd);
}

static void trace_ioctl(const struct accel_call *call, long ret, u64 ns)
{
	trace_accel_ioctl(call->ctx, call->u.ioctl.cmd, call->u.ioctl.name, ret, ns);
}

static void trace_mmap(const struct accel_call *call, long ret, u64 ns)
{
	trace_accel_mmap(call->ctx, call->u.mmap.map_id, call->u.mmap.offset,
			 call->u.mmap.bytes, call->u.mmap.write, ret, ns);
}

static void trace_mem_pin(const struct accel_call *call, long ret, u64 ns)
{
	trace_accel_mem_pin(call->ctx, call->u.mem.mem, call->u.mem.times, ret, ns);
}

static void trace_mem_unpin(const struct accel_call *call, long ret, u64 ns)
{
	trace_accel_mem_unpin(call->ctx, call->u.mem.mem, call->u.mem.dirty, ns);
}

static void trace_dma_map(const struct accel_call *call, long ret, u64 ns)
{
	trace_accel_dma_map(call->ctx, call->u.mem.mem, ret, ns, call->u.mem.iommu_ns);
}

static void trace_dma_unmap(const struct accel_call *call, long ret, u64 ns)
{
	trace_accel_dma_unmap(call->ctx, call->u.mem.mem, ret, ns, call->u.mem.iommu_ns);
}

/* A job that is taken is traced as it joins its queue, see accel_call_queue_job(). */
static void trace_job(const struct accel_call *call, long ret, u64 ns)
{
	if (ret < 0)
		trace_accel_job_queue(call->u.job, ret);
}

/* NOTRACE, the kernel's word for a file without: built so to measure what they cost */
#ifdef TRACEPOINTS_ENABLED
#define TP(event)	(&__tracepoint_accel_##event)
#else
#define TP(event)	NULL
#endif

const struct accel_op_desc accel_ops[ACCEL_OP_NR] = {
	[ACCEL_OP_OPEN] = { "open", -ENXIO, TP(context_open), trace_open },
	[ACCEL_OP_CLOSE] = { "close", 0, TP(context_close), trace_close },
	[ACCEL_OP_IOCTL] = { "ioctl", -ENODEV, TP(ioctl), trace_ioctl,
			     TP(ioctl_enter), trace_ioctl_enter },
	[ACCEL_OP_MMAP] = { "mmap", -ENODEV, TP(mmap), trace_mmap },
	[ACCEL_OP_FAULT] = { "fault", -ENODEV },
	[ACCEL_OP_MEM_PIN] = { "mem_pin", -ENODEV, TP(mem_pin), trace_mem_pin },
	[ACCEL_OP_MEM_UNPIN] = { "mem_unpin", 0, TP(mem_unpin), trace_mem_unpin },
	[ACCEL_OP_DMA_MAP] = { "dma_map", -ENODEV, TP(dma_map), trace_dma_map },
	[ACCEL_OP_DMA_UNMAP] = { "dma_unmap", 0, TP(dma_unmap), trace_dma_unmap },
	[ACCEL_OP_JOB] = { "job_submit", -ENODEV, TP(job_queue), trace_job },
};

/**
 * accel_op_name - what users see an operation called
 * @op: the operation
 *
 * Return: a constant string.
 */
const char *accel_op_name(enum accel_op op)
{
	return accel_ops[op].name;
}

/**
 * accel_call_observe_begin - time a call, and trace it
 * @call: a call that begins, and to which somebody may be listening
 */
void accel_call_observe_begin(struct accel_call *call)
{
	const struct accel_op_desc *op = &accel_ops[call->op];

	if (accel_tp_enabled(op->ended))
		call->start_ns = ktime_get_ns();
	if (op->begin)
		op->begin(call);
}

/**
 * accel_call_observe_end - trace a call with its duration
 * @call: a call that ends, and to which somebody may be listening
 * @ret: its result
 */
void accel_call_observe_end(struct accel_call *call, long ret)
{
	accel_ops[call->op].end(call, ret,
				call->start_ns ? ktime_get_ns() - call->start_ns : 0);
}

/* An ioctl as others see it. */
static struct accel_call accel_ioctl_as_call(struct accel_context *ctx, unsigned int cmd,
					     u64 start_ns)
{
	const struct accel_ioctl_desc *desc = accel_ioctl_find(ctx->opened_node, cmd);

	return (struct accel_call) {
		.ctx = ctx,
		.op = ACCEL_OP_IOCTL,
		.start_ns = start_ns,
		.u.ioctl = { .cmd = cmd, .name = desc ? desc->name : NULL },
	};
}

/**
 * accel_ioctl_observe_begin - accel_call_observe_begin() of an ioctl
 * @ctx: the context
 * @cmd: the command
 *
 * Return: when it began, for accel_ioctl_observe_end(); 0: its end is not timed.
 */
u64 accel_ioctl_observe_begin(struct accel_context *ctx, unsigned int cmd)
{
	struct accel_call call = accel_ioctl_as_call(ctx, cmd, 0);

	accel_call_observe_begin(&call);
	return call.start_ns;
}

/**
 * accel_ioctl_observe_end - accel_call_observe_end() of an ioctl
 * @ctx: the context
 * @cmd: the command
 * @start_ns: when it began
 * @ret: its result
 */
void accel_ioctl_observe_end(struct accel_context *ctx, unsigned int cmd, u64 start_ns, long ret)
{
	struct accel_call call = accel_ioctl_as_call(ctx, cmd, start_ns);

	accel_call_observe_end(&call, ret);
}

/**
 * accel_call_begin - an operation begins
 * @call: its ctx, op and u are set, the rest is zero
 *
 * Always followed by accel_call_end(), whatever it answers.
 *
 * Context: any in which the operation itself may run.
 * Return: 0, or what the operation is to end with: the device is gone.
 */
int accel_call_begin(struct accel_call *call)
{
	return __accel_call_begin(call, call->op, call->ctx, call->ctx->adev);
}
EXPORT_SYMBOL_IF_KUNIT(accel_call_begin);

/* Why it cannot is between the driver and the PM core: its -EINVAL would mislead users. */
int __accel_power_get(struct accel_device *adev)
{
	return pm_runtime_resume_and_get(adev->dev.parent) ? -EIO : 0;
}

void __accel_power_put(struct accel_device *adev)
{
	pm_runtime_mark_last_busy(adev->dev.parent);
	pm_runtime_put_autosuspend(adev->dev.parent);
}

/**
 * accel_call_enter - keep the device from going, to call its driver
 * @call: a call that has begun and is not inside
 *
 * Context: process; may sleep where the device uses runtime PM.
 * Return: 0; inside until accel_call_leave() or _end(). Or a negative errno: the
 * device is gone, or -EIO: it could not be resumed.
 */
int accel_call_enter(struct accel_call *call)
{
	int ret = __accel_enter(call->op, call->ctx, call->ctx->adev);

	call->held = !ret;
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(accel_call_enter);

/**
 * accel_call_leave - the device may go again
 * @call: a call that is inside
 */
void accel_call_leave(struct accel_call *call)
{
	call->held = false;
	__accel_leave(call->op, call->ctx, call->ctx->adev);
}
EXPORT_SYMBOL_IF_KUNIT(accel_call_leave);

/**
 * accel_call_end - an operation ends: counted and traced
 * @call: a call that has begun, inside or not
 * @ret: its result
 *
 * Return: @ret.
 */
long accel_call_end(struct accel_call *call, long ret)
{
	__accel_call_end(call, call->op, call->ctx, call->ctx->adev, ret);
	if (call->held)
		accel_call_leave(call);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(accel_call_end);

/**
 * accel_call_queue_job - a job joins its engine's queue
 * @call: of ACCEL_OP_JOB, inside
 *
 * Apart from accel_call_end(), so that it comes before the job's start.
 *
 * Context: the engine's lock is held.
 */
void accel_call_queue_job(struct accel_call *call)
{
	trace_accel_job_queue(call->u.job, 0);
}

/**
 * accel_stats_sum - read the counters of one operation
 * @stats: a context's or a device's
 * @op: the operation
 * @sum: filled in; each figure is exact once nothing is in flight
 */
void accel_stats_sum(const struct accel_op_stats __percpu *stats, enum accel_op op,
		     struct accel_op_count *sum)
{
	u64 begun = 0, ended = 0, entered = 0, left = 0, errors = 0;
	int cpu;

	/* Ends before begins: what begins in between is seen as in flight, not as -1. */
	for_each_possible_cpu(cpu) {
		ended += READ_ONCE(per_cpu_ptr(stats, cpu)->ended[op]);
		left += READ_ONCE(per_cpu_ptr(stats, cpu)->left[op]);
		errors += READ_ONCE(per_cpu_ptr(stats, cpu)->errors[op]);
	}
	smp_rmb(); /* the comment above */
	for_each_possible_cpu(cpu) {
		begun += READ_ONCE(per_cpu_ptr(stats, cpu)->begun[op]);
		entered += READ_ONCE(per_cpu_ptr(stats, cpu)->entered[op]);
	}
	sum->calls = ended;
	sum->errors = errors;
	sum->inflight = begun > ended ? begun - ended : 0;
	sum->held = entered > left ? entered - left : 0;
}
EXPORT_SYMBOL_IF_KUNIT(accel_stats_sum);

static void accel_gate_released(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct accel_device, gate)->drained);
}

/**
 * accel_gate_init - make a device's gate, open
 * @adev: the device
 *
 * Return: 0 or -ENOMEM.
 */
int accel_gate_init(struct accel_device *adev)
{
	int ret;

	init_completion(&adev->drained);
	adev->stats = alloc_percpu(struct accel_op_stats);
	if (!adev->stats)
		return -ENOMEM;
	ret = percpu_ref_init(&adev->gate, accel_gate_released, 0, GFP_KERNEL);
	if (ret) {
		free_percpu(adev->stats);
		adev->stats = NULL;
	}
	return ret;
}

/**
 * accel_gate_destroy - free a gate
 * @adev: the device; nothing is inside, or it was never registered
 */
void accel_gate_destroy(struct accel_device *adev)
{
	percpu_ref_exit(&adev->gate);
	free_percpu(adev->stats);
}

/**
 * accel_gate_is_open - whether operations are let in
 * @adev: the device
 *
 * Return: true until accel_gate_close(). Only accel_call_enter() keeps it so.
 */
bool accel_gate_is_open(struct accel_device *adev)
{
	return !percpu_ref_is_dying(&adev->gate);
}
EXPORT_SYMBOL_IF_KUNIT(accel_gate_is_open);

/**
 * accel_gate_close - let no operation in any more, for ever
 * @adev: the device
 */
void accel_gate_close(struct accel_device *adev)
{
	percpu_ref_kill(&adev->gate);
}
EXPORT_SYMBOL_IF_KUNIT(accel_gate_close);

/**
 * accel_gate_drain - wait until nothing is inside a closed gate
 * @adev: the device
 *
 * Context: process, sleeps for as long as the driver's callbacks take.
 */
void accel_gate_drain(struct accel_device *adev)
{
	wait_for_completion(&adev->drained);
}
EXPORT_SYMBOL_IF_KUNIT(accel_gate_drain);
