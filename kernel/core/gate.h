/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate's fast paths, see gate.c. Inlined where the operation is known at build
 * time and there may be many a second: the ioctl, and what obtains and ends a region.
 * All others call the functions of the same names without the underscores.
 */
#ifndef _ACCEL_GATE_H
#define _ACCEL_GATE_H

#include <trace/events/accel.h>

#include "core.h"

/*
 * What differs between operations: one line each in gate.c, and nothing else to extend.
 * @begin and @end are called when somebody listens to their tracepoint, and only then:
 * an indirect call is dear. Calls are timed when somebody listens to @ended.
 */
struct accel_op_desc {
	const char *name;
	int gone;		/* what it answers when the device is */
	const struct tracepoint *ended;
	void (*end)(const struct accel_call *call, long ret, u64 ns);
	const struct tracepoint *begun;
	void (*begin)(const struct accel_call *call);
};

extern const struct accel_op_desc accel_ops[ACCEL_OP_NR];

void accel_call_observe_begin(struct accel_call *call);
void accel_call_observe_end(struct accel_call *call, long ret);

/*
 * Where the operation is not known at build time: the key's count, and not a static
 * branch, nor static_key_enabled(), which is a call. -1: is being switched on.
 */
static inline bool accel_tp_enabled(const struct tracepoint *tp)
{
#ifdef TRACEPOINTS_ENABLED
	/* a struct static_key, or by kernel version one with nothing but it inside */
	return tp && atomic_read(&((const struct static_key *)&tp->key)->enabled);
#else
	return false;
#endif
}

static __always_inline bool accel_end_observed(enum accel_op op)
{
	if (__builtin_constant_p(op)) {
		switch (op) {
		case ACCEL_OP_IOCTL:
			return trace_accel_ioctl_enabled();
		case ACCEL_OP_MEM_PIN:
			return trace_accel_mem_pin_enabled();
		case ACCEL_OP_MEM_UNPIN:
			return trace_accel_mem_unpin_enabled();
		case ACCEL_OP_DMA_MAP:
			return trace_accel_dma_map_enabled();
		case ACCEL_OP_DMA_UNMAP:
			return trace_accel_dma_unmap_enabled();
		default:
			break;
		}
	}
	return unlikely(accel_tp_enabled(accel_ops[op].ended));
}

/* Only an ioctl has an event of its own when it begins. */
static __always_inline bool accel_begin_observed(enum accel_op op)
{
	if (__builtin_constant_p(op) && op != ACCEL_OP_IOCTL)
		return accel_end_observed(op);
	if (__builtin_constant_p(op))
		return trace_accel_ioctl_enabled() || trace_accel_ioctl_enter_enabled();
	return unlikely(accel_tp_enabled(accel_ops[op].ended) ||
			accel_tp_enabled(accel_ops[op].begun));
}

/*
 * One more of @counters (begun, entered, …), of the context and of its device. Both are
 * parameters, so that the compiler need not look them up again after each call.
 */
static __always_inline void accel_count(struct accel_context *ctx, struct accel_device *adev,
					enum accel_op op, size_t counters)
{
	size_t offset = counters + op * sizeof(u64);

	this_cpu_inc(*(u64 __percpu *)((void __percpu *)ctx->stats + offset));
	this_cpu_inc(*(u64 __percpu *)((void __percpu *)adev->stats + offset));
}

#define ACCEL_COUNT(ctx, adev, op, counter) \
	accel_count(ctx, adev, op, offsetof(struct accel_op_stats, counter))

static __always_inline int __accel_call_begin(struct accel_call *call, enum accel_op op,
					      struct accel_context *ctx,
					      struct accel_device *adev)
{
	ACCEL_COUNT(ctx, adev, op, begun);
	if (accel_begin_observed(op))
		accel_call_observe_begin(call);
	if (unlikely(percpu_ref_is_dying(&adev->gate)))
		return accel_ops[op].gone;
	return 0;
}

/*
 * percpu_ref_tryget_live() and percpu_ref_put(), with preemption off in place of
 * rcu_read_lock(), which is a call: to RCU, and so to who closes the gate, both are readers.
 */
static __always_inline bool accel_gate_tryget(struct percpu_ref *gate)
{
	unsigned long __percpu *count;
	bool got;

	preempt_disable_notrace();
	got = __ref_is_percpu(gate, &count);
	if (likely(got))
		this_cpu_inc(*count);
	preempt_enable_notrace();
	return likely(got) || percpu_ref_tryget_live(gate);
}

