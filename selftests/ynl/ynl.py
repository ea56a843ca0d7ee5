#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# vm: DEVICES="edu=1,hotplug soft=2" PYTHON=1 TIMEOUT=240
"""
The netlink family through a client that knows nothing of it but its specification:
the kernel's own tools/net/ynl/cli.py, as it is. Every operation, every attribute,
every notification, and what is said about requests that are wrong.
"""
import ast
import contextlib
import ctypes
import fcntl
import io
import json
import mmap
import os
import runpy
import struct
import subprocess
import sys
import time

import yaml

YNL = "/usr/lib/accelerator/ynl"
CLI = f"{YNL}/tools/net/ynl/cli.py"
SPEC = f"{YNL}/Documentation/netlink/specs/accelerator.yaml"
ARGS = ["--spec", SPEC, "--no-schema", "--output-json"]
SOFT = "/sys/bus/platform/drivers/accel_soft"
NOBODY = 65534

# The first device of accel_soft, and the platform device that is its parent
DEVICE, PARENT = "acc1", "accel_soft.0"

# ---- TAP ----

points = failed = 0


def ok(good, what):
    global points, failed
    points += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {points} - {what}")


def same(have, want, what):
    ok(have == want, what)
    if have != want:
        print(f"#   is {have!r}, not {want!r}")


# ---- the client ----

# The same parser, in C: everything is slow here
if yaml.__with_libyaml__:
    yaml.safe_load = lambda stream: yaml.load(stream, yaml.CSafeLoader)
with open(SPEC, encoding="ascii") as spec_file:
    spec = yaml.safe_load(spec_file)
sets = {s["name"]: {a["name"]: a for a in s["attributes"]} for s in spec["attribute-sets"]}
ops = {op["name"]: op for op in spec["operations"]["list"]}
asked, seen = set(), set()      # (operation, mode, attribute), of requests and of replies


def note(kind, name, mode, space, attrs):
    """Which attributes, nested ones as well, are in a message."""
    for attr, value in attrs.items():
        kind.add((name, mode, attr))
        nested = sets[space][attr].get("nested-attributes")
        for inner in value if nested else []:
            note(kind, name, f"{mode} {attr}", nested, inner)


def run_here(args):
    """Run cli.py as python3 would, in this process, which is quicker."""
    out, argv, status = io.StringIO(), sys.argv, 0
    sys.argv = [CLI, *args]
    sys.path.insert(0, os.path.dirname(CLI))
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(CLI, run_name="__main__")
    except SystemExit as e:
        status = e.code
    finally:
        sys.argv = argv
        sys.path.pop(0)
    return status, out.getvalue()


def run_as(user, args):
    """Run it as another user."""
    run = subprocess.run([sys.executable, CLI, *args], capture_output=True, text=True, check=False,
                         user=user, group=user, extra_groups=[])
    return run.returncode, run.stdout, run.stderr


def cli(mode, name, attrs=None, user=None):
    """The reply, or a dict with "error" (a negative errno) and what extack said."""
    attrs = attrs or {}
    args = [*ARGS, f"--{mode}", name, "--json", json.dumps(attrs)]
    status, out = run_as(user, args)[:2] if user else run_here(args)
    space = ops[name]["attribute-set"]
    note(asked, name, mode, space, attrs)
    if status:
        said = {}
        for line in out.splitlines():
            key, _, value = line.strip().partition(": ")
            if key in ("error", "extack"):
                said[key] = ast.literal_eval(value)
        return {"error": said.get("error"), **said.get("extack", {})}
    reply = json.loads(out)
    for message in reply if mode == "dump" else [reply]:
        note(seen, name, mode, space, message)
    return reply


