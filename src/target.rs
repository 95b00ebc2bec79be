//! Target triples and the hosts that xtool runs on.
//!
//! In: a name from the command line or a file. Out: a [`Triple`] or [`Host`] that is safe to use as part of a
//! path and an environment variable.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that cannot be used, because it would not be safe as a part of a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a valid {what}: expected {expected}")]
pub struct InvalidName {
    /// What was read, with control characters escaped.
    pub name: String,
    /// What it should have been: `target triple`, `toolchain name`, …
    pub what: &'static str,
    /// The rule in words.
    pub expected: &'static str,
}

/// Checks a name that becomes one component of a path: 1–100 characters of `[A-Za-z0-9._+~-]`, starting with a
/// letter or digit.
pub fn check_name(name: &str, what: &'static str) -> Result<(), InvalidName> {
    let ok = name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._+~-".contains(c))
        && !name.contains("..");
    if ok {
        return Ok(());
    }
    Err(InvalidName {
        name: name.escape_debug().to_string(),
        what,
        expected: "1 to 100 letters, digits, `.`, `_`, `+`, `~` or `-`, starting with a letter or digit, without `..`",
    })
}

/// A Rust target triple, such as `x86_64-pc-windows-gnu`.
///
/// Holds lower-case letters, digits, `_`, `.` and `-` only, with at least one `-`; whether rustc or the manifest
/// knows it is another question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Triple(String);

/// The operating system of a target, as far as the rules tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetOs {
    /// `*-linux-*`
    Linux,
    /// `*-windows-*`
    Windows,
    /// `*-apple-darwin`
    MacOs,
    /// `wasm32-wasi*`
    Wasi,
    /// Anything else.
    Other,
}

impl Triple {
    /// The triple as rustc writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first component: `x86_64`, `i686`, `armv7`, `riscv64gc`, …
    pub fn arch(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The last component: `gnu`, `musl`, `gnueabihf`, `gnullvm`, `darwin`, …
    pub fn env(&self) -> &str {
        self.0.rsplit('-').next().unwrap_or_default()
    }

    /// The operating system that the triple names.
    pub fn os(&self) -> TargetOs {
        if self.0.contains("-linux-") {
            TargetOs::Linux
        } else if self.0.contains("-windows-") {
            TargetOs::Windows
        } else if self.0.ends_with("-apple-darwin") {
            TargetOs::MacOs
        } else if self.0.contains("-wasi") {
            TargetOs::Wasi
        } else {
            TargetOs::Other
        }
    }

    /// Whether the C library is musl.
    pub fn is_musl(&self) -> bool {
        self.env().starts_with("musl")
    }

    /// Whether the target is Linux with glibc.
    pub fn is_glibc(&self) -> bool {
        self.os() == TargetOs::Linux && self.env().starts_with("gnu")
    }

    /// The suffix of the variables that the `cc` crate reads: `x86_64_pc_windows_gnu`.
    pub fn env_suffix(&self) -> String {
        self.0.replace(['-', '.'], "_")
    }

    /// The middle of cargo's own variables: `CARGO_TARGET_{this}_LINKER`.
    pub fn env_upper(&self) -> String {
        self.env_suffix().to_ascii_uppercase()
    }

    /// Whether two triples run on the same machine with the same ABI family, so that one's programs are the
    /// other's host programs (`x86_64-unknown-linux-gnu` for itself).
    pub fn is_host_triple(&self, host: Host) -> bool {
        self.0 == host.rustc_triple()
    }
}

impl FromStr for Triple {
    type Err = InvalidName;

    fn from_str(s: &str) -> Result<Self, InvalidName> {
        check_name(s, "target triple")?;
        let ok = s.contains('-')
            && s.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c));
        if ok {
            return Ok(Self(s.to_owned()));
        }
        Err(InvalidName {
            name: s.to_owned(),
            what: "target triple",
            expected: "lower-case components joined by `-`, such as `x86_64-pc-windows-gnu`",
        })
    }
}

impl TryFrom<String> for Triple {
    type Error = InvalidName;

    fn try_from(s: String) -> Result<Self, InvalidName> {
        s.parse()
    }
}

impl From<Triple> for String {
    fn from(t: Triple) -> Self {
        t.0
    }
}

impl fmt::Display for Triple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The machine that builds: one of the six that toolchains are published for.
///
/// Displayed and parsed as the triple that the manifest uses for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    /// Linux on x86-64, whichever C library.
    LinuxX64,
    /// Linux on arm64.
    LinuxArm64,
    /// macOS on x86-64.
    MacX64,
    /// macOS on arm64.
    MacArm64,
    /// Windows on x86-64.
    WindowsX64,
    /// Windows on arm64.
    WindowsArm64,
}

impl Host {
    /// Whether its CPU is an arm64.
    pub fn is_arm64(self) -> bool {
        matches!(self, Self::LinuxArm64 | Self::MacArm64 | Self::WindowsArm64)
    }

