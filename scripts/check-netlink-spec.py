#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check that the netlink family's specification and its C header agree.

Prints what differs, nothing when all is well. With --schema FILE (the kernel's
Documentation/netlink/genetlink.yaml) the specification is validated too.
"""
import argparse
import os
import re
import sys

try:
    import yaml
except ImportError:
    sys.exit("python3 has no module yaml: install python3-yaml (make setup does)")

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SPEC = os.path.join(TOP, "docs/netlink/accelerator.yaml")
HEADER = os.path.join(TOP, "kernel/include/uapi/linux/accelerator_netlink.h")
wrong = []


def complain(text):
    wrong.append(text)


def c_name(*parts):
    return "".join(parts).upper().replace("-", "_")


def of_header(text):
    """All enumerators and #defines of the header, by name; and the types of its comments."""
    values, types = {}, {}
    code = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    for body in re.findall(r"enum\s*\w*\s*\{(.*?)\}", code, flags=re.S):
        value = -1
        for item in filter(None, (i.strip() for i in body.split(","))):
            name, _, expr = (p.strip() for p in item.partition("="))
            value = eval(expr.strip("()"), {}, dict(values)) if expr else value + 1
            values[name] = value
    for name, value in re.findall(r"^#define\s+(ACCELERATOR_\w+)\s+(\S+)", code, flags=re.M):
        values[name] = value.strip('"') if value.startswith('"') else int(value)
    for name, comment in re.findall(r"^\t(\w+)(?: = \d+)?,\s*/\* (.*?)(?:\*/|$)", text, flags=re.M):
        types[name] = comment
    return values, types


def of_spec(spec):
    """The same as the kernel's generator would write it."""
    values, types = {}, {}
    family = spec["name"]
    values[c_name(family, "-family-name")] = family
    values[c_name(family, "-family-version")] = spec.get("version", 1)
    for group in spec["mcast-groups"]["list"]:
        values[c_name(family, "-mcgrp-", group["name"])] = group["name"]
    for d in spec["definitions"]:
        for i, entry in enumerate(d["entries"]):
            value = 1 << i if d["type"] == "flags" else i
            values[c_name(family, "-", d["name"], "-", entry["name"])] = value
    for s in spec["attribute-sets"]:
        prefix = s["name-prefix"]
        for i, attr in enumerate(s["attributes"]):
            name = c_name(prefix, attr["name"])
            values[name] = i + 1
            types[name] = attr["type"]
        values["__" + c_name(prefix, "max")] = len(s["attributes"]) + 1
        values[c_name(prefix, "max")] = len(s["attributes"])
    ops = spec["operations"]
    for i, op in enumerate(ops["list"]):
        values[c_name(ops["name-prefix"], op["name"])] = i + 1
    values["__" + c_name(ops["name-prefix"], "max")] = len(ops["list"]) + 1
    values[c_name(ops["name-prefix"], "max")] = len(ops["list"])
    return values, types


def compare(spec, header):
    want, want_types = of_spec(spec)
    have, have_types = of_header(header)
    for name in sorted(want.keys() | have.keys()):
        if name not in have:
            complain(f"{name}: in the specification only")
        elif name not in want:
            complain(f"{name}: in the header only")
        elif want[name] != have[name]:
            complain(f"{name}: {want[name]} in the specification, {have[name]} in the header")
    for name, kind in want_types.items():
        comment = have_types.get(name, "")
        said = "nest" if "nest of" in comment else re.split(r"[ :,]", comment)[0]
        if said != kind:
            complain(f"{name}: {kind} in the specification, its comment in the header begins "
                     f"with \"{said}\"")


def consistent(spec):
    """What the schema cannot say."""
    sets = {s["name"]: {a["name"]: a for a in s["attributes"]} for s in spec["attribute-sets"]}
    ops = {op["name"] for op in spec["operations"]["list"]}
    groups = {g["name"] for g in spec["mcast-groups"]["list"]}
    if len(spec["name"]) > 15:
        complain("the family's name is longer than the 15 characters that the kernel takes")
    for name, attrs in sets.items():
        for attr in attrs.values():
            if not attr.get("doc"):
                complain(f"attribute {name}.{attr['name']} has no doc")
            if attr["type"] == "nest" and attr["nested-attributes"] not in sets:
                complain(f"attribute {name}.{attr['name']} nests an unknown set")
    for op in spec["operations"]["list"]:
        if not op.get("doc"):
            complain(f"operation {op['name']} has no doc")
        if "notify" in op and (op["notify"] not in ops or op["mcgrp"] not in groups):
            complain(f"notification {op['name']} is of an unknown operation or group")
        for kind in ("do", "dump"):
            for part in op.get(kind, {}).values():
                for attr in part["attributes"]:
                    if attr not in sets[op["attribute-set"]]:
                        complain(f"operation {op['name']}: unknown attribute {attr}")


def validate(spec, schema_file):
    import jsonschema

    with open(schema_file, encoding="utf-8") as f:
        schema = yaml.safe_load(f)
    for error in jsonschema.Draft7Validator(schema).iter_errors(spec):
        complain(f"schema: {'/'.join(map(str, error.path))}: {error.message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--schema", help="the kernel's Documentation/netlink/genetlink.yaml")
    args = parser.parse_args()

    with open(SPEC, encoding="utf-8") as f:
        spec = yaml.safe_load(f)
    with open(HEADER, encoding="utf-8") as f:
        header = f.read()
    if args.schema:
        validate(spec, args.schema)
    consistent(spec)
    compare(spec, header)
    for text in wrong:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
