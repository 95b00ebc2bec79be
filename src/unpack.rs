//! Unpacks a [`VerifiedArchive`] into a folder: zip and wheel, tar (plain, gzip, xz, zstd), deb.
//!
//! In: an archive whose bytes are the pinned ones, which says nothing about their good will. Out: files, folders and
//! links below `dest` and nowhere else, or an error and `dest` as it was.
//!
//! - Every entry's path and every link's target passes [`gate`]; see there why nothing leaves `dest`.
//! - An entry that is refused refuses the archive, also one outside [`Options::root`].
//! - Links are made last; nothing is written through one.
//! - Modes become 0755 where any executable bit is set, else 0644, less the umask; folders 0755. Owners, times, and the
//!   set-user-ID, set-group-ID and sticky bits are dropped.
//! - Several archives can go into one folder, some at the same time (a package's closure): first the files of all, then
//!   the links of all. A folder that is there is fine, and so are a file with the same bytes and a link with the same
//!   text; anything else is a [`Cause::Conflict`], and so is a path that goes through a link of another archive.
//! - Files are not synced to disk: the store does that once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::archive::VerifiedArchive;
use crate::help::Help;
use crate::parts::Paths;

mod deb;
mod decode;
mod dest;
pub mod format;
pub mod gate;
mod input;
mod plan;
mod several;
pub(crate) mod tarball;
mod tree;
mod zipfile;

use format::{Content, Format, SNIFF_BYTES};
use gate::{Refusal, Rules, SafePath};
use input::FilePart;

/// How to unpack.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The folder of the archive that becomes `dest`'s content, `/` between its names. What lies outside it is
    /// checked all the same and not written.
    pub root: Option<&'a str>,
    /// How much of what is below the root is written; the rest is checked all the same.
    pub keep: Keep<'a>,
    /// Where to stop.
    pub limits: Limits,
    /// Threads to use; at least one is.
    pub threads: usize,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            root: None,
            keep: Keep::All,
            limits: Limits::default(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Which paths below the root are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep<'a> {
    /// All of them.
    #[default]
    All,
    /// All but these.
    AllBut(&'a BTreeSet<Paths>),
    /// Only these.
    Only(&'a BTreeSet<Paths>),
}

impl Keep<'_> {
    /// Whether a path is written.
    fn has(self, path: &SafePath) -> bool {
        let covered = |all: &BTreeSet<Paths>| all.iter().any(|p| p.cover(path.as_str()));
        match self {
            Self::All => true,
            Self::AllBut(paths) => !covered(paths),
            Self::Only(paths) => covered(paths),
        }
    }
}

/// What an archive may cost; each of several that are unpacked at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of file content, counted as they are written.
    pub max_bytes: u64,
    /// Entries, folders included.
    pub max_entries: u64,
    /// Bytes that a decompressor may ask for.
    pub decoder_memory: u64,
}

impl Default for Limits {
    /// 8 GiB in 300,000 entries with 256 MiB for the decompressor.
    fn default() -> Self {
        Self {
            max_bytes: 8 << 30,
            max_entries: 300_000,
            decoder_memory: 256 << 20,
        }
    }
}

/// What was unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Regular files, hard links among them.
    pub files: u64,
    /// Symbolic links.
    pub links: u64,
    /// Bytes of file content.
    pub bytes: u64,
}

