#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="none" TIMEOUT=30
# Without the module: accel-top says so and what to do, whatever it was asked for.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }

for args in "" "-b -n 1" "--json -n 1" "--no-latency -b -n 1"; do
	# shellcheck disable=SC2086 # a list of arguments
	accel-top $args >/tmp/out 2>/tmp/err
	rc=$?
	[ "$rc" = 3 ]; ok $? "accel-top $args: exit code 3 (is $rc)"
	grep -q 'modprobe accelerator' /tmp/err; ok $? "accel-top $args: the next step"
	[ ! -s /tmp/out ]; ok $? "accel-top $args: nothing on stdout"
done
accel-top --help >/tmp/out; ok $? "--help works all the same"
echo "1..$n"
