/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What accel_trace.bpf.c and accel-trace tell each other: event records, keys and
 * values of the summary, counters. Fixed layout; selftests/unit/events.c has the
 * offsets.
 */
#ifndef _ACCEL_EVENTS_H
#define _ACCEL_EVENTS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "accel_hist.h"

/* One for each tracepoint of trace/events/accel.h; at the end only. */
enum accel_event_type {
	ACCEL_EV_DEVICE_REGISTER,
	ACCEL_EV_DEVICE_UNREGISTER,
	ACCEL_EV_DEVICE_RELEASE,
	ACCEL_EV_DEVICE_STATE,
	ACCEL_EV_UNPLUG_DRAIN,
	ACCEL_EV_CONTEXT_OPEN,
	ACCEL_EV_CONTEXT_CLOSE,
	ACCEL_EV_IOCTL_ENTER,
	ACCEL_EV_IOCTL,
	ACCEL_EV_MMAP,
	ACCEL_EV_MUNMAP,
	ACCEL_EV_MEM_PIN,
	ACCEL_EV_MEM_UNPIN,
	ACCEL_EV_DMA_MAP,
	ACCEL_EV_DMA_UNMAP,
	ACCEL_EV_JOB_QUEUE,
	ACCEL_EV_JOB_START,
	ACCEL_EV_JOB_DONE,
	ACCEL_EV_POLICY_DENY,
	ACCEL_EV_NR
};

#define ACCEL_EV_COMM_LEN	16
#define ACCEL_EV_NAME_LEN	16
#define ACCEL_EV_IOCTL_LEN	24
#define ACCEL_EV_STACK_DEPTH	24

/* struct accel_event.flags */
#define ACCEL_EVF_RET		(1U << 0)	/* ret means something */
#define ACCEL_EVF_CONTEXT	(1U << 1)	/* it has a context */
#define ACCEL_EVF_STACK		(1U << 2)	/* it is a struct accel_event_stack */

/**
 * struct accel_event - one event
 *
 * In a ring, and in a file, it ends with the last byte that its type needs: the member of
 * the union that is its own, ACCEL_EV_SIZE(). A stack follows there.
 *
 * @ts_ns: CLOCK_MONOTONIC
 * @dev_id: device, never reused; 0: none
 * @ctx: context's id; 0: none
 * @cgroup_id: of the context's owner
 * @time_ns: how long it took, 0: not timed. What that means is the event's: the call
 *	itself; for job_start the wait in the queue; for job_done the run
 * @dev: N of accN
 * @tgid: process: the context's owner, or for what is done by a call, its caller
 * @tid: thread that called; 0 when it was none of the owner's (engine thread, interrupt)
 * @owner: process that opened the context
 * @uid: of the owner
 * @ret: result, with %ACCEL_EVF_RET
 * @type: enum accel_event_type
 * @flags: ACCEL_EVF_*
 * @cpu: where
 * @comm: of the process @tgid
 */
struct accel_event {
	__u64 ts_ns;
	__u64 dev_id;
	__u64 ctx;
	__u64 cgroup_id;
	__u64 time_ns;
	__s64 ret;
	__u32 dev;
	__u32 tgid;
	__u32 tid;
	__u32 owner;
	__u32 uid;
	__u32 cpu;
	__u16 type;
	__u16 flags;
	__u32 reserved;
	char comm[ACCEL_EV_COMM_LEN];
	union {
		struct {
			__u32 cmd;
			__u32 reserved;
			char name[ACCEL_EV_IOCTL_LEN];
		} ioctl;
		struct {
			__u64 map;
			__u64 offset;
			__u64 bytes;
			__u32 write;
			__u32 reserved;
		} mmap;
		struct {
			__u64 mem;
			__u64 bytes;
			__u64 pages;
			__u64 faulted_pages;
			__u64 account_ns;
			__u64 fault_ns;
			__u64 pin_ns;
			__u64 gather_ns;
			__u32 folios;
			__u32 segments;
			__u32 flags;	/* ACCEL_MEM_*; of an unpin: 1 = dirty */
			__u32 way;	/* enum accel_mem_way */
		} pin;
		struct {
			__u64 mem;
			__u64 bytes;
			__u64 pages;
			__u64 iommu_ns;
			__u32 folios;
			__u32 segments;
			__u32 way;
			__u32 reserved;
		} dma;
		struct {
			__u64 job;
			__u64 bytes;
			__u64 queue_ns;
			__u64 run_ns;
			__u64 total_ns;
			__u32 op;
			__u32 reserved;
			char engine[ACCEL_EV_NAME_LEN];
		} job;
		struct {
			__u32 node;
			__u32 reserved;
		} context;
		struct {
			__u64 id;
			char name[ACCEL_EV_NAME_LEN];
			char hook[ACCEL_EV_NAME_LEN];
		} policy;
		struct {
			char driver[ACCEL_EV_NAME_LEN];
			__u64 calls;
			__u32 contexts;
			__s32 old_state;
			__s32 new_state;
			__s32 op;
		} device;
	};
};

