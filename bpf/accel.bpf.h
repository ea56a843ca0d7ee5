/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What BPF programs know of the kernel: only the members that they read. CO-RE
 * finds them by name in the BTF of the running kernel and its accelerator module,
 * so an object built here loads on every kernel that still has them. A full
 * vmlinux.h would make each object ten times larger for nothing.
 *
 * Include this first; it stands in for vmlinux.h (and stands back for it).
 */
#ifndef _ACCEL_BPF_H
#define _ACCEL_BPF_H

#ifndef __VMLINUX_H__
typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef signed short __s16;
typedef unsigned int __u32;
typedef signed int __s32;
typedef unsigned long long __u64;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
enum { false, true };

/* From uapi/linux/bpf.h: numbers that can never change. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_STACK_TRACE = 7,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum { BPF_ANY, BPF_NOEXIST, BPF_EXIST };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_F_CURRENT_CPU = 0xffffffffULL };
enum { BPF_F_USER_STACK = 1ULL << 8 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE };
#endif /* __VMLINUX_H__ */

#define ACCEL_COMM_LEN		16
#define ACCEL_NAME_LEN		16

#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)

#ifndef __VMLINUX_H__
struct task_struct {
	int pid;
	int tgid;
};

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	int counter;
} atomic_t;
#endif

/* From linux/accelerator.h and core/core.h. */
struct accel_device {
	u64 id;
	u32 index;
	char name[ACCEL_NAME_LEN];
	char drv_name[ACCEL_NAME_LEN];
	atomic_t num_contexts;
	atomic64_t pinned_bytes;
	atomic64_t mapped_bytes;
};

struct accel_context {
	struct accel_device *adev;
	u64 id;
	u32 node;
	u32 tgid;
	u32 uid;
	u64 cgroup_id;
	char comm[ACCEL_COMM_LEN];
	atomic64_t pinned_bytes;
	atomic64_t mapped_bytes;
	u32 slot;
};

struct accel_engine {
	char name[ACCEL_NAME_LEN];
	u32 index;
	u32 depth;
};

enum accel_mem_way {
	ACCEL_MEM_WAY_USER,
	ACCEL_MEM_WAY_IOMMUFD,
	ACCEL_MEM_WAY_DMABUF,
};

struct accel_mem {
	struct accel_context *ctx;
	u64 id;
	u64 length;
	u32 flags;
	enum accel_mem_way way;
	unsigned long npages;
	u32 nfolios;
	u32 nsegs;
	bool policy_settled;
};

struct accel_job {
	struct accel_context *ctx;
	struct accel_engine *engine;
	u64 id;
	u32 op;
	u64 bytes;
	int status;
	u64 result;
	u64 queued_ns;
	u64 started_ns;
	u64 done_ns;
};

/* From trace/events/accel.h. */
struct accel_pin_times {
	u64 account_ns;
	u64 fault_ns;
	u64 pin_ns;
	u64 faulted_pages;
	u64 gather_ns;
};

#pragma clang attribute pop

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/*
 * A program is built for one of two ways to a tracepoint, from one source. tp_btf knows
 * the types of its arguments and follows pointers by itself; it needs the kernel to find
 * the tracepoint in the module's BTF. raw_tp does not, and asks a helper for each member.
 * Which one works is found out at run time: tools/lib/bpf_util.h.
 */
#ifdef ACCEL_RAW_TP
#define TRACEPOINT(name)	SEC("raw_tp/" #name)
#define GET(p, ...)		BPF_CORE_READ(p, __VA_ARGS__)
#else
#define TRACEPOINT(name)	SEC("tp_btf/" #name)
#define ACCEL_GET_1(p, a)	((p)->a)
#define ACCEL_GET_2(p, a, b)	((p)->a->b)
#define ACCEL_GET_3(p, a, b, c)	((p)->a->b->c)
#define ACCEL_GET(n)		ACCEL_GET_##n
#define ACCEL_GET_N(_1, _2, _3, n, ...) ACCEL_GET(n)
#define GET(p, ...)		ACCEL_GET_N(__VA_ARGS__, 3, 2, 1, 0)(p, __VA_ARGS__)
#endif

/*
 * Pointers that a module's tracepoint hands over may be NULL for the verifier:
 * test each argument before the first use. What is reached through one of them
 * (job->ctx->adev) needs no test: a fault reads as zeroes.
 *
 * "const char *" arguments are scalars: bpf_probe_read_kernel_str().
 *
 * BPF_PROG() takes the name "ctx" for itself: call a struct accel_context "actx".
 */
#pragma clang diagnostic ignored "-Wunused-parameter"

#endif /* _ACCEL_BPF_H */
