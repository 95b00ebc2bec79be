//! Why a link failed, from the linker's own words: one line that says what mends it. Pure.

use std::path::Path;

use super::Spec;
use crate::manifest::Family;
use crate::target::TargetOs;

/// The `help:` line for what a linker wrote; `None` when its words stand for themselves.
pub(super) fn explain(spec: &Spec, said: &str) -> Option<String> {
    // On a terminal there are colours between the words, and what redraws the progress.
    let plain = anstream::adapter::strip_str(said).to_string();
    plain.split(['\n', '\r']).find_map(|line| cause(spec, line))
}

/// The same for a linker that a signal ended, of which it says nothing itself.
pub(super) fn explain_crash(spec: &Spec) -> Option<String> {
    let zig = spec.zig.as_ref()?;
    let triple = &spec.triple;
    // Its own Mach-O linker: procedures with unwind records and no symbol. Those of `.S` files have one
    // (`rules/zig/procedures.rs`); 0.16 links all.
    (triple.os() == TargetOs::MacOs && zig.version.starts_with("0.15.")).then(|| {
        format!(
            "zig {} crashes on some assembly for macOS, newer ones do not: xtool add {triple} --toolchain zig@0.16.0",
            zig.version
        )
    })
}

fn cause(spec: &Spec, line: &str) -> Option<String> {
    framework(spec, line)
        .or_else(|| exceptions(spec, line))
        .or_else(|| host_library(spec, line))
        .or_else(|| newer_glibc(spec, line))
        .or_else(|| missing_library(spec, line))
}

/// What throws, compiled against a C++ library that cannot.
fn exceptions(spec: &Spec, line: &str) -> Option<String> {
    let thrown = [
        "__cxa_allocate_exception",
        "__cxa_throw",
        "__cxa_begin_catch",
    ];
    (spec.triple.os() == TargetOs::Wasi && thrown.iter().any(|name| line.contains(name))).then(|| {
        "the C++ library for WebAssembly has no exceptions: compile with -fno-exceptions, as this toolchain does by itself"
            .to_owned()
    })
}

/// A framework, or a header of one. zig: `unable to find framework 'Foundation'`; ld64.lld: `framework not found for
/// -framework Foundation`; Apple's ld: `framework not found Foundation`.
fn framework(spec: &Spec, line: &str) -> Option<String> {
    if spec.triple.os() != TargetOs::MacOs {
        return None;
    }
    let name = between(line, "unable to find framework '", "'")
        .or_else(|| after(line, "framework not found for -framework "))
        .or_else(|| after(line, "framework not found "))
        .or_else(|| header_of_framework(line))?;
    Some(of_apple(spec, name))
}

/// What only Apple's SDK has.
fn of_apple(spec: &Spec, name: &str) -> String {
    let triple = &spec.triple;
    match &spec.sdk {
        None => format!(
            "`{name}` is part of Apple's SDK, which this toolchain does not have: xtool sdk import PATH && xtool add {triple}"
        ),
        Some(sdk) => format!(
            "the macOS {} SDK of this project has no `{name}`: check its spelling, or take another SDK: xtool sdk import PATH && xtool add {triple} --sdk NAME",
            sdk.version
        ),
    }
}

/// A library that the host's own packages installed.
fn host_library(spec: &Spec, line: &str) -> Option<String> {
    let path = foreign(line)
        .or_else(|| in_archive(line))
        .filter(|path| is_hosts_own(spec, path))?;
    let triple = &spec.triple;
    Some(format!(
        "`{path}` is this machine's, not {triple}'s: build the library for the target (a crate's `vendored` or \
         `bundled` feature does), and keep -L/usr/lib and the host's pkg-config out"
    ))
}

/// A symbol, or the version of one, that the toolchain's glibc does not have yet.
fn newer_glibc(spec: &Spec, line: &str) -> Option<String> {
    let triple = &spec.triple;
    if !triple.is_glibc() || !line.contains("undefined ") {
        return None;
    }
    let zig = spec.family == Family::Zig;
    let toolchain = if zig { "" } else { " --toolchain zig" };
    // Of a library in the link: the version stands beside the symbol. Two `@` are a default version, which is there:
    // its library was not named.
    if let Some((before, version)) = line
        .split_once("@GLIBC_")
        .filter(|(b, _)| !b.ends_with('@'))
    {
        let version: String = version
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let symbol = before.rsplit([' ', '`', '\'']).next().unwrap_or_default();
        return Some(format!(
            "a library in this link needs `{symbol}` of glibc {version}: build it for the target too, or raise the \
             floor: xtool add {triple}{toolchain} --glibc {version}   (programs then need that glibc)"
        ));
    }
    let symbol = undefined(line)?;
    let (_, version) = NEWER_THAN_OLD_GLIBC
        .iter()
        .find(|(name, _)| *name == symbol)?;
    let than = if zig {
        "this target's floor"
    } else {
        "this toolchain's"
    };
    Some(format!(
        "`{symbol}` came with glibc {version}, newer than {than}: xtool add {triple}{toolchain} --glibc {version}   (programs then need that glibc)"
    ))
}

