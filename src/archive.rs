//! What the stages pass to each other: an [`Archive`] that is wanted, and a [`VerifiedArchive`] that is had.

use std::path::{Path, PathBuf};

use crate::digest::Sha256;

/// An archive as manifest or lock pins it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The file name that people and the format detection see: `zig-x86_64-linux-0.15.2.tar.xz`. Never a path.
    pub file: String,
    /// The digest over the raw bytes.
    pub sha256: Sha256,
    /// Bytes, where the pin says so; a download stops there.
    pub size: Option<u64>,
}

/// A file whose bytes had the pinned digest when it was made: the only thing that can be unpacked.
#[derive(Debug, Clone)]
pub struct VerifiedArchive {
    path: PathBuf,
    archive: Archive,
    size: u64,
}

/// Why a file is not the archive that was pinned.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file could not be read.
    #[error("Cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are others than pinned.
    #[error("`{file}` has a different digest than pinned\n  expected sha256 {expected} ({})\n  found    sha256 {found} ({found_size} bytes)",
        expected_size.map_or_else(|| "size not pinned".to_owned(), |n| format!("{n} bytes")))]
    Digest {
        /// The archive's file name.
        file: String,
        /// As pinned.
        expected: Sha256,
        /// As found.
        found: Sha256,
        /// Bytes, as pinned.
        expected_size: Option<u64>,
        /// Bytes, as found.
        found_size: u64,
    },
}

impl VerifiedArchive {
    /// Reads the whole file and compares it with the pin.
    pub fn check(path: &Path, archive: &Archive) -> Result<Self, VerifyError> {
        let (found, size) = Sha256::of_file(path).map_err(|source| VerifyError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_digest(path, archive, found, size)
    }

    /// The same for a file whose digest was computed while it was written; private to the fetcher.
    pub(crate) fn from_digest(
        path: &Path,
        archive: &Archive,
        found: Sha256,
        size: u64,
    ) -> Result<Self, VerifyError> {
        if found != archive.sha256 || archive.size.is_some_and(|n| n != size) {
            return Err(VerifyError::Digest {
                file: archive.file.clone(),
                expected: archive.sha256,
                found,
                expected_size: archive.size,
                found_size: size,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            archive: archive.clone(),
            size,
        })
    }

    /// Where the bytes are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The pin that the bytes agree with.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}
