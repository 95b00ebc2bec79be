//! zig for Linux, with musl or glibc.

use std::ffi::OsString;

use super::{Action, Arg, Context, objects};
use crate::shim::ShimError;

/// zig knows no `-static-pie`: with musl its two halves say the same, and with glibc it links dynamically, whatever is
/// asked for (`-static` ends in "requires dynamic linking", `-static-pie` was let go by).
pub(super) fn check_static(context: Context<'_>, args: &[OsString]) -> Result<(), ShimError> {
    let has = |option: &str| args.iter().any(|arg| arg == option);
    let without_libc = has("-nostdlib") || has("-nolibc") || has("-nodefaultlibs");
    if !context.linking || !context.triple.is_glibc() || without_libc || has("-shared") || has("-r")
    {
        return Ok(());
    }
    let asked = ["-static-pie", "-static"]
        .into_iter()
        .find(|option| has(option));
    asked.map_or(Ok(()), |option| {
        Err(ShimError::StaticGlibc {
            triple: context.triple.clone(),
            option,
        })
    })
}

/// What says it in zig's words. rustc asks for it in each link with musl, by its start-up object too: as zig never heeded
/// it, such programs link with C that is no position-independent code, and go on to.
pub(super) fn static_pie(context: Context<'_>, args: &[OsString]) -> Vec<OsString> {
    let has = |option: &str| args.iter().any(|arg| arg == option);
    let mut texts = args.iter().filter_map(|arg| arg.to_str());
    let by_rustc = texts.any(|text| objects::is_rustcs_crt(Arg { text, next: None }));
    if !context.linking || !has("-static-pie") || has("-shared") || by_rustc {
        return Vec::new();
    }
    vec!["-static".into(), "-pie".into()]
}

pub(super) fn rule(context: Context<'_>, arg: Arg<'_>) -> Action {
    if arg.text == "-static-pie" {
        return Action::Drop;
    }
    if !context.linking {
        return Action::Keep;
    }
    match arg.text {
        // zig's compiler_rt has what libgcc has; its unwinder is libunwind.
        "-lgcc_eh" => Action::replace("-lunwind"),
        "-lgcc" => Action::Drop,
        _ if context.triple.is_musl() => musl(arg),
        _ => Action::Keep,
    }
}

/// zig brings musl and its start-up objects itself.
fn musl(arg: Arg<'_>) -> Action {
    match arg.text {
        "-lc" | "-nostartfiles" => Action::Drop,
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
    use super::super::tests::{compile, link, refused, run, spec_of};
    use crate::help::Help as _;
    use crate::shim::Tool;

    #[test]
    fn musl_links_static_programs_of_both_kinds() {
        for triple in ["x86_64-unknown-linux-musl", "riscv64gc-unknown-linux-musl"] {
            assert_eq!(link(triple, &["-static-pie"]), "-static -pie");
            assert_eq!(link(triple, &["-static"]), "-static");
            assert_eq!(link(triple, &["-static-pie", "rcrt1.o"]), "");
            assert_eq!(compile(triple, &["-static-pie"]), "");
        }
    }

    #[test]
    fn glibc_is_not_linked_dynamically_when_static_is_asked_for() {
        for (triple, ways) in [
            (
                "aarch64-unknown-linux-gnu",
                &[
                    "xtool add aarch64-unknown-linux-musl",
                    "xtool add aarch64-unknown-linux-gnu --toolchain gnu-cross",
                ][..],
            ),
            (
                "x86_64-unknown-linux-gnu",
                &["xtool add x86_64-unknown-linux-musl"],
            ),
            (
                "s390x-unknown-linux-gnu",
                &["xtool add s390x-unknown-linux-gnu --toolchain gnu-cross"],
            ),
        ] {
            for option in ["-static", "-static-pie"] {
                let error = refused(triple, &["a.o", option]);
                assert!(error.to_string().contains(option), "{error}");
                let help = error.help().unwrap();
                assert!(ways.iter().all(|way| help.contains(way)), "{help}");
            }
        }
        let gnu = "x86_64-unknown-linux-gnu";
        assert_eq!(link(gnu, &["-static", "-nostdlib"]), "-static -nostdlib");
        assert_eq!(link(gnu, &["-shared", "-static"]), "-shared -static");
        assert_eq!(compile(gnu, &["-static"]), "-static");
    }

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
