/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The IOMMU of Intel's as the tests see it: what it translates, what it has refused. */
#ifndef MEM_IOMMU_H
#define MEM_IOMMU_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

/* The name that a device has on its bus. */
__attribute__((unused))
static void iommu_slot(const struct dev_info *dev, char *slot, size_t size)
{
	char path[128], link[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/accelerator/%s/device", dev->name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		tap_bail("%s: %s", path, strerror(errno));
	link[n] = '\0';
	snprintf(slot, size, "%.31s", strrchr(link, '/') + 1);
}

/* Pages that the page table of the device in @slot translates; needs debugfs of the IOMMU's. */
__attribute__((unused))
static long iommu_translated(const char *slot)
{
	char path[128], line[512];
	long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/iommu/intel/%s/domain_translation_struct", slot);
	f = fopen(path, "re");
	if (!f)
		tap_bail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		n += strchr(line, '|') != NULL;
	fclose(f);
	return n;
}

static int iommu_kmsg = -1;

/* From here on, what the IOMMU refuses is counted. */
__attribute__((unused))
static void iommu_watch(void)
{
	iommu_kmsg = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (iommu_kmsg < 0 || lseek(iommu_kmsg, 0, SEEK_END) < 0)
		tap_bail("/dev/kmsg: %s", strerror(errno));
}

/* One DMA to the page at @addr is to be refused; any other fails the machine (dmesg-scan). */
__attribute__((unused))
static void iommu_expect_fault(uint64_t addr)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "selftest: expects fault addr 0x%llx\n",
			 (unsigned long long)addr);

	if (write(iommu_kmsg, line, n) != n)
		tap_bail("/dev/kmsg: %s", strerror(errno));
}

/* How often the IOMMU has refused something in the page at @addr since it was last asked. */
__attribute__((unused))
static int iommu_faults(uint64_t addr)
{
	unsigned long long refused;
	char line[4096], *at;
	int n = 0;
	ssize_t got;

	while ((got = read(iommu_kmsg, line, sizeof(line) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		if (got < 0)
			continue;
		line[got] = '\0';
		at = strstr(line, "DMAR: [DMA ");
		at = at ? strstr(at, "fault addr ") : NULL;
		if (at && sscanf(at, "fault addr %llx", &refused) == 1)
			n += refused / 4096 == addr / 4096;
	}
	return n;
}

/* Wait until it has: it tells by an interrupt of its own. */
__attribute__((unused))
static int iommu_fault_comes(uint64_t addr)
{
	struct pollfd p = { .fd = iommu_kmsg, .events = POLLIN };

	while (!iommu_faults(addr))
		poll(&p, 1, -1);
	return 1;
}

#endif
