//! Reads a file piece by piece, and no more of it than is sane.
//!
//! A binary's headers say where to look, and headers lie: the same bytes may be asked for a million times under
//! other offsets. [`Metered`] counts what was read and stops.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use fs_err::File;
use object::read::ReadCache;

use super::InspectError;
use crate::regular;

/// How often the whole file may be read over before its headers are held to be nonsense.
const TIMES: u64 = 4;
/// Bytes on top of that, for small files with many small reads.
const EXTRA: u64 = 64 << 20;

/// A file that can be read from a few times over.
#[derive(Debug)]
pub struct Metered<T> {
    inner: T,
    left: u64,
}

impl<T: Read + Seek> Metered<T> {
    /// `len`: the file's bytes.
    pub fn new(inner: T, len: u64) -> Self {
        Self {
            inner,
            left: len.saturating_mul(TIMES).saturating_add(EXTRA),
        }
    }
}

impl<T: Read> Read for Metered<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or_else(|| io::Error::other("The headers ask for the same bytes over and over"))?;
        Ok(n)
    }
}

impl<T: Seek> Seek for Metered<T> {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.inner.seek(pos)
    }
}

/// An open file as the parsers take it.
pub type Cache = ReadCache<Metered<File>>;

/// Opens a regular file; returns it with its size in bytes.
///
/// A folder, device or pipe is refused: reading one may never end.
pub fn open(path: &Path) -> Result<(Cache, u64), InspectError> {
    let read = |source| InspectError::Read {
        path: path.to_owned(),
        source,
    };
    // Not fs_err: the error names the path already.
    let metadata = path.metadata().map_err(read)?;
    if let Some(what) = regular::other_kind(&metadata) {
        return Err(InspectError::NotABinary {
            path: path.to_owned(),
            what: format!("{what}, not a regular file"),
        });
    }
    let (file, metadata) = regular::open(path).map_err(read)?;
    let len = metadata.len();
    Ok((ReadCache::new(Metered::new(file, len)), len))
}