def listen(group, events):
    """What cli.py --subscribe prints when @events() happen while it sleeps."""
    sleep = time.sleep
    time.sleep = lambda seconds: events()
    try:
        status, out = run_here([*ARGS, "--subscribe", group, "--sleep", "1"])
    finally:
        time.sleep = sleep
    told = [] if status else json.loads(out)
    for ntf in told:
        note(seen, ntf["name"], "ntf", ops[ops[ntf["name"]]["notify"]]["attribute-set"], ntf["msg"])
    return told


def refused(mode, name, attrs, errno, text, **more):
    """A request that is wrong: which error, and which words and marks with it."""
    said = cli(mode, name, attrs)
    if not isinstance(said, dict) or "error" not in said:
        ok(False, f"{name} {mode} {attrs}: refused")
        return
    what = f"{name} {mode} {attrs}: {errno}, '{text}'"
    good = said["error"] == errno and text in said.get("msg", "")
    for key, value in more.items():
        good = good and said.get(key.replace("_", "-")) == value
        what += f", {key} {value}"
    ok(good, what)
    if not good:
        print(f"#   said: {said}")


# ---- the device, used through its own interface ----

def iowr(number, size):
    return 3 << 30 | size << 16 | 0xAC << 8 | number


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


class User:
    """One open file, with a region and a job that has been through."""

    def __init__(self, node=DEVICE):
        self.fd = os.open(f"/dev/accelerator/{node}", os.O_RDWR)

    def work(self):
        # page 0, which nobody has: why that is refused is to be seen
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.fd, iowr(0, 32), struct.pack("QQIIQ", 0, mmap.PAGESIZE, 1, 0, 0))
        memory = mmap.mmap(-1, 16 * mmap.PAGESIZE)
        memory.write(b"x" * len(memory))
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        pin = bytearray(struct.pack("QQIIQ", address, len(memory), 3, 0, 0))
        fcntl.ioctl(self.fd, iowr(0, len(pin)), pin)
        region = struct.unpack("QQIIQ", pin)[4]
        # fill it, on engine 0
        submit = bytearray(struct.pack("IIQQQQQQIIQ", 2, 0, 0, 0, region, 0, len(memory), 7, 0, 0, 0))
        fcntl.ioctl(self.fd, iowr(0x40, len(submit)), submit)
        job = struct.unpack("IIQQQQQQIIQ", submit)[10]
        wait = bytearray(struct.pack("QqQQQiI", job, 2**63 - 1, 0, 0, 0, 0, 0))
        fcntl.ioctl(self.fd, iowr(2, len(wait)), wait)
        self.memory = memory
        return struct.unpack("QqQQQiI", wait)[5]

    def close(self):
        os.close(self.fd)


def by_name(messages, name):
    return next((m for m in messages if m.get("name") == name), {})


# ---- what there is ----

def test_devices():
    devices = cli("dump", "device-get")
    same([d["name"] for d in devices], ["acc0", "acc1", "acc2"], "device-get dump: all devices")
    soft = by_name(devices, DEVICE)
    same(soft.get("driver"), "accel_soft", "a device's driver")
    same(soft.get("state"), "ok", "its state, by name")
    same(soft.get("flags"), [], "its flags")
    same(soft.get("parent"), f"platform/{PARENT}", "its parent")
    same([n["name"] for n in soft["node"]], [DEVICE, f"{DEVICE}c"], "its nodes, nested")
    with open(f"/sys/class/accelerator/{DEVICE}/dev", encoding="ascii") as f:
        node = soft["node"][0]
        same(f"{node['major']}:{node['minor']}", f.read().strip(), "a node's numbers are those of sysfs")
    for key in ("id", "index", "name"):
        same(cli("do", "device-get", {key: soft[key]}), soft, f"device-get do by {key}: the same")


def test_engines():
    engines = cli("dump", "engine-get")
    same(len(engines), 5, "engine-get dump: all engines")
    mine = cli("dump", "engine-get", {"dev-name": DEVICE})
    same([e["name"] for e in mine], ["eng0", "eng1"], "engine-get dump of a device, by name")
    same([e["index"] for e in cli("dump", "engine-get", {"dev-id": mine[0]["dev-id"]})], [0, 1],
         "engine-get dump of a device, by id")


