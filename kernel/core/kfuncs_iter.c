// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open-coded iterators for BPF programs: over devices, a device's contexts and a
 * context's regions, each by ascending id. From 6.12 on.
 *
 * Inside an RCU read-side critical section, which the verifier sees to: a program that
 * may sleep takes bpf_rcu_read_lock() around the walk. What an iterator gives is there
 * until that ends, though it may have been unregistered, closed or unpinned meanwhile.
 * What comes or goes during a walk may be seen or not; all else is seen once.
 */
#include <linux/btf.h>
#include <linux/rcupdate.h>

#include "kfuncs.h"

struct accel_device_walk {
	u64 next;
} __aligned(8);

struct accel_context_walk {
	struct accel_device *adev;
	u64 next;
} __aligned(8);

struct accel_mem_walk {
	struct accel_context *ctx;
	u64 next;
} __aligned(8);

static_assert(sizeof(struct accel_device_walk) <= sizeof(struct bpf_iter_accel_device));
static_assert(sizeof(struct accel_context_walk) <= sizeof(struct bpf_iter_accel_context));
static_assert(sizeof(struct accel_mem_walk) <= sizeof(struct bpf_iter_accel_mem));

__bpf_kfunc_start_defs();

/**
 * bpf_iter_accel_device_new - start a walk over all registered devices
 * @it: the iterator
 *
 * Return: 0.
 */
__bpf_kfunc int bpf_iter_accel_device_new(struct bpf_iter_accel_device *it)
{
	struct accel_device_walk *walk = (void *)it;

	walk->next = 0;
	return 0;
}

/**
 * bpf_iter_accel_device_next - the next device
 * @it: the iterator
 *
 * Return: a device, until the walk's critical section ends; NULL: that was the last.
 */
__bpf_kfunc struct accel_device *bpf_iter_accel_device_next(struct bpf_iter_accel_device *it)
{
	struct accel_device_walk *walk = (void *)it;
	unsigned long id = walk->next;
	struct accel_device *adev = xa_find(&accel_devices, &id, ULONG_MAX, XA_PRESENT);

	if (adev)
		walk->next = id + 1;
	return adev;
}

/**
 * bpf_iter_accel_device_destroy - end a walk
 * @it: the iterator
 */
__bpf_kfunc void bpf_iter_accel_device_destroy(struct bpf_iter_accel_device *it)
{
}

/**
 * bpf_iter_accel_context_new - start a walk over a device's contexts
 * @it: the iterator
 * @adev: the device
 *
 * Return: 0.
 */
__bpf_kfunc int bpf_iter_accel_context_new(struct bpf_iter_accel_context *it,
					   struct accel_device *adev)
{
	struct accel_context_walk *walk = (void *)it;

	walk->adev = adev;
	walk->next = 0;
	return 0;
}

/**
 * bpf_iter_accel_context_next - the next context
 * @it: the iterator
 *
 * Return: a context, until the walk's critical section ends; NULL: that was the last.
 */
__bpf_kfunc struct accel_context *bpf_iter_accel_context_next(struct bpf_iter_accel_context *it)
{
	struct accel_context_walk *walk = (void *)it;
	unsigned long id = walk->next;
	struct accel_context *ctx;

	if (!walk->adev)
		return NULL;
	ctx = xa_find(&walk->adev->contexts, &id, ULONG_MAX, XA_PRESENT);
	if (ctx)
		walk->next = id + 1;
	return ctx;
}

/**
 * bpf_iter_accel_context_destroy - end a walk
 * @it: the iterator
 */
__bpf_kfunc void bpf_iter_accel_context_destroy(struct bpf_iter_accel_context *it)
{
}

/**
 * bpf_iter_accel_mem_new - start a walk over a context's regions
 * @it: the iterator
 * @ctx: the context
 *
 * Return: 0.
 */
__bpf_kfunc int bpf_iter_accel_mem_new(struct bpf_iter_accel_mem *it, struct accel_context *ctx)
{
	struct accel_mem_walk *walk = (void *)it;

	walk->ctx = ctx;
	walk->next = 0;
	return 0;
}

/**
 * bpf_iter_accel_mem_next - the next region
 * @it: the iterator
 *
 * Return: a region, until the walk's critical section ends; NULL: that was the last.
 */
__bpf_kfunc struct accel_mem *bpf_iter_accel_mem_next(struct bpf_iter_accel_mem *it)
{
	struct accel_mem_walk *walk = (void *)it;
	struct accel_mem *mem;

	if (!walk->ctx)
		return NULL;
	mem = accel_mem_next_rcu(walk->ctx, &walk->next);
	/* its id may be another one by now */
	if (mem)
		walk->next++;
	return mem;
}

/**
 * bpf_iter_accel_mem_destroy - end a walk
 * @it: the iterator
 */
__bpf_kfunc void bpf_iter_accel_mem_destroy(struct bpf_iter_accel_mem *it)
{
}

__bpf_kfunc_end_defs();
