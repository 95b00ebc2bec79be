//! zig for Linux, with musl or glibc.

use std::ffi::OsString;

use super::{Action, Arg, Context, objects};

pub(super) fn rule(context: Context<'_>, arg: Arg<'_>) -> Action {
    if !context.linking {
        return Action::Keep;
    }
    match arg.text {
        // zig's compiler_rt has what libgcc and libatomic have; its unwinder is libunwind.
        "-lgcc_eh" => Action::replace("-lunwind"),
        "-lgcc" | "-latomic" => Action::Drop,
        _ if context.triple.is_musl() => musl(arg),
        _ => Action::Keep,
    }
}

/// zig brings musl and its start-up objects itself.
fn musl(arg: Arg<'_>) -> Action {
    match arg.text {
        "-lc" | "-nostartfiles" | "-Wl,-melf_i386" => Action::Drop,
        _ if objects::is_rustcs_crt(arg) => Action::Drop,
        _ => Action::Keep,
    }
}

pub(super) fn late(context: Context<'_>) -> Vec<OsString> {
    let mips32 = matches!(context.triple.arch(), "mips" | "mipsel");
    if mips32 {
        // Rust's objects for it have text relocations, which zig's linker refuses by default.
        vec!["-Wl,-z,notext".into()]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{run, spec_of};
    use crate::shim::Tool;

    #[test]
    fn clang_answers_without_a_glibc_version() {
        let spec = spec_of(
            "armv7-unknown-linux-gnueabihf",
            "arm-linux-gnueabihf.2.17",
            "0.15.2",
        );
        for question in [
            &["--version"][..],
            &["-v"],
            &["-dumpmachine"],
            &["-print-search-dirs"],
            &["-O2", "-o", "a", "-v"],
            &["a.c", "--print-file-name=libc.a"],
        ] {
            let args = run(&spec, Tool::Cc, question);
            assert!(args.contains(&"arm-linux-gnueabihf".to_owned()), "{args:?}");
        }
        for work in [&["-v", "a.o"][..], &["-c", "a.c"], &["@args"], &["-"]] {
            let args = run(&spec, Tool::Cc, work);
            assert!(
                args.contains(&"arm-linux-gnueabihf.2.17".to_owned()),
                "{args:?}"
            );
        }
    }
}
