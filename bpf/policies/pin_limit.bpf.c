// SPDX-License-Identifier: GPL-2.0-only
/*
 * pin-limit: no cgroup pins more than so many bytes, those below it included.
 *
 * A region counts for the cgroup in which its file was opened and for each one above, up to
 * the root, with a limit or without: so a limit that is set later finds what is there
 * already, and making sub-cgroups evades none. To the byte: add, look, take back. The first
 * to add is the one who may; of two that together are too much, one is refused.
 *
 * The way from a file to its cgroups is looked for when it is opened. What is left for a
 * pin is to find the file in a table by its id, and an addition for each level.
 */
#include "accel_policy.h"
#include "pin_limit.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct pin_limit_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u64);
} limits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PIN_LIMIT_SETS);
	__type(key, u32);
	__type(value, struct pin_limit_set);
} cgroups SEC(".maps");

/* Files by the remainder of their ids, and those whose place is taken. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PIN_LIMIT_FILES);
	__type(key, u32);
	__type(value, struct pin_limit_file);
} files SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, u64);
	__type(value, struct pin_limit_file);
} more_files SEC(".maps");

static __always_inline struct pin_limit_settings *get_settings(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

static __always_inline struct pin_limit_cgroup *get_cgroup(u32 index)
{
	u32 key = index / PIN_LIMIT_WAYS;
	struct pin_limit_set *set = bpf_map_lookup_elem(&cgroups, &key);

	return set ? &set->ways[index % PIN_LIMIT_WAYS] : NULL;
}

/* Functions that are not static are verified once, and not on each path to them. */

/* One file more that counts for a cgroup. Its index, or -ENOMEM: too many cgroups. */
__noinline int join(u64 id, u32 level, u32 alone)
{
	u32 key = id % PIN_LIMIT_SETS, way = PIN_LIMIT_WAYS, i;
	struct pin_limit_set *set = bpf_map_lookup_elem(&cgroups, &key);

	if (!set)
		return -ENOMEM;
	bpf_spin_lock(&set->lock);
	for (i = 0; i < PIN_LIMIT_WAYS; i++) {
		if (!set->ways[i].refs) {
			if (way == PIN_LIMIT_WAYS)
				way = i;
		} else if (set->ways[i].id == id && set->ways[i].alone == alone) {
			way = i;
			break;
		}
	}
	if (way < PIN_LIMIT_WAYS && !set->ways[way].refs++) {
		set->ways[way].id = id;
		set->ways[way].bytes = 0;
		set->ways[way].refused = 0;
		set->ways[way].generation = 0;	/* its limit is looked up by its first pin */
		set->ways[way].level = level;
		set->ways[way].alone = alone;
	}
	bpf_spin_unlock(&set->lock);
	return way < PIN_LIMIT_WAYS ? key * PIN_LIMIT_WAYS + way : -ENOMEM;
}

__noinline int leave(u32 index)
{
	u32 key = index / PIN_LIMIT_WAYS;
	struct pin_limit_set *set = bpf_map_lookup_elem(&cgroups, &key);

	if (!set)
		return 0;
	bpf_spin_lock(&set->lock);
	set->ways[index % PIN_LIMIT_WAYS].refs--;
	bpf_spin_unlock(&set->lock);
	return 0;
}

__noinline int leave_all(struct pin_limit_file *file)
{
	u32 i;

	if (!file)
		return 0;
	for (i = 0; i <= PIN_LIMIT_LEVELS && i < file->num; i++)
		leave(file->cgroups[i]);
	return 0;
}

/* Fill in @file: all cgroups from the root to the one that it was opened in. */
static int find_cgroups(struct pin_limit_file *file, u64 id, u64 cgroup_id)
{
	struct pin_limit_settings *set = get_settings();
	struct cgroup *cgrp, *up;
	int level, i, index = 0;

	file->id = id;
	file->num = 0;
	cgrp = bpf_cgroup_from_id(cgroup_id);
	if (!cgrp)
		return -ENOENT;
	level = cgrp->level;
	for (i = 0; i < PIN_LIMIT_LEVELS && i <= level && index >= 0; i++) {
		up = bpf_cgroup_ancestor(cgrp, i);
		if (!up)
			break;
		index = join(up->kn->id, i, 0);
		if (index >= 0)
			file->cgroups[file->num++ & 15] = index;
		bpf_cgroup_release(up);
	}
	bpf_cgroup_release(cgrp);
	if (index >= 0 && set && level < (int)set->level) {
		index = join(cgroup_id, level, 1);
		if (index >= 0 && file->num <= PIN_LIMIT_LEVELS)
			file->cgroups[file->num++] = index;
	}
	if (index < 0)
		leave_all(file);
	return index < 0 ? index : 0;
}

/* In its place in the table if that is free, else in the hash. */
static int add_file(u64 id, u64 cgroup_id, bool is_new)
{
	struct pin_limit_file file = {}, *place = NULL;
	u32 key = id % PIN_LIMIT_FILES;
	int ret;

	ret = find_cgroups(&file, id, cgroup_id);
	if (ret)
		return ret;
	if (is_new)
		place = bpf_map_lookup_elem(&files, &key);
	if (place && !__sync_val_compare_and_swap(&place->id, 0, id)) {
		/* nobody looks for this id before the file is open */
		place->num = file.num;
		__builtin_memcpy(place->cgroups, file.cgroups, sizeof(file.cgroups));
		return 0;
	}
	if (!bpf_map_update_elem(&more_files, &id, &file, BPF_NOEXIST))
		return 0;
	leave_all(&file);
	/* it is there: two threads met over a file that is older than the policy */
	return bpf_map_lookup_elem(&more_files, &id) ? 0 : -ENOMEM;
}

