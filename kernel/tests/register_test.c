// SPDX-License-Identifier: GPL-2.0-only
/* Registration, and each way in which it is refused. */
#include <linux/bitmap.h>
#include <linux/idr.h>
#include <linux/pci.h>

#include "fake.h"

/* One wrong description each; all of them are fake_driver but for what they change. */
static void refused_descriptions(struct kunit *test)
{
	static const struct accel_node_desc two_empty[] = { { .suffix = "" }, { .suffix = "" } };
	static const struct accel_node_desc same[] = {
		{ .suffix = "" }, { .suffix = "c" }, { .suffix = "c" },
	};
	static const struct accel_node_desc first_named[] = { { .suffix = "c" } };
	static const struct accel_node_desc no_suffix[] = { { .suffix = NULL } };
	static const struct accel_node_desc long_suffix[] = {
		{ .suffix = "" }, { .suffix = "ninechars" },
	};
	static const char * const suffixes[] = { "0", "1c", "C", "c-", "a/b", " c", "\xc3\xa4" };
	struct accel_node_desc bad_suffix[] = { { .suffix = "" }, { } };
	static const struct accel_node_desc no_ioctls[] = { { .suffix = "", .num_ioctls = 1 } };
	static const struct accel_node_desc no_mmap[] = { { .suffix = "", .can_mmap = true } };
	struct device *parent = fake_parent(test);
	const unsigned int num = 16;
	struct accel_driver *wrong;
	unsigned int i, n = 0;

	wrong = kunit_kcalloc(test, num, sizeof(*wrong), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, wrong);
	for (i = 0; i < num; i++)
		wrong[i] = fake_driver;
	wrong[n++].name = NULL;
	wrong[n++].name = "";
	wrong[n++].name = "a name that is too long";
	wrong[n++].type = NULL;
	wrong[n++].type = "a type that is too long";
	wrong[n++].flags = BIT(4);	/* the first that nobody knows */
	wrong[n++].num_nodes = 0;
	wrong[n++].num_nodes = ACCEL_MAX_NODES + 1;
	wrong[n++].nodes = NULL;
	wrong[n++].nodes = two_empty;
	wrong[n].num_nodes = 3;
	wrong[n++].nodes = same;
	wrong[n].num_nodes = 1;
	wrong[n++].nodes = first_named;
	wrong[n].num_nodes = 1;
	wrong[n++].nodes = no_suffix;
	wrong[n++].nodes = long_suffix;
	wrong[n].num_nodes = 1;
	wrong[n++].nodes = no_ioctls;
	wrong[n].num_nodes = 1;
	wrong[n++].nodes = no_mmap;
	KUNIT_ASSERT_EQ(test, n, num);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, __accel_device_alloc(parent, &wrong[i],
								   sizeof(struct fake_device)),
					ERR_PTR(-EINVAL), "description %u", i);

	wrong[0] = fake_driver;
	wrong[0].nodes = bad_suffix;
	for (i = 0; i < ARRAY_SIZE(suffixes); i++) {
		bad_suffix[1].suffix = suffixes[i];
		KUNIT_EXPECT_PTR_EQ_MSG(test, __accel_device_alloc(parent, &wrong[0],
								   sizeof(struct fake_device)),
					ERR_PTR(-EINVAL), "suffix \"%s\"", suffixes[i]);
	}
	KUNIT_EXPECT_PTR_EQ(test, __accel_device_alloc(NULL, &fake_driver,
						       sizeof(struct fake_device)),
			    ERR_PTR(-EINVAL));
	wrong[0] = fake_driver;
	wrong[0].context_size = sizeof(struct accel_context) - 1;
	KUNIT_EXPECT_PTR_EQ(test, __accel_device_alloc(parent, &wrong[0],
						       sizeof(struct fake_device)),
			    ERR_PTR(-EINVAL));
	wrong[0] = fake_driver;
	wrong[0].flags = ACCEL_DEVICE_IOMMUFD_PASID;
	KUNIT_EXPECT_PTR_EQ(test, __accel_device_alloc(parent, &wrong[0],
						       sizeof(struct fake_device)),
			    ERR_PTR(-EINVAL));
}

