/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/*
 * The ioctls that the accelerator core serves for every driver that lists them
 * in its table, and the conventions that all ioctls of the subsystem keep.
 *
 * Devices are found and described through sysfs and netlink, never through an
 * ioctl: opening a device may be forbidden, or exclusive.
 *
 * Rules that hold for each ioctl below and for each driver's own:
 *  - The size of the argument is encoded in the command. A shorter argument is
 *    extended with zeroes, down to the first version that was ever published
 *    (shorter still: EINVAL); a longer one must end in zeroes (else E2BIG).
 *  - Reserved fields and unknown flag bits must be zero (else EINVAL).
 *  - An unknown command answers ENOTTY.
 *  - Once the device is gone, every ioctl answers ENODEV; close() is what is
 *    left to do.
 *  - Nothing differs for 32-bit callers.
 */
#ifndef _UAPI_LINUX_ACCELERATOR_H
#define _UAPI_LINUX_ACCELERATOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define ACCEL_IOCTL_TYPE	0xAC

/* Numbers below this one belong to the core, the others to drivers. */
#define ACCEL_IOCTL_DRIVER_BASE	0x40

/* What the device may do with a pinned region. */
#define ACCEL_MEM_READ		(1U << 0)	/* the device reads it */
#define ACCEL_MEM_WRITE		(1U << 1)	/* the device writes it */

/* How a region is named. */
#define ACCEL_MEM_IOVA		(1U << 2)	/* by an IOVA, see ACCEL_IOCTL_IOMMUFD_BIND */

/**
 * struct accel_mem_pin - argument of %ACCEL_IOCTL_MEM_PIN
 * @addr: in: start of the region in the caller's memory, or its IOVA, a multiple of
 *	the page size
 * @length: in: bytes, a multiple of the page size, not zero
 * @flags: in: %ACCEL_MEM_READ, %ACCEL_MEM_WRITE or both; also %ACCEL_MEM_IOVA
 * @reserved: must be zero
 * @mem_id: out: names the region in this file's other calls; never used twice
 *
 * The pages stay where they are, mapped for the device's DMA, until
 * %ACCEL_IOCTL_MEM_UNPIN, the file's last close or the device's removal. So long they
 * are charged to the user who pins them, together with what else the kernel has locked
 * for that user (io_uring, iommufd), and RLIMIT_MEMLOCK is the limit. With CAP_IPC_LOCK
 * nothing is charged. VmPin in /proc/PID/status shows them in either case.
 *
 * Errors: EINVAL (zero or unaligned, bad flags), EFAULT (not all of it is
 * mapped, or not writable although the device is to write), EOPNOTSUPP (the
 * device is to write to a file whose file system has to see each write), ENOMEM
 * (over RLIMIT_MEMLOCK, or no memory), EPERM (that is 0), EINTR, ENODEV. Which page
 * and why, or which limit: see "accelctl ctx list" or accel-last-error in
 * /proc/PID/fdinfo.
 *
 * With %ACCEL_MEM_IOVA: an IOVA of the IOAS that the file is bound to, see
 * %ACCEL_IOCTL_IOMMUFD_BIND. iommufd pins and accounts, nothing else is charged. The
 * region ends also when its IOVA is unmapped: jobs that use it end with EFAULT before
 * IOMMU_IOAS_UNMAP returns, and its handle names nothing any more.
 *
 * Errors besides: ENOTCONN (the file is not bound), ENOENT (not all of it is mapped in
 * the IOAS), EACCES (mapped there, but not for that direction), EEXIST (a region of
 * this file has some of these addresses already), ERANGE (beyond the addresses that the
 * device has; where the hardware is attached, also: more than 1 TiB), EAGAIN (it is
 * being unmapped), EOPNOTSUPP (this kernel has no iommufd).
 */
struct accel_mem_pin {
	__aligned_u64 addr;
	__aligned_u64 length;
	__u32 flags;
	__u32 reserved;
	__aligned_u64 mem_id;
};

/**
 * struct accel_mem_unpin - argument of %ACCEL_IOCTL_MEM_UNPIN
 * @mem_id: in: from %ACCEL_IOCTL_MEM_PIN on the same file
 *
 * Waits until no job uses the region; the pages are unpinned when it returns.
 * Errors: ENOENT (not a region of this file), EINTR (still pinned), ENODEV.
 */
struct accel_mem_unpin {
	__aligned_u64 mem_id;
};

