//! What can go wrong with a project's files, and the way out.

use std::path::{Path, PathBuf};

use super::cargo_config::{Conflict, RenderError};
use super::consent::{Item, shown};
use super::splice::SpliceError;
use crate::help::Help;
use crate::target::{Host, Triple};

/// An error of this module.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Neither `xtool.toml` nor `Cargo.toml` in the folder or above.
    #[error("No `xtool.toml` and no `Cargo.toml` in `{}` or any folder above it", cwd.display())]
    NotFound {
        /// Where the search began.
        cwd: PathBuf,
    },
    /// Only a file of another user's says that there is a project.
    #[error("`{}` belongs to another user, in a folder that is not theirs: it does not make a project of yours", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// The project's path is no text.
    #[error("The path of the project is not UTF-8: `{}`", root.display())]
    NotUtf8 {
        /// The project.
        root: PathBuf,
    },
    /// A package says that another folder is its workspace's root, and it is not so.
    #[error("`{}` names `{}` as its workspace: {why}", manifest.display(), root.display())]
    NotItsWorkspace {
        /// The package's manifest.
        manifest: PathBuf,
        /// The folder that it names.
        root: PathBuf,
        /// What is missing there.
        why: &'static str,
    },
    /// A file cannot be read.
    #[error("Cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("Cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not UTF-8.
    #[error("`{}` is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A link leads nowhere.
    #[error("`{}` is a link to a file that does not exist", path.display())]
    DanglingLink {
        /// The link.
        path: PathBuf,
    },
    /// A file's text is not what its format asks for.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong and what is expected.
        message: String,
    },
    /// A file cannot be edited without changing what is not ours.
    #[error("Cannot edit `{}`: {message}", path.display())]
    Edit {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The user's own settings stand where ours belong.
    #[error("`{}` already has {}", path.display(),
        conflicts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Conflicts {
        /// The file.
        path: PathBuf,
        /// All of them.
        conflicts: Vec<Conflict>,
    },
    /// Another xtool holds the project.
    #[error("Another xtool has been changing this project for {seconds} seconds (`{}` is locked)", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
    /// The lock was written by a newer xtool.
    #[error("`{}` has format version {found}; this xtool knows {known}", path.display())]
    NewerLock {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// `--locked`, and the lock has nothing for this target on this host.
    #[error(
        "`xtool.lock` has no entry for `{triple}` on `{host}`, and `--locked` forbids adding one"
    )]
    NotLocked {
        /// The target.
        triple: Triple,
        /// The host.
        host: Host,
    },
    /// `--locked`, and the lock would have to change.
    #[error("`xtool.lock` would change, and `--locked` forbids it:\n{}",
        changes.iter().map(|c| format!("  {c}")).collect::<Vec<_>>().join("\n"))]
    LockWouldChange {
        /// Every entry that would change.
        changes: Vec<super::lock::LockChange>,
    },
    /// Lock and manifest contradict each other.
    #[error("`xtool.lock` and the manifest disagree about `{triple}` on `{host}`: {what}")]
    LockDisagrees {
        /// The target.
        triple: Triple,
        /// The host.
        host: Host,
        /// The contradiction.
        what: String,
    },
    /// The project wants things that its user has not allowed.
    #[error("`{}` asks for what a project may only do with your consent:\n{}", shown(root),
        items.iter().map(|i| format!("  {i}")).collect::<Vec<_>>().join("\n"))]
    Consent {
        /// The project.
        root: PathBuf,
        /// What it asks for.
        items: Vec<Item>,
    },
}

impl ProjectError {
    pub(super) fn from_splice(path: &Path, e: SpliceError) -> Self {
        let path = path.to_owned();
        match e {
            SpliceError::Toml {
                line,
                column,
                message,
            } => Self::Toml {
                path,
                line,
                column,
                message,
            },
            e @ SpliceError::Shape(_) => Self::Edit {
                path,
                message: e.to_string(),
            },
        }
    }

