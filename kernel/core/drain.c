// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds up an unplug. A watch beside it, so that it does not matter what the
 * unplug itself waits for, or which of the driver's callbacks it is in: calls that are
 * inside the gate, jobs that the hardware or a run callback does not end, the end of a
 * context. Where it is none of these, it tells where the unplug is.
 */
#include <linux/ktime.h>
#include <trace/events/accel.h>

#include "core.h"

unsigned int accel_drain_warn_ms = 1000;

/* In tracepoints, beside enum accel_op: jobs that have started and not given all back. */
#define ACCEL_DRAIN_JOB_RUN	32
/* And where the unplug is, no context is to blame: this, and enum accel_drain_phase. */
#define ACCEL_DRAIN_PHASE	64

static const char * const accel_drain_phases[ACCEL_DRAIN_NR] = {
	[ACCEL_DRAIN_LOCK] = "for a change of its state",
	[ACCEL_DRAIN_POWER] = "for the hardware to be resumed",
	[ACCEL_DRAIN_CANCEL] = "for the driver's cancel",
	[ACCEL_DRAIN_ENGINES] = "for its engines",
	[ACCEL_DRAIN_GATE] = "for its gate",
	[ACCEL_DRAIN_MAPPINGS] = "for its mappings",
	[ACCEL_DRAIN_CONTEXTS] = "for its contexts",
	[ACCEL_DRAIN_IOMMUFD] = "for iommufd",
	[ACCEL_DRAIN_DEBUGFS] = "for texts of debugfs",
	[ACCEL_DRAIN_SYSFS] = "for attributes in sysfs",
	[ACCEL_DRAIN_NODES] = "for its nodes to be deleted",
};

static void accel_drain_report(struct accel_context *ctx, int op, const char *what, u32 count,
			       u64 waited_ns)
{
	trace_accel_unplug_drain(ctx->adev, ctx->id, op, count, waited_ns);
	dev_warn(&ctx->adev->dev,
		 "unplug waits for %u %s of context %llu (%*pE, pid %u) since %llu ms\n",
		 count, what, ctx->id, (int)strlen(ctx->comm), ctx->comm, ctx->tgid,
		 div_u64(waited_ns, NSEC_PER_MSEC));
}

/*
 * What one context has to do with it; calls inside the gate are added to @held.
 * Return: whether it has.
 */
static bool accel_drain_context(struct accel_context *ctx, u64 *held, u64 waited_ns)
{
	struct accel_device *adev = ctx->adev;
	struct accel_op_count sum;
	bool closing, any = false;
	unsigned int i;
	u32 jobs = 0;
	int op;

	for (op = 0; op < ACCEL_OP_NR; op++) {
		accel_stats_sum(ctx->stats, op, &sum);
		held[op] += sum.held;
		any |= sum.held;
		if (sum.held)
			accel_drain_report(ctx, op, accel_op_name(op), sum.held, waited_ns);
	}
	for (i = 0; i < adev->num_engines; i++)
		jobs += accel_engine_started(adev->engines[i], ctx);
	if (jobs)
		accel_drain_report(ctx, ACCEL_DRAIN_JOB_RUN, "job_run", jobs, waited_ns);
	closing = READ_ONCE(ctx->closing);
	if (closing)
		accel_drain_report(ctx, ACCEL_OP_CLOSE, accel_op_name(ACCEL_OP_CLOSE), 1,
				   waited_ns);
	return any || jobs || closing;
}

static void accel_drain_report_phase(struct accel_drain *drain, u64 waited_ns)
{
	enum accel_drain_phase phase = READ_ONCE(drain->phase);

	trace_accel_unplug_drain(drain->adev, 0, ACCEL_DRAIN_PHASE + phase, 1, waited_ns);
	dev_warn(&drain->adev->dev, "unplug waits %s since %llu ms\n", accel_drain_phases[phase],
		 div_u64(waited_ns, NSEC_PER_MSEC));
}

static void accel_drain_next(struct accel_drain *drain)
{
	unsigned int ms = max(READ_ONCE(accel_drain_warn_ms), 1u);

	/* One more: a timeout of n ticks may end just after n - 1. */
	queue_delayed_work(system_unbound_wq, &drain->work, msecs_to_jiffies(ms) + 1);
}

static void accel_drain_look(struct work_struct *work)
{
	struct accel_drain *drain = container_of(work, struct accel_drain, work.work);
	u64 waited_ns = ktime_get_ns() - drain->start_ns;
	struct accel_device *adev = drain->adev;
	u64 of_contexts[ACCEL_OP_NR] = {};
	struct accel_op_count sum;
	struct accel_context *ctx;
	bool any = false;
	u64 id;
	int op;

	for (ctx = accel_context_next(adev, 0); ctx; ctx = accel_context_next(adev, id + 1)) {
		id = ctx->id;
		any |= accel_drain_context(ctx, of_contexts, waited_ns);
		accel_context_put(ctx);
	}
	for (op = 0; op < ACCEL_OP_NR; op++) {
		accel_stats_sum(adev->stats, op, &sum);
		if (sum.held <= of_contexts[op])
			continue;
		any = true;
		trace_accel_unplug_drain(adev, 0, op, sum.held - of_contexts[op], waited_ns);
	}
	if (!any)
		accel_drain_report_phase(drain, waited_ns);
	accel_drain_next(drain);
}

/**
 * accel_drain_begin - watch an unplug
 * @drain: on the stack of who unplugs, until accel_drain_end()
 * @adev: the device
 *
 * Each time the module parameter drain_warn_ms has passed, the tracepoint
 * accel_unplug_drain and the log tell who is waited for, or where, see
 * accel_drain_enter(), it is.
 *
 * Context: process.
 */
void accel_drain_begin(struct accel_drain *drain, struct accel_device *adev)
{
	drain->adev = adev;
	drain->phase = ACCEL_DRAIN_LOCK;
	drain->start_ns = ktime_get_ns();
	INIT_DELAYED_WORK_ONSTACK(&drain->work, accel_drain_look);
	accel_drain_next(drain);
}

/**
 * accel_drain_end - the unplug waits for nobody any more
 * @drain: from accel_drain_begin()
 *
 * Context: process, sleeps while a report is being made.
 */
void accel_drain_end(struct accel_drain *drain)
{
	cancel_delayed_work_sync(&drain->work);
	destroy_delayed_work_on_stack(&drain->work);
}
