// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="edu=2,hotplug" TIMEOUT=120 */
/*
 * The ways for a device to leave its slot and for another to come, with nobody there and
 * in the middle of its DMA ("hot" ones), with files that are closed between and after.
 * Not on the instrumented kernel: see unplug.c.
 *
 * What the kernel does by itself (unbind, remove, rescan) is in ../storm/shapes.c.
 */
#include "hotplug.h"

#define FILES	4
#define JOBS	200	/* of the first file, 100 ms each; the button takes five seconds */
#define DRIVER	"/sys/bus/pci/drivers/accel_edu/"

enum shape_end {
	BUTTON,		/* pressed; the kernel powers the slot off five seconds later */
	POWER,		/* pressed, and the slot is powered off at once */
	UNBOUND,	/* the driver leaves before that */
	REMOVED,	/* the kernel forgets the device before that */
	SURPRISE,	/* torn out: nobody asks the kernel */
};
enum shape_close { NOBODY, CLOSE_BETWEEN, CLOSE_LATE };

static const struct {
	const char *name;
	enum shape_end end;
	enum shape_close close;	/* when, of those who use it when it goes */
	int times;
	int back_twice;		/* it goes and comes again before they close */
} shapes[] = {
	{ "unplug, replug", POWER, NOBODY, 2, 0 },
	{ "hot unplug, close, replug", POWER, CLOSE_BETWEEN, 2, 0 },
	{ "hot unplug, hot replug, late close", POWER, CLOSE_LATE, 2, 0 },
	{ "hot unplug, replug twice, late close", POWER, CLOSE_LATE, 1, 1 },
	{ "hot unplug by the button alone, close, replug", BUTTON, CLOSE_BETWEEN, 1, 0 },
	{ "hot unbind, unplug, late close", UNBOUND, CLOSE_LATE, 2, 0 },
	{ "hot remove, unplug, late close", REMOVED, CLOSE_LATE, 2, 0 },
	{ "torn out, replug", SURPRISE, NOBODY, 2, 0 },
	{ "hot torn out, close, replug", SURPRISE, CLOSE_BETWEEN, 2, 0 },
	{ "hot torn out, hot replug, late close", SURPRISE, CLOSE_LATE, 2, 0 },
	{ "hot torn out, replug twice, late close", SURPRISE, CLOSE_LATE, 1, 1 },
};

static char *pages;

static int go(int port, enum shape_end end, struct dev_info *dev)
{
	char path[96];
	int ret = 0;

	switch (end) {
	case UNBOUND:
		ret = dev_write(DRIVER "unbind", hotplug_slot[port]);
		break;
	case REMOVED:
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", hotplug_slot[port]);
		ret = dev_write(path, "1");
		break;
	case SURPRISE:
		ret = hotplug_tear_out(port);
		break;
	default:
		break;
	}
	if (!ret && end != SURPRISE)
		ret = hotplug_ask(port);
	/* Of a device that it has forgotten the kernel still powers the slot. */
	if (!ret && end != SURPRISE && end != BUTTON)
		ret = hotplug_confirm(port);
	/* unless the five seconds were over, and it has */
	if (!ret || ret == -ENODEV)
		ret = hotplug_gone(port);
	return ret ? ret : hotplug_await(port, 0, dev);
}

static int come(int port, struct dev_info *dev)
{
	int ret = hotplug_add(port);

	return ret ? ret : hotplug_await(port, 1, dev);
}

static const char *dead(struct hotplug_user *users)
{
	const char *wrong = NULL;
	int caught = 0;

	for (int i = 0; i < FILES && !wrong; i++)
		wrong = hotplug_dead(&users[i], &caught);
	return wrong ? wrong : caught ? NULL : "no job was in flight";
}

static const char *run_shape(int n, int port)
{
	static struct hotplug_user users[FILES];
	long long pins = dev_foll_pins();
	const char *wrong = NULL;
	struct dev_info dev;
	int i;

	if (hotplug_find(port, &dev))
		return "there is no edu";
	/* The first file's jobs come first: no other's ends before them. */
	for (i = 0; shapes[n].close && i < FILES; i++)
		if (storm_use(&users[i].use, &dev, pages + i * PAGE, 0) ||
		    hotplug_work(&users[i], &dev, i ? 1 : JOBS))
			return "open, map, pin or submit";
	if (go(port, shapes[n].end, &dev))
		return "the device does not go";
	if (dev_foll_pins() != pins || dev_charged_kb(0))
		wrong = "a page is still pinned, or charged for";
	if (!wrong && !hotplug_cannot_open(dev.name))
		wrong = "open does not answer ENXIO or ENOENT";
	if (!wrong && shapes[n].close)
		wrong = dead(users);
	dev_write("/sys/bus/pci/rescan", "1");
	if (!hotplug_find(port, &dev))
		wrong = "an empty slot has a device after a rescan";
	for (i = 0; shapes[n].close == CLOSE_BETWEEN && i < FILES; i++)
		storm_leave(&users[i].use);
	if (come(port, &dev))
		return "the device does not come back";
	if (shapes[n].back_twice && (go(port, shapes[n].end, &dev) || come(port, &dev)))
		return "the device does not go and come a second time";
	if (hotplug_works(&dev, pages + FILES * PAGE))
		wrong = "the device that came does not work";
	for (i = 0; shapes[n].close == CLOSE_LATE && i < FILES; i++) {
		if (storm_ask(users[i].use.fd) != -ENODEV)
			wrong = "a file does not answer ENODEV any more";
		storm_leave(&users[i].use);
	}
	return wrong;
}

int main(void)
{
	static struct storm before;
	const char *wrong;
	int ports = hotplug_init(), count = 0, i, n;

	pages = mmap(NULL, (FILES + 1) * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	storm_before(&before, "accel_edu");
	for (n = 0; n < (int)(sizeof(shapes) / sizeof(shapes[0])); n++) {
		wrong = NULL;
		for (i = 0; i < shapes[n].times && !wrong; i++)
			wrong = run_shape(n, count++ % ports);
		tap_ok(!wrong, "%s, %d times%s%s", shapes[n].name, i, wrong ? ": " : "",
		       wrong ? wrong : "");
	}
	storm_after(&before, "all shapes", count);
	return tap_done();
}
