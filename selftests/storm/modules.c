// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=150 */
/*
 * Both drivers are unloaded and loaded 100 times, and each tenth time the core, too.
 */
#include <fcntl.h>

#include "storm.h"

#define CYCLES	100
#define CORE	10	/* each so many of them */

static int load(const char *module, const char *params)
{
	char path[96];
	int fd, ret;

	snprintf(path, sizeof(path), MODULES "%s.ko", module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static const char *cycle(int core)
{
	struct dev_info dev;

	if (unload("accel_soft"))
		return "rmmod accel_soft";
	if (unload("accel_edu"))
		return "rmmod accel_edu";
	if (storm_nodes())
		return "a node is left in /dev";
	if (core && unload("accelerator"))
		return "rmmod accelerator";
	if (core && load("accelerator", ""))
		return "insmod accelerator";
	if (load("accel_edu", "dma_bits=32"))
		return "insmod accel_edu";
	if (load("accel_soft", "devices=2"))
		return "insmod accel_soft";
	if (dev_find("edu", 0, &dev) || dev_find("soft", 1, &dev))
		return "a device is not there";
	return NULL;
}

int main(void)
{
	static struct storm before;
	const char *wrong = cycle(1);
	int i;

	if (wrong)
		tap_bail("%s", wrong);
	storm_before(&before, "accel_soft");
	for (i = 0; i < CYCLES && !wrong; i++)
		wrong = cycle(!(i % CORE));
	tap_ok(!wrong, "drivers unloaded and loaded %d times, the core %d times%s%s", i, i / CORE,
	       wrong ? ": " : "", wrong ? wrong : "");
	storm_after(&before, "load and unload", CYCLES);
	tap_is(storm_read("/sys/module/accel_edu/refcnt"), 0, "none on accel_edu, either");
	return tap_done();
}
