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
#include <linux/sizes.h>
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

/* The one, which there is, that follows @n others. An array, but where memory is in sections. */
static __always_inline struct page *accel_page_after(struct page *page, unsigned long n)
{
	if (IS_ENABLED(CONFIG_SPARSEMEM) && !IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP))
		return pfn_to_page(page_to_pfn(page) + n);
	return page + n;
}

static int accel_gather_new_run(struct accel_gather *g, struct page *page, unsigned long pages)
{
	struct accel_run *run;

	if (unlikely(g->free == g->end)) {
		int ret = accel_gather_more(g);

		if (ret)
			return ret;
	}
	run = g->free++;
	run->page = page;
	run->pages = pages;
	g->run = run;
	g->num++;
	g->pages += pages;
	return 0;
}

/* Whether @page follows the last run. Memory of two devices may be neighbours: never one entry. */
static __always_inline bool accel_gather_joins(const struct accel_gather *g, struct page *page)
{
	const struct accel_run *run = g->run;

	return run && page_to_pfn(run->page) + run->pages == page_to_pfn(page) &&
	       run->pages < g->limit &&
	       zone_device_pages_have_same_pgmap(run->page, page);
}

/* @n pages that follow one another, and maybe the last run, or are too many for one. */
static int accel_gather_piece(struct accel_gather *g, struct page *page, unsigned long n)
{
	unsigned long here;
	int ret;

	for (;;) {
		/* only the first can: where others end, a run is as long as may be */
		if (accel_gather_joins(g, page)) {
			here = min(n, g->limit - g->run->pages);
			g->run->pages += here;
			g->pages += here;
		} else {
			here = min(n, g->limit);
			ret = accel_gather_new_run(g, page, here);
			if (ret)
				return ret;
		}
		n -= here;
		if (!n)
			return 0;
		page = accel_page_after(page, here);
	}
}

/*
 * Memory, also what devices bring along, comes and goes in blocks of this size and
 * alignment (subsections): the pages of one are an array, and all of one kind.
 */
#define ACCEL_BLOCK	(SZ_2M >> PAGE_SHIFT)

/*
 * How many of @n pages follow one another, in one block. Each one is looked at, also
 * those of one folio: any may have been given back (MADV_DONTNEED), and another one be in
 * its place. But not at what is in their struct page, which would take longer than the
 * rest.
 */
static __always_inline unsigned long accel_gather_follow(struct page **pages, unsigned long n)
{
	struct page *page = pages[0];
	unsigned long i;

	n = min(n, ACCEL_BLOCK - (page_to_pfn(page) & (ACCEL_BLOCK - 1)));
	for (i = 1; i < n && pages[i] == page + i; i++)
		;
	return i;
}

/*
 * The first of @pages, as long as each has another behind it that does not follow it: a run
 * for each, as most are where pages are small. As many as there is room for.
 */
static __always_inline unsigned long accel_gather_singles(struct accel_gather *g,
							  struct page **pages, unsigned long n)
{
	unsigned long room = min_t(unsigned long, n - 1, g->end - g->free), i;
	struct accel_run *run = g->free;

	for (i = 0; i < room && pages[i + 1] != pages[i] + 1; i++, run++) {
		run->page = pages[i];
		run->pages = 1;
	}
	if (i) {
		g->run = run - 1;
		g->free = run;
		g->num += i;
		g->pages += i;
	}
	return i;
}

/**
 * accel_gather_add - pages that are pinned join
 * @g: the gathering; counts pages
 * @pages: the pages, in order
 * @n: how many
 *
 * Context: process, may sleep; the device may be gone.
 * Return: 0; or -ENOMEM: as many of them as @g->pages has grown by have joined, the
 * others are the caller's to unpin.
 */
