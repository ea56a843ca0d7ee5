// SPDX-License-Identifier: GPL-2.0-only
/* Jobs: made by a driver's ioctl, handed to an engine, waited for by their id. */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <trace/events/accel.h>

#include "core.h"
#include "policy.h"

static_assert(BITS_PER_LONG == 64, "job ids index xarrays");

static void accel_job_free(struct kref *ref)
{
	kfree(container_of(ref, struct accel_job, ref));
}

/* Context: any. */
void accel_job_put(struct accel_job *job)
{
	kref_put(&job->ref, accel_job_free);
}

/**
 * __accel_job_alloc - see accel_job_alloc()
 * @ctx: the context that submits it
 * @engine: the engine it is for
 * @op: the driver's operation code
 * @bytes: data it moves or reads
 * @size: of the driver's structure, whose first member is the struct accel_job
 *
 * Context: process, may sleep, gated.
 * Return: the job; ERR_PTR -ENOMEM, -EINVAL (another device's engine: said in the log).
 */
struct accel_job *__accel_job_alloc(struct accel_context *ctx, struct accel_engine *engine,
				    u32 op, u64 bytes, size_t size)
{
	struct accel_job *job;

	/* It is inside the gate of its own device only, and counted there. */
	if (engine->adev != ctx->adev) {
		dev_err_ratelimited(&ctx->adev->dev, "a job of %s for engine '%s' of %s\n",
				    ctx->adev->name, engine->name, engine->adev->name);
		return ERR_PTR(-EINVAL);
	}
	job = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!job)
		return ERR_PTR(-ENOMEM);
	kref_init(&job->ref);
	INIT_LIST_HEAD(&job->link);
	INIT_LIST_HEAD(&job->ctx_link);
	init_waitqueue_head(&job->wq);
	job->ctx = ctx;
	job->engine = engine;
	job->id = accel_job_id_next();
	job->op = op;
	job->bytes = bytes;
	return job;
}
EXPORT_SYMBOL_NS_GPL(__accel_job_alloc, ACCEL_EXPORT_NS);

/**
 * accel_job_use_mem - say that a job reads or writes a range of a region
 * @job: a job that was not submitted yet
 * @mem_id: the region's handle, from user space
 * @access: %ACCEL_MEM_READ (the device reads it), %ACCEL_MEM_WRITE or both
 * @offset: first byte in the region
 * @length: bytes
 *
 * The region stays pinned and mapped until the job has ended; the core makes the
 * range coherent before and after, and marks written pages dirty.
 *
 * Context: process, gated.
 * Return: the region; ERR_PTR -ENOENT (not a region of this context), -EACCES (not
 * pinned for that access), -ERANGE (not all inside), -E2BIG (too many regions).
 */
struct accel_mem *accel_job_use_mem(struct accel_job *job, u64 mem_id, u32 access,
				    u64 offset, u64 length)
{
	struct accel_mem *mem;

	if (job->num_mems == ACCEL_JOB_MAX_MEMS)
		return ERR_PTR(-E2BIG);
	mem = accel_mem_use(job->ctx, mem_id, access, offset, length);
	if (IS_ERR(mem))
		return mem;
	job->mems[job->num_mems].mem = mem;
	job->mems[job->num_mems].write = access & ACCEL_MEM_WRITE;
	job->mems[job->num_mems].offset = offset;
	job->mems[job->num_mems].length = length;
	job->num_mems++;
	return mem;
}
EXPORT_SYMBOL_NS_GPL(accel_job_use_mem, ACCEL_EXPORT_NS);

/* Give the job's regions back, in reverse, and what the driver has hung on it. */
void accel_job_unuse_mems(struct accel_job *job)
{
	unsigned int i = job->num_mems;

	if (job->engine->desc->free)
		job->engine->desc->free(job);
	accel_job_sync_release(job);
	while (i--)
		accel_mem_unuse(job->mems[i].mem, job->mems[i].write && job->started_ns,
				job->mems[i].offset, job->mems[i].length);
	job->num_mems = 0;
}

