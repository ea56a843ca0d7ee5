// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines: a queue of jobs, first come first served, and a thread that hands them
 * to the driver.
 *
 * Of a job that was started, all of the driver's callbacks are made by this one
 * thread, so run(), cancel() and free() of an engine never meet. Only
 * accel_job_done() comes from elsewhere, as a rule from an interrupt; it moves the
 * job to the list of the ended, and the thread then gives its regions back where it
 * may sleep.
 *
 * A job that is cancelled in the queue never was the thread's: who cancels it gives
 * its regions back, too. A file is so closed at once, whatever the thread is at, and
 * that may be a run() which works for another file for a long time.
 */
#include <linux/dma-fence.h>
#include <linux/ktime.h>
#include <trace/events/accel.h>

#include "core.h"
#include "policy.h"

/* Jobs that are cancelled while interrupts are off. */
#define ACCEL_CANCEL_BATCH	32

const char *accel_trace_engine(const struct accel_job *job)
{
	return job->engine->name;
}

static struct accel_engine_usage *accel_job_usage(struct accel_job *job)
{
	return &job->ctx->usage[job->engine->index];
}

/*
 * engine->lock is held. The job ends here, once, whoever is first; its regions are
 * given back later, and until then it is in a list of who will do so.
 */
static void accel_engine_finish(struct accel_job *job, int status, u64 result)
{
	struct accel_engine *engine = job->engine;
	struct accel_engine_usage *usage = accel_job_usage(job);
	struct accel_context *ctx = job->ctx;
	u64 now = ktime_get_ns(), run_ns = 0, queue_ns;
	unsigned long flags;

	lockdep_assert_held(&engine->lock);
	if (job->state == ACCEL_JOB_RUNNING) {
		run_ns = now - job->started_ns;
		queue_ns = job->started_ns - job->queued_ns;
		usage->running--;
		usage->running_since_sum -= job->started_ns;
		usage->run_ns += run_ns;
		if (!--engine->num_running)
			accel_engine_set_busy(engine, false, now);
	} else {
		queue_ns = now - job->queued_ns;
		list_del_init(&job->ctx_link);
		engine->num_queued--;
	}
	usage->unended--;
	usage->jobs++;
	engine->jobs++;
	if (status) {
		usage->errors++;
		engine->errors++;
	} else {
		usage->bytes += job->bytes;
		engine->bytes += job->bytes;
	}
	job->status = status;
	job->result = result;
	job->done_ns = now;
	trace_accel_job_done(job, status, queue_ns, run_ns, now - job->queued_ns);
	accel_policy_job_done(job);
	accel_job_signal(job);

	spin_lock_irqsave(&ctx->job_lock, flags);
	smp_store_release(&job->state, ACCEL_JOB_DONE); /* pairs with accel_job_ended() */
	ctx->num_ended++;
	spin_unlock_irqrestore(&ctx->job_lock, flags);
	/* Still under engine->lock: nobody can retire the job before we are through. */
	wake_up_all(&job->wq);
	wake_up_all(&ctx->poll_wq);
}

/* The same for a job that has come to the thread, which retires it. */
static void accel_engine_end(struct accel_job *job, int status, u64 result)
{
	struct accel_engine *engine = job->engine;

	accel_engine_finish(job, status, result);
	list_move_tail(&job->link, &engine->ended);
	wake_up(&engine->wq);
}

/**
 * accel_job_done - a running job has ended
 * @job: the job; it may be freed before this returns
 * @status: 0 or a negative errno
 * @result: passed on to who waits for it
 *
 * Context: any, hard interrupts too.
 */
void accel_job_done(struct accel_job *job, int status, u64 result)
{
	struct accel_engine *engine = job->engine;
	unsigned long flags;
	unsigned int i;

	if (WARN_ON_ONCE(job->state != ACCEL_JOB_RUNNING))
		return;
	for (i = 0; i < job->num_mems; i++)
		if (job->mems[i].write)
			accel_mem_sync(job->mems[i].mem, job->mems[i].offset,
				       job->mems[i].length, false);
	spin_lock_irqsave(&engine->lock, flags);
	/* Again: an interrupt and who polls may both have come here, and one of them was first. */
	if (job->state != ACCEL_JOB_RUNNING) {
		spin_unlock_irqrestore(&engine->lock, flags);
		dev_err_ratelimited(&engine->adev->dev,
				    "engine '%s': the driver ended a job twice, at once\n",
				    engine->name);
		return;
	}
	/* It may have been cut off from memory before it was through. */
	if (!status && READ_ONCE(engine->adev->stuck))
		status = -EIO;
	/* What was asked for says more than that it was cancelled. */
	if (status == -ECANCELED && job->cancel_error)
		status = job->cancel_error;
	accel_engine_end(job, status, result);
	spin_unlock_irqrestore(&engine->lock, flags);
}
EXPORT_SYMBOL_NS_GPL(accel_job_done, ACCEL_EXPORT_NS);

