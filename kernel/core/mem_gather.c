// SPDX-License-Identifier: GPL-2.0-only
/* Pages that somebody has pinned become a table of folios, a batch at a time. */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "core.h"

static u32 accel_count_folios(struct page **pages, unsigned long n, struct folio **last)
{
	unsigned long i;
	u32 folios = 0;

	for (i = 0; i < n; i++) {
		struct folio *folio = page_folio(pages[i]);

		if (folio != *last)
			folios++;
		*last = folio;
	}
	return folios;
}

/**
 * accel_mem_gather_limit - how long an entry of a device's regions may be
 * @dev: what does the DMA
 *
 * Asked for once, when the device is registered: pages may be gathered when it has gone.
 *
 * Return: bytes, a multiple of the page size.
 */
unsigned int accel_mem_gather_limit(struct device *dev)
{
	return min_t(size_t, dma_get_max_seg_size(dev), dma_max_mapping_size(dev)) & PAGE_MASK;
}

/**
 * accel_mem_gather - pages that are pinned join a region's table
 * @mem: the region: its append and sgt are the table, nsegs and nfolios count
 * @pages: the pages; still the caller's to unpin when this fails
 * @n: how many
 * @left: how many of the region will follow
 * @last: the last folio that was counted; NULL at first
 *
 * Context: process, may sleep; the device may be gone.
 * Return: 0 or -ENOMEM.
 */
int accel_mem_gather(struct accel_mem *mem, struct page **pages, unsigned long n,
		     unsigned long left, struct folio **last)
{
	struct sg_append_table *append = &mem->append;
	int ret;

	/*
	 * It allocates for what follows, too, a page of entries at the most. No fewer must
	 * be announced than may come: all pages of entries but the last one have to be full.
	 */
	ret = sg_alloc_append_table_from_pages(append, pages, n, 0, n << PAGE_SHIFT,
					       mem->ctx->adev->max_segment,
					       min(left, SG_MAX_SINGLE_ALLOC),
					       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	mem->nfolios += accel_count_folios(pages, n, last);
	mem->sgt = &append->sgt;
	mem->nsegs = append->sgt.orig_nents;
	return 0;
}

/**
 * accel_mem_gather_free - forget the pages, which are not pinned any more
 * @mem: a region that is not mapped, also one without a table
 */
void accel_mem_gather_free(struct accel_mem *mem)
{
	sg_free_append_table(&mem->append);
	memset(&mem->append, 0, sizeof(mem->append));
	mem->sgt = NULL;
}
