"""cargo's builds for Windows: against cargo-zigbuild, cold and warm."""

import os
import shutil

from lab import ROOT, TARGET, check, fresh, remove
from result import raw, row, show, walls
from timing import Command, Side, race

CARGO = ["build", "--offline", "--locked", "--target", TARGET]
HELLO = {
    "Cargo.toml": '[package]\nname = "hello"\nversion = "0.0.0"\nedition = "2021"\n[build-dependencies]\ncc = "1"\n[workspace]\n',
    "build.rs": 'fn main() { cc::Build::new().file("add.c").compile("add"); }\n',
    "add.c": "#include <stdint.h>\nint32_t add(int32_t a, int32_t b) { return a + b; }\n",
    "src/main.rs": 'extern "C" { fn add(a: i32, b: i32) -> i32; }\n'
    'fn main() { println!("40 and 2 is {}", unsafe { add(40, 2) }); }\n',
}


class Sources:
    """One copy of a project for each side, with its dependencies in cargo's own cache."""

    def __init__(self, lab, name, make):
        self.lab = lab
        self.base = fresh(lab.work / name)
        self.origin = self.base / "origin"
        make(self.origin)
        lock = self.origin / "Cargo.lock"
        check(["cargo", "fetch", *(["--locked"] if lock.exists() else [])], cwd=self.origin)

    def copy(self, side):
        return shutil.copytree(self.origin, self.base / side)

    def xtool(self, name, toolchain, extra=()):
        """A side that xtool has set up, with the seed's toolchain and its cache."""
        folder = self.copy(name)
        check(
            [self.lab.xtool, "-q", "add", TARGET, "--toolchain", toolchain, "--no-rust-std"],
            cwd=folder,
            env={**os.environ, **{k: str(v) for k, v in self.lab.env(self.lab.seed).items()}},
        )
        command = Command(["cargo", *CARGO, *extra], folder, {"RUSTC": self.lab.rustc})
        return Side(name, [command], lambda: remove(folder / "target"))

    def zigbuild(self, cache, extra=(), prepare=lambda: None):
        """cargo-zigbuild's side, with a cache of its own."""
        folder = self.copy("cargo-zigbuild")
        program = self.lab.peer("cargo-zigbuild")
        env = {
            "RUSTC": self.lab.rustc,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "CARGO_ZIGBUILD_CACHE_DIR": cache / "zigbuild",
            "ZIG_GLOBAL_CACHE_DIR": cache / "zig",
            "ZIG_LOCAL_CACHE_DIR": cache / "zig",
        }
        command = Command([program, "zigbuild", *CARGO[1:], *extra], folder, env)

        def anew():
            remove(folder / "target")
            prepare()

        return Side("cargo-zigbuild", [command], anew)


def hello(folder):
    for name, text in HELLO.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def first(lab, places, rounds):
    """The first build after an install of the default toolchain, against zig's first."""
    sources = Sources(lab, "first", hello)
    cache = sources.base / "cache"
    sides = [sources.xtool("xtool", "mingw-w64"), sources.zigbuild(cache, prepare=lambda: remove(cache))]
    show(sides)
    results = race(sides, rounds or 3, lab.log)
    return [
        row(
            "first cargo build for windows-gnu, hello with C, mingw-w64", "cargo zigbuild, cold zig cache", 0.3,
            walls(results, "xtool"), walls(results, "cargo-zigbuild"), "disk",
            commands=[c for s in sides for c in s.commands], samples=raw(results),
        )
    ]


def first_zig(lab, places, rounds):
    """Install, warm and build with zig, against installing zig and building."""
    sources = Sources(lab, "first-zig", hello)
    base = sources.base
    cache, home, venv = base / "cache", base / "home", base / "venv"
    ours = sources.copy("xtool")
    peer = sources.zigbuild(cache)
    peer.commands[0].env["PATH"] = f"{venv}/bin:{peer.commands[0].argv[0].parent}:{os.environ['PATH']}"
    install = Command(
        [
            venv / "bin/pip", "install", "-q", "--no-index", "--no-deps", "--find-links", lab.wheel.parent,
            f"ziglang=={lab.zig_version}",
        ],
        base,
    )
    add = Command(
        [lab.xtool, "-q", "add", TARGET, "--toolchain", "zig", "--no-rust-std", "--warm"], ours,
        lab.env(home, XTOOL_MIRROR=lab.mirror()),
    )

    def ours_anew():
        remove(home, ours / "target", ours / ".cargo")
        for file in ("xtool.toml", "xtool.lock"):
            (ours / file).unlink(missing_ok=True)

    def peer_anew():
        remove(cache, venv, base / "cargo-zigbuild/target")
        check(["python3", "-m", "venv", venv], cwd="/")

    sides = [
        Side("xtool", [add, Command(["cargo", *CARGO], ours, {"RUSTC": lab.rustc})], ours_anew),
        Side("cargo-zigbuild", [install, *peer.commands], peer_anew),
    ]
    show(sides)
    results = race(sides, rounds or 3, lab.log)
    commands = [c for s in sides for c in s.commands]
    last = slice(1, 2)
    return [
        row(
            "install zig, --warm and first build", "pip install ziglang + first cargo zigbuild", 1.0,
            walls(results, "xtool"), walls(results, "cargo-zigbuild"), "disk", commands=commands, samples=raw(results),
        ),
        row(
            "of that the first build alone", "first cargo zigbuild", 0.3,
            walls(results, "xtool", last), walls(results, "cargo-zigbuild", last), "disk", commands=commands,
        ),
    ]


def warm(lab, name, make, what, goal, rounds, extra=()):
    """A clean build with everything in the caches: once untimed, then in turn."""
    sources = Sources(lab, name, make)
    sides = [
        sources.xtool("zig", "zig", extra),
        sources.xtool("mingw-w64", "mingw-w64", extra),
        sources.zigbuild(sources.base / "cache", extra),
    ]
    show(sides)
    print("    once each, untimed, so that zig's caches are warm", flush=True)
    race(sides, 1, lab.log)
    results = race(sides, rounds or 3, lab.log)
    peer = walls(results, "cargo-zigbuild")
    return [
        row(
            f"{what}, clean, warm, {side.name}", "cargo zigbuild", goal, walls(results, side.name), peer, "disk",
            commands=side.commands + sides[2].commands, samples=raw(results),
        )
        for side in sides[:2]
    ]


def cmake(lab, places, rounds):
    matrix = ROOT / "tests/projects/matrix"

    def make(folder):
        shutil.copytree(matrix, folder)

    return warm(lab, "cmake", make, "libz-sys with zlib-ng (CMake)", 0.5, rounds, ["-p", "matrix-libz-sys"])


def project(lab, places, rounds):
    def make(folder):
        folder.mkdir()
        for path in ("Cargo.toml", "Cargo.lock", "toolchains.toml", "src"):
            source = ROOT / path
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / path)

    return warm(lab, "project", make, "xtool itself (ring, zstd, liblzma)", 1.0, rounds, ["--bin", "xtool"])


ROWS = {
    "first-build": ("the first cargo build, default toolchain; cargo zigbuild with a cold cache", first),
    "first-build-zig": ("install, --warm and first build with zig; pip install ziglang, cargo zigbuild", first_zig),
    "cmake": ("a CMake crate, clean and warm; cargo zigbuild", cmake),
    "project": ("a real project with C dependencies, clean and warm; cargo zigbuild", project),
}
