#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" TIMEOUT=240
# Filters of accel-trace: how many of the events of known work pass each. One
# thread with I unknown ioctls and J jobs makes 8 + I + 5 J (see work.c).
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
work=/usr/lib/accelerator/selftests/trace/work

passed()	# COUNT WHAT ARGS...: so many pass
{
	want=$1 what=$2
	shift 2
	accel-trace -o /tmp/out "$@" 2>/tmp/err || tail -3 /tmp/err | sed 's/^/# /'
	got=$(sed -n 's/^accel-trace: \([0-9]*\) events: .*/\1/p' /tmp/err)
	[ "$got" = "$want" ]; ok $? "$what: $want events (is $got)"
}

passed 78 'no filter' $work acc1 1 20 10
passed 156 'two processes in one command' sh -c "$work acc1 1 20 10 & $work acc2 1 20 10 & wait"
passed 42 '-e ioctl' -e ioctl $work acc1 1 20 10
passed 42 '-e accel_ioctl' -e accel_ioctl $work acc1 1 20 10
passed 30 '-e job' -e job $work acc1 1 20 10
passed 2 '-e pin' -e pin $work acc1 1 20 10
passed 4 '-e mem' -e mem $work acc1 1 20 10
passed 2 '-e context' -e context $work acc1 1 20 10
passed 36 '-e !ioctl' -e '!ioctl' $work acc1 1 20 10
passed 120 '-e all' -e all $work acc1 1 20 10
passed 20 '-Z' -Z $work acc1 1 20 10
passed 47 '-z' -z $work acc1 1 20 10
passed 20 '--errno ENOTTY' --errno ENOTTY $work acc1 1 20 10
passed 20 '--errno 25,EINVAL' --errno 25,EINVAL $work acc1 1 20 10
passed 0 '--errno EIO' --errno EIO $work acc1 1 20 10
passed 78 '--device, of two' --device acc1 sh -c "$work acc1 1 20 10; $work acc2 1 20 10"
passed 156 '--device, both' --device 1,/dev/accelerator/acc2 sh -c "$work acc1 1 20 10; $work acc2 1 20 10"
passed 0 '--device, another' --device acc0 $work acc1 1 20 10
passed 0 '--min-lat 1h' --min-lat 1h $work acc1 1 20 10
passed 0 '--ctx, another' --ctx 999999999 $work acc1 1 20 10
passed 10 '-n 10' -n 10 $work acc1 1 20 10

# By process: one that is there already, and begins when it is watched; not its neighbour
watched='until grep -q tracing /tmp/err 2>/dev/null; do sleep 0.1; done'
rm -f /tmp/err
sh -c "$watched; exec $work acc1 1 20 10" &
a=$!
sh -c "$watched; exec $work acc2 1 20 10" &
b=$!
passed 78 '-p' -p $a
wait $a $b
rm -f /tmp/err
sh -c "$watched; $work acc1 1 20 10; true" &
passed 0 '-p without -f' -p $!
rm -f /tmp/err
sh -c "$watched; $work acc1 1 20 10; true" &
passed 78 '-p -f' -f -p $!

# By cgroup
if mkdir -p /sys/fs/cgroup/tenants/one /sys/fs/cgroup/other 2>/dev/null; then
	passed 78 '--cgroup, one below' --cgroup /tenants sh -c \
		"(echo 0 >/sys/fs/cgroup/tenants/one/cgroup.procs; exec $work acc1 1 20 10)
		 (echo 0 >/sys/fs/cgroup/other/cgroup.procs; exec $work acc1 1 20 10)"
	passed 156 '--cgroup, full path of all' --cgroup /sys/fs/cgroup sh -c \
		"(echo 0 >/sys/fs/cgroup/tenants/one/cgroup.procs; exec $work acc1 1 20 10)
		 (echo 0 >/sys/fs/cgroup/other/cgroup.procs; exec $work acc1 1 20 10)"
fi

# By context: one that is open already
LOAD=/usr/lib/accelerator/selftests/load/load
$LOAD -D acc1 -m nop=1 -r 50 -d 3600 >/dev/null 2>&1 &
load=$!
accel-trace --json -e ioctl -n 1 -o /tmp/out 2>/dev/null
ctx=$(sed -n '1s/.*"ctx":\([0-9]*\).*/\1/p' /tmp/out)
accel-trace --ctx "$ctx" -e ioctl -n 5 -o /tmp/out 2>/dev/null
[ "$(grep -c "acc1/$ctx " /tmp/out)" = 5 ]; ok $? "--ctx of an open context ($ctx): its events"
kill $load
wait $load

# Forms of the lines
accel-trace -ttt -T -o /tmp/out $work acc1 1 1 1 2>/dev/null
grep -Eq '^[0-9]{9,}\.[0-9]{6} +[0-9]+ work +acc1/[0-9]+ +ioctl\(mem_pin, 0xc020ac00\) += 0 <0\.[0-9]{9}>$' /tmp/out
ok $? "-ttt -T: time, pid, command, device/context, call, result, duration"
grep -q 'ioctl(0xacff) *= -1 ENOTTY (Inappropriate ioctl for device)' /tmp/out; ok $? "an error, as strace has it"
accel-trace -r -o /tmp/out $work acc1 1 1 1 2>/dev/null
grep -Eq '^ +0\.[0-9]{6} ' /tmp/out; ok $? "-r"
accel-trace -tt -o /tmp/out $work acc1 1 1 1 2>/dev/null
grep -Eq '^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6} ' /tmp/out; ok $? "-tt"
accel-trace -k -e mem_pin -o /tmp/out $work acc1 1 1 1 2>/dev/null
grep -q '> __x64_sys_ioctl+0x' /tmp/out; ok $? "-k: down to the system call"
! grep -q 'bpf_' /tmp/out; ok $? "-k: without the tracer's own frames"
accel-trace -c -S calls -o /tmp/out $work acc1 1 20 10 2>/dev/null
sed -n 2p /tmp/out | grep -Eq '^ioctl\(0xacff\) +20 +20 '; ok $? "-c -S calls: the most calls first, with errors"
accel-trace hist -e job_done -o /tmp/out $work acc1 1 0 10 2>/dev/null
grep -q '^job_done run$' /tmp/out; ok $? "hist: a heading"
grep -q 'calls 10, errors 0, timed 10; avg ' /tmp/out; ok $? "hist: figures"
grep -q '|@@@' /tmp/out; ok $? "hist: a picture"
echo "1..$n"
