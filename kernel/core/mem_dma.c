// SPDX-License-Identifier: GPL-2.0-only
/* Where the device finds a region: its DMA mapping, coherence, addresses and pages. */
#include <linux/bitops.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/iommu-dma.h>
#include <linux/mm.h>

#include "core.h"

/**
 * accel_mem_dir - what the device does to a region, in the DMA API's terms
 * @mem: the region
 *
 * Return: the direction.
 */
enum dma_data_direction accel_mem_dir(const struct accel_mem *mem)
{
	switch (mem->flags & (ACCEL_MEM_READ | ACCEL_MEM_WRITE)) {
	case ACCEL_MEM_READ:
		return DMA_TO_DEVICE;
	case ACCEL_MEM_WRITE:
		return DMA_FROM_DEVICE;
	default:
		return DMA_BIDIRECTIONAL;
	}
}

/**
 * accel_mem_dma_device - what does a region's DMA
 * @mem: the region
 *
 * Return: the hardware's struct device.
 */
struct device *accel_mem_dma_device(const struct accel_mem *mem)
{
	return mem->ctx->adev->dev.parent;
}

/* What is translated is not bounced, and dma_need_sync() cannot tell. */
static bool accel_mem_is_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && iommu_is_dma_domain(domain);
}

/**
 * accel_mem_is_bounced - whether a device reaches memory through a bounce buffer
 * @dev: the hardware
 * @addr: a DMA address of it
 *
 * A bounce buffer holds a copy. Whoever shares the memory does not know when it is to be
 * renewed. Caches of hardware that is not coherent are another matter.
 *
 * Return: true when there is a copy.
 */
bool accel_mem_is_bounced(struct device *dev, dma_addr_t addr)
{
	return !accel_mem_is_translated(dev) && dev_is_dma_coherent(dev) &&
	       dma_need_sync(dev, addr);
}

static bool accel_mem_needs_sync(struct accel_mem *mem)
{
	struct device *dev = accel_mem_dma_device(mem);
	struct scatterlist *sg;
	unsigned int i;

	if (!dma_dev_need_sync(dev))
		return false;
	for_each_sgtable_dma_sg(mem->sgt, sg, i)
		if (dma_need_sync(dev, sg_dma_address(sg)))
			return true;
	return false;
}

/*
 * Whether dma_unmap_sgtable() would do anything, asked after a mapping. Where the device
 * has memory's own addresses and never had a bounce buffer, there is nothing to undo, but
 * it looks at each entry. Later kernels say so themselves.
 */
static bool accel_mem_needs_unmap(struct device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return dma_need_unmap(dev);
#else
	return get_dma_ops(dev) || use_dma_iommu(dev) || dma_dev_need_sync(dev);
#endif
}

static int accel_mem_dma_map_as(struct accel_mem *mem, enum dma_data_direction dir)
{
	mem->dma_dir = dir;
	return dma_map_sgtable(accel_mem_dma_device(mem), mem->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
}

static void accel_mem_dma_unmap_as(struct accel_mem *mem)
{
	dma_unmap_sgtable(accel_mem_dma_device(mem), mem->sgt, mem->dma_dir,
			  DMA_ATTR_SKIP_CPU_SYNC);
}

/* Whether all that a job is to write is copied back from a bounce buffer, written or not. */
static bool accel_mem_is_copied_back(struct accel_mem *mem)
{
	return mem->needs_sync && mem->dma_dir == DMA_FROM_DEVICE &&
	       !accel_mem_is_translated(accel_mem_dma_device(mem));
}

/**
 * accel_mem_dma_map - map a region's pages with the DMA API
 * @mem: its sgt has the pages
 *
 * Each job makes coherent what it uses, see accel_mem_sync(); nothing is synced here.
 *
 * A bounce buffer that is only written to has what was in memory when it was mapped. A job
 * that fails, or does not write all of its range, would bring that back over what the
 * processor has written since. So it is mapped for both directions, and each job begins
 * with what is there. What an IOMMU allows is as the caller wants it: it has no such buffers.
 *
 * Context: process, gated.
 * Return: 0 or a negative errno; -EBUSY: iommufd has the device's DMA.
 */
int accel_mem_dma_map(struct accel_mem *mem)
{
	int ret = accel_mem_dma_get(mem->ctx->adev);

	if (ret)
		return ret;
	ret = accel_mem_dma_map_as(mem, accel_mem_dir(mem));
	if (ret)
		goto err_put;
	mem->needs_sync = accel_mem_needs_sync(mem);
	if (unlikely(accel_mem_is_copied_back(mem))) {
		accel_mem_dma_unmap_as(mem);
		ret = accel_mem_dma_map_as(mem, DMA_BIDIRECTIONAL);
		if (ret)
			goto err_put;
	}
	mem->needs_unmap = accel_mem_needs_unmap(accel_mem_dma_device(mem));
	mem->nsegs = mem->sgt->nents;
	return 0;

err_put:
	accel_mem_dma_put(mem->ctx->adev);
	return ret;
}

/**
 * accel_mem_dma_unmap - undo accel_mem_dma_map()
 * @mem: the region
 *
 * Each job has synced what it wrote. To sync again would copy a bounce buffer's old
 * contents over what the processor has written since.
 *
 * Context: process.
 */
void accel_mem_dma_unmap(struct accel_mem *mem)
{
	if (mem->needs_unmap)
		accel_mem_dma_unmap_as(mem);
	accel_mem_dma_put(mem->ctx->adev);
}

/**
 * accel_mem_sync - make a range of a region what the device, or the processor, sees
 * @mem: the region
 * @offset: first byte
 * @length: bytes
 * @for_device: before the device's access, else after it
 *
 * Nothing on coherent hardware; copies where DMA is bounced.
 *
 * Context: any.
 */
void accel_mem_sync(struct accel_mem *mem, u64 offset, u64 length, bool for_device)
{
	struct device *dev = accel_mem_dma_device(mem);
	enum dma_data_direction dir = mem->dma_dir;
	struct scatterlist *sg;
	unsigned int i;

	if (!mem->needs_sync)
		return;
	for_each_sgtable_dma_sg(mem->sgt, sg, i) {
		u64 here = sg_dma_len(sg), n;

		if (offset >= here) {
			offset -= here;
			continue;
		}
		if (!length)
			break;
		n = min(length, here - offset);
		if (for_device)
			dma_sync_single_range_for_device(dev, sg_dma_address(sg), offset, n, dir);
		else
			dma_sync_single_range_for_cpu(dev, sg_dma_address(sg), offset, n, dir);
		length -= n;
		offset = 0;
	}
}

/**
 * accel_mem_dma_addr - where the device finds a byte of a region
 * @mem: a region that a job uses
 * @offset: of the byte
 * @addr: the bus address
 * @len: bytes that follow it without a gap, at least 1
 *
 * Looks at each segment before it: to walk a region, use its @sgt or
 * accel_mem_iter_start().
 *
 * Context: any.
 * Return: 0, or -ERANGE.
 */
int accel_mem_dma_addr(struct accel_mem *mem, u64 offset, dma_addr_t *addr, size_t *len)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(mem->sgt, sg, i) {
		if (offset < sg_dma_len(sg)) {
			*addr = sg_dma_address(sg) + offset;
			*len = sg_dma_len(sg) - offset;
			return 0;
		}
		offset -= sg_dma_len(sg);
	}
	return -ERANGE;
}
EXPORT_SYMBOL_NS_GPL(accel_mem_dma_addr, ACCEL_EXPORT_NS);

