/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that use iommufd share. */
#ifndef _ACCEL_IOMMUFD_H
#define _ACCEL_IOMMUFD_H

#include <linux/iommufd.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "core.h"

/**
 * enum accel_pin_state - who is to give a region back to iommufd
 * @ACCEL_PIN_NONE: nobody: iommufd has it
 * @ACCEL_PIN_TAKEN: nobody yet: it is being pinned, or used
 * @ACCEL_PIN_RELEASED: whoever comes first: the device does not reach it any more
 * @ACCEL_PIN_UNPINNING: somebody is at it
 */
enum accel_pin_state {
	ACCEL_PIN_NONE,
	ACCEL_PIN_TAKEN,
	ACCEL_PIN_RELEASED,
	ACCEL_PIN_UNPINNING,
};

/**
 * struct accel_iommufd - a context that is bound to an IOAS
 * @ref: of the context that is bound, and of each region until it is freed
 * @ctx: the context, with a reference until the end
 * @access: what iommufd knows it by; or, where the hardware is attached:
 * @idev: what iommufd knows the hardware by
 * @ictx: the iommufd, with a reference
 * @parent: the hardware, with a reference
 * @pasid: that its DMA is marked with; IOMMU_NO_PASID: all of its DMA
 * @attached: it uses the IOAS's page table; a PASID does so from the second bind on
 * @attaching: that one is under way, and ends the binding if the context dies meanwhile;
 *	under ctx->lock, as is @attached once the context is bound
 * @work: the end, see accel_iommufd_end()
 * @lock: protects all below it
 * @pins: regions that iommufd has pinned, or is asked to pin; a reference on each
 * @regions: that name the IOAS's addresses and are not in @pins: of attached hardware
 * @unmaps: callbacks of iommufd's that are running
 * @wq: a region has left @pins or was released, or the last callback has ended
 *
 * Nobody joins @pins or @regions once the context has let go of it (ctx->iommufd).
 */
struct accel_iommufd {
	struct kref ref;
	struct accel_context *ctx;
	struct iommufd_access *access;
	struct iommufd_device *idev;
	struct iommufd_ctx *ictx;
	struct device *parent;
	u32 pasid;
	bool attached;
	bool attaching;
	struct work_struct work;
	spinlock_t lock;	/* all below it */
	struct list_head pins;
	unsigned int regions;
	unsigned int unmaps;
	wait_queue_head_t wq;
};

extern const struct accel_mem_ops accel_mem_iommufd_ops;
extern const struct accel_mem_ops accel_mem_attach_ops;
extern const struct iommufd_access_ops accel_iommufd_access_ops;

void accel_iommufd_put(struct accel_iommufd *bind);
int accel_iommufd_record(struct accel_mem *mem);
void accel_iommufd_strike(struct accel_mem *mem);
void accel_mem_iommufd_forget(struct accel_mem *mem);
void accel_iommufd_drop_pins(struct accel_iommufd *bind);

int accel_attach_claim(struct accel_iommufd *bind, struct iommufd_ctx *ictx, bool pasid,
		       u32 *id);
int accel_attach_begin(struct accel_iommufd *bind, u32 pt_id);
void accel_attach_end(struct accel_iommufd *bind);

#endif /* _ACCEL_IOMMUFD_H */
