/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* job-rate's maps, as the program and who sets it see them. */
#ifndef _JOB_RATE_H
#define _JOB_RATE_H

#ifndef __bpf__
#include <linux/bpf.h>
#include <linux/types.h>
#endif

/* A token bucket: so many jobs a second in the long run, so many at once. 0 a second: any. */
struct job_rate_limit {
	__u64 interval_ns;	/* between two tokens; 0: no limit */
	__u64 burst;		/* tokens that there are at most; 0: 1 */
};

/* What the core's parameter policy_hold_ms is if nobody has changed it. */
#define JOB_RATE_HOLD_MS	30000

/* Map ".bss.settings". */
struct job_rate_settings {
	struct job_rate_limit def;
	__u32 level;		/* depth of the cgroups that have a bucket */
	__u32 hold;		/* 1: jobs wait in the queue, 0: are refused with EAGAIN */
	__u32 hold_ms;		/* for how long at most; 0: JOB_RATE_HOLD_MS */
	__u32 unused;
};

/* Map "limits": id of a cgroup -> struct job_rate_limit. */

/* Map "buckets", of so many cgroups: id of a cgroup -> this. */
#define JOB_RATE_BUCKETS	4096

struct job_rate_bucket {
	struct bpf_spin_lock lock;
	__u32 jobs;		/* that have not ended */
	__u64 tenant;		/* its key; another: it is no longer in the map */
	__u64 full_ns;		/* when it will be full again; CLOCK_MONOTONIC */
	__u64 taken;
	__u64 refused;		/* or were told to wait, each job once */
	__u32 waiting;		/* of @jobs: those that have no token yet */
	__u32 unused;
};

#endif /* _JOB_RATE_H */
