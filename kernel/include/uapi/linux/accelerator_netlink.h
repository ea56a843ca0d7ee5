/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/*
 * Generic netlink family "accelerator": enumeration, statistics and
 * notifications without opening a device. docs/netlink/accelerator.yaml is the
 * specification; the two agree by test.
 */
#ifndef _UAPI_LINUX_ACCELERATOR_NETLINK_H
#define _UAPI_LINUX_ACCELERATOR_NETLINK_H

#define ACCELERATOR_FAMILY_NAME		"accelerator"
#define ACCELERATOR_FAMILY_VERSION	1
#define ACCELERATOR_MCGRP_DEVICES	"devices"
#define ACCELERATOR_MCGRP_CONTEXTS	"contexts"

enum accelerator_state {
	ACCELERATOR_STATE_OK,
	ACCELERATOR_STATE_RESETTING,
	ACCELERATOR_STATE_FAILED,
	ACCELERATOR_STATE_GONE,
};

/* Bits of ACCEL_NL_A_DEV_FLAGS. */
enum accelerator_device_flags {
	ACCELERATOR_DEVICE_FLAGS_EXCLUSIVE = 1,	/* one open file at a time */
};

/* The device, alone or as the header of others; every reply carries ID and NAME. */
enum {
	ACCEL_NL_A_DEV_ID = 1,		/* uint: never reused */
	ACCEL_NL_A_DEV_INDEX,		/* u32: N of accN */
	ACCEL_NL_A_DEV_NAME,		/* string: accN */
	ACCEL_NL_A_DEV_DRIVER,		/* string */
	ACCEL_NL_A_DEV_TYPE,		/* string */
	ACCEL_NL_A_DEV_STATE,		/* u32: enum accelerator_state */
	ACCEL_NL_A_DEV_PARENT,		/* string: "pci/0000:00:04.0", bus/name */
	ACCEL_NL_A_DEV_NUMA_NODE,	/* s32 */
	ACCEL_NL_A_DEV_FIRMWARE,	/* string, absent when unknown */
	ACCEL_NL_A_DEV_SERIAL,		/* string, likewise */
	ACCEL_NL_A_DEV_UUID,		/* string, likewise */
	ACCEL_NL_A_DEV_FLAGS,		/* u32: enum accelerator_device_flags */
	ACCEL_NL_A_DEV_CONTEXTS,	/* u32: open files */
	ACCEL_NL_A_DEV_PINNED_BYTES,	/* uint */
	ACCEL_NL_A_DEV_MAPPED_BYTES,	/* uint */
	ACCEL_NL_A_DEV_NODE,		/* multi-attr nest of ACCEL_NL_A_NODE_* */

	__ACCEL_NL_A_DEV_MAX,
	ACCEL_NL_A_DEV_MAX = (__ACCEL_NL_A_DEV_MAX - 1)
};

enum {
	ACCEL_NL_A_NODE_NAME = 1,	/* string: acc0c */
	ACCEL_NL_A_NODE_MAJOR,		/* u32 */
	ACCEL_NL_A_NODE_MINOR,		/* u32 */

	__ACCEL_NL_A_NODE_MAX,
	ACCEL_NL_A_NODE_MAX = (__ACCEL_NL_A_NODE_MAX - 1)
};

enum {
	ACCEL_NL_A_ENGINE_DEV_ID = 1,	/* uint */
	ACCEL_NL_A_ENGINE_DEV_NAME,	/* string */
	ACCEL_NL_A_ENGINE_INDEX,	/* u32 */
	ACCEL_NL_A_ENGINE_NAME,		/* string */
	ACCEL_NL_A_ENGINE_DEPTH,	/* u32: jobs the hardware takes at a time */
	ACCEL_NL_A_ENGINE_QUEUED,	/* u32: waiting now */
	ACCEL_NL_A_ENGINE_RUNNING,	/* u32: running now */
	ACCEL_NL_A_ENGINE_JOBS,		/* uint: ended */
	ACCEL_NL_A_ENGINE_ERRORS,	/* uint: ended badly */
	ACCEL_NL_A_ENGINE_BYTES,	/* uint: of jobs that ended well */
	ACCEL_NL_A_ENGINE_BUSY_NS,	/* uint: at least one job running, up to now */
	ACCEL_NL_A_ENGINE_WAIT_NS,	/* uint: sum of jobs' queue waits */
	ACCEL_NL_A_ENGINE_TIME_NS,	/* uint: CLOCK_MONOTONIC when the counters were read */

	__ACCEL_NL_A_ENGINE_MAX,
	ACCEL_NL_A_ENGINE_MAX = (__ACCEL_NL_A_ENGINE_MAX - 1)
};

enum {
	ACCEL_NL_A_CTX_DEV_ID = 1,	/* uint */
	ACCEL_NL_A_CTX_DEV_NAME,	/* string */
	ACCEL_NL_A_CTX_ID,		/* uint */
	ACCEL_NL_A_CTX_NODE,		/* u32: index of the node opened */
	ACCEL_NL_A_CTX_PID,		/* u32: in the reader's pid namespace, 0: not there, has
					 * ended, or a notification, whose readers' are not known
					 */
	ACCEL_NL_A_CTX_UID,		/* u32: in the reader's user namespace, absent: not there */
	ACCEL_NL_A_CTX_COMM,		/* string */
	ACCEL_NL_A_CTX_CGROUP_ID,	/* uint: inode of its cgroup v2 directory */
	ACCEL_NL_A_CTX_AGE_NS,		/* uint: since it was opened, boot time */
	ACCEL_NL_A_CTX_PINNED_BYTES,	/* uint */
	ACCEL_NL_A_CTX_MAPPED_BYTES,	/* uint */
	ACCEL_NL_A_CTX_ENGINE,		/* multi-attr nest of ACCEL_NL_A_USAGE_* */
	ACCEL_NL_A_CTX_OP,		/* multi-attr nest of ACCEL_NL_A_OP_* */
	ACCEL_NL_A_CTX_MEMS,		/* u32: pinned regions */
	ACCEL_NL_A_CTX_JOBS,		/* u32: submitted and not waited for */
	ACCEL_NL_A_CTX_TIME_NS,		/* uint: CLOCK_MONOTONIC when the counters were read */
	ACCEL_NL_A_CTX_LAST_ERROR,	/* string: why its last refused call was, where told */
	ACCEL_NL_A_CTX_INIT_PID,	/* u32: in the initial pid namespace; for CAP_SYS_ADMIN */

