// SPDX-License-Identifier: GPL-2.0-only
/* Who is asked, who is told, and what becomes of it: policies in C, as if they were BPF. */
#include <linux/mman.h>

#include "../core/policy.h"
#include "fake.h"

#define NUM	3

/* What three policies heard, in their order; nothing here is per test but for reset(). */
static char heard[256];
static int answer[NUM];

static void hear(int who, const char *what)
{
	size_t len = strlen(heard);

	scnprintf(heard + len, sizeof(heard) - len, "%s%c:%s", len ? " " : "", 'a' + who, what);
}

#define POLICY_HOOKS(n)								\
static int open##n(struct accel_context *ctx)					\
{										\
	hear(n, "open");							\
	return answer[n];							\
}										\
static void close##n(struct accel_context *ctx)					\
{										\
	hear(n, "close");							\
}										\
static int submit##n(struct accel_context *ctx, struct accel_job *job)		\
{										\
	hear(n, "submit");							\
	return answer[n];							\
}										\
static void done##n(struct accel_context *ctx, struct accel_job *job)		\
{										\
	hear(n, job->state == ACCEL_JOB_NEW ? "never" : "done");		\
}

POLICY_HOOKS(0)
POLICY_HOOKS(1)
POLICY_HOOKS(2)

static int (* const opens[NUM])(struct accel_context *) = { open0, open1, open2 };
static void (* const closes[NUM])(struct accel_context *) = { close0, close1, close2 };
static int (* const submits[NUM])(struct accel_context *, struct accel_job *) = {
	submit0, submit1, submit2
};

static void (* const dones[NUM])(struct accel_context *, struct accel_job *) = {
	done0, done1, done2
};

static struct accel_policy_ops ops[NUM];

static struct accel_policy_ops *policy(int n, s32 priority, const char *device)
{
	ops[n] = (struct accel_policy_ops){
		.open = opens[n],
		.context_close = closes[n],
		.job_submit = submits[n],
		.job_done = dones[n],
		.priority = priority,
	};
	snprintf(ops[n].name, sizeof(ops[n].name), "kunit-%c", 'a' + n);
	strscpy(ops[n].device, device, sizeof(ops[n].device));
	return &ops[n];
}

static int policy_init(struct kunit *test)
{
	heard[0] = 0;
	memset(answer, 0, sizeof(answer));
	return 0;
}

/* Of a case that has failed. */
static void policy_exit(struct kunit *test)
{
	bool attached[NUM] = {};
	struct accel_policy *left;
	int n;

	mutex_lock(&accel_policies_lock);
	list_for_each_entry(left, &accel_policies, link)
		for (n = 0; n < NUM; n++)
			attached[n] |= left->ops == &ops[n];
	mutex_unlock(&accel_policies_lock);
	for (n = 0; n < NUM; n++)
		if (attached[n])
			accel_policy_detach(&ops[n]);
}

static void expect_heard(struct kunit *test, const char *what)
{
	KUNIT_EXPECT_STREQ(test, heard, what);
	heard[0] = 0;
}

/* By priority, and by who came first. The first that refuses ends it. */
static void order(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx;

	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(0, 5, ""), NULL), 0);
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(1, -5, ""), NULL), 0);
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(2, 5, ""), NULL), 0);
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	expect_heard(test, "b:open a:open c:open");
	accel_context_close(ctx);
	KUNIT_EXPECT_NOT_NULL(test, strstr(heard, "a:close"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(heard, "b:close"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(heard, "c:close"));
	heard[0] = 0;

	answer[0] = -EDQUOT;
	ctx = fake_open(test, fake);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ctx), -EDQUOT);
	/* Who had allowed it hears at once that it came to nothing, who refused does not. */
	expect_heard(test, "b:open a:open b:close");
	KUNIT_EXPECT_EQ(test, fake->opened, 1);
	accel_policy_detach(&ops[0]);
	accel_policy_detach(&ops[1]);
	accel_policy_detach(&ops[2]);
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	accel_context_close(ctx);
	expect_heard(test, "");
	fake_unregister(test, fake);
}

