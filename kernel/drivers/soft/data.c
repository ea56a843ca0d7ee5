// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the engines of accel_soft do to memory: each operation, page by page, at the
 * engine's speed. They know DMA addresses only, as hardware does, and IOVAs where the
 * context has a page table for them.
 */
#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/dma-direct.h>
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#include <linux/crc32c.h>
#define soft_crc32c crc32c
#else
/* Not crc32c(): that takes libcrc32c.ko and a provider of the crypto API. */
#include <linux/crc32.h>
#define soft_crc32c __crc32c_le
#endif

#include "soft.h"

/* Bytes between two looks at the clock and at accel_job_cancelled(). */
#define SOFT_CHUNK	SZ_64K

/* Below this a sleep would take longer than it should. */
#define SOFT_SPIN_NS	(10 * NSEC_PER_USEC)

/* A place in a region: in its table of DMA addresses, or at an IOVA. */
struct soft_cursor {
	struct scatterlist *sg;
	size_t offset;		/* in its DMA segment */
	struct soft_as *as;	/* or NULL */
	u64 va;
	u32 access;
	struct device *dev;
};

static void soft_seek(struct soft_cursor *cur, const struct accel_mem *mem, u32 access,
		      u64 offset)
{
	struct scatterlist *sg = mem->sgt->sgl;

	cur->dev = mem->ctx->adev->dev.parent;
	cur->as = mem->way == ACCEL_MEM_WAY_IOMMUFD ? to_soft_as(mem->ctx) : NULL;
	cur->va = mem->addr + offset;
	cur->access = access;
	if (cur->as)
		return;
	while (offset >= sg_dma_len(sg)) {
		offset -= sg_dma_len(sg);
		sg = sg_next(sg);
	}
	cur->sg = sg;
	cur->offset = offset;
}

/* Map what follows in the same page, at most *@n bytes; *@n: how many it is. NULL: a miss. */
static u8 *soft_map(const struct soft_cursor *cur, size_t *n)
{
	dma_addr_t addr;
	phys_addr_t at;
	size_t run;

	if (cur->as) {
		run = soft_pt_translate(cur->as, cur->va, cur->access, &addr);
		if (!run)
			return NULL;
	} else {
		addr = sg_dma_address(cur->sg) + cur->offset;
		run = sg_dma_len(cur->sg) - cur->offset;
	}
	/* No IOMMU is between it and memory: soft_probe() has made sure. */
	at = dma_to_phys(cur->dev, addr);
	*n = min3(*n, PAGE_SIZE - offset_in_page(at), run);
	return (u8 *)kmap_local_page(pfn_to_page(PHYS_PFN(at))) + offset_in_page(at);
}

static void soft_advance(struct soft_cursor *cur, size_t n)
{
	if (cur->as) {
		cur->va += n;
		return;
	}
	cur->offset += n;
	if (cur->offset == sg_dma_len(cur->sg)) {
		cur->sg = sg_next(cur->sg);
		cur->offset = 0;
	}
}

static size_t soft_copy(const struct soft_job *sj, u8 *dst, const u8 *src, size_t n, u64 done,
			u64 *result)
{
	/* Two regions may be the same pages: their content is the user's problem. */
	memmove(dst, src, n);
	return n;
}

static size_t soft_fill(const struct soft_job *sj, u8 *dst, const u8 *src, size_t n, u64 done,
			u64 *result)
{
	u64 pattern = ror64(sj->pattern, 8 * (done % 8));
	size_t i;

	for (i = 0; i + 8 <= n; i += 8)
		put_unaligned_le64(pattern, dst + i);
	for (; i < n; i++, pattern >>= 8)
		dst[i] = pattern;
	return n;
}

static size_t soft_compare(const struct soft_job *sj, u8 *dst, const u8 *src, size_t n, u64 done,
			   u64 *result)
{
	size_t i = n;

	/* The user may write meanwhile: memcmp() only says that it is worth looking. */
	if (memcmp(dst, src, n))
		for (i = 0; i < n && dst[i] == src[i]; i++)
			;
	*result = done + i;
	return i;
}

static size_t soft_crc(const struct soft_job *sj, u8 *dst, const u8 *src, size_t n, u64 done,
		       u64 *result)
{
	*result = soft_crc32c(*result, src, n);
	return n;
}

static u64 soft_crc_first(const struct soft_job *sj)
{
	return ~(u32)sj->pattern;
}

static u64 soft_crc_last(const struct soft_job *sj, u64 result)
{
	return ~(u32)result;
}

