//! Requirements that make `inspect` a gate: `glibc<=2.17`, `static`, `runs-on=alpine`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::Slice;
use super::facts::{Details, Facts, Libc, Needs, Relro};
use super::libraries::Status;
use super::size::human;
use super::tables::Tables;
use super::verdict::{newest_macos, oldest_macos, oldest_windows, windows_release};
use super::version::Version;
use crate::help::Help;

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// No symbol of a newer version is asked for.
    AtMost(Family, Version),
    /// The oldest macOS that runs it is no newer than this.
    MacOs(Version),
    /// The oldest Windows that runs it is no newer than this.
    Windows(Version),
    /// Loads nothing.
    Static,
    /// Loaded at any address.
    Pie,
    /// No symbol table, no debug information.
    Stripped,
    /// Stack and heap are not executable.
    NoExecute,
    /// Relocations are made read-only, all of them.
    FullRelro,
    /// Has a signature.
    Signed,
    /// Loads libraries of the operating system only.
    SystemLibrariesOnly,
    /// No library is missing.
    LibrariesFound,
    /// One system runs it.
    RunsOn(String),
    /// Runs on this release of macOS.
    RunsOnMacOs(Version),
    /// No more bytes than that.
    MaxSize(u64),
    /// For this CPU.
    Architecture(String),
}

/// A family of symbol versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `GLIBC_`
    Glibc,
    /// `GLIBCXX_`
    Glibcxx,
    /// `CXXABI_`
    Cxxabi,
    /// `GCC_`
    Gcc,
}

impl Family {
    const ALL: [(&'static str, Self); 4] = [
        ("glibc", Self::Glibc),
        ("glibcxx", Self::Glibcxx),
        ("cxxabi", Self::Cxxabi),
        ("gcc", Self::Gcc),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Glibc => "glibc",
            Self::Glibcxx => "glibcxx",
            Self::Cxxabi => "cxxabi",
            Self::Gcc => "gcc",
        }
    }
}

/// Every form, for messages and for the help.
pub const FORMS: &str = "glibc<=V, glibcxx<=V, cxxabi<=V, gcc<=V, macos<=V, windows<=V, static, pie, stripped, nx, \
                         relro, signed, system-dlls-only, libs-found, runs-on=SYSTEM, max-size=SIZE, arch=CPU";

/// Not a requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequireError {
    /// No such one.
    #[error("Unknown requirement `{0}`")]
    Unknown(String),
    /// Its value cannot be read.
    #[error("`{value}` is no value for the requirement `{name}`: expected {expected}")]
    Value {
        /// The requirement.
        name: String,
        /// What was given.
        value: String,
        /// What it takes.
        expected: String,
    },
}

impl Help for RequireError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Unknown(_) => Some(format!("requirements are {FORMS}")),
            Self::Value { .. } => None,
        }
    }
}

impl FromStr for Requirement {
    type Err = RequireError;

    fn from_str(s: &str) -> Result<Self, RequireError> {
        let s = s.trim();
        if let Some((name, value)) = s.split_once("<=") {
            return at_most(name.trim(), value.trim());
        }
        if let Some((name, value)) = s.split_once('=') {
            return equals(name.trim(), value.trim());
        }
        Ok(match s {
            "static" => Self::Static,
            "pie" | "aslr" => Self::Pie,
            "stripped" => Self::Stripped,
            "nx" | "dep" => Self::NoExecute,
            "relro" => Self::FullRelro,
            "signed" => Self::Signed,
            "system-dlls-only" | "no-dll-shipped" | "system-libs-only" => Self::SystemLibrariesOnly,
            "libs-found" => Self::LibrariesFound,
            _ => return Err(RequireError::Unknown(s.escape_debug().to_string())),
        })
    }
}

fn bad_value(name: &str, value: &str, expected: impl Into<String>) -> RequireError {
    RequireError::Value {
        name: name.to_owned(),
        value: value.escape_debug().to_string(),
        expected: expected.into(),
    }
}

fn at_most(name: &str, value: &str) -> Result<Requirement, RequireError> {
    let version = || {
        value
            .parse::<Version>()
            .map_err(|_| bad_value(name, value, "a version such as `2.17`"))
    };
    if let Some((_, family)) = Family::ALL.iter().find(|(n, _)| *n == name) {
        return Ok(Requirement::AtMost(*family, version()?));
    }
    match name {
        "macos" => Ok(Requirement::MacOs(version()?)),
        "windows" => Ok(Requirement::Windows(windows_version(version()?))),
        "max-size" | "size" => size(name, value).map(Requirement::MaxSize),
        _ => Err(RequireError::Unknown(
            format!("{name}<={value}").escape_debug().to_string(),
        )),
    }
}

