//! Why packages of the distribution cannot be had.

use std::io;
use std::path::PathBuf;

use crate::digest::Sha256;
use crate::env_vars;
use crate::help::Help;
use crate::pin::{AptPackage, Distribution};
use crate::source::BoxError;
use crate::source::client::ClientError;

/// Why packages of the distribution cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AptError {
    /// The host has no apt.
    #[error(
        "This machine has no apt (`apt-get`, `apt-cache` and an os-release file) to ask for packages"
    )]
    NoApt,
    /// The pin is another distribution's.
    #[error("The packages are those of {pinned}, and this machine's apt has those of {host}")]
    OtherDistribution {
        /// As pinned.
        pinned: Distribution,
        /// The host's.
        host: Distribution,
    },
    /// The name would not be safe on a command line.
    #[error("`{}` is not a Debian package's name: expected lower-case letters, digits, `+`, `.` and `-`", name.escape_debug())]
    Name {
        /// As read.
        name: String,
    },
    /// The version would not be safe on a command line.
    #[error("`{}` is not a Debian package's version", version.escape_debug())]
    Version {
        /// As read.
        version: String,
    },
    /// The architecture would not be safe in a file's name.
    #[error("`{}` is not the name of a Debian architecture", name.escape_debug())]
    Architecture {
        /// As read.
        name: String,
    },
    /// apt's private state could not be kept.
    #[error("Cannot keep apt's state in `{}`", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process uses the state for longer than any question takes.
    #[error("Another process has held apt's state in `{}` for {seconds} s", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Seconds.
        seconds: u64,
    },
    /// The package lists were never fetched, and the network is off.
    #[error("apt's package lists are not at hand, and the network is off")]
    Offline,
    /// The package lists could not be fetched.
    #[error("apt cannot fetch its package lists")]
    Update {
        /// Why.
        #[source]
        source: ClientError,
    },
    /// The packages cannot be resolved.
    #[error("apt cannot resolve {}{}", quoted(packages), lists_note(lists.as_deref()))]
    Resolve {
        /// The packages asked for.
        packages: Vec<String>,
        /// How fetching the package lists went wrong before.
        lists: Option<String>,
        /// Why.
        #[source]
        source: Box<ClientError>,
    },
    /// The lists' records could not be read.
    #[error("apt cannot show the packages that it resolved")]
    Show {
        /// Why.
        #[source]
        source: ClientError,
    },
    /// A line of apt's answer means nothing to us.
    #[error("apt answered with a line that is not understood: `{line}`")]
    Answer {
        /// The line.
        line: String,
    },
    /// The package lists have no SHA256 of a package.
    #[error("apt's package lists have no SHA256 of `{package}`")]
    NoDigest {
        /// Name and version.
        package: String,
    },
    /// The package whose version is the toolchain's is not among those resolved.
    #[error(
        "`{package}`, whose version is the toolchain's, is not among the packages that apt resolved"
    )]
    NoVersion {
        /// The package.
        package: String,
    },
    /// The version is in none of the host's package lists any more.
    #[error("Version {version} of `{package}` is no longer in apt's package lists{}", lists_note(lists.as_deref()))]
    VersionGone {
        /// The package.
        package: String,
        /// Its version.
        version: String,
        /// How fetching the package lists went wrong before.
        lists: Option<String>,
        /// What apt said.
        #[source]
        source: Option<Box<ClientError>>,
    },
    /// The lists have another file under this version.
    #[error(
        "apt's package lists have another `{package}` than pinned\n  expected sha256 {pinned}\n  listed   sha256 {listed}"
    )]
    OtherDigest {
        /// Name and version.
        package: String,
        /// As pinned.
        pinned: Sha256,
        /// As the lists say.
        listed: Sha256,
    },
    /// The package's address is none.
    #[error("apt gives no usable address of `{package}`")]
    Address {
        /// Name and version.
        package: String,
        /// Why.
        #[source]
        source: url::ParseError,
    },
    /// The package could not be downloaded.
    #[error("Cannot download package `{package}`")]
    Download {
        /// The package.
        package: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// apt could neither locate nor download.
    #[error("apt cannot download the packages")]
    Client {
        /// Why.
        #[source]
        source: ClientError,
    },
}

impl AptError {
    pub(super) fn gone(package: &AptPackage, source: Option<ClientError>) -> Self {
        Self::VersionGone {
            package: package.name.clone(),
            version: package.version.clone(),
            lists: None,
            source: source.map(Box::new),
        }
    }

    /// What a failed `apt-get download` means: its words are apt's own, in the C locale.
    pub(super) fn of_download(packages: &[AptPackage], source: ClientError) -> Self {
        let stderr = source.stderr();
        let gone = packages.iter().find(|p| {
            let version = format!("Version '{}' for '{}' was not found", p.version, p.name);
            let package = format!("Unable to locate package {}", p.name);
            let none = format!("Can't select candidate version from package {}", p.name);
            stderr.lines().any(|line| {
                line.contains(&version) || line.ends_with(&package) || line.contains(&none)
            })
        });
        match gone {
            Some(p) => Self::gone(p, Some(source)),
            None => Self::Client { source },
        }
    }

    /// Whether newer package lists may mend it.
    pub(super) fn lists_may_be_old(&self) -> bool {
        matches!(self, Self::VersionGone { .. } | Self::OtherDigest { .. })
    }

    /// The same, with what went wrong with the lists before.
    pub(super) fn after(mut self, trouble: Option<String>) -> Self {
        if let Self::Resolve { lists, .. } | Self::VersionGone { lists, .. } = &mut self {
            *lists = trouble;
        }
        self
    }
}

impl Help for AptError {
    fn help(&self) -> Option<String> {
        match self {
            Self::VersionGone { .. } | Self::OtherDigest { .. } => Some(
                "`xtool update` takes today's versions into `xtool.lock`; or set `XTOOL_MIRROR` to a mirror that has kept them"
                    .to_owned(),
            ),
            Self::OtherDistribution { host, .. } => Some(format!(
                "`xtool update` on this machine adds the packages of {host} to `xtool.lock`"
            )),
            Self::Offline => Some("run it once without `--offline`".to_owned()),
            Self::Update {
                source: ClientError::DiskFull { .. },
            } => Some(format!(
                "free some space, or set {} to a folder with more of it",
                env_vars::XTOOL_CACHE_DIR
            )),
            Self::Update { .. } | Self::Resolve { lists: Some(_), .. } => Some(
                "see whether `apt-get update` works, and what stands in `/etc/apt/sources.list` and `/etc/apt/sources.list.d`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

fn quoted(packages: &[String]) -> String {
    packages
        .iter()
        .map(|p| format!("`{p}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn lists_note(trouble: Option<&str>) -> String {
    trouble.map_or_else(String::new, |t| {
        format!(" (its package lists could not be updated: {t})")
    })
}
