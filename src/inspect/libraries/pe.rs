//! DLLs: Windows' own, and the others beside the program or in a sysroot.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use super::{Library, MAX_LIBRARIES, Status};
use crate::inspect::facts::Pe;
use crate::inspect::tables::{DllOrigin, WindowsTables};

/// Every DLL; those that are found and not the system's are followed.
pub fn find(path: &Path, pe: &Pe, sysroot: Option<&Path>, tables: &WindowsTables) -> Vec<Library> {
    let mut folders = vec![path.parent().unwrap_or(Path::new("")).to_owned()];
    folders.extend(
        sysroot
            .into_iter()
            .flat_map(|s| [s.join("bin"), s.join("lib"), s.to_owned()]),
    );
    let folders: Vec<Folder> = folders.iter().filter_map(|f| Folder::read(f)).collect();

    let mut out: Vec<Library> = Vec::new();
    let mut seen = HashSet::new();
    let mut queue: VecDeque<(Option<String>, Vec<String>)> =
        VecDeque::from([(None, pe.imports.iter().map(|i| i.dll.clone()).collect())]);
    while let Some((needed_by, names)) = queue.pop_front() {
        for name in names {
            if out.len() >= MAX_LIBRARIES || !seen.insert(name.to_ascii_lowercase()) {
                continue;
            }
            let (status, note) = match tables.origin(&name) {
                DllOrigin::System { note, .. } => (Status::System, note),
                DllOrigin::Redistributable { note } => (Status::Redistributable, note),
                DllOrigin::Shipped { note } => (Status::MustShip, note),
            };
            let path = match status {
                Status::System => None,
                _ => folders.iter().find_map(|f| f.find(&name)),
            };
            if let Some(path) = &path
                && let Ok(facts) = crate::inspect::read_facts(path)
                && let Some(dll) = facts.first().and_then(|f| f.pe())
            {
                let names = dll.imports.iter().map(|i| i.dll.clone()).collect();
                queue.push_back((Some(name.clone()), names));
            }
            out.push(Library {
                name,
                needed_by: needed_by.clone(),
                status,
                path,
                note,
            });
        }
    }
    out
}

/// A folder whose names are found in any case, as on Windows.
struct Folder(HashMap<String, PathBuf>);

impl Folder {
    fn read(path: &Path) -> Option<Self> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let entries = fs_err::read_dir(path).ok()?;
        let names = entries.flatten().filter_map(|e| {
            let name = e.file_name().into_string().ok()?;
            Some((name.to_ascii_lowercase(), e.path()))
        });
        Some(Self(names.collect()))
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        self.0.get(&name.to_ascii_lowercase()).cloned()
    }
}
