/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All ways in which a region of an edu behind an IOMMU ends. What is to be seen of it while
 * it is there, and afterwards, is said by who includes this.
 */
#ifndef MEM_ENDS_H
#define MEM_ENDS_H

#include <signal.h>
#include <sys/wait.h>

#include "dmabuf.h"
#include "iommu.h"
#include "mem.h"

#define DRIVER	"/sys/bus/pci/drivers/accel_edu"
#define LENGTH	(64 * PAGE)

static char slot[32];
static struct dev_info dev, soft;
static uint8_t *memory;		/* the region's; shared with children */

/* LENGTH bytes of @fd's region @mem are there, mapped for the edu. */
static void region_is_there(int fd, uint64_t mem);
/* The region that was there last is not any more. */
static void region_is_gone(const char *after);

static void ends_begin(void)
{
	if (dev_find("edu", 0, &dev) || dev_find("soft", 0, &soft))
		tap_bail("no edu or no soft device");
	iommu_slot(&dev, slot, sizeof(slot));
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		tap_bail("no memory");
	memset(memory, 1, LENGTH);
}

static uint64_t pin(int fd)
{
	uint64_t mem;
	int ret = dev_pin(fd, memory, LENGTH, READ | WRITE, &mem);

	if (ret)
		tap_bail("pin: %s", strerror(-ret));
	return mem;
}

static void tell(const char *file)
{
	char path[96];
	int ret;

	snprintf(path, sizeof(path), DRIVER "/%s", file);
	ret = dev_write(path, slot);
	if (ret)
		tap_bail("%s: %s", path, strerror(-ret));
}

static void by_unpin(int fd)
{
	uint64_t mem = pin(fd);
	int ret;

	region_is_there(fd, mem);
	ret = dev_unpin(fd, mem);
	if (ret)
		tap_bail("unpin: %s", strerror(-ret));
	region_is_gone("unpin");
	close(fd);
}

static void by_close(int fd)
{
	region_is_there(fd, pin(fd));
	close(fd);
	region_is_gone("close");
}

static void by_unbind(int fd)
{
	region_is_there(fd, pin(fd));
	tell("unbind");
	tell("bind");
	/* its name may be another one */
	if (dev_find("edu", 0, &dev))
		tap_bail("no edu after bind");
	region_is_gone("unbind");
	close(fd);
}

/* The one who has the file last is killed. */
static void by_death(int fd)
{
	uint64_t mem;
	int ready[2];
	pid_t pid;

	if (pipe(ready))
		tap_bail("pipe");
	pid = fork();
	if (!pid) {
		mem = pin(fd);
		if (write(ready[1], &mem, sizeof(mem)) == sizeof(mem))
			pause();
		_exit(1);
	}
	if (read(ready[0], &mem, sizeof(mem)) != sizeof(mem))
		tap_bail("the child has not pinned");
	region_is_there(fd, mem);
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	region_is_gone("death");
}

/* Of memory that somebody else has, too. */
static void by_import(int fd)
{
	int buf = dmabuf_udmabuf(LENGTH);
	uint8_t *own = memory;
	uint64_t mem, length;
	int ret;

	if (buf < 0)
		tap_bail("udmabuf: %s", strerror(-buf));
	memory = dmabuf_map(buf, LENGTH);
	if (!memory)
		tap_bail("udmabuf: mmap: %s", strerror(errno));
	ret = dmabuf_import(fd, buf, READ | WRITE, &mem, &length);
	if (ret)
		tap_bail("import: %s", strerror(-ret));
	region_is_there(fd, mem);
	ret = dev_unpin(fd, mem);
	if (ret)
		tap_bail("unpin: %s", strerror(-ret));
	close(buf);
	region_is_gone("an import's end");
	munmap(memory, LENGTH);
	memory = own;
	close(fd);
}

/* Of another device's, who takes it back while it is imported here. */
static void by_taking_back(int fd)
{
	int owner = dev_open(soft.name), buf;
	uint64_t mem, in, length;

	if (owner < 0 || dev_pin(owner, memory, LENGTH, READ | WRITE, &mem) ||
	    (buf = dmabuf_export(owner, mem, O_CLOEXEC)) < 0 ||
	    dmabuf_import(fd, buf, READ | WRITE, &in, &length))
		tap_bail("export and import");
	close(buf);
	region_is_there(fd, in);
	tap_is(dev_unpin(owner, mem), 0, "its owner takes it back");
	region_is_gone("that, although the import is there");
	tap_is(dev_unpin(fd, in), 0, "until it is unpinned");
	region_is_gone("that");
	close(owner);
	close(fd);
}

static void (* const ends[])(int fd) = {
	by_unpin, by_close, by_unbind, by_death, by_import, by_taking_back,
};

static void ends_all(void)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		int fd = dev_open(dev.name);

		if (fd < 0)
			tap_bail("%s: %s", dev.name, strerror(-fd));
		ends[i](fd);
	}
}

#endif
