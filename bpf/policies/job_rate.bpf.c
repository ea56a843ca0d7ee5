// SPDX-License-Identifier: GPL-2.0-only
/*
 * job-rate: a cgroup submits no more than so many jobs a second, in bursts of no more than
 * so many. Others are refused with EAGAIN, or wait in their engine's queue.
 *
 * A bucket is one number: the time at which it will be full again. A token taken makes that
 * an interval later; there is one as long as it is not a whole bucket of intervals ahead.
 */
#include "tenant.bpf.h"
#include "job_rate.h"
#include "paths.h"

char LICENSE[] SEC("license") = "GPL";

struct job_rate_settings settings SEC(".bss.settings");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct job_rate_limit);
} limits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct job_rate_bucket);
} buckets SEC(".maps");

/* A job that is to be held back has its tokens taken by whoever asks first. */
struct job_rate_job {
	u64 tenant;
	u32 has_token;
	u32 was_held;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_JOBS);
	__type(key, u64);
	__type(value, struct job_rate_job);
} jobs SEC(".maps");

static struct job_rate_bucket *bucket_of(u64 tenant)
{
	struct job_rate_bucket *bucket = bpf_map_lookup_elem(&buckets, &tenant);
	struct job_rate_bucket empty = {};

	if (bucket)
		return bucket;
	bpf_map_update_elem(&buckets, &tenant, &empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&buckets, &tenant);
}

static bool take(struct job_rate_bucket *bucket, u64 tenant)
{
	struct job_rate_limit *limit = bpf_map_lookup_elem(&limits, &tenant);
	u64 interval, burst, now = bpf_ktime_get_ns(), full;
	int tries;

	if (!limit)
		limit = &settings.def;
	interval = limit->interval_ns;
	burst = limit->burst;
	if (interval) {
		/* somebody else took one meanwhile: look again, but not for ever */
		for (tries = 0; tries < 64; tries++) {
			full = bucket->full_ns;
			if (full > now && full - now > (burst - 1) * interval)
				return false;
			if (__sync_val_compare_and_swap(&bucket->full_ns, full,
							(full > now ? full : now) + interval) == full)
				break;
		}
		if (tries == 64)
			return false;
	}
	__sync_fetch_and_add(&bucket->taken, 1);
	return true;
}

SEC("struct_ops/open")
int BPF_PROG(job_rate_open, struct accel_context *actx)
{
	return tenant_open(actx, settings.level);
}

SEC("struct_ops/job_submit")
int BPF_PROG(job_rate_submit, struct accel_context *actx, struct accel_job *job)
{
	struct job_rate_bucket *bucket;
	struct job_rate_job held = {};
	u64 id = job->id;
	int ret;

	ret = tenant_get(actx, settings.level, &held.tenant);
	if (ret)
		return ret;
	bucket = bucket_of(held.tenant);
	if (!bucket)
		return 0;
	if (settings.hold) {
		/* without an entry it is not held */
		bpf_map_update_elem(&jobs, &id, &held, BPF_ANY);
		return 0;
	}
	if (take(bucket, held.tenant))
		return 0;
	__sync_fetch_and_add(&bucket->refused, 1);
	return -EAGAIN;
}

SEC("struct_ops/job_start")
int BPF_PROG(job_rate_start, struct accel_context *actx, struct accel_job *job)
{
	struct job_rate_bucket *bucket;
	struct job_rate_job *held;
	u64 id = job->id;

	held = bpf_map_lookup_elem(&jobs, &id);
	if (!held || held->has_token)
		return 0;
	bucket = bucket_of(held->tenant);
	if (!bucket)
		return 0;
	/* the policy may have been told meanwhile to refuse: what is queued goes */
	if (!settings.hold || take(bucket, held->tenant)) {
		held->has_token = 1;
		return 0;
	}
	if (!held->was_held) {
		held->was_held = 1;
		__sync_fetch_and_add(&bucket->refused, 1);
	}
	return -EAGAIN;
}

SEC("struct_ops/job_done")
void BPF_PROG(job_rate_done, struct accel_context *actx, struct accel_job *job)
{
	u64 id = job->id;

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
