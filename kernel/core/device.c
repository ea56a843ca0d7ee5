// SPDX-License-Identifier: GPL-2.0-only
/* Devices: allocation, registration, character devices, removal. */
#include <linux/idr.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <trace/events/accel.h>

#include "core.h"
#include "policy.h"

/* Registered devices by id; see core.h. */
struct xarray accel_devices = XARRAY_INIT(accel_devices, 0);
EXPORT_SYMBOL_IF_KUNIT(accel_devices);
/* Protects accel_devices, and keeps what is in it registered. */
DEFINE_MUTEX(accel_devices_lock);

static DEFINE_IDA(accel_indices);
VISIBLE_IF_KUNIT struct ida accel_minors = IDA_INIT(accel_minors);
EXPORT_SYMBOL_IF_KUNIT(accel_minors);
static dev_t accel_devt;

static char *accel_devnode(const struct device *dev, umode_t *mode)
{
	const struct accel_node *node = dev_get_drvdata(dev);

	if (mode && node)
		*mode = node->mode;
	return kasprintf(GFP_KERNEL, "accelerator/%s", dev_name(dev));
}

struct class accel_class = {
	.name = "accelerator",
	.devnode = accel_devnode,
};

static struct accel_device *to_accel_device(struct device *dev)
{
	return container_of(dev, struct accel_device, dev);
}

/* What a BPF program that found the device may still look at. */
static void accel_device_free_rcu(struct rcu_head *rcu)
{
	struct accel_device *adev = container_of(rcu, struct accel_device, rcu);

	accel_engines_free(adev);
	if (adev->stats)
		accel_gate_destroy(adev);
	kfree(adev);
}

/* The last reference is gone: of the driver, of open files, of sysfs. */
static void accel_device_release(struct device *dev)
{
	struct accel_device *adev = to_accel_device(dev);
	unsigned int i;

	trace_accel_device_release(adev);
	disable_work_sync(&adev->stuck_work);
	accel_policy_remove_device(adev);
	for (i = 0; i < adev->num_nodes; i++)
		accel_ioctls_free(&adev->nodes[i]);
	if (adev->map_inode)
		accel_map_destroy(adev);
	if (adev->dev.devt)
		ida_free(&accel_minors, MINOR(adev->dev.devt));
	ida_free(&accel_indices, adev->index);
	xa_destroy(&adev->contexts);
	accel_pci_exit(adev);
	mutex_destroy(&adev->lock);
	call_rcu(&adev->rcu, accel_device_free_rcu);
}

static const struct device_type accel_device_type = {
	.name = "accelerator",
	.groups = accel_device_groups,
};

/* Nodes beyond the first have a struct device of their own, child of the first. */
static void accel_node_release(struct device *dev)
{
	struct accel_node *node = dev_get_drvdata(dev);

	ida_free(&accel_minors, MINOR(dev->devt));
	put_device(&node->adev->dev);
	kfree(dev);
}

static int accel_node_init(struct accel_node *node, const struct accel_node_desc *desc,
			   struct device *dev)
{
	struct accel_device *adev = node->adev;
	int minor, ret;

	node->mode = desc->mode ?: 0660;
	node->can_mmap = desc->can_mmap;
	snprintf(node->name, sizeof(node->name), "%s%s", adev->name, desc->suffix);
	ret = accel_ioctls_copy(node, desc);
	if (ret)
		return ret;
	minor = ida_alloc_max(&accel_minors, ACCEL_MAX_MINORS - 1, GFP_KERNEL);
	if (minor < 0)
		return minor;
	dev->devt = MKDEV(MAJOR(accel_devt), minor);
	dev_set_drvdata(dev, node);
	node->dev = dev;
	cdev_init(&node->cdev, &accel_fops);
	node->cdev.owner = THIS_MODULE;
	return dev_set_name(dev, "%s", node->name);
}

static int accel_node_init_child(struct accel_node *node, const struct accel_node_desc *desc)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int ret;

	if (!dev)
		return -ENOMEM;
	ret = accel_node_init(node, desc, dev);
	if (ret) {
		if (dev->devt)
			ida_free(&accel_minors, MINOR(dev->devt));
		kfree_const(dev->kobj.name);
		kfree(dev);
		node->dev = NULL;
		return ret;
	}
	device_initialize(dev);
	dev->class = &accel_class;
	dev->parent = &node->adev->dev;
	dev->release = accel_node_release;
	get_device(&node->adev->dev);
	return 0;
}