/// 7, 8, 8.1, 10, 11 as people count; others are the system's own numbers.
fn windows_version(v: Version) -> Version {
    let names = [
        (Version::new(7, 0), Version::new(6, 1)),
        (Version::new(8, 0), Version::new(6, 2)),
        (Version::new(8, 1), Version::new(6, 3)),
        (Version::new(11, 0), Version::new3(10, 0, 22000)),
    ];
    names
        .iter()
        .find(|(name, _)| *name == v)
        .map_or(v, |(_, version)| *version)
}

fn equals(name: &str, value: &str) -> Result<Requirement, RequireError> {
    match name {
        "runs-on" => {
            let tables = Tables::built_in();
            if let Some(version) = value.strip_prefix("macos-") {
                let version = version
                    .parse()
                    .map_err(|_| bad_value(name, value, "`macos-11.0` or the like"))?;
                return Ok(Requirement::RunsOnMacOs(version));
            }
            if value == "macos" || tables.system_ids().contains(&value) {
                return Ok(Requirement::RunsOn(value.to_owned()));
            }
            let ids = tables.system_ids().join(", ");
            Err(bad_value(
                name,
                value,
                format!("one of {ids}, macos, macos-VERSION"),
            ))
        }
        "max-size" => size(name, value).map(Requirement::MaxSize),
        "arch" if !value.is_empty() => Ok(Requirement::Architecture(value.to_owned())),
        "arch" => Err(bad_value(name, value, "a CPU such as `aarch64`")),
        _ => Err(RequireError::Unknown(
            format!("{name}={value}").escape_debug().to_string(),
        )),
    }
}

fn size(name: &str, value: &str) -> Result<u64, RequireError> {
    let bad = || {
        bad_value(
            name,
            value,
            "bytes, such as `5MB`, `500kB`, `4MiB` or `1200000`",
        )
    };
    let digits = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(bad()),
    };
    let number: u64 = number.parse().map_err(|_| bad())?;
    number.checked_mul(unit).ok_or_else(bad)
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(family, v) => write!(f, "{}<={v}", family.name()),
            Self::MacOs(v) => write!(f, "macos<={v}"),
            Self::Windows(v) => write!(f, "windows<={v}"),
            Self::Static => f.write_str("static"),
            Self::Pie => f.write_str("pie"),
            Self::Stripped => f.write_str("stripped"),
            Self::NoExecute => f.write_str("nx"),
            Self::FullRelro => f.write_str("relro"),
            Self::Signed => f.write_str("signed"),
            Self::SystemLibrariesOnly => f.write_str("system-dlls-only"),
            Self::LibrariesFound => f.write_str("libs-found"),
            Self::RunsOn(id) => write!(f, "runs-on={id}"),
            Self::RunsOnMacOs(v) => write!(f, "runs-on=macos-{v}"),
            Self::MaxSize(n) => write!(f, "max-size={n}"),
            Self::Architecture(a) => write!(f, "arch={a}"),
        }
    }
}

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
    let other = |l: &&super::libraries::Library| {
        matches!(l.status, Status::MustShip | Status::Redistributable)
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_read() {
        for (text, back) in [
            ("glibc<=2.17", "glibc<=2.17"),
            (" glibcxx <= 3.4.19 ", "glibcxx<=3.4.19"),
            ("static", "static"),
            ("no-dll-shipped", "system-dlls-only"),
            ("runs-on=debian-11", "runs-on=debian-11"),
            ("runs-on=macos-11", "runs-on=macos-11"),
            ("max-size=5MB", "max-size=5000000"),
            ("max-size=2MiB", "max-size=2097152"),
            ("windows<=7", "windows<=6.1"),
            ("windows<=11", "windows<=10.0.22000"),
            ("windows<=10", "windows<=10"),
            ("macos<=11.0", "macos<=11.0"),
        ] {
            assert_eq!(text.parse::<Requirement>().unwrap().to_string(), back);
        }
    }

    #[test]
    fn others_are_refused_with_what_there_is() {
        for unknown in [
            "",
            "statik",
            "glibc",
            "glibc>=2.17",
            "musl<=1.2",
            "colour=red",
        ] {
            let error = unknown.parse::<Requirement>().unwrap_err();
            assert!(
                matches!(error, RequireError::Unknown(_)),
                "{unknown}: {error}"
            );
            assert!(error.help().unwrap().contains("runs-on=SYSTEM"));
        }
        for (text, expected) in [
            ("glibc<=new", "a version"),
            ("runs-on=debian-4", "debian-12"),
            ("runs-on=macos-x", "macos-11.0"),
            ("max-size=5 parsecs", "5MB"),
            ("max-size=", "5MB"),
            ("max-size=99999999999GB", "5MB"),
        ] {
            let error = text.parse::<Requirement>().unwrap_err();
            assert!(error.to_string().contains(expected), "{text}: {error}");
        }
    }
}
