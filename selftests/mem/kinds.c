// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * Each kind of memory that a process has: the device reads what is in it, the process
 * reads what the device wrote, both whether or not the pages were there before; what is
 * charged and pinned meanwhile, and that nothing is afterwards. Then the same for
 * memory that changes while it is pinned: a fork, MADV_DONTNEED, a hole in the file; for
 * huge pages that have changed before; and for memory that is to be read only.
 */
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mem.h"

#define HUGETLB_POOL	"/proc/sys/vm/nr_hugepages"
#define LENGTH	(2 * HUGE)

static int fd;
static struct clean before;

static uint8_t *map_at_huge(void)
{
	uint8_t *p = mmap(NULL, LENGTH + HUGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *start;

	if (p == MAP_FAILED)
		return p;
	start = (uint8_t *)(((uintptr_t)p + HUGE - 1) & -HUGE);
	munmap(p, start - p);
	munmap(start + LENGTH, p + HUGE - start);
	return start;
}

static uint8_t *anonymous(void)
{
	uint8_t *p = map_at_huge();

	if (p != MAP_FAILED)
		madvise(p, LENGTH, MADV_NOHUGEPAGE);
	return p;
}

/* AnonHugePages of the mapping at @p: bytes in huge pages that are mapped as such */
static long huge_bytes(const uint8_t *p)
{
	unsigned long start, end;
	bool here = false;
	char line[512];
	long kb = -1;
	FILE *f = fopen("/proc/self/smaps", "re");

	/* The instrumented kernel does not tell (PROC_PAGE_MONITOR): no reason to say no. */
	if (!f)
		return LENGTH;
	while (kb < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (uintptr_t)p >= start && (uintptr_t)p < end;
		else if (here)
			sscanf(line, "AnonHugePages: %ld kB", &kb);
	}
	fclose(f);
	return kb * 1024;
}

/* Empty, but the kernel has huge pages for it, as it did a moment ago. */
static uint8_t *transparent(void)
{
	uint8_t *p = map_at_huge();
	long huge = 0;

	if (p == MAP_FAILED || madvise(p, LENGTH, MADV_HUGEPAGE))
		return MAP_FAILED;
	for (int i = 0; i < 20 && huge != LENGTH; i++) {
		if (i)
			dev_write("/proc/sys/vm/compact_memory", "1");
		memset(p, 1, LENGTH);
		huge = huge_bytes(p);
		if (madvise(p, LENGTH, MADV_DONTNEED))
			return MAP_FAILED;
	}
	tap_is(huge, LENGTH, "there are transparent huge pages");
	return p;
}

static uint8_t *hugetlb(void)
{
	return mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
}

static uint8_t *shared(void)
{
	return mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static int file = -1;

static uint8_t *map_file(int f, int flags)
{
	uint8_t *p;

	if (f < 0 || ftruncate(f, LENGTH))
		return MAP_FAILED;
	p = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, flags, f, 0);
	file = f;
	return p;
}

static uint8_t *memfd(void)
{
	return map_file(memfd_create("kinds", MFD_CLOEXEC), MAP_SHARED);
}

static uint8_t *memfd_hugetlb(void)
{
	return map_file(memfd_create("kinds", MFD_CLOEXEC | MFD_HUGETLB), MAP_SHARED);
}

static uint8_t *tmpfs(void)
{
	return map_file(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), MAP_SHARED);
}

static uint8_t *private_file(void)
{
	return map_file(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), MAP_PRIVATE);
}

static const struct kind {
	const char *name;
	uint8_t *(*map)(void);
	unsigned long page;	/* that a hole can be made of, 0: no file */
	int private;		/* a fork makes it two */
} kinds[] = {
	{ "anonymous", anonymous, 0, 1 },
	{ "transparent huge pages", transparent, 0, 1 },
	{ "hugetlb", hugetlb, 0, 1 },
	{ "shared anonymous", shared, 0, 0 },
	{ "memfd", memfd, PAGE, 0 },
	{ "memfd of huge pages", memfd_hugetlb, HUGE, 0 },
	{ "a file of tmpfs", tmpfs, PAGE, 0 },
	{ "a private mapping of a file", private_file, 0, 1 },
};

static void unmap(uint8_t *p)
{
	munmap(p, LENGTH);
	if (file >= 0)
		close(file);
	file = -1;
}

