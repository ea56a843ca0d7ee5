#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1,dma_bits=28" QEMU_EXTRA="-device intel-iommu,intremap=on -machine kernel-irqchip=split" APPEND="intel_iommu=on"
# What the events say of a region that an IOMMU translates.
exec ./traced edu
