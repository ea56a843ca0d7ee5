#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest, for make demo: two tenants' load in two cgroups, then what the
# tools make of it. Argument: top (a screen) or batch (text).
LOAD=/usr/lib/accelerator/selftests/load/load
CGROUPS=/sys/fs/cgroup
# at a pace that leaves the tools a share of a slow guest, on engines that take their time
LOAD_ARGS="--tenant alice=alice --tenant bob=bob:2 --rate 40 --speed 2ms,200000000"
LOG=/tmp/load.log

say() { echo "  DEMO    $*" >&2; }

mkdir -p "$CGROUPS/alice" "$CGROUPS/bob"

# shellcheck disable=SC2086 # a list of arguments
start_load()	# SECONDS
{
	$LOAD $LOAD_ARGS --duration "$1" >"$LOG" 2>&1 &
	load=$!
	# it is under way when each of the two has a process
	n=0
	while [ $n -lt 100 ]; do
		if grep -q . "$CGROUPS/alice/cgroup.procs" && grep -q . "$CGROUPS/bob/cgroup.procs"; then
			sleep 1
			break
		fi
		kill -0 $load 2>/dev/null || break
		sleep 0.1
		n=$((n + 1))
	done
	if ! kill -0 $load 2>/dev/null; then
		echo "demo: the load ended at once:" >&2
		tail -n 20 "$LOG" >&2
		exit 1
	fi
}

stop_load()
{
	kill $load 2>/dev/null
	wait $load
}

status=0
case $1 in
top)
	start_load 86400
	accel-top || status=$?
	;;
batch)
	say "the load is starting"
	start_load 86400
	say "three frames of accel-top"
	accel-top -b -n 3 || status=$?
	echo
	say "accel-trace -c, over 3 seconds"
	accel-trace -c --duration 3 || status=$?
	echo
	say "accel-trace hist, over 3 seconds"
	accel-trace hist --duration 3 || status=$?
	;;
esac
stop_load
exit $status