/* The end of a thing is told to those who allowed it, once, and to nobody else. */
static void told(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *old = fake_open(test, fake), *ctx;

	KUNIT_ASSERT_FALSE(test, IS_ERR(old));
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(0, 0, ""), NULL), 0);
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(1, 0, ""), NULL), 0);
	expect_heard(test, "a:open");
	accel_context_close(old);
	expect_heard(test, "");
	accel_context_close(ctx);
	expect_heard(test, "a:close");

	/* The operation itself fails. */
	fake->open_error = -EIO;
	ctx = fake_open(test, fake);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ctx), -EIO);
	expect_heard(test, "a:open b:open b:close a:close");
	fake->open_error = 0;

	/* The device goes first. */
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	heard[0] = 0;
	accel_device_unregister(&fake->accel);
	expect_heard(test, "");
	accel_context_close(ctx);
	expect_heard(test, "b:close a:close");
	accel_policy_detach(&ops[0]);
	accel_policy_detach(&ops[1]);
	accel_device_put(&fake->accel);
}

static void jobs(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx = fake_open(test, fake);
	u64 id;

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(0, 0, ""), NULL), 0);
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(1, 0, ""), NULL), 0);
	KUNIT_EXPECT_EQ(test, fake_submit(ctx, fake->engine, &id), 0);
	expect_heard(test, "a:submit b:submit");
	fake_finish(fake, 0, 1);
	expect_heard(test, "b:done a:done");
	answer[1] = -EAGAIN;
	KUNIT_EXPECT_EQ(test, fake_submit(ctx, fake->engine, &id), -EAGAIN);
	expect_heard(test, "a:submit b:submit a:never");
	answer[1] = 0;
	/* The device takes none. */
	accel_device_set_state(&fake->accel, ACCEL_STATE_FAILED);
	KUNIT_EXPECT_EQ(test, fake_submit(ctx, fake->engine, &id), -EIO);
	expect_heard(test, "a:submit b:submit b:never a:never");
	accel_device_set_state(&fake->accel, ACCEL_STATE_OK);
	accel_context_close(ctx);
	accel_policy_detach(&ops[0]);
	accel_policy_detach(&ops[1]);
	fake_unregister(test, fake);
}

/* A new version takes the place, the counters and the books of the old one. */
static void replace(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_policy *attached;
	struct accel_context *ctx;
	u64 calls, refused;

	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(0, 0, ""), NULL), 0);
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(1, 0, ""), NULL), 0);
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	heard[0] = 0;
	policy(2, 0, "");
	KUNIT_EXPECT_EQ(test, accel_policy_replace(&ops[2], &ops[0]), -EINVAL);
	strscpy(ops[2].name, ops[0].name, sizeof(ops[2].name));
	KUNIT_EXPECT_EQ(test, accel_policy_attach(&ops[2], NULL), -EEXIST);
	KUNIT_EXPECT_EQ(test, accel_policy_replace(&ops[2], &ops[0]), 0);
	KUNIT_EXPECT_EQ(test, accel_policy_replace(&ops[2], &ops[0]), -ENOENT);
	accel_context_close(ctx);
	expect_heard(test, "b:close c:close");
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	expect_heard(test, "c:open b:open");
	accel_context_close(ctx);
	mutex_lock(&accel_policies_lock);
	attached = list_first_entry(&accel_policies, struct accel_policy, link);
	accel_policy_sum(attached, ACCEL_HOOK_OPEN, &calls, &refused);
	mutex_unlock(&accel_policies_lock);
	KUNIT_EXPECT_EQ(test, calls, 2);
	KUNIT_EXPECT_EQ(test, refused, 0);
	accel_policy_detach(&ops[2]);
	accel_policy_detach(&ops[1]);
	fake_unregister(test, fake);
}

