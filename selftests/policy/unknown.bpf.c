// SPDX-License-Identifier: GPL-2.0-only
/* A policy for a kernel that has one hook more than this one. */
#define accel_policy_ops accel_policy_ops_of_today
#include "accel_policy.h"
#undef accel_policy_ops

char LICENSE[] SEC("license") = "GPL";

struct accel_policy_ops {
	int (*open)(struct accel_context *ctx);
	int (*teleport)(struct accel_context *ctx);
	char name[ACCEL_POLICY_NAME_LEN];
};

SEC("struct_ops/teleport")
int BPF_PROG(teleport, struct accel_context *actx)
{
	return 0;
}

SEC(".struct_ops.link")
struct accel_policy_ops unknown_ops = {
	.teleport = (void *)teleport,
	.name = "unknown",
};
