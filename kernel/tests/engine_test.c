// SPDX-License-Identifier: GPL-2.0-only
/* Jobs from submission to their end, well and badly, and what is counted of them. */
#include <linux/delay.h>

#include "fake.h"

struct engine_fixture {
	struct fake_device *fake;
	struct accel_context *ctx;
};

static int engine_init(struct kunit *test)
{
	struct engine_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->fake = fake_register(test);
	f->ctx = fake_open(test, f->fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->ctx));
	return 0;
}

static int wait_job(struct accel_context *ctx, u64 id, struct accel_job_wait *wait)
{
	*wait = (struct accel_job_wait){ .job_id = id, .deadline_ns = S64_MAX };
	return accel_ioctl_job_wait(ctx, wait);
}

static void end(struct kunit *test, struct engine_fixture *f)
{
	accel_context_close(f->ctx);
	fake_unregister(test, f->fake);
}

static void one_job(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_engine_count count;
	struct accel_job_wait wait;
	u64 id;

	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	wait = (struct accel_job_wait){ .job_id = id };
	KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(f->ctx, &wait), -ETIMEDOUT);
	fake_finish(f->fake, 0, 42);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, 0);
	KUNIT_EXPECT_EQ(test, wait.result, 42);
	KUNIT_EXPECT_GT(test, wait.run_ns, 0);
	/* Once. */
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id, &wait), -ENOENT);

	accel_engine_read(f->fake->engine, &count);
	KUNIT_EXPECT_EQ(test, count.jobs, 1);
	KUNIT_EXPECT_EQ(test, count.errors, 0);
	KUNIT_EXPECT_EQ(test, count.bytes, 100);
	KUNIT_EXPECT_EQ(test, count.running + count.queued, 0);
	accel_engine_read_usage(f->fake->engine, f->ctx, &count);
	KUNIT_EXPECT_EQ(test, count.jobs, 1);
	KUNIT_EXPECT_EQ(test, count.bytes, 100);
	end(test, f);
}

static void counted_while_running(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_engine_count one, two;
	u64 id[3];
	int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id[i]), 0);
	wait_for_completion(&f->fake->started);
	accel_engine_read_usage(f->fake->engine, f->ctx, &one);
	KUNIT_EXPECT_EQ(test, one.running, 1);
	KUNIT_EXPECT_EQ(test, one.queued, 2);
	KUNIT_EXPECT_EQ(test, one.jobs, 0);
	KUNIT_EXPECT_EQ(test, accel_engine_load(f->fake->engine), 3);
	usleep_range(10, 20);
	/* Time that a job has run so far counts already. */
	accel_engine_read_usage(f->fake->engine, f->ctx, &two);
	KUNIT_EXPECT_GE(test, two.busy_ns, one.busy_ns + 10000);
	accel_engine_read(f->fake->engine, &two);
	KUNIT_EXPECT_GT(test, two.busy_ns, one.busy_ns);
	end(test, f);
	KUNIT_EXPECT_EQ(test, two.running, 1);
}

/* Busy time is one word: also between two periods it is right whenever it is read. */
static void busy_time(struct kunit *test)
{
	struct accel_engine engine = {};

	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 1000), 0);
	accel_engine_set_busy(&engine, true, 1000);
	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 1000), 0);
	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 1300), 300);
	/* another processor's clock may be behind by a little */
	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 999), 0);
	accel_engine_set_busy(&engine, false, 1400);
	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 1400), 400);
	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 9000), 400);
	accel_engine_set_busy(&engine, true, 9000);
	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 9000), 400);
	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 9001), 401);
	accel_engine_set_busy(&engine, false, 9100);
	KUNIT_EXPECT_EQ(test, accel_engine_busy_ns(&engine, 0), 500);
	end(test, test->priv);
}

static void bad_waits(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_job_wait wait = { .job_id = 1, .deadline_ns = -1 };
	struct accel_context *other = fake_open(test, f->fake);
	u64 id;

	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(f->ctx, &wait), -EINVAL);
	wait = (struct accel_job_wait){ .reserved = 1 };
	KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(f->ctx, &wait), -EINVAL);
	wait = (struct accel_job_wait){ .job_id = 0 };
	KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(f->ctx, &wait), -ENOENT);
	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	KUNIT_EXPECT_EQ(test, wait_job(other, id, &wait), -ENOENT);
	accel_context_close(other);
	end(test, f);
}

static void cancelled_by_close(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_context *other = fake_open(test, f->fake);
	struct accel_engine_count count;
	u64 id;
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	wait_for_completion(&f->fake->started);
	KUNIT_ASSERT_EQ(test, fake_submit(other, f->fake->engine, &id), 0);
	accel_context_close(f->ctx);
	/* One had to be stopped, the two behind it never ran; the other file's goes on. */
	KUNIT_EXPECT_EQ(test, f->fake->cancelled, 1);
	KUNIT_EXPECT_EQ(test, f->fake->freed, 3);
	accel_engine_read(f->fake->engine, &count);
	KUNIT_EXPECT_EQ(test, count.jobs, 3);
	KUNIT_EXPECT_EQ(test, count.errors, 3);
	fake_finish(f->fake, 0, 1);
	f->ctx = other;
	end(test, f);
}

