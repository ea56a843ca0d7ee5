// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="soft=1,engines=2" */
/*
 * Regions that are named by an IOVA: the engines find their content through the
 * device's page table, iommufd pins and accounts, and each mistake has an errno of its
 * own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "mem.h"
#include "rig.h"

#define IOVA	0x40000000UL

static struct rig rig;

/* The line of this context's address space in the driver's debugfs file. */
struct tables {
	unsigned int asid, regions;
	unsigned long pages_4k, pages_2m, pages_1g, nodes;
	long long hits, misses;
};

static int read_tables(struct tables *t)
{
	char path[96], line[256];
	int lines = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/accelerator/%s/page_tables", rig.dev.name);
	f = fopen(path, "re");
	if (!f)
		tap_bail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		lines += sscanf(line, "%u %*u %u %lu %lu %lu %lu %lld %lld", &t->asid, &t->regions,
				&t->pages_4k, &t->pages_2m, &t->pages_1g, &t->nodes, &t->hits,
				&t->misses) == 8;
	fclose(f);
	return lines;
}

/* @text: without the errno, which a kernel may have by number alone (SYMBOLIC_ERRNAME) */
static void says(const char *text)
{
	if (!tap_ok(strstr(last_error(rig.fd), text), "it says '%s'", text))
		tap_diag("it says '%s'", last_error(rig.fd));
}

static void test_bind(void)
{
	struct accel_iommufd_bind arg = { .iommufd = rig.iommufd, .pt_id = rig.ioas, .flags = 2 };
	int other = dev_open(rig.dev.name), null = open("/dev/null", O_RDWR), id;

	tap_is(dev_ioctl(rig.fd, ACCEL_IOCTL_IOMMUFD_BIND, &arg), -EINVAL, "bind: unknown flags");
	tap_is(iommufd_bind_pasid(rig.fd, rig.iommufd, rig.ioas, NULL), -EOPNOTSUPP,
	       "bind: by a PASID, of which this driver knows nothing");
	tap_is(iommufd_bind(rig.fd, -1, rig.ioas), -EBADF, "bind: no descriptor");
	tap_is(iommufd_bind(rig.fd, null, rig.ioas), -EBADFD, "bind: not an iommufd");
	tap_is(iommufd_bind(rig.fd, rig.iommufd, 9999), -ENOENT, "bind: no such object");
	tap_is(iommufd_pin(rig.fd, IOVA, PAGE, RW, NULL), -ENOTCONN, "pin: not bound");
	says("mem_pin: the file is not bound to an IOAS");
	tap_is(iommufd_unbind(rig.fd), -ENOTCONN, "unbind: not bound");
	id = iommufd_bind(rig.fd, rig.iommufd, rig.ioas);
	tap_ok(id > 0, "bind: object %d", id);
	tap_is(iommufd_bind(rig.fd, rig.iommufd, rig.ioas), -EBUSY, "bind: bound already");
	tap_is(iommufd_bind(other, rig.iommufd, id), -ENOENT, "bind: an object that is no IOAS");
	tap_ok(iommufd_bind(other, rig.iommufd, rig.ioas) > 0, "another file, the same IOAS");
	tap_is(iommufd_destroy(rig.iommufd, rig.ioas), -EBUSY, "an IOAS that is bound stays");
	tap_is(iommufd_unbind(rig.fd), 0, "unbind");
	tap_ok(iommufd_bind(rig.fd, rig.iommufd, rig.ioas) > 0, "bind again");
	close(other);
	close(null);
}

