//! What will not work on this machine, and the fix for each: one [`Finding`] a fact.
//!
//! In: folders, a project's configuration, a way to look up programs and variables. Out: findings; nothing is changed
//! and no network is used. The command adds what only it knows: the project's targets and what shadows them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, Table, Value};

use crate::project::cargo_config::is_shim_path;
use crate::shim::DEBIAN_WINE64;
use crate::store::Layout;
use crate::target::{TargetOs, Triple};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Absent, and perhaps not needed.
    Note,
    /// Works, with a surprise in store.
    Warning,
    /// A build or a command will fail.
    Error,
}

impl Level {
    /// One word, as in the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `host`, `store`, `clients`, `network`, `project`
    pub area: &'static str,
    /// How bad.
    pub level: Level,
    /// What is so.
    pub what: String,
    /// What to type, where something is to be done.
    pub fix: Option<String>,
}

impl Finding {
    /// A finding without a fix.
    pub fn new(area: &'static str, level: Level, what: impl Into<String>) -> Self {
        Self {
            area,
            level,
            what: what.into(),
            fix: None,
        }
    }

    /// The same with a fix.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Less than this, and a toolchain of 450 MB with its archive may not fit.
const LOW_SPACE: u64 = 1_000_000_000;

/// The store's folders: writable, on a file system with locks, with space, and without a space in the path.
pub fn store(layout: &Layout, free: impl Fn(&Path) -> Option<u64>) -> Vec<Finding> {
    const AREA: &str = "store";
    let home = layout.home();
    let shown = home.display();
    let mut out = Vec::new();
    match probe(home) {
        Ok(true) => out.push(Finding::new(AREA, Level::Ok, format!("`{shown}` is writable, and has locks"))),
        Ok(false) => out.push(
            Finding::new(
                AREA,
                Level::Warning,
                format!("The file system of `{shown}` has no locks: two xtools at once may do the same work twice"),
            )
            .fix("export XTOOL_HOME=<a folder on a local disk>"),
        ),
        Err(e) => out.push(
            Finding::new(AREA, Level::Error, format!("Cannot write in `{shown}`: {e}"))
                .fix("make it writable, or export XTOOL_HOME=<a folder of your own>"),
        ),
    }
    if home.to_string_lossy().contains(char::is_whitespace) {
        out.push(
            Finding::new(
                AREA,
                Level::Warning,
                format!("`{shown}` has a space in it, at which builds with make break"),
            )
            .fix("export XTOOL_HOME=\"$HOME/.local/share/xtool\" && xtool sync"),
        );
    }
    for (name, folder) in [("store", home), ("cache", layout.cache())] {
        match free(folder) {
            Some(bytes) if bytes < LOW_SPACE => out.push(
                Finding::new(
                    AREA,
                    Level::Warning,
                    format!(
                        "{} MB are free for the {name} in `{}`",
                        bytes / 1_000_000,
                        folder.display()
                    ),
                )
                .fix("xtool cache clean && xtool cache prune"),
            ),
            Some(bytes) => out.push(Finding::new(
                AREA,
                Level::Ok,
                format!("{} GB are free for the {name}", bytes / 1_000_000_000),
            )),
            None => {}
        }
    }
    if let Some(system) = layout.system().filter(|s| s.join("toolchains").is_dir()) {
        out.push(Finding::new(
            AREA,
            Level::Ok,
            format!("`{}` is searched too, read-only", system.display()),
        ));
    }
    out
}

/// Whether the folder, or the nearest above it that exists, can be written, and locked.
fn probe(folder: &Path) -> std::io::Result<bool> {
    let there = folder
        .ancestors()
        .find(|f| f.is_dir())
        .unwrap_or(Path::new("/"));
    let file = tempfile::tempfile_in(there)?;
    Ok(match file.try_lock() {
        Ok(()) | Err(std::fs::TryLockError::WouldBlock) => true,
        Err(std::fs::TryLockError::Error(_)) => false,
    })
}

/// The clients and runners that sources and targets ask for. `which` looks a program up.
pub fn clients(
    targets: &[Triple],
    cargo_project: bool,
    which: impl Fn(&str) -> Option<PathBuf>,
    libclang: Option<PathBuf>,
) -> Vec<Finding> {
    const AREA: &str = "clients";
    let mut out = Vec::new();
    let mut look = |names: &[&str], missing: Level, what_for: &str, fix: &str| {
        let found = names.iter().find_map(|n| which(n));
        out.push(match found {
            Some(path) => Finding::new(AREA, Level::Ok, path.display().to_string()),
            None => Finding::new(
                AREA,
                missing,
                format!("`{}` is not in PATH: {what_for}", names[0]),
            )
            .fix(fix),
        });
    };
    let cargo = if cargo_project {
        Level::Error
    } else {
        Level::Note
    };
    look(
        &["cargo"],
        cargo,
        "it builds Rust projects",
        "install Rust, and put ~/.cargo/bin into PATH",
    );
    look(
        &["rustup"],
        Level::Note,
        "it installs Rust's standard library for a target",
        "install Rust with rustup, or take the distribution's packages",
    );
    look(
        &["python3", "python", "py"],
        Level::Note,
        "pip runs in it",
        "apt-get install python3",
    );
    look(
        &["pip3", "pip", "uv"],
        Level::Note,
        "without its settings wheels come from its default index, or from the toolchain's own site",
        "apt-get install python3-pip",
    );
    if cfg!(target_os = "linux") {
        look(
            &["apt-get"],
            Level::Note,
            "only Debian and its kin have it: other toolchains serve",
            "none is needed: xtool list shows what each target gets",
        );
    }
    look(
        &["cmake"],
        Level::Note,
        "some crates and projects build with it",
        "apt-get install cmake",
    );
    out.push(match libclang {
        Some(path) => Finding::new(AREA, Level::Ok, path.display().to_string()),
        None => Finding::new(
            AREA,
            Level::Note,
            "No libclang: crates that use bindgen need it",
        )
        .fix("apt-get install libclang-dev, or export LIBCLANG_PATH=<its folder>"),
    });
    out.extend(emulators(targets, which));
    out
}

/// What runs the targets' programs here, each once.
fn emulators(targets: &[Triple], which: impl Fn(&str) -> Option<PathBuf>) -> Vec<Finding> {
    const AREA: &str = "clients";
    let mut out = Vec::new();
    let mut look = |names: &[&str], triple: &Triple, fix: &str| {
        let found = names.iter().find_map(|n| which(n));
        out.push(match found {
            Some(path) => Finding::new(AREA, Level::Ok, path.display().to_string()),
            None => Finding::new(
                AREA,
                Level::Warning,
                format!(
                    "`{}` is not in PATH: programs for {triple} cannot be run here",
                    names[0]
                ),
            )
            .fix(fix),
        });
    };
    let mut seen = Vec::new();
    for triple in targets {
        let Some(names) = runners(triple) else {
            continue;
        };
        if seen.contains(&names) {
            continue;
        }
        let fix = match triple.os() {
            TargetOs::Windows if triple.arch() == "i686" => {
                "dpkg --add-architecture i386 && apt-get update && apt-get install wine32:i386"
            }
            TargetOs::Windows => "apt-get install wine64",
            TargetOs::Wasi => "cargo install wasmtime-cli",
            _ => "apt-get install qemu-user",
        };
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        look(&all, triple, fix);
        seen.push(names);
    }
    out
}

/// What runs a target's programs on this machine; `None` where nothing is needed, or nothing serves.
fn runners(triple: &Triple) -> Option<Vec<String>> {
    let names = |list: &[&str]| Some(list.iter().map(|s| (*s).to_owned()).collect());
    match triple.os() {
        TargetOs::Windows if !cfg!(windows) => {
            let all = ["wine", "wine-stable", "wine64", DEBIAN_WINE64];
            // Debian's loader is none for 32-bit programs.
            let is_64_bit = triple.arch() == "x86_64";
            names(if is_64_bit { &all } else { &all[..3] })
        }
        TargetOs::Wasi => names(&["wasmtime"]),
        TargetOs::Linux if cfg!(target_os = "linux") && triple.arch() != std::env::consts::ARCH => {
            let arch = match triple.arch() {
                "i686" | "i586" => "i386",
                "riscv64gc" => "riscv64",
                "powerpc64le" => "ppc64le",
                arch if arch.starts_with("arm") => "arm",
                arch => arch,
            };
            names(&[&format!("qemu-{arch}"), &format!("qemu-{arch}-static")])
        }
        _ => None,
    }
}

/// Where libclang may be: `LIBCLANG_PATH`, and the folders of Debian's and Fedora's packages.
pub fn libclang(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let is_it = |name: &str| {
        name.starts_with("libclang")
            && (name.contains(".so") || name.contains(".dylib") || name.contains(".dll"))
            && !name.starts_with("libclang-cpp")
    };
    let mut folders: Vec<PathBuf> = env("LIBCLANG_PATH")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    for base in [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
    ] {
        folders.push(base.into());
    }
    folders.extend(
        entries(Path::new("/usr/lib"))
            .into_iter()
            .filter(|p| {
                p.file_name()
                    .is_some_and(|n| n.to_string_lossy().starts_with("llvm-"))
            })
            .map(|p| p.join("lib")),
    );
    folders
        .iter()
        .flat_map(|folder| entries(folder))
        .find(|path| {
            path.file_name()
                .is_some_and(|n| is_it(&n.to_string_lossy()))
        })
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = fs_err::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.path()))
        .collect();
    out.sort();
    out
}

