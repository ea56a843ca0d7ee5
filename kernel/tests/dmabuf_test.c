// SPDX-License-Identifier: GPL-2.0-only
/*
 * Import of a dma-buf whose exporter moves it and takes it away, while jobs use it and
 * wait for it. Its memory is a number: the generation, which is also its DMA address.
 */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "fake.h"

#ifdef ACCEL_DMA_BUF_INVALIDATES
#define dma_buf_move_notify	dma_buf_invalidate_mappings
#endif

#define MOVER_ADDR(generation)	((dma_addr_t)(generation) << PAGE_SHIFT)
#define MOVER_GENERATION(addr)	((unsigned int)((addr) >> PAGE_SHIFT))
#define MOVES			500

struct mover {
	struct dma_buf *dmabuf;
	unsigned int generation;
	unsigned int freed;		/* this one, and all before it, belong to others now */
	unsigned int maps, unmaps, attached;
	unsigned int length;		/* of the tables that it makes */
	int error;			/* what mapping answers */
};

/* The buffer of the one test that runs. */
static struct mover mover;
static unsigned int used_freed;
static DECLARE_COMPLETION(mover_released);

struct dmabuf_fixture {
	struct fake_device *fake;
	struct accel_context *ctx;
	u64 mem;
};

static int mover_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	mover.attached++;
	return 0;
}

static void mover_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	mover.attached--;
}

static int mover_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void mover_unpin(struct dma_buf_attachment *attach)
{
}

static struct sg_table *mover_map(struct dma_buf_attachment *attach,
				  enum dma_data_direction dir)
{
	struct sg_table *sgt;

	if (mover.error)
		return ERR_PTR(mover.error);
	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	sg_dma_address(sgt->sgl) = MOVER_ADDR(mover.generation);
	sg_dma_len(sgt->sgl) = mover.length;
	mover.maps++;
	return sgt;
}

static void mover_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	mover.unmaps++;
	sg_free_table(sgt);
	kfree(sgt);
}

static void mover_release(struct dma_buf *dmabuf)
{
	complete(&mover_released);
}

static const struct dma_buf_ops mover_ops = {
	.attach = mover_attach,
	.detach = mover_detach,
	.pin = mover_pin,
	.unpin = mover_unpin,
	.map_dma_buf = mover_map,
	.unmap_dma_buf = mover_unmap,
	.release = mover_release,
};

/* It is somewhere else from now on; jobs that use the old place may still run. */
static void mover_move(void)
{
	dma_resv_lock(mover.dmabuf->resv, NULL);
	mover.generation++;
	dma_buf_move_notify(mover.dmabuf);
	dma_resv_unlock(mover.dmabuf->resv);
}

static bool mover_idle(void)
{
	return dma_resv_test_signaled(mover.dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP);
}

static struct dma_fence *mover_fence(struct kunit *test)
{
	struct dma_fence *fence = NULL;

	KUNIT_ASSERT_EQ(test, dma_resv_get_singleton(mover.dmabuf->resv,
						     DMA_RESV_USAGE_BOOKKEEP, &fence), 0);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	return fence;
}

static void other_signal(struct dma_fence *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static int import(struct kunit *test, struct accel_context *ctx, u32 flags, u64 *mem)
{
	struct accel_mem_import arg = { .flags = flags };
	int ret;

	get_dma_buf(mover.dmabuf);
	arg.fd = dma_buf_fd(mover.dmabuf, O_CLOEXEC);
	KUNIT_ASSERT_GE(test, arg.fd, 0);
	ret = accel_ioctl_mem_import(ctx, &arg);
	close_fd(arg.fd);
	if (!ret)
		KUNIT_EXPECT_EQ(test, arg.length, PAGE_SIZE);
	*mem = arg.mem_id;
	return ret;
}

static int dmabuf_init(struct kunit *test)
{
	struct dmabuf_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	mover = (struct mover){ .generation = 1, .length = PAGE_SIZE };
	reinit_completion(&mover_released);
	info.ops = &mover_ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = &mover;
	mover.dmabuf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mover.dmabuf);
	f->fake = fake_register(test);
	f->ctx = fake_open(test, f->fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->ctx));
	KUNIT_ASSERT_EQ(test, import(test, f->ctx, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &f->mem),
			0);
	return 0;
}

