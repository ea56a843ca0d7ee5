#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" TIMEOUT=180
# accel-trace's bad input, privilege, ends: exit codes and messages as documented.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }

bad()	# CODE TEXT ARGS...
{
	want=$1 text=$2
	shift 2
	accel-trace "$@" >/tmp/out 2>/tmp/err </dev/null
	rc=$?
	[ "$rc" = "$want" ]; ok $? "accel-trace $*: exit code $want (is $rc)"
	grep -q -- "$text" /tmp/err; ok $? "accel-trace $*: says '$text'"
	[ ! -s /tmp/out ]; ok $? "accel-trace $*: nothing on stdout"
}

bad 2 "unknown option '--frobnicate'" --frobnicate
bad 2 "did you mean '--buffer'" --bufer 4K
bad 2 "did you mean 'ioctl'" -e ioctk
bad 2 "no event or class '!nothing'" -e '!nothing'
bad 2 'nothing is left' -e 'job,!job'
bad 2 "'init' is not accepted" -p init
bad 2 "'0' is not accepted" -p 0
bad 2 'names such as acc0' --device gpu0
bad 2 'accelctl ctx list' --ctx x
bad 2 "'EFOO'" --errno EFOO
bad 2 '1.5ms' --min-lat soon
bad 2 'from 4.00KiB to 1.00GiB' --buffer 1K
bad 2 'from 4.00KiB to 1.00GiB' --buffer 2G
bad 2 'needs an argument' -n
bad 2 'at least 1' -n 0
bad 2 'time, calls, errors' -c -S size
bad 2 'device, ctx, engine, op, process' -c --by color
bad 2 'for -c and hist' --by device
bad 2 'single events' -c -k
bad 2 'leave nothing' -z -Z
bad 2 'give one' -c hist
bad 2 'give one' -p 1 true
bad 2 'give -p' -f
bad 3 'no device acc77' --device acc77
bad 1 'No such file' --cgroup /no/such/group
bad 1 'cannot run /no/such/program' /no/such/program
bad 1 'cannot write to /no/such/file' -o /no/such/file --duration 1

# Without privilege
su alice -c 'accel-trace --duration 1' >/tmp/out 2>/tmp/err
[ $? = 4 ]; ok $? "alice: exit code 4"
grep -q CAP_SYS_ADMIN /tmp/err; ok $? "alice: the capability that is missing"
su alice -c 'accel-trace --help' | grep -q '^Usage'; ok $? "alice: --help works"

# The command's own code
accel-trace sh -c 'exit 7' 2>/dev/null; [ $? = 7 ]; ok $? "COMMAND's exit code"
# shellcheck disable=SC2016 # for the inner shell
accel-trace sh -c 'kill -TERM $$' 2>/dev/null; [ $? = 143 ]; ok $? "COMMAND's signal"
accel-trace -- true 2>/tmp/err; ok $? "-- COMMAND"
grep -q '0 events: 0 delivered, 0 lost' /tmp/err; ok $? "nothing seen is said, too"
accel-trace -- echo hist | grep -qx hist; ok $? "COMMAND's stdout is its own"

# Ends

# until it says that it looks; a minute is far more than it takes
tracing()
{
	i=0
	until grep -q tracing /tmp/err 2>/dev/null; do
		i=$((i + 1))
		[ $i -lt 600 ] || break
		sleep 0.1
	done
}

accel-trace --duration 1.5 2>/tmp/err; ok $? "--duration: ends, exit code 0"
for sig in INT TERM; do
	rm -f /tmp/err
	accel-trace -o /tmp/out 2>/tmp/err &
	pid=$!
	tracing
	/usr/lib/accelerator/selftests/trace/work acc1 1 5 1
	kill -$sig $pid
	wait $pid; ok $? "SIG$sig: exit code 0"
	grep -q ' 18 events: 18 delivered, 0 lost' /tmp/err; ok $? "SIG$sig: what was seen is told"
	[ "$(wc -l </tmp/out)" = 18 ]; ok $? "SIG$sig: and shown"
done
sleep 3600 &
other=$!
rm -f /tmp/err
accel-trace -p $other 2>/tmp/err &
pid=$!
tracing
kill $other
wait $pid; ok $? "-p: ends with the process"

# It is not in the way
rm -f /tmp/err
accel-trace -o /tmp/out 2>/tmp/err &
pid=$!
tracing
open=0
for fd in "/proc/$pid/fd/"*; do
	case $(readlink "$fd") in /dev/accelerator/*) open=1 ;; esac
done
ok $open "no device is open"
rmmod accel_soft; ok $? "a driver can be unloaded under it"
kill $pid
wait $pid; ok $? "and it goes on"
grep -q 'device_unregister(driver=accel_soft' /tmp/out; ok $? "and shows it"
[ -z "$(find /sys/fs/bpf -mindepth 1 2>/dev/null)" ]; ok $? "nothing is left behind"
echo "1..$n"
