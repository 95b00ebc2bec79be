//! Text to [`Lock`]. The file may come from a stranger: every name in it that can become a part of a path is checked
//! here.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::{Lock, LockKey, VERSION};
use crate::archive::Archive;
use crate::digest::Sha256;
use crate::manifest::Family;
use crate::pin::{AptPackage, Distribution, Pin, PinnedSource};
use crate::project::ProjectError;
use crate::project::splice;
use crate::target::{Host, Triple, check_name};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    #[expect(
        dead_code,
        reason = "read by `RawVersion`, before anything else is judged"
    )]
    version: u64,
    #[serde(default)]
    entry: Vec<Spanned<RawEntry>>,
}

/// The version alone, so that a newer format is told apart from a broken one.
#[derive(Deserialize)]
struct RawVersion {
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    target: Triple,
    host: Spanned<Host>,
    distribution: Option<Distribution>,
    toolchain: Spanned<String>,
    version: Spanned<String>,
    family: Family,
    sources: Spanned<Vec<Spanned<RawSource>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    url: Option<String>,
    pypi: Option<String>,
    apt: Option<Distribution>,
    path: Option<PathBuf>,
    file: Option<String>,
    sha256: Option<Sha256>,
    size: Option<u64>,
    root: Option<String>,
    minisign: Option<String>,
    packages: Option<Vec<RawPackage>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPackage {
    name: String,
    version: String,
    architecture: String,
    file: String,
    sha256: Sha256,
    size: Option<u64>,
}

impl Lock {
    /// Parses and validates; an error has file, line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ProjectError> {
        let (_, text) = splice::split_bom(text);
        let bad = |e: &toml::de::Error| ProjectError::from_toml(path, text, e);
        let version = toml::from_str::<RawVersion>(text)
            .map_err(|e| bad(&e))?
            .version;
        if version > VERSION {
            return Err(ProjectError::NewerLock {
                path: path.to_owned(),
                found: version,
                known: VERSION,
            });
        }
        if version == 0 {
            return Err(ProjectError::at(
                path,
                text,
                0,
                "`version` must be at least 1",
            ));
        }
        let raw: RawLock = toml::from_str(text).map_err(|e| bad(&e))?;
        let mut lock = Self::default();
        for entry in raw.entry {
            let at = entry.span().start;
            let here = |offset: usize, e: &str| ProjectError::at(path, text, offset, e);
            let e = entry.into_inner();
            let key = LockKey {
                triple: e.target,
                host: e.host.into_inner(),
                distribution: e.distribution,
            };
            if let Some(d) = &key.distribution {
                check_distribution(d).map_err(|m| here(at, &m))?;
            }
            let checked = |value: &Spanned<String>, what| {
                check_name(value.get_ref(), what)
                    .map_err(|m| here(value.span().start, &m.to_string()))
            };
            checked(&e.toolchain, "toolchain name")?;
            checked(&e.version, "toolchain version")?;
            let at_sources = e.sources.span().start;
            let sources = e
                .sources
                .into_inner()
                .into_iter()
                .map(|s| {
                    let at = s.span().start;
                    s.into_inner().validated().map_err(|m| here(at, &m))
                })
                .collect::<Result<Vec<_>, _>>()?;
            if sources.is_empty() {
                return Err(here(at_sources, "an entry needs at least one source"));
            }
            let pin = Pin {
                toolchain: e.toolchain.into_inner(),
                version: e.version.into_inner(),
                family: e.family,
                sources,
            };
            let twice = format!("a second entry for `{}` on `{}`", key.triple, key.host);
            if lock.entries.insert(key, pin).is_some() {
                return Err(here(at, &twice));
            }
        }
        Ok(lock)
    }
}

