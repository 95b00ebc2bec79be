"""What the rows share: folders, xtool's archives, the peers, a server on loopback, Rust's std for the target."""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import tomllib

TARGET = "x86_64-pc-windows-gnu"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def say(text):
    print(f"    {text}", flush=True)


def remove(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


def fresh(path):
    remove(path)
    path.mkdir(parents=True)
    return path


def check(argv, **options):
    """A command that only makes ready; what it says is shown when it fails."""
    done = subprocess.run([os.fspath(a) for a in argv], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


class Lab:
    def __init__(self, work, xtool):
        self.work = pathlib.Path(work).resolve()
        self.xtool = pathlib.Path(xtool).resolve()
        self.log = self.work / "command.log"
        # Whether it was built from this checkout just now, so that the commit says what it is.
        self.built = "XTOOL_BENCH_BUILT" in os.environ
        self.library = {
            name: os.environ.pop(name)
            for name in ("RUSTC_BOOTSTRAP", "__CARGO_TESTS_ONLY_SRC_ROOT")
            if name in os.environ
        }
        # A setting of the user's would change one side only.
        for name in list(os.environ):
            if name.startswith(("XTOOL_", "ZIG_", "CARGO_ZIGBUILD_", "UV_")) or name in ("CARGO_TARGET_DIR", "RUSTFLAGS"):
                del os.environ[name]
        self.server = None

    def places(self, wanted):
        """File systems to create files on: tmpfs where there is one with room, and the work folder's disk."""
        found = {}
        memory = pathlib.Path("/dev/shm")
        if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 3 << 30:
            found["tmpfs"] = memory / f"xtool-bench-{os.getuid()}"
        found["disk"] = self.work / "disk"
        return {name: path for name, path in found.items() if name in wanted}

    def env(self, home, **more):
        """xtool's environment: a home of its own and nothing from the machine."""
        return {"XTOOL_HOME": home, "XTOOL_SYSTEM_HOME": home / "no-system-layer", **more}

    @functools.cached_property
    def seed(self):
        """A home whose cache has the archives; filled once, through the host's own package clients."""
        return self.work / "seed"

    def project(self, folder, toolchain=None):
        """An empty cargo project; with `toolchain`, locked to it by the seed."""
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "Cargo.toml").write_text('[package]\nname = "bench"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n')
        (folder / "src/main.rs").write_text("fn main() {}\n")
        if toolchain:
            _, lock, settings = self.locked(toolchain)
            shutil.copy(lock, folder)
            shutil.copy(settings, folder)
        return folder

    @functools.cache
    def locked(self, toolchain):
        """(archives as (file name, digest), xtool.lock, xtool.toml) of the target with a toolchain."""
        folder = self.project(self.work / f"seed-{toolchain}")
        say(f"fetching {toolchain} once, through the host's package client")
        check(
            [self.xtool, "-q", "add", TARGET, "--toolchain", toolchain, "--no-rust-std"],
            cwd=folder,
            env={**os.environ, **{k: str(v) for k, v in self.env(self.seed).items()}},
        )
        lock = tomllib.loads((folder / "xtool.lock").read_text())
        host = re.search(r"^host: (.*)", check(["rustc", "-vV"], cwd="/"), re.M)[1]
        archives = []

        def collect(value):
            if isinstance(value, dict):
                if "sha256" in value and self.archive(value["sha256"]).is_file():
                    archives.append((value.get("file", value.get("name")), value["sha256"]))
                value = list(value.values())
            if isinstance(value, list):
                for item in value:
                    collect(item)

        collect([entry for entry in lock["entry"] if entry["host"] == host])
        if not archives:
            raise RuntimeError(f"no archive of {toolchain} in {self.seed}")
        return archives, folder / "xtool.lock", folder / "xtool.toml"

    def archive(self, digest):
        return self.seed / "cache/downloads/sha256" / digest

    @functools.cached_property
    def wheel(self):
        """zig's wheel by its own name, in a folder that pip and uv can search."""
        file, digest = self.locked("zig")[0][0]
        wheels = self.work / "wheels"
        wheels.mkdir(exist_ok=True)
        if not (wheels / file).exists():
            os.link(self.archive(digest), wheels / file)
        return wheels / file

    @functools.cached_property
    def zig_version(self):
        return self.wheel.name.split("-")[1]

    def at(self, folder, path):
        """A copy of an archive on the file system that is measured."""
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / path.name
        if not copy.exists():
            shutil.copy(path, copy)
        # Into the page cache, not into this process: see the row `memory`.
        with open(copy, "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass
        return copy

    def peer(self, name):
        """A program of the peers' Python environment, installed at its first use."""
        venv = self.work / "peers"
        program = venv / "bin" / name
        if not program.exists():
            package = {"uv": ["uv"], "cargo-zigbuild": ["cargo-zigbuild", f"ziglang=={self.zig_version}"]}[name]
            say(f"installing {' '.join(package)} with pip")
            check([venv / "bin/pip", "install", "-q", "--find-links", self.wheel.parent, *package], cwd="/")
        return program

    def mirror(self):
        """The address of a server on loopback that has the seed's archives, each under its digest."""
        if not self.server:
            log = self.work / "server.log"
            with open(log, "w") as out:
                command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
                folder = self.seed / "cache/downloads"
                process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
            for _ in range(100):
                port = re.search(r" port (\d+)", log.read_text())
                if port:
                    break
                time.sleep(0.1)
            else:
                process.kill()
                raise RuntimeError(f"no server on loopback: {log.read_text()}")
            self.server = (process, f"http://127.0.0.1:{port[1]}", log)
        return self.server[1]

    def served(self):
        """How many archives were asked for so far."""
        return self.server[2].read_text().count('"GET /sha256/')

    def close(self):
        if self.server:
            self.server[0].terminate()
            self.server[0].wait()

    @functools.cached_property
    def rustc(self):
        """The rustc of the builds: the host's, or a script around it whose sysroot has std for the target as well, so
        that no side compiles std in its time."""
        there = pathlib.Path(check(["rustc", "--print", "target-libdir", "--target", TARGET], cwd="/").strip())
        real = check(["rustc", "--print", "sysroot"], cwd="/").strip()
        if any(there.glob("libstd-*.rlib")):
            return pathlib.Path(real, "bin/rustc")
        sysroot = self.work / "sysroot"
        script = self.work / "rustc"
        libraries = sysroot / "lib/rustlib" / TARGET / "lib"
        if not script.exists():
            say("compiling Rust's std for the target once")
            folder = self.project(self.work / "std")
            env = {**os.environ, **self.library, **{k: str(v) for k, v in self.env(self.seed).items()}}
            check([self.xtool, "-q", "add", TARGET, "--toolchain", "zig", "--build-std"], cwd=folder, env=env)
            check(["cargo", "build", "-q", "--release", "--target", TARGET], cwd=folder, env=env)
            remove(sysroot)
            libraries.mkdir(parents=True)
            for library in (folder / "target" / TARGET / "release/deps").glob("*.rlib"):
                shutil.copy(library, libraries)
            for path in pathlib.Path(real, "lib").iterdir():
                if path.name != "rustlib":
                    (sysroot / "lib" / path.name).symlink_to(path)
            for path in pathlib.Path(real, "lib/rustlib").iterdir():
                if path.name != TARGET:
                    (sysroot / "lib/rustlib" / path.name).symlink_to(path)
            script.write_text(f'#!/bin/sh\nexec {real}/bin/rustc --sysroot {sysroot} "$@"\n')
            script.chmod(0o755)
        return script
