//! Builds that are not cargo's, and what stands before and after a build: each with the real program it is for.

mod builds;
mod docs;
mod explain;
mod glibc;
mod homes;
mod image;
mod install;
mod mirror;
mod onboard;
mod proofs;

use std::path::{Path, PathBuf};

use crate::real::{Lab, project, succeed};

/// A folder without `Cargo.toml` with these targets added, and a copy of a project of `tests/projects`.
fn folder(lab: &Lab, name: &str, targets: &[&str]) -> PathBuf {
    let folder = project(name, lab.dir.path());
    let mut args = vec!["add", "--no-cargo"];
    args.extend(targets);
    succeed(&mut lab.xtool(&folder, &args));
    for absent in ["Cargo.toml", ".cargo"] {
        assert!(!folder.join(absent).exists(), "{absent} was made");
    }
    folder
}

fn magic(path: &Path) -> Vec<u8> {
    fs_err::read(path).unwrap()[..4].to_vec()
}
