// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="soft=1" MODULES="crc32c_generic loop ext4" */
/*
 * Memory that is not pinned, and whether its owner is told why in words: which page,
 * which file, which limit.
 */
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mem.h"

#define IMAGE	"/tmp/refused.img"
#define LOOP	"/dev/loop0"
#define DIR	"/tmp/refused"
#define FILE_	DIR "/data"

static int fd;

static void refused(const void *p, size_t n, uint32_t flags, int error, const char *text,
		    const char *what)
{
	uint64_t mem = 0;

	tap_is(dev_pin(fd, p, n, flags, &mem), error, "%s: refused", what);
	if (!tap_ok(strstr(last_error(fd), text), "%s: says '%s'", what, text))
		tap_diag("it says '%s'", last_error(fd));
}

static uint8_t *map(size_t n, int prot, int flags, int file)
{
	uint8_t *p = mmap(NULL, n, prot, flags, file, 0);

	if (p == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	return p;
}

static void test_mappings(void)
{
	uint8_t *p = map(4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	uint8_t *regs = map(PAGE, PROT_READ, MAP_SHARED, fd);
	char text[64];

	refused(p, PAGE, WRITE, -EFAULT, "is mapped read-only, and the device is to write", "read-only");
	mprotect(p, PAGE, PROT_NONE);
	refused(p, PAGE, READ, -EFAULT, "may not be read", "PROT_NONE");
	munmap(p + 2 * PAGE, PAGE);
	mprotect(p, PAGE, PROT_READ);
	snprintf(text, sizeof(text), "nothing is mapped at 0x%llx",
		 (unsigned long long)(uintptr_t)p + 2 * PAGE);
	refused(p, 4 * PAGE, READ, -EFAULT, text, "a hole");
	refused(regs, PAGE, READ, -EFAULT, "is a device's memory", "a mapping of the device itself");
	munmap(regs, PAGE);
	munmap(p, 4 * PAGE);
}

static void test_end_of_file(void)
{
	int file = memfd_create("short", MFD_CLOEXEC);
	uint8_t *p;

	if (file < 0 || ftruncate(file, PAGE))
		tap_bail("memfd: %s", strerror(errno));
	p = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file);
	refused(p, 2 * PAGE, READ | WRITE, -EFAULT, "is beyond the end of 'memfd:short'", "a short file");
	munmap(p, 2 * PAGE);
	close(file);
}

/* A file system that writes its pages back: it has to see each write. */
static void test_file_system(void)
{
	struct clean before = clean_read();
	uint8_t *p, *copy;
	uint64_t mem;
	uint32_t crc;
	int file;

	mkdir(DIR, 0700);
	/* the guest's mke2fs takes block devices only */
	if (system("dd if=/dev/zero of=" IMAGE " bs=1M count=4 2>/dev/null && "
		   "losetup " LOOP " " IMAGE " && mke2fs " LOOP " >/dev/null && "
		   "mount -t ext4 " LOOP " " DIR))
		tap_bail("no file system");
	file = open(FILE_, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, 4 * PAGE))
		tap_bail(FILE_ ": %s", strerror(errno));
	p = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file);
	copy = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
	fill(p, 4 * PAGE, 3);
	refused(p, 4 * PAGE, READ | WRITE, -EOPNOTSUPP, "ext4 has to see each write",
		"a file of ext4, to be written");
	tap_ok(strstr(last_error(fd), "is 'data'") && strstr(last_error(fd), "use a memfd"),
	       "which file, and what else to do");
	clean_check(&before, "the refusal");
	tap_is(dev_pin(fd, p, 4 * PAGE, READ, &mem), 0, "to be read: it can be pinned");
	tap_is(device_crc(fd, mem, 4 * PAGE, &crc), 0, "the device reads");
	tap_is(crc, crc32c(0, p, 4 * PAGE), "what is in it");
	dev_unpin(fd, mem);
	tap_is(dev_pin(fd, copy, 4 * PAGE, READ | WRITE, &mem), 0, "a private mapping: it can be, too");
	tap_is(device_fill(fd, mem, 0, PAGE, 0x77), 0, "the device writes");
	tap_ok(is_filled(copy, PAGE, 0x77) && !is_filled(p, PAGE, 0x77), "to the copy");
	dev_unpin(fd, mem);
	munmap(p, 4 * PAGE);
	munmap(copy, 4 * PAGE);
	close(file);
	clean_check(&before, "the file's pages");
	tap_is(umount2(DIR, 0), 0, "the file system can be unmounted");
	tap_is(system("losetup -d " LOOP), 0, "and its image left");
	unlink(IMAGE);
}

