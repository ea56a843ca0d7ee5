// SPDX-License-Identifier: GPL-2.0-only
/* A policy that has nothing to say: what being asked costs, by itself. */
#include "accel_policy.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/ioctl")
int BPF_PROG(nothing_ioctl, struct accel_context *actx, unsigned int cmd, const u64 *arg)
{
	return 0;
}

SEC("struct_ops/mem_pin")
int BPF_PROG(nothing_mem_pin, struct accel_context *actx, struct accel_mem *mem)
{
	return 0;
}

SEC("struct_ops/mem_unpin")
void BPF_PROG(nothing_mem_unpin, struct accel_context *actx, struct accel_mem *mem)
{
}

SEC(".struct_ops.link")
struct accel_policy_ops nothing = {
	.ioctl = (void *)nothing_ioctl,
	.mem_pin = (void *)nothing_mem_pin,
	.mem_unpin = (void *)nothing_mem_unpin,
	.name = "nothing",
};
