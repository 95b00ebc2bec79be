//! A project's files: its root, `xtool.toml`, `xtool.lock` and cargo's configuration.
//!
//! In: the current folder, and what the install made (shim paths). Out: the three files, edited so that every byte
//! that is not ours stays as it was, and taken back out the same way. Decisions are pure functions over texts
//! ([`cargo_config::render`], [`settings`], [`lock::Lock::render`]); [`apply`] does the effects under one
//! lock a project ([`Project::hold`]).

use std::path::{Path, PathBuf};

pub mod apply;
mod atomic;
pub mod cargo_config;
pub mod consent;
mod error;
mod git;
pub mod lock;
mod record;
mod root;
pub mod settings;
pub mod shadows;
mod splice;
pub mod toolchain_file;
pub mod version;

pub use atomic::{Held, StateDirs};
pub use error::ProjectError;
pub use record::{Record, Records};
pub use root::check_cargo_config;
pub use settings::Config;

/// The committed file with the project's targets.
pub const CONFIG_FILE: &str = "xtool.toml";
/// The committed file with exact toolchains.
pub const LOCK_FILE: &str = "xtool.lock";

/// What builds the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// cargo: its configuration is written.
    Cargo,
    /// Something else: it asks `xtool env` and `xtool exec`.
    NoCargo,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The nearest folder with `xtool.toml`, else cargo's workspace root.
    pub root: PathBuf,
    /// What builds it.
    pub kind: Kind,
    /// Where the command was started; absolute, in the root or below.
    pub cwd: PathBuf,
    /// The `Cargo.toml` of the current folder's package, where only its `package.workspace` leads to the root, and
    /// out of what was checked out: that needs consent.
    pub named_by: Option<PathBuf>,
}

impl Project {
    /// The project that a folder lies in.
    pub fn find(cwd: &Path) -> Result<Self, ProjectError> {
        let cwd = absolute(cwd)?;
        root::find(&cwd)?
            .ok_or_else(|| match root::foreign(&cwd) {
                Some(file) => ProjectError::Foreign { file },
                None => ProjectError::NotFound { cwd },
            })?
            .with_text_for_a_path()
    }

    /// The same, or the folder itself, for builds that are not cargo's (`add --no-cargo`).
    pub fn find_or_no_cargo(cwd: &Path) -> Result<Self, ProjectError> {
        let cwd = absolute(cwd)?;
        root::find(&cwd)?
            .unwrap_or_else(|| Self {
                root: cwd.clone(),
                kind: Kind::NoCargo,
                cwd,
                named_by: None,
            })
            .with_text_for_a_path()
    }

    /// What is remembered of a project is found by its path in a text: one that was changed to fit there would be
    /// another project, whose keys nobody puts back and whose toolchains nobody uses.
    pub fn with_text_for_a_path(self) -> Result<Self, ProjectError> {
        match self.root.to_str() {
            Some(_) => Ok(self),
            None => Err(ProjectError::NotUtf8 { root: self.root }),
        }
    }

    /// Takes the project's lock: what every writing function asks for. Texts are read again under it, and what a
    /// killed process left is cleared away.
    pub fn hold(&self, dirs: &StateDirs) -> Result<Held, ProjectError> {
        let key = atomic::root_key(&self.root);
        let held = Held::acquire(&dirs.locks, &key)?;
        for (folder, name) in [
            (&self.root, "xtool."),
            (&self.root.join(".cargo"), ""),
            (&dirs.projects, key.as_str()),
            (&dirs.consent, key.as_str()),
        ] {
            atomic::sweep(folder, name);
        }
        Ok(held)
    }

    /// The lowest Rust version that the project says it supports.
    pub fn rust_version(&self) -> Result<Option<version::Version>, ProjectError> {
        let Some(manifest) = root::read_manifest(&self.root)? else {
            return Ok(None);
        };
        let of = |table: &[&str]| {
            splice::get(&manifest, table, "rust-version")
                .and_then(toml_edit::Item::as_str)
                .and_then(|v| v.parse().ok())
        };
        Ok(of(&["package"]).or_else(|| of(&["workspace", "package"])))
    }
}

/// The folder with links resolved, so that one project has one name. On Windows links stay: resolved paths have a
/// form (`\\?\`) that other programs do not take.
fn absolute(path: &Path) -> Result<PathBuf, ProjectError> {
    let result = if cfg!(windows) {
        std::path::absolute(path)
    } else {
        fs_err::canonicalize(path)
    };
    result.map_err(|source| ProjectError::Read {
        path: path.to_owned(),
        source,
    })
}
