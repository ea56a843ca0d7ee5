// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pinning memory and mapping it for DMA takes at the least: the kernel's own
 * functions one after the other, for a caller who is trusted, charged nothing, and has
 * one region.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bench.h"

struct bench_region {
	struct device *dev;
	struct sg_table sgt;
};

static int bench_pin_pages(unsigned long addr, struct page **pages, unsigned long n)
{
	unsigned long done = 0;

	while (done < n) {
		long got = pin_user_pages_fast(addr + (done << PAGE_SHIFT), n - done,
					       FOLL_LONGTERM | FOLL_WRITE, pages + done);

		if (got <= 0) {
			unpin_user_pages(pages, done);
			return got ?: -EFAULT;
		}
		done += got;
	}
	return 0;
}

/**
 * bench_pin - pin and map a region
 * @dev: for the DMA
 * @arg: where
 *
 * Context: process, may sleep.
 * Return: the region, for bench_unpin(); ERR_PTR.
 */
struct bench_region *bench_pin(struct device *dev, const struct accel_bench_pin *arg)
{
	unsigned long n = arg->length >> PAGE_SHIFT;
	struct bench_region *region = kzalloc(sizeof(*region), GFP_KERNEL);
	struct page **pages = kvmalloc_array(n, sizeof(*pages), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!region || !pages)
		goto err;
	region->dev = dev;
	ret = bench_pin_pages(arg->addr, pages, n);
	if (ret)
		goto err;
	ret = sg_alloc_table_from_pages(&region->sgt, pages, n, 0, arg->length, GFP_KERNEL);
	if (ret)
		goto err_unpin;
	ret = dma_map_sgtable(dev, &region->sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto err_table;
	kvfree(pages);
	return region;

err_table:
	sg_free_table(&region->sgt);
err_unpin:
	unpin_user_pages(pages, n);
err:
	kvfree(pages);
	kfree(region);
	return ERR_PTR(ret);
}

/**
 * bench_unpin - undo bench_pin()
 * @region: the region
 *
 * Nothing is marked dirty: nothing has been written.
 *
 * Context: process, may sleep.
 */
void bench_unpin(struct bench_region *region)
{
	struct scatterlist *sg;
	unsigned int i;

	dma_unmap_sgtable(region->dev, &region->sgt, DMA_BIDIRECTIONAL, 0);
	for_each_sgtable_sg(&region->sgt, sg, i)
		unpin_user_page_range_dirty_lock(sg_page(sg), sg->length >> PAGE_SHIFT, false);
	sg_free_table(&region->sgt);
	kfree(region);
}
