//! Apple SDKs that the user brought: validated, kept in the store, found by name.
//!
//! Apple's licence forbids handing them on, so xtool ships and names none. In: a folder `MacOSX….sdk`, or a tree that
//! holds one. Out: an [`Imported`] SDK at `<home>/sdks/<name>`, which never changes.

use std::io;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::digest::Sha256;
use crate::help::Help;
use crate::owner;
use crate::shim::Sdk;
use crate::store::{Staging, Store, StoreError};
use crate::target::check_name;
use crate::unpack::gate::Refusal;

mod compare;
mod copy;
pub use copy::copy_tree;

/// Says version and name; Apple's own file at the top of every SDK since 10.15.
const SETTINGS: &str = "SDKSettings.json";

/// What must be there for a program to compile and link. Apple's own have the parts of the C library as links to the
/// whole: what was packed without links has lost them, and `-lm` fails.
const NEEDED: [&str; 8] = [
    "usr/lib/libSystem.tbd",
    "usr/lib/libSystem.B.tbd",
    "usr/lib/libc.tbd",
    "usr/lib/libm.tbd",
    "usr/lib/libpthread.tbd",
    "usr/lib/libdl.tbd",
    "usr/include/stdio.h",
    "usr/include/sys/types.h",
];

/// Why an SDK cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    /// There is no `SDKSettings.json` where one is expected.
    #[error("`{}` is not an Apple SDK: it has no `{SETTINGS}`", path.display())]
    NotAnSdk {
        /// The folder.
        path: PathBuf,
    },
    /// More than one, and nothing says which.
    #[error("There are several Apple SDKs in `{}`: {}", path.display(), names.join(", "))]
    Several {
        /// The folder.
        path: PathBuf,
        /// Their folders.
        names: Vec<String>,
    },
    /// The settings are not what Apple writes.
    #[error("`{}` cannot be understood: {message}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The SDK is for another system.
    #[error("`{name}` is for another system than macOS")]
    OtherSystem {
        /// Its canonical name: `iphoneos17.5`.
        name: String,
    },
    /// A part is missing, as in one that was cut down too far.
    #[error("The SDK `{}` is incomplete: it has no `{}`, or an empty one", path.display(), missing.join("`, `"))]
    Incomplete {
        /// Its folder.
        path: PathBuf,
        /// What is not there, or is a link to nothing.
        missing: Vec<&'static str>,
    },
    /// An SDK of that name is in the store, and it is another one.
    #[error("Another SDK of the name `{}` is there already: `{}` differs", name_of(path), differs.display())]
    Another {
        /// The folder of the one that is there.
        path: PathBuf,
        /// What is not the same in both, relative to it.
        differs: PathBuf,
    },
    /// A link in it leads out of it.
    #[error("The SDK `{}` has a link that leaves it: `{}` leads to `{}`", path.display(), link.display(), to.display())]
    Leaves {
        /// Its folder.
        path: PathBuf,
        /// The link, relative to it.
        link: PathBuf,
        /// Its text.
        to: PathBuf,
    },
    /// A link that an archive could not have either.
    #[error("The SDK `{}` has a link that is refused: `{}`", path.display(), link.display())]
    Link {
        /// Its folder.
        path: PathBuf,
        /// The link, relative to it.
        link: PathBuf,
        /// The reason.
        #[source]
        refusal: Refusal,
    },
    /// The store lies in it.
    #[error("`{}` cannot be copied into the store, because the store is in it: `{}`", path.display(), store.display())]
    HoldsStore {
        /// Its folder.
        path: PathBuf,
        /// Where it would go.
        store: PathBuf,
    },
    /// Something that is no file, folder or link.
    #[error("The SDK `{}` has something that is no file, folder or link: `{}`", path.display(), entry.display())]
    Odd {
        /// Its folder.
        path: PathBuf,
        /// The entry, relative to it.
        entry: PathBuf,
    },
    /// No SDK of that name.
    #[error("No SDK `{name}` was imported{}", there(available))]
    Unknown {
        /// As asked for.
        name: String,
        /// Those that were.
        available: Vec<String>,
    },
    /// A file operation failed.
    #[error("Cannot {action} `{}`", path.display())]
    Io {
        /// `copy`, `read`, …
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn there(available: &[String]) -> String {
    if available.is_empty() {
        String::new()
    } else {
        format!("; there are: {}", available.join(", "))
    }
}

impl Help for SdkError {
    fn help(&self) -> Option<String> {
        match self {
            Self::NotAnSdk { .. } | Self::Settings { .. } | Self::OtherSystem { .. } => Some(
                "import the folder `MacOSX.sdk` of Xcode or of its command line tools, or an archive of it".to_owned(),
            ),
            Self::Incomplete { .. } => Some(
                "pack the SDK again with its links kept: tar --create --xz --file MacOSX.sdk.tar.xz MacOSX.sdk".to_owned(),
            ),
            Self::Several { names, .. } => Some(format!(
                "unpack it, and import one after the other: xtool sdk import {}",
                names.first().map_or("MacOSX.sdk", String::as_str)
            )),
            Self::Another { path, .. } => Some(format!(
                "to replace it, remove `{}`, and import again",
                path.display()
            )),
            Self::Unknown { .. } => Some("xtool sdk import PATH   (xtool sdk list shows what is there)".to_owned()),
            Self::Store(e) => e.help(),
            Self::Leaves { link, .. } | Self::Link { link, .. } => Some(format!(
                "an SDK of Apple's has no such link: remove `{}` from it, or pack the SDK anew where Xcode put it",
                link.display()
            )),
            Self::Odd { entry, .. } => Some(format!("remove `{}` from it", entry.display())),
            Self::HoldsStore { path, .. } => Some(format!(
                "move the SDK out of the store, or set XTOOL_HOME to a folder outside `{}`",
                path.display()
            )),
            Self::Io { .. } => None,
        }
    }
}

impl SdkError {
    /// The same about a tree by the name that the user knows it by: what was staged is gone when this is read.
    #[must_use]
    pub fn renamed(mut self, staged: &Path, known_as: &Path) -> Self {
        let path = match &mut self {
            Self::NotAnSdk { path }
            | Self::Settings { path, .. }
            | Self::Incomplete { path, .. }
            | Self::Several { path, .. }
            | Self::Leaves { path, .. }
            | Self::Link { path, .. }
            | Self::HoldsStore { path, .. }
            | Self::Odd { path, .. } => path,
            Self::OtherSystem { .. }
            | Self::Another { .. }
            | Self::Unknown { .. }
            | Self::Io { .. }
            | Self::Store(_) => {
                return self;
            }
        };
        if let Ok(rest) = path.strip_prefix(staged) {
            *path = if rest.as_os_str().is_empty() {
                known_as.to_owned()
            } else {
                known_as.join(rest)
            };
        }
        self
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SdkError + use<> {
    let path = path.to_owned();
    move |source| SdkError::Io {
        action,
        path,
        source,
    }
}

/// An SDK of the store, or any folder that is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// `MacOSX14.5`: what `--sdk` takes.
    pub name: String,
    /// `14.5`
    pub version: String,
    /// The folder with `SDKSettings.json`, absolute.
    pub path: PathBuf,
    /// What tells it from another of its name: digits of a digest.
    id: String,
}

impl Imported {
    /// One in a folder of the user's, which may change: compile caches compare the headers that they saw by their paths,
    /// so another folder is another SDK.
    fn of_the_users(mut self) -> Self {
        let told = format!("{} {}", self.id, self.path.display());
        self.id = Sha256::of(told.as_bytes()).short();
        self
    }

    /// What a shim needs of it.
    pub fn for_shim(&self) -> Sdk {
        Sdk {
            path: self.path.clone(),
            version: self.version.clone(),
            id: Some(self.id.clone()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    version: String,
    canonical_name: String,
}

/// Validates the SDK in `path`: settings, system, libSystem, headers.
pub fn inspect(path: &Path) -> Result<Imported, SdkError> {
    let file = path.join(SETTINGS);
    if !file.is_file() {
        return Err(SdkError::NotAnSdk {
            path: path.to_owned(),
        });
    }
    let text = fs_err::read(&file).map_err(io_error("read", &file))?;
    let bad = |message: String| SdkError::Settings {
        path: file.clone(),
        message,
    };
    let settings: Settings = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
    let Some(version) = settings.canonical_name.strip_prefix("macosx") else {
        return Err(SdkError::OtherSystem {
            name: settings.canonical_name.escape_debug().to_string(),
        });
    };
    let is_version = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    if !is_version(&settings.version) || !is_version(version) {
        return Err(bad(format!(
            "the version `{}` is none",
            settings.version.escape_debug()
        )));
    }
    let missing: Vec<_> = NEEDED
        .into_iter()
        .filter(|f| {
            !path
                .join(f)
                .metadata()
                .is_ok_and(|m| m.is_file() && m.len() > 0)
        })
        .collect();
    if !missing.is_empty() {
        return Err(SdkError::Incomplete {
            path: path.to_owned(),
            missing,
        });
    }
    Ok(Imported {
        name: format!("MacOSX{}", settings.version),
        version: settings.version,
        path: path.to_owned(),
        id: Sha256::of(&text).short(),
    })
}

/// The SDK in a tree: the tree itself, or the one folder `*.sdk` in it.
pub fn within(tree: &Path) -> Result<Imported, SdkError> {
    if tree.join(SETTINGS).is_file() {
        return inspect(tree);
    }
    let entries = fs_err::read_dir(tree).map_err(io_error("list", tree))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.join(SETTINGS).is_file() && !path.is_symlink())
        .collect();
    found.sort();
    match found.as_slice() {
        [path] => inspect(path),
        [_, _, ..] => Err(SdkError::Several {
            path: tree.to_owned(),
            names: found
                .iter()
                .filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
                .collect(),
        }),
        [] => Err(SdkError::NotAnSdk {
            path: tree.to_owned(),
        }),
    }
}

/// Every SDK of the store, the newest first.
pub fn imported(store: &Store) -> Vec<Imported> {
    let mut out: Vec<Imported> = Vec::new();
    for folder in store.layout().sdk_layers() {
        let Ok(entries) = fs_err::read_dir(&folder) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            if let Ok(sdk) = inspect(&entry.path())
                && out.iter().all(|other| other.name != sdk.name)
            {
                out.push(sdk);
            }
        }
    }
    out.sort_by_key(|sdk| std::cmp::Reverse(parts(&sdk.version)));
    out
}

fn parts(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|p| p.parse().ok()).collect()
}

/// The SDK that was asked for by name or by an absolute path; with nothing asked for the newest, if there is one.
pub fn find(store: &Store, asked: Option<&str>) -> Result<Option<Imported>, SdkError> {
    if let Some(path) = asked.map(Path::new).filter(|p| p.is_absolute()) {
        return within(path).map(|sdk| Some(sdk.of_the_users()));
    }
    let all = imported(store);
    let Some(asked) = asked else {
        return Ok(all.into_iter().next());
    };
    let plain = asked.strip_suffix(".sdk").unwrap_or(asked);
    let available = all.iter().map(|sdk| sdk.name.clone()).collect();
    all.into_iter()
        .find(|sdk| sdk.name == plain || sdk.version == plain)
        .map(Some)
        .ok_or_else(|| SdkError::Unknown {
            name: asked.escape_debug().to_string(),
            available,
        })
}

/// Takes the SDK in a staged tree into the store. One of that name that is there already stays: `false` then.
pub fn adopt(store: &Store, staging: Staging) -> Result<(Imported, bool), SdkError> {
    let staged = within(&staging.tree())?;
    check_name(&staged.name, "SDK name").map_err(StoreError::from)?;
    check_links(&staged.path)?;
    let _lock = store.lock(&format!("sdk-{}", staged.name), || {})?;
    let sdks = store.layout().sdks();
    let path = sdks.join(&staged.name);
    if path.is_dir() {
        if let Some(differs) = compare::first_difference(&staged.path, &path)? {
            return Err(SdkError::Another { path, differs });
        }
        drop(staging);
        return Ok((inspect(&path)?, false));
    }
    owner::create_dir_all(&sdks).map_err(io_error("create", &sdks))?;
    staging.sync()?;
    fs_err::rename(&staged.path, &path).map_err(io_error("rename into", &path))?;
    drop(staging);
    Ok((inspect(&path)?, true))
}

/// Every link stays inside. An SDK is read by compilers with all of the user's rights, so one that leads elsewhere
/// would make another place a part of it.
fn check_links(sdk: &Path) -> Result<(), SdkError> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let here = sdk.join(&folder);
        for entry in fs_err::read_dir(&here).map_err(io_error("list", &here))? {
            let entry = entry.map_err(io_error("list", &here))?;
            let relative = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(io_error("read", &entry.path()))?;
            if kind.is_dir() {
                folders.push(relative);
            } else if kind.is_symlink() {
                let text =
                    fs_err::read_link(entry.path()).map_err(io_error("read", &entry.path()))?;
                if !stays(&folder, &text) {
                    return Err(SdkError::Leaves {
                        path: sdk.to_owned(),
                        link: relative,
                        to: text,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Whether a link in `folder` (relative to the top) with this text stays below the top.
fn stays(folder: &Path, text: &Path) -> bool {
    let mut depth = folder.components().count();
    for part in text.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Layout;

    fn make(at: &Path, name: &str, version: &str) {
        for file in NEEDED {
            let file = at.join(file);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, "x").unwrap();
        }
        let text = format!(r#"{{"CanonicalName":"{name}","Version":"{version}","More":[1]}}"#);
        fs_err::write(at.join(SETTINGS), text).unwrap();
    }

    fn store(dir: &Path) -> Store {
        Store::new(Layout::new(dir.join("home"), None, dir.join("cache")))
    }

    fn import(store: &Store, from: &Path) -> Result<(Imported, bool), SdkError> {
        let staging = store.stage()?;
        copy_tree(from, &staging.tree())?;
        adopt(store, staging)
    }

    #[test]
    fn one_is_imported_once_and_found() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        for version in ["9.9", "14.5", "14.10"] {
            let from = dir.path().join(version).join("MacOSX.sdk");
            make(&from, &format!("macosx{version}"), version);
            assert!(import(&store, from.parent().unwrap()).unwrap().1);
        }
        let from = dir.path().join("14.5").join("MacOSX.sdk");
        assert!(!import(&store, &from).unwrap().1);
        let name = |asked| find(&store, asked).unwrap().unwrap().name;
        assert_eq!(name(None), "MacOSX14.10");
        assert_eq!(name(Some("14.5")), "MacOSX14.5");
        assert_eq!(name(Some("MacOSX14.5.sdk")), "MacOSX14.5");
        assert_eq!(name(from.to_str()), "MacOSX14.5");
        let error = find(&store, Some("../x")).unwrap_err();
        assert!(matches!(error, SdkError::Unknown { .. }));
        assert!(
            error.to_string().contains("MacOSX14.10, MacOSX14.5"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_sdk_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(within(dir.path()), Err(SdkError::NotAnSdk { .. })));
        let phone = dir.path().join("phone");
        make(&phone, "iphoneos17.5", "17.5");
        assert!(matches!(inspect(&phone), Err(SdkError::OtherSystem { .. })));
        let path = dir.path().join("path");
        make(&path, "macosx1", "../../x");
        assert!(matches!(inspect(&path), Err(SdkError::Settings { .. })));
        let cut = dir.path().join("cut");
        make(&cut, "macosx14.5", "14.5");
        fs_err::remove_file(cut.join(NEEDED[0])).unwrap();
        let error = inspect(&cut).unwrap_err();
        assert!(error.to_string().contains("libSystem.tbd"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leaves_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        for (version, text, good) in [
            ("14.1", "libSystem.tbd", true),
            ("14.2", "../include/stdio.h", true),
            ("14.3", "../../../x", false),
            ("14.4", "/etc/passwd", false),
        ] {
            let from = dir.path().join("from");
            make(&from, &format!("macosx{version}"), version);
            let link = from.join("usr/lib/libobjc.tbd");
            fs_err::os::unix::fs::symlink(text, &link).unwrap();
            assert_eq!(import(&store, &from).is_ok(), good, "{text}");
            fs_err::remove_dir_all(&from).unwrap();
        }
    }
}