/* Nobody has it any more, and every mapping was undone. */
static void end(struct kunit *test, struct dmabuf_fixture *f)
{
	if (f->ctx)
		accel_context_close(f->ctx);
	if (f->fake)
		fake_unregister(test, f->fake);
	KUNIT_EXPECT_EQ(test, mover.attached, 0);
	KUNIT_EXPECT_EQ(test, mover.maps, mover.unmaps);
	KUNIT_EXPECT_TRUE(test, mover_idle());
	dma_buf_put(mover.dmabuf);
	/* A kernel thread's last reference may be given up by a worker. */
	flush_delayed_fput();
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&mover_released, 60 * HZ), 0);
}

static int submit(struct dmabuf_fixture *f, struct accel_engine *engine, u64 *id)
{
	return fake_submit_mem(f->ctx, engine, f->mem, ACCEL_MEM_WRITE, id);
}

static int job_status(struct accel_context *ctx, u64 id)
{
	struct accel_job_wait wait = { .job_id = id, .deadline_ns = S64_MAX };

	return accel_ioctl_job_wait(ctx, &wait) ?: wait.status;
}

static unsigned int job_generation(struct accel_job *job)
{
	dma_addr_t addr = 0;
	size_t len;

	accel_mem_dma_addr(job->mems[0].mem, 0, &addr, &len);
	return MOVER_GENERATION(addr);
}

static unsigned int running_generation(struct dmabuf_fixture *f)
{
	wait_for_completion(&f->fake->started);
	complete(&f->fake->started);	/* for fake_finish() */
	return job_generation(f->fake->running);
}

static void fence_of_a_job(struct kunit *test)
{
	struct dmabuf_fixture *f = test->priv;
	struct dma_fence *fence;
	u64 id;

	KUNIT_EXPECT_TRUE(test, mover_idle());
	KUNIT_ASSERT_EQ(test, submit(f, f->fake->engine, &id), 0);
	KUNIT_EXPECT_FALSE(test, mover_idle());
	fence = mover_fence(test);
	KUNIT_EXPECT_STREQ(test, fence->ops->get_driver_name(fence), "fake");
	fake_finish(f->fake, -EREMOTEIO, 0);
	KUNIT_EXPECT_EQ(test, job_status(f->ctx, id), -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -EREMOTEIO);
	KUNIT_EXPECT_TRUE(test, mover_idle());
	end(test, f);
	/* It is a thing of its own. */
	KUNIT_EXPECT_STREQ(test, fence->ops->get_driver_name(fence), "fake");
	dma_fence_put(fence);
}

static void moved_between_jobs(struct kunit *test)
{
	struct dmabuf_fixture *f = test->priv;
	u64 id;

	KUNIT_EXPECT_EQ(test, mover.maps, 1);
	KUNIT_ASSERT_EQ(test, submit(f, f->fake->engine, &id), 0);
	KUNIT_EXPECT_EQ(test, running_generation(f), 1);
	mover_move();
	/* Not under a job. */
	KUNIT_EXPECT_EQ(test, mover.unmaps, 0);
	KUNIT_EXPECT_EQ(test, job_generation(f->fake->running), 1);
	KUNIT_EXPECT_FALSE(test, mover_idle());
	fake_finish(f->fake, 0, 0);
	KUNIT_EXPECT_EQ(test, job_status(f->ctx, id), 0);
	reinit_completion(&f->fake->started);
	KUNIT_ASSERT_EQ(test, submit(f, f->fake->engine, &id), 0);
	KUNIT_EXPECT_EQ(test, running_generation(f), 2);
	KUNIT_EXPECT_EQ(test, mover.maps, 2);
	KUNIT_EXPECT_EQ(test, mover.unmaps, 1);
	fake_finish(f->fake, 0, 0);
	KUNIT_EXPECT_EQ(test, job_status(f->ctx, id), 0);
	/* Twice, and nobody looked. */
	mover_move();
	mover_move();
	reinit_completion(&f->fake->started);
	KUNIT_ASSERT_EQ(test, submit(f, f->fake->engine, &id), 0);
	KUNIT_EXPECT_EQ(test, running_generation(f), 4);
	KUNIT_EXPECT_EQ(test, mover.maps, 3);
	end(test, f);
}

