#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" TIMEOUT=90
# What is to be seen of a device and of a context without opening either: each file of
# sysfs and debugfs, the driver's own included, and fdinfo, which has to obey the grammar of
# the kernel's drm-usage-stats document. What is told twice agrees; what goes with the
# device goes also from under who has it open.
load=/usr/lib/accelerator/selftests/load/load
forge=/usr/lib/accelerator/selftests/drivers/forge
class=/sys/class/accelerator
debug=/sys/kernel/debug/accelerator
out=/tmp/metadata.$$
n=0

point()	# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

is()	# GOT WANTED NAME
{
	[ "$1" = "$2" ]
	point $? "$3"
	[ "$1" = "$2" ] || echo "#   it is '$1', expected '$2'" | tr '\n' ' '
	[ "$1" = "$2" ] || echo
}

files() { (cd "$1" && find . -maxdepth 1 -type f | sed 's:^\./::' | sort | xargs); }
value() { cat "$class/$1/$2"; }

# All of them anew: their counters begin with 0, and each has the number that is its own
soft=/sys/bus/platform/drivers/accel_soft edu=/sys/bus/pci/drivers/accel_edu
slot=$(cd $edu && echo 0000:*)
echo "$slot" >$edu/unbind
for d in accel_soft.0 accel_soft.1; do echo $d >$soft/unbind; done
echo "$slot" >$edu/bind
for d in accel_soft.0 accel_soft.1; do echo $d >$soft/bind; done

# ---- sysfs ----

common='contexts dev driver exclusive firmware_version id mapped_bytes numa_node pinned_bytes'
is "$(files $class/acc0)" "$common state type uevent" "edu: files in its directory, none that it cannot fill"
is "$(files $class/acc1)" "$common serial state type uevent uuid" "soft: files in its directory"
for d in acc0 acc1; do
	for f in $common state type; do
		[ "$(stat -c %a $class/$d/$f)" = 444 ] || echo $d/$f
	done
done >$out
is "$(cat $out)" "" "all of them are for everybody to read"
is "$(value acc0 driver) $(value acc0 type) $(value acc0 state) $(value acc0 firmware_version)" \
	"accel_edu offload ok 1.0" "edu: what it is"
is "$(value acc1 driver) $(value acc1 type) $(value acc1 state) $(value acc1 firmware_version)" \
	"accel_soft offload ok 1.0" "soft: what it is"
is "$(value acc1 serial) $(value acc1 uuid)" "SOFT0000 61636365-6c2d-8f73-af66-740000000000" "soft: which it is"
is "$(value acc2 serial) $(value acc2 uuid)" "SOFT0001 61636365-6c2d-8f73-af66-740000000001" "and the other one"
is "$(value acc1 exclusive) $(value acc1 contexts) $(value acc1 pinned_bytes) $(value acc1 mapped_bytes)" \
	"0 0 0 0" "soft: nobody uses it"
# a kernel that knows no nodes says so
is "$(value acc0 numa_node)" "$(cat $class/acc0/device/numa_node 2>/dev/null || echo -1)" \
	"edu: numa_node is its parent's"
is "$(stat -c %a /dev/accelerator/acc1) $(stat -c %a /dev/accelerator/acc1c)" "660 600" \
	"each node has its driver's mode"
is "$(files $class/acc1/engines/eng0)" "busy_ns bytes depth errors index jobs queued running wait_ns" \
	"an engine's files"

# ---- with a load that is through, and keeps all it has ----

mkfifo $out.fifo
$load -D acc0,acc1 -P 1 -C 2 -n 30 -m nop=1,copy=2,fill=2,factorial=12,dma=1 -j --hold <$out.fifo >$out.load &
pid=$!
exec 9>$out.fifo
while ! grep -q '"kind":"final"' $out.load && kill -0 $pid 2>/dev/null; do sleep 0.1; done

is "$(files $class/acc1/soft)" "bytes_done jobs_done set_state" "soft: the driver's own directory"
is "$(value acc1 soft/jobs_done)" "$(($(value acc1 engines/eng0/jobs) + $(value acc1 engines/eng1/jobs)))" \
	"its jobs_done are those that its engines have counted"
