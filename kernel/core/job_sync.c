// SPDX-License-Identifier: GPL-2.0-only
/*
 * Implicit synchronisation of jobs that use dma-bufs: the fence that says when a job
 * has ended, and the fences of others that it waits for in its queue.
 *
 * A job is put into the reservations of its buffers and into its engine's queue in one
 * step, under the engine's lock. So in each queue jobs are in the order in which they
 * were published, each waits only for what was published before it, and there is no
 * circle, whatever engines, files and devices wait for one another.
 *
 * Waiting is the queue's, not the submitter's: nothing inside the gate waits for what
 * somebody else may prolong, and a job that waits is cancelled like any other. Once
 * published, a job ends without allocating memory or taking a lock that is held where
 * somebody waits for fences or allocates; the engine's thread tells lockdep so.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "core.h"

/* Outlives its job, its device and its driver: it has copies of what it shows of them. */
struct accel_fence {
	struct dma_fence base;
	spinlock_t lock;	/* the fence's own */
	u64 ctx_id;
	struct dma_resv *resvs[ACCEL_JOB_MAX_MEMS];	/* only to be compared */
	char driver[ACCEL_NAME_LEN];
	char timeline[2 * ACCEL_NAME_LEN];
};

static_assert(offsetof(struct accel_fence, base) == 0, "dma_fence_free() frees it");

static bool accel_fences_made;

/* One fence of somebody else that a job waits for. */
struct accel_job_dep {
	struct accel_job_dep *next;
	struct accel_job *job;
	struct dma_fence *fence;
	struct dma_fence_cb cb;
};

static struct accel_fence *to_accel_fence(struct dma_fence *base)
{
	return container_of(base, struct accel_fence, base);
}

static const char *accel_fence_driver(struct dma_fence *base)
{
	return to_accel_fence(base)->driver;
}

static const char *accel_fence_timeline(struct dma_fence *base)
{
	return to_accel_fence(base)->timeline;
}

static void accel_fence_release(struct dma_fence *base)
{
	dma_fence_free(base);
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops accel_fence_ops = {
	.get_driver_name = accel_fence_driver,
	.get_timeline_name = accel_fence_timeline,
	.release = accel_fence_release,
};

/**
 * accel_fences_exit - the module goes: nobody is in its code for a fence any more
 *
 * The last fence has given the module back from within the module; whoever did that
 * has left when all tasks have slept once.
 */
void accel_fences_exit(void)
{
	if (accel_fences_made)
		synchronize_rcu_tasks();
}

/**
 * accel_fence_is_ours - whether a fence is that of an accelerator's job
 * @base: any fence
 *
 * Return: true when it is.
 */
bool accel_fence_is_ours(struct dma_fence *base)
{
	return base->ops == &accel_fence_ops;
}

/**
 * accel_fence_uses - whether a fence is that of a job which used a buffer
 * @base: any fence
 * @resv: the buffer's reservation
 *
 * User space may have put it there although the job did not.
 *
 * Return: true when it did.
 */
bool accel_fence_uses(struct dma_fence *base, struct dma_resv *resv)
{
	unsigned int i;

	if (!accel_fence_is_ours(base))
		return false;
	for (i = 0; i < ACCEL_JOB_MAX_MEMS; i++)
		if (to_accel_fence(base)->resvs[i] == resv)
			return true;
	return false;
}

/* Each is a timeline of its own: a job that is cancelled ends before its predecessors. */
static struct dma_fence *accel_fence_alloc(struct accel_job *job,
					   const struct accel_job_sync *sync)
{
	struct accel_device *adev = job->ctx->adev;
	struct accel_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!fence)
		return NULL;
	/* A fence may be looked at for as long as user space holds a file that has it. */
	__module_get(THIS_MODULE);
	WRITE_ONCE(accel_fences_made, true);
	spin_lock_init(&fence->lock);
	fence->ctx_id = job->ctx->id;
	strscpy(fence->driver, adev->drv_name, sizeof(fence->driver));
	snprintf(fence->timeline, sizeof(fence->timeline), "%s/%s", adev->name,
		 job->engine->name);
	for (i = 0; i < sync->num; i++)
		fence->resvs[i] = sync->bufs[i].dmabuf->resv;
	dma_fence_init(&fence->base, &accel_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	return &fence->base;
}

/* The buffers of a job, each reservation once; they stay although the job may end. */
static void accel_job_sync_collect(struct accel_job *job, struct accel_job_sync *sync)
{
	unsigned int i, k;

	sync->num = 0;
	for (i = 0; i < job->num_mems; i++) {
		struct dma_buf *dmabuf = job->mems[i].mem->dmabuf;

		if (!dmabuf)
			continue;
		for (k = 0; k < sync->num; k++)
			if (sync->bufs[k].dmabuf->resv == dmabuf->resv)
				break;
		if (k == sync->num) {
			get_dma_buf(dmabuf);
			sync->bufs[k].dmabuf = dmabuf;
			sync->bufs[k].write = false;
			sync->num++;
		}
		sync->bufs[k].write |= job->mems[i].write;
	}
}

static void accel_job_sync_put(struct accel_job_sync *sync)
{
	while (sync->num)
		dma_buf_put(sync->bufs[--sync->num].dmabuf);
}

static int accel_job_sync_lock(struct accel_job_sync *sync)
{
	struct ww_acquire_ctx *acquire = &sync->acquire;
	unsigned int i = 0, k;
	bool slow = false;

	ww_acquire_init(acquire, &reservation_ww_class);
	while (i < sync->num) {
		struct dma_resv *resv = sync->bufs[i].dmabuf->resv;
		int ret = slow ? dma_resv_lock_slow_interruptible(resv, acquire) :
				 dma_resv_lock_interruptible(resv, acquire);

		slow = false;
		if (!ret) {
			i++;
			continue;
		}
		for (k = i; k--; )
			dma_resv_unlock(sync->bufs[k].dmabuf->resv);
		if (ret != -EDEADLK) {
			ww_acquire_fini(acquire);
			return ret == -EINTR ? -ERESTARTSYS : ret;
		}
		/* Somebody older wants what we had: begin again with what he has. */
		swap(sync->bufs[0], sync->bufs[i]);
		slow = true;
		i = 0;
	}
	ww_acquire_done(acquire);
	return 0;
}

static void accel_job_sync_unlock(struct accel_job_sync *sync)
{
	unsigned int i;

	for (i = sync->num; i--; )
		dma_resv_unlock(sync->bufs[i].dmabuf->resv);
	ww_acquire_fini(&sync->acquire);
}

/* In the lock of somebody's fence. */
static void accel_job_dep_signalled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct accel_job *job = container_of(cb, struct accel_job_dep, cb)->job;

	if (atomic_dec_and_test(&job->deps_left))
		wake_up(&job->engine->wq);
}

