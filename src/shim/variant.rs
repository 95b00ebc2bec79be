//! A variant's folder: `shim.toml`, a driver file for each compiler, and a link for each other tool.
//!
//! Written so that builds which use the folder meanwhile never see a half of it: a new folder is staged and renamed,
//! an existing one gets each changed file by rename.

use std::io;
use std::path::{Path, PathBuf};

use super::driver::{self, Identity};
use super::{SPEC_FILE, ShimError, Spec, Tool, osxcross, rules};
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
            Tool::Nm => true,
            _ => spec.program(tool).is_some(),
        })
        .collect()
}

/// Writes the folder of a variant below `shims_dir` and gives its path; nothing is written when it is already right.
/// `toolchain_id` names the toolchain's bytes, `xtool_exe` is the copy of xtool in the store that the tools lead to. Any
/// number of processes may do it at once.
pub fn write_variant(
    shims_dir: &Path,
    toolchain_id: &str,
    spec: &Spec,
    xtool_exe: &Path,
) -> Result<PathBuf, ShimError> {
    let folder = shims_dir.join(variant_name(toolchain_id, &spec.triple, spec)?);
    let plan = Plan::new(toolchain_id, spec, &folder, xtool_exe)?;
    let write = || -> io::Result<()> {
        if plan.is_done(&folder) {
            return Ok(());
        }
        owner::create_dir_all(shims_dir)?;
        if !folder.exists() {
            let staged = owner::staged_dir(".staged-", shims_dir)?;
            plan.carry_out(staged.path())?;
            if fs_err::rename(staged.path(), &folder).is_ok() {
                // The staged folder is the real one now; there is nothing left to remove.
                let _ = staged.keep();
                return Ok(());
            }
            // Somebody else was first: bring theirs up to date.
        }
        plan.carry_out(&folder)
    };
    write().map_err(|source| ShimError::Write {
        path: folder.clone(),
        source,
    })?;
    Ok(folder)
}

/// Gives a compiler's driver another name, in the variant's folder for such names. Whoever asks what compiler that is
/// finds the driver itself.
pub fn link_driver(variant: &Path, name: &str, tool: Tool) -> Result<(), ShimError> {
    let link = |at: &Path, to: &Path| -> io::Result<()> {
        if is_link_with(at, to) {
            return Ok(());
        }
        place(at, |at| make_link(to, at))
    };
    let bin = variant.join(driver::NAMES);
    let up = Path::new("..");
    link(&bin.join(driver::TOOLS), &up.join(driver::TOOLS))
        .and_then(|()| link(&bin.join(name), &up.join(tool.name())))
        .map_err(|source| ShimError::Write {
            path: variant.to_owned(),
            source,
        })
}

/// What a variant's folder holds; every path is relative to it.
struct Plan<'a> {
    exe: &'a Path,
    drivers: Vec<Driver>,
    /// Links to the copy of xtool.
    links: Vec<PathBuf>,
    /// Links to other places in the folder, by their text.
    inner: Vec<(PathBuf, PathBuf)>,
    /// Plain files. The settings last: a folder that has them has everything.
    files: Vec<(&'static str, String)>,
}

struct Driver {
    path: PathBuf,
    identity: Identity,
    /// The whole file, or on Windows what stands behind the copy of xtool.
    content: Vec<u8>,
}

impl<'a> Plan<'a> {
    fn new(
        toolchain_id: &str,
        spec: &Spec,
        folder: &Path,
        exe: &'a Path,
    ) -> Result<Self, ShimError> {
        let mut plan = Self {
            exe,
            drivers: Vec::new(),
            links: Vec::new(),
            inner: Vec::new(),
            files: rules::files(spec),
        };
        plan.files
            .push((CMAKE_FILE, cmake::toolchain_file(spec, folder)));
        plan.files.push((SPEC_FILE, spec.render()?));
        let tools = tools_of(spec);
        for &tool in &tools {
            if tool.is_driver() {
                plan.driver(tool, Identity::new(toolchain_id, spec, tool));
            } else {
                plan.links.push(file_of(tool.name()));
            }
        }
        for (name, tool) in osxcross::names(spec, &tools) {
            plan.other_name(&name, tool);
        }
        Ok(plan)
    }

    fn driver(&mut self, tool: Tool, identity: Identity) {
        let content = content_of(&identity, tool, self.exe);
        if cfg!(unix) {
            self.links.push(Path::new(driver::TOOLS).join(tool.name()));
        }
        self.drivers.push(Driver {
            path: file_of(tool.name()),
            identity,
            content,
        });
    }

