//! Asks rustc about itself, once: the answer is kept until something that decides it changes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Context, Distro, RustInfo, RustStdError, Rustup, process};
use crate::digest::Sha256;
use crate::env_vars;
use crate::file_lock::{self, Asked};
use crate::owner;
use crate::project::check_cargo_config;
use crate::project::toolchain_file::ToolchainFile;
use crate::project::version::Version;

/// How long `rustc -vV` may take; a busy machine needs a second.
const LIMIT: Duration = Duration::from_mins(1);

/// How long to wait for another process that asks the same.
const TURN: Duration = Duration::from_secs(5);

/// The part of the answer that costs processes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// Everything that the answer depends on.
    key: String,
    /// Stamp of the sysroot's own rustc: `rustup update` replaces it behind an unchanged proxy.
    sysroot_stamp: String,
    release: String,
    host: String,
    sysroot: PathBuf,
    cargo: Option<String>,
}

/// Asks the rustc that builds in the project's root. Starts no process when the kept answer still holds.
pub fn query(context: Context<'_>) -> Result<RustInfo, RustStdError> {
    let env = |name| (context.env)(name).filter(|v| !v.is_empty());
    let named = env(env_vars::RUSTC).map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
    let rustc = process::which(&named, context).ok_or(RustStdError::NoRustc)?;
    let cargo = process::which(Path::new("cargo"), context);
    let key = key(&rustc, cargo.as_deref(), context)?;
    let file = context.cache.join(format!(
        "rustc-{}.json",
        &Sha256::of(key.as_bytes()).short()
    ));
    if let Some(answer) = read(&file, &key) {
        return info(rustc, answer, context);
    }
    let _turn = turn(&file);
    let answer = if let Some(answer) = read(&file, &key) {
        answer
    } else {
        check_cargo_config(context.project.root())?;
        let answer = ask(&rustc, cargo.as_deref(), key, context)?;
        keep(&file, &answer);
        answer
    };
    info(rustc, answer, context)
}

/// Many that want one answer at once ask one after another, so that one of them asks for all. Nobody waits for long:
/// without a turn, or where there are no locks, one asks for oneself.
fn turn(answer: &Path) -> Option<fs_err::File> {
    owner::create_dir_all(answer.parent()?).ok()?;
    let path = answer.with_extension("lock");
    let file = owner::options().create(true).append(true).open(path).ok()?;
    let begin = Instant::now();
    while begin.elapsed() < TURN {
        match file_lock::ask(&file) {
            Ok(Asked::Got) => return Some(file),
            Ok(Asked::Taken) => std::thread::sleep(Duration::from_millis(5)),
            Ok(Asked::Unsupported) | Err(_) => return None,
        }
    }
    None
}

fn key(rustc: &Path, cargo: Option<&Path>, context: Context<'_>) -> Result<String, RustStdError> {
    let mut parts = vec!["1".to_owned()];
    for program in [Some(rustc), cargo].into_iter().flatten() {
        parts.push(program.display().to_string());
        parts.push(stamp(program));
    }
    if let Some(file) = ToolchainFile::find(context.project.root())? {
        parts.push(file.file.display().to_string());
        parts.push(file.text);
    }
    for name in [env_vars::RUSTUP_TOOLCHAIN, env_vars::RUSTC] {
        let value = (context.env)(name).unwrap_or_default();
        parts.push(format!("{name}={}", value.to_string_lossy()));
    }
    // rustup's default, and its overrides, which go by folder.
    if let Some(home) = rustup_home(context) {
        let text = fs_err::read(home.join("settings.toml")).unwrap_or_default();
        parts.push(home.display().to_string());
        parts.push(Sha256::of(&text).to_string());
        if has_overrides(&text) {
            parts.push(context.project.root().display().to_string());
        }
    }
    Ok(parts.join("\0"))
}

/// Whether rustup's settings (its `settings.toml`) may name another toolchain for some folder.
fn has_overrides(settings: &[u8]) -> bool {
    let Ok(table) = String::from_utf8_lossy(settings).parse::<toml::Table>() else {
        return true;
    };
    table
        .get("overrides")
        .is_some_and(|o| o.as_table().is_none_or(|folders| !folders.is_empty()))
}

/// Modification time and size.
fn stamp(path: &Path) -> String {
    let Ok(meta) = fs_err::metadata(path) else {
        return "none".to_owned();
    };
    let time = meta
        .modified()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    format!(
        "{}.{:09}+{}",
        time.as_secs(),
        time.subsec_nanos(),
        meta.len()
    )
}

fn sysroot_stamp(sysroot: &Path) -> String {
    let rustc = format!("bin/rustc{}", std::env::consts::EXE_SUFFIX);
    stamp(&sysroot.join(rustc))
}

fn read(file: &Path, key: &str) -> Option<Answer> {
    let text = fs_err::read_to_string(file).ok()?;
    let answer: Answer = serde_json::from_str(&text).ok()?;
    let holds = answer.key == key
        && answer.sysroot.is_dir()
        && answer.sysroot_stamp == sysroot_stamp(&answer.sysroot);
    holds.then_some(answer)
}

