// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=1" */
/* Memory that cannot be pinned, in all ways; and more than a user may. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clean.h"

#define PAGE	4096UL
#define READ	ACCEL_MEM_READ
#define WRITE	ACCEL_MEM_WRITE

static int fd;

/* A page-aligned address that need not be one of ours. */
static int pin_at(uint64_t addr, uint64_t length, uint32_t flags)
{
	struct accel_mem_pin pin = { .addr = addr, .length = length, .flags = flags };

	return dev_ioctl(fd, ACCEL_IOCTL_MEM_PIN, &pin);
}

static void *map(size_t n, int prot)
{
	void *p = mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("no memory: %s", strerror(errno));
	return p;
}

/* Pages that this process is charged for, in kB. */
static long charged(void)
{
	return dev_charged_kb(0);
}

static void test_ranges(void)
{
	struct clean before = clean_read();
	uint64_t a = (uintptr_t)map(4 * PAGE, PROT_READ | PROT_WRITE);

	tap_is(pin_at(a, 0, READ), -EINVAL, "no bytes: EINVAL");
	tap_is(pin_at(a + 1, PAGE, READ), -EINVAL, "a start inside a page: EINVAL");
	tap_is(pin_at(a + 8, PAGE - 8, READ), -EINVAL, "start and length inside one: EINVAL");
	tap_is(pin_at(a, PAGE + 1, READ), -EINVAL, "an end inside a page: EINVAL");
	tap_is(pin_at(a, UINT64_MAX, READ), -EINVAL, "2^64 - 1 bytes: EINVAL");
	tap_is(pin_at(a, 1ULL << 63, READ), -EFAULT, "2^63 bytes: EFAULT");
	tap_is(pin_at(a, -PAGE, READ), -EFAULT, "bytes up to where they wrap: EFAULT");
	tap_is(pin_at(a, -a, READ), -EFAULT, "an end at 2^64: EFAULT");
	tap_is(pin_at(a, -a + PAGE, READ), -EFAULT, "an end beyond it: EFAULT");
	tap_is(pin_at(-PAGE, PAGE, READ), -EFAULT, "the last page of all: EFAULT");
	tap_is(pin_at(0xffff888000000000, PAGE, READ), -EFAULT, "the kernel's memory: EFAULT");
	tap_is(pin_at(0, PAGE, READ), -EFAULT, "NULL: EFAULT");
	clean_check(&before, "impossible ranges");
	tap_is(charged(), 0, "nor is anything charged");
}

static void test_mappings(void)
{
	struct clean before = clean_read();
	uint8_t *a = map(4 * PAGE, PROT_READ | PROT_WRITE);
	uint8_t *ro = map(4 * PAGE, PROT_READ), *none = map(PAGE, PROT_NONE);
	uint64_t id;

	memset(a, 1, 4 * PAGE);
	munmap(a + 2 * PAGE, PAGE);
	tap_is(pin_at((uintptr_t)a + 2 * PAGE, PAGE, READ), -EFAULT, "not mapped: EFAULT");
	tap_is(pin_at((uintptr_t)a, 4 * PAGE, READ), -EFAULT, "a hole after two pages: EFAULT");
	clean_check(&before, "the pages before the hole");
	tap_is(pin_at((uintptr_t)none, PAGE, READ), -EFAULT, "PROT_NONE: EFAULT");
	tap_is(pin_at((uintptr_t)ro, 4 * PAGE, WRITE), -EFAULT, "read-only, to be written: EFAULT");
	tap_is(pin_at((uintptr_t)ro, 4 * PAGE, READ | WRITE), -EFAULT, "the same, and read: EFAULT");
	memset(a, 1, 2 * PAGE);
	mprotect(a + PAGE, PAGE, PROT_READ);
	tap_is(pin_at((uintptr_t)a, 2 * PAGE, WRITE), -EFAULT, "a read-only second page: EFAULT");
	clean_check(&before, "pages that could not be written");
	tap_is(charged(), 0, "nor is anything charged");
	tap_is(dev_pin(fd, ro, 4 * PAGE, READ, &id), 0, "read-only pages can be read");
	tap_is(charged(), 16, "and are charged");
	tap_is(dev_unpin(fd, id), 0, "and unpinned");
	tap_is(charged(), 0, "and no longer charged");
	clean_check(&before, "them");
}

/* Memory that is unmapped while it is pinned stays the device's until it is unpinned. */
static void test_unmapped_later(void)
{
	struct clean before = clean_read();
	uint8_t *a = map(4 * PAGE, PROT_READ | PROT_WRITE), *b = map(PAGE, PROT_READ | PROT_WRITE);
	struct accel_soft_submit copy = {
		.op = ACCEL_SOFT_OP_COPY, .engine = ACCEL_SOFT_ENGINE_ANY, .length = 100,
	};
	uint64_t from, to;

	memset(a, 0x5a, 4 * PAGE);
	dev_pin(fd, a, 4 * PAGE, READ, &from);
	dev_pin(fd, b, PAGE, WRITE, &to);
	copy.src_mem = from;
	copy.dst_mem = to;
	munmap(a, 4 * PAGE);
	tap_is(dev_soft(fd, &copy, NULL), 0, "a job on memory that was unmapped since");
	tap_ok(b[0] == 0x5a && b[99] == 0x5a && !b[100], "sees what was in it");
	dev_unpin(fd, from);
	dev_unpin(fd, to);
	clean_check(&before, "it");
}