/* Of jobs of two files in one queue, those of one are cancelled. */
static void others_keep_their_order(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_context *other = fake_open(test, f->fake);
	struct accel_engine_count count;
	struct accel_job_wait wait;
	u64 id, ids[4];
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
		KUNIT_ASSERT_EQ(test, fake_submit(other, f->fake->engine, &ids[i]), 0);
	}
	wait_for_completion(&f->fake->started);
	accel_context_close(f->ctx);
	KUNIT_EXPECT_EQ(test, f->fake->freed, ARRAY_SIZE(ids));
	accel_engine_read_usage(f->fake->engine, other, &count);
	KUNIT_EXPECT_EQ(test, count.queued + count.running, ARRAY_SIZE(ids));
	KUNIT_EXPECT_EQ(test, count.jobs, 0);
	/* As the results show, they run in the order of their submission. */
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		fake_finish(f->fake, 0, i);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_EXPECT_EQ(test, wait_job(other, ids[i], &wait), 0);
		KUNIT_EXPECT_EQ(test, wait.status, 0);
		KUNIT_EXPECT_EQ(test, wait.result, i);
	}
	accel_engine_read(f->fake->engine, &count);
	KUNIT_EXPECT_EQ(test, count.jobs, 2 * ARRAY_SIZE(ids));
	KUNIT_EXPECT_EQ(test, count.errors, ARRAY_SIZE(ids));
	f->ctx = other;
	end(test, f);
}

/* A file is closed while its engine's thread works, in run, for another file. */
static void closed_beside_run(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_context *other = fake_open(test, f->fake);
	struct accel_engine_count count;
	u64 id;
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->busy, &id), 0);
	wait_for_completion(&f->fake->started);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, fake_submit(other, f->fake->busy, &id), 0);
	accel_context_close(other);
	KUNIT_EXPECT_EQ(test, f->fake->freed, 3);
	accel_engine_read_usage(f->fake->busy, f->ctx, &count);
	KUNIT_EXPECT_EQ(test, count.running, 1);
	/* And what runs is told, in its sleep. */
	accel_context_close(f->ctx);
	KUNIT_EXPECT_FALSE(test, f->fake->overslept);
	KUNIT_EXPECT_EQ(test, f->fake->freed, 4);
	fake_unregister(test, f->fake);
}

static void ended_by_unregister(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_job_wait wait;
	u64 id[2];
	int i;

	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id[i]), 0);
	wait_for_completion(&f->fake->started);
	fake_unregister(test, f->fake);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id[i], &wait), 0);
		KUNIT_EXPECT_EQ(test, wait.status, -ENODEV);
	}
	KUNIT_EXPECT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id[0]), -ENODEV);
	accel_context_close(f->ctx);
}

static void reset(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_job_wait wait;
	u64 id[2], later;
	int i;

	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id[i]), 0);
	wait_for_completion(&f->fake->started);
	KUNIT_EXPECT_EQ(test, accel_device_set_state(&f->fake->accel, ACCEL_STATE_RESETTING), 0);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id[i], &wait), 0);
		KUNIT_EXPECT_EQ(test, wait.status, -EIO);
	}
	KUNIT_EXPECT_EQ(test, fake_submit(f->ctx, f->fake->engine, &later), -EIO);
	KUNIT_EXPECT_EQ(test, accel_device_set_state(&f->fake->accel, ACCEL_STATE_OK), 0);
	/* The context has survived. */
	KUNIT_EXPECT_EQ(test, fake_submit(f->ctx, f->fake->engine, &later), 0);
	fake_finish(f->fake, 0, 3);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, later, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.result, 3);
	end(test, f);
}

static void too_slow(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_job_wait wait;
	u64 id;

	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->hasty, &id), 0);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, f->fake->cancelled, 1);
	end(test, f);
}

static void too_many(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	u64 id, one = 0;
	int i;

	for (i = 0; i < ACCEL_CONTEXT_MAX_JOBS; i++) {
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
		one = one ?: id;
	}
	KUNIT_EXPECT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), -EAGAIN);
	fake_finish(f->fake, 0, 0);
	{
		struct accel_job_wait wait;

		KUNIT_EXPECT_EQ(test, wait_job(f->ctx, one, &wait), 0);
	}
	KUNIT_EXPECT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	end(test, f);
}

