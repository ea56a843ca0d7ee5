// SPDX-License-Identifier: GPL-2.0-only
/*
 * Export of pinned memory to an importer that is not ours: it attaches, maps, is told
 * that the region has ended, and lets go late or never before its own end. It is what any
 * driver with a dynamic attachment is, a graphics or a network one.
 *
 * The memory is that of the thread that runs the test.
 */
#include <kunit/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "fake.h"

#define PAGES	24
#define LENGTH	(PAGES * PAGE_SIZE)
#define SEGMENT	(4 * PAGE_SIZE)

/* The importer: another driver's device, and what it has of the buffer. */
struct foreign {
	struct device *dev;
	struct device_dma_parameters parms;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	unsigned int told;		/* how often that the buffer moves */
};

struct export_fixture {
	struct fake_device *fake;
	struct accel_context *ctx;
	unsigned long addr;
	u64 mem;
	struct foreign foreign;
};

static void foreign_told(struct dma_buf_attachment *attach)
{
	struct foreign *foreign = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	foreign->told++;
}

static const struct dma_buf_attach_ops foreign_ops = {
#ifdef ACCEL_DMA_BUF_INVALIDATES
	.invalidate_mappings = foreign_told,
#else
	.move_notify = foreign_told,
#endif
};

static struct device *dma_device(struct kunit *test, const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	return dev;
}

static int export_init(struct kunit *test)
{
	struct export_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct accel_mem_pin pin = { .length = LENGTH, .flags = ACCEL_MEM_READ | ACCEL_MEM_WRITE };
	struct accel_mem_export export = { .flags = O_CLOEXEC };

	/* newer kernels have it always */
	if (!IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY) && !IS_ENABLED(ACCEL_DMA_BUF_INVALIDATES))
		kunit_skip(test, "without CONFIG_DMABUF_MOVE_NOTIFY only accelerators import");
	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->addr = kunit_vm_mmap(test, NULL, 0, LENGTH, PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_TRUE(test, f->addr && !IS_ERR_VALUE(f->addr));
	f->fake = fake_alloc(test, dma_device(test, "accel_fake"));
	KUNIT_ASSERT_EQ(test, accel_device_register(&f->fake->accel), 0);
	f->ctx = fake_open(test, f->fake);
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->ctx));

	pin.addr = f->addr;
	KUNIT_ASSERT_EQ(test, accel_ioctl_mem_pin(f->ctx, &pin), 0);
	f->mem = pin.mem_id;
	export.mem_id = pin.mem_id;
	KUNIT_ASSERT_EQ(test, accel_ioctl_mem_export(f->ctx, &export), 0);
	f->foreign.dmabuf = dma_buf_get(export.fd);
	close_fd(export.fd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->foreign.dmabuf);

	f->foreign.dev = dma_device(test, "accel_foreign");
	f->foreign.dev->dma_parms = &f->foreign.parms;
	dma_set_max_seg_size(f->foreign.dev, SEGMENT);
	return 0;
}

static int foreign_attach(struct foreign *foreign)
{
	foreign->attach = dma_buf_dynamic_attach(foreign->dmabuf, foreign->dev, &foreign_ops,
						 foreign);
	return PTR_ERR_OR_ZERO(foreign->attach);
}

