// SPDX-License-Identifier: GPL-2.0-only
/*
 * pin-limit: no cgroup pins more than so many bytes, those below it included.
 *
 * A region counts for the cgroup in which its file was opened and for each one above but the
 * root, with a limit or without: so a limit that is set later finds what is there already,
 * and making sub-cgroups evades none. For the root counts what is in no other cgroup. To the
 * byte: add, look, take back. The first to add is the one who may; of two that together are
 * too much, one is refused. What was given back is heard of late, but before a refusal is
 * final.
 *
 * The way from a file to its cgroups is looked for when it is opened. What is left for a
 * pin is to find the file in a table by its id, and an addition for each level.
 */
#include "accel_policy.h"
#include "pin_limit.h"
#include "paths.h"

char LICENSE[] SEC("license") = "GPL";

struct pin_limit_settings settings SEC(".bss.settings");
struct pin_limit_cgroup cgroups[PIN_LIMIT_CGROUPS] SEC(".bss.cgroups");

/* Files by the remainder of their ids; those whose place is taken are in "more_files". */
struct pin_limit_file files[PIN_LIMIT_FILES] SEC(".bss.files");

/* To get and to give back entries of "cgroups". Apart: what has a lock cannot be mapped. */
static struct bpf_spin_lock lock SEC(".bss.lock");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u64);
} limits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_CONTEXTS);
	__type(key, u64);
	__type(value, struct pin_limit_file);
} more_files SEC(".maps");

static __always_inline struct pin_limit_cgroup *cgroup_at(u32 index)
{
	return &cgroups[index & (PIN_LIMIT_CGROUPS - 1)];
}

static __always_inline bool is_pinned(const struct accel_mem *mem)
{
	return mem->way != ACCEL_MEM_WAY_DMABUF;	/* its exporter's, not its importer's */
}

/* Nobody has set it: the children of the root. */
static __always_inline u32 default_level(void)
{
	u32 level = settings.level;

	return level ?: 1;
}

/* ----------------------------------------------------- files and their cgroups */

/* Functions that are not static are verified once, and not on each path to them. */

/*
 * One file more that counts for a cgroup. Its index, or -ENOMEM: too many cgroups. Whoever makes
 * cgroups @below those that have limits takes no place that these may need.
 */
__noinline int join(u64 id, u32 level, u32 alone, u32 below)
{
	u32 first = id * PIN_LIMIT_WAYS, found = PIN_LIMIT_WAYS, i;
	struct pin_limit_cgroup *cgroup;

	bpf_spin_lock(&lock);
	for (i = 0; i < PIN_LIMIT_WAYS; i++) {
		cgroup = cgroup_at(first + i);
		if (!cgroup->refs) {
			if (found == PIN_LIMIT_WAYS && (!below || i < PIN_LIMIT_WAYS_BELOW))
				found = i;
		} else if (cgroup->id == id && cgroup->alone == alone) {
			found = i;
			break;
		}
	}
	cgroup = cgroup_at(first + found);
	if (found < PIN_LIMIT_WAYS && !cgroup->refs++) {
		cgroup->id = id;
		cgroup->bytes = 0;
		cgroup->refused = 0;
		cgroup->generation = -1;	/* the first pin looks its limit up */
		cgroup->level = level;
		cgroup->alone = alone;
	}
	bpf_spin_unlock(&lock);
	return found < PIN_LIMIT_WAYS ? (first + found) & (PIN_LIMIT_CGROUPS - 1) : -ENOMEM;
}