impl RawSource {
    fn validated(self) -> Result<PinnedSource, String> {
        let kinds = [
            self.url.is_some(),
            self.pypi.is_some(),
            self.apt.is_some(),
            self.path.is_some(),
        ];
        if kinds.iter().filter(|k| **k).count() != 1 {
            return Err("a source has exactly one of `url`, `pypi`, `apt`, `path`".to_owned());
        }
        if self.minisign.is_some() && self.url.is_none() {
            return Err("`minisign` belongs to a `url` source".to_owned());
        }
        if self.packages.is_some() != self.apt.is_some() {
            return Err(
                "`packages` belongs to an `apt` source, and an `apt` source needs it".to_owned(),
            );
        }
        if let Some(distribution) = self.apt {
            if self.file.is_some()
                || self.sha256.is_some()
                || self.size.is_some()
                || self.root.is_some()
            {
                return Err("an `apt` source has only `packages`".to_owned());
            }
            check_distribution(&distribution)?;
            let packages = self.packages.unwrap_or_default();
            if packages.is_empty() {
                return Err("an `apt` source needs at least one package".to_owned());
            }
            return Ok(PinnedSource::Apt {
                distribution,
                packages: packages
                    .into_iter()
                    .map(RawPackage::validated)
                    .collect::<Result<_, _>>()?,
            });
        }
        let (Some(file), Some(sha256)) = (self.file, self.sha256) else {
            return Err("a source needs `file` and `sha256`".to_owned());
        };
        check_file(&file)?;
        let root = self.root;
        if let Some(root) = &root {
            check_root(root)?;
        }
        let archive = Archive {
            file,
            sha256,
            size: self.size,
        };
        if let Some(url) = self.url {
            return Ok(PinnedSource::Url {
                url: parse_url(&url)?,
                archive,
                root,
                minisign: self.minisign,
            });
        }
        if let Some(package) = self.pypi {
            check_name(&package, "package name").map_err(|e| e.to_string())?;
            return Ok(PinnedSource::Pypi {
                package,
                archive,
                root,
            });
        }
        let path = self.path.unwrap_or_default();
        if path.as_os_str().is_empty() {
            return Err("`path` is empty".to_owned());
        }
        Ok(PinnedSource::Path {
            path,
            archive,
            root,
        })
    }
}

impl RawPackage {
    fn validated(self) -> Result<AptPackage, String> {
        check_name(&self.name, "package name").map_err(|e| e.to_string())?;
        check_name(&self.architecture, "architecture").map_err(|e| e.to_string())?;
        // Debian's versions also have `:` after an epoch; they are not part of a path.
        check_name(&self.version.replacen(':', "+", 1), "package version")
            .map_err(|_| format!("`{}` is not a package version", self.version.escape_debug()))?;
        check_file(&self.file)?;
        Ok(AptPackage {
            name: self.name,
            version: self.version,
            architecture: self.architecture,
            archive: Archive {
                file: self.file,
                sha256: self.sha256,
                size: self.size,
            },
        })
    }
}

fn check_distribution(d: &Distribution) -> Result<(), String> {
    check_name(&d.id, "distribution").map_err(|e| e.to_string())?;
    check_name(&d.codename, "distribution release").map_err(|e| e.to_string())
}

/// A plain file name, on every system.
fn check_file(name: &str) -> Result<(), String> {
    let ok = !name.is_empty()
        && name.len() <= 255
        && name != "."
        && name != ".."
        && !name.starts_with('-')
        && !name
            .chars()
            .any(|c| c.is_control() || "/\\:*?\"<>|".contains(c));
    if ok {
        return Ok(());
    }
    Err(format!(
        "`{}` is not a file name: expected 1 to 255 characters without `/`, `\\` and control characters",
        name.escape_debug()
    ))
}

/// A relative folder that stays below where it begins.
fn check_root(root: &str) -> Result<(), String> {
    let inside = !root.is_empty()
        && !root.contains(['\\', ':'])
        && !root.chars().any(char::is_control)
        && Path::new(root)
            .components()
            .all(|c| matches!(c, Component::Normal(_)));
    if inside {
        return Ok(());
    }
    Err(format!(
        "`{}` is not a folder inside the archive",
        root.escape_debug()
    ))
}

/// HTTPS, or plain HTTP on the loopback. The text is not repeated in the error: it may hold a password.
fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("`url` is not an address: {e}"))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(format!(
            "`{}` is not an HTTPS address",
            crate::pin::redacted(&url)
        )),
    }
}
