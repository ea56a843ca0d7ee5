// SPDX-License-Identifier: GPL-2.0-only
/*
 * accel_soft: an offload engine in software, like a small DSA. It copies, fills,
 * compares and checksums user memory that the core has pinned, with a latency and
 * a bandwidth to choose: what load, scale and policies are tried on where there is
 * no hardware.
 *
 * Each device is a platform device, so that it can be unbound and bound in sysfs.
 */
#include <linux/module.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/nospec.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/vmalloc.h>

#include "soft.h"

#define SOFT_MAX_DEVICES	256
#define SOFT_MAX_DEPTH		16

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "number of devices, 1 to 256 (default 1)");

static unsigned int engines = 2;
module_param(engines, uint, 0444);
MODULE_PARM_DESC(engines, "engines of each device, 1 to 8 (default 2)");

static unsigned int depth = 1;
module_param(depth, uint, 0444);
MODULE_PARM_DESC(depth, "jobs that each engine works on at a time, 1 to 16 (default 1)");

static unsigned long long latency_ns;
module_param(latency_ns, ullong, 0444);
MODULE_PARM_DESC(latency_ns, "fixed time of each job at first, up to a minute (default 0)");

static unsigned long long bandwidth;
module_param(bandwidth, ullong, 0444);
MODULE_PARM_DESC(bandwidth, "bytes per second of each engine at first, 0: no limit (default 0)");

static bool exclusive;
module_param(exclusive, bool, 0444);
MODULE_PARM_DESC(exclusive, "one open file of each device at a time (default no)");

static bool runtime_pm;
module_param(runtime_pm, bool, 0444);
MODULE_PARM_DESC(runtime_pm, "suspend devices at once when they are idle (default no)");

/* What does not end while its bit is set. */
#define SOFT_LINGER_CONFIG	BIT(0)
#define SOFT_LINGER_DEAF	BIT(1)
#define SOFT_LINGER_JOBS	BIT(2)
#define SOFT_LINGER_CLOSE	BIT(3)
#define SOFT_LINGER_CANCEL	BIT(4)

static unsigned int linger;
module_param(linger, uint, 0644);
MODULE_PARM_DESC(linger,
		 "for tests: what does not end while it is set, a sum of: 1 the ioctl config, until the device goes; 2 the same, even then; 4 jobs of engines with a latency; 8 the close of a file; 16 the going of a device, before it is told to anybody");

static int resume_error;
module_param(resume_error, int, 0644);
MODULE_PARM_DESC(resume_error, "for tests: what resuming a device ends with");

void soft_count(struct soft_engine *engine, u64 bytes)
{
	struct soft_device *soft = engine->soft;

	spin_lock(&soft->status_lock);
	WRITE_ONCE(soft->status->jobs_done, soft->status->jobs_done + 1);
	WRITE_ONCE(soft->status->bytes_done, soft->status->bytes_done + bytes);
	spin_unlock(&soft->status_lock);
}

/* The engine that the user chose, or the one with the shortest queue. */
static struct soft_engine *soft_engine_get(struct soft_device *soft, u32 index)
{
	struct soft_engine *best = &soft->engines[0];
	unsigned int load = UINT_MAX;

	if (index < soft->num_engines)
		return &soft->engines[array_index_nospec(index, soft->num_engines)];
	if (index != ACCEL_SOFT_ENGINE_ANY)
		return NULL;
	for (unsigned int i = 0; i < soft->num_engines && load; i++) {
		unsigned int this = accel_engine_load(soft->engines[i].engine);

		if (this < load) {
			load = this;
			best = &soft->engines[i];
		}
	}
	return best;
}

/* What an operation does not use must be zero: it may come to mean something. */
static bool soft_args_valid(const struct accel_soft_submit *args, const struct soft_op *op)
{
	if (args->flags || args->reserved || (args->pattern & ~op->pattern))
		return false;
	if (!op->src && (args->src_mem || args->src_offset))
		return false;
	if (!op->dst && (args->dst_mem || args->dst_offset))
		return false;
	if (!op->src && !op->dst)
		return !args->length;
	if (!args->length)
		return false;
	/* No sum overflows here unless it is out of range too, which is found out later. */
	if (op->dst == ACCEL_MEM_WRITE && args->src_mem == args->dst_mem &&
	    args->src_offset < args->dst_offset + args->length &&
	    args->dst_offset < args->src_offset + args->length)
		return false;
	return true;
}

static int soft_use_mem(struct soft_job *sj, const struct accel_soft_submit *args,
			const struct soft_op *op)
{
	if (op->src) {
		sj->src = accel_job_use_mem(&sj->job, args->src_mem, op->src, args->src_offset,
					    args->length);
		if (IS_ERR(sj->src))
			return PTR_ERR(sj->src);
	}
	if (op->dst) {
		sj->dst = accel_job_use_mem(&sj->job, args->dst_mem, op->dst, args->dst_offset,
					    args->length);
		if (IS_ERR(sj->dst))
			return PTR_ERR(sj->dst);
	}
	return 0;
}