/* The longest name of a device: as many as there are minors. */
#define ACCEL_LONGEST_NAME	"acc" __stringify(ACCEL_MAX_MINORS)

/* After "acc1": a digit would make it another device's, or there would be no room for it. */
static bool accel_suffix_ok(const char *suffix)
{
	size_t len = strlen(suffix);

	return suffix[0] >= 'a' && suffix[0] <= 'z' &&
	       strspn(suffix, "abcdefghijklmnopqrstuvwxyz0123456789") == len &&
	       strlen(ACCEL_LONGEST_NAME) + len < ACCEL_NAME_LEN;
}

static const char *accel_driver_check(const struct accel_driver *drv)
{
	u32 known = ACCEL_DEVICE_EXCLUSIVE | ACCEL_DEVICE_RUNTIME_PM |
		    ACCEL_DEVICE_IOMMUFD_ATTACH | ACCEL_DEVICE_IOMMUFD_PASID;
	unsigned int i, k;

	if (!drv->name || !drv->name[0] || strlen(drv->name) >= ACCEL_NAME_LEN)
		return "name is missing or too long";
	if (!drv->type || !drv->type[0] || strlen(drv->type) >= ACCEL_NAME_LEN)
		return "type is missing or too long";
	if (drv->flags & ~known)
		return "a flag is unknown";
	if (!drv->num_nodes || drv->num_nodes > ACCEL_MAX_NODES || !drv->nodes)
		return "num_nodes is out of range";
	if (drv->context_size && drv->context_size < sizeof(struct accel_context))
		return "context_size is smaller than struct accel_context";
	if (drv->flags & ACCEL_DEVICE_IOMMUFD_PASID && !(drv->flags & ACCEL_DEVICE_IOMMUFD_ATTACH))
		return "it has IOMMUFD_PASID without IOMMUFD_ATTACH";
	for (i = 0; i < drv->num_nodes; i++) {
		if (!drv->nodes[i].suffix || !drv->nodes[i].suffix[0] != !i)
			return "only the first node has the empty suffix";
		if (i && !accel_suffix_ok(drv->nodes[i].suffix))
			return "a suffix is a letter, then letters and digits, up to 8: a-z, 0-9";
		for (k = 0; k < i; k++)
			if (!strcmp(drv->nodes[i].suffix, drv->nodes[k].suffix))
				return "two nodes have the same suffix";
		if (drv->nodes[i].num_ioctls && !drv->nodes[i].ioctls)
			return "num_ioctls is not 0, and there are no ioctls";
		if (drv->nodes[i].can_mmap && !drv->mmap)
			return "can_mmap, and there is no mmap callback";
	}
	return NULL;
}

/**
 * __accel_device_alloc - see accel_device_alloc()
 * @parent: the hardware's struct device
 * @drv: the driver
 * @size: of the driver's structure, whose first member is the struct accel_device
 *
 * Context: process, may sleep.
 * Return: the device; ERR_PTR: -EINVAL (the driver's description is wrong, or there is no
 * parent: said in the log), -ENOMEM, -ENOSPC (no minor left).
 */
