//! Where a binary runs: pure look-ups of its facts in the tables.
//!
//! A *yes* means that a system as it comes from its installer or as a container image starts the program; what the
//! program asks for later (`dlopen`, files, certificates) is not known here.

mod apple;
mod linux;
mod windows;

use serde::Serialize;

use super::facts::{Facts, Format};
use super::tables::Tables;

pub(super) use apple::is_system as is_system_dylib;
pub(super) use apple::{newest as newest_macos, oldest as oldest_macos};
pub use linux::smallest_base;
pub(super) use windows::{oldest as oldest_windows, release as windows_release};

/// Whether one system runs the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// As `--require runs-on=` takes it: `debian-12`.
    pub id: String,
    /// For people: `Debian 12`.
    pub name: String,
    /// Which family: `linux`, `windows`, `macos`.
    pub family: &'static str,
    /// The answer.
    pub runs: bool,
    /// Why not, every reason; or what to know although it runs.
    pub reasons: Vec<String>,
}

/// One verdict for each system of the tables, Linux, Windows, then macOS.
pub fn verdicts(facts: &Facts, tables: &Tables) -> Vec<Verdict> {
    let mut out = linux::verdicts(facts, tables);
    out.extend(windows::verdicts(facts, tables));
    out.push(apple::verdict(facts));
    out
}

/// Why nothing of a family runs it, if it was made for another: `a Windows program`.
fn foreign(facts: &Facts, os: &str) -> Option<String> {
    if facts.os == os {
        return None;
    }
    Some(format!("made for {}", os_name(facts)))
}

/// The system that a file was made for, as people write it.
pub(super) fn os_name(facts: &Facts) -> String {
    match facts.os.as_str() {
        "linux" => "Linux",
        "windows" => "Windows",
        "macos" => "macOS",
        "ios" => "iOS",
        "android" => "Android",
        "freebsd" => "FreeBSD",
        "netbsd" => "NetBSD",
        "openbsd" => "OpenBSD",
        "solaris" => "Solaris",
        "uefi" => "UEFI firmware",
        "none" if facts.format == Format::Elf => "no operating system",
        other => other,
    }
    .to_owned()
}
