//! `xtool.lock`: the exact toolchain of every target on every host. Committed; one file serves the whole team.
//!
//! ```toml
//! version = 1
//!
//! [[entry]]
//! target = "x86_64-pc-windows-gnu"
//! host = "x86_64-unknown-linux-gnu"
//! distribution = "debian/bookworm"      # only where apt answers
//! toolchain = "zig"
//! version = "0.15.2"
//! family = "zig"
//! sources = [
//!   { pypi = "ziglang", file = "…", sha256 = "…", size = 1, root = "ziglang" },
//!   { url = "https://…", file = "…", sha256 = "…", size = 1, minisign = "…" },
//! ]
//! ```

use std::collections::BTreeMap;
use std::fmt;

use super::atomic::{self, Held, read_text};
use super::{LOCK_FILE, Project, ProjectError};
use crate::manifest::{Manifest, Source};
use crate::pin::{Distribution, Pin, PinnedSource};
use crate::target::{Host, Triple};

mod agree;
mod parse;
mod render;

/// The format's version.
pub const VERSION: u64 = 1;

/// What an entry is for. Ordered as in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockKey {
    /// The target.
    pub triple: Triple,
    /// The machine that builds.
    pub host: Host,
    /// Its distribution, where that decides.
    pub distribution: Option<Distribution>,
}

/// The content of `xtool.lock`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    /// By what they are for.
    pub entries: BTreeMap<LockKey, Pin>,
}

/// One entry that differs between two locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockChange {
    /// The target.
    pub triple: Triple,
    /// The host.
    pub host: Host,
    /// The distribution.
    pub distribution: Option<Distribution>,
    /// The toolchain's id before; `None`: not there.
    pub from: Option<String>,
    /// The toolchain's id after; `None`: gone.
    pub to: Option<String>,
}

impl fmt::Display for LockChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` on `{}`", self.triple, self.host)?;
        if let Some(d) = &self.distribution {
            write!(f, " ({d})")?;
        }
        match (&self.from, &self.to) {
            (Some(from), Some(to)) if from == to => write!(f, ": other sources of {from}"),
            (Some(from), Some(to)) => write!(f, ": {from} → {to}"),
            (None, Some(to)) => write!(f, ": new, {to}"),
            (Some(from), None) => write!(f, ": {from} removed"),
            (None, None) => Ok(()),
        }
    }
}

impl Lock {
    /// The pin for a target on a host: the entry of that very distribution, else the one for all of them.
    pub fn get(
        &self,
        triple: &Triple,
        host: Host,
        distribution: Option<&Distribution>,
    ) -> Option<&Pin> {
        self.key(triple, host, distribution)
            .and_then(|key| self.entries.get(&key))
    }

    /// Where the entry stands that applies to this machine.
    fn key(
        &self,
        triple: &Triple,
        host: Host,
        distribution: Option<&Distribution>,
    ) -> Option<LockKey> {
        let key = |distribution| LockKey {
            triple: triple.clone(),
            host,
            distribution,
        };
        let keys = [distribution.map(|d| key(Some(d.clone()))), Some(key(None))];
        keys.into_iter()
            .flatten()
            .find(|key| self.entries.contains_key(key))
    }

    /// The same for `--locked`: what is not there is an error.
    pub fn require(
        &self,
        triple: &Triple,
        host: Host,
        distribution: Option<&Distribution>,
    ) -> Result<&Pin, ProjectError> {
        self.get(triple, host, distribution)
            .ok_or_else(|| ProjectError::NotLocked {
                triple: triple.clone(),
                host,
            })
    }

    /// Sets an entry.
    pub fn insert(
        &mut self,
        triple: Triple,
        host: Host,
        distribution: Option<Distribution>,
        pin: Pin,
    ) {
        let key = LockKey {
            triple,
            host,
            distribution,
        };
        self.entries.insert(key, pin);
    }

    /// Takes out every entry of a target.
    pub fn remove(&mut self, triple: &Triple) {
        self.entries.retain(|key, _| key.triple != *triple);
    }

    /// What differs in `new`.
    pub fn changes(&self, new: &Self) -> Vec<LockChange> {
        let mut keys: Vec<&LockKey> = self.entries.keys().chain(new.entries.keys()).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter()
            .filter(|key| self.entries.get(key) != new.entries.get(key))
            .map(|key| LockChange {
                triple: key.triple.clone(),
                host: key.host,
                distribution: key.distribution.clone(),
                from: self.entries.get(key).map(Pin::id),
                to: new.entries.get(key).map(Pin::id),
            })
            .collect()
    }

    /// `--locked`: an error unless `new` is the same.
    pub fn require_unchanged(&self, new: &Self) -> Result<(), ProjectError> {
        let changes = self.changes(new);
        if changes.is_empty() {
            Ok(())
        } else {
            Err(ProjectError::LockWouldChange { changes })
        }
    }

    /// Whether the manifest knows what an entry says: the target has the toolchain in that version, and every archive of a
    /// `url`, `pypi` or `path` source is one that the manifest pins for it. (apt's archives are pinned by the
    /// distribution's signed index; their versions and files must agree with each other.) A lock from a clone can thus
    /// not bring in an archive of its own, and one edited by hand cannot make a toolchain pass for another.
    pub fn agrees(&self, key: &LockKey, manifest: &Manifest) -> Result<(), ProjectError> {
        let Some(pin) = self.entries.get(key) else {
            return Ok(());
        };
        agree::disagreement(key, pin, manifest).map_or(Ok(()), |what| {
            Err(ProjectError::LockDisagrees {
                triple: key.triple.clone(),
                host: key.host,
                what,
            })
        })
    }

    /// The entry with the manifest's own addresses, keys and roots: the lock says which bytes, the manifest whom to ask
    /// for them. So a clone's lock leads to no server of its own, and credentials in an address need not stand in it.
    /// `None` where there is no entry; one that does not agree with the manifest is an error.
    pub fn pin(
        &self,
        triple: &Triple,
        host: Host,
        distribution: Option<&Distribution>,
        manifest: &Manifest,
    ) -> Result<Option<Pin>, ProjectError> {
        let Some(key) = self.key(triple, host, distribution) else {
            return Ok(None);
        };
        self.agrees(&key, manifest)?;
        let mut pin = self.entries[&key].clone();
        if let Some(toolchain) = manifest.toolchains.get(&pin.toolchain) {
            let known: Vec<PinnedSource> = pin
                .sources
                .iter()
                .map(|pinned| {
                    agree::sources(&key, &pin, toolchain)
                        .find(|s| agree::is_source(s, pinned))
                        .and_then(Source::pinned)
                        .unwrap_or_else(|| pinned.clone())
                })
                .collect();
            pin.sources = known;
        }
        Ok(Some(pin))
    }

    /// Reads the project's lock; `None` where there is none.
    pub fn load(project: &Project) -> Result<Option<Self>, ProjectError> {
        let path = project.root.join(LOCK_FILE);
        read_text(&path)?
            .map(|text| Self::parse(&text, &path))
            .transpose()
    }

    /// Writes the project's lock; one without entries is deleted. Returns whether the file changed.
    pub fn save(&self, _held: &Held, project: &Project) -> Result<bool, ProjectError> {
        let path = project.root.join(LOCK_FILE);
        let old = read_text(&path)?;
        if self.entries.is_empty() {
            atomic::delete(&path)?;
            return Ok(old.is_some());
        }
        let new = self.render();
        // A checkout with CRLF endings says the same.
        if old.is_some_and(|old| old.replace("\r\n", "\n") == new) {
            return Ok(false);
        }
        atomic::replace(&path, &new)?;
        Ok(true)
    }
}
