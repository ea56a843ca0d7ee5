#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: run the tests of a list (lines of AREA/NAME SECONDS MODULE...), each with
# its own time limit and modules; then see whether the machine is left as it should be.
# Lines that start with @ are for selftests/vm/check, which splits this output.
dir=/usr/lib/accelerator/selftests
modules=/usr/lib/accelerator/modules
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

# What there is, and how it was set: acc0 with another number of engines is another device
devices()
{
	ls /sys/class/accelerator
	grep . /sys/module/accel*/parameters/*
} 2>/dev/null

# The modules that a test asks for, as they are when loaded. It finds those of the test
# before it, if that has asked for the same ones and has left them as they were.
loaded_for='' at_first=''
load()	# edu soft=N,PARAMETER=VALUE...
{
	# as udev's rule would, for nodes that came back
	chgrp accel /dev/accelerator/* 2>/dev/null
	[ "$loaded_for" != "$*" ] || [ "$(devices)" != "$at_first" ] || return 0
	unload || return 1
	echo 1 >/sys/bus/pci/rescan
	[ "$*" = none ] || insmod $modules/accelerator.ko || return 1
	for d; do
		# shellcheck disable=SC2046 # lists of parameters
		case $d in
		edu) insmod $(grep '/accel_edu\.ko' /.vm/ours) ;;
		soft=*) insmod $modules/accel_soft.ko devices=$(echo "${d#*=}" | tr , ' ') ;;
		esac || return 1
	done
	chgrp accel /dev/accelerator/* 2>/dev/null
	loaded_for=$* at_first=$(devices || true)
}

# Pages that are pinned in the whole system
pinned()
{
	echo 1 >/proc/sys/vm/stat_refresh
	awk '$1 == "nr_foll_pin_acquired" { n += $2 } $1 == "nr_foll_pin_released" { n -= $2 } END { print n }' \
		/proc/vmstat
}
pins=$(pinned)

while read -r name limit wanted; do
	echo "@test $name"
	cd "$dir/${name%/*}" || exit 1
	# shellcheck disable=SC2086 # a list
	if ! load $wanted 2>/tmp/stderr; then
		echo "1..1"
		echo "not ok 1 - the modules that it needs ($wanted) can be loaded"
		{ cat /tmp/stderr; loaded; } | sed 's/^/#   /'
		echo "@rc 1"
		continue
	fi
	# stderr as comments, and after the rest, so that neither breaks a line of the other
	begun=$(seconds)
	timeout -s KILL "$limit" "./${name##*/}" 2>/tmp/stderr </dev/null
	rc=$?
	echo
	echo "# time: $(($(seconds) - begun)) s of $limit"
	if [ "$rc" -eq 137 ]; then
		echo "# time limit: killed after $limit s"
		# so that the next one can have the modules
		rm -rf /sys/fs/bpf/accelerator*
	fi
	[ "$rc" -eq 0 ] || echo "# exit status: $rc"
	sed 's/^/# stderr: /' /tmp/stderr
	# of a process that was killed, or has just ended, they may still be on their way
	still=0
	while [ "$(pinned)" -ne "$pins" ] && [ "$still" -lt 30 ]; do
		still=$((still + 1))
		sleep 1
	done
	if [ "$(pinned)" -ne "$pins" ]; then
		echo "# $(($(pinned) - pins)) pages are pinned that were not before this test"
		[ "$rc" -ne 0 ] || rc=1
		pins=$(pinned)
	fi
	echo "@rc $rc"
done <"$list"

echo "@test machine/after"
echo 1..3
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
pins=$(pinned)
charged=$(grep -s '^VmPin:.*[1-9]' /proc/[0-9]*/status)
if [ "$pins" -eq 0 ] && [ -z "$charged" ]; then
	echo "ok 3 - every pinned page is released ($(sed -n 's/^nr_foll_pin_acquired //p' /proc/vmstat)), none is charged for"
else
	echo "not ok 3 - every pinned page is released, none is charged for"
	echo "#   nr_foll_pin_acquired - nr_foll_pin_released = $pins"
	echo "$charged" | sed 's/^/#   /'
fi
# Memory that is lost is looked for by the agent, after this, and told in the log.
echo "@rc 0"