static void test_pin_errors(void)
{
	char *p = pages_new(4 * PAGE);
	uint64_t mem, again;

	if (iommufd_map(rig.iommufd, rig.ioas, p, 2 * PAGE, IOVA, ACCEL_MEM_READ) ||
	    iommufd_map(rig.iommufd, rig.ioas, p, 2 * PAGE, 1UL << 48, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	tap_is(iommufd_pin(rig.fd, IOVA + 1, PAGE, ACCEL_MEM_READ, NULL), -EINVAL, "unaligned IOVA");
	tap_is(iommufd_pin(rig.fd, IOVA, 1, ACCEL_MEM_READ, NULL), -EINVAL, "unaligned length");
	tap_is(iommufd_pin(rig.fd, IOVA, 0, ACCEL_MEM_READ, NULL), -EINVAL, "no length");
	tap_is(iommufd_pin(rig.fd, IOVA, PAGE, 0, NULL), -EINVAL, "no direction");
	tap_is(iommufd_pin(rig.fd, -PAGE, 2 * PAGE, ACCEL_MEM_READ, NULL), -EINVAL,
	       "beyond the last address there is");
	tap_is(iommufd_pin(rig.fd, 0, PAGE, ACCEL_MEM_READ, NULL), -ENOENT, "not mapped");
	tap_is(iommufd_pin(rig.fd, IOVA, 3 * PAGE, ACCEL_MEM_READ, NULL), -ENOENT,
	       "the last page is not mapped");
	says("mem_pin: not all of IOVA 0x40000000 to 0x40003000 is mapped in the IOAS");
	tap_is(iommufd_pin(rig.fd, IOVA, PAGE, RW, NULL), -EACCES,
	       "to be written, and mapped to be read");
	says("mem_pin: IOVA 0x40000000 to 0x40001000 is not mapped in the IOAS for the device to write");
	tap_is(iommufd_pin(rig.fd, 1UL << 48, PAGE, RW, NULL), -ERANGE,
	       "more bits than the device has");
	tap_is(iommufd_pin(rig.fd, IOVA, PAGE, ACCEL_MEM_READ, &mem), 0, "to be read");
	tap_is(iommufd_pin(rig.fd, IOVA, 2 * PAGE, ACCEL_MEM_READ, &again), -EEXIST,
	       "a region that has some of the addresses is there");
	tap_is(iommufd_unbind(rig.fd), -EBUSY, "unbind: a region is there");
	tap_is(soft_copy(rig.fd, mem, 0, mem, 0, 8), -EINVAL, "a copy onto itself");
	tap_is(dev_unpin(rig.fd, mem), 0, "unpin");
	tap_is(iommufd_pin(rig.fd, IOVA, 2 * PAGE, ACCEL_MEM_READ, &again), 0,
	       "then the addresses are free");
	tap_is(dev_unpin(rig.fd, again), 0, "unpin");
	tap_is(dev_unpin(rig.fd, again), -ENOENT, "not twice");

	munmap(p, PAGE);
	tap_is(iommufd_pin(rig.fd, IOVA, PAGE, ACCEL_MEM_READ, NULL), -EFAULT,
	       "the memory behind it went away");
	says("mem_pin: the memory that IOVA 0x40000000 to 0x40001000 was mapped to is not all there");
	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX), 0, "unmap all");

	munmap(p + PAGE, 3 * PAGE);
}

/* The limit is iommufd's to keep, for a user without CAP_IPC_LOCK. */
static void test_limit(void)
{
	struct rlimit tight = { 2 * PAGE, 2 * PAGE };
	struct left before = left_now();
	char *p = pages_new(3 * PAGE);
	int status;
	pid_t child = fork();

	if (!child) {
		uint64_t mem;

		if (setrlimit(RLIMIT_MEMLOCK, &tight) || setuid(65534) ||
		    iommufd_map(rig.iommufd, rig.ioas, p, 3 * PAGE, IOVA, RW))
			_exit(1);
		if (iommufd_pin(rig.fd, IOVA, 3 * PAGE, RW, NULL) != -ENOMEM ||
		    !strstr(last_error(rig.fd), "mem_pin: 12 KiB needed, which may be over "
			    "RLIMIT_MEMLOCK's 8 KiB, counted by iommufd for the user; raise it"))
			_exit(2);
		/* Nothing of ours is charged: both pages of the limit are iommufd's. */
		if (iommufd_pin(rig.fd, IOVA, 2 * PAGE, RW, &mem) || dev_unpin(rig.fd, mem) ||
		    iommufd_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX))
			_exit(3);
		_exit(0);
	}
	waitpid(child, &status, 0);
	tap_is(status, 0, "three pages are over an RLIMIT_MEMLOCK of two: ENOMEM, and why; two are not");
	left_check(&before, "that");
	munmap(p, 3 * PAGE);
}

/* Two mappings that follow each other, from memory that does not; more than one batch. */
static void test_content(void)
{
	size_t n = 3 * MIB + 5 * PAGE, half = 2 * MIB + 3 * PAGE;
	char *a = pages_new(half), *b = pages_new(n - half), *out = pages_new(n), *want;
	uint64_t src, dst, user, seed = 11, bad = 0;
	struct left before = left_now();

	want = malloc(n);
	memcpy(want, a, half);
	memcpy(want + half, b, n - half);
	if (iommufd_map(rig.iommufd, rig.ioas, b, n - half, IOVA + half, ACCEL_MEM_READ) ||
	    iommufd_map(rig.iommufd, rig.ioas, a, half, IOVA, ACCEL_MEM_READ) ||
	    iommufd_map(rig.iommufd, rig.ioas, out, n, 8 * IOVA, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	tap_is(iommufd_pin(rig.fd, IOVA, n, ACCEL_MEM_READ, &src), 0, "a region of two mappings");
	tap_is(iommufd_pin(rig.fd, 8 * IOVA, n, RW, &dst), 0, "and one to write to");
	tap_is(pinned_vm() - before.vm, 2 * n, "its pages are charged once: %zu bytes", 2 * n);
	tap_is(dev_foll_pins() - before.foll, 2 * n / PAGE, "and pinned once");
	tap_is(dev_attr(rig.dev.name, "pinned_bytes"), 2 * n, "as the device says");
	tap_is(dev_attr(rig.dev.name, "mapped_bytes"), 2 * n, "and mapped");
	tap_is(soft_copy(rig.fd, src, 0, dst, 0, n), 0, "a copy of all of it");
	tap_ok(!memcmp(out, want, n), "is what was there");

	memset(out, 0, n);
	for (int i = 0; i < 50; i++) {
		size_t from = dev_random(&seed) % n, to = dev_random(&seed) % n;
		size_t len = 1 + dev_random(&seed) % (3 * PAGE);

		if (from + len > n || to + len > n)
			continue;
		bad += soft_copy(rig.fd, src, from, dst, to, len) || memcmp(out + to, want + from, len);
	}
	tap_is(bad, 0, "copies from and to any byte");

	/* Both ways in one job. */
	tap_is(dev_pin(rig.fd, out, n, RW, &user), 0, "the same memory, by its address");
	memset(out, 0, n);
	tap_is(soft_copy(rig.fd, src, 0, user, 0, n), 0, "a copy from an IOVA to an address");
	tap_ok(!memcmp(out, want, n), "is what was there");
	dev_unpin(rig.fd, user);

	dev_unpin(rig.fd, src);
	dev_unpin(rig.fd, dst);
	left_check(&before, "unpinning");
	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX), 0, "unmap all");
	munmap(a, half);
	munmap(b, n - half);
	munmap(out, n);
	free(want);
}

