//! What zig compiled when an image was made, taken over into the user's own layer.
//!
//! zig locks and writes files of its cache even when it finds everything there, so it cannot use a read-only one.

use std::path::Path;

use super::{Store, StoreError};

impl Store {
    /// Copies the read-only layer's compiled libraries of a toolchain, where the user has none of it yet. Returns
    /// whether it did.
    pub fn adopt_zig_cache(&self, id: &str) -> Result<bool, StoreError> {
        let own = self.layout().zig_cache(id);
        let Some(system) = self.layout().system() else {
            return Ok(false);
        };
        let warm = system.join("zig-cache").join(id);
        if own.exists() || !warm.is_dir() {
            return Ok(false);
        }
        let staging = self.stage()?;
        let tree = staging.tree();
        copy(&warm, &tree)?;
        let parent = self.layout().home().join("zig-cache");
        fs_err::create_dir_all(&parent).map_err(StoreError::io("create", &parent))?;
        match fs_err::rename(&tree, &own) {
            Ok(()) => Ok(true),
            // Another xtool was first, or a build has begun.
            Err(_) if own.exists() => Ok(false),
            Err(e) => Err(StoreError::io("rename into", &own)(e)),
        }
    }
}

/// Plain files and folders; anything else is none of zig's.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs_err::create_dir_all(to).map_err(StoreError::io("create", to))?;
    for entry in fs_err::read_dir(from).map_err(StoreError::io("list", from))? {
        let entry = entry.map_err(StoreError::io("list", from))?;
        let kind = entry
            .file_type()
            .map_err(StoreError::io("read", &entry.path()))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if kind.is_dir() {
            // Half-done work of another process.
            if entry.file_name() != "tmp" {
                copy(&source, &target)?;
            }
        } else if kind.is_file() {
            fs_err::copy(&source, &target).map_err(StoreError::io("copy", &source))?;
            make_writable(&target).map_err(StoreError::io("write", &target))?;
        }
    }
    Ok(())
}

/// The layer's files may be read-only; zig opens its manifests for writing.
#[cfg(unix)]
fn make_writable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs_err::metadata(path)?.permissions().mode();
    if mode & 0o200 != 0 {
        return Ok(());
    }
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode | 0o200))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
fn make_writable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Layout;

    #[test]
    fn a_warm_layer_is_taken_over_once() {
        let dir = tempfile::tempdir().unwrap();
        let (home, system) = (dir.path().join("home"), dir.path().join("system"));
        fs_err::create_dir_all(system.join("zig-cache/zig-1/h")).unwrap();
        fs_err::create_dir_all(system.join("zig-cache/zig-1/tmp")).unwrap();
        fs_err::write(system.join("zig-cache/zig-1/h/a.txt"), "1").unwrap();
        let store = Store::new(Layout::new(
            home.clone(),
            Some(system),
            dir.path().join("cache"),
        ));
        assert!(store.adopt_zig_cache("zig-1").unwrap());
        let taken = home.join("zig-cache/zig-1/h/a.txt");
        assert_eq!(fs_err::read(&taken).unwrap(), b"1");
        assert!(!home.join("zig-cache/zig-1/tmp").exists());
        fs_err::write(&taken, "2").unwrap();
        assert!(!store.adopt_zig_cache("zig-1").unwrap());
        assert_eq!(fs_err::read(&taken).unwrap(), b"2");
        assert!(!store.adopt_zig_cache("zig-2").unwrap());
    }
}
