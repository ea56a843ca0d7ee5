// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * What the kernel keeps for a region is charged to the memory cgroup of who makes it: a
 * table of 16,384 entries, 32 bytes each, and all of it is given back afterwards.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mem.h"

#define GROUP	"/sys/fs/cgroup/accel-memcg"
#define PAGES	16384UL
#define LENGTH	(PAGES * PAGE)
#define TABLE	(PAGES * 32)
#define SLACK	(128L << 10)	/* the region itself, and what the kernel counts in batches */

static void put(const char *file, const char *text)
{
	char path[96];
	int ret;

	snprintf(path, sizeof(path), GROUP "/%s", file);
	ret = dev_write(path, text);
	if (ret)
		tap_bail("%s: %s", path, strerror(-ret));
}

static long slab(void)
{
	long bytes = dev_slab_charged(GROUP);

	if (bytes < 0)
		tap_bail("no slab in memory.stat");
	return bytes;
}

/* No two pages that follow one another are neighbours: each is an entry of its own. */
static uint8_t *scattered(void)
{
	int file = memfd_create("memcg", MFD_CLOEXEC);
	uint8_t *p = mmap(NULL, LENGTH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* all of the file now, or its pages would be neighbours in the order of the mapping */
	if (file < 0 || fallocate(file, 0, 0, LENGTH) || p == MAP_FAILED)
		tap_bail("memfd: %s", strerror(errno));
	for (size_t i = 0; i < PAGES; i++)
		if (mmap(p + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
			 file, i * 77 % PAGES * PAGE) == MAP_FAILED)
			tap_bail("mmap of a piece: %s", strerror(errno));
	close(file);
	return p;
}

static void wait_for(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		_exit(2);
}

static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		_exit(2);
}

/* Step by step, as its parent says, who is in another group. */
static void child(const char *node, int from, int to)
{
	uint8_t *p;
	uint64_t mem;
	int fd;

	wait_for(from);
	p = scattered();
	fd = dev_open(node);
	/* what is allocated once: caches, the file's own */
	if (fd < 0 || dev_pin(fd, p, LENGTH, READ | WRITE, &mem) || dev_unpin(fd, mem))
		_exit(3);
	tell(to);
	wait_for(from);
	if (dev_pin(fd, p, LENGTH, READ | WRITE, &mem))
		_exit(4);
	tell(to);
	wait_for(from);
	if (dev_unpin(fd, mem))
		_exit(5);
	tell(to);
	wait_for(from);
	if (dev_pin(fd, p, LENGTH, READ | WRITE, &mem))
		_exit(6);
	/* the close releases it; what is left of it in the group stays until that is gone */
	close(fd);
	tell(to);
	wait_for(from);
	_exit(0);
}

int main(void)
{
	int there[2], back[2], status = -1;
	long empty, pinned, after;
	struct clean before;
	struct dev_info dev;
	char text[32];
	pid_t pid;

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	before = clean_read();
	if (mkdir(GROUP, 0755) || pipe(there) || pipe(back))
		tap_bail(GROUP ": %s", strerror(errno));
	pid = fork();
	if (!pid) {
		/* so that it sees its end */
		close(there[1]);
		child(dev.name, there[0], back[1]);
	}
	close(back[1]);
	snprintf(text, sizeof(text), "%d", pid);
	put("cgroup.procs", text);
	tell(there[1]);
	wait_for(back[0]);
	empty = slab();
	tell(there[1]);
	wait_for(back[0]);
	pinned = slab() - empty;
	tell(there[1]);
	wait_for(back[0]);
	after = slab() - empty;
	tap_diag("a region of %lu entries: %ld bytes more, %ld afterwards", PAGES, pinned, after);
	tap_ok(labs(pinned - (long)TABLE) <= SLACK, "its table is charged");
	tap_ok(after >= -SLACK && after <= SLACK, "and not any more afterwards");

	tell(there[1]);
	wait_for(back[0]);
	after = slab() - empty;
	tap_ok(after >= -SLACK && after <= SLACK, "nor when it is closed: %ld", after);
	tell(there[1]);
	waitpid(pid, &status, 0);
	tap_is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, "the process is done");
	for (int i = 0; i < 100 && rmdir(GROUP); i++)
		usleep(20000);
	clean_check(&before, "the process");
	return tap_done();
}
