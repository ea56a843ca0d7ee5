// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="edu=1,dma_bits=28 soft=1" TIMEOUT=180 APPEND="intel_iommu=on,sm_on no_timer_check" QEMU_EXTRA="-machine kernel-irqchip=split -device intel-iommu,intremap=on,device-iotlb=on,x-scalable-mode=on,aw-bits=48" */
/*
 * Hardware that is attached to an IOAS: the edu's DMA goes through iommufd's page table,
 * and where that says nothing it goes nowhere. While it is attached it is one file's
 * alone; afterwards it is as before.
 *
 * iommufd takes the device because its interrupts are remapped. Where they are not, it
 * could write to the interrupt controller as to memory.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "iommu.h"
#include "rig.h"
#include "trap.h"

#define IOVA	0x1000000UL
#define LENGTH	(4 * PAGE)
#define N	2048
#define DRIVER	"/sys/bus/pci/drivers/accel_edu/"

static struct rig rig;

static int dma(int fd, uint64_t mem, uint64_t offset, uint32_t op)
{
	struct accel_edu_dma arg = { .mem_id = mem, .offset = offset, .length = N, .op = op };
	int ret = dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &arg);

	return ret ? ret : job_status(fd, arg.job_id, INT64_MAX);
}

/* Through the device's buffer, from one place of a region to another. */
static int move(int fd, uint64_t mem, uint64_t from, uint64_t to)
{
	int ret = dma(fd, mem, from, ACCEL_EDU_OP_TO_DEVICE);

	return ret ? ret : dma(fd, mem, to, ACCEL_EDU_OP_FROM_DEVICE);
}

static void test_exclusion(void *p)
{
	int other = dev_open(rig.dev.name), id;
	uint64_t mem;

	tap_is(dev_pin(other, p, PAGE, RW, &mem), 0, "somebody has a region of its memory");
	tap_is(iommufd_bind(rig.fd, rig.iommufd, rig.ioas), -EBUSY, "so nobody can be bound");
	tap_is(dev_unpin(other, mem), 0, "that region ends");
	tap_is(iommufd_bind(rig.fd, rig.iommufd, 9999), -ENOENT, "bind: no such object");
	tap_is(dev_pin(other, p, PAGE, RW, &mem), 0, "which leaves the device as it was");
	tap_is(dev_unpin(other, mem), 0, "unpin");
	id = iommufd_bind(rig.fd, rig.iommufd, rig.ioas);
	if (!tap_ok(id > 0, "bind: object %d", id))
		tap_bail("cannot go on: %s", strerror(-id));
	tap_is(iommufd_bind(other, rig.iommufd, rig.ioas), -EBUSY, "bind: attached for another file");
	tap_is(dev_pin(other, p, PAGE, RW, NULL), -EBUSY, "a region of one's memory, by another file");
	tap_is(dev_pin(rig.fd, p, PAGE, RW, NULL), -EBUSY, "and by the same");
	tap_is(iommufd_pin(other, IOVA, PAGE, RW, NULL), -ENOTCONN, "the IOVA is not the other's");
	close(other);
}

static void test_dma(char *p)
{
	struct left before = left_now();
	uint64_t mem;
	char want[N];

	if (iommufd_map(rig.iommufd, rig.ioas, p, LENGTH, IOVA, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	tap_is(pinned_vm() - before.vm, LENGTH, "what is mapped in the IOAS is pinned for the IOMMU");
	tap_is(iommufd_pin(rig.fd, 1UL << 28, PAGE, RW, NULL), -ERANGE,
	       "an IOVA with more bits than the device has");
	tap_is(iommufd_pin(rig.fd, IOVA, LENGTH, RW, &mem), 0, "a region");
	tap_is(pinned_vm() - before.vm, LENGTH, "pins nothing");
	tap_is(dev_attr(rig.dev.name, "pinned_bytes"), 0, "as the device says");
	tap_is(dev_attr(rig.dev.name, "mapped_bytes"), LENGTH, "and is mapped");
	memcpy(want, p + PAGE - N / 2, N);
	tap_is(move(rig.fd, mem, PAGE - N / 2, 3 * PAGE), 0, "DMA from two pages, to a third");
	tap_ok(!memcmp(p + 3 * PAGE, want, N), "moves what was there");
	tap_is(iommu_faults(IOVA), 0, "the IOMMU has refused nothing");
	tap_is(iommufd_unbind(rig.fd), -EBUSY, "unbind: a region is there");

	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, IOVA, LENGTH), 0, "unmap under the region");
	left_check(&before, "that");
	memset(p, 0x5a, N);
	iommu_expect_fault(IOVA);
	dma(rig.fd, mem, 0, ACCEL_EDU_OP_FROM_DEVICE);
	tap_ok(p[0] == 0x5a && !memcmp(p, p + 1, N - 1), "DMA to it does not arrive");
	tap_ok(iommu_fault_comes(IOVA), "the IOMMU has refused it");
	tap_is(dev_unpin(rig.fd, mem), 0, "the region is there until it is unpinned");

	if (iommufd_map(rig.iommufd, rig.ioas, p, LENGTH, IOVA, ACCEL_MEM_READ) ||
	    iommufd_pin(rig.fd, IOVA, LENGTH, RW, &mem))
		tap_bail("no region");
	memset(p + PAGE, 0x77, N);
	tap_is(dma(rig.fd, mem, PAGE, ACCEL_EDU_OP_TO_DEVICE), 0, "DMA from a mapping to be read");
	iommu_expect_fault(IOVA);
	dma(rig.fd, mem, 0, ACCEL_EDU_OP_FROM_DEVICE);
	tap_ok(p[0] == 0x5a && !memcmp(p, p + 1, N - 1), "and to it: does not arrive");
	tap_ok(iommu_fault_comes(IOVA), "the IOMMU has refused it");
	dev_unpin(rig.fd, mem);
	iommufd_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX);
}

