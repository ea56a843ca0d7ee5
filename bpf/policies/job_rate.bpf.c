// SPDX-License-Identifier: GPL-2.0-only
/*
 * job-rate: a cgroup submits no more than so many jobs a second, in bursts of no more than
 * so many. Others are refused with EAGAIN, or wait in their engine's queue.
 *
 * A bucket is one number: the time at which it will be full again. A token taken makes that
 * an interval later; there is one as long as it is not a whole bucket of intervals ahead.
 *
 * The core starts what waits for longer than policy_hold_ms, of each file by itself. So that this
 * gains nobody anything, no more jobs may wait than get their tokens in that time, in however
 * many files, and what starts without a token is charged for it as it ends.
 */
#include "tenant.bpf.h"
#include "job_rate.h"
#include "paths.h"

char LICENSE[] SEC("license") = "GPL";

#define NS_PER_MS	1000000ULL

/* Of what comes by and by, this much may be lost: how late an engine asks, in the worst case. */
#define LATE_NS		(16 * NS_PER_MS)

struct job_rate_settings settings SEC(".bss.settings");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct job_rate_limit);
} limits SEC(".maps");

/* None is dropped but those that are as good as new: who is refused one gets no job through. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, JOB_RATE_BUCKETS);
	__type(key, u64);
	__type(value, struct job_rate_bucket);
} buckets SEC(".maps");

/* Of each job that has not ended. One that is held back takes its token when it is asked for. */
struct job_rate_job {
	u64 tenant;
	u64 token_ns;		/* when time alone has replaced its token; 0: it has none yet */
	u64 was_held;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_JOBS);
	__type(key, u64);
	__type(value, struct job_rate_job);
} jobs SEC(".maps");

struct bpf_map;

/* Nobody's job counts in it, and it is full: as one that is made anew. */
static long drop_idle(struct bpf_map *map, u64 *tenant, struct job_rate_bucket *bucket, u64 *now)
{
	bool idle;

	bpf_spin_lock(&bucket->lock);
	idle = !bucket->jobs && bucket->full_ns <= *now;
	if (idle)
		bucket->tenant = 0;
	bpf_spin_unlock(&bucket->lock);
	if (idle)
		bpf_map_delete_elem(&buckets, tenant);
	return 0;
}

/* To be found, or to be made; NULL: there are too many. */
static struct job_rate_bucket *bucket_of(u64 tenant)
{
	struct job_rate_bucket *bucket = bpf_map_lookup_elem(&buckets, &tenant);
	struct job_rate_bucket empty = { .tenant = tenant };
	u64 now = bpf_ktime_get_ns();

	if (bucket)
		return bucket;
	if (bpf_map_update_elem(&buckets, &tenant, &empty, BPF_NOEXIST) == -E2BIG) {
		if (!tenant_may_sweep(now))
			return NULL;
		bpf_for_each_map_elem(&buckets, drop_idle, &now, 0);
		bpf_map_update_elem(&buckets, &tenant, &empty, BPF_NOEXIST);
	}
	return bpf_map_lookup_elem(&buckets, &tenant);
}

/* A copy: it may be set meanwhile. */
static __always_inline struct job_rate_limit limit_of(u64 tenant)
{
	struct job_rate_limit *own = bpf_map_lookup_elem(&limits, &tenant);
	struct job_rate_limit limit = own ? *own : settings.def;

	/* nobody has set it: a bucket that holds nothing would be none */
	if (!limit.burst)
		limit.burst = 1;
	return limit;
}

/* These three under the bucket's lock. */

static __always_inline bool has_token(const struct job_rate_bucket *bucket,
				      const struct job_rate_limit *limit, u64 now)
{
	return !limit->interval_ns || bucket->full_ns <= now ||
	       bucket->full_ns - now <= (limit->burst - 1) * limit->interval_ns;
}

/* Its job's token_ns. Also if there is none: into debt. */
static __always_inline u64 take(struct job_rate_bucket *bucket, const struct job_rate_limit *limit,
				u64 now)
{
	if (limit->interval_ns)
		bucket->full_ns = (bucket->full_ns > now ? bucket->full_ns : now) +
				  limit->interval_ns;
	bucket->taken++;
	return now + limit->interval_ns;
}

/* For how long one job more would wait, behind those that wait already. */
static __always_inline u64 wait_ns(const struct job_rate_bucket *bucket,
				   const struct job_rate_limit *limit, u64 now)
{
	u64 tokens = bucket->waiting + 1;

	if (!limit->interval_ns)
		return 0;
	if (bucket->full_ns > now)
		tokens += (bucket->full_ns - now + limit->interval_ns - 1) / limit->interval_ns;
	if (tokens <= limit->burst)
		return 0;
	return (tokens - limit->burst) * (limit->interval_ns + LATE_NS / limit->burst);
}

/* A job that never started. What time has given back since is not given twice. */
static __always_inline void refund(struct job_rate_bucket *bucket, u64 token_ns, u64 now)
{
	if (token_ns > now)
		bucket->full_ns -= token_ns - now;
	bucket->taken--;
}

