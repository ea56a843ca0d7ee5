// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="soft=1" TIMEOUT=180 */
/*
 * pin-limit, and regions by IOVA: what iommufd pins counts as one's own memory does,
 * together with it, to the byte; and is given back in each way that such a region ends,
 * also by iommufd itself.
 */
#include "iommufd.h"
#include "tenants.h"

#define LIMIT	(16 * PAGE)
#define IOVA	0x40000000UL

static struct dev_info dev;
static int fd, iommufd, ioas;
static char *memory;
static long long pins;	/* that are not ours */

static void map_all(void)
{
	if (iommufd_map(iommufd, ioas, memory, 2 * LIMIT, IOVA, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
}

static void counted(uint64_t bytes, const char *when)
{
	tap_is(cgroup_figure("pin-limit", "cgroups", "/", "pinned_bytes"), bytes, "%s: %lu KiB count",
	       when, (unsigned long)bytes >> 10);
}

static void test_limit(void)
{
	uint64_t mem, own, more;

	tap_is(iommufd_pin(fd, IOVA, LIMIT + PAGE, RW, &mem), -EDQUOT, "more than the limit");
	counted(0, "refused");
	tap_is(iommufd_pin(fd, IOVA, LIMIT - PAGE, RW, &mem), 0, "all but a page");
	tap_is(dev_attr(dev.name, "pinned_bytes"), LIMIT - PAGE, "the device says the same");
	counted(LIMIT - PAGE, "pinned");
	tap_is(dev_pin(fd, memory, 2 * PAGE, RW, &own), -EDQUOT, "two of one's own memory are too many");
	tap_is(dev_pin(fd, memory, PAGE, RW, &own), 0, "one is not");
	tap_is(iommufd_pin(fd, IOVA + LIMIT, PAGE, RW, &more), -EDQUOT, "and no page more by IOVA");
	tap_is(dev_unpin(fd, own), 0, "it is given back");
	tap_is(iommufd_pin(fd, IOVA + LIMIT, PAGE, RW, &more), 0, "then there is one");
	counted(LIMIT, "both");
	tap_is(dev_unpin(fd, mem), 0, "unpin");
	tap_is(dev_unpin(fd, more), 0, "and the other");
	counted(0, "unpinned");
}

/* What was allowed, and then cannot be had. */
static void test_failed(void)
{
	tap_is(iommufd_pin(fd, IOVA + 2 * LIMIT, PAGE, RW, NULL), -ENOENT, "nothing is mapped there");
	tap_is(iommufd_pin(fd, IOVA, PAGE, 0, NULL), -EINVAL, "no direction");
	counted(0, "failed");
}

static void test_unmap(void)
{
	uint64_t mem;

	tap_is(iommufd_pin(fd, IOVA, LIMIT, RW, &mem), 0, "a region");
	counted(LIMIT, "pinned");
	tap_is(iommufd_unmap(iommufd, ioas, IOVA, 2 * LIMIT), 0, "iommufd unmaps what is under it");
	counted(0, "unmapped");
	tap_is(dev_unpin(fd, mem), -ENOENT, "and it has ended");
	counted(0, "not given back twice");
	map_all();
	tap_is(iommufd_pin(fd, IOVA, LIMIT, RW, &mem), 0, "all of it can be had again");
}

static void test_close(void)
{
	close(fd);
	counted(0, "closed");
	tap_is(dev_foll_pins(), pins, "no page is pinned");
}

int main(void)
{
	uint64_t mem;

	policy_begin();
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	pins = dev_foll_pins();
	fd = dev_open(dev.name);
	iommufd = iommufd_open();
	ioas = iommufd_ioas(iommufd);
	memory = mmap(NULL, 2 * LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || iommufd < 0 || ioas < 0 || memory == MAP_FAILED ||
	    iommufd_bind(fd, iommufd, ioas) < 0)
		tap_bail("no IOAS for %s", dev.name);
	map_all();
	tap_is(iommufd_pin(fd, IOVA, 2 * LIMIT, RW, &mem), 0, "without a policy: as much as one likes");
	tap_is(dev_unpin(fd, mem), 0, "unpin");
	accelctl("load pin-limit default=%lu", LIMIT);
	test_limit();
	test_failed();
	test_unmap();
	test_close();
	accelctl("unload pin-limit");
	return tap_done();
}
