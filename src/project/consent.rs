//! What a cloned project may not do until its user has allowed it (once, `--trust`).
//!
//! A checkout can name programs to run and archives to unpack. Each such wish is an [`Item`] with a digest over its
//! content; the home remembers the digests that were allowed for a root. A changed file is a new wish.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use super::atomic::{self, Held, StateDirs, read_text, root_key};
use super::lock::Lock;
use super::settings::{Config, TargetOptions};
use super::toolchain_file::ToolchainFile;
use super::{CONFIG_FILE, LOCK_FILE, Project, ProjectError};
use crate::digest::Sha256;
use crate::pin::PinnedSource;
use crate::target::Triple;

/// The project's own manifest.
pub const PROJECT_MANIFEST: &str = "toolchains.toml";

/// One thing that needs consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where the wish stands.
    pub file: PathBuf,
    /// The wish, in words.
    pub what: String,
    /// Over file, wish and content.
    digest: Sha256,
}

impl Item {
    fn new(file: PathBuf, what: String, content: &[u8]) -> Self {
        let mut bytes = file.as_os_str().as_encoded_bytes().to_vec();
        bytes.push(0);
        bytes.extend_from_slice(what.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(content);
        Self {
            digest: Sha256::of(&bytes),
            file,
            what,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", shown(&self.file), self.what)
    }
}

/// As it may stand in a question: in one line and between its quotes, whatever a clone calls its files. A name with a
/// line break or a terminal's commands could forge the question, and the answer.
pub(super) fn shown(text: impl AsRef<OsStr>) -> String {
    let mut out = String::new();
    for c in text.as_ref().to_string_lossy().chars() {
        match c {
            // Windows' separator, and quotes that end nothing here.
            '\\' | '"' | '\'' => out.push(c),
            '`' => out.push_str("\\u{60}"),
            c => out.extend(c.escape_debug()),
        }
    }
    out
}

/// Everything in the project that needs consent; empty for most.
pub fn required(
    project: &Project,
    config: Option<&Config>,
    lock: Option<&Lock>,
) -> Result<Vec<Item>, ProjectError> {
    let root = &project.root;
    let mut items = Vec::new();

    let manifest = root.join(PROJECT_MANIFEST);
    // Only beside xtool.toml is it the project's own: elsewhere a file of that name is somebody else's business.
    if root.join(CONFIG_FILE).is_file()
        && let Some(text) = read_text(&manifest)?
    {
        let what = "adds toolchains of its own, whose programs every build runs".to_owned();
        items.push(Item::new(manifest, what, text.as_bytes()));
    }
    for (triple, options) in config.into_iter().flat_map(|c| &c.targets) {
        items.extend(of_target(project, triple, options));
    }
    for (key, pin) in lock.into_iter().flat_map(|l| &l.entries) {
        for source in &pin.sources {
            if let PinnedSource::Path { path, archive, .. } = source {
                let what = format!("takes `{}` for `{}`", shown(path), key.triple);
                let content = archive.sha256.to_string();
                items.push(Item::new(root.join(LOCK_FILE), what, content.as_bytes()));
            }
        }
    }
    // The clone may go on above the root.
    if let Some(file) = ToolchainFile::find(root)?
        && let Some(path) = file.path
    {
        let what = format!("runs the Rust toolchain in `{}`", shown(path));
        items.push(Item::new(file.file, what, b""));
    }
    items.extend(writes_outside(project));
    items.dedup();
    Ok(items)
}

/// What a target's options ask for. Those that were typed are allowed by that: `add` grants them.
pub fn of_target(project: &Project, triple: &Triple, options: &TargetOptions) -> Vec<Item> {
    let mut wishes = Vec::new();
    if let Some(runner) = &options.runner {
        wishes.push(format!("runs `{}` for `{triple}`", shown(runner)));
    }
    // A name is one of the user's own SDKs; a path may lead to headers and libraries of the clone's.
    if let Some(sdk) = &options.sdk
        && Path::new(sdk).has_root()
    {
        wishes.push(format!("takes the SDK in `{}` for `{triple}`", shown(sdk)));
    }
    let file = project.root.join(CONFIG_FILE);
    wishes
        .into_iter()
        .map(|what| Item::new(file.clone(), what, b""))
        .collect()
}

/// What would make a command write outside the project: the part that those ask for that only take something out.
pub fn writes_outside(project: &Project) -> Vec<Item> {
    let mut items = Vec::new();
    if let Some(manifest) = &project.named_by {
        let what = format!(
            "makes `{}` the project, outside what was checked out",
            shown(&project.root)
        );
        items.push(Item::new(manifest.clone(), what, b""));
    }
    // On Windows the root itself may have been reached through links.
    let real = fs_err::canonicalize(&project.root).unwrap_or_else(|_| project.root.clone());
    for name in [
        ".cargo",
        ".cargo/.gitignore",
        ".cargo/config.toml",
        ".cargo/config",
        ".cargo/xtool.toml",
        CONFIG_FILE,
        LOCK_FILE,
    ] {
        let path = project.root.join(name);
        let link = fs_err::symlink_metadata(&path).is_ok_and(|m| m.file_type().is_symlink());
        // A repository's own files are the user's, wherever it is.
        let theirs = |target: &Path| {
            target.starts_with(&real) && !target.components().any(|c| c.as_os_str() == ".git")
        };
        if link
            && let Ok(target) = fs_err::canonicalize(&path)
            && !theirs(&target)
        {
            let what = format!("is a link to `{}`, outside the project", shown(&target));
            // What is shown may stand for several names.
            let content = target.as_os_str().as_encoded_bytes();
            items.push(Item::new(path, what, content));
        }
    }
    items
}

/// The items that were not allowed yet.
pub fn missing(
    dirs: &StateDirs,
    project: &Project,
    items: &[Item],
) -> Result<Vec<Item>, ProjectError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let granted = granted(dirs, project)?;
    Ok(items
        .iter()
        .filter(|i| !granted.contains(&i.digest))
        .cloned()
        .collect())
}

/// A project all of whose wishes its user allows. Only [`check`] makes one, and what may run a program that the
/// project names asks for it, so that a forgotten question does not compile.
#[derive(Debug, Clone)]
pub struct Consented {
    root: PathBuf,
}

impl Consented {
    /// The project's root.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// An error unless every item was allowed.
pub fn check(
    dirs: &StateDirs,
    project: &Project,
    items: &[Item],
) -> Result<Consented, ProjectError> {
    let items = missing(dirs, project, items)?;
    if items.is_empty() {
        return Ok(Consented {
            root: project.root.clone(),
        });
    }
    Err(ProjectError::Consent {
        root: project.root.clone(),
        items,
    })
}

/// Remembers that the user allows these items (`--trust`); earlier ones stay allowed.
pub fn grant(
    _held: &Held,
    dirs: &StateDirs,
    project: &Project,
    items: &[Item],
) -> Result<(), ProjectError> {
    let mut all = granted(dirs, project)?;
    let before = all.len();
    for item in items {
        if !all.contains(&item.digest) {
            all.push(item.digest);
        }
    }
    if all.len() == before {
        return Ok(());
    }
    let mut text = format!(
        "# What {} may do, by digest.\n",
        project.root.display().to_string().escape_debug()
    );
    for digest in all {
        text.push_str(&digest.to_string());
        text.push('\n');
    }
    atomic::note(&path(dirs, project), &text)
}

fn granted(dirs: &StateDirs, project: &Project) -> Result<Vec<Sha256>, ProjectError> {
    let text = read_text(&path(dirs, project))?.unwrap_or_default();
    Ok(text.lines().filter_map(|l| l.trim().parse().ok()).collect())
}

fn path(dirs: &StateDirs, project: &Project) -> PathBuf {
    dirs.consent.join(root_key(&project.root))
}
