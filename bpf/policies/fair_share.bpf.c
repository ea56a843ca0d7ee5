// SPDX-License-Identifier: GPL-2.0-only
/*
 * fair-share: while several tenants want an engine, each gets its share of the engine's
 * time, by weight; who is alone gets all of it.
 *
 * Start-time fair queueing. Each tenant has a tag, the virtual time at which its next job
 * starts: a job moves it on by its run time, divided by the tenant's weight. The one with the
 * lowest tag is the next. How long a job runs is not known before it has: it is charged
 * with an estimate as it starts, and corrected as it ends. Who had nothing to do comes back
 * with the tag of who runs now, or its own if that is higher: idleness earns nothing, and no
 * debt is forgotten.
 *
 * The engine asks for the first job of each file, not for those that wait for fences. So a
 * tenant may be told to wait for another one that cannot go. It notices: when it is asked
 * again and nobody has asked for that other one in between, that one is not ready, and it
 * may go. The engine looks twice before it sleeps, so no time is lost.
 */
#include "tenant.bpf.h"
#include "fair_share.h"
#include "paths.h"

char LICENSE[] SEC("license") = "GPL";

struct fair_share_settings settings SEC(".bss.settings");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} weights SEC(".maps");

/* By the number of the device, which is used again: so the map does not grow for ever. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct fair_share_engine);
} engines SEC(".maps");

/* A job that was submitted, until it has ended. */
struct fair_share_job {
	u32 flow;
	u32 charged;		/* it may start, or has started */
	u64 charge;		/* what its tenant's tag was moved on by */
	u64 held_for;		/* fair_share_engine.asks, when it last was told to wait */
	u64 tenant;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_JOBS);
	__type(key, u64);
	__type(value, struct fair_share_job);
} jobs SEC(".maps");

/* What a tenant has in "jobs", of all engines. Without any it can go. */
struct fair_share_tenant {
	struct bpf_spin_lock lock;
	u32 jobs;
	u64 tenant;		/* its key; another: it is no longer in the map */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FAIR_SHARE_TENANTS);
	__type(key, u64);
	__type(value, struct fair_share_tenant);
} job_counts SEC(".maps");

struct bpf_map;

/* What fills a place that nobody has had yet. */
struct fair_share_engine new_engine SEC(".rodata.engine");

static u64 engine_key(struct accel_context *actx, struct accel_job *job)
{
	return (u64)actx->adev->index << 32 | bpf_accel_job_engine(job);
}

static u32 weight_of(u64 tenant)
{
	u32 *own = bpf_map_lookup_elem(&weights, &tenant), weight = own ? *own : settings.weight;

	return weight ?: FAIR_SHARE_WEIGHT;
}

static __always_inline u64 virtual_ns(u64 ns, u32 weight)
{
	return ns * FAIR_SHARE_WEIGHT / (weight ?: FAIR_SHARE_WEIGHT);
}

/* The tenant's place among those of the engine. The lock is held. */
static __always_inline u32 flow_get(struct fair_share_engine *engine, u64 tenant)
{
	u32 place = FAIR_SHARE_FLOWS - 1, i;

	for (i = 0; i < FAIR_SHARE_FLOWS; i++) {
		struct fair_share_flow *flow = &engine->flows[i];

		if (flow->used && flow->tenant == tenant)
			return i;
		/* free, or of somebody who is gone and owes nothing */
		if (place == FAIR_SHARE_FLOWS - 1 &&
		    (!flow->used || (!flow->waiting && !flow->running && flow->tag <= engine->now)))
			place = i;
	}
	if (engine->flows[place].waiting || engine->flows[place].running)
		return place;	/* the last one, which is shared */
	engine->flows[place].tenant = tenant;
	engine->flows[place].tag = 0;
	engine->flows[place].estimate_ns = 0;
	engine->flows[place].busy_ns = 0;
	engine->flows[place].jobs = 0;
	engine->flows[place].held = 0;
	engine->flows[place].asked = 0;
	engine->flows[place].used = 1;
	return place;
}