static void test_content(const struct kind *k, uint8_t *p, const char *when)
{
	uint64_t mem;
	uint32_t crc;

	tap_is(dev_pin(fd, p, LENGTH, READ | WRITE, &mem), 0, "%s, %s: pin", k->name, when);
	tap_is(charged(), LENGTH, "%s: charged once", k->name);
	tap_is(dev_foll_pins() - before.foll, LENGTH / PAGE, "%s: each page is pinned", k->name);
	fill(p, LENGTH, 7);
	if (k->map == transparent)
		tap_is(huge_bytes(p), LENGTH, "%s: which they are", k->name);
	tap_is(device_crc(fd, mem, LENGTH, &crc), 0, "%s: the device reads", k->name);
	tap_is(crc, crc32c(0, p, LENGTH), "%s: what is there", k->name);
	tap_is(device_fill(fd, mem, PAGE + 5, HUGE, 0x0123456789abcdef), 0, "%s: it writes", k->name);
	crc = crc32c(0, p + PAGE + 5 + HUGE, LENGTH - HUGE - PAGE - 5);
	tap_ok(is_filled(p + PAGE + 5, HUGE, 0x0123456789abcdef), "%s: what it should", k->name);
	fill(p, LENGTH, 7);
	tap_is(crc32c(0, p + PAGE + 5 + HUGE, LENGTH - HUGE - PAGE - 5), crc,
	       "%s: and nothing else", k->name);
	tap_is(dev_unpin(fd, mem), 0, "%s: unpin", k->name);
	tap_is(charged(), 0, "%s: not charged any more", k->name);
	clean_check(&before, k->name);
}

/* A child gets copies of private pages; the device keeps the parent's. */
static void test_fork(const struct kind *k, uint8_t *p)
{
	int go[2], status = -1;
	uint64_t mem;
	char c = 0;
	pid_t pid;

	memset(p, 1, LENGTH);
	if (dev_pin(fd, p, LENGTH, READ | WRITE, &mem) || pipe(go))
		tap_bail("%s: pin or pipe", k->name);
	pid = fork();
	if (!pid) {
		int seen;

		/* when the device has written */
		if (read(go[0], &c, 1) != 1)
			_exit(3);
		seen = is_filled(p, LENGTH, 0x0202020202020202);
		memset(p, 3, PAGE);
		_exit(charged() ? 4 : seen);
	}
	tap_is(device_fill(fd, mem, 0, LENGTH, 0x0202020202020202), 0,
	       "%s: forked since, the device writes", k->name);
	tap_ok(is_filled(p, LENGTH, 0x0202020202020202), "%s: the parent sees it", k->name);
	tap_is(charged(), LENGTH, "%s: and is charged as before", k->name);
	tap_is(dev_foll_pins() - before.foll, LENGTH / PAGE, "%s: each page is pinned once", k->name);
	if (write(go[1], &c, 1) != 1)
		tap_bail("write");
	waitpid(pid, &status, 0);
	tap_is(WEXITSTATUS(status), !k->private, "%s: the child sees %s, and is not charged", k->name,
	       k->private ? "its own" : "it, too");
	tap_is(p[0], k->private ? 2 : 3, "%s: what the child writes is %s", k->name,
	       k->private ? "its own" : "the parent's, too");
	close(go[0]);
	close(go[1]);
	tap_is(dev_unpin(fd, mem), 0, "%s: unpin", k->name);
	tap_is(charged(), 0, "%s: not charged any more", k->name);
	clean_check(&before, k->name);
}

/* The process throws its pages away; the device keeps those that it was given. */
static void test_thrown_away(const struct kind *k, uint8_t *p)
{
	uint32_t crc, old;
	uint64_t mem;
	int ret;

	fill(p, LENGTH, 11);
	old = crc32c(0, p, LENGTH);
	if (dev_pin(fd, p, LENGTH, READ | WRITE, &mem))
		tap_bail("%s: pin", k->name);
	ret = k->page ? fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, LENGTH) :
			madvise(p, LENGTH, MADV_DONTNEED);
	tap_is(ret, 0, "%s: %s", k->name, k->page ? "a hole is punched" : "MADV_DONTNEED");
	tap_is(device_crc(fd, mem, LENGTH, &crc), 0, "%s: the device still reads", k->name);
	tap_is(crc, old, "%s: what was there", k->name);
	memset(p, 5, LENGTH);
	tap_is(device_fill(fd, mem, 0, LENGTH, 6), 0, "%s: and writes", k->name);
	tap_is(charged(), LENGTH, "%s: charged as before", k->name);
	tap_is(dev_unpin(fd, mem), 0, "%s: unpin", k->name);
	tap_is(charged(), 0, "%s: not any more", k->name);
	clean_check(&before, k->name);
}

/*
 * A huge page of which some small ones were given back: others are in their places, in
 * its middle, so that its first and its last page say nothing about what is between.
 */
