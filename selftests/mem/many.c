// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=400 */
/*
 * 10,000 regions in one file, each a handle of its own; then 1,000,000 times pin and
 * unpin. A twentieth as many on the kernel that is ten times slower.
 */
#include "mem.h"

#define REGIONS	10000
#define TIMES	1000000

static uint64_t mems[REGIONS];

int main(void)
{
	int slow = !access("/sys/kernel/debug/kmemleak", F_OK) ? 20 : 1;
	int regions = REGIONS / slow, times = TIMES / slow, wrong = 0, i;
	struct clean before;
	struct dev_info dev;
	uint32_t crc;
	uint8_t *p;
	int fd;

	before = clean_read();
	fd = open_first("soft", &dev);
	p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		tap_bail("mmap");
	fill(p, 16 * PAGE, 5);
	for (i = 0; i < regions; i++)
		wrong += dev_pin(fd, p + i % 16 * PAGE, PAGE, READ, &mems[i]) != 0;
	tap_is(wrong, 0, "%d regions in one file", regions);
	tap_is(charged(), (long long)regions * PAGE, "each one is charged");
	for (i = 1; i < regions; i++)
		wrong += mems[i] <= mems[i - 1];
	tap_is(wrong, 0, "each has a handle of its own");
	for (i = 0; i < regions; i += regions / 100)
		wrong += device_crc(fd, mems[i], PAGE, &crc) != 0 ||
			 crc != crc32c(0, p + i % 16 * PAGE, PAGE);
	tap_is(wrong, 0, "and its own page");
	/* half of them by hand, from the middle; the others by the close */
	for (i = regions / 4; i < regions * 3 / 4; i++)
		wrong += dev_unpin(fd, mems[i]) != 0;
	tap_is(wrong, 0, "half of them unpinned");
	tap_is(charged(), (long long)(regions - regions / 2) * PAGE, "the others are still charged");
	close(fd);
	tap_is(charged(), 0, "none after the close");
	clean_check(&before, "them");

	fd = open_first("soft", &dev);
	for (i = 0; i < times; i++) {
		uint64_t mem;

		wrong += dev_pin(fd, p, PAGE, READ | WRITE, &mem) || dev_unpin(fd, mem);
	}
	tap_is(wrong, 0, "%d times pin and unpin", times);
	tap_is(charged(), 0, "nothing stays charged");
	close(fd);
	clean_check(&before, "them");
	return tap_done();
}