static int accel_job_add_dep(struct accel_job *job, struct dma_fence *fence)
{
	struct accel_job_dep *dep = kmalloc(sizeof(*dep), GFP_KERNEL_ACCOUNT);

	if (!dep)
		return -ENOMEM;
	dep->job = job;
	dep->fence = fence;
	atomic_inc(&job->deps_left);
	if (dma_fence_add_callback(fence, &dep->cb, accel_job_dep_signalled)) {
		/* It has signalled just now. */
		atomic_dec(&job->deps_left);
		kfree(dep);
		return 0;
	}
	dma_fence_get(fence);
	dep->next = job->deps;
	job->deps = dep;
	return 0;
}

static void accel_job_drop_deps(struct accel_job *job)
{
	struct accel_job_dep *dep;

	while ((dep = job->deps)) {
		job->deps = dep->next;
		/* also waits for a callback that is running */
		dma_fence_remove_callback(dep->fence, &dep->cb);
		dma_fence_put(dep->fence);
		kfree(dep);
	}
}

/* What must have ended before a job that reads, or writes, the buffer may start. */
static int accel_job_add_deps(struct accel_job *job, struct dma_resv *resv, bool write)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	dma_resv_for_each_fence(&cursor, resv, dma_resv_usage_rw(write), fence) {
		if (dma_fence_is_signaled(fence))
			continue;
		if (accel_fence_is_ours(fence) && to_accel_fence(fence)->ctx_id == job->ctx->id)
			continue;
		ret = accel_job_add_dep(job, fence);
		if (ret)
			return ret;
	}
	return 0;
}

/* The reservations are locked. @busy: whose mapping is to be changed, but is in use. */
static int accel_job_sync_prepare(struct accel_job *job, struct accel_job_sync *sync,
				  struct accel_mem **busy)
{
	unsigned int i;
	int ret;

	for (i = 0; i < job->num_mems; i++) {
		struct accel_mem *mem = job->mems[i].mem;

		if (!mem->ops->validate)
			continue;
		ret = mem->ops->validate(mem);
		if (ret > 0)
			*busy = mem;
		if (ret)
			return ret;
	}
	for (i = 0; i < sync->num; i++) {
		struct dma_resv *resv = sync->bufs[i].dmabuf->resv;

		ret = dma_resv_reserve_fences(resv, 1);
		if (!ret)
			ret = accel_job_add_deps(job, resv, sync->bufs[i].write);
		if (ret) {
			accel_job_drop_deps(job);
			return ret;
		}
	}
	return 0;
}

