#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1" APPEND="swiotlb=force"
# The edu's results when all DMA is bounced: what a job wrote has to be copied back
# when it ends, and nothing beside it, then or later.
exec ./edu
