//! Whether an entry says what is known otherwise: by the manifest, and by the names and versions of its packages. Pure.

use super::LockKey;
use crate::archive::Archive;
use crate::manifest::{Manifest, Source, Toolchain};
use crate::pin::{AptPackage, Distribution, Pin, PinnedSource};

/// The first claim that is not so, in words.
pub(super) fn disagreement(key: &LockKey, pin: &Pin, manifest: &Manifest) -> Option<String> {
    let Some(target) = manifest.target(&key.triple) else {
        return Some("the manifest does not have this target".to_owned());
    };
    if !target.toolchains.contains(&pin.toolchain) {
        return Some(format!(
            "the lock has the toolchain `{}`, the manifest offers {}",
            pin.toolchain,
            target.toolchains.join(", ")
        ));
    }
    let toolchain = manifest.toolchains.get(&pin.toolchain)?;
    if toolchain.family != pin.family {
        return Some(format!(
            "the lock has another family for `{}` than the manifest",
            pin.toolchain
        ));
    }
    pin.sources.iter().find_map(|source| match source {
        PinnedSource::Apt {
            distribution,
            packages,
        } => of_distribution(key, distribution)
            .or_else(|| packages.iter().find_map(|p| of_package(key, p)))
            .or_else(|| of_packages(key, pin, packages, toolchain)),
        source => of_archive(key, pin, source, toolchain),
    })
}

/// The manifest's sources that an entry may come from.
pub(super) fn sources<'m>(
    key: &LockKey,
    pin: &Pin,
    toolchain: &'m Toolchain,
) -> impl Iterator<Item = &'m Source> {
    toolchain
        .artifacts
        .iter()
        .filter(|a| a.host == key.host)
        .filter(|a| a.targets.is_empty() || a.targets.contains(&key.triple))
        .filter(|a| a.version.as_ref().is_none_or(|v| *v == pin.version))
        .flat_map(|a| &a.sources)
}

/// Whether both are the same kind of place for the same bytes.
pub(super) fn is_source(known: &Source, pinned: &PinnedSource) -> bool {
    match (known, pinned) {
        (Source::Url { archive: a, .. }, PinnedSource::Url { archive: b, .. })
        | (Source::Path { archive: a, .. }, PinnedSource::Path { archive: b, .. }) => {
            a.sha256 == b.sha256
        }
        (
            Source::Pypi {
                package: p,
                archive: a,
                ..
            },
            PinnedSource::Pypi {
                package: q,
                archive: b,
                ..
            },
        ) => p == q && a.sha256 == b.sha256,
        _ => false,
    }
}

/// An archive that the manifest pins: digest, size and name.
fn of_archive(
    key: &LockKey,
    pin: &Pin,
    source: &PinnedSource,
    toolchain: &Toolchain,
) -> Option<String> {
    let archives = source.archives();
    let archive = archives.first()?;
    let Some(known) = sources(key, pin, toolchain).find(|s| is_source(s, source)) else {
        let with = format!("`{}` with sha256 {}", archive.file, archive.sha256);
        let name = &pin.toolchain;
        return Some(match versions_of(archive, toolchain).as_slice() {
            [] => format!(
                "the lock has {with} for {name} {}, which the manifest does not have from there",
                pin.version
            ),
            [version] if *version != pin.version => format!(
                "the lock has {with} for {name} {}, and that is {name} {version}",
                pin.version
            ),
            _ => format!("the lock has {with}, which the manifest has for another host or target"),
        });
    };
    let known = known.archive()?;
    if known.size.zip(archive.size).is_some_and(|(a, b)| a != b) {
        return Some(format!(
            "the lock says that `{}` has {} bytes, the manifest {}",
            archive.file,
            archive.size.unwrap_or_default(),
            known.size.unwrap_or_default()
        ));
    }
    (known.file != archive.file).then(|| {
        format!(
            "the lock calls a file `{}` that the manifest calls `{}`",
            archive.file, known.file
        )
    })
}

/// The versions whose archive it is.
fn versions_of<'m>(archive: &Archive, toolchain: &'m Toolchain) -> Vec<&'m str> {
    let is_it = |s: &Source| s.archive().is_some_and(|a| a.sha256 == archive.sha256);
    let mut versions: Vec<&str> = toolchain
        .artifacts
        .iter()
        .filter(|a| a.sources.iter().any(is_it))
        .filter_map(|a| a.version.as_deref())
        .collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

/// The entry's key and its packages speak of one distribution.
fn of_distribution(key: &LockKey, packages: &Distribution) -> Option<String> {
    (key.distribution.as_ref() != Some(packages)).then(|| match &key.distribution {
        Some(entry) => format!("the entry is for {entry}, its packages are of {packages}"),
        None => {
            format!("its packages are of {packages}, and the entry says nothing of a distribution")
        }
    })
}

/// A package's file bears its name, version and architecture, and the architecture is the host's.
fn of_package(key: &LockKey, package: &AptPackage) -> Option<String> {
    let AptPackage {
        name,
        version,
        architecture,
        archive,
    } = package;
    if archive.file != package.file_name() {
        return Some(format!(
            "the lock has {name} {version} for {architecture}, and for its file `{}`",
            archive.file
        ));
    }
    let host = if key.host.is_arm64() {
        "arm64"
    } else {
        "amd64"
    };
    (architecture != "all" && architecture != host).then(|| {
        format!("the lock has {name} for {architecture}, and that host's packages are for {host}")
    })
}

/// They are those that the manifest asks for, and one of them has the entry's version.
fn of_packages(
    key: &LockKey,
    pin: &Pin,
    packages: &[AptPackage],
    toolchain: &Toolchain,
) -> Option<String> {
    let named = |name: &String| packages.iter().find(|p| p.name == *name);
    let version_of = sources(key, pin, toolchain).find_map(|source| match source {
        Source::Apt {
            packages,
            version_of,
        } if packages.iter().all(|p| named(p).is_some()) => Some(version_of),
        _ => None,
    });
    let Some(version_of) = version_of else {
        return Some(format!(
            "the lock has apt packages for `{}` that the manifest does not name",
            pin.toolchain
        ));
    };
    let Some(package) = named(version_of) else {
        return Some(format!(
            "the lock has no package {version_of}, whose version is that of `{}`",
            pin.toolchain
        ));
    };
    (package.upstream_version() != pin.version).then(|| {
        format!(
            "the lock has {} {}, and its package {version_of} {} is {}",
            pin.toolchain,
            pin.version,
            package.version,
            package.upstream_version()
        )
    })
}
