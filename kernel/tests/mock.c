// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests alone: an accelerator on each of iommufd's mock devices, which a test makes
 * with an ioctl of /dev/iommu (CONFIG_IOMMUFD_TEST). The only hardware with PASIDs that
 * can be had in an emulator.
 *
 * Mock devices do no DMA. This one does: its engine copies inside a region, and walks for
 * each piece the page table that the IOMMU has for the PASID of the context, as the IOMMU
 * of real hardware would do for DMA that is marked with it. So what is attached to that
 * PASID decides where the bytes go, and when nothing is, they go nowhere.
 *
 * To be loaded when there is a mock device: that is how it finds their bus.
 */
#include <linux/accelerator.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "accel_mock.h"
#include "iommu-priv.h"

/* Of the mock IOMMU's pages, and smaller than ours. */
#define MOCK_PIECE	2048

static char *device = "iommufd_mock0";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "a mock device that exists (default iommufd_mock0)");

struct mock_device {
	struct accel_device accel;
	struct accel_engine *engine;
};

struct mock_job {
	struct accel_job base;
	struct accel_mem *mem;
	u64 from;
	u64 to;
};

/* What the IOMMU does with an address that comes with a PASID; NULL: it refuses. */
static void *mock_translate(struct device *dev, u32 pasid, u64 iova)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommu_attach_handle *handle;
	phys_addr_t phys = 0;

	if (!group)
		return NULL;
	handle = iommu_attach_handle_get(group, pasid, 0);
	if (!IS_ERR(handle))
		phys = iommu_iova_to_phys(handle->domain, iova);
	iommu_group_put(group);
	return phys ? phys_to_virt(phys) : NULL;
}

static void *mock_find(struct mock_job *job, u64 offset, size_t *n)
{
	struct accel_context *ctx = job->base.ctx;
	dma_addr_t addr;
	size_t len;

	if (accel_mem_dma_addr(job->mem, offset, &addr, &len))
		return NULL;
	*n = min3(*n, len, MOCK_PIECE - (size_t)addr % MOCK_PIECE);
	return mock_translate(ctx->adev->dev.parent, accel_context_pasid(ctx), addr);
}

static void mock_run(struct accel_job *base)
{
	struct mock_job *job = container_of(base, struct mock_job, base);
	u64 done = 0;

	while (done < base->bytes) {
		size_t n = min_t(u64, base->bytes - done, MOCK_PIECE);
		void *from = mock_find(job, job->from + done, &n);
		void *to = mock_find(job, job->to + done, &n);

		if (!from || !to)
			break;
		memmove(to, from, n);
		done += n;
	}
	accel_job_done(base, done < base->bytes ? -EFAULT : 0, accel_context_pasid(base->ctx));
}

static const struct accel_engine_desc mock_engine = {
	.name = "copy",
	.depth = 1,
	.run = mock_run,
};

static long mock_ioctl_copy(struct accel_context *ctx, void *arg)
{
	struct mock_device *mock = container_of(ctx->adev, struct mock_device, accel);
	struct accel_mock_copy *args = arg;
	struct mock_job *job;
	long ret;

	if (!args->length)
		return -EINVAL;
	job = accel_job_alloc(ctx, mock->engine, 0, args->length, struct mock_job, base);
	if (IS_ERR(job))
		return PTR_ERR(job);
	job->from = args->from;
	job->to = args->to;
	job->mem = accel_job_use_mem(&job->base, args->mem_id, ACCEL_MEM_READ, args->from,
				     args->length);
	if (!IS_ERR(job->mem))
		job->mem = accel_job_use_mem(&job->base, args->mem_id, ACCEL_MEM_WRITE, args->to,
					     args->length);
	if (IS_ERR(job->mem)) {
		ret = PTR_ERR(job->mem);
		accel_job_discard(&job->base);
		return ret;
	}
	return accel_job_submit(&job->base, &args->job_id);
}

static const struct accel_ioctl_desc mock_ioctls[] = {
	ACCEL_IOCTLS_MEM,
	ACCEL_IOCTLS_JOB,
	ACCEL_IOCTLS_IOMMUFD,
	ACCEL_IOCTL(ACCEL_MOCK_IOCTL_COPY, struct accel_mock_copy, job_id,
		    copy, mock_ioctl_copy, 0),
};

static const struct accel_node_desc mock_nodes[] = {
	{ .suffix = "", .ioctls = mock_ioctls, .num_ioctls = ARRAY_SIZE(mock_ioctls) },
};

static const struct accel_driver mock_driver = {
	.name = "accel_mock",
	.type = "mock",
	.flags = ACCEL_DEVICE_IOMMUFD_ATTACH | ACCEL_DEVICE_IOMMUFD_PASID,
	.nodes = mock_nodes,
	.num_nodes = ARRAY_SIZE(mock_nodes),
};

static int mock_probe(struct device *dev)
{
	struct mock_device *mock;
	int ret;

	ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	mock = devm_accel_device_alloc(dev, &mock_driver, struct mock_device, accel);
	if (IS_ERR(mock))
		return PTR_ERR(mock);
	mock->engine = accel_engine_add(&mock->accel, &mock_engine);
	if (IS_ERR(mock->engine))
		return PTR_ERR(mock->engine);
	return devm_accel_device_register(&mock->accel);
}

static struct device_driver mock_device_driver = {
	.name = "accel_mock",
	.owner = THIS_MODULE,
	.probe = mock_probe,
};

/*
 * iommufd does not export its mock devices' bus. But they have no parent, and all devices
 * are in one kset, by name.
 */
static int __init mock_init(void)
{
	struct kobject *kobj = kset_find_obj(platform_bus.kobj.kset, device);

	if (!kobj)
		return -ENODEV;
	mock_device_driver.bus = kobj_to_dev(kobj)->bus;
	/* The bus is part of the kernel, and stays without the device. */
	kobject_put(kobj);
	if (!mock_device_driver.bus || strcmp(mock_device_driver.bus->name, "iommufd_mock"))
		return -ENODEV;
	return driver_register(&mock_device_driver);
}

static void __exit mock_exit(void)
{
	driver_unregister(&mock_device_driver);
}

module_init(mock_init);
module_exit(mock_exit);
MODULE_DESCRIPTION("An accelerator on iommufd's mock devices, for tests");
MODULE_IMPORT_NS(ACCEL_EXPORT_NS);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
MODULE_IMPORT_NS("IOMMUFD_INTERNAL");
#else
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
#endif
MODULE_LICENSE("GPL");