/**
 * accel_job_discard - free a job that is not to be submitted after all
 * @job: from accel_job_alloc()
 *
 * Context: process, gated.
 */
void accel_job_discard(struct accel_job *job)
{
	accel_job_unuse_mems(job);
	accel_job_put(job);
}
EXPORT_SYMBOL_NS_GPL(accel_job_discard, ACCEL_EXPORT_NS);

/* Room for one more job that is not waited for, and for its id. */
static int accel_job_reserve(struct accel_job *job)
{
	struct accel_context *ctx = job->ctx;
	bool room;
	int ret;

	spin_lock_irq(&ctx->job_lock);
	room = ctx->num_jobs < ACCEL_CONTEXT_MAX_JOBS;
	ctx->num_jobs += room;
	spin_unlock_irq(&ctx->job_lock);
	if (!room)
		return -EAGAIN;
	ret = xa_reserve(&ctx->jobs, job->id, GFP_KERNEL_ACCOUNT);
	if (ret) {
		spin_lock_irq(&ctx->job_lock);
		ctx->num_jobs--;
		spin_unlock_irq(&ctx->job_lock);
	}
	return ret;
}

/* The end of accel_job_reserve(), by who has taken the id away. */
static void accel_job_unreserve(struct accel_job *job)
{
	struct accel_context *ctx = job->ctx;

	spin_lock_irq(&ctx->job_lock);
	ctx->num_jobs--;
	if (job->state == ACCEL_JOB_DONE)
		ctx->num_ended--;
	spin_unlock_irq(&ctx->job_lock);
}

/**
 * accel_job_submit - hand a job to its engine
 * @job: the job, no longer the driver's afterwards, whatever is returned
 * @id: the job's id, for user space to wait for
 *
 * Context: process, may sleep, gated.
 * Return: 0; -EAGAIN (too many jobs that nobody waited for), -EIO (the device
 * fails or is being reset), -ENODEV (it is going), -ENOENT (a region that it uses has
 * just ended), -ENOMEM. With a dma-buf also -ESTALE (its exporter has taken it back),
 * -ERESTARTSYS (a signal) and what its exporter answers.
 */
