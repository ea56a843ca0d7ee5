# SPDX-License-Identifier: GPL-2.0-only
"""What the exporter's tests share: TAP, the exporter itself, and a reader that is not ours."""
import contextlib
import http.client
import json
import math
import os
import re
import signal
import subprocess
import sys

from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

LOAD = "/usr/lib/accelerator/selftests/load/load"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

# ---- TAP ----

points = failed = 0


def ok(good, what):
    global points, failed
    points += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {points} - {what}", flush=True)


def same(have, want, what):
    ok(have == want, what)
    if have != want:
        print(f"#   is {have!r}, not {want!r}", flush=True)


def done():
    print(f"1..{points}", flush=True)
    sys.exit(failed > 0)


# ---- programs ----

def run(*args, user=None):
    """Exit status, stdout, stderr; as @user, with that user's groups."""
    if user:
        args = ["su", user, "-c", "exec " + " ".join(args)]
    proc = subprocess.run(args, capture_output=True, text=True, check=False)
    return proc.returncode, proc.stdout, proc.stderr


def must(*args):
    status, out, err = run(*args)
    if status:
        print(f"Bail out! {' '.join(args)}: {status} {err}", flush=True)
        sys.exit(1)
    return out


class Load:
    """A load that stays as it is, with all of its contexts open, once its jobs are done."""

    def __init__(self, *args):
        self.proc = subprocess.Popen([LOAD, "--json", "--hold", *args], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        for line in self.proc.stdout:
            self.final = json.loads(line)
            if self.final["kind"] == "final":
                return
        print("Bail out! the load has no final report", flush=True)
        sys.exit(1)

    def device(self, name):
        return next(d for d in self.final["devices"] if d["device"] == name)

    def end(self):
        self.proc.stdin.close()
        self.proc.stdout.read()
        return self.proc.wait()


# ---- metrics ----

class Metrics:
    """A document, by a parser that knows nothing of us; sample(name, label=value) is a value."""

    def __init__(self, text, kind=OPENMETRICS):
        self.text = text
        parse = openmetrics if kind == OPENMETRICS else prometheus
        self.families = {f.name: f for f in parse.text_string_to_metric_families(text)}
        self.samples = {}
        for family in self.families.values():
            for s in family.samples:
                key = s.name, tuple(sorted(s.labels.items()))
                if key in self.samples:
                    raise ValueError(f"{key} is there twice")
                self.samples[key] = s.value

    def get(self, name, **labels):
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def names(self):
        return {name for name, _ in self.samples}

    def all(self, name, **labels):
        """Of each sample that has these labels: all labels, value."""
        found = []
        for (n, have), value in self.samples.items():
            if n == name and labels.items() <= dict(have).items():
                found.append((dict(have), value))
        return found

    def sum(self, name, **labels):
        return sum(value for _, value in self.all(name, **labels))

    def buckets(self, name, **labels):
        """[(edge, cumulative count)], by edge"""
        return sorted((float(have["le"]), value) for have, value in self.all(f"{name}_bucket", **labels))

    def count(self, name, **labels):
        """How many values a histogram has; None where there is none."""
        found = [value for edge, value in self.buckets(name, **labels) if math.isinf(edge)]
        return sum(found) if found else None

    def state(self, name, **labels):
        found = [have[name] for have, value in self.all(name, **labels) if value == 1]
        return found[0] if len(found) == 1 else found


class Exporter:
    """One that serves, on a port that is free."""

    def __init__(self, user="alice", listen="127.0.0.1:0"):
        self.proc = subprocess.Popen(["su", user, "-c", f"exec accel-exporter --listen {listen}"],
                                     stderr=subprocess.PIPE, text=True)
        line = self.proc.stderr.readline()
        found = re.search(r"http://.*:(\d+)/metrics$", line)
        if not found:
            print(f"Bail out! the exporter does not serve: {line}", flush=True)
            sys.exit(1)
        self.port = int(found.group(1))
        # busybox's su is that process itself
        self.pid = self.proc.pid

    def ask(self, method="GET", path="/metrics", **headers):
        """Status, headers, body"""
        conn = http.client.HTTPConnection("127.0.0.1", self.port)
        with contextlib.closing(conn):
            conn.request(method, path, headers=headers)
            reply = conn.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read().decode()

    def scrape(self, kind=OPENMETRICS):
        status, headers, text = self.ask(Accept=kind)
        if (status, headers["Content-Type"]) != (200, kind):
            raise ValueError(f"{status} {headers}")
        return Metrics(text, kind)

    def files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def end(self):
        self.proc.send_signal(signal.SIGTERM)
        said = self.proc.stderr.read()
        return self.proc.wait(), said
