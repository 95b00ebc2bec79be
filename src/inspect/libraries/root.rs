//! A tree that is searched as if it were `/`.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Symbolic links that are followed at most for one path, as in Linux (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// A folder whose inside is `/` for what is searched in it.
#[derive(Debug, Clone)]
pub struct Root {
    dir: Option<PathBuf>,
}

impl Root {
    /// This machine.
    pub fn host() -> Self {
        Self { dir: None }
    }

    /// A sysroot: absolute symbolic links in it stay in it.
    pub fn sysroot(dir: &Path) -> Self {
        Self {
            dir: Some(dir.to_owned()),
        }
    }

    /// Whether this is the machine's own tree.
    pub fn is_host(&self) -> bool {
        self.dir.is_none()
    }

    /// The path outside of an absolute path inside.
    pub fn outside(&self, inside: &Path) -> PathBuf {
        match &self.dir {
            None => inside.to_owned(),
            Some(dir) => {
                let relative: PathBuf = inside
                    .components()
                    .filter(|c| matches!(c, Component::Normal(_)))
                    .collect();
                dir.join(relative)
            }
        }
    }

    /// The regular file or folder at an absolute path inside, with every symbolic link followed inside.
    pub fn resolve(&self, inside: &Path) -> Option<PathBuf> {
        let Some(dir) = &self.dir else {
            return inside.exists().then(|| inside.to_owned());
        };
        let mut left: VecDeque<OsString> = names(inside);
        let mut at: Vec<OsString> = Vec::new();
        let mut links = 0;
        while let Some(name) = left.pop_front() {
            if name == ".." {
                at.pop();
                continue;
            }
            at.push(name);
            let here = dir.join(at.iter().collect::<PathBuf>());
            let metadata = fs_err::symlink_metadata(&here).ok()?;
            if !metadata.is_symlink() {
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return None;
            }
            let target = fs_err::read_link(&here).ok()?;
            if target.has_root() {
                at.clear();
            } else {
                at.pop();
            }
            for name in names(&target).into_iter().rev() {
                left.push_front(name);
            }
        }
        Some(dir.join(at.iter().collect::<PathBuf>()))
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|c| match c {
            Component::Normal(n) => Some(n.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path();
        fs_err::create_dir_all(dir.join("usr/lib")).unwrap();
        fs_err::write(dir.join("usr/lib/libx.so.1"), "").unwrap();
        let link = |to: &str, at: &str| fs_err::os::unix::fs::symlink(to, dir.join(at)).unwrap();
        link("usr/lib", "lib");
        link("/usr/lib/libx.so.1", "usr/lib/absolute");
        link("../../../../../usr/lib/libx.so.1", "usr/lib/above");
        link("loop", "loop");
        link("/etc/hostname", "outside");
        let root = Root::sysroot(dir);
        let real = Some(dir.join("usr/lib/libx.so.1"));
        for inside in [
            "/lib/libx.so.1",
            "/lib/absolute",
            "/usr/lib/above",
            "/lib/../lib/libx.so.1",
        ] {
            assert_eq!(root.resolve(Path::new(inside)), real, "{inside}");
        }
        for nowhere in ["/loop", "/outside", "/lib/liby.so"] {
            assert_eq!(root.resolve(Path::new(nowhere)), None, "{nowhere}");
        }
    }
}
