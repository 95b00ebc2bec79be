//! Why a link failed, from the linker's own words: one line that says what mends it. Pure.

use super::Spec;
use crate::manifest::Family;
use crate::target::TargetOs;

/// The `help:` line for what a linker wrote; `None` when its words stand for themselves.
pub(super) fn explain(spec: &Spec, said: &str) -> Option<String> {
    said.lines().find_map(|line| cause(spec, line))
}

fn cause(spec: &Spec, line: &str) -> Option<String> {
    let triple = &spec.triple;
    let apple = triple.os() == TargetOs::MacOs;
    // zig; ld64.lld and Apple's ld: `framework not found Foundation`.
    let framework = between(line, "unable to find framework '", "'")
        .or_else(|| after(line, "framework not found "))
        .or_else(|| header_of_framework(line));
    if let Some(name) = framework
        && apple
        && spec.sdk.is_none()
    {
        return Some(format!(
            "`{name}` is part of Apple's SDK, which this toolchain does not have: xtool sdk import PATH && xtool add {triple}"
        ));
    }
    if let Some((path, _)) = foreign(line).filter(|(path, _)| is_hosts_own(path)) {
        return Some(format!(
            "`{path}` is this machine's, not {triple}'s: build the library for the target (a crate's `vendored` or \
             `bundled` feature does), and keep -L/usr/lib and the host's pkg-config out"
        ));
    }
    if let Some(symbol) = undefined(line)
        && triple.is_glibc()
        && let Some((_, version)) = NEWER_THAN_OLD_GLIBC
            .iter()
            .find(|(name, _)| *name == symbol)
    {
        return Some(if spec.family == Family::Zig {
            format!(
                "`{symbol}` came with glibc {version}, newer than this target's floor: xtool add {triple} --glibc {version}   (programs then need that glibc)"
            )
        } else {
            format!(
                "`{symbol}` came with glibc {version}, newer than this toolchain's: xtool add {triple} --toolchain zig --glibc {version}"
            )
        });
    }
    if let Some(version) = between(line, "@GLIBC_", "'")
        .or_else(|| between(line, "@GLIBC_", "`"))
        .or_else(|| after(line, "@GLIBC_"))
        .filter(|_| line.contains("undefined"))
    {
        let version: String = version
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        return Some(format!(
            "a library in the link was built against glibc {version}: build it for the target too, or xtool add {triple} --glibc {version}"
        ));
    }
    if line.contains("dlltool") && (line.contains("not found") || line.contains("No such file")) {
        return Some(format!(
            "dlltool is part of the toolchain: `xtool sync` writes it into cargo's rustflags (`-Cdlltool=…`), which RUSTFLAGS hides (see xtool doctor); {triple}"
        ));
    }
    if let Some(name) = missing_library(line) {
        if apple && spec.sdk.is_none() && APPLES_OWN.contains(&name) {
            return Some(format!(
                "`-l{name}` is part of Apple's SDK, which this toolchain does not have: xtool sdk import PATH && xtool add {triple}"
            ));
        }
        return Some(format!(
            "no `{name}` for {triple}: the host's packages do not serve. Build it for the target (a crate's `vendored`, \
             `bundled` or `static` feature does), and name its folder with -L"
        ));
    }
    None
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

/// GNU ld, gold: `cannot find -lfoo`; zig: `unable to find dynamic system library 'foo'`; lld: `unable to find
/// library -lfoo`, `library not found for -lfoo`.
fn missing_library(line: &str) -> Option<&str> {
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

/// A file of another machine's: its path, and the linker's word for it. lld: `P is incompatible with aarch64linux`,
/// `P: unknown file type`; GNU ld: `P: error adding symbols: file in wrong format`, `skipping incompatible P when …`.
fn foreign(line: &str) -> Option<(&str, &'static str)> {
    for word in [
        " is incompatible with ",
        ": error adding symbols: file in wrong format",
        ": file not recognized",
        ": unknown file type",
        ": file in wrong format",
    ] {
        if let Some((before, _)) = line.split_once(word) {
            return Some((before.rsplit(": ").next()?.trim(), word));
        }
    }
    between(line, "skipping incompatible ", " when").map(|path| (path, "skipping incompatible"))
}

/// A folder in which the host's packages keep libraries.
fn is_hosts_own(path: &str) -> bool {
    ["/usr/lib", "/lib", "/usr/local/", "/opt/homebrew/"]
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
    use super::*;

    fn help(triple: &str, family: Family, said: &str) -> Option<String> {
        explain(
            &Spec::new(triple.parse().unwrap(), family, "/t".into()),
            said,
        )
    }

    /// Each text is what the real linker wrote (GNU ld 2.40, zig 0.15.2).
    #[test]
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
    fn other_words_stand_for_themselves() {
        for said in [
            "ld.lld: error: undefined symbol: my_own_function",
            "ld: /project/libx.a: file not recognized: file truncated",
            "warning: unused variable",
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
