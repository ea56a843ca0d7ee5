// SPDX-License-Identifier: GPL-2.0-only
/*
 * Export of pinned user memory as a dma-buf, for other devices to share.
 *
 * The pages are the region's: they are charged to who pinned them, and are unpinned
 * when the region ends, whoever holds the dma-buf then. Otherwise a file descriptor
 * would keep pages pinned that nobody is charged for, and a device's users could hold
 * up its removal. So the region takes the buffer back: importers are told, jobs that
 * use it end, each importer's DMA mapping is undone from here, and what is left is an
 * empty dma-buf that answers ENODEV to whoever wants to map it.
 *
 * That is possible with importers only that let go when they are told (dynamic ones,
 * which do not pin). A kernel without CONFIG_DMABUF_MOVE_NOTIFY pins for all of them
 * when they map, so that there only this module's own import can be known to keep it.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/slab.h>

#include "core.h"

/* All under the dma-buf's reservation; @mem is there until @state says otherwise. */
struct accel_export {
	struct accel_mem *mem;
	enum accel_export_state state;
	bool foreign;		/* others than this module have mapped it */
	bool written;		/* and for writing: nobody knows what they write */
	struct list_head maps;
	spinlock_t lock;	/* dirty; taken under engines' locks */
	struct accel_dirty dirty;	/* by accelerators' jobs that have ended */
};

/* One importer's mapping. Its table is the importer's until it unmaps. */
struct accel_export_map {
	struct list_head link;
	struct sg_table sgt;
	struct device *dev;
	enum dma_data_direction dir;
	bool mapped;
};

static bool accel_export_is_own(const struct dma_buf_attachment *attach)
{
	return attach->importer_ops == &accel_dmabuf_attach_ops;
}

static int accel_export_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct accel_export *export = dmabuf->priv;

	/* who can be told that it has to let go */
	if (!attach->importer_ops)
		return -EOPNOTSUPP;
	return READ_ONCE(export->state) == ACCEL_EXPORT_SHARED ? 0 : -ENODEV;
}

static int accel_export_pin(struct dma_buf_attachment *attach)
{
	if (IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY) || !accel_export_is_own(attach))
		return -EOPNOTSUPP;
	return 0;
}

static void accel_export_unpin(struct dma_buf_attachment *attach)
{
}

/* The region's pages as the importer's device takes them: in segments of its own size. */
static int accel_export_fill(struct sg_table *to, const struct sg_table *from, size_t segment)
{
	struct scatterlist *src, *dst;
	unsigned int i, entries = 0;
	int ret;

	for_each_sgtable_sg(from, src, i)
		entries += DIV_ROUND_UP(src->length, segment);
	ret = sg_alloc_table(to, entries, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	dst = to->sgl;
	for_each_sgtable_sg(from, src, i) {
		size_t at, n;

		for (at = 0; at < src->length; at += n) {
			n = min_t(size_t, src->length - at, segment);
			sg_set_page(dst, pfn_to_page(page_to_pfn(sg_page(src)) + PHYS_PFN(at)),
				    n, 0);
			dst = sg_next(dst);
		}
	}
	return 0;
}

/* A copy in a bounce buffer is not shared with anybody. */
static bool accel_export_bounced(const struct accel_export_map *map)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(&map->sgt, sg, i)
		if (accel_mem_is_bounced(map->dev, sg_dma_address(sg)))
			return true;
	return false;
}

/*
 * Caches are synced apart from mapping, or the DMA API's debugging would take it for an
 * error that several devices have one page mapped.
 */
static int accel_export_do(struct accel_export_map *map)
{
	int ret = dma_map_sgtable(map->dev, &map->sgt, map->dir, DMA_ATTR_SKIP_CPU_SYNC);

	if (ret)
		return ret;
	dma_sync_sgtable_for_device(map->dev, &map->sgt, map->dir);
	map->mapped = true;
	return 0;
}

static void accel_export_undo(struct accel_export_map *map)
{
	if (!map->mapped)
		return;
	dma_sync_sgtable_for_cpu(map->dev, &map->sgt, map->dir);
	dma_unmap_sgtable(map->dev, &map->sgt, map->dir, DMA_ATTR_SKIP_CPU_SYNC);
	map->mapped = false;
}

