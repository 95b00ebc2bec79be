//! The copies of xtool in the store that shims are links to, so that they outlive an upgrade or a `cargo clean`.
//!
//! A copy is named by its content: `bin/xtool-<version>-<digest8>`. Two builds of one version stand side by side, and
//! neither changes what the other's shims run; a project's shims lead to the build that set it up last. Nobody hashes
//! tens of megabytes to find that nothing is new: `bin/known` says which file, by everything that the system knows of
//! it, was copied under which name. What no shim leads to any more goes with [`Store::prune`].

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::in_use::Running;
use super::{Store, StoreError};
use crate::digest::Sha256;
use crate::owner;

const KEY: &str = "bin";
/// The notes; not the name of a copy.
const KNOWN: &str = "known";
/// Lines kept there: builds that take turns, not their history.
const KNOWN_LINES: usize = 8;
const PREFIX: &str = "xtool-";
/// A copy may be this young, in seconds, and have no link yet.
const FRESH: u64 = 600;

impl Store {
    /// The copy of the running program, made where there is none.
    pub fn own_executable(&self) -> Result<PathBuf, StoreError> {
        let running = running()?;
        let bin = self.layout().bin();
        if running.parent() == Some(bin.as_path()) {
            return Ok(running);
        }
        let identity = identity(&running)?;
        if let Some(copy) = known(&bin, &identity) {
            return Ok(copy);
        }
        // Twenty processes that start at once need one copy.
        let _lock = self.lock(KEY, || ())?;
        if let Some(copy) = known(&bin, &identity) {
            return Ok(copy);
        }
        owner::create_dir_all(&bin).map_err(StoreError::io("create", &bin))?;
        let staging = self.stage()?;
        let temp = staging.scratch().join("xtool");
        owner::copy(&running, &temp).map_err(StoreError::io("copy", &running))?;
        // Of the copy: the program itself may be built anew this very moment.
        let (digest, _) = Sha256::of_file(&temp).map_err(StoreError::io("read", &temp))?;
        let copy = bin.join(format!(
            "{PREFIX}{}-{}{}",
            env!("CARGO_PKG_VERSION"),
            digest.short(),
            std::env::consts::EXE_SUFFIX
        ));
        // One that is there under the name and is not whole was left by a machine that lost its power.
        if !Sha256::of_file(&copy).is_ok_and(|(there, _)| there == digest) {
            settle(&temp).map_err(StoreError::io("write", &copy))?;
            fs_err::rename(&temp, &copy).map_err(StoreError::io("write", &copy))?;
        }
        self.note(&bin, &identity, &copy)?;
        Ok(copy)
    }

    /// Writes down what a program was copied as. The caller holds the lock.
    fn note(&self, bin: &Path, identity: &str, copy: &Path) -> Result<(), StoreError> {
        let path = bin.join(KNOWN);
        let name = copy.file_name().unwrap_or_default().to_string_lossy();
        let mut text = format!("{identity} {name}\n");
        let before = fs_err::read_to_string(&path).unwrap_or_default();
        let others = before.lines().filter(|l| !l.starts_with(identity));
        for line in others.take(KNOWN_LINES - 1) {
            let _ = writeln!(text, "{line}");
        }
        let staging = self.stage()?;
        let temp = staging.scratch().join(KNOWN);
        owner::write(&temp, text).map_err(StoreError::io("write", &path))?;
        fs_err::rename(&temp, &path).map_err(StoreError::io("write", &path))
    }

    /// Removes copies that no shim leads to and no program runs from, and gives their names and bytes; `dry_run` only
    /// tells. Nobody makes shims meanwhile but who began just now, so a young copy stays.
    pub(super) fn prune_copies(
        &self,
        running: &Running,
        dry_run: bool,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let bin = self.layout().bin();
        let own = identity(&self::running()?)
            .ok()
            .and_then(|identity| known(&bin, &identity));
        let linked = linked(&self.layout().shims());
        let mut removed = Vec::new();
        for entry in fs_err::read_dir(&bin).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let young = metadata
                .modified()
                .is_ok_and(|t| t.elapsed().map_or(true, |age| age.as_secs() < FRESH));
            if !name.starts_with(PREFIX)
                || young
                || Some(&path) == own.as_ref()
                || linked.contains(&path)
                || running.hold(&[path.as_path()])
            {
                continue;
            }
            if !dry_run {
                match fs_err::remove_file(&path) {
                    Ok(()) => {}
                    // It runs, which Windows alone can tell.
                    Err(_) if cfg!(windows) => continue,
                    Err(e) => return Err(StoreError::io("remove", &path)(e)),
                }
            }
            removed.push((name, metadata.len()));
        }
        removed.sort();
        Ok(removed)
    }
}

/// Brings a copy to the disk, with the time at which it was made: some systems keep that of the original.
fn settle(copy: &Path) -> std::io::Result<()> {
    let file = fs_err::OpenOptions::new().append(true).open(copy)?;
    file.file().set_modified(SystemTime::now())?;
    file.sync_all()
}

/// What links in the folders of variants lead to. On Windows they are hard links, which outlive the name in `bin`.
fn linked(shims: &Path) -> BTreeSet<PathBuf> {
    let mut out = BTreeSet::new();
    let mut folders = vec![shims.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_symlink()
                && let Ok(to) = fs_err::read_link(entry.path())
            {
                out.insert(to);
            }
        }
    }
    out
}

/// The copy that was made of a program which looks like this, if it is there still.
fn known(bin: &Path, identity: &str) -> Option<PathBuf> {
    let text = fs_err::read_to_string(bin.join(KNOWN)).ok()?;
    let name = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find_map(|(of, name)| (of == identity).then_some(name))?;
    // The store is its owner's; still, a note leads to a copy or nowhere.
    let plain = name.starts_with(PREFIX) && !name.contains(['/', '\\']);
    let copy = bin.join(name);
    let whole = |m: std::fs::Metadata| identity.starts_with(&format!("{}-", m.len()));
    (plain && fs_err::metadata(&copy).is_ok_and(whole)).then_some(copy)
}

/// Everything that the system knows of a file and that changes with its content. Its size and time alone do not
/// suffice: builds that can be reproduced, and copies, have times that are set.
fn identity(path: &Path) -> Result<String, StoreError> {
    let metadata = fs_err::metadata(path).map_err(StoreError::io("read", path))?;
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    #[cfg(unix)]
    let more = {
        use std::os::unix::fs::MetadataExt as _;
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        format!(
            "-{}-{}-{}.{}",
            metadata.dev(),
            metadata.ino(),
            changed.0,
            changed.1
        )
    };
    #[cfg(not(unix))]
    let more = "";
    Ok(format!(
        "{}-{}{more}",
        metadata.len(),
        modified.map_or(0, |d| d.as_nanos())
    ))
}

/// The running program: as the system says, else by argv[0], for a chroot without `/proc`.
fn running() -> Result<PathBuf, StoreError> {
    let error = match std::env::current_exe() {
        Ok(path) => return Ok(path),
        Err(e) => e,
    };
    let by_name = std::env::args_os()
        .next()
        .map(PathBuf::from)
        .and_then(|argv0| {
            if argv0.parent().is_some_and(|p| !p.as_os_str().is_empty()) {
                return std::path::absolute(argv0).ok();
            }
            std::env::split_paths(&std::env::var_os("PATH")?)
                .map(|folder| folder.join(&argv0))
                .find(|path| path.is_absolute() && path.is_file())
        });
    by_name.ok_or_else(|| StoreError::io("find", Path::new("the running program"))(error))
}
