"""Installing toolchains: against downloading and unpacking by hand, and against package managers."""

import concurrent.futures
import os
import subprocess
import time

from lab import TARGET, check, fresh, remove
from result import raw, row, show, walls
from timing import Command, Failed, Side, peak, race

ADD = ["add", TARGET, "--no-rust-std"]


def zig(lab, places, rounds):
    """zig's wheel: xtool, curl and unzip, pip, uv, all in turn."""
    out = []
    name = lab.wheel.name
    digest = lab.locked("zig")[0][0][1]
    package = f"ziglang=={lab.zig_version}"
    for place, folder in places.items():
        folder = fresh(folder / "zig")
        wheel = lab.at(folder / "wheels", lab.wheel)
        url = f"{lab.mirror()}/sha256/{digest}"
        project, home, plain, cache = folder / "project", folder / "home", folder / "plain", folder / "uv-cache"
        for venv in ("pip", "uv"):
            check(["python3", "-m", "venv", *(["--without-pip"] if venv == "uv" else []), folder / venv], cwd="/")

        def emptied(venv):
            packages = next((folder / venv / "lib").glob("python*/site-packages"))
            remove(cache, packages / "ziglang", *packages.glob("ziglang-*"))
            for script in (folder / venv / "bin").glob("python-zig*"):
                script.unlink()

        def project_anew():
            remove(home)
            remove(project)
            lab.project(project)

        sides = [
            Side(
                "xtool",
                [Command([lab.xtool, *ADD, "--toolchain", "zig"], project, lab.env(home, XTOOL_MIRROR=lab.mirror()))],
                project_anew,
            ),
            Side(
                "curl + unzip",
                [
                    Command(["curl", "-sSf", "-o", name, url], plain),
                    Command(["unzip", "-q", name, "-d", "out"], plain),
                ],
                lambda: fresh(plain),
            ),
            Side(
                "pip install",
                [
                    Command(
                        [folder / "pip/bin/pip", "install", "-q", "--no-index", "--no-deps", "--find-links", wheel.parent, package],
                        folder,
                    )
                ],
                lambda: emptied("pip"),
            ),
            Side(
                "uv pip install",
                [
                    Command(
                        [
                            lab.peer("uv"), "pip", "install", "-q", "--python", folder / "uv", "--cache-dir", cache,
                            "--no-index", "--no-deps", "--find-links", wheel.parent, package,
                        ],
                        folder,
                    )
                ],
                lambda: emptied("uv"),
            ),
        ]
        show(sides)
        results = race(sides, rounds or 5, lab.log)
        ours = walls(results, "xtool")
        for side, against, goal in (
            ("curl + unzip", "curl + unzip of the same wheel", 0.4),
            ("pip install", "pip install from a local folder", 0.1),
            ("uv pip install", "uv pip install, cold cache", 0.15),
        ):
            commands = sides[0].commands + next(s for s in sides if s.name == side).commands
            samples = {n: r for n, r in raw(results).items() if n in ("xtool", side)}
            out.append(
                row("install zig for one target", against, goal, ours, walls(results, side), place, commands=commands, samples=samples)
            )
        remove(folder)
    return out


def mingw(lab, places, rounds):
    """mingw-w64's debs, all of them in the cache."""
    out = []
    archives, _, _ = lab.locked("mingw-w64")
    for place, folder in places.items():
        folder = fresh(folder / "mingw")
        debs = [lab.at(folder / "cache/downloads/sha256", lab.archive(digest)) for _, digest in archives]
        project, home, plain = folder / "project", folder / "home", folder / "plain"

        def project_anew():
            remove(home)
            remove(project)
            lab.project(project, "mingw-w64")

        env = lab.env(home, XTOOL_CACHE_DIR=folder / "cache")
        sides = [
            Side("xtool", [Command([lab.xtool, "sync", "--locked", "--offline"], project, env)], project_anew),
            Side("dpkg -x", [Command(["dpkg", "-x", deb, plain / "out"], plain) for deb in debs], lambda: fresh(plain)),
        ]
        show([sides[0], Side(f"dpkg -x, {len(debs)} times", sides[1].commands[:1])])
        results = race(sides, rounds or 5, lab.log)
        out.append(
            row(
                "install mingw-w64", "dpkg -x of the same debs, one after another", 0.5, walls(results, "xtool"),
                walls(results, "dpkg -x"), place, commands=sides[0].commands + sides[1].commands, samples=raw(results),
            )
        )
        remove(folder)
    return out


def twenty(lab, places, rounds):
    """Processes that add the same target at once, each in a project of its own, with one home."""
    out = []
    for place, folder in places.items():
        folder = folder / "twenty"
        lab.locked("zig")
        env = {k: str(v) for k, v in lab.env(folder / "home", XTOOL_MIRROR=lab.mirror()).items()}
        argv = [str(lab.xtool), *ADD, "--toolchain", "zig"]
        print(f"    $ {' '.join(argv)}   (in one project; in twenty, with one XTOOL_HOME)")
        downloads = set()

        def of(count):
            fresh(folder)
            projects = [lab.project(folder / f"p{i}") for i in range(count)]
            os.sync()
            before = lab.served()

            def one(project):
                return subprocess.run(argv, cwd=project, env={**os.environ, **env}, capture_output=True, text=True)

            with concurrent.futures.ThreadPoolExecutor(count) as pool:
                begin = time.perf_counter()
                done = list(pool.map(one, projects))
                took = time.perf_counter() - begin
            for process in done:
                if process.returncode != 0:
                    raise Failed(process.stderr[-2000:])
            downloads.add(lab.served() - before)
            return took

        ours, theirs = [], []
        for _ in range(rounds or 5):
            theirs.append(of(1))
            ours.append(of(20))
        out.append(row("20 processes add the same target", "one process", 1.3, ours, theirs, place, commands=[" ".join(argv)]))
        print(f"    downloads in each run: {sorted(downloads)}")
        out.append(row("archives downloaded by 20 processes", "—", 1, [max(downloads)], place=place, unit="count"))
        remove(folder)
    return out


def memory(lab, places, rounds):
    """The largest resident size of a process that installs. The wheel's deflate has a window of 32 KiB; the debs are
    xz, whose window is 8 MiB an archive that is being decoded."""
    out = []
    folder = fresh(lab.work / "memory")
    for toolchain, window in (("zig", 0), ("mingw-w64", 8 << 20)):
        archives, _, _ = lab.locked(toolchain)
        project, home = folder / "project", folder / "home"

        def project_anew():
            remove(home, project)
            lab.project(project, toolchain)

        command = Command([lab.xtool, "sync", "--locked"], project, lab.env(home, XTOOL_MIRROR=lab.mirror()))
        show([Side("xtool", [command])])
        largest = []
        for _ in range(rounds or 5):
            project_anew()
            largest.append(peak(command, lab.log))
        out.append(
            row(
                f"peak memory, installing {toolchain}", "—", (64 << 20) + window, largest,
                unit="bytes", commands=[command],
            )
        )
    remove(folder)
    return out


ROWS = {
    "install": ("zig for one target, from a server on loopback; curl + unzip, pip, uv", zig),
    "install-mingw": ("mingw-w64 from its debs; dpkg -x", mingw),
    "twenty": ("20 processes that add the same target; one process", twenty),
    "memory": ("peak memory of an install", memory),
}