fn missing_library(spec: &Spec, line: &str) -> Option<String> {
    let name = not_found(line)?;
    let triple = &spec.triple;
    if triple.os() == TargetOs::MacOs && spec.sdk.is_none() && APPLES_OWN.contains(&name) {
        return Some(of_apple(spec, &format!("-l{name}")));
    }
    if let (TargetOs::MacOs, Some(sdk), true) = (triple.os(), &spec.sdk, LIBSYSTEMS.contains(&name))
    {
        return Some(format!(
            "the macOS {} SDK in {} has no `usr/lib/lib{name}.tbd`, which every whole one has: xtool sdk import PATH && xtool add {triple}",
            sdk.version,
            sdk.path.display()
        ));
    }
    Some(format!(
        "no `{name}` for {triple}: the host's packages do not serve. Build it for the target (a crate's `vendored`, \
         `bundled` or `static` feature does), and name its folder with -L"
    ))
}

/// What came after the oldest floor, by the first version that exports it (glibc's `NEWS`, "New features" of that
/// version); the ones that prebuilt objects meet in practice.
const NEWER_THAN_OLD_GLIBC: [(&str, &str); 24] = [
    ("secure_getenv", "2.17"),
    ("getrandom", "2.25"),
    ("getentropy", "2.25"),
    ("explicit_bzero", "2.25"),
    ("reallocarray", "2.26"),
    ("preadv2", "2.26"),
    ("memfd_create", "2.27"),
    ("copy_file_range", "2.27"),
    ("mlock2", "2.27"),
    ("fcntl64", "2.28"),
    ("statx", "2.28"),
    ("renameat2", "2.28"),
    ("thrd_create", "2.28"),
    ("gettid", "2.30"),
    ("pthread_cond_clockwait", "2.30"),
    ("pthread_clockjoin_np", "2.31"),
    ("stat64", "2.33"),
    ("fstat64", "2.33"),
    ("lstat64", "2.33"),
    ("stat", "2.33"),
    ("closefrom", "2.34"),
    ("close_range", "2.34"),
    ("__isoc23_strtol", "2.38"),
    ("strlcpy", "2.38"),
];

/// Libraries that exist only in the SDK.
const APPLES_OWN: [&str; 6] = ["objc", "c++", "xml2", "z", "sqlite3", "resolv"];

/// The C library, whole and by its parts, which an SDK has as links to the whole.
const LIBSYSTEMS: [&str; 6] = ["System", "System.B", "c", "m", "pthread", "dl"];

/// GNU ld, gold: `cannot find -lfoo`; zig: `unable to find dynamic system library 'foo'`; lld: `unable to find
/// library -lfoo`, `library not found for -lfoo`.
fn not_found(line: &str) -> Option<&str> {
    let name = after(line, "cannot find -l")
        .or_else(|| after(line, "unable to find library -l"))
        .or_else(|| after(line, "library not found for -l"))
        .or_else(|| between(line, "unable to find dynamic system library '", "'"))
        .or_else(|| between(line, "unable to find static system library '", "'"))?;
    Some(name.trim_end_matches(':')).filter(|name| !name.is_empty())
}

/// lld: `undefined symbol: fcntl64`; GNU ld: `undefined reference to …`, with the name in a grave accent and a quote.
fn undefined(line: &str) -> Option<&str> {
    after(line, "undefined symbol: ")
        .or_else(|| between(line, "undefined reference to `", "'"))
        .map(|s| s.split('@').next().unwrap_or(s))
}

/// A file of another machine's. lld: `P is incompatible with aarch64linux`, `P: unknown file type`; ld64.lld: `P:
/// unhandled file type`; zig for macOS: `note: while parsing P`; GNU ld: `P: error adding symbols: file in wrong
/// format`, `skipping incompatible P when …`.
fn foreign(line: &str) -> Option<&str> {
    for word in [
        " is incompatible with ",
        ": error adding symbols: file in wrong format",
        ": file not recognized",
        ": unknown file type",
        ": unhandled file type",
        ": file in wrong format",
    ] {
        if let Some((before, _)) = line.split_once(word) {
            return Some(before.rsplit(": ").next()?.trim());
        }
    }
    between(line, "skipping incompatible ", " when").or_else(|| after(line, "note: while parsing "))
}