    pub(super) fn from_render(path: &Path, e: RenderError) -> Self {
        match e {
            RenderError::Splice(e) => Self::from_splice(path, e),
            RenderError::Conflicts { conflicts } => Self::Conflicts {
                path: path.to_owned(),
                conflicts,
            },
            e => Self::Edit {
                path: path.to_owned(),
                message: e.to_string(),
            },
        }
    }

    /// An error of serde's, with its place in the text.
    pub(super) fn from_toml(path: &Path, text: &str, e: &toml::de::Error) -> Self {
        let at = e.span().map_or(0, |s| s.start);
        Self::at(path, text, at, e.message())
    }

    /// An error at a byte offset of the text.
    pub(super) fn at(path: &Path, text: &str, offset: usize, message: &str) -> Self {
        let (line, column) = super::splice::position(text, offset);
        let lines: Vec<&str> = message.lines().map(str::trim).collect();
        Self::Toml {
            path: path.to_owned(),
            line,
            column,
            message: lines.join("; "),
        }
    }
}

impl Help for ProjectError {
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::NotFound { .. } => {
                "run `cargo new NAME` and work in its folder, or `xtool add TARGET --no-cargo` for a build that is not cargo's".to_owned()
            }
            Self::Foreign { file } => {
                format!(
                    "look at `{}`; if it is to count, make it yours: sudo chown \"$USER\" '{}'",
                    file.display(),
                    file.display()
                )
            }
            Self::NotUtf8 { .. } => {
                "rename the folder so that its whole path is UTF-8, then run the command again; nothing was changed"
                    .to_owned()
            }
            Self::NotItsWorkspace { manifest, .. } => {
                format!("cargo refuses it too: add the package to `members` there, or take `package.workspace` out of `{}`", manifest.display())
            }
            Self::Conflicts { path, conflicts } => {
                let by_hand: Vec<&str> = conflicts
                    .iter()
                    .filter(|c| c.by_hand)
                    .map(|c| c.key.as_str())
                    .collect();
                if by_hand.is_empty() {
                    "pass `--force` to replace it; `xtool remove` brings it back".to_owned()
                } else {
                    format!(
                        "cargo takes a text or a list of texts there: edit `{}` in `{}`, or take it out, then run the command again (`--force` cannot replace it)",
                        by_hand.join("`, `"),
                        path.display()
                    )
                }
            }
            Self::Edit { .. } => {
                "write the keys in a `[target.…]` table of their own, or move them to another file".to_owned()
            }
            Self::DanglingLink { path } => {
                format!("create the file or delete the link `{}`", path.display())
            }
            Self::Busy { .. } => "wait for the other xtool to end, then run the command again".to_owned(),
            Self::NewerLock { .. } => "upgrade xtool".to_owned(),
            Self::NotLocked { triple, .. } => {
                format!("run `xtool sync` without `--locked`, or `xtool add {triple}`, and commit `xtool.lock`")
            }
            Self::LockWouldChange { changes } => {
                let mut targets: Vec<&str> = changes.iter().map(|c| c.triple.as_str()).collect();
                targets.dedup();
                format!("run `xtool update {}` and commit `xtool.lock`", targets.join(" "))
            }
            Self::LockDisagrees { triple, .. } => {
                format!("run `xtool update {triple}` and commit `xtool.lock`")
            }
            Self::Consent { .. } => {
                "look at these files, then run the same command with `--trust`, once".to_owned()
            }
            Self::Write { path, source } | Self::Read { path, source }
                if matches!(
                    source.kind(),
                    std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists
                ) =>
            {
                let folder = path.ancestors().find(|p| p.is_file()).unwrap_or(path);
                format!("`{}` is a file where a folder is needed: move it away, then run the command again", folder.display())
            }
            Self::Write { path, source } => match source.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    format!("make `{}` and its folder writable, then run the command again", path.display())
                }
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                    "free some space, then run the command again".to_owned()
                }
                _ => return None,
            },
            Self::Toml { path, line, .. } => {
                format!("mend line {line} of `{}`, then run the command again; the file was left as it is", path.display())
            }
            Self::NotText { path } => {
                format!("save `{}` as UTF-8, then run the command again", path.display())
            }
            Self::Read { .. } => return None,
        };
        Some(help)
    }
}
