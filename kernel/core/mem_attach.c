// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware that is attached to an IOAS: the IOMMU translates its DMA with iommufd's page
 * table, so an IOVA is the DMA address, and nothing is pinned or mapped for a region. What
 * is not mapped, or not any more, the IOMMU refuses.
 *
 * iommufd then owns the device's DMA, and the DMA API does not work for it. So all of the
 * device is either one context's, attached, or everybody's: accel_mem_dma_get().
 *
 * Attaching and detaching may block for as long as user space can prolong a page fault,
 * see iommufd.c. When a device's driver has given up waiting, the work item has the
 * struct device; the hardware reaches nothing, since iommufd blocks it first of all.
 */
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/sizes.h>

#include "iommufd.h"

#if IS_ENABLED(CONFIG_IOMMUFD)

/* An entry's length has 32 bits. */
#define ACCEL_ATTACH_ENTRY	SZ_2G

static int accel_mem_attach_acquire(struct accel_mem *mem, struct accel_pin_times *times,
				    bool timed)
{
	struct sg_table *table = &mem->table;
	u64 left = mem->length, iova = mem->addr;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(table, DIV_ROUND_UP_ULL(left, ACCEL_ATTACH_ENTRY),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	for_each_sgtable_sg(table, sg, i) {
		sg_dma_address(sg) = iova;
		sg_dma_len(sg) = min_t(u64, left, ACCEL_ATTACH_ENTRY);
		iova += sg_dma_len(sg);
		left -= sg_dma_len(sg);
	}
	ret = accel_iommufd_record(mem);
	if (ret)
		sg_free_table(table);
	return ret;
}

static int accel_mem_attach_map(struct accel_mem *mem)
{
	if (mem->addr + mem->length - 1 > dma_get_mask(accel_mem_dma_device(mem)))
		return -ERANGE;
	mem->sgt = &mem->table;
	mem->nsegs = mem->sgt->nents;
	return 0;
}

static void accel_mem_attach_unmap(struct accel_mem *mem)
{
	mem->sgt = NULL;
}

static void accel_mem_attach_release(struct accel_mem *mem)
{
	sg_free_table(&mem->table);
	accel_iommufd_strike(mem);
}

const struct accel_mem_ops accel_mem_attach_ops = {
	.way = ACCEL_MEM_WAY_IOMMUFD,
	.name = "attached",
	.early = true,
	.acquire = accel_mem_attach_acquire,
	.map = accel_mem_attach_map,
	.unmap = accel_mem_attach_unmap,
	.release = accel_mem_attach_release,
	.forget = accel_mem_iommufd_forget,
};

static int accel_attach_count(struct device *dev, void *data)
{
	++*(unsigned int *)data;
	return 0;
}

/* Nobody else's DMA may change hands with ours. */
static int accel_attach_check(struct accel_context *ctx)
{
	struct iommu_group *group = iommu_group_get(ctx->adev->dev.parent);
	unsigned int devices = 0;

	if (!group)
		return accel_context_error(ctx, -EOPNOTSUPP,
					   "iommufd_bind: no IOMMU is before %s", ctx->adev->name);
	iommu_group_for_each_dev(group, &devices, accel_attach_count);
	iommu_group_put(group);
	if (devices == 1)
		return 0;
	return accel_context_error(ctx, -EPERM, "iommufd_bind: %u devices are in %s's IOMMU group",
				   devices, ctx->adev->name);
}

/**
 * accel_attach_claim - take a device's DMA from the kernel
 * @bind: a new binding
 * @ictx: to whom it goes
 * @id: the object that iommufd makes of the device
 *
 * Context: process, gated.
 * Return: 0; -EBUSY: a region of somebody's is mapped for DMA, or the device is attached
 * already; -EPERM: it is not alone in its IOMMU group, or its interrupts are not isolated;
 * -EOPNOTSUPP: no IOMMU; other errnos of iommufd's.
 */
int accel_attach_claim(struct accel_iommufd *bind, struct iommufd_ctx *ictx, u32 *id)
{
	struct accel_device *adev = bind->ctx->adev;
	struct iommufd_device *idev;
	int ret;

	ret = accel_attach_check(bind->ctx);
	if (ret)
		return ret;
	if (atomic_cmpxchg(&adev->dma_users, 0, ACCEL_DMA_ATTACHED))
		return accel_context_error(bind->ctx, -EBUSY,
					   "iommufd_bind: a region is mapped, or %s is attached for another file",
					   adev->name);
	idev = iommufd_device_bind(ictx, adev->dev.parent, id);
	if (IS_ERR(idev)) {
		atomic_set(&adev->dma_users, 0);
		return PTR_ERR(idev);
	}
	bind->parent = get_device(adev->dev.parent);
	bind->idev = idev;
	return 0;
}

/**
 * accel_attach_begin - let the IOAS's page table translate what a device does
 * @bind: a binding that has claimed it
 * @pt_id: an IOAS or a hardware page table
 *
 * Context: process; sleeps for as long as user space can prolong a page fault.
 * Return: 0 or an errno of iommufd's.
 */
int accel_attach_begin(struct accel_iommufd *bind, u32 pt_id)
{
	int ret;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	ret = iommufd_device_attach(bind->idev, IOMMU_NO_PASID, &pt_id);
#else
	ret = iommufd_device_attach(bind->idev, &pt_id);
#endif
	bind->attached = !ret;
	return ret;
}

/**
 * accel_attach_end - give a device's DMA back to the kernel
 * @bind: a binding that has claimed it; none of its jobs is there any more
 *
 * Context: process; sleeps for as long as user space can prolong a page fault.
 */
void accel_attach_end(struct accel_iommufd *bind)
{
	if (bind->attached) {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
		iommufd_device_detach(bind->idev, IOMMU_NO_PASID);
#else
		iommufd_device_detach(bind->idev);
#endif
	}
	/* Its hardware may have been pulled out since, while we were blocked. */
	if (device_iommu_mapped(bind->parent))
		iommufd_device_unbind(bind->idev);
	else
		dev_crit(bind->parent, "left its IOMMU group while an iommufd had its DMA\n");
	atomic_set(&bind->ctx->adev->dma_users, 0);
	put_device(bind->parent);
}

#endif /* CONFIG_IOMMUFD */