static bool accel_job_uses(const struct accel_job *job, const struct accel_mem *mem)
{
	unsigned int i;

	for (i = 0; i < job->num_mems; i++)
		if (job->mems[i].mem == mem)
			return true;
	return false;
}

/* A region was revoked since the job's author named it: as if it had been by then. */
static bool accel_job_is_stale(const struct accel_job *job)
{
	unsigned int i;

	for (i = 0; i < job->num_mems; i++)
		if (READ_ONCE(job->mems[i].mem->revoked))
			return true;
	return false;
}

/**
 * accel_engine_queue - a job joins the queue
 * @call: of ACCEL_OP_JOB, inside the gate; consumes one reference of its job
 *
 * Context: process.
 * Return: 0, or why the engine takes no job: -EIO, -ENODEV, -ENOENT (a region is gone).
 */
int accel_engine_queue(struct accel_call *call)
{
	struct accel_job *job = call->u.job;
	struct accel_engine *engine = job->engine;
	struct accel_engine_usage *usage = accel_job_usage(job);
	int ret;

	spin_lock_irq(&engine->lock);
	ret = engine->stop_error;
	/* Under the lock: what is not seen here is seen by accel_jobs_abort(). */
	if (!ret && accel_job_is_stale(job))
		ret = -ENOENT;
	if (!ret) {
		job->state = ACCEL_JOB_QUEUED;
		job->queued_ns = ktime_get_ns();
		accel_call_queue_job(call);
		list_add_tail(&job->link, &engine->queued);
		list_add_tail(&job->ctx_link, &usage->queued);
		accel_job_sync_publish(job);
		engine->num_queued++;
		engine->num_unretired++;
		usage->unended++;
		usage->unretired++;
		wake_up(&engine->wq);
	}
	spin_unlock_irq(&engine->lock);
	return ret;
}

static struct accel_job *accel_engine_first(struct list_head *list)
{
	return list_first_entry_or_null(list, struct accel_job, link);
}

/* Give back what an ended job held; it is in no list, and free after this. */
static void accel_engine_retire_job(struct accel_job *job)
{
	struct accel_engine_usage *usage = accel_job_usage(job);
	struct accel_engine *engine = job->engine;

	accel_job_unuse_mems(job);
	/* the driver's free() may have touched the hardware */
	if (job->powered)
		accel_power_put(engine->adev);
	spin_lock_irq(&engine->lock);
	/* The last ones only: a wakeup for each job of each waiter would be their product. */
	if (!--usage->unretired)
		wake_up_all(&usage->idle_wq);
	if (!--engine->num_unretired)
		wake_up_all(&engine->idle_wq);
	spin_unlock_irq(&engine->lock);
	accel_job_put(job);
}

/* Give back what jobs held that were started and have ended. */
static void accel_engine_retire(struct accel_engine *engine)
{
	struct accel_job *job;

	for (;;) {
		spin_lock_irq(&engine->lock);
		job = accel_engine_first(&engine->ended);
		if (job)
			list_del_init(&job->link);
		spin_unlock_irq(&engine->lock);
		if (!job)
			return;
		accel_engine_retire_job(job);
	}
}

/* End running jobs that are to be cancelled, also those that take too long. */
static void accel_engine_reap(struct accel_engine *engine)
{
	u64 limit = (u64)engine->timeout_ms * NSEC_PER_MSEC, now = ktime_get_ns();
	struct accel_job *job, *found;
	int ret;

	if (!engine->desc->cancel)
		return;
	for (;;) {
		found = NULL;
		spin_lock_irq(&engine->lock);
		list_for_each_entry(job, &engine->running, link) {
			if (!job->cancel_error && limit && now - job->started_ns > limit)
				WRITE_ONCE(job->cancel_error, -ETIMEDOUT);
			if (job->cancel_error) {
				kref_get(&job->ref);
				found = job;
				break;
			}
		}
		spin_unlock_irq(&engine->lock);
		if (!found)
			return;
		ret = engine->desc->cancel(found);
		if (ret) {
			dev_err(&engine->adev->dev,
				"engine '%s' does not stop job %llu of context %llu (%*pE, pid %u): %d; the device has failed, reset it\n",
				engine->name, found->id, found->ctx->id,
				(int)strlen(found->ctx->comm), found->ctx->comm,
				found->ctx->tgid, ret);
			/* before its pages are given back */
			accel_device_fail(engine->adev);
		}
		spin_lock_irq(&engine->lock);
		if (found->state == ACCEL_JOB_RUNNING)
			accel_engine_end(found, found->cancel_error, 0);
		spin_unlock_irq(&engine->lock);
		accel_job_put(found);
	}
}