static struct sg_table *accel_export_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	struct accel_export *export = attach->dmabuf->priv;
	struct device *dev = attach->dev;
	size_t segment = min_t(size_t, dma_get_max_seg_size(dev),
			       dma_max_mapping_size(dev)) & PAGE_MASK;
	struct accel_export_map *map;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (export->state != ACCEL_EXPORT_SHARED)
		return ERR_PTR(-ENODEV);
	if (dir != DMA_TO_DEVICE && !(export->mem->flags & ACCEL_MEM_WRITE))
		return ERR_PTR(-EACCES);
	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		return ERR_PTR(-ENOMEM);
	map->dev = dev;
	map->dir = dir;
	ret = accel_export_fill(&map->sgt, export->mem->sgt, max(segment, PAGE_SIZE));
	if (ret)
		goto err_free;
	ret = accel_export_do(map);
	if (ret)
		goto err_table;
	if (accel_export_bounced(map)) {
		ret = -EOPNOTSUPP;
		goto err_map;
	}
	if (!accel_export_is_own(attach)) {
		export->foreign = true;
		export->written |= dir != DMA_TO_DEVICE;
	}
	list_add(&map->link, &export->maps);
	return &map->sgt;

err_map:
	accel_export_undo(map);
err_table:
	sg_free_table(&map->sgt);
err_free:
	kfree(map);
	return ERR_PTR(ret);
}

static void accel_export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	struct accel_export_map *map = container_of(sgt, struct accel_export_map, sgt);

	accel_export_undo(map);
	list_del(&map->link);
	sg_free_table(&map->sgt);
	kfree(map);
}

/* Before and after the processor's accesses, where hardware is not coherent. */
static int accel_export_cpu_access(struct dma_buf *dmabuf, bool for_device)
{
	struct accel_export *export = dmabuf->priv;
	struct accel_export_map *map;
	int ret;

	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (ret)
		return ret;
	list_for_each_entry(map, &export->maps, link) {
		if (!map->mapped)
			continue;
		if (for_device)
			dma_sync_sgtable_for_device(map->dev, &map->sgt, map->dir);
		else
			dma_sync_sgtable_for_cpu(map->dev, &map->sgt, map->dir);
	}
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

static int accel_export_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	long ret;

	/* First: what is still being written is not to be made visible yet. */
	ret = dma_resv_wait_timeout(dmabuf->resv, dma_resv_usage_rw(dir != DMA_FROM_DEVICE),
				    true, MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : accel_export_cpu_access(dmabuf, false);
}

static int accel_export_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return accel_export_cpu_access(dmabuf, true);
}

static int accel_export_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	return -ENODEV;
}

static void accel_export_free(struct dma_buf *dmabuf)
{
	kfree(dmabuf->priv);
}

static const struct dma_buf_ops accel_export_ops = {
	.attach = accel_export_attach,
	.pin = accel_export_pin,
	.unpin = accel_export_unpin,
	.map_dma_buf = accel_export_map,
	.unmap_dma_buf = accel_export_unmap,
	.release = accel_export_free,
	.begin_cpu_access = accel_export_begin_cpu_access,
	.end_cpu_access = accel_export_end_cpu_access,
	.mmap = accel_export_mmap,
};

/**
 * accel_export_state - whether a region takes back what it exports
 * @dmabuf: any dma-buf
 *
 * Return: how it is; %ACCEL_EXPORT_SHARED also when it is somebody else's.
 */
enum accel_export_state accel_export_state(struct dma_buf *dmabuf)
{
	struct accel_export *export = dmabuf->priv;

	return dmabuf->ops == &accel_export_ops ? export->state : ACCEL_EXPORT_SHARED;
}

#ifdef ACCEL_DMA_BUF_INVALIDATES
#define dma_buf_move_notify	dma_buf_invalidate_mappings
#endif