static int foreign_map(struct foreign *foreign)
{
	struct sg_table *sgt;

	dma_resv_lock(foreign->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(foreign->attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(foreign->dmabuf->resv);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	foreign->sgt = sgt;
	return 0;
}

static void foreign_unmap(struct foreign *foreign)
{
	dma_resv_lock(foreign->dmabuf->resv, NULL);
	dma_buf_unmap_attachment(foreign->attach, foreign->sgt, DMA_BIDIRECTIONAL);
	dma_resv_unlock(foreign->dmabuf->resv);
	foreign->sgt = NULL;
}

/* Its DMA writes @byte all over the buffer: how many bytes it finds room for. */
static size_t foreign_write(struct foreign *foreign, u8 byte)
{
	struct scatterlist *sg;
	size_t done = 0;
	unsigned int i;

	for_each_sgtable_dma_sg(foreign->sgt, sg, i) {
		/* no IOMMU translates for it: DMA addresses are those of memory */
		memset(phys_to_virt(sg_dma_address(sg)), byte, sg_dma_len(sg));
		done += sg_dma_len(sg);
	}
	return done;
}

/* The buffer as its owner sees it: whether all of it is @byte. */
static bool owner_sees(struct kunit *test, struct export_fixture *f, u8 byte)
{
	u8 *copy = kunit_kmalloc(test, LENGTH, GFP_KERNEL);
	bool same;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	same = !copy_from_user(copy, (void __user *)f->addr, LENGTH) &&
	       !memchr_inv(copy, byte, LENGTH);
	kunit_kfree(test, copy);
	return same;
}

/* Pages of the owner's memory that somebody has pinned. */
static unsigned int pinned(struct kunit *test, struct export_fixture *f)
{
	unsigned int i, n = 0;
	struct page *page;

	for (i = 0; i < PAGES; i++) {
		KUNIT_ASSERT_EQ(test, get_user_pages_fast(f->addr + i * PAGE_SIZE, 1, 0, &page), 1);
		n += folio_maybe_dma_pinned(page_folio(page));
		put_page(page);
	}
	return n;
}

static int unpin(struct export_fixture *f)
{
	struct accel_mem_unpin arg = { .mem_id = f->mem };

	return accel_ioctl_mem_unpin(f->ctx, &arg);
}

/* It attaches and maps; what it writes is in the owner's memory. */
static void take(struct kunit *test, struct export_fixture *f)
{
	struct foreign *foreign = &f->foreign;
	struct scatterlist *sg;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, foreign_attach(foreign), 0);
	KUNIT_ASSERT_EQ(test, foreign_map(foreign), 0);
	for_each_sgtable_sg(foreign->sgt, sg, i)
		KUNIT_EXPECT_LE(test, sg->length, SEGMENT);
	KUNIT_EXPECT_EQ(test, foreign_write(foreign, 0xa5), LENGTH);
	KUNIT_EXPECT_TRUE(test, owner_sees(test, f, 0xa5));
	KUNIT_EXPECT_EQ(test, foreign->told, 0);
	KUNIT_EXPECT_EQ(test, pinned(test, f), PAGES);
	KUNIT_EXPECT_EQ(test, atomic64_read(&current->mm->pinned_vm), PAGES);
}

/* The region has ended under it, whatever has ended it. */
static void taken_back(struct kunit *test, struct export_fixture *f)
{
	struct foreign *foreign = &f->foreign;
	struct dma_buf_attachment *late;

	KUNIT_EXPECT_GE(test, foreign->told, 1);
	KUNIT_EXPECT_EQ(test, pinned(test, f), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&current->mm->pinned_vm), 0);
	/* Its table is its own until it lets go. What that maps is no longer mapped. */
	if (foreign->sgt)
		foreign_unmap(foreign);
	KUNIT_EXPECT_EQ(test, foreign_map(foreign), -ENODEV);
	late = dma_buf_dynamic_attach(foreign->dmabuf, foreign->dev, &foreign_ops, foreign);
	KUNIT_EXPECT_PTR_EQ(test, late, ERR_PTR(-ENODEV));
}

static void end(struct kunit *test, struct export_fixture *f)
{
	struct foreign *foreign = &f->foreign;

	if (f->ctx)
		accel_context_close(f->ctx);
	if (f->fake)
		fake_unregister(test, f->fake);
	if (!IS_ERR_OR_NULL(foreign->attach))
		dma_buf_detach(foreign->dmabuf, foreign->attach);
	/* The last reference but for the attachments', which are gone. */
	KUNIT_EXPECT_EQ(test, file_count(foreign->dmabuf->file), 1);
	dma_buf_put(foreign->dmabuf);
	flush_delayed_fput();
}

static void only_who_lets_go(struct kunit *test)
{
	struct export_fixture *f = test->priv;
	struct foreign *foreign = &f->foreign;
	struct dma_buf_attachment *attach;

	/* One that cannot be told. */
	attach = dma_buf_attach(foreign->dmabuf, foreign->dev);
	KUNIT_EXPECT_PTR_EQ(test, attach, ERR_PTR(-EOPNOTSUPP));
	/* One that wants it to stay where it is. */
	KUNIT_ASSERT_EQ(test, foreign_attach(foreign), 0);
	dma_resv_lock(foreign->dmabuf->resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_buf_pin(foreign->attach), -EOPNOTSUPP);
	dma_resv_unlock(foreign->dmabuf->resv);
	KUNIT_EXPECT_EQ(test, foreign_map(foreign), 0);
	foreign_unmap(foreign);
	end(test, f);
}

