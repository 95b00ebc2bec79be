//! What the stages pass to each other: an [`Archive`] that is wanted, and a [`VerifiedArchive`] that is had.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err::File;

use crate::digest::Sha256;
use crate::regular;

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
///
/// It is held open: what was verified is read, also when `cache clean` takes the name away meanwhile.
#[derive(Debug, Clone)]
pub struct VerifiedArchive {
    path: PathBuf,
    file: Arc<File>,
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
        let unreadable = |source| VerifyError::Read {
            path: path.to_owned(),
            source,
        };
        let (file, _) = regular::open(path).map_err(unreadable)?;
        let (found, size) = Sha256::of_reader(&file).map_err(unreadable)?;
        Self::from_digest(path, file, archive, found, size)
    }

    /// The same for an open file whose digest was computed while it was written, and which is, or soon will be, at
    /// `path`; private to the fetcher.
    pub(crate) fn from_digest(
        path: &Path,
        file: File,
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
            file: Arc::new(file),
            archive: archive.clone(),
            size,
        })
    }

    /// Where the bytes are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, for who reads by position.
    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Its bytes, from the first, at a position of the reader's own.
    pub fn content(&self) -> Content {
        Content {
            file: self.file(),
            at: 0,
        }
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

/// Reads a [`VerifiedArchive`] from its begin.
#[derive(Debug)]
pub struct Content {
    file: Arc<File>,
    at: u64,
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = read_at(&self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Reads at a position, whatever others read of the same file.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use fs_err::os::unix::fs::FileExt as _;
    file.read_at(buffer, at)
}

/// Reads at a position, whatever others read of the same file.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use fs_err::os::windows::fs::FileExt as _;
    file.seek_read(buffer, at)
}