    /// Every host, in the order in which files list them.
    pub const ALL: [Self; 6] = [
        Self::LinuxX64,
        Self::LinuxArm64,
        Self::MacX64,
        Self::MacArm64,
        Self::WindowsX64,
        Self::WindowsArm64,
    ];

    /// The host that this program was built for; `None` on a machine that no toolchain is published for.
    pub fn of_this_build() -> Option<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Some(Self::LinuxX64),
            ("linux", "aarch64") => Some(Self::LinuxArm64),
            ("macos", "x86_64") => Some(Self::MacX64),
            ("macos", "aarch64") => Some(Self::MacArm64),
            ("windows", "x86_64") => Some(Self::WindowsX64),
            ("windows", "aarch64") => Some(Self::WindowsArm64),
            _ => None,
        }
    }

    /// The name in manifest and lock, which is rustc's usual triple for the machine.
    pub fn rustc_triple(self) -> &'static str {
        match self {
            Self::LinuxX64 => "x86_64-unknown-linux-gnu",
            Self::LinuxArm64 => "aarch64-unknown-linux-gnu",
            Self::MacX64 => "x86_64-apple-darwin",
            Self::MacArm64 => "aarch64-apple-darwin",
            Self::WindowsX64 => "x86_64-pc-windows-msvc",
            Self::WindowsArm64 => "aarch64-pc-windows-msvc",
        }
    }

    /// `.exe` on Windows, else empty.
    pub fn exe_suffix(self) -> &'static str {
        if matches!(self, Self::WindowsX64 | Self::WindowsArm64) {
            ".exe"
        } else {
            ""
        }
    }

    /// Whether the host is Linux (the only one where an apt source can answer).
    pub fn is_linux(self) -> bool {
        matches!(self, Self::LinuxX64 | Self::LinuxArm64)
    }

    /// The names, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::rustc_triple).join(", ")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.rustc_triple())
    }
}

impl FromStr for Host {
    type Err = InvalidName;

    /// Accepts the six names, and the other ABIs of the same machines (`*-linux-musl`, `*-windows-gnu`).
    fn from_str(s: &str) -> Result<Self, InvalidName> {
        let triple: Triple = s.parse()?;
        Self::ALL
            .into_iter()
            .find(|h| {
                let same_os = match h {
                    Self::LinuxX64 | Self::LinuxArm64 => triple.os() == TargetOs::Linux,
                    Self::MacX64 | Self::MacArm64 => triple.os() == TargetOs::MacOs,
                    Self::WindowsX64 | Self::WindowsArm64 => triple.os() == TargetOs::Windows,
                };
                same_os && h.rustc_triple().split('-').next() == Some(triple.arch())
            })
            .ok_or_else(|| InvalidName {
                name: s.to_owned(),
                what: "host",
                expected: "one of x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu, x86_64-apple-darwin, \
                           aarch64-apple-darwin, x86_64-pc-windows-msvc, aarch64-pc-windows-msvc",
            })
    }
}

impl TryFrom<String> for Host {
    type Error = InvalidName;

    fn try_from(s: String) -> Result<Self, InvalidName> {
        s.parse()
    }
}

impl From<Host> for String {
    fn from(h: Host) -> Self {
        h.rustc_triple().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_a_folder_are_refused() {
        for bad in [
            "", "..", ".", "a/b", "/tmp/x", "a\\b", "a\0b", "-x", "a..b", "a b", "é",
        ] {
            assert!(check_name(bad, "name").is_err(), "{bad:?}");
        }
        for good in ["zig", "mingw-w64", "0.15.2", "12.2.0-14+25.2~x"] {
            assert!(check_name(good, "name").is_ok(), "{good:?}");
        }
    }

    #[test]
    fn triples_tell_their_parts() {
        let t: Triple = "armv7-unknown-linux-gnueabihf".parse().unwrap();
        assert_eq!(
            (t.arch(), t.env(), t.os()),
            ("armv7", "gnueabihf", TargetOs::Linux)
        );
        assert!(t.is_glibc() && !t.is_musl());
        assert_eq!(t.env_upper(), "ARMV7_UNKNOWN_LINUX_GNUEABIHF");
        assert!("X86_64-PC".parse::<Triple>().is_err());
        assert!("x86".parse::<Triple>().is_err());
    }

    #[test]
    fn hosts_accept_their_other_abis() {
        assert_eq!(
            "x86_64-unknown-linux-musl".parse::<Host>().unwrap(),
            Host::LinuxX64
        );
        assert_eq!(
            "aarch64-pc-windows-gnullvm".parse::<Host>().unwrap(),
            Host::WindowsArm64
        );
        assert!("riscv64gc-unknown-linux-gnu".parse::<Host>().is_err());
    }
}