struct accel_device *__accel_device_alloc(struct device *parent,
					  const struct accel_driver *drv, size_t size)
{
	const char *wrong = accel_driver_check(drv);
	struct accel_device *adev;
	unsigned int i;
	int ret;

	if (!parent) {
		pr_err("accelerator driver %s: a device has no parent\n", drv->name ?: "?");
		return ERR_PTR(-EINVAL);
	}
	if (wrong) {
		dev_err(parent, "accelerator driver %s: %s\n", drv->name ?: "?", wrong);
		return ERR_PTR(-EINVAL);
	}
	adev = kzalloc(size, GFP_KERNEL);
	if (!adev)
		return ERR_PTR(-ENOMEM);
	ret = ida_alloc(&accel_indices, GFP_KERNEL);
	if (ret < 0) {
		kfree(adev);
		return ERR_PTR(ret);
	}
	adev->index = ret;
	adev->id = accel_id_next();
	adev->drv = drv;
	adev->exclusive = drv->flags & ACCEL_DEVICE_EXCLUSIVE;
	adev->runtime_pm = drv->flags & ACCEL_DEVICE_RUNTIME_PM;
	adev->iommufd_attach = drv->flags & ACCEL_DEVICE_IOMMUFD_ATTACH;
	adev->iommufd_pasid = drv->flags & ACCEL_DEVICE_IOMMUFD_PASID;
	adev->context_size = max(drv->context_size, sizeof(struct accel_context));
	strscpy(adev->drv_name, drv->name, sizeof(adev->drv_name));
	strscpy(adev->type, drv->type, sizeof(adev->type));
	snprintf(adev->name, sizeof(adev->name), "acc%u", adev->index);
	if (dev_is_pci(parent))
		strscpy(adev->pci_name, dev_name(parent), sizeof(adev->pci_name));
	mutex_init(&adev->lock);
	init_rwsem(&adev->map_lock);
	INIT_WORK(&adev->stuck_work, accel_device_stuck_work);
	xa_init(&adev->contexts);
	INIT_LIST_HEAD(&adev->policy_link);
	device_initialize(&adev->dev);
	adev->dev.class = &accel_class;
	adev->dev.type = &accel_device_type;
	adev->dev.parent = parent;
	adev->dev.groups = drv->groups;
	adev->dev.release = accel_device_release;

	ret = accel_gate_init(adev);
	if (ret)
		goto err;
	ret = accel_map_init(adev);
	if (ret)
		goto err;
	for (i = 0; i < drv->num_nodes; i++) {
		adev->nodes[i].adev = adev;
		adev->num_nodes = i + 1;
		ret = i ? accel_node_init_child(&adev->nodes[i], &drv->nodes[i]) :
			  accel_node_init(&adev->nodes[i], &drv->nodes[i], &adev->dev);
		if (ret)
			goto err;
	}
	ret = accel_policy_add_device(adev);
	if (ret)
		goto err;
	return adev;

err:
	accel_device_put(adev);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(__accel_device_alloc, ACCEL_EXPORT_NS);

/**
 * accel_device_put - give back the driver's reference
 * @adev: a device from accel_device_alloc(), not registered or no longer
 *
 * Context: process, may sleep.
 */
void accel_device_put(struct accel_device *adev)
{
	unsigned int i;

	/* Children hold a reference on the first node's device: let them go first. */
	for (i = 1; i < adev->num_nodes; i++)
		if (adev->nodes[i].dev)
			put_device(adev->nodes[i].dev);
	put_device(&adev->dev);
}
EXPORT_SYMBOL_NS_GPL(accel_device_put, ACCEL_EXPORT_NS);

/*
 * End all that users have of the device. Of the driver's code only what makes the texts of
 * its attributes and files runs afterwards. With the gate first: what is deleted later may
 * be held up by users.
 */
static void accel_device_shutdown(struct accel_device *adev, struct accel_drain *drain)
{
	const struct accel_driver *drv = adev->drv;
	struct accel_context *ctx;
	bool powered;
	u64 id;

	mutex_lock(&adev->lock);
	WRITE_ONCE(adev->state, ACCEL_STATE_GONE);
	mutex_unlock(&adev->lock);
	accel_gate_close(adev);
	accel_drain_enter(drain, ACCEL_DRAIN_POWER);
	/* for the driver's callbacks from here on, which come in any case */
	powered = !accel_power_get(adev);
	accel_drain_enter(drain, ACCEL_DRAIN_CANCEL);
	if (drv->cancel)
		drv->cancel(adev);
	accel_drain_enter(drain, ACCEL_DRAIN_ENGINES);
	accel_engines_stop(adev);
	/* For ever: the driver's interrupt may still say that the hardware is dead. */
	disable_work_sync(&adev->stuck_work);
	accel_drain_enter(drain, ACCEL_DRAIN_GATE);
	accel_gate_drain(adev);
	accel_drain_enter(drain, ACCEL_DRAIN_MAPPINGS);
	accel_map_zap(adev);
	accel_drain_enter(drain, ACCEL_DRAIN_CONTEXTS);
	for (ctx = accel_context_next(adev, 0); ctx; ctx = accel_context_next(adev, id + 1)) {
		id = ctx->id;
		accel_context_teardown(ctx);
		wake_up_all(&ctx->poll_wq);
		accel_context_put(ctx);
	}
	accel_drain_enter(drain, ACCEL_DRAIN_IOMMUFD);
	accel_iommufd_wait_all(adev);
	if (powered)
		accel_power_put(adev);
}

/*
 * Take away the names of a device that is shut down, of which @nodes were added; none of the
 * driver's code runs afterwards.
 */
static void accel_device_hide(struct accel_device *adev, unsigned int nodes,
			      struct accel_drain *drain)
{
	unsigned int i;

	accel_drain_enter(drain, ACCEL_DRAIN_DEBUGFS);
	if (adev->debugfs)
		accel_debugfs_remove(adev);
	accel_drain_enter(drain, ACCEL_DRAIN_SYSFS);
	accel_sysfs_remove(adev);
	accel_drain_enter(drain, ACCEL_DRAIN_NODES);
	while (nodes--)
		cdev_device_del(&adev->nodes[nodes].cdev, adev->nodes[nodes].dev);
	for (i = 0; i < adev->num_engines; i++)
		adev->engines[i]->desc = NULL;
	adev->drv = NULL;
}

/**
 * accel_device_register - make a device known and let it be opened
 * @adev: from accel_device_alloc(), with its engines added and its hardware ready:
 *	callbacks may come before this returns
 *
 * Once per device: after a failure there is only accel_device_put().
 *
 * Context: process, may sleep.
 * Return: 0, or a negative errno with nothing left behind: -EINVAL (said in the log:
 * not the first time, no runtime PM though the driver uses it, DMA segments shorter
 * than a page), or what failed.
 */
int accel_device_register(struct accel_device *adev)
{
	struct accel_drain drain;
	unsigned int i;
	int ret;

	if (adev->sealed) {
		dev_err(&adev->dev, "cannot register %s a second time: allocate another\n",
			adev->name);
		return -EINVAL;
	}
	adev->sealed = true;
	adev->max_segment = accel_gather_limit(adev->dev.parent);
	if (!adev->max_segment) {
		dev_err(adev->dev.parent,
			"cannot register %s: DMA segments of less than a page; see dma_set_max_seg_size()\n",
			adev->name);
		return -EINVAL;
	}
	if (IS_ENABLED(CONFIG_PM) && adev->drv->flags & ACCEL_DEVICE_RUNTIME_PM &&
	    !pm_runtime_enabled(adev->dev.parent)) {
		dev_err(adev->dev.parent, "cannot register %s: runtime PM is not enabled\n",
			adev->name);
		return -EINVAL;
	}
	ret = accel_pci_init(adev);
	if (!ret)
		ret = accel_engines_start(adev);
	if (ret) {
		accel_drain_begin(&drain, adev);
		accel_device_shutdown(adev, &drain);
		accel_device_hide(adev, 0, &drain);
		accel_drain_end(&drain);
		return ret;
	}
	trace_accel_device_register(adev);
	for (i = 0; i < adev->num_nodes; i++) {
		struct accel_node *node = &adev->nodes[i];

		dev_set_uevent_suppress(node->dev, true);
		ret = cdev_device_add(&node->cdev, node->dev);
		if (ret)
			goto err;
		if (i)
			continue;
		ret = accel_sysfs_add(adev);
		if (ret) {
			i++;
			goto err;
		}
	}
	mutex_lock(&accel_devices_lock);
	ret = xa_insert(&accel_devices, adev->id, adev, GFP_KERNEL);
	mutex_unlock(&accel_devices_lock);
	if (ret)
		goto err;
	mutex_lock(&adev->lock);
	adev->registered = true;
	mutex_unlock(&adev->lock);
	accel_debugfs_add(adev);
	/* Only now, so that who acts on an event finds all of it; parents before children. */
	for (i = 0; i < adev->num_nodes; i++) {
		dev_set_uevent_suppress(adev->nodes[i].dev, false);
		kobject_uevent(&adev->nodes[i].dev->kobj, KOBJ_ADD);
	}
	accel_netlink_device_added(adev);
	return 0;

err:
	dev_err(adev->dev.parent, "cannot register %s: %d\n", adev->name, ret);
	accel_drain_begin(&drain, adev);
	accel_device_shutdown(adev, &drain);
	accel_device_hide(adev, i, &drain);
	accel_drain_end(&drain);
	trace_accel_device_unregister(adev, 0);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(accel_device_register, ACCEL_EXPORT_NS);

/**
 * accel_device_unregister - the hardware or the driver is about to go
 * @adev: a registered device; of any other it says in the log that it is none
 *
 * When it returns, no callback runs or will run, no mapping, DMA mapping or pinned
 * page of the device's users is left and all jobs have ended; files that are open
 * answer ENODEV. What remains to the driver is accel_device_put().
 *
 * Waits for callbacks that are running, for jobs to end and for files to be torn down,
 * and until all of the above holds for nothing that user space can prolong. Only then are
 * the names deleted: of who reads the directory that they are in (/dev/accelerator, or that
 * of debugfs) into memory whose page faults he serves himself, the kernel has that wait for
 * as long as he likes. Who is waited for longer than the module
 * parameter drain_warn_ms is shown by the tracepoint accel_unplug_drain, whatever it is.
 *
 * Context: process, may sleep.
 */
void accel_device_unregister(struct accel_device *adev)
{
	u64 start = ktime_get_ns();
	struct accel_drain drain;
	bool registered;

	accel_drain_begin(&drain, adev);
	/* From here on a change of its state is told to nobody, see accel_device_set_state(). */
	mutex_lock(&adev->lock);
	registered = adev->registered;
	adev->registered = false;
	mutex_unlock(&adev->lock);
	if (!registered) {
		accel_drain_end(&drain);
		dev_err(&adev->dev, "cannot unregister %s: it is not registered\n", adev->name);
		return;
	}
	mutex_lock(&accel_devices_lock);
	xa_erase(&accel_devices, adev->id);
	mutex_unlock(&accel_devices_lock);

	accel_device_shutdown(adev, &drain);
	accel_device_hide(adev, adev->num_nodes, &drain);
	accel_drain_end(&drain);
	trace_accel_device_unregister(adev, ktime_get_ns() - start);
	accel_netlink_device_removed(adev);
}
EXPORT_SYMBOL_NS_GPL(accel_device_unregister, ACCEL_EXPORT_NS);

static void accel_devm_put(void *adev)
{
	accel_device_put(adev);
}

/**
 * __devm_accel_device_alloc - see devm_accel_device_alloc()
 * @parent: the hardware's struct device
 * @drv: the driver
 * @size: of the driver's structure
 *
 * Context: process, may sleep.
 * Return: as __accel_device_alloc().
 */
struct accel_device *__devm_accel_device_alloc(struct device *parent,
					       const struct accel_driver *drv, size_t size)
{
	struct accel_device *adev = __accel_device_alloc(parent, drv, size);
	int ret;

	if (IS_ERR(adev))
		return adev;
	ret = devm_add_action_or_reset(parent, accel_devm_put, adev);
	return ret ? ERR_PTR(ret) : adev;
}
EXPORT_SYMBOL_NS_GPL(__devm_accel_device_alloc, ACCEL_EXPORT_NS);

static void accel_devm_unregister(void *adev)
{
	accel_device_unregister(adev);
}

/**
 * devm_accel_device_register - register, and unregister when the driver leaves
 * @adev: as for accel_device_register(), from devm_accel_device_alloc()
 *
 * Resources that callbacks need must have been acquired by devm_ before.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int devm_accel_device_register(struct accel_device *adev)
{
	int ret = accel_device_register(adev);

	return ret ?: devm_add_action_or_reset(adev->dev.parent, accel_devm_unregister, adev);
}
EXPORT_SYMBOL_NS_GPL(devm_accel_device_register, ACCEL_EXPORT_NS);

/**
 * accel_devices_init - the class and the device numbers
 *
 * Return: 0 or a negative errno.
 */
int __init accel_devices_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&accel_devt, 0, ACCEL_MAX_MINORS, "accelerator");
	if (ret)
		return ret;
	ret = class_register(&accel_class);
	if (ret)
		unregister_chrdev_region(accel_devt, ACCEL_MAX_MINORS);
	return ret;
}

/**
 * accel_devices_exit - undo accel_devices_init()
 */
void accel_devices_exit(void)
{
	class_unregister(&accel_class);
	unregister_chrdev_region(accel_devt, ACCEL_MAX_MINORS);
	ida_destroy(&accel_indices);
	ida_destroy(&accel_minors);
	xa_destroy(&accel_devices);
}
