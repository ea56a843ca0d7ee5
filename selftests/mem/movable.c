// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="soft=1" APPEND="movablecore=384M" QEMU_EXTRA="-object memory-backend-ram,id=m0,size=512M -object memory-backend-ram,id=m1,size=512M -numa node,memdev=m0,cpus=0-1 -numa node,memdev=m1" */
/*
 * Memory of two nodes, and memory that the kernel wants to be able to move: a region
 * that is pinned for long may not lie there, so its pages are moved before, and what is
 * in them goes along. What the pin itself faults in comes to lie elsewhere at once.
 */
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "mem.h"

#define LENGTH	(4 * HUGE)

/* Node of each page by move_pages() that moves nothing; how many are on @node */
static int on_node(uint8_t *p, int node)
{
	static void *pages[LENGTH / PAGE];
	static int status[LENGTH / PAGE];
	int n = 0;

	for (size_t i = 0; i < LENGTH / PAGE; i++)
		pages[i] = p + i * PAGE;
	if (syscall(SYS_move_pages, 0, LENGTH / PAGE, pages, NULL, status, 0))
		return -errno;
	for (size_t i = 0; i < LENGTH / PAGE; i++)
		n += status[i] == node;
	return n;
}

/* Physical frame numbers, from /proc/self/pagemap */
static void frames(uint8_t *p, uint64_t *pfn)
{
	int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (file < 0 || pread(file, pfn, LENGTH / PAGE * 8, (uintptr_t)p / PAGE * 8) !=
			(ssize_t)(LENGTH / PAGE * 8))
		tap_bail("pagemap: %s", strerror(errno));
	for (size_t i = 0; i < LENGTH / PAGE; i++)
		pfn[i] &= (1ULL << 55) - 1;
	close(file);
}

/* Pages that the kernel has moved, in the whole system */
static long long migrated(void)
{
	static const char key[] = "pgmigrate_success ";
	FILE *f = fopen("/proc/vmstat", "re");
	long long n = -1;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, sizeof(key) - 1))
			n = atoll(line + sizeof(key) - 1);
	if (f)
		fclose(f);
	return n;
}

static void test_cold(int fd)
{
	uint8_t *p = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long long before = migrated();
	uint64_t mem;

	madvise(p, LENGTH, MADV_NOHUGEPAGE);
	tap_is(dev_pin(fd, p, LENGTH, READ | WRITE, &mem), 0, "cold: pin");
	tap_is(migrated() - before, 0, "cold: no page had to be moved");
	dev_unpin(fd, mem);
	munmap(p, LENGTH);
}

int main(void)
{
	static uint64_t before_pfn[LENGTH / PAGE], after_pfn[LENGTH / PAGE];
	struct clean before;
	struct dev_info dev;
	int fd = open_first("soft", &dev), moved;

	before = clean_read();
	tap_ok(migrated() >= 0, "the kernel counts pages that it moves");
	test_cold(fd);
	for (unsigned long node = 0; node < 2; node++) {
		unsigned long mask = 1UL << node;
		uint8_t *p = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uint32_t crc, own;
		uint64_t mem;

		madvise(p, LENGTH, MADV_NOHUGEPAGE);
		if (syscall(SYS_mbind, p, LENGTH, MPOL_BIND, &mask, 8, 0))
			tap_bail("mbind: %s", strerror(errno));
		fill(p, LENGTH, node + 1);
		own = crc32c(0, p, LENGTH);
		tap_is(on_node(p, node), LENGTH / PAGE, "node %lu: all pages are there", node);
		frames(p, before_pfn);
		tap_is(dev_pin(fd, p, LENGTH, READ | WRITE, &mem), 0, "node %lu: pin", node);
		tap_is(charged(), LENGTH, "node %lu: charged once", node);
		tap_is(dev_foll_pins() - before.foll, LENGTH / PAGE, "node %lu: each page is pinned", node);
		frames(p, after_pfn);
		moved = 0;
		for (size_t i = 0; i < LENGTH / PAGE; i++)
			moved += before_pfn[i] != after_pfn[i];
		tap_ok(moved, "node %lu: pages that lay in movable memory were moved", node);
		tap_diag("%d of %lu", moved, LENGTH / PAGE);
		tap_is(crc32c(0, p, LENGTH), own, "node %lu: with what is in them", node);
		tap_is(device_crc(fd, mem, LENGTH, &crc), 0, "node %lu: the device reads", node);
		tap_is(crc, own, "node %lu: the same", node);
		/* pinned, it is not moved any more */
		mask = 1UL << !node;
		syscall(SYS_mbind, p, LENGTH, MPOL_BIND, &mask, 8, MPOL_MF_MOVE);
		frames(p, before_pfn);
		tap_ok(!memcmp(before_pfn, after_pfn, sizeof(after_pfn)), "node %lu: pinned, it stays", node);
		tap_is(device_fill(fd, mem, 0, LENGTH, 0x55aa), 0, "node %lu: the device writes", node);
		tap_ok(is_filled(p, LENGTH, 0x55aa), "node %lu: and it is seen", node);
		tap_is(dev_unpin(fd, mem), 0, "node %lu: unpin", node);
		tap_is(charged(), 0, "node %lu: not charged any more", node);
		munmap(p, LENGTH);
		clean_check(&before, "it");
	}
	close(fd);
	return tap_done();
}
