#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check that docs/tracepoints.md has every tracepoint and field, and no other.

Prints what differs, nothing when all is well.
"""
import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def header_events(text):
    """name of event -> its fields, in order"""
    fields, events = {}, {}
    for kind, name, body in re.findall(
            r"^(DECLARE_EVENT_CLASS|TRACE_EVENT)\((\w+),(.*?)^\);", text, re.S | re.M):
        fields[name] = [a or b or c for a, b, c in re.findall(
            r"__field\([\w ]+, *(\w+)\)|__array\(\w+, *(\w+)|__string\((\w+)", body)]
        if kind == "TRACE_EVENT":
            events[name] = fields[name]
    for cls, name in re.findall(r"^DEFINE_EVENT\((\w+), (\w+),", text, re.M):
        events[name] = fields[cls]
    return events


def documented_events(text):
    events = {}
    for title, body in re.findall(r"^### (accel_[^\n]*)\n(.*?)(?=^##|\Z)", text, re.S | re.M):
        cells = " ".join(line.split("|")[1] for line in body.splitlines()
                         if line.startswith("|"))
        fields = re.findall(r"`(\w+)`", cells)
        for name in title.split(", "):
            events[name] = fields
    return events


def main():
    header = header_events(read("kernel/include/trace/events/accel.h"))
    doc = documented_events(read("docs/tracepoints.md"))
    if not header:
        print("trace/events/accel.h: no event was found")
    for name in sorted(header.keys() | doc.keys()):
        if name not in doc:
            print(f"docs/tracepoints.md: {name} is missing")
        elif name not in header:
            print(f"docs/tracepoints.md: there is no {name}")
        elif set(header[name]) != set(doc[name]):
            missing = set(header[name]) - set(doc[name])
            extra = set(doc[name]) - set(header[name])
            print(f"docs/tracepoints.md: {name}: missing {sorted(missing)}, extra {sorted(extra)}")


main()