/* Memory that has no file system behind it which would have to see a write: only no room. */
static void test_full(void)
{
	struct clean before = clean_read();
	uint64_t mem;
	uint8_t *p;
	int file;

	mkdir(DIR, 0700);
	if (mount("tmpfs", DIR, "tmpfs", 0, "size=64k"))
		tap_bail("tmpfs: %s", strerror(errno));
	file = open(FILE_, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, 32 * PAGE))
		tap_bail(FILE_ ": %s", strerror(errno));
	p = map(32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file);
	refused(p, 32 * PAGE, READ | WRITE, -EFAULT, "of 'data' cannot be faulted in: is tmpfs full",
		"a file of a full tmpfs, to be written");
	clean_check(&before, "the refusal");
	tap_is(dev_pin(fd, p, 16 * PAGE, READ | WRITE, &mem), 0, "what there is room for can be pinned");
	dev_unpin(fd, mem);
	munmap(p, 32 * PAGE);
	close(file);
	tap_is(umount2(DIR, 0), 0, "the file system can be unmounted");

	dev_write("/proc/sys/vm/nr_hugepages", "0");
	p = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		tap_bail("hugetlb: %s", strerror(errno));
	refused(p, HUGE, READ | WRITE, -EFAULT, "cannot be faulted in: is hugetlbfs full",
		"an empty pool of huge pages");
	munmap(p, HUGE);
}

/* In a process of its own: another user, a limit of 64 KiB. */
static int over_the_limit(const char *want, rlim_t limit)
{
	struct rlimit rlim = { .rlim_cur = limit, .rlim_max = limit };
	uint8_t *p = map(32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setrlimit(RLIMIT_MEMLOCK, &rlim) || setgid(1001) || setuid(1001))
			_exit(99);
		if (limit && dev_pin(fd, p, 4 * PAGE, READ, NULL))
			_exit(98);
		dev_pin(fd, p, 13 * PAGE, READ, NULL);
		if (!strcmp(last_error(fd), want))
			_exit(0);
		fprintf(stderr, "%s\n", last_error(fd));
		_exit(1);
	}
	waitpid(pid, &status, 0);
	munmap(p, 32 * PAGE);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_limit(void)
{
	tap_is(over_the_limit("ENOMEM: mem_pin: 52 KiB needed, user 1001 has locked 16 of "
			      "RLIMIT_MEMLOCK's 64 KiB; raise it (ulimit -l, LimitMEMLOCK=)", 16 * PAGE), 0,
	       "over RLIMIT_MEMLOCK: what is needed, what is there, what to do");
	tap_ok(!system("accelctl ctx list | grep -q 'was refused: ENOMEM: mem_pin: 52 KiB needed, "
		       "user 1001 has locked 16 of RLIMIT_MEMLOCK.s 64 KiB; raise it'"),
	       "accelctl ctx list says it");
	tap_is(over_the_limit("EPERM: mem_pin: RLIMIT_MEMLOCK is 0; raise it (ulimit -l, LimitMEMLOCK=)", 0),
	       0, "a limit of 0");
}

int main(void)
{
	struct dev_info dev;

	fd = open_first("soft", &dev);
	tap_ok(!*last_error(fd), "a new file has been refused nothing");
	test_mappings();
	test_end_of_file();
	test_file_system();
	test_full();
	test_limit();
	tap_ok(!system("accelctl ctx list | grep -q 'was refused: EPERM: mem_pin: RLIMIT_MEMLOCK'"),
	       "accelctl ctx list says it");
	close(fd);
	return tap_done();
}
