#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" PYTHON=1 TIMEOUT=120
# accel-exporter's command line: exit codes and messages as documented; what --once writes,
# for whom, and when there is nothing to write of.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }

run()	# USER CODE ARGS...
{
	who=$1 want=$2
	shift 2
	su "$who" -c "exec accel-exporter $*" >/tmp/out 2>/tmp/err </dev/null
	rc=$?
	[ "$rc" = "$want" ]; ok $? "$who: accel-exporter $*: exit code $want (is $rc)"
}

out() { grep -qE -- "$1" /tmp/out; ok $? "  writes '$1'"; }
no_out() { ! grep -qE -- "$1" /tmp/out; ok $? "  does not write '$1'"; }
err() { grep -qE -- "$1" /tmp/err; ok $? "  says '$1'"; }
quiet() { [ ! -s /tmp/err ]; ok $? "  says nothing else"; }
nothing() { [ ! -s /tmp/out ]; ok $? "  nothing on stdout"; }

for args in --frobnicate acc0 "--format=xml" "--listen=9942" "--listen=127.0.0.1" "--listen=localhost:9942" \
		"--listen=127.0.0.1:65536" "--listen=::1:9942" "--listen=" "--once=yes" "-v"; do
	run alice 2 "$args"; nothing; err 'accel-exporter'
done
run alice 2 --listen=127.0.0.1:99999; err "'127.0.0.1:99999' is not accepted; give ADDR:PORT"
run alice 0 --help; out '--listen=ADDR:PORT'; quiet
run alice 0 --version; out '^accel-exporter [0-9]'; quiet
run alice 0 --version -v; out 'run as root'; quiet

# Two formats
run bob 0 --once; out '^# TYPE accel_operations_total counter$'; no_out '# EOF'; quiet
out '^accel_device_state\{device="acc0",accel_device_state="ok"\} 1$'
out '^accel_up 1$'
out '^accel_observe_up 0$'
out '^accel_observe_state\{accel_observe_state="off"\} 1$'
no_out '_bucket'
no_out 'accel_context'
[ "$(grep -c '^accel_device_info{device="acc[0-9]"' /tmp/out)" = 3 ]; ok $? "  all devices"
run bob 0 --once --format=openmetrics; out '^# TYPE accel_operations counter$'; quiet
[ "$(tail -n 1 /tmp/out)" = '# EOF' ]; ok $? "  and its end"

# Latencies, or else
run alice 4 --once --require-latency; nothing; err 'no latencies.*accelctl observe on'
run alice 4 --require-latency --listen=127.0.0.1:0; nothing; err 'no latencies.*accelctl observe on'
accelctl observe on >/dev/null
run alice 0 --once --require-latency; out '^accel_observe_up 1$'; out 'accel_job_run_seconds_bucket'; quiet
run bob 4 --once --require-latency; nothing; err 'no latencies.*be of its group'
run bob 0 --once; out '^accel_observe_state\{accel_observe_state="denied"\} 1$'; no_out '_bucket'; quiet
accelctl observe off >/dev/null

# A port that is not free, one that is not ours, an address that is not there
accel-exporter --listen 127.0.0.1:9942 2>/tmp/first &
first=$!
until grep -q serving /tmp/first; do sleep 0.1; done
grep -q 'serving http://127.0.0.1:9942/metrics' /tmp/first; ok $? "it says where it serves"
run alice 1; nothing; err 'cannot listen on 127.0.0.1:9942: another program does; .*--listen'
run alice 1 --listen=:9942; err 'cannot listen on :9942: another program does'
run alice 1 --listen=192.0.2.1:9942; err 'cannot listen on 192.0.2.1:9942: Cannot assign'
wget -q -O /tmp/out http://127.0.0.1:9942/metrics; ok $? "wget of it"
out '^accel_up 1$'
open=0
for fd in "/proc/$first/fd/"*; do
	case $(readlink "$fd") in /dev/accelerator/*) open=1 ;; esac
done
ok $open "no device is open"
kill $first
wait $first; ok $? "SIGTERM: exit code 0"
: >/tmp/first
su alice -c 'exec accel-exporter --listen 127.0.0.1:9942' 2>>/tmp/first &
first=$!
until grep -q serving /tmp/first; do sleep 0.1; done
ok 0 "its port is free for the next one at once"
kill -INT $first
wait $first; ok $? "SIGINT: exit code 0"

# What cannot be written
accel-exporter --once >/dev/full 2>/tmp/err; [ $? = 1 ]; ok $? "a full disk: exit code 1"
err 'cannot write: No space'

# Nothing to tell of: a whole document says so
rmmod accel_soft accel_edu accelerator; ok $? "the module goes"
run alice 3 --once --format=openmetrics; out '^accel_up 0$'; out '^# EOF$'; err 'modprobe accelerator'
no_out 'device='
echo "1..$n"
