// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page table of an address space of accel_soft: four levels of 512 entries, as most
 * hardware has it, from 48 bits of IOVA to a DMA address. An entry of the lower three
 * levels may be a page: 4 KiB, 2 MiB, 1 GiB. (So with pages of 4 KiB; where the processor has
 * larger ones, all of these are larger, too.)
 *
 * Whoever changes a table holds its mutex. Engines walk it beside that, under a lock
 * that is only written to when a node goes away.
 */
#include <linux/accelerator_debugfs.h>
#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "soft.h"

#define SOFT_PT_LEVELS	4
#define SOFT_PT_BITS	9
#define SOFT_PT_SLOTS	BIT(SOFT_PT_BITS)
#define SOFT_VA_BITS	(PAGE_SHIFT + SOFT_PT_LEVELS * SOFT_PT_BITS)
#define SOFT_MAX_ASID	0xffff

/* A page's entry: its DMA address and these. A node's: the pointer, which has none of them. */
#define SOFT_PTE_READ	BIT_ULL(0)
#define SOFT_PTE_WRITE	BIT_ULL(1)
#define SOFT_PTE_PAGE	BIT_ULL(2)
#define SOFT_PTE_FLAGS	(SOFT_PTE_READ | SOFT_PTE_WRITE | SOFT_PTE_PAGE)

static_assert(SOFT_PTE_READ == ACCEL_MEM_READ && SOFT_PTE_WRITE == ACCEL_MEM_WRITE);
static_assert(SOFT_PT_SLOTS * sizeof(u64) <= PAGE_SIZE);
static_assert(ARCH_KMALLOC_MINALIGN > SOFT_PTE_FLAGS);

struct soft_pt_node {
	unsigned int used;	/* entries that are not 0 */
	u64 *entries;		/* a page of them */
};

/* Bits of the address below those that level @level looks at; level 0 has the 4 KiB pages. */
static unsigned int soft_pt_shift(unsigned int level)
{
	return PAGE_SHIFT + level * SOFT_PT_BITS;
}

/* Of pages, in the levels that may have them. */
#define SOFT_PT_SIZES	(BIT(soft_pt_shift(0)) | BIT(soft_pt_shift(1)) | BIT(soft_pt_shift(2)))

static u64 *soft_pt_entry(struct soft_pt_node *node, unsigned int level, u64 va)
{
	return &node->entries[(va >> soft_pt_shift(level)) % SOFT_PT_SLOTS];
}

static struct soft_pt_node *soft_pt_node_of(u64 entry)
{
	return (struct soft_pt_node *)(uintptr_t)entry;
}

static struct soft_pt_node *soft_pt_node_new(struct soft_as *as)
{
	struct soft_pt_node *node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);

	if (!node)
		return NULL;
	node->entries = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!node->entries) {
		kfree(node);
		return NULL;
	}
	as->nodes++;
	return node;
}

static void soft_pt_node_free(struct soft_as *as, struct soft_pt_node *node)
{
	as->nodes--;
	free_page((unsigned long)node->entries);
	kfree(node);
}

/* as->lock is held. Nodes that are there already stay when a later one cannot be had. */
static int soft_pt_insert(struct soft_as *as, u64 va, u64 addr, unsigned int at, u64 flags)
{
	struct soft_pt_node *node = as->root, *next;
	u64 *entry;

	for (unsigned int level = SOFT_PT_LEVELS - 1; level > at; level--) {
		entry = soft_pt_entry(node, level, va);
		if (*entry & SOFT_PTE_PAGE)
			return -EEXIST;
		if (!*entry) {
			next = soft_pt_node_new(as);
			if (!next)
				return -ENOMEM;
			node->used++;
			/* Engines find the node only when it is zeroed. */
			smp_store_release(entry, (uintptr_t)next);
		}
		node = soft_pt_node_of(*entry);
	}
	entry = soft_pt_entry(node, at, va);
	if (*entry)
		return -EEXIST;
	node->used++;
	WRITE_ONCE(*entry, addr | flags | SOFT_PTE_PAGE);
	as->pages[at]++;
	return 0;
}

