/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that BPF programs call into share. */
#ifndef _ACCEL_KFUNCS_H
#define _ACCEL_KFUNCS_H

#include "core.h"

/* Open-coded iterators: on the program's stack, opaque, of a size that stays. */

struct bpf_iter_accel_device {
	__u64 __opaque[2];
} __aligned(8);

struct bpf_iter_accel_context {
	__u64 __opaque[4];
} __aligned(8);

struct bpf_iter_accel_mem {
	__u64 __opaque[4];
} __aligned(8);

/* Called by BPF programs only, through BTF. */
struct accel_device *bpf_accel_device_find(u32 index);
struct accel_device *bpf_accel_context_device(struct accel_context *ctx);
void bpf_accel_device_put(struct accel_device *adev);
void bpf_accel_device_put_dtor(void *adev);
struct accel_context *bpf_accel_context_get(struct accel_context *ctx);
struct accel_context *bpf_accel_context_find(struct accel_device *adev, u64 id);
void bpf_accel_context_put(struct accel_context *ctx);
void bpf_accel_context_put_dtor(void *ctx);
int bpf_accel_device_info(struct accel_device *adev, void *info, u32 info__sz);
int bpf_accel_context_info(struct accel_context *ctx, void *info, u32 info__sz);
int bpf_accel_context_count(struct accel_context *ctx, u32 op, void *count, u32 count__sz);
int bpf_accel_device_count(struct accel_device *adev, u32 op, void *count, u32 count__sz);
int bpf_accel_engine_info(struct accel_device *adev, u32 engine, void *info, u32 info__sz);
u32 bpf_accel_job_engine(struct accel_job *job);
int bpf_iter_accel_device_new(struct bpf_iter_accel_device *it);
struct accel_device *bpf_iter_accel_device_next(struct bpf_iter_accel_device *it);
void bpf_iter_accel_device_destroy(struct bpf_iter_accel_device *it);
int bpf_iter_accel_context_new(struct bpf_iter_accel_context *it, struct accel_device *adev);
struct accel_context *bpf_iter_accel_context_next(struct bpf_iter_accel_context *it);
void bpf_iter_accel_context_destroy(struct bpf_iter_accel_context *it);
int bpf_iter_accel_mem_new(struct bpf_iter_accel_mem *it, struct accel_context *ctx);
struct accel_mem *bpf_iter_accel_mem_next(struct bpf_iter_accel_mem *it);
void bpf_iter_accel_mem_destroy(struct bpf_iter_accel_mem *it);

#endif /* _ACCEL_KFUNCS_H */
