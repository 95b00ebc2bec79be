//! Whether a file meets a requirement, and why.

use serde::Serialize;

use super::{Family, Requirement};
use crate::inspect::Slice;
use crate::inspect::facts::{Details, Facts, Libc, Needs, Relro};
use crate::inspect::libraries::{Library, Status};
use crate::inspect::size::human;
use crate::inspect::tables::Tables;
use crate::inspect::verdict::{newest_macos, oldest_macos, oldest_windows, windows_release};
use crate::inspect::version::Version;

/// Whether a requirement is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outcome {
    /// As it was asked.
    pub requirement: String,
    /// The answer, of every slice.
    pub met: bool,
    /// Why, of the first slice that does not meet it, else of the first.
    pub reason: String,
}

/// Checks one requirement on a file with these slices and this many bytes.
pub fn check(requirement: &Requirement, slices: &[Slice], size: u64, tables: &Tables) -> Outcome {
    let answers: Vec<_> = slices
        .iter()
        .map(|s| answer(requirement, s, size, tables))
        .collect();
    let several = slices.len() > 1;
    let decisive = answers.iter().position(|(met, _)| !met).unwrap_or(0);
    let (met, reason) = answers
        .into_iter()
        .nth(decisive)
        .unwrap_or((false, "the file is empty".to_owned()));
    Outcome {
        requirement: requirement.to_string(),
        met,
        reason: match slices.get(decisive) {
            Some(slice) if several && !met => format!("{}: {reason}", slice.facts.architecture),
            _ => reason,
        },
    }
}

fn answer(requirement: &Requirement, slice: &Slice, size: u64, tables: &Tables) -> (bool, String) {
    let facts = &slice.facts;
    let flag = |met: bool, yes: &str, no: &str| (met, if met { yes } else { no }.to_owned());
    match requirement {
        Requirement::AtMost(family, most) => at_most_version(facts, *family, *most),
        Requirement::MacOs(most) => match facts.mach_o().and_then(|m| oldest_macos(facts, m)) {
            Some(oldest) => (oldest <= *most, format!("runs from macOS {oldest} on")),
            None => (false, format!("it is {}, not for macOS", facts.format)),
        },
        Requirement::Windows(most) => match facts.pe() {
            Some(pe) => {
                let (oldest, why) = oldest_windows(pe, tables);
                (
                    oldest <= *most,
                    format!("runs from Windows {} on: {why}", windows_release(oldest)),
                )
            }
            None => (false, format!("it is {}, not for Windows", facts.format)),
        },
        Requirement::Static => match slice.libraries.first() {
            Some(first) => (facts.is_static, format!("it loads `{}`", first.name)),
            None => flag(facts.is_static, "it loads nothing", "it is a library"),
        },
        Requirement::Pie => flag(
            facts.position_independent,
            "loaded at any address",
            "loaded at a fixed address",
        ),
        Requirement::Stripped => {
            let why = if facts.debug_info {
                "it has debug information"
            } else {
                "it has a symbol table"
            };
            flag(
                facts.stripped && !facts.debug_info,
                "no symbols, no debug information",
                why,
            )
        }
        Requirement::NoExecute => flag(
            facts.no_execute,
            "the stack is not executable",
            "the stack is executable",
        ),
        Requirement::FullRelro => match facts.elf().map(|e| e.relro) {
            Some(Relro::Full) => (true, "full RELRO".to_owned()),
            Some(Relro::Partial) => (false, "only partial RELRO: link with `-z now`".to_owned()),
            Some(Relro::None) => (false, "no RELRO: link with `-z relro -z now`".to_owned()),
            None => (false, format!("{} has no RELRO", facts.format)),
        },
        Requirement::Signed => signed(facts),
        Requirement::SystemLibrariesOnly => system_only(slice),
        Requirement::LibrariesFound => {
            match slice
                .libraries
                .iter()
                .find(|l| matches!(l.status, Status::NotFound | Status::NotChecked))
            {
                Some(l) if l.status == Status::NotFound => {
                    (false, format!("`{}` is not found", l.name))
                }
                Some(l) => (
                    false,
                    format!("`{}` was not looked for: give a `--sysroot`", l.name),
                ),
                None => (true, "every library is found".to_owned()),
            }
        }
        Requirement::RunsOn(id) => match slice.verdicts.iter().find(|v| v.id == *id) {
            Some(v) if v.reasons.is_empty() => (v.runs, format!("runs on {}", v.name)),
            Some(v) => (v.runs, v.reasons.join("; ")),
            None => (false, format!("nothing is known of `{id}`")),
        },
        Requirement::RunsOnMacOs(version) => runs_on_macos(slice, *version),
        Requirement::MaxSize(most) => (
            size <= *most,
            format!("it has {} ({size} bytes)", human(size)),
        ),
        Requirement::Architecture(a) => (
            facts.architecture == *a,
            format!("it is for {}", facts.architecture),
        ),
    }
}

