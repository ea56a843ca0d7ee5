#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1 soft=2" PYTHON=1 TIMEOUT=300
"""
A member of the group, without a capability, serves the very figures that the load has counted
itself and that accel-top shows; Debian's prometheus_client reads them, in both formats.
"""
import json
import math

from exporter import OPENMETRICS, PROMETHEUS, Exporter, Load, Metrics, done, must, ok, run, same

NAMES = ["acc0", "acc1", "acc2"]
SOFT = NAMES[1:]
HISTOGRAMS = {
    # metric: in a load's report, in accel-top's
    "accel_job_wait_seconds": ("latency.queue", "job_wait"),
    "accel_job_run_seconds": ("latency.run", "job_run"),
    "accel_ioctl_duration_seconds": (None, "ioctl"),
    "accel_pin_duration_seconds": ("ioctls.mem_pin", "mem_pin"),
    "accel_dma_map_duration_seconds": (None, "dma_map"),
}


def at(value, path):
    for key in path.split("."):
        value = value[key]
    return value


def top():
    return json.loads(must("accel-top", "--json", "-n", "1", "-d", "0.1"))


def seconds(ns):
    """As the exporter writes them, read by a parser that makes a double of it."""
    return float(f"{ns // 10**9}.{ns % 10**9:09}")


def unprivileged(exporter):
    with open(f"/proc/{exporter.pid}/status", encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f)
    same((status["Name"], status["Uid"].split()[0]), ("accel-exporter", "1001"), "it runs as alice")
    for caps in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        same(int(status[caps], 16), 0, f"  {caps} is empty")


def described(metrics):
    """Each family as it should be: a name, a help, the units that it says it has."""
    for f in metrics.families.values():
        if not f.name.startswith("accel_") or not f.documentation.endswith("."):
            ok(False, f"{f.name}: a name of ours, a help")
        for unit in ("seconds", "bytes"):
            if f.name.endswith(f"_{unit}") != (f.unit == unit):
                ok(False, f"{f.name}: unit '{f.unit}'")
    kinds = {f.type for f in metrics.families.values()}
    same(kinds, {"gauge", "counter", "histogram", "info", "stateset"}, "OpenMetrics: types of families")


# What differs from one scrape to the next, though nothing happens
OWN = ("accel_exporter_scrapes", "accel_exporter_scrape_duration", "accel_exporter_cpu")


def formats(exporter):
    new, old = exporter.scrape(OPENMETRICS), exporter.scrape(PROMETHEUS)
    described(new)

    def values(m):
        return {key: value for key, value in m.samples.items()
                if not key[0].startswith(OWN) and not key[0].endswith("_created")}

    same(values(old), values(new), "both formats have the same samples")
    created = [key for key in new.samples if key[0].endswith("_created")]
    same(len(created), len(NAMES) * 5 + 2 * sum(len(new.all("accel_engine_depth_jobs", device=d)) for d in NAMES),
         "OpenMetrics: every histogram says when it began")
    same([key for key in old.samples if key[0].endswith("_created")], [], "the older format cannot")
    same(new.text.splitlines()[-1], "# EOF", "OpenMetrics: the end is marked")
    ok("# EOF" not in old.text and "# UNIT" not in old.text, "the older format has neither that nor units")


def growth(before, after, name, **labels):
    return after.sum(name, **labels) - before.sum(name, **labels)


def counts(before, after, load):
    for name in SOFT:
        want = load.device(name)
        for metric, key in (("accel_engine_jobs_total", "jobs"), ("accel_engine_job_errors_total", "errors"),
                            ("accel_engine_processed_bytes_total", "bytes")):
            same(growth(before, after, metric, device=name), want[key], f"{name}: {metric}")
        # doubles, added up: to the nanosecond
        same(round(growth(before, after, "accel_engine_wait_seconds_total", device=name), 9),
             round(after.get("accel_job_wait_seconds_sum", device=name), 9),
             f"{name}: the queue's time is the histogram's")
        same(after.get("accel_device_contexts", device=name), want["contexts"], f"{name}: contexts")
        same(after.get("accel_device_pinned_bytes", device=name), want["pinned_bytes"], f"{name}: pinned bytes")
        ioctls = sum(op["calls"] for op in want["ioctls"].values())
        for metric, (path, _) in HISTOGRAMS.items():
            n = at(want, path) if path else None
            n = ioctls if "ioctl" in metric else n.get("calls", n.get("count")) if n else None
            if n is not None:
                same(after.count(metric, device=name), n, f"{name}: {metric}: as the load counted")
        same(growth(before, after, "accel_operations_total", device=name, op="ioctl"), ioctls,
             f"{name}: operations: as many ioctls")
        for kind in ("wait", "run"):
            same(after.count(f"accel_engine_job_{kind}_seconds", device=name),
                 after.count(f"accel_job_{kind}_seconds", device=name),
                 f"{name}: its engines have all of accel_job_{kind}_seconds")
        same(after.get("accel_engine_job_wait_seconds_sum", device=name, engine="eng0"), None,
             f"{name}: an engine's sum is not known")
    same(after.get("accel_device_contexts", device=NAMES[0]), 0, "the edu has no contexts")
    same(after.count("accel_ioctl_duration_seconds", device=NAMES[0]), 0, "  and no latencies")


def percentiles(after, frame):
    """The bucket in which a percentile lies is where accel-top sees it, which is off by 6.25 %."""
    for dev in frame["devices"]:
        for metric, (_, kind) in HISTOGRAMS.items():
            total = dev["latency"][kind]["total"]
            buckets = after.buckets(metric, device=dev["name"])
            same(buckets[-1][1], total["count"], f"{dev['name']}: {metric}: as many as accel-top has")
            for percent in (50, 99) if total["count"] else ():
                rank = math.ceil(total["count"] * percent / 100)
                low = 0.0
                for edge, count in buckets:
                    if count >= rank:
                        break
                    low = edge
                value = total[f"p{percent}_ns"] / 1e9
                ok(low / 1.0625 <= value <= edge * 1.0625,
                   f"{dev['name']}: {metric}: p{percent} {value} s is in [{low}, {edge}]")


