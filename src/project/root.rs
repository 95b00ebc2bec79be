//! Where a project begins: files are read, cargo is not started.

use std::path::{Path, PathBuf};

use toml_edit::{Document, Item};

use super::atomic::read_text;
use super::splice;
use super::{CONFIG_FILE, Kind, Project, ProjectError, absolute};
use crate::regular;

/// A workspace's manifest, as far as it decides who belongs to it (cargo's reference, "Workspaces").
struct Workspace {
    root: PathBuf,
    members: Vec<String>,
    exclude: Vec<String>,
}

impl Workspace {
    /// A member's path wins over an excluded folder that holds it.
    fn excludes(&self, folder: &Path) -> bool {
        let holds = |list: &[String]| list.iter().any(|p| folder.starts_with(self.root.join(p)));
        holds(&self.exclude) && !holds(&self.members)
    }
}

/// Whether a file is there and may say what the project is.
fn counts(file: &Path) -> bool {
    file.is_file() && !is_foreign(file)
}

/// Whether a file is another user's in a folder that is not theirs, such as `/tmp/xtool.toml`: whoever may create a
/// file in a folder above would take over every project below (git has `safe.directory` for the same). The owner of
/// the folder could replace all that is below it anyway, and root everything.
#[cfg(unix)]
fn is_foreign(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // Of a link its own: anybody can make one to a file of root's.
    let owner = |path: &Path| fs_err::symlink_metadata(path).ok().map(|m| m.uid());
    let Some(uid) = owner(file) else {
        return false;
    };
    let folder = file
        .parent()
        .and_then(|folder| fs_err::metadata(folder).ok());
    uid != 0
        && uid != rustix::process::geteuid().as_raw()
        && folder.is_none_or(|folder| folder.uid() != uid)
}

#[cfg(not(unix))]
fn is_foreign(_file: &Path) -> bool {
    false
}

/// The file of another user's that would have made a folder above `cwd` the project.
pub(super) fn foreign(cwd: &Path) -> Option<PathBuf> {
    cwd.ancestors()
        .flat_map(|dir| [dir.join(CONFIG_FILE), dir.join("Cargo.toml")])
        .find(|file| file.is_file() && is_foreign(file))
}

/// The workspace that a folder's package belongs to.
struct Found {
    root: PathBuf,
    /// The package's manifest, where it names a root that cargo's own search would not come to.
    named_by: Option<PathBuf>,
}

/// Fails where cargo would find a pipe or a device in place of its configuration: it would wait for ever, or read until
/// the memory is full. For use before cargo is started in `root`.
pub fn check_cargo_config(root: &Path) -> Result<(), ProjectError> {
    for folder in root.ancestors() {
        for name in ["config", "config.toml"] {
            let path = folder.join(".cargo").join(name);
            if fs_err::metadata(&path).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
                regular::open(&path).map_err(|source| ProjectError::Read { path, source })?;
            }
        }
    }
    Ok(())
}

/// Finds the project that `cwd` (absolute) lies in.
pub(super) fn find(cwd: &Path) -> Result<Option<Project>, ProjectError> {
    let workspace = workspace_root(cwd)?;
    let own = cwd
        .ancestors()
        // `.cargo/xtool.toml` is the file that cargo's configuration includes.
        .filter(|dir| dir.file_name().is_none_or(|n| n != ".cargo"))
        .find(|dir| counts(&dir.join(CONFIG_FILE)));
    let (root, named_by) = match (own, &workspace) {
        (Some(dir), _) => (dir.to_owned(), None),
        (None, Some(found)) => (found.root.clone(), found.named_by.clone()),
        (None, None) => return Ok(None),
    };
    let cargo =
        workspace.is_some_and(|w| w.root.starts_with(&root)) || root.join("Cargo.toml").is_file();
    Ok(Some(Project {
        kind: if cargo { Kind::Cargo } else { Kind::NoCargo },
        root,
        cwd: cwd.to_owned(),
        named_by,
    }))
}

fn workspace_root(cwd: &Path) -> Result<Option<Found>, ProjectError> {
    let Some(package) = cwd.ancestors().find(|d| counts(&d.join("Cargo.toml"))) else {
        return Ok(None);
    };
    let found = |root: &Path| {
        Ok(Some(Found {
            root: root.to_owned(),
            named_by: None,
        }))
    };
    for dir in package
        .ancestors()
        .filter(|d| counts(&d.join("Cargo.toml")))
    {
        let Some(manifest) = read_manifest(dir)? else {
            continue;
        };
        if let Some(workspace) = workspace_of(dir, &manifest) {
            if dir == package || !workspace.excludes(package) {
                return found(dir);
            }
        } else if let Some(named) =
            splice::get(&manifest, &["package"], "workspace").and_then(Item::as_str)
            && dir == package
        {
            return named_root(package, named).map(Some);
        }
    }
    found(package)
}

