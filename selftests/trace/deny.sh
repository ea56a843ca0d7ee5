#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" TIMEOUT=60
# accel-trace and a policy that refuses: before the call's own event, with its errno.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
work=/usr/lib/accelerator/selftests/trace/work

# what the work's first ioctl is called by number: ACCEL_IOCTL_MEM_PIN
accelctl policy load ioctl-filter deny=0,device=acc1,errno=EBUSY >/dev/null
ok $? "a policy that refuses to pin"

accel-trace -o /tmp/out $work acc1 1 0 0 2>/tmp/err
sed 's/^/# /' /tmp/out
[ "$(grep -c . /tmp/out)" = 4 ]; ok $? "open, refusal, ioctl, close"
grep -q 'policy_deny(ioctl-filter, hook=ioctl) *= -1 EBUSY' /tmp/out; ok $? "the refusal: by whom, and the errno"
[ "$(grep -n 'policy_deny' /tmp/out | cut -d: -f1)" -lt "$(grep -n ' ioctl(' /tmp/out | cut -d: -f1)" ]
ok $? "it comes before the call's end"

accel-trace -e policy --json -o /tmp/out $work acc1 1 0 0 2>/tmp/err
sed 's/^/# /' /tmp/out
[ "$(grep -c '"event":"policy_deny".*"policy":"ioctl-filter".*"hook":"ioctl"' /tmp/out)" = 1 ]
ok $? "-e policy --json"
grep -q '"ret":-16' /tmp/out; ok $? "with its errno"

accel-trace -e policy -o /tmp/out $work acc2 1 0 0 2>/tmp/err
[ "$(grep -c . /tmp/out)" = 0 ]; ok $? "none of a device that the policy is not for"

accelctl policy unload ioctl-filter >/dev/null; ok $? "unloaded"
accel-trace -e policy -o /tmp/out $work acc1 1 0 0 2>/tmp/err
[ "$(grep -c . /tmp/out)" = 0 ]; ok $? "none without the policy"
echo "1..$n"
