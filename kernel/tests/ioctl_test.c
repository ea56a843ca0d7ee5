// SPDX-License-Identifier: GPL-2.0-only
/* The rules of the ioctl table. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/mman.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "fake.h"

#define RESIZED(cmd, size) (((cmd) & ~IOCSIZE_MASK) | ((size) << _IOC_SIZESHIFT))

struct ioctl_fixture {
	struct fake_device *fake;
	struct accel_context *ctx;
	void __user *user;
};

static int ioctl_init(struct kunit *test)
{
	struct ioctl_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned long user;

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->fake = fake_register(test);
	f->ctx = fake_open(test, f->fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->ctx));
	/* Two pages, of which the second cannot be touched. */
	user = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, user, 0UL);
	KUNIT_ASSERT_EQ(test, vm_munmap(user + PAGE_SIZE, PAGE_SIZE), 0);
	f->user = (void __user *)user;
	return 0;
}

static void ioctl_exit(struct kunit *test)
{
	struct ioctl_fixture *f = test->priv;

	accel_context_close(f->ctx);
	fake_unregister(test, f->fake);
}

static long call(struct ioctl_fixture *f, unsigned int cmd, void __user *user)
{
	return accel_context_ioctl(f->ctx, cmd, user);
}

static void lookup(struct kunit *test)
{
	struct ioctl_fixture *f = test->priv;
	const struct accel_node *node = &f->fake->accel.nodes[0];
	const struct accel_ioctl_desc *desc = accel_ioctl_find(node, FAKE_IOCTL_DOUBLE);

	KUNIT_ASSERT_NOT_NULL(test, desc);
	KUNIT_EXPECT_STREQ(test, desc->name, "double");
	/* Another size is another version of the same; another direction or type is not. */
	KUNIT_EXPECT_PTR_EQ(test, accel_ioctl_find(node, RESIZED(FAKE_IOCTL_DOUBLE, 400)), desc);
	KUNIT_EXPECT_NULL(test, accel_ioctl_find(node, FAKE_IOCTL_DOUBLE ^
						       (_IOC_READ << _IOC_DIRSHIFT)));
	KUNIT_EXPECT_NULL(test, accel_ioctl_find(node, FAKE_IOCTL_DOUBLE ^ (1 << _IOC_TYPESHIFT)));
	KUNIT_EXPECT_NULL(test, accel_ioctl_find(node, _IO(ACCEL_IOCTL_TYPE, 0x3f)));
	KUNIT_EXPECT_NULL(test, accel_ioctl_find(node, _IO(ACCEL_IOCTL_TYPE, 0xff)));
	/* A node without a table has no ioctl at all. */
	KUNIT_EXPECT_NULL(test, accel_ioctl_find(&f->fake->accel.nodes[1], FAKE_IOCTL_DOUBLE));
	KUNIT_EXPECT_EQ(test, call(f, _IO(ACCEL_IOCTL_TYPE, 0xff), NULL), -ENOTTY);
}

static void sizes(struct kunit *test)
{
	struct ioctl_fixture *f = test->priv;
	struct { struct fake_arg arg; u64 tail; } big = { .arg = { .in = 21, .added_later = 1 } };

	/* The newest version. */
	KUNIT_ASSERT_EQ(test, copy_to_user(f->user, &big, sizeof(big)), 0);
	KUNIT_EXPECT_EQ(test, call(f, FAKE_IOCTL_DOUBLE, f->user), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(&big, f->user, sizeof(big)), 0);
	KUNIT_EXPECT_EQ(test, big.arg.out, 43);

	/* The first: what it did not know is zero, and what is behind it is not written. */
	big.arg.out = 0;
	KUNIT_ASSERT_EQ(test, copy_to_user(f->user, &big, sizeof(big)), 0);
	KUNIT_EXPECT_EQ(test, call(f, RESIZED(FAKE_IOCTL_DOUBLE, 16), f->user), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(&big, f->user, sizeof(big)), 0);
	KUNIT_EXPECT_EQ(test, big.arg.out, 42);
	KUNIT_EXPECT_EQ(test, big.arg.added_later, 1);

	/* Before the first. */
	KUNIT_EXPECT_EQ(test, call(f, RESIZED(FAKE_IOCTL_DOUBLE, 15), f->user), -EINVAL);
	KUNIT_EXPECT_EQ(test, call(f, RESIZED(FAKE_IOCTL_DOUBLE, 0), f->user), -EINVAL);

	/* From the future: fine as long as it asks for nothing that we do not know. */
	KUNIT_EXPECT_EQ(test, call(f, RESIZED(FAKE_IOCTL_DOUBLE, 32), f->user), 0);
	big.tail = 1;
	KUNIT_ASSERT_EQ(test, copy_to_user(f->user, &big, sizeof(big)), 0);
	KUNIT_EXPECT_EQ(test, call(f, RESIZED(FAKE_IOCTL_DOUBLE, 32), f->user), -E2BIG);
}

