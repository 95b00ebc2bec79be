//! Where a project begins: files are read, cargo is not started.

use std::path::{Path, PathBuf};

use toml_edit::{Document, Item};

use super::atomic::read_text;
use super::splice;
use super::{CONFIG_FILE, Kind, Project, ProjectError};
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
        .find(|dir| dir.join(CONFIG_FILE).is_file());
    let root = match (own, &workspace) {
        (Some(dir), _) => dir.to_owned(),
        (None, Some(dir)) => dir.clone(),
        (None, None) => return Ok(None),
    };
    let cargo =
        workspace.is_some_and(|w| w.starts_with(&root)) || root.join("Cargo.toml").is_file();
    Ok(Some(Project {
        kind: if cargo { Kind::Cargo } else { Kind::NoCargo },
        root,
        cwd: cwd.to_owned(),
    }))
}

fn workspace_root(cwd: &Path) -> Result<Option<PathBuf>, ProjectError> {
    let Some(package) = cwd.ancestors().find(|d| d.join("Cargo.toml").is_file()) else {
        return Ok(None);
    };
    for dir in package.ancestors() {
        let Some(manifest) = read_manifest(dir)? else {
            continue;
        };
        if let Some(workspace) = workspace_of(dir, &manifest) {
            if dir == package || !workspace.excludes(package) {
                return Ok(Some(dir.to_owned()));
            }
        } else if let Some(named) =
            splice::get(&manifest, &["package"], "workspace").and_then(Item::as_str)
            && dir == package
        {
            let root = normalize(&dir.join(named));
            return Ok(Some(root));
        }
    }
    Ok(Some(package.to_owned()))
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

fn glob(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            glob(rest, name) || (!name.is_empty() && glob(pattern, &name[1..]))
        }
        (Some((b'?', rest)), Some((_, name))) => glob(rest, name),
        (Some((a, rest)), Some((b, name))) if a == b => glob(rest, name),
        _ => false,
    }
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
        assert!(!glob(b"a?", b"a") && !glob(b"a", b"b"));
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
