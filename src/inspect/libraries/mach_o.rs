//! Dylibs: the system's, and the others relative to the program (dyld(1), "@rpath" and its kin).

use std::path::{Path, PathBuf};

use super::{Library, Status};
use crate::inspect::facts::MachO;
use crate::inspect::verdict::is_system_dylib;

/// Every dylib. In a sysroot (an SDK) the system's are text stubs; one that it lacks is said to be not found.
pub fn find(path: &Path, macho: &MachO, sysroot: Option<&Path>) -> Vec<Library> {
    let folder = path.parent().unwrap_or(Path::new(""));
    macho
        .dylibs
        .iter()
        .map(|d| {
            let (status, found) = if is_system_dylib(&d.name) {
                match sysroot {
                    None => (Status::System, None),
                    Some(sdk) => match in_sdk(sdk, &d.name) {
                        Some(stub) => (Status::System, Some(stub)),
                        None => (Status::NotFound, None),
                    },
                }
            } else {
                (
                    Status::MustShip,
                    candidates(&d.name, macho, folder)
                        .into_iter()
                        .find(|p| p.is_file()),
                )
            };
            Library {
                name: d.name.clone(),
                needed_by: None,
                status,
                path: found,
                note: d
                    .weak
                    .then(|| "weak: the program starts without it".to_owned()),
            }
        })
        .collect()
}

fn in_sdk(sdk: &Path, name: &str) -> Option<PathBuf> {
    let whole = sdk.join(name.trim_start_matches('/'));
    // `libSystem.B.dylib` has the stub `libSystem.B.tbd`; a framework's binary has no extension.
    let stub = if whole.extension().is_some_and(|e| e == "dylib") {
        whole.with_extension("tbd")
    } else {
        let mut name = whole.clone().into_os_string();
        name.push(".tbd");
        name.into()
    };
    [stub, whole].into_iter().find(|p| p.is_file())
}

fn candidates(name: &str, macho: &MachO, folder: &Path) -> Vec<PathBuf> {
    let relative = |p: &str| {
        ["@loader_path/", "@executable_path/"]
            .iter()
            .find_map(|token| p.strip_prefix(token))
            .map_or_else(|| PathBuf::from(p), |rest| folder.join(rest))
    };
    match name.strip_prefix("@rpath/") {
        Some(rest) => macho
            .rpaths
            .iter()
            .map(|r| relative(r).join(rest))
            .collect(),
        None => vec![relative(name)],
    }
}