/**
 * struct accel_iommufd_bind - argument of %ACCEL_IOCTL_IOMMUFD_BIND
 * @iommufd: in: a descriptor of /dev/iommu
 * @pt_id: in: an IOAS of it; where the hardware is attached, also one of its page tables
 * @flags: in: 0 or %ACCEL_IOMMUFD_PASID
 * @out_id: out: the object that iommufd made for it: the device, where the hardware is
 *	attached
 * @out_pasid: out: with %ACCEL_IOMMUFD_PASID, the PASID of this file's DMA, as
 *	iommufd's page faults name it; 0 otherwise
 * @reserved: must be zero
 *
 * From now on regions of this file may be named by the IOAS's addresses
 * (%ACCEL_MEM_IOVA). What is mapped there is said with IOMMU_IOAS_MAP and
 * IOMMU_IOAS_UNMAP on the iommufd, and with nothing else.
 *
 * Which of two ways it is depends on the device. One that has a page table of its own
 * gets each region's pages. Another is attached as it is: its IOMMU then translates by
 * the IOAS, whatever regions there are, and refuses what is not mapped there or not any
 * more; no job is ended, and IOMMU_IOAS_UNMAP leaves regions as they are. While a device
 * is attached it is so for one file; regions of the caller's memory answer EBUSY.
 *
 * With %ACCEL_IOMMUFD_PASID each file has an address space of its own: the hardware marks
 * its DMA with a PASID, which the IOMMU translates by the page table that this file has
 * named. So a device can be attached for many files, all by the same iommufd (another is
 * answered EBUSY), and for none without PASID beside them. An IOAS cannot be named:
 * iommufd attaches a PASID only to a page table that was made for it, and makes none by
 * itself. It takes two steps:
 *
 * 1. bind with @pt_id 0: the file has its PASID, and @out_id is the device;
 * 2. IOMMU_HWPT_ALLOC with IOMMU_HWPT_ALLOC_PASID makes a page table of an IOAS for that
 *    device; bind again with its id in @pt_id, and regions can be named (until then:
 *    ENOTCONN).
 *
 * Where there is such a page table already, one bind that names it is enough.
 *
 * Lasts until %ACCEL_IOCTL_IOMMUFD_UNBIND, the file's last close or the device's
 * removal; the iommufd may be closed meanwhile.
 *
 * Errors: EBADF (no descriptor), EBADFD (not one of /dev/iommu), ENOENT (no such
 * IOAS), EBUSY (bound already; of a device that is attached, also: there is a region of
 * somebody's, or it is attached for another file), EADDRINUSE (something is mapped there
 * in units smaller than a page, or where the hardware cannot have it), EPERM (the device
 * shares its IOMMU group, or its interrupts are not isolated), EINVAL (of a PASID, also:
 * that is no page table for one), ENOSPC (no PASID is free), ENODEV, EOPNOTSUPP (this
 * kernel has no iommufd, or the device no IOMMU; no PASIDs: the kernel is older than 6.15,
 * the hardware has none or its driver does not use them).
 */
struct accel_iommufd_bind {
	__s32 iommufd;
	__u32 pt_id;
	__u32 flags;
	__u32 out_id;
	__u32 out_pasid;
	__u32 reserved;
};

/* struct accel_iommufd_bind.flags */
#define ACCEL_IOMMUFD_PASID	(1U << 0)

/**
 * struct accel_iommufd_unbind - argument of %ACCEL_IOCTL_IOMMUFD_UNBIND
 * @flags: must be zero
 * @reserved: must be zero
 *
 * Errors: ENOTCONN (the file is not bound), EBUSY (a region of it is there, or being
 * pinned; a second bind is under way), EINVAL, ENODEV, EOPNOTSUPP (this kernel has no iommufd).
 */
struct accel_iommufd_unbind {
	__u32 flags;
	__u32 reserved;
};

/**
 * struct accel_job_wait - argument of %ACCEL_IOCTL_JOB_WAIT
 * @job_id: in: from a driver's submit ioctl on the same file
 * @deadline_ns: in: CLOCK_MONOTONIC, nanoseconds; 0 only looks, negative is
 *	refused, INT64_MAX waits for ever
 * @result: out: the job's own result; its meaning is the driver's
 * @queue_ns: out: from submission to start
 * @run_ns: out: from start to completion
 * @status: out: 0 or a negative errno: how the job ended
 * @reserved: must be zero
 *
 * Success means that the job has ended, well or badly (@status), and that its
 * id is forgotten. Errors: ENOENT (not a job of this file, or waited for
 * already), ETIMEDOUT (still running), EINTR, ENODEV.
 */
