#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1,hotplug soft=2" TIMEOUT=60
# accelctl's commands: what they print, whom they show what, and how they fail.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }

run()	# CODE ARGS...: run it, check its exit code
{
	want=$1
	shift
	accelctl "$@" >/tmp/out 2>/tmp/err </dev/null
	rc=$?
	[ "$rc" = "$want" ]; ok $? "accelctl $*: exit code $want (is $rc)"
}

out() { grep -qE -- "$1" /tmp/out; ok $? "  prints '$1'"; }
err() { grep -qE -- "$1" /tmp/err; ok $? "  says '$1'"; }
quiet() { [ ! -s /tmp/err ]; ok $? "  says nothing else"; }

run 0 version; out '^accelctl [0-9]'; quiet
run 0 --help; out 'monitor'; out 'Exit status'; quiet
run 2; err 'say what to show'
run 2 frobnicate; err 'no command "frobnicate"'
run 2 engin; err 'did you mean engine'
run 2 --frobnicate dev
run 2 dev list acc0 acc1; err 'too many arguments'
run 2 doctor acc0; err 'takes no argument'

run 0 dev; quiet
out '^DEVICE +DRIVER +TYPE +STATE +PARENT'
out '^acc0 +accel_edu +offload +ok +pci/0000:'
out '^acc2 +accel_soft '
[ "$(wc -l </tmp/out)" = 4 ]; ok $? "  a line for each device"
run 0 dev list acc1; quiet
[ "$(wc -l </tmp/out)" = 2 ]; ok $? "  that device only"
run 0 dev show 1; out '^acc1$'; out 'node +/dev/accelerator/acc1c \([0-9]+:[0-9]+\)'
out 'engine +eng1 \(1, depth 1\)'; quiet
run 0 dev show /dev/accelerator/acc1c; out '^acc1$'
for d in acc9 9 acc /dev/null; do
	run 3 dev show $d; err "no device \"$d\""
done
run 0 engine; out '^acc0 +edu +0 +1 '; quiet
[ "$(wc -l </tmp/out)" = 6 ]; ok $? "  a line for each engine"
run 0 engine list acc0
[ "$(wc -l </tmp/out)" = 2 ]; ok $? "  of that device only"
run 0 stats acc0; out '^acc0 +ioctl +[0-9]+ +[0-9]+ +0'; quiet
run 0 ctx; out '^no contexts'; quiet

opens() { accelctl -b stats "$1" | awk '$2 == "open" { print $3 }'; }
opens0=$(opens acc0)
opens1=$(($(opens acc1) + 1))
exec 7<>/dev/accelerator/acc1
run 0 ctx; out "^acc1 +[0-9]+ +$$ +root "; quiet
run 0 ctx list acc0; out '^no contexts'
run 0 -b dev; out '^acc1 .* 1 +0 +0$'
run 0 -b stats acc1; out "^acc1 +open +$opens1 +[0-9]+ +0"
su alice -c 'accelctl ctx' >/tmp/out 2>/tmp/err
ok $? "alice: exit code 0"
out '^no contexts'
err '1 context of other users is not shown'
su alice -c 'accelctl dev' >/tmp/out 2>/tmp/err
[ "$(wc -l </tmp/out)" = 4 ]; ok $? "alice: sees all devices"
quiet
for c in 'engine' 'stats acc1' 'dev show acc0' '-j dev' '-j engine' '-j stats' '-j ctx' 'policy' 'observe' 'doctor'; do
	su alice -c "accelctl $c" >/tmp/out 2>/tmp/err
	ok $? "alice: accelctl $c: exit code 0"
	[ -s /tmp/out ]; ok $? "  prints something"
done
su alice -c 'accelctl engine' >/tmp/out
out '^acc0 +edu +0 +1 '
[ "$(wc -l </tmp/out)" = 6 ]; ok $? "  a line for each engine"
su alice -c 'accelctl -b stats acc1' >/tmp/out
out "^acc1 +open +$opens1 "
exec 7>&-
run 0 ctx; out '^no contexts'

# enumeration opens nothing: the counter has not moved but for the one above
accelctl dev >/dev/null; accelctl dev show >/dev/null; accelctl engine >/dev/null
run 0 -b stats acc1; out "^acc1 +open +$opens1 +[0-9]+ +0"
run 0 -b stats acc0; out "^acc0 +open +$opens0 +[0-9]+ +0"

accelctl stats >/dev/full 2>/tmp/err
[ $? = 1 ]; ok $? "a full disk: exit code 1"
err 'cannot write'

# monitor: until it is ended
accelctl monitor >/tmp/mon 2>/tmp/err & mon=$!
accelctl monitor acc1 >/tmp/mon1 2>/dev/null & mon1=$!
su alice -c 'exec accelctl monitor' >/tmp/monalice 2>/tmp/erralice & monalice=$!
until [ -s /tmp/erralice ] && [ -s /tmp/mon1 ] && [ -s /tmp/mon ]; do
	: <>/dev/accelerator/acc1
	usleep 100000
done
: <>/dev/accelerator/acc2
echo accel_soft.1 >/sys/bus/platform/drivers/accel_soft/unbind
echo accel_soft.1 >/sys/bus/platform/drivers/accel_soft/bind
echo 1 >/sys/class/accelerator/acc0/device/reset
until grep -q 'change .*state=ok' /tmp/mon && grep -q 'add .*acc2' /tmp/monalice; do
	usleep 100000
done
kill $mon $mon1 $monalice
cp /tmp/mon /tmp/out
out '^[0-9:.]{15} open +acc2 ctx=[0-9]+ pid=[0-9]+ user=root '
out '^[0-9:.]{15} close +acc2 ctx=[0-9]+ '
out '^[0-9:.]{15} remove +acc2 driver=accel_soft state=gone parent=platform/accel_soft.1$'
out '^[0-9:.]{15} add +acc2 driver=accel_soft state=ok '
out '^[0-9:.]{15} change +acc0 driver=accel_edu state=resetting '
out '^[0-9:.]{15} change +acc0 driver=accel_edu state=ok '
quiet
grep -q acc1 /tmp/mon1 && ! grep -q acc2 /tmp/mon1; ok $? "monitor acc1: that device only"
grep -q 'add.*acc2' /tmp/monalice && ! grep -q open /tmp/monalice
ok $? "alice's monitor: devices, no contexts"
grep -q 'told to root only' /tmp/erralice; ok $? "  and says so"
run 3 monitor acc9; err 'no device "acc9"'

run 0 doctor; quiet
out '^ok +module '; out '^ok +module BTF '; out '^ok +netlink +family accelerator, 2 groups'
out '^ok +node +/dev/accelerator/acc0: mode 0660, group accel'
out '^ok +privilege'; out '^note +headers'; out '-> install pahole'
su bob -c 'accelctl doctor' >/tmp/out 2>/tmp/err; ok $? "bob: nothing is broken"
out '^note +node +/dev/accelerator/acc0: .*you cannot open it'
out '-> .*usermod'

# no subsystem
rmmod accel_edu accel_soft accelerator
for c in dev engine ctx stats monitor; do
	run 3 $c; err 'modprobe accelerator'
done
run 1 doctor; out '^problem +module +accelerator is not loaded'; out '-> modprobe accelerator'
run 1 -j doctor; out '"ok": false'
echo "1..$n"
