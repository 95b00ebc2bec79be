//! What a driver is asked about itself and clang does not answer, or answers with the host's files: GCC's questions
//! (its manual, "Developer Options"), as configure scripts and libtool put them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::rules::takes_value;
use super::{Spec, Tool, tools_of};
use crate::build_env::shim;
use crate::manifest::Family;
use crate::target::{TargetOs, Triple};

/// The answer, without a line end; `None` when the driver has it.
pub(super) fn answer(spec: &Spec, variant: &Path, args: &[OsString]) -> Option<String> {
    if spec.family == Family::Gcc {
        return None;
    }
    let question = question(args)?;
    let zigs = spec.zig.is_some();
    Some(match question {
        "sysroot" => text(&sysroot(spec).unwrap_or_default()),
        "multiarch" => multiarch(&spec.triple),
        "multi-os-directory" => ".".to_owned(),
        "multi-directory" if zigs => ".".to_owned(),
        "multi-lib" if zigs => ".;".to_owned(),
        "libgcc-file-name" if zigs => file(spec, variant, "libgcc.a"),
        "search-dirs" if zigs => search_folders(spec, variant),
        _ => {
            let (name, value) = question.split_once('=')?;
            match name {
                "file-name" if zigs => file(spec, variant, value),
                "prog-name" if zigs => program(spec, variant, value),
                _ => return None,
            }
        }
    })
}

/// The first question: `sysroot` of `-print-sysroot`.
fn question(args: &[OsString]) -> Option<&str> {
    let mut rest = args.iter().filter_map(|arg| arg.to_str());
    while let Some(arg) = rest.next() {
        if takes_value(arg) {
            rest.next();
        }
        let print = arg.strip_prefix("-print-");
        if let Some(question) = print.or_else(|| arg.strip_prefix("--print-")) {
            return Some(question);
        }
    }
    None
}

fn sysroot(spec: &Spec) -> Option<PathBuf> {
    let sdk = spec.sdk.as_ref().map(|sdk| sdk.path.clone());
    sdk.or_else(|| spec.sysroot_argument().map(Path::to_owned))
}

/// Debian's name of the target ("Multiarch Tuples"); nothing where it has none.
fn multiarch(triple: &Triple) -> String {
    if triple.os() != TargetOs::Linux {
        return String::new();
    }
    let arch = match triple.arch() {
        "i686" | "i586" => "i386",
        "riscv64gc" => "riscv64",
        arch if arch.starts_with("arm") || arch.starts_with("thumb") => "arm",
        arch => arch,
    };
    format!("{arch}-linux-{}", triple.env())
}

/// Where libraries of the target lie as files. zig makes its own when it links.
fn folders(spec: &Spec, variant: &Path) -> Vec<PathBuf> {
    match &spec.sdk {
        Some(sdk) => vec![sdk.path.join("usr/lib")],
        None if spec.triple.os() == TargetOs::MacOs => vec![variant.join("lib")],
        None => Vec::new(),
    }
}

/// A library's path, or as GCC its name where there is none; and the folder of the compiler's own headers.
fn file(spec: &Spec, variant: &Path, name: &str) -> String {
    let mut folders = folders(spec, variant);
    if name == "include" {
        folders.push(spec.root.join("lib"));
    }
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    found.map_or_else(|| name.to_owned(), |path| text(&path))
}

/// A shim, or the name where the toolchain has no such program: never the host's own.
fn program(spec: &Spec, variant: &Path, name: &str) -> String {
    let tool = Tool::from_name(name).filter(|tool| tools_of(spec).contains(tool));
    tool.map_or_else(|| name.to_owned(), |tool| text(&shim(variant, tool)))
}

fn search_folders(spec: &Spec, variant: &Path) -> String {
    let list = |folders: &[PathBuf]| {
        let joined = std::env::join_paths(folders).unwrap_or_default();
        joined.to_string_lossy().into_owned()
    };
    format!(
        "install: {}\nprograms: ={}\nlibraries: ={}",
        text(&spec.root),
        list(&[variant.to_owned()]),
        list(&folders(spec, variant))
    )
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::{Sdk, Zig};

    fn spec(triple: &str) -> Spec {
        let mut spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/z".into());
        spec.zig = Some(Zig {
            exe: "/z/zig".into(),
            target: "T".into(),
            cpu: None,
            version: "0.15.2".into(),
            cache_dir: "/c".into(),
        });
        spec
    }

    fn ask(spec: &Spec, question: &str) -> Option<String> {
        let args: Vec<OsString> = question.split(' ').map(Into::into).collect();
        answer(spec, Path::new("/v"), &args)
    }

    #[test]
    fn the_multiarch_name_is_debians() {
        for (triple, name) in [
            ("x86_64-unknown-linux-gnu", "x86_64-linux-gnu"),
            ("i686-unknown-linux-gnu", "i386-linux-gnu"),
            ("armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf"),
            ("riscv64gc-unknown-linux-musl", "riscv64-linux-musl"),
            ("powerpc64le-unknown-linux-gnu", "powerpc64le-linux-gnu"),
            ("x86_64-pc-windows-gnu", ""),
            ("aarch64-apple-darwin", ""),
        ] {
            let said = ask(&spec(triple), "-print-multiarch");
            assert_eq!(said.as_deref(), Some(name), "{triple}");
        }
    }

    #[test]
    fn the_sysroot_is_the_sdk_or_none() {
        let mut spec = spec("aarch64-apple-darwin");
        assert_eq!(ask(&spec, "-print-sysroot").as_deref(), Some(""));
        spec.sdk = Some(Sdk {
            path: "/sdk".into(),
            version: "14.5".into(),
            id: None,
        });
        assert_eq!(ask(&spec, "--print-sysroot").as_deref(), Some("/sdk"));
    }

    #[test]
    fn nothing_of_the_hosts_is_named() {
        let spec = spec("x86_64-unknown-linux-gnu");
        let ar = text(&shim(Path::new("/v"), Tool::Ar));
        for (question, said) in [
            ("-print-file-name=libc.a", "libc.a"),
            ("-print-libgcc-file-name", "libgcc.a"),
            ("-print-prog-name=ld", "ld"),
            ("-print-prog-name=ar", &ar),
            ("-print-multi-lib", ".;"),
            ("-O2 -print-multi-directory", "."),
        ] {
            assert_eq!(ask(&spec, question).as_deref(), Some(said), "{question}");
        }
        let folders = ask(&spec, "-print-search-dirs").unwrap();
        assert!(
            folders.ends_with("programs: =/v\nlibraries: ="),
            "{folders}"
        );
    }

    #[test]
    fn others_answer_for_themselves() {
        let mut spec = spec("x86_64-unknown-linux-gnu");
        for question in [
            "-print-supported-cpus",
            "-print-target-triple",
            "--version",
            "-c a.c",
            "-D -print-sysroot a.c",
        ] {
            assert_eq!(ask(&spec, question), None, "{question}");
        }
        spec.zig = None;
        assert_eq!(ask(&spec, "-print-prog-name=ld"), None);
        assert_eq!(ask(&spec, "-print-sysroot").as_deref(), Some(""));
        spec.family = Family::Gcc;
        assert_eq!(ask(&spec, "-print-sysroot"), None);
    }
}