static long soft_submit(struct accel_context *ctx, void *arg)
{
	struct soft_device *soft = to_soft(ctx->adev);
	struct accel_soft_submit *args = arg;
	const struct soft_op *op = soft_op_find(args->op);
	struct soft_engine *engine = soft_engine_get(soft, args->engine);
	struct soft_job *sj;
	int ret;

	if (!op || !engine || !soft_args_valid(args, op))
		return -EINVAL;

	sj = accel_job_alloc(ctx, engine->engine, args->op, args->length, struct soft_job, job);
	if (IS_ERR(sj))
		return PTR_ERR(sj);
	sj->engine = engine;
	sj->src_offset = args->src_offset;
	sj->dst_offset = args->dst_offset;
	sj->length = args->length;
	sj->pattern = args->pattern;
	ret = soft_use_mem(sj, args, op);
	if (ret) {
		accel_job_discard(&sj->job);
		return ret;
	}
	return accel_job_submit(&sj->job, &args->job_id);
}

static bool soft_config_lingers(struct soft_device *soft)
{
	unsigned int what = READ_ONCE(linger);

	return (what & SOFT_LINGER_DEAF) ||
	       ((what & SOFT_LINGER_CONFIG) && !READ_ONCE(soft->leaving));
}

bool soft_jobs_linger(void)
{
	return READ_ONCE(linger) & SOFT_LINGER_JOBS;
}

/* Takes effect with the next job. */
static long soft_config(struct accel_context *ctx, void *arg)
{
	struct soft_device *soft = to_soft(ctx->adev);
	const struct accel_soft_config *args = arg;

	if (args->flags || args->latency_ns > ACCEL_SOFT_LATENCY_MAX)
		return -EINVAL;
	if (args->engine != ACCEL_SOFT_ENGINE_ANY && args->engine >= soft->num_engines)
		return -EINVAL;
	for (unsigned int i = 0; i < soft->num_engines; i++) {
		if (args->engine != ACCEL_SOFT_ENGINE_ANY && args->engine != i)
			continue;
		WRITE_ONCE(soft->engines[i].latency_ns, args->latency_ns);
		WRITE_ONCE(soft->engines[i].bandwidth, args->bandwidth);
	}
	/* In slices, as nobody tells that the parameter has changed. */
	while (soft_config_lingers(soft))
		wait_event_timeout(soft->leaving_wq, !soft_config_lingers(soft),
				   msecs_to_jiffies(20));
	return 0;
}

/* New calls are refused: what waits in soft_config() is to return. */
static void soft_cancel(struct accel_device *adev)
{
	struct soft_device *soft = to_soft(adev);

	while (READ_ONCE(linger) & SOFT_LINGER_CANCEL)
		msleep(20);
	WRITE_ONCE(soft->leaving, true);
	wake_up_all(&soft->leaving_wq);
}

/* Made when it is first mapped; of two who do that at a time one comes too late. */
static void *soft_scratch(struct soft_context *soft)
{
	void *made, *scratch = READ_ONCE(soft->scratch);

	if (scratch)
		return scratch;
	/* at its limit a cgroup has an errno, and the log no word of it */
	made = __vmalloc(ACCEL_SOFT_SCRATCH_SIZE, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
	if (!made)
		return NULL;
	scratch = cmpxchg(&soft->scratch, NULL, made);
	if (!scratch)
		return made;
	vfree(made);
	return scratch;
}

static int soft_mmap(struct accel_context *ctx, struct accel_map_desc *map)
{
	u64 offset = map->offset - ACCEL_SOFT_SCRATCH_OFFSET;
	void *scratch;

	if (map->offset >= ACCEL_SOFT_SCRATCH_OFFSET) {
		if (offset >= ACCEL_SOFT_SCRATCH_SIZE ||
		    map->size > ACCEL_SOFT_SCRATCH_SIZE - offset)
			return -EINVAL;
		scratch = soft_scratch(to_soft_context(ctx));
		if (!scratch)
			return -ENOMEM;
		map->kaddr = scratch + offset;
		return 0;
	}
	if (map->offset || map->size != PAGE_SIZE)
		return -EINVAL;
	if (map->write)
		return -EACCES;
	map->kaddr = to_soft(ctx->adev)->status;
	return 0;
}

static int soft_open(struct accel_context *ctx)
{
	soft_as_init(to_soft_as(ctx));
	return 0;
}

/* No mapping of the context's is left. */
static void soft_close(struct accel_context *ctx)
{
	while (READ_ONCE(linger) & SOFT_LINGER_CLOSE)
		msleep(20);
	vfree(to_soft_context(ctx)->scratch);
}

static const struct accel_ioctl_desc soft_compute_ioctls[] = {
	ACCEL_IOCTLS_MEM,
	ACCEL_IOCTLS_DMABUF,
	ACCEL_IOCTLS_IOMMUFD,
	ACCEL_IOCTLS_JOB,
	ACCEL_IOCTL(ACCEL_SOFT_IOCTL_SUBMIT, struct accel_soft_submit, job_id, soft_submit,
		    soft_submit, 0),
};

static const struct accel_ioctl_desc soft_control_ioctls[] = {
	ACCEL_IOCTL(ACCEL_SOFT_IOCTL_CONFIG, struct accel_soft_config, bandwidth, soft_config,
		    soft_config, ACCEL_IOCTL_ADMIN),
};

static const struct accel_node_desc soft_nodes[] = {
	{
		.suffix = "",
		.ioctls = soft_compute_ioctls,
		.num_ioctls = ARRAY_SIZE(soft_compute_ioctls),
		.can_mmap = true,
	},
	{
		.suffix = "c",
		.mode = 0600,
		.ioctls = soft_control_ioctls,
		.num_ioctls = ARRAY_SIZE(soft_control_ioctls),
	},
};

/* sysfs, accN/soft/: what the page says that users map, and the device's state, to be set */
static const struct accel_soft_status *soft_status(struct device *dev)
{
	return to_soft(container_of(dev, struct accel_device, dev))->status;
}

static ssize_t jobs_done_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(soft_status(dev)->jobs_done));
}
static DEVICE_ATTR_RO(jobs_done);

