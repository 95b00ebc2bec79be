//! Room on disks: how much there is, and which errors say that there is none.

use std::error::Error;
use std::io;
use std::path::Path;

/// Bytes that this user may still write below the nearest folder that exists; `None` where the system is not asked.
#[cfg(target_os = "linux")]
pub fn free_space(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|f| f.is_dir())?;
    let stat = rustix::fs::statvfs(there).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes that this user may still write below the nearest folder that exists; `None` where the system is not asked.
#[cfg(not(target_os = "linux"))]
pub fn free_space(_folder: &Path) -> Option<u64> {
    None
}

/// Whether the error, or one that caused it, is a disk's that takes no more: full, over quota, or read-only.
pub fn takes_no_more(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&e| e.source()).any(|e| {
        e.downcast_ref::<io::Error>().is_some_and(|e| {
            matches!(
                e.kind(),
                io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::ReadOnlyFilesystem
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_full_disk_is_found_below_other_errors() {
        let of = |kind: io::ErrorKind| takes_no_more(&Outer(kind.into()));
        assert!(of(io::ErrorKind::StorageFull) && of(io::ErrorKind::QuotaExceeded));
        assert!(!of(io::ErrorKind::NotFound) && !of(io::ErrorKind::ConnectionReset));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn room_is_told_below_a_folder_that_is_not_there_yet() {
        let here = std::env::temp_dir();
        assert!(free_space(&here.join("not/there/yet")).is_some());
    }
}