/* Devices and nodes by their names, those that come later too. */
static void devices(struct kunit *test)
{
	struct device *parent = fake_parent(test);
	struct fake_device *one = fake_alloc(test, parent), *two;
	struct accel_context *ctx;

	KUNIT_ASSERT_EQ(test, accel_device_register(&one->accel), 0);
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(0, 0, one->accel.name), NULL), 0);
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(1, 0, "acc*"), NULL), 0);
	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(2, 0, "acc*c"), NULL), 0);
	two = fake_alloc(test, parent);
	KUNIT_ASSERT_EQ(test, accel_device_register(&two->accel), 0);
	ctx = fake_open(test, one);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	accel_context_close(ctx);
	expect_heard(test, "a:open b:open b:close a:close");
	ctx = fake_open(test, two);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	accel_context_close(ctx);
	expect_heard(test, "b:open b:close");
	/* a node of its own; the control node of the device named above */
	ctx = fake_open_node(test, one, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	expect_heard(test, "a:open b:open c:open");
	answer[2] = -EACCES;
	KUNIT_EXPECT_PTR_EQ(test, fake_open_node(test, two, 1), ERR_PTR(-EACCES));
	expect_heard(test, "b:open c:open b:close");
	accel_context_close(ctx);
	expect_heard(test, "c:close b:close a:close");
	accel_policy_detach(&ops[0]);
	accel_policy_detach(&ops[1]);
	accel_policy_detach(&ops[2]);
	fake_unregister(test, two);
	fake_unregister(test, one);
}

static struct accel_policy_ops *version(int n, const char *device)
{
	policy(n, 0, device);
	strscpy(ops[n].name, "kunit-one", sizeof(ops[n].name));
	return &ops[n];
}

/*
 * A version that is not for a device hears of the end of what was allowed there before it, and
 * of nothing of which it was not asked; nor does one that is for it again.
 */
static void narrower(struct kunit *test)
{
	struct device *parent = fake_parent(test);
	struct fake_device *one = fake_alloc(test, parent), *two = fake_alloc(test, parent);
	struct accel_context *before, *meanwhile, *after;
	int ret = 0, n;

	KUNIT_ASSERT_EQ(test, accel_device_register(&one->accel), 0);
	KUNIT_ASSERT_EQ(test, accel_device_register(&two->accel), 0);
	KUNIT_ASSERT_EQ(test, accel_policy_attach(version(0, ""), NULL), 0);
	before = fake_open(test, two);
	after = fake_open(test, two);
	expect_heard(test, "a:open a:open");
	KUNIT_ASSERT_EQ(test, accel_policy_replace(version(1, one->accel.name), &ops[0]), 0);
	accel_context_close(after);
	expect_heard(test, "b:close");
	meanwhile = fake_open(test, two);
	expect_heard(test, "");
	KUNIT_ASSERT_EQ(test, accel_policy_replace(version(2, "acc*"), &ops[1]), 0);
	after = fake_open(test, two);
	expect_heard(test, "c:open");
	accel_context_close(meanwhile);
	expect_heard(test, "");
	accel_context_close(before);
	accel_context_close(after);
	expect_heard(test, "c:close c:close");

	/* Not for ever: what it has to remember of a node ends somewhere. */
	for (n = 0; n < 100 && !ret; n++)
		ret = accel_policy_replace(&ops[1], &ops[2]) ?:
		      accel_policy_replace(&ops[2], &ops[1]);
	KUNIT_EXPECT_EQ(test, ret, -EBUSY);
	KUNIT_EXPECT_GT(test, n, 5);
	after = fake_open(test, one);
	KUNIT_ASSERT_FALSE(test, IS_ERR(after));
	expect_heard(test, "b:open");
	accel_context_close(after);
	expect_heard(test, "b:close");
	accel_policy_detach(&ops[1]);
	fake_unregister(test, two);
	fake_unregister(test, one);
}

static int answer_ioctl(struct accel_context *ctx, unsigned int cmd, const u64 *arg)
{
	return answer[0];
}

