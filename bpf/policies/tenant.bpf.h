/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose a context is: the cgroup in which its file was opened, or that cgroup's ancestor
 * at a certain depth, so that nobody becomes two tenants by making sub-cgroups.
 *
 * Found as the file is opened and remembered: later, who has opened it may have left the cgroup
 * and removed it, and be whoever it likes; and looking for it is not possible with
 * interrupts off. So a file that was open before the policy came, and whose cgroup is gone, is
 * refused: whose it is nobody knows any more.
 */
#ifndef _TENANT_BPF_H
#define _TENANT_BPF_H

#include "accel_policy.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_CONTEXTS);
	__type(key, u64);	/* id of a context */
	__type(value, u64);	/* id of a cgroup */
} tenants SEC(".maps");

#define TENANT_SWEEP_NS	100000000ULL

static u64 tenants_swept_ns SEC(".bss.swept");

/* The ancestor of @cgroup_id at depth @level, or itself if it is not that deep. 0: it is gone. */
static __always_inline u64 tenant_find(u64 cgroup_id, u32 level)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(cgroup_id), *up;
	u64 id = cgroup_id;

	if (!cgrp)
		return 0;
	/* nobody has set it: the children of the root */
	if (!level)
		level = 1;
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

/*
 * In a process, where it may have to be looked for. Fills in @tenant; or -ENOENT: the cgroup is
 * gone, -ENOMEM: too many contexts.
 */
static __always_inline int tenant_get(struct accel_context *actx, u32 level, u64 *tenant)
{
	u64 id = actx->id, *known = bpf_map_lookup_elem(&tenants, &id);

	if (known) {
		*tenant = *known;
		return 0;
	}
	*tenant = tenant_find(actx->cgroup_id, level);
	if (!*tenant)
		return -ENOENT;
	return bpf_map_update_elem(&tenants, &id, tenant, BPF_ANY) ? -ENOMEM : 0;
}

/* For the hook open. */
static __always_inline int tenant_open(struct accel_context *actx, u32 level)
{
	u64 tenant;

	return tenant_get(actx, level, &tenant);
}

/* Of a context that was opened before the policy was there nobody tells: its entry stays. */
static __always_inline void tenant_forget(struct accel_context *actx)
{
	u64 id = actx->id;

	bpf_map_delete_elem(&tenants, &id);
}

/*
 * A table of tenants is full: may it be looked through for those that can go? Now and then only:
 * it takes long.
 */
static __always_inline bool tenant_may_sweep(u64 now)
{
	u64 last = tenants_swept_ns;

	return now - last >= TENANT_SWEEP_NS &&
	       __sync_val_compare_and_swap(&tenants_swept_ns, last, now) == last;
}

#endif /* _TENANT_BPF_H */
