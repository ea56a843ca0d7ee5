/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/* What accel_mock and the tests that use it say to each other. No ABI. */
#ifndef _ACCEL_MOCK_H
#define _ACCEL_MOCK_H

#include <linux/accelerator.h>

/**
 * struct accel_mock_copy - argument of %ACCEL_MOCK_IOCTL_COPY
 * @mem_id: in: a region by IOVA
 * @from: in: offset in the region
 * @to: in: offset in the region
 * @length: in: bytes
 * @job_id: out: for %ACCEL_IOCTL_JOB_WAIT, whose result is the PASID that the DMA was
 *	marked with
 */
struct accel_mock_copy {
	__u64 mem_id;
	__u64 from;
	__u64 to;
	__u64 length;
	__u64 job_id;
};

#define ACCEL_MOCK_IOCTL_COPY	_IOWR(ACCEL_IOCTL_TYPE, 0x40, struct accel_mock_copy)

#endif