/* Onwards, and importers hear of it. */
static void accel_export_set_state(struct dma_buf *dmabuf, enum accel_export_state state)
{
	struct accel_export *export = dmabuf->priv;

	dma_resv_lock(dmabuf->resv, NULL);
	if (export->state < state) {
		WRITE_ONCE(export->state, state);
		dma_buf_move_notify(dmabuf);
	}
	dma_resv_unlock(dmabuf->resv);
}

static bool accel_export_waits_for(struct dma_buf *dmabuf, struct dma_fence *fence)
{
	const struct accel_export *export = dmabuf->priv;

	if (accel_fence_is_ours(fence))
		return accel_fence_uses(fence, dmabuf->resv);
	return READ_ONCE(export->foreign);
}

/*
 * Wait for the jobs that use the buffer. Not for each fence that is there: user space
 * can put in those of any jobs it likes, which it may prolong (import of a sync_file).
 * What foreign importers put there cannot be told from these, but each one that a driver
 * makes signals in its time, and none that comes later is of a job that was begun before
 * importers were told.
 */
static int accel_export_wait(struct dma_buf *dmabuf, bool intr)
{
	struct dma_fence **fences;
	unsigned int num, i;
	long ret = 0;

	/* there is no way on without */
	while (dma_resv_get_fences(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, &num, &fences))
		schedule_timeout_uninterruptible(1);
	for (i = 0; i < num; i++) {
		if (!ret && accel_export_waits_for(dmabuf, fences[i]))
			ret = dma_fence_wait(fences[i], intr);
		dma_fence_put(fences[i]);
	}
	kfree(fences);
	return ret;
}

/* Importers map it anew when they want it, as after any move. */
static void accel_export_share_again(struct dma_buf *dmabuf)
{
	struct accel_export *export = dmabuf->priv;

	dma_resv_lock(dmabuf->resv, NULL);
	if (export->state == ACCEL_EXPORT_REVOKED)
		WRITE_ONCE(export->state, ACCEL_EXPORT_SHARED);
	dma_resv_unlock(dmabuf->resv);
}

/**
 * accel_export_settle - let those who use a region elsewhere come to an end
 * @mem: a region that may be exported, of which the caller has a reference; it is about
 *	to be released at its owner's wish
 *
 * New jobs are refused from here on, and the ones that are there go on. After a signal all
 * is as before.
 *
 * Context: process, sleeps; no lock is held.
 * Return: 0; -ERESTARTSYS.
 */
int accel_export_settle(struct accel_mem *mem)
{
	struct dma_buf *dmabuf;
	int ret;

	mutex_lock(&mem->ctx->lock);
	dmabuf = mem->way == ACCEL_MEM_WAY_USER ? mem->dmabuf : NULL;
	if (dmabuf)
		get_dma_buf(dmabuf);
	mutex_unlock(&mem->ctx->lock);
	if (!dmabuf)
		return 0;
	accel_export_set_state(dmabuf, ACCEL_EXPORT_REVOKED);
	ret = accel_export_wait(dmabuf, true);
	if (ret)
		accel_export_share_again(dmabuf);
	dma_buf_put(dmabuf);
	return ret;
}

/**
 * accel_export_revoke - take an exported region back
 * @mem: a region that is being released, exported or not
 *
 * Jobs that use it elsewhere end with ESTALE; when this returns no device reaches it.
 *
 * Context: process, ctx->lock is held; sleeps until engines have cancelled jobs, and
 * for as long as the fences take that foreign importers have put there by now.
 */
void accel_export_revoke(struct accel_mem *mem)
{
	struct dma_buf *dmabuf = mem->dmabuf;
	struct accel_export_map *map;
	struct accel_export *export;

	if (!dmabuf || mem->way != ACCEL_MEM_WAY_USER)
		return;
	export = dmabuf->priv;
	accel_export_set_state(dmabuf, ACCEL_EXPORT_ENDED);
	accel_export_wait(dmabuf, false);
	dma_resv_lock(dmabuf->resv, NULL);
	list_for_each_entry(map, &export->maps, link)
		accel_export_undo(map);
	/* Its jobs have ended, and each has said by then what it wrote. */
	spin_lock_irq(&export->lock);
	if (export->written)
		accel_dirty_add(&mem->dirty, 0, mem->length);
	else
		accel_dirty_add_all(&mem->dirty, &export->dirty);
	spin_unlock_irq(&export->lock);
	export->mem = NULL;
	dma_resv_unlock(dmabuf->resv);
	mem->dmabuf = NULL;
	dma_buf_put(dmabuf);
}