/* Bytes of an event whose member of the union is @member; all are multiples of 8 */
#define ACCEL_EV_SIZE(member) \
	(__builtin_offsetof(struct accel_event, member) + sizeof(((struct accel_event *)0)->member))

/* The kernel's stack, behind an event with %ACCEL_EVF_STACK; unused frames are 0 */
struct accel_event_stack {
	__u64 frames[ACCEL_EV_STACK_DEPTH];
};

/* accel_event_size() - bytes of an event of @type without its stack; 0: there is none such */
static inline __attribute__((always_inline)) __u32 accel_event_size(__u32 type)
{
	switch (type) {
	case ACCEL_EV_DEVICE_REGISTER:
	case ACCEL_EV_DEVICE_UNREGISTER:
	case ACCEL_EV_DEVICE_RELEASE:
	case ACCEL_EV_DEVICE_STATE:
	case ACCEL_EV_UNPLUG_DRAIN:
		return ACCEL_EV_SIZE(device);
	case ACCEL_EV_CONTEXT_OPEN:
	case ACCEL_EV_CONTEXT_CLOSE:
		return ACCEL_EV_SIZE(context);
	case ACCEL_EV_IOCTL_ENTER:
	case ACCEL_EV_IOCTL:
		return ACCEL_EV_SIZE(ioctl);
	case ACCEL_EV_MMAP:
	case ACCEL_EV_MUNMAP:
		return ACCEL_EV_SIZE(mmap);
	case ACCEL_EV_MEM_PIN:
	case ACCEL_EV_MEM_UNPIN:
		return ACCEL_EV_SIZE(pin);
	case ACCEL_EV_DMA_MAP:
	case ACCEL_EV_DMA_UNMAP:
		return ACCEL_EV_SIZE(dma);
	case ACCEL_EV_JOB_QUEUE:
	case ACCEL_EV_JOB_START:
	case ACCEL_EV_JOB_DONE:
		return ACCEL_EV_SIZE(job);
	case ACCEL_EV_POLICY_DENY:
		return ACCEL_EV_SIZE(policy);
	}
	return 0;
}

/* What a summary may tell apart. */
#define ACCEL_BY_NAME		(1U << 0)	/* ioctls: each command */
#define ACCEL_BY_DEVICE		(1U << 1)
#define ACCEL_BY_CONTEXT	(1U << 2)
#define ACCEL_BY_ENGINE		(1U << 3)
#define ACCEL_BY_OP		(1U << 4)
#define ACCEL_BY_PROCESS	(1U << 5)

/* A row of the summary; what is not told apart is zero. */
struct accel_agg_key {
	__u64 ctx;
	__u32 type;
	__u32 cmd;
	__u32 dev;
	__u32 op;
	__u32 tgid;
	__u32 reserved;
	char engine[ACCEL_EV_NAME_LEN];
};

struct accel_agg {
	__u64 calls;
	__u64 errors;
	char name[ACCEL_EV_IOCTL_LEN];	/* of the ioctl */
	char comm[ACCEL_EV_COMM_LEN];
	struct accel_hist hist;		/* of the timed ones */
};

/*
 * Per processor, and so per ring. Every event that passes the filter is counted in
 * @emitted before anything else is done with it, and in @lost when it could not be kept:
 * emitted = delivered + lost, whatever happens, of each type.
 */
struct accel_trace_count {
	__u64 emitted[ACCEL_EV_NR];
	__u64 lost[ACCEL_EV_NR];
};

#endif /* _ACCEL_EVENTS_H */
