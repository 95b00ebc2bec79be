"""The table and the JSON."""

import hashlib
import json
import os
import pathlib
import platform
import subprocess
import time

from lab import ROOT


def seconds(value):
    if value < 0.1:
        return f"{value * 1000:.2f} ms"
    return f"{value:.2f} s"


def mebibytes(value):
    return f"{value / (1 << 20):.1f} MiB"


UNITS = {"s": seconds, "bytes": mebibytes, "count": lambda v: f"{v:,.0f}"}


def machine():
    """What the figures are true of."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    system = dict(
        line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line
    ).get("PRETTY_NAME", "Linux")
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory": f"{memory >> 20} GiB",
        "system": system.strip('"') + ", Linux " + platform.release(),
    }


def stamp(xtool, built):
    """When, of what, and how busy the machine was."""
    said = subprocess.run([xtool, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if built:
        which = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip()
    else:
        with open(xtool, "rb") as file:
            which = "program with sha256 " + hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "load": round(os.getloadavg()[0], 2),
        "xtool": f"{said} ({which})",
    }


def load(path):
    try:
        return json.loads(pathlib.Path(path).read_text())
    except FileNotFoundError:
        return {"rows": []}


def save(path, results):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(results, indent=1) + "\n")
    beside.rename(path)


def merge(results, new):
    """Rows of this run in the place of those of the same name and place."""
    key = lambda row: (row["row"], row["what"], row["against"], row["place"])
    fresh = {key(row): row for row in new}
    rows = [fresh.pop(key(row), row) for row in results["rows"]]
    results["rows"] = rows + list(fresh.values())


def cells(row):
    show = UNITS[row["unit"]]
    if row.get("skipped"):
        return [row["row"], row["what"], row["against"], row["place"], "", "", "", "", "not measured: " + row["skipped"]]
    theirs = show(row["theirs"]) if row["theirs"] is not None else "—"
    ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else "—"
    goal = row["goal"]
    if goal is None:
        wanted, met = "—", "—"
    else:
        wanted = f"≤ {goal:g}" if row["ratio"] is not None else f"≤ {show(goal)}"
        met = "yes" if row["met"] else "NO"
    return [row["row"], row["what"], row["against"], row["place"], show(row["ours"]), theirs, ratio, wanted, met]


def table(results):
    """Markdown, columns aligned."""
    head = ["row", "what", "against", "place", "xtool", "the other", "ratio", "goal", "met"]
    lines = [head] + [cells(row) for row in results["rows"]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = lambda line: "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
    lines = [text(lines[0]), "|" + "|".join("-" * (w + 2) for w in widths) + "|"] + [text(l) for l in lines[1:]]
    for key, value in results.get("machine", {}).items():
        print(f"{key}: {value}")
    for xtool in sorted({row["at"]["xtool"] for row in results["rows"]}):
        runs = [row["at"] for row in results["rows"] if row["at"]["xtool"] == xtool]
        dates, loads = [r["date"] for r in runs], [r["load"] for r in runs]
        print(f"measured: {xtool}, {min(dates)} to {max(dates)}, load before each row {min(loads)} to {max(loads)}")
    print("\n".join(lines))
