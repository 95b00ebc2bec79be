//! A variant's folder: `shim.toml` and one link a tool.
//!
//! Written so that builds which use the folder meanwhile never see a half of it: a new folder is staged and renamed,
//! an existing one gets each changed file by rename.

use std::io;
use std::path::{Path, PathBuf};

use super::rules::zig;
use super::{SPEC_FILE, ShimError, Spec, Tool, osxcross};
use crate::build_env::{CMAKE_FILE, cmake};
use crate::digest::Sha256;
use crate::owner;
use crate::target::{TargetOs, Triple};

/// The name of the variant's folder: `<toolchain id>-<triple>-<digest8>`, the digest over everything in the spec, so
/// that two projects with different options never meet in one folder.
pub fn variant_name(toolchain_id: &str, triple: &Triple, spec: &Spec) -> Result<String, ShimError> {
    let digest = Sha256::of(spec.render()?.as_bytes()).short();
    Ok(format!("{toolchain_id}-{triple}-{digest}"))
}

/// The tools that a variant gets links for: those that its toolchain has, and `run` where a runner is set.
pub fn tools_of(spec: &Spec) -> Vec<Tool> {
    Tool::ALL
        .into_iter()
        .filter(|&tool| match tool {
            Tool::Run => spec.runner.is_some(),
            Tool::Xcrun => spec.sdk.is_some(),
            // Where the toolchain has none, it is this program's own.
            Tool::Lipo => spec.triple.os() == TargetOs::MacOs,
            _ => spec.program(tool).is_some(),
        })
        .collect()
}

/// Writes the folder `shims_dir/name` and gives its path; nothing is written when it is already right.
/// `xtool_exe` is the copy of xtool in the store that the links lead to. Any number of processes may do it at once.
pub fn write_variant(
    shims_dir: &Path,
    name: &str,
    spec: &Spec,
    xtool_exe: &Path,
) -> Result<PathBuf, ShimError> {
    let folder = shims_dir.join(name);
    let files = files_of(spec, &folder)?;
    let write = || -> io::Result<()> {
        if is_right(&folder, spec, &files, xtool_exe) {
            return Ok(());
        }
        owner::create_dir_all(shims_dir)?;
        if !folder.exists() {
            let staged = owner::staged_dir(".staged-", shims_dir)?;
            fill(staged.path(), spec, &files, xtool_exe)?;
            if fs_err::rename(staged.path(), &folder).is_ok() {
                // The staged folder is the real one now; there is nothing left to remove.
                let _ = staged.keep();
                return Ok(());
            }
            // Somebody else was first: bring theirs up to date.
        }
        fill(&folder, spec, &files, xtool_exe)
    };
    write().map_err(|source| ShimError::Write {
        path: folder.clone(),
        source,
    })?;
    Ok(folder)
}

/// Every plain file of the folder: relative path and text.
fn files_of(spec: &Spec, folder: &Path) -> Result<Vec<(&'static str, String)>, ShimError> {
    // The settings last: a folder that has them has everything.
    let mut files: Vec<(&'static str, String)> = zig::stub_files(spec);
    files.push((CMAKE_FILE, cmake::toolchain_file(spec, folder)));
    files.push((SPEC_FILE, spec.render()?));
    Ok(files)
}

/// Every link of the folder, relative to it: one a tool, and for macOS the same under Apple's and osxcross's names.
fn links_of(spec: &Spec) -> Vec<PathBuf> {
    let tools = tools_of(spec);
    let own = tools.iter().map(|tool| tool.name().to_owned());
    let suffix = std::env::consts::EXE_SUFFIX;
    own.chain(osxcross::names(spec, &tools))
        .map(|name| PathBuf::from(format!("{name}{suffix}")))
        .collect()
}

fn is_right(folder: &Path, spec: &Spec, files: &[(&str, String)], exe: &Path) -> bool {
    let same_text = |(name, text): &(&str, String)| {
        fs_err::read(folder.join(name)).is_ok_and(|found| found == text.as_bytes())
    };
    files.iter().all(same_text)
        && links_of(spec)
            .into_iter()
            .all(|link| is_link_to(&folder.join(link), exe))
}

fn fill(folder: &Path, spec: &Spec, files: &[(&str, String)], exe: &Path) -> io::Result<()> {
    for link in links_of(spec) {
        let link = folder.join(link);
        if let Some(parent) = link.parent() {
            owner::create_dir_all(parent)?;
        }
        if !is_link_to(&link, exe) {
            place(&link, |at| make_link(exe, at))?;
        }
    }
    for (name, text) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            owner::create_dir_all(parent)?;
        }
        if !fs_err::read(&path).is_ok_and(|found| found == text.as_bytes()) {
            place(&path, |at| owner::write(at, text))?;
        }
    }
    Ok(())
}

/// Makes a file under another name and renames it over `path`.
fn place(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let scratch = tempfile::Builder::new()
        .prefix(".staged-")
        .tempdir_in(folder)?;
    let fresh = scratch.path().join("file");
    make(&fresh)?;
    if cfg!(windows) && path.exists() && fs_err::rename(&fresh, path).is_err() {
        // A program that runs cannot be replaced on Windows, but it can be moved aside.
        let aside = tempfile::Builder::new()
            .prefix(".old-")
            .tempdir_in(folder)?
            .keep();
        fs_err::rename(path, aside.join("file"))?;
    }
    if fresh.symlink_metadata().is_ok() {
        fs_err::rename(&fresh, path)?;
    }
    Ok(())
}

#[cfg(unix)]
fn make_link(exe: &Path, at: &Path) -> io::Result<()> {
    fs_err::os::unix::fs::symlink(exe, at)
}

#[cfg(unix)]
fn is_link_to(link: &Path, exe: &Path) -> bool {
    fs_err::read_link(link).is_ok_and(|to| to == exe)
}

#[cfg(not(unix))]
fn make_link(exe: &Path, at: &Path) -> io::Result<()> {
    fs_err::hard_link(exe, at).or_else(|_| fs_err::copy(exe, at).map(|_| ()))
}

/// A hard link has the same times as its file, and a copy keeps the time of the last change.
#[cfg(not(unix))]
fn is_link_to(link: &Path, exe: &Path) -> bool {
    let facts = |path: &Path| {
        let m = fs_err::metadata(path).ok()?;
        Some((m.len(), m.modified().ok()?))
    };
    facts(link).is_some_and(|l| facts(exe) == Some(l))
}
