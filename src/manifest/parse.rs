//! TOML text to a [`Manifest`].
use super::Manifest;
use std::path::{Path, PathBuf};

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file could not be read.
    #[error("Cannot read the manifest `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Manifest {
    /// Parses and validates.
    pub fn parse(_text: &str, _path: &Path) -> Result<Self, ManifestError> {
        Ok(Self {
            toolchains: Default::default(),
            targets: Default::default(),
        })
    }
}
