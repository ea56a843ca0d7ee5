// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/accelerator/accN: what a device is, and its counters, one value a
 * file. Nothing here wakes or opens the device.
 */
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "core.h"

static struct accel_device *to_adev(struct device *dev)
{
	return container_of(dev, struct accel_device, dev);
}

/* One read-only attribute of a device: its name, and what sysfs_emit() is given. */
#define ACCEL_ATTR(_name, ...)								\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr, char *buf)	\
{											\
	struct accel_device *adev = to_adev(dev);					\
											\
	return sysfs_emit(buf, __VA_ARGS__);						\
}											\
static DEVICE_ATTR_RO(_name)

ACCEL_ATTR(id, "%llu\n", adev->id);
ACCEL_ATTR(driver, "%s\n", adev->drv_name);
ACCEL_ATTR(type, "%s\n", adev->type);
ACCEL_ATTR(state, "%s\n", accel_state_name(READ_ONCE(adev->state)));
ACCEL_ATTR(numa_node, "%d\n", dev_to_node(adev->dev.parent));
ACCEL_ATTR(firmware_version, "%s\n", adev->firmware_version);
ACCEL_ATTR(serial, "%s\n", adev->serial);
ACCEL_ATTR(uuid, "%s\n", adev->uuid);
ACCEL_ATTR(exclusive, "%d\n", adev->exclusive);
ACCEL_ATTR(contexts, "%d\n", atomic_read(&adev->num_contexts));
ACCEL_ATTR(pinned_bytes, "%lld\n", atomic64_read(&adev->pinned_bytes));
ACCEL_ATTR(mapped_bytes, "%lld\n", atomic64_read(&adev->mapped_bytes));

static struct attribute *accel_device_attrs[] = {
	&dev_attr_id.attr,
	&dev_attr_driver.attr,
	&dev_attr_type.attr,
	&dev_attr_state.attr,
	&dev_attr_numa_node.attr,
	&dev_attr_firmware_version.attr,
	&dev_attr_serial.attr,
	&dev_attr_uuid.attr,
	&dev_attr_exclusive.attr,
	&dev_attr_contexts.attr,
	&dev_attr_pinned_bytes.attr,
	&dev_attr_mapped_bytes.attr,
	NULL,
};

/* What the driver did not fill in is not there, rather than empty. */
static umode_t accel_attr_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	struct accel_device *adev = to_adev(kobj_to_dev(kobj));

	if ((attr == &dev_attr_firmware_version.attr && !adev->firmware_version[0]) ||
	    (attr == &dev_attr_serial.attr && !adev->serial[0]) ||
	    (attr == &dev_attr_uuid.attr && !adev->uuid[0]))
		return 0;
	return attr->mode;
}

static const struct attribute_group accel_device_group = {
	.attrs = accel_device_attrs,
	.is_visible = accel_attr_visible,
};

const struct attribute_group *accel_device_groups[] = {
	&accel_device_group,
	NULL,
};

/* ----------------------------------------------------------------- engines */

/* engines/NAME, alive as long as somebody reads it; the engine outlives it by far. */
struct accel_engine_kobj {
	struct kobject kobj;
	struct accel_engine *engine;
};

#define ENGINE_ATTR(_name, _format, _value)						\
static ssize_t engine_##_name##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
				     char *buf)						\
{											\
	struct accel_engine *engine =							\
		container_of(kobj, struct accel_engine_kobj, kobj)->engine;		\
	struct accel_engine_count count;						\
											\
	accel_engine_read(engine, &count);						\
	return sysfs_emit(buf, _format "\n", _value);					\
}											\
static struct kobj_attribute engine_attr_##_name =					\
	__ATTR(_name, 0444, engine_##_name##_show, NULL)

ENGINE_ATTR(index, "%u", engine->index);
ENGINE_ATTR(depth, "%u", engine->depth);
ENGINE_ATTR(queued, "%u", count.queued);
ENGINE_ATTR(running, "%u", count.running);
ENGINE_ATTR(jobs, "%llu", count.jobs);
ENGINE_ATTR(errors, "%llu", count.errors);
ENGINE_ATTR(bytes, "%llu", count.bytes);
ENGINE_ATTR(busy_ns, "%llu", count.busy_ns);
ENGINE_ATTR(wait_ns, "%llu", count.wait_ns);

static struct attribute *engine_attrs[] = {
	&engine_attr_index.attr,
	&engine_attr_depth.attr,
	&engine_attr_queued.attr,
	&engine_attr_running.attr,
	&engine_attr_jobs.attr,
	&engine_attr_errors.attr,
	&engine_attr_bytes.attr,
	&engine_attr_busy_ns.attr,
	&engine_attr_wait_ns.attr,
	NULL,
};
ATTRIBUTE_GROUPS(engine);

static void accel_engine_kobj_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct accel_engine_kobj, kobj));
}

static const struct kobj_type engine_ktype = {
	.release = accel_engine_kobj_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = engine_groups,
};

/**
 * accel_sysfs_add - the directories of a device's engines
 * @adev: a device whose own directory is there
 *
 * Return: 0, or a negative errno with accel_sysfs_remove() still to be called.
 */
int accel_sysfs_add(struct accel_device *adev)
{
	unsigned int i;
	int ret;

	adev->engines_kobj = kobject_create_and_add("engines", &adev->dev.kobj);
	if (!adev->engines_kobj)
		return -ENOMEM;
	for (i = 0; i < adev->num_engines; i++) {
		struct accel_engine_kobj *ek = kzalloc(sizeof(*ek), GFP_KERNEL);

		if (!ek)
			return -ENOMEM;
		ek->engine = adev->engines[i];
		ret = kobject_init_and_add(&ek->kobj, &engine_ktype, adev->engines_kobj, "%s",
					   adev->engines[i]->name);
		if (ret) {
			kobject_put(&ek->kobj);
			return ret;
		}
		adev->engines[i]->kobj = &ek->kobj;
	}
	return 0;
}

/**
 * accel_sysfs_remove - undo accel_sysfs_add(), also a half-done one; waits for readers
 * @adev: the device
 */
void accel_sysfs_remove(struct accel_device *adev)
{
	unsigned int i;

	for (i = 0; i < adev->num_engines; i++) {
		if (!adev->engines[i]->kobj)
			continue;
		kobject_del(adev->engines[i]->kobj);
		kobject_put(adev->engines[i]->kobj);
		adev->engines[i]->kobj = NULL;
	}
	if (adev->engines_kobj) {
		kobject_del(adev->engines_kobj);
		kobject_put(adev->engines_kobj);
		adev->engines_kobj = NULL;
	}
}
