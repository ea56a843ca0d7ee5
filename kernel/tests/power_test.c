// SPDX-License-Identifier: GPL-2.0-only
/* Runtime PM: what a driver must have done, and hardware that cannot be resumed. */
#include <linux/pm_runtime.h>

#include "fake.h"

static struct accel_driver power_driver;

static struct fake_device *power_alloc(struct kunit *test, struct device *parent)
{
	struct fake_device *fake = fake_alloc(test, parent);

	power_driver = fake_driver;
	power_driver.flags = ACCEL_DEVICE_RUNTIME_PM;
	fake->accel.drv = &power_driver;
	fake->accel.runtime_pm = true;	/* as if it had been allocated for it */
	return fake;
}

static void not_enabled(struct kunit *test)
{
	struct fake_device *fake = power_alloc(test, fake_parent(test));

	KUNIT_EXPECT_EQ(test, accel_device_register(&fake->accel), -EINVAL);
	accel_device_put(&fake->accel);
}

/* Between two jobs, where the engine's thread is the one that finds out. */
static void not_resumed(struct kunit *test)
{
	struct device *parent = fake_parent(test);
	struct accel_job_wait wait;
	struct accel_context *ctx;
	struct fake_device *fake;
	u64 id[2];
	int i;

	pm_runtime_set_active(parent);
	pm_runtime_enable(parent);
	fake = power_alloc(test, parent);
	KUNIT_ASSERT_EQ(test, accel_device_register(&fake->accel), 0);
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, fake_submit(ctx, fake->engine, &id[i]), 0);
	wait_for_completion(&fake->started);
	/* counted once for the job that runs */
	KUNIT_EXPECT_EQ(test, atomic_read(&parent->power.usage_count), 1);
	pm_runtime_disable(parent);
	pm_runtime_set_suspended(parent);
	complete(&fake->started);
	fake_finish(fake, 0, 42);

	for (i = 0; i < 2; i++) {
		wait = (struct accel_job_wait){ .job_id = id[i], .deadline_ns = S64_MAX };
		KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(ctx, &wait), 0);
		KUNIT_EXPECT_EQ(test, wait.status, i ? -EIO : 0);
	}
	KUNIT_EXPECT_FALSE(test, try_wait_for_completion(&fake->started));
	KUNIT_EXPECT_EQ(test, fake_submit(ctx, fake->engine, &id[0]), -EIO);
	KUNIT_EXPECT_PTR_EQ(test, fake_open(test, fake), ERR_PTR(-EIO));
	/* the driver's close and the unregistration come all the same */
	accel_context_close(ctx);
	KUNIT_EXPECT_EQ(test, fake->closed, 1);
	KUNIT_EXPECT_EQ(test, fake->freed, 2);
	fake_unregister(test, fake);
	KUNIT_EXPECT_EQ(test, atomic_read(&parent->power.usage_count), 0);
}

static struct kunit_case power_cases[] = {
	KUNIT_CASE(not_enabled),
	KUNIT_CASE(not_resumed),
	{ }
};

static struct kunit_suite power_suite = {
	.name = "accel_power",
	.test_cases = power_cases,
};

kunit_test_suite(power_suite);
