#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2"
# What the load says it did and what the kernel has counted are equal: jobs,
# errors, bytes, busy and waiting time of engines, pinned bytes, ioctls by file.
load=${LOAD:-/usr/lib/accelerator/selftests/load/load}
class=/sys/class/accelerator
out=/tmp/load.$$
n=0 before=0

point()	# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

is()	# GOT WANTED NAME
{
	[ -n "$1" ] && [ "$1" = "$2" ]
	point $? "$3"
	[ "$1" = "$2" ] || echo "#   it is '$1', expected '$2'"
}

# Sum over a device's engines
engines()	# DEVICE ATTRIBUTE
{
	cat $class/$1/engines/*/$2 | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# The first value of a key in the report's last line
said()	# KEY
{
	tail -n 1 $out | tr ',{}[]' '\n' | sed -n "s/^\"$1\"://p" | head -n 1
}

# The sum of a field of fdinfo over all open contexts of a device
fdinfo()	# DEVICE KEY
{
	grep -ls "^accel-device:.$1\$" /proc/[0-9]*/fdinfo/* | xargs -r sed -n "s/^$2:.\([0-9]*\).*/\1/p" |
		awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

for device in "$class"/acc*; do
	device=${device##*/}
	[ -e $class/$device/driver ] || continue
	for key in jobs errors bytes busy_ns wait_ns; do
		eval "before_$key=$(engines "$device" $key)"
	done
	mkfifo $out.fifo
	$load -D "$device" -P 2 -C 2 -J 3 -s 1-100K -n 40 -m nop=1,copy=2,fill=2,compare=2,crc32c=2,factorial=12,dma=1 \
		--repin 16 -j --hold <$out.fifo >$out &
	exec 9>$out.fifo
	while ! grep -q '"kind":"final"' $out && kill -0 $! 2>/dev/null; do sleep 0.1; done
	for key in jobs errors bytes busy_ns wait_ns; do
		eval "before=\$before_$key"
		is "$(said $key)" "$(awk "BEGIN { printf \"%.0f\", $(engines "$device" $key) - $before }")" \
			"$device: $key"
	done
	is "$(said pinned_bytes)" "$(cat $class/$device/pinned_bytes)" "$device: pinned bytes"
	is "$(said pinned_bytes)" "$(cat $class/$device/mapped_bytes)" "$device: mapped bytes"
	is "$(said pinned_bytes)" "$(($(fdinfo "$device" drm-total-pinned) * 1024))" \
		"$device: pinned bytes in its files' fdinfo"
	is 4 "$(cat $class/$device/contexts)" "$device: contexts"
	calls=$(tail -n 1 $out | tr ',{}[]' '\n' | sed -n 's/^"calls"://p' |
		awk '{ sum += $1 } END { printf "%.0f\n", sum }')
	is "$calls" "$(fdinfo "$device" accel-ioctl)" "$device: ioctls in its files' fdinfo"
	exec 9>&-
	wait $!
	point $? "$device: all results were right"
	is 0 "$(cat $class/$device/pinned_bytes)" "$device: nothing stays pinned"
	rm -f $out $out.fifo
done
echo "1..$n"