static int answer_mem_pin(struct accel_context *ctx, struct accel_mem *mem)
{
	return answer[0];
}

/* What is refused has reached nobody: neither the driver, nor what is the core's own part. */
static void unreached(struct kunit *test)
{
	struct accel_mem_pin pin = { .length = PAGE_SIZE, .flags = ACCEL_MEM_READ };
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx = fake_open(test, fake);
	unsigned long user;
	s64 pinned;
	u64 id;

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_TRUE(test, user && !IS_ERR_VALUE(user));
	pin.addr = user;
	pinned = atomic64_read(&current->mm->pinned_vm);
	policy(0, 0, "");
	ops[0].ioctl = answer_ioctl;
	ops[0].mem_pin = answer_mem_pin;
	KUNIT_ASSERT_EQ(test, accel_policy_attach(&ops[0], NULL), 0);
	answer[0] = -EDOM;
	KUNIT_EXPECT_EQ(test, accel_context_ioctl(ctx, FAKE_IOCTL_DOUBLE, (void __user *)user),
			-EDOM);
	KUNIT_EXPECT_EQ(test, fake->doubled, 0);
	KUNIT_EXPECT_EQ(test, accel_ioctl_mem_pin(ctx, &pin), -EDOM);
	KUNIT_EXPECT_EQ(test, atomic64_read(&fake->accel.pinned_bytes), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&current->mm->pinned_vm), pinned);
	KUNIT_EXPECT_EQ(test, fake_submit(ctx, fake->engine, &id), -EDOM);
	KUNIT_EXPECT_EQ(test, accel_engine_load(fake->engine), 0);
	KUNIT_EXPECT_EQ(test, fake->ran, 0);
	answer[0] = 0;
	KUNIT_EXPECT_EQ(test, accel_context_ioctl(ctx, FAKE_IOCTL_DOUBLE, (void __user *)user), 0);
	KUNIT_EXPECT_EQ(test, fake->doubled, 1);
	KUNIT_EXPECT_EQ(test, fake_submit(ctx, fake->engine, &id), 0);
	wait_for_completion(&fake->started);
	KUNIT_EXPECT_EQ(test, fake->ran, 1);
	accel_context_close(ctx);
	accel_policy_detach(&ops[0]);
	fake_unregister(test, fake);
}

static void bad_answers(struct kunit *test)
{
	static const int bad[] = { 1, 4096, -512, -4096, INT_MIN };
	struct fake_device *fake = fake_register(test);
	struct accel_policy *attached;
	struct accel_context *ctx;
	int i;

	KUNIT_ASSERT_EQ(test, accel_policy_attach(policy(0, 0, ""), NULL), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		answer[0] = bad[i];
		ctx = fake_open(test, fake);
		KUNIT_EXPECT_EQ(test, PTR_ERR(ctx), -EPERM);
	}
	answer[0] = -ENODEV;
	ctx = fake_open(test, fake);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ctx), -ENODEV);
	mutex_lock(&accel_policies_lock);
	attached = list_first_entry(&accel_policies, struct accel_policy, link);
	KUNIT_EXPECT_EQ(test, atomic64_read(&attached->bad_returns), ARRAY_SIZE(bad));
	mutex_unlock(&accel_policies_lock);
	accel_policy_detach(&ops[0]);
	fake_unregister(test, fake);
}

