//! The store: where toolchains are, each in a folder of its own that never changes.
//!
//! In: an id and a staged folder. Out: an [`Installed`] toolchain. A toolchain exists once its receipt does; the
//! folder is renamed into place before the receipt is written, so that a crash leaves nothing that counts. A receipt
//! may say that parts are missing; those can be added later, and what is there stays as it is.

mod exe;
mod in_use;
mod layout;
mod lock;
mod parts;
mod prune;
mod receipt;
mod staging;
mod zig_cache;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use layout::Layout;
use lock::Kind;
pub use lock::Lock;
pub use prune::{Pruned, dir_size};
pub use receipt::Receipt;
pub use staging::Staging;

use crate::help::Help;
use crate::owner;
use crate::parts::{Extent, Paths};
use crate::target::check_name;

/// Why the store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Neither `XTOOL_HOME` nor the platform says where the store is.
    #[error("Cannot tell where the store is: neither XTOOL_HOME nor a home folder is set")]
    NoHome,
    /// A variable that says where the store is is not an absolute path.
    #[error("{name} is `{}`: expected an absolute path", value.display())]
    NotAbsolute {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: PathBuf,
    },
    /// A store whose tools could not be called by their paths.
    #[error(
        "{name} is `{}`: {found} in the path of the tools breaks builds with them",
        shown(value)
    )]
    Unusable {
        /// The variable, which may not be set: its default lies in the user's home.
        name: &'static str,
        /// The path.
        value: PathBuf,
        /// The character.
        found: String,
    },
    /// An id that would not be safe as a folder name.
    #[error("Cannot use a toolchain id as a folder name")]
    Id(#[from] crate::target::InvalidName),
    /// A file operation failed.
    #[error("Cannot {action} `{}`", path.display())]
    Io {
        /// `create`, `rename`, …
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A receipt is not what xtool writes.
    #[error("The receipt `{}` cannot be read: {message}", path.display())]
    Receipt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

impl StoreError {
    /// Makes the mapper for an operation on a path.
    pub(crate) fn io(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// A path on one line.
fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(char::is_control, "\u{fffd}")
}

impl Help for StoreError {
    fn help(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("export XTOOL_HOME=\"$HOME/.local/share/xtool\"".to_owned()),
            Self::NotAbsolute { name, value } => Some(match std::path::absolute(value) {
                Ok(path) => format!("export {name}='{}'", path.display()),
                Err(_) => format!("unset {name}"),
            }),
            Self::Unusable { name, .. } => Some(format!(
                "set {name} to a folder whose path has letters, digits and `-_.` only"
            )),
            Self::Io { path, .. } if dangling(path).is_some() => dangling(path).map(|link| {
                format!(
                    "`{}` is a link that leads nowhere: make what it leads to, or set XTOOL_HOME to another folder",
                    link.display()
                )
            }),
            Self::Io { source, path, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Some(format!(
                    "make `{}` writable, or set XTOOL_HOME to a folder of your own",
                    path.display()
                )),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Some(
                    "free space with `xtool cache clean` or `xtool cache prune`, or set XTOOL_HOME to a larger disk"
                        .to_owned(),
                ),
                _ => None,
            },
            Self::Receipt { path, .. } => Some(format!("rm '{}' && xtool sync", path.display())),
            Self::Id(_) => None,
        }
    }
}

/// The link that leads nowhere on the way to a path, if that is why it is not there.
fn dangling(path: &Path) -> Option<&Path> {
    path.ancestors()
        .find(|p| p.is_symlink() && fs_err::metadata(p).is_err())
}

/// Who prunes holds it, and who must not be pruned shares it.
const PRUNE_KEY: &str = "prune";

/// The store with its layers: the user's home, and a read-only one below it.
#[derive(Debug, Clone)]
pub struct Store {
    layout: Layout,
}

/// A toolchain that is complete.
#[derive(Debug, Clone)]
pub struct Installed {
    /// `zig-0.15.2-8063164a`
    pub id: String,
    /// Its root folder.
    pub path: PathBuf,
    /// What its receipt says.
    pub receipt: Receipt,
    /// Whether it lies in the user's own layer.
    pub own: bool,
}

impl Installed {
    /// What of `wanted` is not there.
    pub fn lacks(&self, wanted: &Extent) -> BTreeSet<Paths> {
        self.receipt.extent().lacks(wanted)
    }
}

impl Store {
    /// A store in these folders; nothing is created before something is written.
    pub fn new(layout: Layout) -> Self {
        Self { layout }
    }

    /// Where things are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The toolchain with that id in the first layer that has it, however much of it.
    pub fn find(&self, id: &str) -> Result<Option<Installed>, StoreError> {
        Ok(self.layers_with(id)?.into_iter().next())
    }

    /// The toolchain with that id in the first layer that has so much of it.
    pub fn find_with(&self, id: &str, wanted: &Extent) -> Result<Option<Installed>, StoreError> {
        let mut layers = self.layers_with(id)?.into_iter();
        Ok(layers.find(|installed| installed.lacks(wanted).is_empty()))
    }

    /// The toolchain with that id in the user's own layer.
    pub fn find_own(&self, id: &str) -> Result<Option<Installed>, StoreError> {
        Ok(self.layers_with(id)?.into_iter().find(|i| i.own))
    }

    fn layers_with(&self, id: &str) -> Result<Vec<Installed>, StoreError> {
        check_name(id, "toolchain id")?;
        let mut found = Vec::new();
        for (toolchains, own) in self.layout.toolchain_layers() {
            let path = toolchains.join(id);
            match Receipt::read(&toolchains, id)? {
                Some(receipt) if path.is_dir() => found.push(Installed {
                    id: id.to_owned(),
                    path,
                    receipt,
                    own,
                }),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Every complete toolchain of every layer; one id once.
    pub fn installed(&self) -> Result<Vec<Installed>, StoreError> {
        let mut out: Vec<Installed> = Vec::new();
        for (toolchains, _) in self.layout.toolchain_layers() {
            let Ok(entries) = fs_err::read_dir(&toolchains) else {
                continue;
            };
            for entry in entries {
                let entry = entry.map_err(StoreError::io("list", &toolchains))?;
                let name = entry.file_name();
                let Some(id) = name.to_str().and_then(|n| n.strip_suffix(".toml")) else {
                    continue;
                };
                if out.iter().all(|i| i.id != id) && check_name(id, "toolchain id").is_ok() {
                    out.extend(self.find(id)?);
                }
            }
        }
        out.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(out)
    }

    /// Waits for the lock of one key; other keys are not held up.
    pub fn lock(&self, key: &str, waiting: impl FnOnce()) -> Result<Lock, StoreError> {
        check_name(key, "lock name")?;
        Lock::acquire(&self.layout.locks(), key, Kind::Exclusive, waiting)
    }

    /// Keeps [`Store::prune`] out while toolchains are found or installed and nobody has written down yet who uses
    /// them. Any number may hold it; a prune that is under way is waited for. Clears away what dead processes left.
    pub fn hold(&self, waiting: impl FnOnce()) -> Result<Lock, StoreError> {
        let lock = Lock::acquire(&self.layout.locks(), PRUNE_KEY, Kind::Shared, waiting)?;
        staging::sweep(&self.layout.staging(), &self.layout.locks())?;
        Ok(lock)
    }

    /// An empty folder on the store's file system, gone again unless it is committed. Clears away what dead
    /// processes left there.
    pub fn stage(&self) -> Result<Staging, StoreError> {
        Staging::create(&self.layout.staging(), &self.layout.locks())
    }

    /// Makes a staged folder the toolchain `id`. The caller holds the id's lock.
    pub fn commit(
        &self,
        staging: Staging,
        id: &str,
        receipt: &Receipt,
    ) -> Result<Installed, StoreError> {
        check_name(id, "toolchain id")?;
        let toolchains = self.layout.toolchains();
        owner::create_dir_all(&toolchains).map_err(StoreError::io("create", &toolchains))?;
        let path = toolchains.join(id);
        // Left by a process that died between the rename and the receipt: nobody uses it.
        if path.symlink_metadata().is_ok() {
            self.discard(&path)?;
        }
        // Written before the sync, renamed after the tree: a receipt vouches for a tree that is whole and on the disk.
        let written = staging.scratch().join("receipt");
        receipt.write(&written)?;
        staging.sync()?;
        match fs_err::rename(staging.tree(), &path) {
            Ok(()) => {}
            // On a file system without locks another process may have been faster: the same bytes are there.
            Err(_) if path.is_dir() => {}
            Err(e) => return Err(StoreError::io("rename into", &path)(e)),
        }
        let place = toolchains.join(format!("{id}.toml"));
        fs_err::rename(&written, &place).map_err(StoreError::io("rename into", &place))?;
        drop(staging);
        Ok(Installed {
            id: id.to_owned(),
            path,
            receipt: receipt.clone(),
            own: true,
        })
    }

    /// Takes a folder of the store away: first by rename, so that no half of it is ever seen under its name.
    pub(crate) fn discard(&self, path: &Path) -> Result<(), StoreError> {
        let trash = self.stage()?;
        fs_err::rename(path, trash.tree().join("discarded")).map_err(StoreError::io("remove", path))
    }
}
