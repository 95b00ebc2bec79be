"""What runs in milliseconds: nothing to do, the shim, the program's start; and the program's size."""

import os
import re
import shutil
import subprocess

from lab import ROOT, TARGET, check, fresh
from result import raw, row, show, skipped, walls
from timing import Command, Side, race

RELEASE = "x86_64-unknown-linux-musl"


def nothing_to_do(lab, places, rounds):
    lab.locked("zig")
    folder = lab.project(fresh(lab.work / "noop"))
    env = lab.env(lab.seed)
    add = Command([lab.xtool, "add", TARGET, "--toolchain", "zig"], folder, env)
    # What is to be had without a network: std in the sysroot, else cargo's own build of it.
    wish = ["--build-std"] if lab.library else []
    environment = {**os.environ, **lab.library, **{k: str(v) for k, v in env.items()}}
    check([*add.argv, *wish], cwd=folder, env=environment)
    add.env.update(lab.library)
    sides = [
        Side("add", [add]),
        Side("sync", [Command([lab.xtool, "sync"], folder, add.env)]),
        Side("rustup", [Command(["rustup", "target", "list", "--installed"], folder)]),
    ]
    show(sides)
    results = race(sides, rounds or 41, lab.log)
    return [
        row(
            f"{name} with nothing to do", "rustup target list --installed", 0.5, walls(results, name),
            walls(results, "rustup"), commands=side.commands + sides[2].commands, samples=raw(results),
        )
        for name, side in (("add", sides[0]), ("sync", sides[1]))
    ]


def set_up(lab, folder):
    """A project with the target on zig, its cc shim, and a C file."""
    lab.locked("zig")
    env = lab.env(lab.seed)
    check(
        [lab.xtool, "-q", "add", TARGET, "--toolchain", "zig", "--no-rust-std"],
        cwd=lab.project(fresh(folder)),
        env={**os.environ, **{k: str(v) for k, v in env.items()}},
    )
    config = (folder / ".cargo/config.toml").read_text()
    (folder / "add.c").write_text("#include <stdint.h>\nint32_t add(int32_t a, int32_t b) { return a + b; }\n")
    return re.search(r'^linker = "(.*)"', config, re.M)[1]


