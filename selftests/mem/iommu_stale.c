// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=debian DEVICES="edu=1,dma_bits=28 soft=2" QEMU_EXTRA="-device intel-iommu,intremap=on -machine kernel-irqchip=split" APPEND="intel_iommu=on iommu.strict=1 iomem=relaxed" TIMEOUT=180 */
/*
 * Where a region was, the IOMMU refuses DMA when the region has ended, in each way that
 * there is. Debian's kernel does not show the IOMMU's page table (iommu_left looks into it
 * on another one). So the hardware itself is asked, behind its driver's back: its registers
 * say at which address the last job found the region, and take that address once more.
 *
 * iommu.strict=1: without, the kernel takes a page out of the table at once, but lets the
 * IOMMU's cache go on with it for some milliseconds. iomem=relaxed: root may have the
 * registers of a device that has a driver.
 */
#include "ends.h"

#define REG_DMA_SRC	(0x80 / 8)	/* see kernel/drivers/edu/edu.c */
#define REG_DMA_DST	(0x88 / 8)
#define REG_DMA_COUNT	(0x90 / 8)
#define REG_DMA_CMD	(0x98 / 8)
#define DMA_START	1
#define DMA_FROM_DEVICE	2
#define BUFFER		0x40000
#define N		2048UL

static volatile uint64_t *regs;
static uint64_t addr;		/* of the region that was there last, for the device */

/* The driver has no job, and is told nothing: no interrupt. */
static void dma(uint64_t at, uint64_t direction)
{
	regs[REG_DMA_SRC] = direction ? BUFFER : at;
	regs[REG_DMA_DST] = direction ? at : BUFFER;
	regs[REG_DMA_COUNT] = N;
	regs[REG_DMA_CMD] = DMA_START | direction;
	while (regs[REG_DMA_CMD] & DMA_START)
		usleep(10000);
}

static void region_is_there(int fd, uint64_t mem)
{
	struct accel_edu_dma job = { .mem_id = mem, .length = N, .op = ACCEL_EDU_OP_TO_DEVICE };
	struct accel_job_wait wait;

	memset(memory, 0x11, PAGE);
	memset(memory + PAGE, 0x22, PAGE);
	if (dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &job) || dev_wait(fd, job.job_id, &wait) || wait.status)
		tap_bail("no DMA by a job");
	addr = regs[REG_DMA_SRC];
	dma(addr, 0);
	dma(addr + PAGE, DMA_FROM_DEVICE);
	tap_ok(!memcmp(memory, memory + PAGE, N) && memory[PAGE + N] == 0x22,
	       "a region at 0x%llx: DMA arrives", (unsigned long long)addr);
}

/*
 * By what is in memory, which is still there. The log says so, too, but of three in five
 * seconds at most: it is read once.
 */
static void region_is_gone(const char *after)
{
	static bool told;

	memset(memory, 0x33, LENGTH);
	iommu_expect_fault(addr);
	dma(addr, DMA_FROM_DEVICE);
	tap_ok(memory[0] == 0x33 && !memcmp(memory, memory + 1, LENGTH - 1),
	       "DMA there does not arrive after %s", after);
	if (!told)
		tap_ok(iommu_fault_comes(addr), "the IOMMU has refused it");
	told = true;
}

int main(void)
{
	char path[64];
	int bar;

	ends_begin();
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", slot);
	bar = open(path, O_RDWR | O_CLOEXEC);
	regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bar, 0);
	if (regs == MAP_FAILED)
		tap_bail("%s: %s", path, strerror(errno));
	iommu_watch();
	ends_all();
	return tap_done();
}