fn at_most_version(facts: &Facts, family: Family, most: Version) -> (bool, String) {
    let Details::Elf(elf) = &facts.details else {
        return (true, format!("{} has no symbol versions", facts.format));
    };
    let highest: Option<&Needs> = match family {
        Family::Glibc => elf.highest.glibc.as_ref(),
        Family::Glibcxx => elf.highest.glibcxx.as_ref(),
        Family::Cxxabi => elf.highest.cxxabi.as_ref(),
        Family::Gcc => elf.highest.gcc.as_ref(),
    };
    let name = family.name().to_uppercase();
    match highest {
        Some(needs) => {
            let symbols = match needs.symbols.len() {
                0 => String::new(),
                _ => format!(" for `{}`", needs.symbols.join("`, `")),
            };
            (
                needs.version <= most,
                format!("it needs {name}_{}{symbols}", needs.version),
            )
        }
        // A musl program is no answer to a question about glibc, but it does not need a newer one.
        None if family == Family::Glibc && elf.libc == Libc::Musl => {
            (true, "it is linked with musl".to_owned())
        }
        None => (true, format!("it needs no {name}")),
    }
}

fn signed(facts: &Facts) -> (bool, String) {
    match &facts.details {
        Details::Pe(pe) if pe.signed => (true, "it has an Authenticode signature".to_owned()),
        Details::MachO(m) => match &m.signature {
            Some(s) if s.adhoc => (true, "it is signed ad hoc".to_owned()),
            Some(_) => (true, "it is signed".to_owned()),
            None => (false, "it is not signed".to_owned()),
        },
        Details::Elf(_) => (false, "ELF files are not signed".to_owned()),
        Details::Pe(_) => (false, "it is not signed".to_owned()),
    }
}

fn system_only(slice: &Slice) -> (bool, String) {
    if let Some(elf) = slice.facts.elf() {
        // What every Linux has is the C library and no more.
        let system = |n: &str| {
            [
                "libc.",
                "libm.",
                "libdl.",
                "libpthread.",
                "librt.",
                "libutil.",
                "libresolv.",
                "ld-linux",
                "ld-musl",
                "ld64.",
                "ld.",
            ]
            .iter()
            .any(|p| n.starts_with(p))
        };
        return match elf.needed.iter().find(|n| !system(n)) {
            Some(other) => (false, format!("it needs `{other}`")),
            None => (true, "it needs the C library only".to_owned()),
        };
    }
    let other = |l: &&Library| matches!(l.status, Status::MustShip | Status::Redistributable);
    match slice.libraries.iter().find(other) {
        Some(l) => (false, format!("it needs `{}`", l.name)),
        None => (true, "it needs the operating system only".to_owned()),
    }
}

fn runs_on_macos(slice: &Slice, version: Version) -> (bool, String) {
    let Some(verdict) = slice.verdicts.iter().find(|v| v.id == "macos") else {
        return (false, "nothing is known of macOS".to_owned());
    };
    if !verdict.runs {
        return (false, verdict.reasons.join("; "));
    }
    let facts = &slice.facts;
    let oldest = facts.mach_o().and_then(|m| oldest_macos(facts, m));
    // `macos-11` is every 11.x, `macos-10.14` every 10.14.x: the last release of the table has two numbers.
    let in_time = newest_macos(facts).is_none_or(|last| version <= last);
    (
        oldest.is_some_and(|o| o <= version) && in_time,
        format!("it runs on {}", verdict.name),
    )
}
