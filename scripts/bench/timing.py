"""Runs the sides of a row in turn and keeps what each took."""

import os
import shlex
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Callable


class Failed(Exception):
    """A command of a row did not succeed."""


@dataclass
class Sample:
    """One run: seconds of the clock and of the cores, and the largest resident size in KiB."""

    wall: float
    cpu: float = 0.0
    rss: int = 0


@dataclass
class Command:
    """A program with its arguments. `env` is on top of the process's own."""

    argv: list
    cwd: str = "/"
    env: dict = field(default_factory=dict)

    def __str__(self):
        words = [f"{k}={shlex.quote(str(v))}".replace(os.environ["PATH"], "$PATH") for k, v in self.env.items()]
        return " ".join(words + [shlex.quote(str(a)) for a in self.argv])


@dataclass
class Side:
    """What one side of a row does: `prepare` is not timed, the commands are."""

    name: str
    commands: list
    prepare: Callable = lambda: None


def run(command, log):
    """One command, timed. Its output goes to `log`, which a failure quotes."""
    env = {**os.environ, **{k: str(v) for k, v in command.env.items()}}
    argv = [os.fspath(a) for a in command.argv]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # posix_spawn has no folder of its own to start in; nothing else of this process runs meanwhile.
    os.chdir(command.cwd)
    begin = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, env, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - begin
    if status != 0:
        with open(log, errors="replace") as said:
            raise Failed(f"{command}\n  in {command.cwd}: status {status}\n{said.read()[-2000:]}")
    return Sample(wall, used.ru_utime + used.ru_stime, used.ru_maxrss)


# Waits for a program and says how large it was. A process's figure begins with the size of the one that started it
# (getrusage(2), ru_maxrss), so that must be a small one.
STARTER = """
import os, sys
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
print("peak", status, used.ru_maxrss)
"""


def peak(command, log):
    """The largest resident size of a program, in bytes."""
    env = {**os.environ, **{k: str(v) for k, v in command.env.items()}}
    argv = [sys.executable, "-SEIc", STARTER, *map(os.fspath, command.argv)]
    with open(log, "w") as out:
        subprocess.run(argv, cwd=command.cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)
    with open(log, errors="replace") as said:
        text = said.read()
    status, kibibytes = map(int, text.splitlines()[-1].split()[1:])
    if status != 0:
        raise Failed(f"{command}\n  in {command.cwd}: status {status}\n{text[-2000:]}")
    return kibibytes << 10


def race(sides, rounds, log):
    """Every side in turn, `rounds` times; the order is turned round each time. Side's name → samples a round, one a
    command."""
    out = {side.name: [] for side in sides}
    for number in range(rounds):
        order = sides if number % 2 == 0 else sides[::-1]
        for side in order:
            side.prepare()
            os.sync()
            out[side.name].append([run(command, log) for command in side.commands])
    return out


def total(samples):
    """The commands of one round as one sample."""
    return Sample(sum(s.wall for s in samples), sum(s.cpu for s in samples), max(s.rss for s in samples))


def median(values):
    return statistics.median(values)