/* Each job runs where the buffer is, or was when the exporter still waits for it. */
static int check_place(struct accel_job *job)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (job_generation(job) <= READ_ONCE(mover.freed))
			used_freed++;
		cond_resched();
	}
	return 0;
}

static int keep_moving(void *data)
{
	unsigned int i, old;

	/* and until it was mapped in between: all of them may fit into one time slice */
	for (i = 0; i < MOVES || (READ_ONCE(mover.maps) < 2 && i < 1000 * MOVES); i++) {
		old = mover.generation;
		mover_move();
		dma_resv_wait_timeout(mover.dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, false,
				      MAX_SCHEDULE_TIMEOUT);
		WRITE_ONCE(mover.freed, old);
		cond_resched();
	}
	complete(data);
	return 0;
}

static void moved_under_load(struct kunit *test)
{
	struct dmabuf_fixture *f = test->priv;
	DECLARE_COMPLETION_ONSTACK(moved);
	struct task_struct *thread;
	u64 ids[8];
	int i = 0, n = 0, failed = 0;

	used_freed = 0;
	f->fake->prompt_work = check_place;
	thread = kthread_run(keep_moving, &moved, "accel_mover");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	while (!completion_done(&moved)) {
		if (n >= ARRAY_SIZE(ids))
			failed += !!job_status(f->ctx, ids[i]);
		failed += !!submit(f, f->fake->prompt, &ids[i]);
		i = (i + 1) % ARRAY_SIZE(ids);
		n++;
	}
	KUNIT_EXPECT_EQ(test, failed, 0);
	KUNIT_EXPECT_EQ(test, used_freed, 0);
	KUNIT_EXPECT_GT(test, mover.generation, MOVES);
	KUNIT_EXPECT_GT(test, mover.maps, 1);
	end(test, f);
}

static void waits_for_others(struct kunit *test)
{
	static const struct {
		enum dma_resv_usage usage;
		u32 access;
		bool waits;
	} cases[] = {
		{ DMA_RESV_USAGE_KERNEL, ACCEL_MEM_READ, true },
		{ DMA_RESV_USAGE_KERNEL, ACCEL_MEM_WRITE, true },
		{ DMA_RESV_USAGE_WRITE, ACCEL_MEM_READ, true },
		{ DMA_RESV_USAGE_WRITE, ACCEL_MEM_WRITE, true },
		{ DMA_RESV_USAGE_READ, ACCEL_MEM_READ, false },
		{ DMA_RESV_USAGE_READ, ACCEL_MEM_WRITE, true },
		{ DMA_RESV_USAGE_BOOKKEEP, ACCEL_MEM_WRITE, false },
	};
	struct dmabuf_fixture *f = test->priv;
	struct accel_engine_count count;
	struct accel_context *second = fake_open(test, f->fake);
	struct dma_fence *fence;
	u64 id, behind, free;
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(second));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fence = fake_fence(test, mover.dmabuf->resv, cases[i].usage);
		KUNIT_ASSERT_EQ(test, fake_submit_mem(f->ctx, f->fake->prompt, f->mem,
						      cases[i].access, &id), 0);
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->prompt, &behind), 0);
		/* Another file's job comes after both, and is not held up by them. */
		KUNIT_ASSERT_EQ(test, fake_submit(second, f->fake->prompt, &free), 0);
		KUNIT_EXPECT_EQ(test, job_status(second, free), 0);
		if (!cases[i].waits)
			KUNIT_EXPECT_EQ(test, job_status(f->ctx, id), 0);
		accel_engine_read_usage(f->fake->prompt, f->ctx, &count);
		if (cases[i].waits)
			KUNIT_EXPECT_EQ_MSG(test, count.queued, 2, "case %d", i);
		other_signal(fence);
		if (cases[i].waits)
			KUNIT_EXPECT_EQ(test, job_status(f->ctx, id), 0);
		KUNIT_EXPECT_EQ(test, job_status(f->ctx, behind), 0);
	}
	accel_context_close(second);
	end(test, f);
}

