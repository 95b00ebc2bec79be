//! `run`: a program of the target on this machine, by wine, qemu, wasmtime or the user's own command; directly where
//! the machine can.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Invocation, Runner, RunnerKind, ShimError, Spec};
use crate::target::{TargetOs, Triple};

mod qemu;
mod wine;

pub use wine::DEBIAN_WINE64;

/// What `run PROGRAM ARGS…` is run as. Looks for the emulator on this machine, and may build the DLL that an old wine
/// lacks.
pub(super) fn plan(
    spec: &Spec,
    variant: &Path,
    args: Vec<OsString>,
) -> Result<Invocation, ShimError> {
    let no_program = || ShimError::NoProgram {
        triple: spec.triple.clone(),
    };
    let program = args.first().ok_or_else(no_program)?.clone();
    let runner = spec.runner.as_ref().ok_or_else(no_program)?;
    if runner.kind != RunnerKind::Custom && runs_directly(&spec.triple) {
        return Ok(Invocation::new(program, args[1..].to_vec()));
    }
    match runner.kind {
        RunnerKind::Wine => wine::plan(spec, variant, args),
        RunnerKind::Qemu => qemu::plan(spec, runner, args),
        RunnerKind::Wasmtime => wasmtime(spec, args),
        RunnerKind::Custom => custom(spec, runner, args),
    }
}

/// Whether this machine itself runs a target's programs. A user's own command is taken all the same.
pub fn runs_directly(triple: &Triple) -> bool {
    let os = match triple.os() {
        TargetOs::Linux => "linux",
        TargetOs::Windows => "windows",
        TargetOs::MacOs => "macos",
        TargetOs::Wasi | TargetOs::Other => return false,
    };
    if std::env::consts::OS != os {
        return false;
    }
    let host = std::env::consts::ARCH;
    let target = triple.arch();
    // 32-bit x86 programs run on x86-64 kernels; on Linux a dynamic one needs its loader.
    let x86 = host == "x86_64"
        && matches!(target, "i686" | "i586")
        && (!triple.is_glibc() || Path::new("/lib/ld-linux.so.2").exists());
    target == host || x86
}

fn custom(spec: &Spec, runner: &Runner, args: Vec<OsString>) -> Result<Invocation, ShimError> {
    let missing = || ShimError::NoRunner {
        triple: spec.triple.clone(),
        wanted: match runner.command.first() {
            Some(name) if name.contains(['/', '\\']) => format!("`{name}` is no program"),
            _ => format!("`{}` is not in PATH", runner.command.join(" ")),
        },
        help: "install it, or change `runner` in xtool.toml and run `xtool sync`".to_owned(),
    };
    let [name, rest @ ..] = runner.command.as_slice() else {
        return Err(missing());
    };
    let program = which(name).ok_or_else(missing)?;
    let all = rest.iter().map(OsString::from).chain(args).collect();
    Ok(Invocation::new(program, all))
}

fn wasmtime(spec: &Spec, args: Vec<OsString>) -> Result<Invocation, ShimError> {
    let program = which("wasmtime").ok_or_else(|| ShimError::NoRunner {
        triple: spec.triple.clone(),
        wanted: "`wasmtime` is not in PATH".to_owned(),
        help: "`cargo install wasmtime-cli`, or set `runner` in xtool.toml and run `xtool sync`"
            .to_owned(),
    })?;
    let all = ["run", "--dir=."].iter().map(OsString::from).chain(args);
    Ok(Invocation::new(program, all.collect()))
}

/// The first program of that name in PATH; a name with a separator is a path and taken as it is.
fn which(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    if Path::new(name).components().count() > 1 {
        return [name, &file]
            .map(PathBuf::from)
            .into_iter()
            .find(|p| is_program(p));
    }
    std::env::split_paths(&crate::env_vars::non_empty("PATH")?)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(&file))
        .find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The name that GNU tools and Debian's cross packages use for a target: `aarch64-linux-gnu`.
fn gnu_name(triple: &Triple) -> String {
    let arch = match triple.arch() {
        "i586" | "i686" => "i686",
        "riscv64gc" => "riscv64",
        arch if arch.starts_with("arm") && arch != "arm64" => "arm",
        arch => arch,
    };
    format!("{arch}-linux-{}", triple.env())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;

    fn spec(triple: &str, runner: &str) -> Spec {
        let mut spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/t".into());
        spec.runner = Runner::named(runner, None);
        spec
    }

    fn os(args: &[&str]) -> Vec<OsString> {
        args.iter().map(Into::into).collect()
    }

    #[test]
    fn a_users_command_is_taken_with_its_arguments() {
        let spec = spec("riscv64gc-unknown-linux-gnu", "cargo --quiet");
        let out = plan(&spec, Path::new("/v"), os(&["prog", "a b"])).unwrap();
        assert!(out.program.is_absolute());
        assert_eq!(out.args, ["--quiet", "prog", "a b"]);
    }

    #[test]
    fn a_missing_command_is_named() {
        let spec = spec("riscv64gc-unknown-linux-gnu", "no-such-emulator -x");
        let error = plan(&spec, Path::new("/v"), os(&["prog"])).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`no-such-emulator -x` is not in PATH")
        );
    }

    #[test]
    fn without_a_program_it_says_so() {
        let spec = spec("riscv64gc-unknown-linux-gnu", "cargo");
        let error = plan(&spec, Path::new("/v"), Vec::new()).unwrap_err();
        assert!(matches!(error, ShimError::NoProgram { .. }));
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn the_machines_own_programs_need_no_emulator() {
        let spec = spec("x86_64-unknown-linux-musl", "qemu");
        let out = plan(&spec, Path::new("/v"), os(&["./prog", "a"])).unwrap();
        assert_eq!(
            (out.program.as_path(), &*out.args),
            (Path::new("./prog"), &os(&["a"])[..])
        );
    }

    #[test]
    fn gnu_names() {
        let name = |t: &str| gnu_name(&t.parse().unwrap());
        assert_eq!(name("aarch64-unknown-linux-gnu"), "aarch64-linux-gnu");
        assert_eq!(name("armv7-unknown-linux-gnueabihf"), "arm-linux-gnueabihf");
        assert_eq!(name("riscv64gc-unknown-linux-gnu"), "riscv64-linux-gnu");
        assert_eq!(
            name("powerpc64le-unknown-linux-gnu"),
            "powerpc64le-linux-gnu"
        );
    }
}
