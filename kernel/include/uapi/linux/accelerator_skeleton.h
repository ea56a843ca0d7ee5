/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/* The one ioctl of accel_skeleton, the driver that docs/driver-guide.md explains. */
#ifndef _UAPI_LINUX_ACCELERATOR_SKELETON_H
#define _UAPI_LINUX_ACCELERATOR_SKELETON_H

#include <linux/accelerator.h>

/**
 * struct accel_skeleton_invert - argument of %ACCEL_SKELETON_IOCTL_INVERT
 * @mem_id: in: the pinned region
 * @offset: in: first byte in it
 * @length: in: bytes to invert, not zero
 * @job_id: out: for %ACCEL_IOCTL_JOB_WAIT; its result is the number of bytes inverted
 */
struct accel_skeleton_invert {
	__aligned_u64 mem_id;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 job_id;
};

#define ACCEL_SKELETON_IOCTL_INVERT \
	_IOWR(ACCEL_IOCTL_TYPE, ACCEL_IOCTL_DRIVER_BASE + 0, struct accel_skeleton_invert)

#endif /* _UAPI_LINUX_ACCELERATOR_SKELETON_H */
