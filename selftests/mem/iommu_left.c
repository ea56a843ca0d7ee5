// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="edu=1,dma_bits=28 soft=1" TIMEOUT=120 APPEND="intel_iommu=on,sm_on no_timer_check" QEMU_EXTRA="-machine kernel-irqchip=split -device intel-iommu,intremap=on,device-iotlb=on,x-scalable-mode=on,aw-bits=48" */
/*
 * What is left in the IOMMU's page table of a region that has ended, in each way that
 * there is: nothing, by what the IOMMU's driver finds in the table itself.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "dmabuf.h"
#include "mem.h"

#define DRIVER	"/sys/bus/pci/drivers/accel_edu"
#define LENGTH	(64 * PAGE)

static char slot[32];
static struct dev_info dev, soft;
static long before;	/* what is translated without any region */
static uint8_t *memory;

/* Pages that the device's page table translates. */
static long translated(void)
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

static int open_it(void)
{
	int fd = dev_open(dev.name);

	if (fd < 0)
		tap_bail("%s: %s", dev.name, strerror(-fd));
	return fd;
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
	int ret = dev_unpin(fd, pin(fd));

	if (ret)
		tap_bail("unpin: %s", strerror(-ret));
}

static void by_close(int fd)
{
	pin(fd);
}

static void by_unbind(int fd)
{
	pin(fd);
	tell("unbind");
	tell("bind");
	/* the next device's name may be another one */
	if (dev_find("edu", 0, &dev))
		tap_bail("no edu after bind");
}

static void by_death(int fd)
{
	pid_t pid;
	int ready[2];
	char c;

	close(fd);
	if (pipe(ready))
		tap_bail("pipe");
	pid = fork();
	if (!pid) {
		pin(open_it());
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	if (read(ready[0], &c, 1) != 1)
		tap_bail("the child has not pinned");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

/* Of memory that somebody else has, too. */
static void by_import(int fd)
{
	int buf = dmabuf_udmabuf(LENGTH);
	uint64_t mem, length;
	int ret;

	if (buf < 0)
		tap_bail("udmabuf: %s", strerror(-buf));
	ret = dmabuf_import(fd, buf, READ | WRITE, &mem, &length) ?: dev_unpin(fd, mem);
	close(buf);
	if (ret)
		tap_bail("import: %s", strerror(-ret));
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
	tap_is(translated() - before, LENGTH / PAGE, "what is imported is in it, too");
	tap_is(dev_unpin(owner, mem), 0, "its owner takes it back");
	tap_is(translated(), before, "which leaves nothing in it, although the import is there");
	tap_is(dev_unpin(fd, in), 0, "until it is unpinned");
	close(owner);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*end)(int fd);
	} ways[] = {
		{ "unpin", by_unpin }, { "close", by_close }, { "unbind", by_unbind },
		{ "death", by_death }, { "an import's end", by_import },
		{ "its being taken back", by_taking_back },
	};
	char path[64], target[PATH_MAX];
	ssize_t n;
	int fd;

	if (dev_find("edu", 0, &dev) || dev_find("soft", 0, &soft))
		tap_bail("no edu or no soft device");
	snprintf(path, sizeof(path), "/sys/class/accelerator/%s/device", dev.name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		tap_bail("%s: %s", path, strerror(errno));
	target[n] = '\0';
	snprintf(slot, sizeof(slot), "%.31s", strrchr(target, '/') + 1);
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		tap_bail("no memory");
	memset(memory, 1, LENGTH);

	before = translated();
	fd = open_it();
	pin(fd);
	tap_is(translated() - before, LENGTH / PAGE, "a region's pages are in the IOMMU's table");
	close(fd);
	tap_is(translated(), before, "and no longer when it is closed");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		fd = open_it();
		ways[i].end(fd);
		close(fd);
		tap_is(translated(), before, "nothing is left in it after %s", ways[i].name);
	}
	return tap_done();
}
