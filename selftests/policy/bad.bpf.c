// SPDX-License-Identifier: GPL-2.0-only
/* Policies that the kernel must not take; verifier.c has a line for each, with the reason. */
#include "accel_policy.h"

char LICENSE[] SEC("license") = "GPL";

struct big {
	char text[4096];
};

SEC("struct_ops/open")
int BPF_PROG(writes, struct accel_context *actx)
{
	actx->tgid = 0;
	return 0;
}

SEC("struct_ops/open")
int far_argument(u64 *ctx)
{
	return ctx[3] != 0;
}

SEC("struct_ops/open")
int BPF_PROG(beyond, struct accel_context *actx)
{
	struct big *big = (void *)actx;

	return *(volatile char *)&big->text[4095];
}

SEC("struct_ops/open")
int BPF_PROG(no_null_check, struct accel_context *actx)
{
	struct accel_device *adev = bpf_accel_context_device(actx);
	struct accel_bpf_device info;

	bpf_accel_device_info(adev, &info, sizeof(info));
	return 0;
}

SEC("struct_ops/open")
int BPF_PROG(leak, struct accel_context *actx)
{
	struct accel_context *held = bpf_accel_context_get(actx);

	return held ? 0 : -ENOENT;
}

SEC("struct_ops/open")
int BPF_PROG(put_twice, struct accel_context *actx)
{
	struct accel_context *held = bpf_accel_context_get(actx);

	if (held) {
		bpf_accel_context_put(held);
		bpf_accel_context_put(held);
	}
	return 0;
}

SEC("struct_ops/open")
int BPF_PROG(put_not_ours, struct accel_context *actx)
{
	bpf_accel_context_put(actx);
	return 0;
}

SEC("struct_ops/open")
int BPF_PROG(untrusted, struct accel_context *actx)
{
	struct accel_bpf_device info;

	bpf_accel_device_info(actx->adev, &info, sizeof(info));
	return 0;
}

SEC("struct_ops/open")
int BPF_PROG(iterator_left, struct accel_context *actx)
{
	struct bpf_iter_accel_device it;

	bpf_iter_accel_device_new(&it);
	return 0;
}

SEC("struct_ops/open")
int BPF_PROG(iterator_not_begun, struct accel_context *actx)
{
	struct bpf_iter_accel_device it;

	return !bpf_iter_accel_device_next(&it);
}

SEC("struct_ops/open")
int BPF_PROG(too_small, struct accel_context *actx)
{
	struct accel_bpf_context info;

	bpf_accel_context_info(actx, &info, sizeof(info) + 64);
	return 0;
}

SEC("struct_ops.s/open")
int BPF_PROG(sleeps, struct accel_context *actx)
{
	return 0;
}

#define POLICY(hook)							\
	SEC(".struct_ops.link")						\
	struct accel_policy_ops hook##_ops = {				\
		.open = (void *)hook,					\
		.name = "bad",						\
	}

POLICY(writes);
POLICY(far_argument);
POLICY(beyond);
POLICY(no_null_check);
POLICY(leak);
POLICY(put_twice);
POLICY(put_not_ours);
POLICY(untrusted);
POLICY(iterator_left);
POLICY(iterator_not_begun);
POLICY(too_small);
POLICY(sleeps);
