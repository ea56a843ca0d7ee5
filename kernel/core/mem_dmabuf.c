// SPDX-License-Identifier: GPL-2.0-only
/*
 * Import of dma-bufs: memory that somebody else exports, and may move or take back.
 *
 * The attachment is a dynamic one. An exporter that wants to move says so
 * (move_notify) and waits for the fences of the jobs that use the buffer; the next job
 * maps it anew. So the table of a region changes between jobs, never under one.
 *
 * No peer-to-peer: what a bus address of another device's memory is worth depends on
 * the way between the two, which no device that we can test with shows.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "core.h"

/*
 * With the reservation held, and jobs may be running: nothing is unmapped here, and
 * nobody waited for. What is taken back for good takes the jobs with it.
 */
static void accel_dmabuf_move_notify(struct dma_buf_attachment *attach)
{
	struct accel_mem *mem = attach->importer_priv;

	mem->import.stale = true;
	if (accel_export_state(attach->dmabuf) == ACCEL_EXPORT_ENDED)
		accel_jobs_abort(mem, -ESTALE);
}

const struct dma_buf_attach_ops accel_dmabuf_attach_ops = {
	.allow_peer2peer = false,
#ifdef ACCEL_DMA_BUF_INVALIDATES
	.invalidate_mappings = accel_dmabuf_move_notify,
#else
	.move_notify = accel_dmabuf_move_notify,
#endif
};

/* May be any file of the caller's. */
static int accel_dmabuf_acquire(struct accel_mem *mem, struct accel_pin_times *times,
				bool timed)
{
	struct dma_buf *dmabuf = dma_buf_get(mem->import.fd);
	fmode_t mode;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	mode = (mem->flags & ACCEL_MEM_READ ? FMODE_READ : 0) |
	       (mem->flags & ACCEL_MEM_WRITE ? FMODE_WRITE : 0);
	if (mode & ~dmabuf->file->f_mode) {
		dma_buf_put(dmabuf);
		return accel_context_error(mem->ctx, -EACCES,
					   "mem_import: the dma-buf was not opened for that access");
	}
	mem->dmabuf = dmabuf;
	mem->length = dmabuf->size;
	mem->npages = PFN_UP(dmabuf->size);
	return 0;
}

static void accel_dmabuf_release(struct accel_mem *mem)
{
	dma_buf_put(mem->dmabuf);
	mem->dmabuf = NULL;
}

/* Do not rely on what others export. */
static int accel_dmabuf_check(struct accel_mem *mem, struct sg_table *sgt)
{
	struct device *dev = accel_mem_dma_device(mem);
	struct scatterlist *sg;
	unsigned int i;
	u64 length = 0;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (accel_mem_is_bounced(dev, sg_dma_address(sg)))
			return accel_context_error(mem->ctx, -EOPNOTSUPP,
						   "mem_import: the device reaches 0x%llx through bounce buffers only",
						   (u64)sg_dma_address(sg));
		length += sg_dma_len(sg);
	}
	return length < mem->length ? -EINVAL : 0;
}

static int accel_dmabuf_map(struct accel_mem *mem)
{
	struct dma_buf_attachment *attach = mem->import.attach;
	enum dma_data_direction dir = accel_mem_dir(mem);
	struct sg_table *sgt;
	int ret;

	dma_resv_assert_held(mem->dmabuf->resv);
	sgt = dma_buf_map_attachment(attach, dir);
	if (IS_ERR(sgt)) {
		/* Our ENODEV is for our own device. */
		ret = PTR_ERR(sgt);
		return ret == -ENODEV ? -ESTALE : ret;
	}
	ret = accel_dmabuf_check(mem, sgt);
	if (ret) {
		dma_buf_unmap_attachment(attach, sgt, dir);
		return ret;
	}
	mem->sgt = sgt;
	mem->nsegs = sgt->nents;
	mem->import.stale = false;
	return 0;
}