static void unpinned_while_mapped(struct kunit *test)
{
	struct export_fixture *f = test->priv;

	take(test, f);
	KUNIT_EXPECT_EQ(test, unpin(f), 0);
	taken_back(test, f);
	KUNIT_EXPECT_EQ(test, unpin(f), -ENOENT);
	end(test, f);
}

static void closed_while_mapped(struct kunit *test)
{
	struct export_fixture *f = test->priv;

	take(test, f);
	accel_context_close(f->ctx);
	f->ctx = NULL;
	taken_back(test, f);
	end(test, f);
}

static void unplugged_while_mapped(struct kunit *test)
{
	struct export_fixture *f = test->priv;

	take(test, f);
	fake_unregister(test, f->fake);
	f->fake = NULL;
	taken_back(test, f);
	end(test, f);
}

/* An importer that does as it should, and lets go as soon as it is told. */
static void let_go_and_taken_again(struct kunit *test)
{
	struct export_fixture *f = test->priv;
	struct foreign *foreign = &f->foreign;

	take(test, f);
	foreign_unmap(foreign);
	KUNIT_ASSERT_EQ(test, foreign_map(foreign), 0);
	KUNIT_EXPECT_EQ(test, foreign_write(foreign, 0x3c), LENGTH);
	KUNIT_EXPECT_TRUE(test, owner_sees(test, f, 0x3c));
	foreign_unmap(foreign);
	KUNIT_EXPECT_EQ(test, unpin(f), 0);
	taken_back(test, f);
	end(test, f);
}

struct unpinner {
	struct export_fixture *f;
	struct completion done;
	int ret;
};

static int do_unpin(void *data)
{
	struct unpinner *u = data;

	u->ret = unpin(u->f);
	complete(&u->done);
	return 0;
}

/* Newer kernels say themselves which lock is a fence's. */
#ifndef dma_fence_lock_irqsave
#define dma_fence_lock_irqsave(fence, flags)	spin_lock_irqsave((fence)->lock, flags)
#define dma_fence_unlock_irqrestore(fence, flags) spin_unlock_irqrestore((fence)->lock, flags)
#endif

static bool waited_for(struct dma_fence *fence)
{
	unsigned long flags;
	bool waited;

	/* who waits has left a callback in the fence */
	dma_fence_lock_irqsave(fence, flags);
	waited = !list_empty(&fence->cb_list);
	dma_fence_unlock_irqrestore(fence, flags);
	return waited;
}

/* Pages stay until its hardware is through with them, although it has been told. */
static void waits_for_its_hardware(struct kunit *test)
{
	struct export_fixture *f = test->priv;
	struct unpinner u = { .f = f, .ret = 1 };
	struct task_struct *thread;
	struct dma_fence *fence;

	take(test, f);
	fence = fake_fence(test, f->foreign.dmabuf->resv, DMA_RESV_USAGE_WRITE);
	init_completion(&u.done);
	thread = kthread_run(do_unpin, &u, "accel_unpin");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	while (!waited_for(fence) && !completion_done(&u.done))
		cond_resched();
	KUNIT_EXPECT_FALSE(test, completion_done(&u.done));
	KUNIT_EXPECT_EQ(test, f->foreign.told, 1);
	KUNIT_EXPECT_EQ(test, pinned(test, f), PAGES);
	KUNIT_EXPECT_EQ(test, foreign_write(&f->foreign, 0x5a), LENGTH);
	dma_fence_signal(fence);
	wait_for_completion(&u.done);
	KUNIT_EXPECT_EQ(test, u.ret, 0);
	KUNIT_EXPECT_TRUE(test, owner_sees(test, f, 0x5a));
	taken_back(test, f);
	dma_fence_put(fence);
	end(test, f);
}

static struct kunit_case export_cases[] = {
	KUNIT_CASE(only_who_lets_go),
	KUNIT_CASE(unpinned_while_mapped),
	KUNIT_CASE(closed_while_mapped),
	KUNIT_CASE(unplugged_while_mapped),
	KUNIT_CASE(let_go_and_taken_again),
	KUNIT_CASE(waits_for_its_hardware),
	{ }
};

static struct kunit_suite export_suite = {
	.name = "accel_export",
	.init = export_init,
	.test_cases = export_cases,
};

kunit_test_suite(export_suite);
