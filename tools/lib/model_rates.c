// SPDX-License-Identifier: GPL-2.0-only
/* Differences between two snapshots. The rules are in model.h. */
#include "model.h"

#include <string.h>

/* What is counted of an engine and of a context's use of one. */
struct counters {
	uint64_t jobs;
	uint64_t errors;
	uint64_t bytes;
	uint64_t busy_ns;
	uint64_t wait_ns;
};

static const struct counters zero;

uint64_t accel_counter_delta(uint64_t old, uint64_t new)
{
	return new > old ? new - old : 0;
}

double accel_util(uint64_t busy_ns, uint64_t elapsed_ns, uint32_t capacity)
{
	double util;

	if (!elapsed_ns)
		return 0;
	util = (double)busy_ns / elapsed_ns / (capacity ? capacity : 1);
	return util > 1 ? 1 : util;
}

static struct counters engine_counters(const struct accel_engine_info *e)
{
	return (struct counters){ e->jobs, e->errors, e->bytes, e->busy_ns, e->wait_ns };
}

static struct counters usage_counters(const struct accel_usage_info *u)
{
	return (struct counters){ u->jobs, u->errors, u->bytes, u->busy_ns, u->wait_ns };
}

/* Time that an object was read, or the snapshot's own where the source does not know. */
static uint64_t time_of(uint64_t own, const struct accel_snapshot *snap)
{
	return own ? own : snap->begin_ns + (snap->end_ns - snap->begin_ns) / 2;
}

static void add_difference(struct accel_rates *out, const struct counters *old,
			   const struct counters *new)
{
	/*
	 * busy_ns and wait_ns may go back a little: of a job that runs or waits,
	 * the kernel adds what it lasted so far, by the reading cpu's clock.
	 * Numbers of ended jobs never do.
	 */
	if (new->jobs < old->jobs || new->errors < old->errors || new->bytes < old->bytes)
		out->valid = false;
	out->jobs += accel_counter_delta(old->jobs, new->jobs);
	out->errors += accel_counter_delta(old->errors, new->errors);
	out->bytes += accel_counter_delta(old->bytes, new->bytes);
	out->busy_ns += accel_counter_delta(old->busy_ns, new->busy_ns);
	out->wait_ns += accel_counter_delta(old->wait_ns, new->wait_ns);
}

static void finish(struct accel_rates *out, uint32_t capacity)
{
	double seconds = out->elapsed_ns / 1e9;

	if (!out->valid || !out->elapsed_ns) {
		memset(out, 0, sizeof(*out));
		return;
	}
	out->util = accel_util(out->busy_ns, out->elapsed_ns, capacity);
	out->jobs_s = out->jobs / seconds;
	out->errors_s = out->errors / seconds;
	out->bytes_s = out->bytes / seconds;
	if (out->jobs) {
		out->wait_mean_ns = (double)out->wait_ns / out->jobs;
		out->run_mean_ns = (double)out->busy_ns / out->jobs;
	}
}

/* Ids ascend: one above all that the older snapshot knew is of a later device. */
static bool device_is_new(const struct accel_snapshot *old, const struct accel_device_info *dev)
{
	size_t d;

	if (!(dev->valid & ACCEL_DEV_ID))
		return false;
	for (d = 0; d < old->num_devices; d++)
		if (old->devices[d].id >= dev->id)
			return false;
	return true;
}

/* Opened after the older snapshot began to be read, by its age. */
static bool context_is_new(const struct accel_snapshot *old, const struct accel_context_info *ctx)
{
	return ctx->valid & ACCEL_CTX_AGE && ctx->time_ns >= ctx->age_ns &&
	       ctx->time_ns - ctx->age_ns >= old->begin_ns;
}

void accel_engine_rates(const struct accel_snapshot *old, const struct accel_snapshot *new,
			uint64_t dev_id, uint32_t engine, struct accel_rates *out)
{
	const struct accel_device_info *was = accel_snapshot_device_id(old, dev_id);
	const struct accel_device_info *is = accel_snapshot_device_id(new, dev_id);
	const struct accel_engine_info *e0 = was ? accel_device_engine(was, engine) : NULL;
	const struct accel_engine_info *e1 = is ? accel_device_engine(is, engine) : NULL;
	struct counters c0 = zero, c1;
	uint64_t t0, t1;

	memset(out, 0, sizeof(*out));
	if (!e1 || !(e1->valid & ACCEL_ENGINE_COUNTERS))
		return;
	if (e0 ? !(e0->valid & ACCEL_ENGINE_COUNTERS) : was || !device_is_new(old, is))
		return;
	if (e0)
		c0 = engine_counters(e0);
	c1 = engine_counters(e1);
	t0 = time_of(e0 ? e0->time_ns : 0, old);
	t1 = time_of(e1->time_ns, new);
	out->valid = true;
	out->elapsed_ns = accel_counter_delta(t0, t1);
	add_difference(out, &c0, &c1);
	finish(out, 1);
	/* the union of run times: no mean of a job's follows from it */
	out->run_mean_ns = 0;
}

/* Both readings of a context, and what its engines can do. */
struct pair {
	const struct accel_device_info *dev;
	const struct accel_context_info *old;	/* NULL: it is new */
	const struct accel_context_info *new;
	uint64_t elapsed_ns;
};