/// Whose undefined symbols they are. lld: `>>> referenced by gzlib.o:(gz_open) in archive P`.
fn in_archive(line: &str) -> Option<&str> {
    line.strip_prefix(">>> ")?;
    after(line, " in archive ")
}

/// Whether it lies where the host's packages keep libraries, and is not the toolchain's.
fn is_hosts_own(spec: &Spec, path: &str) -> bool {
    let path = Path::new(path);
    !path.starts_with(&spec.root)
        && [
            "/usr/lib",
            "/usr/lib32",
            "/usr/lib64",
            "/lib",
            "/lib64",
            "/usr/local",
            "/opt/homebrew",
        ]
        .iter()
        .any(|folder| path.starts_with(folder))
}

/// `'Foundation/Foundation.h' file not found`
fn header_of_framework(line: &str) -> Option<&str> {
    let (before, _) = line.split_once("' file not found")?;
    let header = before.rsplit('\'').next()?;
    let (framework, file) = header.split_once('/')?;
    let stem = file.strip_suffix(".h")?;
    (framework == stem || framework == "CommonCrypto").then_some(framework)
}

fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.split_once(mark)?.1.split_whitespace().next()
}

fn between<'a>(line: &'a str, mark: &str, end: &str) -> Option<&'a str> {
    line.split_once(mark)?.1.split_once(end).map(|(s, _)| s)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_crash_of_zigs_linker_names_the_version_that_does_not() {
        let mut spec = super::Spec::new(
            "aarch64-apple-darwin".parse().unwrap(),
            Family::Zig,
            "/z".into(),
        );
        assert_eq!(explain_crash(&spec), None);
        let zig = |version: &str| crate::shim::Zig {
            exe: "/z/zig".into(),
            target: "aarch64-macos-none".into(),
            cpu: None,
            version: version.into(),
            cache_dir: "/c".into(),
        };
        spec.zig = Some(zig("0.15.2"));
        let help = explain_crash(&spec).unwrap();
        assert!(help.ends_with("xtool add aarch64-apple-darwin --toolchain zig@0.16.0"));
        spec.zig = Some(zig("0.16.0"));
        assert_eq!(explain_crash(&spec), None);
    }

    use super::*;

    fn help(triple: &str, family: Family, said: &str) -> Option<String> {
        explain(
            &Spec::new(triple.parse().unwrap(), family, "/t".into()),
            said,
        )
    }

    /// Each text is what the real linker wrote (GNU ld 2.40, zig 0.15.2, ld64.lld 14).
    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn real_failures_are_recognised() {
        let (zig, gcc) = (Family::Zig, Family::Gcc);
        let table = [
            (
                "aarch64-apple-darwin",
                zig,
                "error: unable to find framework 'Foundation'. searched paths:  none",
                "xtool sdk import",
            ),
            (
                "aarch64-apple-darwin",
                zig,
                "obj.m:1:9: fatal error: 'Foundation/Foundation.h' file not found",
                "xtool sdk import",
            ),
            (
                "aarch64-apple-darwin",
                zig,
                "error: unable to find dynamic system library 'objc' using strategy 'paths_first'. searched paths:",
                "xtool sdk import",
            ),
            (
                "aarch64-apple-darwin",
                zig,
                "error: unable to find dynamic system library 'foo' using strategy 'paths_first'. searched paths:",
                "no `foo` for aarch64-apple-darwin",
            ),
            (
                "x86_64-unknown-linux-gnu",
                zig,
                "ld.lld: error: undefined symbol: fcntl64\n>>> referenced by f.c:2",
                "--glibc 2.28",
            ),
            (
                "x86_64-unknown-linux-gnu",
                zig,
                "ld.lld: error: undefined symbol: getentropy\n>>> referenced by g.c:1",
                "--glibc 2.25",
            ),
            (
                "x86_64-unknown-linux-gnu",
                gcc,
                "/usr/bin/ld: x.o: undefined reference to symbol 'fcntl64@GLIBC_2.28'",
                "--glibc 2.28",
            ),
            (
                "x86_64-unknown-linux-gnu",
                zig,
                "ld.lld: error: undefined reference: fcntl64@GLIBC_2.28\n>>> referenced by ./liblib28.so (disallowed by --no-allow-shlib-undefined)",
                "needs `fcntl64` of glibc 2.28",
            ),
            (
                "aarch64-unknown-linux-gnu",
                gcc,
                "/t/bin/ld: ./liblib38.so: undefined reference to `__isoc23_strtol@GLIBC_2.38'\ncollect2: error: ld returned 1 exit status",
                "--toolchain zig --glibc 2.38",
            ),
            (
                "x86_64-unknown-linux-musl",
                zig,
                "ld.lld: error: undefined symbol: __snprintf_chk\n>>> referenced by gzlib.o:(gzdopen) in archive /usr/lib/x86_64-linux-gnu/libz.a",
                "`/usr/lib/x86_64-linux-gnu/libz.a` is this machine's",
            ),
            (
                "aarch64-apple-darwin",
                Family::Clang,
                "ld64.lld: error: framework not found for -framework Nope\nclang: error: linker command failed with exit code 1",
                "`Nope` is part of Apple's SDK",
            ),
            (
                "aarch64-apple-darwin",
                Family::Clang,
                "ld64.lld: error: /usr/lib/x86_64-linux-gnu/libc.so.6: unhandled file type",
                "this machine's",
            ),
            (
                "aarch64-apple-darwin",
                zig,
                "error: failed to parse TBD file: UnexpectedToken\n    note: while parsing /usr/lib/x86_64-linux-gnu/libc.so.6",
                "this machine's",
            ),
            (
                "x86_64-unknown-linux-gnu",
                zig,
                "\x1b[?2026l\x1b[J\x1b[?2026lld.lld: \x1b[0;31merror: \x1b[0mundefined symbol: fcntl64\r\n>>> referenced by f.c:1",
                "--glibc 2.28",
            ),
            (
                "aarch64-unknown-linux-gnu",
                zig,
                "ld.lld: error: /usr/lib/x86_64-linux-gnu/libz.so is incompatible with aarch64linux",
                "this machine's",
            ),
            (
                "x86_64-pc-windows-gnu",
                gcc,
                "/t/usr/bin/ld: /usr/lib/x86_64-linux-gnu/libz.so: error adding symbols: file in wrong format\ncollect2: error: ld returned 1 exit status",
                "`/usr/lib/x86_64-linux-gnu/libz.so` is this machine's",
            ),
            (
                "x86_64-pc-windows-gnu",
                gcc,
                "/t/usr/bin/ld: cannot find -lfoo: No such file or directory\ncollect2: error: ld returned 1 exit status",
                "no `foo` for x86_64-pc-windows-gnu",
            ),
        ];
        for (triple, family, said, expected) in table {
            let found = help(triple, family, said).unwrap_or_default();
            assert!(found.contains(expected), "{said}: {found}");
            assert_eq!(found.lines().count(), 1);
        }
    }

    #[test]
    fn a_part_of_the_c_library_is_the_sdks_to_have() {
        let mut spec = Spec::new(
            "aarch64-apple-darwin".parse().unwrap(),
            Family::Clang,
            "/t".into(),
        );
        spec.sdk = Some(crate::shim::Sdk {
            path: "/sdk".into(),
            version: "14.5".into(),
        });
        let said = "ld64.lld: error: library not found for -lm";
        let help = explain(&spec, said).unwrap();
        assert!(
            help.contains("14.5 SDK in /sdk has no `usr/lib/libm.tbd`"),
            "{help}"
        );
        assert!(help.contains("xtool sdk import"), "{help}");
        let other = explain(&spec, "ld64.lld: error: library not found for -lfoo").unwrap();
        assert!(
            other.starts_with("no `foo` for aarch64-apple-darwin"),
            "{other}"
        );
    }

    #[test]
    fn other_words_stand_for_themselves() {
        for said in [
            "ld.lld: error: undefined symbol: my_own_function",
            "ld: /project/libx.a: file not recognized: file truncated",
            "warning: unused variable",
            // The library is there and was not named; and the toolchain's own library, where packages keep theirs.
            "ld: x.o: undefined reference to symbol 'pow@@GLIBC_2.29'",
            "ld: /t/usr/lib/libx.a: file not recognized: file truncated",
            "",
        ] {
            assert_eq!(
                help("x86_64-unknown-linux-gnu", Family::Zig, said),
                None,
                "{said}"
            );
        }
        // The same symbol on musl is not a matter of versions.
        let said = "ld.lld: error: undefined symbol: fcntl64";
        assert_eq!(help("x86_64-unknown-linux-musl", Family::Zig, said), None);
    }
}