/* Down to the page that @va is in, or to where it ends; @path: the nodes on the way. */
static u64 *soft_pt_find(struct soft_as *as, u64 va, struct soft_pt_node **path,
			 unsigned int *level)
{
	struct soft_pt_node *node = as->root;
	u64 *entry;

	for (*level = SOFT_PT_LEVELS - 1;; --*level) {
		path[*level] = node;
		entry = soft_pt_entry(node, *level, va);
		if (!*entry || *entry & SOFT_PTE_PAGE)
			return entry;
		node = soft_pt_node_of(*entry);
	}
}

/* as->lock is held: free the nodes of @path that are empty; the root stays. */
static void soft_pt_prune(struct soft_as *as, u64 va, struct soft_pt_node **path,
			  unsigned int level)
{
	for (; level < SOFT_PT_LEVELS - 1 && !path[level]->used; level++) {
		write_lock(&as->walkers);
		*soft_pt_entry(path[level + 1], level + 1, va) = 0;
		write_unlock(&as->walkers);
		path[level + 1]->used--;
		soft_pt_node_free(as, path[level]);
	}
}

/* as->lock is held: what is in the range is pages, as a whole. */
static void soft_pt_clear(struct soft_as *as, u64 va, u64 end)
{
	struct soft_pt_node *path[SOFT_PT_LEVELS];
	unsigned int level, at;
	u64 *entry;

	for (; va < end; va += BIT_ULL(soft_pt_shift(at))) {
		entry = soft_pt_find(as, va, path, &level);
		at = level;
		if (WARN_ON(!*entry))
			return;
		WRITE_ONCE(*entry, 0);
		path[level]->used--;
		as->pages[level]--;
		soft_pt_prune(as, va, path, level);
		cond_resched();
	}
}

/* as->lock is held. */
static int soft_pt_fill(struct soft_as *as, const struct accel_mem *mem)
{
	struct soft_pt_node *path[SOFT_PT_LEVELS];
	struct accel_mem_iter it;
	unsigned int level;
	int ret;

	accel_mem_iter_start(&it, mem, SOFT_PT_SIZES, mem->addr);
	while (accel_mem_iter_next(&it)) {
		level = (__fls(it.size) - PAGE_SHIFT) / SOFT_PT_BITS;
		ret = soft_pt_insert(as, it.va, it.addr, level, mem->flags);
		if (ret) {
			soft_pt_clear(as, mem->addr, it.va);
			/* Nodes may have been made for a page that did not come. */
			soft_pt_find(as, it.va, path, &level);
			soft_pt_prune(as, it.va, path, level);
			return ret;
		}
		cond_resched();
	}
	return 0;
}

/* as->lock is held. The space begins with its first region, and ends with its last. */
static int soft_as_begin(struct soft_as *as, struct soft_device *soft)
{
	int ret;

	ret = ida_alloc_max(&soft->asids, SOFT_MAX_ASID, GFP_KERNEL);
	if (ret < 0)
		return ret;
	as->root = soft_pt_node_new(as);
	if (!as->root) {
		ida_free(&soft->asids, ret);
		return -ENOMEM;
	}
	as->asid = ret;
	mutex_lock(&soft->spaces_lock);
	list_add_tail(&as->link, &soft->spaces);
	mutex_unlock(&soft->spaces_lock);
	return 0;
}

static void soft_as_end(struct soft_as *as, struct soft_device *soft)
{
	mutex_lock(&soft->spaces_lock);
	list_del(&as->link);
	mutex_unlock(&soft->spaces_lock);
	soft_pt_node_free(as, as->root);
	as->root = NULL;
	ida_free(&soft->asids, as->asid);
}

/* Nothing is in it, and it has no ASID. */
void soft_as_init(struct soft_as *as)
{
	mutex_init(&as->lock);
	rwlock_init(&as->walkers);
}

