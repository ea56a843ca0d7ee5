#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="soft=1" TIMEOUT=300
# Several "accelctl observe on" at once, and beside "off": each succeeds, and what they
# leave is whole: on and readable, or off with nothing left.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
pins=/sys/fs/bpf/accelerator
door=/run/accelerator/observe
rounds=3

at_once()	# VERB...: all of them; what went wrong goes to /tmp/wrong
{
	i=0
	for verb; do
		i=$((i + 1))
		{
			accelctl observe "$verb" >"/tmp/said.$i" 2>&1 ||
				echo "$verb: $?: $(cat "/tmp/said.$i")" >>/tmp/wrong
		} &
	done
	wait
}

programs() { bpftool prog | grep -c 'name stats_'; }

whole()	# what there is now: "on", "off", or what is wrong
{
	state=$(accelctl observe | sed -n 's/^observing *//p')
	case $state in
	on)
		[ "$(programs)" = 8 ] || echo "$(programs) programs"
		su alice -c 'accel-top -b -n 1 -d 0.1 --require-latency' >/dev/null 2>&1 ||
			echo "alice cannot read"
		;;
	off)
		[ "$(programs)" = 0 ] || echo "$(programs) programs"
		[ ! -e $pins ] || echo "pins"
		! grep -q " $door " /proc/mounts || echo "a door"
		;;
	esac
	[ ! -e $pins-partial ] || echo "partial"
	echo "$state"
}

# systemd's: then there is a door to be made and taken away, too
chmod 0700 /sys/fs/bpf
: >/tmp/wrong

ends=
for _ in $(seq $rounds); do
	accelctl observe off >/dev/null
	at_once on on on on
	ends="$ends $(whole | tr '\n' ' ')"
	[ "$(cat /tmp/said.[1-4] | grep -c 'is on')" = 1 ] || echo "on: not one has done it" >>/tmp/wrong
done
[ "$ends" = "$(printf ' on %.0s' $(seq $rounds))" ]; ok $? "four at once, $rounds times: on ($ends)"

ends=
for _ in $(seq $rounds); do
	at_once on off on off
	ends="$ends $(whole | tr '\n' ' ')"
	at_once off on off on on
	ends="$ends $(whole | tr '\n' ' ')"
done
odd=$(echo "$ends" | tr ' ' '\n' | grep -vxE 'on|off|')
[ -z "$odd" ]; ok $? "on beside off, $((2 * rounds)) times: on or off, and whole ($ends)"

at_once off off off
[ "$(whole)" = off ]; ok $? "off three times at once: off"
[ ! -s /tmp/wrong ]; ok $? "none has failed"
sed 's/^/# /' /tmp/wrong
chmod 0755 /sys/fs/bpf
echo "1..$n"