static void test_mended(void)
{
	static const size_t mended[] = { 1, 2, 100, 300, 510 };
	uint8_t *p = transparent();
	uint64_t mem;
	uint32_t crc;

	if (p == MAP_FAILED)
		tap_bail("no memory");
	for (int round = 0; round < 2; round++) {
		fill(p, LENGTH, 13);
		if (!round)
			tap_is(huge_bytes(p), LENGTH, "huge pages");
		for (size_t i = 0; i < sizeof(mended) / sizeof(mended[0]); i++) {
			uint8_t *page = p + mended[i] * PAGE;

			if (madvise(page, PAGE, MADV_DONTNEED))
				tap_bail("madvise");
			fill(page, PAGE, 17 + i);
		}
		tap_is(dev_pin(fd, p, LENGTH, READ | WRITE, &mem), 0, "a mended huge page: pin");
		tap_is(dev_foll_pins() - before.foll, LENGTH / PAGE, "each page is pinned");
		tap_is(device_crc(fd, mem, LENGTH, &crc), 0, "the device reads");
		tap_is(crc, crc32c(0, p, LENGTH), "what is there");
		tap_is(device_fill(fd, mem, 0, LENGTH, 0x1122334455667788), 0, "it writes");
		tap_ok(is_filled(p, LENGTH, 0x1122334455667788), "to all that is there");
		tap_is(dev_unpin(fd, mem), 0, "unpin");
		clean_check(&before, "a mended huge page");
	}
	unmap(p);
}

/* The device may read it: also when there is a child, and when the process has other pages. */
static void test_read_only(void)
{
	uint32_t crc, own;
	uint8_t *p = anonymous();
	int status = -1;
	uint64_t mem;
	pid_t pid;

	memset(p, 9, LENGTH);
	mprotect(p, LENGTH, PROT_READ);
	own = crc32c(0, p, LENGTH);
	tap_is(dev_pin(fd, p, LENGTH, READ, &mem), 0, "read-only memory");
	tap_is(charged(), LENGTH, "is charged once");
	tap_is(dev_foll_pins() - before.foll, LENGTH / PAGE, "each page of it is pinned");
	tap_is(device_crc(fd, mem, LENGTH, &crc), 0, "can be read by the device");
	tap_is(crc, own, "as it is");
	tap_is(device_fill(fd, mem, 0, PAGE, 1), -EACCES, "but not be written");

	pid = fork();
	if (!pid)
		_exit(charged() ? 2 : crc32c(0, p, LENGTH) != own);
	waitpid(pid, &status, 0);
	tap_is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, "a child sees it, and is not charged");
	mprotect(p, LENGTH, PROT_READ | PROT_WRITE);
	fill(p, LENGTH, 21);
	own = crc32c(0, p, LENGTH);
	tap_is(device_crc(fd, mem, LENGTH, &crc), 0, "the device reads after the fork");
	tap_is(crc, own, "what the process has written since");

	tap_is(madvise(p, LENGTH, MADV_DONTNEED), 0, "MADV_DONTNEED");
	memset(p, 5, LENGTH);
	tap_is(device_crc(fd, mem, LENGTH, &crc), 0, "the device still reads");
	tap_is(crc, own, "what was there");
	tap_is(charged(), LENGTH, "charged as before");
	tap_is(dev_foll_pins() - before.foll, LENGTH / PAGE, "and pinned");
	tap_is(dev_unpin(fd, mem), 0, "and is unpinned");
	tap_is(charged(), 0, "and not charged any more");
	clean_check(&before, "read-only memory");
	unmap(p);
}

/* The first batch of 512 pages is pinned when the second one comes to a hole. */
static void test_hole(uint8_t *p, const char *name)
{
	uint64_t mem;

	if (p == MAP_FAILED)
		tap_bail("no memory");
	memset(p, 1, LENGTH);
	if (munmap(p + HUGE + 99 * PAGE, PAGE))
		tap_bail("munmap");
	tap_is(dev_pin(fd, p, LENGTH, READ | WRITE, &mem), -EFAULT, "%s, a hole after 611 pages", name);
	tap_is(charged(), 0, "is not charged");
	tap_is(dev_foll_pins(), before.foll, "no page of it stays pinned");
	tap_is(dev_pin(fd, p, HUGE + 99 * PAGE, READ | WRITE, &mem), 0, "up to there it is pinned");
	tap_is(charged(), HUGE + 99 * PAGE, "and charged");
	tap_is(dev_unpin(fd, mem), 0, "unpin");
	clean_check(&before, name);
	unmap(p);
}

int main(void)
{
	struct dev_info dev;
	uint8_t *p;

	if (dev_write(HUGETLB_POOL, "8"))
		tap_bail(HUGETLB_POOL " cannot be written");
	fd = open_first("soft", &dev);
	before = clean_read();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];

		p = k->map();
		if (!tap_ok(p != MAP_FAILED, "%s: %s", k->name, p == MAP_FAILED ? strerror(errno) : "mapped"))
			continue;
		test_content(k, p, "nothing is there yet");
		test_content(k, p, "all pages are there");
		test_fork(k, p);
		test_thrown_away(k, p);
		unmap(p);
	}
	test_mended();
	test_read_only();
	test_hole(anonymous(), "small pages");
	test_hole(transparent(), "huge pages");
	close(fd);
	tap_is(dev_write(HUGETLB_POOL, "0"), 0, "no huge page is asked for any more");
	return tap_done();
}
