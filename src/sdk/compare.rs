//! Whether two SDKs are the same: names, kinds, the text of links, and every byte. Times and modes do not count.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::FileType;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::{SdkError, io_error};

/// The first place in which two trees differ, relative to them; `None` where they are the same.
pub(super) fn first_difference(one: &Path, other: &Path) -> Result<Option<PathBuf>, SdkError> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let ours = entries(&one.join(&folder))?;
        let mut theirs = entries(&other.join(&folder))?;
        for (name, kind) in ours {
            let relative = folder.join(&name);
            let same = theirs.remove(&name).is_some_and(|k| k == kind)
                && (kind.is_dir()
                    || same_entry(&one.join(&relative), &other.join(&relative), kind)?);
            if !same {
                return Ok(Some(relative));
            }
            if kind.is_dir() {
                folders.push(relative);
            }
        }
        if let Some((name, _)) = theirs.pop_first() {
            return Ok(Some(folder.join(name)));
        }
    }
    Ok(None)
}

fn entries(folder: &Path) -> Result<BTreeMap<OsString, FileType>, SdkError> {
    let all = fs_err::read_dir(folder).map_err(io_error("list", folder))?;
    all.map(|entry| {
        let entry = entry?;
        Ok((entry.file_name(), entry.file_type()?))
    })
    .collect::<io::Result<_>>()
    .map_err(io_error("list", folder))
}

fn same_entry(one: &Path, other: &Path, kind: FileType) -> Result<bool, SdkError> {
    if kind.is_symlink() {
        let text = |path: &Path| fs_err::read_link(path).map_err(io_error("read", path));
        return Ok(text(one)? == text(other)?);
    }
    let size = |path: &Path| fs_err::metadata(path).map_err(io_error("read", path));
    Ok(size(one)?.len() == size(other)?.len()
        && same_bytes(one, other).map_err(io_error("compare", other))?)
}

fn same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let mut one = BufReader::with_capacity(1 << 16, fs_err::File::open(one)?);
    let mut other = BufReader::with_capacity(1 << 16, fs_err::File::open(other)?);
    loop {
        let (a, b) = (one.fill_buf()?, other.fill_buf()?);
        let n = a.len().min(b.len());
        if n == 0 {
            return Ok(a.is_empty() && b.is_empty());
        }
        if a[..n] != b[..n] {
            return Ok(false);
        }
        one.consume(n);
        other.consume(n);
    }
}
