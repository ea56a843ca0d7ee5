// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that somebody has pinned, a batch at a time, become a region's table.
 *
 * First as runs of pages that follow one another, for it is not known how many there
 * will be; then as a scatterlist of just as many entries. The kernel's own table that
 * can be appended to has room for 128 entries at least, and looks at each page twice.
 *
 * Where the kernel clears all memory that it gives out (init_on_alloc, Debian's
 * default), a page costs more to get than to pin: a few pages and entries need none, and
 * all others come from a cache that is not cleared.
 */
#include <linux/dma-mapping.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "core.h"

#define ACCEL_RUNS	((PAGE_SIZE - sizeof(void *)) / sizeof(struct accel_run))

/* A page of them. */
struct accel_runs {
	struct accel_runs *next;
	struct accel_run run[ACCEL_RUNS];
};

static_assert(sizeof(struct accel_runs) <= PAGE_SIZE);

/* Pages for what is written before it is read: batches, runs, entries of tables. */
static struct kmem_cache *accel_gather_pages;

static_assert(ACCEL_PIN_BATCH * sizeof(struct page *) == PAGE_SIZE);
static_assert(SG_MAX_SINGLE_ALLOC * sizeof(struct scatterlist) <= PAGE_SIZE);

/**
 * accel_pin_batch_get - room for %ACCEL_PIN_BATCH pages that are pinned together
 *
 * Context: process, may sleep.
 * Return: an array, for accel_pin_batch_put(); NULL: no memory.
 */
struct page **accel_pin_batch_get(void)
{
	return kmem_cache_alloc(accel_gather_pages, GFP_KERNEL_ACCOUNT);
}

/**
 * accel_pin_batch_put - undo accel_pin_batch_get()
 * @pages: the array
 */
void accel_pin_batch_put(struct page **pages)
{
	kmem_cache_free(accel_gather_pages, pages);
}

/**
 * accel_gather_limit - how long an entry of a device's regions may be
 * @dev: what does the DMA
 *
 * Asked for once, when the device is made: pages may be gathered when it has gone.
 *
 * Return: bytes, a multiple of the page size.
 */
unsigned int accel_gather_limit(struct device *dev)
{
	return min_t(size_t, dma_get_max_seg_size(dev), dma_max_mapping_size(dev)) & PAGE_MASK;
}

/* Room for more runs. */
static noinline int accel_gather_more(struct accel_gather *g)
{
	struct accel_runs *runs = kmem_cache_alloc(accel_gather_pages, GFP_KERNEL_ACCOUNT);

	if (!runs)
		return -ENOMEM;
	runs->next = NULL;
	if (g->last)
		g->last->next = runs;
	else
		g->first = runs;
	g->last = runs;
	g->free = runs->run;
	g->end = runs->run + ACCEL_RUNS;
	return 0;
}

static __always_inline int accel_gather_new_run(struct accel_gather *g, unsigned long pfn,
						unsigned long pages)
{
	if (unlikely(g->free == g->end)) {
		int ret = accel_gather_more(g);

		if (ret)
			return ret;
	}
	g->run = g->free++;
	g->run->pfn = pfn;
	g->run->pages = pages;
	g->num++;
	return 0;
}

/* @n pages that follow one another. */
static int accel_gather_piece(struct accel_gather *g, struct page *page, unsigned long n)
{
	unsigned long pfn = page_to_pfn(page), here;
	struct accel_run *run = g->run;
	int ret;

	/* memory of two devices may be neighbours: never one entry */
	if (run && run->pfn + run->pages == pfn && run->pages < g->limit &&
	    zone_device_pages_have_same_pgmap(pfn_to_page(run->pfn), page)) {
		here = min(n, g->limit - run->pages);
		run->pages += here;
		g->pages += here;
		pfn += here;
		n -= here;
	}
	for (; n; n -= here, pfn += here) {
		here = min(n, g->limit);
		ret = accel_gather_new_run(g, pfn, here);
		if (ret)
			return ret;
		g->pages += here;
	}
	return 0;
}

/* A page that is a folio of its own, in memory that no device has brought along. */
static __always_inline bool accel_page_is_plain(const struct page *page)
{
	return !PageCompound(page) && !is_zone_device_page(page);
}

/* How many of @n pages are plain and follow one another. */
static unsigned long accel_gather_plain(struct page **pages, unsigned long n)
{
	unsigned long pfn = page_to_pfn(pages[0]), i;

	if (!accel_page_is_plain(pages[0]))
		return 0;
	for (i = 1; i < n; i++)
		if (page_to_pfn(pages[i]) != pfn + i || !accel_page_is_plain(pages[i]))
			break;
	return i;
}

