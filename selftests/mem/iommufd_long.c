// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=full DEVICES="edu=1,dma_bits=28 soft=1" TIMEOUT=180 APPEND="intel_iommu=on,sm_on no_timer_check" QEMU_EXTRA="-machine kernel-irqchip=split -device intel-iommu,intremap=on,device-iotlb=on,x-scalable-mode=on,aw-bits=48" */
/*
 * A region of attached hardware names addresses and pins nothing, so anybody may ask for
 * one as long as the address space. It is refused before it has cost anything.
 */
#include "mem.h"
#include "rig.h"

#define TIB	(1ULL << 40)

static struct rig rig;

static const uint64_t lengths[] = { TIB, TIB + PAGE, 1ULL << 60, 1ULL << 62,
				    (1ULL << 63) + (1ULL << 31), -PAGE };
#define LENGTHS	(sizeof(lengths) / sizeof(lengths[0]))

static void refused(const char *driver, int bound)
{
	struct left before = left_now();

	rig_open(&rig, driver, 0);
	if (bound)
		rig_bind(&rig);
	for (size_t i = 0; i < LENGTHS; i++) {
		int want = !bound ? -ENOTCONN : strcmp(driver, "edu") ? -ENOENT : -ERANGE;

		tap_is(iommufd_pin(rig.fd, 0, lengths[i], RW, NULL), want,
		       "%s, %s: 0x%llx bytes", driver, bound ? "bound" : "not bound",
		       (unsigned long long)lengths[i]);
		if (want != -ERANGE)
			continue;
		tap_ok(strstr(last_error(rig.fd), lengths[i] > TIB ? "a region has 0x10000000000 at most" :
			      "is beyond 0xfffffff, the last that"), "says why: %s", last_error(rig.fd));
	}
	tap_is(dev_attr(rig.dev.name, "mapped_bytes"), 0, "nothing is mapped");
	if (bound)
		tap_is(iommufd_unbind(rig.fd), 0, "no region is left: it can be unbound");
	rig_close(&rig);
	left_check(&before, "them");
}

int main(void)
{
	refused("edu", 0);
	refused("edu", 1);
	refused("soft", 0);
	refused("soft", 1);
	return tap_done();
}
