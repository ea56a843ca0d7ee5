// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware that is attached to an IOAS: the IOMMU translates its DMA with iommufd's page
 * table, so an IOVA is the DMA address, and nothing is pinned or mapped for a region. What
 * is not mapped, or not any more, the IOMMU refuses.
 *
 * iommufd then owns the device's DMA, and the DMA API does not work for it. So all of the
 * device is either one context's, attached, or everybody's: accel_mem_dma_get(). Or it is
 * shared by contexts that have a PASID each, all by way of one iommufd: each of them binds
 * the device for itself, which iommufd takes from the one that has its DMA already, so
 * that none has to wait for another's beginning or end.
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

/* What a region may name. It pins nothing, so its table is all that it costs: 16 KiB. */
#define ACCEL_ATTACH_LIMIT	(512ULL * ACCEL_ATTACH_ENTRY)

static int accel_attach_table(struct accel_mem *mem)
{
	struct sg_table *table = &mem->table;
	u64 left = mem->length, iova = mem->addr;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	if (left > ACCEL_ATTACH_LIMIT)
		return accel_context_error(mem->ctx, -ERANGE,
					   "mem_pin: 0x%llx bytes needed, a region has 0x%llx at most",
					   left, ACCEL_ATTACH_LIMIT);
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
	return 0;
}

/* First of all it is known whether there is an IOAS that has the addresses. */
static int accel_mem_attach_acquire(struct accel_mem *mem, struct accel_pin_times *times,
				    bool timed)
{
	int ret = accel_iommufd_record(mem);

	if (ret)
		return ret;
	ret = accel_attach_table(mem);
	if (ret)
		accel_iommufd_strike(mem);
	return ret;
}

