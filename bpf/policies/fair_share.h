/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fair-share's maps, as the program and who sets it see them. */
#ifndef _FAIR_SHARE_H
#define _FAIR_SHARE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define FAIR_SHARE_WEIGHT	100	/* the default, as of cgroup's cpu.weight */
#define FAIR_SHARE_WEIGHT_MAX	10000

/* Tenants that use an engine at a time; what is more shares the last place. */
#define FAIR_SHARE_FLOWS	32

/* Tenants that have jobs which have not ended, on all engines. */
#define FAIR_SHARE_TENANTS	4096

/* Map ".bss.settings". */
struct fair_share_settings {
	__u32 weight;		/* of who has none of its own; 0: FAIR_SHARE_WEIGHT */
	__u32 level;		/* depth of the cgroups that are tenants */
};

/* Map "weights": id of a cgroup -> __u32 weight. */

/* Map "engines": number of the device << 32 | engine -> struct fair_share_engine. */
struct fair_share_flow {
	__u64 tenant;
	__u64 tag;		/* virtual time at which its next job starts */
	__u64 estimate_ns;	/* of a job: the mean of the last ones */
	__u64 busy_ns;		/* of the jobs that ended */
	__u64 jobs;		/* those */
	__u64 held;		/* how often it was told to wait */
	__u64 asked;		/* fair_share_engine.asks, when it last was */
	__u32 weight;
	__u32 waiting;		/* jobs in the queue */
	__u32 running;
	__u32 used;
};

struct fair_share_engine {
	struct bpf_spin_lock lock;
	__u32 unused;
	__u64 now;		/* virtual time: the tag of the last job that started */
	__u64 last;		/* the largest tag so far */
	__u64 asks;
	struct fair_share_flow flows[FAIR_SHARE_FLOWS];
};

#endif /* _FAIR_SHARE_H */
