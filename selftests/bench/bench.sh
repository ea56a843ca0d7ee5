#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# make bench, in the guest: what observing adds to an ioctl, as ratios to the same
# loop unobserved, measured in turn in one run. Single figures of an emulated
# machine mean little; their ratios mean something.
here=/usr/lib/accelerator/selftests/bench
dev=$(accelctl dev list | awk '$2 == "accel_soft" { print $1; exit }')
[ -n "$dev" ] || { echo "bench: no device of accel_soft; run: make bench" >&2; exit 1; }

measure() { $here/null_ioctl "$dev" 20000; }

# NAME COMMAND...: measure beside a running observer, and before and after without
beside()
{
	name=$1
	shift
	before=$(measure)
	"$@" >/dev/null 2>&1 &
	observer=$!
	# it is attached when its tracepoint is on
	n=0
	until [ "$(bpftool prog list 2>/dev/null | grep -c ' tracing ')" -gt 0 ] || [ $n -ge 100 ]; do
		sleep 0.2
		n=$((n + 1))
	done
	sleep 1
	during=$(measure)
	kill -INT $observer
	wait $observer
	after=$(measure)
	echo "$name $before $during $after"
}

{
	beside "accel-top" accel-top -b -d 1 -n 1000
	beside "accel-trace_-c" accel-trace -c
	beside "accel-trace_(stream)" accel-trace -o /dev/null
} | awk '
	BEGIN { printf "%-22s %10s %10s %8s %8s\n", "OBSERVER", "BARE_NS", "SEEN_NS", "ADDS_NS", "RATIO" }
	{
		bare = ($3 + $7) / 2
		printf "%-22s %10.0f %10.0f %8.0f %8.2f\n", $1, bare, $5, $5 - bare, $5 / bare
		null += ($2 + $6) / 2; accel += bare; n++
	}
	END {
		printf "\nwithout an observer: ioctl of /dev/null %.0f ns, of %s %.0f ns (%.2f times)\n", \
			null / n, "an accelerator", accel / n, accel / null
	}'
