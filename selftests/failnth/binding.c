// SPDX-License-Identifier: GPL-2.0-only
/* A driver lets its device go and takes it again: unregister and register. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/accelerator_soft.h>

#include "scene.h"
#include "tap.h"

#define PAGE	4096UL

struct bound {
	char driver[64];	/* its directory in sysfs */
	char device[32];
};

static bool is_bound(const struct bound *b)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", b->driver, b->device);
	return !access(path, F_OK);
}

static int tell(const struct bound *b, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", b->driver, file);
	return dev_write(path, b->device);
}

static int run(const void *arg)
{
	return tell(arg, "unbind") ?: tell(arg, "bind");
}

/* devtmpfs has no memory for a node's name, and says so to nobody. */
static bool has_node(const struct bound *b)
{
	char path[64];
	struct dev_info dev;

	if (dev_find(strchr(b->driver, '_') + 1, 0, &dev))
		return false;
	snprintf(path, sizeof(path), "/dev/accelerator/%s", dev.name);
	return !access(path, F_OK);
}

static void undo(const void *arg)
{
	int ret = is_bound(arg) ? 0 : tell(arg, "bind");

	if (!ret && !has_node(arg))
		ret = tell(arg, "unbind") ?: tell(arg, "bind");
	if (ret)
		tap_bail("%s does not come back: %s", ((const struct bound *)arg)->device, strerror(-ret));
}

static int fd = -1;

/* A file with a region, whose device goes. */
static void prepare_region(const void *arg)
{
	static char memory[4 * PAGE] __attribute__((aligned(PAGE)));
	const char *driver = strchr(((const struct bound *)arg)->driver, '_') + 1;
	struct dev_info dev;
	int ret;

	fd = dev_find(driver, 0, &dev) ? -ENODEV : dev_open(dev.name);
	ret = fd < 0 ? fd : dev_pin(fd, memory, sizeof(memory), ACCEL_MEM_READ | ACCEL_MEM_WRITE, NULL);
	if (ret)
		tap_bail("a region of %s: %s", driver, strerror(-ret));
}

static int run_unbind(const void *arg)
{
	return tell(arg, "unbind");
}

static void undo_region(const void *arg)
{
	close(fd);
	undo(arg);
}

static volatile uint32_t *map;

/* A mapping that nobody has touched, whose device is gone */
static void prepare_gone(const void *arg)
{
	int ret;

	prepare_region(arg);
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, ACCEL_SOFT_SCRATCH_OFFSET);
	ret = map == MAP_FAILED ? -errno : tell(arg, "unbind");
	if (ret)
		tap_bail("a mapping without a device: %s", strerror(-ret));
}

/* It reads as zero everywhere, and keeps what is written. */
static int run_touch_gone(const void *arg)
{
	const size_t next = PAGE / sizeof(*map);
	bool right = !map[0] && !map[next];

	(void)arg;
	map[0] = 1;
	map[next] = 2;
	return right && map[0] == 1 && map[next] == 2 && !map[1] ? 0 : -EBADMSG;
}

static void undo_gone(const void *arg)
{
	munmap((void *)map, 2 * PAGE);
	undo_region(arg);
}

static void prepare_policy(const void *arg)
{
	(void)arg;
	policy_hold();
}

static void undo_policy(const void *arg)
{
	undo(arg);
	policy_let_go();
}

/* The first device in a driver's directory. */
static void find(struct bound *b, const char *driver, const char *device)
{
	struct dirent *e;
	DIR *d;

	snprintf(b->driver, sizeof(b->driver), "%s", driver);
	d = opendir(driver);
	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, device, strlen(device)))
			snprintf(b->device, sizeof(b->device), "%.31s", e->d_name);
	if (d)
		closedir(d);
	if (!b->device[0])
		tap_bail("%s has no device", driver);
}

/*
 * With the device enabled already, a probe's pci_enable_device() only counts. It would
 * look for the INTx line otherwise, which edu does not use: a second and a half in ACPI's
 * interpreter, which loses a table's names for ever when an allocation of its own fails.
 */
static void enable(const struct bound *b, const char *on)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", b->device);
	ret = tell(b, "unbind") ?: dev_write(path, on) ?: tell(b, "bind");
	if (ret)
		tap_bail("%s: enable %s: %s", b->device, on, strerror(-ret));
}

void sweep_soft_binding(void)
{
	struct bound soft = {};
	const struct scene scenes[] = {
		{ .name = "unbind and bind soft", .arg = &soft, .run = run, .undo = undo,
		  .undo_retries = true },
		{ .name = "the same with a policy", .arg = &soft, .prepare = prepare_policy, .run = run,
		  .undo = undo_policy, .undo_retries = true },
		{ .name = "unbind soft, with a region", .arg = &soft, .prepare = prepare_region,
		  .run = run_unbind, .undo = undo_region, .undo_retries = true },
		{ .name = "touch what soft had mapped", .arg = &soft, .prepare = prepare_gone,
		  .run = run_touch_gone, .undo = undo_gone, .undo_retries = true },
	};

	find(&soft, "/sys/bus/platform/drivers/accel_soft", "accel_soft.");
	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		scene_sweep(&scenes[i]);
}

void sweep_edu_binding(void)
{
	struct bound edu = {};
	const struct scene s = {
		.name = "unbind and bind edu", .arg = &edu, .run = run, .undo = undo,
		.undo_retries = true,
		/* what pcim_iomap_regions() and pci_alloc_irq_vectors() make of ENOMEM */
		.also = { EBUSY, EINVAL, ENODEV, ENOSPC },
	};

	find(&edu, "/sys/bus/pci/drivers/accel_edu", "0000:");
	enable(&edu, "1");
	scene_sweep(&s);
	enable(&edu, "0");
}

/* Behind an IOMMU; @left: what is not to grow. */
void sweep_edu_unbinding(long (*left)(void))
{
	struct bound edu = {};
	const struct scene s = {
		.name = "unbind edu, with a region", .arg = &edu, .prepare = prepare_region,
		.run = run_unbind, .undo = undo_region, .undo_retries = true, .left = left,
	};

	find(&edu, "/sys/bus/pci/drivers/accel_edu", "0000:");
	enable(&edu, "1");
	scene_sweep(&s);
	enable(&edu, "0");
}
