/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/* ioctls of accel_edu, the driver of QEMU's "edu" PCI device. */
#ifndef _UAPI_LINUX_ACCELERATOR_EDU_H
#define _UAPI_LINUX_ACCELERATOR_EDU_H

#include <linux/accelerator.h>

/*
 * Usable bytes of the device's own buffer, the device's side of every DMA. There is one
 * for all files, and nobody clears it: what one has sent there another can read, or
 * overwrite between its two DMAs. Who may open the device must be trusted with that. It
 * has one byte more, but the device takes a transfer that ends with it for one beyond it,
 * and QEMU then stops the whole machine.
 */
#define ACCEL_EDU_BUFFER_SIZE	4095

/* Job opcodes, as tracepoints show them. */
#define ACCEL_EDU_OP_FACTORIAL	0
#define ACCEL_EDU_OP_TO_DEVICE	1
#define ACCEL_EDU_OP_FROM_DEVICE 2

/**
 * struct accel_edu_factorial - argument of %ACCEL_EDU_IOCTL_FACTORIAL
 * @n: in: the factorial to compute, modulo 2^32; it comes back as the job's result
 * @reserved: must be zero
 * @job_id: out: for %ACCEL_IOCTL_JOB_WAIT
 */
struct accel_edu_factorial {
	__u32 n;
	__u32 reserved;
	__aligned_u64 job_id;
};

/**
 * struct accel_edu_dma - argument of %ACCEL_EDU_IOCTL_DMA
 * @mem_id: in: the pinned region
 * @offset: in: first byte in the region
 * @length: in: bytes, 1 to %ACCEL_EDU_BUFFER_SIZE
 * @buffer_offset: in: first byte in the device's buffer
 * @op: in: %ACCEL_EDU_OP_TO_DEVICE or %ACCEL_EDU_OP_FROM_DEVICE
 * @reserved: must be zero
 * @job_id: out: for %ACCEL_IOCTL_JOB_WAIT
 *
 * Errors: ENOENT (no such region), ERANGE (outside the region or the buffer),
 * EACCES (the region was not pinned for that direction), EINVAL.
 */
struct accel_edu_dma {
	__aligned_u64 mem_id;
	__aligned_u64 offset;
	__u32 length;
	__u32 buffer_offset;
	__u32 op;
	__u32 reserved;
	__aligned_u64 job_id;
};

#define ACCEL_EDU_IOCTL_FACTORIAL \
	_IOWR(ACCEL_IOCTL_TYPE, ACCEL_IOCTL_DRIVER_BASE + 0, struct accel_edu_factorial)
#define ACCEL_EDU_IOCTL_DMA \
	_IOWR(ACCEL_IOCTL_TYPE, ACCEL_IOCTL_DRIVER_BASE + 1, struct accel_edu_dma)

/*
 * mmap() offset 0: the device's registers, read-only, one page. They show what the device
 * does for all files, bus addresses and results included: needs CAP_SYS_RAWIO, else EPERM.
 */

#endif /* _UAPI_LINUX_ACCELERATOR_EDU_H */
