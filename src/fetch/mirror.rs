//! What `XTOOL_MIRROR` names: archives under their digest, on a static file server, in a folder, or in a `.tar.zst`.

use std::collections::HashSet;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::cache::{Cache, CopyError};
use super::error::{Cause, FetchError};
use crate::archive::{Archive, VerifiedArchive};
use crate::digest::Sha256;
use crate::regular;
use crate::unpack::tarball::members::{Kind, Member, Members};
use crate::unpack::{self, Limits};

/// What a `.tar.zst` may cost. Its headers are read with the same care as an archive's: nobody vouches for them. zstd's
/// own bound on a window is 128 MiB.
const LIMITS: Limits = Limits {
    max_bytes: 1 << 42,
    max_entries: 300_000,
    decoder_memory: 128 << 20,
};

/// What a fetcher has learnt about its mirror.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// It did not answer as a mirror: it is not asked again.
    broken: AtomicBool,
    /// Every digest in a `.tar.zst`, once it was read to its end.
    index: Mutex<Option<HashSet<Sha256>>>,
}

/// Why a mirror did not give an archive.
#[derive(Debug)]
pub(super) enum Miss {
    /// It has no such archive.
    Lacks,
    /// It has another file under that name, or failed for this one.
    Bad(FetchError),
    /// It is no mirror, or cannot be reached.
    Broken(FetchError),
    /// The fault is ours: the cache, say.
    Ours(FetchError),
}

impl Known {
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// `true` for the first to say so.
    pub(super) fn set_broken(&self) -> bool {
        !self.broken.swap(true, Ordering::Relaxed)
    }

    fn surely_lacks(&self, digest: Sha256) -> bool {
        self.index
            .lock()
            .is_ok_and(|index| index.as_ref().is_some_and(|i| !i.contains(&digest)))
    }

    fn set_index(&self, digests: HashSet<Sha256>) {
        if let Ok(mut index) = self.index.lock() {
            *index = Some(digests);
        }
    }
}

/// What an error of the HTTP mirror's means.
pub(super) fn http_miss(error: FetchError) -> Miss {
    match error.cause() {
        _ if !error.next_source() => Miss::Ours(error),
        Some(Cause::Status { status, .. }) if matches!(status.as_u16(), 404 | 410) => Miss::Lacks,
        // An object store says 403 for what is not there when it must not list.
        Some(Cause::Status { status, .. }) if status.is_client_error() => Miss::Bad(error),
        Some(
            Cause::Digest(_)
            | Cause::Encoded { .. }
            | Cause::TooLong { .. }
            | Cause::EndedEarly { .. },
        ) => Miss::Bad(error),
        _ => Miss::Broken(error),
    }
}

/// Copies an archive out of a folder.
pub(super) fn from_folder(
    cache: &Cache,
    archive: &Archive,
    folder: &Path,
) -> Result<VerifiedArchive, Miss> {
    let path = folder.join("sha256").join(archive.sha256.to_string());
    match regular::open(&path) {
        Ok((file, _)) => cache.copy_in(archive, file).map_err(|e| copied(e, &path)),
        Err(e) if e.kind() == io::ErrorKind::NotFound && folder.is_dir() => Err(Miss::Lacks),
        Err(source) => Err(Miss::Broken(FetchError::Mirror { path, source })),
    }
}

/// Reads a `.tar.zst` as a stream until the archive comes by, and copies it out.
pub(super) fn from_tar(
    cache: &Cache,
    known: &Known,
    archive: &Archive,
    path: &Path,
) -> Result<VerifiedArchive, Miss> {
    if known.surely_lacks(archive.sha256) {
        return Err(Miss::Lacks);
    }
    let broken = |source| {
        Miss::Broken(FetchError::Mirror {
            path: path.to_owned(),
            source,
        })
    };
    let (file, _) = regular::open(path).map_err(broken)?;
    let decoder = zstd::Decoder::new(file).map_err(broken)?;
    let mut members = Members::new(BufReader::new(decoder), LIMITS);
    let mut seen = HashSet::new();
    let mut count = 0;
    while let Some(member) = members.next().map_err(|e| broken(io::Error::other(e)))? {
        count += 1;
        if count > LIMITS.max_entries {
            let limit = LIMITS.max_entries;
            return Err(broken(io::Error::other(unpack::Cause::TooManyEntries {
                limit,
            })));
        }
        let Some(digest) = member_digest(&member) else {
            continue;
        };
        if digest == archive.sha256 {
            return cache.copy_in(archive, members).map_err(|e| copied(e, path));
        }
        seen.insert(digest);
    }
    known.set_index(seen);
    Err(Miss::Lacks)
}

/// The digest that a regular entry `sha256/<digest>` is named by; any other entry is none of ours.
fn member_digest(member: &Member) -> Option<Sha256> {
    if member.kind != Kind::File {
        return None;
    }
    let name = std::str::from_utf8(&member.path).ok()?;
    let name = name.strip_prefix("./").unwrap_or(name);
    name.strip_prefix("sha256/")?.parse().ok()
}

fn copied(error: CopyError, path: &Path) -> Miss {
    match error {
        CopyError::Read(source) => Miss::Broken(FetchError::Mirror {
            path: path.to_owned(),
            source,
        }),
        CopyError::Ours(error @ FetchError::Verify(_)) => Miss::Bad(error),
        CopyError::Ours(error) => Miss::Ours(error),
    }
}
