//! A [`Pin`]: one toolchain in one version for one host, down to the digest of every archive. What the lock holds
//! and what an install takes.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::archive::Archive;
use crate::digest::{Hasher, Sha256};
use crate::manifest::Family;

/// A toolchain to install, exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct Pin {
    /// The toolchain's name.
    pub toolchain: String,
    /// Its version.
    pub version: String,
    /// Which rules its shim uses.
    pub family: Family,
    /// In order of preference; each is enough by itself.
    pub sources: Vec<PinnedSource>,
}

/// A source whose every archive is known by digest.
#[derive(Debug, Clone, PartialEq)]
pub enum PinnedSource {
    /// A plain address.
    Url {
        /// The address.
        url: Url,
        /// What must come from there.
        archive: Archive,
        /// The folder inside that becomes the root.
        root: Option<String>,
        /// The publisher's minisign public key.
        minisign: Option<String>,
    },
    /// A file of a Python package.
    Pypi {
        /// The package.
        package: String,
        /// The wheel.
        archive: Archive,
        /// The folder inside that becomes the root.
        root: Option<String>,
    },
    /// Packages of a distribution; all of them together are the toolchain.
    Apt {
        /// Whose packages.
        distribution: Distribution,
        /// The whole closure, sorted by name.
        packages: Vec<AptPackage>,
    },
    /// A file or folder of the user's.
    Path {
        /// Absolute.
        path: PathBuf,
        /// What it must be.
        archive: Archive,
        /// The folder inside that becomes the root.
        root: Option<String>,
    },
}

/// One package file of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptPackage {
    /// `gcc-mingw-w64-x86-64-posix`
    pub name: String,
    /// Debian's version with epoch and revision.
    pub version: String,
    /// `amd64`, `all`, …
    pub architecture: String,
    /// File name, SHA256 and Size of the package index.
    pub archive: Archive,
}

impl AptPackage {
    /// The version without epoch and revision: Debian Policy, section 5.6.12.
    pub fn upstream_version(&self) -> &str {
        let version = self
            .version
            .split_once(':')
            .map_or(&*self.version, |(_, v)| v);
        version.rsplit_once('-').map_or(version, |(v, _)| v)
    }

    /// The name that `apt-get download` gives its file.
    pub fn file_name(&self) -> String {
        let version = self.version.replace(':', "%3a");
        format!("{}_{version}_{}.deb", self.name, self.architecture)
    }
}

/// A distribution's release: what apt's answers depend on. Displayed and parsed as `debian/bookworm`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Distribution {
    /// os-release's `ID`: `debian`, `ubuntu`, …
    pub id: String,
    /// os-release's `VERSION_CODENAME`, or `VERSION_ID` without one.
    pub codename: String,
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.id, self.codename)
    }
}

impl TryFrom<String> for Distribution {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        match s.split_once('/') {
            Some((id, codename))
                if !id.is_empty() && !codename.is_empty() && !codename.contains('/') =>
            {
                Ok(Self {
                    id: id.to_owned(),
                    codename: codename.to_owned(),
                })
            }
            _ => Err(format!(
                "`{}` is not a distribution: expected `id/codename`, such as `debian/bookworm`",
                s.escape_debug()
            )),
        }
    }
}

impl From<Distribution> for String {
    fn from(d: Distribution) -> Self {
        d.to_string()
    }
}

impl Pin {
    /// The folder name in the store: `zig-0.15.2-8063164a`. The last part is a digest over *all* archives of *all*
    /// sources, so that it does not depend on which source answered.
    pub fn id(&self) -> String {
        let mut digests: Vec<Sha256> = self
            .sources
            .iter()
            .flat_map(PinnedSource::archives)
            .map(|a| a.sha256)
            .collect();
        digests.sort_unstable();
        digests.dedup();
        let mut hasher = Hasher::new();
        for d in digests {
            hasher.update(d.to_string().as_bytes());
        }
        format!(
            "{}-{}-{}",
            self.toolchain,
            self.version,
            hasher.finish().short()
        )
    }
}

impl PinnedSource {
    /// What has to be had: one archive, or a package's whole closure.
    pub fn archives(&self) -> Vec<&Archive> {
        match self {
            Self::Url { archive, .. } | Self::Pypi { archive, .. } | Self::Path { archive, .. } => {
                vec![archive]
            }
            Self::Apt { packages, .. } => packages.iter().map(|p| &p.archive).collect(),
        }
    }

    /// How messages name it: the package and its client, or the address without credentials.
    pub fn describe(&self) -> String {
        match self {
            Self::Url { url, .. } => redacted(url),
            Self::Pypi { package, .. } => format!("`{package}` from pip's index"),
            Self::Apt {
                distribution,
                packages,
            } => format!("{} apt packages of {distribution}", packages.len()),
            Self::Path { path, .. } => path.display().to_string(),
        }
    }
}

/// An address without user name, password, query and fragment, for messages and logs.
pub fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    let secret = !url.username().is_empty() || url.password().is_some();
    if secret {
        // Cannot fail: an address with a user name has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    if url.query().is_some() {
        url.set_query(Some("…"));
    }
    // No server gets it, so what stands there is a note of the user's, or a token of theirs.
    url.set_fragment(None);
    url.to_string().replace("%E2%80%A6", "…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_lose_epoch_and_revision() {
        let upstream = |version: &str| {
            let package = AptPackage {
                name: "gcc".to_owned(),
                version: version.to_owned(),
                architecture: "amd64".to_owned(),
                archive: Archive {
                    file: String::new(),
                    sha256: Sha256::of(b""),
                    size: None,
                },
            };
            package.upstream_version().to_owned()
        };
        assert_eq!(upstream("12.2.0-14+deb12u1+25.2+b1"), "12.2.0");
        assert_eq!(upstream("4:12.2.0-3"), "12.2.0");
        assert_eq!(upstream("2:1.0-rc1-2"), "1.0-rc1");
        assert_eq!(upstream("7"), "7");
    }
}
