#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: KERNEL=full DEVICES="edu=1 soft=1" TIMEOUT=600
# The core's KUnit suites: their KTAP, from the kernel's log, as flat TAP.
# Not cleared: what other tests left there is looked at when the machine ends.
mark="kunit: $$ $(date +%s%N)"
echo "$mark" >/dev/kmsg
if ! insmod /usr/lib/accelerator/modules/accel_kunit.ko; then
	echo "1..1"
	echo "not ok 1 - accel_kunit.ko loads"
	exit 1
fi
dmesg | sed "1,/$mark/d" >/tmp/ktap
rmmod accel_kunit
awk '
	{ sub(/^\[[ 0-9.]*\] /, "") }
	/# Subtest: / { suite = $NF; next }
	/^    (not )?ok [0-9]+ / {
		bad = /^    not ok/
		name = $0
		sub(/^    (not )?ok [0-9]+ /, "", name)
		printf "%sok %d - %s: %s\n", bad ? "not " : "", ++n, suite, name
		failed += bad
		next
	}
	/ASSERTION FAILED|EXPECTATION FAILED/ { shown = 8 }
	shown > 0 { print "# " $0; shown-- }
	/^(not )?ok [0-9]+ accel_/ { suites++ }
	END {
		printf "%sok %d - all eleven suites ran\n", suites == 11 ? "" : "not ", ++n
		printf "1..%d\n", n
		exit failed || suites != 11
	}' /tmp/ktap
