// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program of each type that docs/policies.md says may ask, besides policies and syscall
 * programs, which walk.bpf.c has; each is loaded by itself.
 */
#include "accel_policy.h"
#include "asks.h"

char LICENSE[] SEC("license") = "GPL";

struct asks asks SEC(".bss.asks");

static void note_device(struct accel_device *adev)
{
	struct accel_bpf_device info = {};

	if (bpf_accel_device_info(adev, &info, sizeof(info)))
		return;
	asks.device = info.id;
	__builtin_memcpy(asks.name, info.name, sizeof(asks.name));
}

/* Where no argument is trusted: a device by its number. */
static void look_up(void)
{
	struct accel_device *adev;

	if (bpf_get_current_pid_tgid() >> 32 != asks.tgid)
		return;
	asks.calls++;
	adev = bpf_accel_device_find(asks.index);
	if (!adev)
		return;
	note_device(adev);
	bpf_accel_device_put(adev);
}

SEC("tp_btf/accel_ioctl")
int BPF_PROG(tp_btf, struct accel_context *actx)
{
	struct accel_bpf_context info = {};
	struct accel_device *adev;

	/* a module's tracepoint: the verifier asks for the test */
	if (!actx || bpf_get_current_pid_tgid() >> 32 != asks.tgid)
		return 0;
	asks.calls++;
	if (!bpf_accel_context_info(actx, &info, sizeof(info)))
		asks.context = info.id;
	adev = bpf_accel_context_device(actx);
	if (adev) {
		note_device(adev);
		bpf_accel_device_put(adev);
	}
	return 0;
}

SEC("tp_btf/accel_job_done")
int BPF_PROG(tp_btf_job, struct accel_job *job)
{
	if (!job)
		return 0;
	asks.calls++;
	asks.engine = bpf_accel_job_engine(job);
	return 0;
}

SEC("fentry/accel_context_teardown")
int BPF_PROG(fentry, struct accel_context *actx)
{
	look_up();
	return 0;
}

SEC("fexit/accel_context_teardown")
int BPF_PROG(fexit, struct accel_context *actx)
{
	look_up();
	return 0;
}

SEC("tracepoint/accel/accel_ioctl")
int tracepoint(void *args)
{
	look_up();
	return 0;
}

SEC("lsm/file_ioctl")
int BPF_PROG(lsm, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	look_up();
	return ret;
}

SEC("perf_event")
int on_clock(void *regs)
{
	look_up();
	return 0;
}

/* This one may not. */
SEC("socket")
int filter(void *skb)
{
	struct accel_device *adev = bpf_accel_device_find(0);

	if (adev)
		bpf_accel_device_put(adev);
	return 0;
}
