//! A disk that is soon full.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory, mounted while this lives.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `size` as mount takes it, such as `1m`; none where this user may not mount.
    pub fn mount(at: &Path, size: &str) -> Option<Self> {
        fs_err::create_dir_all(at).unwrap();
        let options = format!("size={size},mode=777");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "xtool-test"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|o| o.status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