/**
 * soft_mem_map - enter a region that is named by an IOVA; the core's callback
 * @mem: the region
 *
 * Return: 0, -ERANGE (not all of it has an address here), -EEXIST (some of it is
 * taken), -ENOMEM, -ENOSPC (no ASID is left).
 */
int soft_mem_map(struct accel_mem *mem)
{
	struct soft_device *soft = to_soft(mem->ctx->adev);
	struct soft_as *as = to_soft_as(mem->ctx);
	int ret = 0;

	if (mem->way != ACCEL_MEM_WAY_IOMMUFD)
		return 0;
	if (mem->addr >= BIT_ULL(SOFT_VA_BITS) || mem->length > BIT_ULL(SOFT_VA_BITS) - mem->addr)
		return -ERANGE;
	mutex_lock(&as->lock);
	if (!as->regions)
		ret = soft_as_begin(as, soft);
	if (!ret) {
		ret = soft_pt_fill(as, mem);
		if (!ret)
			as->regions++;
		else if (!as->regions)
			soft_as_end(as, soft);
	}
	mutex_unlock(&as->lock);
	return ret;
}

/**
 * soft_mem_unmap - take a region out; the core's callback
 * @mem: a region that was mapped and that no job uses
 */
void soft_mem_unmap(struct accel_mem *mem)
{
	struct soft_as *as = to_soft_as(mem->ctx);

	if (mem->way != ACCEL_MEM_WAY_IOMMUFD)
		return;
	mutex_lock(&as->lock);
	soft_pt_clear(as, mem->addr, mem->addr + mem->length);
	if (!--as->regions)
		soft_as_end(as, to_soft(mem->ctx->adev));
	mutex_unlock(&as->lock);
}

/**
 * soft_pt_translate - what an engine does with each address that it meets
 * @as: an address space with a region
 * @va: the address
 * @access: %ACCEL_MEM_READ or %ACCEL_MEM_WRITE
 * @addr: its DMA address
 *
 * Return: bytes from there to the page's end; 0: a miss.
 */
size_t soft_pt_translate(struct soft_as *as, u64 va, u32 access, dma_addr_t *addr)
{
	struct soft_pt_node *node = as->root;
	unsigned int level;
	u64 entry, below;
	size_t run = 0;

	read_lock(&as->walkers);
	for (level = SOFT_PT_LEVELS; level--; node = soft_pt_node_of(entry)) {
		/* Pairs with soft_pt_insert(). */
		entry = smp_load_acquire(soft_pt_entry(node, level, va));
		if (!entry)
			break;
		if (!(entry & SOFT_PTE_PAGE))
			continue;
		if (access & ~entry)
			break;
		below = va & (BIT_ULL(soft_pt_shift(level)) - 1);
		*addr = (entry & ~SOFT_PTE_FLAGS) + below;
		run = BIT_ULL(soft_pt_shift(level)) - below;
		break;
	}
	read_unlock(&as->walkers);
	atomic64_inc(run ? &as->hits : &as->misses);
	return run;
}

static int page_tables_show(struct seq_file *m, struct accel_device *adev)
{
	struct soft_device *soft = to_soft(adev);
	struct soft_as *as;

	seq_puts(m, "asid context regions pages_4k pages_2m pages_1g nodes hits misses\n");
	mutex_lock(&soft->spaces_lock);
	list_for_each_entry(as, &soft->spaces, link)
		seq_printf(m, "%u %llu %u %lu %lu %lu %lu %lld %lld\n", as->asid,
			   container_of(as, struct soft_context, as)->accel.id,
			   READ_ONCE(as->regions), READ_ONCE(as->pages[0]),
			   READ_ONCE(as->pages[1]), READ_ONCE(as->pages[2]),
			   READ_ONCE(as->nodes), atomic64_read(&as->hits),
			   atomic64_read(&as->misses));
	mutex_unlock(&soft->spaces_lock);
	return 0;
}

/* In the device's own directory: it goes with the device. */
void soft_pt_debugfs(struct soft_device *soft)
{
	accel_debugfs_create_seq(&soft->accel, "page_tables", page_tables_show);
}
