// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl-filter: refuse commands by their number, to everybody, or on a device, to a user,
 * to a cgroup and all below it, or to who is all of these. A number for which there is no
 * rule costs a look at one bit.
 *
 * A file's cgroups are looked for as it is opened: later, who has opened it may have left them and
 * removed the last one. A file that was open before the policy came is looked for when a rule
 * asks; and where its cgroup is gone by then, it counts as one of any cgroup.
 */
#include "accel_policy.h"
#include "ioctl_filter.h"
#include "paths.h"

char LICENSE[] SEC("license") = "GPL";

struct ioctl_filter_rule rules[IOCTL_FILTER_RULES] SEC(".bss.rules");
struct ioctl_filter_numbers numbers SEC(".bss.numbers");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_CONTEXTS);
	__type(key, u64);
	__type(value, struct ioctl_filter_file);
} files SEC(".maps");

/* Functions that are not static are verified once, and not on each path to them. */

/* Remember the cgroups of a file. @cgroup_id is its own, the last one. */
__noinline int add_file(u64 id, u64 cgroup_id)
{
	struct cgroup *cgrp = bpf_cgroup_from_id(cgroup_id), *up;
	struct ioctl_filter_file file = {};
	int i, level;

	if (cgrp) {
		level = cgrp->level;
		for (i = 0; i < IOCTL_FILTER_LEVELS && i <= level; i++) {
			up = bpf_cgroup_ancestor(cgrp, i);
			if (!up)
				break;
			file.cgroups[i] = up->kn->id;
			file.num = i + 1;
			bpf_cgroup_release(up);
		}
		bpf_cgroup_release(cgrp);
	}
	return bpf_map_update_elem(&files, &id, &file, BPF_ANY) ? -ENOMEM : 0;
}

/* Was the file @id opened in the rule's cgroup, or below? Or may it have been? */
__noinline int is_below(u64 id, u64 cgroup_id, u64 of, u32 level)
{
	struct ioctl_filter_file *file;

	if (cgroup_id == of)
		return true;
	file = bpf_map_lookup_elem(&files, &id);
	if (!file) {
		/* older than the policy */
		add_file(id, cgroup_id);
		file = bpf_map_lookup_elem(&files, &id);
	}
	if (!file || !file->num)
		return true;
	return level < file->num && file->cgroups[level & (IOCTL_FILTER_LEVELS - 1)] == of;
}

SEC("struct_ops/open")
int BPF_PROG(ioctl_filter_open, struct accel_context *actx)
{
	return add_file(actx->id, actx->cgroup_id);
}

/* Of files that are older than the policy nobody tells; they stay until it goes. */
SEC("struct_ops/context_close")
void BPF_PROG(ioctl_filter_close, struct accel_context *actx)
{
	u64 id = actx->id;

	bpf_map_delete_elem(&files, &id);
}

/* What the rule at @index has for command @number of a file of @device and @uid: an error, or 0. */
__noinline int answer(u32 index, u32 number, u64 device_uid, u64 id, u64 cgroup_id)
{
	struct ioctl_filter_rule *rule = &rules[index & (IOCTL_FILTER_RULES - 1)];
	u32 flags = rule->flags;

	if (!(flags & IOCTL_FILTER_USED) || rule->number != number)
		return 0;
	if (flags & IOCTL_FILTER_DEVICE && rule->device != device_uid >> 32)
		return 0;
	if (flags & IOCTL_FILTER_USER && rule->uid != (u32)device_uid)
		return 0;
	if (flags & IOCTL_FILTER_CGROUP && !is_below(id, cgroup_id, rule->cgroup_id, rule->level))
		return 0;
	__sync_fetch_and_add(&rule->hits, 1);
	return -(int)rule->error;
}

SEC("struct_ops/ioctl")
int BPF_PROG(ioctl_filter_ioctl, struct accel_context *actx, unsigned int cmd, const u64 *arg)
{
	u64 device_uid = (u64)actx->adev->index << 32 | actx->uid;
	u32 number = cmd & 0xff, i;
	int ret = 0;

	if (!(numbers.bits[number / 64] >> (number % 64) & 1))
		return 0;
	for (i = 0; i < IOCTL_FILTER_RULES && !ret; i++)
		ret = answer(i, number, device_uid, actx->id, actx->cgroup_id);
	return ret;
}

SEC(".struct_ops.link")
struct accel_policy_ops ioctl_filter = {
	.open = (void *)ioctl_filter_open,
	.ioctl = (void *)ioctl_filter_ioctl,
	.context_close = (void *)ioctl_filter_close,
	.name = "ioctl-filter",
};