static void read_only_argument(struct kunit *test)
{
	struct ioctl_fixture *f = test->priv;
	u64 big[4] = { 5, 5, 5, 5 };

	/* _IOR: what the user had there is not looked at, and all of it is ours to fill. */
	KUNIT_ASSERT_EQ(test, copy_to_user(f->user, big, sizeof(big)), 0);
	KUNIT_EXPECT_EQ(test, call(f, RESIZED(FAKE_IOCTL_READ, 32), f->user), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(big, f->user, sizeof(big)), 0);
	KUNIT_EXPECT_EQ(test, big[0] | big[1] | big[2] | big[3], 0);
}

static void faults(struct kunit *test)
{
	struct ioctl_fixture *f = test->priv;
	void __user *end = f->user + PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, call(f, FAKE_IOCTL_DOUBLE, NULL), -EFAULT);
	KUNIT_EXPECT_EQ(test, call(f, FAKE_IOCTL_DOUBLE, end), -EFAULT);
	/* To the last byte of a page, and not one further. */
	KUNIT_EXPECT_EQ(test, call(f, FAKE_IOCTL_DOUBLE, end - 24), 0);
	KUNIT_EXPECT_EQ(test, call(f, FAKE_IOCTL_DOUBLE, end - 23), -EFAULT);
	KUNIT_EXPECT_EQ(test, call(f, RESIZED(FAKE_IOCTL_DOUBLE, 16), end - 16), 0);
}

static void states(struct kunit *test)
{
	struct ioctl_fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, accel_device_set_state(&f->fake->accel, ACCEL_STATE_FAILED), 0);
	KUNIT_EXPECT_EQ(test, call(f, FAKE_IOCTL_DOUBLE, f->user), -EIO);
	KUNIT_EXPECT_EQ(test, call(f, FAKE_IOCTL_ANY_STATE, f->user), 0);
	KUNIT_EXPECT_EQ(test, accel_device_set_state(&f->fake->accel, ACCEL_STATE_OK), 0);
	KUNIT_EXPECT_EQ(test, call(f, FAKE_IOCTL_DOUBLE, f->user), 0);
}

/* ------------------------------------------------------------------- flags */

/* A device whose node has one entry of each kind; it waits inside until it is told. */
#define FLAGS_PLAIN	_IO(ACCEL_IOCTL_TYPE, 0x48)
#define FLAGS_ALONE	_IO(ACCEL_IOCTL_TYPE, 0x49)
#define FLAGS_ADMIN	_IO(ACCEL_IOCTL_TYPE, 0x4a)

static struct completion flags_leave;
static atomic_t flags_inside;
static unsigned int flags_cancelled;
static bool flags_cancelled_early;

static long flags_stay(struct accel_context *ctx, void *arg)
{
	atomic_inc(&flags_inside);
	wait_for_completion(&flags_leave);
	atomic_dec(&flags_inside);
	return 0;
}

static long flags_pass(struct accel_context *ctx, void *arg)
{
	return 0;
}

/* As a driver's does: what waits in its handlers is to return. */
static void flags_cancel(struct accel_device *adev)
{
	flags_cancelled++;
	flags_cancelled_early |= accel_gate_is_open(adev);
	complete_all(&flags_leave);
}

static const struct accel_ioctl_desc flags_ioctls[] = {
	{ .cmd = FLAGS_PLAIN, .name = "plain", .func = flags_stay },
	{ .cmd = FLAGS_ALONE, .name = "alone", .func = flags_stay,
	  .flags = ACCEL_IOCTL_EXCLUSIVE },
	{ .cmd = FLAGS_ADMIN, .name = "admin", .func = flags_pass, .flags = ACCEL_IOCTL_ADMIN },
};

static const struct accel_node_desc flags_node = {
	.suffix = "", .ioctls = flags_ioctls, .num_ioctls = ARRAY_SIZE(flags_ioctls),
};

static struct fake_device *flags_register(struct kunit *test)
{
	static struct accel_driver drv;
	struct fake_device *fake;

	drv = fake_driver;
	drv.nodes = &flags_node;
	drv.num_nodes = 1;
	drv.cancel = flags_cancel;
	flags_cancelled = 0;
	flags_cancelled_early = false;
	fake = accel_device_alloc(fake_parent(test), &drv, struct fake_device, accel);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fake));
	KUNIT_ASSERT_EQ(test, accel_device_register(&fake->accel), 0);
	init_completion(&flags_leave);
	return fake;
}

struct flags_call {
	struct work_struct work;
	struct accel_context *ctx;
	unsigned int cmd;
	long ret;
};

static void flags_work(struct work_struct *work)
{
	struct flags_call *call = container_of(work, struct flags_call, work);

	call->ret = accel_context_ioctl(call->ctx, call->cmd, NULL);
}

