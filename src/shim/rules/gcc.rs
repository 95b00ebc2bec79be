//! GCC cross compilers: mingw-w64, GCC with musl, Debian's GNU ones.
//!
//! Little has to change, since GCC is what Rust's targets are made for: where the target's files are, and that a
//! Windows program needs none of GCC's own DLLs.

use std::ffi::OsString;
use std::path::Path;

use super::{Action, Arg, Invocation, apply, links, objects};
use crate::shim::{Spec, Tool};
use crate::target::TargetOs;

/// What a GCC tool is run as.
pub fn rewrite(spec: &Spec, program: &Path, tool: Tool, args: Vec<OsString>) -> Invocation {
    if !tool.is_driver() {
        return Invocation::new(program, args);
    }
    let linking = links(&args);
    let windows = spec.triple.os() == TargetOs::Windows;
    let bare_crt = linking && has_bare_crt(&args);
    let has = |names: &[&str]| args.iter().any(|a| names.iter().any(|n| a == n));
    // GCC's own libraries come after everything on the command line.
    let adds_its_own = linking && windows && !has(&RUSTCS);
    let all_static = has(&["-static"]);
    let rewritten = if linking {
        apply(args, |arg| {
            let action = without_absent_objects(arg, bare_crt);
            if windows {
                action.or_else(|| windows_rule(arg))
            } else if spec.triple.is_musl() && bare_crt {
                action.or_else(|| musl_rule(arg))
            } else {
                action
            }
        })
    } else {
        args
    };

    let mut out: Vec<OsString> = Vec::with_capacity(rewritten.len() + 8);
    if let Some(sysroot) = spec.sysroot_argument() {
        let mut option = OsString::from("--sysroot=");
        option.push(sysroot);
        out.push(option);
    }
    if linking && windows {
        // Programs may import the system's DLLs only.
        out.extend(["-static-libgcc", "-static-libstdc++"].map(OsString::from));
    }
    if adds_its_own && !all_static {
        // For what GCC adds, winpthread among it; the user's own libraries are looked up as ever.
        out.extend(["-static", "-Wl,-Bdynamic"].map(OsString::from));
    }
    out.extend(rewritten);
    if linking && windows {
        let late = if adds_its_own {
            &WINDOWS_LATE[..WINDOWS_LATE.len() - 1]
        } else {
            &WINDOWS_LATE
        };
        out.extend(late.iter().map(OsString::from));
    }
    if linking && spec.triple.is_musl() && bare_crt {
        out.extend(MUSL_LATE.map(OsString::from));
    }
    Invocation::new(program, out)
}

/// Last on the command line, after everything that may need it: with the `posix` thread model libstdc++ and the
/// unwinder use winpthread, which rustc does not name (it passes `-nodefaultlibs`), and which needs these two.
const WINDOWS_LATE: [&str; 7] = [
    "-Wl,-Bstatic",
    "-Wl,--start-group",
    "-lgcc_eh",
    "-lwinpthread",
    "-lgcc",
    "-Wl,--end-group",
    "-Wl,-Bdynamic",
];

/// What rustc passes, to name GCC's libraries itself.
const RUSTCS: [&str; 3] = ["-nodefaultlibs", "-nostdlib", "-nostartfiles"];

/// Under `-Zbuild-std` on musl: what rustc's own libunwind and libc would have brought.
const MUSL_LATE: [&str; 5] = [
    "-Wl,--start-group",
    "-lgcc_eh",
    "-lgcc",
    "-lc",
    "-Wl,--end-group",
];

fn has_bare_crt(args: &[OsString]) -> bool {
    args.iter()
        .filter_map(|a| a.to_str())
        .any(|text| objects::is_bare_crt(Arg { text, next: None }))
}

/// Under `-Zbuild-std` rustc names start-up objects that nothing installed. GCC has its own, and adds them unless
/// told not to; its `crtbegin.o` also registers the frames for which Rust's `rsbegin.o` is made.
fn without_absent_objects(arg: Arg<'_>, bare_crt: bool) -> Action {
    let absent = objects::is_bare_crt(arg) || objects::is_bare_rsbegin(arg);
    if absent || (bare_crt && arg.text == "-nostartfiles") {
        return Action::Drop;
    }
    Action::Keep
}

fn windows_rule(arg: Arg<'_>) -> Action {
    match arg.text {
        // The `cc` crate's default for C++, and what rustc adds when a Rust DLL is linked in: both are DLLs of GCC's.
        "-lstdc++" => Action::Replace(
            ["-Wl,-Bstatic", "-lstdc++", "-Wl,-Bdynamic"]
                .map(str::to_owned)
                .into(),
        ),
        "-lgcc_s" => Action::replace("-lgcc_eh"),
        "-lpthread" | "-lwinpthread" => Action::replace("-l:libwinpthread.a"),
        _ => Action::Keep,
    }
}