	__ACCEL_NL_A_CTX_MAX,
	ACCEL_NL_A_CTX_MAX = (__ACCEL_NL_A_CTX_MAX - 1)
};

/* What one context did on one engine. */
enum {
	ACCEL_NL_A_USAGE_ENGINE = 1,	/* u32: index */
	ACCEL_NL_A_USAGE_NAME,		/* string */
	ACCEL_NL_A_USAGE_JOBS,		/* uint: ended */
	ACCEL_NL_A_USAGE_ERRORS,	/* uint: ended badly */
	ACCEL_NL_A_USAGE_BYTES,		/* uint: of jobs that ended well */
	ACCEL_NL_A_USAGE_BUSY_NS,	/* uint: sum of run times, the running ones' up to now */
	ACCEL_NL_A_USAGE_WAIT_NS,	/* uint: sum of queue waits */

	__ACCEL_NL_A_USAGE_MAX,
	ACCEL_NL_A_USAGE_MAX = (__ACCEL_NL_A_USAGE_MAX - 1)
};

/* Gate counters: stats-get (of a device) and in contexts. */
enum {
	ACCEL_NL_A_OP_NAME = 1,		/* string: "ioctl", "mem_pin", … */
	ACCEL_NL_A_OP_CALLS,		/* uint: ended */
	ACCEL_NL_A_OP_ERRORS,		/* uint: ended with an error */
	ACCEL_NL_A_OP_INFLIGHT,		/* u32 */

	__ACCEL_NL_A_OP_MAX,
	ACCEL_NL_A_OP_MAX = (__ACCEL_NL_A_OP_MAX - 1)
};

enum {
	ACCEL_NL_A_STATS_DEV_ID = 1,	/* uint */
	ACCEL_NL_A_STATS_DEV_NAME,	/* string */
	ACCEL_NL_A_STATS_OP,		/* multi-attr nest of ACCEL_NL_A_OP_* */

	__ACCEL_NL_A_STATS_MAX,
	ACCEL_NL_A_STATS_MAX = (__ACCEL_NL_A_STATS_MAX - 1)
};

/* A policy, in the order in which they are asked. */
enum {
	ACCEL_NL_A_POLICY_ID = 1,	/* uint: never reused */
	ACCEL_NL_A_POLICY_NAME,		/* string */
	ACCEL_NL_A_POLICY_DEVICE,	/* string: pattern of names, absent: all devices */
	ACCEL_NL_A_POLICY_PRIORITY,	/* s32: ascending */
	ACCEL_NL_A_POLICY_LINK_ID,	/* u32: of the BPF link that holds it, absent: none */
	ACCEL_NL_A_POLICY_BAD_RETURNS,	/* uint: answers that were no errno */
	ACCEL_NL_A_POLICY_OVERRULED,	/* uint: jobs it held back for too long, and then started */
	ACCEL_NL_A_POLICY_HOOK,		/* multi-attr nest of ACCEL_NL_A_HOOK_*: those it has */

	__ACCEL_NL_A_POLICY_MAX,
	ACCEL_NL_A_POLICY_MAX = (__ACCEL_NL_A_POLICY_MAX - 1)
};

enum {
	ACCEL_NL_A_HOOK_NAME = 1,	/* string: "mem_pin", "job_done", … */
	ACCEL_NL_A_HOOK_CALLS,		/* uint */
	ACCEL_NL_A_HOOK_REFUSED,	/* uint: of the calls; job_start: held back */

	__ACCEL_NL_A_HOOK_MAX,
	ACCEL_NL_A_HOOK_MAX = (__ACCEL_NL_A_HOOK_MAX - 1)
};

enum {
	ACCEL_NL_CMD_DEVICE_GET = 1,	/* do: by id, index or name; dump */
	ACCEL_NL_CMD_DEVICE_ADD_NTF,
	ACCEL_NL_CMD_DEVICE_DEL_NTF,
	ACCEL_NL_CMD_DEVICE_CHANGE_NTF,	/* its state */
	ACCEL_NL_CMD_ENGINE_GET,	/* dump, of all devices or of one */
	ACCEL_NL_CMD_CONTEXT_GET,	/* do: by id; dump, of all devices or of one */
	ACCEL_NL_CMD_CONTEXT_OPEN_NTF,
	ACCEL_NL_CMD_CONTEXT_CLOSE_NTF,	/* with its last counters */
	ACCEL_NL_CMD_STATS_GET,		/* do: a device's; dump */
	ACCEL_NL_CMD_POLICY_GET,	/* dump */

	__ACCEL_NL_CMD_MAX,
	ACCEL_NL_CMD_MAX = (__ACCEL_NL_CMD_MAX - 1)
};

#endif /* _UAPI_LINUX_ACCELERATOR_NETLINK_H */