/*
 * The job that is to start now, if any; the lock is held. One that waits for the fences
 * of others, or that a policy holds back, holds up those behind it of its own file, not
 * other files'.
 */
static struct accel_job *accel_engine_next(struct accel_engine *engine)
{
	struct accel_job *job;

	if (engine->num_running >= engine->depth || engine->stop_error)
		return NULL;
	engine->searches++;
	engine->held = false;
	list_for_each_entry(job, &engine->queued, link) {
		struct accel_engine_usage *usage = accel_job_usage(job);

		if (usage->blocked == engine->searches)
			continue;
		if (usage->stop_error)
			return job;
		/* acquire: what the fences say has been done is seen by the device */
		if (!atomic_read_acquire(&job->deps_left)) {
			if (accel_policy_job_start(job))
				return job;
			engine->held = true;
		}
		usage->blocked = engine->searches;
	}
	return NULL;
}

static bool accel_engine_start_one(struct accel_engine *engine)
{
	struct accel_device *adev = engine->adev;
	struct accel_job *job;
	u64 queue_ns = 0;
	unsigned int i;
	int ret;

	spin_lock_irq(&engine->lock);
	job = accel_engine_next(engine);
	if (job) {
		struct accel_engine_usage *usage = accel_job_usage(job);

		if (usage->stop_error) {
			/* Its file is being closed, and has only not come to it yet. */
			accel_engine_end(job, usage->stop_error, 0);
			spin_unlock_irq(&engine->lock);
			return true;
		}
		job->started_ns = ktime_get_ns();
		queue_ns = job->started_ns - job->queued_ns;
		job->state = ACCEL_JOB_RUNNING;
		list_move_tail(&job->link, &engine->running);
		list_del_init(&job->ctx_link);
		engine->num_queued--;
		if (!engine->num_running++)
			accel_engine_set_busy(engine, true, job->started_ns);
		engine->wait_ns += queue_ns;
		usage->wait_ns += queue_ns;
		usage->running++;
		usage->running_since_sum += job->started_ns;
	}
	spin_unlock_irq(&engine->lock);
	if (!job)
		return false;

	trace_accel_job_start(job, queue_ns);
	ret = job->powered ? 0 : accel_power_get(adev);
	if (ret) {
		/* Not accel_job_done(): the device wrote nothing that is to be synced. */
		spin_lock_irq(&engine->lock);
		accel_engine_end(job, ret, 0);
		spin_unlock_irq(&engine->lock);
		return true;
	}
	job->powered = true;
	for (i = 0; i < job->num_mems; i++)
		accel_mem_sync(job->mems[i].mem, job->mems[i].offset, job->mems[i].length, true);
	engine->desc->run(job);
	return true;
}

static bool accel_engine_has_work(struct accel_engine *engine)
{
	struct accel_job *job;
	bool work;

	spin_lock_irq(&engine->lock);
	work = !list_empty(&engine->ended) || accel_engine_next(engine);
	/* The thread would sleep for too long. */
	work |= engine->held && !engine->retries;
	if (engine->desc->cancel)
		list_for_each_entry(job, &engine->running, link)
			work |= !!job->cancel_error;
	spin_unlock_irq(&engine->lock);
	return work || kthread_should_stop();
}

/* How long the thread may sleep: a running job takes too long, a policy is to be asked again. */
static long accel_engine_patience(struct accel_engine *engine)
{
	long patience = MAX_SCHEDULE_TIMEOUT;
	struct accel_job *job;

	spin_lock_irq(&engine->lock);
	job = accel_engine_first(&engine->running);
	if (job && engine->timeout_ms) {
		u64 end = job->started_ns + (u64)engine->timeout_ms * NSEC_PER_MSEC;
		u64 now = ktime_get_ns();

		patience = end > now ? nsecs_to_jiffies(end - now) + 1 : 1;
	}
	engine->retries = engine->held;
	if (engine->retries)
		patience = min(patience, (long)msecs_to_jiffies(ACCEL_POLICY_RETRY_MS));
	spin_unlock_irq(&engine->lock);
	return patience;
}

