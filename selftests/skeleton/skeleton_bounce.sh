#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" APPEND="swiotlb=force"
# The same when all DMA is bounced: the driver looks at bus addresses, not at pages.
exec ./skeleton
