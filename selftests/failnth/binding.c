// SPDX-License-Identifier: GPL-2.0-only
/* A driver lets its device go and takes it again: unregister and register. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"
#include "tap.h"

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

static void undo(const void *arg)
{
	int ret = is_bound(arg) ? 0 : tell(arg, "bind");

	if (ret)
		tap_bail("%s does not come back: %s", ((const struct bound *)arg)->device, strerror(-ret));
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

void sweep_binding(void)
{
	struct bound soft = {}, edu = {};

	find(&soft, "/sys/bus/platform/drivers/accel_soft", "accel_soft.");
	find(&edu, "/sys/bus/pci/drivers/accel_edu", "0000:");

	const struct scene scenes[] = {
		{ "unbind and bind soft", &soft, NULL, run, undo, 0, NULL, true, 7 },
		{ "unbind and bind edu", &edu, NULL, run, undo, 0, NULL, true, 7 },
	};

	for (unsigned int i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		scene_sweep(&scenes[i]);
}
