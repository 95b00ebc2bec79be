#!/usr/bin/env python3
"""Writes src/glibc/symbols.txt: which glibc brought which name, and up to which glibc each zig can link.

    scripts/glibc-symbols.py [--mvec ARCH=FILE]... VERSION=FOLDER... > src/glibc/symbols.txt
    scripts/glibc-symbols.py --check src/glibc/symbols.txt VERSION=FOLDER...

FOLDER is an unpacked zig of that VERSION: its `lib/libc/glibc/abilists` lists every versioned name of glibc's libraries
by target (format: README.md of zig's libc-abi-tools). Of the zigs that have a CPU the newest decides. FILE is the
`symbols` file of Debian's package libc6, of which only libmvec is read: zig has no such library. `--check` fails unless
FILE says of each name that those zigs know what they say.
"""

import hashlib
import pathlib
import re
import sys

# No target's floor is lower: what is in it needs no help.
OLDEST = (2, 17)
# A CPU may have several ABIs: the one that Rust's targets use.
ABI = {
    "arm": "arm-linux-gnueabihf",
    "csky": "csky-linux-gnueabi",
    "mips": "mips-linux-gnueabihf",
    "mips64": "mips64-linux-gnuabi64",
    "mips64el": "mips64el-linux-gnuabi64",
    "mipsel": "mipsel-linux-gnueabihf",
    "powerpc": "powerpc-linux-gnueabihf",
}
CPUS = """aarch64 aarch64_be arm csky loongarch64 m68k mips mips64 mips64el mipsel powerpc powerpc64 powerpc64le
riscv32 riscv64 s390x sparc sparc64 x86 x86_64""".split()
WIDTH = 120


class Reader:
    """The primitives of an `abilists` file; integers are little-endian."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def short(self):
        return self.byte() | self.byte() << 8

    def text(self):
        end = self.data.index(0, self.at)
        text = self.data[self.at : end].decode("ascii")
        self.at = end + 1
        return text

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def list(self, item):
        return [item() for _ in range(self.byte())]


class Abilists:
    """What one zig knows: `versions`, and `names`, {target: {name: its first version}}."""

    def __init__(self, folder):
        data = (pathlib.Path(folder) / "lib/libc/glibc/abilists").read_bytes()
        self.sha256 = hashlib.sha256(data).hexdigest()
        read = Reader(data)
        read.list(read.text)  # the libraries
        version = lambda: (read.byte(), read.byte(), read.byte())
        self.versions = [v[:2] if v[2] == 0 else v for v in read.list(version)]
        self.targets = read.list(read.text)
        self.names = {target: {} for target in self.targets}
        for sized in (False, True):
            self._inclusions(read, sized)

    def _inclusions(self, read, sized):
        name = None
        for _ in range(read.short()):
            name = name or read.text()
            targets = read.number()
            if sized:
                read.number()
            library = read.byte()
            first = self._first(read)
            for i, target in enumerate(self.targets):
                if targets >> i & 1:
                    known = self.names[target]
                    known[name] = min(first, known.get(name, first))
            if library & 0x80:
                name = None

    def _first(self, read):
        found = []
        while True:
            byte = read.byte()
            found.append(self.versions[byte & 0x7F])
            if byte & 0x80:
                return min(found)

    def newer(self, cpu):
        """{name: version} of the names that came after the CPU's first glibc; None for a CPU that is not there."""
        names = self.names.get(ABI.get(cpu, f"{cpu}-linux-gnu"))
        if not names:
            return None
        oldest = max(OLDEST, min(names.values()))
        return {name: first for name, first in names.items() if first > oldest}


def dotted(version):
    return ".".join(map(str, version))


def lines_of(kind, by_cpu, sets):
    """Lines `KIND VERSION SET name name …`, from {cpu: {name: version}}; what a SET is, `sets` tells."""
    cpus = {}
    for cpu, names in sorted(by_cpu.items()):
        for name, version in names.items():
            cpus.setdefault((version, name), []).append(cpu)
    groups = {}
    for (version, name), found in cpus.items():
        groups.setdefault((version, tuple(found)), []).append(name)
    for (version, found), names in sorted(groups.items()):
        head = line = f"{kind} {dotted(version)} {sets.setdefault(found, len(sets) + 1)}"
        for name in sorted(names):
            if len(line) + 1 + len(name) > WIDTH:
                yield line
                line = head
            line += f" {name}"
        yield line