/*
 * How many of @n pages are the folio's, one after the other. Each one is looked at: any
 * of them may have been given back (MADV_DONTNEED), and another one be in its place.
 */
static unsigned long accel_gather_follow(struct folio *folio, struct page **pages, unsigned long n)
{
	struct page *page = pages[0];
	unsigned long i;

	if (!folio_test_large(folio))
		return 1;
	n = min_t(unsigned long, n, folio_nr_pages(folio) - folio_page_idx(folio, page));
	/* Where a folio's are not neighbours (memory in sections) the next run joins this one. */
	for (i = 1; i < n && pages[i] == page + i; i++)
		;
	return i;
}

/**
 * accel_gather_add - pages that are pinned join
 * @g: the gathering; counts pages and folios
 * @pages: the pages, in order
 * @n: how many
 *
 * Context: process, may sleep; the device may be gone.
 * Return: 0; or -ENOMEM: as many of them as @g->pages has grown by have joined, the
 * others are the caller's to unpin.
 */
int accel_gather_add(struct accel_gather *g, struct page **pages, unsigned long n)
{
	unsigned long i, rest;
	int ret;

	for (i = 0; i < n; i += rest) {
		struct folio *folio = page_folio(pages[i]);

		rest = accel_gather_plain(pages + i, n - i);
		if (rest) {
			g->folios += rest;
		} else {
			rest = accel_gather_follow(folio, pages + i, n - i);
			g->folios += folio != g->folio;
		}
		g->folio = folio;
		/* Small pages that are scattered: no neighbour, and less than the limit. */
		if (rest == 1 && g->run && page_to_pfn(pages[i]) != g->run->pfn + g->run->pages) {
			ret = accel_gather_new_run(g, page_to_pfn(pages[i]), 1);
			g->pages += !ret;
		} else {
			ret = accel_gather_piece(g, pages[i], rest);
		}
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * accel_gather_free - forget the pages
 * @g: the gathering
 */
void accel_gather_free(struct accel_gather *g)
{
	struct accel_runs *runs, *next;

	for (runs = g->first; runs; runs = next) {
		next = runs->next;
		kmem_cache_free(accel_gather_pages, runs);
	}
	g->first = NULL;
	g->last = NULL;
	g->run = NULL;
	g->free = g->few;
	g->end = g->few + ACCEL_GATHER_FEW;
	g->num = 0;
}

static struct scatterlist *accel_table_chunk(unsigned int entries, gfp_t gfp)
{
	if (entries == SG_MAX_SINGLE_ALLOC)
		return kmem_cache_alloc(accel_gather_pages, gfp);
	return kmalloc_array(entries, sizeof(struct scatterlist), gfp);
}

static void accel_table_free_chunk(struct scatterlist *sg, unsigned int entries)
{
	if (entries == SG_MAX_SINGLE_ALLOC)
		kmem_cache_free(accel_gather_pages, sg);
	else
		kfree(sg);
}

/**
 * accel_table_free - free the table that accel_gather_end() has made
 * @mem: a region that is not mapped
 */
void accel_table_free(struct accel_mem *mem)
{
	if (mem->table.orig_nents > ARRAY_SIZE(mem->first))
		__sg_free_table(&mem->table, SG_MAX_SINGLE_ALLOC, ARRAY_SIZE(mem->first),
				accel_table_free_chunk, mem->table.orig_nents);
	mem->table.orig_nents = 0;
	mem->sgt = NULL;
}

static int accel_table_alloc(struct accel_mem *mem, unsigned long num)
{
	struct sg_table *table = &mem->table;
	int ret;

	if (num <= ARRAY_SIZE(mem->first)) {
		memset(mem->first, 0, sizeof(mem->first));
		sg_init_marker(mem->first, num);
		table->sgl = mem->first;
		table->nents = num;
		table->orig_nents = num;
		return 0;
	}
	ret = __sg_alloc_table(table, num, SG_MAX_SINGLE_ALLOC, mem->first,
			       ARRAY_SIZE(mem->first), GFP_KERNEL_ACCOUNT, accel_table_chunk);
	if (ret)
		accel_table_free(mem);
	return ret;
}

/* Returns the entry after them, if there is one. */
static struct scatterlist *accel_table_fill(struct scatterlist *sg, const struct accel_run *run,
					    unsigned long num)
{
	for (; num; num--, run++) {
		sg_set_page(sg, pfn_to_page(run->pfn), run->pages << PAGE_SHIFT, 0);
		sg = accel_sg_next(sg);
	}
	return sg;
}

/**
 * accel_gather_end - all pages are there: make the table
 * @g: the gathering, done with when this succeeds
 * @mem: the region; its table, sgt, nsegs and nfolios are set
 *
 * Context: process, may sleep; the device may be gone.
 * Return: 0, or -ENOMEM with all as before.
 */
int accel_gather_end(struct accel_gather *g, struct accel_mem *mem)
{
	unsigned long n = min(g->num, ACCEL_GATHER_FEW), left = g->num - n;
	struct accel_runs *runs;
	struct scatterlist *sg;
	int ret;

	ret = accel_table_alloc(mem, g->num);
	if (ret)
		return ret;
	sg = accel_table_fill(mem->table.sgl, g->few, n);
	for (runs = g->first; runs; runs = runs->next, left -= n) {
		n = min(left, ACCEL_RUNS);
		sg = accel_table_fill(sg, runs->run, n);
	}
	mem->sgt = &mem->table;
	mem->nsegs = g->num;
	mem->nfolios = g->folios;
	accel_gather_free(g);
	return 0;
}

/**
 * accel_table_of_folio - make the table of a region that is of one folio, if it is
 * @mem: the region; likewise
 * @pages: all of its pages
 *
 * Return: whether its pages are of one folio and follow one another.
 */
bool accel_table_of_folio(struct accel_mem *mem, struct page **pages)
{
	unsigned long n = mem->npages;

	if (n > mem->ctx->adev->max_segment >> PAGE_SHIFT ||
	    (n > 1 && accel_gather_follow(page_folio(pages[0]), pages, n) < n))
		return false;
	*mem->first = (struct scatterlist){};
	sg_set_page(mem->first, pages[0], n << PAGE_SHIFT, 0);
	sg_mark_end(mem->first);
	mem->table = (struct sg_table) {
		.sgl = mem->first,
		.nents = 1,
		.orig_nents = 1,
	};
	mem->sgt = &mem->table;
	mem->nsegs = 1;
	mem->nfolios = 1;
	return true;
}

/**
 * accel_unpin_clean - unpin pages that follow one another and were not written to
 * @page: the first one
 * @n: how many
 *
 * unpin_user_page_range_dirty_lock() asks about dirt for each folio.
 *
 * Context: process.
 */
void accel_unpin_clean(struct page *page, unsigned long n)
{
	unsigned long pfn = page_to_pfn(page), end = pfn + n, here;

	for (; pfn < end; pfn += here) {
		struct folio *folio;

		page = pfn_to_page(pfn);
		folio = page_folio(page);
		here = 1;
		if (folio_test_large(folio))
			here = min_t(unsigned long, end - pfn,
				     folio_nr_pages(folio) - folio_page_idx(folio, page));
		unpin_user_folio(folio, here);
	}
}

static void accel_runs_unpin(const struct accel_run *run, unsigned long num)
{
	for (; num; num--, run++)
		accel_unpin_clean(pfn_to_page(run->pfn), run->pages);
}

/**
 * accel_gather_unpin - unpin and forget the pages
 * @g: the gathering, of pages that pin_user_pages() has pinned
 *
 * Context: process, may sleep.
 */
void accel_gather_unpin(struct accel_gather *g)
{
	unsigned long n = min(g->num, ACCEL_GATHER_FEW), left = g->num - n;
	struct accel_runs *runs;

	accel_runs_unpin(g->few, n);
	for (runs = g->first; runs; runs = runs->next, left -= n) {
		n = min(left, ACCEL_RUNS);
		accel_runs_unpin(runs->run, n);
	}
	accel_gather_free(g);
}

/* A cache with a constructor is not cleared, see the top. */
static void accel_gather_page_ctor(void *page)
{
}

/**
 * accel_gather_init - the cache of pages
 *
 * Return: 0 or -ENOMEM.
 */
int __init accel_gather_init(void)
{
	accel_gather_pages = kmem_cache_create("accel_gather", PAGE_SIZE, 0, 0,
					       accel_gather_page_ctor);
	return accel_gather_pages ? 0 : -ENOMEM;
}

/**
 * accel_gather_exit - undo accel_gather_init()
 */
void accel_gather_exit(void)
{
	kmem_cache_destroy(accel_gather_pages);
}
