//! A lock a key, held by the process and freed by the system when it dies.

use std::path::{Path, PathBuf};

use fs_err::File;

use super::StoreError;
use crate::file_lock::{self, Asked};
use crate::owner;

/// A lock on one key of the store; freed when dropped.
#[derive(Debug)]
pub struct Lock {
    /// `None` where the file system has no locks: renames keep the store whole there, work may be done twice.
    file: Option<File>,
}

/// Who else may hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nobody.
    Exclusive,
    /// Others that share it.
    Shared,
}

impl Lock {
    /// The lock if it is free, else `None`.
    pub(super) fn try_acquire(folder: &Path, key: &str) -> Result<Option<Self>, StoreError> {
        let (file, path) = open(folder, key)?;
        match file_lock::ask(&file).map_err(StoreError::io("lock", &path))? {
            Asked::Got => Ok(Some(Self { file: Some(file) })),
            Asked::Taken => Ok(None),
            Asked::Unsupported => Ok(Some(Self { file: None })),
        }
    }

    /// Waits for the lock file `<folder>/<key>`; `waiting` is called once if another process holds it.
    pub(super) fn acquire(
        folder: &Path,
        key: &str,
        kind: Kind,
        waiting: impl FnOnce(),
    ) -> Result<Self, StoreError> {
        let (file, path) = open(folder, key)?;
        let asked = match kind {
            Kind::Exclusive => file_lock::ask(&file),
            Kind::Shared => file_lock::ask_shared(&file),
        };
        match asked.map_err(StoreError::io("lock", &path))? {
            Asked::Got => return Ok(Self { file: Some(file) }),
            Asked::Unsupported => {
                tracing::warn!(path = %path.display(), "the file system has no locks");
                return Ok(Self { file: None });
            }
            Asked::Taken => {}
        }
        waiting();
        crate::interrupt::watch();
        let locked = match kind {
            Kind::Exclusive => file.file().lock(),
            Kind::Shared => file.file().lock_shared(),
        };
        locked.map_err(StoreError::io("lock", &path))?;
        Ok(Self { file: Some(file) })
    }

    /// Whether the file system has locks, so that this one keeps others out.
    pub(super) fn is_real(&self) -> bool {
        self.file.is_some()
    }
}

fn open(folder: &Path, key: &str) -> Result<(File, PathBuf), StoreError> {
    owner::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    let path = folder.join(key);
    let file = owner::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(StoreError::io("open", &path))?;
    Ok((file, path))
}
