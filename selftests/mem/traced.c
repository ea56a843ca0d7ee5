// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * What accel_mem_pin and accel_dma_map say of a region: in how many folios it lies, how
 * many of its pages were faulted in, and which part of the time was spent on what. The
 * parts are within the whole, and a part that had nothing to do took none.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "mem.h"

#define TRACEFS	"/sys/kernel/tracing"
#define PAGES	64UL
#define LENGTH	(PAGES * PAGE)

static struct dev_info dev;
static int fd;

static void set(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), TRACEFS "/%s", file);
	if (dev_write(path, text))
		tap_bail("%s: cannot write %s", path, text);
}

/* A field of the only line about @event since the trace was emptied; -1: there is none. */
static long long field(const char *event, const char *name)
{
	char line[1024], want[64];
	long long value = -1;
	FILE *f = fopen(TRACEFS "/trace", "re");

	snprintf(want, sizeof(want), " %s=", name);
	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, event);

		at = at ? strstr(at, want) : NULL;
		if (at && value >= 0)
			tap_bail("two lines about %s", event);
		if (at)
			value = strtoll(at + strlen(want), NULL, 0);
	}
	if (f)
		fclose(f);
	return value;
}

static uint8_t *map(size_t length, int advice)
{
	uint8_t *p = mmap(NULL, length + HUGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	p = (uint8_t *)(((uintptr_t)p + HUGE - 1) & -HUGE);
	if (madvise(p, length, advice))
		tap_bail("madvise: %s", strerror(errno));
	return p;
}

static void pin(uint8_t *p, size_t length)
{
	uint64_t mem;

	close(open(TRACEFS "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC));
	if (dev_pin(fd, p, length, READ | WRITE, &mem) || dev_unpin(fd, mem))
		tap_bail("pin and unpin");
}

#define PIN	"accel_mem_pin: "
#define MAP	"accel_dma_map: "

static void parts(const char *what, long long faulted)
{
	long long account = field(PIN, "account_ns"), fault = field(PIN, "fault_ns");
	long long pinning = field(PIN, "pin_ns"), gather = field(PIN, "gather_ns");
	long long whole = field(PIN, "duration_ns");

	tap_diag("%s: %lld ns: account %lld, fault %lld, pin %lld, gather %lld", what, whole,
		 account, fault, pinning, gather);
	tap_is(field(PIN, "faulted_pages"), faulted, "%s: so many pages were faulted in", what);
	tap_ok(faulted ? fault > 0 : fault == 0, "%s: which took %s", what,
	       faulted ? "its time" : "none");
	tap_ok(account > 0 && gather > 0 && pinning > 0, "%s: so did accounting, pinning, gathering",
	       what);
	tap_ok(account + fault + pinning + gather <= whole, "%s: the parts are within the whole",
	       what);
	tap_is(dev_trace_lines("way=user"), 4, "%s: each event says the way", what);
	tap_ok(field(MAP, "iommu_ns") > 0 && field(MAP, "iommu_ns") <= field(MAP, "duration_ns"),
	       "%s: the DMA mapping's part is within its own", what);
}

int main(void)
{
	uint8_t *p;

	if (access(TRACEFS "/events", F_OK) &&
	    ((mkdir(TRACEFS, 0700) && errno != EEXIST) ||
	     system("mount -t tracefs tracefs " TRACEFS)))
		tap_bail("no " TRACEFS);
	fd = open_first("soft", &dev);
	set("events/accel/accel_mem_pin/enable", "1");
	set("events/accel/accel_mem_unpin/enable", "1");
	set("events/accel/accel_dma_map/enable", "1");
	set("events/accel/accel_dma_unmap/enable", "1");

	p = map(LENGTH, MADV_NOHUGEPAGE);
	pin(p, LENGTH);
	parts("nothing is there", PAGES);
	tap_is(field(PIN, "folios"), PAGES, "each page is a folio");
	tap_is(field(MAP, "folios"), PAGES, "for the mapping, too");
	pin(p, LENGTH);
	parts("all is there", 0);
	if (madvise(p + LENGTH / 2, LENGTH / 2, MADV_DONTNEED))
		tap_bail("madvise: %s", strerror(errno));
	pin(p, LENGTH);
	parts("half is there", PAGES / 2);

	dev_write("/proc/sys/vm/compact_memory", "1");
	p = map(2 * HUGE, MADV_HUGEPAGE);
	memset(p, 1, 2 * HUGE);
	pin(p, 2 * HUGE);
	parts("huge pages", 0);
	tap_is(field(PIN, "pages"), 2 * HUGE / PAGE, "huge pages: that many small ones");
	tap_is(field(PIN, "folios"), 2, "are two folios");
	pin(p + HUGE / 2, HUGE);
	tap_is(field(PIN, "folios"), 2, "halves of two are two");
	pin(p, PAGE);
	tap_is(field(PIN, "folios"), 1, "a page of one is one");

	set("events/accel/accel_mem_pin/enable", "0");
	pin(p, 2 * HUGE);
	tap_is(dev_trace_lines(PIN), 0, "nobody listens to the pin");
	tap_is(field(MAP, "folios"), 2, "but the mapping has its folios");
	set("events/accel/enable", "0");
	pin(p, PAGE);
	tap_is(dev_trace_lines("accel_"), 0, "nobody listens");
	close(fd);
	return tap_done();
}
