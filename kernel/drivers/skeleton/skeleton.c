// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest driver that does something: it inverts the bits of user memory.
 * docs/driver-guide.md explains it from top to bottom.
 */
#include <linux/accelerator.h>
#include <linux/dma-direct.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <uapi/linux/accelerator_skeleton.h>

/* 1. What belongs to one device, and to one job: the core's structure comes first. */
struct skeleton_device {
	struct accel_device accel;
	struct accel_engine *engine;
};

struct skeleton_job {
	struct accel_job base;
	struct accel_mem *mem;
	u64 offset;
};

/*
 * 2. The hardware does a job. Hardware knows bus addresses and nothing else: neither
 * pages, which the device may reach through a bounce buffer, nor the user's addresses.
 * Here is none, so the processor plays its part: yours gets the address in a register.
 */
static void skeleton_invert(struct device *dev, dma_addr_t addr, size_t n)
{
	u8 *bytes = phys_to_virt(dma_to_phys(dev, addr));

	while (n--)
		bytes[n] = ~bytes[n];
}

/* Yours starts a DMA and returns; this one has ended when it is through. */
static void skeleton_run(struct accel_job *base)
{
	struct skeleton_job *job = container_of(base, struct skeleton_job, base);
	u64 skip = job->offset, left = base->bytes;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(job->mem->sgt, sg, i) {
		u64 start = min_t(u64, skip, sg_dma_len(sg));
		u64 n = min_t(u64, sg_dma_len(sg) - start, left);

		skip -= start;
		if (!left || accel_job_cancelled(base))
			break;
		skeleton_invert(base->ctx->adev->dev.parent, sg_dma_address(sg) + start, n);
		left -= n;
		cond_resched();
	}
	accel_job_done(base, left ? -ECANCELED : 0, base->bytes - left);
}

static const struct accel_engine_desc skeleton_engine = {
	.name = "invert",
	.depth = 1,
	.run = skeleton_run,
};

/* 3. A user submits one: the argument is a kernel copy, its size has been checked. */
static long skeleton_ioctl_invert(struct accel_context *ctx, void *arg)
{
	struct skeleton_device *skel = container_of(ctx->adev, struct skeleton_device, accel);
	struct accel_skeleton_invert *args = arg;
	struct skeleton_job *job;

	if (!args->length)
		return -EINVAL;
	job = accel_job_alloc(ctx, skel->engine, 0, args->length, struct skeleton_job, base);
	if (IS_ERR(job))
		return PTR_ERR(job);
	job->offset = args->offset;
	job->mem = accel_job_use_mem(&job->base, args->mem_id, ACCEL_MEM_READ | ACCEL_MEM_WRITE,
				     args->offset, args->length);
	if (IS_ERR(job->mem)) {
		long ret = PTR_ERR(job->mem);

		accel_job_discard(&job->base);
		return ret;
	}
	return accel_job_submit(&job->base, &args->job_id);
}

/* 4. What the driver offers. */
static const struct accel_ioctl_desc skeleton_ioctls[] = {
	ACCEL_IOCTLS_MEM,
	ACCEL_IOCTLS_JOB,
	ACCEL_IOCTL(ACCEL_SKELETON_IOCTL_INVERT, struct accel_skeleton_invert, job_id,
		    invert, skeleton_ioctl_invert, 0),
};

static const struct accel_node_desc skeleton_nodes[] = {
	{ .suffix = "", .ioctls = skeleton_ioctls, .num_ioctls = ARRAY_SIZE(skeleton_ioctls) },
};

static const struct accel_driver skeleton_driver = {
	.name = "accel_skeleton",
	.type = "offload",
	.nodes = skeleton_nodes,
	.num_nodes = ARRAY_SIZE(skeleton_nodes),
};

/* 5. Hardware is found: allocate, add engines, register. There is no remove(). */
static int skeleton_probe(struct platform_device *pdev)
{
	struct skeleton_device *skel;
	int ret;

	/* For skeleton_invert() alone: hardware does not know whether there is an IOMMU. */
	if (device_iommu_mapped(&pdev->dev))
		return -EOPNOTSUPP;
	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	skel = devm_accel_device_alloc(&pdev->dev, &skeleton_driver, struct skeleton_device, accel);
	if (IS_ERR(skel))
		return PTR_ERR(skel);
	skel->engine = accel_engine_add(&skel->accel, &skeleton_engine);
	if (IS_ERR(skel->engine))
		return PTR_ERR(skel->engine);
	return devm_accel_device_register(&skel->accel);
}

static struct platform_driver skeleton_platform_driver = {
	.driver = { .name = "accel_skeleton" },
	.probe = skeleton_probe,
};

/* 6. There is no such hardware, so make one. A PCI driver has module_pci_driver() here. */
static struct platform_device *skeleton_pdev;

static int __init skeleton_init(void)
{
	int ret;

	skeleton_pdev = platform_device_register_simple("accel_skeleton", PLATFORM_DEVID_NONE,
							NULL, 0);
	if (IS_ERR(skeleton_pdev))
		return PTR_ERR(skeleton_pdev);
	ret = platform_driver_register(&skeleton_platform_driver);
	if (ret)
		platform_device_unregister(skeleton_pdev);
	return ret;
}

static void __exit skeleton_exit(void)
{
	platform_driver_unregister(&skeleton_platform_driver);
	platform_device_unregister(skeleton_pdev);
}

module_init(skeleton_init);
module_exit(skeleton_exit);
MODULE_DESCRIPTION("accel_skeleton: inverts the bits of user memory");
MODULE_IMPORT_NS(ACCEL_EXPORT_NS);
MODULE_LICENSE("GPL");
