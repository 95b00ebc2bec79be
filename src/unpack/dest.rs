//! The folder that archives are unpacked into: every write goes through here, and can be taken back.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_err::File;

use super::Cause;
use super::gate::SafePath;
use super::input::CHUNK;
use crate::digest::{Hasher, Sha256};

/// An existing folder, and what was made in it.
pub struct Folder<'a> {
    base: &'a Path,
    /// Folders known to be real ones.
    folders: Mutex<HashSet<SafePath>>,
    made: Mutex<Made>,
}

/// What to take back after an error: nothing that was there before.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl<'a> Folder<'a> {
    /// `base` exists.
    pub fn new(base: &'a Path) -> Self {
        Self {
            base,
            folders: Mutex::default(),
            made: Mutex::default(),
        }
    }

    /// Removes what was made, once nobody makes any more. What cannot be removed is left to the caller, who deletes the
    /// whole staging folder.
    pub fn undo(&self) {
        let made = std::mem::take(&mut *lock(&self.made));
        for file in made.files {
            if let Err(e) = fs_err::remove_file(&file) {
                tracing::debug!("{e}");
            }
        }
        for folder in made.folders.iter().rev() {
            if let Err(e) = fs_err::remove_dir(folder) {
                tracing::debug!("{e}");
            }
        }
    }
}

/// What one archive may write into a folder.
pub struct Dest<'a> {
    folder: &'a Folder<'a>,
    max_bytes: u64,
    bytes: AtomicU64,
    repeated: Mutex<Vec<Repeated>>,
}

/// A file that was there already, perhaps not complete yet, and what the archive has in its place.
struct Repeated {
    place: PathBuf,
    digest: Sha256,
    bytes: u64,
}

impl<'a> Dest<'a> {
    /// At most `max_bytes` of file content will be written.
    pub fn new(folder: &'a Folder<'a>, max_bytes: u64) -> Self {
        Self {
            folder,
            max_bytes,
            bytes: AtomicU64::new(0),
            repeated: Mutex::default(),
        }
    }

    /// Bytes of file content so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Makes the folder and those above it, or finds them: real folders, not links to some.
    pub fn folder(&self, path: &SafePath) -> Result<(), Cause> {
        if path.is_top() || lock(&self.folder.folders).contains(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(&parent)?;
        }
        let place = self.place(path);
        match make_folder(&place) {
            Ok(()) => lock(&self.folder.made).folders.push(place),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                if !metadata(&place)?.is_dir() {
                    return Err(Cause::Conflict { path: place });
                }
            }
            Err(source) => return Err(write_error(place, None, source)),
        }
        lock(&self.folder.folders).insert(path.clone());
        Ok(())
    }

    /// Begins a file of `size` bytes in a folder that exists. Where another archive made one, the bytes must be the
    /// same: [`Self::check_repeated`].
    pub fn file(&self, path: &SafePath, executable: bool, size: u64) -> Result<Sink<'_>, Cause> {
        let place = self.place(path);
        let target = match new_file(&place, executable) {
            Ok(file) => {
                lock(&self.folder.made).files.push(place.clone());
                Target::New(file)
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                if !metadata(&place)?.is_file() {
                    return Err(Cause::Conflict { path: place });
                }
                Target::Same(Hasher::new(), 0)
            }
            Err(source) => return Err(write_error(place, Some(size), source)),
        };
        Ok(Sink {
            dest: self,
            place,
            size,
            target,
        })
    }

    /// All files of all archives are complete: those that were there already must be what this archive has, too.
    pub fn check_repeated(&self) -> Result<(), Cause> {
        for file in lock(&self.repeated).drain(..) {
            let same = metadata(&file.place)?.len() == file.bytes
                && Sha256::of_file(&file.place)
                    .map_err(|e| write_error(file.place.clone(), Some(file.bytes), e))?
                    .0
                    == file.digest;
            if !same {
                return Err(Cause::Conflict { path: file.place });
            }
        }
        Ok(())
    }

    /// Links `path` to the file at `target`, or copies it where the file system has no hard links.
    pub fn hard_link(&self, path: &SafePath, target: &SafePath) -> Result<(), Cause> {
        let (from, place) = (self.place(target), self.place(path));
        let made = fs_err::hard_link(&from, &place);
        match made {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return same_file(&from, place),
            Err(_) => copy_new(&from, &place)?,
        }
        lock(&self.folder.made).files.push(place);
        Ok(())
    }

    /// Makes a symbolic link with this text. `leads_to` is where that is in the tree.
    pub fn symlink(&self, path: &SafePath, text: &str, leads_to: &SafePath) -> Result<(), Cause> {
        let place = self.place(path);
        match make_symlink(text, &self.place(leads_to), &place) {
            Ok(()) => {
                lock(&self.folder.made).files.push(place);
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                let same = fs_err::read_link(&place).is_ok_and(|there| there == native(text));
                if same {
                    Ok(())
                } else {
                    Err(Cause::Conflict { path: place })
                }
            }
            Err(source) => Err(write_error(place, None, source)),
        }
    }

    fn place(&self, path: &SafePath) -> PathBuf {
        path.under(self.folder.base)
    }

    /// Takes `more` bytes off what may still be written.
    fn spend(&self, more: usize) -> Result<(), Cause> {
        let before = self.bytes.fetch_add(more as u64, Ordering::Relaxed);
        if before.saturating_add(more as u64) > self.max_bytes {
            return Err(Cause::TooLarge {
                limit: self.max_bytes,
            });
        }
        Ok(())
    }
}

