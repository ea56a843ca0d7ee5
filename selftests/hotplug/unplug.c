// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=10,hotplug=acpi" TIMEOUT=300 */
/*
 * 100 hot unplugs: QEMU takes the device out of its slot in the middle of its DMA of
 * 100 ms, with files open, mapped, memory pinned, jobs queued, a thread that waits and
 * one that polls for each file; then a new device is plugged in, and works.
 *
 * Ten ports lose theirs at once, ten times; in every other round the files are closed only
 * when the new devices work. Only those unplugs count whose job was running: the kernel's
 * trace tells of each job that its device's end has ended, and for how long it had run.
 * Between two jobs, and when a guest was stopped until all were through, none does; there are
 * more rounds then.
 *
 * The firmware serves these slots (ACPI): on the instrumented kernel pciehp, which
 * shapes.c tries, has lockdep report a cycle between two locks of the kernel's own at the
 * first unplug, and then look no further.
 */
#include <sys/stat.h>

#include "hotplug.h"

#define UNPLUGS	100
#define ROUNDS	20	/* ten, if each unplug is a hot one */
#define FILES	3
#define JOBS	600	/* of the first file, 100 ms each: longer than unplugging all takes */
#define NOTICE_S 60	/* ten devices take 18 on the instrumented kernel */
#define TRACE	"/sys/kernel/tracing/instances/unplug"

static struct dev_info dev[HOTPLUG_PORTS];
static struct hotplug_user users[HOTPLUG_PORTS][FILES];
static char *pages;
static int ports, caught, hot;

/* Only jobs that ran when their device went. */
static void trace(void)
{
	if (mkdir(TRACE, 0700))
		tap_bail(TRACE ": %s", strerror(errno));
	storm_write(TRACE "/events/accel/accel_job_done/filter", "ret == -19 && run_ns > 0");
	storm_write(TRACE "/events/accel/accel_job_done/enable", "1");
}

/* How many of the devices that have gone had such a job; forgets it. */
static int traced(void)
{
	FILE *f = fopen(TRACE "/trace", "re");
	int ran[HOTPLUG_PORTS] = { 0 }, n = 0;
	char line[512], want[64];

	while (f && fgets(line, sizeof(line), f))
		for (int i = 0; i < ports; i++) {
			snprintf(want, sizeof(want), "accel_job_done: dev=%.31s ", dev[i].name);
			n += strstr(line, want) && !ran[i]++;
		}
	if (f)
		fclose(f);
	storm_write(TRACE "/trace", "");
	return n;
}

/*
 * Port @n's new device. It was seen once, of ten that came at the same time on the
 * instrumented kernel, that the kernel never looked at three of the slots, and did nothing
 * else either: the firmware's notice was lost. That is not what is tried here, so the
 * kernel is then told to look, as its user would.
 */
static int comes_back(int n)
{
	if (!hotplug_await_for(n, 1, &dev[n], NOTICE_S))
		return 0;
	tap_diag("port %d: nobody told the kernel of its device; it is told to look", n);
	return dev_write("/sys/bus/pci/rescan", "1") ?: hotplug_await(n, 1, &dev[n]);
}

/* Files that are open until the new device has come and works. */
static const char *close_late(void)
{
	const char *wrong = NULL;
	int n, i;

	for (n = 0; n < ports; n++)
		for (i = 0; i < FILES; i++) {
			if (storm_ask(users[n][i].use.fd) != -ENODEV || users[n][i].use.map[0])
				wrong = "a file lives with its port's new device";
			storm_leave(&users[n][i].use);
		}
	return wrong;
}

/*
 * All ports lose their device and get a new one, before or after the files are closed. What
 * was wrong, or NULL.
 */
static const char *round_of(bool late)
{
	long long pins = dev_foll_pins();
	const char *wrong = NULL, *bad;
	int n, i;

	for (n = 0; n < ports; n++)
		for (i = 0; i < FILES; i++)
			if (storm_use(&users[n][i].use, &dev[n], pages + (n * FILES + i) * PAGE, 0))
				return "open, map or pin";
	if (dev_foll_pins() != pins + ports * FILES)
		return "pins before";
	/* Each port's jobs just before it goes, since they take their time in any case. */
	for (n = 0; n < ports; n++) {
		for (i = 0; i < FILES; i++)
			if (hotplug_work(&users[n][i], &dev[n], i ? 1 : JOBS))
				return "submit";
		/* between two jobs none runs, for a moment */
		while (dev_attr(dev[n].name, "engines/edu/running") != 1)
			usleep(1000);
		if (hotplug_ask(n))
			return "QEMU refuses";
	}
	for (n = 0; n < ports; n++)
		if (hotplug_gone(n))
			return "the device does not go";
	if (dev_foll_pins() != pins || dev_charged_kb(0))
		wrong = "a page is still pinned, or charged for";
	for (n = 0; n < ports; n++) {
		if (!hotplug_cannot_open(dev[n].name))
			wrong = "open does not answer ENXIO or ENOENT";
		for (i = 0; i < FILES; i++) {
			bad = hotplug_dead(&users[n][i], &caught);
			wrong = bad ? bad : wrong;
			if (!late)
				storm_leave(&users[n][i].use);
		}
	}
	hot += traced();
	for (n = 0; n < ports; n++)
		if (hotplug_add(n))
			return "QEMU adds none";
	for (n = 0; n < ports; n++) {
		if (comes_back(n))
			return "the device does not come back";
		if (hotplug_works(&dev[n], pages))
			wrong = "the device that came does not work";
	}
	bad = late ? close_late() : NULL;
	return bad ? bad : wrong;
}

int main(void)
{
	static struct storm before;
	const char *wrong = NULL;
	int done = 0, n;

	ports = hotplug_init();
	pages = mmap(NULL, (ports * FILES + 1) * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	for (n = 0; n < ports; n++)
		if (hotplug_find(n, &dev[n]))
			tap_bail("no edu behind port %d", n);
	tap_is(hotplug_works(&dev[0], pages), 0, "the device works");
	trace();
	storm_before(&before, "accel_edu");
	for (; hot < UNPLUGS && done < ROUNDS * ports && !wrong; done += ports)
		wrong = round_of(done / ports % 2);
	tap_ok(!wrong, "%d unplugs, %d ports at once, every other late closed, %d files with jobs%s%s",
	       done, ports, caught, wrong ? ": " : "", wrong ? wrong : "");
	tap_ok(hot >= UNPLUGS, "%d of them in the middle of a DMA", hot);
	/*
	 * The kernel's hotplug code keeps a few (kmalloc-192, 6 in 100 times), and what is free
	 * in the slab that a processor allocates from counts as used: 21 objects of that
	 * size. One of ours would be lost each time, or for each of the files.
	 */
	storm_after_within(&before, "hot unplug", done, done / 2);
	storm_after_kmemleak(&before, "hot unplug");
	return tap_done();
}