/// Losing an answer costs a process the next time, nothing else.
fn keep(file: &Path, answer: &Answer) {
    let written = || -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        owner::create_dir_all(folder)?;
        let temp = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&temp, answer)?;
        temp.persist(file).map_err(|e| e.error)?;
        Ok(())
    };
    if let Err(e) = written() {
        tracing::debug!("the answer of rustc is not kept: {e}");
    }
}

fn ask(
    rustc: &Path,
    cargo: Option<&Path>,
    key: String,
    context: Context<'_>,
) -> Result<Answer, RustStdError> {
    let failed = |what: String| RustStdError::Rustc {
        rustc: rustc.to_owned(),
        what,
    };
    let run = |args: &[&str]| -> Result<String, RustStdError> {
        let output = process::run(rustc, args, context, LIMIT).map_err(failed)?;
        if output.success {
            Ok(output.stdout)
        } else {
            Err(failed(output.last_words()))
        }
    };
    // `-vV` silences every `--print`, so these are two questions; all are asked at once.
    let (version, sysroot, cargo) = std::thread::scope(|scope| {
        let version = scope.spawn(|| run(&["-vV"]));
        let cargo = scope.spawn(|| process::run(cargo?, &["-V"], context, LIMIT).ok());
        let sysroot = run(&["--print", "sysroot"]);
        (joined(version), sysroot, joined(cargo))
    });
    let (version, sysroot) = (version?, PathBuf::from(sysroot?.trim()));
    let field = |name: &str| {
        version
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
            .map(|v| v.trim().to_owned())
            .ok_or_else(|| failed(format!("`rustc -vV` gave no `{name}`")))
    };
    if !sysroot.is_dir() {
        return Err(failed(format!(
            "its sysroot `{}` is not a folder",
            sysroot.display()
        )));
    }
    let cargo = cargo
        .filter(|output| output.success)
        .and_then(|output| Some(output.stdout.strip_prefix("cargo ")?.trim().to_owned()));
    Ok(Answer {
        key,
        sysroot_stamp: sysroot_stamp(&sysroot),
        release: field("release")?,
        host: field("host")?,
        sysroot,
        cargo,
    })
}

/// A thread's value; its panic goes on here.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn info(rustc: PathBuf, answer: Answer, context: Context<'_>) -> Result<RustInfo, RustStdError> {
    let version: Version =
        answer
            .release
            .parse()
            .map_err(
                |e: crate::project::version::InvalidVersion| RustStdError::Rustc {
                    rustc: rustc.clone(),
                    what: e.to_string(),
                },
            )?;
    let sysroot = answer.sysroot;
    let tests_only = (context.env)(env_vars::CARGO_TESTS_ONLY_SRC_ROOT).map(PathBuf::from);
    let source = tests_only.unwrap_or_else(|| sysroot.join("lib/rustlib/src/rust/library"));
    Ok(RustInfo {
        nightly: ["-nightly", "-dev"]
            .iter()
            .any(|channel| answer.release.ends_with(channel)),
        version,
        host: answer.host,
        cargo: answer.cargo.and_then(|v| v.parse().ok()),
        rustup: rustup(&sysroot, context),
        source: source.join("std/Cargo.toml").is_file().then_some(source),
        distro: distro(&sysroot),
        rustc,
        sysroot,
    })
}

fn rustup_home(context: Context<'_>) -> Option<PathBuf> {
    let set = (context.env)(env_vars::RUSTUP_HOME).filter(|v| !v.is_empty());
    set.map(PathBuf::from).or_else(|| {
        let home = (context.env)("HOME").or_else(|| (context.env)("USERPROFILE"))?;
        Some(Path::new(&home).join(".rustup"))
    })
}

/// rustup can add to a sysroot only in its own folder; a linked toolchain is elsewhere.
fn rustup(sysroot: &Path, context: Context<'_>) -> Option<Rustup> {
    let toolchains = fs_err::canonicalize(rustup_home(context)?.join("toolchains")).ok()?;
    let sysroot = fs_err::canonicalize(sysroot).ok()?;
    if sysroot.parent()? != toolchains {
        return None;
    }
    Some(Rustup {
        program: process::which(Path::new("rustup"), context)?,
        toolchain: sysroot.file_name()?.to_str()?.to_owned(),
    })
}

fn distro(sysroot: &Path) -> Option<Distro> {
    if !cfg!(target_os = "linux")
        || !sysroot.starts_with("/usr")
        || sysroot.starts_with("/usr/local")
    {
        return None;
    }
    let text = fs_err::read_to_string("/etc/os-release")
        .or_else(|_| fs_err::read_to_string("/usr/lib/os-release"))
        .ok()?;
    match Distro::from_os_release(&text) {
        Some(Distro::Debian) if Path::new("/usr/share/doc/rustc-web").is_dir() => {
            Some(Distro::DebianWeb)
        }
        distro => distro,
    }
}
