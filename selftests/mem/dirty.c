// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="soft=1" MODULES="crc32c_generic loop ext4" */
/*
 * Pages that the device may have written to are marked dirty when they are unpinned, and
 * no others: who only reads memory does not make the kernel write it to disk or swap.
 * Anonymous pages show it, since nothing else marks them (/proc/kpageflags).
 */
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
	before.contexts--;
	clean_check(&before, "it");
	return tap_done();
}