/// Paths of shims in cargo's configuration that lead nowhere: a store that moved, or was removed.
pub fn stale_paths(root: &Path) -> Vec<Finding> {
    let mut out = Vec::new();
    for name in ["config.toml", "config", "xtool.toml"] {
        let file = root.join(".cargo").join(name);
        let Ok(text) = crate::regular::read_text(&file) else {
            continue;
        };
        let Ok(document) = Document::parse(text.as_str()) else {
            out.push(Finding::new(
                "project",
                Level::Error,
                format!("`{}` is not TOML: cargo will say where", file.display()),
            ));
            continue;
        };
        let mut values = Vec::new();
        strings(document.as_table(), &mut values);
        values.sort();
        values.dedup();
        for value in values {
            let path = match value.split_once('=') {
                Some((flag, path)) if flag.starts_with('-') => path,
                _ => &value,
            };
            if is_shim_path(&value) && is_gone(Path::new(path)) {
                out.push(
                    Finding::new(
                        "project",
                        Level::Error,
                        format!("`{}` names `{path}`, which is not there", file.display()),
                    )
                    .fix("xtool sync"),
                );
            }
        }
    }
    out
}

/// The folder for `.pc` files is named so that none are found (`build_env`): only its variant must be there.
fn is_gone(path: &Path) -> bool {
    let of_variant = path.file_name().is_some_and(|n| n == "pkgconfig");
    let must = if of_variant { path.parent() } else { None };
    !must.unwrap_or(path).exists()
}

