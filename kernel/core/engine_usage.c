// SPDX-License-Identifier: GPL-2.0-only
/* What engines have done, in all and for each context, read while they do more. */
#include <linux/ktime.h>

#include "core.h"

/**
 * accel_engine_load - how long an engine's queue is
 * @engine: the engine
 *
 * Context: any.
 * Return: jobs that wait or run; already old when it is read.
 */
unsigned int accel_engine_load(struct accel_engine *engine)
{
	return READ_ONCE(engine->num_queued) + READ_ONCE(engine->num_running);
}
EXPORT_SYMBOL_NS_GPL(accel_engine_load, ACCEL_EXPORT_NS);

/**
 * accel_engine_read - an engine's counters, all of one moment
 * @engine: the engine
 * @count: filled in
 *
 * Context: any.
 */
void accel_engine_read(struct accel_engine *engine, struct accel_engine_count *count)
{
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	count->queued = engine->num_queued;
	count->running = engine->num_running;
	count->jobs = engine->jobs;
	count->errors = engine->errors;
	count->bytes = engine->bytes;
	count->wait_ns = engine->wait_ns;
	count->busy_ns = accel_engine_busy_ns(engine, ktime_get_ns());
	spin_unlock_irqrestore(&engine->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(accel_engine_read);

/**
 * accel_engine_read_usage - one context's share of an engine, all of one moment
 * @engine: the engine
 * @ctx: a context of its device
 * @count: filled in; busy_ns is the sum of its jobs' run times, which on an engine
 *	of depth n may grow n times as fast as the clock
 *
 * Context: any.
 */
void accel_engine_read_usage(struct accel_engine *engine, struct accel_context *ctx,
			     struct accel_engine_count *count)
{
	const struct accel_engine_usage *usage = &ctx->usage[engine->index];
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	count->queued = usage->unended - usage->running;
	count->running = usage->running;
	count->jobs = usage->jobs;
	count->errors = usage->errors;
	count->bytes = usage->bytes;
	count->wait_ns = usage->wait_ns;
	count->busy_ns = usage->run_ns;
	if (usage->running)
		count->busy_ns += usage->running * ktime_get_ns() - usage->running_since_sum;
	spin_unlock_irqrestore(&engine->lock, flags);
}
EXPORT_SYMBOL_IF_KUNIT(accel_engine_read_usage);

/**
 * accel_engine_started - jobs of a context that an engine has begun and is not through with
 * @engine: the engine
 * @ctx: a context of its device
 *
 * Context: any.
 * Return: those that run, and those that have ended and still hold regions.
 */
u32 accel_engine_started(struct accel_engine *engine, struct accel_context *ctx)
{
	const struct accel_engine_usage *usage = &ctx->usage[engine->index];
	unsigned long flags;
	u32 started;

	spin_lock_irqsave(&engine->lock, flags);
	/* all but those that are queued */
	started = usage->unretired - (usage->unended - usage->running);
	spin_unlock_irqrestore(&engine->lock, flags);
	return started;
}
