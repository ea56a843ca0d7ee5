/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each storm has to leave behind: nothing. */
#ifndef SELFTESTS_STORM_H
#define SELFTESTS_STORM_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

#define PAGE		4096UL
#define MODULES		"/usr/lib/accelerator/modules/"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define KMEMLEAK_AGE_S	5	/* it tells of nothing that is younger */
#define MAX_SLABS	256

struct storm_slab {
	char name[40];
	long objects;
	long in_slab;	/* of them in one slab */
};

/* What there is before the storm, and has to be there after it. */
struct storm {
	long long pins, refs_core;
	int nodes;
	char refs_driver[64];	/* path of a module's reference count, "" without */
	struct storm_slab slabs[MAX_SLABS];
	int num_slabs;
	long leaks;		/* that kmemleak knew of, of others before us */
};

static inline void storm_write(const char *path, const char *text)
{
	int ret = dev_write(path, text);

	if (ret)
		tap_bail("%s > %s: %s", text, path, strerror(-ret));
}

static inline long long storm_read(const char *path)
{
	long long value = -1;
	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	if (fscanf(f, "%lld", &value) != 1)
		value = -EIO;
	fclose(f);
	return value;
}

static inline int storm_nodes(void)
{
	DIR *dir = opendir("/dev/accelerator");
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

/*
 * The caches of what the core allocates, its own and those of others: the xarrays' nodes
 * are radix_tree_node; files and mappings are kept by references that the core takes.
 */
static inline int storm_watches(const char *slab)
{
	static const char * const names[] = {
		"kernfs_node_cache", "radix_tree_node", "filp", "vm_area_struct",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(slab, names[i]))
			return 1;
	return !strncmp(slab, "kmalloc-", 8) || !strncmp(slab, "accel_", 6);
}

/*
 * Objects in use of each such cache, when all that waits to be freed is freed. Two things
 * wait that are not ours: what kfree_rcu() has gathered, for seconds and out of an
 * rcu_barrier()'s sight (kernfs does that to 96 bytes for each file of sysfs that was
 * open, and the storms write to sysfs), which its shrinker frees; and what the
 * processors, and KASAN, keep of a cache, which counts as in use.
 */
static inline void storm_slabs(struct storm *s)
{
	char line[512], name[40], path[128];
	unsigned long objects, in_slab;
	FILE *f;

	for (int pass = 0; pass < 2; pass++) {
		storm_write("/proc/sys/vm/drop_caches", "2");
		dev_write("/sys/module/rcutree/parameters/do_rcu_barrier", "1");
	}
	for (int pass = 0; pass < 2; pass++) {
		s->num_slabs = 0;
		f = fopen("/proc/slabinfo", "re");
		if (!f)
			tap_bail("/proc/slabinfo: %s", strerror(errno));
		while (fgets(line, sizeof(line), f) && s->num_slabs < MAX_SLABS) {
			struct storm_slab *slab = &s->slabs[s->num_slabs];

			if (sscanf(line, "%39s %lu %*u %*u %lu", name, &objects, &in_slab) != 3 ||
			    !storm_watches(name))
				continue;
			snprintf(slab->name, sizeof(slab->name), "%s", name);
			slab->objects = objects;
			slab->in_slab = in_slab;
			s->num_slabs++;
			snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", name);
			if (!pass)
				dev_write(path, "1");
		}
		fclose(f);
	}
}

/* storm_growth() - of the cache that grew most since @before, beyond a slab per processor */
static inline long storm_growth(const struct storm *before, const char **which)
{
	static struct storm now;
	long growth = 0;

	*which = "none";
	storm_slabs(&now);
	for (int i = 0; i < now.num_slabs; i++)
		for (int k = 0; k < before->num_slabs; k++) {
			const struct storm_slab *slab = &now.slabs[i], *was = &before->slabs[k];
			long more = slab->objects - was->objects -
				    sysconf(_SC_NPROCESSORS_ONLN) * slab->in_slab;

			if (!strcmp(slab->name, was->name) && more > growth) {
				growth = more;
				*which = slab->name;
			}
		}
	return growth;
}

/* storm_leaks() - of how many objects kmemleak says now that nothing points to them */
static inline long storm_leaks(int show)
{
	FILE *f = fopen(KMEMLEAK, "re");
	char line[256];
	long n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		n += !strncmp(line, "unreferenced object", 19);
		if (show-- > 0)
			tap_diag("%.*s", (int)strcspn(line, "\n"), line);
	}
	if (f)
		fclose(f);
	return n;
}

/* Two scans: what the first finds may still be on its way to somebody. */
static inline int storm_scan(void)
{
	int ret = dev_write(KMEMLEAK, "scan");

	if (ret)
		return ret;
	sleep(KMEMLEAK_AGE_S);
	return dev_write(KMEMLEAK, "scan");
}

/* storm_after_kmemleak() - a detector that has given up says so, where it is asked to scan */
static inline void storm_after_kmemleak(const struct storm *s, const char *name)
{
	long leaks;

	if (access(KMEMLEAK, F_OK))
		return;
	tap_is(storm_scan(), 0, "%s: kmemleak scans, twice", name);
	leaks = storm_leaks(0);
	if (!tap_ok(leaks <= s->leaks, "%s: it knows of no memory that is lost", name))
		storm_leaks(60);
}

