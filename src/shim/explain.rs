//! Why a link failed, from the linker's own words: one line that says what mends it. Pure.

use std::ffi::OsString;

use super::Spec;
use crate::target::TargetOs;

mod apple;
mod arguments;
mod bitcode;
mod exceptions;
pub(super) mod fixed;
mod glibc;
pub(super) mod known;
mod library;
mod sections;

pub(super) use arguments::other_toolchain;
pub(super) use exceptions::note;

/// The `help:` line for what a linker wrote; `None` when its words stand for themselves. `brought` is the glibc of a
/// toolchain that has one of its own ([`crate::glibc::of_sysroot`]).
pub(super) fn explain(spec: &Spec, brought: Option<u32>, said: &str) -> Option<String> {
    // On a terminal there are colours between the words, and what redraws the progress.
    let plain = anstream::adapter::strip_str(said).to_string();
    plain
        .split(['\n', '\r'])
        .find_map(|line| cause(spec, brought, line))
}

/// The same for a linker that a signal ended, of which it says nothing itself.
pub(super) fn explain_crash(spec: &Spec, args: &[OsString]) -> Option<String> {
    let zig = spec.zig.as_ref()?;
    let triple = &spec.triple;
    let has = |option: &str| args.iter().any(|arg| arg == option);
    if has("dynamic_lookup") && !has("-shared") && !has("-dynamiclib") {
        return Some(
            "with `-undefined dynamic_lookup` zig's linker crashes on a program without `main`: a library needs \
             -dynamiclib, a file that is loaded -bundle"
                .to_owned(),
        );
    }
    // Its own Mach-O linker: procedures with unwind records and no symbol. Those of `.S` files have one
    // (`rules/zig/procedures.rs`); 0.16 links all.
    (triple.os() == TargetOs::MacOs && zig.version.starts_with("0.15.")).then(|| {
        format!(
            "zig {} crashes on some assembly for macOS, newer ones do not: xtool add {triple} --toolchain zig@0.16.0",
            zig.version
        )
    })
}

fn cause(spec: &Spec, brought: Option<u32>, line: &str) -> Option<String> {
    apple::framework(spec, line)
        .or_else(|| exceptions::on_wasi(spec, line))
        .or_else(|| bitcode::newer_bitcode(spec, line))
        .or_else(|| fixed::static_libc(spec, line))
        .or_else(|| sections::removed(spec, line))
        .or_else(|| library::host_library(spec, line))
        .or_else(|| glibc::newer_glibc(spec, brought, line))
        .or_else(|| library::missing_library(spec, line))
        .or_else(|| arguments::unknown_option(spec, line))
}

/// lld: `undefined symbol: fcntl64`; GNU ld: `undefined reference to …`, with the name in a grave accent and a quote.
fn undefined(line: &str) -> Option<&str> {
    after(line, "undefined symbol: ")
        .or_else(|| between(line, "undefined reference to `", "'"))
        .map(|s| s.split('@').next().unwrap_or(s))
}

fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.split_once(mark)?.1.split_whitespace().next()
}

fn between<'a>(line: &'a str, mark: &str, end: &str) -> Option<&'a str> {
    line.split_once(mark)?.1.split_once(end).map(|(s, _)| s)
}

/// What stands in quotes behind `mark`: zig's are single, and double from 0.17 on.
fn quoted<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let rest = line.split_once(mark)?.1;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    rest[1..].split_once(quote).map(|(s, _)| s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;

    #[test]
    fn a_crash_of_zigs_linker_names_the_version_that_does_not() {
        let mut spec = super::Spec::new(
            "aarch64-apple-darwin".parse().unwrap(),
            Family::Zig,
            "/z".into(),
        );
        assert_eq!(explain_crash(&spec, &[]), None);
        let zig = |version: &str| crate::shim::Zig {
            exe: "/z/zig".into(),
            target: "aarch64-macos-none".into(),
            cpu: None,
            version: version.into(),
            cache_dir: "/c".into(),
        };
        spec.zig = Some(zig("0.15.2"));
        let help = explain_crash(&spec, &[]).unwrap();
        assert!(help.ends_with("xtool add aarch64-apple-darwin --toolchain zig@0.16.0"));
        let look_up = ["-undefined", "dynamic_lookup"].map(OsString::from);
        let other = explain_crash(&spec, &look_up).unwrap();
        assert!(
            other.contains("without `main`") && !other.contains("assembly"),
            "{other}"
        );
        spec.zig = Some(zig("0.16.0"));
        assert_eq!(explain_crash(&spec, &[]), None);
    }

    fn help(triple: &str, family: Family, said: &str) -> Option<String> {
        explain(
            &Spec::new(triple.parse().unwrap(), family, "/t".into()),
            None,
            said,
        )
    }

    #[test]
    fn newer_zigs_words_are_known() {
        let mac = "aarch64-apple-darwin";
        for (said, expected) in [
            (
                "error: unable to find system framework \"Foundation\". searched paths: none",
                "xtool sdk import",
            ),
            (
                "error: unable to find dynamic system library \"foo\" using strategy paths_first. searched paths: none",
                "no `foo` for aarch64-apple-darwin",
            ),
        ] {
            let found = help(mac, Family::Zig, said).unwrap_or_default();
            assert!(found.contains(expected), "{said}: {found}");
        }
    }

    /// Each text is what the real linker wrote (GNU ld 2.40, zig 0.15.2, ld64.lld 14).
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
