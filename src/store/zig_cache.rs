//! What zig compiled when an image was made, taken over into the user's own layer.
//!
//! zig locks and writes files of its cache even when it finds everything there, so it cannot use a read-only one.

use std::ffi::OsString;
use std::path::Path;

use super::{Store, StoreError};
use crate::owner;

/// In the user's cache: which state of the read-only layer was taken over last.
const MARK: &str = "adopted.txt";

impl Store {
    /// Copies the read-only layer's compiled libraries of a toolchain, as far as the user does not have them: the
    /// first time, and again when the layer has changed (a newer image). Returns whether it did.
    pub fn adopt_zig_cache(&self, id: &str) -> Result<bool, StoreError> {
        let own = self.layout().zig_cache(id);
        let Some(system) = self.layout().system() else {
            return Ok(false);
        };
        let warm = system.join("zig-cache").join(id);
        let Some(state) = state(&warm) else {
            return Ok(false);
        };
        let mark = own.join(MARK);
        if fs_err::read_to_string(&mark).is_ok_and(|last| last == state) {
            return Ok(false);
        }
        let staging = self.stage()?;
        let tree = staging.tree();
        self.own_zig_cache(id);
        owner::create_dir_all(&own).map_err(StoreError::io("create", &own))?;
        // The manifests in `h` name what lies in the others, so they come last.
        let mut parts = names(&warm)?;
        parts.retain(|part| part != "tmp" && part != MARK);
        parts.sort_by_key(|part| part == "h");
        for part in &parts {
            top_up(&warm.join(part), &tree.join(part), &own.join(part))?;
        }
        owner::replace(&mark, state.as_bytes(), false).map_err(StoreError::io("write", &mark))?;
        Ok(true)
    }

    /// Makes the user's folder of it, where there is none.
    pub fn own_zig_cache(&self, id: &str) {
        let own = self.layout().zig_cache(id);
        let made = || {
            owner::create_dir_all(own.parent().unwrap_or(Path::new(".")))?;
            owner::create_dir_around(&own)
        };
        if !own.is_dir()
            && let Err(e) = made()
        {
            // A build that needs it will say so.
            tracing::debug!("no folder for zig: {e}");
        }
    }
}

/// What changes with the layer's cache: the times of its folders, in which every new entry is a name. `None` where
/// there is no cache.
fn state(warm: &Path) -> Option<String> {
    let time = |path: &Path| {
        let modified = fs_err::metadata(path).ok()?.modified().ok()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(format!("{}.{:09}", since.as_secs(), since.subsec_nanos()))
    };
    let whole = time(warm)?;
    let [h, o] = ["h", "o"].map(|part| time(&warm.join(part)).unwrap_or_default());
    Some(format!("{whole} {h} {o}\n"))
}

fn names(folder: &Path) -> Result<Vec<OsString>, StoreError> {
    let entries = fs_err::read_dir(folder).map_err(StoreError::io("list", folder))?;
    let names = entries.map(|e| Ok(e?.file_name()));
    names
        .collect::<std::io::Result<_>>()
        .map_err(StoreError::io("list", folder))
}

/// Entries of `from` that `own` does not have. Each appears whole, by one rename: a build may be under way.
fn top_up(from: &Path, staged: &Path, own: &Path) -> Result<(), StoreError> {
    if !from.is_dir() {
        return Ok(());
    }
    owner::create_dir_all(own).map_err(StoreError::io("create", own))?;
    owner::create_dir_all(staged).map_err(StoreError::io("create", staged))?;
    for name in names(from)? {
        let (source, ready, target) = (from.join(&name), staged.join(&name), own.join(&name));
        if target.exists() {
            continue;
        }
        if source.is_dir() {
            copy(&source, &ready)?;
        } else if source.is_file() {
            copy_file(&source, &ready)?;
        } else {
            continue;
        }
        match fs_err::rename(&ready, &target) {
            Ok(()) => {}
            // Another xtool, or a build, was first.
            Err(_) if target.exists() => {}
            Err(e) => return Err(StoreError::io("rename into", &target)(e)),
        }
    }
    Ok(())
}

fn copy_file(source: &Path, target: &Path) -> Result<(), StoreError> {
    // Its owner can write it, whatever the layer has it at: zig opens its manifests for writing.
    owner::copy(source, target).map_err(StoreError::io("copy", source))
}

/// Plain files and folders; anything else is none of zig's.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    owner::create_dir_all(to).map_err(StoreError::io("create", to))?;
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
            copy_file(&source, &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Layout;

    #[test]
    fn a_warm_layer_is_taken_over_once_and_topped_up_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let (home, system) = (dir.path().join("home"), dir.path().join("system"));
        let warm = system.join("zig-cache/zig-1");
        for part in ["h", "o/1", "tmp"] {
            fs_err::create_dir_all(warm.join(part)).unwrap();
        }
        fs_err::write(warm.join("h/a.txt"), "1").unwrap();
        fs_err::write(warm.join("o/1/libc.a"), "1").unwrap();
        let store = Store::new(Layout::new(
            home.clone(),
            Some(system),
            dir.path().join("cache"),
        ));
        assert!(store.adopt_zig_cache("zig-1").unwrap());
        let own = home.join("zig-cache/zig-1");
        assert_eq!(fs_err::read(own.join("h/a.txt")).unwrap(), b"1");
        assert_eq!(fs_err::read(own.join("o/1/libc.a")).unwrap(), b"1");
        assert!(!own.join("tmp").exists());
        fs_err::write(own.join("h/a.txt"), "2").unwrap();
        assert!(!store.adopt_zig_cache("zig-1").unwrap());

        // A newer image: what is new is added, what the user has stays.
        fs_err::create_dir_all(warm.join("o/2")).unwrap();
        fs_err::write(warm.join("o/2/libm.a"), "1").unwrap();
        fs_err::write(warm.join("h/b.txt"), "1").unwrap();
        assert!(store.adopt_zig_cache("zig-1").unwrap());
        assert_eq!(fs_err::read(own.join("o/2/libm.a")).unwrap(), b"1");
        assert_eq!(fs_err::read(own.join("h/b.txt")).unwrap(), b"1");
        assert_eq!(fs_err::read(own.join("h/a.txt")).unwrap(), b"2");
        assert!(!store.adopt_zig_cache("zig-1").unwrap());
        assert!(!store.adopt_zig_cache("zig-2").unwrap());

        // One that began with the user's own builds, before there was an image.
        fs_err::remove_file(own.join(MARK)).unwrap();
        fs_err::remove_dir_all(own.join("o/1")).unwrap();
        assert!(store.adopt_zig_cache("zig-1").unwrap());
        assert!(own.join("o/1/libc.a").is_file());
    }
}