/// An archive that was not unpacked, and why.
#[derive(Debug, thiserror::Error)]
#[error("Cannot unpack `{file}`")]
pub struct UnpackError {
    /// The archive's file name.
    pub file: String,
    /// Why.
    #[source]
    pub cause: Cause,
}

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The file name ends in nothing that is known.
    #[error(
        "Its name does not say a known format: it must end in .whl, .zip, .tar, .tar.gz, .tar.xz, .tar.zst or .deb"
    )]
    UnknownFormat,
    /// The name says one format, the bytes another.
    #[error("Its name says {expected}, but its content is {found}")]
    OtherFormat {
        /// By the name.
        expected: Format,
        /// By the first bytes.
        found: Content,
    },
    /// The archive could not be opened.
    #[error("It cannot be read")]
    Read {
        /// Names the path.
        #[source]
        source: std::io::Error,
    },
    /// The file has another size than when its digest was taken.
    #[error("It has changed since it was verified: {verified} bytes then, {found} now")]
    Changed {
        /// Bytes, when verified.
        verified: u64,
        /// Bytes, now.
        found: u64,
    },
    /// An entry that must not be unpacked.
    #[error("The entry `{entry}` is refused")]
    Refused {
        /// Its path, escaped.
        entry: String,
        /// The reason.
        #[source]
        refusal: Refusal,
    },
    /// The archive's structure contradicts itself or its format.
    #[error("The {format} is malformed: {what}")]
    Malformed {
        /// The part of the format: `zip`, `tar`, `deb`.
        format: &'static str,
        /// What is wrong, without a full stop.
        what: String,
    },
    /// The data ends too early, does not decode, or cannot be read.
    #[error("Its data is truncated or damaged")]
    Damaged {
        /// What the decoder says.
        #[source]
        source: std::io::Error,
    },
    /// The decompressor wants more memory than allowed.
    #[error("Decompressing it takes more memory than the limit of {limit} bytes")]
    DecoderMemory {
        /// [`Limits::decoder_memory`]
        limit: u64,
    },
    /// More content than allowed.
    #[error("It unpacks to more than the limit of {limit} bytes")]
    TooLarge {
        /// [`Limits::max_bytes`]
        limit: u64,
    },
    /// More entries than allowed.
    #[error("It has more than the limit of {limit} entries")]
    TooManyEntries {
        /// [`Limits::max_entries`]
        limit: u64,
    },
    /// Nothing in it.
    #[error("It is empty")]
    Empty,
    /// [`Options::root`] is no path inside an archive.
    #[error("The root `{root}` is no folder of an archive")]
    BadRoot {
        /// As given, escaped.
        root: String,
        /// The reason.
        #[source]
        refusal: Refusal,
    },
    /// [`Options::root`] is not in the archive.
    #[error("It has no folder `{root}`; at its top there are: {}", top.join(", "))]
    RootMissing {
        /// As given.
        root: String,
        /// What is at the top, the first few, sorted.
        top: Vec<String>,
    },
    /// An earlier archive, or the file system's idea of equal names, has something else there.
    #[error("`{}` is there already and differs", path.display())]
    Conflict {
        /// On disk.
        path: PathBuf,
    },
    /// The destination cannot be written.
    #[error("Cannot write `{}`{}", path.display(), bytes.map_or_else(String::new, |n| format!(" ({n} bytes)")))]
    Write {
        /// On disk.
        path: PathBuf,
        /// The file's size, where it is one.
        bytes: Option<u64>,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Help for UnpackError {
    fn help(&self) -> Option<String> {
        match &self.cause {
            Cause::UnknownFormat | Cause::OtherFormat { .. } => Some(
                "check the archive's `file` or `url` in the toolchains.toml that names it"
                    .to_owned(),
            ),
            Cause::RootMissing { .. } | Cause::BadRoot { .. } => Some(
                "set `root` of that source in toolchains.toml to one of its folders".to_owned(),
            ),
            Cause::Changed { .. } => Some("run the command again".to_owned()),
            Cause::Refused { .. } | Cause::Malformed { .. } | Cause::Damaged { .. } | Cause::Empty => Some(
                "get it from another source or in another version; if its digest was pinned, it was published like this"
                    .to_owned(),
            ),
            Cause::Write { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Some(
                    "free some space (`xtool cache prune`), or set XTOOL_HOME to another disk"
                        .to_owned(),
                )
            }
            _ => None,
        }
    }
}

/// Unpacks `archive` into the existing folder `dest`. After an error, what was written is removed again.
pub fn unpack(
    archive: &VerifiedArchive,
    dest: &Path,
    options: &Options<'_>,
) -> Result<Unpacked, UnpackError> {
    unpack_all(std::slice::from_ref(archive), dest, options)
}

/// The same with several archives, whose files must not contradict each other.
pub fn unpack_all(
    archives: &[VerifiedArchive],
    dest: &Path,
    options: &Options<'_>,
) -> Result<Unpacked, UnpackError> {
    several::unpack(archives, dest, options).map_err(|(at, cause)| UnpackError {
        file: archives[at].archive().file.clone(),
        cause,
    })
}

/// On Windows the verbatim form (`\\?\`), in which paths may be longer than 260 characters.
fn base(dest: &Path) -> Result<Cow<'_, Path>, Cause> {
    if !cfg!(windows) {
        return Ok(Cow::Borrowed(dest));
    }
    fs_err::canonicalize(dest)
        .map(Cow::Owned)
        .map_err(|source| Cause::Write {
            path: dest.to_owned(),
            bytes: None,
            source,
        })
}

fn open(archive: &VerifiedArchive) -> Result<FilePart, Cause> {
    let read = |source| Cause::Read { source };
    let file = archive.file();
    let found = file.metadata().map_err(read)?.len();
    if found != archive.size() {
        return Err(Cause::Changed {
            verified: archive.size(),
            found,
        });
    }
    Ok(FilePart::new(file, 0, found))
}

fn confirm(format: Format, content: &FilePart) -> Result<(), Cause> {
    let mut start = Vec::with_capacity(SNIFF_BYTES);
    content
        .part(0, SNIFF_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(|source| Cause::Read { source })?;
    if start.is_empty() {
        return Err(Cause::Empty);
    }
    if format.matches(&start) {
        return Ok(());
    }
    Err(Cause::OtherFormat {
        expected: format,
        found: Content::sniff(&start),
    })
}

fn root(root: Option<&str>, rules: Rules) -> Result<SafePath, Cause> {
    root.map_or(Ok(SafePath::top()), |root| {
        SafePath::parse(root.as_bytes(), rules).map_err(|refusal| Cause::BadRoot {
            root: gate::escaped(root.as_bytes()),
            refusal,
        })
    })
}
