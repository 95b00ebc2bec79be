//! macOS. Sources: Apple, "Updating your app from 32-bit to 64-bit architecture" (10.15 dropped it), and
//! "Building a universal macOS binary" (arm64 begins with 11; its kernel starts signed code only).

use crate::inspect::facts::{Facts, Kind, MachO};
use crate::inspect::version::Version;

use super::{Verdict, foreign};

/// The first release whose kernel runs the CPU's programs.
fn first_release(architecture: &str) -> Option<Version> {
    match architecture {
        "aarch64" => Some(Version::new(11, 0)),
        "x86_64" | "x86" => Some(Version::new(10, 4)),
        "powerpc" | "powerpc64" => Some(Version::new(10, 0)),
        _ => None,
    }
}

/// The last release that runs them, if that is over.
fn last_release(architecture: &str) -> Option<Version> {
    match architecture {
        "x86" => Some(Version::new(10, 14)),
        "powerpc" | "powerpc64" => Some(Version::new(10, 6)),
        _ => None,
    }
}

/// The oldest macOS that runs the file.
pub(in crate::inspect) fn oldest(facts: &Facts, macho: &MachO) -> Option<Version> {
    let first = first_release(&facts.architecture)?;
    Some(macho.minimum_os.unwrap_or(first).max(first))
}

/// The last macOS that runs the file, if that is over.
pub(in crate::inspect) fn newest(facts: &Facts) -> Option<Version> {
    last_release(&facts.architecture)
}

/// The one verdict: from which release on.
pub fn verdict(facts: &Facts) -> Verdict {
    let (name, runs, reasons) = match (foreign(facts, "macos"), facts.mach_o()) {
        (Some(other), _) => ("macOS".to_owned(), false, vec![other]),
        (None, Some(macho)) => judge(facts, macho),
        (None, None) => (
            "macOS".to_owned(),
            false,
            vec!["not a Mach-O file".to_owned()],
        ),
    };
    Verdict {
        id: "macos".to_owned(),
        name,
        family: "macos",
        runs,
        reasons,
    }
}

fn judge(facts: &Facts, macho: &MachO) -> (String, bool, Vec<String>) {
    let Some(oldest) = oldest(facts, macho) else {
        let reason = format!("macOS does not run {} programs", facts.architecture);
        return ("macOS".to_owned(), false, vec![reason]);
    };
    let name = match newest(facts) {
        Some(last) => format!("macOS {oldest} to {last}"),
        None => format!("macOS {oldest} and newer"),
    };
    if newest(facts).is_some_and(|last| oldest > last) {
        let reason = format!(
            "no macOS from {oldest} on runs {} programs",
            facts.architecture
        );
        return ("macOS".to_owned(), false, vec![reason]);
    }
    if facts.architecture == "aarch64" && macho.signature.is_none() {
        let reason =
            "not signed: arm64 Macs start signed programs only, at least ad hoc".to_owned();
        return (name, false, vec![reason]);
    }
    let mut notes = Vec::new();
    let shipped: Vec<_> = macho
        .dylibs
        .iter()
        .filter(|d| !d.weak && !is_system(&d.name))
        .map(|d| format!("`{}`", d.name))
        .collect();
    if !shipped.is_empty() {
        notes.push(format!("with {} shipped", shipped.join(", ")));
    }
    if facts.architecture == "x86_64" {
        notes.push("on Apple silicon through Rosetta 2".to_owned());
    }
    if facts.kind == Kind::Program && macho.signature.as_ref().is_none_or(|s| s.adhoc) {
        notes.push("a download is quarantined: not signed by an identified developer".to_owned());
    }
    (name, true, notes)
}

/// Whether macOS brings the library (dyld's shared cache holds these folders).
pub(in crate::inspect) fn is_system(path: &str) -> bool {
    let local = path.starts_with("/usr/lib/") && !path.starts_with("/usr/lib/local");
    local || path.starts_with("/System/")
}