static long drop_idle(struct bpf_map *map, u64 *tenant, struct fair_share_tenant *count, void *arg)
{
	bool idle;

	bpf_spin_lock(&count->lock);
	idle = !count->jobs;
	if (idle)
		count->tenant = 0;
	bpf_spin_unlock(&count->lock);
	if (idle)
		bpf_map_delete_elem(&job_counts, tenant);
	return 0;
}

/* To be found, or to be made; NULL: there are too many. */
static struct fair_share_tenant *count_of(u64 tenant)
{
	struct fair_share_tenant *count = bpf_map_lookup_elem(&job_counts, &tenant);
	struct fair_share_tenant none = { .tenant = tenant };

	if (count)
		return count;
	if (bpf_map_update_elem(&job_counts, &tenant, &none, BPF_NOEXIST) == -E2BIG) {
		if (!tenant_may_sweep(bpf_ktime_get_ns()))
			return NULL;
		bpf_for_each_map_elem(&job_counts, drop_idle, NULL, 0);
		bpf_map_update_elem(&job_counts, &tenant, &none, BPF_NOEXIST);
	}
	return bpf_map_lookup_elem(&job_counts, &tenant);
}

/* One job more. -ENOMEM: too many tenants, -EAGAIN: it has too many. */
static int count_job(u64 tenant)
{
	struct fair_share_tenant *count;
	bool counted = false, dropped = true;
	int tries;

	for (tries = 0; tries < 4 && dropped; tries++) {
		count = count_of(tenant);
		if (!count)
			return -ENOMEM;
		bpf_spin_lock(&count->lock);
		dropped = count->tenant != tenant;
		counted = !dropped && count->jobs < POLICY_TENANT_JOBS;
		if (counted)
			count->jobs++;
		bpf_spin_unlock(&count->lock);
	}
	return counted ? 0 : -EAGAIN;
}

static void uncount_job(u64 tenant)
{
	struct fair_share_tenant *count = bpf_map_lookup_elem(&job_counts, &tenant);

	if (!count)
		return;
	bpf_spin_lock(&count->lock);
	count->jobs--;
	bpf_spin_unlock(&count->lock);
}

SEC("struct_ops/open")
int BPF_PROG(fair_share_open, struct accel_context *actx)
{
	return tenant_open(actx, settings.level);
}

SEC("struct_ops/job_submit")
int BPF_PROG(fair_share_submit, struct accel_context *actx, struct accel_job *job)
{
	u64 tenant, key = engine_key(actx, job), id = job->id;
	struct fair_share_engine *engine = bpf_map_lookup_elem(&engines, &key);
	struct fair_share_job new = {};
	struct fair_share_flow *flow;
	u32 weight;
	int ret;

	ret = tenant_get(actx, settings.level, &tenant);
	if (ret)
		return ret;
	weight = weight_of(tenant);
	if (!engine) {
		bpf_map_update_elem(&engines, &key, &new_engine, BPF_NOEXIST);
		engine = bpf_map_lookup_elem(&engines, &key);
		if (!engine)
			return -ENOMEM;
	}
	ret = count_job(tenant);
	if (ret)
		return ret;
	new.tenant = tenant;
	bpf_spin_lock(&engine->lock);
	new.flow = flow_get(engine, tenant);
	flow = &engine->flows[new.flow & (FAIR_SHARE_FLOWS - 1)];
	flow->weight = weight;
	if (!flow->waiting && !flow->running && flow->tag < engine->now)
		flow->tag = engine->now;
	flow->waiting++;
	bpf_spin_unlock(&engine->lock);
	if (!bpf_map_update_elem(&jobs, &id, &new, BPF_ANY))
		return 0;
	/* it would start whenever it likes, at nobody's charge */
	bpf_spin_lock(&engine->lock);
	flow->waiting--;
	bpf_spin_unlock(&engine->lock);
	uncount_job(tenant);
	return -ENOMEM;
}

/* Is there somebody who should go first, and can? The lock is held. */
static __always_inline bool has_to_wait(struct fair_share_engine *engine,
					struct fair_share_flow *flow, u64 held_for)
{
	bool wait = false;
	u32 i;

