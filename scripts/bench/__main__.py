"""What scripts/bench.sh does: chooses rows, runs them, keeps and prints the results."""

import argparse
import os
import pathlib
import signal
import sys

import builds
import commands
import installs
import report
import timing
from lab import ROOT, Lab, remove

# name → (what it measures, function that yields its results)
ROWS = {**installs.ROWS, **commands.ROWS, **builds.ROWS}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench.sh")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--places", default="tmpfs,disk")
    options = parser.parse_args()
    for name in options.rows:
        if name not in ROWS:
            parser.error(f"no row {name}; --list shows them")
    if options.list:
        for name, (what, _) in ROWS.items():
            print(f"{name:18}{what}")
        return 0
    target = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
    work = pathlib.Path(os.environ.get("XTOOL_BENCH") or pathlib.Path(target, "bench")).resolve()
    kept = work / "results.json"
    results = report.load(kept)
    if options.table:
        report.table(results)
        return 0

    json = options.json and options.json.resolve()
    lab = Lab(work, os.environ["XTOOL_BIN"])
    places = lab.places(options.places.split(","))
    results["machine"] = report.machine()
    failed = []
    # The server goes when this is ended from outside, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for name in options.rows or ROWS:
            print(f"\n==> {name}: {ROWS[name][0]}", flush=True)
            at = report.stamp(lab.xtool, lab.built)
            try:
                rows = ROWS[name][1](lab, places, options.rounds)
                new = [{"row": name, "at": at, **row} for row in rows]
            except (timing.Failed, RuntimeError, OSError) as e:
                print(f"error: {e}", file=sys.stderr)
                failed.append(name)
                continue
            report.merge(results, new)
            report.save(kept, results)
    finally:
        lab.close()
        os.chdir(ROOT)
        if "tmpfs" in places:
            remove(places["tmpfs"])
    print()
    report.table(results)
    if json:
        report.save(json, results)
    for name in failed:
        print(f"error: {name} could not be measured", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
