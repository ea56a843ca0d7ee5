// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" */
/*
 * The ways for a device to go while it is in use, but for those that need a slot
 * (hotplug/in_use.c).
 */
#include "ways.h"

#define MODULES	"/usr/lib/accelerator/modules/"
#define EDU	"/sys/bus/pci/drivers/accel_edu/"
#define GONE	"/sys/module/accel_edu/parameters/gone"

static char edu_slot[32];

static void find_edu(void)
{
	FILE *f = popen("ls /sys/bus/pci/drivers/accel_edu | grep 0000:", "r");

	if (!f || !fgets(edu_slot, sizeof(edu_slot), f))
		tap_bail("no edu bound to its driver");
	edu_slot[strcspn(edu_slot, "\n")] = 0;
	pclose(f);
}

static int remove_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static int soft_rmmod(void)
{
	return remove_module("accel_soft");
}

static int soft_insmod(void)
{
	return system("insmod " MODULES "accel_soft.ko devices=2");
}

static int edu_rmmod(void)
{
	return remove_module("accel_edu");
}

static int edu_insmod(void)
{
	return system("insmod " MODULES "accel_edu.ko dma_bits=32");
}

/* The hardware does not answer any more: each register reads all ones. */
static int edu_vanish(void)
{
	return dev_write(GONE, "1") ?: dev_write(EDU "unbind", edu_slot);
}

static int edu_appear(void)
{
	return dev_write(GONE, "0") ?: dev_write(EDU "bind", edu_slot);
}

int main(void)
{
	static char remove_path[96];
	const struct way ways[] = {
		{
			.name = "soft unbind", .driver = "soft",
			.gone_path = "/sys/bus/platform/drivers/accel_soft/unbind",
			.gone_text = "accel_soft.0",
			.back_path = "/sys/bus/platform/drivers/accel_soft/bind",
			.back_text = "accel_soft.0",
		}, {
			.name = "edu unbind", .driver = "edu",
			.gone_path = EDU "unbind",
			.gone_text = edu_slot,
			.back_path = EDU "bind",
			.back_text = edu_slot,
		}, {
			.name = "edu PCI remove", .driver = "edu",
			.gone_path = remove_path, .gone_text = "1",
			.back_path = "/sys/bus/pci/rescan", .back_text = "1",
		}, {
			.name = "soft rmmod", .driver = "soft", .go = soft_rmmod, .back = soft_insmod,
		}, {
			.name = "edu rmmod", .driver = "edu", .go = edu_rmmod, .back = edu_insmod,
		}, {
			.name = "edu vanished, then unbind", .driver = "edu",
			.go = edu_vanish, .back = edu_appear,
		},
	};
	unsigned int i;

	find_edu();
	snprintf(remove_path, sizeof(remove_path), "/sys/bus/pci/devices/%s/remove", edu_slot);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		test_way(&ways[i]);
	return tap_done();
}
