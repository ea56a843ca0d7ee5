// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * A device is unbound and bound 1,000 times, and 200 times of these while 64 files
 * are open, mapped, with a page pinned and jobs that run and wait.
 */
#include "storm.h"

#define DRIVER	"/sys/bus/platform/drivers/accel_soft/"
#define CYCLES	1000
#define IN_USE	5	/* each fifth */
#define FILES	64

static struct dev_info dev;
static char *pages;

/* What was wrong with this cycle, or NULL. */
static const char *cycle(int in_use)
{
	struct storm_user users[FILES];
	const char *wrong = NULL;
	long long pins = dev_foll_pins();
	int i;

	if (in_use) {
		if (dev_soft_latency(dev.name, ACCEL_SOFT_LATENCY_MAX))
			return "the control node";
		for (i = 0; i < FILES; i++)
			if (storm_use(&users[i], &dev, pages + i * PAGE, 2))
				return "open, map, pin or submit";
		if (dev_foll_pins() != pins + FILES)
			return "pins before";
	}
	if (dev_write(DRIVER "unbind", "accel_soft.0"))
		return "unbind";
	if (in_use) {
		if (dev_foll_pins() != pins)
			wrong = "a page is still pinned";
		for (i = 0; i < FILES; i++) {
			if (storm_ask(users[i].fd) != -ENODEV)
				wrong = "a file does not answer ENODEV";
			if (users[i].map[0])
				wrong = "a mapping is not empty";
		}
	}
	/* Half of the files are closed when the device is back already. */
	for (i = 0; in_use && i < FILES / 2; i++)
		storm_leave(&users[i]);
	if (dev_write(DRIVER "bind", "accel_soft.0"))
		return "bind";
	for (i = FILES / 2; in_use && i < FILES; i++)
		storm_leave(&users[i]);
	/* Numbers are given again when the last file of the old device is closed. */
	if (dev_find("soft", 0, &dev))
		return "the device is not back";
	return wrong;
}

int main(void)
{
	static struct storm before;
	const char *wrong = NULL;
	int i;

	pages = mmap(NULL, FILES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	if (pages == MAP_FAILED || dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	/* Once for what stays: caches, per-cpu areas. */
	wrong = cycle(1);
	if (wrong)
		tap_bail("%s", wrong);
	storm_before(&before, "accel_soft");
	for (i = 0; i < CYCLES && !wrong; i++)
		wrong = cycle(!(i % IN_USE));
	tap_ok(!wrong, "%d times unbound and bound, %d of them with %d files in use%s%s", i,
	       i / IN_USE, FILES, wrong ? ": " : "", wrong ? wrong : "");
	storm_after(&before, "bind and unbind", CYCLES);
	return tap_done();
}
