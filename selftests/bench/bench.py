#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make bench: run the benchmarks, judge them, print one table, write docs/benchmarks.md.

Usage: selftests/bench/bench.py [AREA...]

Each area is a file selftests/bench/AREA.toml:

    title, about        for the document
    peers               Debian packages whose versions the document names
    [[run]]             one machine and what runs on it
      vm = {...}        variables of selftests/vm/run; or host = true: no machine
      untraced = true   the guest also gets /root/untraced/accelerator.ko, the core as it would
                        be without its tracepoints (-DNOTRACE)
      boots             of a machine that is started so often: how much code costs there differs by
                        where it lies, which is another place each time; one if not given
      command           $bench is the directory of the guest's programs, $load_bench loads
                        the core and accel_bench
      unit              of its rows: instructions, ns, us, bytes, ...
    [[run.row]]         two of its series, compared
      what              is measured
      ours, peer        [SERIES, name]; SERIES may be "A - B", taken sample by sample
      bar               what the ratio ours/peer must be: "<= 1.15", "< 1", ">= 5", "== 1"; may
                        be absent
      by                of which samples: "median" (if not given), "worst", or the "sum" of all
      unit              where it is another one
      each              {NAME = [VALUE, ...]}: a row for each combination, {NAME} replaced in
                        what, ours and peer

Programs print "@ SERIES VALUE" lines (bench.h). A row's figures are the medians of at least 20
samples. Each sample has its own ratio, of two that were taken one after the other; a row is
judged by the median of these, and by how far that can be trusted: between two of the ratios, in
their order, the median lies with a confidence of 95 % (sign test; of 25 they are the 8th and
the 18th). If all between them is within the bar, it is met; if nothing is, it is missed; else
it is undecided. By "worst": the worst sample alone. By "sum": all samples added up, and there
may be fewer than 20. Both are met or missed. With boots, what one machine took, in the median,
is one sample.

