//! qemu's user mode: Linux programs of another CPU.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{gnu_name, which};
use crate::shim::{Invocation, Runner, ShimError, Spec};
use crate::target::Triple;

pub(super) fn plan(
    spec: &Spec,
    runner: &Runner,
    args: Vec<OsString>,
) -> Result<Invocation, ShimError> {
    let arch = arch(&spec.triple);
    let names = [format!("qemu-{arch}"), format!("qemu-{arch}-static")];
    let emulator = names
        .iter()
        .find_map(|name| which(name))
        .ok_or_else(|| ShimError::NoRunner {
            triple: spec.triple.clone(),
            wanted: format!("neither `{}` nor `{}` is in PATH", names[0], names[1]),
            help: "`apt-get install qemu-user` (Fedora: `dnf install qemu-user`), or set `runner` in xtool.toml"
                .to_owned(),
        })?;
    let mut all = Vec::with_capacity(args.len() + 2);
    let sysroot = sysroot(spec, runner);
    let program = args.first().map(OsString::as_os_str).unwrap_or_default();
    match sysroot {
        Some(folder) => all.extend(["-L".into(), folder.into_os_string()]),
        None => check_loader(spec, program)?,
    }
    all.extend(args);
    Ok(Invocation::new(emulator, all))
}

/// The folder with the target's dynamic loader: the runner's own, the toolchain's, or what the distribution's
/// cross packages install. `None`: static programs run without.
fn sysroot(spec: &Spec, runner: &Runner) -> Option<PathBuf> {
    if spec.triple.is_musl() && runner.sysroot.is_none() && spec.sysroot.is_none() {
        return None;
    }
    let gnu = gnu_name(&spec.triple);
    let given = [&runner.sysroot, &spec.sysroot];
    let given = given.into_iter().flatten();
    given
        .flat_map(|folder| [folder.join("usr").join(&gnu), folder.clone()])
        .chain([Path::new("/usr").join(&gnu)])
        .find(|folder| has_loader(folder))
}

fn has_loader(folder: &Path) -> bool {
    ["lib", "lib64"].iter().any(|lib| {
        let Ok(entries) = fs_err::read_dir(folder.join(lib)) else {
            return false;
        };
        entries.filter_map(Result::ok).any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("ld-linux")
                || name.starts_with("ld64.so")
                || name.starts_with("ld-musl")
        })
    })
}

/// A dynamic program without its loader dies with a message that names neither: say it here.
fn check_loader(spec: &Spec, program: &OsStr) -> Result<(), ShimError> {
    let Some(loader) = interpreter(Path::new(program)) else {
        return Ok(());
    };
    if Path::new(&loader).exists() {
        return Ok(());
    }
    Err(ShimError::NoRunner {
        triple: spec.triple.clone(),
        wanted: format!("the program wants the loader `{loader}`, and no folder with it is known"),
        help: format!(
            "`apt-get install {}` puts it into `/usr/{}`",
            debian_libc(&spec.triple),
            gnu_name(&spec.triple)
        ),
    })
}

/// Debian's package with the target's libc for this machine.
fn debian_libc(triple: &Triple) -> String {
    let arch = match triple.arch() {
        "aarch64" => "arm64",
        "riscv64gc" => "riscv64",
        "powerpc64le" => "ppc64el",
        "i586" | "i686" => "i386",
        arch if arch.starts_with("arm") && triple.env().ends_with("eabihf") => "armhf",
        arch if arch.starts_with("arm") => "armel",
        arch => arch,
    };
    format!("libc6-{arch}-cross")
}

/// The loader that an ELF program names (`PT_INTERP`): linkers put the string into the first page.
fn interpreter(program: &Path) -> Option<String> {
    let mut head = Vec::with_capacity(8192);
    fs_err::File::open(program)
        .ok()?
        .take(8192)
        .read_to_end(&mut head)
        .ok()?;
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let at = head
        .windows(8)
        .position(|w| w == b"/lib/ld-" || w == b"/lib/ld6" || w == b"/lib64/l")?;
    let end = head[at..].iter().position(|b| *b == 0)?;
    String::from_utf8(head[at..at + end].to_vec()).ok()
}

/// qemu's name of the architecture.
fn arch(triple: &Triple) -> &str {
    match triple.arch() {
        "i586" | "i686" => "i386",
        "riscv64gc" | "riscv64a23" => "riscv64",
        "riscv32gc" => "riscv32",
        "powerpc64le" => "ppc64le",
        "powerpc64" => "ppc64",
        "powerpc" => "ppc",
        arch if arch.starts_with("armeb") => "armeb",
        arch if (arch.starts_with("arm") && arch != "arm64") || arch.starts_with("thumb") => "arm",
        arch => arch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures_have_qemus_names() {
        for (triple, name) in [
            ("armv7-unknown-linux-gnueabihf", "arm"),
            ("armv5te-unknown-linux-gnueabi", "arm"),
            ("i686-unknown-linux-gnu", "i386"),
            ("riscv64gc-unknown-linux-gnu", "riscv64"),
            ("powerpc64le-unknown-linux-gnu", "ppc64le"),
            ("s390x-unknown-linux-gnu", "s390x"),
            ("aarch64-unknown-linux-musl", "aarch64"),
            ("loongarch64-unknown-linux-gnu", "loongarch64"),
        ] {
            assert_eq!(arch(&triple.parse().unwrap()), name, "{triple}");
        }
    }

    #[test]
    fn the_loader_is_read_from_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("p");
        fs_err::write(&program, b"\x7fELF....../lib/ld-linux-aarch64.so.1\0rest").unwrap();
        assert_eq!(
            interpreter(&program).as_deref(),
            Some("/lib/ld-linux-aarch64.so.1")
        );
        fs_err::write(&program, b"\x7fELF static").unwrap();
        assert_eq!(interpreter(&program), None);
        fs_err::write(&program, b"#!/bin/sh /lib/ld-linux\0").unwrap();
        assert_eq!(interpreter(&program), None);
    }

    #[test]
    fn the_sysroot_is_where_the_loader_is() {
        let dir = tempfile::tempdir().unwrap();
        let lib = dir.path().join("usr/sparc64-linux-gnu/lib");
        fs_err::create_dir_all(&lib).unwrap();
        let mut spec = Spec::new(
            "sparc64-unknown-linux-gnu".parse().unwrap(),
            crate::manifest::Family::Gcc,
            dir.path().to_owned(),
        );
        spec.sysroot = Some(dir.path().to_owned());
        let runner = Runner::named("qemu", None).unwrap();
        assert_eq!(sysroot(&spec, &runner), None);
        fs_err::write(lib.join("ld-linux.so.2"), "").unwrap();
        assert_eq!(
            sysroot(&spec, &runner),
            Some(dir.path().join("usr/sparc64-linux-gnu"))
        );
    }

    #[test]
    fn a_missing_loader_names_the_package() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("p");
        fs_err::write(&program, b"\x7fELF /lib/ld-linux-none.so.9\0").unwrap();
        let spec = Spec::new(
            "powerpc64le-unknown-linux-gnu".parse().unwrap(),
            crate::manifest::Family::Zig,
            "/z".into(),
        );
        let error = check_loader(&spec, program.as_os_str()).unwrap_err();
        let help = crate::help::Help::help(&error).unwrap();
        assert!(help.contains("libc6-ppc64el-cross"), "{help}");
    }
}