static void flags_start(struct flags_call *call, struct accel_context *ctx, unsigned int cmd)
{
	*call = (struct flags_call){ .ctx = ctx, .cmd = cmd, .ret = -EINPROGRESS };
	INIT_WORK_ONSTACK(&call->work, flags_work);
	queue_work(system_unbound_wq, &call->work);
}

static void flags_end(struct kunit *test, struct flags_call *call)
{
	flush_work(&call->work);
	destroy_work_on_stack(&call->work);
	KUNIT_EXPECT_EQ(test, call->ret, 0);
}

static void flags_await(int inside)
{
	while (atomic_read(&flags_inside) != inside)
		usleep_range(100, 1000);
}

/* Until a call waits for its turn; or is inside although it should not be. */
static void flags_await_waiter(struct kunit *test, struct accel_context *ctx, int inside)
{
	while (!rwsem_is_contended(&ctx->call_sem) && atomic_read(&flags_inside) == inside)
		usleep_range(100, 1000);
	KUNIT_EXPECT_EQ(test, atomic_read(&flags_inside), inside);
}

/* Alone among the calls of its file, and of no other's. */
static void exclusive_calls(struct kunit *test)
{
	struct fake_device *fake = flags_register(test);
	struct accel_context *ctx = fake_open(test, fake), *other = fake_open(test, fake);
	struct flags_call call[3];

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	/* one that is not exclusive waits for one that is, but not in another file */
	flags_start(&call[0], ctx, FLAGS_ALONE);
	flags_await(1);
	flags_start(&call[1], ctx, FLAGS_PLAIN);
	flags_await_waiter(test, ctx, 1);
	flags_start(&call[2], other, FLAGS_ALONE);
	flags_await(2);
	complete_all(&flags_leave);
	flags_end(test, &call[0]);
	flags_end(test, &call[1]);
	flags_end(test, &call[2]);

	/* others are beside each other, and the exclusive one waits for both */
	reinit_completion(&flags_leave);
	flags_start(&call[0], ctx, FLAGS_PLAIN);
	flags_start(&call[1], ctx, FLAGS_PLAIN);
	flags_await(2);
	flags_start(&call[2], ctx, FLAGS_ALONE);
	flags_await_waiter(test, ctx, 2);
	complete_all(&flags_leave);
	flags_end(test, &call[0]);
	flags_end(test, &call[1]);
	flags_end(test, &call[2]);
	accel_context_close(ctx);
	accel_context_close(other);
	fake_unregister(test, fake);
}

static void admin_calls(struct kunit *test)
{
	struct fake_device *fake = flags_register(test);
	struct accel_context *ctx = fake_open(test, fake);
	const struct cred *old;
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	KUNIT_ASSERT_NOT_NULL(test, cred);
	KUNIT_EXPECT_EQ(test, accel_context_ioctl(ctx, FLAGS_ADMIN, NULL), 0);
	cap_lower(cred->cap_effective, CAP_SYS_ADMIN);
	old = override_creds(cred);
	KUNIT_EXPECT_EQ(test, accel_context_ioctl(ctx, FLAGS_ADMIN, NULL), -EPERM);
	revert_creds(old);
	put_cred(cred);
	KUNIT_EXPECT_EQ(test, accel_context_ioctl(ctx, FLAGS_ADMIN, NULL), 0);
	accel_context_close(ctx);
	fake_unregister(test, fake);
}

/* A handler that nothing ends but the driver's cancel. */
static void woken_by_unregister(struct kunit *test)
{
	struct fake_device *fake = flags_register(test);
	struct accel_context *ctx = fake_open(test, fake);
	struct flags_call call;

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	flags_start(&call, ctx, FLAGS_PLAIN);
	flags_await(1);
	KUNIT_EXPECT_EQ(test, flags_cancelled, 0);
	fake_unregister(test, fake);
	KUNIT_EXPECT_EQ(test, flags_cancelled, 1);
	/* or more of them could come, and wait for ever */
	KUNIT_EXPECT_FALSE(test, flags_cancelled_early);
	flags_end(test, &call);
	accel_context_close(ctx);
	KUNIT_EXPECT_EQ(test, flags_cancelled, 1);
}

static struct kunit_case flags_cases[] = {
	KUNIT_CASE(exclusive_calls),
	KUNIT_CASE(admin_calls),
	KUNIT_CASE(woken_by_unregister),
	{ }
};

static struct kunit_suite flags_suite = {
	.name = "accel_ioctl_flags",
	.test_cases = flags_cases,
};

static struct kunit_case ioctl_cases[] = {
	KUNIT_CASE(lookup),
	KUNIT_CASE(sizes),
	KUNIT_CASE(read_only_argument),
	KUNIT_CASE(faults),
	KUNIT_CASE(states),
	{ }
};

static struct kunit_suite ioctl_suite = {
	.name = "accel_ioctl",
	.init = ioctl_init,
	.exit = ioctl_exit,
	.test_cases = ioctl_cases,
};

kunit_test_suites(&ioctl_suite, &flags_suite);
