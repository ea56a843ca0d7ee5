// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=180 */
/*
 * What the kernel keeps for a region is charged to the memory cgroup of who makes it, and
 * all of it is given back afterwards: the table of its pages, 32 bytes each; the same for
 * who imports it; nodes of the device's page table; and pages that were not there before
 * the pin. That is the group of the process that pins, or imports: the file is opened by
 * another one, in another group.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "dmabuf.h"
#include "iommufd.h"
#include "mem.h"

#define GROUP	"/sys/fs/cgroup/accel-memcg"
#define PAGES	16384UL
#define LENGTH	(PAGES * PAGE)
#define TABLE	(PAGES * 32)
#define COLD	(256 * PAGE)
#define SPARSE	256UL		/* regions of a page, no two under one node of the page table */
#define NODES	(SPARSE * PAGE)
#define STRIDE	(2UL << 20)
#define SLACK	(128L << 10)	/* the regions themselves, and what the kernel counts in batches */

static void put(const char *file, const char *text)
{
	char path[96];
	int ret;

	snprintf(path, sizeof(path), GROUP "/%s", file);
	ret = dev_write(path, text);
	if (ret)
		tap_bail("%s: %s", path, strerror(-ret));
}

/* Pages that follow one another are no neighbours: each is an entry of its own. */
static uint8_t *scattered(void)
{
	int file = memfd_create("memcg", MFD_CLOEXEC);
	uint8_t *p;

	/* the kernel has pages in order, so they are asked for in another one */
	for (size_t i = 0; i < PAGES; i++)
		if (pwrite(file, "", 1, i * 77 % PAGES * PAGE) != 1)
			tap_bail("memfd: %s", strerror(errno));
	p = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
	if (p == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	close(file);
	return p;
}

/* ---- in the group ---- */

static struct dev_info dev;
static int fd, iommufd = -1, ioas;
static uint8_t *pieces, *cold;
static uint64_t mem, cold_mem, imported, sparse[SPARSE];

/* One thing at a time. Answers whether it went wrong. */
static int act(char what)
{
	int dmabuf, ret = 0;

	switch (what) {
	case 'p':
		return dev_pin(fd, pieces, LENGTH, READ | WRITE, &mem);
	case 'u':
		return dev_unpin(fd, mem);
	case 'c':
		return dev_pin(fd, cold, COLD, READ | WRITE, &cold_mem);
	case 'd':
		return dev_unpin(fd, cold_mem) ?: madvise(cold, COLD, MADV_DONTNEED);
	case 'e':
		dmabuf = dmabuf_export(fd, mem, O_CLOEXEC);
		ret = dmabuf_import(fd, dmabuf, READ, &imported, NULL);
		close(dmabuf);
		return ret;
	case 'i':
		return dev_unpin(fd, imported);
	case 'x':
		/* the close releases it; what is left of it in the group stays until that is gone */
		close(fd);
		return 0;
	case 'b':
		fd = dev_open(dev.name);
		ret = iommufd_bind(fd, iommufd, ioas);
		return ret < 0 ? ret : 0;
	case 's':
		for (size_t i = 0; i < SPARSE && !ret; i++)
			ret = iommufd_pin(fd, i * STRIDE, PAGE, READ, &sparse[i]);
		return ret;
	case 't':
		for (size_t i = 0; i < SPARSE && !ret; i++)
			ret = dev_unpin(fd, sparse[i]);
		return ret;
	default:
		return -EINVAL;
	}
}

static void child(int from, int to)
{
	char what, wrong = 0;

	if (read(from, &what, 1) != 1)
		_exit(2);
	pieces = scattered();
	cold = mmap(NULL, COLD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cold == MAP_FAILED || madvise(cold, COLD, MADV_NOHUGEPAGE))
		_exit(3);
	/* what is allocated once: caches, the file's own, pages of this program's */
	for (const char *all = "pceiud"; *all && !wrong; all++)
		wrong = act(*all) != 0;
	while (write(to, &wrong, 1) == 1 && read(from, &what, 1) == 1)
		wrong = act(what) != 0;
	_exit(0);
}

/* ---- who looks ---- */

static int to, from;

/* What is charged to the group after the child has done all of this. */
struct charge {
	long slab, kernel, anon;
};

static struct charge after(const char *acts)
{
	struct charge now;
	char wrong = 1;

	for (; *acts; acts++)
		if (write(to, acts, 1) != 1 || read(from, &wrong, 1) != 1 || wrong)
			tap_bail("the child cannot do '%c'", *acts);
	dev_memory_settle(GROUP);
	now.slab = dev_memory_stat(GROUP, "slab");
	now.kernel = dev_memory_stat(GROUP, "kernel");
	now.anon = dev_memory_stat(GROUP, "anon");
	if (now.slab < 0 || now.kernel < 0 || now.anon < 0)
		tap_bail("no slab, kernel or anon in memory.stat");
	return now;
}

/* Mapped by this process, so that only what a pin takes is the child's. */
static void map_sparse(void)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	iommufd = iommufd_open();
	if (iommufd == -ENOENT)
		return;
	ioas = iommufd_ioas(iommufd);
	for (size_t i = 0; i < SPARSE; i++)
		if (iommufd_map(iommufd, ioas, page, PAGE, i * STRIDE, READ))
			tap_bail("IOAS_MAP: %s", strerror(errno));
}