def shim(lab, places, rounds):
    folder = lab.work / "shim"
    cc = set_up(lab, folder)
    spec = open(os.path.join(os.path.dirname(cc), "shim.toml")).read()
    zig = re.search(r'^exe = "(.*)"', spec, re.M)[1]
    cache = re.search(r'^cache-dir = "(.*)"', spec, re.M)[1]
    compile_it = ["-c", "add.c", "-o", "add.o"]
    venv = {
        "PATH": f"{lab.peer('cargo-zigbuild').parent}:{os.environ['PATH']}",
        "CARGO_ZIGBUILD_CACHE_DIR": folder / "zigbuild",
        "ZIG_GLOBAL_CACHE_DIR": folder / "zig",
        "ZIG_LOCAL_CACHE_DIR": folder / "zig",
    }
    sides = [
        Side("xtool's cc", [Command([cc, *compile_it], folder)]),
        Side(
            "zig cc",
            [
                Command(
                    [zig, "cc", "-fno-sanitize=all", "-target", "x86_64-windows-gnu", *compile_it], folder,
                    {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
                )
            ],
        ),
        Side("cargo-zigbuild zig cc", [Command([wrapper(lab, folder, venv), *compile_it], folder, venv)]),
    ]
    show(sides)
    print(f"    the wrapper: {open(sides[2].commands[0].argv[0]).read().strip().splitlines()[-1]}")
    race(sides, 2, lab.log)
    results = race(sides, rounds or 21, lab.log)
    return [
        row(
            "shim: cc -c of a file that zig has cached", against, goal, walls(results, "xtool's cc"), walls(results, name),
            commands=sides[0].commands + next(s for s in sides if s.name == name).commands, samples=raw(results),
        )
        for name, against, goal in (
            ("zig cc", "zig itself, called directly", 1.15),
            ("cargo-zigbuild zig cc", "cargo-zigbuild's wrapper", 0.25),
        )
    ]


def wrapper(lab, folder, venv):
    """The script that cargo-zigbuild makes for cargo and the cc crate: a build that only says what CC is. It builds a
    library, since a program's link would first have zig compile the C library: minutes, and for nothing."""
    (folder / "src/main.rs").rename(folder / "src/lib.rs")
    (folder / "build.rs").write_text(
        'fn main() { std::fs::write("cc.txt", std::env::var("CC_x86_64_pc_windows_gnu").unwrap()).unwrap(); }\n'
    )
    check(
        [lab.peer("cargo-zigbuild"), "zigbuild", "-q", "--target", TARGET],
        cwd=folder,
        env={**os.environ, **{k: str(v) for k, v in venv.items()}, "RUSTC": str(lab.rustc)},
    )
    return (folder / "cc.txt").read_text().strip()


def shim_cost(lab, places, rounds):
    """Counts that repeat: the shim's own instructions and system calls until the tool takes its place."""
    folder = lab.work / "shim-cost"
    cc = set_up(lab, folder)
    arguments = ["-c", "add.c", "-o", "add.o"]
    trace = folder / "strace"
    check(["strace", "-o", trace, cc, *arguments], cwd=folder)
    calls = [line.split("(")[0] for line in trace.read_text().splitlines()]
    # The driver, xtool, the tool.
    own = calls[: [i for i, call in enumerate(calls) if call == "execve"][2]]
    print(f"    $ strace {cc} {' '.join(arguments)}")
    kinds = sorted({call: own.count(call) for call in own}.items(), key=lambda kind: -kind[1])
    print("    " + ", ".join(f"{call} {count}" for call, count in kinds))
    # A toolchain whose program is not there: exec fails, and valgrind has counted all that led to it.
    broken = fresh(folder / "broken")
    for name, to in (("cc", "driver/cc"), ("tools/cc", "tools/cc"), ("shim.toml", "shim.toml")):
        (broken / to).parent.mkdir(exist_ok=True)
        shutil.copy(os.path.join(os.path.dirname(cc), name), broken / to)
    spec = broken / "shim.toml"
    spec.write_text(re.sub(r'^exe = ".*"', f'exe = "{broken}/none"', spec.read_text(), flags=re.M))
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind"]
    total = 0
    # valgrind counts nothing of a process that another program takes over: the driver where nothing lies beside it, and
    # what it would run.
    for program in ("driver/cc", "tools/cc"):
        counted = [*valgrind, str(broken / program), *arguments]
        print(f"    $ {' '.join(counted)}")
        said = subprocess.run(counted, cwd=folder, capture_output=True, text=True).stderr
        refs = re.search(r"Collected : (\d+)", said)
        if not refs:
            raise RuntimeError(f"valgrind counted nothing: {said[-1000:]}")
        total += int(refs[1])
    return [
        row("shim: system calls before exec", "—", None, [len(own)], unit="count", commands=[f"strace {cc} …"]),
        row("shim: instructions before exec", "—", None, [total], unit="count", commands=[" ".join(counted)]),
    ]


def binary(lab, places, rounds):
    dist = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
    program = os.path.join(dist, "release-hosts/dist", f"xtool-{RELEASE}")
    what = ("the release binary, musl-static", "—", 10 << 20)
    start = ("the release binary starts (--version)", "—", 0.003)
    if not os.path.exists(program):
        why = f"run scripts/release.sh {RELEASE}"
        return [skipped(*what, why, unit="bytes"), skipped(*start, why)]
    side = Side("xtool", [Command([program, "--version"], lab.work)])
    show([side])
    results = race([side], rounds or 51, lab.log)
    return [
        row(*what, [os.path.getsize(program)], unit="bytes", commands=[program]),
        row(*start, walls(results, "xtool"), commands=side.commands, samples=raw(results)),
    ]


ROWS = {
    "noop": ("add and sync with nothing to do; rustup target list --installed", nothing_to_do),
    "shim": ("cc -c of a cached file; zig itself, cargo-zigbuild's wrapper", shim),
    "shim-cost": ("the shim's instructions and system calls", shim_cost),
    "binary": ("the release binary's size and start", binary),
}
