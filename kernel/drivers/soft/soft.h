/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two files of accel_soft share. */
#ifndef _ACCEL_SOFT_H
#define _ACCEL_SOFT_H

#include <linux/accelerator.h>
#include <uapi/linux/accelerator_soft.h>

struct soft_device;

/* One engine: its speed may change at any time, read it with READ_ONCE(). */
struct soft_engine {
	struct soft_device *soft;
	struct accel_engine *engine;
	struct accel_engine_desc desc;
	char name[ACCEL_NAME_LEN];
	u64 latency_ns;
	u64 bandwidth;
};

struct soft_job {
	struct accel_job job;
	struct soft_engine *engine;
	struct accel_mem *src;
	struct accel_mem *dst;
	u64 src_offset;
	u64 dst_offset;
	u64 length;
	u64 pattern;
};

/* A job has ended; before accel_job_done(), so that who waited for it sees it counted. */
void soft_count(struct soft_engine *engine, u64 bytes);

/* data.c: what an engine does to memory. */
void soft_run(struct accel_job *job);

/**
 * struct soft_op - what an operation needs
 * @src: how it uses the source: ACCEL_MEM_READ, or 0: not at all
 * @dst: how it uses the destination: ACCEL_MEM_*, or 0: not at all
 * @pattern: the bits of the pattern that mean something
 * @piece: work on @n bytes that are contiguous in both regions, @done bytes after the
 *	start of the job. @result is kept from call to call, and is the job's in the end.
 *	Returns how many of the bytes it did; fewer than @n end the job.
 * @first: what @result begins with
 * @last: what @result ends with when all of the bytes were done
 */
struct soft_op {
	u32 src;
	u32 dst;
	u64 pattern;
	size_t (*piece)(const struct soft_job *sj, u8 *dst, const u8 *src, size_t n, u64 done,
			u64 *result);
	u64 (*first)(const struct soft_job *sj);
	u64 (*last)(const struct soft_job *sj, u64 result);
};

const struct soft_op *soft_op_find(u32 op);

#endif /* _ACCEL_SOFT_H */