int accel_gather_add(struct accel_gather *g, struct page **pages, unsigned long n)
{
	unsigned long here;
	int ret;

	for (; n; n -= here, pages += here) {
		here = accel_gather_joins(g, *pages) ? 0 : accel_gather_singles(g, pages, n);
		if (here)
			continue;
		here = accel_gather_follow(pages, n);
		ret = accel_gather_piece(g, *pages, here);
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

/* Of more than half a page kmalloc() would make a page, too. */
static bool accel_table_is_page(unsigned int entries)
{
	return entries > SG_MAX_SINGLE_ALLOC / 2;
}

static struct scatterlist *accel_table_chunk(unsigned int entries, gfp_t gfp)
{
	if (accel_table_is_page(entries))
		return kmem_cache_alloc(accel_gather_pages, gfp);
	return kmalloc_array(entries, sizeof(struct scatterlist), gfp);
}

static void accel_table_free_chunk(struct scatterlist *sg, unsigned int entries)
{
	if (accel_table_is_page(entries))
		kmem_cache_free(accel_gather_pages, sg);
	else
		kfree(sg);
}

/**
 * __accel_table_free - accel_table_free() of a table whose entries the region has no room for
 * @mem: the region
 */
void __accel_table_free(struct accel_mem *mem)
{
	__sg_free_table(&mem->table, SG_MAX_SINGLE_ALLOC, ARRAY_SIZE(mem->first),
			accel_table_free_chunk, mem->table.orig_nents);
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

/* Returns what follows them, to be looked at only if the table has more entries. */
static struct scatterlist *accel_table_fill(struct scatterlist *sg, const struct accel_run *run,
					    unsigned long num)
{
	for (; num; num--, run++, sg++) {
		if (unlikely(sg_is_chain(sg)))
			sg = sg_chain_ptr(sg);
		sg_set_page(sg, run->page, run->pages << PAGE_SHIFT, 0);
	}
	return sg;
}

/**
 * accel_gather_end - all pages are there: make the table
 * @g: the gathering, done with when this succeeds
 * @mem: the region; its table, sgt and nsegs are set
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
	accel_gather_free(g);
	return 0;
}

/**
 * accel_table_of_run - make the table of a region that needs one entry, if it does
 * @mem: the region; likewise
 * @pages: all of its pages
 *
 * Return: whether its pages follow one another.
 */
bool accel_table_of_run(struct accel_mem *mem, struct page **pages)
{
	unsigned long n = mem->npages;

	if (n > mem->ctx->adev->max_segment >> PAGE_SHIFT ||
	    (n > 1 && accel_gather_follow(pages, n) < n))
		return false;
	accel_table_set_run(mem, pages[0], n);
	return true;
}

/* Of pages that follow one another, how many there are of @page's folio from there on. */
static __always_inline unsigned long accel_folio_rest(struct folio *folio, struct page *page,
						      unsigned long n)
{
	if (!folio_test_large(folio))
		return 1;
	return min_t(unsigned long, n, folio_nr_pages(folio) - folio_page_idx(folio, page));
}

/**
 * accel_table_folios - in how many pieces a region lies, for those who want to know
 * @mem: a region whose table the core has made, and whose pages are pinned
 *
 * Not counted by the way: each page would have to be looked at.
 *
 * Context: any.
 * Return: the number of folios; one that is interrupted counts again.
 */
u32 accel_table_folios(const struct accel_mem *mem)
{
	struct folio *folio, *last = NULL;
	struct scatterlist *sg;
	unsigned long n, here;
	struct page *page;
	u32 folios = 0;

	/* what does not pin has a table without pages, or none */
	if (!mem->ops->pins || !mem->table.orig_nents)
		return 0;
	for (sg = mem->table.sgl; sg; sg = accel_sg_next(sg)) {
		page = sg_page(sg);
		n = sg->length >> PAGE_SHIFT;
		for (;;) {
			folio = page_folio(page);
			here = accel_folio_rest(folio, page, n);
			folios += folio != last;
			last = folio;
			n -= here;
			if (!n)
				break;
			page = accel_page_after(page, here);
		}
	}
	return folios;
}

/* Folios that are unpinned before others may have the processor. */
#define ACCEL_UNPIN_FOLIOS	4096UL

/*
 * unpin_user_page_range_dirty_lock() asks about dirt for each folio. @since: folios since
 * others might have the processor: there may be as many runs as folios.
 */
static __always_inline void accel_unpin_run(struct page *page, unsigned long n,
					    unsigned int *since)
{
	struct folio *folio;
	unsigned long here;

	for (;;) {
		folio = page_folio(page);
		here = accel_folio_rest(folio, page, n);
		unpin_user_folio(folio, here);
		n -= here;
		if (unlikely(++*since == ACCEL_UNPIN_FOLIOS)) {
			*since = 0;
			cond_resched();
		}
		if (!n)
			return;
		page = accel_page_after(page, here);
	}
}

/**
 * accel_unpin_clean - unpin pages that follow one another and were not written to
 * @page: the first one
 * @n: how many
 *
 * Context: process, may sleep.
 */
void accel_unpin_clean(struct page *page, unsigned long n)
{
	unsigned int since = 0;

	accel_unpin_run(page, n, &since);
}

/**
 * accel_unpin_dirty - unpin pages that follow one another and may have been written to
 * @page: the first one
 * @n: how many
 *
 * Locks folios.
 *
 * Context: process, may sleep.
 */
void accel_unpin_dirty(struct page *page, unsigned long n)
{
	unsigned long here;

	for (;;) {
		here = min(n, ACCEL_UNPIN_FOLIOS);
		unpin_user_page_range_dirty_lock(page, here, true);
		cond_resched();
		n -= here;
		if (!n)
			return;
		page = accel_page_after(page, here);
	}
}

/**
 * accel_table_unpin_clean - unpin a region's pages, none of which was written to
 * @mem: a region that pin_user_pages() has pinned, and that is not mapped
 *
 * Context: process, may sleep.
 */
void accel_table_unpin_clean(struct accel_mem *mem)
{
	struct scatterlist *sg;
	unsigned int since = 0;

	for (sg = mem->table.sgl; sg; sg = accel_sg_next(sg))
		accel_unpin_run(sg_page(sg), sg->length >> PAGE_SHIFT, &since);
}

static void accel_runs_unpin(const struct accel_run *run, unsigned long num)
{
	unsigned int since = 0;

	for (; num; num--, run++)
		accel_unpin_run(run->page, run->pages, &since);
	cond_resched();
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