def test_contexts():
    user = User()
    same(user.work(), 0, "a file is open, a job has been through")
    contexts = cli("dump", "context-get")
    same(len(contexts), 1, "context-get dump: the one")
    ctx = contexts[0]
    same((ctx["pid"], ctx["init-pid"], ctx["uid"], ctx["dev-name"], ctx["mems"]),
         (os.getpid(), os.getpid(), 0, DEVICE, 1), "whose it is, and what it has pinned")
    same(ctx["pinned-bytes"], len(user.memory), "how much that is")
    same([(u["name"], u["jobs"], u["bytes"]) for u in ctx["engine"]],
         [("eng0", 1, len(user.memory)), ("eng1", 0, 0)], "what it did on each engine, nested")
    same(by_name(ctx["op"], "job_submit").get("calls"), 1, "what it did at the gate, nested")
    same(ctx["last-error"], "EFAULT: mem_pin: nothing is mapped at 0x0", "why a call of it was refused")
    for attrs in ({"id": ctx["id"]}, {"id": ctx["id"], "dev-id": ctx["dev-id"]},
                  {"id": ctx["id"], "dev-name": DEVICE}):
        same(cli("do", "context-get", attrs).get("id"), ctx["id"], f"context-get do {list(attrs)}")
    for attrs, count in (({"dev-name": DEVICE}, 1), ({"dev-id": ctx["dev-id"]}, 1), ({"dev-name": "acc2"}, 0)):
        same(len(cli("dump", "context-get", attrs)), count, f"context-get dump {attrs}: {count}")
    same(cli("dump", "context-get", user=NOBODY), [], "another user sees none")
    same(cli("do", "context-get", {"id": ctx["id"]}, user=NOBODY).get("error"), -2,
         "and is told that there is none")
    same(len(cli("dump", "device-get", user=NOBODY)), 3, "but sees all devices")
    engine = cli("dump", "engine-get", {"dev-name": DEVICE})[0]
    same((engine["jobs"], engine["bytes"]), (1, len(user.memory)), "the engine counts the same")
    user.close()
    same(cli("dump", "context-get"), [], "closed: none")


def test_stats():
    every = cli("dump", "stats-get")
    same([s["dev-name"] for s in every], ["acc0", "acc1", "acc2"], "stats-get dump: all devices")
    mine = every[1]
    same(by_name(mine["op"], "job_submit").get("calls"), 1, "a closed context's job still counts")
    same(cli("do", "stats-get", {"dev-id": mine["dev-id"]}), mine, "stats-get do by id: the same")
    same(cli("do", "stats-get", {"dev-name": DEVICE}), mine, "stats-get do by name: the same")


# ---- what happens ----