static __always_inline void accel_gate_put(struct percpu_ref *gate)
{
	unsigned long __percpu *count;
	bool put;

	preempt_disable_notrace();
	put = __ref_is_percpu(gate, &count);
	if (likely(put))
		this_cpu_dec(*count);
	preempt_enable_notrace();
	if (unlikely(!put))
		percpu_ref_put(gate);
}

/* A page fault calls no driver, and what it maps may be memory: it resumes nothing. */
static __always_inline bool accel_op_powers(enum accel_op op, const struct accel_device *adev)
{
	return unlikely(adev->runtime_pm) && op != ACCEL_OP_FAULT;
}

static __always_inline int __accel_enter(enum accel_op op, struct accel_context *ctx,
					 struct accel_device *adev)
{
	if (unlikely(!accel_gate_tryget(&adev->gate)))
		return accel_ops[op].gone;
	if (accel_op_powers(op, adev)) {
		int ret = accel_power_get(adev);

		if (ret) {
			accel_gate_put(&adev->gate);
			return ret;
		}
	}
	ACCEL_COUNT(ctx, adev, op, entered);
	return 0;
}

static __always_inline void __accel_leave(enum accel_op op, struct accel_context *ctx,
					  struct accel_device *adev)
{
	if (accel_op_powers(op, adev))
		accel_power_put(adev);
	ACCEL_COUNT(ctx, adev, op, left);
	accel_gate_put(&adev->gate);
}

static __always_inline void __accel_call_end(struct accel_call *call, enum accel_op op,
					     struct accel_context *ctx,
					     struct accel_device *adev, long ret)
{
	ACCEL_COUNT(ctx, adev, op, ended);
	if (unlikely(ret < 0))
		ACCEL_COUNT(ctx, adev, op, errors);
	if (accel_end_observed(op))
		accel_call_observe_end(call, ret);
}

/*
 * The same for an ioctl, without a struct accel_call while nobody listens: to fill one in
 * takes longer than to count. Whether the device is alive its caller asks itself.
 */
u64 accel_ioctl_observe_begin(struct accel_context *ctx, unsigned int cmd);
void accel_ioctl_observe_end(struct accel_context *ctx, unsigned int cmd, u64 start_ns, long ret);

static __always_inline u64 accel_ioctl_begin(struct accel_context *ctx, struct accel_device *adev,
					     unsigned int cmd)
{
	ACCEL_COUNT(ctx, adev, ACCEL_OP_IOCTL, begun);
	return accel_begin_observed(ACCEL_OP_IOCTL) ? accel_ioctl_observe_begin(ctx, cmd) : 0;
}

static __always_inline void accel_ioctl_end(struct accel_context *ctx, struct accel_device *adev,
					    unsigned int cmd, u64 start_ns, long ret)
{
	ACCEL_COUNT(ctx, adev, ACCEL_OP_IOCTL, ended);
	if (unlikely(ret < 0))
		ACCEL_COUNT(ctx, adev, ACCEL_OP_IOCTL, errors);
	if (accel_end_observed(ACCEL_OP_IOCTL))
		accel_ioctl_observe_end(ctx, cmd, start_ns, ret);
}

/*
 * The same for what is done to regions, with a @call that is not cleared: only its
 * start_ns is set when nobody listens, as the rest takes longer than to count. It is filled
 * in behind the very branch that uses it, since somebody may begin to listen at any time.
 */
static __always_inline void accel_mem_call(struct accel_call *call, enum accel_op op,
					   struct accel_mem *mem)
{
	call->ctx = mem->ctx;
	call->op = op;
	call->u.mem.mem = mem;
}

static __always_inline int accel_mem_begin(struct accel_call *call, enum accel_op op,
					   struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	struct accel_device *adev = ctx->adev;

	ACCEL_COUNT(ctx, adev, op, begun);
	call->start_ns = 0;
	if (accel_begin_observed(op)) {
		accel_mem_call(call, op, mem);
		accel_call_observe_begin(call);
	}
	if (unlikely(percpu_ref_is_dying(&adev->gate)))
		return accel_ops[op].gone;
	return 0;
}

static __always_inline void accel_mem_end(struct accel_call *call, enum accel_op op,
					  struct accel_mem *mem, long ret)
{
	struct accel_context *ctx = mem->ctx;
	struct accel_device *adev = ctx->adev;

	ACCEL_COUNT(ctx, adev, op, ended);
	if (unlikely(ret < 0))
		ACCEL_COUNT(ctx, adev, op, errors);
	if (accel_end_observed(op)) {
		accel_mem_call(call, op, mem);
		accel_call_observe_end(call, ret);
	}
}

#endif /* _ACCEL_GATE_H */
