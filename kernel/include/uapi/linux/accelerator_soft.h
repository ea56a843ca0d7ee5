/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/* ioctls of accel_soft, an offload engine in software. */
#ifndef _UAPI_LINUX_ACCELERATOR_SOFT_H
#define _UAPI_LINUX_ACCELERATOR_SOFT_H

#include <linux/accelerator.h>

/* Job opcodes, as tracepoints show them. */
#define ACCEL_SOFT_OP_NOP	0	/* takes the engine's latency, touches nothing */
#define ACCEL_SOFT_OP_COPY	1	/* source to destination; no overlap inside a region */
#define ACCEL_SOFT_OP_FILL	2	/* destination with the 8 bytes of @pattern, repeated */
#define ACCEL_SOFT_OP_COMPARE	3	/* result: offset of the first difference, or @length */
#define ACCEL_SOFT_OP_CRC32C	4	/* result: crc32c of the source, continued from @pattern */

#define ACCEL_SOFT_ENGINE_ANY	0xffffffffU	/* the one with the shortest queue */

/**
 * struct accel_soft_submit - argument of %ACCEL_SOFT_IOCTL_SUBMIT
 * @op: in: ACCEL_SOFT_OP_*
 * @engine: in: index of the engine, or %ACCEL_SOFT_ENGINE_ANY
 * @src_mem: in: the region read (copy, compare, crc32c), else 0
 * @src_offset: in: first byte in it
 * @dst_mem: in: the region written (copy, fill) or compared with (compare), else 0
 * @dst_offset: in: first byte in it
 * @length: in: bytes, not zero except for a nop
 * @pattern: in: fill: the pattern, its lowest byte first in memory, from the start
 *	of the job; crc32c: 0, or the checksum of what comes before the source; else 0
 * @flags: must be zero
 * @reserved: must be zero
 * @job_id: out: for %ACCEL_IOCTL_JOB_WAIT
 *
 * crc32c is the usual one (Castagnoli, reflected, begun with and finished by
 * inverting): of the nine bytes "123456789", with @pattern 0, it is 0xe3069283. The
 * checksum of one piece is the @pattern of the next, as with zlib's crc32().
 *
 * Errors: ENOENT (no such region), ERANGE (outside the region), EACCES (not
 * pinned for that direction), EAGAIN (too many jobs not waited for), EINVAL
 * (unknown operation or engine, a field that the operation does not use is not
 * zero, length zero, overlap).
 */
struct accel_soft_submit {
	__u32 op;
	__u32 engine;
	__aligned_u64 src_mem;
	__aligned_u64 src_offset;
	__aligned_u64 dst_mem;
	__aligned_u64 dst_offset;
	__aligned_u64 length;
	__aligned_u64 pattern;
	__u32 flags;
	__u32 reserved;
	__aligned_u64 job_id;
};

#define ACCEL_SOFT_IOCTL_SUBMIT \
	_IOWR(ACCEL_IOCTL_TYPE, ACCEL_IOCTL_DRIVER_BASE + 0, struct accel_soft_submit)

#define ACCEL_SOFT_LATENCY_MAX	60000000000ULL	/* a minute */

/**
 * struct accel_soft_config - argument of %ACCEL_SOFT_IOCTL_CONFIG, on the control node only
 * @engine: in: index of the engine, or %ACCEL_SOFT_ENGINE_ANY for all
 * @flags: must be zero
 * @latency_ns: in: fixed time that each job takes before its data is touched, at
 *	most %ACCEL_SOFT_LATENCY_MAX
 * @bandwidth: in: bytes per second at the most, 0: as fast as the processor
 *
 * Both are set, from the next job on. Errors: EPERM, EINVAL.
 */
struct accel_soft_config {
	__u32 engine;
	__u32 flags;
	__aligned_u64 latency_ns;
	__aligned_u64 bandwidth;
};

#define ACCEL_SOFT_IOCTL_CONFIG \
	_IOW(ACCEL_IOCTL_TYPE, ACCEL_IOCTL_DRIVER_BASE + 1, struct accel_soft_config)

/*
 * mmap() offset 0 of the compute node: one read-only page, struct accel_soft_status:
 * polled by a submitter that wants to see progress without a system call.
 */
struct accel_soft_status {
	__aligned_u64 jobs_done;	/* by all engines of the device */
	__aligned_u64 bytes_done;
	__u32 engines;
	__u32 version;			/* 1 */
};

/*
 * mmap() of the compute node from this offset on: memory of the open file's own, zero at
 * first, to read and to write, any pages of it. It is there until the file is closed, like
 * a device's local memory; no job reaches it.
 */
#define ACCEL_SOFT_SCRATCH_OFFSET	0x100000ULL
#define ACCEL_SOFT_SCRATCH_SIZE		0x10000ULL

#endif /* _UAPI_LINUX_ACCELERATOR_SOFT_H */
