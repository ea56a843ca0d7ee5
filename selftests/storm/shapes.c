// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=1" TIMEOUT=150 */
/*
 * The ways for a PCI device to go and to come back, with nobody there ("unbind",
 * "rebind", "remove", "rescan") and in the middle of its DMA ("hot" ones), with
 * files that are closed before, between and after.
 */
#include "storm.h"

#define DRIVER	"/sys/bus/pci/drivers/accel_edu/"
#define TIMES	10
#define FILES	8
#define JOBS	20	/* of each file: 100 ms each */

enum shape_end { UNBIND, REMOVE };
enum shape_close { NOBODY, CLOSE_BETWEEN, CLOSE_LATE };

static const struct {
	const char *name;
	enum shape_end end;
	enum shape_close close;	/* when, of those who use it when it goes */
	int back_twice;		/* it goes and comes again before they close */
} shapes[] = {
	{ "unbind, rebind", UNBIND, NOBODY, 0 },
	{ "hot unbind, close, rebind", UNBIND, CLOSE_BETWEEN, 0 },
	{ "hot unbind, hot rebind, late close", UNBIND, CLOSE_LATE, 0 },
	{ "hot unbind, rebind twice, late close", UNBIND, CLOSE_LATE, 1 },
	{ "remove, rescan", REMOVE, NOBODY, 0 },
	{ "hot remove, close, rescan", REMOVE, CLOSE_BETWEEN, 0 },
	{ "hot remove, hot rescan, late close", REMOVE, CLOSE_LATE, 0 },
	{ "hot remove, rescan twice, late close", REMOVE, CLOSE_LATE, 1 },
};

static char slot[32], remove_path[96];
static char *pages;

static int go(enum shape_end end)
{
	return end == UNBIND ? dev_write(DRIVER "unbind", slot) : dev_write(remove_path, "1");
}

static int come(enum shape_end end)
{
	return end == UNBIND ? dev_write(DRIVER "bind", slot) :
			       dev_write("/sys/bus/pci/rescan", "1");
}

/* The device does its work: a DMA from end to end. */
static int works(void)
{
	struct accel_job_wait wait = { .status = -ENODEV };
	struct storm_user u = { 0 };
	struct dev_info dev;
	int ret;

	if (dev_find("edu", 0, &dev))
		return -ENODEV;
	ret = storm_use(&u, &dev, pages + FILES * PAGE, 1);
	if (!ret)
		ret = dev_wait(u.fd, u.job, &wait);
	storm_leave(&u);
	return ret ? ret : wait.status;
}

static const char *dead(struct storm_user *users)
{
	for (int i = 0; i < FILES; i++) {
		if (storm_ask(users[i].fd) != -ENODEV)
			return "a file does not answer ENODEV";
		if (users[i].map[0])
			return "a mapping is not empty";
	}
	return NULL;
}

static const char *run_shape(int n)
{
	struct storm_user users[FILES];
	long long pins = dev_foll_pins();
	const char *wrong = NULL;
	struct dev_info dev;
	int i;

	if (dev_find("edu", 0, &dev))
		return "there is no edu";
	for (i = 0; shapes[n].close && i < FILES; i++)
		if (storm_use(&users[i], &dev, pages + i * PAGE, JOBS))
			return "open, map, pin or submit";
	if (go(shapes[n].end))
		return "the device does not go";
	if (dev_foll_pins() != pins)
		wrong = "a page is still pinned";
	if (!wrong && shapes[n].close)
		wrong = dead(users);
	for (i = 0; shapes[n].close == CLOSE_BETWEEN && i < FILES; i++)
		storm_leave(&users[i]);
	if (come(shapes[n].end))
		return "the device does not come back";
	if (shapes[n].back_twice && (go(shapes[n].end) || come(shapes[n].end)))
		return "the device does not go and come a second time";
	if (works())
		wrong = "the device that came back does not work";
	if (!wrong && shapes[n].close == CLOSE_LATE)
		wrong = dead(users);
	for (i = 0; shapes[n].close == CLOSE_LATE && i < FILES; i++)
		storm_leave(&users[i]);
	return wrong;
}

int main(void)
{
	static struct storm before;
	int i, n;
	const char *wrong;

	storm_slot(slot, sizeof(slot));
	snprintf(remove_path, sizeof(remove_path), "/sys/bus/pci/devices/%s/remove", slot);
	pages = mmap(NULL, (FILES + 1) * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	tap_is(works(), 0, "the device works");
	storm_before(&before, "accel_edu");
	for (n = 0; n < (int)(sizeof(shapes) / sizeof(shapes[0])); n++) {
		wrong = NULL;
		for (i = 0; i < TIMES && !wrong; i++)
			wrong = run_shape(n);
		tap_ok(!wrong, "%s, %d times%s%s", shapes[n].name, i, wrong ? ": " : "",
		       wrong ? wrong : "");
	}
	storm_after(&before, "all shapes", n * TIMES);
	return tap_done();
}
