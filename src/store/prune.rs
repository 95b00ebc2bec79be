//! Taking away what no project uses any more. Links are removed, never followed.

use std::collections::BTreeSet;
use std::path::Path;

use super::in_use::Running;
use super::lock::Kind;
use super::{Lock, PRUNE_KEY, Store, StoreError};

/// What a prune did, or would do.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// Ids of toolchains taken away, and the bytes that each held with its compiled C libraries; then copies of xtool
    /// that no shim leads to, by file name.
    pub removed: Vec<(String, u64)>,
    /// Ids left because a running program holds them.
    pub busy: Vec<String>,
}

impl Store {
    /// Removes the user's toolchains that are not in `used`, with the variants and compiled libraries that belong to
    /// them; `dry_run` only tells. The read-only layer is never touched, and neither is what a running program holds.
    ///
    /// `used` is asked under a lock that everyone shares who is about to use a toolchain ([`Store::hold`]); `waiting`
    /// is called once if it is waited for.
    pub fn prune<E: From<StoreError>>(
        &self,
        used: impl FnOnce() -> Result<BTreeSet<String>, E>,
        dry_run: bool,
        waiting: impl FnOnce(),
    ) -> Result<Pruned, E> {
        if !self.layout().home().is_dir() {
            return Ok(Pruned::default());
        }
        let _alone = Lock::acquire(&self.layout().locks(), PRUNE_KEY, Kind::Exclusive, waiting)?;
        let used = used()?;
        Ok(self.prune_alone(&used, dry_run)?)
    }

    fn prune_alone(&self, used: &BTreeSet<String>, dry_run: bool) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        let running = Running::look();
        if !dry_run {
            self.discard_halves();
        }
        for installed in self.installed()? {
            if !installed.own || used.contains(&installed.id) {
                continue;
            }
            let id = installed.id;
            let Some(_lock) = Lock::try_acquire(&self.layout().locks(), &id)? else {
                pruned.busy.push(id);
                continue;
            };
            let variants = self.layout().shims().join(format!("{id}-"));
            if running.hold(&[&installed.path, &variants]) {
                pruned.busy.push(id);
                continue;
            }
            let cache = self.layout().zig_cache(&id);
            let bytes = dir_size(&installed.path) + dir_size(&cache);
            if !dry_run {
                let receipt = self.layout().toolchains().join(format!("{id}.toml"));
                fs_err::remove_file(&receipt).map_err(StoreError::io("remove", &receipt))?;
                match self.discard(&installed.path) {
                    Ok(()) => {}
                    // A program runs from there.
                    Err(StoreError::Io { source, .. })
                        if cfg!(windows)
                            && source.kind() == std::io::ErrorKind::PermissionDenied =>
                    {
                        installed.receipt.write(&receipt)?;
                        pruned.busy.push(id);
                        continue;
                    }
                    Err(e) => return Err(e),
                }
                self.discard_if_there(&cache)?;
                self.discard_variants(&id)?;
            }
            pruned.removed.push((id, bytes));
        }
        let copies = self.prune_copies(&running, dry_run)?;
        pruned.removed.extend(copies);
        Ok(pruned)
    }

    /// Variants that a killed process left half made. Nobody makes one meanwhile who has not begun just now.
    fn discard_halves(&self) {
        let Ok(entries) = fs_err::read_dir(self.layout().shims()) else {
            return;
        };
        for entry in entries.flatten() {
            let half = entry.file_name().to_string_lossy().starts_with(".staged-");
            let old = entry
                .metadata()
                .and_then(|m| m.modified())
                .is_ok_and(|t| t.elapsed().is_ok_and(|age| age.as_secs() > 60));
            if half && old {
                // It is only litter: a prune must not fail for it.
                let _ = fs_err::remove_dir_all(entry.path());
            }
        }
    }

    fn discard_variants(&self, id: &str) -> Result<(), StoreError> {
        let shims = self.layout().shims();
        let Ok(entries) = fs_err::read_dir(&shims) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with(&format!("{id}-"))
            {
                self.discard(&entry.path())?;
            }
        }
        Ok(())
    }

    fn discard_if_there(&self, path: &Path) -> Result<(), StoreError> {
        match path.symlink_metadata() {
            Ok(_) => self.discard(path),
            Err(_) => Ok(()),
        }
    }
}

/// Bytes of the files below a folder, links not followed; what cannot be read counts nothing.
pub fn dir_size(path: &Path) -> u64 {
    let Ok(meta) = fs_err::symlink_metadata(path) else {
        return 0;
    };
    if !meta.is_dir() {
        return meta.len();
    }
    let Ok(entries) = fs_err::read_dir(path) else {
        return 0;
    };
    entries.flatten().map(|e| dir_size(&e.path())).sum()
}