[ "$(value acc1 soft/jobs_done)" -gt 0 ]; point $? "and they are some"
is "$(value acc1 soft/bytes_done)" "$(($(value acc1 engines/eng0/bytes) + $(value acc1 engines/eng1/bytes)))" \
	"its bytes_done, too"

# the engines, told three times: name index depth queued running jobs errors bytes busy_ns wait_ns
for d in acc0 acc1; do
	for e in "$class/$d"/engines/*; do
		echo "${e##*/} $(for f in depth queued running jobs errors bytes busy_ns wait_ns; do cat $e/$f; done | xargs)"
	done >$out.sysfs
	sed 1d $debug/$d/engines >$out.debugfs
	is "$(cat $out.debugfs)" "$(cat $out.sysfs)" "$d: engines in debugfs are those of sysfs"
	accelctl -b engine $d | sed 1d | awk '{ print $2, $4, $5, $6, $7, $8, $9 }' >$out.netlink
	awk '{ print $1, $2, $3, $4, $5, $6, $7 }' $out.sysfs >$out.short
	is "$(cat $out.netlink)" "$(cat $out.short)" "$d: and those of netlink"
done
is "$(sed 1q $debug/acc1/engines)" "name depth queued running jobs errors bytes busy_ns wait_ns" "with a heading"

# ---- debugfs ----

is "$(files $debug/acc0)" "contexts engines gate" "edu: files in debugfs"
is "$(files $debug/acc1)" "contexts engines gate page_tables" "soft: files in debugfs, with the driver's own"
find $debug -type f ! -perm 400 >$out
is "$(cat $out)" "" "all of them for root only"
is "$(sed -n '2p' $debug/acc1/contexts | cut -d ' ' -f 2-7)" \
	"0 $(accelctl -b ctx list acc1 | awk 'NR == 2 { print $3 }') 0 load $(value acc1 pinned_bytes) $(value acc1 mapped_bytes)" \
	"contexts: node, process, user, command, bytes"
is "$(cat $debug/acc1/page_tables)" "asid context regions pages_4k pages_2m pages_1g nodes hits misses" \
	"page_tables: none is in use, without iommufd"
is "$(sed 1q $debug/acc1/gate)" "state ok" "gate: the state"
for op in open ioctl mem_pin job_submit; do
	is "$(awk -v op=$op '$1 == op { print $2, $3 }' $debug/acc1/gate)" \
		"$(accelctl -b stats acc1 | awk -v op=$op '$2 == op { print $3, $4 }')" "gate: $op is as in netlink"
done

# ---- fdinfo ----

# What each line has to be, after those that every file has. See drm-usage-stats.rst.
cat >$out.awk <<'GRAMMAR'
function bad(why) { print why ": " $0; wrong++ }
BEGIN { FS = ":[ \t]+"; uint = "^[0-9]+$" }
$1 ~ /^(pos|flags|mnt_id|ino)$/ { next }
!/^[!-9;-~]+:[ \t]+[^ \t]/ { bad("no key and value"); next }
seen[$1]++ { bad("twice") }
$1 == "drm-driver" { if ($2 !~ /^[!-~]+$/) bad("no name"); next }
$1 == "drm-pdev" { if ($2 !~ /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/) bad("no PCI device"); next }
$1 == "drm-client-id" { if ($2 !~ uint) bad("no number"); next }
$1 == "drm-client-name" { next }
$1 ~ /^drm-engine-capacity-[!-~]+$/ { if ($2 !~ /^[1-9][0-9]*$/) bad("no number"); next }
$1 ~ /^drm-engine-[!-~]+$/ { if ($2 !~ /^[0-9]+ ns$/) bad("no time"); engines++; next }
$1 ~ /^drm-total-[!-~]+$/ { if ($2 !~ /^[0-9]+( KiB| MiB)?$/) bad("no size"); next }
$1 ~ /^accel-[!-~]+$/ { next }
{ bad("a key that the grammar has not") }
END {
	if (!seen["drm-driver"]) print "no drm-driver"
	if (!seen["drm-client-id"]) print "no drm-client-id"
	if (!engines) print "no engine"
}
GRAMMAR
field() { sed -n "s/^$2:[[:space:]]*//p" "$1"; }