__noinline int leave(u32 index)
{
	bpf_spin_lock(&lock);
	cgroup_at(index)->refs--;
	bpf_spin_unlock(&lock);
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

/*
 * @file counts for a cgroup, too. If nothing limits that now, its user may have made it: then it
 * does without a place if there is none. 0 or -ENOMEM.
 */
__noinline int add_level(struct pin_limit_file *file, u64 id, u32 level, u32 alone)
{
	bool below = level > default_level() && !bpf_map_lookup_elem(&limits, &id);
	int index;

	if (!file)
		return 0;
	index = join(id, level, alone, below);
	if (index < 0)
		return below ? 0 : index;
	file->cgroups[file->num & PIN_LIMIT_LEVELS] = index;
	file->num++;
	return 0;
}

/*
 * Fill in @file: all cgroups from below the root to the one that it was opened in, but for those
 * that do without a place.
 */
static int find_cgroups(struct pin_limit_file *file, u64 id, u64 cgroup_id)
{
	struct cgroup *cgrp, *up;
	int level, i, ret = 0;
	u64 up_id;

	file->id = id;
	cgrp = bpf_cgroup_from_id(cgroup_id);
	if (!cgrp)
		return -ENOENT;
	level = cgrp->level;
	for (i = 1; i <= PIN_LIMIT_LEVELS && i <= level && !ret; i++) {
		up = bpf_cgroup_ancestor(cgrp, i);
		if (!up)
			break;
		up_id = up->kn->id;
		bpf_cgroup_release(up);
		ret = add_level(file, up_id, i, 0);
	}
	bpf_cgroup_release(cgrp);
	if (!ret && (!level || level < (int)default_level()))
		ret = add_level(file, cgroup_id, level, 1);
	if (ret)
		leave_all(file);
	return ret;
}

static __always_inline struct pin_limit_file *place_of(u64 id)
{
	return &files[id & (PIN_LIMIT_FILES - 1)];
}

/* In its place in the table if that is free, else in the hash. */
static int add_file(u64 id, u64 cgroup_id, bool is_new)
{
	struct pin_limit_file file = {}, *place = place_of(id);
	int ret;

	ret = find_cgroups(&file, id, cgroup_id);
	if (ret)
		return ret;
	file.generation = -1;
	if (is_new && !__sync_val_compare_and_swap(&place->id, 0, id)) {
		/* nobody looks for this id before the file is open */
		*place = file;
		return 0;
	}
	if (!bpf_map_update_elem(&more_files, &id, &file, BPF_NOEXIST))
		return 0;
	leave_all(&file);
	/* it is there: two threads met over a file that is older than the policy */
	return bpf_map_lookup_elem(&more_files, &id) ? 0 : -ENOMEM;
}

static __noinline struct pin_limit_file *find_more(u64 id)
{
	return bpf_map_lookup_elem(&more_files, &id);
}

static __always_inline struct pin_limit_file *find_file(u64 id)
{
	struct pin_limit_file *file = place_of(id);

	return file->id == id ? file : find_more(id);
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
	struct pin_limit_file *file = find_file(id);

	if (!file)
		return;
	leave_all(file);
	if (bpf_map_delete_elem(&more_files, &id))
		*(volatile u64 *)&place_of(id)->id = 0;
}

/* ------------------------------------------------------------------ the limit */

/* What holds for a cgroup may have changed, or nobody has looked yet. */
__noinline int renew(u32 index, u32 generation)
{
	struct pin_limit_cgroup *cgroup = cgroup_at(index);
	u64 limit = PIN_LIMIT_NONE, id = cgroup->id, *own = NULL;

	if (generation && (cgroup->level == default_level() || cgroup->alone))
		limit = settings.def;
	if (!cgroup->alone || !cgroup->level)
		own = bpf_map_lookup_elem(&limits, &id);
	if (own)
		limit = *own;
	/* so that a pin finds out by one comparison */
	if (limit > PIN_LIMIT_MOST)
		limit = PIN_LIMIT_MOST;
	bpf_spin_lock(&lock);
	/* somebody else may have begun later than we, and been quicker */
	if ((s32)(generation - cgroup->generation) > 0) {
		cgroup->limit = limit;
		cgroup->generation = generation;
	}
	bpf_spin_unlock(&lock);
	return 0;
}

__noinline int renew_all(struct pin_limit_file *file)
{
	/* read before the limits, so that they are at least as new */
	u32 generation = *(volatile u32 *)&settings.generation, i;

	if (!file)
		return 0;
	for (i = 0; i <= PIN_LIMIT_LEVELS && i < file->num; i++)
		renew(file->cgroups[i], generation);
	file->generation = generation;
	return 0;
}

/* Of the first @num cgroups of a file. */
static __always_inline void uncharge(struct pin_limit_file *file, u64 bytes, u32 num)
{
	u32 i;

	for (i = 0; i <= PIN_LIMIT_LEVELS && i < num; i++)
		__sync_fetch_and_sub(&cgroup_at(file->cgroups[i])->bytes, bytes);
}

/*
 * The file of a region, where its id is not in its place of the table: it is in the hash, or was
 * open before the policy was attached. What the caller has at hand is read again here, so that it
 * need not be kept for that.
 */
static __always_inline int find_slowly(struct accel_mem *mem, struct pin_limit_file **file)
{
	struct accel_context *actx = mem->ctx;
	u64 id = actx->id;
	int ret;

	*file = find_more(id);
	if (*file)
		return 0;
	ret = add_file(id, actx->cgroup_id, false);
	if (ret)
		return ret;
	*file = find_file(id);
	return *file ? 0 : -ENOMEM;
}

SEC("struct_ops/mem_pin")
int BPF_PROG(pin_limit_mem_pin, struct accel_context *actx, struct accel_mem *mem)
{
	struct pin_limit_cgroup *cgroup;
	struct pin_limit_file *file;
	u64 id = actx->id;
	s64 bytes, room;
	u32 i, num;
	int ret;

	if (!is_pinned(mem))
		return 0;
	file = place_of(id);
	if (file->id != id) {
		ret = find_slowly(mem, &file);
		if (ret)
			return ret;
	}
	if (file->generation != settings.generation)
		renew_all(file);
	bytes = mem->length;
	if (bytes < 0)
		return -EDQUOT;		/* more than there is */
	num = file->num;
	/* never: for the verifier, which so needs no second test in each turn */
	if (num > PIN_LIMIT_LEVELS + 1)
		return -ENOMEM;
	for (i = 0; i < num; i++) {
		cgroup = cgroup_at(file->cgroups[i]);
		/* below 0: more than the limit by itself */
		room = cgroup->limit - bytes;
		/* what cannot be had is not added: it would be in the way of others */
		if ((s64)cgroup->bytes > room)
			goto refuse;
		if ((s64)__sync_fetch_and_add(&cgroup->bytes, bytes) > room) {
			__sync_fetch_and_sub(&cgroup->bytes, bytes);
			goto refuse;
		}
	}
	/* or the compiler has the result set in each turn */
	barrier();
	return 0;
refuse:
	/* else it is asked again, when it has been told all */
	if (mem->policy_settled)
		__sync_fetch_and_add(&cgroup_at(file->cgroups[i & PIN_LIMIT_LEVELS])->refused, 1);
	uncharge(file, bytes, i);
	return -EDQUOT;
}

/* Now and then: a call for each region would take as long as the whole of mem_pin. */
SEC("struct_ops/mem_unpinned")
void BPF_PROG(pin_limit_mem_unpinned, struct accel_context *actx, u64 bytes)
{
	struct pin_limit_file *file = find_file(actx->id);

	if (file)
		uncharge(file, bytes, file->num);
}

SEC(".struct_ops.link")
struct accel_policy_ops pin_limit = {
	.open = (void *)pin_limit_open,
	.mem_pin = (void *)pin_limit_mem_pin,
	.context_close = (void *)pin_limit_close,
	.mem_unpinned = (void *)pin_limit_mem_unpinned,
	.name = "pin-limit",
};
