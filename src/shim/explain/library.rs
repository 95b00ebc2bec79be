//! Libraries: the host's own in place of the target's, and those that are nowhere.

use std::path::Path;

use super::apple::of_apple;
use super::{after, between, quoted};
use crate::shim::Spec;
use crate::target::TargetOs;

/// A library that the host's own packages installed.
pub(super) fn host_library(spec: &Spec, line: &str) -> Option<String> {
    let path = foreign(line)
        .or_else(|| in_archive(line))
        .filter(|path| is_hosts_own(spec, path))?;
    let triple = &spec.triple;
    Some(format!(
        "`{path}` is this machine's, not {triple}'s: build the library for the target (a crate's `vendored` or \
         `bundled` feature does), and keep -L/usr/lib and the host's pkg-config out"
    ))
}

/// A library that is in no folder of the link.
pub(super) fn missing_library(spec: &Spec, line: &str) -> Option<String> {
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
        .or_else(|| quoted(line, "unable to find dynamic system library "))
        .or_else(|| quoted(line, "unable to find static system library "))?;
    Some(name.trim_end_matches(':')).filter(|name| !name.is_empty())
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

#[cfg(test)]
mod tests {
    use super::super::explain;
    use super::*;
    use crate::manifest::Family;

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
            id: None,
        });
        let said = "ld64.lld: error: library not found for -lm";
        let help = explain(&spec, None, said).unwrap();
        assert!(
            help.contains("14.5 SDK in /sdk has no `usr/lib/libm.tbd`"),
            "{help}"
        );
        assert!(help.contains("xtool sdk import"), "{help}");
        let other = explain(&spec, None, "ld64.lld: error: library not found for -lfoo").unwrap();
        assert!(
            other.starts_with("no `foo` for aarch64-apple-darwin"),
            "{other}"
        );
    }
}
