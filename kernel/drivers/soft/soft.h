/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of accel_soft share. */
#ifndef _ACCEL_SOFT_H
#define _ACCEL_SOFT_H

#include <linux/accelerator.h>
#include <linux/idr.h>
#include <linux/workqueue.h>
#include <uapi/linux/accelerator_soft.h>

#define SOFT_MAX_ENGINES	8

struct soft_device;
struct soft_pt_node;

/* One engine: its speed may change at any time, read it with READ_ONCE(). */
struct soft_engine {
	struct soft_device *soft;
	struct accel_engine *engine;
	struct accel_engine_desc desc;
	char name[ACCEL_NAME_LEN];
	u64 latency_ns;
	u64 bandwidth;
};

struct soft_device {
	struct accel_device accel;
	struct accel_soft_status *status;	/* the page that users map */
	spinlock_t status_lock;			/* what is in it */
	struct ida asids;
	struct mutex spaces_lock;		/* spaces */
	struct list_head spaces;		/* that have a region */
	bool leaving;				/* is being unregistered */
	wait_queue_head_t leaving_wq;
	struct workqueue_struct *wq;		/* for engines that are deeper than 1 */
	unsigned int num_engines;
	struct soft_engine engines[SOFT_MAX_ENGINES];
};

static inline struct soft_device *to_soft(struct accel_device *adev)
{
	return container_of(adev, struct soft_device, accel);
}

/**
 * struct soft_as - the addresses that a context's regions have for the engines
 * @lock: for all changes
 * @walkers: read by engines that walk the table, written to when a node goes away
 * @link: in the device's list, while there are regions
 * @root: the table, likewise
 * @asid: its number, likewise
 * @regions: that are entered
 * @nodes: of the table
 * @pages: of each size
 * @hits: of engines' walks
 * @misses: likewise
 */
struct soft_as {
	struct mutex lock;	/* all changes */
	rwlock_t walkers;
	struct list_head link;
	struct soft_pt_node *root;
	u32 asid;
	u32 regions;
	unsigned long nodes;
	unsigned long pages[3];
	atomic64_t hits;
	atomic64_t misses;
};

struct soft_context {
	struct accel_context accel;
	struct soft_as as;
	void *scratch;		/* what its user maps and writes to, NULL: not yet */
};

static inline struct soft_context *to_soft_context(struct accel_context *ctx)
{
	return container_of(ctx, struct soft_context, accel);
}

static inline struct soft_as *to_soft_as(struct accel_context *ctx)
{
	return &to_soft_context(ctx)->as;
}

struct soft_job {
	struct accel_job job;
	struct work_struct work;	/* of an engine with a depth of more than 1 */
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

/* For tests: jobs are not to end, cancelled or not. */
bool soft_jobs_linger(void);

/* pt.c: where an engine finds an IOVA. */
void soft_as_init(struct soft_as *as);
int soft_mem_map(struct accel_mem *mem);
void soft_mem_unmap(struct accel_mem *mem);
size_t soft_pt_translate(struct soft_as *as, u64 va, u32 access, dma_addr_t *addr);
void soft_pt_debugfs(struct soft_device *soft);

/* data.c: what an engine does to memory. */
void soft_run(struct accel_job *job);
void soft_run_beside(struct accel_job *job);

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
