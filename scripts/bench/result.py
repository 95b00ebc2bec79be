"""One line of the table."""

from timing import median


def row(what, against, goal, ours, theirs=None, place="—", unit="s", commands=(), samples=None, **more):
    """`ours` and `theirs` are lists of figures of the same unit, a round each; the medians are compared. Without
    `theirs` the goal is a figure of that unit, else a ratio."""
    a = median(ours)
    b = median(theirs) if theirs else None
    ratio = a / b if b else None
    judged = a if ratio is None else ratio
    return {
        "what": what,
        "against": against,
        "place": place,
        "unit": unit,
        "ours": a,
        "theirs": b,
        "ratio": ratio,
        "goal": goal,
        "met": None if goal is None else judged <= goal,
        "rounds": len(ours),
        "commands": [str(c) for c in commands],
        "samples": samples or {"ours": ours, "theirs": theirs},
        **more,
    }


def skipped(what, against, goal, why, unit="s"):
    return {
        "what": what, "against": against, "place": "—", "unit": unit, "ours": None, "theirs": None, "ratio": None,
        "goal": goal, "met": None, "rounds": 0, "commands": [], "samples": {}, "skipped": why,
    }


def show(sides):
    """What each side runs, exactly."""
    for side in sides:
        print(f"    {side.name}:")
        for command in side.commands:
            print(f"      $ {command}", flush=True)


def walls(results, name, which=None):
    """Seconds a round: of all commands, or of those of the slice `which`."""
    return [sum(s.wall for s in (r[which] if which else r)) for r in results[name]]


def cpus(results, name):
    return [sum(s.cpu for s in r) for r in results[name]]


def raw(results):
    """Every sample, for the JSON."""
    return {
        name: [[{"wall": s.wall, "cpu": s.cpu, "rss_kib": s.rss} for s in r] for r in rounds]
        for name, rounds in results.items()
    }
