//! Folders in the making: on the store's file system, owned by one process, and gone when it fails or dies.

use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};
use tempfile::TempDir;

use super::StoreError;

/// An empty folder to fill; removed on drop, whatever was taken out of it.
#[derive(Debug)]
pub struct Staging {
    // Dropped in this order: the folder goes while its lock is still held.
    dir: TempDir,
    _owner: File,
}

/// Held locked by the process that owns the folder.
const OWNER: &str = "owner.lock";
/// What is renamed into the store.
const TREE: &str = "tree";

impl Staging {
    pub(super) fn create(staging: &Path) -> Result<Self, StoreError> {
        fs_err::create_dir_all(staging).map_err(StoreError::io("create", staging))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("stage-");
        // The store may be shared: the folder is renamed into it with the mode that it has here.
        let dir = builder
            .tempdir_in(staging)
            .map_err(StoreError::io("create a folder in", staging))?;
        let lock = dir.path().join(OWNER);
        let owner = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&lock)
            .map_err(StoreError::io("open", &lock))?;
        // Where the file system has no locks, nobody can take the folder for abandoned by one either.
        let _ = owner.file().try_lock();
        let tree = dir.path().join(TREE);
        fs_err::create_dir(&tree).map_err(StoreError::io("create", &tree))?;
        Ok(Self { dir, _owner: owner })
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

/// Removes the folders of processes that are gone: those whose lock is free. Errors are left for the next time.
pub(super) fn clean(staging: &Path) {
    let Ok(entries) = fs_err::read_dir(staging) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let lock = path.join(OWNER);
        match OpenOptions::new().append(true).open(&lock) {
            Ok(file) => {
                if file.file().try_lock().is_ok() {
                    let _ = fs_err::remove_dir_all(&path);
                }
            }
            // A folder without a lock file is a moment old, or its owner died within that moment.
            Err(_) if older_than_an_hour(&path) => {
                let _ = fs_err::remove_dir_all(&path);
            }
            Err(_) => {}
        }
    }
}

fn older_than_an_hour(path: &Path) -> bool {
    fs_err::symlink_metadata(path)
        .and_then(|m| m.modified())
        .ok()
        .and_then(|t| t.elapsed().ok())
        .is_some_and(|age| age.as_secs() > 3600)
}
