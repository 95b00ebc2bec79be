//! Reading and replacing the project's files: whole or not at all, with the mode and the link of the one before.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::ProjectError;
use crate::file_lock::{self, Asked};
use crate::owner;
use crate::regular;

/// How long another xtool may hold a project; it does so for milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(30);

const TEMP_PREFIX: &str = ".xtool-";
const TEMP_SUFFIX: &str = ".tmp";

/// The lock on one project's files, held until it is dropped.
///
/// The lock file is in the store's home, not in the project: nothing of ours lies about in a checkout.
#[derive(Debug)]
pub struct Held {
    _file: fs_err::File,
}

impl Held {
    /// Waits for the lock `<locks>/project-<key>.lock`, at most half a minute.
    pub(super) fn acquire(locks: &Path, key: &str) -> Result<Self, ProjectError> {
        let path = locks.join(format!("project-{key}.lock"));
        let write = |source| ProjectError::Write {
            path: path.clone(),
            source,
        };
        owner::create_dir_all(locks).map_err(write)?;
        let file = owner::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(write)?;
        let start = Instant::now();
        loop {
            match file_lock::ask(&file).map_err(write)? {
                // Without locks each file is still replaced as a whole.
                Asked::Got | Asked::Unsupported => return Ok(Self { _file: file }),
                Asked::Taken if start.elapsed() < LOCK_WAIT => {
                    crate::interrupt::watch();
                    std::thread::sleep(Duration::from_millis(20));
                }
                Asked::Taken => {
                    return Err(ProjectError::Busy {
                        path,
                        seconds: LOCK_WAIT.as_secs(),
                    });
                }
            }
        }
    }
}

/// The text of a file, or `None` where there is none. A link that leads nowhere is an error: writing through it would
/// create a file somewhere else. So is a device or a pipe, which a clone can have in place of any file.
pub fn read_text(path: &Path) -> Result<Option<String>, ProjectError> {
    let bytes = match regular::read(path, regular::TEXT_LIMIT) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return match fs_err::symlink_metadata(path) {
                Ok(there) if there.is_symlink() => Err(ProjectError::DanglingLink {
                    path: path.to_owned(),
                }),
                // Another xtool wrote it meanwhile, by a rename: it is whole.
                Ok(_) => read_text(path),
                Err(_) => Ok(None),
            };
        }
        Err(source) => {
            return Err(ProjectError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| ProjectError::NotText {
            path: path.to_owned(),
        })
}

/// Replaces a file's content by a rename in its own folder. A link stays a link and its target is replaced; the mode
/// stays. A new file gets the mode that the umask gives.
pub fn replace(path: &Path, text: &str) -> Result<(), ProjectError> {
    replace_inner(path, text, Whose::Users).map_err(|source| ProjectError::Write {
        path: path.to_owned(),
        source,
    })
}

/// The same for a file of ours in the store's home, which nobody else may write, whoever could before.
pub(super) fn note(path: &Path, text: &str) -> Result<(), ProjectError> {
    owner::create_dir_all(path.parent().unwrap_or(Path::new(".")))
        .and_then(|()| replace_inner(path, text, Whose::Ours))
        .map_err(|source| ProjectError::Write {
            path: path.to_owned(),
            source,
        })
}

/// Whose rules a file's mode follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The umask, and what the file had before.
    Users,
    /// 0644 at most.
    Ours,
}

fn replace_inner(path: &Path, text: &str, whose: Whose) -> io::Result<()> {
    let target = match fs_err::symlink_metadata(path) {
        Ok(m) if m.file_type().is_symlink() => fs_err::canonicalize(path)?,
        _ => path.to_owned(),
    };
    let folder = target
        .parent()
        .ok_or_else(|| io::Error::other("no folder"))?;
    fs_err::create_dir_all(folder)?;
    let old = fs_err::metadata(&target).ok().map(|m| m.permissions());
    // A rename would also replace a file that its mode protects.
    if old.as_ref().is_some_and(std::fs::Permissions::readonly) {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file is read-only",
        ));
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{TEMP_PREFIX}{name}-");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(TEMP_SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if whose == Whose::Users { 0o666 } else { 0o644 };
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let mut temp = builder.tempfile_in(folder)?;
    temp.write_all(text.as_bytes())?;
    #[cfg(not(unix))]
    let _ = whose;
    #[cfg(unix)]
    if let Some(old) = old.filter(|_| whose == Whose::Users) {
        temp.as_file().set_permissions(old)?;
    }
    temp.as_file().sync_all()?;
    temp.persist(&target).map_err(|e| e.error)?;
    sync_folder(folder);
    Ok(())
}

/// Deletes what a killed process left in a folder whose files only the holder of the lock writes.
pub(super) fn sweep(folder: &Path, name: &str) {
    let prefix = format!("{TEMP_PREFIX}{name}");
    let Ok(entries) = fs_err::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let file = entry.file_name();
        let file = file.to_string_lossy();
        if file.starts_with(&prefix) && file.ends_with(TEMP_SUFFIX) {
            // It is only litter: a run must not fail for it.
            let _ = fs_err::remove_file(entry.path());
        }
    }
}

/// Makes a rename durable where folders can be synced; where they cannot, the rename was still atomic.
fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Ok(dir) = fs_err::File::open(folder)
    {
        let _ = dir.sync_all();
    }
}

/// Deletes a file that may be gone already.
pub fn delete(path: &Path) -> Result<(), ProjectError> {
    match fs_err::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(ProjectError::Write {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// A key for a project's root: what its files in the home are called.
pub fn root_key(root: &Path) -> String {
    let digest = crate::digest::Sha256::of(root.as_os_str().as_encoded_bytes());
    digest.to_string()[..16].to_owned()
}

/// The folders in the store's home that hold what belongs to projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDirs {
    /// One [`Record`](super::Record) a project.
    pub projects: PathBuf,
    /// Lock files.
    pub locks: PathBuf,
    /// What the user allowed a project to do.
    pub consent: PathBuf,
}

impl StateDirs {
    /// Below a store's home.
    pub fn below(home: &Path) -> Self {
        Self {
            projects: home.join("projects"),
            locks: home.join("locks"),
            consent: home.join("consent"),
        }
    }
}