Exits 1 when a row misses its bar, or is undecided with a median beyond it and no row of the
same names, counted in instructions, meets it; 2 when something could not be measured: then no
document is written.
"""
import itertools
import math
import os
import re
import statistics
import subprocess
import sys
import time
import tomllib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(TOP, "selftests/bench")
DOC = os.path.join(TOP, "docs/benchmarks.md")
ENOUGH = 20
GUEST = "/usr/lib/accelerator/selftests/bench"
LOAD = ("for m in accelerator accel_bench; do"
        " insmod /usr/lib/accelerator/modules/$m.ko 2>/dev/null; done;"
        " test -c /dev/accel_bench || exit 1")
UNTRACED = os.path.join(TOP, "build/bench/untraced")
PASS, MISS, UNDECIDED, UNMEASURED = "pass", "MISS", "undecided", "NOT MEASURED"
BAR = {"<=": lambda ratio, bar: ratio <= bar, "<": lambda ratio, bar: ratio < bar,
       ">=": lambda ratio, bar: ratio >= bar, ">": lambda ratio, bar: ratio > bar,
       "==": lambda ratio, bar: ratio == bar}


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


def build_untraced(env):
    """The core without tracepoints, in a directory of its own: nobody else loads it."""
    built = os.path.join(TOP, "build/bench/kbuild")
    subprocess.run([os.path.join(TOP, "scripts/kbuild"), setting("KERNEL_DIR"), built,
                    "ACCEL_DIRS=core/", "KCFLAGS=-DNOTRACE"],
                   cwd=TOP, env=env, check=True, stdout=sys.stderr)
    os.makedirs(UNTRACED, exist_ok=True)
    subprocess.run(["strip", "--strip-debug", "-o", os.path.join(UNTRACED, "accelerator.ko"),
                    os.path.join(built, "core/accelerator.ko")], check=True)


def guest(run, env):
    """The machine of a run, as arguments of a command, and in @env."""
    vm = run["vm"]
    if vm.get("KERNEL") == "full":
        # once, 10 to 20 minutes; then this takes a second
        subprocess.run(["make", "-s", "SETUP=no", "kernel-full"], cwd=TOP, env=env, check=True,
                       stdout=sys.stderr)
    if run.get("untraced"):
        build_untraced(env)
        env["FILES"] = UNTRACED
    env.update({"TIMEOUT": "600"}, **vm)
    command = run["command"].replace("$load_bench", LOAD).replace("$bench", GUEST)
    # background work takes up to half of the processor before that
    return [os.path.join(TOP, "selftests/vm/run"), f"sleep 6; {command}"]


def start(area, argv, env):
    """What its programs said once: {series: [sample, ...]}, and the exit status."""
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


def boot_medians(boots):
    """Of each series one sample a boot; of those that all boots together have enough of."""
    return {name: [statistics.median(series[name]) for series in boots]
            for name in boots[0] if all(name in series for series in boots)
            and sum(len(series[name]) for series in boots) >= ENOUGH}


def execute(area, run):
    """All that its programs said, and the worst exit status."""
    env = dict(os.environ)
    for name in ("DEVICES", "KERNEL", "MEM", "SMP", "APPEND", "QEMU_EXTRA", "MODULES",
                 "PYTHON", "FILES", "ICOUNT", "TOOLS"):
        env.pop(name, None)
    argv = ["sh", "-c", run["command"]] if run.get("host") else guest(run, env)
    progress(f"{area}, {machine(run)}")
    begin = time.monotonic()
    boots, statuses = zip(*(start(area, argv, env) for _ in range(run.get("boots", 1))))
    progress(f"{area}: {time.monotonic() - begin:.0f} s")
    return boot_medians(boots) if "boots" in run else boots[0], max(statuses)


def samples(series, expression):
    """"A" or "A - B": the second's samples are taken off the first's, one by one."""
    a, _, b = expression.partition(" - ")
    if not b:
        return series.get(a, [])
    return [x - y for x, y in zip(series.get(a, []), series.get(b, []))]


def interval(lows, highs):
    """Where the median lies with a confidence of 95 %, whatever the distribution is."""
    n = len(lows)
    rank, below = 0, 1
    while below <= .025 * 2 ** n:
        rank += 1
        below += math.comb(n, rank)
    rank = max(rank, 1)
    return sorted(lows)[rank - 1], sorted(highs)[n - rank]


def judge(low, high, bar):
    """The bar, of a ratio that is somewhere from @low to @high."""
    op, value = bar.split()
    met = [BAR[op](ratio, float(value)) for ratio in (low, high)]
    return PASS if all(met) else UNDECIDED if any(met) else MISS


def beyond_bar(results):
    """
    Of the undecided rows those whose median is not within the bar: unless it is the clock that
    cannot tell, and the same in instructions meets the bar.
    """
    counted = {tuple(r[k] for k in ("what", "ours", "peer", "bar")) for r in results
               if r["unit"] == "instructions" and r["verdict"] == PASS}
    return [r for r in results if r["verdict"] == UNDECIDED and
            judge(r["best"], r["best"], r["bar"]) == MISS and
            tuple(r[k] for k in ("what", "ours", "peer", "bar")) not in counted]


def measure(run, row, series):
    result = {"what": row["what"], "ours": row["ours"][1], "peer": row["peer"][1],
              "unit": row.get("unit", run.get("unit", "")), "bar": row.get("bar", ""),
              "ratio": None, "best": None, "range": (None, None), "values": (None, None), "verdict": UNMEASURED}
    by = row.get("by", "median")
    both = [samples(series, row[side][0]) for side in ("ours", "peer")]
    if by == "sum":
        both = [[sum(s)] if s else [] for s in both]
    pairs = list(zip(*both))
    if len(pairs) < (1 if by == "sum" else run.get("boots", ENOUGH)):
        return result
    if by == "worst":
        pairs = [(max if row["bar"][0] == "<" else min)(
            pairs, key=lambda pair: pair[0] / pair[1] if pair[1] > 0 else math.inf)]
    result["values"] = tuple(statistics.median(side) for side in zip(*pairs))
    ratios = [ours / peer for ours, peer in pairs if peer > 0]
    if not ratios:
        return result
    result["ratio"] = statistics.median(ratios)
    # of a difference that noise has made negative, nothing is known: it may be anything
    unknown = [math.inf] * (len(pairs) - len(ratios))
    result["range"] = interval(ratios + [-u for u in unknown], ratios + unknown)
    result["verdict"] = judge(*result["range"], result["bar"]) if result["bar"] else ""
    if result["bar"]:
        best = [-u if result["bar"][0] == "<" else u for u in unknown]
        result["best"] = statistics.median(ratios + best)
    return result


def number(value, unit):
    """Counts are the same each time; of times three digits mean more than enough."""
    if value is None:
        return "not measured"
    if unit == "instructions":
        return f"{value:.1f}"
    if unit in ("bytes", "events"):
        return f"{value:.0f}"
    rounded = float(f"{value:.2e}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"


def ratio(result):
    """With where it may be, when that is not the same to three digits."""
    if result["ratio"] is None:
        return "-"
    low, middle, high = ("?" if math.isinf(r) else f"{r:.3f}" if r < 100 else f"{r:.0f}"
                         for r in (result["range"][0], result["ratio"], result["range"][1]))
    return middle if low == high else f"{middle} ({low} to {high})"


def cells(result):
    ours, peer = (f"{result[side]}: {number(value, result['unit'])}"
                  for side, value in zip(("ours", "peer"), result["values"]))
    return [f"{result['what']}, {result['unit']}", ours, peer, ratio(result), result["bar"],
            result["verdict"]]


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
    return f"`{vm}`" + (f", {run['boots']} times" if "boots" in run else "")


def output(*argv):
    return subprocess.run(argv, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=True).stdout.strip()


def commit():
    """What is measured; "+changes": and what is not committed, but for the document itself."""
    try:
        name = output("git", "rev-parse", "--short=12", "HEAD")
        changed = output("git", "status", "--porcelain", "--", ":!docs/benchmarks.md")
    except (OSError, subprocess.CalledProcessError):
        return "a tree without git"
    return name + ("+changes" if changed else "")


def origin(area):
    """Whose figures these are: each section may be of another run."""
    peers = ["linux " + setting("KERNEL_VERSION")]
    for package in area.get("peers", []):
        peers.append(output("dpkg-query", "-W", "-f", "${Package} ${Version}", package))
    return (f"At {commit()}, {time.strftime('%Y-%m-%d', time.gmtime())}; peers of "
            f"{', '.join(peers)}.")


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
                     f"{origin(area)}\n\nMeasured {'; '.join(where)}.\n\n")
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split("\n")[0]
    head = f"""# Benchmarks

