//! Distributions that package rustc, and what they call std for a target.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::target::{TargetOs, Triple};

/// A family of distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distro {
    /// Debian, Ubuntu and what comes from them.
    Debian,
    /// Debian stable's second, newer rustc, `rustc-web`, whose packages have names of their own.
    #[serde(rename = "debian-web")]
    DebianWeb,
    /// Fedora, RHEL and what comes from them.
    Fedora,
    /// Arch Linux and what comes from it.
    Arch,
    /// Alpine.
    Alpine,
}

impl fmt::Display for Distro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debian | Self::DebianWeb => "Debian or a relative of it",
            Self::Fedora => "Fedora or a relative of it",
            Self::Arch => "Arch Linux or a relative of it",
            Self::Alpine => "Alpine Linux",
        })
    }
}

impl Distro {
    /// From the text of os-release(5): `ID`, then `ID_LIKE`.
    pub fn from_os_release(text: &str) -> Option<Self> {
        let value = |key: &str| {
            text.lines()
                .find_map(|l| l.strip_prefix(key)?.strip_prefix('='))
                .map(|v| v.trim().trim_matches(['"', '\'']).to_owned())
                .unwrap_or_default()
        };
        format!("{} {}", value("ID"), value("ID_LIKE"))
            .split_whitespace()
            .find_map(|id| match id {
                "debian" | "ubuntu" => Some(Self::Debian),
                "fedora" | "rhel" => Some(Self::Fedora),
                "arch" => Some(Self::Arch),
                "alpine" => Some(Self::Alpine),
                _ => None,
            })
    }

    /// The command that installs a package; only root can.
    pub fn install_command(self, package: &str) -> String {
        match self {
            Self::Debian | Self::DebianWeb => format!("sudo apt-get install {package}"),
            Self::Fedora => format!("sudo dnf install {package}"),
            Self::Arch => format!("sudo pacman -S {package}"),
            Self::Alpine => format!("sudo apk add {package}"),
        }
    }

    /// The package with the library's source.
    pub fn source_package(self) -> &'static str {
        match self {
            Self::DebianWeb => "rust-web-src",
            Self::Alpine | Self::Debian | Self::Fedora | Self::Arch => "rust-src",
        }
    }
}

/// The package that has std for a target; `None` where the distribution has none.
pub fn package(distro: Distro, triple: &Triple) -> Option<String> {
    let t = triple.as_str();
    let wasm = triple.arch().starts_with("wasm");
    match distro {
        Distro::Debian => match triple.os() {
            TargetOs::Windows if triple.env() == "gnu" => {
                Some("libstd-rust-dev-windows".to_owned())
            }
            TargetOs::Linux if triple.is_glibc() => {
                debian_arch(triple).map(|arch| format!("libstd-rust-dev:{arch}"))
            }
            _ if wasm => Some("libstd-rust-dev-wasm32".to_owned()),
            _ => None,
        },
        Distro::DebianWeb => None,
        Distro::Fedora => {
            let known = [
                "x86_64-pc-windows-gnu",
                "i686-pc-windows-gnu",
                "wasm32-unknown-unknown",
                "wasm32-wasip1",
            ];
            known.contains(&t).then(|| format!("rust-std-static-{t}"))
        }
        Distro::Arch => match t {
            "x86_64-unknown-linux-musl" => Some("rust-musl".to_owned()),
            "aarch64-unknown-linux-gnu" => Some("rust-aarch64-gnu".to_owned()),
            "aarch64-unknown-linux-musl" => Some("rust-aarch64-musl".to_owned()),
            _ if wasm => Some("rust-wasm".to_owned()),
            _ => None,
        },
        Distro::Alpine => wasm.then(|| "rust-wasm".to_owned()),
    }
}

/// Debian's name of an architecture whose library installs beside the host's.
fn debian_arch(triple: &Triple) -> Option<&'static str> {
    Some(match (triple.arch(), triple.env()) {
        ("x86_64", "gnu") => "amd64",
        ("aarch64", "gnu") => "arm64",
        ("armv7", "gnueabihf") => "armhf",
        ("i686", "gnu") => "i386",
        ("riscv64gc", "gnu") => "riscv64",
        ("powerpc64le", "gnu") => "ppc64el",
        ("s390x", "gnu") => "s390x",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_known_by_their_relatives() {
        let of = Distro::from_os_release;
        assert_eq!(of("PRETTY_NAME=x\nID=debian\n"), Some(Distro::Debian));
        assert_eq!(
            of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            Some(Distro::Debian)
        );
        assert_eq!(
            of("ID=\"rocky\"\nID_LIKE='rhel centos fedora'"),
            Some(Distro::Fedora)
        );
        assert_eq!(of("ID=void\n"), None);
    }

    #[test]
    fn packages_are_named() {
        let name = |d, t: &str| package(d, &t.parse().unwrap());
        assert_eq!(
            name(Distro::Debian, "x86_64-pc-windows-gnu").as_deref(),
            Some("libstd-rust-dev-windows")
        );
        assert_eq!(
            name(Distro::Debian, "aarch64-unknown-linux-gnu").as_deref(),
            Some("libstd-rust-dev:arm64")
        );
        assert_eq!(name(Distro::Debian, "x86_64-unknown-linux-musl"), None);
        assert_eq!(name(Distro::DebianWeb, "x86_64-pc-windows-gnu"), None);
        assert_eq!(Distro::DebianWeb.source_package(), "rust-web-src");
        assert_eq!(
            name(Distro::Fedora, "x86_64-pc-windows-gnu").as_deref(),
            Some("rust-std-static-x86_64-pc-windows-gnu")
        );
    }
}