/**
 * accel_job_sync_begin - get ready to publish a job to the users of its dma-bufs
 * @job: a job that is being submitted
 * @sync: on the caller's stack, until accel_job_sync_end()
 *
 * Nothing, when none of its regions is a dma-buf. Else their reservations are locked,
 * their mappings are good, and the job knows what it has to wait for. May wait for this
 * context's own jobs that use a mapping which the exporter has declared stale: these
 * end with the device, so that an unplug is not held up.
 *
 * Context: process, gated.
 * Return: 0: accel_job_sync_end() follows, in any case; or a negative errno.
 */
int accel_job_sync_begin(struct accel_job *job, struct accel_job_sync *sync)
{
	struct accel_mem *busy;
	unsigned int i;
	int ret;

	accel_job_sync_collect(job, sync);
	if (!sync->num)
		return 0;
	/* Here, since resuming allocates: the thread must not, once this is published. */
	ret = accel_power_get(job->ctx->adev);
	if (ret)
		goto err_put;
	job->fence = accel_fence_alloc(job, sync);
	if (!job->fence) {
		ret = -ENOMEM;
		goto err_power;
	}
	for (;;) {
		busy = NULL;
		ret = accel_job_sync_lock(sync);
		if (ret)
			goto err_fence;
		ret = accel_job_sync_prepare(job, sync, &busy);
		if (!ret)
			break;
		accel_job_sync_unlock(sync);
		if (busy)
			ret = wait_event_interruptible(job->ctx->mem_wq,
						       !atomic_read(&busy->import.active));
		if (ret)
			goto err_fence;
	}
	for (i = 0; i < job->num_mems; i++)
		if (job->mems[i].mem->ops->validate)
			atomic_inc(&job->mems[i].mem->import.active);
	job->powered = true;
	job->sync = sync;
	return 0;

err_fence:
	dma_fence_put(job->fence);
	job->fence = NULL;
err_power:
	accel_power_put(job->ctx->adev);
err_put:
	accel_job_sync_put(sync);
	return ret;
}

/**
 * accel_job_sync_publish - show a job to the users of its dma-bufs
 * @job: joins its engine's queue in the same moment
 *
 * From here its fence signals, whatever happens.
 *
 * Context: the engine's lock is held.
 */
void accel_job_sync_publish(struct accel_job *job)
{
	struct accel_job_sync *sync = job->sync;
	unsigned int i;

	for (i = 0; sync && i < sync->num; i++)
		dma_resv_add_fence(sync->bufs[i].dmabuf->resv, job->fence,
				   sync->bufs[i].write ? DMA_RESV_USAGE_WRITE :
							 DMA_RESV_USAGE_READ);
	job->sync = NULL;
}

/**
 * accel_job_sync_end - unlock what accel_job_sync_begin() has locked
 * @sync: of a job that was queued and may be gone, or could not be queued
 */
void accel_job_sync_end(struct accel_job_sync *sync)
{
	if (!sync->num)
		return;
	accel_job_sync_unlock(sync);
	accel_job_sync_put(sync);
}

/**
 * accel_job_signal - tell the users of a job's dma-bufs that it has ended
 * @job: a job whose status is set
 *
 * Context: any, with the engine's lock held.
 */
void accel_job_signal(struct accel_job *job)
{
	unsigned int i;

	if (!job->fence)
		return;
	for (i = 0; job->started_ns && i < job->num_mems; i++)
		if (job->mems[i].write && job->mems[i].mem->way == ACCEL_MEM_WAY_DMABUF)
			accel_export_note(job->mems[i].mem->dmabuf, job->mems[i].offset,
					  job->mems[i].length);
	if (job->status < 0)
		dma_fence_set_error(job->fence, job->status);
	dma_fence_signal(job->fence);
}

/**
 * accel_job_sync_release - drop what a job had for its dma-bufs
 * @job: a job that has ended, or was never queued; its regions are still its own
 *
 * Context: process; takes no reservation, since those who hold one may wait for jobs
 * behind this one.
 */
void accel_job_sync_release(struct accel_job *job)
{
	unsigned int i;

	if (!job->fence)
		return;
	accel_job_drop_deps(job);
	for (i = 0; i < job->num_mems; i++) {
		struct accel_mem *mem = job->mems[i].mem;

		if (mem->ops->validate && atomic_dec_and_test(&mem->import.active))
			wake_up_all(&mem->ctx->mem_wq);
	}
	dma_fence_put(job->fence);
	job->fence = NULL;
}
