// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks over all that there is, with each kfunc, from a program that a test runs; and a
 * policy that keeps a context in a map beyond its file's end.
 */
#include "accel_policy.h"
#include "walk.h"

char LICENSE[] SEC("license") = "GPL";

struct walk walk SEC(".bss.walk");

struct kept {
	struct accel_context __kptr *ctx;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kept);
} keeper SEC(".maps");

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

SEC("syscall")
int look(void *unused)
{
	struct accel_bpf_context context;
	struct accel_bpf_device device;
	struct accel_context *actx;
	struct accel_device *adev;
	struct accel_mem *mem;

	walk.devices = walk.contexts = walk.mems = walk.bytes = 0;
	walk.context_sum = walk.mem_sum = walk.wrong = 0;
	bpf_rcu_read_lock();
	bpf_for_each(accel_device, adev) {
		walk.devices++;
		if (bpf_accel_device_info(adev, &device, sizeof(device)))
			walk.wrong++;
		bpf_for_each(accel_context, actx, adev) {
			u64 mems = 0;

			walk.contexts++;
			walk.context_sum += actx->id;
			if (bpf_accel_context_info(actx, &context, sizeof(context)) ||
			    context.id != actx->id || context.device_id != device.id)
				walk.wrong++;
			bpf_for_each(accel_mem, mem, actx) {
				mems++;
				walk.mems++;
				walk.bytes += mem->length;
				walk.mem_sum += mem->id;
			}
			if (mems != context.mems)
				walk.wrong++;
		}
	}
	bpf_rcu_read_unlock();
	return 0;
}

/* The device number @walk.index, found by it, its context @walk.kept_id, found by that. */
SEC("syscall")
int find(void *unused)
{
	struct accel_bpf_context info = {};
	struct accel_bpf_engine engine = {};
	struct accel_bpf_device device = {};
	struct accel_bpf_count count = {};
	struct accel_context *actx;
	struct accel_device *adev = bpf_accel_device_find(walk.index);

	walk.wrong = 0;
	if (!adev) {
		walk.wrong = 1;
		return 0;
	}
	if (bpf_accel_engine_info(adev, 0, &engine, sizeof(engine)))
		walk.wrong |= 2;
	if (!bpf_accel_engine_info(adev, 1000, &engine, sizeof(engine)))
		walk.wrong |= 4;
	walk.engine_jobs = engine.jobs;
	walk.engine_busy_ns = engine.busy_ns;
	walk.queued = engine.queued;
	walk.running = engine.running;
	if (bpf_accel_device_info(adev, &device, sizeof(device)))
		walk.wrong |= 64;
	walk.device_pinned = device.pinned_bytes;
	walk.device_mapped = device.mapped_bytes;
	if (bpf_accel_device_count(adev, ACCEL_BPF_OP_OPEN, &count, sizeof(count)) || !count.calls)
		walk.wrong |= 8;
	bpf_rcu_read_lock();
	actx = bpf_accel_context_find(adev, walk.kept_id);
	if (actx) {
		if (!bpf_accel_context_info(actx, &info, sizeof(info))) {
			walk.kept_tgid = info.tgid;
			walk.kept_uid = info.uid;
			walk.kept_cgroup = info.cgroup_id;
			walk.mapped = info.mapped_bytes;
		}
		if (!bpf_accel_context_count(actx, ACCEL_BPF_OP_IOCTL, &count, sizeof(count))) {
			walk.ioctls = count.calls;
			walk.ioctl_errors = count.errors;
			walk.ioctls_in_flight = count.inflight;
		}
		if (!bpf_accel_context_count(actx, ACCEL_BPF_OP_MEM_PIN, &count, sizeof(count))) {
			walk.pins = count.calls;
			walk.pin_errors = count.errors;
		}
		if (!bpf_accel_context_count(actx, ACCEL_BPF_OP_NR, &count, sizeof(count)))
			walk.wrong |= 16;
		bpf_accel_context_put(actx);
	} else {
		walk.wrong |= 32;
	}
	bpf_rcu_read_unlock();
	bpf_accel_device_put(adev);
	return 0;
}

/* What is kept of the context in the map, whose file may be closed long since. */
SEC("syscall")
int recall(void *unused)
{
	struct accel_bpf_context info = {};
	struct accel_context *actx;
	struct kept *kept;
	u32 zero = 0;

	walk.kept = 0;
	kept = bpf_map_lookup_elem(&keeper, &zero);
	if (!kept)
		return 0;
	actx = bpf_kptr_xchg(&kept->ctx, NULL);
	if (!actx)
		return 0;
	bpf_accel_context_info(actx, &info, sizeof(info));
	walk.kept = 1;
	walk.kept_id = info.id;
	walk.kept_tgid = info.tgid;
	walk.kept_pinned = info.pinned_bytes;
	actx = bpf_kptr_xchg(&kept->ctx, actx);
	if (actx)
		bpf_accel_context_put(actx);
	return 0;
}

SEC("syscall")
int drop(void *unused)
{
	struct accel_context *actx;
	struct kept *kept;
	u32 zero = 0;

	kept = bpf_map_lookup_elem(&keeper, &zero);
	if (!kept)
		return 0;
	actx = bpf_kptr_xchg(&kept->ctx, NULL);
	if (actx)
		bpf_accel_context_put(actx);
	return 0;
}

/* The last context that was opened is kept. */
SEC("struct_ops/open")
int BPF_PROG(keep, struct accel_context *actx)
{
	struct accel_context *held = bpf_accel_context_get(actx);
	struct kept *kept;
	u32 zero = 0;

	if (!held)
		return 0;
	kept = bpf_map_lookup_elem(&keeper, &zero);
	if (kept)
		held = bpf_kptr_xchg(&kept->ctx, held);
	if (held)
		bpf_accel_context_put(held);
	return 0;
}

SEC(".struct_ops.link")
struct accel_policy_ops walk_ops = {
	.open = (void *)keep,
	.name = "keeper",
};
