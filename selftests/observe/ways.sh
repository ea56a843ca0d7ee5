#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="soft=1" TIMEOUT=90
# One build, two ways to a tracepoint: the same figures by either; each tool says which.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
work=/usr/lib/accelerator/selftests/trace/work

for tool in accel-top accel-trace accelctl; do
	$tool --version -v >/tmp/out; ok $? "$tool --version -v"
	grep -q "^$tool [0-9]" /tmp/out; ok $? "  its version"
	grep -q "kernel  *$(uname -r)" /tmp/out; ok $? "  the kernel's"
	grep -q 'tp_btf  *yes' /tmp/out; ok $? "  tp_btf"
	grep -q 'raw_tp  *yes' /tmp/out; ok $? "  raw_tp"
	grep -q 'attached by  *tp_btf$' /tmp/out; ok $? "  the first of them"
	ACCEL_BPF=raw_tp $tool -v --version >/tmp/out
	grep -q 'attached by  *raw_tp' /tmp/out; ok $? "  the second, where it is asked for"
	[ "$($tool --version | wc -l)" = 1 ]; ok $? "  --version alone is one line"
done
su alice -c 'accel-top --version -v' | grep -q 'run as root'; ok $? "alice is told who can find out"

for way in tp_btf raw_tp; do
	export ACCEL_BPF=$way
	accel-trace --json -o /tmp/trace $work acc0 2 500 100 2>/tmp/err; ok $? "$way: a trace"
	[ "$(grep -c '"event":"ioctl","dev":"acc0"' /tmp/trace)" = 1404 ]; ok $? "$way: its ioctls"
	grep -q '"event":"job_done".*"engine":"[a-z]' /tmp/trace; ok $? "$way: an engine's name"
	grep -q '"event":"mem_pin".*"way":"user","bytes":4096,"pages":1' /tmp/trace; ok $? "$way: a pin"
	accel-trace -c --json $work acc0 2 500 100 >/tmp/sum 2>/dev/null
	grep '"event":"job_done"' /tmp/sum | grep -q '"calls":200,"errors":0,"timed":200'
	ok $? "$way: a summary"
	accelctl observe on >/dev/null
	accelctl observe | grep -q "attached by $way"; ok $? "$way: observe says so"
	$work acc0 2 500 100
	accel-top --json -n 1 -d 0.2 >/tmp/top
	dev=$(grep -o '"devices":\[.*' /tmp/top)
	for kind in 'ioctl 1404' 'job_wait 200' 'job_run 200' 'mem_pin 2' 'dma_map 2'; do
		# shellcheck disable=SC2086 # two words
		set -- $kind
		echo "$dev" | grep -o "\"$1\":{\"interval\":{[^}]*},\"total\":{\"count\":[0-9]*" |
			head -n 1 | grep -q ":$2\$"
		ok $? "$way: $2 of $1 in the device's total"
	done
	accelctl observe off >/dev/null
done
echo "1..$n"
