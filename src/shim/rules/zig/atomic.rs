//! `__atomic_is_lock_free`, which zig's `compiler_rt` lacks of libatomic's functions.
//!
//! clang asks it on 32-bit x86 about `uint64_t`, whose alignment of 4 lets the answer depend on the address (vendored
//! OpenSSL does: "undefined symbol: `__atomic_is_lock_free`", seen with 0.15.2). `compiler_rt/atomics.zig` decides the
//! answer: what is wider than a register goes through its spin locks.

use std::ffi::OsString;
use std::path::Path;

use super::Context;
use crate::shim::Spec;
use crate::target::Triple;

const FILE: &str = "lib/atomic_is_lock_free.c";

fn is_needed(triple: &Triple) -> bool {
    matches!(triple.arch(), "i586" | "i686")
}

/// The source: nothing is compiled when shims are made.
pub(super) fn stub_files(spec: &Spec) -> Vec<(&'static str, String)> {
    if is_needed(&spec.triple) {
        vec![(FILE, include_str!("atomic/is_lock_free.c").to_owned())]
    } else {
        Vec::new()
    }
}

/// The source as one more input of a link. Where sources are compiled and linked at once there may be options that
/// take a single input (`-MF`, `-x`), and `-r` and `-nostdlib` ask for nothing but the given.
pub(super) fn late(context: Context<'_>, variant: &Path, args: &[OsString]) -> Vec<OsString> {
    let only_given = |arg: &OsString| arg == "-r" || arg == "-nostdlib";
    if is_needed(context.triple) && context.only_links && !args.iter().any(only_given) {
        vec![variant.join(FILE).into()]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{compile, link};

    const I686: &str = "i686-unknown-linux-musl";

    #[test]
    fn a_link_of_objects_gets_what_libatomic_has() {
        assert_eq!(link(I686, &["-latomic"]), "/v/lib/atomic_is_lock_free.c");
        assert_eq!(link("x86_64-unknown-linux-musl", &["-latomic"]), "");
    }

    #[test]
    fn what_takes_no_further_input_gets_none() {
        assert_eq!(link(I686, &["-r"]), "-r");
        assert_eq!(link(I686, &["-nostdlib"]), "-nostdlib");
        assert_eq!(link(I686, &["b.c", "-MD"]), "b.c -MD");
        assert_eq!(compile(I686, &[]), "");
    }
}
