//! qemu's user mode: Linux programs of another CPU.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, FileKind};

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
        help: if spec.triple.is_glibc() {
            format!(
                "`apt-get install {}` puts it into `/usr/{}`",
                debian_libc(&spec.triple),
                gnu_name(&spec.triple)
            )
        } else {
            "link it statically (rustc's default for musl)".to_owned()
        },
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

/// The loader that a dynamic ELF program names (`PT_INTERP`, System V ABI, "Program Header"). Linkers put headers and
/// name into the first page.
fn interpreter(program: &Path) -> Option<String> {
    let mut head = Vec::with_capacity(8192);
    fs_err::File::open(program)
        .ok()?
        .take(8192)
        .read_to_end(&mut head)
        .ok()?;
    let name = match FileKind::parse(&*head).ok()? {
        FileKind::Elf32 => interpreter_of::<FileHeader32<Endianness>>(&head)?,
        FileKind::Elf64 => interpreter_of::<FileHeader64<Endianness>>(&head)?,
        _ => return None,
    };
    String::from_utf8(name.to_vec()).ok()
}

fn interpreter_of<H: FileHeader>(head: &[u8]) -> Option<&[u8]> {
    let header = H::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, head).ok()?;
    segments
        .iter()
        .find_map(|segment| segment.interpreter(endian, head).ok().flatten())
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

    /// The head of a little-endian 64-bit ELF program with one program header.
    fn elf(segment_type: u32, name: &str) -> Vec<u8> {
        let mut out = b"\x7fELF\x02\x01\x01".to_vec();
        out.resize(16, 0);
        out.extend([2, 0, 183, 0, 1, 0, 0, 0]);
        for word in [0_u64, 64, 0] {
            out.extend(word.to_le_bytes());
        }
        // Flags; sizes and counts of headers.
        out.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        let length = name.len() as u64 + 1;
        out.extend(segment_type.to_le_bytes());
        out.extend([4, 0, 0, 0]);
        for word in [120, 120, 120, length, length, 1_u64] {
            out.extend(word.to_le_bytes());
        }
        out.extend(name.as_bytes());
        out.push(0);
        out
    }

    const PT_LOAD: u32 = 1;
    const PT_INTERP: u32 = 3;

    #[test]
    fn the_loader_is_read_from_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("p");
        let loader = "/lib/ld-linux-aarch64.so.1";
        fs_err::write(&program, elf(PT_INTERP, loader)).unwrap();
        assert_eq!(interpreter(&program).as_deref(), Some(loader));
        // A static program may hold the name too.
        fs_err::write(&program, elf(PT_LOAD, loader)).unwrap();
        assert_eq!(interpreter(&program), None);
        fs_err::write(&program, b"#!/bin/sh /lib/ld-linux\0").unwrap();
        assert_eq!(interpreter(&program), None);
        fs_err::write(&program, b"\x7fELF").unwrap();
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
        fs_err::write(&program, elf(PT_INTERP, "/lib/ld-linux-none.so.9")).unwrap();
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
