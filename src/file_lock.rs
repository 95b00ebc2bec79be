//! Locks on files, where the file system has them.
//!
//! Some have none: NFS without its lock daemon, a few network and FUSE file systems. There every change is still whole,
//! as it is made by a rename; only work may be done twice.

use std::fs::TryLockError;
use std::io;

use fs_err::File;

/// What came of asking for a lock at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It is ours until the file is closed.
    Got,
    /// Another process has it.
    Taken,
    /// The file system has no locks.
    Unsupported,
}

/// Asks for the exclusive lock of an open file; does not wait.
pub fn ask(file: &File) -> io::Result<Asked> {
    answer(file.try_lock())
}

/// The same for the lock that any number may have together.
pub fn ask_shared(file: &File) -> io::Result<Asked> {
    answer(file.try_lock_shared())
}

fn answer(result: Result<(), TryLockError>) -> io::Result<Asked> {
    match result {
        Ok(()) => Ok(Asked::Got),
        Err(TryLockError::WouldBlock) => Ok(Asked::Taken),
        Err(TryLockError::Error(e)) if unsupported(&e) => Ok(Asked::Unsupported),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Whether the error says that the file system has no locks: `ENOLCK` (flock(2)), `ENOSYS`, `ENOTSUP`.
pub fn unsupported(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::Unsupported
        || (cfg!(target_os = "linux") && e.raw_os_error() == Some(37))
        || (cfg!(target_os = "macos") && matches!(e.raw_os_error(), Some(45 | 77)))
}
