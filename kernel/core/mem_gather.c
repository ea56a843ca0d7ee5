// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that somebody has pinned, a batch at a time, become a region's table.
 *
 * First as runs of pages that follow one another, 16 bytes each, for it is not known
 * how many there will be; then as a scatterlist of just as many entries. The kernel's
 * own table that can be appended to has room for 128 entries at least, and looks at
 * each page twice.
 */
#include <linux/dma-mapping.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "core.h"

struct accel_run {
	unsigned long pfn;
	unsigned long pages;
};

#define ACCEL_RUNS	((PAGE_SIZE - 2 * sizeof(void *)) / sizeof(struct accel_run))

/* A page of them. */
struct accel_runs {
	struct accel_runs *next;
	unsigned long num;
	struct accel_run run[ACCEL_RUNS];
};

static_assert(sizeof(struct accel_runs) <= PAGE_SIZE);

/**
 * accel_mem_gather_limit - how long an entry of a device's regions may be
 * @dev: what does the DMA
 *
 * Asked for once, when the device is made: pages may be gathered when it has gone.
 *
 * Return: bytes, a multiple of the page size.
 */
unsigned int accel_mem_gather_limit(struct device *dev)
{
	return min_t(size_t, dma_get_max_seg_size(dev), dma_max_mapping_size(dev)) & PAGE_MASK;
}

static int accel_gather_run(struct accel_gather *g, struct page *page, unsigned long pages)
{
	unsigned long pfn = page_to_pfn(page), limit = g->limit >> PAGE_SHIFT;
	struct accel_runs *runs = g->last;
	struct accel_run *run = runs && runs->num ? &runs->run[runs->num - 1] : NULL;
	unsigned long n;

	/* memory of two devices may be neighbours: never one entry */
	if (run && run->pfn + run->pages == pfn && run->pages < limit &&
	    zone_device_pages_have_same_pgmap(pfn_to_page(run->pfn), page)) {
		n = min(pages, limit - run->pages);
		run->pages += n;
		pfn += n;
		pages -= n;
	}
	for (; pages; pages -= n, pfn += n) {
		if (!runs || runs->num == ACCEL_RUNS) {
			runs = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
			if (!runs)
				return -ENOMEM;
			runs->next = NULL;
			runs->num = 0;
			if (g->last)
				g->last->next = runs;
			else
				g->first = runs;
			g->last = runs;
		}
		n = min(pages, limit);
		runs->run[runs->num++] = (struct accel_run) { .pfn = pfn, .pages = n };
		g->num++;
	}
	return 0;
}

/**
 * accel_mem_gather - pages that are pinned join a region
 * @mem: the region; counts folios
 * @pages: the pages, in order
 * @n: how many
 *
 * Context: process, may sleep; the device may be gone.
 * Return: 0; or -ENOMEM: as many of them as @mem->gather.pages has grown by have
 * joined, the others are the caller's to unpin.
 */
int accel_mem_gather(struct accel_mem *mem, struct page **pages, unsigned long n)
{
	struct accel_gather *g = &mem->gather;
	unsigned long i, rest;
	int ret;

	g->limit = mem->ctx->adev->max_segment;
	for (i = 0; i < n; i += rest) {
		struct folio *folio = page_folio(pages[i]);

		/* The rest of a folio follows as a rule: no need to look at each page. */
		rest = folio_nr_pages(folio) - folio_page_idx(folio, pages[i]);
		if (rest > n - i)
			rest = n - i;
		if (pages[i + rest - 1] != folio_page(folio, folio_page_idx(folio, pages[i]) + rest - 1))
			rest = 1;
		ret = accel_gather_run(g, pages[i], rest);
		if (ret)
			return ret;
		g->pages += rest;
		if (folio != g->folio)
			mem->nfolios++;
		g->folio = folio;
	}
	return 0;
}

static void accel_gather_free(struct accel_gather *g)
{
	struct accel_runs *runs, *next;

	for (runs = g->first; runs; runs = next) {
		next = runs->next;
		free_page((unsigned long)runs);
	}
	memset(g, 0, sizeof(*g));
}

/**
 * accel_mem_gather_end - all pages are there: make the table
 * @mem: the region; its sgt and nsegs are set
 *
 * Context: process, may sleep; the device may be gone.
 * Return: 0, or -ENOMEM with all as before.
 */
int accel_mem_gather_end(struct accel_mem *mem)
{
	struct accel_gather *g = &mem->gather;
	struct scatterlist *sg;
	struct accel_runs *runs;
	unsigned long i;
	int ret;

	ret = sg_alloc_table(&mem->table, g->num, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	sg = mem->table.sgl;
	for (runs = g->first; runs; runs = runs->next)
		for (i = 0; i < runs->num; i++, sg = sg_next(sg))
			sg_set_page(sg, pfn_to_page(runs->run[i].pfn),
				    runs->run[i].pages << PAGE_SHIFT, 0);
	mem->sgt = &mem->table;
	mem->nsegs = g->num;
	accel_gather_free(g);
	return 0;
}

/**
 * accel_mem_gather_unpin - unpin what has joined a region that is not to be
 * @mem: the region, before accel_mem_gather_end(); pages pinned by pin_user_pages()
 *
 * Context: process, may sleep.
 */
void accel_mem_gather_unpin(struct accel_mem *mem)
{
	struct accel_runs *runs;
	unsigned long i;

	for (runs = mem->gather.first; runs; runs = runs->next)
		for (i = 0; i < runs->num; i++)
			unpin_user_page_range_dirty_lock(pfn_to_page(runs->run[i].pfn),
							 runs->run[i].pages, false);
	accel_mem_gather_free(mem);
}

/**
 * accel_mem_gather_free - forget the pages, which are not pinned any more
 * @mem: a region that is not mapped, also one without a table
 */
void accel_mem_gather_free(struct accel_mem *mem)
{
	accel_gather_free(&mem->gather);
	sg_free_table(&mem->table);
	memset(&mem->table, 0, sizeof(mem->table));
	mem->sgt = NULL;
}