    /// A tool under another name, in a folder of its own. A driver's leads to the driver, and what that runs is found
    /// beside the name.
    fn other_name(&mut self, name: &str, tool: Tool) {
        let path = file_of(name);
        if !cfg!(unix) || !tool.is_driver() {
            self.links.push(path);
            return;
        }
        let depth = path.components().count() - 1;
        let up: PathBuf = std::iter::repeat_n("..", depth).collect();
        let tools = path.with_file_name(driver::TOOLS);
        if !self.inner.iter().any(|(at, _)| *at == tools) {
            self.inner.push((tools, up.join(driver::TOOLS)));
        }
        self.inner.push((path, up.join(tool.name())));
    }

    fn is_done(&self, folder: &Path) -> bool {
        let has_text =
            |(name, text): &(&str, String)| is_file_with(&folder.join(name), text.as_bytes());
        self.files.iter().all(has_text)
            && self
                .drivers
                .iter()
                .all(|driver| driver.is_there(folder, self.exe))
            && self
                .links
                .iter()
                .all(|link| is_link_to(&folder.join(link), self.exe))
            && self
                .inner
                .iter()
                .all(|(at, to)| is_link_with(&folder.join(at), to))
    }

    fn carry_out(&self, folder: &Path) -> io::Result<()> {
        for link in &self.links {
            let link = folder.join(link);
            if !is_link_to(&link, self.exe) {
                place(&link, |at| make_link(self.exe, at))?;
            }
        }
        // After the links that they run.
        for driver in &self.drivers {
            if !driver.is_there(folder, self.exe) {
                place(&folder.join(&driver.path), |at| driver.write(at, self.exe))?;
            }
        }
        for (at, to) in &self.inner {
            let at = folder.join(at);
            if !is_link_with(&at, to) {
                place(&at, |at| make_link(to, at))?;
            }
        }
        for (name, text) in &self.files {
            let path = folder.join(name);
            if !is_file_with(&path, text.as_bytes()) {
                place(&path, |at| owner::write(at, text))?;
            }
        }
        Ok(())
    }
}

impl Driver {
    #[cfg(unix)]
    fn is_there(&self, folder: &Path, _exe: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join(&self.path);
        // Not one that a link leads to: an older xtool had links here.
        path.symlink_metadata().is_ok_and(|m| {
            m.is_file()
                && m.permissions().mode() & 0o100 != 0
                && m.modified().is_ok_and(|t| t == self.identity.time())
        }) && is_file_with(&path, &self.content)
    }

    #[cfg(unix)]
    fn write(&self, at: &Path, _exe: &Path) -> io::Result<()> {
        use std::io::Write as _;
        let mut file = owner::create_new(at, true)?;
        file.write_all(&self.content)?;
        file.file().set_modified(self.identity.time())
    }

    /// The copy is told by its length and by what stands behind it, which names the build.
    #[cfg(not(unix))]
    fn is_there(&self, folder: &Path, exe: &Path) -> bool {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let length = |path: &Path| fs_err::metadata(path).map(|m| m.len());
        let same = || -> io::Result<bool> {
            let path = folder.join(&self.path);
            let mut file = fs_err::File::open(&path)?;
            let own = length(exe)?;
            let mut tail = Vec::new();
            file.seek(SeekFrom::Start(own))?;
            file.by_ref().take(64 * 1024).read_to_end(&mut tail)?;
            Ok(tail == self.content && file.metadata()?.modified()? == self.identity.time())
        };
        same().unwrap_or(false)
    }

    #[cfg(not(unix))]
    fn write(&self, at: &Path, exe: &Path) -> io::Result<()> {
        use std::io::Write as _;
        owner::copy(exe, at)?;
        let mut file = fs_err::OpenOptions::new().append(true).open(at)?;
        file.write_all(&self.content)?;
        file.file().set_modified(self.identity.time())
    }
}

#[cfg(unix)]
fn content_of(identity: &Identity, tool: Tool, _exe: &Path) -> Vec<u8> {
    driver::content(identity, tool)
}

#[cfg(not(unix))]
fn content_of(identity: &Identity, _tool: Tool, exe: &Path) -> Vec<u8> {
    driver::tail(identity, exe).into_bytes()
}

/// The file of a tool's name on this host.
fn file_of(name: &str) -> PathBuf {
    format!("{name}{}", std::env::consts::EXE_SUFFIX).into()
}

fn is_file_with(path: &Path, bytes: &[u8]) -> bool {
    fs_err::read(path).is_ok_and(|found| found == bytes)
}

/// Makes a file under another name and renames it over `path`.
fn place(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    owner::create_dir_all(folder)?;
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
    is_link_with(link, exe)
}

fn is_link_with(link: &Path, text: &Path) -> bool {
    fs_err::read_link(link).is_ok_and(|to| to == text)
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
