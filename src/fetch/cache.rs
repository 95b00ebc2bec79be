//! The download cache: `downloads/sha256/<digest>`, and a lock a digest.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::download::UNPINNED_LIMIT;
use super::error::FetchError;
use super::part::absent;
use crate::archive::{Archive, VerifiedArchive, VerifyError};
use crate::digest::{Hasher, Sha256};
use crate::file_lock::{self, Asked};
use crate::owner;
use crate::reporter::Reporter;

/// How often a lock that another process holds is looked at.
const POLL: Duration = Duration::from_millis(100);

/// The cache's folder.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: PathBuf,
}

/// Held while one digest is downloaded; freed when dropped, or by the system when the process ends.
#[derive(Debug)]
pub(super) struct DigestLock {
    _file: fs_err::File,
    /// `false` where the file system has no locks: then others may be about the same digest.
    pub(super) alone: bool,
}

impl Cache {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where an archive's bytes are, once complete.
    pub(super) fn path(&self, digest: Sha256) -> PathBuf {
        self.root
            .join("downloads")
            .join("sha256")
            .join(digest.to_string())
    }

    /// The archive, verified again: disks fail, and the pin may be newer than the file.
    ///
    /// A file that is another one is removed with a warning and counts as absent.
    pub(super) fn verified(
        &self,
        archive: &Archive,
        reporter: &dyn Reporter,
    ) -> Result<Option<VerifiedArchive>, FetchError> {
        let path = self.path(archive.sha256);
        match look(&path, archive)? {
            Look::Good(verified) => Ok(Some(verified)),
            Look::Absent => Ok(None),
            Look::Corrupt => {
                // Without the lock another process might be putting the good one there right now.
                let removed = match self.try_lock(archive.sha256) {
                    Ok(Some(_lock)) => match look(&path, archive)? {
                        Look::Good(verified) => return Ok(Some(verified)),
                        Look::Absent => true,
                        Look::Corrupt => fs_err::remove_file(&path).is_ok(),
                    },
                    _ => false,
                };
                let what = if removed { "removed" } else { "ignored" };
                reporter.warn(&format!(
                    "{what} the cached `{}`: it is damaged ({})",
                    archive.file,
                    path.display()
                ));
                Ok(None)
            }
        }
    }

    /// The same for who holds the digest's lock: a damaged file is left for the download to replace.
    pub(super) fn intact(&self, archive: &Archive) -> Result<Option<VerifiedArchive>, FetchError> {
        match look(&self.path(archive.sha256), archive)? {
            Look::Good(verified) => Ok(Some(verified)),
            Look::Absent | Look::Corrupt => Ok(None),
        }
    }

    /// Creates the folders that a download needs.
    pub(super) fn prepare(&self) -> Result<(), FetchError> {
        for folder in ["sha256", "locks"] {
            let path = self.root.join("downloads").join(folder);
            owner::create_dir_all(&path).map_err(|source| FetchError::Cache {
                path,
                needed: None,
                source,
            })?;
        }
        Ok(())
    }

    /// Waits for the digest's lock without holding up a thread, and says once that it waits.
    pub(super) async fn lock(
        &self,
        archive: &Archive,
        reporter: &dyn Reporter,
    ) -> Result<DigestLock, FetchError> {
        self.prepare()?;
        let mut told = false;
        loop {
            if let Some(lock) = self.try_lock(archive.sha256)? {
                return Ok(lock);
            }
            if !told {
                reporter.step(&format!(
                    "Waiting for another xtool that downloads `{}`",
                    archive.file
                ));
                told = true;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn try_lock(&self, digest: Sha256) -> Result<Option<DigestLock>, FetchError> {
        let path = self
            .root
            .join("downloads")
            .join("locks")
            .join(digest.to_string());
        let failed = |source| FetchError::Cache {
            path: path.clone(),
            needed: None,
            source,
        };
        let file = owner::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file_lock::ask(&file).map_err(failed)? {
            Asked::Taken => Ok(None),
            // Without locks each download has a part of its own, and two at once are merely wasteful.
            asked => Ok(Some(DigestLock {
                _file: file,
                alone: asked == Asked::Got,
            })),
        }
    }

    /// Removes every download, complete or not, but those that another process is about. Gives the bytes freed and
    /// the number of downloads left.
    pub(super) fn clear(&self) -> Result<(u64, usize), FetchError> {
        let folder = self.root.join("downloads").join("sha256");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FetchError::Cache {
                path,
                needed: None,
                source,
            }
        };
        let entries = match fs_err::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((0, 0)),
            Err(e) => return Err(failed(&folder)(e)),
        };
        let (mut freed, mut left) = (0, 0);
        for entry in entries {
            let path = entry.map_err(failed(&folder))?.path();
            // `<digest>`, `<digest>.part`, …; anything else is not ours.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let Some(digest) = name.split('.').next().and_then(|d| d.parse().ok()) else {
                continue;
            };
            let Some(_lock) = self.try_lock(digest)? else {
                left += 1;
                continue;
            };
            let bytes = fs_err::symlink_metadata(&path).map_or(0, |m| m.len());
            absent(fs_err::remove_file(&path)).map_err(failed(&path))?;
            freed += bytes;
        }
        Ok((freed, left))
    }