static int accel_engine_thread(void *data)
{
	struct accel_engine *engine = data;

	for (;;) {
		/* All of it comes before the end of some job that is queued already. */
		bool signalling = !engine->adev->fences || dma_fence_begin_signalling();
		bool started;

		accel_engine_retire(engine);
		accel_engine_reap(engine);
		started = accel_engine_start_one(engine);
		dma_fence_end_signalling(signalling);
		if (started)
			continue;
		if (kthread_should_stop())
			return 0;
		wait_event_idle_timeout(engine->wq, accel_engine_has_work(engine),
					accel_engine_patience(engine));
	}
}

/* The next job of @ctx, or of anybody when it is NULL, that was not started yet. */
static struct accel_job *accel_engine_next_queued(struct accel_engine *engine,
						  struct accel_context *ctx)
{
	if (!ctx)
		return accel_engine_first(&engine->queued);
	return list_first_entry_or_null(&ctx->usage[engine->index].queued, struct accel_job,
					ctx_link);
}

/*
 * End the jobs of @ctx, or of all contexts when it is NULL: the queued ones are
 * through when this returns, the running ones are told. No new ones may come, and none
 * starts any more, though interrupts are off for a batch at a time only.
 */
static void accel_engine_cancel(struct accel_engine *engine, struct accel_context *ctx, int error)
{
	struct accel_job *job, *next;
	LIST_HEAD(cancelled);
	unsigned int n;

	spin_lock_irq(&engine->lock);
	if (ctx)
		ctx->usage[engine->index].stop_error = error;
	list_for_each_entry(job, &engine->running, link)
		if ((!ctx || job->ctx == ctx) && !job->cancel_error) {
			WRITE_ONCE(job->cancel_error, error);
			wake_up_all(&job->wq);	/* accel_job_sleep_until() */
		}
	wake_up(&engine->wq);
	for (;;) {
		for (n = 0; n < ACCEL_CANCEL_BATCH; n++) {
			job = accel_engine_next_queued(engine, ctx);
			if (!job)
				break;
			accel_engine_finish(job, error, 0);
			list_move_tail(&job->link, &cancelled);
		}
		spin_unlock_irq(&engine->lock);
		list_for_each_entry_safe(job, next, &cancelled, link) {
			list_del_init(&job->link);
			accel_engine_retire_job(job);
		}
		if (n < ACCEL_CANCEL_BATCH)
			return;
		cond_resched();
		spin_lock_irq(&engine->lock);
	}
}

/* Under the lock, which who wakes us holds: when we see zero it is through with us. */
static bool accel_engine_idle(struct accel_engine *engine, const u32 *unretired)
{
	bool idle;

	spin_lock_irq(&engine->lock);
	idle = !*unretired;
	spin_unlock_irq(&engine->lock);
	return idle;
}

/**
 * accel_jobs_cancel - end all jobs of a context
 * @ctx: the context; it submits none any more
 *
 * Takes time for the context's own jobs, not for those of others in the same queues.
 *
 * Context: process; sleeps until the engines' cancel callbacks have been through,
 * or, without one, until the running jobs have ended.
 */
void accel_jobs_cancel(struct accel_context *ctx)
{
	struct accel_device *adev = ctx->adev;
	int error = accel_gate_is_open(adev) ? -ECANCELED : -ENODEV;
	unsigned int i;

	for (i = 0; i < adev->num_engines; i++)
		accel_engine_cancel(adev->engines[i], ctx, error);
	for (i = 0; i < adev->num_engines; i++)
		wait_event(ctx->usage[i].idle_wq,
			   accel_engine_idle(adev->engines[i], &ctx->usage[i].unretired));
}

/* Up to a batch of those of one engine; true: there may be more. */
static bool accel_engine_abort(struct accel_engine *engine, struct accel_mem *mem, int error)
{
	struct accel_job *job, *next;
	LIST_HEAD(aborted);
	unsigned int n = 0;

	spin_lock_irq(&engine->lock);
	list_for_each_entry(job, &engine->running, link)
		if (accel_job_uses(job, mem) && !job->cancel_error) {
			WRITE_ONCE(job->cancel_error, error);
			wake_up_all(&job->wq);	/* accel_job_sleep_until() */
		}
	wake_up(&engine->wq);
	list_for_each_entry_safe(job, next, &mem->ctx->usage[engine->index].queued, ctx_link) {
		if (!accel_job_uses(job, mem))
			continue;
		accel_engine_finish(job, error, 0);
		list_move_tail(&job->link, &aborted);
		if (++n == ACCEL_CANCEL_BATCH)
			break;
	}
	spin_unlock_irq(&engine->lock);
	list_for_each_entry_safe(job, next, &aborted, link) {
		list_del_init(&job->link);
		accel_engine_retire_job(job);
	}
	return n == ACCEL_CANCEL_BATCH;
}