static void test_page_sizes(void)
{
	size_t n = 6 * MIB;
	struct tables t = { 0 };
	uint64_t mem, tail;
	int fd, small;
	char *p;

	dev_write("/proc/sys/vm/compact_memory", "1");
	dev_write("/proc/sys/vm/nr_hugepages", "4");
	p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		tap_bail("no huge pages: %s", strerror(errno));
	tap_is(read_tables(&t), 0, "no address space without a region");
	if (iommufd_map(rig.iommufd, rig.ioas, p, n, IOVA, RW) ||
	    iommufd_map(rig.iommufd, rig.ioas, p, n, 2 * IOVA - PAGE, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	tap_is(iommufd_pin(rig.fd, IOVA, n - PAGE, RW, &mem), 0, "all but a page of three huge ones");
	tap_is(read_tables(&t), 1, "an address space");
	tap_ok(t.pages_2m == 2 && t.pages_4k == 511 && !t.pages_1g && t.regions == 1,
	       "has two pages of 2 MiB, and 511 of 4 KiB (%lu, %lu)", t.pages_2m, t.pages_4k);
	/* the root, one for each of 512 GiB, 1 GiB, 2 MiB */
	tap_is(t.nodes, 4, "in four nodes");
	tap_is(iommufd_pin(rig.fd, 2 * IOVA - PAGE, 4 * MIB, RW, &tail), 0,
	       "the same at an odd IOVA");
	read_tables(&t);
	tap_ok(t.pages_2m == 2 && t.pages_4k == 511 + 1024 && t.regions == 2,
	       "has 4 KiB pages only (%lu, %lu)", t.pages_2m, t.pages_4k);
	memset(p, 7, n);
	tap_is(soft_copy(rig.fd, mem, MIB, tail, 3 * MIB, MIB / 2), 0, "copy from one to the other");
	small = t.asid;
	read_tables(&t);
	tap_ok(t.hits > 0 && !t.misses, "%lld walks of engines, none failed", t.hits);

	fd = dev_open(rig.dev.name);
	if (fd < 0 || iommufd_bind(fd, rig.iommufd, rig.ioas) < 0)
		tap_bail("no second file");
	tap_is(iommufd_pin(fd, IOVA, PAGE, RW, NULL), 0, "another file may have the same address");
	tap_is(read_tables(&t), 2, "in an address space of its own");
	tap_ok(t.asid != (unsigned int)small, "with another ASID");
	close(fd);
	tap_is(read_tables(&t), 1, "that goes with the file");
	dev_unpin(rig.fd, mem);
	dev_unpin(rig.fd, tail);
	tap_is(read_tables(&t), 0, "no region is left");
	iommufd_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX);
	munmap(p, n);
	dev_write("/proc/sys/vm/nr_hugepages", "0");
}

/* iommufd may be closed: what is bound keeps it. */
static void test_close(void)
{
	char *p = pages_new(2 * PAGE);
	struct left before = left_now();
	uint64_t mem;

	if (iommufd_map(rig.iommufd, rig.ioas, p, 2 * PAGE, IOVA, RW) ||
	    iommufd_pin(rig.fd, IOVA, 2 * PAGE, RW, &mem))
		tap_bail("no region");
	close(rig.iommufd);
	tap_is(soft_copy(rig.fd, mem, 0, mem, PAGE, PAGE), 0, "a job after the iommufd was closed");
	tap_ok(!memcmp(p, p + PAGE, PAGE), "has its result");
	tap_is(iommufd_pin(rig.fd, IOVA + PAGE, PAGE, RW, NULL), -EEXIST, "nor was it unmapped");
	close(rig.fd);
	left_check(&before, "closing the file");
	tap_is(dev_attr(rig.dev.name, "pinned_bytes"), 0, "as the device says");
}

int main(void)
{
	struct left before = left_now();

	rig_open(&rig, "soft", 0);
	test_bind();
	test_pin_errors();
	left_check(&before, "mistakes");
	test_limit();
	test_content();
	test_page_sizes();
	test_close();
	left_check(&before, "all");
	return tap_done();
}