    /// Copies `reader` to the archive's place, if it is the archive. Never reads past the pinned size, nor without one for
    /// ever.
    pub(super) fn copy_in(
        &self,
        archive: &Archive,
        reader: impl io::Read,
    ) -> Result<VerifiedArchive, CopyError> {
        self.prepare()?;
        let copy = self.scratch(archive.sha256);
        let limit = archive.size.unwrap_or(UNPINNED_LIMIT);
        let (found, size) = copy.fill(reader, archive.size, limit)?;
        Ok(self.commit(&copy, archive, found, size)?)
    }

    /// Takes a file away from where it is, if it is the archive; another file is removed.
    pub(super) fn adopt(
        &self,
        archive: &Archive,
        file: &Path,
    ) -> Result<VerifiedArchive, FetchError> {
        self.prepare()?;
        let unreadable = |source| {
            FetchError::Verify(VerifyError::Read {
                path: file.to_owned(),
                source,
            })
        };
        let copy = self.scratch(archive.sha256);
        let plain = fs_err::symlink_metadata(file).is_ok_and(|m| m.is_file());
        let result = if plain && fs_err::rename(file, &copy.0).is_ok() {
            // Hashed only after it was moved to where nobody else writes.
            let (found, size) = Sha256::of_file(&copy.0).map_err(unreadable)?;
            self.commit(&copy, archive, found, size)
        } else {
            // A link, or another file system.
            let (reader, _) = crate::regular::open(file).map_err(unreadable)?;
            self.copy_in(archive, reader).map_err(|e| match e {
                CopyError::Read(source) => unreadable(source),
                CopyError::Ours(error) => error,
            })
        };
        // Left over after a copy; one that stays is the package client's to clean.
        let _ = fs_err::remove_file(file);
        result
    }

    /// The last step: a verified file gets the archive's name.
    fn commit(
        &self,
        copy: &Scratch,
        archive: &Archive,
        found: Sha256,
        size: u64,
    ) -> Result<VerifiedArchive, FetchError> {
        let path = self.path(archive.sha256);
        // Before it has the name under which others may remove it.
        let file = fs_err::File::open(&copy.0).map_err(|source| FetchError::Cache {
            path: copy.0.clone(),
            needed: None,
            source,
        })?;
        let verified = VerifiedArchive::from_digest(&path, file, archive, found, size)?;
        match fs_err::rename(&copy.0, &path) {
            Ok(()) => Ok(verified),
            // Windows does not replace a file that somebody reads; it may already be the archive.
            Err(source) => match look(&path, archive)? {
                Look::Good(verified) => Ok(verified),
                _ => Err(FetchError::Cache {
                    path,
                    needed: None,
                    source,
                }),
            },
        }
    }

    fn scratch(&self, digest: Sha256) -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name = self.path(digest).into_os_string();
        name.push(format!(".{}-{n}.copy", std::process::id()));
        Scratch(PathBuf::from(name))
    }
}

/// Why a copy into the cache failed.
#[derive(Debug)]
pub(super) enum CopyError {
    /// What was copied could not be read.
    Read(io::Error),
    /// It is another file than pinned, or the cache could not be written.
    Ours(FetchError),
}

impl From<FetchError> for CopyError {
    fn from(error: FetchError) -> Self {
        Self::Ours(error)
    }
}

/// A file with a name of its own, removed when it is not moved away.
struct Scratch(PathBuf);

impl Scratch {
    fn fill(
        &self,
        mut reader: impl io::Read,
        pinned: Option<u64>,
        limit: u64,
    ) -> Result<(Sha256, u64), CopyError> {
        use io::Write as _;
        let failed = |source| {
            CopyError::Ours(FetchError::Cache {
                path: self.0.clone(),
                needed: pinned,
                source,
            })
        };
        let mut file = owner::create(&self.0).map_err(failed)?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 256 * 1024];
        let mut size = 0;
        // One byte more than pinned is enough to know that it is another file.
        while size <= limit {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(CopyError::Read(e)),
            };
            file.write_all(&buffer[..n]).map_err(failed)?;
            hasher.update(&buffer[..n]);
            size += n as u64;
        }
        Ok((hasher.finish(), size))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = absent(fs_err::remove_file(&self.0));
    }
}

enum Look {
    Good(VerifiedArchive),
    Absent,
    Corrupt,
}

fn look(path: &Path, archive: &Archive) -> Result<Look, FetchError> {
    if let Err(e) = fs_err::metadata(path)
        && e.kind() == io::ErrorKind::NotFound
    {
        return Ok(Look::Absent);
    }
    match VerifiedArchive::check(path, archive) {
        Ok(verified) => Ok(Look::Good(verified)),
        // The file is what its name says; the pin contradicts itself.
        Err(e @ VerifyError::Digest { found, .. }) if found == archive.sha256 => Err(e.into()),
        Err(VerifyError::Digest { .. }) => Ok(Look::Corrupt),
        Err(VerifyError::Read { path, source }) => Err(FetchError::Cache {
            path,
            needed: None,
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F8's neighbour: what is copied without a pinned size has an end, too.
    #[test]
    fn a_copy_stops_at_its_limit() {
        use io::Read as _;
        let dir = tempfile::tempdir().unwrap();
        let copy = Scratch(dir.path().join("copy"));
        let much = io::repeat(0).take(8 << 20);
        let (_, size) = copy.fill(much, None, 1 << 20).unwrap();
        assert!((1 << 20..2 << 20).contains(&size), "{size}");
    }
}
