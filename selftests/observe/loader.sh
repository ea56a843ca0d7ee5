#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" TIMEOUT=180
# accelctl observe: on, on again, off; who may read what is pinned, and what that shows
# them; module unload. Debian's setting is that unprivileged users have no BPF, and
# systemd's that /sys/fs/bpf is for root alone.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
pins=/sys/fs/bpf/accelerator
door=/run/accelerator/observe

run()	# CODE ARGS...: run accelctl, check its exit code
{
	want=$1
	shift
	accelctl "$@" >/tmp/out 2>/tmp/err </dev/null
	rc=$?
	[ "$rc" = "$want" ]; ok $? "accelctl $*: exit code $want (is $rc)"
}

as()	# USER CODE [SECONDS]: accel-top as USER
{
	su "$1" -c "accel-top --json -n 1 -d ${3-0.3} --require-latency" >/tmp/out 2>/tmp/err
	rc=$?
	[ "$rc" = "$2" ]; ok $? "$1's accel-top: exit code $2 (is $rc)"
}

out() { grep -qE -- "$1" /tmp/out; ok $? "  prints '$1'"; }
err() { grep -qE -- "$1" /tmp/err; ok $? "  says '$1'"; }
mode() { [ "$(stat -c '%U:%G %a' "$1")" = "$2" ]; ok $? "$1 is $2"; }

[ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled)" -ge 1 ]
ok $? "unprivileged users have no BPF of their own"

run 0 observe; out '^observing +off'
run 0 observe off; out 'was off'
run 2 observe on acc0; err 'takes no argument'
run 1 observe on --group nobody-at-all; err 'no group nobody-at-all'
[ ! -e $pins ]; ok $? "  nothing is pinned"
run 0 observe on; out 'is on'
mode $pins root:accel\ 750
for map in control contexts devices; do mode $pins/$map root:accel\ 640; done
mode $pins/stats_ioctl root:root\ 600
[ "$(bpftool prog | grep -c 'name stats_')" = 8 ]; ok $? "8 programs are attached"
run 0 observe on; out 'was on'
[ "$(bpftool prog | grep -c 'name stats_')" = 8 ]; ok $? "a second start attaches none"
run 1 observe on --contexts 99; err 'observe off, then on'
run 0 observe; out '^observing +on'; out 'group accel'; out 'tp_btf'
run 0 -j observe; out '"state": "on"'; out '"contexts": 2048'

# A member of the group sees all of it, others' contexts included
jobs_done() { cat /sys/class/accelerator/acc*/engines/*/jobs | awk '{ n += $1 } END { print n }'; }
jobs_before=$(jobs_done)
/usr/lib/accelerator/selftests/load/load -D soft -C 2 -d 3600 >/dev/null 2>&1 &
load=$!
until [ "$(jobs_done)" -gt $((jobs_before + 100)) ]; do sleep 0.1; done
as alice 0 3
out '"job_run":\{"interval":\{"count":[1-9]'
out '"user":"root"'
! grep -q 'sudo' /tmp/err; ok $? "  and is not asked to be root"
out '"lost_busy":null'
as bob 4; err 'Permission denied'; err 'group'
su bob -c 'accelctl observe' >/tmp/out; out 'hidden'
su alice -c 'accelctl observe' >/tmp/out; ok $? "alice may ask for its state"
! su alice -c "/usr/sbin/bpftool map update pinned $pins/control key 0 0 0 0 value hex 00" >/dev/null 2>&1
ok $? "alice cannot write"
su alice -c 'accelctl observe off' >/dev/null 2>/tmp/err; [ $? = 4 ]; ok $? "alice cannot end it"
err 'run as root'

# systemd's /sys/fs/bpf
chmod 0700 /sys/fs/bpf
as alice 4
run 1 observe; out 'does not reach the pins: accelctl observe on'
run 0 observe on
grep -q " $door bpf " /proc/mounts; ok $? "the pins have a door"
run 0 observe; out $door
as alice 0
as bob 4
kill $load
wait $load 2>/dev/null
as alice 0

# In use until it is off; then all of it can go, and come again
lsmod | grep -q '^accel_soft' && rmmod accel_soft accel_edu
! rmmod accelerator 2>/dev/null; ok $? "the core is in use while it is observed"
accel-top --json -n 1 -d 0.2 >/tmp/out; ok $? "which harms nothing"
run 0 observe off; out 'is off'
[ ! -e $pins ]; ok $? "no pins are left"
! grep -q " $door " /proc/mounts; ok $? "nor a door"
rmmod accelerator; ok $? "the core can be unloaded"
run 3 observe on; err 'modprobe accelerator'
for m in accelerator accel_soft; do insmod /usr/lib/accelerator/modules/$m.ko; done
run 0 observe on
as alice 0; out '"name":"acc0"'
run 0 observe off

# Another group
run 0 observe on -g bob
as bob 0
as alice 4
run 0 observe on -g accel
as alice 0
as bob 4
run 0 observe off
chmod 0755 /sys/fs/bpf
echo "1..$n"
