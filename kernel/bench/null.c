// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same ioctl twice: through the core, on an accelerator, and as short as an
 * ioctl can be, on a misc device. The misc device also takes the orders of gates.c.
 */
#include <linux/accelerator.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bench.h"

/* --------------------------------------------------- through the core */

static long bench_ioctl_null(struct accel_context *ctx, void *arg)
{
	struct accel_bench_null *null = arg;

	null->out = null->in;
	return 0;
}

static const struct accel_ioctl_desc bench_ioctls[] = {
	ACCEL_IOCTL(ACCEL_BENCH_NULL, struct accel_bench_null, out, null, bench_ioctl_null, 0),
};

static const struct accel_node_desc bench_nodes[] = {
	{ .suffix = "", .ioctls = bench_ioctls, .num_ioctls = ARRAY_SIZE(bench_ioctls) },
};

static const struct accel_driver bench_driver = {
	.name = "accel_bench",
	.type = "offload",
	.nodes = bench_nodes,
	.num_nodes = ARRAY_SIZE(bench_nodes),
};

/* ----------------------------------------------------- without a core */

#define BENCH_ORDER(type, func) ({						\
	type order;								\
	int ret = copy_from_user(&order, user, sizeof(order)) ? -EFAULT : 0;	\
										\
	if (!ret)								\
		ret = func(&order);						\
	if (!ret && copy_to_user(user, &order, sizeof(order)))			\
		ret = -EFAULT;							\
	ret; })

static struct platform_device *bench_pdev;

/* What is pinned through an open file: one of the two. */
struct bench_file {
	struct bench_region *region;
	struct bench_tight *tight;
};

static int bench_misc_pin(struct bench_file *bf, const struct accel_bench_pin *arg)
{
	struct bench_region *region;

	if (bf->region)
		return -EBUSY;
	region = bench_pin(&bench_pdev->dev, arg);
	if (IS_ERR(region))
		return PTR_ERR(region);
	bf->region = region;
	return 0;
}

static int bench_misc_unpin(struct bench_file *bf)
{
	if (!bf->region)
		return -ENOENT;
	bench_unpin(bf->region);
	bf->region = NULL;
	return 0;
}

static int bench_misc_tight_pin(struct bench_file *bf, const struct accel_bench_pin *arg)
{
	struct bench_tight *tight;

	if (bf->tight)
		return -EBUSY;
	if (!arg->length)
		return -EINVAL;
	tight = bench_tight_pin(&bench_pdev->dev, arg);
	if (IS_ERR(tight))
		return PTR_ERR(tight);
	bf->tight = tight;
	return 0;
}

static int bench_misc_tight_unpin(struct bench_file *bf)
{
	if (!bf->tight)
		return -ENOENT;
	bench_tight_unpin(bf->tight);
	bf->tight = NULL;
	return 0;
}

/* Apart, so that its stack is not the null ioctl's to clear. */
static noinline long bench_misc_order(struct file *file, unsigned int cmd, void __user *user)
{
	struct bench_file *bf = file->private_data;
	struct accel_bench_pin pin;

	switch (cmd) {
	case ACCEL_BENCH_PIN:
		if (copy_from_user(&pin, user, sizeof(pin)))
			return -EFAULT;
		return bench_misc_pin(bf, &pin);
	case ACCEL_BENCH_UNPIN:
		return bench_misc_unpin(bf);
	case ACCEL_BENCH_TIGHT_PIN:
		if (copy_from_user(&pin, user, sizeof(pin)))
			return -EFAULT;
		return bench_misc_tight_pin(bf, &pin);
	case ACCEL_BENCH_TIGHT_UNPIN:
		return bench_misc_tight_unpin(bf);
	case ACCEL_BENCH_READ:
		return BENCH_ORDER(struct accel_bench_read, bench_gate_read);
	case ACCEL_BENCH_CLOSE:
		return BENCH_ORDER(struct accel_bench_close, bench_gate_close);
	case ACCEL_BENCH_SIZE:
		return BENCH_ORDER(struct accel_bench_size, bench_gate_size);
	}
	return -ENOTTY;
}

static long bench_misc_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct accel_bench_null null;

	if (cmd != ACCEL_BENCH_NULL)
		return bench_misc_order(file, cmd, user);
	if (copy_from_user(&null, user, sizeof(null)))
		return -EFAULT;
	null.out = null.in;
	if (copy_to_user(user, &null, sizeof(null)))
		return -EFAULT;
	return 0;
}

static int bench_misc_open(struct inode *inode, struct file *file)
{
	struct bench_file *bf = kzalloc(sizeof(*bf), GFP_KERNEL);

	if (!bf)
		return -ENOMEM;
	file->private_data = bf;
	return 0;
}

static int bench_misc_release(struct inode *inode, struct file *file)
{
	bench_misc_unpin(file->private_data);
	bench_misc_tight_unpin(file->private_data);
	kfree(file->private_data);
	return 0;
}

static const struct file_operations bench_misc_fops = {
	.owner = THIS_MODULE,
	.open = bench_misc_open,
	.release = bench_misc_release,
	.unlocked_ioctl = bench_misc_ioctl,
};

static struct miscdevice bench_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "accel_bench",
	.fops = &bench_misc_fops,
};

/* --------------------------------------------------------- the module */

static struct accel_device *bench_adev;

struct bench_device {
	struct accel_device accel;
};

static int __init bench_device_add(void)
{
	struct bench_device *bench;
	int ret;

	ret = dma_coerce_mask_and_coherent(&bench_pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(&bench_pdev->dev, UINT_MAX);
	bench = accel_device_alloc(&bench_pdev->dev, &bench_driver, struct bench_device, accel);
	if (IS_ERR(bench))
		return PTR_ERR(bench);
	bench_adev = &bench->accel;
	ret = accel_device_register(bench_adev);
	if (ret)
		accel_device_put(bench_adev);
	return ret;
}

static int __init bench_init(void)
{
	int ret = bench_gates_init();

	if (ret)
		return ret;
	ret = bench_tight_init();
	if (ret)
		goto out_gates;
	bench_pdev = platform_device_register_simple("accel_bench", PLATFORM_DEVID_NONE, NULL, 0);
	ret = PTR_ERR_OR_ZERO(bench_pdev);
	if (ret)
		goto out_tight;
	ret = bench_device_add();
	if (ret)
		goto out_pdev;
	ret = misc_register(&bench_misc);
	if (!ret)
		return 0;
	accel_device_unregister(bench_adev);
	accel_device_put(bench_adev);
out_pdev:
	platform_device_unregister(bench_pdev);
out_tight:
	bench_tight_exit();
out_gates:
	bench_gates_exit();
	return ret;
}

static void __exit bench_exit(void)
{
	misc_deregister(&bench_misc);
	accel_device_unregister(bench_adev);
	accel_device_put(bench_adev);
	platform_device_unregister(bench_pdev);
	bench_tight_exit();
	bench_gates_exit();
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Peers that the accelerator core is measured against");
MODULE_IMPORT_NS(ACCEL_EXPORT_NS);
MODULE_LICENSE("GPL");
