// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of device memory and of drivers' buffers. Pages are inserted as they
 * are touched, inside the gate; once the device is gone a touch never ends in SIGBUS.
 * What is read then is zero: a page of the mapping's own (not one shared with others, or
 * two processes could talk through it), in place of all its pages and never writable. What
 * is written goes to a page for that place alone, which keeps it for as long as the
 * mapping is there, so that no other place shows it. Such pages come as they are written
 * to, and are charged to who does: reading costs one page, however large the mapping is.
 */
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include <trace/events/accel.h>

#include "core.h"
#include "policy.h"

#define ACCEL_MAP_FS_MAGIC	0x61636365	/* "acce" */

/**
 * struct accel_mapping - what one mmap() made; its parts and copies share it
 * @ref: one for each VMA
 * @ctx: holds a reference; the VMAs hold the file as well
 * @id: never reused
 * @pgoff: of its first page
 * @desc: what the driver said is behind it
 * @lock: for what follows, and for inserting it: whoever reads what others have written
 *	has their page
 * @blank: what a reader finds when the device is gone
 * @written: what was written to since then, by page
 */
struct accel_mapping {
	struct kref ref;
	struct accel_context *ctx;
	u64 id;
	unsigned long pgoff;
	struct accel_map_desc desc;
	struct mutex lock;		/* for what follows */
	struct page *blank;
	struct xarray written;
};

static struct vfsmount *accel_map_mnt;
static int accel_map_mnt_count;

static int accel_map_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, ACCEL_MAP_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type accel_map_fs = {
	.name = "accelerator",
	.owner = THIS_MODULE,
	.init_fs_context = accel_map_fs_init_context,
	.kill_sb = kill_anon_super,
};

/**
 * accel_map_init - the inode that all mappings of a device hang on
 * @adev: the device
 *
 * The file system is mounted while there are devices; for longer, and its mount
 * would keep this module loaded for ever.
 *
 * Return: 0 or a negative errno.
 */
int accel_map_init(struct accel_device *adev)
{
	struct inode *inode;
	int ret;

	ret = simple_pin_fs(&accel_map_fs, &accel_map_mnt, &accel_map_mnt_count);
	if (ret)
		return ret;
	inode = alloc_anon_inode(accel_map_mnt->mnt_sb);
	if (IS_ERR(inode)) {
		simple_release_fs(&accel_map_mnt, &accel_map_mnt_count);
		return PTR_ERR(inode);
	}
	adev->map_inode = inode;
	return 0;
}

/**
 * accel_map_destroy - undo accel_map_init()
 * @adev: a device without mappings
 */
void accel_map_destroy(struct accel_device *adev)
{
	iput(adev->map_inode);
	simple_release_fs(&accel_map_mnt, &accel_map_mnt_count);
}

/**
 * accel_map_zap - take the device's pages out of all its mappings
 * @adev: a device; when its gate is closed and drained no page comes back
 */
void accel_map_zap(struct accel_device *adev)
{
	unmap_mapping_range(adev->map_inode->i_mapping, 0, 0, 1);
}

/**
 * accel_map_state - mappings of registers follow the device's state
 * @adev: a device whose state has just changed
 *
 * While it is not OK the bus may not answer for them, which ends the machine on some: vfio's
 * CVE-2020-12888. Until then who touches them has blank pages. Mappings of memory come back
 * with the next touch.
 *
 * Context: process, sleeps.
 */
void accel_map_state(struct accel_device *adev)
{
	/* Those who have seen the old state are through with it. */
	down_write(&adev->map_lock);
	up_write(&adev->map_lock);
	accel_map_zap(adev);
}

static void accel_mapping_free(struct kref *ref)
{
	struct accel_mapping *mapping = container_of(ref, struct accel_mapping, ref);
	unsigned long index;
	struct page *page;

	if (mapping->blank)
		__free_page(mapping->blank);
	xa_for_each(&mapping->written, index, page)
		__free_page(page);
	xa_destroy(&mapping->written);
	accel_context_put(mapping->ctx);
	mutex_destroy(&mapping->lock);
	kfree(mapping);
}