static long no_handler(struct accel_context *ctx, void *arg)
{
	return 0;
}

static void refused_tables(struct kunit *test)
{
	const struct accel_ioctl_desc good = {
		.cmd = FAKE_IOCTL_DOUBLE, .min_size = 16, .name = "good", .func = no_handler,
	};
	struct accel_ioctl_desc table[2] = { good, good };
	struct accel_node_desc node = { .suffix = "", .ioctls = table, .num_ioctls = 2 };
	struct accel_driver drv = fake_driver;
	struct device *parent = fake_parent(test);
	struct accel_device *adev;
	int i;

	drv.nodes = &node;
	drv.num_nodes = 1;
	/* but for what is wrong with them below, they are right */
	table[1].cmd = FAKE_IOCTL_READ;
	adev = __accel_device_alloc(parent, &drv, sizeof(struct fake_device));
	KUNIT_ASSERT_FALSE(test, IS_ERR(adev));
	accel_device_put(adev);
	for (i = 0; i < 15; i++) {
		table[1] = good;
		table[1].cmd = FAKE_IOCTL_READ;
		switch (i) {
		case 0:		/* two for one number */
			table[1].cmd = FAKE_IOCTL_DOUBLE;
			break;
		case 1:
			table[1].func = NULL;
			break;
		case 2:
			table[1].name = NULL;
			break;
		case 3:		/* an argument that does not fit on the stack */
			table[1].cmd = _IOC(_IOC_READ, ACCEL_IOCTL_TYPE, 0x42,
					    ACCEL_IOCTL_MAX_SIZE + 8);
			break;
		case 4:		/* a first version that is longer than the newest */
			table[1].min_size = sizeof(struct fake_arg) + 1;
			break;
		case 5:		/* an argument that is no whole words */
			table[1].cmd = _IOC(_IOC_READ, ACCEL_IOCTL_TYPE, 0x42, 20);
			break;
		case 6:		/* a flag that nobody knows; the next is the core's own */
			table[1].flags = BIT(4);
			break;
		case 7:
			table[1].flags = ACCEL_IOCTL_PLAIN;
			break;
		case 8:		/* a driver's handler outside of the gate */
			table[1].flags = ACCEL_IOCTL_UNGATED;
			break;
		case 9:		/* one of the core's inside */
			table[1].func = accel_ioctl_job_wait;
			break;
		case 10:	/* the core's at a number of the driver's */
			table[1].func = accel_ioctl_job_wait;
			table[1].flags = ACCEL_IOCTL_UNGATED;
			break;
		case 11:	/* at one of the core's, but another's */
			table[1].cmd = ACCEL_IOCTL_MEM_PIN;
			table[1].func = accel_ioctl_job_wait;
			table[1].flags = ACCEL_IOCTL_UNGATED;
			break;
		case 12:	/* the driver's at the core's last number */
			table[1].cmd = _IOR(ACCEL_IOCTL_TYPE, ACCEL_IOCTL_DRIVER_BASE - 1,
					    struct fake_arg);
			break;
		case 13:	/* and where the core has one */
			table[1].cmd = ACCEL_IOCTL_JOB_WAIT;
			break;
		case 14:	/* somebody else's type */
			table[1].cmd = _IOR(ACCEL_IOCTL_TYPE + 1, 0x42, struct fake_arg);
			break;
		}
		KUNIT_EXPECT_PTR_EQ_MSG(test, __accel_device_alloc(parent, &drv,
								   sizeof(struct fake_device)),
					ERR_PTR(-EINVAL), "table %d", i);
	}
}

static void run_nothing(struct accel_job *job)
{
}

