// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="edu=1,dma_bits=28 soft=1" TIMEOUT=120 APPEND="intel_iommu=on,sm_on no_timer_check" QEMU_EXTRA="-machine kernel-irqchip=split -device intel-iommu,intremap=on,device-iotlb=on,x-scalable-mode=on,aw-bits=48" */
/*
 * What is left in the IOMMU's page table of a region that has ended, in each way that
 * there is: nothing, by what the IOMMU's driver finds in the table itself.
 */
#include "ends.h"

static long before;	/* what is translated without any region */

static void region_is_there(int fd, uint64_t mem)
{
	(void)fd;
	(void)mem;
	tap_is(iommu_translated(slot) - before, LENGTH / PAGE, "a region's pages are in the IOMMU's table");
}

static void region_is_gone(const char *after)
{
	tap_is(iommu_translated(slot), before, "nothing is left in it after %s", after);
}

int main(void)
{
	ends_begin();
	before = iommu_translated(slot);
	ends_all();
	return tap_done();
}
