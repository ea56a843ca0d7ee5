/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies: decisions on what users may do with accelerators, made outside of the
 * drivers, as a rule by BPF programs (struct_ops accel_policy_ops).
 *
 * A call is put to the policies of its node, one after the other, before the driver
 * or the core's own part of it sees anything. The first that answers with an error
 * ends it; those behind are not asked. Nobody waits for a policy: it runs to its end
 * without sleeping, and one that is taken away is just not asked any more.
 *
 * To keep books, a policy needs to hear of the end of what it allowed, of all of that
 * and of nothing else. So each hook that decides on a thing that lasts has a partner,
 * and a policy's partner is called exactly once for each call that its hook answered
 * with 0: when the thing ends, or at once, when a policy behind it refused, or when the
 * operation itself failed. A policy hears nothing of things that are older than itself.
 *
 * To enter and leave a BPF program takes longer than to count. So who needs the sum only
 * of the regions that have ended takes @mem_unpinned instead of @mem_unpin, which is told
 * in bulk and late, but never too late: see there.
 */
#ifndef _LINUX_ACCELERATOR_POLICY_H
#define _LINUX_ACCELERATOR_POLICY_H

#include <linux/types.h>

struct accel_context;
struct accel_job;
struct accel_mem;

#define ACCEL_POLICY_NAME_LEN		16	/* with the NUL */
#define ACCEL_POLICY_DEVICE_LEN		32	/* likewise */

/**
 * struct accel_policy_ops - a policy: BPF struct_ops; all hooks are optional
 * @open: a node is being opened; @ctx is new, and nobody else sees it yet
 * @ioctl: an ioctl that the device has; @arg is the kernel's copy of its argument, of as many
 *	bytes as the driver's table says, for bpf_probe_read_kernel()
 * @mmap: a mapping is asked for: @offset and @bytes as user space gave them
 * @mem_pin: a region is being made: by pinning user memory, from an iommufd or from a
 *	dma-buf, see @mem->way. Nothing of it is pinned or charged yet, and the length of a
 *	dma-buf not known: @mem->length is 0
 * @dma_map: a region is to be made reachable for the device. For a dma-buf that was moved
 *	by its exporter, again when a job is submitted
 * @job_submit: a job is about to join its engine's queue
 * @job_start: an engine looks for its next job; not 0: not this one now, and none behind it
 *	of the same file. It asks again whenever a job joins the queue or ends, when the
 *	device's policies change, and every %ACCEL_POLICY_RETRY_MS; each time may be the last, or
 *	not. A job that was held back for longer than the core's parameter policy_hold_ms
 *	is started all the same. The engine's lock is held, interrupts are off
 * @context_close: the partner of @open: the file is closed, its jobs and regions
 *	have ended
 * @mem_unpin: the partner of @mem_pin: the region is gone
 * @mem_unpinned: likewise, in bulk: regions of the file's, of so many @bytes together, are
 *	gone. Imported dma-bufs, which are their exporter's, are not among them. Told before a
 *	refusal by @mem_pin of a policy that has this hook is final (see @policy_settled of
 *	struct accel_mem), before the file's @context_close, and before user space is told of
 *	the policies (netlink's policy-get, accelctl policy)
 * @job_done: the partner of @job_submit: the job has ended, @job->status says how;
 *	or it never was queued (@job->state is %ACCEL_JOB_NEW). Interrupts may be off
 * @name: what tools, errors and tracepoints call it: letters, digits, '-', '_', '.', which
 *	is not the first
 * @device: the devices it is for, by name: a pattern as of the shell, with '*', '?' and
 *	[…] ("acc0", "acc[0-3]", "acc[!0]"); or some nodes of them ("acc0c", "acc*c"); empty: all
 * @priority: policies are asked in ascending order; of equal ones, who came first
 *
 * A hook that decides answers 0, or a negative errno, which becomes the caller's. What is
 * no errno that user space may see refuses with EPERM, and is counted as an error of the
 * policy's.
 *
 * Context: any, atomic; current is the caller but for @job_start, @job_done, and
 * @mem_unpin, @mem_unpinned and @context_close, which come from whoever ends the thing, or
 * from who has to know.
 */
struct accel_policy_ops {
	int (*open)(struct accel_context *ctx);
	int (*ioctl)(struct accel_context *ctx, unsigned int cmd, const u64 *arg);
	int (*mmap)(struct accel_context *ctx, u64 offset, u64 bytes, bool write);
	int (*mem_pin)(struct accel_context *ctx, struct accel_mem *mem);
	int (*dma_map)(struct accel_context *ctx, struct accel_mem *mem);
	int (*job_submit)(struct accel_context *ctx, struct accel_job *job);
	int (*job_start)(struct accel_context *ctx, struct accel_job *job);
	void (*context_close)(struct accel_context *ctx);
	void (*mem_unpin)(struct accel_context *ctx, struct accel_mem *mem);
	void (*mem_unpinned)(struct accel_context *ctx, u64 bytes);
	void (*job_done)(struct accel_context *ctx, struct accel_job *job);
	char name[ACCEL_POLICY_NAME_LEN];
	char device[ACCEL_POLICY_DEVICE_LEN];
	s32 priority;
};

#endif /* _LINUX_ACCELERATOR_POLICY_H */