static void refused_engines(struct kunit *test)
{
	const struct accel_engine_desc good = { .name = "good", .depth = 1, .run = run_nothing };
	static const char * const names[] = {
		NULL, "", "a-name-of-16-chr", "Upper", "sp ace", "sl/ash", "dot.",
	};
	struct fake_device *fake = fake_alloc(test, fake_parent(test));
	static struct accel_engine_desc many[ACCEL_MAX_ENGINES];
	static char many_names[ACCEL_MAX_ENGINES][4];
	struct accel_engine_desc desc;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		desc = good;
		desc.name = names[i];
		KUNIT_EXPECT_PTR_EQ_MSG(test, accel_engine_add(&fake->accel, &desc),
					ERR_PTR(-EINVAL), "name %u", i);
	}
	desc = good;
	desc.depth = 0;
	KUNIT_EXPECT_PTR_EQ(test, accel_engine_add(&fake->accel, &desc), ERR_PTR(-EINVAL));
	desc = good;
	desc.run = NULL;
	KUNIT_EXPECT_PTR_EQ(test, accel_engine_add(&fake->accel, &desc), ERR_PTR(-EINVAL));
	desc = good;
	desc.timeout_ms = 1;
	KUNIT_EXPECT_PTR_EQ(test, accel_engine_add(&fake->accel, &desc), ERR_PTR(-EINVAL));
	desc = good;
	desc.name = "fake";
	KUNIT_EXPECT_PTR_EQ(test, accel_engine_add(&fake->accel, &desc), ERR_PTR(-EEXIST));
	for (i = fake->accel.num_engines; i < ACCEL_MAX_ENGINES; i++) {
		snprintf(many_names[i], sizeof(many_names[i]), "e%u", i);
		many[i] = good;
		many[i].name = many_names[i];
		KUNIT_EXPECT_FALSE(test, IS_ERR(accel_engine_add(&fake->accel, &many[i])));
	}
	desc = good;
	KUNIT_EXPECT_PTR_EQ(test, accel_engine_add(&fake->accel, &desc), ERR_PTR(-ENOSPC));
	accel_device_put(&fake->accel);
}