static void accel_vma_open(struct vm_area_struct *vma)
{
	struct accel_mapping *mapping = vma->vm_private_data;

	kref_get(&mapping->ref);
}

static void accel_mapping_last(struct kref *ref)
{
	struct accel_mapping *mapping = container_of(ref, struct accel_mapping, ref);

	trace_accel_munmap(mapping->ctx, mapping->id, mapping->desc.size);
	accel_mapping_free(ref);
}

static void accel_vma_close(struct vm_area_struct *vma)
{
	struct accel_mapping *mapping = vma->vm_private_data;

	kref_put(&mapping->ref, accel_mapping_last);
}

/* Moving would work, growing could not: the same answer for both is the simplest rule. */
static int accel_vma_mremap(struct vm_area_struct *vma)
{
	return -EPERM;
}

static struct page *accel_map_page_new(void)
{
	return alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
}

/* A page for this place alone. mapping->lock is held. */
static struct page *accel_map_own_page(struct accel_mapping *mapping, unsigned long index)
{
	struct page *page = accel_map_page_new();

	if (page && xa_is_err(xa_store(&mapping->written, index, page, GFP_KERNEL_ACCOUNT))) {
		__free_page(page);
		page = NULL;
	}
	return page;
}

/* The device is gone, or its registers are for now. */
static vm_fault_t accel_map_insert_blank(struct accel_mapping *mapping, struct vm_fault *vmf)
{
	struct address_space *all = mapping->ctx->adev->map_inode->i_mapping;
	unsigned long index = vmf->pgoff - mapping->pgoff;
	unsigned long flags = vmf->vma->vm_flags;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	struct page *page;

	guard(mutex)(&mapping->lock);
	page = xa_load(&mapping->written, index);
	if (!page && write) {
		page = accel_map_own_page(mapping, index);
	} else if (!page) {
		flags &= ~VM_WRITE;
		if (!mapping->blank)
			mapping->blank = accel_map_page_new();
		page = mapping->blank;
	}
	if (!page)
		return VM_FAULT_OOM;
	/* Who has the blank one here, or is not allowed to write yet, comes back. */
	if (write)
		unmap_mapping_range(all, (loff_t)vmf->pgoff << PAGE_SHIFT, PAGE_SIZE, 1);
	return vmf_insert_pfn_prot(vmf->vma, vmf->address, page_to_pfn(page),
				   vm_get_page_prot(flags));
}

static vm_fault_t accel_map_insert(struct accel_mapping *mapping, struct vm_fault *vmf)
{
	u64 offset = (u64)(vmf->pgoff - mapping->pgoff) << PAGE_SHIFT;
	const struct accel_map_desc *desc = &mapping->desc;
	/* not vm_page_prot, which pfn_mkwrite makes read-only */
	pgprot_t prot = vm_get_page_prot(vmf->vma->vm_flags);
	unsigned long pfn;

	if (!desc->kaddr)
		pfn = PHYS_PFN(desc->phys + offset);
	else if (is_vmalloc_addr(desc->kaddr))
		pfn = vmalloc_to_pfn(desc->kaddr + offset);
	else
		pfn = PHYS_PFN(virt_to_phys(desc->kaddr + offset));
	return vmf_insert_pfn_prot(vmf->vma, vmf->address, pfn,
				   desc->noncached ? pgprot_noncached(prot) : prot);
}

static bool accel_map_is_there(const struct accel_mapping *mapping)
{
	return mapping->desc.kaddr ||
	       READ_ONCE(mapping->ctx->adev->state) == ACCEL_STATE_OK;
}

/* The device is there. */
static vm_fault_t accel_map_fault(struct accel_mapping *mapping, struct vm_fault *vmf)
{
	guard(rwsem_read)(&mapping->ctx->adev->map_lock);
	if (!accel_map_is_there(mapping))
		return accel_map_insert_blank(mapping, vmf);
	if (vmf->flags & FAULT_FLAG_MKWRITE)
		return 0;
	return accel_map_insert(mapping, vmf);
}

