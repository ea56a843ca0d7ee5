#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check that make bench judges as it says, with areas that only print their samples.

Prints what is wrong, nothing when all is well.
"""
import contextlib
import importlib.util
import io
import os
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(TOP, "selftests/bench/bench.py")
SAME = [100.0] * 25
# the middle is 1.0, and a quarter of them are beyond 1.04 and 0.96
WIDE = [100 + i / 2 for i in range(-12, 13)]
# machines on which ours takes a hundredth less, or two more, in each of their samples
FAST = [{"a": [99.0] * 25, "b": SAME}]
SLOW = [{"a": [102.0] * 25, "b": SAME}]
# a row in time that is undecided, its middle beyond the bar, and the same in instructions
COUNTED = {"a": WIDE, "b": SAME, "c": [98.0] * 25, "d": SAME}
BEYOND = {"bar": "<= 0.99"}
IN_INSTRUCTIONS = {"ours": "c", "peer": "d", "unit": "instructions"}


def load(directory):
    spec = importlib.util.spec_from_file_location("bench", BENCH)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    bench.HERE, bench.DOC = directory, os.path.join(directory, "benchmarks.md")
    bench.setting = lambda name: name
    return bench


def row_text(row):
    text = (f'[[run.row]]\nwhat = "w"\nours = ["{row.get("ours", "a")}", "us"]\n'
            f'peer = ["{row.get("peer", "b")}", "them"]\n')
    return text + "".join(f'{key} = "{row[key]}"\n' for key in ("bar", "by", "unit") if key in row)


def area(directory, boots, rows, status=0):
    """An area whose program prints, started for the nth time, the series of @boots[n]."""
    for n, series in enumerate(boots):
        with open(os.path.join(directory, f"samples.{n}"), "w", encoding="ascii") as f:
            for name, values in series.items():
                f.writelines(f"@ {name} {value:.3f}\n" for value in values)
    with open(os.path.join(directory, "starts"), "w", encoding="ascii"):
        pass
    with open(os.path.join(directory, "fake.toml"), "w", encoding="ascii") as f:
        f.write(f'title = "t"\nabout = "a"\n[[run]]\nhost = true\nunit = "ns"\n'
                f'command = "cd {directory}; cat samples.$(stat -c %s starts); printf 1 >>starts;'
                f' exit {status}"\n')
        if len(boots) > 1:
            f.write(f"boots = {len(boots)}\n")
        f.writelines(row_text(row) for row in rows)


def outcome(directory, series, row, status=0):
    """The exit status, and the document as it is then. @series: a dict, or one for each boot."""
    area(directory, series if isinstance(series, list) else [series],
         row if isinstance(row, list) else [row], status)
    bench = load(directory)
    with open(bench.DOC, "w", encoding="utf-8") as f:
        f.write("<!-- area other -->\n\nof another run\n")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        result = bench.main(["fake"])
    with open(bench.DOC, encoding="utf-8") as f:
        return result, f.read()


# what, series, row, exit status of the program, of bench.py, verdict in the document
CASES = [
    ("a bar that is met", {"a": SAME, "b": SAME}, {"bar": "<= 1.0"}, 0, 0, "pass"),
    ("no bar", {"a": SAME, "b": SAME}, {}, 0, 0, ""),
    ("a bar that is missed", {"a": [101.0] * 25, "b": SAME}, {"bar": "<= 1.0"}, 0, 1, "MISS"),
    ("a bar from below", {"a": SAME, "b": [101.0] * 25}, {"bar": ">= 1"}, 0, 1, "MISS"),
    ("strictly less", {"a": SAME, "b": SAME}, {"bar": "< 1"}, 0, 1, "MISS"),
    ("strictly more", {"a": SAME, "b": SAME}, {"bar": "> 1"}, 0, 1, "MISS"),
    ("a spread across the bar", {"a": WIDE, "b": SAME}, {"bar": "<= 1.0"}, 0, 0, "undecided"),
    ("a spread whose middle is beyond the bar", {"a": WIDE, "b": SAME}, {"bar": "<= 0.99"}, 0, 1,
     "undecided"),
    ("a spread within the bar", {"a": WIDE, "b": SAME}, {"bar": "<= 1.04"}, 0, 0, "pass"),
    ("a spread beyond the bar", {"a": WIDE, "b": SAME}, {"bar": "<= 0.96"}, 0, 1, "MISS"),
    ("pairs that wander together", {"a": WIDE, "b": WIDE}, {"bar": "<= 1.0"}, 0, 0, "pass"),
    ("one lossy sample, by median", {"a": SAME[1:] + [99.0], "b": SAME}, {"bar": ">= 1"}, 0, 0,
     "pass"),
    ("one lossy sample, by worst", {"a": SAME[1:] + [99.0], "b": SAME},
     {"bar": ">= 1", "by": "worst"}, 0, 1, "MISS"),
    ("one slow sample, by worst", {"a": SAME[1:] + [101.0], "b": SAME},
     {"bar": "<= 1", "by": "worst"}, 0, 1, "MISS"),
    ("no lossy sample, by worst", {"a": SAME, "b": SAME}, {"bar": ">= 1", "by": "worst"}, 0, 0,
     "pass"),
    ("a sum that is complete", {"a": [60.0, 40.0], "b": [100.0]},
     {"bar": "== 1", "by": "sum"}, 0, 0, "pass"),
    ("a sum that lacks one", {"a": [60.0, 39.0], "b": [100.0]}, {"bar": "== 1", "by": "sum"}, 0, 1,
     "MISS"),
    ("a sum that has one too many", {"a": [60.0, 41.0], "b": [100.0]},
     {"bar": "== 1", "by": "sum"}, 0, 1, "MISS"),
    ("a difference", {"a": [150.0] * 25, "b": [160.0] * 25, "c": SAME},
     {"ours": "a - c", "peer": "b - c", "bar": "<= 0.834"}, 0, 0, "pass"),
    ("a difference that noise makes negative less often than it is missed",
     {"a": [102.0] * 25, "b": [101.0] * 13 + [99.0] * 12, "c": SAME},
     {"ours": "a - c", "peer": "b - c", "bar": "<= 1.0"}, 0, 1, "undecided"),
    ("a difference that noise makes negative more often than it is missed",
     {"a": [102.0] * 25, "b": [101.0] * 12 + [99.0] * 13, "c": SAME},
     {"ours": "a - c", "peer": "b - c", "bar": "<= 1.0"}, 0, 0, "undecided"),
    ("a difference that noise makes negative, else met",
     {"a": [100.5] * 25, "b": [101.0] * 13 + [99.0] * 12, "c": SAME},
     {"ours": "a - c", "peer": "b - c", "bar": "<= 1.0"}, 0, 0, "undecided"),
    ("a difference without anything left", {"a": SAME, "b": SAME, "c": SAME},
     {"ours": "a - c", "peer": "b - c", "bar": "<= 1.0"}, 0, 2, None),
    ("a series that is missing", {"a": SAME}, {"bar": "<= 1.0"}, 0, 2, None),
    ("too few samples", {"a": SAME[:19], "b": SAME[:19]}, {"bar": "<= 1.0"}, 0, 2, None),
    ("machines that differ more than their samples", FAST * 7 + SLOW * 5, {"bar": "<= 1.0"}, 0, 0,
     "undecided"),
    ("machines that differ, most of them slow", FAST * 5 + SLOW * 7, {"bar": "<= 1.0"}, 0, 1,
     "undecided"),
    ("machines that are all slow", SLOW * 12, {"bar": "<= 1.0"}, 0, 1, "MISS"),
    ("a series that one machine lacks", FAST * 11 + [{"a": SAME}], {"bar": "<= 1.0"}, 0, 2, None),
    ("too few samples of all machines", [{"a": [99.0], "b": [100.0]}] * 12, {"bar": "<= 1.0"}, 0,
     2, None),
    ("time cannot tell, instructions do", COUNTED, [BEYOND, {**BEYOND, **IN_INSTRUCTIONS}], 0, 0,
     "undecided"),
    ("nor do instructions", {**COUNTED, "c": WIDE}, [BEYOND, {**BEYOND, **IN_INSTRUCTIONS}], 0, 1,
     "undecided"),
    ("instructions of something else", COUNTED,
     [BEYOND, {**BEYOND, **IN_INSTRUCTIONS, "bar": "<= 1.0"}], 0, 1, "undecided"),
    ("time can tell, whatever instructions do", {**COUNTED, "a": [101.0] * 25},
     [BEYOND, {**BEYOND, **IN_INSTRUCTIONS}], 0, 1, "MISS"),
    ("a program that fails", {"a": SAME, "b": SAME}, {"bar": "<= 1.0"}, 3, 2, None),
]


def main():
    with tempfile.TemporaryDirectory() as directory:
        for what, series, row, status, expected, verdict in CASES:
            got, text = outcome(directory, series, row, status)
            if got != expected:
                print(f"{what}: bench.py exits with {got}, not {expected}")
            if verdict is None and "area fake" in text:
                print(f"{what}: the document was written all the same")
            if verdict is not None and f"| {verdict} |\n" not in text:
                print(f"{what}: the document does not say {verdict!r}")
            if "of another run" not in text:
                print(f"{what}: the section of another area is gone")
            if verdict is not None and not all(t in text for t in ("At ", "peers of linux")):
                print(f"{what}: the document does not say of which commit and peers it is")
        bench = load(directory)
        ranks = {n: bench.interval(list(range(n)), list(range(n))) for n in (1, 12, 20, 25)}
        if ranks != {1: (0, 0), 12: (2, 9), 20: (5, 14), 25: (7, 17)}:
            print(f"the median's interval is not that of the sign test: {ranks}")


main()
