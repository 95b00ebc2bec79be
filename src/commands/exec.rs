//! `xtool exec`: a command with a target's variables; on Unix in place of this process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use xtool::build_env::{go, shim};
use xtool::owner;
use xtool::shim::{self as shims, Tool};
use xtool::target::{TargetOs, Triple};

use super::env::{self, Prepared};
use super::failure::with_help;
use super::session::{Session, triple};
use crate::cli::Exec;

/// Runs it. The exit code is the command's own; 127 is no code of ours, so a missing command is an error like others.
pub fn run(args: &Exec, session: &Session) -> Result<ExitCode> {
    let triple = triple(&args.target)?;
    let ready = env::ready(session, &triple)?;
    let [program, rest @ ..] = args.command.as_slice() else {
        return Err(with_help(
            "No command was given",
            format!("xtool exec {triple} -- make"),
        ));
    };
    let mut folders = vec![prefixed(&ready, &triple)?];
    folders.extend(shims::osxcross_folder(&ready.spec, &ready.folder));
    folders.extend(other_apple_names(session, &triple));
    let mut command = Command::new(program);
    command
        .args(rest)
        .envs(bare_names(&ready, &triple))
        .envs(go::variables(&triple).unwrap_or_default())
        .env("PATH", path_with(folders)?);
    become_command(command).map_err(|e| {
        let what = format!("Cannot run `{}`", Path::new(program).display());
        if e.kind() == std::io::ErrorKind::NotFound {
            with_help(
                format!("{what}: it is not in PATH"),
                "install it, or give its path",
            )
        } else {
            anyhow::Error::new(e).context(what)
        }
    })
}

/// The variables; where a tool's path has a blank, at which make and the shell would split it, its name in [`prefixed`]'s
/// folder, which is in PATH.
fn bare_names(ready: &Prepared, triple: &Triple) -> Vec<(String, String)> {
    let prefix = gnu_name(triple);
    let mut all = ready.variables(triple);
    for (name, value) in &mut all {
        let tool = NAMES.into_iter().find(|(tool, variable, _)| {
            name == variable && *value == shim(&ready.folder, *tool).to_string_lossy()
        });
        if let Some((_, _, [first, ..])) = tool.filter(|_| value.contains(' ')) {
            *value = format!("{prefix}-{first}");
        }
    }
    all
}

/// Each tool with its variable, and what its names end in.
const NAMES: [(Tool, &str, &[&str]); 7] = [
    (Tool::Cc, "CC", &["gcc", "cc"]),
    (Tool::Cxx, "CXX", &["g++", "c++"]),
    (Tool::Ar, "AR", &["ar"]),
    (Tool::Ranlib, "RANLIB", &["ranlib"]),
    (Tool::Strip, "STRIP", &["strip"]),
    (Tool::Windres, "WINDRES", &["windres"]),
    (Tool::Dlltool, "DLLTOOL", &["dlltool"]),
];

/// For scripts that build for both of Apple's CPUs, as osxcross's `o64-clang` and `oa64-clang` are called side by side:
/// the names for the project's other target of macOS, where it is there.
fn other_apple_names(session: &Session, triple: &Triple) -> Option<PathBuf> {
    let other: Triple = match triple.as_str() {
        "aarch64-apple-darwin" => "x86_64-apple-darwin",
        "x86_64-apple-darwin" => "aarch64-apple-darwin",
        _ => return None,
    }
    .parse()
    .ok()?;
    let ready = env::ready(session, &other).ok()?;
    shims::osxcross_folder(&ready.spec, &ready.folder)
}

/// Never the shims' own folder: its `cc` would become the host's compiler too, which cargo, Go and others still need.
fn path_with(folders: Vec<PathBuf>) -> Result<OsString> {
    let before = std::env::var_os("PATH").unwrap_or_default();
    let all = folders.into_iter().chain(std::env::split_paths(&before));
    std::env::join_paths(all).context("Cannot put the tools into PATH")
}

/// A folder with the tools under the names that `configure --host` looks for: `aarch64-linux-gnu-gcc`.
fn prefixed(ready: &Prepared, triple: &Triple) -> Result<PathBuf> {
    let bin = ready.folder.join(shims::NAMES);
    let prefix = gnu_name(triple);
    let tools = shims::tools_of(&ready.spec);
    owner::create_dir_all(&bin)?;
    for (tool, _, names) in NAMES {
        for name in names.iter().filter(|_| tools.contains(&tool)) {
            let name = format!("{prefix}-{name}");
            if cfg!(unix) && tool.is_driver() {
                shims::link_driver(&ready.folder, &name, tool)?;
                continue;
            }
            let (suffix, text) = caller(&shim(&ready.folder, tool));
            let path = bin.join(name + suffix);
            if !fs_err::read(&path).is_ok_and(|found| found == text.as_bytes()) {
                owner::replace(&path, text.as_bytes(), true)?;
            }
        }
    }
    Ok(bin)
}

/// A script that calls the shim by its own path: a shim goes by its name and the folder that it lies in.
fn caller(shim: &Path) -> (&'static str, String) {
    if cfg!(windows) {
        return (".cmd", format!("@\"{}\" %*\r\n", shim.display()));
    }
    let quoted = shim.to_string_lossy().replace('\'', r"'\''");
    ("", format!("#!/bin/sh\nexec '{quoted}' \"$@\"\n"))
}

/// The GNU system's name of the target, as `config.sub` and Debian write it.
fn gnu_name(triple: &Triple) -> String {
    let arch = match triple.arch() {
        "riscv64gc" => "riscv64",
        "i586" => "i686",
        arch if arch.starts_with("arm") && triple.os() == TargetOs::Linux => "arm",
        arch => arch,
    };
    match triple.os() {
        TargetOs::Windows => format!("{arch}-w64-mingw32"),
        TargetOs::Linux => format!("{arch}-linux-{}", triple.env()),
        TargetOs::MacOs => format!("{arch}-apple-darwin"),
        TargetOs::Wasi | TargetOs::Other => triple.to_string(),
    }
}

#[cfg(unix)]
fn become_command(mut command: Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_command(mut command: Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    // Windows' codes are 32 bits: only the process's own end can carry one.
    std::process::exit(status.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    #[test]
    fn tools_have_the_names_that_configure_looks_for() {
        let name = |t: &str| super::gnu_name(&t.parse().unwrap());
        assert_eq!(name("x86_64-pc-windows-gnu"), "x86_64-w64-mingw32");
        assert_eq!(name("armv7-unknown-linux-gnueabihf"), "arm-linux-gnueabihf");
        assert_eq!(name("aarch64-unknown-linux-musl"), "aarch64-linux-musl");
    }
}
