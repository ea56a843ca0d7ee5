#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" PYTHON=1 TIMEOUT=300
"""
Observing begins, ends and begins again, devices go and come, and so does the module, while
exporters run: what the next scrape says is so, and nothing is left of what was before.
"""
import json
import os
import pathlib
import time

from exporter import Exporter, Load, Metrics, done, must, ok, run, same

SOFT = pathlib.Path("/sys/bus/platform/drivers/accel_soft")
MODULES = "/usr/lib/accelerator/modules"
PINS = "/sys/fs/bpf/accelerator"


def jobs(device, n):
    """Some jobs of one context, which then goes; how many they were."""
    load = Load("-D", device, "-C", "1", "-J", "1", "-n", str(n))
    same((load.final["wrong"], load.end()), (0, 0), f"{load.final['jobs']} jobs on {device}")
    return load.final["jobs"]


def observed(exporter, state, what):
    m = exporter.scrape()
    same((m.get("accel_up"), m.get("accel_observe_up"), m.state("accel_observe_state")),
         (1, int(state == "on"), state), f"{what}: {state}")
    ok(any(name.endswith("_bucket") for name in m.names()) == (state == "on"),
       f"{what}: {'there are' if state == 'on' else 'no'} histograms")
    return m


def runs(m, device):
    return m.count("accel_job_run_seconds", device=device)


alice, bob = Exporter(user="alice"), Exporter(user="bob")

# ---- observing ----

observed(alice, "off", "before observe on")
jobs("acc1", 5)
must("accelctl", "observe", "on")
first = observed(alice, "on", "alice, observe on")
observed(bob, "denied", "bob, observe on")
same(runs(first, "acc1"), 0, "what came before is not counted")
n = jobs("acc1", 7)
m = alice.scrape()
same(runs(m, "acc1"), n, "what came since is")
same(m.get("accel_job_run_seconds_created", device="acc1"),
     first.get("accel_job_run_seconds_created", device="acc1"), "since when has not changed")

must("accelctl", "observe", "off")
observed(alice, "off", "alice, observe off")
observed(bob, "off", "bob, observe off")
jobs("acc1", 3)
must("accelctl", "observe", "on", "-g", "bob")
observed(alice, "denied", "alice, on for bob's group")
observed(bob, "on", "bob, on for his group")
must("accelctl", "observe", "on", "-g", "accel")
m = observed(alice, "on", "alice, and for hers again")
observed(bob, "denied", "bob, on for alice's group")
same(runs(m, "acc1"), 0, "it counts anew")
ok(m.get("accel_job_run_seconds_created", device="acc1") > first.get("accel_job_run_seconds_created", device="acc1"),
   "and says so")

# systemd's /sys/fs/bpf, without the door that observe makes there
os.chmod("/sys/fs/bpf", 0o700)
observed(alice, "unreachable", "/sys/fs/bpf is for root alone")
must("accelctl", "observe", "on")
observed(alice, "on", "and there is a door")
os.chmod("/sys/fs/bpf", 0o755)

# Off and on between two scrapes
n = jobs("acc1", 4)
same(runs(alice.scrape(), "acc1"), n, "counted so far")
must("accelctl", "observe", "off")
must("accelctl", "observe", "on")
n = jobs("acc1", 2)
same(runs(alice.scrape(), "acc1"), n, "off and on unseen: it counts anew")

# Pinned by a tool of another version
key = ["pinned", f"{PINS}/control", "key", "0", "0", "0", "0"]
value = json.loads(must("bpftool", "-j", "map", "lookup", *key))["value"]
must("bpftool", "map", "update", *key, "value", "99", *(str(int(byte, 0)) for byte in value[1:]))
status, text, err = run("accel-exporter", "--once", "--format=openmetrics", user="alice")
m = Metrics(text)
same((status, err, m.get("accel_up"), m.get("accel_observe_up"), m.state("accel_observe_state")),
     (0, "", 1, 0, "mismatch"), "another version's")
same(run("accel-exporter", "--once", "--require-latency", user="alice")[:2], (4, ""), "which is no latency")
must("accelctl", "observe", "off")
must("accelctl", "observe", "on")
observed(alice, "on", "mended")

# ---- devices ----

def device(m, name):
    found = m.all("accel_device_info", device=name)
    return found[0][0] if found else None


jobs("acc1", 6)
before = alice.scrape()
(SOFT / "unbind").write_text("accel_soft.0")
m = alice.scrape()
same([have["device"] for have, _ in m.all("accel_device_info")], ["acc0", "acc2"], "acc1 has gone")
same([key for key in m.samples if ("device", "acc1") in key[1]], [], "and none of its series is left")
(SOFT / "bind").write_text("accel_soft.0")
m = alice.scrape()
ok(int(device(m, "acc1")["id"]) > int(device(before, "acc1")["id"]), "another acc1 has come")
same((m.sum("accel_engine_jobs_total", device="acc1"), runs(m, "acc1") or 0), (0, 0), "with nothing of the other's")
os.system("chgrp accel /dev/accelerator/*")
n = jobs("acc1", 1)
m = alice.scrape()
same((m.sum("accel_engine_jobs_total", device="acc1"), runs(m, "acc1")), (n, n), "it counts its own")
ok(m.get("accel_job_run_seconds_created", device="acc1") >
   before.get("accel_job_run_seconds_created", device="acc1"), "since later")

# ---- the module ----

# What an exporter has of what was pinned keeps nobody from unloading it
must("accelctl", "observe", "off")
for module in ("accel_soft", "accel_edu", "accelerator"):
    # a worker gives back what programs had of it
    for _ in range(600):
        unloaded = not run("rmmod", module)[0]
        if unloaded:
            break
        time.sleep(0.1)
    ok(unloaded, f"{module} can be unloaded")
m = alice.scrape()
same((m.get("accel_up"), m.get("accel_observe_up")), (0, 0), "the module has gone")
same([key for key in m.samples if any(name == "device" for name, _ in key[1])], [], "and so has each device")
same(m.get("accel_exporter_scrape_errors_total"), 1, "that is counted")
must("insmod", f"{MODULES}/accelerator.ko")
m = alice.scrape()
same((m.get("accel_up"), m.all("accel_device_info")), (1, []), "the module is back, without a device")
must("insmod", f"{MODULES}/accel_soft.ko", "devices=1")
must("accelctl", "observe", "on")
m = observed(alice, "on", "and with one")
same((m.sum("accel_engine_jobs_total"), runs(m, "acc0")), (0, 0), "all counters begin at zero")
n = jobs("acc0", 2)
m = alice.scrape()
same((m.sum("accel_engine_jobs_total"), runs(m, "acc0")), (n, n), "and count")
must("accelctl", "observe", "off")
for exporter in (alice, bob):
    same(exporter.end(), (0, ""), "ended, without a word")
done()
