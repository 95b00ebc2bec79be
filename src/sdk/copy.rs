//! An SDK's folder into the staging folder: what is in it is judged as an archive's entries are.
//!
//! Links pass the same gate ([`gate::link_target`]) and are written with its text, which leads inside whatever the
//! other links are; one that goes back over another link is refused.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{SdkError, io_error};
use crate::owner;
use crate::unpack::gate::{self, AbsoluteTargets, LinkTarget, Refusal, Rules, SafePath};

/// A link of the folder, not yet made.
struct Link {
    /// Relative to the folder.
    relative: PathBuf,
    path: SafePath,
    raw: Vec<u8>,
    target: LinkTarget,
}

/// Copies a folder into another one, which exists. Times and owners are dropped, and of the modes all but whether a
/// file is a program. Set-user-ID bits above all: root's copy of somebody's file would run as root for everyone.
pub fn copy_tree(from: &Path, to: &Path) -> Result<(), SdkError> {
    let inside = |path: &Path| fs_err::canonicalize(path).map_err(io_error("read", path));
    if inside(to)?.starts_with(inside(from)?) {
        return Err(SdkError::HoldsStore {
            path: from.to_owned(),
            store: to.to_owned(),
        });
    }
    let links = copy_files(from, to)?;
    let places: HashSet<&SafePath> = links.iter().map(|link| &link.path).collect();
    for link in &links {
        if let Some(over) = link.target.detours.iter().find(|d| places.contains(d)) {
            return Err(SdkError::Link {
                path: from.to_owned(),
                link: link.relative.clone(),
                refusal: Refusal::TargetOverLink {
                    target: gate::escaped(&link.raw),
                    link: over.to_string(),
                },
            });
        }
    }
    for link in &links {
        make_link(from, link, &to.join(&link.relative))?;
    }
    Ok(())
}

/// Everything but the links, which it gives.
fn copy_files(from: &Path, to: &Path) -> Result<Vec<Link>, SdkError> {
    let mut links = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let source = from.join(&folder);
        let entries = fs_err::read_dir(&source).map_err(io_error("list", &source))?;
        for entry in entries {
            let entry = entry.map_err(io_error("list", &source))?;
            let relative = folder.join(entry.file_name());
            let target = to.join(&relative);
            let kind = entry.file_type().map_err(io_error("read", &entry.path()))?;
            if kind.is_dir() {
                owner::create_dir(&target).map_err(io_error("create", &target))?;
                folders.push(relative);
            } else if kind.is_symlink() {
                links.push(judge(from, relative)?);
            } else if kind.is_file() {
                owner::copy(&entry.path(), &target).map_err(io_error("copy", &target))?;
            } else {
                return Err(SdkError::Odd {
                    path: from.to_owned(),
                    entry: relative,
                });
            }
        }
    }
    Ok(links)
}

/// A link through the gate.
fn judge(from: &Path, relative: PathBuf) -> Result<Link, SdkError> {
    let place = from.join(&relative);
    let raw = slashes(&fs_err::read_link(&place).map_err(io_error("read", &place))?);
    let rules = Rules::of_host();
    let judged = SafePath::parse(&slashes(&relative), rules).and_then(|path| {
        let target = gate::link_target(&path, &raw, AbsoluteTargets::Refuse, rules)?;
        Ok((path, target))
    });
    match judged {
        Ok((path, target)) => Ok(Link {
            relative,
            path,
            raw,
            target,
        }),
        Err(refusal) => Err(SdkError::Link {
            path: from.to_owned(),
            link: relative,
            refusal,
        }),
    }
}

/// A path as an archive would have it.
fn slashes(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if cfg!(windows) {
        let slash = |b: &u8| if *b == b'\\' { b'/' } else { *b };
        return bytes.iter().map(slash).collect();
    }
    bytes.to_vec()
}

#[cfg(unix)]
fn make_link(_from: &Path, link: &Link, to: &Path) -> Result<(), SdkError> {
    fs_err::os::unix::fs::symlink(&link.target.text, to).map_err(io_error("link", to))
}

/// Links need a privilege on Windows: what they lead to is copied, which is inside, like all links.
#[cfg(not(unix))]
fn make_link(from: &Path, link: &Link, to: &Path) -> Result<(), SdkError> {
    // Links that lead in circles, or to each other many times over, would fill any disk.
    const MOST: u32 = 300_000;
    let mut left = MOST;
    copy_followed(&link.target.place.under(from), to, &mut left)?.map_or(Ok(()), |()| {
        Err(SdkError::Odd {
            path: from.to_owned(),
            entry: link.relative.clone(),
        })
    })
}

/// `Some` when it is too much.
#[cfg(not(unix))]
fn copy_followed(from: &Path, to: &Path, left: &mut u32) -> Result<Option<()>, SdkError> {
    if *left == 0 || to.components().count() > gate::MAX_DEPTH {
        return Ok(Some(()));
    }
    *left -= 1;
    if !from.is_dir() {
        return owner::copy(from, to)
            .map(|()| None)
            .map_err(io_error("copy", to));
    }
    owner::create_dir(to).map_err(io_error("create", to))?;
    for entry in fs_err::read_dir(from).map_err(io_error("list", from))? {
        let name = entry.map_err(io_error("list", from))?.file_name();
        if copy_followed(&from.join(&name), &to.join(&name), left)?.is_some() {
            return Ok(Some(()));
        }
    }
    Ok(None)
}