def mvec(path):
    """libmvec's names in a `symbols` file, deb-symbols(5)."""
    found, inside = {}, False
    for line in pathlib.Path(path).read_text().splitlines():
        if not line.startswith((" ", "|", "*")):
            inside = line.startswith("libmvec.so.")
        match = re.match(r" (\S+)@GLIBC_([0-9.]+) ", line)
        if inside and match and not match[1].startswith("GLIBC_"):
            found[match[1]] = tuple(map(int, match[2].split(".")))
    return found


def newest_first(pairs):
    key = lambda pair: tuple(map(int, pair[0].split(".")))
    return sorted(((v, Abilists(folder)) for v, folder in pairs), key=key, reverse=True)


def by_cpu(zigs):
    known = {cpu: next((n for _, z in zigs if (n := z.newer(cpu)) is not None), None) for cpu in CPUS}
    return {cpu: names for cpu, names in known.items() if names is not None}


def write(zigs, libmvec):
    print("# Names of glibc by the first version that has them. Written by scripts/glibc-symbols.py: do not edit.")
    for version, zig in zigs:
        print(f"# From zig {version}, lib/libc/glibc/abilists, sha256 {zig.sha256}")
    for cpu, path in libmvec:
        digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
        print(f"# libmvec for {cpu} from Debian's libc6, DEBIAN/symbols, sha256 {digest}")
    for version, zig in reversed(zigs):
        print(f"zig {version} {dotted(max(zig.versions))}")
    sets = {}
    lines = list(lines_of("libc", by_cpu(zigs), sets))
    lines += lines_of("libmvec", {cpu: mvec(path) for cpu, path in libmvec}, sets)
    for cpus, number in sets.items():
        print(f"cpus {number} {' '.join(cpus)}")
    print("\n".join(lines))


def check(path, zigs):
    """Every line about a version that these zigs know, against what they say."""
    made = by_cpu(zigs)
    newest = max(max(zig.versions) for _, zig in zigs)
    sets, said = {}, {}
    for line in pathlib.Path(path).read_text().splitlines():
        kind, *rest = line.split(" ")
        if kind == "cpus":
            sets[rest[0]] = rest[1:]
        elif kind == "libc":
            version = tuple(map(int, rest[0].split(".")))
            for cpu in sets[rest[1]]:
                said.setdefault(cpu, {}).update((name, version) for name in rest[2:] if version <= newest)
        elif kind == "zig":
            for version, zig in zigs:
                if version == rest[0] and dotted(max(zig.versions)) != rest[1]:
                    sys.exit(f"zig {version} knows glibc {dotted(max(zig.versions))}, the file says {rest[1]}")
    for cpu in made:
        for name in sorted(set(said.get(cpu, {})) | set(made[cpu])):
            if said.get(cpu, {}).get(name) != made[cpu].get(name):
                sys.exit(f"{name} on {cpu}: the file says {said.get(cpu, {}).get(name)}, zig {made[cpu].get(name)}")
    print(f"{sum(map(len, made.values()))} names on {len(made)} CPUs are what zig says, up to glibc {dotted(newest)}")


def main(args):
    pairs, libmvec, checked = [], [], None
    while args:
        word = args.pop(0)
        if word == "--check":
            checked = args.pop(0)
        elif word == "--mvec":
            libmvec.append(args.pop(0).split("=", 1))
        elif "=" in word:
            pairs.append(word.split("=", 1))
        else:
            sys.exit(__doc__)
    if not pairs:
        sys.exit(__doc__)
    zigs = newest_first(pairs)
    if checked:
        check(checked, zigs)
    else:
        write(zigs, libmvec)


main(sys.argv[1:])
