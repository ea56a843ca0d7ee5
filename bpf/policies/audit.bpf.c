// SPDX-License-Identifier: GPL-2.0-only
/*
 * audit: who opened what, and when it was closed; the last N of them. Refuses nobody.
 *
 * Asked first by its priority, so it also records who is refused by another policy: that
 * is closed at once.
 */
#include "accel_policy.h"
#include "audit.h"

char LICENSE[] SEC("license") = "GPL";

struct audit_state state SEC(".data.state") = { .length = 1024 };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct audit_record);
} records SEC(".maps");

/* Of open contexts: id -> number of the record. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, POLICY_CONTEXTS);
	__type(key, u64);
	__type(value, u64);
} open_records SEC(".maps");

static __always_inline struct audit_record *record_of(u64 number)
{
	u32 length = state.length, key = length ? number % length : 0;

	return bpf_map_lookup_elem(&records, &key);
}

SEC("struct_ops/open")
int BPF_PROG(audit_open, struct accel_context *actx)
{
	u64 number = __sync_fetch_and_add(&state.last, 1) + 1, id = actx->id;
	struct audit_record *record = record_of(number);

	if (!record)
		return 0;
	/* whoever reads sees a record that is whole, or none */
	*(volatile u64 *)&record->number = 0;
	barrier();
	record->opened_ns = bpf_ktime_get_boot_ns();
	record->closed_ns = 0;
	record->context = id;
	record->cgroup_id = actx->cgroup_id;
	record->device = actx->adev->index;
	record->node = actx->node;
	record->tgid = actx->tgid;
	record->uid = actx->uid;
	bpf_probe_read_kernel(record->comm, sizeof(record->comm), actx->comm);
	barrier();
	*(volatile u64 *)&record->number = number;
	bpf_map_update_elem(&open_records, &id, &number, BPF_ANY);
	return 0;
}

SEC("struct_ops/context_close")
void BPF_PROG(audit_close, struct accel_context *actx)
{
	u64 id = actx->id, *number = bpf_map_lookup_elem(&open_records, &id);
	struct audit_record *record = number ? record_of(*number) : NULL;

	if (record && record->number == *number)
		record->closed_ns = bpf_ktime_get_boot_ns();
	bpf_map_delete_elem(&open_records, &id);
}

SEC(".struct_ops.link")
struct accel_policy_ops audit = {
	.open = (void *)audit_open,
	.context_close = (void *)audit_close,
	.name = "audit",
	.priority = -1000,
};
