/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose a context is: the cgroup in which its file was opened, or that cgroup's ancestor
 * at a certain depth, so that nobody becomes two tenants by making sub-cgroups.
 *
 * Found once for each context and remembered: the cgroup may be gone before its file is
 * closed, and looking for it is not possible with interrupts off.
 */
#ifndef _TENANT_BPF_H
#define _TENANT_BPF_H

#include "accel_policy.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, u64);	/* id of a context */
	__type(value, u64);	/* id of a cgroup */
} tenants SEC(".maps");

/* The ancestor of @cgroup_id at depth @level, or itself if it is not that deep. */
static __always_inline u64 tenant_find(u64 cgroup_id, u32 level)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(cgroup_id), *up;
	u64 id = cgroup_id;

	if (!cgrp)
		return id;
	if (cgrp->level > (int)level) {
		up = bpf_cgroup_ancestor(cgrp, level);
		if (up) {
			id = up->kn->id;
			bpf_cgroup_release(up);
		}
	}
	bpf_cgroup_release(cgrp);
	return id;
}

/* In a process, where it may have to be looked for. */
static __always_inline u64 tenant_get(struct accel_context *actx, u32 level)
{
	u64 id = actx->id, *known = bpf_map_lookup_elem(&tenants, &id), tenant;

	if (known)
		return *known;
	tenant = tenant_find(actx->cgroup_id, level);
	bpf_map_update_elem(&tenants, &id, &tenant, BPF_ANY);
	return tenant;
}

/* Of a context that was opened before the policy was there nobody tells: its entry stays. */
static __always_inline void tenant_forget(struct accel_context *actx)
{
	u64 id = actx->id;

	bpf_map_delete_elem(&tenants, &id);
}

#endif /* _TENANT_BPF_H */
