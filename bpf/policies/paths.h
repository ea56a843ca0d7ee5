/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What cgroups were called that something was set for. */
#ifndef _POLICIES_PATHS_H
#define _POLICIES_PATHS_H

/* Map "paths": id of a cgroup -> struct policy_cgroup_path. */
struct policy_cgroup_path {
	char text[256];		/* from the mount point of cgroup2; longer ones are not kept */
};

#ifdef __bpf__
/*
 * A program goes by ids, which end with their cgroups; a service that is started again has
 * another. This map no program reads: accelctl finds by it what has come back.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct policy_cgroup_path);
} paths SEC(".maps");
#endif

#endif /* _POLICIES_PATHS_H */
