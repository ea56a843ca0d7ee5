#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" TIMEOUT=120
# accel-top's bad input: exit codes and messages as documented; and what is left
# without privilege.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }

bad()	# CODE TEXT ARGS...
{
	want=$1 text=$2
	shift 2
	accel-top "$@" >/tmp/out 2>/tmp/err </dev/null
	rc=$?
	[ "$rc" = "$want" ]; ok $? "accel-top $*: exit code $want (is $rc)"
	grep -q -- "$text" /tmp/err; ok $? "accel-top $*: says '$text'"
	[ ! -s /tmp/out ]; ok $? "accel-top $*: nothing on stdout"
}

bad 2 '--frobnicate' --frobnicate
bad 2 '-d' -d 0
bad 2 '-d' -d fast
bad 2 '-n' -b -n -1
bad 2 '-p' -p init
bad 2 'no such user' -u nobody-at-all
bad 2 'sort' -s color
bad 2 'choose one' -b --json
bad 2 'choose one' --no-latency --require-latency
bad 2 'nothing is expected' acc0
bad 1 'use -b'

# A pipe that is closed ends it, silently
accel-top -b -d 0.1 2>/tmp/err | head -n 1 >/tmp/out
[ ! -s /tmp/err ]; ok $? "a closed pipe: nothing on stderr"
grep -q '^accel-top' /tmp/out; ok $? "a closed pipe: what was read is there"
accel-top -b -n 1 -d 0.1 >/dev/full 2>/tmp/err
[ $? = 1 ]; ok $? "a full disk: exit code 1"
grep -q 'cannot write' /tmp/err; ok $? "a full disk: says so"

# Without privilege: everything but latencies
su alice -c 'accel-top -b -n 1 -d 0.2' >/tmp/out 2>/tmp/err
ok $? "alice: exit code 0"
grep -q 'no latencies' /tmp/out; ok $? "alice: a note says why"
grep -q 'sudo' /tmp/out; ok $? "alice: and what to do"
[ "$(grep -c '^acc[0-9] ' /tmp/out)" = 3 ]; ok $? "alice: all devices"
grep '^acc1 ' /tmp/out | grep -q '0.0%'; ok $? "alice: utilization"
[ ! -s /tmp/err ]; ok $? "alice: nothing on stderr"
su alice -c 'accel-top --json -n 1 -d 0.2' | grep -q '"job_run":{"interval":{"count":null'
ok $? "alice: unknown latencies are null"
su alice -c 'accel-top -b -n 1 --require-latency' >/tmp/out 2>/tmp/err
rc=$?
[ $rc = 4 ]; ok $? "alice --require-latency: exit code 4 (is $rc)"
[ ! -s /tmp/out ]; ok $? "alice --require-latency: nothing on stdout"
grep -q 'sudo' /tmp/err; ok $? "alice --require-latency: the next step"
accel-top -b -n 1 -d 0.2 --require-latency >/tmp/out; ok $? "root --require-latency: exit code 0"

# It never opens a device
rm -f /tmp/out
accel-top -b -d 0.2 >/tmp/out &
top=$!
until [ -s /tmp/out ]; do sleep 0.1; done
open=0
for fd in "/proc/$top/fd/"*; do
	case $(readlink "$fd") in /dev/accelerator/*) open=1 ;; esac
done
ok $open "no device is open"
kill $top
wait $top; ok $? "SIGTERM: exit code 0"
echo "1..$n"