int accel_job_submit(struct accel_job *job, u64 *id)
{
	struct accel_call call = { .ctx = job->ctx, .op = ACCEL_OP_JOB, .u.job = job };
	struct accel_context *ctx = job->ctx;
	struct accel_job_sync sync;
	int ret;

	ret = accel_call_begin(&call);
	if (!ret)
		ret = accel_policy_job_submit(job);
	if (!ret)
		ret = accel_call_enter(&call);
	if (!ret)
		ret = accel_job_sync_begin(job, &sync);
	if (!ret) {
		ret = accel_job_reserve(job);
		if (ret)
			accel_job_sync_end(&sync);
	}
	if (!ret) {
		/* The engine's reference; this call's is put below. */
		kref_get(&job->ref);
		ret = accel_engine_queue(&call);
		accel_job_sync_end(&sync);
		if (ret) {
			xa_release(&ctx->jobs, job->id);
			accel_job_unreserve(job);
			accel_job_put(job);
		} else {
			/* Valid only now: nobody can wait for a job that never was queued. */
			kref_get(&job->ref);
			xa_store(&ctx->jobs, job->id, job, GFP_KERNEL_ACCOUNT);
			*id = job->id;
		}
	}
	accel_call_end(&call, ret);
	if (ret) {
		accel_policy_job_done(job);
		accel_job_unuse_mems(job);
		if (job->powered)
			accel_power_put(ctx->adev);
	}
	accel_job_put(job);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(accel_job_submit, ACCEL_EXPORT_NS);

/**
 * accel_job_cancelled - whether a job is to end soon
 * @job: a running job
 *
 * Context: any.
 * Return: true: end it with -ECANCELED, or well if it is nearly through.
 */
bool accel_job_cancelled(const struct accel_job *job)
{
	return READ_ONCE(job->cancel_error);
}
EXPORT_SYMBOL_NS_GPL(accel_job_cancelled, ACCEL_EXPORT_NS);

/**
 * accel_job_sleep_until - sleep in an engine's run callback, for as long as its job may run
 * @job: a running job
 * @until_ns: CLOCK_MONOTONIC, as ktime_get_ns()
 *
 * For a run callback that does the work itself, or waits for hardware that raises no
 * interrupt: cancelling the job wakes it at once.
 *
 * Context: process, the engine's thread.
 * Return: true: it is not cancelled, and may have been woken before its time.
 */
bool accel_job_sleep_until(struct accel_job *job, u64 until_ns)
{
	ktime_t until = ns_to_ktime(until_ns);
	DEFINE_WAIT(wait);

	prepare_to_wait(&job->wq, &wait, TASK_IDLE);
	if (!accel_job_cancelled(job))
		schedule_hrtimeout(&until, HRTIMER_MODE_ABS);
	finish_wait(&job->wq, &wait);
	return !accel_job_cancelled(job);
}
EXPORT_SYMBOL_NS_GPL(accel_job_sleep_until, ACCEL_EXPORT_NS);

static bool accel_job_ended(struct accel_job *job)
{
	/* Pairs with accel_engine_finish(): what is read next is the job's last. */
	return smp_load_acquire(&job->state) == ACCEL_JOB_DONE;
}

static int accel_job_sleep(struct accel_job *job, s64 deadline_ns)
{
	s64 left;
	int ret;

	if (accel_job_ended(job))
		return 0;
	left = deadline_ns - ktime_get_ns();
	if (left <= 0)
		return -ETIMEDOUT;
	ret = wait_event_interruptible_hrtimeout(job->wq, accel_job_ended(job),
						 ns_to_ktime(left));
	return ret == -ETIME ? -ETIMEDOUT : ret;
}

/**
 * accel_ioctl_job_wait - handler of %ACCEL_IOCTL_JOB_WAIT
 * @ctx: the context
 * @arg: struct accel_job_wait
 *
 * Not gated: a job ends when its device goes, so the wait does, too.
 *
 * Context: process, sleeps until the job has ended or the deadline has passed.
 * Return: 0, -EINVAL, -ENOENT, -ETIMEDOUT, -ERESTARTSYS.
 */
long accel_ioctl_job_wait(struct accel_context *ctx, void *arg)
{
	struct accel_job_wait *wait = arg;
	struct accel_job *job;
	int ret;

	if (wait->reserved || wait->deadline_ns < 0)
		return -EINVAL;
	xa_lock(&ctx->jobs);
	job = xa_load(&ctx->jobs, wait->job_id);
	if (job)
		kref_get(&job->ref);
	xa_unlock(&ctx->jobs);
	if (!job)
		return -ENOENT;

	ret = accel_job_sleep(job, wait->deadline_ns);
	/* Of several that wait for one job, one gets the answer. */
	if (!ret && xa_erase(&ctx->jobs, job->id) != job)
		ret = -ENOENT;
	if (!ret) {
		wait->result = job->result;
		wait->status = job->status;
		wait->queue_ns = (job->started_ns ?: job->done_ns) - job->queued_ns;
		wait->run_ns = job->started_ns ? job->done_ns - job->started_ns : 0;
		accel_job_unreserve(job);
		accel_job_put(job);
	}
	accel_job_put(job);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_job_wait, ACCEL_EXPORT_NS);

/**
 * accel_jobs_forget - drop the ids of all jobs of a context that is closed
 * @ctx: a context without jobs that wait or run
 *
 * Context: process.
 */
void accel_jobs_forget(struct accel_context *ctx)
{
	struct accel_job *job;
	unsigned long id;

	xa_for_each(&ctx->jobs, id, job) {
		xa_erase(&ctx->jobs, id);
		accel_job_unreserve(job);
		accel_job_put(job);
	}
}