accelctl -b ctx list | awk 'NR > 1 { print $1, $2, $3 }' >$out.ctx
while read -r device ctx process; do
	for f in /proc/"$process"/fdinfo/*; do
		grep -q "^drm-client-id:.$ctx\$" "$f" && cat "$f" >$out.fdinfo
	done
	is "$(field $out.fdinfo accel-device)" "$device" "$device: the context's fdinfo says of what it is"
	is "$(awk -f $out.awk $out.fdinfo)" "" "$device: it obeys the grammar"
	is "$(field $out.fdinfo drm-driver)" "$(value $device driver)" "$device: its driver"
	case $device in
	acc0) pdev=$(basename "$(readlink -f $class/acc0/device)") ;;
	*) pdev= ;;
	esac
	is "$(field $out.fdinfo drm-pdev)" "$pdev" "$device: the PCI device, if it is one"
	is "$(field $out.fdinfo drm-total-pinned)" "$(($(value $device pinned_bytes) / 1024)) KiB" "$device: pinned"
	for e in "$class/$device"/engines/*; do
		e=${e##*/}
		is "$(field $out.fdinfo "drm-engine-$e")" "$(value $device engines/$e/busy_ns) ns" "$device: $e's time"
		is "$(field $out.fdinfo "accel-jobs-$e")" "$(value $device engines/$e/jobs)" "$device: $e's jobs"
	done
done <$out.ctx
is "$(wc -l <$out.ctx)" 2 "that was two contexts"

# whoever chooses what a process, or a file, is called chooses no lines
$forge acc1 "cat /proc/self/fdinfo/\$FD; cat $debug/acc1/contexts >$out.contexts" >$out.fdinfo
is "$(awk -f $out.awk $out.fdinfo)" "" "forged names: fdinfo obeys the grammar, no key comes twice"
is "$(field $out.fdinfo accel-state)" "ok" "forged names: its state is its own"
is "$(field $out.fdinfo drm-client-name)" '\012accel-state: o' "forged names: the process's, with its newline in octal"
# its errno is a number on a kernel without their names
is "$(field $out.fdinfo accel-last-error | sed 's/^[0-9A-Z]*: //; s/0x[0-9a-f]* //')" \
	"mem_pin: is beyond the end of 'memfd:x?accel-state:?ok \\?[2J?drm-client-id:?1' (tmpfs)" \
	"forged names: the file's, without"
is "$(awk 'NF != 9' $out.contexts)" "" "forged names: each line of contexts has its nine fields"
is "$(awk '{ print $5 }' $out.contexts | xargs)" 'comm load 012accel-state:040o' "forged names: one of them is the name"
rm -f $out.contexts

# what others may see: devices, and nothing of debugfs
su alice -c "cat $class/acc1/*_bytes $class/acc1/engines/*/* $class/acc1/soft/*_done" >/dev/null 2>$out
is "$(cat $out)" "" "alice reads sysfs, the driver's part included"
! su alice -c "cat $debug/acc1/gate" >/dev/null 2>&1; point $? "but not debugfs"

# ---- from under who has it open ----

exec 3<$class/acc1/soft/jobs_done 4<$debug/acc1/page_tables 5<$class/acc1/engines/eng0/jobs 6<$debug/acc1/gate
process=$(sed -n 's/^acc1 [0-9]* //p' $out.ctx)
ctx=$(sed -n 's/^acc1 \([0-9]*\) .*/\1/p' $out.ctx)
echo accel_soft.0 >$soft/unbind
for f in 3 4 5 6; do
	! cat <&$f >/dev/null 2>&1; point $? "unbound: file $f of sysfs, debugfs is not readable any more"
done
exec 3<&- 4<&- 5<&- 6<&-
[ ! -e $class/acc1 ] && [ ! -e $debug/acc1 ]; point $? "unbound: both directories are gone"
for f in /proc/"$process"/fdinfo/*; do
	grep -q "^drm-client-id:.$ctx\$" "$f" && cat "$f" >$out.fdinfo
done
is "$(field $out.fdinfo accel-state)" gone "unbound: the file's fdinfo says so"
is "$(awk -f $out.awk $out.fdinfo)" "" "unbound: and still obeys the grammar"
is "$(field $out.fdinfo drm-total-pinned)" "0 KiB" "unbound: nothing is pinned"
exec 9>&-
wait $pid
echo accel_soft.0 >$soft/bind
rm -f $out $out.*
echo "1..$n"
