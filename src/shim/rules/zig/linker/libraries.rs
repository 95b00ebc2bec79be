//! Libraries by name, found along `-L` as GNU ld's manual says (`-l namespec`).

use std::path::{Path, PathBuf};

use crate::shim::ShimError;
use crate::target::{TargetOs, Triple};

/// The folders of a link.
pub(super) struct Libraries<'a> {
    triple: &'a Triple,
    folders: Vec<PathBuf>,
    is_file: &'a dyn Fn(&Path) -> bool,
}

impl<'a> Libraries<'a> {
    pub(super) fn new(
        triple: &'a Triple,
        folders: Vec<PathBuf>,
        is_file: &'a dyn Fn(&Path) -> bool,
    ) -> Self {
        Self {
            triple,
            folders,
            is_file,
        }
    }

    /// `-l:FILE`: the first folder that has it.
    pub(super) fn by_file_name(&self, file: &str) -> Option<PathBuf> {
        self.folders
            .iter()
            .map(|folder| folder.join(file))
            .find(|path| (self.is_file)(path))
    }

    /// The archive that `-lNAME` means. `None` where it is a shared library, of which there is no part to take, or in
    /// none of the folders.
    pub(super) fn archive(&self, name: &str, only_static: bool) -> Option<PathBuf> {
        let (shared, archives): (&[&str], &[&str]) = match self.triple.os() {
            TargetOs::Windows => (&[".dll.a"], &[".a"]),
            TargetOs::MacOs => (&[".tbd", ".dylib"], &[".a"]),
            TargetOs::Linux | TargetOs::Wasi | TargetOs::Other => (&[".so"], &[".a"]),
        };
        for folder in &self.folders {
            let first = |ends: &[&str]| {
                let mut paths = ends
                    .iter()
                    .map(|end| folder.join(format!("lib{name}{end}")));
                paths.find(|path| (self.is_file)(path))
            };
            if !only_static && first(shared).is_some() {
                return None;
            }
            if let Some(path) = first(archives) {
                return Some(path);
            }
        }
        None
    }

    /// That `-l:FILE` names nothing.
    pub(super) fn missing(&self, file: &str) -> ShimError {
        ShimError::NoSuchLibrary {
            triple: self.triple.clone(),
            file: file.to_owned(),
            folders: self.folders.clone(),
        }
    }
}

/// The name of a library that comes with zig, by the file that a GCC toolchain has it in: zig has no such files.
/// For Windows that is every import library.
pub(super) fn of_toolchain<'a>(triple: &Triple, file: &'a str) -> Option<&'a str> {
    const NAMES: [&str; 16] = [
        "c", "m", "pthread", "dl", "rt", "util", "resolv", "crypt", "xnet", "unwind", "gcc",
        "gcc_eh", "gcc_s", "stdc++", "c++", "atomic",
    ];
    let name = file.strip_prefix("lib")?;
    let name = match name.split_once(".so") {
        Some((name, _)) => name,
        None => name.strip_suffix(".dll.a").or(name.strip_suffix(".a"))?,
    };
    (triple.os() == TargetOs::Windows || NAMES.contains(&name)).then_some(name)
}
