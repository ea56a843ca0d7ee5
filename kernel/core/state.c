// SPDX-License-Identifier: GPL-2.0-only
/* How a device is: what changes that, and who is told. */
#include <trace/events/accel.h>

#include "core.h"

/**
 * accel_state_name - a state as sysfs and tools show it
 * @state: the state
 *
 * Return: a constant string.
 */
const char *accel_state_name(enum accel_state state)
{
	static const char * const names[] = {
		[ACCEL_STATE_OK] = "ok",
		[ACCEL_STATE_RESETTING] = "resetting",
		[ACCEL_STATE_FAILED] = "failed",
		[ACCEL_STATE_GONE] = "gone",
	};

	return names[state];
}

/* adev->lock is held; the device is not gone, and in another state. */
static void accel_device_change_state(struct accel_device *adev, enum accel_state state)
{
	enum accel_state old = adev->state;

	WRITE_ONCE(adev->state, state);
	trace_accel_device_state(adev, old, state);
	accel_map_state(adev);
	if (state == ACCEL_STATE_OK) {
		WRITE_ONCE(adev->stuck, false);
		accel_engines_resume(adev);
	} else if (old == ACCEL_STATE_OK) {
		accel_engines_pause(adev, -EIO);
	}
	/*
	 * Under the lock: of a device that is told to be gone nothing more is told, and its
	 * directory stays while it is looked at.
	 */
	if (adev->registered) {
		sysfs_notify(&adev->dev.kobj, NULL, "state");
		accel_netlink_device_changed(adev);
	}
}

/**
 * accel_device_set_state - say that a device fails, is being reset, or works again
 * @adev: a registered device
 * @state: %ACCEL_STATE_OK, _RESETTING or _FAILED
 *
 * Other than OK: jobs that wait or run end with EIO (running ones through the
 * engine's cancel callback) before this returns, new ones are refused with EIO;
 * files, regions and mappings stay, those of registers with blank pages.
 *
 * Context: process, may sleep; not from an engine's callbacks, see accel_device_fail().
 * Return: 0; -ENODEV when it is being unregistered; -EDEADLK (said in the log) in an
 * engine's own thread, which would wait for itself.
 */
int accel_device_set_state(struct accel_device *adev, enum accel_state state)
{
	int ret = 0;

	if (WARN_ON(state == ACCEL_STATE_GONE))
		return -EINVAL;
	if (accel_engines_own_current(adev)) {
		dev_err(&adev->dev,
			"its state cannot be set in an engine's callback: accel_device_fail()\n");
		return -EDEADLK;
	}
	mutex_lock(&adev->lock);
	if (adev->state == ACCEL_STATE_GONE)
		ret = -ENODEV;
	else if (adev->state != state)
		accel_device_change_state(adev, state);
	mutex_unlock(&adev->lock);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(accel_device_set_state, ACCEL_EXPORT_NS);

/* Of accel_device.stuck_work. */
void accel_device_stuck_work(struct work_struct *work)
{
	struct accel_device *adev = container_of(work, struct accel_device, stuck_work);

	mutex_lock(&adev->lock);
	/* Who resets it, or is about to, says what comes of it; GONE, nobody does. */
	if (adev->stuck && adev->state == ACCEL_STATE_OK)
		accel_device_change_state(adev, ACCEL_STATE_FAILED);
	mutex_unlock(&adev->lock);
}

/**
 * accel_device_fail - the hardware is dead, or does not do what it is told
 * @adev: a registered device; of one that is not any more there is nothing to fail
 *
 * When it returns, it reaches no memory, if it is on PCI, and takes no job. It is FAILED
 * soon after, and its jobs have ended: they need the engines' threads, of which the caller
 * may be one. Of a device that is being reset, who resets it says what comes of it.
 *
 * Context: any but NMI: an interrupt, an engine's callback.
 */
void accel_device_fail(struct accel_device *adev)
{
	WRITE_ONCE(adev->stuck, true);
	accel_engines_refuse(adev, -EIO);
	accel_pci_isolate(adev);
	queue_work(system_unbound_wq, &adev->stuck_work);
}
EXPORT_SYMBOL_NS_GPL(accel_device_fail, ACCEL_EXPORT_NS);