static ssize_t bytes_done_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(soft_status(dev)->bytes_done));
}
static DEVICE_ATTR_RO(bytes_done);

/* Software does not fail: this is for trying out what looks at devices that do. */
static const char * const soft_states[] = {
	[ACCEL_STATE_OK] = "ok",
	[ACCEL_STATE_RESETTING] = "resetting",
	[ACCEL_STATE_FAILED] = "failed",
};

/* What may be written; the state itself is in the directory above. */
static ssize_t set_state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s %s %s\n", soft_states[ACCEL_STATE_OK],
			  soft_states[ACCEL_STATE_RESETTING], soft_states[ACCEL_STATE_FAILED]);
}

static ssize_t set_state_store(struct device *dev, struct device_attribute *attr, const char *buf,
			       size_t count)
{
	int ret = sysfs_match_string(soft_states, buf);

	if (ret >= 0)
		ret = accel_device_set_state(container_of(dev, struct accel_device, dev), ret);
	return ret ?: count;
}
static DEVICE_ATTR_ADMIN_RW(set_state);

static struct attribute *soft_attrs[] = {
	&dev_attr_jobs_done.attr,
	&dev_attr_bytes_done.attr,
	&dev_attr_set_state.attr,
	NULL,
};

static const struct attribute_group soft_group = {
	.name = "soft",
	.attrs = soft_attrs,
};

static const struct attribute_group *soft_groups[] = {
	&soft_group,
	NULL,
};

/* Its flags are parameters of the module. */
static struct accel_driver soft_accel_driver __ro_after_init = {
	.name = "accel_soft",
	.type = "offload",
	.nodes = soft_nodes,
	.num_nodes = ARRAY_SIZE(soft_nodes),
	.context_size = sizeof(struct soft_context),
	.groups = soft_groups,
	.open = soft_open,
	.close = soft_close,
	.mmap = soft_mmap,
	.mem_map = soft_mem_map,
	.mem_unmap = soft_mem_unmap,
	.cancel = soft_cancel,
};

static int soft_add_engines(struct soft_device *soft)
{
	for (unsigned int i = 0; i < engines; i++) {
		struct soft_engine *engine = &soft->engines[i];

		engine->soft = soft;
		engine->latency_ns = latency_ns;
		engine->bandwidth = bandwidth;
		snprintf(engine->name, sizeof(engine->name), "eng%u", i);
		engine->desc.name = engine->name;
		engine->desc.depth = depth;
		engine->desc.run = depth > 1 ? soft_run_beside : soft_run;
		engine->engine = accel_engine_add(&soft->accel, &engine->desc);
		if (IS_ERR(engine->engine))
			return PTR_ERR(engine->engine);
		soft->num_engines++;
	}
	return 0;
}

static void soft_free_wq(void *wq)
{
	destroy_workqueue(wq);
}

/*
 * For engines that are deeper than 1: each job that runs is a work item. A queue for each
 * device, with room for all that its engines take at a time: what holds up one device
 * is not to hold up another.
 */
