//! The copy of xtool in the store that shims are links to, so that they outlive an upgrade or a `cargo clean`.

use std::path::{Path, PathBuf};

use super::{Store, StoreError};

const KEY: &str = "bin";

impl Store {
    /// `bin/xtool-<version>`, made or renewed from the running program where its size or time differ.
    pub fn own_executable(&self) -> Result<PathBuf, StoreError> {
        let running = running()?;
        let bin = self.layout().bin();
        let name = format!(
            "xtool-{}{}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::EXE_SUFFIX
        );
        let copy = bin.join(name);
        if running == copy || same(&running, &copy) {
            return Ok(copy);
        }
        // Twenty processes that start at once need one copy.
        let _lock = self.lock(KEY, || ())?;
        if same(&running, &copy) {
            return Ok(copy);
        }
        fs_err::create_dir_all(&bin).map_err(StoreError::io("create", &bin))?;
        let staging = self.stage()?;
        let temp = staging.scratch().join("xtool");
        fs_err::copy(&running, &temp).map_err(StoreError::io("copy", &running))?;
        let modified = fs_err::metadata(&running).and_then(|m| m.modified());
        let times = modified.map_err(StoreError::io("read", &running))?;
        fs_err::OpenOptions::new()
            .append(true)
            .open(&temp)
            .and_then(|f| f.file().set_modified(times))
            .map_err(StoreError::io("write", &copy))?;
        match fs_err::rename(&temp, &copy) {
            Ok(()) => Ok(copy),
            // On Windows a running program cannot be replaced; it serves as well.
            Err(_) if cfg!(windows) && copy.is_file() => Ok(copy),
            Err(e) => Err(StoreError::io("write", &copy)(e)),
        }
    }
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

fn same(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs_err::metadata(a), fs_err::metadata(b)) else {
        return false;
    };
    a.len() == b.len() && a.modified().ok() == b.modified().ok()
}
