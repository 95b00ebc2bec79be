//! Names of a glibc that is newer than the one linked against.

use super::undefined;
use crate::manifest::Family;
use crate::shim::Spec;

/// A symbol, or the version of one, that the toolchain's glibc does not have yet.
pub(super) fn newer_glibc(spec: &Spec, line: &str) -> Option<String> {
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