SEC("struct_ops/open")
int BPF_PROG(job_rate_open, struct accel_context *actx)
{
	return tenant_open(actx, settings.level);
}

/* Count a job, with a token or one that it waits for. -EAGAIN; -ESTALE: the bucket was dropped */
static __always_inline int enter(struct job_rate_bucket *bucket, struct job_rate_job *entry)
{
	struct job_rate_limit limit = limit_of(entry->tenant);
	u64 now = bpf_ktime_get_ns(), most = (settings.hold_ms ?: JOB_RATE_HOLD_MS) * NS_PER_MS;
	bool hold = settings.hold;
	int ret = 0;

	bpf_spin_lock(&bucket->lock);
	if (bucket->tenant != entry->tenant) {
		ret = -ESTALE;
	} else if (bucket->jobs >= POLICY_TENANT_JOBS ||
		   (hold ? wait_ns(bucket, &limit, now) > most : !has_token(bucket, &limit, now))) {
		bucket->refused++;
		ret = -EAGAIN;
	} else {
		bucket->jobs++;
		if (hold)
			bucket->waiting++;
		else
			entry->token_ns = take(bucket, &limit, now);
	}
	bpf_spin_unlock(&bucket->lock);
	return ret;
}

/* The end of what enter() has counted. */
static __always_inline void leave(struct job_rate_bucket *bucket, const struct job_rate_job *entry,
				  bool started)
{
	struct job_rate_limit limit = limit_of(entry->tenant);
	u64 now = bpf_ktime_get_ns(), token_ns = entry->token_ns;

	bpf_spin_lock(&bucket->lock);
	bucket->jobs--;
	if (!token_ns)
		bucket->waiting--;
	/* it was not for us to decide, and counts all the same */
	if (started && !token_ns)
		take(bucket, &limit, now);
	else if (!started && token_ns)
		refund(bucket, token_ns, now);
	bpf_spin_unlock(&bucket->lock);
}

SEC("struct_ops/job_submit")
int BPF_PROG(job_rate_submit, struct accel_context *actx, struct accel_job *job)
{
	struct job_rate_job entry = {};
	struct job_rate_bucket *bucket;
	u64 id = job->id;
	int ret, tries;

	ret = tenant_get(actx, settings.level, &entry.tenant);
	if (ret)
		return ret;
	for (tries = 0, ret = -ESTALE; tries < 4 && ret == -ESTALE; tries++) {
		bucket = bucket_of(entry.tenant);
		if (!bucket)
			return -ENOMEM;
		ret = enter(bucket, &entry);
	}
	if (ret)
		return -EAGAIN;
	if (!bpf_map_update_elem(&jobs, &id, &entry, BPF_ANY))
		return 0;
	leave(bucket, &entry, false);
	return -ENOMEM;
}

SEC("struct_ops/job_start")
int BPF_PROG(job_rate_start, struct accel_context *actx, struct accel_job *job)
{
	struct job_rate_bucket *bucket;
	struct job_rate_limit limit;
	struct job_rate_job *entry;
	u64 id = job->id, tenant, token_ns = 0, now;
	bool hold, was_held;

	/* without one, it is older than the policy */
	entry = bpf_map_lookup_elem(&jobs, &id);
	if (!entry || entry->token_ns)
		return 0;
	tenant = entry->tenant;
	/* which is not dropped while this job counts in it */
	bucket = bpf_map_lookup_elem(&buckets, &tenant);
	if (!bucket)
		return -EAGAIN;
	limit = limit_of(tenant);
	now = bpf_ktime_get_ns();
	hold = settings.hold;
	was_held = entry->was_held;
	bpf_spin_lock(&bucket->lock);
	/* the policy may have been told meanwhile to refuse: what is queued goes */
	if (!hold || has_token(bucket, &limit, now)) {
		token_ns = take(bucket, &limit, now);
		bucket->waiting--;
	} else if (!was_held) {
		bucket->refused++;
	}
	bpf_spin_unlock(&bucket->lock);
	entry->token_ns = token_ns;
	entry->was_held = 1;
	return token_ns ? 0 : -EAGAIN;
}

SEC("struct_ops/job_done")
void BPF_PROG(job_rate_done, struct accel_context *actx, struct accel_job *job)
{
	struct job_rate_bucket *bucket;
	struct job_rate_job *entry;
	u64 id = job->id, tenant;

	entry = bpf_map_lookup_elem(&jobs, &id);
	if (!entry)
		return;
	tenant = entry->tenant;
	bucket = bpf_map_lookup_elem(&buckets, &tenant);
	if (bucket)
		leave(bucket, entry, job->started_ns);
	bpf_map_delete_elem(&jobs, &id);
}

SEC("struct_ops/context_close")
void BPF_PROG(job_rate_close, struct accel_context *actx)
{
	tenant_forget(actx);
}

SEC(".struct_ops.link")
struct accel_policy_ops job_rate = {
	.open = (void *)job_rate_open,
	.job_submit = (void *)job_rate_submit,
	.job_start = (void *)job_rate_start,
	.job_done = (void *)job_rate_done,
	.context_close = (void *)job_rate_close,
	.name = "job-rate",
};
