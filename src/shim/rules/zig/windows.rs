//! zig for Windows: mingw-w64's libraries come with zig, libgcc's place is taken by `compiler_rt` and libunwind.

use std::ffi::OsString;

use super::{Action, Arg, Context, objects};

/// `*-windows-gnullvm`, whose rules are few: Rust means it for clang and compiler-rt.
fn is_gnullvm(context: Context<'_>) -> bool {
    context.triple.env() == "gnullvm"
}

pub(super) fn rule(context: Context<'_>, arg: Arg<'_>) -> Action {
    // What they say is read before (`subsystem`); zig's clang would only warn.
    if matches!(arg.text, "-mwindows" | "-mconsole") {
        return Action::Drop;
    }
    if !context.linking {
        return Action::Keep;
    }
    let both = match arg.text {
        // zig adds the C runtime and its start-up objects itself.
        "-lmsvcrt" | "-nostartfiles" => Action::Drop,
        // GCC's other name of it ("Cygwin and MinGW Options"), which zig lets pass and links a program.
        "-mdll" => Action::replace("-shared"),
        // zig has a definition file for the API set, but no library of this name.
        "-lsynchronization" => Action::replace("-lapi-ms-win-core-synch-l1-2-0"),
        _ if objects::is_rustcs_crt(arg) => Action::Drop,
        _ => Action::Keep,
    };
    if is_gnullvm(context) {
        return both.or_else(|| gnullvm(arg));
    }
    both.or_else(|| gnu(context, arg))
}

/// rustc names the C libraries itself (`rustc_target/src/spec/base/windows_gnullvm.rs`). zig from 0.16 on takes
/// `-nolibc` at its word and leaves out `__stack_chk_fail` too, which C compiled by it asks for.
fn gnullvm(arg: Arg<'_>) -> Action {
    match (arg.text, arg.next) {
        ("-nolibc", Some("--unwindlib=none")) => Action::Drop,
        _ => Action::Keep,
    }
}

fn gnu(context: Context<'_>, arg: Arg<'_>) -> Action {
    let i686 = matches!(context.triple.arch(), "i686" | "i586");
    match arg.text {
        // Rust's i686 unwinds by DWARF tables, which zig's libunwind finds by the section's name; libc++ brings it.
        "-lgcc_eh" if i686 => Action::replace("-lc++"),
        _ if i686 && objects::is_rsbegin(arg) => Action::Drop,
        // zig brings compiler_rt, whose symbols Rust's would repeat.
        _ if objects::is_compiler_builtins(arg) => Action::Drop,
        "-lwindows" | "-lgcc" | "-lssp" | "-lssp_nonshared" => Action::Drop,
        _ => Action::Keep,
    }
}

pub(super) fn late(context: Context<'_>) -> Vec<OsString> {
    if context.minor >= 16 && !is_gnullvm(context) {
        vec!["-lcompiler_rt".into()]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{compile, link, link_with};

    const WINDOWS: &str = "x86_64-pc-windows-gnu";
    const I686: &str = "i686-pc-windows-gnu";
    const GNULLVM: &str = "x86_64-pc-windows-gnullvm";

    #[test]
    fn a_dll_has_two_names() {
        assert_eq!(link(WINDOWS, &["-mdll", "-o", "a.dll"]), "-shared -o a.dll");
        assert_eq!(compile(WINDOWS, &["-mdll"]), "-mdll");
    }

    #[test]
    fn windows_takes_zigs_libraries() {
        assert_eq!(
            link(
                WINDOWS,
                &[
                    "/d/libcompiler_builtins-1f.rlib",
                    "-lwindows",
                    "-l:libpthread.a",
                    "-lgcc",
                    "-lmsvcrt",
                    "-lssp_nonshared",
                    "-lssp",
                    "-Wl,--disable-auto-image-base",
                    "-Wl,--dynamicbase",
                    "-Wl,--large-address-aware",
                    "-lgcc_eh",
                    "-lkernel32",
                ]
            ),
            "-lgcc_eh -lkernel32"
        );
        // What a DLL exports.
        assert_eq!(
            link(WINDOWS, &["-Wl,/tmp/rustc1/list.def"]),
            "/tmp/rustc1/list.def"
        );
        assert_eq!(link(WINDOWS, &["-Wl,-Bdynamic"]), "-Wl,-search_paths_first");
        assert_eq!(
            link(WINDOWS, &["-lsynchronization"]),
            "-lapi-ms-win-core-synch-l1-2-0"
        );
        assert_eq!(
            link(
                WINDOWS,
                &["crt2.o", "/r/self-contained/dllcrt2.o", "-nostartfiles"]
            ),
            ""
        );
    }

    #[test]
    fn windows_on_i686_unwinds_by_zigs_library() {
        assert_eq!(
            link(I686, &["rsbegin.o", "-lgcc_eh", "/r/lib/rsend.o"]),
            "-lc++"
        );
    }

    #[test]
    fn the_subsystem_is_the_linkers() {
        for triple in [WINDOWS, GNULLVM, I686] {
            let out = link(triple, &["-mwindows"]);
            let expected = "-Wl,--subsystem,windows -lgdi32 -lcomdlg32";
            assert!(out.starts_with(expected), "{triple}: {out}");
        }
        let out = link(WINDOWS, &["-mwindows", "-nodefaultlibs"]);
        assert_eq!(out, "-nodefaultlibs -Wl,--subsystem,windows");
        assert_eq!(compile(WINDOWS, &["-mwindows", "-municode"]), "-municode");
    }

    #[test]
    fn gnullvm_needs_little() {
        assert_eq!(
            link(
                GNULLVM,
                &["-lmsvcrt", "-lgcc", "/d/libcompiler_builtins-1.rlib"]
            ),
            "-lgcc /d/libcompiler_builtins-1.rlib"
        );
        assert_eq!(
            link(GNULLVM, &["-Wl,-Bdynamic", "-lwindows.0.52.0"]),
            "-Wl,-search_paths_first -lwindows.0.52.0"
        );
        // rustc's; a build without the C library is the user's own wish.
        assert_eq!(
            link(GNULLVM, &["-nolibc", "--unwindlib=none"]),
            "--unwindlib=none"
        );
        assert_eq!(link(GNULLVM, &["-nolibc", "-O2"]), "-nolibc -O2");
    }

    #[test]
    fn zig_0_16_wants_compiler_rt_by_name_on_windows() {
        assert_eq!(link_with(WINDOWS, "0.16.0", &[]), "-lcompiler_rt");
        assert_eq!(link_with(WINDOWS, "0.17.1", &[]), "-lcompiler_rt");
        assert_eq!(link_with(WINDOWS, "0.15.2", &[]), "");
        assert_eq!(link_with(GNULLVM, "0.16.0", &[]), "");
    }
}