static bool find_pair(const struct accel_snapshot *old, const struct accel_snapshot *new,
		      uint64_t dev_id, uint64_t ctx_id, struct pair *p)
{
	const struct accel_device_info *was = accel_snapshot_device_id(old, dev_id);

	p->dev = accel_snapshot_device_id(new, dev_id);
	p->new = p->dev ? accel_device_context(p->dev, ctx_id) : NULL;
	p->old = was ? accel_device_context(was, ctx_id) : NULL;
	if (!p->new || (!p->old && !context_is_new(old, p->new)))
		return false;
	p->elapsed_ns = accel_counter_delta(time_of(p->old ? p->old->time_ns : 0, old),
					    time_of(p->new->time_ns, new));
	return true;
}

static uint32_t depth_of(const struct accel_device_info *dev, uint32_t engine)
{
	const struct accel_engine_info *e = accel_device_engine(dev, engine);

	return e && e->valid & ACCEL_ENGINE_DEPTH && e->depth ? e->depth : 1;
}

static void add_usage(struct accel_rates *out, const struct pair *p,
		      const struct accel_usage_info *u1)
{
	const struct accel_usage_info *u0 = p->old ? accel_context_usage(p->old, u1->engine) : NULL;
	struct counters c0 = u0 ? usage_counters(u0) : zero;
	struct counters c1 = usage_counters(u1);

	add_difference(out, &c0, &c1);
}

void accel_usage_rates(const struct accel_snapshot *old, const struct accel_snapshot *new,
		       uint64_t dev_id, uint64_t ctx_id, uint32_t engine,
		       struct accel_rates *out)
{
	const struct accel_usage_info *u1;
	struct pair p;

	memset(out, 0, sizeof(*out));
	if (!find_pair(old, new, dev_id, ctx_id, &p))
		return;
	u1 = accel_context_usage(p.new, engine);
	if (!u1)
		return;
	out->valid = true;
	out->elapsed_ns = p.elapsed_ns;
	add_usage(out, &p, u1);
	finish(out, depth_of(p.dev, engine));
}

static void device_total(const struct accel_snapshot *old, const struct accel_snapshot *new,
			 const struct accel_device_info *dev, struct accel_rates *out)
{
	struct accel_rates one;
	double util = 0;
	size_t e;

	for (e = 0; e < dev->num_engines; e++) {
		accel_engine_rates(old, new, dev->id, dev->engines[e].index, &one);
		if (!one.valid) {
			memset(out, 0, sizeof(*out));
			return;
		}
		out->valid = true;
		if (one.elapsed_ns > out->elapsed_ns)
			out->elapsed_ns = one.elapsed_ns;
		out->jobs += one.jobs;
		out->errors += one.errors;
		out->bytes += one.bytes;
		out->busy_ns += one.busy_ns;
		out->wait_ns += one.wait_ns;
		util += one.util;
	}
	finish(out, 1);
	out->run_mean_ns = 0;
	if (out->valid)
		out->util = util / dev->num_engines;
}

void accel_total_rates(const struct accel_snapshot *old, const struct accel_snapshot *new,
		       uint64_t dev_id, uint64_t ctx_id, struct accel_rates *out)
{
	const struct accel_device_info *dev = accel_snapshot_device_id(new, dev_id);
	uint32_t capacity = 0;
	struct pair p;
	size_t u;

	memset(out, 0, sizeof(*out));
	if (!dev)
		return;
	if (!ctx_id) {
		device_total(old, new, dev, out);
		return;
	}
	if (!find_pair(old, new, dev_id, ctx_id, &p))
		return;
	out->valid = true;
	out->elapsed_ns = p.elapsed_ns;
	for (u = 0; u < p.new->num_usage; u++) {
		add_usage(out, &p, &p.new->usage[u]);
		capacity += depth_of(dev, p.new->usage[u].engine);
	}
	finish(out, capacity);
}

void accel_op_rates(const struct accel_snapshot *old, const struct accel_snapshot *new,
		    uint64_t dev_id, uint64_t ctx_id, const char *op,
		    struct accel_op_rates *out)
{
	const struct accel_device_info *was = accel_snapshot_device_id(old, dev_id);
	const struct accel_device_info *is = accel_snapshot_device_id(new, dev_id);
	const struct accel_op_info *o0 = NULL, *o1 = NULL;
	struct pair p;

	memset(out, 0, sizeof(*out));
	if (ctx_id) {
		if (!find_pair(old, new, dev_id, ctx_id, &p))
			return;
		o1 = accel_op_find(p.new->ops, p.new->num_ops, op);
		o0 = p.old ? accel_op_find(p.old->ops, p.old->num_ops, op) : NULL;
		out->elapsed_ns = p.elapsed_ns;
		if (p.old && !o0)
			return;
	} else {
		if (!is || (!was && !device_is_new(old, is)))
			return;
		o1 = accel_op_find(is->ops, is->num_ops, op);
		o0 = was ? accel_op_find(was->ops, was->num_ops, op) : NULL;
		out->elapsed_ns = accel_counter_delta(time_of(0, old), time_of(0, new));
		if (was && !o0)
			return;
	}
	if (!o1 || !out->elapsed_ns)
		return;
	if (o0 && (o1->calls < o0->calls || o1->errors < o0->errors))
		return;
	out->valid = true;
	out->calls = o1->calls - (o0 ? o0->calls : 0);
	out->errors = o1->errors - (o0 ? o0->errors : 0);
	out->calls_s = out->calls / (out->elapsed_ns / 1e9);
	out->errors_s = out->errors / (out->elapsed_ns / 1e9);
}