static void closed_while_it_waits(struct kunit *test)
{
	struct dmabuf_fixture *f = test->priv;
	struct dma_resv *resv = mover.dmabuf->resv;
	struct dma_fence *other = fake_fence(test, resv, DMA_RESV_USAGE_WRITE), *fence;
	u64 id;

	KUNIT_ASSERT_EQ(test, submit(f, f->fake->engine, &id), 0);
	fence = mover_fence(test);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	accel_context_close(f->ctx);
	f->ctx = NULL;
	/* Both of which it was made: that of the job has signalled. */
	dma_fence_put(fence);
	other_signal(other);
	KUNIT_EXPECT_TRUE(test, mover_idle());
	end(test, f);
}

static void unplugged_while_it_waits(struct kunit *test)
{
	struct dmabuf_fixture *f = test->priv;
	struct dma_fence *other = fake_fence(test, mover.dmabuf->resv, DMA_RESV_USAGE_KERNEL);
	u64 id;

	KUNIT_ASSERT_EQ(test, submit(f, f->fake->engine, &id), 0);
	fake_unregister(test, f->fake);
	f->fake = NULL;
	KUNIT_EXPECT_EQ(test, mover.attached, 0);
	KUNIT_EXPECT_EQ(test, mover.maps, mover.unmaps);
	KUNIT_EXPECT_EQ(test, job_status(f->ctx, id), -ENODEV);
	other_signal(other);
	end(test, f);
}

static void taken_away(struct kunit *test)
{
	struct dmabuf_fixture *f = test->priv;
	u64 id, mem;

	mover.error = -ENODEV;
	mover_move();
	KUNIT_EXPECT_EQ(test, submit(f, f->fake->engine, &id), -ESTALE);
	KUNIT_EXPECT_EQ(test, import(test, f->ctx, ACCEL_MEM_READ, &mem), -ESTALE);
	/* Other errors are the exporter's own, and may pass. */
	mover.error = -ENOSPC;
	KUNIT_EXPECT_EQ(test, submit(f, f->fake->engine, &id), -ENOSPC);
	mover.error = 0;
	KUNIT_EXPECT_EQ(test, submit(f, f->fake->prompt, &id), 0);
	KUNIT_EXPECT_EQ(test, job_status(f->ctx, id), 0);
	/* A table that is too short is not used. */
	mover.length = PAGE_SIZE / 2;
	mover_move();
	KUNIT_EXPECT_EQ(test, submit(f, f->fake->engine, &id), -EINVAL);
	end(test, f);
}

static struct kunit_case dmabuf_cases[] = {
	KUNIT_CASE(fence_of_a_job),
	KUNIT_CASE(moved_between_jobs),
	KUNIT_CASE_SLOW(moved_under_load),
	KUNIT_CASE(waits_for_others),
	KUNIT_CASE(closed_while_it_waits),
	KUNIT_CASE(unplugged_while_it_waits),
	KUNIT_CASE(taken_away),
	{ }
};

static struct kunit_suite dmabuf_suite = {
	.name = "accel_dmabuf",
	.init = dmabuf_init,
	.test_cases = dmabuf_cases,
};

kunit_test_suite(dmabuf_suite);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
MODULE_IMPORT_NS("DMA_BUF");
#else
MODULE_IMPORT_NS(DMA_BUF);
#endif