/* In a process of its own: alice, with a limit of 64 KiB and an open device. */
static int as_user(int (*test)(void), rlim_t limit)
{
	struct rlimit rlim = { .rlim_cur = limit, .rlim_max = limit };
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setrlimit(RLIMIT_MEMLOCK, &rlim) || setgid(1001) || setuid(1001))
			_exit(99);
		_exit(test());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The number of the step that was wrong, 0: none. */
static int over_the_limit(void)
{
	uint8_t *a = map(32 * PAGE, PROT_READ | PROT_WRITE);
	uint64_t first, second;

	if (dev_pin(fd, a, 17 * PAGE, READ, NULL) != -ENOMEM || charged() != 0)
		return 1;
	if (dev_pin(fd, a, 12 * PAGE, READ, &first))
		return 2;
	if (dev_pin(fd, a, 5 * PAGE, READ, NULL) != -ENOMEM || charged() != 48)
		return 3;
	if (dev_pin(fd, a, 4 * PAGE, READ, &second) || charged() != 64)
		return 4;
	if (dev_unpin(fd, first) || dev_pin(fd, a, 12 * PAGE, WRITE, &first))
		return 5;
	if (dev_unpin(fd, first) || dev_unpin(fd, second) || charged() != 0)
		return 6;
	/* a failure must give back what it took: many of them, and the limit is as it was */
	for (int i = 0; i < 1000; i++)
		if (dev_pin(fd, a, 17 * PAGE, READ, NULL) != -ENOMEM)
			return 7;
	munmap(a + 8 * PAGE, PAGE);
	for (int i = 0; i < 1000; i++)
		if (dev_pin(fd, a, 16 * PAGE, READ, NULL) != -EFAULT)
			return 8;
	if (charged() != 0 || dev_pin(fd, a + 9 * PAGE, 16 * PAGE, READ, &first) ||
	    dev_unpin(fd, first))
		return 9;
	return 0;
}

static int may_not_lock(void)
{
	uint8_t *a = map(PAGE, PROT_READ | PROT_WRITE);

	return dev_pin(fd, a, PAGE, READ, NULL) == -EPERM && charged() == 0 ? 0 : 1;
}

/* It ends without unpinning; the file stays open, here. */
static int leave_it_pinned(void)
{
	uint8_t *a = map(16 * PAGE, PROT_READ | PROT_WRITE);

	return dev_pin(fd, a, 16 * PAGE, READ, NULL) ? 1 : 0;
}

static void test_limit(void)
{
	struct clean before = clean_read();
	struct dev_info dev;
	int keep = fd;

	tap_is(as_user(over_the_limit, 16 * PAGE), 0, "RLIMIT_MEMLOCK: exactly up to it, else ENOMEM");
	clean_check(&before, "pins over the limit");
	tap_is(as_user(may_not_lock, 0), 0, "a limit of 0: EPERM");
	clean_check(&before, "a pin that was not allowed");

	fd = open_first("soft", &dev);
	tap_is(as_user(leave_it_pinned, 16 * PAGE), 0, "a process ends, its file is open elsewhere");
	tap_is(dev_attr(dev.name, "pinned_bytes") - before.pinned, 16 * PAGE,
	       "the device can still reach the pages");
	close(fd);
	fd = keep;
	clean_check(&before, "them after the close");
}

static void test_handles(void)
{
	struct clean before = clean_read();
	uint8_t *a = map(PAGE, PROT_READ | PROT_WRITE);
	uint64_t id, again;

	dev_pin(fd, a, PAGE, READ, &id);
	tap_is(dev_unpin(fd, id), 0, "unpin");
	tap_is(dev_unpin(fd, id), -ENOENT, "twice: ENOENT");
	dev_pin(fd, a, PAGE, READ, &again);
	tap_ok(again > id, "a handle is never used again");
	dev_unpin(fd, again);
	tap_is(dev_unpin(fd, 0), -ENOENT, "unpin 0: ENOENT");
	tap_is(dev_unpin(fd, UINT64_MAX), -ENOENT, "unpin 2^64 - 1: ENOENT");
	clean_check(&before, "them");
}

int main(void)
{
	static const char *const drivers[] = { "soft", "edu" };
	struct dev_info dev;

	for (int i = 0; i < 2; i++) {
		fd = open_first(drivers[i], &dev);
		tap_diag("%s", dev.name);
		test_ranges();
		test_mappings();
		test_limit();
		test_handles();
		if (!i)
			test_unmapped_later();
		close(fd);
	}
	return tap_done();
}
