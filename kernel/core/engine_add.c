// SPDX-License-Identifier: GPL-2.0-only
/* Which engines a device has. */
#include <linux/slab.h>

#include "core.h"

static bool accel_engine_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len && len < ACCEL_NAME_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

/**
 * accel_engine_add - give a device an engine
 * @adev: a device that is not registered yet
 * @desc: constant, stays until the device is unregistered
 *
 * Context: process, may sleep.
 * Return: the engine, freed with the device; ERR_PTR: -EINVAL or -EBUSY (a bad
 * description, a device that is or was registered: said in the log), -EEXIST, -ENOSPC,
 * -ENOMEM.
 */
struct accel_engine *accel_engine_add(struct accel_device *adev,
				      const struct accel_engine_desc *desc)
{
	struct accel_engine *engine;
	unsigned int i;

	if (!desc->name || !accel_engine_name_ok(desc->name) || !desc->depth || !desc->run) {
		dev_err(adev->dev.parent, "engine '%s': bad name, no depth or no run callback\n",
			desc->name ?: "");
		return ERR_PTR(-EINVAL);
	}
	/* It would be watched, and nothing could be done. */
	if (desc->timeout_ms && !desc->cancel) {
		dev_err(adev->dev.parent, "engine '%s': timeout_ms needs a cancel callback\n",
			desc->name);
		return ERR_PTR(-EINVAL);
	}
	/* Open files have a record for each engine that there was, and readers rely on it. */
	if (adev->sealed) {
		dev_err(&adev->dev, "engine '%s': to be added before %s is registered\n",
			desc->name, adev->name);
		return ERR_PTR(-EBUSY);
	}
	if (adev->num_engines == ACCEL_MAX_ENGINES)
		return ERR_PTR(-ENOSPC);
	for (i = 0; i < adev->num_engines; i++)
		if (!strcmp(adev->engines[i]->name, desc->name))
			return ERR_PTR(-EEXIST);
	engine = kzalloc(sizeof(*engine), GFP_KERNEL);
	if (!engine)
		return ERR_PTR(-ENOMEM);
	engine->adev = adev;
	engine->desc = desc;
	strscpy(engine->name, desc->name, sizeof(engine->name));
	engine->index = adev->num_engines;
	engine->depth = desc->depth;
	engine->timeout_ms = desc->timeout_ms;
	init_waitqueue_head(&engine->wq);
	init_waitqueue_head(&engine->idle_wq);
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->queued);
	INIT_LIST_HEAD(&engine->running);
	INIT_LIST_HEAD(&engine->ended);
	adev->engines[engine->index] = engine;
	/*
	 * An attach of a policy wakes the engines of all devices, also of one that is being
	 * made: pairs with accel_policy_publish().
	 */
	smp_store_release(&adev->num_engines, engine->index + 1);
	return engine;
}
EXPORT_SYMBOL_NS_GPL(accel_engine_add, ACCEL_EXPORT_NS);

/**
 * accel_engines_free - free a device's engines
 * @adev: a device that is being released
 */
void accel_engines_free(struct accel_device *adev)
{
	while (adev->num_engines)
		kfree(adev->engines[--adev->num_engines]);
}