def test_notifications():
    def rebind():
        write(f"{SOFT}/unbind", PARENT)
        write(f"{SOFT}/bind", PARENT)

    told = listen("devices", rebind)
    same([(n["name"], n["msg"]["name"], n["msg"]["state"]) for n in told],
         [("device-del-ntf", DEVICE, "gone"), ("device-add-ntf", DEVICE, "ok")],
         "unbind, bind: the device goes, and one comes")
    ok(told[1]["msg"]["id"] > told[0]["msg"]["id"], "under another id")
    same(cli("do", "device-get", {"name": DEVICE}), told[1]["msg"], "as device-get then shows it")

    told = listen("devices", lambda: write("/sys/class/accelerator/acc0/device/reset", "1"))
    same([(n["name"], n["msg"]["name"], n["msg"]["state"]) for n in told],
         [("device-change-ntf", "acc0", "resetting"), ("device-change-ntf", "acc0", "ok")],
         "a reset: the device changes, and changes back")
    same(cli("do", "device-get", {"name": "acc0"}), told[1]["msg"], "to what device-get then shows")

    def fail():
        write(f"/sys/class/accelerator/{DEVICE}/soft/set_state", "failed")
        write(f"/sys/class/accelerator/{DEVICE}/soft/set_state", "ok")

    told = listen("devices", fail)
    same([(n["name"], n["msg"]["name"], n["msg"]["state"]) for n in told],
         [("device-change-ntf", DEVICE, "failed"), ("device-change-ntf", DEVICE, "ok")],
         "a failure: the device changes, and changes back")

    def use():
        user = User()
        user.work()
        user.close()

    told = listen("contexts", use)
    same([n["name"] for n in told], ["context-open-ntf", "context-close-ntf"], "open, close")
    first, last = (n["msg"] for n in told)
    same((first["id"], first["init-pid"]), (last["id"], os.getpid()), "of the same context, of this process")
    same((first["pid"], last["pid"]), (0, 0), "whose pid is not said as in a namespace that nobody knows")
    same((first["engine"][0]["jobs"], last["engine"][0]["jobs"]), (0, 1), "the last with its counters")
    same(listen("devices", use), [], "who listens to devices is not told of contexts")

    status, _, err = run_as(NOBODY, [*ARGS, "--subscribe", "contexts"])
    ok(status and "PermissionError" in err, "another user cannot listen to contexts")
    same(run_as(NOBODY, [*ARGS, "--subscribe", "devices"]), (0, "[]\n", ""), "but to devices")


# ---- what is wrong ----

EINVAL, ENODEV, ENOENT, ERANGE, EOPNOTSUPP = -22, -19, -2, -34, -95


def test_errors():
    unknown = "Unknown attribute type"
    for name, key in (("device-get", "id"), ("stats-get", "dev-id")):
        refused("do", name, {}, EINVAL, "no device named", miss_type=key)
    refused("do", "context-get", {}, EINVAL, "no context named", miss_type="id")
    refused("do", "device-get", {"id": 1, "name": "acc0"}, EINVAL, "named twice", bad_attr=".name")
    refused("do", "stats-get", {"dev-id": 1, "dev-name": "acc0"}, EINVAL, "named twice", bad_attr=".dev-name")
    for mode, name, prefix in (("do", "device-get", ""), ("do", "stats-get", "dev-"),
                               ("dump", "engine-get", "dev-"), ("dump", "context-get", "dev-")):
        refused(mode, name, {f"{prefix}id": 0}, ERANGE, "out of range", bad_attr=f".{prefix}id")
        refused(mode, name, {f"{prefix}id": 2**64 - 1}, ENODEV, "no such device", bad_attr=f".{prefix}id")
        refused(mode, name, {f"{prefix}name": "acc99"}, ENODEV, "no such device", bad_attr=f".{prefix}name")
        refused(mode, name, {f"{prefix}name": "a" * 16}, EINVAL, "failed policy validation",
                bad_attr=f".{prefix}name", policy={"type": "nul-string", "max-length": 15})
    refused("do", "device-get", {"index": 4096}, ERANGE, "out of range", bad_attr=".index",
            policy={"type": "u32", "min-value": 0, "max-value": 4095})
    refused("do", "device-get", {"index": 99}, ENODEV, "no such device", bad_attr=".index")
    refused("do", "device-get", {"driver": "accel_soft"}, EINVAL, unknown, bad_attr=".driver")
    refused("do", "stats-get", {"op": []}, EINVAL, "no device named")
    refused("do", "context-get", {"id": 0}, ERANGE, "out of range", bad_attr=".id")
    refused("do", "context-get", {"id": 2**64 - 1}, ENOENT, "no such context", bad_attr=".id")
    refused("do", "context-get", {"id": 1, "pid": 1}, EINVAL, unknown, bad_attr=".pid")
    refused("do", "context-get", {"id": 1, "dev-name": "acc99"}, ENODEV, "no such device", bad_attr=".dev-name")
    refused("dump", "context-get", {"id": 1}, EINVAL, unknown, bad_attr=".id")
    refused("dump", "engine-get", {"index": 0}, EINVAL, unknown, bad_attr=".index")
    refused("dump", "device-get", {"id": 1}, EINVAL, "takes no attributes", bad_attr=".id")
    refused("dump", "stats-get", {"dev-id": 1}, EINVAL, "takes no attributes", bad_attr=".dev-id")
    refused("do", "engine-get", {}, EOPNOTSUPP, "")