/* storm_before() - @module: of the driver ("accel_soft") that is to stay loaded, or NULL */
static inline void storm_before(struct storm *s, const char *module)
{
	memset(s, 0, sizeof(*s));
	s->pins = dev_foll_pins();
	s->nodes = storm_nodes();
	s->refs_core = storm_read("/sys/module/accelerator/refcnt");
	if (module)
		snprintf(s->refs_driver, sizeof(s->refs_driver), "/sys/module/%s/refcnt", module);
	s->leaks = storm_leaks(0);
	storm_slabs(s);
}

/*
 * storm_after_within() - all but kmemleak; @count: how often it was done, @slack: objects that
 * the kernel's own part of it may keep in a cache
 */
static inline void storm_after_within(const struct storm *s, const char *name, long count,
				      long slack)
{
	struct dev_info devs[64];
	long long contexts = 0;
	const char *which;
	long growth = 0;
	int n = dev_list(devs, 64);

	tap_is(dev_foll_pins(), s->pins, "%s: no page is pinned", name);
	tap_is(dev_charged_kb(0), 0, "%s: nor charged for", name);
	for (int i = 0; i < n && i < 64; i++)
		contexts += dev_attr(devs[i].name, "contexts");
	tap_is(contexts, 0, "%s: no context is left", name);
	tap_is(storm_nodes(), s->nodes, "%s: as many nodes in /dev as before", name);
	tap_is(storm_read("/sys/module/accelerator/refcnt"), s->refs_core,
	       "%s: references on the core as before", name);
	if (s->refs_driver[0])
		tap_is(storm_read(s->refs_driver), 0, "%s: none on the driver", name);
	for (int pass = 0; pass < 20; pass++) {
		growth = storm_growth(s, &which);
		if (growth <= slack)
			break;
		tap_diag("%s: %s has %ld objects more", name, which, growth);
		usleep(500000);
	}
	tap_ok(growth <= slack, "%s: no slab grew (%ld times)", name, count);
}

/* storm_after() - @count: how often it was done */
static inline void storm_after(const struct storm *s, const char *name, long count)
{
	storm_after_within(s, name, count, 0);
	storm_after_kmemleak(s, name);
}

/* One open file with a region pinned, a mapping, and jobs that do not end by themselves. */
struct storm_user {
	int fd;
	volatile uint32_t *map;
	uint64_t mem;
	uint64_t job;		/* the last one */
};

/* storm_submit() - one job on a page of @mem; edu: a DMA of 100 ms that reads it */
static inline int storm_submit(const struct dev_info *dev, int fd, uint64_t mem, uint64_t *job)
{
	int ret;

	if (dev_is(dev, "edu")) {
		struct accel_edu_dma dma = {
			.mem_id = mem, .length = ACCEL_EDU_BUFFER_SIZE,
			.op = ACCEL_EDU_OP_TO_DEVICE,
		};

		ret = dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &dma);
		*job = dma.job_id;
	} else {
		struct accel_soft_submit submit = {
			.op = ACCEL_SOFT_OP_FILL, .engine = ACCEL_SOFT_ENGINE_ANY,
			.dst_mem = mem, .length = PAGE, .pattern = 1,
		};

		ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit);
		*job = submit.job_id;
	}
	return ret;
}

/* storm_feed() - submit @jobs; 0 or -errno */
static inline int storm_feed(struct storm_user *u, const struct dev_info *dev, int jobs)
{
	int ret = 0;

	while (!ret && jobs--)
		ret = storm_submit(dev, u->fd, u->mem, &u->job);
	return ret;
}

/* storm_use() - open @dev, map, pin @page, submit @jobs; 0 or -errno */
static inline int storm_use(struct storm_user *u, const struct dev_info *dev, void *page, int jobs)
{
	int ret;

	u->map = MAP_FAILED;
	u->fd = dev_open(dev->name);
	if (u->fd < 0)
		return u->fd;
	u->map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, u->fd, 0);
	if (u->map == MAP_FAILED)
		return -errno;
	(void)u->map[0];
	ret = dev_pin(u->fd, page, PAGE, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &u->mem);
	return ret ? ret : storm_feed(u, dev, jobs);
}

/*
 * storm_running() - submit jobs to an edu until one of them is seen to run; 0 or -errno
 *
 * A job takes 100 ms of the host's time. A guest on a busy host may be stopped for longer,
 * and whoever submits one and then looks finds that it has ended.
 */
static inline int storm_running(struct storm_user *u, const struct dev_info *dev)
{
	int ret = 0;

	while (!ret && dev_attr(dev->name, "engines/edu/running") != 1) {
		if (dev_attr(dev->name, "engines/edu/queued"))
			usleep(1000);
		else
			ret = storm_feed(u, dev, 1);
	}
	return ret;
}

static inline void storm_leave(struct storm_user *u)
{
	if (u->map != MAP_FAILED)
		munmap((void *)u->map, PAGE);
	if (u->fd >= 0)
		close(u->fd);
}

/* What a file of a device that is gone answers. */
static inline int storm_ask(int fd)
{
	struct accel_mem_unpin unpin = { .mem_id = 1 };

	return dev_ioctl(fd, ACCEL_IOCTL_MEM_UNPIN, &unpin);
}

/* storm_slot() - where the first edu is: "0000:00:04.0" */
static inline void storm_slot(char *slot, size_t size)
{
	DIR *dir = opendir("/sys/bus/pci/drivers/accel_edu");
	struct dirent *entry;

	slot[0] = '\0';
	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "0000:", 5))
			snprintf(slot, size, "%.20s", entry->d_name);
	if (dir)
		closedir(dir);
	if (!slot[0])
		tap_bail("no edu bound to its driver");
}

#endif
