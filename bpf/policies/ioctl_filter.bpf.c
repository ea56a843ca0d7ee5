// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl-filter: refuse commands by their number, to everybody, or on a device, to a user,
 * to a cgroup and all below it, or to who is all of these. A number for which there is no
 * rule costs a look at one bit.
 */
#include "accel_policy.h"
#include "ioctl_filter.h"

char LICENSE[] SEC("license") = "GPL";

struct ioctl_filter_rule rules[IOCTL_FILTER_RULES] SEC(".bss.rules");
struct ioctl_filter_numbers numbers SEC(".bss.numbers");

/* Was the file of @actx opened in the rule's cgroup, or below? */
static __noinline bool is_below(u64 cgroup_id, u64 of, int level)
{
	struct cgroup *cgrp, *up;
	bool below = false;

	if (cgroup_id == of)
		return true;
	cgrp = bpf_cgroup_from_id(cgroup_id);
	if (!cgrp)
		return false;
	if (level >= 0 && level < cgrp->level) {
		up = bpf_cgroup_ancestor(cgrp, level);
		if (up) {
			below = up->kn->id == of;
			bpf_cgroup_release(up);
		}
	}
	bpf_cgroup_release(cgrp);
	return below;
}

SEC("struct_ops/ioctl")
int BPF_PROG(ioctl_filter_ioctl, struct accel_context *actx, unsigned int cmd, const u64 *arg)
{
	u32 number = cmd & 0xff, i;

	if (!(numbers.bits[number / 64] >> (number % 64) & 1))
		return 0;
	for (i = 0; i < IOCTL_FILTER_RULES; i++) {
		struct ioctl_filter_rule *rule = &rules[i];
		u32 flags = rule->flags;

		if (!(flags & IOCTL_FILTER_USED) || rule->number != number)
			continue;
		if (flags & IOCTL_FILTER_DEVICE && rule->device != actx->adev->index)
			continue;
		if (flags & IOCTL_FILTER_USER && rule->uid != actx->uid)
			continue;
		if (flags & IOCTL_FILTER_CGROUP &&
		    !is_below(actx->cgroup_id, rule->cgroup_id, rule->level))
			continue;
		__sync_fetch_and_add(&rule->hits, 1);
		return -(int)rule->error;
	}
	return 0;
}

SEC(".struct_ops.link")
struct accel_policy_ops ioctl_filter = {
	.ioctl = (void *)ioctl_filter_ioctl,
	.name = "ioctl-filter",
};