static const struct soft_op soft_ops[] = {
	[ACCEL_SOFT_OP_NOP] = { },
	[ACCEL_SOFT_OP_COPY] = {
		.src = ACCEL_MEM_READ,
		.dst = ACCEL_MEM_WRITE,
		.piece = soft_copy,
	},
	[ACCEL_SOFT_OP_FILL] = {
		.dst = ACCEL_MEM_WRITE,
		.pattern = U64_MAX,
		.piece = soft_fill,
	},
	[ACCEL_SOFT_OP_COMPARE] = {
		.src = ACCEL_MEM_READ,
		.dst = ACCEL_MEM_READ,
		.piece = soft_compare,
	},
	[ACCEL_SOFT_OP_CRC32C] = {
		.src = ACCEL_MEM_READ,
		.pattern = U32_MAX,
		.piece = soft_crc,
		.first = soft_crc_first,
		.last = soft_crc_last,
	},
};

/* NULL when there is no such operation. */
const struct soft_op *soft_op_find(u32 op)
{
	if (op >= ARRAY_SIZE(soft_ops))
		return NULL;
	return &soft_ops[array_index_nospec(op, ARRAY_SIZE(soft_ops))];
}

/* Wait until @until, ktime_get_ns()'s; false when the job was cancelled before that. */
static bool soft_wait(struct accel_job *job, u64 until)
{
	for (;;) {
		u64 now = ktime_get_ns();

		if (accel_job_cancelled(job))
			return false;
		if (now >= until)
			return true;
		if (until - now < SOFT_SPIN_NS)
			cpu_relax();
		else
			accel_job_sleep_until(job, until);
	}
}

/*
 * Up to *@n bytes from @done on; *@n: how many were done. 1: there is no use in going on;
 * -EFAULT: nothing is where an IOVA says.
 */
static int soft_chunk(const struct soft_job *sj, const struct soft_op *op,
		      struct soft_cursor *src, struct soft_cursor *dst, size_t *n, u64 done,
		      u64 *result)
{
	size_t at = 0;

	while (at < *n) {
		size_t piece = *n - at, did = 0;
		u8 *from = op->src ? soft_map(src, &piece) : NULL;
		u8 *to = op->dst ? soft_map(dst, &piece) : NULL;
		bool miss = (op->src && !from) || (op->dst && !to);

		if (!miss)
			did = op->piece(sj, to, from, piece, done + at, result);
		if (to)
			kunmap_local(to);
		if (from)
			kunmap_local(from);
		at += did;
		if (did < piece) {
			*n = at;
			return miss ? -EFAULT : 1;
		}
		if (op->src)
			soft_advance(src, piece);
		if (op->dst)
			soft_advance(dst, piece);
	}
	return 0;
}

static int soft_work(struct soft_job *sj, const struct soft_op *op, u64 *result)
{
	u64 bandwidth = READ_ONCE(sj->engine->bandwidth);
	u64 latency_ns = READ_ONCE(sj->engine->latency_ns);
	struct soft_cursor src, dst;
	u64 until, done = 0;

	while (latency_ns && soft_jobs_linger())
		msleep(20);
	/* From the start as the core has it: the latency is exact, our own overhead included. */
	until = sj->job.started_ns + latency_ns;
	if (!soft_wait(&sj->job, until))
		return -ECANCELED;

	until = ktime_get_ns();
	if (op->src)
		soft_seek(&src, sj->src, op->src, sj->src_offset);
	if (op->dst)
		soft_seek(&dst, sj->dst, op->dst, sj->dst_offset);
	while (done < sj->length) {
		size_t n = min_t(u64, sj->length - done, SOFT_CHUNK);
		int stop = soft_chunk(sj, op, &src, &dst, &n, done, result);

		done += n;
		if (stop < 0)
			return stop;
		if (bandwidth) {
			until += div64_u64(n * NSEC_PER_SEC, bandwidth);
			if (!soft_wait(&sj->job, until))
				return -ECANCELED;
		} else if (accel_job_cancelled(&sj->job)) {
			return -ECANCELED;
		}
		if (stop)
			return 0;
		cond_resched();
	}
	if (op->last)
		*result = op->last(sj, *result);
	return 0;
}

/* The whole job, in its engine's thread: engines work beside one another, and one job at a time. */
void soft_run(struct accel_job *job)
{
	struct soft_job *sj = container_of(job, struct soft_job, job);
	const struct soft_op *op = soft_op_find(job->op);
	u64 result = op->first ? op->first(sj) : 0;
	int status = soft_work(sj, op, &result);

	soft_count(sj->engine, status ? 0 : sj->length);
	accel_job_done(job, status, status ? 0 : result);
}

static void soft_work_beside(struct work_struct *work)
{
	soft_run(&container_of(work, struct soft_job, work)->job);
}

/* The same beside other jobs of the same engine, which so takes several at a time. */
void soft_run_beside(struct accel_job *job)
{
	struct soft_job *sj = container_of(job, struct soft_job, job);

	INIT_WORK(&sj->work, soft_work_beside);
	queue_work(sj->engine->soft->wq, &sj->work);
}
