/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* job-rate's maps, as the program and who sets it see them. */
#ifndef _JOB_RATE_H
#define _JOB_RATE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* A token bucket: so many jobs a second in the long run, so many at once. 0 a second: any. */
struct job_rate_limit {
	__u64 interval_ns;	/* between two tokens; 0: no limit */
	__u64 burst;		/* tokens that there are at most, 1 or more */
};

/* Map ".bss.settings". */
struct job_rate_settings {
	struct job_rate_limit def;
	__u32 level;		/* depth of the cgroups that have a bucket */
	__u32 hold;		/* 1: jobs wait in the queue, 0: are refused with EAGAIN */
};

/* Map "limits": id of a cgroup -> struct job_rate_limit. */

/* Map "buckets": id of a cgroup -> this. */
struct job_rate_bucket {
	__u64 full_ns;		/* when it will be full again; CLOCK_MONOTONIC */
	__u64 taken;
	__u64 refused;		/* or were told to wait, each job once */
};

#endif /* _JOB_RATE_H */
