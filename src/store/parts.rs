//! More parts for a toolchain that is there: folders renamed into it, the receipt last.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Installed, Receipt, Staging, Store, StoreError};
use crate::parts::Paths;

impl Store {
    /// Moves the staged folders that `added` names into a toolchain of the user's own layer, whose receipt then is
    /// `receipt`. The caller holds the id's lock, and no program uses these folders: the old receipt lacks them.
    ///
    /// A folder comes in by one rename, whole and on the disk. One that is there already was left by a process that
    /// died before its receipt was written, and is replaced.
    pub fn add_parts(
        &self,
        staging: Staging,
        installed: &Installed,
        added: &BTreeSet<Paths>,
        receipt: &Receipt,
    ) -> Result<Installed, StoreError> {
        let written = staging.scratch().join("receipt");
        receipt.write(&written)?;
        staging.sync()?;
        let tree = staging.tree();
        for paths in added {
            let folders = paths
                .found_in(&tree)
                .map_err(StoreError::io("list", &tree))?;
            for folder in folders {
                self.move_in(&tree, &folder, &installed.path)?;
            }
        }
        let place = self
            .layout()
            .toolchains()
            .join(format!("{}.toml", installed.id));
        fs_err::rename(&written, &place).map_err(StoreError::io("rename into", &place))?;
        drop(staging);
        Ok(Installed {
            receipt: receipt.clone(),
            ..installed.clone()
        })
    }

    /// Moves one folder, or the highest of those above it that the toolchain does not have.
    fn move_in(&self, tree: &Path, folder: &Path, to: &Path) -> Result<(), StoreError> {
        let mut below = PathBuf::new();
        for name in folder {
            below.push(name);
            let (from, place) = (tree.join(&below), to.join(&below));
            // It went with an earlier one.
            if from.symlink_metadata().is_err() {
                return Ok(());
            }
            match place.symlink_metadata() {
                Ok(_) if below == folder => self.discard(&place)?,
                Ok(there) if there.is_dir() => continue,
                // Nothing is moved through a link, and nothing of what is there taken away.
                Ok(_) => {
                    let kind = std::io::ErrorKind::NotADirectory;
                    return Err(StoreError::io("rename into", &place)(kind.into()));
                }
                Err(_) => {}
            }
            return match fs_err::rename(&from, &place) {
                Ok(()) => Ok(()),
                // On a file system without locks another process may have been faster: the same bytes are there.
                Err(_) if place.is_dir() => Ok(()),
                Err(e) => Err(StoreError::io("rename into", &place)(e)),
            };
        }
        Ok(())
    }
}