static void test_nodes(const struct charge *empty)
{
	struct charge bound, now;

	if (iommufd < 0) {
		tap_skip("nodes of a page table: no iommufd");
		return;
	}
	/* with all that a first region takes */
	bound = after("bst");
	now = after("s");
	tap_diag("%lu regions by IOVA: %ld bytes more", SPARSE, now.kernel - bound.kernel);
	/* what iommufd needs for each is charged, too: a few hundred bytes */
	tap_ok(now.kernel - bound.kernel >= (long)NODES - SLACK &&
	       now.kernel - bound.kernel <= (long)NODES + 4 * SLACK,
	       "the nodes of the device's page table are charged");
	tap_is(now.anon, bound.anon, "pages are not, which are another's");
	now = after("tx");
	tap_ok(labs(now.kernel - empty->kernel) <= 2 * SLACK,
	       "and not any more afterwards: %ld", now.kernel - empty->kernel);
}

int main(void)
{
	int there[2], back[2], status = -1;
	struct charge empty, now;
	struct clean before;
	char text[32];
	pid_t pid;

	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	before = clean_read();
	if (mkdir(GROUP, 0755) || pipe(there) || pipe(back))
		tap_bail(GROUP ": %s", strerror(errno));
	map_sparse();
	fd = dev_open(dev.name);
	if (fd < 0)
		tap_bail("open: %s", strerror(-fd));
	pid = fork();
	if (!pid) {
		/* so that it sees its end */
		close(there[1]);
		child(there[0], back[1]);
	}
	close(back[1]);
	close(fd);
	to = there[1];
	from = back[0];
	snprintf(text, sizeof(text), "%d", pid);
	put("cgroup.procs", text);
	if (write(to, "", 1) != 1 || read(from, text, 1) != 1 || text[0])
		tap_bail("the child cannot begin");

	empty = after("");
	now = after("pc");
	tap_diag("a region of %lu entries: %ld bytes more", PAGES, now.slab - empty.slab);
	tap_ok(labs(now.slab - empty.slab - (long)TABLE) <= SLACK, "its table is charged");
	tap_is(now.anon - empty.anon, COLD, "pages that the pin has faulted in are, to the byte");
	now = after("de");
	/* that one is of whole pages, not of slabs */
	tap_ok(labs(now.kernel - empty.kernel - 2 * (long)TABLE) <= SLACK,
	       "a second table is, of who imports it: %ld bytes", now.kernel - empty.kernel);
	tap_is(now.anon - empty.anon, 0, "the pages that are gone are not");
	now = after("iu");
	tap_ok(labs(now.kernel - empty.kernel) <= SLACK, "nor is anything afterwards: %ld",
	       now.kernel - empty.kernel);
	now = after("px");
	tap_ok(labs(now.slab - empty.slab) <= SLACK, "nor when it is closed: %ld",
	       now.slab - empty.slab);
	test_nodes(&now);

	close(to);
	waitpid(pid, &status, 0);
	tap_is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0, "the process is done");
	if (iommufd >= 0)
		close(iommufd);
	for (int i = 0; i < 100 && rmdir(GROUP); i++)
		usleep(20000);
	clean_check(&before, "the process");
	return tap_done();
}
