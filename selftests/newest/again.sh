#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: KERNEL=newest DEVICES="edu=1 soft=2,engines=3" TIMEOUT=300
# Tests of other areas once more, on the newest kernel that Debian has, in one boot: what
# they test was written for, and is otherwise run on, an older one. A point for each.
cd "${0%/*}/.." || exit 1
n=0 failed=0
# Those that take devices away come last: these may come back in another order.
for t in mem/dmabuf_export drivers/soft mem/race mem/iommufd_regions mem/iommufd_unmap badinput/ioctl \
	lifetime/drain mem/iommufd_blocked lifetime/unplug kunit/kunit.sh; do
	n=$((n + 1))
	(cd "${t%/*}" && sh -c 'exec "$0"' "./${t##*/}") >/tmp/again 2>&1 </dev/null
	rc=$?
	points=$(grep -c '^ok' /tmp/again)
	if [ "$rc" -eq 0 ] && [ "$points" -gt 0 ] && ! grep -q '^not ok' /tmp/again; then
		echo "ok $n - $t: $points points"
	else
		echo "not ok $n - $t: exit status $rc"
		grep -A 6 -E '^(not ok|Bail out)|^[^o#1 ]' /tmp/again | head -n 60 | sed 's/^/#   /'
		failed=1
	fi
done
echo "1..$n"
exit $failed