/* The largest of @page_sizes that divides all that @bits were or-ed from; 0: none. */
static unsigned long accel_page_size(unsigned long page_sizes, u64 bits)
{
	/* sizes up to the lowest bit that is set */
	if (bits)
		page_sizes &= (bits & -bits) * 2 - 1;
	return page_sizes ? BIT(__fls(page_sizes)) : 0;
}

/**
 * accel_mem_best_page_size - the largest page a device's page table can use throughout
 * @mem: a region that is mapped for DMA
 * @page_sizes: a bit for each size that the hardware has
 * @va: the device's virtual address that the region is to have
 *
 * For hardware whose table has one size of page. No page reaches beyond the region,
 * or what is next to it would be the device's, too: @va, each segment's DMA address and
 * each segment's length are multiples of the answer.
 *
 * Context: any.
 * Return: the size in bytes; 0 when even the smallest is too large.
 */
unsigned long accel_mem_best_page_size(const struct accel_mem *mem, unsigned long page_sizes,
				       u64 va)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 bits = va;

	for_each_sgtable_dma_sg(mem->sgt, sg, i)
		bits |= sg_dma_address(sg) | sg_dma_len(sg);
	return accel_page_size(page_sizes, bits);
}
EXPORT_SYMBOL_NS_GPL(accel_mem_best_page_size, ACCEL_EXPORT_NS);

/**
 * accel_mem_iter_start - begin a walk over a region as pages of a device's page table
 * @it: the walk
 * @mem: a region that is mapped for DMA, until the walk's end
 * @page_sizes: a bit for each size that the hardware has
 * @va: the device's virtual address of the region's first byte
 *
 * Each page is as large as the hardware allows where it is: aligned to its size in both
 * address spaces, and within the region.
 *
 * Context: any.
 */
void accel_mem_iter_start(struct accel_mem_iter *it, const struct accel_mem *mem,
			  unsigned long page_sizes, u64 va)
{
	*it = (struct accel_mem_iter) {
		.va = va,
		.sg = mem->sgt->sgl,
		.left = mem->length,
		.page_sizes = page_sizes,
	};
}
EXPORT_SYMBOL_NS_GPL(accel_mem_iter_start, ACCEL_EXPORT_NS);

/**
 * accel_mem_iter_next - the walk's next page
 * @it: the walk; its va, addr and size are filled in
 *
 * Context: any.
 * Return: false at the end; also where no size fits: then @it->left is not 0.
 */
bool accel_mem_iter_next(struct accel_mem_iter *it)
{
	u64 run;

	it->va += it->size;
	it->offset += it->size;
	it->left -= it->size;
	it->size = 0;
	if (!it->left)
		return false;
	if (it->offset == sg_dma_len(it->sg)) {
		it->sg = sg_next(it->sg);
		it->offset = 0;
	}
	it->addr = sg_dma_address(it->sg) + it->offset;
	run = min_t(u64, sg_dma_len(it->sg) - it->offset, it->left);
	it->size = accel_page_size(it->page_sizes & GENMASK(__fls(run), 0), it->va | it->addr);
	return it->size;
}
EXPORT_SYMBOL_NS_GPL(accel_mem_iter_next, ACCEL_EXPORT_NS);
