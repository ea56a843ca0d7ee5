// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=60 */
/*
 * 4,096 open files of one device at once, each with a page pinned, a mapping and a
 * job: closed by their owner, the first one first; the last one first, whose jobs wait
 * behind those of all others and must not wait for them to end, a minute each, or the
 * time limit is over; and with the device gone before.
 */
#include "storm.h"

#define DRIVER	"/sys/bus/platform/drivers/accel_soft/"
#define FILES	4096

static struct storm_user users[FILES];
static struct dev_info dev;
static char *pages;

static void open_all(const char *how)
{
	int ret = 0, i;

	for (i = 0; i < FILES && !ret; i++)
		ret = storm_use(&users[i], &dev, pages + i * PAGE, 1);
	tap_is(ret, 0, "%s: %d files open, mapped, with a page pinned and a job", how, i);
	tap_is(dev_attr(dev.name, "contexts"), FILES, "%s: as many contexts", how);
	tap_is(dev_attr(dev.name, "pinned_bytes"), FILES * PAGE, "%s: and pages", how);
}

static void leave_all(void)
{
	for (int i = 0; i < FILES; i++)
		storm_leave(&users[i]);
}

int main(void)
{
	struct rlimit files = { FILES + 64, FILES + 64 };
	static struct storm before;
	int dead = 0;

	pages = mmap(NULL, FILES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	if (pages == MAP_FAILED || setrlimit(RLIMIT_NOFILE, &files))
		tap_bail("%d files: %s", FILES, strerror(errno));
	if (dev_find("soft", 0, &dev) || dev_soft_latency(dev.name, ACCEL_SOFT_LATENCY_MAX))
		tap_bail("no soft device");
	open_all("closed");
	leave_all();
	storm_before(&before, "accel_soft");
	open_all("closed again");
	for (int i = FILES - 1; i >= 0; i--)
		storm_leave(&users[i]);
	storm_after(&before, "closed again", FILES);

	open_all("unbound");
	tap_is(dev_write(DRIVER "unbind", "accel_soft.0"), 0, "unbound: the device goes");
	tap_is(dev_foll_pins(), before.pins, "unbound: no page is pinned");
	for (int i = 0; i < FILES; i++)
		dead += storm_ask(users[i].fd) == -ENODEV && !users[i].map[0];
	tap_is(dead, FILES, "unbound: every file answers ENODEV, every mapping is empty");
	tap_is(dev_write(DRIVER "bind", "accel_soft.0"), 0, "unbound: the device comes back");
	leave_all();
	storm_after(&before, "unbound", FILES);
	return tap_done();
}