/// A file under way.
pub struct Sink<'d> {
    dest: &'d Dest<'d>,
    place: PathBuf,
    size: u64,
    target: Target,
}

enum Target {
    New(File),
    /// A file that is there already: what it should have in it, and how many bytes.
    Same(Hasher, u64),
}

impl Sink<'_> {
    /// The next bytes of the file.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        self.dest.spend(bytes.len())?;
        match &mut self.target {
            Target::New(file) => file
                .write_all(bytes)
                .map_err(|e| write_error(self.place.clone(), Some(self.size), e)),
            Target::Same(hasher, size) => {
                hasher.update(bytes);
                *size += bytes.len() as u64;
                Ok(())
            }
        }
    }

    /// All bytes were given.
    pub fn finish(self) {
        if let Target::Same(hasher, bytes) = self.target {
            lock(&self.dest.repeated).push(Repeated {
                place: self.place,
                digest: hasher.finish(),
                bytes,
            });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked left a whole entry or none.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_error(path: PathBuf, bytes: Option<u64>, source: io::Error) -> Cause {
    Cause::Write {
        path,
        bytes,
        source,
    }
}

fn metadata(place: &Path) -> Result<std::fs::Metadata, Cause> {
    fs_err::symlink_metadata(place).map_err(|e| write_error(place.to_owned(), None, e))
}

fn open(place: &Path) -> Result<File, Cause> {
    File::open(place).map_err(|e| write_error(place.to_owned(), None, e))
}

/// 0755 less the umask: no archive decides who else may write here.
#[cfg(unix)]
fn make_folder(place: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o755).create(place)
}

#[cfg(not(unix))]
fn make_folder(place: &Path) -> io::Result<()> {
    fs_err::create_dir(place)
}

/// 0755 or 0644 less the umask, and nothing was there.
fn new_file(place: &Path, executable: bool) -> io::Result<File> {
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        if executable { 0o755 } else { 0o644 },
    );
    #[cfg(not(unix))]
    let _ = executable;
    options.open(place)
}

fn copy_new(from: &Path, place: &Path) -> Result<(), Cause> {
    // Never over something that is there: `copy` would follow a link.
    new_file(place, false).map_err(|e| write_error(place.to_owned(), None, e))?;
    fs_err::copy(from, place)
        .map(drop)
        .map_err(|e| write_error(place.to_owned(), None, e))
}

/// Whether an earlier archive's file at `place` has the content that a hard link to `from` would give it.
fn same_file(from: &Path, place: PathBuf) -> Result<(), Cause> {
    let is_file = metadata(&place)?.is_file();
    if !is_file || metadata(&place)?.len() != metadata(from)?.len() {
        return Err(Cause::Conflict { path: place });
    }
    let (mut a, mut b) = (open(from)?, open(&place)?);
    let (mut left, mut right) = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        let read = a
            .read(&mut left)
            .and_then(|n| b.read_exact(&mut right[..n]).map(|()| n));
        match read {
            Ok(0) => return Ok(()),
            Ok(n) if left[..n] == right[..n] => {}
            Ok(_) => return Err(Cause::Conflict { path: place }),
            Err(source) => return Err(write_error(place, None, source)),
        }
    }
}

/// The text with the host's separators.
fn native(text: &str) -> PathBuf {
    text.split('/').collect()
}

#[cfg(unix)]
fn make_symlink(text: &str, _leads_to: &Path, place: &Path) -> io::Result<()> {
    fs_err::os::unix::fs::symlink(text, place)
}

/// Windows wants to know what the link leads to, and lets only some users make one: for the rest a file is copied.
#[cfg(windows)]
fn make_symlink(text: &str, leads_to: &Path, place: &Path) -> io::Result<()> {
    let target = fs_err::metadata(leads_to);
    if target.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
        return fs_err::os::windows::fs::symlink_dir(native(text), place);
    }
    match fs_err::os::windows::fs::symlink_file(native(text), place) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists && target.is_ok() => {
            new_file(place, false)?;
            fs_err::copy(leads_to, place).map(drop)
        }
        made => made,
    }
}