Written by `make bench` (`BENCH="area area"` runs some of the areas and rewrites their
sections). It exits non-zero when a ratio misses its bar.

Kernel: Debian {setting('KERNEL_VERSION')} ({setting('KERNEL_RELEASE')}). {qemu}.

Every row compares two things in one run of one machine, sampled in turn (observers, which take
long to start: all samples without one, then all with it); the figures are
medians of at least {ENOUGH} samples. Each sample has a ratio of its own, ours by the peer's,
and the row's is the median of those; in brackets, where it lies with a confidence of 95 %
(sign test), unless that is one figure. A bar is met when all of that is within it ("pass"),
missed when none of it is ("MISS"), and "undecided" otherwise: the machine wanders by more
than what is to be told apart. Then `make bench` fails if the median is beyond the bar, unless
the same row in instructions passes. Where a row says so, its worst sample is judged, or the sum.

QEMU finds the code that a call, a return or a jump to another page leads to in a table of 4,096
places, by its address; of two that have the same place each pushes out the other, and is looked
for at length. Which do depends on where the kernel, its modules and the program lie. In 4 KiB
registered and released that is 8 to 25 times, and takes by estimate 0.1 µs each, of 4 to 9 in all.
Where it says "12 times", the machine was started so often, the kernel somewhere else each time
(KASLR), and the medians of each are one sample.

Instructions are counted by a machine with `ICOUNT=1` (`-icount shift=0,sleep=off`, one
processor, `tsc=reliable`), of which each clock says how many there were, after 6 s in which it
settles. Times are those of an emulated machine, or where it says so of the host's own
processor: only ratios of them mean anything. A row without a bar is there to be known.

"""
    sections = "".join(f"<!-- area {name} -->\n{old[name].rstrip()}\n\n" for name in sorted(old))
    with open(DOC + ".new", "w", encoding="utf-8") as f:
        f.write(head + sections.rstrip() + "\n")
    os.replace(DOC + ".new", DOC)


def main(names):
    done, results, trouble = [], [], False
    for name, area in read_areas(names):
        rows, begin = [], time.monotonic()
        for run in area["run"]:
            series, status = execute(name, run)
            trouble |= status != 0
            rows += [measure(run, row, series) for entry in run["row"] for row in expand(entry)]
        results += rows
        done.append((name, area, [cells(r) for r in rows]))
        progress(f"{name}: {time.monotonic() - begin:.0f} s in all")
    print(table([row for _, _, rows in done for row in rows]))
    count = {verdict: sum(r["verdict"] == verdict for r in results)
             for verdict in (PASS, MISS, UNDECIDED, UNMEASURED)}
    if trouble or count[UNMEASURED]:
        print("bench: not everything could be measured, see above; docs/benchmarks.md stays as it was",
              file=sys.stderr)
        return 2
    document(done)
    beyond = beyond_bar(results)
    print(f"{count[PASS]} bars met, {count[MISS]} missed, {count[UNDECIDED]} undecided"
          f" (of these, {len(beyond)} with a median that misses)")
    return 1 if count[MISS] or beyond else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
