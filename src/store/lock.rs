//! A lock a key, held by the process and freed by the system when it dies.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};

use super::StoreError;

/// An exclusive lock on one key of the store; freed when dropped.
#[derive(Debug)]
pub struct Lock {
    /// `None` where the file system has no locks: renames keep the store whole there, work may be done twice.
    _file: Option<File>,
}

impl Lock {
    /// The lock if it is free, else `None`.
    pub(super) fn try_acquire(folder: &Path, key: &str) -> Result<Option<Self>, StoreError> {
        let (file, path) = open(folder, key)?;
        match file.file().try_lock() {
            Ok(()) => Ok(Some(Self { _file: Some(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) if unsupported(&e) => Ok(Some(Self { _file: None })),
            Err(TryLockError::Error(e)) => Err(StoreError::io("lock", &path)(e)),
        }
    }

    /// Waits for the lock file `<folder>/<key>`; `waiting` is called once if another process holds it.
    pub(super) fn acquire(
        folder: &Path,
        key: &str,
        waiting: impl FnOnce(),
    ) -> Result<Self, StoreError> {
        let (file, path) = open(folder, key)?;
        match file.file().try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => {
                waiting();
                match file.file().lock() {
                    Ok(()) => Ok(Self { _file: Some(file) }),
                    Err(e) if unsupported(&e) => Ok(Self { _file: None }),
                    Err(e) => Err(StoreError::io("lock", &path)(e)),
                }
            }
            Err(TryLockError::Error(e)) if unsupported(&e) => {
                tracing::warn!(path = %path.display(), "the file system has no locks");
                Ok(Self { _file: None })
            }
            Err(TryLockError::Error(e)) => Err(StoreError::io("lock", &path)(e)),
        }
    }
}

fn open(folder: &Path, key: &str) -> Result<(File, PathBuf), StoreError> {
    fs_err::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    let path = folder.join(key);
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(StoreError::io("open", &path))?;
    Ok((file, path))
}

fn unsupported(e: &std::io::Error) -> bool {
    // ENOLCK: an NFS server without its lock daemon (flock(2)).
    e.kind() == std::io::ErrorKind::Unsupported
        || (cfg!(target_os = "linux") && e.raw_os_error() == Some(37))
}
