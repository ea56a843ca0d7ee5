// SPDX-License-Identifier: GPL-2.0-only
/* The module: what is there before the first device and after the last. */
#include <linux/module.h>
#include <linux/version.h>

#include "core.h"
#include "policy.h"

/* An identifier before 6.13, a string since. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define ACCEL_DMA_BUF_NS "DMA_BUF"
#else
#define ACCEL_DMA_BUF_NS DMA_BUF
#endif

static DEFINE_PER_CPU(u64, accel_ids);
static atomic64_t accel_id_batches;

#define ACCEL_ID_BATCH	256

/**
 * accel_job_id_next - a new id for a job
 *
 * Each cpu draws them from a batch of its own, so that jobs on many cpus do not
 * meet in one cache line.
 *
 * Context: any.
 * Return: an id that is never returned again.
 */
u64 accel_job_id_next(void)
{
	u64 *next, id;
	unsigned long flags;

	local_irq_save(flags);
	next = this_cpu_ptr(&accel_ids);
	if (*next % ACCEL_ID_BATCH == 0)
		*next = atomic64_inc_return(&accel_id_batches) * ACCEL_ID_BATCH;
	id = *next + 1 - ACCEL_ID_BATCH;
	(*next)++;
	local_irq_restore(flags);
	return id;
}
EXPORT_SYMBOL_IF_KUNIT(accel_job_id_next);

/**
 * accel_id_next - a new id for a device, a context, a mapping or a region
 *
 * Context: any.
 * Return: an id that is never returned again, and greater than all before.
 */
u64 accel_id_next(void)
{
	static atomic64_t last;

	return atomic64_inc_return(&last);
}
EXPORT_SYMBOL_IF_KUNIT(accel_id_next);

static int __init accel_init(void)
{
	int ret;

	ret = accel_mem_init();
	if (ret)
		return ret;
	ret = accel_gather_init();
	if (ret)
		goto err_mem;
	ret = accel_devices_init();
	if (ret)
		goto err_gather;
	ret = accel_debugfs_init();
	if (ret)
		goto err_devices;
	ret = accel_iommufd_init();
	if (ret)
		goto err_debugfs;
	ret = accel_netlink_init();
	if (ret)
		goto err_iommufd;
	ret = accel_kfuncs_init();
	if (ret)
		goto err_netlink;
	/* Last: it cannot be undone. */
	ret = accel_policy_bpf_init();
	if (ret)
		goto err_kfuncs;
	return 0;

err_kfuncs:
	accel_kfuncs_exit();
err_netlink:
	accel_netlink_exit();
err_iommufd:
	accel_iommufd_exit();
err_debugfs:
	accel_debugfs_exit();
err_devices:
	accel_devices_exit();
err_gather:
	accel_gather_exit();
err_mem:
	accel_mem_exit();
	return ret;
}

static void __exit accel_exit(void)
{
	accel_fences_exit();
	accel_kfuncs_exit();
	accel_netlink_exit();
	accel_iommufd_exit();
	accel_debugfs_exit();
	accel_devices_exit();
	accel_gather_exit();
	accel_mem_exit();
	/* What was freed behind BPF programs' backs is our code's to free. */
	rcu_barrier();
}

module_init(accel_init);
module_exit(accel_exit);
module_param_named(drain_warn_ms, accel_drain_warn_ms, uint, 0644);
MODULE_PARM_DESC(drain_warn_ms,
		 "report who holds up an unplug each time this many milliseconds have passed (default 1000)");
module_param_named(policy_hold_ms, accel_policy_hold_ms, uint, 0644);
MODULE_PARM_DESC(policy_hold_ms,
		 "start a job that policies hold back after this many milliseconds (default 30000)");
MODULE_DESCRIPTION("Compute accelerators");
MODULE_IMPORT_NS(ACCEL_DMA_BUF_NS);
MODULE_LICENSE("GPL");
