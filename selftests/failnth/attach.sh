#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: KERNEL=full DEVICES="edu=1,dma_bits=28" APPEND="intel_iommu=on,sm_on no_timer_check" QEMU_EXTRA="-machine kernel-irqchip=split -device intel-iommu,intremap=on,device-iotlb=on,x-scalable-mode=on,aw-bits=48" TIMEOUT=180
# Hardware that is attached to an IOAS, and what its memory is without: each chance to fail.
exec ./failnth attach
