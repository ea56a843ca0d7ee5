// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" */
/*
 * Pages that the device may have written to are marked dirty when they are unpinned, and
 * no others: who only reads memory does not make the kernel write it to disk or swap.
 * Anonymous pages show it, since nothing else marks them (/proc/kpageflags).
 */
#include "dmabuf.h"
#include "mem.h"

#define PAGES	16UL
#define DIRTY	(1ULL << 4)	/* KPF_DIRTY of linux/kernel-page-flags.h */

static int fd, pagemap, flags;

static uint64_t read_at(int file, uint64_t index)
{
	uint64_t word;

	if (pread(file, &word, sizeof(word), index * sizeof(word)) != sizeof(word))
		tap_bail("pagemap or kpageflags: %s", strerror(errno));
	return word;
}

/* A bit for each of the pages that is dirty. */
static unsigned int dirty(const uint8_t *p)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < PAGES; i++) {
		uint64_t pfn = read_at(pagemap, (uintptr_t)p / PAGE + i) & ((1ULL << 55) - 1);

		bits |= !!(read_at(flags, pfn) & DIRTY) << i;
	}
	return bits;
}

static uint8_t *fresh(void)
{
	uint8_t *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (p == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(p, 1, PAGES * PAGE);
	tap_is(dirty(p), 0, "no page is marked yet");
	return p;
}

static uint64_t pin(uint8_t *p)
{
	uint64_t mem;

	if (dev_pin(fd, p, PAGES * PAGE, READ | WRITE, &mem))
		tap_bail("pin");
	return mem;
}

static void job(uint64_t mem, unsigned int page)
{
	if (device_fill(fd, mem, page * PAGE, PAGE, 7))
		tap_bail("page %u cannot be filled", page);
}

static void test_ranges(void)
{
	static const unsigned int five[] = { 15, 0, 6, 10, 4 };
	uint8_t *p = fresh();
	uint64_t mem = pin(p);

	job(mem, 14);
	job(mem, 1);
	tap_is(dev_unpin(fd, mem), 0, "jobs write to pages 14 and 1");
	tap_is(dirty(p), 0x4002, "which marks these, and not what is between");
	munmap(p, PAGES * PAGE);

	p = fresh();
	mem = pin(p);
	for (int i = 0; i < 5; i++)
		job(mem, five[i]);
	job(mem, 10);
	tap_is(dev_unpin(fd, mem), 0, "to five pages that are apart, one of them twice");
	tap_is(dirty(p), 0x8471, "marks these, and what is between the nearest two");
	munmap(p, PAGES * PAGE);

	p = fresh();
	mem = pin(p);
	for (unsigned int i = 0; i < PAGES; i += 2)
		job(mem, i);
	for (unsigned int i = 1; i < PAGES - 1; i += 2)
		job(mem, i);
	tap_is(dev_unpin(fd, mem), 0, "to all but the last one");
	tap_is(dirty(p), 0x7fff, "marks these");
	munmap(p, PAGES * PAGE);
}

/* A folio is dirty as a whole, and by itself. */
static void test_huge(int how, const char *what)
{
	uint8_t *p = mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | how, -1, 0);
	uint64_t mem;

	if (p == MAP_FAILED)
		tap_bail("%s: %s", what, strerror(errno));
	p = (uint8_t *)(((uintptr_t)p + HUGE - 1) & -HUGE);
	if (!how)
		madvise(p, 2 * HUGE, MADV_HUGEPAGE);
	memset(p, 1, 2 * HUGE);
	if (dev_pin(fd, p, 2 * HUGE, READ | WRITE, &mem))
		tap_bail("pin");
	job(mem, 5);
	tap_is(dev_unpin(fd, mem), 0, "%s: a page of the first of two is written to", what);
	tap_is(dirty(p), 0xffff, "%s: the first is marked", what);
	tap_is(dirty(p + HUGE), 0, "%s: the second is not", what);
	munmap(p, 2 * HUGE);
}