/**
 * accel_export_note - a job has written to a region that is another one's
 * @dmabuf: any dma-buf that is imported
 * @offset: first byte
 * @length: bytes
 *
 * To be called before the job's fence signals, so that who takes the region back knows.
 *
 * Context: any.
 */
void accel_export_note(struct dma_buf *dmabuf, u64 offset, u64 length)
{
	struct accel_export *export = dmabuf->priv;
	unsigned long flags;

	if (dmabuf->ops != &accel_export_ops)
		return;
	spin_lock_irqsave(&export->lock, flags);
	accel_dirty_add(&export->dirty, offset, length);
	spin_unlock_irqrestore(&export->lock, flags);
}

static struct dma_buf *accel_export_create(struct accel_mem *mem)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct accel_export *export = kzalloc(sizeof(*export), GFP_KERNEL_ACCOUNT);
	struct dma_buf *dmabuf;

	if (!export)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&export->maps);
	spin_lock_init(&export->lock);
	export->mem = mem;
	info.ops = &accel_export_ops;
	info.size = mem->length;
	info.flags = mem->flags & ACCEL_MEM_WRITE ? O_RDWR : O_RDONLY;
	info.priv = export;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		kfree(export);
	return dmabuf;
}

/* The region's dma-buf, made with the first call; ctx->lock is held. */
static struct dma_buf *accel_export_get(struct accel_mem *mem)
{
	struct accel_context *ctx = mem->ctx;
	struct dma_buf *dmabuf;
	int ret = 0;

	if (mem->dmabuf)
		goto found;
	dmabuf = accel_export_create(mem);
	if (IS_ERR(dmabuf))
		return dmabuf;
	/* A job without a fence could not be waited for by who maps the buffer now. */
	spin_lock(&ctx->mem_lock);
	if (mem->closing)	/* since it was found */
		ret = -ENOENT;
	else if (mem->users)
		ret = -EBUSY;
	else
		mem->dmabuf = dmabuf;
	spin_unlock(&ctx->mem_lock);
	if (ret) {
		dma_buf_put(dmabuf);
		if (ret == -EBUSY)
			accel_context_error(ctx, ret, "mem_export: a job uses it");
		return ERR_PTR(ret);
	}
found:
	get_dma_buf(mem->dmabuf);
	return mem->dmabuf;
}

/**
 * accel_ioctl_mem_export - handler of %ACCEL_IOCTL_MEM_EXPORT
 * @ctx: the context
 * @arg: struct accel_mem_export
 *
 * Context: process, may sleep, not gated.
 * Return: 0 or a negative errno, see struct accel_mem_export.
 */
long accel_ioctl_mem_export(struct accel_context *ctx, void *arg)
{
	struct accel_mem_export *args = arg;
	struct dma_buf *dmabuf;
	struct accel_mem *mem;
	int fd;

	if (args->flags & ~O_CLOEXEC)
		return -EINVAL;
	mutex_lock(&ctx->lock);
	spin_lock(&ctx->mem_lock);
	mem = accel_mem_find(ctx, args->mem_id);
	spin_unlock(&ctx->mem_lock);
	/* It stays: regions are released with ctx->lock held. */
	if (ctx->dead)
		dmabuf = ERR_PTR(-ENODEV);
	else if (!mem)
		dmabuf = ERR_PTR(-ENOENT);
	else if (mem->way != ACCEL_MEM_WAY_USER)
		dmabuf = ERR_PTR(-EOPNOTSUPP);
	else
		dmabuf = accel_export_get(mem);
	mutex_unlock(&ctx->lock);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, args->flags);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return fd;
	}
	args->fd = fd;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_mem_export, ACCEL_EXPORT_NS);
