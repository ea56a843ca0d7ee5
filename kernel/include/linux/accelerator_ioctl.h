/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver's ioctl tables, and what the core serves in them. See linux/accelerator.h. */
#ifndef _LINUX_ACCELERATOR_IOCTL_H
#define _LINUX_ACCELERATOR_IOCTL_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/ioctl.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <uapi/linux/accelerator.h>

struct accel_context;

/* struct accel_ioctl_desc.flags */
#define ACCEL_IOCTL_ADMIN	BIT(0)	/* the caller needs CAP_SYS_ADMIN, else EPERM */
#define ACCEL_IOCTL_ANY_STATE	BIT(1)	/* allowed while the device is failed or resetting */
#define ACCEL_IOCTL_EXCLUSIVE	BIT(2)	/* not beside another call of this file */
#define ACCEL_IOCTL_UNGATED	BIT(3)	/* the core's own handlers only: they gate in parts */

/**
 * struct accel_ioctl_desc - one entry of a node's ioctl table
 * @cmd: the command, its size that of the newest version of the argument
 * @min_size: size in bytes of the first version ever published
 * @flags: ACCEL_IOCTL_*
 * @name: what tools print, lower case
 * @func: the handler; @arg is a kernel copy of the argument, @arg's size that
 *	of @cmd, copied back to the user for a _IOR or _IOWR command when the
 *	handler returns 0 or more. Gated.
 *
 * Filled by ACCEL_IOCTL(), which checks sizes at build time. Tables are
 * indexed by command number: entry i of the array need not be number i.
 */
struct accel_ioctl_desc {
	unsigned int cmd;
	u16 min_size;
	u16 flags;
	const char *name;
	long (*func)(struct accel_context *ctx, void *arg);
};

/* Bytes of the largest argument: it is copied to the stack. */
#define ACCEL_IOCTL_MAX_SIZE	256

/**
 * ACCEL_IOCTL - one entry of an ioctl table
 * @_cmd: command, made with _IOW(), _IOR() or _IOWR() and ACCEL_IOCTL_TYPE
 * @_type: the argument's struct
 * @_last: the last member of the first published version of @_type
 * @_name: name without quotes, as tools print it
 * @_func: handler
 * @_flags: ACCEL_IOCTL_*
 */
#define ACCEL_IOCTL(_cmd, _type, _last, _name, _func, _flags) {			\
	.cmd = (_cmd) +								\
		BUILD_BUG_ON_ZERO(_IOC_TYPE(_cmd) != ACCEL_IOCTL_TYPE) +	\
		BUILD_BUG_ON_ZERO(_IOC_SIZE(_cmd) != sizeof(_type)) +		\
		BUILD_BUG_ON_ZERO(sizeof(_type) > ACCEL_IOCTL_MAX_SIZE) +	\
		BUILD_BUG_ON_ZERO(sizeof(_type) % 8),				\
	.min_size = offsetofend(_type, _last),					\
	.flags = (_flags),							\
	.name = #_name,								\
	.func = (_func),							\
}

/*
 * The core's handlers; a driver lists ACCEL_IOCTLS_MEM, _IOMMUFD and _JOB in its
 * tables, and ACCEL_IOCTLS_DMABUF when it keeps what is said there.
 */
long accel_ioctl_mem_pin(struct accel_context *ctx, void *arg);
long accel_ioctl_mem_unpin(struct accel_context *ctx, void *arg);
long accel_ioctl_mem_import(struct accel_context *ctx, void *arg);
long accel_ioctl_mem_export(struct accel_context *ctx, void *arg);
long accel_ioctl_iommufd_bind(struct accel_context *ctx, void *arg);
long accel_ioctl_iommufd_unbind(struct accel_context *ctx, void *arg);
long accel_ioctl_job_wait(struct accel_context *ctx, void *arg);

#define ACCEL_IOCTLS_MEM							\
	ACCEL_IOCTL(ACCEL_IOCTL_MEM_PIN, struct accel_mem_pin, mem_id,		\
		    mem_pin, accel_ioctl_mem_pin, ACCEL_IOCTL_UNGATED),		\
	ACCEL_IOCTL(ACCEL_IOCTL_MEM_UNPIN, struct accel_mem_unpin, mem_id,	\
		    mem_unpin, accel_ioctl_mem_unpin,				\
		    ACCEL_IOCTL_UNGATED | ACCEL_IOCTL_ANY_STATE)

/*
 * For drivers that use DMA addresses alone: a dma-buf may have no pages, and looking at
 * them is forbidden where it has. Others wait for such a driver's jobs while they hold
 * what memory allocation needs: its engines' callbacks must not allocate memory with
 * GFP_KERNEL, GFP_NOFS or GFP_NOIO, nor take a lock that is held where somebody does.
 */
#define ACCEL_IOCTLS_DMABUF							\
	ACCEL_IOCTL(ACCEL_IOCTL_MEM_IMPORT, struct accel_mem_import, mem_id,	\
		    mem_import, accel_ioctl_mem_import, ACCEL_IOCTL_UNGATED),	\
	ACCEL_IOCTL(ACCEL_IOCTL_MEM_EXPORT, struct accel_mem_export, fd,	\
		    mem_export, accel_ioctl_mem_export, ACCEL_IOCTL_UNGATED)

#define ACCEL_IOCTLS_IOMMUFD							\
	ACCEL_IOCTL(ACCEL_IOCTL_IOMMUFD_BIND, struct accel_iommufd_bind,	\
		    out_id, iommufd_bind, accel_ioctl_iommufd_bind,		\
		    ACCEL_IOCTL_UNGATED),					\
	ACCEL_IOCTL(ACCEL_IOCTL_IOMMUFD_UNBIND, struct accel_iommufd_unbind,	\
		    reserved, iommufd_unbind, accel_ioctl_iommufd_unbind,	\
		    ACCEL_IOCTL_UNGATED | ACCEL_IOCTL_ANY_STATE)

#define ACCEL_IOCTLS_JOB							\
	ACCEL_IOCTL(ACCEL_IOCTL_JOB_WAIT, struct accel_job_wait, reserved,	\
		    job_wait, accel_ioctl_job_wait,				\
		    ACCEL_IOCTL_UNGATED | ACCEL_IOCTL_ANY_STATE)

#endif /* _LINUX_ACCELERATOR_IOCTL_H */
