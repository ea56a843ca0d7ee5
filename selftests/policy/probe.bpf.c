// SPDX-License-Identifier: GPL-2.0-only
/* A policy with all hooks, which answers what a test tells it to and counts what it sees. */
#include "accel_policy.h"
#include "probe.h"

char LICENSE[] SEC("license") = "GPL";

struct probe probe SEC(".bss.probe");

/* Shared between probes by a test that asks for their order. */
unsigned long long clock SEC(".bss.clock");

static int answer(struct accel_context *actx, u32 hook, u64 id)
{
	int ret = probe.answer[hook];

	if (probe.tgid && actx->tgid != probe.tgid)
		return 0;
	__sync_fetch_and_add(&probe.calls[hook], 1);
	if (ret)
		__sync_fetch_and_add(&probe.refused[hook], 1);
	else
		__sync_fetch_and_add(&probe.allowed[hook], 1);
	probe.last_id[hook] = id;
	return ret;
}

SEC("struct_ops/open")
int BPF_PROG(probe_open, struct accel_context *actx)
{
	return answer(actx, PROBE_OPEN, actx->id);
}

SEC("struct_ops/ioctl")
int BPF_PROG(probe_ioctl, struct accel_context *actx, unsigned int cmd, const u64 *arg)
{
	if (probe.only_cmd && cmd != probe.only_cmd)
		return 0;
	bpf_probe_read_kernel(&probe.last_arg, sizeof(probe.last_arg), arg);
	probe.order = __sync_fetch_and_add(&clock, 1) + 1;
	return answer(actx, PROBE_IOCTL, cmd);
}

SEC("struct_ops/mmap")
int BPF_PROG(probe_mmap, struct accel_context *actx, u64 offset, u64 bytes, bool write)
{
	probe.last_bytes = bytes;
	return answer(actx, PROBE_MMAP, actx->id);
}

SEC("struct_ops/mem_pin")
int BPF_PROG(probe_mem_pin, struct accel_context *actx, struct accel_mem *mem)
{
	probe.last_bytes = mem->length;
	return answer(actx, PROBE_MEM_PIN, mem->id);
}

SEC("struct_ops/dma_map")
int BPF_PROG(probe_dma_map, struct accel_context *actx, struct accel_mem *mem)
{
	return answer(actx, PROBE_DMA_MAP, mem->id);
}

SEC("struct_ops/job_submit")
int BPF_PROG(probe_job_submit, struct accel_context *actx, struct accel_job *job)
{
	return answer(actx, PROBE_JOB_SUBMIT, job->id);
}

SEC("struct_ops/job_start")
int BPF_PROG(probe_job_start, struct accel_context *actx, struct accel_job *job)
{
	return answer(actx, PROBE_JOB_START, job->id);
}

SEC("struct_ops/context_close")
void BPF_PROG(probe_context_close, struct accel_context *actx)
{
	answer(actx, PROBE_CONTEXT_CLOSE, actx->id);
}

SEC("struct_ops/mem_unpin")
void BPF_PROG(probe_mem_unpin, struct accel_context *actx, struct accel_mem *mem)
{
	answer(actx, PROBE_MEM_UNPIN, mem->id);
}

SEC("struct_ops/job_done")
void BPF_PROG(probe_job_done, struct accel_context *actx, struct accel_job *job)
{
	probe.last_status = job->status;
	answer(actx, PROBE_JOB_DONE, job->id);
}

SEC(".struct_ops.link")
struct accel_policy_ops probe_ops = {
	.open = (void *)probe_open,
	.ioctl = (void *)probe_ioctl,
	.mmap = (void *)probe_mmap,
	.mem_pin = (void *)probe_mem_pin,
	.dma_map = (void *)probe_dma_map,
	.job_submit = (void *)probe_job_submit,
	.job_start = (void *)probe_job_start,
	.context_close = (void *)probe_context_close,
	.mem_unpin = (void *)probe_mem_unpin,
	.job_done = (void *)probe_job_done,
	.name = "probe",
};
