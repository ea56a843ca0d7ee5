// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/device.h>
#include <linux/dma-fence.h>
#include <linux/module.h>

#include "fake.h"

static void fake_run(struct accel_job *job)
{
	struct fake_device *fake = to_fake(job->ctx->adev);

	spin_lock_irq(&fake->lock);
	fake->running = job;
	fake->ran++;
	spin_unlock_irq(&fake->lock);
	complete(&fake->started);
}

/* A minute stands for ever: no test waits for it, but for one that is about to fail. */
static void fake_run_busy(struct accel_job *job)
{
	struct fake_device *fake = to_fake(job->ctx->adev);
	u64 until = ktime_get_ns() + 60 * NSEC_PER_SEC;

	complete(&fake->started);
	while (accel_job_sleep_until(job, until) && ktime_get_ns() < until)
		;
	if (ktime_get_ns() >= until)
		fake->overslept = true;
	accel_job_done(job, -ECANCELED, 0);
}

static int fake_cancel(struct accel_job *job)
{
	struct fake_device *fake = to_fake(job->ctx->adev);

	spin_lock_irq(&fake->lock);
	fake->running = NULL;
	fake->cancelled++;
	spin_unlock_irq(&fake->lock);
	return fake->cancel_error;
}

static void fake_free(struct accel_job *job)
{
	struct fake_device *fake = to_fake(job->ctx->adev);

	/* Jobs that never ran are freed by who cancels them, beside the engine's thread. */
	spin_lock_irq(&fake->lock);
	fake->freed++;
	spin_unlock_irq(&fake->lock);
}

static const struct accel_engine_desc fake_engine = {
	.name = "fake",
	.depth = 1,
	.run = fake_run,
	.cancel = fake_cancel,
	.free = fake_free,
};

static const struct accel_engine_desc fake_hasty = {
	.name = "hasty",
	.depth = 1,
	.timeout_ms = 1,
	.run = fake_run,
	.cancel = fake_cancel,
	.free = fake_free,
};

static const struct accel_engine_desc fake_busy = {
	.name = "busy",
	.depth = 1,
	.run = fake_run_busy,
	.free = fake_free,
};

/* Does what a job is to do at once, and in the engine's own thread. */
static void fake_run_prompt(struct accel_job *job)
{
	struct fake_device *fake = to_fake(job->ctx->adev);

	accel_job_done(job, fake->prompt_work ? fake->prompt_work(job) : 0, 0);
}

static const struct accel_engine_desc fake_prompt = {
	.name = "prompt",
	.depth = 1,
	.run = fake_run_prompt,
	.free = fake_free,
};

static int fake_do_open(struct accel_context *ctx)
{
	struct fake_device *fake = to_fake(ctx->adev);

	u64 id;

	if (fake->open_submits && (fake_submit(ctx, fake->engine, &id) ||
				   fake_submit(ctx, fake->engine, &id)))
		return -ENOANO;
	fake->opened += !fake->open_error;
	return fake->open_error;
}

static void fake_do_close(struct accel_context *ctx)
{
	to_fake(ctx->adev)->closed++;
}

static long fake_double(struct accel_context *ctx, void *arg)
{
	struct fake_arg *a = arg;

	to_fake(ctx->adev)->doubled++;
	a->out = a->in * 2 + a->added_later;
	return 0;
}

static const struct accel_ioctl_desc fake_ioctls[] = {
	ACCEL_IOCTLS_JOB,
	ACCEL_IOCTLS_DMABUF,
	ACCEL_IOCTL(FAKE_IOCTL_DOUBLE, struct fake_arg, out, double, fake_double, 0),
	ACCEL_IOCTL(FAKE_IOCTL_ANY_STATE, struct fake_arg, out, any_state, fake_double,
		    ACCEL_IOCTL_ANY_STATE),
	ACCEL_IOCTL(FAKE_IOCTL_READ, struct fake_arg, out, read, fake_double, 0),
};

static const struct accel_node_desc fake_nodes[] = {
	{ .suffix = "", .ioctls = fake_ioctls, .num_ioctls = ARRAY_SIZE(fake_ioctls) },
	{ .suffix = "c", .mode = 0600 },
};

const struct accel_driver fake_driver = {
	.name = "fake",
	.type = "test",
	.nodes = fake_nodes,
	.num_nodes = ARRAY_SIZE(fake_nodes),
	.open = fake_do_open,
	.close = fake_do_close,
};