static int accel_mem_attach_map(struct accel_mem *mem)
{
	u64 last = mem->addr + (mem->length - 1), mask = dma_get_mask(accel_mem_dma_device(mem));

	if (last > mask)
		return accel_context_error(mem->ctx, -ERANGE,
					   "mem_pin: IOVA 0x%llx is beyond 0x%llx, the last that %s's DMA reaches",
					   last, mask, mem->ctx->adev->name);
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

/* The device becomes iommufd's, or one more context shares it. */
static int accel_attach_take(struct accel_device *adev, struct iommufd_ctx *ictx, bool share)
{
	guard(mutex)(&adev->lock);
	/* Each of those who share it has a reference on the one that it is shared by. */
	if (share && adev->shared_by == ictx) {
		adev->attachments++;
		return 0;
	}
	if (atomic_cmpxchg(&adev->dma_users, 0, ACCEL_DMA_ATTACHED))
		return -EBUSY;
	adev->attachments = 1;
	adev->shared_by = share ? ictx : NULL;
	return 0;
}

static void accel_attach_give_back(struct accel_device *adev)
{
	guard(mutex)(&adev->lock);
	if (--adev->attachments)
		return;
	adev->shared_by = NULL;
	atomic_set(&adev->dma_users, 0);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)

/* Unique in the system, as hardware and IOMMUs exist that know each only once. */
static int accel_attach_alloc_pasid(struct accel_iommufd *bind)
{
	struct accel_device *adev = bind->ctx->adev;
	struct device *dev = adev->dev.parent;
	ioasid_t pasid;

	/* It is in an IOMMU group, and so has dev->iommu. 1: the one that is none. */
	if (dev->iommu->max_pasids <= IOMMU_FIRST_GLOBAL_PASID)
		return accel_context_error(bind->ctx, -EOPNOTSUPP,
					   "iommufd_bind: %s, or the IOMMU before it, has no PASIDs",
					   adev->name);
	pasid = iommu_alloc_global_pasid(dev);
	if (pasid == IOMMU_PASID_INVALID)
		return accel_context_error(bind->ctx, -ENOSPC,
					   "iommufd_bind: no PASID below %u is free",
					   dev->iommu->max_pasids);
	bind->pasid = pasid;
	return 0;
}

static void accel_attach_free_pasid(struct accel_iommufd *bind)
{
	if (bind->pasid != IOMMU_NO_PASID)
		iommu_free_global_pasid(bind->pasid);
}

static int accel_attach_device(struct accel_iommufd *bind, u32 *pt_id)
{
	return iommufd_device_attach(bind->idev, bind->pasid, pt_id);
}

static void accel_attach_detach(struct accel_iommufd *bind)
{
	/* All of a device is detached by its group; a PASID needs the device to be in one. */
	if (bind->pasid == IOMMU_NO_PASID || device_iommu_mapped(bind->parent))
		iommufd_device_detach(bind->idev, bind->pasid);
}

#else

static int accel_attach_alloc_pasid(struct accel_iommufd *bind)
{
	return accel_context_error(bind->ctx, -EOPNOTSUPP,
				   "iommufd_bind: PASIDs need Linux 6.15 or later, this is %d.%d",
				   LINUX_VERSION_MAJOR, LINUX_VERSION_PATCHLEVEL);
}

static void accel_attach_free_pasid(struct accel_iommufd *bind)
{
}

static int accel_attach_device(struct accel_iommufd *bind, u32 *pt_id)
{
	return iommufd_device_attach(bind->idev, pt_id);
}

static void accel_attach_detach(struct accel_iommufd *bind)
{
	iommufd_device_detach(bind->idev);
}

#endif

/**
 * accel_attach_claim - take a device's DMA from the kernel
 * @bind: a new binding
 * @ictx: to whom it goes
 * @pasid: what is marked with a PASID of its own; otherwise all of it
 * @id: the object that iommufd makes of the device
 *
 * Context: process, gated.
 * Return: 0; -EBUSY: a region of somebody's is mapped for DMA, or the device is attached
 * already, and not to be shared; -EPERM: it is not alone in its IOMMU group, or its
 * interrupts are not isolated; -EOPNOTSUPP: no IOMMU, no PASIDs; -ENOSPC: no PASID is
 * free; other errnos of iommufd's.
 */
int accel_attach_claim(struct accel_iommufd *bind, struct iommufd_ctx *ictx, bool pasid,
		       u32 *id)
{
	struct accel_device *adev = bind->ctx->adev;
	struct iommufd_device *idev;
	int ret;

	ret = accel_attach_check(bind->ctx);
	if (ret)
		return ret;
	if (pasid) {
		ret = accel_attach_alloc_pasid(bind);
		if (ret)
			return ret;
	}
	ret = accel_attach_take(adev, ictx, pasid);
	if (ret) {
		accel_context_error(bind->ctx, ret,
				    "iommufd_bind: a region is mapped, or %s is attached for another file",
				    adev->name);
		goto err_pasid;
	}
	idev = iommufd_device_bind(ictx, adev->dev.parent, id);
	if (IS_ERR(idev)) {
		ret = PTR_ERR(idev);
		goto err_give_back;
	}
	bind->parent = get_device(adev->dev.parent);
	bind->idev = idev;
	/* iommufd's own mock devices have none. */
	iommufd_ctx_get(ictx);
	bind->ictx = ictx;
	return 0;

err_give_back:
	accel_attach_give_back(adev);
err_pasid:
	accel_attach_free_pasid(bind);
	return ret;
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
	int ret = accel_attach_device(bind, &pt_id);

	if (ret == -EINVAL && bind->pasid != IOMMU_NO_PASID)
		accel_context_error(bind->ctx, ret,
				    "iommufd_bind: a PASID needs a page table made with IOMMU_HWPT_ALLOC_PASID, which %u is not (bind with pt_id 0 to make one)",
				    pt_id);
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
	if (bind->attached)
		accel_attach_detach(bind);
	/* Its hardware may have been pulled out since, while we were blocked. */
	if (device_iommu_mapped(bind->parent)) {
		iommufd_device_unbind(bind->idev);
		accel_attach_free_pasid(bind);
	} else {
		dev_crit(bind->parent, "left its IOMMU group while an iommufd had its DMA\n");
	}
	accel_attach_give_back(bind->ctx->adev);
	iommufd_ctx_put(bind->ictx);
	put_device(bind->parent);
}

#endif /* CONFIG_IOMMUFD */
