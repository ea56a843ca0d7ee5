// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" TIMEOUT=120 */
/*
 * What accel_mem_pin and accel_dma_map say of a region: in how many folios it lies, how
 * many of its pages were faulted in, and which part of the time was spent on what. The
 * parts are within the whole, and a part that had nothing to do took none.
 */
#include "dmabuf.h"
#include "mem.h"
#include "traced.h"

#define PAGES	64UL
#define LENGTH	(PAGES * PAGE)

static struct dev_info dev;
static int fd, translated;	/* an IOMMU makes one segment of all */

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

/*
 * The runs that the pages are in: entries of the table, each shorter than the longest may be.
 * -1: the kernel does not tell where pages are (PROC_PAGE_MONITOR).
 */
static long long runs(const uint8_t *p, size_t length)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t pfn, last = 0;
	long long n = 0;

	if (pagemap < 0)
		return -1;
	for (uintptr_t at = (uintptr_t)p; at < (uintptr_t)p + length; at += PAGE) {
		if (pread(pagemap, &pfn, sizeof(pfn), at / PAGE * sizeof(pfn)) != sizeof(pfn))
			tap_bail("pagemap: %s", strerror(errno));
		pfn &= (1ULL << 55) - 1;
		n += pfn != last + 1;
		last = pfn;
	}
	close(pagemap);
	return n;
}

static void pin(uint8_t *p, size_t length)
{
	uint64_t mem;

	forget();
	if (dev_pin(fd, p, length, READ | WRITE, &mem) || dev_unpin(fd, mem))
		tap_bail("pin and unpin");
}

/* What is where in an event, of a region at @p. */
static void sizes(const char *what, const uint8_t *p, size_t length)
{
	static const char *const events[] = { PIN, MAP };
	long long segments = translated ? 1 : runs(p, length);

	for (int i = 0; i < 2; i++) {
		tap_is(field(events[i], "bytes"), length, "%s: %sbytes", what, events[i]);
		tap_is(field(events[i], "pages"), length / PAGE, "%s: %spages", what, events[i]);
		if (segments >= 0)
			tap_is(field(events[i], "segments"), segments, "%s: %ssegments", what,
			       events[i]);
	}
}

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

/* Of the pages from @first on, each @nth goes away. */
static void absent(uint8_t *p, unsigned long first, unsigned long nth)
{
	for (; first < PAGES; first += nth)
		if (madvise(p + first * PAGE, PAGE, MADV_DONTNEED))
			tap_bail("madvise: %s", strerror(errno));
}

/*
 * The parts, and the mapping, are nearly all of a long pin. A guest may be stopped at any
 * point of one, so it is tried until it was not: what is left out is left out each time.
 */
static void whole(void)
{
	long long duration = 0, sum = 0;
	uint8_t *p = map(4 * HUGE, MADV_NOHUGEPAGE);

	for (int i = 0; i < 100 && (!duration || sum * 100 < duration * 90); i++) {
		madvise(p, HUGE, MADV_DONTNEED);
		pin(p, 4 * HUGE);
		duration = field(PIN, "duration_ns");
		sum = field(PIN, "account_ns") + field(PIN, "fault_ns") + field(PIN, "pin_ns") +
		      field(PIN, "gather_ns") + field(MAP, "duration_ns");
	}
	tap_ok(sum * 100 >= duration * 90,
	       "the parts are 90 %% of the whole at least (%lld of %lld ns)", sum, duration);
	munmap(p, 4 * HUGE);
}

/* A dma-buf: what it costs to pin is its exporter's affair. */
static void imported(void)
{
	uint8_t *p = map(LENGTH, MADV_NOHUGEPAGE);
	uint64_t mem, import;
	struct dev_info other;
	int fd2, dmabuf;

	memset(p, 1, LENGTH);
	if (dev_find("soft", 1, &other) || (fd2 = dev_open(other.name)) < 0 ||
	    dev_pin(fd, p, LENGTH, READ | WRITE, &mem) ||
	    (dmabuf = dmabuf_export(fd, mem, O_CLOEXEC)) < 0)
		tap_bail("no dma-buf");
	forget();
	if (dmabuf_import(fd2, dmabuf, READ, &import, NULL) || dev_unpin(fd2, import))
		tap_bail("no import");
	sizes("a dma-buf", p, LENGTH);
	tap_is(dev_trace_lines("way=dmabuf"), 4, "a dma-buf: each event says the way");
	tap_is(field(PIN, "folios"), 0, "a dma-buf: no folios");
	tap_is(field(PIN, "faulted_pages") + field(PIN, "account_ns") + field(PIN, "fault_ns") +
	       field(PIN, "pin_ns") + field(PIN, "gather_ns"), 0, "a dma-buf: no part of a pin");
	tap_ok(field(MAP, "iommu_ns") > 0 && field(MAP, "iommu_ns") <= field(MAP, "duration_ns") &&
	       field(MAP, "duration_ns") <= field(PIN, "duration_ns"),
	       "a dma-buf: but of its mapping");
	close(dmabuf);
	dev_unpin(fd, mem);
	close(fd2);
	munmap(p, LENGTH);
}

int main(int argc, char **argv)
{
	const char *driver = argc > 1 ? argv[1] : "soft";
	uint8_t *p;

	translated = argc > 1;

	fd = open_first(driver, &dev);
	listen_to_mem();

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
	absent(p, 0, PAGES);
	pin(p, LENGTH);
	parts("only the first page is not there", 1);
	sizes("small pages", p, LENGTH);
	absent(p, PAGES - 1, PAGES);
	pin(p, LENGTH);
	parts("only the last page is not there", 1);
	absent(p, 0, 2);
	pin(p, LENGTH);
	parts("every second page is not there", PAGES / 2);
	absent(p, 1, 4);
	pin(p, LENGTH);
	parts("every fourth page is not there", PAGES / 4);
	whole();

	dev_write("/proc/sys/vm/compact_memory", "1");
	p = map(2 * HUGE, MADV_HUGEPAGE);
	memset(p, 1, 2 * HUGE);
	pin(p, 2 * HUGE);
	parts("huge pages", 0);
	tap_is(field(PIN, "pages"), 2 * HUGE / PAGE, "huge pages: that many small ones");
	tap_is(field(PIN, "folios"), 2, "are two folios");
	sizes("huge pages", p, 2 * HUGE);
	pin(p + HUGE / 2, HUGE);
	tap_is(field(PIN, "folios"), 2, "halves of two are two");
	pin(p, PAGE);
	tap_is(field(PIN, "folios"), 1, "a page of one is one");

	if (!translated)
		imported();
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