/* The DMA API works as ever. */
static void test_back(char *p, const char *after)
{
	int fd = dev_open(rig.dev.name);
	uint64_t mem;

	memset(p, 0x11, N);
	memset(p + PAGE, 0x22, N);
	tap_is(dev_pin(fd, p, LENGTH, RW, &mem), 0, "a region of one's memory, after %s", after);
	tap_is(move(fd, mem, 0, PAGE), 0, "DMA");
	tap_ok(!memcmp(p, p + PAGE, N), "arrives");
	close(fd);
}

static void test_hwpt(char *p)
{
	int id, hwpt;
	uint64_t mem;

	id = iommufd_bind(rig.fd, rig.iommufd, rig.ioas);
	hwpt = id < 0 ? id : iommufd_hwpt(rig.iommufd, id, rig.ioas);
	tap_ok(hwpt > 0, "a hardware page table for the device: %d", hwpt);
	tap_is(iommufd_unbind(rig.fd), 0, "unbind");
	tap_ok(iommufd_bind(rig.fd, rig.iommufd, hwpt) > 0, "bind to that");
	if (iommufd_map(rig.iommufd, rig.ioas, p, LENGTH, IOVA, RW) ||
	    iommufd_pin(rig.fd, IOVA, LENGTH, RW, &mem))
		tap_bail("no region");
	memset(p, 0x33, N);
	tap_is(move(rig.fd, mem, 0, 2 * PAGE), 0, "DMA");
	tap_ok(!memcmp(p, p + 2 * PAGE, N), "arrives");
	dev_unpin(rig.fd, mem);
	tap_is(iommufd_unbind(rig.fd), 0, "unbind");
	tap_is(iommufd_destroy(rig.iommufd, hwpt), 0, "the table is nobody's then");
	iommufd_unmap(rig.iommufd, rig.ioas, 0, UINT64_MAX);
}

/* With a region, and DMA under way. */
static uint64_t occupy(char *p)
{
	struct accel_edu_dma arg = { .length = N, .op = ACCEL_EDU_OP_FROM_DEVICE };
	uint64_t mem;

	rig_bind(&rig);
	if (iommufd_map(rig.iommufd, rig.ioas, p, LENGTH, IOVA, RW) ||
	    iommufd_pin(rig.fd, IOVA, LENGTH, RW, &mem))
		tap_bail("no region");
	arg.mem_id = mem;
	/* 100 ms each: more than the guest may be stopped for */
	for (int i = 0; i < 50; i++)
		if (dev_ioctl(rig.fd, ACCEL_EDU_IOCTL_DMA, &arg))
			tap_bail("no DMA");
	return mem;
}

static void *do_bind(void *ret)
{
	*(int *)ret = iommufd_bind(rig.fd, rig.iommufd, rig.ioas);
	return NULL;
}

/* To attach is to pin what is mapped in the IOAS, and that may take as long as it likes. */
static void test_blocked(const char *name)
{
	pthread_t thread;
	int ret = 0;

	rig_open(&rig, "edu", 0);
	trap_set();
	if (iommufd_map(rig.iommufd, rig.ioas, trap, TRAP_LENGTH, IOVA, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	pthread_create(&thread, NULL, do_bind, &ret);
	trap_wait();
	tap_is(dev_write(DRIVER "unbind", name), 0, "the driver leaves a device that is being attached");
	trap_release();
	pthread_join(thread, NULL);
	tap_is(ret, -ENODEV, "which then answers ENODEV");
	rig_close(&rig);
	tap_is(dev_write(DRIVER "bind", name), 0, "it comes back");
}

int main(void)
{
	struct left before = left_now();
	char *p = pages_new(LENGTH), name[32];

	iommu_watch();
	rig_open(&rig, "edu", 0);
	iommu_slot(&rig.dev, name, sizeof(name));
	test_exclusion(p);
	test_dma(p);
	tap_is(iommufd_unbind(rig.fd), 0, "unbind");
	test_back(p, "an unbind");
	test_hwpt(p);

	occupy(p);
	close(rig.fd);
	test_back(p, "a close while attached");
	tap_is(iommufd_destroy(rig.iommufd, rig.ioas), 0, "nothing is attached to the IOAS");
	close(rig.iommufd);

	rig_open(&rig, "edu", 0);
	occupy(p);
	tap_is(dev_write(DRIVER "unbind", name), 0, "the driver leaves the device while attached");
	tap_is(iommufd_pin(rig.fd, IOVA, PAGE, RW, NULL), -ENODEV, "its file answers ENODEV");
	tap_is(iommufd_destroy(rig.iommufd, rig.ioas), 0, "nothing is attached to the IOAS");
	rig_close(&rig);
	tap_is(dev_write(DRIVER "bind", name), 0, "it comes back");
	if (dev_find("edu", 0, &rig.dev))
		tap_bail("no device");
	test_back(p, "that");

	test_blocked(name);
	if (dev_find("edu", 0, &rig.dev))
		tap_bail("no device");
	test_back(p, "that");
	left_check(&before, "all");
	return tap_done();
}
