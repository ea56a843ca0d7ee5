#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make bench: run the benchmarks, judge them, print one table, write docs/benchmarks.md.

Usage: selftests/bench/bench.py [AREA...]

Each area is a file selftests/bench/AREA.toml:

    title, about        for the document
    [[run]]             one machine and what runs on it
      vm = {...}        variables of selftests/vm/run; or host = true: no machine
      command           $bench is the directory of the guest's programs, $load_bench loads
                        the core and accel_bench
      unit              of its rows: instructions, ns, us, bytes, ...
    [[run.row]]         two of its series, compared
      what              is measured
      ours, peer        [SERIES, name]; SERIES may be "A - B", taken sample by sample
      bar               what the ratio ours/peer must be: "<= 1.15", "< 1", ">= 5"; may be absent
      unit              where it is another one
      each              {NAME = [VALUE, ...]}: a row for each combination, {NAME} replaced in
                        what, ours and peer

Programs print "@ SERIES VALUE" lines (bench.h). A row is the medians of at least 20
samples. Exits 1 when a row misses its bar, 2 when something could not be measured.
"""
import itertools
import os
import re
import statistics
import subprocess
import sys
import tomllib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(TOP, "selftests/bench")
DOC = os.path.join(TOP, "docs/benchmarks.md")
ENOUGH = 20
GUEST = "/usr/lib/accelerator/selftests/bench"
LOAD = ("for m in accelerator accel_bench; do"
        " insmod /usr/lib/accelerator/modules/$m.ko 2>/dev/null; done;"
        " test -c /dev/accel_bench || exit 1")
VERDICTS = {True: "pass", False: "FAIL", None: ""}


def progress(text):
    print(f"  BENCH   {text}", file=sys.stderr, flush=True)


def read_areas(names):
    known = sorted(f[:-5] for f in os.listdir(HERE) if f.endswith(".toml"))
    for name in names or known:
        if name not in known:
            sys.exit(f"bench: no area {name}; there are: {' '.join(known)}")
        with open(os.path.join(HERE, name + ".toml"), "rb") as f:
            yield name, tomllib.load(f)


def expand(row):
    """A row with each={...} is as many rows as there are combinations."""
    names = row.get("each", {})
    for values in itertools.product(*names.values()):
        fill = dict(zip(names, values))
        yield {**row, "what": row["what"].format(**fill),
               **{side: [text.format(**fill) for text in row[side]] for side in ("ours", "peer")}}


def execute(area, run):
    """What its programs said: {series: [sample, ...]}, or why there is nothing."""
    env = dict(os.environ)
    for name in ("DEVICES", "KERNEL", "MEM", "SMP", "APPEND", "QEMU_EXTRA", "MODULES",
                 "PYTHON", "FILES", "ICOUNT", "TOOLS"):
        env.pop(name, None)
    command = run["command"].replace("$load_bench", LOAD).replace("$bench", GUEST)
    if run.get("host"):
        argv = ["sh", "-c", command]
        progress(f"{area}, on this machine")
    else:
        vm = run["vm"]
        if vm.get("KERNEL") == "full":
            # once, 10 to 20 minutes; then this takes a second
            subprocess.run(["make", "-s", "SETUP=no", "kernel-full"], cwd=TOP, env=env, check=True,
                           stdout=sys.stderr)
        env.update({"TIMEOUT": "600"}, **vm)
        # background work takes up to half of the processor before that
        argv = [os.path.join(TOP, "selftests/vm/run"), f"sleep 6; {command}"]
        progress(f"{area}, {' '.join(f'{k}={v!r}' for k, v in vm.items())}")
    done = subprocess.run(argv, cwd=TOP, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    series = {}
    for line in done.stdout.splitlines():
        if m := re.fullmatch(r"@ (\S+) (-?[0-9.]+)", line):
            series.setdefault(m[1], []).append(float(m[2]))
        elif line:
            print(f"          {line}", file=sys.stderr)
    if done.returncode:
        sys.stderr.write(done.stderr)
        progress(f"{area}: exit status {done.returncode}")
    return series, done.returncode


def samples(series, expression):
    """"A" or "A - B": the second's samples are taken off the first's, one by one."""
    a, _, b = expression.partition(" - ")
    if not b:
        return series.get(a, [])
    return [x - y for x, y in zip(series.get(a, []), series.get(b, []))]


def judge(ratio, bar):
    op, value = bar.split()
    value = float(value)
    return {"<=": ratio <= value, "<": ratio < value, ">=": ratio >= value, ">": ratio > value}[op]


def measure(run, row, series):
    unit = row.get("unit", run.get("unit", ""))
    result = {"what": row["what"], "ours": row["ours"][1], "peer": row["peer"][1], "unit": unit,
              "bar": row.get("bar", ""), "ratio": None, "values": (None, None), "passed": None}
    both = [samples(series, row[side][0]) for side in ("ours", "peer")]
    if min(len(s) for s in both) >= ENOUGH:
        ours, peer = result["values"] = tuple(statistics.median(s) for s in both)
        result["ratio"] = ours / peer if peer > 0 else None
    if result["ratio"] is None:
        result["passed"] = False
    elif result["bar"]:
        result["passed"] = judge(result["ratio"], result["bar"])
    return result


def number(value, unit):
    """Counts are the same each time; of times only two digits mean anything."""
    if value is None:
        return "not measured"
    if unit == "instructions":
        return f"{value:.1f}"
    if unit == "bytes":
        return f"{value:.0f}"
    rounded = float(f"{value:.1e}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 else f"{rounded:g}"


def ratio(result):
    if result["ratio"] is None:
        return "-"
    if result["unit"] in ("instructions", "bytes"):
        return f"{result['ratio']:.3f}"
    return f"{float(format(result['ratio'], '.1e')):g}"


def cells(result):
    ours, peer = (f"{result[side]}: {number(value, result['unit'])}"
                  for side, value in zip(("ours", "peer"), result["values"]))
    return [f"{result['what']}, {result['unit']}", ours, peer, ratio(result), result["bar"],
            VERDICTS[result["passed"]]]


HEAD = ["what", "ours", "peer", "ratio", "bar", ""]


def table(rows):
    rows = [HEAD] + rows
    widths = [max(len(r[i]) for r in rows) for i in range(len(HEAD))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip() for r in rows)


def markdown(rows):
    rows = [["what", "ours", "peer", "ratio", "bar", "verdict"], ["---"] * 6] + rows
    return "\n".join("| " + " | ".join(r) + " |" for r in rows)


def setting(name):
    with open(os.path.join(TOP, "build/kernel.mk"), encoding="ascii") as f:
        return re.search(rf"^{name} := (.*)$", f.read(), re.M)[1]


def machine(run):
    if run.get("host"):
        return f"on the host: `{run['command']}`"
    vm = " ".join(f'{k}="{v}"' if " " in v else f"{k}={v}" for k, v in run["vm"].items())
    return f"`{vm}`"


def document(done):
    """Sections of areas that did not run stay as they are."""
    try:
        with open(DOC, encoding="utf-8") as f:
            old = dict(re.findall(r"^<!-- area (\S+) -->\n(.*?)(?=^<!-- area |\Z)", f.read(), re.M | re.S))
    except FileNotFoundError:
        old = {}
    for name, area, rows in done:
        where = list(dict.fromkeys(machine(run) for run in area["run"]))
        old[name] = (f"\n## {area['title']}\n\n{area['about'].strip()}\n\n{markdown(rows)}\n\n"
                     f"Measured {'; '.join(where)}.\n\n")
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split("\n")[0]
    head = f"""# Benchmarks

