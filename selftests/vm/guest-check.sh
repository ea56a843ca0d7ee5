#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: run the tests of a list (lines of AREA/NAME SECONDS), each with
# its own time limit; then see whether the machine is left as it should be.
# Lines that start with @ are for selftests/vm/check, which splits this output.
dir=/usr/lib/accelerator/selftests
list=$1

seconds() { cut -d. -f1 /proc/uptime; }
loaded() { awk '$1 ~ /^accel/ { print $1 }' /proc/modules; }

# A module may be in use by another one: go round until nothing moves. What a program of
# BPF has of one is given back by a worker: not before ten seconds without a move.
unload()
{
	still=0
	while [ "$still" -lt 10 ] && [ -n "$(loaded)" ]; do
		still=$((still + 1))
		for m in $(loaded); do
			rmmod "$m" 2>/dev/null && still=0
		done
		[ "$still" -eq 0 ] || [ -z "$(loaded)" ] || sleep 1
	done
	[ -z "$(loaded)" ]
}

# with what they were loaded with: acc0 with another number of engines is another device
devices()
{
	ls /sys/class/accelerator 2>/dev/null
	cat /sys/module/accel_soft/parameters/devices /sys/module/accel_soft/parameters/engines \
		/sys/module/accel_soft/parameters/depth 2>/dev/null
}
at_first=$(devices)

# A test that took devices away leaves the next one without: put back what there
# was, as the machine's start did
restore()
{
	# as udev's rule would, for nodes that came back
	chgrp accel /dev/accelerator/* 2>/dev/null
	[ "$(devices)" != "$at_first" ] || return 0
	unload
	echo 1 >/sys/bus/pci/rescan
	while read -r module params; do
		# shellcheck disable=SC2086 # a list of parameters
		insmod "$module" $params 2>/dev/null
	done </.vm/modules
	chgrp accel /dev/accelerator/* 2>/dev/null
	[ "$(devices)" = "$at_first" ] || echo "# the devices of the machine's start are not all back: $(devices | tr "\n" " ")"
}

while read -r name limit; do
	echo "@test $name"
	cd "$dir/${name%/*}" || exit 1
	# stderr as comments, and after the rest, so that neither breaks a line of the other
	begun=$(seconds)
	timeout -s KILL "$limit" "./${name##*/}" 2>/tmp/stderr </dev/null
	rc=$?
	echo
	echo "# time: $(($(seconds) - begun)) s of $limit"
	[ "$rc" -ne 137 ] || echo "# time limit: killed after $limit s"
	[ "$rc" -eq 0 ] || echo "# exit status: $rc"
	sed 's/^/# stderr: /' /tmp/stderr
	restore
	echo "@rc $rc"
done <"$list"

leaks=/sys/kernel/debug/kmemleak
echo "@test machine/after"
echo "1..$([ -e $leaks ] && echo 4 || echo 3)"
left=$(for fd in /proc/[0-9]*/fd/*; do
	case $(readlink "$fd") in
	/dev/accelerator/*)
		pid=${fd#/proc/}
		echo "$(cat "/proc/${pid%%/*}/comm") has $(readlink "$fd")" ;;
	esac
done 2>/dev/null)
if [ -z "$left" ]; then
	echo "ok 1 - no process has a device open"
else
	echo "not ok 1 - no process has a device open"
	echo "$left" | sed 's/^/#   /'
fi
if unload; then
	echo "ok 2 - rmmod of all modules"
else
	echo "not ok 2 - rmmod of all modules"
	grep '^accel' /proc/modules | sed 's/^/#   still there: /'
fi
echo 1 >/proc/sys/vm/stat_refresh
acquired=$(sed -n 's/^nr_foll_pin_acquired //p' /proc/vmstat)
released=$(sed -n 's/^nr_foll_pin_released //p' /proc/vmstat)
if [ "$acquired" = "$released" ]; then
	echo "ok 3 - every pinned page is released ($acquired)"
else
	echo "not ok 3 - every pinned page is released"
	echo "#   nr_foll_pin_acquired $acquired, nr_foll_pin_released $released"
fi
# Twice: what the first scan finds may still be on its way to somebody
if [ -e $leaks ]; then
	echo scan >$leaks
	sleep 5
	echo scan >$leaks
	if [ -z "$(cat $leaks)" ]; then
		echo "ok 4 - no memory is lost"
	else
		echo "not ok 4 - no memory is lost"
		head -n 60 $leaks | sed 's/^/#   /'
	fi
fi
echo "@rc 0"
