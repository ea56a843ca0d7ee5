#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: KERNEL=newest DEVICES="soft=1" TIMEOUT=180
# Address spaces by PASID, on the kernel that has them: each chance to fail.
exec ./failnth pasid
