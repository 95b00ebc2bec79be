//! Requirements that make `inspect` a gate: `glibc<=2.17`, `static`, `runs-on=alpine`.

mod check;

use std::fmt;
use std::str::FromStr;

use super::tables::Tables;
use super::version::Version;
use crate::help::Help;

pub use check::{Outcome, check};

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
        "arch" => architecture(value).map(|a| Requirement::Architecture(a.to_owned())),
        _ => Err(RequireError::Unknown(
            format!("{name}={value}").escape_debug().to_string(),
        )),
    }
}

/// The CPUs that `inspect` reports, and other names that they go by (Debian's, Apple's, the first part of a triple).
const ARCHITECTURES: [(&str, &[&str]); 25] = [
    ("x86_64", &["amd64", "x64"]),
    ("x86", &["i386", "i586", "i686"]),
    ("x32", &[]),
    ("aarch64", &["arm64"]),
    ("aarch64_be", &[]),
    ("arm64_32", &[]),
    ("armhf", &["armv7"]),
    ("armel", &["arm"]),
    ("armeb", &[]),
    ("riscv64", &["riscv64gc"]),
    ("riscv32", &[]),
    ("powerpc64le", &["ppc64le", "ppc64el"]),
    ("powerpc64", &["ppc64"]),
    ("powerpc", &["ppc"]),
    ("s390x", &[]),
    ("s390", &[]),
    ("mips64el", &[]),
    ("mips64", &[]),
    ("mipsel", &[]),
    ("mips", &[]),
    ("loongarch64", &[]),
    ("loongarch32", &[]),
    ("sparc64", &[]),
    ("sparc", &[]),
    ("m68k", &[]),
];

fn architecture(value: &str) -> Result<&'static str, RequireError> {
    ARCHITECTURES
        .iter()
        .find(|(name, others)| *name == value || others.contains(&value))
        .map(|(name, _)| *name)
        .ok_or_else(|| {
            let names: Vec<&str> = ARCHITECTURES.iter().map(|(name, _)| *name).collect();
            bad_value("arch", value, format!("one of {}", names.join(", ")))
        })
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