def test_policies():
    same(cli("dump", "policy-get"), [], "policy-get dump: none is attached")
    subprocess.run(["mount", "-t", "bpf", "bpf", "/sys/fs/bpf"], check=False)
    for args in (["audit"], ["pin-limit", "default=4K", f"device={DEVICE}", "priority=-7"]):
        load = subprocess.run(["accelctl", "policy", "load", *args], capture_output=True, text=True, check=False)
        same((load.returncode, load.stderr), (0, ""), f"accelctl policy load {' '.join(args)}")
    user = User()
    with contextlib.suppress(OSError):      # EDQUOT
        user.work()
    user.close()
    policies = cli("dump", "policy-get")
    same([p["name"] for p in policies], ["audit", "pin-limit"], "policy-get dump: in the order in which they are asked")
    audit, limit = by_name(policies, "audit"), by_name(policies, "pin-limit")
    ok("device" not in audit, "audit is for all devices")
    same((audit["priority"], limit["priority"]), (-1000, -7), "their priorities")
    same((limit["device"], limit["bad-returns"], limit["overruled"]), (DEVICE, 0, 0), "what the other is for")
    ok(limit["link-id"] > 0, "what holds it")
    hooks = {hook["name"]: (hook["calls"], hook["refused"]) for hook in limit["hook"]}
    same(sorted(hooks), ["context_close", "mem_pin", "mem_unpinned", "open"], "its hooks")
    same(hooks["open"], (1, 0), "calls of one")
    same(hooks["mem_pin"][1], 1, "refusals of another")
    for name in ("audit", "pin-limit"):
        unload = subprocess.run(["accelctl", "policy", "unload", name], check=False)
        same(unload.returncode, 0, f"accelctl policy unload {name}")
    same(cli("dump", "policy-get"), [], "policy-get dump: none is left")
    refused("dump", "policy-get", {"id": 1}, EINVAL, "takes no attributes", bad_attr=".id")
    refused("do", "policy-get", {}, EOPNOTSUPP, "")


# ---- was that all that the specification has? ----

# A new context has not been refused anything yet
ABSENT = {("context-open-ntf", "ntf", "last-error")}


def test_complete():
    for name, op in ops.items():
        if "notify" in op:
            parts = [("ntf", ops[op["notify"]])]
        else:
            parts = [(mode, op) for mode in ("do", "dump") if mode in op]
        for mode, like in parts:
            body = like.get(mode) or like["dump"]
            want = {(name, mode, a) for a in body["reply"]["attributes"]}
            for attr in body["reply"]["attributes"]:
                nested = sets[like["attribute-set"]][attr].get("nested-attributes")
                want |= {(name, f"{mode} {attr}", inner) for inner in sets.get(nested, [])}
            missing = sorted(want - seen - ABSENT)
            same(missing, [], f"{name} {mode}: all of {len(want)} attributes have been seen")
            if mode != "ntf":
                want = {(name, mode, a) for a in body.get("request", {}).get("attributes", [])}
                same(sorted(want - asked), [], f"{name} {mode}: all of {len(want)} that select have been used")
    listed = run_here([*ARGS, "--list-msgs"])[1]
    same({line.split()[0] for line in listed.splitlines()}, set(ops), "cli.py knows the same messages")


for test in (test_devices, test_engines, test_contexts, test_stats, test_notifications, test_errors,
             test_policies, test_complete):
    print(f"# {test.__name__}")
    test()
    sys.stdout.flush()
print(f"1..{points}")
sys.exit(failed > 0)
