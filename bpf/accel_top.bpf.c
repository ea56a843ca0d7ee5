// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latencies of every context, by engine: one addition for each event, no event
 * leaves the kernel. User space reads the sums, and removes those of closed
 * contexts.
 */
#include "accel.bpf.h"
#include "accel_top.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ACCEL_TOP_MAX_PIECES);
	__type(key, struct accel_top_key);
	__type(value, struct accel_top_piece);
} pieces SEC(".maps");

/* Latencies that found no room; calls that began before anybody looked. */
__u64 lost_full;
__u64 untimed;

static const struct accel_top_piece nothing;

static __always_inline void take(struct accel_context *ctx, __u16 kind, __u16 engine, __u64 ns)
{
	__u32 slot = accel_hist_index(ns);
	struct accel_top_key key = {
		.dev_id = ctx->adev->id,
		.ctx_id = ctx->id,
		.kind = kind,
		.engine = engine,
		.piece = slot / ACCEL_HIST_SUB,
	};
	struct accel_top_piece *piece = bpf_map_lookup_elem(&pieces, &key);

	if (!piece) {
		/* Another processor may be faster: that is as good. */
		bpf_map_update_elem(&pieces, &key, &nothing, BPF_NOEXIST);
		piece = bpf_map_lookup_elem(&pieces, &key);
		if (!piece) {
			__sync_fetch_and_add(&lost_full, 1);
			return;
		}
	}
	__sync_fetch_and_add(&piece->slots[slot % ACCEL_HIST_SUB], 1);
}

SEC("tp_btf/accel_ioctl")
int BPF_PROG(top_ioctl, struct accel_context *actx, unsigned int cmd, const char *name, long ret,
	     __u64 duration_ns)
{
	if (!actx)
		return 0;
	if (!duration_ns) {
		__sync_fetch_and_add(&untimed, 1);
		return 0;
	}
	take(actx, ACCEL_TOP_IOCTL, ACCEL_TOP_NO_ENGINE, duration_ns);
	return 0;
}

SEC("tp_btf/accel_mem_pin")
int BPF_PROG(top_mem_pin, struct accel_context *actx, struct accel_mem *mem,
	     const struct accel_pin_times *times, int ret, __u64 duration_ns)
{
	if (!actx)
		return 0;
	if (!duration_ns) {
		__sync_fetch_and_add(&untimed, 1);
		return 0;
	}
	take(actx, ACCEL_TOP_PIN, ACCEL_TOP_NO_ENGINE, duration_ns);
	return 0;
}

/* Jobs are always timed: a wait of 0 ns is one. */
SEC("tp_btf/accel_job_start")
int BPF_PROG(top_job_start, struct accel_job *job, __u64 queue_ns)
{
	if (!job)
		return 0;
	take(job->ctx, ACCEL_TOP_WAIT, (__u16)job->engine->index, queue_ns);
	return 0;
}

/* A job that was cancelled in its queue did not run, not even for 0 ns. */
SEC("tp_btf/accel_job_done")
int BPF_PROG(top_job_done, struct accel_job *job, int ret, __u64 queue_ns, __u64 run_ns,
	     __u64 duration_ns)
{
	if (!job || !job->started_ns)
		return 0;
	take(job->ctx, ACCEL_TOP_RUN, (__u16)job->engine->index, run_ns);
	return 0;
}
