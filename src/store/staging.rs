//! Folders in the making: on the store's file system, owned by one process, and gone when it fails or dies.

use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};
use tempfile::TempDir;

use super::lock::Kind;
use super::{Lock, StoreError};
use crate::file_lock::{self, Asked};
use crate::owner;

/// An empty folder to fill; removed on drop, whatever was taken out of it.
#[derive(Debug)]
pub struct Staging {
    // Dropped in this order: the folder goes while its lock is still held.
    dir: TempDir,
    _owner: File,
}

/// Held locked by the process that owns the folder.
const OWNER: &str = "owner.lock";
/// Held while folders are made and looked at: one without an owner's lock file is then a dead process's.
const KEY: &str = "staging";
/// What is renamed into the store.
const TREE: &str = "tree";

impl Staging {
    /// Clears away what dead processes left, and makes a folder.
    pub(super) fn create(staging: &Path, locks: &Path) -> Result<Self, StoreError> {
        owner::create_dir_all(staging).map_err(StoreError::io("create", staging))?;
        let alone = Lock::acquire(locks, KEY, Kind::Exclusive, || ())?;
        clean(staging, alone.is_real());
        let mut builder = tempfile::Builder::new();
        builder.prefix("stage-");
        // The store may be shared: the folder is renamed into it with the mode that it has here.
        let dir = builder
            .tempdir_in(staging)
            .map_err(StoreError::io("create a folder in", staging))?;
        let lock = dir.path().join(OWNER);
        let held = owner::options()
            .create(true)
            .append(true)
            .open(&lock)
            .map_err(StoreError::io("open", &lock))?;
        // Where the file system has no locks, nobody can take the folder for abandoned by one either.
        let _ = file_lock::ask(&held);
        let tree = dir.path().join(TREE);
        owner::create_dir(&tree).map_err(StoreError::io("create", &tree))?;
        Ok(Self { dir, _owner: held })
    }

    /// The folder that becomes the toolchain.
    pub fn tree(&self) -> PathBuf {
        self.dir.path().join(TREE)
    }

    /// A folder beside it for things that do not.
    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }

    /// Brings everything written so far to the disk, in one call for all files where the system has one.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        #[cfg(target_os = "linux")]
        {
            let folder =
                File::open(self.dir.path()).map_err(StoreError::io("open", self.dir.path()))?;
            rustix::fs::syncfs(folder.file())
                .map_err(|e| StoreError::io("write to disk", self.dir.path())(e.into()))?;
        }
        Ok(())
    }
}

/// Clears away what dead processes left, if there is anything.
pub(super) fn sweep(staging: &Path, locks: &Path) -> Result<(), StoreError> {
    let empty = fs_err::read_dir(staging).map_or(true, |mut entries| entries.next().is_none());
    if !empty {
        let alone = Lock::acquire(locks, KEY, Kind::Exclusive, || ())?;
        clean(staging, alone.is_real());
    }
    Ok(())
}

/// Removes the folders of processes that are gone: those whose lock is free. Errors are left for the next time.
/// `alone`: nobody makes a folder meanwhile.
fn clean(staging: &Path, alone: bool) {
    let Ok(entries) = fs_err::read_dir(staging) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let dead = match OpenOptions::new().append(true).open(path.join(OWNER)) {
            Ok(file) => match file_lock::ask(&file) {
                Ok(Asked::Got) => true,
                Ok(Asked::Taken) | Err(_) => false,
                // No lock tells the living from the dead, but no install takes that long.
                Ok(Asked::Unsupported) => older_than_a_day(&path),
            },
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => alone || older_than_a_day(&path),
            Err(_) => false,
        };
        if dead {
            let _ = fs_err::remove_dir_all(&path);
        }
    }
}

fn older_than_a_day(path: &Path) -> bool {
    fs_err::symlink_metadata(path)
        .and_then(|m| m.modified())
        .ok()
        .and_then(|t| t.elapsed().ok())
        .is_some_and(|age| age.as_secs() > 24 * 3600)
}
