"""What scripts/faults.sh does: doc comments to cases, test results to lines, guards to tests that see their loss."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

CASES = range(1, 69)
ROOT = pathlib.Path(".")
RESULT = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. (ok|FAILED|ignored)", re.M)
SKIPPED = re.compile(r"skipped \(\d+\): (.+?): (.+)")


def numbers(text):
    """The cases of a doc comment, and those of which it only covers a neighbour."""
    neighbours = {int(n) for n in re.findall(r"F(\d+)'s neighbour", text)}
    own = {int(n) for n in re.findall(r"\bF(\d+)\b(?!'s neighbour)", text)}
    for first, last in re.findall(r"\bF(\d+) to F(\d+)\b", text):
        own.update(range(int(first), int(last) + 1))
    return own, neighbours


def tests():
    """Every numbered test: (binary, module path, function) → (cases, neighbours)."""
    found = {}
    for binary, top in (("lib", ROOT / "src"), ("suite", ROOT / "tests/suite")):
        for path in sorted(top.rglob("*.rs")):
            module = "::".join(path.relative_to(top).with_suffix("").parts)
            doc = []
            marked = False
            for line in path.read_text().splitlines():
                line = line.strip()
                if line.startswith("///"):
                    doc.append(line[3:])
                elif line.startswith("#["):
                    marked |= line.startswith(("#[test]", "#[tokio::test"))
                elif line and not line.startswith(("//", "reason", ")", "]")):
                    name = re.match(r"(?:async )?fn (\w+)\s*\(", line)
                    if name and marked and doc:
                        own, neighbours = numbers(" ".join(doc))
                        if own or neighbours:
                            found[binary, module, name[1]] = (own, neighbours)
                    doc, marked = [], False
    return found


def matches(test, binary, name):
    """Whether a test of the runner's output is this one of the sources'."""
    of, module, function = test
    return of == binary and name.startswith(module) and name.endswith("::" + function)


def run(binary, filters, env=None, cwd="."):
    which = ["--lib"] if binary == "lib" else ["--test", "suite"]
    command = ["cargo", "test", "--locked", *which, "--no-run"]
    built = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)
    if built.returncode != 0:
        return None, built.stderr
    command[command.index("--no-run") :] = ["--", "--format=pretty", "--color=never", *filters]
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, errors="replace")
    return dict(RESULT.findall(done.stdout)), done.stdout + done.stderr


def report():
    known = tests()
    results, skips = {}, {}
    for binary in ("lib", "suite"):
        functions = sorted({f for b, _, f in known if b == binary})
        outcome, text = run(binary, functions)
        if outcome is None:
            sys.exit(f"the tests do not compile:\n{text}")
        for test in known:
            hits = [state for name, state in outcome.items() if matches(test, binary, name)]
            if hits:
                results[test] = "FAILED" if "FAILED" in hits else hits[0]
        for name, why in SKIPPED.findall(text):
            skips[name] = why
            print(f"skipped: {name}: {why}", file=sys.stderr)
        if "FAILED" in outcome.values():
            sys.stderr.write(text)
    count = {"pass": 0, "FAIL": 0, "skip": 0}
    for case in CASES:
        own = [t for t, (cases, _) in known.items() if case in cases]
        near = [t for t, (_, cases) in known.items() if case in cases]
        # On this host it may not be compiled at all.
        ran = [t for t in own if t in results]
        failed = [t for t in own + near if results.get(t) == "FAILED"]
        why = [w for s, w in skips.items() if re.match(rf"F{case}\b", s) or any(t[2] in s for t in own)]
        if failed:
            state, line = "FAIL", "FAIL: " + ", ".join("::".join(t[1:]) for t in failed)
        elif not own:
            state, line = "FAIL", "FAIL: no test has this number"
        elif why:
            state, line = "skip", "skip: " + "; ".join(why)
        elif not ran:
            state, line = "skip", "skip: its tests are not for this host"
        else:
            state, line = "pass", "pass"
        count[state] += 1
        print(f"F{case} {line}")
    print(f"{len(CASES)} cases: {count['pass']} pass, {count['FAIL']} FAIL, {count['skip']} skip")
    return 1 if count["FAIL"] else 0


def measure(kills):
    """Runs killed, by phase, and twenty adds of one target against one."""
    env = {**os.environ, "XTOOL_TEST_KILLS": kills}
    outcome, text = run("suite", ["--nocapture", "--test-threads=1", "command::killed", "twenty_of_one"], env=env)
    print("\n".join(re.findall(r"measured: (.+)", text)))
    if outcome is None or "test result: ok" not in text:
        sys.exit(text)
    return 0


def mutate(names):
    """Each guard off in turn, in a copy whose build folder is kept for the next."""
    guards = tomllib.loads((ROOT / "scripts/mutations.toml").read_text())["guard"]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")).resolve() / "mutate"
    copy = target / "tree"
    copy.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "CARGO_TARGET_DIR": str(target / "build")}
    survived = 0
    for guard in guards:
        if names and guard["name"] not in names:
            continue
        sync(copy)
        path = copy / guard["file"]
        text = path.read_text()
        if text.count(guard["old"]) != 1:
            print(f"{guard['name']}: STALE: {guard['file']} does not have its text exactly once", flush=True)
            survived += 1
            continue
        path.write_text(text.replace(guard["old"], guard["new"]))
        outcome, text = run(guard.get("binary", "suite"), guard["tests"], env=env, cwd=copy)
        if outcome is None:
            errors = [line for line in text.splitlines() if line.startswith("error")]
            print(f"{guard['name']}: STALE: does not compile: {errors[:1]}", flush=True)
            survived += 1
            continue
        killers = sorted(name for name, state in outcome.items() if state == "FAILED")
        if killers:
            more = f" and {len(killers) - 3} more" if len(killers) > 3 else ""
            print(f"{guard['name']}: killed by {', '.join(killers[:3])}{more}", flush=True)
        else:
            print(f"{guard['name']}: SURVIVED {len(outcome)} tests", flush=True)
            survived += 1
    total = len(names or guards)
    print(f"{total - survived} of {total} guards are seen")
    return 1 if survived else 0


def sync(copy):
    """The tracked and the new files, with their times, so that only what differs is built again."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, place = ROOT / name, copy / name
        if not source.is_file():
            continue
        if place.is_file() and place.read_bytes() == source.read_bytes():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        # A new time: cargo must see that a guard is back.
        shutil.copyfile(source, place)
        shutil.copymode(source, place)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--mutate"]:
        return mutate(arguments[1:])
    if arguments == ["--list"]:
        for (binary, module, function), (own, near) in tests().items():
            cases = [f"F{n}" for n in sorted(own)] + [f"F{n}'s neighbour" for n in sorted(near)]
            print(f"{', '.join(cases)}: {binary} {module}::{function}")
        return 0
    if arguments[:1] == ["--measure"]:
        return measure(arguments[1] if len(arguments) > 1 else "200")
    if arguments:
        sys.exit("usage: scripts/faults.sh [--list | --measure [KILLS] | --mutate [NAME…]]")
    return report()


sys.exit(main())
