// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="soft=1,engines=2" */
/*
 * What the events say of a region that is named by an IOVA: iommufd faults in, pins and
 * accounts, so a pin has the time that iommufd took, and what it took to gather the pages.
 * What is left of the mapping is the driver's page table.
 */
#include "rig.h"
#include "traced.h"

#define IOVA	0x40000000UL
#define PAGES	64UL
#define LENGTH	(PAGES * PAGE)
#define BY_IOVA	"way=iommufd"

int main(void)
{
	long long whole, pinning, gather;
	struct rig rig;
	uint64_t mem;
	void *p;

	rig_open(&rig, "soft", 0);
	rig_bind(&rig);
	p = pages_new(LENGTH);
	if (iommufd_map(rig.iommufd, rig.ioas, p, LENGTH, IOVA, RW))
		tap_bail("IOAS_MAP");
	listen_to_mem();

	forget();
	tap_is(iommufd_pin(rig.fd, IOVA, LENGTH, RW, &mem), 0, "pinned by IOVA");
	whole = field(PIN, "duration_ns");
	pinning = field(PIN, "pin_ns");
	gather = field(PIN, "gather_ns");
	tap_diag("%lld ns: pin %lld, gather %lld", whole, pinning, gather);
	tap_is(dev_trace_lines(BY_IOVA), 2, "the pin and the mapping say the way");
	tap_is(field(MAP, "bytes"), LENGTH, "how long the mapping is");
	tap_ok(field(MAP, "iommu_ns") > 0 && field(MAP, "iommu_ns") < field(MAP, "duration_ns"),
	       "and that the DMA mapping's time is not all of it");
	tap_is(field(PIN, "mem"), mem, "which region it is");
	tap_is(field(PIN, "bytes"), LENGTH, "how long");
	tap_is(field(PIN, "pages"), PAGES, "in how many pages");
	tap_ok(field(PIN, "folios") > 0 && field(PIN, "folios") <= (long long)PAGES, "folios");
	tap_ok(field(PIN, "segments") > 0 && field(PIN, "segments") <= (long long)PAGES, "and segments");
	tap_is(field(PIN, "ret"), 0, "that it was pinned");
	tap_ok(pinning > 0 && gather > 0, "iommufd and gathering took their time");
	tap_ok(pinning + gather <= whole, "which is within the whole");
	tap_is(field(PIN, "account_ns") + field(PIN, "fault_ns") + field(PIN, "faulted_pages"), 0,
	       "the rest is iommufd's affair");

	forget();
	tap_is(dev_unpin(rig.fd, mem), 0, "unpinned");
	tap_is(dev_trace_lines(BY_IOVA), 2, "which both say, too");
	tap_is(dev_trace_lines("accel_dma_unmap: "), 1, "that it is not mapped any more");
	tap_is(field("accel_mem_unpin: ", "mem"), mem, "of that region");
	tap_is(field("accel_mem_unpin: ", "bytes"), LENGTH, "with its length");

	forget();
	tap_is(iommufd_pin(rig.fd, IOVA + LENGTH, PAGE, RW, &mem), -ENOENT, "nothing is there");
	tap_is(field(PIN, "ret"), -ENOENT, "and the event says so");

	/* By iommufd's callback: nobody asked for it by the region's name. */
	if (iommufd_pin(rig.fd, IOVA, LENGTH, RW, &mem))
		tap_bail("pin");
	forget();
	tap_is(iommufd_unmap(rig.iommufd, rig.ioas, IOVA, LENGTH), 0, "unmapped below a region");
	tap_is(field("accel_mem_unpin: ", "mem"), mem, "and an event says that it is unpinned");
	set("events/accel/enable", "0");
	rig_close(&rig);
	return tap_done();
}