/* What may be done once, and in which order. */
static void out_of_order(struct kunit *test)
{
	const struct accel_engine_desc late = { .name = "late", .depth = 1, .run = run_nothing };
	struct device *parent = fake_parent(test);
	struct fake_device *fake = fake_alloc(test, parent), *other;
	struct accel_context *ctx;
	unsigned int engines;

	/* never registered: there is nothing to end */
	accel_device_unregister(&fake->accel);
	KUNIT_EXPECT_TRUE(test, accel_gate_is_open(&fake->accel));

	KUNIT_ASSERT_EQ(test, accel_device_register(&fake->accel), 0);
	KUNIT_EXPECT_EQ(test, accel_device_register(&fake->accel), -EINVAL);
	KUNIT_EXPECT_TRUE(test, fake->accel.registered);
	engines = fake->accel.num_engines;
	KUNIT_EXPECT_PTR_EQ(test, accel_engine_add(&fake->accel, &late), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_EQ(test, fake->accel.num_engines, engines);

	/* a job for an engine of somebody else's hardware */
	other = fake_alloc(test, parent);
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	KUNIT_EXPECT_PTR_EQ(test, __accel_job_alloc(ctx, other->engine, 0, 0,
						    sizeof(struct accel_job)),
			    ERR_PTR(-EINVAL));
	accel_context_close(ctx);
	accel_device_put(&other->accel);

	accel_device_unregister(&fake->accel);
	accel_device_unregister(&fake->accel);
	KUNIT_EXPECT_EQ(test, fake->opened, fake->closed);
	KUNIT_EXPECT_EQ(test, accel_device_register(&fake->accel), -EINVAL);
	KUNIT_EXPECT_PTR_EQ(test, accel_engine_add(&fake->accel, &late), ERR_PTR(-EBUSY));
	accel_device_put(&fake->accel);
}

/* A region's table would have no entry that is long enough for a page. */
static void short_segments(struct kunit *test)
{
	static struct device_dma_parameters parms = { .max_segment_size = PAGE_SIZE - 1 };
	struct device *parent = fake_parent(test);
	struct fake_device *fake = fake_alloc(test, parent);

	parent->dma_parms = &parms;
	KUNIT_EXPECT_EQ(test, accel_device_register(&fake->accel), -EINVAL);
	/* nor is a device that was refused one that can be unregistered */
	accel_device_unregister(&fake->accel);
	KUNIT_EXPECT_FALSE(test, fake->accel.registered);
	accel_device_put(&fake->accel);
	parms.max_segment_size = PAGE_SIZE;
	fake = fake_alloc(test, parent);
	KUNIT_ASSERT_EQ(test, accel_device_register(&fake->accel), 0);
	KUNIT_EXPECT_EQ(test, fake->accel.max_segment, PAGE_SIZE);
	fake_unregister(test, fake);
	parent->dma_parms = NULL;
}

static void ids_and_names(struct kunit *test)
{
	struct device *parent = fake_parent(test);
	struct fake_device *first = fake_alloc(test, parent), *second;
	u32 index = first->accel.index;
	u64 id = first->accel.id;

	KUNIT_ASSERT_EQ(test, accel_device_register(&first->accel), 0);
	KUNIT_EXPECT_STREQ(test, dev_name(first->accel.nodes[1].dev), first->accel.nodes[1].name);
	KUNIT_EXPECT_NE(test, first->accel.nodes[0].dev->devt, first->accel.nodes[1].dev->devt);
	KUNIT_EXPECT_EQ(test, first->accel.nodes[0].mode, 0660);
	KUNIT_EXPECT_EQ(test, first->accel.nodes[1].mode, 0600);
	KUNIT_EXPECT_EQ(test, first->accel.state, ACCEL_STATE_OK);
	fake_unregister(test, first);
	second = fake_alloc(test, parent);
	KUNIT_ASSERT_EQ(test, accel_device_register(&second->accel), 0);
	KUNIT_EXPECT_EQ(test, second->accel.index, index);
	KUNIT_EXPECT_GT(test, second->accel.id, id);
	fake_unregister(test, second);
}

/* Lowest first, and given back also by a device that got only some of its own. */
static void minors(struct kunit *test)
{
	static const struct accel_ioctl_desc no_table[] = { { .name = "wrong" } };
	static const struct accel_node_desc nodes[ACCEL_MAX_NODES] = {
		{ .suffix = "" }, { .suffix = "a" },
		{ .suffix = "b" }, { .suffix = "c", .ioctls = no_table, .num_ioctls = 1 },
	};
	struct device *parent = fake_parent(test);
	struct accel_driver drv = fake_driver;
	struct fake_device *first, *second;
	dev_t devt[2];

	drv.nodes = nodes;
	drv.num_nodes = ARRAY_SIZE(nodes);
	first = fake_alloc(test, parent);
	second = fake_alloc(test, parent);
	devt[0] = second->accel.nodes[0].dev->devt;
	devt[1] = second->accel.nodes[1].dev->devt;
	KUNIT_EXPECT_GT(test, devt[0], first->accel.nodes[1].dev->devt);
	KUNIT_EXPECT_GT(test, devt[1], devt[0]);
	accel_device_put(&second->accel);
	KUNIT_EXPECT_PTR_EQ(test, __accel_device_alloc(parent, &drv, sizeof(struct fake_device)),
			    ERR_PTR(-EINVAL));
	second = fake_alloc(test, parent);
	KUNIT_EXPECT_EQ(test, second->accel.nodes[0].dev->devt, devt[0]);
	KUNIT_EXPECT_EQ(test, second->accel.nodes[1].dev->devt, devt[1]);
	accel_device_put(&first->accel);
	accel_device_put(&second->accel);
}

static void out_of_minors(struct kunit *test)
{
	struct device *parent = fake_parent(test);
	DECLARE_BITMAP(ours, ACCEL_MAX_MINORS);
	struct fake_device *fake;
	int minor, last = -1;

	/* all that the machine's own devices leave */
	bitmap_zero(ours, ACCEL_MAX_MINORS);
	while ((minor = ida_alloc_max(&accel_minors, ACCEL_MAX_MINORS - 1, GFP_KERNEL)) >= 0) {
		set_bit(minor, ours);
		last = minor;
	}
	KUNIT_EXPECT_EQ(test, minor, -ENOSPC);
	KUNIT_EXPECT_EQ(test, last, ACCEL_MAX_MINORS - 1);
	KUNIT_EXPECT_PTR_EQ(test, __accel_device_alloc(parent, &fake_driver, sizeof(*fake)),
			    ERR_PTR(-ENOSPC));
	/* enough for one of two nodes, and given back when there is none for the other */
	ida_free(&accel_minors, last);
	KUNIT_EXPECT_PTR_EQ(test, __accel_device_alloc(parent, &fake_driver, sizeof(*fake)),
			    ERR_PTR(-ENOSPC));
	clear_bit(last, ours);
	minor = find_last_bit(ours, ACCEL_MAX_MINORS);
	ida_free(&accel_minors, minor);
	clear_bit(minor, ours);
	fake = fake_alloc(test, parent);
	KUNIT_EXPECT_EQ(test, MINOR(fake->accel.nodes[0].dev->devt), minor);
	KUNIT_EXPECT_EQ(test, MINOR(fake->accel.nodes[1].dev->devt), last);
	accel_device_put(&fake->accel);
	for_each_set_bit(minor, ours, ACCEL_MAX_MINORS)
		ida_free(&accel_minors, minor);
}

/* Registration fails at one of its steps: there is nothing of the device afterwards. */
static void expect_unregistered(struct kunit *test, struct fake_device *fake, const char *step)
{
	struct device *parent = fake->accel.dev.parent;
	u32 index = fake->accel.index;
	dev_t devt = fake->accel.dev.devt;
	unsigned int i;

	KUNIT_EXPECT_FALSE_MSG(test, fake->accel.registered, "%s", step);
	KUNIT_EXPECT_NULL_MSG(test, fake->accel.drv, "%s", step);
	KUNIT_EXPECT_NULL_MSG(test, fake->accel.engines_kobj, "%s", step);
	KUNIT_EXPECT_NULL_MSG(test, fake->accel.debugfs, "%s", step);
	for (i = 0; i < fake->accel.num_nodes; i++)
		KUNIT_EXPECT_FALSE_MSG(test, device_is_registered(fake->accel.nodes[i].dev),
				       "%s, node %u", step, i);
	KUNIT_EXPECT_PTR_EQ_MSG(test, fake_open(test, fake), ERR_PTR(-ENXIO), "%s", step);
	/* said in the log, and no more than that */
	accel_device_unregister(&fake->accel);
	accel_device_put(&fake->accel);
	/* its number, its minors and its names are free for the next one */
	fake = fake_alloc(test, parent);
	KUNIT_EXPECT_EQ_MSG(test, fake->accel.index, index, "%s", step);
	KUNIT_EXPECT_EQ_MSG(test, fake->accel.dev.devt, devt, "%s", step);
	KUNIT_EXPECT_EQ_MSG(test, accel_device_register(&fake->accel), 0, "%s", step);
	fake_unregister(test, fake);
}

static void failed_steps(struct kunit *test)
{
	struct device *parent = fake_parent(test);
	struct fake_device *fake;
	unsigned int i;

	/* a node that driver core does not take: the first, then the one behind it */
	for (i = 0; i < 2; i++) {
		fake = fake_alloc(test, parent);
		kfree_const(fake->accel.nodes[i].dev->kobj.name);
		fake->accel.nodes[i].dev->kobj.name = NULL;
		KUNIT_EXPECT_EQ(test, accel_device_register(&fake->accel), -EINVAL);
		expect_unregistered(test, fake, i ? "the second node" : "the first node");
	}
	/* the last step: its place among the registered devices is taken */
	fake = fake_alloc(test, parent);
	KUNIT_ASSERT_EQ(test, xa_reserve(&accel_devices, fake->accel.id, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, accel_device_register(&fake->accel), -EBUSY);
	xa_release(&accel_devices, fake->accel.id);
	expect_unregistered(test, fake, "the list of devices");
}

static void refused_by_the_driver(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx;

	fake->open_error = -EPERM;
	KUNIT_EXPECT_PTR_EQ(test, fake_open(test, fake), ERR_PTR(-EPERM));
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->accel.num_contexts), 0);
	KUNIT_EXPECT_NULL(test, accel_context_next(&fake->accel, 0));
	fake->open_error = 0;
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->accel.num_contexts), 1);
	accel_context_close(ctx);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->accel.num_contexts), 0);
	fake_unregister(test, fake);
}

