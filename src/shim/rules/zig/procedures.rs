//! Procedures in assembly for macOS, on which zig's Mach-O linker before 0.16 crashes.
//!
//! It looks every unwind record's procedure up by its symbol, and ends with a segmentation fault where there is none:
//! one that starts at a local label, of which the assembler leaves no trace (aws-lc's big numbers have them; seen with
//! 0.15.2). A header in front of such a source redefines `.cfi_startproc` so that each start has a symbol. The
//! assembler's directives that it is made of (`.alt_entry`, `.no_dead_strip`, `.macros_off`) are in LLVM's
//! `AsmParser.cpp` and `DarwinAsmParser.cpp`. To keep the local labels (`-Wa,-L`) would be wrong: with
//! `.subsections_via_symbols` each of them begins a part of its own, and `-dead_strip` then removes what a procedure
//! runs into.
//!
//! Only what people write (`.S`, `.sx`): `.s` is mostly a compiler's, whose procedures have symbols.

use std::ffi::OsString;
use std::path::Path;

use super::{Context, minor, words};
use crate::shim::Spec;
use crate::target::TargetOs;

const FILE: &str = "assembly/procedures.h";

fn is_needed(spec: &Spec) -> bool {
    let old = |zig: &crate::shim::Zig| minor(&zig.version) < 16;
    spec.triple.os() == TargetOs::MacOs && spec.zig.as_ref().is_some_and(old)
}

/// The header.
pub(super) fn stub_files(spec: &Spec) -> Vec<(&'static str, String)> {
    if is_needed(spec) {
        vec![(FILE, include_str!("apple/procedures.h").to_owned())]
    } else {
        Vec::new()
    }
}

/// The header before the caller's own, where a source is assembly to be assembled: preprocessed text (`-E`) is read by
/// others than assemblers. Beside it, C passes over the header's text.
pub(super) fn before(context: Context<'_>, variant: &Path, args: &[OsString]) -> Vec<OsString> {
    let is_read = |name: &str| {
        let end = name.rsplit_once('.').map(|(_, end)| end);
        !name.starts_with('-') && matches!(end, Some("S" | "sx"))
    };
    let is_named = |arg: &OsString| {
        let language = arg.to_str().unwrap_or_default();
        language.trim_start_matches("-x") == "assembler-with-cpp"
    };
    if is_needed(context.spec)
        && !words(args).any(|arg| arg == "-E")
        && (words(args).any(is_read) || args.iter().any(is_named))
    {
        vec!["-include".into(), variant.join(FILE).into()]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::stub_files;
    use super::super::tests::{run, spec_of};
    use crate::shim::Tool;

    #[test]
    fn only_assembly_that_is_preprocessed_for_macos_gets_the_header() {
        let of = |triple: &str, version: &str, args: &[&str]| {
            let spec = spec_of(triple, "TARGET", version);
            run(&spec, Tool::Cc, args)
                .windows(2)
                .any(|pair| pair == ["-include", "/v/assembly/procedures.h"])
        };
        let apple = "aarch64-apple-darwin";
        for yes in [
            &["-c", "a.S", "-o", "a.o"][..],
            &["a.c", "b.sx"],
            &["-x", "assembler-with-cpp", "-c", "a"],
            &["-xassembler-with-cpp", "-c", "-"],
        ] {
            assert!(of(apple, "0.15.2", yes), "{yes:?}");
            assert!(!of(apple, "0.16.0", yes), "{yes:?}");
            assert!(!of("aarch64-unknown-linux-gnu", "0.15.2", yes), "{yes:?}");
        }
        // A compiler's; text for others; an output; nothing that is compiled.
        for no in [
            &["-c", "a.s"][..],
            &["-E", "-x", "assembler-with-cpp", "a.ld.in"],
            &["-c", "a.c", "-o", "a.S"],
            &["a.o", "-o", "a"],
        ] {
            assert!(!of(apple, "0.15.2", no), "{no:?}");
        }
        let has = |triple, version| {
            let spec = spec_of(triple, "TARGET", version);
            stub_files(&spec)
                .iter()
                .any(|(name, _)| *name == super::FILE)
        };
        assert!(has(apple, "0.15.2"));
        assert!(!has(apple, "0.16.0") && !has("x86_64-pc-windows-gnu", "0.15.2"));
    }
}
