/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/*
 * What the kfuncs of the accelerator subsystem tell BPF programs. The structures only
 * grow at their ends: a program gives the size that it knows, and gets that much.
 */
#ifndef _UAPI_LINUX_ACCELERATOR_BPF_H
#define _UAPI_LINUX_ACCELERATOR_BPF_H

/* BPF programs have these types from vmlinux.h, or what stands in for it. */
#ifndef __bpf__
#include <linux/types.h>
#endif

/* struct accel_bpf_device - a device, as bpf_accel_device_info() tells it */
struct accel_bpf_device {
	__u64 id;		/* never reused */
	__u32 index;		/* N of accN; reused */
	__u32 state;		/* 0 ok, 1 resetting, 2 failed, 3 gone */
	__u32 contexts;		/* open files */
	__u32 engines;
	__u64 pinned_bytes;
	__u64 mapped_bytes;
	char name[16];
	char driver[16];
};

/* struct accel_bpf_context - an open file, as bpf_accel_context_info() tells it */
struct accel_bpf_context {
	__u64 id;		/* never reused */
	__u64 device_id;
	__u32 device_index;
	__u32 node;		/* index of the node that was opened */
	__u32 tgid;		/* who opened it, in the initial pid namespace */
	__u32 uid;		/* its effective user, in the initial user namespace */
	__u64 cgroup_id;	/* its cgroup (v2) at that moment */
	__u64 pinned_bytes;
	__u64 mapped_bytes;
	__u32 mems;		/* regions */
	__u32 jobs;		/* submitted and not waited for */
	char comm[16];
};

/* What bpf_accel_context_count() and bpf_accel_device_count() count, each a gate's call. */
enum accel_bpf_op {
	ACCEL_BPF_OP_OPEN,
	ACCEL_BPF_OP_CLOSE,
	ACCEL_BPF_OP_IOCTL,
	ACCEL_BPF_OP_MMAP,
	ACCEL_BPF_OP_FAULT,
	ACCEL_BPF_OP_MEM_PIN,
	ACCEL_BPF_OP_MEM_UNPIN,
	ACCEL_BPF_OP_DMA_MAP,
	ACCEL_BPF_OP_DMA_UNMAP,
	ACCEL_BPF_OP_JOB,
	ACCEL_BPF_OP_NR
};

struct accel_bpf_count {
	__u64 calls;		/* that ended */
	__u64 errors;		/* of those */
	__u64 inflight;
};

/* struct accel_bpf_engine - an engine, as bpf_accel_engine_info() tells it */
struct accel_bpf_engine {
	__u32 depth;		/* jobs that the hardware takes at a time */
	__u32 queued;
	__u32 running;
	__u32 reserved;
	__u64 jobs;		/* that ended */
	__u64 errors;		/* of those */
	__u64 bytes;		/* of those that ended well */
	__u64 wait_ns;		/* sum of queue waits of those that started */
	__u64 busy_ns;		/* at least one job was running, up to now */
	char name[16];
};

#endif /* _UAPI_LINUX_ACCELERATOR_BPF_H */