static void exclusive(struct kunit *test)
{
	struct fake_device *fake = fake_alloc(test, fake_parent(test));
	struct accel_context *ctx;

	fake->accel.exclusive = true;
	KUNIT_ASSERT_EQ(test, accel_device_register(&fake->accel), 0);
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	KUNIT_EXPECT_PTR_EQ(test, fake_open(test, fake), ERR_PTR(-EBUSY));
	accel_context_close(ctx);
	ctx = fake_open(test, fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	accel_context_close(ctx);
	fake_unregister(test, fake);
}

static void late_close(struct kunit *test)
{
	struct fake_device *fake = fake_register(test);
	struct accel_context *ctx = fake_open(test, fake);

	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx));
	fake_unregister(test, fake);
	/* The context keeps the structure; close() has been called, and is not again. */
	KUNIT_EXPECT_EQ(test, to_fake(ctx->adev)->closed, 1);
	KUNIT_EXPECT_PTR_EQ(test, fake_open(test, to_fake(ctx->adev)), ERR_PTR(-ENXIO));
	KUNIT_EXPECT_EQ(test, accel_device_set_state(ctx->adev, ACCEL_STATE_FAILED), -ENODEV);
	accel_context_close(ctx);
}

/* A function whose driver is bound without having registered a device for it. */
static void pci_without_device(struct kunit *test)
{
	const struct pci_error_handlers *handlers = &accel_pci_error_handlers;
	struct pci_dev *pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);
	struct fake_device *fake = fake_register(test);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	pdev->dev.init_name = "accel_fake_pci";
	/* what drvdata is, is the driver's own affair */
	pdev->dev.driver_data = test;
	KUNIT_EXPECT_EQ(test, handlers->error_detected(pdev, pci_channel_io_frozen),
			PCI_ERS_RESULT_NONE);
	KUNIT_EXPECT_EQ(test, handlers->slot_reset(pdev), PCI_ERS_RESULT_NONE);
	handlers->resume(pdev);
	handlers->reset_prepare(pdev);
	handlers->reset_done(pdev);
	KUNIT_EXPECT_EQ(test, fake->accel.state, ACCEL_STATE_OK);
	fake_unregister(test, fake);
}

static struct kunit_case register_cases[] = {
	KUNIT_CASE(refused_descriptions),
	KUNIT_CASE(refused_tables),
	KUNIT_CASE(refused_engines),
	KUNIT_CASE(out_of_order),
	KUNIT_CASE(short_segments),
	KUNIT_CASE(ids_and_names),
	KUNIT_CASE(minors),
	KUNIT_CASE(out_of_minors),
	KUNIT_CASE(failed_steps),
	KUNIT_CASE(refused_by_the_driver),
	KUNIT_CASE(exclusive),
	KUNIT_CASE(late_close),
	KUNIT_CASE(pci_without_device),
	{ }
};

static struct kunit_suite register_suite = {
	.name = "accel_register",
	.test_cases = register_cases,
};

kunit_test_suite(register_suite);
