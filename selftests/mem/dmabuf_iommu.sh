#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1,dma_bits=28 soft=2" QEMU_EXTRA="-device intel-iommu,intremap=on -machine kernel-irqchip=split" APPEND="intel_iommu=on iommu.strict=1 iomem=relaxed"
# dma-bufs in an edu behind an IOMMU: 28 bits reach all of memory, and the addresses
# are the IOMMU's. What was taken back is mapped no more: a DMA to it would be refused, which
# the log says, and dmesg-scan finds. The machine is iommu_stale's.
if ! ls /sys/class/iommu/* >/dev/null 2>&1; then
	echo "1..1"
	echo "not ok 1 - this machine has an IOMMU"
	exit 1
fi
exec ./dmabuf_export