static void bad_policies(struct kunit *test)
{
	policy(0, 0, "");
	ops[0].name[0] = 0;
	KUNIT_EXPECT_EQ(test, accel_policy_attach(&ops[0], NULL), -EINVAL);
	policy(0, 0, "");
	memset(ops[0].name, 'x', sizeof(ops[0].name));
	KUNIT_EXPECT_EQ(test, accel_policy_attach(&ops[0], NULL), -EINVAL);
	policy(0, 0, "");
	ops[0].name[0] = '.';
	KUNIT_EXPECT_EQ(test, accel_policy_attach(&ops[0], NULL), -EINVAL);
	policy(0, 0, "");
	ops[0].name[1] = '\n';
	KUNIT_EXPECT_EQ(test, accel_policy_attach(&ops[0], NULL), -EINVAL);
	policy(0, 0, "");
	memset(ops[0].device, '*', sizeof(ops[0].device));
	KUNIT_EXPECT_EQ(test, accel_policy_attach(&ops[0], NULL), -EINVAL);
	policy(0, 0, "acc[^0]");
	KUNIT_EXPECT_EQ(test, accel_policy_attach(&ops[0], NULL), -EINVAL);
	policy(0, 0, "../acc0");
	KUNIT_EXPECT_EQ(test, accel_policy_attach(&ops[0], NULL), -EINVAL);
	KUNIT_EXPECT_TRUE(test, list_empty(&accel_policies));
	KUNIT_EXPECT_FALSE(test, static_key_enabled(&accel_policies_attached));
}

/* The file whose jobs are held back, and how often one was. */
static u64 held_ctx;
static int num_held;

static int hold_one(struct accel_context *ctx, struct accel_job *job)
{
	bool hold = ctx->id == READ_ONCE(held_ctx);

	num_held += hold;
	return hold;
}

/* Held back, another file's job goes first; asked again when the policy has changed its mind. */
static void starts(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *a = fake_open(test, fake), *b = fake_open(test, fake);
	struct accel_job_wait wait;
	struct accel_op_count sum;
	u64 first, second;

	KUNIT_ASSERT_FALSE(test, IS_ERR(a));
	KUNIT_ASSERT_FALSE(test, IS_ERR(b));
	policy(0, 0, "");
	ops[0].job_start = hold_one;
	num_held = 0;
	held_ctx = a->id;
	KUNIT_ASSERT_EQ(test, accel_policy_attach(&ops[0], NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(a, fake->prompt, &first), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(b, fake->prompt, &second), 0);
	wait = (struct accel_job_wait){ .job_id = second, .deadline_ns = S64_MAX };
	KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(b, &wait), 0);
	wait = (struct accel_job_wait){ .job_id = first };
	KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(a, &wait), -ETIMEDOUT);
	/* asked again by itself */
	WRITE_ONCE(held_ctx, 0);
	wait = (struct accel_job_wait){ .job_id = first, .deadline_ns = S64_MAX };
	KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(a, &wait), 0);
	KUNIT_EXPECT_GT(test, num_held, 0);

	/* Who takes the policy away frees the job. */
	WRITE_ONCE(held_ctx, a->id);
	KUNIT_ASSERT_EQ(test, fake_submit(a, fake->prompt, &first), 0);
	accel_policy_detach(&ops[0]);
	wait = (struct accel_job_wait){ .job_id = first, .deadline_ns = S64_MAX };
	KUNIT_EXPECT_EQ(test, accel_ioctl_job_wait(a, &wait), 0);

	/* A file whose job is held back can be closed. */
	KUNIT_ASSERT_EQ(test, accel_policy_attach(&ops[0], NULL), 0);
	KUNIT_ASSERT_EQ(test, fake_submit(a, fake->prompt, &first), 0);
	accel_context_close(a);
	accel_stats_sum(fake->accel.stats, ACCEL_OP_JOB, &sum);
	KUNIT_EXPECT_EQ(test, sum.calls, 4);
	accel_context_close(b);
	accel_policy_detach(&ops[0]);
	fake_unregister(test, fake);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(order),
	KUNIT_CASE(told),
	KUNIT_CASE(jobs),
	KUNIT_CASE(replace),
	KUNIT_CASE(devices),
	KUNIT_CASE(narrower),
	KUNIT_CASE(unreached),
	KUNIT_CASE(bad_answers),
	KUNIT_CASE(bad_policies),
	KUNIT_CASE(starts),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "accel_policy",
	.init = policy_init,
	.exit = policy_exit,
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);
