//! Opening and reading files that a project, a mirror or a user names: a folder, a device or a pipe in place of a file
//! is an error, not a run that never ends or takes all memory.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use fs_err::File;

use crate::help::Help;

/// More than any manifest, lock or configuration has.
pub const TEXT_LIMIT: u64 = 16 << 20;

/// Why a path is not read.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It is another kind of thing.
    #[error("`{}` is {what}, not a regular file", path.display())]
    Kind {
        /// The path.
        path: PathBuf,
        /// With its article.
        what: &'static str,
    },
    /// It has more than anybody writes.
    #[error("`{}` has more than {limit} bytes, too much for a file of its kind", path.display())]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Bytes.
        limit: u64,
    },
}

impl Help for Unfit {
    fn help(&self) -> Option<String> {
        let (Self::Kind { path, .. } | Self::TooLong { path, .. }) = self;
        Some(format!(
            "look at it with `ls -lL '{}'`, and put the file there that belongs there",
            path.display()
        ))
    }
}

/// For those that come from here, wherever in a chain of causes they stand.
impl Help for io::Error {
    fn help(&self) -> Option<String> {
        self.get_ref()?.downcast_ref::<Unfit>()?.help()
    }
}

/// Opens a regular file, or a link to one, and gives what is known of it.
pub fn open(path: &Path) -> io::Result<(File, std::fs::Metadata)> {
    // Before it is opened: that alone can wait, rewind a tape or hang up a line.
    if let Ok(metadata) = fs_err::metadata(path) {
        check(path, &metadata)?;
    }
    let mut options = fs_err::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        // It may have been replaced meanwhile: without the flag a FIFO waits for a writer.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        fs_err::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    check(path, &metadata)?;
    Ok((file, metadata))
}

/// Reads a regular file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, _) = open(path)?;
    let mut bytes = Vec::new();
    // The size in the metadata says little of a file in `/proc`, or of one that grows.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let path = path.to_owned();
        return Err(unfit(Unfit::TooLong { path, limit }));
    }
    Ok(bytes)
}

/// Reads a regular file of UTF-8 text, [`TEXT_LIMIT`] bytes at most.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path, TEXT_LIMIT)?).map_err(|_| {
        let what = format!("`{}` is not UTF-8 text", path.display());
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

/// What a path is, with its article, unless it is a regular file.
pub fn other_kind(metadata: &std::fs::Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return Some("a FIFO");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("a device");
        }
    }
    Some("something else")
}

fn check(path: &Path, metadata: &std::fs::Metadata) -> io::Result<()> {
    match other_kind(metadata) {
        None => Ok(()),
        Some(what) => Err(unfit(Unfit::Kind {
            path: path.to_owned(),
            what,
        })),
    }
}

fn unfit(what: Unfit) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