/// Only under `-Zbuild-std`: the library is GCC's own then.
fn musl_rule(arg: Arg<'_>) -> Action {
    match arg.text {
        "-lunwind" => Action::replace("-lgcc_eh"),
        _ => Action::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;

    fn spec(triple: &str) -> Spec {
        let mut spec = Spec::new(triple.parse().unwrap(), Family::Gcc, "/t".into());
        spec.tools.cc = Some("/t/gcc".into());
        spec
    }

    fn run(spec: &Spec, args: &[&str]) -> String {
        let args = args.iter().map(Into::into).collect();
        let out = rewrite(spec, Path::new("/t/gcc"), Tool::Cc, args);
        out.args.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn windows_programs_get_gccs_libraries_statically() {
        let spec = spec("x86_64-pc-windows-gnu");
        let out = run(&spec, &["a.o", "-lstdc++", "-lgcc_s", "-nodefaultlibs"]);
        assert_eq!(
            out,
            "-static-libgcc -static-libstdc++ a.o -Wl,-Bstatic -lstdc++ -Wl,-Bdynamic -lgcc_eh -nodefaultlibs \
             -Wl,-Bstatic -Wl,--start-group -lgcc_eh -lwinpthread -lgcc -Wl,--end-group -Wl,-Bdynamic"
        );
    }

    /// `-lpthread` and `-lstdc++` stand behind our last argument then; without this they are DLLs.
    #[test]
    fn what_gcc_adds_itself_is_static_too() {
        let spec = spec("x86_64-pc-windows-gnu");
        let late = "-Wl,-Bstatic -Wl,--start-group -lgcc_eh -lwinpthread -lgcc -Wl,--end-group";
        assert_eq!(
            run(&spec, &["a.o", "-lfoo"]),
            format!("-static-libgcc -static-libstdc++ -static -Wl,-Bdynamic a.o -lfoo {late}")
        );
        assert_eq!(
            run(&spec, &["-static", "a.o"]),
            format!("-static-libgcc -static-libstdc++ -static a.o {late}")
        );
    }

    #[test]
    fn compiling_changes_nothing_on_windows() {
        let spec = spec("x86_64-pc-windows-gnu");
        assert_eq!(run(&spec, &["-c", "a.c", "-o", "a.o"]), "-c a.c -o a.o");
    }

    #[test]
    fn build_std_objects_that_nothing_installed_go() {
        let spec = spec("i686-pc-windows-gnu");
        let out = run(
            &spec,
            &["crt2.o", "rsbegin.o", "a.o", "-nostartfiles", "rsend.o"],
        );
        assert!(
            out.starts_with("-static-libgcc -static-libstdc++ a.o -Wl"),
            "{out}"
        );
    }

    #[test]
    fn installed_objects_stay() {
        let spec = spec("i686-pc-windows-gnu");
        let out = run(
            &spec,
            &["/r/lib/rsbegin.o", "a.o", "-nostartfiles", "/r/lib/rsend.o"],
        );
        assert!(out.contains("/r/lib/rsbegin.o a.o -nostartfiles /r/lib/rsend.o"));
    }

    #[test]
    fn musl_under_build_std_takes_gccs_own() {
        let spec = spec("x86_64-unknown-linux-musl");
        let out = run(
            &spec,
            &[
                "rcrt1.o",
                "crti.o",
                "a.o",
                "-lunwind",
                "-lc",
                "-nostartfiles",
                "crtn.o",
            ],
        );
        assert_eq!(
            out,
            "a.o -lgcc_eh -lc -Wl,--start-group -lgcc_eh -lgcc -lc -Wl,--end-group"
        );
        // With Rust's std installed everything is rustc's.
        let installed = [
            "/r/self-contained/rcrt1.o",
            "a.o",
            "-lunwind",
            "-nostartfiles",
        ];
        assert_eq!(run(&spec, &installed), installed.join(" "));
    }

    #[test]
    fn debians_cross_compiler_gets_its_sysroot_and_keeps_rust_lld() {
        let mut spec = spec("aarch64-unknown-linux-gnu");
        spec.sysroot = Some("/t/usr/aarch64-linux-gnu".into());
        assert_eq!(
            run(&spec, &["a.o", "-B/r/gcc-ld", "-fuse-ld=lld", "-lgcc_s"]),
            "--sysroot=/t a.o -B/r/gcc-ld -fuse-ld=lld -lgcc_s"
        );
        assert_eq!(run(&spec, &["-c", "a.c"]), "--sysroot=/t -c a.c");
    }
}
