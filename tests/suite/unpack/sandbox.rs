//! A folder with an archive, a destination, and nothing else; whatever else appears there has escaped.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use xtool::archive::{Archive, VerifiedArchive};
use xtool::digest::Sha256;
use xtool::unpack::{Cause, Options, UnpackError, Unpacked, unpack_all};

use super::build::{Entry, Format};

pub struct Sandbox {
    folder: tempfile::TempDir,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Folder,
    File { content: Vec<u8>, executable: bool },
    Link(PathBuf),
}

impl Sandbox {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("dest")).unwrap();
        Self { folder }
    }

    pub fn dest(&self) -> PathBuf {
        self.folder.path().join("dest")
    }

    pub fn unpack(
        &self,
        file: &str,
        bytes: &[u8],
        options: &Options<'_>,
    ) -> Result<Unpacked, UnpackError> {
        self.unpack_all(&[(file, bytes)], options)
    }

    /// Several archives at the same time.
    pub fn unpack_all(
        &self,
        archives: &[(&str, &[u8])],
        options: &Options<'_>,
    ) -> Result<Unpacked, UnpackError> {
        let folder = self.folder.path().join("archives");
        fs_err::create_dir_all(&folder).unwrap();
        let verified: Vec<_> = archives
            .iter()
            .enumerate()
            .map(|(i, (file, bytes))| {
                let path = folder.join(i.to_string());
                fs_err::write(&path, bytes).unwrap();
                let archive = Archive {
                    file: (*file).to_owned(),
                    sha256: Sha256::of(bytes),
                    size: Some(bytes.len() as u64),
                };
                VerifiedArchive::check(&path, &archive).unwrap()
            })
            .collect();
        let result = unpack_all(&verified, &self.dest(), options);
        let mut beside: Vec<_> = fs_err::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        beside.sort();
        assert_eq!(beside, ["archives", "dest"], "something escaped");
        result
    }

    /// Everything below the destination, by its path with `/`.
    pub fn tree(&self) -> BTreeMap<String, Found> {
        let mut tree = BTreeMap::new();
        list(&self.dest(), "", &mut tree);
        tree
    }
}

fn list(folder: &Path, prefix: &str, tree: &mut BTreeMap<String, Found>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let path = entry.path();
        let metadata = fs_err::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            list(&path, &format!("{name}/"), tree);
            tree.insert(name, Found::Folder);
        } else if metadata.is_symlink() {
            tree.insert(name, Found::Link(fs_err::read_link(&path).unwrap()));
        } else {
            let content = fs_err::read(&path).unwrap();
            let executable = is_executable(&metadata);
            tree.insert(
                name,
                Found::File {
                    content,
                    executable,
                },
            );
        }
    }
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

/// Unpacks into a sandbox of its own, which must work.
pub fn unpacked(file: &str, bytes: &[u8], options: &Options<'_>) -> Sandbox {
    let sandbox = Sandbox::new();
    if let Err(e) = sandbox.unpack(file, bytes, options) {
        panic!("{file}: {}", chain(&e));
    }
    sandbox
}

/// Unpacks into a sandbox of its own, which must fail, for one thread and several, and leave nothing.
pub fn refused_with(file: &str, bytes: &[u8], options: &Options<'_>) -> Cause {
    let mut last = None;
    for threads in [1, 3] {
        let options = Options {
            threads,
            ..options.clone()
        };
        let sandbox = Sandbox::new();
        match sandbox.unpack(file, bytes, &options) {
            Ok(unpacked) => panic!(
                "{file}: not refused: {unpacked:?} {:?}",
                sandbox.tree().keys()
            ),
            Err(e) => {
                assert_eq!(e.file, file);
                assert_eq!(sandbox.tree(), BTreeMap::new(), "{file}: {}", chain(&e));
                last = Some(e.cause);
            }
        }
    }
    last.unwrap()
}

pub fn refused_bytes(file: &str, bytes: &[u8]) -> Cause {
    refused_with(file, bytes, &Options::default())
}

/// The refusal of an archive of these entries, as text.
pub fn refused(format: Format, entries: &[Entry]) -> String {
    chain(&refused_bytes(format.file(), &format.archive(entries)))
}

pub fn assert_refused(format: Format, entries: &[Entry], because: &str) {
    let message = refused(format, entries);
    assert!(
        message.contains(because),
        "{format:?} {entries:?}: {message:?} lacks {because:?}"
    );
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(e) = source {
        text = format!("{text}: {e}");
        source = e.source();
    }
    text
}

pub fn content(bytes: impl AsRef<[u8]>) -> Found {
    Found::File {
        content: bytes.as_ref().to_vec(),
        executable: false,
    }
}
