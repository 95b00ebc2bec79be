//! Why no source of a pin answered.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use super::BoxError;
use super::apt::AptError;
use super::pypi::PypiError;
use crate::archive::VerifyError;
use crate::disk;
use crate::env_vars;
use crate::help::Help;

/// No source of a pin answered.
#[derive(Debug)]
pub struct SourceError {
    /// The toolchain's name.
    pub toolchain: String,
    /// Its version.
    pub version: String,
    /// Each source and its cause, in the pin's order. Empty when the pin has no source for this host.
    pub failures: Vec<Failure>,
}

/// One source that did not answer.
#[derive(Debug)]
pub struct Failure {
    /// How messages name the source.
    pub source: String,
    /// Why.
    pub cause: Cause,
}

/// Why a source did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// Neither cache nor mirror has it, and nothing else may be asked.
    #[error("`{file}` is not in the cache, and the network is off")]
    Offline {
        /// The first archive that is missing.
        file: String,
    },
    /// The download engine failed.
    #[error(transparent)]
    Download(BoxError),
    /// The Python package could not be had.
    #[error(transparent)]
    Pypi(#[from] PypiError),
    /// The distribution's packages could not be had.
    #[error(transparent)]
    Apt(#[from] AptError),
    /// The user's file is another one.
    #[error(transparent)]
    File(#[from] VerifyError),
    /// A digest pins a file.
    #[error("`{}` is a folder, where a file with the pinned digest was expected", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
}

impl Cause {
    /// Whether the fault is this host's disk, so that no other source would do better.
    pub fn is_full_disk(&self) -> bool {
        disk::takes_no_more(self)
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (toolchain, version) = (&self.toolchain, &self.version);
        if self.failures.is_empty() {
            return write!(f, "`{toolchain}` {version} has no source");
        }
        write!(f, "Cannot get `{toolchain}` {version}")?;
        for Failure { source, cause } in &self.failures {
            write!(f, "\n  from {source}:")?;
            for line in chain(cause).lines() {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

impl Error for SourceError {}

impl Help for SourceError {
    fn help(&self) -> Option<String> {
        if self.failures.last().is_some_and(|f| f.cause.is_full_disk()) {
            return Some(format!(
                "free some space, or set {} to a folder with more of it",
                env_vars::XTOOL_CACHE_DIR
            ));
        }
        if self
            .failures
            .iter()
            .all(|f| matches!(f.cause, Cause::Offline { .. }))
        {
            return Some(
                "run it again without `--offline`, or set `XTOOL_MIRROR` to a mirror that has the archive"
                    .to_owned(),
            );
        }
        self.failures.iter().find_map(|f| match &f.cause {
            Cause::Apt(e) => e.help(),
            Cause::Pypi(e) => e.help(),
            _ => None,
        })
    }
}

/// An error and what caused it, a line each where the messages themselves have no more.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let text = e.to_string();
        // Some libraries repeat their cause's text in their own.
        if !out.ends_with(&text) {
            out.push_str("\ncaused by: ");
            out.push_str(&text);
        }
        cause = e.source();
    }
    out
}

/// An error and what caused it, in one line, for a warning.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .lines()
        .map(|line| line.trim().trim_start_matches("caused by: "))
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(": ")
}