/* Neither a close nor a reset starts what it has not come to yet. */
static void none_starts(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_job_wait wait;
	u64 id;
	int i;

	for (i = 0; i < 1000; i++)
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	wait_for_completion(&f->fake->started);
	KUNIT_EXPECT_EQ(test, accel_device_set_state(&f->fake->accel, ACCEL_STATE_RESETTING), 0);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.run_ns, 0);
	KUNIT_EXPECT_EQ(test, f->fake->ran, 1);
	KUNIT_EXPECT_EQ(test, accel_device_set_state(&f->fake->accel, ACCEL_STATE_OK), 0);
	for (i = 0; i < 1000; i++)
		KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	wait_for_completion(&f->fake->started);
	accel_context_close(f->ctx);
	KUNIT_EXPECT_EQ(test, f->fake->ran, 2);
	fake_unregister(test, f->fake);
}

/* What an open has begun that then fails goes with it, the file was never there. */
static void failed_open(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_engine_count count;

	f->fake->open_submits = true;
	f->fake->open_error = -EIO;
	KUNIT_EXPECT_EQ(test, PTR_ERR(fake_open(test, f->fake)), -EIO);
	/* one ran, one was queued behind it */
	KUNIT_EXPECT_EQ(test, f->fake->freed, 2);
	accel_engine_read(f->fake->engine, &count);
	KUNIT_EXPECT_EQ(test, count.jobs, 2);
	KUNIT_EXPECT_EQ(test, count.running + count.queued, 0);
	f->fake->open_submits = false;
	f->fake->open_error = 0;
	end(test, f);
}

/* Hardware that goes on with a job that it is to forget: it takes no other. */
static void does_not_stop(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_context *other = fake_open(test, f->fake);
	struct accel_job_wait wait;
	u64 id, queued;

	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(other, f->fake->engine, &queued), 0);
	wait_for_completion(&f->fake->started);
	f->fake->cancel_error = -ETIMEDOUT;
	accel_context_close(f->ctx);
	KUNIT_EXPECT_EQ(test, f->fake->cancelled, 1);
	/* the other file's has ended without having been started, or will */
	KUNIT_EXPECT_EQ(test, wait_job(other, queued, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, -EIO);
	KUNIT_EXPECT_EQ(test, wait.run_ns, 0);
	KUNIT_EXPECT_EQ(test, f->fake->ran, 1);
	KUNIT_EXPECT_EQ(test, fake_submit(other, f->fake->engine, &id), -EIO);
	KUNIT_EXPECT_EQ(test, fake_submit(other, f->fake->busy, &id), -EIO);
	flush_work(&f->fake->accel.stuck_work);
	KUNIT_EXPECT_EQ(test, f->fake->accel.state, ACCEL_STATE_FAILED);

	/* until somebody has reset it */
	f->fake->cancel_error = 0;
	KUNIT_EXPECT_EQ(test, accel_device_set_state(&f->fake->accel, ACCEL_STATE_OK), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(other, f->fake->engine, &id), 0);
	fake_finish(f->fake, 0, 5);
	KUNIT_EXPECT_EQ(test, wait_job(other, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, 0);
	KUNIT_EXPECT_EQ(test, wait.result, 5);

	/* and it can be unregistered at any time */
	KUNIT_ASSERT_EQ(test, fake_submit(other, f->fake->engine, &id), 0);
	wait_for_completion(&f->fake->started);
	f->fake->cancel_error = -ETIMEDOUT;
	fake_unregister(test, f->fake);
	KUNIT_EXPECT_EQ(test, wait_job(other, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, -ENODEV);
	accel_context_close(other);
}

static int sets_state(struct accel_job *job)
{
	return accel_device_set_state(job->ctx->adev, ACCEL_STATE_FAILED);
}

static int fails(struct accel_job *job)
{
	unsigned long flags;

	/* as an interrupt would */
	local_irq_save(flags);
	accel_device_fail(job->ctx->adev);
	local_irq_restore(flags);
	return 0;
}

/* An engine's thread cannot wait for itself, but may say that the hardware is dead. */
static void state_from_a_callback(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_device *adev = &f->fake->accel;
	struct accel_job_wait wait;
	u64 id, runs;

	f->fake->prompt_work = sets_state;
	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->prompt, &id), 0);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, -EDEADLK);
	KUNIT_EXPECT_EQ(test, adev->state, ACCEL_STATE_OK);

	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &runs), 0);
	wait_for_completion(&f->fake->started);
	f->fake->prompt_work = fails;
	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->prompt, &id), 0);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, -EIO);
	KUNIT_EXPECT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), -EIO);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, runs, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, -EIO);
	flush_work(&adev->stuck_work);
	KUNIT_EXPECT_EQ(test, adev->state, ACCEL_STATE_FAILED);

	KUNIT_EXPECT_EQ(test, accel_device_set_state(adev, ACCEL_STATE_OK), 0);
	f->fake->prompt_work = NULL;
	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->prompt, &id), 0);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.status, 0);
	/* an interrupt that comes when all is over finds nothing to fail */
	accel_device_unregister(adev);
	accel_device_fail(adev);
	KUNIT_EXPECT_FALSE(test, work_busy(&adev->stuck_work));
	KUNIT_EXPECT_EQ(test, adev->state, ACCEL_STATE_GONE);
	accel_device_put(adev);
	accel_context_close(f->ctx);
}

