//! The start-up objects that rustc brings itself (`rustc_target/src/spec/crt_objects.rs`).
//!
//! Where Rust's std for the target is installed they are paths below `…/lib/self-contained/` (or, on i686 Windows,
//! `…/lib/rsbegin.o`); under `-Zbuild-std`, where nothing installed them, the same objects arrive as bare names.

use super::Arg;

/// musl's, and the compiler's own beside them.
const MUSL: [&str; 10] = [
    "crt1.o",
    "Scrt1.o",
    "rcrt1.o",
    "crti.o",
    "crtn.o",
    "crtbegin.o",
    "crtbeginS.o",
    "crtbeginT.o",
    "crtend.o",
    "crtendS.o",
];
/// mingw-w64's.
const MINGW: [&str; 2] = ["crt2.o", "dllcrt2.o"];
/// WASI's.
const WASI: [&str; 2] = ["crt1-command.o", "crt1-reactor.o"];
/// Rust's own, which register the frames of a DWARF-unwinding Windows program.
const RSBEGIN: [&str; 2] = ["rsbegin.o", "rsend.o"];

/// One of C's start-up objects, as rustc passes its own copy: bare, or from its `self-contained` folder.
pub(super) fn is_rustcs_crt(arg: Arg<'_>) -> bool {
    let known = |name| MUSL.contains(&name) || MINGW.contains(&name) || WASI.contains(&name);
    arg.file_name().is_some_and(known) && (is_bare(arg) || is_self_contained(arg))
}

/// The same, but only under a bare name, which no linker finds.
pub(super) fn is_bare_crt(arg: Arg<'_>) -> bool {
    is_rustcs_crt(arg) && is_bare(arg)
}

/// `rsbegin.o` or `rsend.o`, wherever it lies.
pub(super) fn is_rsbegin(arg: Arg<'_>) -> bool {
    arg.file_name().is_some_and(|name| RSBEGIN.contains(&name))
}

/// `rsbegin.o` or `rsend.o` under a bare name.
pub(super) fn is_bare_rsbegin(arg: Arg<'_>) -> bool {
    is_rsbegin(arg) && is_bare(arg)
}

/// rustc's `libcompiler_builtins-<hash>.rlib`.
pub(super) fn is_compiler_builtins(arg: Arg<'_>) -> bool {
    arg.file_name().is_some_and(|name| {
        name.starts_with("libcompiler_builtins-") && name.to_ascii_lowercase().ends_with(".rlib")
    })
}

fn is_bare(arg: Arg<'_>) -> bool {
    arg.file_name() == Some(arg.text)
}

fn is_self_contained(arg: Arg<'_>) -> bool {
    arg.text.rsplit(['/', '\\']).nth(1) == Some("self-contained")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg(text: &str) -> Arg<'_> {
        Arg { text, next: None }
    }

    #[test]
    fn rustcs_objects_are_told_from_the_users() {
        for yes in [
            "crt1.o",
            "rcrt1.o",
            "/r/lib/self-contained/crti.o",
            "C:\\r\\self-contained\\crt2.o",
            "dllcrt2.o",
            "crtbeginS.o",
        ] {
            assert!(is_rustcs_crt(arg(yes)), "{yes}");
        }
        for no in ["/mine/crt1.o", "mycrt1.o", "-lcrt1.o", "crt3.o"] {
            assert!(!is_rustcs_crt(arg(no)), "{no}");
        }
        assert!(!is_bare_crt(arg("/r/self-contained/crt1.o")));
        assert!(is_bare_rsbegin(arg("rsbegin.o")) && !is_bare_rsbegin(arg("/r/rsend.o")));
        assert!(is_rsbegin(arg("/r/rsend.o")));
        assert!(is_compiler_builtins(arg("/d/libcompiler_builtins-0a.rlib")));
        assert!(!is_compiler_builtins(arg("/d/libcore-0a.rlib")));
    }
}