struct accel_job_wait {
	__aligned_u64 job_id;
	__s64 deadline_ns;
	__aligned_u64 result;
	__aligned_u64 queue_ns;
	__aligned_u64 run_ns;
	__s32 status;
	__u32 reserved;
};

/**
 * struct accel_mem_import - argument of %ACCEL_IOCTL_MEM_IMPORT
 * @fd: in: a dma-buf, whoever exports it; may be closed afterwards
 * @flags: in: %ACCEL_MEM_READ, %ACCEL_MEM_WRITE or both
 * @length: out: bytes of the region: all of the dma-buf
 * @mem_id: out: names the region, as that of %ACCEL_IOCTL_MEM_PIN does
 *
 * The exporter may move the buffer, or take it back, at any time. Each job puts a
 * fence into the buffer's reservation, so that all who keep the rules of implicit
 * synchronisation wait for it: %ACCEL_MEM_READ for readers, %ACCEL_MEM_WRITE for
 * writers. Likewise a job does not start before what others have put there has
 * ended. Jobs of one file do not wait for one another in this way: they keep the
 * order of their engine, as with any other memory.
 *
 * When the exporter has taken the buffer back, jobs that wait or run end with
 * ESTALE and new ones are refused with it; the id stays until
 * %ACCEL_IOCTL_MEM_UNPIN.
 *
 * Errors: EBADF (no such file), EINVAL (not a dma-buf, bad flags), EACCES (the
 * dma-buf was not opened for that access), ESTALE (taken back already),
 * EOPNOTSUPP (the device reaches it through bounce buffers only, which is no
 * sharing; or the exporter gives it to no importer of this kind), ENOMEM, EINTR,
 * ENODEV, ENOTTY (the driver takes none), and what the exporter answers.
 */
struct accel_mem_import {
	__s32 fd;
	__u32 flags;
	__aligned_u64 length;
	__aligned_u64 mem_id;
};

/**
 * struct accel_mem_export - argument of %ACCEL_IOCTL_MEM_EXPORT
 * @mem_id: in: a region that is pinned user memory of this file
 * @flags: in: O_CLOEXEC or 0
 * @fd: out: a dma-buf that is the region; read-only when the region's device
 *	only reads it
 *
 * Each call for one region gives a file descriptor of the same dma-buf. It shares
 * the memory for as long as it is pinned: %ACCEL_IOCTL_MEM_UNPIN waits for jobs that
 * use it elsewhere, the file's last close and the device's removal end them, and
 * none of them leaves a page pinned, whoever still holds the descriptor. Only
 * importers that can let go of it are accepted. It cannot be mapped with mmap()
 * (ENODEV): its owner has it mapped already.
 *
 * Errors: ENOENT (not a region of this file), EINVAL (bad flags), EOPNOTSUPP (not
 * pinned user memory), EBUSY (a job uses it: export before, or wait for it),
 * EMFILE, ENFILE, ENOMEM, ENODEV.
 */
struct accel_mem_export {
	__aligned_u64 mem_id;
	__u32 flags;
	__s32 fd;
};

#define ACCEL_IOCTL_MEM_PIN	_IOWR(ACCEL_IOCTL_TYPE, 0x00, struct accel_mem_pin)
#define ACCEL_IOCTL_MEM_UNPIN	_IOW(ACCEL_IOCTL_TYPE, 0x01, struct accel_mem_unpin)
#define ACCEL_IOCTL_JOB_WAIT	_IOWR(ACCEL_IOCTL_TYPE, 0x02, struct accel_job_wait)
#define ACCEL_IOCTL_IOMMUFD_BIND \
	_IOWR(ACCEL_IOCTL_TYPE, 0x03, struct accel_iommufd_bind)
#define ACCEL_IOCTL_IOMMUFD_UNBIND \
	_IOW(ACCEL_IOCTL_TYPE, 0x04, struct accel_iommufd_unbind)
#define ACCEL_IOCTL_MEM_IMPORT	_IOWR(ACCEL_IOCTL_TYPE, 0x05, struct accel_mem_import)
#define ACCEL_IOCTL_MEM_EXPORT	_IOWR(ACCEL_IOCTL_TYPE, 0x06, struct accel_mem_export)

#endif /* _UAPI_LINUX_ACCELERATOR_H */