def as_top(after, frame):
    """All that is counted always, to the last digit."""
    for dev in frame["devices"]:
        name = dev["name"]
        same(after.get("accel_device_mapped_bytes", device=name), dev["mapped_bytes"], f"{name}: mapped bytes")
        same(after.state("accel_device_state", device=name), dev["state"], f"{name}: state")
        for engine in dev["engines"]:
            labels = {"device": name, "engine": engine["name"]}
            same([after.get(f"accel_engine_{metric}", **labels) for metric in
                  ("jobs_total", "job_errors_total", "processed_bytes_total", "busy_seconds_total",
                   "wait_seconds_total", "queued_jobs", "running_jobs", "depth_jobs")],
                 [engine["jobs"], engine["job_errors"], engine["bytes"], seconds(engine["busy_ns"]),
                  seconds(engine["wait_ns"]), engine["queued"], engine["running"], engine["depth"]],
                 f"{name} {engine['name']}: as accel-top shows it")
        ops = {op: (after.get("accel_operations_total", device=name, op=op),
                    after.get("accel_operation_errors_total", device=name, op=op),
                    after.get("accel_operations_inflight", device=name, op=op)) for op in dev["ops"]}
        same(ops, {op: (v["calls"], v["errors"], v["inflight"]) for op, v in dev["ops"].items()},
             f"{name}: operations as accel-top shows them")


def infos(after):
    for dev in json.loads(must("accelctl", "-j", "dev", "list"))["devices"]:
        have = after.all("accel_device_info", device=dev["name"])[0][0]
        for label, key in (("driver", "driver"), ("type", "type"), ("firmware_version", "firmware"),
                           ("serial", "serial"), ("uuid", "uuid"), ("parent", "parent")):
            same(have.get(label), dev.get(key) or None, f"{dev['name']}: {label}")
        same(have["id"], str(dev["id"]), f"{dev['name']}: id")
        same(have.get("pci"), dev["parent"][4:] if dev["parent"].startswith("pci/") else None, f"{dev['name']}: pci")


def contexts(load):
    """Root sees all of each; alice whose they are, and their jobs, by what is pinned."""
    for user, all_of_it in (("root", True), ("alice", False)):
        status, text, err = run("accel-exporter", "--once", "--contexts", "--format=openmetrics", user=user)
        same((status, err), (0, ""), f"{user}: --contexts")
        m = Metrics(text)
        infos_of = m.all("accel_context_info")
        same({have["context"] for have, _ in infos_of}, {str(c["id"]) for c in load.final["contexts"]},
             f"{user}: all contexts")
        for want in load.final["contexts"]:
            labels = {"device": want["device"], "context": str(want["id"])}
            have = m.all("accel_context_info", **labels)[0][0]
            same((have["pid"], have["uid"], have["cgroup"]), (str(want["pid"]), "0", f"/{want['tenant']}"),
                 f"{user}: context {want['id']}: whose it is")
            same([m.get(f"accel_context_{metric}", **labels) for metric in
                  ("jobs_total", "job_errors_total", "processed_bytes_total", "wait_seconds_total")],
                 [want["jobs"], want["errors"], want["bytes"], seconds(want["wait_ns"])],
                 f"{user}: context {want['id']}: its jobs")
            same(m.get("accel_context_pinned_bytes", **labels), want["pinned_bytes"] if all_of_it else None,
                 f"{user}: context {want['id']}: its memory{'' if all_of_it else ' is not for her to see'}")
            same(m.count("accel_context_job_wait_seconds", **labels), want["jobs"],
                 f"{user}: context {want['id']}: its waits")
            same(m.get("accel_context_job_wait_seconds_sum", **labels), seconds(want["wait_ns"]),
                 f"{user}: context {want['id']}: their sum")


must("mkdir", "-p", "/sys/fs/cgroup/red", "/sys/fs/cgroup/blue")
must("accelctl", "observe", "on")
server = Exporter()
unprivileged(server)
first = server.scrape()
same(first.get("accel_up"), 1, "the subsystem is up")
same(first.get("accel_observe_up"), 1, "it is observed")
same([have["device"] for have, _ in first.all("accel_device_info")], NAMES, "all devices")
work = Load("-D", "soft", "-T", "red=red:2", "-T", "blue=blue:1", "-J", "3", "-n", "200")
same(work.final["wrong"], 0, "the load's results")
last = server.scrape()
counts(first, last, work)
shown = top()
percentiles(last, shown)
as_top(last, shown)
infos(last)
formats(server)
contexts(work)
ok(not any("context" in name and name != "accel_device_contexts" or "pid" in dict(labels)
           for name, labels in last.samples), "no series of contexts unless they are asked for")
same(last.sum("accel_observe_lost_latencies_total"), 0, "nothing was lost")
same(work.end(), 0, "the load's end")
gone = server.scrape()
same(gone.sum("accel_device_contexts"), 0, "closed: no contexts")
same(gone.sum("accel_engine_jobs_total"), last.sum("accel_engine_jobs_total"), "closed: no job is forgotten")
same(Metrics(run("accel-exporter", "--once", "--contexts", "--format=openmetrics")[1]).all("accel_context_info"), [],
     "closed: none of them is shown")
same(server.end(), (0, ""), "SIGTERM ends it, without a word")
must("accelctl", "observe", "off")
done()