static void accel_dmabuf_unmap(struct accel_mem *mem)
{
	dma_resv_assert_held(mem->dmabuf->resv);
	dma_buf_unmap_attachment(mem->import.attach, mem->sgt, accel_mem_dir(mem));
	mem->sgt = NULL;
}

/* Map at once: a device that cannot reach it is to be told now, not by its first job. */
static int accel_dmabuf_attach(struct accel_mem *mem)
{
	struct accel_device *adev = mem->ctx->adev;
	struct dma_buf_attachment *attach;
	int ret;

	/* The attachment may map at any time, so it counts as a mapping for all of its life. */
	ret = accel_mem_dma_get(adev);
	if (ret)
		return ret;
	attach = dma_buf_dynamic_attach(mem->dmabuf, accel_mem_dma_device(mem),
					&accel_dmabuf_attach_ops, mem);
	if (IS_ERR(attach)) {
		accel_mem_dma_put(adev);
		ret = PTR_ERR(attach);
		return ret == -ENODEV ? -ESTALE : ret;
	}
	mem->import.attach = attach;
	ret = dma_resv_lock_interruptible(mem->dmabuf->resv, NULL);
	if (!ret) {
		ret = accel_mem_map(mem);
		dma_resv_unlock(mem->dmabuf->resv);
	}
	if (ret) {
		dma_buf_detach(mem->dmabuf, attach);
		accel_mem_dma_put(adev);
	}
	return ret;
}

/* Its jobs have ended. */
static void accel_dmabuf_detach(struct accel_mem *mem)
{
	dma_resv_lock(mem->dmabuf->resv, NULL);
	if (mem->sgt)
		accel_mem_unmap(mem);
	dma_resv_unlock(mem->dmabuf->resv);
	dma_buf_detach(mem->dmabuf, mem->import.attach);
	accel_mem_dma_put(mem->ctx->adev);
}

static int accel_dmabuf_validate(struct accel_mem *mem)
{
	dma_resv_assert_held(mem->dmabuf->resv);
	if (mem->sgt && !mem->import.stale)
		return 0;
	if (accel_export_state(mem->dmabuf) != ACCEL_EXPORT_SHARED)
		return -ESTALE;
	if (atomic_read(&mem->import.active))
		return 1;
	if (mem->sgt)
		accel_mem_unmap(mem);
	return accel_mem_map(mem);
}

const struct accel_mem_ops accel_mem_dmabuf_ops = {
	.way = ACCEL_MEM_WAY_DMABUF,
	.name = "dmabuf",
	.acquire = accel_dmabuf_acquire,
	.map = accel_dmabuf_map,
	.unmap = accel_dmabuf_unmap,
	.attach = accel_dmabuf_attach,
	.detach = accel_dmabuf_detach,
	.validate = accel_dmabuf_validate,
	.release = accel_dmabuf_release,
};

/**
 * accel_ioctl_mem_import - handler of %ACCEL_IOCTL_MEM_IMPORT
 * @ctx: the context
 * @arg: struct accel_mem_import
 *
 * Context: process, may sleep, not gated.
 * Return: 0 or a negative errno, see struct accel_mem_import.
 */
long accel_ioctl_mem_import(struct accel_context *ctx, void *arg)
{
	struct accel_mem_import *import = arg;
	struct accel_mem *mem;
	int ret = 0;

	mem = accel_mem_alloc(ctx, &accel_mem_dmabuf_ops);
	if (!mem)
		return -ENOMEM;
	mem->flags = import->flags;
	mem->import.fd = import->fd;
	if (!import->flags || import->flags & ~(ACCEL_MEM_READ | ACCEL_MEM_WRITE))
		ret = -EINVAL;
	kref_get(&mem->ref);
	ret = accel_mem_create(mem, ret, &import->mem_id);
	import->length = mem->length;
	accel_mem_put(mem);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(accel_ioctl_mem_import, ACCEL_EXPORT_NS);
