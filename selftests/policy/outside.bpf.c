// SPDX-License-Identifier: GPL-2.0-only
/* A policy whose name would have it pinned where it has no business. */
#include "accel_policy.h"

char LICENSE[] SEC("license") = "GPL";

SEC("struct_ops/open")
int BPF_PROG(outside_open, struct accel_context *actx)
{
	return 0;
}

SEC(".struct_ops.link")
struct accel_policy_ops outside_ops = {
	.open = (void *)outside_open,
	.name = "../outside",
};
