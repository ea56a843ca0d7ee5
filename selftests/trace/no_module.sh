#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="none" TIMEOUT=30
# Without the module: accel-trace says so and what to do, whatever it was asked for.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }

for args in "" "-c" "hist" "--json --duration 1" "echo hello"; do
	# shellcheck disable=SC2086 # a list of arguments
	accel-trace $args >/tmp/out 2>/tmp/err
	rc=$?
	[ "$rc" = 3 ]; ok $? "accel-trace $args: exit code 3 (is $rc)"
	grep -q 'modprobe accelerator' /tmp/err; ok $? "accel-trace $args: the next step"
	[ ! -s /tmp/out ]; ok $? "accel-trace $args: nothing on stdout"
done
accel-trace --help >/tmp/out; ok $? "--help works all the same"
su alice -c accel-trace 2>/tmp/err; [ $? = 3 ]; ok $? "for anybody"
echo "1..$n"
