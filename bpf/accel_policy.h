/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For who writes a policy: the hooks, the questions, the walks. docs/policies.md shows
 * how; kernel/include/linux/accelerator_policy.h says what each hook may rely on, and
 * kernel/core/kfuncs*.c what each question answers.
 */
#ifndef _ACCEL_POLICY_BPF_H
#define _ACCEL_POLICY_BPF_H

#include "accel.bpf.h"
#include <linux/accelerator_bpf.h>

#ifndef EPERM
#define EPERM	1
#define ENOENT	2
#define E2BIG	7
#define EAGAIN	11
#define ENOMEM	12
#define EACCES	13
#define EBUSY	16
#define EINVAL	22
#define ESTALE	116
#define EDQUOT	122
#endif

/*
 * How much a table remembers, of open files (the core has slots for as many) and of jobs that
 * have not ended (those of 64 files with as many as one may have). Each of it costs 16 bytes
 * whether or not it is used, so a table has 1 MiB, or 4.
 */
#define POLICY_CONTEXTS	(1 << 16)
#define POLICY_JOBS	(1 << 18)

/* As many of these jobs a tenant may have, so that one cannot take the places of all. */
#define POLICY_TENANT_JOBS	(POLICY_JOBS / 32)

#ifndef __VMLINUX_H__
struct bpf_spin_lock {
	u32 val;
};

#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
struct kernfs_node {
	u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
};
#pragma clang attribute pop
#endif /* __VMLINUX_H__ */

#define ACCEL_POLICY_NAME_LEN	16
#define ACCEL_POLICY_DEVICE_LEN	32

/* Leave out, or NULL, what you do not need: the kernel's own may have more members. */
struct accel_policy_ops {
	int (*open)(struct accel_context *ctx);
	int (*ioctl)(struct accel_context *ctx, unsigned int cmd, const u64 *arg);
	int (*mmap)(struct accel_context *ctx, u64 offset, u64 bytes, bool write);
	int (*mem_pin)(struct accel_context *ctx, struct accel_mem *mem);
	int (*dma_map)(struct accel_context *ctx, struct accel_mem *mem);
	int (*job_submit)(struct accel_context *ctx, struct accel_job *job);
	int (*job_start)(struct accel_context *ctx, struct accel_job *job);
	void (*context_close)(struct accel_context *ctx);
	void (*mem_unpin)(struct accel_context *ctx, struct accel_mem *mem);
	void (*mem_unpinned)(struct accel_context *ctx, u64 bytes);
	void (*job_done)(struct accel_context *ctx, struct accel_job *job);
	char name[ACCEL_POLICY_NAME_LEN];
	char device[ACCEL_POLICY_DEVICE_LEN];
	s32 priority;
};

/* The kernel's own, from 6.2 on; struct_ops programs may call them in 6.12. */
extern struct cgroup *bpf_cgroup_from_id(u64 cgid) __ksym;
extern struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level) __ksym;
extern void bpf_cgroup_release(struct cgroup *cgrp) __ksym;

extern struct accel_device *bpf_accel_device_find(u32 index) __ksym __weak;
extern struct accel_device *bpf_accel_context_device(struct accel_context *ctx) __ksym __weak;
extern void bpf_accel_device_put(struct accel_device *adev) __ksym __weak;
extern struct accel_context *bpf_accel_context_get(struct accel_context *ctx) __ksym __weak;
extern struct accel_context *bpf_accel_context_find(struct accel_device *adev, u64 id) __ksym __weak;
extern void bpf_accel_context_put(struct accel_context *ctx) __ksym __weak;
extern int bpf_accel_device_info(struct accel_device *adev, void *info, u32 info__sz) __ksym __weak;
extern int bpf_accel_context_info(struct accel_context *ctx, void *info, u32 info__sz) __ksym __weak;
extern int bpf_accel_context_count(struct accel_context *ctx, u32 op, void *count, u32 count__sz) __ksym __weak;
extern int bpf_accel_device_count(struct accel_device *adev, u32 op, void *count, u32 count__sz) __ksym __weak;
extern int bpf_accel_engine_info(struct accel_device *adev, u32 engine, void *info, u32 info__sz) __ksym __weak;
extern u32 bpf_accel_job_engine(struct accel_job *job) __ksym __weak;

/* bpf_for_each(accel_device, adev) { … }, (accel_context, ctx, adev), (accel_mem, mem, ctx) */
struct bpf_iter_accel_device {
	u64 __opaque[2];
} __attribute__((aligned(8)));

struct bpf_iter_accel_context {
	u64 __opaque[4];
} __attribute__((aligned(8)));

struct bpf_iter_accel_mem {
	u64 __opaque[4];
} __attribute__((aligned(8)));

extern int bpf_iter_accel_device_new(struct bpf_iter_accel_device *it) __ksym __weak;
extern struct accel_device *bpf_iter_accel_device_next(struct bpf_iter_accel_device *it) __ksym __weak;
extern void bpf_iter_accel_device_destroy(struct bpf_iter_accel_device *it) __ksym __weak;
extern int bpf_iter_accel_context_new(struct bpf_iter_accel_context *it, struct accel_device *adev) __ksym __weak;
extern struct accel_context *bpf_iter_accel_context_next(struct bpf_iter_accel_context *it) __ksym __weak;
extern void bpf_iter_accel_context_destroy(struct bpf_iter_accel_context *it) __ksym __weak;
extern int bpf_iter_accel_mem_new(struct bpf_iter_accel_mem *it, struct accel_context *ctx) __ksym __weak;
extern struct accel_mem *bpf_iter_accel_mem_next(struct bpf_iter_accel_mem *it) __ksym __weak;
extern void bpf_iter_accel_mem_destroy(struct bpf_iter_accel_mem *it) __ksym __weak;

#endif /* _ACCEL_POLICY_BPF_H */