/*
 * A page that is not there, or is there for reading only: of the device's, because
 * mprotect() had it so for a while, which is over. Nothing is resumed for it, so there is
 * one reason for not getting in.
 */
static vm_fault_t accel_vma_fault(struct vm_fault *vmf)
{
	struct accel_mapping *mapping = vmf->vma->vm_private_data;
	struct accel_call call = { .ctx = mapping->ctx, .op = ACCEL_OP_FAULT };
	vm_fault_t fault;
	int ret;

	ret = accel_call_begin(&call);
	if (!ret)
		ret = accel_call_enter(&call);
	fault = ret ? accel_map_insert_blank(mapping, vmf) : accel_map_fault(mapping, vmf);
	accel_call_end(&call, fault & VM_FAULT_ERROR ? -EFAULT : 0);
	return fault;
}

static const struct vm_operations_struct accel_vm_ops = {
	.open = accel_vma_open,
	.close = accel_vma_close,
	.mremap = accel_vma_mremap,
	.fault = accel_vma_fault,
	.pfn_mkwrite = accel_vma_fault,
};

static int accel_map_ask(struct accel_call *call, struct accel_map_desc *desc)
{
	struct accel_device *adev = call->ctx->adev;
	int ret;

	ret = accel_call_enter(call);
	if (ret)
		return ret;
	if (!adev->nodes[call->ctx->node].can_mmap)
		ret = -ENODEV;
	else
		ret = adev->drv->mmap(call->ctx, desc);
	if (!ret && WARN_ON(!desc->kaddr == !desc->phys ||
			    (desc->kaddr ? !PAGE_ALIGNED(desc->kaddr) :
					   !PAGE_ALIGNED(desc->phys))))
		ret = -EINVAL;
	accel_call_leave(call);
	return ret;
}

static int accel_map_make(struct accel_call *call, struct vm_area_struct *vma)
{
	struct accel_mapping *mapping;
	int ret;

	/* A private copy of a register means nothing. */
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	kref_init(&mapping->ref);
	mutex_init(&mapping->lock);
	xa_init_flags(&mapping->written, XA_FLAGS_ACCOUNT);
	mapping->ctx = call->ctx;
	kref_get(&call->ctx->ref);
	mapping->id = call->u.mmap.map_id;
	mapping->pgoff = vma->vm_pgoff;
	mapping->desc.offset = call->u.mmap.offset;
	mapping->desc.size = call->u.mmap.bytes;
	mapping->desc.write = call->u.mmap.write;
	ret = accel_map_ask(call, &mapping->desc);
	if (ret) {
		kref_put(&mapping->ref, accel_mapping_free);
		return ret;
	}
	if (!mapping->desc.write)
		vm_flags_clear(vma, VM_MAYWRITE);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	if (mapping->desc.noncached)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_private_data = mapping;
	vma->vm_ops = &accel_vm_ops;
	return 0;
}

/**
 * accel_mmap - the file operation
 * @file: the context's file
 * @vma: the new VMA
 *
 * Context: process, mmap_lock is held for writing.
 * Return: 0; -ENODEV (gone, or nothing to map on this node), -EINVAL (private and
 * writable), or the driver's errno.
 */
int accel_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct accel_call call = {
		.ctx = file->private_data,
		.op = ACCEL_OP_MMAP,
		.u.mmap = {
			.map_id = accel_id_next(),
			.offset = (u64)vma->vm_pgoff << PAGE_SHIFT,
			.bytes = vma->vm_end - vma->vm_start,
			.write = vma->vm_flags & VM_WRITE,
		},
	};
	int ret;

	ret = accel_call_begin(&call);
	if (!ret)
		ret = accel_policy_mmap(call.ctx, call.u.mmap.offset, call.u.mmap.bytes,
					call.u.mmap.write);
	if (!ret)
		ret = accel_map_make(&call, vma);
	return accel_call_end(&call, ret);
}