Written by `make bench` (`BENCH="area area"` runs some of the areas and rewrites their
sections). It exits non-zero when a ratio misses its bar.

Kernel: Debian {setting('KERNEL_VERSION')} ({setting('KERNEL_RELEASE')}). {qemu}.

Every row compares two things in one run of one machine, sampled in turn; the figures are
medians of at least {ENOUGH} samples, the ratio is ours by the peer's. Instructions are counted
by a machine with `ICOUNT=1` (`-icount shift=0,sleep=off`, one processor, `tsc=reliable`), of
which each clock says how many there were, after 6 s in which it settles: they are the same to
a tenth each time. Times are those of an emulated machine, or where it says so of the host's
own processor: only ratios of them mean anything, and they are given to two digits.
A row without a bar is there to be known.

"""
    sections = "".join(f"<!-- area {name} -->\n{old[name].rstrip()}\n\n" for name in sorted(old))
    with open(DOC + ".new", "w", encoding="utf-8") as f:
        f.write(head + sections.rstrip() + "\n")
    os.replace(DOC + ".new", DOC)


def main(names):
    done, results, trouble = [], [], False
    for name, area in read_areas(names):
        rows = []
        for run in area["run"]:
            series, status = execute(name, run)
            trouble |= status != 0
            rows += [measure(run, row, series) for entry in run["row"] for row in expand(entry)]
        results += rows
        done.append((name, area, [cells(r) for r in rows]))
    print(table([row for _, _, rows in done for row in rows]))
    trouble |= any(r["ratio"] is None for r in results)
    missed = sum(r["passed"] is False for r in results)
    if trouble:
        print("bench: not everything could be measured, see above; docs/benchmarks.md stays as it was",
              file=sys.stderr)
        return 2
    document(done)
    print(f"{sum(r['passed'] is True for r in results)} bars met, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
