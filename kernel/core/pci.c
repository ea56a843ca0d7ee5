// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI error recovery and resets: what is the same for every driver of PCI hardware.
 *
 * The PCI core calls these handlers with the device's lock held, so the driver stays
 * bound until they return; between two of them the device may be unbound, and bound
 * again. Which accelerator it has they look up: drvdata is the driver's, and may be
 * anything, and one that is bound may not be registered, or no longer.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "core.h"

/**
 * accel_pci_init - keep what recovery restores
 * @adev: a device that is being registered
 *
 * Only for drivers whose error handlers are %accel_pci_error_handlers. The PCI core's own
 * copy will not do: each suspend and each reset uses it up.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int accel_pci_init(struct accel_device *adev)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(adev->dev.parent))
		return 0;
	pdev = to_pci_dev(adev->dev.parent);
	if (!pdev->driver || pdev->driver->err_handler != &accel_pci_error_handlers)
		return 0;
	pci_save_state(pdev);
	adev->pci_state = pci_store_saved_state(pdev);
	return adev->pci_state ? 0 : -ENOMEM;
}

/**
 * accel_pci_exit - undo accel_pci_init()
 * @adev: a device that is being released
 */
void accel_pci_exit(struct accel_device *adev)
{
	kfree(adev->pci_state);
}

/**
 * accel_pci_isolate - let the hardware reach no memory any more
 * @adev: a registered device, on whatever bus
 *
 * Context: any.
 */
void accel_pci_isolate(struct accel_device *adev)
{
	if (dev_is_pci(adev->dev.parent))
		pci_clear_master(to_pci_dev(adev->dev.parent));
}

/*
 * The registered accelerator of @pdev. It stays so until accel_pci_put(), as for any
 * callback: the gate is held. NULL: there is none.
 */
static struct accel_device *accel_pci_get(struct pci_dev *pdev)
{
	struct accel_device *adev;
	unsigned long id;

	guard(mutex)(&accel_devices_lock);
	xa_for_each(&accel_devices, id, adev)
		if (adev->dev.parent == &pdev->dev && percpu_ref_tryget_live(&adev->gate))
			return adev;
	pci_warn(pdev, "an error or a reset, and no accelerator is registered\n");
	return NULL;
}

static void accel_pci_put(struct accel_device *adev)
{
	percpu_ref_put(&adev->gate);
}

/* End all jobs, refuse new ones, and let the hardware reach no memory any more. */
static void accel_pci_stop(struct accel_device *adev, enum accel_state state)
{
	struct pci_dev *pdev = to_pci_dev(adev->dev.parent);

	/*
	 * A driver that cannot read its registers cannot stop its hardware either, and
	 * memory is given back when the jobs have ended. One that can stops it better
	 * with its DMA in working order.
	 */
	if (pci_channel_offline(pdev))
		pci_clear_master(pdev);
	accel_device_set_state(adev, state);
	pci_clear_master(pdev);
}

/* Let the driver begin anew. Bus mastering stays off until it says otherwise. */
static int accel_pci_restart(struct accel_device *adev)
{
	struct pci_dev *pdev = to_pci_dev(adev->dev.parent);
	int ret;

	/* It may have been bound after the error: then this is the first it hears of it. */
	accel_pci_stop(adev, ACCEL_STATE_RESETTING);
	/* The PCI core says so only at resume(); unless the device was unplugged. */
	cmpxchg(&pdev->error_state, pci_channel_io_frozen, pci_channel_io_normal);
	pci_load_saved_state(pdev, adev->pci_state);
	pdev->saved_config_space[PCI_COMMAND / 4] &= ~PCI_COMMAND_MASTER;
	pci_restore_state(pdev);
	ret = adev->drv->reset_done ? adev->drv->reset_done(adev) : -EOPNOTSUPP;
	if (ret) {
		pci_err(pdev, "does not come back after an error or a reset: %d\n", ret);
		accel_pci_stop(adev, ACCEL_STATE_FAILED);
	}
	return ret;
}

static void accel_pci_go_on(struct accel_device *adev)
{
	if (READ_ONCE(adev->state) == ACCEL_STATE_RESETTING)
		accel_device_set_state(adev, ACCEL_STATE_OK);
}

static pci_ers_result_t accel_pci_error_detected(struct pci_dev *pdev,
						 pci_channel_state_t channel)
{
	struct accel_device *adev = accel_pci_get(pdev);
	bool hopeless;

	if (!adev)
		return PCI_ERS_RESULT_NONE;
	hopeless = channel == pci_channel_io_perm_failure || !adev->drv->reset_done;
	accel_pci_stop(adev, hopeless ? ACCEL_STATE_FAILED : ACCEL_STATE_RESETTING);
	accel_pci_put(adev);
	return hopeless ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t accel_pci_slot_reset(struct pci_dev *pdev)
{
	struct accel_device *adev = accel_pci_get(pdev);
	int ret;

	if (!adev)
		return PCI_ERS_RESULT_NONE;
	ret = accel_pci_restart(adev);
	accel_pci_put(adev);
	return ret ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_RECOVERED;
}

static void accel_pci_resume(struct pci_dev *pdev)
{
	struct accel_device *adev = accel_pci_get(pdev);

	if (!adev)
		return;
	accel_pci_go_on(adev);
	accel_pci_put(adev);
}

static void accel_pci_reset_prepare(struct pci_dev *pdev)
{
	struct accel_device *adev = accel_pci_get(pdev);

	if (!adev)
		return;
	accel_pci_stop(adev, ACCEL_STATE_RESETTING);
	accel_pci_put(adev);
}

static void accel_pci_reset_done(struct pci_dev *pdev)
{
	struct accel_device *adev = accel_pci_get(pdev);

	if (!adev)
		return;
	if (!accel_pci_restart(adev))
		accel_pci_go_on(adev);
	accel_pci_put(adev);
}

const struct pci_error_handlers accel_pci_error_handlers = {
	.error_detected = accel_pci_error_detected,
	.slot_reset = accel_pci_slot_reset,
	.resume = accel_pci_resume,
	.reset_prepare = accel_pci_reset_prepare,
	.reset_done = accel_pci_reset_done,
};
EXPORT_SYMBOL_NS_GPL(accel_pci_error_handlers, ACCEL_EXPORT_NS);