/**
 * accel_jobs_abort - end the jobs that use a region
 * @mem: a region that nobody can use for a new job
 * @error: what they end with
 *
 * The queued ones have ended when this returns, the running ones are told.
 *
 * Context: process; reservations of dma-bufs may be held.
 */
void accel_jobs_abort(struct accel_mem *mem, int error)
{
	struct accel_device *adev = mem->ctx->adev;
	unsigned int i;

	for (i = 0; i < adev->num_engines; i++)
		while (accel_engine_abort(adev->engines[i], mem, error))
			cond_resched();
}

/**
 * accel_engines_refuse - take and start no jobs, until somebody pauses or resumes
 * @adev: the device
 * @error: what new ones are answered
 *
 * Context: any but NMI.
 */
void accel_engines_refuse(struct accel_device *adev, int error)
{
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < adev->num_engines; i++) {
		spin_lock_irqsave(&adev->engines[i]->lock, flags);
		adev->engines[i]->stop_error = adev->engines[i]->stop_error ?: error;
		spin_unlock_irqrestore(&adev->engines[i]->lock, flags);
	}
}

/**
 * accel_engines_own_current - whether who calls is the thread of one of the engines
 * @adev: the device
 *
 * Return: true: it must not wait for the device's jobs to end.
 */
bool accel_engines_own_current(struct accel_device *adev)
{
	unsigned int i;

	for (i = 0; i < adev->num_engines; i++)
		if (READ_ONCE(adev->engines[i]->thread) == current)
			return true;
	return false;
}

/**
 * accel_engines_pause - end all jobs, and take none
 * @adev: the device
 * @error: what jobs end with and new ones are answered
 *
 * Context: process, see accel_jobs_cancel(). adev->lock is held, or nobody else
 * pauses or resumes any more.
 */
void accel_engines_pause(struct accel_device *adev, int error)
{
	unsigned int i;

	for (i = 0; i < adev->num_engines; i++) {
		struct accel_engine *engine = adev->engines[i];

		spin_lock_irq(&engine->lock);
		engine->stop_error = error;
		spin_unlock_irq(&engine->lock);
	}
	for (i = 0; i < adev->num_engines; i++)
		accel_engine_cancel(adev->engines[i], NULL, error);
	for (i = 0; i < adev->num_engines; i++)
		wait_event(adev->engines[i]->idle_wq,
			   accel_engine_idle(adev->engines[i],
					     &adev->engines[i]->num_unretired));
}

/**
 * accel_engines_resume - take jobs again
 * @adev: a device after accel_engines_pause(); adev->lock is held
 */
void accel_engines_resume(struct accel_device *adev)
{
	unsigned int i;

	for (i = 0; i < adev->num_engines; i++) {
		spin_lock_irq(&adev->engines[i]->lock);
		adev->engines[i]->stop_error = 0;
		spin_unlock_irq(&adev->engines[i]->lock);
	}
}

/**
 * accel_engines_stop - end all jobs with ENODEV, and the engines' threads
 * @adev: a device that is gone for users
 *
 * Context: process, see accel_jobs_cancel().
 */
void accel_engines_stop(struct accel_device *adev)
{
	unsigned int i;

	mutex_lock(&adev->lock);
	accel_engines_pause(adev, -ENODEV);
	mutex_unlock(&adev->lock);
	for (i = 0; i < adev->num_engines; i++) {
		struct accel_engine *engine = adev->engines[i];

		if (engine->thread)
			kthread_stop(engine->thread);
		WRITE_ONCE(engine->thread, NULL);
	}
}

/**
 * accel_engines_start - start the engines' threads
 * @adev: the device
 *
 * Return: 0 or a negative errno, with accel_engines_stop() still to be called.
 */
int accel_engines_start(struct accel_device *adev)
{
	unsigned int i;

	for (i = 0; i < adev->num_engines; i++) {
		struct accel_engine *engine = adev->engines[i];
		struct task_struct *thread;

		thread = kthread_run(accel_engine_thread, engine, "%s/%s", adev->name,
				     engine->name);
		if (IS_ERR(thread))
			return PTR_ERR(thread);
		WRITE_ONCE(engine->thread, thread);
	}
	return 0;
}