/* By another device that has the region as a dma-buf. */
static void test_export(void)
{
	uint8_t *p = fresh();
	uint64_t mem = pin(p), other, reads;
	int dmabuf = dmabuf_export(fd, mem, O_CLOEXEC), fd2;
	struct dev_info dev;
	uint32_t crc;

	if (dmabuf < 0 || dev_find("soft", 1, &dev) || (fd2 = dev_open(dev.name)) < 0 ||
	    dmabuf_import(fd2, dmabuf, READ, &reads, NULL) ||
	    dmabuf_import(fd2, dmabuf, READ | WRITE, &other, NULL))
		tap_bail("no importer");
	tap_is(device_crc(fd2, reads, PAGES * PAGE, &crc) | device_crc(fd2, other, PAGES * PAGE, &crc),
	       0, "who has it as a dma-buf only reads it");
	tap_is(dev_unpin(fd, mem), 0, "its owner unpins it");
	tap_is(dirty(p), 0, "which marks none");
	dev_unpin(fd2, reads);
	dev_unpin(fd2, other);
	close(dmabuf);

	mem = pin(p);
	dmabuf = dmabuf_export(fd, mem, O_CLOEXEC);
	if (dmabuf < 0 || dmabuf_import(fd2, dmabuf, READ | WRITE, &other, NULL))
		tap_bail("no importer");
	tap_is(device_fill(fd2, other, 2 * PAGE, PAGE, 7), 0, "he writes to page 2");
	job(mem, 9);
	tap_is(dev_unpin(fd, mem), 0, "the owner to page 9, and unpins it");
	tap_is(dirty(p), 0x204, "which marks both");
	close(dmabuf);
	close(fd2);
	munmap(p, PAGES * PAGE);
}

/* A job that is cancelled while it runs may have written all that it was to. */
static void test_cancelled(const struct dev_info *dev)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_FILL, .dst_offset = 8 * PAGE, .length = 2 * PAGE,
	};
	uint8_t *p = fresh();
	int owner = fd;

	fd = dev_open(dev->name);
	submit.dst_mem = pin(p);
	if (dev_soft_latency(dev->name, ACCEL_SOFT_LATENCY_MAX) ||
	    dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit))
		tap_bail("submit");
	while (dev_attr(dev->name, "engines/eng0/running") != 1)
		usleep(1000);
	close(fd);
	dev_soft_latency(dev->name, 0);
	fd = owner;
	tap_is(dirty(p), 0x300, "a job that was cancelled while it ran marks what it was to write");
	munmap(p, PAGES * PAGE);
}

int main(void)
{
	struct clean before;
	struct dev_info dev;
	uint32_t crc;
	uint64_t mem;
	uint8_t *p;

	fd = open_first("soft", &dev);
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0 || flags < 0)
		tap_bail("pagemap or kpageflags: %s", strerror(errno));
	before = clean_read();

	p = fresh();
	tap_is(dev_unpin(fd, pin(p)), 0, "pinned and unpinned, and no job");
	tap_is(dirty(p), 0, "marks none");
	mem = pin(p);
	tap_is(device_crc(fd, mem, PAGES * PAGE, &crc), 0, "the device reads");
	tap_is(dev_unpin(fd, mem), 0, "unpin");
	tap_is(dirty(p), 0, "marks none");
	mem = pin(p);
	/* from within page 3 to within page 7 */
	tap_is(device_fill(fd, mem, 3 * PAGE + 100, 4 * PAGE, 7), 0, "it writes to five of them");
	tap_is(dev_unpin(fd, mem), 0, "unpin");
	tap_is(dirty(p), 0xf8, "marks these");
	munmap(p, PAGES * PAGE);

	p = fresh();
	mem = pin(p);
	tap_is(device_fill(fd, mem, 15 * PAGE, PAGE, 7), 0, "it writes to the last one");
	close(fd);
	tap_is(dirty(p), 0x8000, "a close marks that");
	munmap(p, PAGES * PAGE);
	fd = open_first("soft", &dev);
	test_ranges();
	dev_write("/proc/sys/vm/compact_memory", "1");
	test_huge(0, "huge pages");
	dev_write("/proc/sys/vm/nr_hugepages", "3");
	test_huge(MAP_HUGETLB, "hugetlb");
	dev_write("/proc/sys/vm/nr_hugepages", "0");
	test_export();
	test_cancelled(&dev);
	close(fd);
	before.contexts--;
	clean_check(&before, "it");
	return tap_done();
}