	for (i = 0; i < FAIR_SHARE_FLOWS; i++) {
		struct fair_share_flow *other = &engine->flows[i];

		if (!other->waiting || other->tag >= flow->tag)
			continue;
		/* this job was asked for before, and since then none of the other's was */
		if (held_for && other->asked < held_for)
			continue;
		wait = true;
	}
	return wait;
}

SEC("struct_ops/job_start")
int BPF_PROG(fair_share_start, struct accel_context *actx, struct accel_job *job)
{
	u64 key = engine_key(actx, job), id = job->id;
	struct fair_share_job *entry = bpf_map_lookup_elem(&jobs, &id);
	struct fair_share_engine *engine;
	struct fair_share_flow *flow;
	bool wait;

	/* without one, it is older than the policy */
	if (!entry)
		return 0;
	engine = bpf_map_lookup_elem(&engines, &key);
	if (!engine)
		return -EAGAIN;
	bpf_spin_lock(&engine->lock);
	flow = &engine->flows[entry->flow & (FAIR_SHARE_FLOWS - 1)];
	flow->asked = ++engine->asks;
	/* each question may be asked again, but for the one before the start */
	if (entry->charged)
		wait = false;
	else
		wait = has_to_wait(engine, flow, entry->held_for);
	if (wait) {
		entry->held_for = engine->asks;
		flow->held++;
	} else if (!entry->charged) {
		flow->waiting--;
		flow->running++;
		if (engine->now < flow->tag)
			engine->now = flow->tag;
		entry->charged = 1;
		entry->charge = virtual_ns(flow->estimate_ns, flow->weight);
		flow->tag += entry->charge;
		if (engine->last < flow->tag)
			engine->last = flow->tag;
	}
	bpf_spin_unlock(&engine->lock);
	return wait ? -EAGAIN : 0;
}

SEC("struct_ops/job_done")
void BPF_PROG(fair_share_done, struct accel_context *actx, struct accel_job *job)
{
	u64 key = engine_key(actx, job), id = job->id, ran = 0, tenant;
	struct fair_share_job *entry = bpf_map_lookup_elem(&jobs, &id);
	struct fair_share_engine *engine = bpf_map_lookup_elem(&engines, &key);
	struct fair_share_flow *flow;
	u32 weight, i, busy = 0;

	if (!entry)
		return;
	uncount_job(entry->tenant);
	if (!engine)
		goto forget;
	if (job->started_ns)
		ran = job->done_ns - job->started_ns;
	/* as it is now: a new weight holds from here on */
	tenant = engine->flows[entry->flow & (FAIR_SHARE_FLOWS - 1)].tenant;
	weight = weight_of(tenant);
	bpf_spin_lock(&engine->lock);
	flow = &engine->flows[entry->flow & (FAIR_SHARE_FLOWS - 1)];
	flow->weight = weight;
	/* without a charge it was cancelled in the queue, or started against our will */
	if (!entry->charged) {
		flow->waiting--;
	} else {
		flow->running--;
		flow->tag -= entry->charge;
	}
	flow->tag += virtual_ns(ran, weight);
	if (ran) {
		flow->busy_ns += ran;
		flow->jobs++;
		flow->estimate_ns = flow->estimate_ns ? (flow->estimate_ns * 3 + ran) / 4 : ran;
	}
	if (engine->last < flow->tag)
		engine->last = flow->tag;
	for (i = 0; i < FAIR_SHARE_FLOWS; i++)
		busy |= engine->flows[i].waiting | engine->flows[i].running;
	/* the next ones all begin anew: nobody is ahead of anybody */
	if (!busy)
		engine->now = engine->last;
	bpf_spin_unlock(&engine->lock);
forget:
	bpf_map_delete_elem(&jobs, &id);
}

SEC("struct_ops/context_close")
void BPF_PROG(fair_share_close, struct accel_context *actx)
{
	tenant_forget(actx);
}

SEC(".struct_ops.link")
struct accel_policy_ops fair_share = {
	.open = (void *)fair_share_open,
	.job_submit = (void *)fair_share_submit,
	.job_start = (void *)fair_share_start,
	.job_done = (void *)fair_share_done,
	.context_close = (void *)fair_share_close,
	.name = "fair-share",
};