static __always_inline struct pin_limit_file *find_file(u64 id)
{
	u32 key = id % PIN_LIMIT_FILES;
	struct pin_limit_file *file = bpf_map_lookup_elem(&files, &key);

	if (file && file->id == id)
		return file;
	return bpf_map_lookup_elem(&more_files, &id);
}

/* What holds for a cgroup was changed, or nobody has looked yet. */
__noinline int renew(u32 index)
{
	u32 key = index / PIN_LIMIT_WAYS, way = index % PIN_LIMIT_WAYS, generation;
	struct pin_limit_set *set = bpf_map_lookup_elem(&cgroups, &key);
	struct pin_limit_settings *now = get_settings();
	u64 limit, id, *own;

	if (!set || !now)
		return 0;
	/* read before the limit, so that the limit is at least as new */
	generation = *(volatile u32 *)&now->generation;
	id = set->ways[way].id;
	limit = set->ways[way].level == now->level || set->ways[way].alone ? now->def :
									     PIN_LIMIT_NONE;
	own = set->ways[way].alone ? NULL : bpf_map_lookup_elem(&limits, &id);
	if (own)
		limit = *own;
	bpf_spin_lock(&set->lock);
	/* somebody else may have been later than we, and quicker */
	if ((s32)(generation - set->ways[way].generation) > 0) {
		set->ways[way].limit = limit;
		set->ways[way].generation = generation;
	}
	bpf_spin_unlock(&set->lock);
	return 0;
}

__noinline int uncharge(struct pin_limit_file *file, u64 bytes, u32 num)
{
	struct pin_limit_cgroup *cgroup;
	u32 i;

	if (!file)
		return 0;
	for (i = 0; i <= PIN_LIMIT_LEVELS && i < num; i++) {
		cgroup = get_cgroup(file->cgroups[i]);
		if (cgroup)
			__sync_fetch_and_sub(&cgroup->bytes, bytes);
	}
	return 0;
}

static __always_inline bool is_pinned(const struct accel_mem *mem)
{
	return mem->way != ACCEL_MEM_WAY_DMABUF;	/* its exporter's, not its importer's */
}

SEC("struct_ops/mem_pin")
int BPF_PROG(pin_limit_mem_pin, struct accel_context *actx, struct accel_mem *mem)
{
	struct pin_limit_settings *set = get_settings();
	struct pin_limit_cgroup *cgroup;
	struct pin_limit_file *file;
	u64 bytes = mem->length, id = actx->id, limit;
	u32 i;
	int ret;

	if (!set || !is_pinned(mem))
		return 0;
	file = find_file(id);
	if (!file) {
		/* it was open before the policy was attached */
		ret = add_file(id, actx->cgroup_id, false);
		if (ret)
			return ret;
		file = find_file(id);
		if (!file)
			return -ENOMEM;
	}
	for (i = 0; i <= PIN_LIMIT_LEVELS && i < file->num; i++) {
		cgroup = get_cgroup(file->cgroups[i]);
		if (!cgroup)
			continue;
		if (cgroup->generation != set->generation)
			renew(file->cgroups[i]);
		limit = cgroup->limit;
		/* what cannot be had is not added: it would be in the way of others */
		if (bytes > limit || cgroup->bytes > limit - bytes)
			goto refuse;
		if (__sync_fetch_and_add(&cgroup->bytes, bytes) > limit - bytes) {
			__sync_fetch_and_sub(&cgroup->bytes, bytes);
			goto refuse;
		}
	}
	return 0;
refuse:
	__sync_fetch_and_add(&cgroup->refused, 1);
	uncharge(file, bytes, i);
	return -EDQUOT;
}

SEC("struct_ops/mem_unpin")
void BPF_PROG(pin_limit_mem_unpin, struct accel_context *actx, struct accel_mem *mem)
{
	struct pin_limit_file *file;

	if (!is_pinned(mem))
		return;
	file = find_file(actx->id);
	if (file)
		uncharge(file, mem->length, file->num);
}

SEC("struct_ops/open")
int BPF_PROG(pin_limit_open, struct accel_context *actx)
{
	return add_file(actx->id, actx->cgroup_id, true);
}

/* Of files that are older than the policy nobody tells; they stay until it goes. */
SEC("struct_ops/context_close")
void BPF_PROG(pin_limit_close, struct accel_context *actx)
{
	u64 id = actx->id;
	u32 key = id % PIN_LIMIT_FILES;
	struct pin_limit_file *file = find_file(id);

	if (!file)
		return;
	leave_all(file);
	if (bpf_map_delete_elem(&more_files, &id)) {
		file = bpf_map_lookup_elem(&files, &key);
		if (file && file->id == id)
			*(volatile u64 *)&file->id = 0;
	}
}

SEC(".struct_ops.link")
struct accel_policy_ops pin_limit = {
	.open = (void *)pin_limit_open,
	.mem_pin = (void *)pin_limit_mem_pin,
	.context_close = (void *)pin_limit_close,
	.mem_unpin = (void *)pin_limit_mem_unpin,
	.name = "pin-limit",
};
