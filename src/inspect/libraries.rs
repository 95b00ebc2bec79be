//! Where the libraries that a binary loads are found: what `ldd` says, also for a foreign binary in a sysroot, and
//! without running anything.

mod elf;
mod mach_o;
mod pe;
mod root;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::facts::{Details, Facts, Kind};
use super::tables::Tables;

pub use root::Root;

/// Libraries that are followed at most.
const MAX_LIBRARIES: usize = 4096;

/// One library, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Library {
    /// As the file that needs it names it.
    pub name: String,
    /// The library that asks for it; none if the file itself does.
    pub needed_by: Option<String>,
    /// Whether it is there.
    pub status: Status,
    /// Where.
    pub path: Option<PathBuf>,
    /// What it is, or how to go without.
    pub note: Option<String>,
}

/// Whether a library is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// At the path.
    Found,
    /// Nowhere that the loader looks.
    NotFound,
    /// Part of the operating system.
    System,
    /// The vendor's, but not part of the operating system: to be installed or shipped.
    Redistributable,
    /// To be shipped with the program.
    MustShip,
    /// Not looked for: a foreign binary and no sysroot.
    NotChecked,
}

/// Every library that the file at `path` loads, in the order in which a loader meets them.
///
/// ELF: looked for in `sysroot`, or on this machine if it is one that can run the file; each library's own needs are
/// followed. PE and Mach-O: told apart into the system's and others; others are looked for beside the file and in
/// `sysroot`.
pub fn find(path: &Path, facts: &Facts, sysroot: Option<&Path>, tables: &Tables) -> Vec<Library> {
    match &facts.details {
        Details::Elf(e) => {
            let root = match sysroot {
                Some(dir) => Some(Root::sysroot(dir)),
                None => is_native(facts, e.interpreter.as_deref()).then(Root::host),
            };
            elf::find(path, facts, e, root.as_ref())
        }
        Details::Pe(p) => pe::find(path, p, sysroot, &tables.windows),
        Details::MachO(m) => mach_o::find(path, m, sysroot),
    }
}

/// Whether this machine's own libraries are the ones that the file would get.
fn is_native(facts: &Facts, interpreter: Option<&str>) -> bool {
    let here = cfg!(target_os = "linux") && facts.os == "linux";
    match interpreter {
        Some(loader) => here && Path::new(loader).is_file(),
        None => here && facts.kind == Kind::Library && facts.architecture == std::env::consts::ARCH,
    }
}
