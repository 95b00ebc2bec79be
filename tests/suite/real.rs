//! End to end, with the real package registries, the real compilers, and the results run.
//!
//! The toolchains and downloads are kept below cargo's folder for test files, so that a second run downloads nothing.
//! No more builds run at once than there are cores: more would only share them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

mod apple;
mod asked;
mod atomic;
mod both;
pub mod caches;
mod chroot;
mod flags;
mod gnu;
mod hosts;
mod linker_args;
mod noop;
mod parts;
pub mod resources;
mod switch;
mod user;
mod windows;

/// How many builds run.
static BUILDS: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// One of the builds that may run at once.
struct Turn;

impl Turn {
    fn wait() -> Self {
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        let running = ENDED.wait_while(builds(), |running| *running >= most);
        *running.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *builds() -= 1;
        ENDED.notify_one();
    }
}

fn builds() -> MutexGuard<'static, usize> {
    BUILDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A store and a cache that the tests of this file share, and a turn to build.
pub struct Lab {
    home: PathBuf,
    cache: PathBuf,
    /// A folder of this test's own.
    pub dir: tempfile::TempDir,
    _turn: Turn,
}

impl Lab {
    /// Waits for its turn.
    pub fn enter() -> Self {
        let turn = Turn::wait();
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real");
        fs_err::create_dir_all(&base).unwrap();
        Self {
            home: base.join("home"),
            cache: base.join("cache"),
            dir: tempfile::Builder::new()
                .prefix("lab-")
                .tempdir_in(&base)
                .unwrap(),
            _turn: turn,
        }
    }

    /// A store of this test's own; downloads stay shared.
    pub fn with_own_store() -> Self {
        Self::with_own_home("home")
    }

    /// A store of this test's own, by a name of its folder; downloads stay shared.
    pub fn with_own_home(name: &str) -> Self {
        let mut lab = Self::enter();
        lab.home = lab.dir.path().join(name);
        lab
    }

    /// The store.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// xtool in a folder.
    pub fn xtool(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtool"));
        command.current_dir(folder).args(args);
        self.settings(&mut command);
        command
    }

    /// Plain cargo in a folder, with what build-std asks for.
    pub fn cargo(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(folder).args(args);
        self.settings(&mut command);
        // cargo sets these for a test; a build of the user's has none of them.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_BIN_")
                || name.starts_with("CARGO_MANIFEST_")
            {
                command.env_remove(name);
            }
        }
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .env(
                "CARGO_TARGET_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("real/target"),
            )
            .env("CARGO_TERM_COLOR", "never")
            // Nothing here asks for it, and Rust's library compiles in less time.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("RUSTFLAGS");
        command
    }

    fn settings(&self, command: &mut Command) {
        command
            .env("XTOOL_HOME", &self.home)
            .env("XTOOL_CACHE_DIR", &self.cache)
            .env("XTOOL_SYSTEM_HOME", "")
            .env_remove("XTOOL_MANIFEST")
            .env_remove("XTOOL_MIRROR")
            .env_remove("XTOOL_HOST")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTUP_DIST_SERVER", "http://127.0.0.1:9");
    }
}

/// A copy of a project in `tests/projects`, in a folder of that name.
pub fn project(name: &str, folder: &Path) -> PathBuf {
    let to = folder.join(name);
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/projects")
            .join(name),
        &to,
    );
    to
}

/// Runs a command that must succeed; what it printed otherwise.
#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command that must fail with an exit code; what it said.
#[track_caller]
pub fn fail(command: &mut Command, code: i32) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{command:?}: {}",
        said(&output)
    );
    said(&output)
}

pub fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The library source must be there for the real builds: `scripts/test.sh` sees to it.
#[track_caller]
pub fn need_library_source() {
    let sysroot = succeed(Command::new("rustc").args(["--print", "sysroot"]));
    let own = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock");
    let other = std::env::var_os("__CARGO_TESTS_ONLY_SRC_ROOT").is_some();
    assert!(
        own.exists() || other,
        "no library source for build-std: run the tests with scripts/test.sh"
    );
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}