struct racer {
	struct work_struct work;
	struct accel_job *job;
	bool ready, go;
};

static void racer_work(struct work_struct *work)
{
	struct racer *racer = container_of(work, struct racer, work);

	/* So the engine's thread cannot be here, waiting for the lock that the test holds. */
	preempt_disable();
	WRITE_ONCE(racer->ready, true);
	while (!READ_ONCE(racer->go))
		cpu_relax();
	accel_job_done(racer->job, 0, 0);
	preempt_enable();
}

/* An interrupt and who polls both find that a job has ended: the second is too late. */
static void ended_twice_at_once(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_engine *engine = f->fake->engine;
	struct accel_engine_count count;
	struct accel_job_wait wait;
	struct racer racer = {};
	u64 id;

	if (num_online_cpus() < 2) {
		end(test, f);
		kunit_skip(test, "one processor");
	}
	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, engine, &id), 0);
	wait_for_completion(&f->fake->started);
	racer.job = f->fake->running;
	INIT_WORK_ONSTACK(&racer.work, racer_work);
	migrate_disable();
	queue_work_on(cpumask_any_but(cpu_online_mask, smp_processor_id()), system_wq,
		      &racer.work);
	while (!READ_ONCE(racer.ready))
		cpu_relax();
	/* It has seen that the job runs, and waits for the lock; here the job ends. */
	spin_lock_irq(&engine->lock);
	WRITE_ONCE(racer.go, true);
	mdelay(10);
	racer.job->state = ACCEL_JOB_DONE;
	spin_unlock_irq(&engine->lock);
	migrate_enable();
	flush_work(&racer.work);
	destroy_work_on_stack(&racer.work);
	accel_engine_read(engine, &count);
	KUNIT_ASSERT_EQ(test, count.queued, 0);
	KUNIT_EXPECT_EQ(test, count.jobs, 0);
	KUNIT_EXPECT_EQ(test, f->ctx->num_ended, 0);

	racer.job->state = ACCEL_JOB_RUNNING;
	complete(&f->fake->started);
	fake_finish(f->fake, 0, 8);
	KUNIT_EXPECT_EQ(test, wait_job(f->ctx, id, &wait), 0);
	KUNIT_EXPECT_EQ(test, wait.result, 8);
	end(test, f);
}

/* One that a reset has already begun to mend is not failed behind its back. */
static void stops_by_reset(struct kunit *test)
{
	struct engine_fixture *f = test->priv;
	struct accel_device *adev = &f->fake->accel;
	u64 id;

	KUNIT_ASSERT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	wait_for_completion(&f->fake->started);
	f->fake->cancel_error = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, accel_device_set_state(adev, ACCEL_STATE_RESETTING), 0);
	KUNIT_EXPECT_TRUE(test, adev->stuck);
	flush_work(&adev->stuck_work);
	KUNIT_EXPECT_EQ(test, adev->state, ACCEL_STATE_RESETTING);
	KUNIT_EXPECT_EQ(test, accel_device_set_state(adev, ACCEL_STATE_OK), 0);
	KUNIT_EXPECT_FALSE(test, adev->stuck);
	KUNIT_EXPECT_EQ(test, fake_submit(f->ctx, f->fake->engine, &id), 0);
	f->fake->cancel_error = 0;
	end(test, f);
}

static struct kunit_case engine_cases[] = {
	KUNIT_CASE(one_job),
	KUNIT_CASE(counted_while_running),
	KUNIT_CASE(busy_time),
	KUNIT_CASE(bad_waits),
	KUNIT_CASE(cancelled_by_close),
	KUNIT_CASE(others_keep_their_order),
	KUNIT_CASE(closed_beside_run),
	KUNIT_CASE(ended_by_unregister),
	KUNIT_CASE(reset),
	KUNIT_CASE(too_slow),
	KUNIT_CASE_SLOW(too_many),
	KUNIT_CASE(none_starts),
	KUNIT_CASE(failed_open),
	KUNIT_CASE(state_from_a_callback),
	KUNIT_CASE(ended_twice_at_once),
	KUNIT_CASE(does_not_stop),
	KUNIT_CASE(stops_by_reset),
	{ }
};

static struct kunit_suite engine_suite = {
	.name = "accel_engine",
	.init = engine_init,
	.test_cases = engine_cases,
};

kunit_test_suite(engine_suite);
