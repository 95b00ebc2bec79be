//! Where things are: the home, the read-only layer below it, and the cache.

use std::path::{Path, PathBuf};

use super::StoreError;
use crate::env_vars;

/// The read-only layer when `XTOOL_SYSTEM_HOME` does not name one.
const SYSTEM_HOME: &str = "/opt/xtool";

/// The folders of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    home: PathBuf,
    system: Option<PathBuf>,
    cache: PathBuf,
}

impl Layout {
    /// The folders that environment and platform name.
    pub fn from_env() -> Result<Self, StoreError> {
        let home = absolute(env_vars::XTOOL_HOME)?;
        let cache = absolute(env_vars::XTOOL_CACHE_DIR)?;
        let cache = match (&cache, &home) {
            (Some(cache), _) => cache.clone(),
            (None, Some(home)) => home.join("cache"),
            (None, None) => base_dirs()?.cache_dir().join("xtool"),
        };
        let home = match home {
            Some(home) => home,
            None => default_home()?,
        };
        usable(env_vars::XTOOL_HOME, &home)?;
        let system = match std::env::var_os(env_vars::XTOOL_SYSTEM_HOME) {
            Some(value) if value.is_empty() => None,
            Some(_) => absolute(env_vars::XTOOL_SYSTEM_HOME)?,
            None if cfg!(unix) => Some(PathBuf::from(SYSTEM_HOME)),
            None => None,
        };
        if let Some(system) = &system {
            usable(env_vars::XTOOL_SYSTEM_HOME, system)?;
        }
        Ok(Self::new(home, system, cache))
    }

    /// These folders; a system layer that is the home itself does not count.
    pub fn new(home: PathBuf, system: Option<PathBuf>, cache: PathBuf) -> Self {
        Self {
            system: system.filter(|s| *s != home),
            home,
            cache,
        }
    }

    /// The user's layer.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The read-only layer.
    pub fn system(&self) -> Option<&Path> {
        self.system.as_deref()
    }

    /// Downloads and other things that can be had again.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Verified downloads, by digest.
    pub fn downloads(&self) -> PathBuf {
        self.cache.join("downloads")
    }

    /// The user's toolchains.
    pub fn toolchains(&self) -> PathBuf {
        self.home.join("toolchains")
    }

    /// The toolchain folders in search order; `true` marks the user's own.
    pub fn toolchain_layers(&self) -> Vec<(PathBuf, bool)> {
        let mut layers = vec![(self.toolchains(), true)];
        layers.extend(self.system.iter().map(|s| (s.join("toolchains"), false)));
        layers
    }

    /// The user's Apple SDKs.
    pub fn sdks(&self) -> PathBuf {
        self.home.join("sdks")
    }

    /// The folders of Apple SDKs in search order.
    pub fn sdk_layers(&self) -> Vec<PathBuf> {
        let mut layers = vec![self.sdks()];
        layers.extend(self.system.iter().map(|s| s.join("sdks")));
        layers
    }

    /// What cargo runs, a folder a variant. Always the user's own.
    pub fn shims(&self) -> PathBuf {
        self.home.join("shims")
    }

    /// Folders in the making.
    pub fn staging(&self) -> PathBuf {
        self.home.join("staging")
    }

    /// Lock files, one a key.
    pub fn locks(&self) -> PathBuf {
        self.home.join("locks")
    }

    /// One small file a project that uses the store.
    pub fn projects(&self) -> PathBuf {
        self.home.join("projects")
    }

    /// Copies of xtool that shims are links to.
    pub fn bin(&self) -> PathBuf {
        self.home.join("bin")
    }

    /// What zig compiles on first use, shared by all projects; writable, so in the user's layer.
    pub fn zig_cache(&self, toolchain_id: &str) -> PathBuf {
        self.home.join("zig-cache").join(toolchain_id)
    }
}

fn absolute(name: &'static str) -> Result<Option<PathBuf>, StoreError> {
    let Some(value) = env_vars::non_empty(name).map(PathBuf::from) else {
        return Ok(None);
    };
    if value.is_absolute() {
        Ok(Some(value))
    } else {
        Err(StoreError::NotAbsolute { name, value })
    }
}

/// Whether the tools can be called by paths below a folder: by make's and configure's shell, which splits `$(CC)` and
/// reads it once more, by CMake's and meson's files, and by GCC, to which `%` is a directive. All of these fail late and
/// name something else.
fn usable(name: &'static str, path: &Path) -> Result<(), StoreError> {
    let found = match path.to_str() {
        None => Some("a byte that is not UTF-8".to_owned()),
        Some(text) => text.chars().find(|c| breaks(*c)).map(|c| match c {
            '\n' => "a line break".to_owned(),
            c => format!("`{}`", c.escape_debug()),
        }),
    };
    match found {
        None => Ok(()),
        Some(found) => Err(StoreError::Unusable {
            name,
            value: path.to_owned(),
            found,
        }),
    }
}

/// A blank is not among them: cargo, CMake and meson take it, and `xtool exec` calls the tools by their bare names.
fn breaks(c: char) -> bool {
    let everywhere = "\"'`$%&;<>|*?";
    // The separators of Windows' own paths, and `Program Files (x86)`.
    let unix = "\\:()[]";
    c.is_control() || everywhere.contains(c) || (cfg!(unix) && unix.contains(c))
}

fn base_dirs() -> Result<directories::BaseDirs, StoreError> {
    let dirs = directories::BaseDirs::new().ok_or(StoreError::NoHome)?;
    let value = dirs.home_dir().to_owned();
    // A store in whatever folder one stands in, and in the project's of all places.
    if !value.is_absolute() {
        let name = "HOME";
        return Err(StoreError::NotAbsolute { name, value });
    }
    Ok(dirs)
}

/// On macOS not `~/Library/Application Support`: its space breaks make-based builds.
fn default_home() -> Result<PathBuf, StoreError> {
    let dirs = base_dirs()?;
    Ok(if cfg!(target_os = "macos") {
        dirs.home_dir().join(".local/share/xtool")
    } else {
        dirs.data_local_dir().join("xtool")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_home_that_breaks_builds_is_named_with_its_character() {
        use std::os::unix::ffi::OsStrExt as _;
        for good in [
            "/home/me/.local/share/xtool",
            "/a b/ä/c#d=e,f@g~h!i{j}+k-l_m.n",
        ] {
            assert!(usable("XTOOL_HOME", Path::new(good)).is_ok(), "{good}");
        }
        for (bad, named) in [
            ("/a'b", "`\\'`"),
            ("/a\"b", "`\\\"`"),
            ("/a\\b", "`\\\\`"),
            ("/a$x", "`$`"),
            ("/a%b", "`%`"),
            ("/a;b", "`;`"),
            ("/a&b", "`&`"),
            ("/a(b)", "`(`"),
            ("/a`b", "```"),
            ("/a*b", "`*`"),
            ("/a:b", "`:`"),
            ("/a\nb", "a line break"),
            ("/a\tb", "`\\t`"),
        ] {
            let error = usable("XTOOL_HOME", Path::new(bad))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("XTOOL_HOME is `/a"), "{error}");
            assert!(error.contains(named), "{named}: {error}");
        }
        let bytes = Path::new(std::ffi::OsStr::from_bytes(b"/a\xffb"));
        let error = usable("XTOOL_SYSTEM_HOME", bytes).unwrap_err().to_string();
        assert!(
            error.contains("XTOOL_SYSTEM_HOME") && error.contains("UTF-8"),
            "{error}"
        );
    }
}