struct device *fake_parent(struct kunit *test)
{
	struct device *parent = kunit_device_register(test, "accel_fake");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	return parent;
}

struct fake_device *fake_alloc(struct kunit *test, struct device *parent)
{
	struct fake_device *fake;

	fake = accel_device_alloc(parent, &fake_driver, struct fake_device, accel);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake);
	spin_lock_init(&fake->lock);
	init_completion(&fake->started);
	fake->engine = accel_engine_add(&fake->accel, &fake_engine);
	fake->hasty = accel_engine_add(&fake->accel, &fake_hasty);
	fake->busy = accel_engine_add(&fake->accel, &fake_busy);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake->engine);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake->hasty);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake->busy);
	fake->prompt = accel_engine_add(&fake->accel, &fake_prompt);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake->prompt);
	return fake;
}

struct fake_device *fake_register(struct kunit *test)
{
	struct fake_device *fake = fake_alloc(test, fake_parent(test));

	KUNIT_ASSERT_EQ(test, accel_device_register(&fake->accel), 0);
	return fake;
}

void fake_unregister(struct kunit *test, struct fake_device *fake)
{
	accel_device_unregister(&fake->accel);
	KUNIT_EXPECT_NULL(test, fake->accel.drv);
	KUNIT_EXPECT_EQ(test, fake->opened, fake->closed);
	accel_device_put(&fake->accel);
}

/* What accel_open() does, without a file. */
struct accel_context *fake_open_node(struct kunit *test, struct fake_device *fake,
				     unsigned int node)
{
	struct accel_context *ctx = accel_context_new(&fake->accel.nodes[node]);
	struct accel_call call = { .ctx = ctx, .op = ACCEL_OP_OPEN };
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ret = accel_call_begin(&call);
	if (!ret)
		ret = accel_context_open(&call);
	accel_call_end(&call, ret);
	if (!ret)
		return ctx;
	accel_context_put(ctx);
	return ERR_PTR(ret);
}

struct accel_context *fake_open(struct kunit *test, struct fake_device *fake)
{
	return fake_open_node(test, fake, 0);
}

int fake_submit(struct accel_context *ctx, struct accel_engine *engine, u64 *id)
{
	return fake_submit_mem(ctx, engine, 0, 0, id);
}

/* As a driver's handler does it: inside the gate. @access: to @mem's first page, or none. */
int fake_submit_mem(struct accel_context *ctx, struct accel_engine *engine, u64 mem,
		    u32 access, u64 *id)
{
	struct accel_call call = { .ctx = ctx, .op = ACCEL_OP_IOCTL };
	struct accel_job *job;
	int ret;

	ret = accel_call_begin(&call);
	if (!ret)
		ret = accel_call_enter(&call);
	if (!ret) {
		job = __accel_job_alloc(ctx, engine, 7, 100, sizeof(*job));
		ret = PTR_ERR_OR_ZERO(job);
	}
	if (!ret && access) {
		ret = PTR_ERR_OR_ZERO(accel_job_use_mem(job, mem, access, 0, PAGE_SIZE));
		if (ret)
			accel_job_discard(job);
	}
	if (!ret)
		ret = accel_job_submit(job, id);
	return accel_call_end(&call, ret);
}

/* The hardware is through with what it works on. */
void fake_finish(struct fake_device *fake, int status, u64 result)
{
	struct accel_job *job;

	wait_for_completion(&fake->started);
	spin_lock_irq(&fake->lock);
	job = fake->running;
	fake->running = NULL;
	spin_unlock_irq(&fake->lock);
	if (job)
		accel_job_done(job, status, result);
}

struct fake_fence {
	struct dma_fence base;
	spinlock_t lock;	/* the fence's own */
};

static const char *fake_fence_name(struct dma_fence *fence)
{
	return "fake";
}

static const struct dma_fence_ops fake_fence_ops = {
	.get_driver_name = fake_fence_name,
	.get_timeline_name = fake_fence_name,
};

/* What somebody else's hardware does to a buffer, until the caller signals and puts it. */
struct dma_fence *fake_fence(struct kunit *test, struct dma_resv *resv, enum dma_resv_usage usage)
{
	struct fake_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &fake_fence_ops, &fence->lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(resv, NULL);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &fence->base, usage);
	dma_resv_unlock(resv);
	return &fence->base;
}

MODULE_DESCRIPTION("KUnit tests of the accelerator core");
MODULE_IMPORT_NS(ACCEL_EXPORT_NS);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
#else
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
#endif
MODULE_LICENSE("GPL");