fn strings(table: &Table, out: &mut Vec<String>) {
    for (_, item) in table {
        match item {
            Item::Table(table) => strings(table, out),
            Item::Value(value) => value_strings(value, out),
            _ => {}
        }
    }
}

fn value_strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(s) => out.push(s.value().clone()),
        Value::Array(list) => list.iter().for_each(|v| value_strings(v, out)),
        Value::InlineTable(table) => table.iter().for_each(|(_, v)| value_strings(v, out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_cannot_be_written_or_is_nearly_full_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a file");
        fs_err::write(&file, "").unwrap();
        let layout = Layout::new(dir.path().join("with space/home"), None, dir.path().into());
        let found = store(&layout, |_| Some(5_000_000));
        assert!(found.iter().any(|f| f.level == Level::Ok));
        let told = |text: &str| {
            found
                .iter()
                .any(|f| f.what.contains(text) && f.fix.is_some())
        };
        assert!(
            told("has a space in it") && told("5 MB are free"),
            "{found:?}"
        );
    }

    #[test]
    fn a_runner_is_missed_only_for_targets_that_need_one() {
        let none = |_: &str| None;
        let warnings = |targets: &[&str]| {
            let targets: Vec<Triple> = targets.iter().map(|t| t.parse().unwrap()).collect();
            clients(&targets, true, none, None)
                .iter()
                .filter(|f| f.level == Level::Warning)
                .count()
        };
        assert_eq!(warnings(&[]), 0);
        if !cfg!(windows) {
            assert_eq!(
                warnings(&["x86_64-pc-windows-gnu", "x86_64-pc-windows-gnullvm"]),
                1
            );
        }
        let cargo = &clients(&[], true, none, None)[0];
        assert_eq!(cargo.level, Level::Error);
    }

    #[test]
    fn paths_of_a_store_that_is_gone_are_found_wherever_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::create_dir(dir.path().join(".cargo")).unwrap();
        let gone = "/gone/shims/zig-0.15.2-00000000-x86_64-unknown-linux-musl-00000000";
        let there = dir
            .path()
            .join("shims/zig-0.15.2-00000000-x86_64-unknown-linux-musl-00000001");
        fs_err::create_dir_all(&there).unwrap();
        let there = there.to_str().unwrap().replace('\\', "/");
        let text = format!(
            "[target.x86_64-unknown-linux-musl]\nlinker = \"{gone}/cc\"\nrunner = [\"{gone}/run\"]\n[env]\nMINE = \"/not/ours\"\n\
             PKG_CONFIG_LIBDIR_x = \"{gone}/pkgconfig\"\nPKG_CONFIG_LIBDIR_y = \"{there}/pkgconfig\"\n"
        );
        fs_err::write(dir.path().join(".cargo/config.toml"), text).unwrap();
        let found = stale_paths(dir.path());
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found
                .iter()
                .all(|f| f.level == Level::Error && f.fix.as_deref() == Some("xtool sync"))
        );
    }
}