static int soft_alloc_wq(struct soft_device *soft, struct device *dev)
{
	if (depth == 1)
		return 0;
	soft->wq = alloc_workqueue("%s", WQ_UNBOUND | WQ_MEM_RECLAIM, engines * depth,
				   dev_name(dev));
	if (!soft->wq)
		return -ENOMEM;
	return devm_add_action_or_reset(dev, soft_free_wq, soft->wq);
}

static int soft_enable_pm(struct device *dev)
{
	/* also forgets that resuming has failed */
	pm_runtime_set_suspended(dev);
	pm_runtime_set_autosuspend_delay(dev, 0);
	pm_runtime_use_autosuspend(dev);
	return devm_pm_runtime_enable(dev);
}

static int soft_runtime_suspend(struct device *dev)
{
	return 0;
}

static int soft_runtime_resume(struct device *dev)
{
	return READ_ONCE(resume_error);
}

static const struct dev_pm_ops soft_pm_ops = {
	RUNTIME_PM_OPS(soft_runtime_suspend, soft_runtime_resume, NULL)
};

static int soft_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct accel_soft_status *status;
	struct soft_device *soft;
	int ret;

	/* The engines make a DMA address a physical one, see data.c. */
	if (device_iommu_mapped(dev))
		return dev_err_probe(dev, -EOPNOTSUPP, "is behind an IOMMU\n");
	ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(dev, UINT_MAX);

	/* Mapped by users: gone only after devm has unregistered the device. */
	status = (void *)devm_get_free_pages(dev, GFP_KERNEL | __GFP_ZERO, 0);
	if (!status)
		return -ENOMEM;
	status->engines = engines;
	status->version = 1;

	soft = devm_accel_device_alloc(dev, &soft_accel_driver, struct soft_device, accel);
	if (IS_ERR(soft))
		return PTR_ERR(soft);
	soft->status = status;
	spin_lock_init(&soft->status_lock);
	mutex_init(&soft->spaces_lock);
	INIT_LIST_HEAD(&soft->spaces);
	init_waitqueue_head(&soft->leaving_wq);
	ida_init(&soft->asids);
	strscpy(soft->accel.firmware_version, "1.0", sizeof(soft->accel.firmware_version));
	snprintf(soft->accel.serial, sizeof(soft->accel.serial), "SOFT%04d", pdev->id);
	/* Version 8: a form of our own, the same at each boot. */
	snprintf(soft->accel.uuid, sizeof(soft->accel.uuid),
		 "61636365-6c2d-8f73-af66-74000000%04x", pdev->id);

	ret = soft_alloc_wq(soft, dev);
	if (!ret)
		ret = soft_add_engines(soft);
	if (!ret && runtime_pm)
		ret = soft_enable_pm(dev);
	if (!ret)
		ret = devm_accel_device_register(&soft->accel);
	if (!ret)
		soft_pt_debugfs(soft);
	return ret;
}

static struct platform_driver soft_driver = {
	.driver = { .name = "accel_soft", .pm = pm_ptr(&soft_pm_ops) },
	.probe = soft_probe,
};

static struct platform_device *soft_pdevs[SOFT_MAX_DEVICES];

static void soft_remove_devices(void)
{
	for (unsigned int i = devices; i--; )
		platform_device_unregister(soft_pdevs[i]);
}

static int __init soft_init(void)
{
	int ret;

	if (!devices || devices > SOFT_MAX_DEVICES || !engines || engines > SOFT_MAX_ENGINES ||
	    latency_ns > ACCEL_SOFT_LATENCY_MAX || !depth || depth > SOFT_MAX_DEPTH) {
		pr_err("accel_soft: devices is 1 to %u, engines 1 to %u, depth 1 to %u, latency_ns at most %llu\n",
		       SOFT_MAX_DEVICES, SOFT_MAX_ENGINES, SOFT_MAX_DEPTH, ACCEL_SOFT_LATENCY_MAX);
		return -EINVAL;
	}
	if (exclusive)
		soft_accel_driver.flags |= ACCEL_DEVICE_EXCLUSIVE;
	if (runtime_pm)
		soft_accel_driver.flags |= ACCEL_DEVICE_RUNTIME_PM;
	ret = platform_driver_register(&soft_driver);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < devices; i++) {
		struct platform_device *pdev;

		pdev = platform_device_register_simple("accel_soft", i, NULL, 0);
		if (IS_ERR(pdev)) {
			devices = i;
			soft_remove_devices();
			platform_driver_unregister(&soft_driver);
			return PTR_ERR(pdev);
		}
		soft_pdevs[i] = pdev;
	}
	return 0;
}
module_init(soft_init);

static void __exit soft_exit(void)
{
	soft_remove_devices();
	platform_driver_unregister(&soft_driver);
}
module_exit(soft_exit);

MODULE_DESCRIPTION("Software offload engine for the accelerator subsystem");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(ACCEL_EXPORT_NS);