/// The root that `package.workspace` names, if it has the package for a member: cargo refuses it otherwise, and a
/// clone could name any folder.
fn named_root(package: &Path, named: &str) -> Result<Found, ProjectError> {
    let manifest = package.join("Cargo.toml");
    let refused = |root: &Path, why| ProjectError::NotItsWorkspace {
        manifest: manifest.clone(),
        root: root.to_owned(),
        why,
    };
    let written = normalize(&package.join(named));
    // A link on the way leads out of the checkout though the path does not.
    let root = absolute(&written)
        .map_err(|_| refused(&written, "there is no such folder, or it cannot be read"))?;
    let workspace = read_manifest(&root)?.and_then(|text| workspace_of(&root, &text));
    let Some(workspace) = workspace else {
        return Err(refused(&root, "it has no `Cargo.toml` with `[workspace]`"));
    };
    let real = |path: &Path| fs_err::canonicalize(path).ok();
    let above = package.starts_with(&root);
    let here = real(package);
    let listed = member_folders(&root)?
        .iter()
        .any(|member| here.is_some() && real(member) == here);
    // Packages below a root are found by their path too, so the list need not have them.
    if !listed && (!above || workspace.excludes(package)) {
        return Err(refused(&root, "its `members` do not have this package"));
    }
    // Above, or in the same checkout, it is where a search goes as well, or part of what was cloned.
    let inside = |top: &Path| {
        real(&root)
            .zip(real(top))
            .is_some_and(|(r, t)| r.starts_with(t))
    };
    let near = above || checkout(package).is_some_and(inside);
    Ok(Found {
        root,
        named_by: (!near).then_some(manifest),
    })
}

/// The uppermost folder of the checkout that a folder lies in.
fn checkout(folder: &Path) -> Option<&Path> {
    const MARKS: [&str; 5] = [".git", ".hg", ".jj", ".pijul", ".fslckout"];
    folder
        .ancestors()
        .find(|dir| MARKS.iter().any(|mark| dir.join(mark).exists()))
}

/// The manifest in a folder, parsed.
pub(super) fn read_manifest(dir: &Path) -> Result<Option<Document<String>>, ProjectError> {
    let path = dir.join("Cargo.toml");
    if !path.is_file() {
        return Ok(None);
    }
    let text = read_text(&path)?.unwrap_or_default();
    let (_, body) = splice::split_bom(&text);
    splice::parse(body)
        .map(Some)
        .map_err(|e| ProjectError::from_splice(&path, e))
}

fn workspace_of(dir: &Path, manifest: &Document<String>) -> Option<Workspace> {
    manifest.get("workspace")?;
    let list = |key| {
        splice::get(manifest, &["workspace"], key)
            .and_then(Item::as_array)
            .map(|a| {
                a.iter()
                    .filter_map(|v| v.as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default()
    };
    Some(Workspace {
        root: dir.to_owned(),
        members: list("members"),
        exclude: list("exclude"),
    })
}

/// The folders of the workspace's members, as `members` names them; `*` and `?` in the last part are looked up.
pub(super) fn member_folders(root: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let Some(manifest) = read_manifest(root)? else {
        return Ok(Vec::new());
    };
    let Some(workspace) = workspace_of(root, &manifest) else {
        return Ok(Vec::new());
    };
    let mut out = Vec::new();
    for member in &workspace.members {
        let mut found = vec![root.to_owned()];
        for part in member.split('/').filter(|p| !p.is_empty() && *p != ".") {
            found = found.iter().flat_map(|dir| matching(dir, part)).collect();
        }
        out.extend(found.into_iter().filter(|d| d.join("Cargo.toml").is_file()));
    }
    out.sort();
    out.dedup();
    Ok(out)
}

fn matching(dir: &Path, pattern: &str) -> Vec<PathBuf> {
    if !pattern.contains(['*', '?']) {
        return vec![dir.join(pattern)];
    }
    let Ok(entries) = fs_err::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|e| {
            e.file_name()
                .to_str()
                .is_some_and(|n| glob(pattern.as_bytes(), n.as_bytes()))
        })
        .map(|e| e.path())
        .collect()
}

/// Goes back to the last star only, so that no pattern of a clone's takes for ever.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match (pattern.get(p), star) {
            (Some(b'*'), _) => {
                star = Some((p, n));
                p += 1;
            }
            (Some(&c), _) if c == b'?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            (_, Some((at, from))) => {
                p = at + 1;
                n = from + 1;
                star = Some((at, n));
            }
            (_, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

/// `a/../b` without asking the file system.
fn normalize(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                out.pop();
            }
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        assert!(glob(b"*", b"x") && glob(b"a*", b"a") && glob(b"*-sys", b"z-sys"));
        assert!(!glob(b"a?", b"a") && !glob(b"a", b"b") && !glob(b"a*", b"ba"));
        assert!(glob(b"a*b*c", b"abxbbc") && !glob(b"a*b*c", b"abxbb"));
        // A second more of work for each star would not end.
        assert!(
            !glob(&b"*a".repeat(40), &[b'b'; 255])
                && !glob(&[b"*a".repeat(40), b"b".to_vec()].concat(), &[b'a'; 255])
        );
    }

    #[test]
    fn a_listed_member_wins_over_an_excluded_folder() {
        let w = Workspace {
            root: PathBuf::from("/w"),
            members: vec!["tools/x".to_owned()],
            exclude: vec!["tools".to_owned()],
        };
        assert!(w.excludes(Path::new("/w/tools/y")));
        assert!(!w.excludes(Path::new("/w/tools/x")));
        assert!(!w.excludes(Path::new("/w/a")));
    }
}
