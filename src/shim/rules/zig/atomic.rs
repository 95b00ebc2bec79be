//! libatomic, which zig does not ship.
//!
//! Its `compiler_rt` has most of the functions, though not `__atomic_is_lock_free` anywhere, and on ARM from version 6
//! on none of those for objects of any size (`compiler_rt/atomics.zig` takes such a CPU for a v6-M): "undefined symbol:
//! `__atomic_load`" for a `std::atomic` of a struct, seen with 0.15.2. Its locks are hidden in each file, too: a
//! program and a library then lock one object by different locks.
//!
//! So there is an archive of our own, made of `atomic.c` at a target's first link and kept in zig's cache, where a
//! link takes from it what it needs. It stands in every link, as GCC's libatomic would with `-latomic`: zig drops that
//! option, so nothing else tells which link needs it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Context, default_cpu, words};
use crate::digest::Sha256;
use crate::shim::rules::Recipe;
use crate::shim::{Spec, Zig};
use crate::target::{TargetOs, Triple};

const FILE: &str = "lib/atomic.c";
const SOURCE: &str = include_str!("atomic/atomic.c");

/// macOS has the functions in its system library.
fn is_needed(triple: &Triple) -> bool {
    triple.os() != TargetOs::MacOs
}

/// The source: nothing is compiled when shims are made.
pub(super) fn stub_files(spec: &Spec) -> Vec<(&'static str, String)> {
    if is_needed(&spec.triple) {
        vec![(FILE, SOURCE.to_owned())]
    } else {
        Vec::new()
    }
}

/// How the archive is made, where a link may need it: `-r` and `-nostdlib` ask for nothing but the given.
pub(super) fn recipe(
    context: Context<'_>,
    zig: &Zig,
    variant: &Path,
    args: &[OsString],
) -> Option<Recipe> {
    let only_given = |arg: &OsString| arg == "-r" || arg == "-nostdlib";
    if !is_needed(context.triple) || !context.linking || args.iter().any(only_given) {
        return None;
    }
    let cpu = zig.cpu.as_deref().or(default_cpu(context.triple));
    let mut args: Vec<OsString> = [
        "build-lib",
        "-static",
        "-O",
        "ReleaseFast",
        "-fno-compiler-rt",
        "-fPIC",
        "-target",
    ]
    .map(OsString::from)
    .into();
    args.push(zig.target.clone().into());
    args.extend(cpu.map(|cpu| format!("-mcpu={cpu}").into()));
    args.push(variant.join(FILE).into_os_string());
    Some(Recipe {
        program: zig.exe.clone(),
        args,
        output: archive(zig, cpu),
        output_option: "-femit-bin=",
    })
}

/// One for each source, target and CPU.
fn archive(zig: &Zig, cpu: Option<&str>) -> PathBuf {
    let of = format!("{}\n{}\n{}", zig.target, cpu.unwrap_or_default(), SOURCE);
    let digest = Sha256::of(of.as_bytes()).short();
    zig.cache_dir.join(format!("xtool/libatomic-{digest}.a"))
}

/// The archive as the last input. Its kind is its own, also where the inputs before it have one named (`-x c`), and
/// also where those before it are taken whole.
pub(super) fn late(recipe: &Recipe, args: &[OsString]) -> Vec<OsString> {
    let has = |start: &str| words(args).any(|arg| arg.starts_with(start));
    let mut out: Vec<OsString> = Vec::with_capacity(4);
    if has("-x") {
        out.extend(["-x", "none"].map(OsString::from));
    }
    if has("-Wl,--whole-archive") {
        out.push("-Wl,--no-whole-archive".into());
    }
    out.push(recipe.output.clone().into_os_string());
    out
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::super::tests::{compile, link_whole, spec_of};
    use super::*;

    const TARGETS: [&str; 4] = [
        "armv7-unknown-linux-gnueabihf",
        "x86_64-unknown-linux-musl",
        "x86_64-pc-windows-gnu",
        "wasm32-wasip1",
    ];

    #[test]
    fn a_link_has_libatomic_last_with_and_without_its_name() {
        for triple in TARGETS {
            for args in [&["-latomic"][..], &[], &["b.c", "-MD"]] {
                let (out, recipe) = link_whole(triple, args);
                let recipe = recipe.unwrap();
                assert!(recipe.output.starts_with("/c/xtool"), "{recipe:?}");
                assert!(!out.contains(&"-latomic".to_owned()), "{triple}: {out:?}");
                let at = recipe.output.to_str().unwrap();
                assert_eq!(
                    out.iter().filter(|arg| *arg == at).count(),
                    1,
                    "{triple} {args:?}: {out:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_to_have_no_library_has_none() {
        for triple in TARGETS {
            assert_eq!(link_whole(triple, &["-r"]).1, None);
            assert_eq!(link_whole(triple, &["-nostdlib"]).1, None);
            assert!(!compile(triple, &[]).contains("libatomic"));
        }
        assert_eq!(link_whole("aarch64-apple-darwin", &[]).1, None);
    }

    #[test]
    fn nothing_that_holds_for_other_inputs_holds_for_it() {
        let spec = spec_of(TARGETS[0], "TARGET", "0.15.2");
        let zig = spec.zig.as_ref().unwrap();
        let recipe = Recipe {
            program: zig.exe.clone(),
            args: Vec::new(),
            output: "/c/a.a".into(),
            output_option: "",
        };
        let late = |args: &[&str]| {
            let args: Vec<OsString> = args.iter().map(Into::into).collect();
            late(&recipe, &args).join(" ".as_ref())
        };
        assert_eq!(late(&["a.o"]), "/c/a.a");
        assert_eq!(late(&["-x", "c", "-"]), "-x none /c/a.a");
        assert_eq!(
            late(&["-Wl,--whole-archive", "a.a"]),
            "-Wl,--no-whole-archive /c/a.a"
        );
    }

    #[test]
    fn each_target_and_cpu_has_its_own() {
        let mut spec = spec_of(TARGETS[0], "TARGET", "0.15.2");
        let of = |spec: &Spec| archive(spec.zig.as_ref().unwrap(), None);
        let first = of(&spec);
        assert!(first.starts_with(Path::new("/c")));
        spec.zig.as_mut().unwrap().target = "OTHER".into();
        assert_ne!(of(&spec), first);
        assert_ne!(archive(spec.zig.as_ref().unwrap(), Some("x")), of(&spec));
    }
}
