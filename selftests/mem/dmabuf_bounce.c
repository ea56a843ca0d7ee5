// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" APPEND="swiotlb=force" */
/*
 * Where all DMA is bounced, a dma-buf would be a copy that nobody renews: it is refused,
 * whoever exports it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "dmabuf.h"
#include "tap.h"

#define PAGE	4096UL
#define RW	(ACCEL_MEM_READ | ACCEL_MEM_WRITE)

static void refused(const char *driver, int dmabuf, const char *what)
{
	struct dev_info dev;
	uint64_t id;
	int fd;

	if (dev_find(driver, 0, &dev))
		tap_bail("no %s", driver);
	fd = dev_open(dev.name);
	tap_is(dmabuf_import(fd, dmabuf, RW, &id, NULL), -EOPNOTSUPP, "%s, %s: EOPNOTSUPP",
	       driver, what);
	tap_is(dev_attr(dev.name, "mapped_bytes"), 0, "%s, %s: nothing is mapped", driver, what);
	close(fd);
}

int main(void)
{
	long long pins = dev_foll_pins();
	int before = dmabuf_count(), dmabuf, fd;
	void *mem = aligned_alloc(PAGE, PAGE);
	struct dev_info dev;
	uint64_t id;

	dmabuf = dmabuf_udmabuf(16 * PAGE);
	refused("edu", dmabuf, "udmabuf");
	refused("soft", dmabuf, "udmabuf");
	close(dmabuf);
	dmabuf = dmabuf_heap(16 * PAGE, O_RDWR);
	refused("edu", dmabuf, "system heap");
	close(dmabuf);
	if (dev_find("soft", 1, &dev))
		tap_bail("needs two soft devices");
	fd = dev_open(dev.name);
	memset(mem, 1, PAGE);
	tap_is(dev_pin(fd, mem, PAGE, RW, &id), 0, "memory of its own can be bounced");
	dmabuf = dmabuf_export(fd, id, O_CLOEXEC);
	tap_ok(dmabuf >= 0, "and exported");
	refused("soft", dmabuf, "region of another device");
	close(dmabuf);
	close(fd);
	tap_is(dmabuf_count(), before, "no dma-buf is left");
	tap_is(dev_foll_pins(), pins, "no page is pinned");
	free(mem);
	return tap_done();
}
