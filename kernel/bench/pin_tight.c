// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same as pin.c as fast as it can be done: one page of pointers for all batches, each
 * gathered at once into the entries that are mapped, nothing that is cleared before it is
 * written, references given back by the folio, and a DMA mapping undone only where there
 * is something to undo.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu-dma.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "bench.h"

#define BENCH_BATCH	(PAGE_SIZE / sizeof(struct page *))
#define BENCH_FEW	8

/* Entries are in pages of them, chained; the first few with the region. */
struct bench_tight {
	struct device *dev;
	struct sg_table sgt;
	struct scatterlist *last;	/* NULL: none yet */
	unsigned int room;		/* entries behind it, that for a chain left out */
	struct scatterlist few[BENCH_FEW];
};

static struct kmem_cache *bench_regions, *bench_pages;

/* Where the next entry goes, that is not behind the last one. */
static noinline struct scatterlist *bench_tight_more(struct bench_tight *region)
{
	struct scatterlist *page;

	if (!region->last) {
		region->room = BENCH_FEW - 2;
		return region->few;
	}
	page = kmem_cache_alloc(bench_pages, GFP_KERNEL);
	if (!page)
		return NULL;
	__sg_chain(region->last + 1, page);
	region->room = SG_MAX_SINGLE_ALLOC - 2;
	return page;
}

static __always_inline struct scatterlist *bench_tight_next(struct bench_tight *region)
{
	if (unlikely(!region->room))
		return bench_tight_more(region);
	region->room--;
	return region->last + 1;
}

static int bench_tight_add(struct bench_tight *region, struct page **pages, unsigned long n)
{
	struct scatterlist *sg = region->last;
	unsigned long here;

	for (; n; n -= here, pages += here) {
		struct page *page = *pages;

		for (here = 1; here < n && pages[here] == page + here; here++)
			;
		if (sg && sg_page(sg) + (sg->length >> PAGE_SHIFT) == page &&
		    sg->length + (here << PAGE_SHIFT) <= UINT_MAX) {
			sg->length += here << PAGE_SHIFT;
			continue;
		}
		sg = bench_tight_next(region);
		if (!sg) {
			unpin_user_pages(pages, n);
			return -ENOMEM;
		}
		sg->page_link = 0;
		sg_set_page(sg, page, here << PAGE_SHIFT, 0);
#ifdef CONFIG_NEED_SG_DMA_FLAGS
		sg->dma_flags = 0;
#endif
		region->last = sg;
		region->sgt.orig_nents++;
	}
	return 0;
}

static int bench_tight_pin_pages(struct bench_tight *region, unsigned long addr, unsigned long left,
				 struct page **pages)
{
	int ret;

	while (left) {
		long got = pin_user_pages_fast(addr, min(left, BENCH_BATCH),
					       FOLL_LONGTERM | FOLL_WRITE, pages);

		if (got <= 0)
			return got ?: -EFAULT;
		ret = bench_tight_add(region, pages, got);
		if (ret)
			return ret;
		addr += got << PAGE_SHIFT;
		left -= got;
	}
	return 0;
}

/* Pages that follow one another, a folio at a time. */
static void bench_tight_unpin_run(struct page *page, unsigned long n)
{
	while (n) {
		struct folio *folio = page_folio(page);
		unsigned long here = 1;

		if (folio_test_large(folio))
			here = min_t(unsigned long, n,
				     folio_nr_pages(folio) - folio_page_idx(folio, page));
		unpin_user_folio(folio, here);
		page += here;
		n -= here;
	}
}

/* Gives back its pages, and all that was allocated for it. */
static void bench_tight_free(struct bench_tight *region)
{
	struct scatterlist *sg = region->few, *chunk = NULL;

	if (region->last)
		sg_mark_end(region->last);
	for (; region->last; sg++) {
		if (sg_is_chain(sg)) {
			sg = sg_chain_ptr(sg);
			if (chunk)
				kmem_cache_free(bench_pages, chunk);
			chunk = sg;
		}
		bench_tight_unpin_run(sg_page(sg), sg->length >> PAGE_SHIFT);
		if (sg_is_last(sg))
			break;
	}
	if (chunk)
		kmem_cache_free(bench_pages, chunk);
	kmem_cache_free(bench_regions, region);
}

/* As dma_need_unmap() of later kernels. */
static bool bench_tight_needs_unmap(struct device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return dma_need_unmap(dev);
#else
	return get_dma_ops(dev) || use_dma_iommu(dev) || dma_dev_need_sync(dev);
#endif
}

static int bench_tight_pin_all(struct bench_tight *region, const struct accel_bench_pin *arg)
{
	unsigned long n = arg->length >> PAGE_SHIFT;
	struct page *few[BENCH_FEW] __uninitialized, **pages = few;
	int ret;

	if (n > ARRAY_SIZE(few)) {
		pages = kmem_cache_alloc(bench_pages, GFP_KERNEL);
		if (!pages)
			return -ENOMEM;
	}
	ret = bench_tight_pin_pages(region, arg->addr, n, pages);
	if (pages != few)
		kmem_cache_free(bench_pages, pages);
	return ret;
}

/**
 * bench_tight_pin - pin and map a region
 * @dev: for the DMA
 * @arg: where; not nothing
 *
 * Context: process, may sleep.
 * Return: the region, for bench_tight_unpin(); ERR_PTR.
 */
struct bench_tight *bench_tight_pin(struct device *dev, const struct accel_bench_pin *arg)
{
	struct bench_tight *region = kmem_cache_alloc(bench_regions, GFP_KERNEL);
	int ret;

	if (!region)
		return ERR_PTR(-ENOMEM);
	region->dev = dev;
	region->last = NULL;
	region->room = 0;
	region->sgt.sgl = region->few;
	region->sgt.orig_nents = 0;
	ret = bench_tight_pin_all(region, arg);
	if (ret)
		goto err;
	sg_mark_end(region->last);
	ret = dma_map_sgtable(dev, &region->sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto err;
	return region;

err:
	bench_tight_free(region);
	return ERR_PTR(ret);
}

/**
 * bench_tight_unpin - undo bench_tight_pin()
 * @region: the region
 *
 * Nothing is marked dirty: nothing has been written.
 *
 * Context: process, may sleep.
 */
void bench_tight_unpin(struct bench_tight *region)
{
	if (bench_tight_needs_unmap(region->dev))
		dma_unmap_sgtable(region->dev, &region->sgt, DMA_BIDIRECTIONAL, 0);
	bench_tight_free(region);
}

/* A cache with a constructor is not cleared, where the kernel clears what it gives out. */
static void bench_tight_ctor(void *object)
{
}

/**
 * bench_tight_init - the caches
 *
 * Return: 0 or -ENOMEM.
 */
int bench_tight_init(void)
{
	bench_regions = kmem_cache_create("accel_bench_regions", sizeof(struct bench_tight), 0, 0,
					  bench_tight_ctor);
	bench_pages = kmem_cache_create("accel_bench_pages", PAGE_SIZE, 0, 0, bench_tight_ctor);
	if (bench_regions && bench_pages)
		return 0;
	bench_tight_exit();
	return -ENOMEM;
}

/**
 * bench_tight_exit - undo bench_tight_init()
 */
void bench_tight_exit(void)
{
	kmem_cache_destroy(bench_pages);
	kmem_cache_destroy(bench_regions);
}
