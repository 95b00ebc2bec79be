//! What xtool writes into cargo's configuration, as a pure function of the text that is there.
//!
//! In: the text, the [`Change`] that is wanted, and the [`Claim`]s of an earlier run. Out: the new text and claims,
//! or every conflict with the user's own settings at once. The keys are those of cargo's reference, "Configuration":
//! `[target.<triple>] linker, runner, rustflags`, `[env]` and `[unstable] build-std`.
//!
//! A key is ours when a claim says that we wrote the value that stands there, or when the value names one of our
//! programs in a store's `shims/<variant>/` folder, with all that a variant's name has: then it was written by an xtool whose record is not here (a fresh clone, a
//! copied file).

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml_edit::Item;

use super::splice::{self, SpliceError};
use crate::build_env::{CMAKE_FILE, PKG_CONFIG_FOLDER};
use crate::shim::Tool;
use crate::target::Triple;

mod edit;
mod include;
mod verify;
use edit::Edit;
pub use include::{INCLUDED_FILE, includes, render_include, unrender_include};

/// What one target needs in cargo's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    /// The target; never the host's own triple, whose build scripts would pick the cross compiler up.
    pub triple: Triple,
    /// The shim `cc`, absolute.
    pub linker: PathBuf,
    /// The shim `run`, absolute.
    pub runner: Option<PathBuf>,
    /// Only what no other place can carry (`-Cdlltool=…`): `RUSTFLAGS` in the environment hides it.
    pub rustflags: Vec<String>,
    /// Variables whose names end in the triple, in cargo's or the `cc` crate's spelling.
    pub env: Vec<(String, String)>,
}

/// What to do with the configuration.
#[derive(Debug, Clone, Default)]
pub struct Change<'a> {
    /// Targets to write or bring up to date.
    pub set: &'a [Entries],
    /// Targets whose keys are taken out again.
    pub remove: &'a [Triple],
    /// `Some(true)` writes `[unstable] build-std`, `Some(false)` takes it out, `None` leaves it.
    pub build_std: Option<bool>,
    /// Replace the user's own values; removing brings them back.
    pub force: bool,
}

/// One key that we wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// `.cargo/config.toml`, relative to the root and with `/`.
    pub file: String,
    /// `["target", "x86_64-pc-windows-gnu", "linker"]`
    pub path: Vec<String>,
    /// The value, or our elements of a list.
    pub wrote: Vec<String>,
    /// The TOML text of the value that stood there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Whether the key's table was there before.
    #[serde(default)]
    pub table_existed: bool,
}

/// A setting of the user's that stands where ours belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// `target.x86_64-pc-windows-gnu.linker`
    pub key: String,
    /// What stands there, as TOML.
    pub found: String,
    /// Nothing of ours can take its place, `force` or not: a table, or a list that is not one of texts.
    pub by_hand: bool,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{} = ", self.key)?;
        for c in self.found.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_debug())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        f.write_str("`")
    }
}

/// Something that was left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// `target.x86_64-pc-windows-gnu.linker`
    pub key: String,
    /// The value that we had written.
    pub wrote: String,
}

impl fmt::Display for Edited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no longer the `{}` that xtool wrote: left as it is",
            self.key, self.wrote
        )
    }
}

/// The outcome of [`render`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The new text; equal to the old one when there is nothing to do.
    pub text: String,
    /// What is ours in it.
    pub claims: Vec<Claim>,
    /// What was left alone on removing.
    pub edited: Vec<Edited>,
}

/// Why there is no new text.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The text is not TOML, or has no place for a key.
    #[error(transparent)]
    Splice(#[from] SpliceError),
    /// The user's own settings stand where ours belong.
    #[error("{}", conflicts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Conflicts {
        /// All of them.
        conflicts: Vec<Conflict>,
    },
    /// A variable that would reach the builds of other targets too.
    #[error("`{name}` does not end in the triple `{triple}`, so it would reach other builds")]
    Unsuffixed {
        /// The variable.
        name: String,
        /// The target.
        triple: Triple,
    },
    /// A path that TOML cannot hold.
    #[error("`{}` is not UTF-8, so it cannot stand in a configuration file", path.display())]
    NotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// The edit would have changed something else: a bug, noticed before writing.
    #[error("the edit would change `{key}`, which is not xtool's")]
    WouldChange {
        /// The key.
        key: String,
    },
}

/// What `[unstable] build-std` gets: `panic_abort` because a profile may ask for `panic = "abort"`, and cargo then
/// needs that crate (cargo's reference, "Unstable features", build-std).
pub const BUILD_STD: [&str; 2] = ["std", "panic_abort"];

/// Whether a value names a program in a store's shims, `…/shims/<variant>/<program>`, after an optional `flag=`.
pub fn is_shim_path(value: &str) -> bool {
    let path = match value.split_once('=') {
        Some((flag, path)) if flag.starts_with('-') => path,
        _ => value,
    };
    let absolute = path.starts_with('/')
        || path.starts_with('\\')
        || path.get(1..3).is_some_and(|s| s == ":\\" || s == ":/");
    let mut parts = path.rsplit(['/', '\\']);
    let (program, variant, folder) = (parts.next(), parts.next(), parts.next());
    absolute
        && folder == Some("shims")
        && program.is_some_and(is_made_by_us)
        && variant.is_some_and(is_variant)
}

/// A tool, CMake's file or pkg-config's folder, which `[env]` names.
fn is_made_by_us(file: &str) -> bool {
    let program = file.strip_suffix(".exe").unwrap_or(file);
    [CMAKE_FILE, PKG_CONFIG_FOLDER].contains(&file)
        || Tool::ALL.iter().any(|tool| tool.name() == program)
}

/// `<name>-<version>-<digest>-<triple>-<digest>`. Other programs keep folders `shims` too, with a user's own linkers
/// in them, so nothing less will do.
fn is_variant(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let digest = |at: usize| {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        parts[at].len() == 8 && parts[at].bytes().all(hex)
    };
    // A triple has two parts at least, the id two before its digest.
    parts.len() >= 6 && digest(parts.len() - 1) && (2..=parts.len() - 4).any(digest)
}

/// Applies a change to a text; `claims` are those of this file.
pub fn render(
    text: &str,
    file: &str,
    change: &Change<'_>,
    claims: &[Claim],
) -> Result<Rendered, RenderError> {
    let (bom, body) = splice::split_bom(text);
    splice::parse(body)?;
    let mut edit = Edit::new(body, file, change.force, claims);
    for triple in change.remove {
        edit.release(triple)?;
    }
    for entries in change.set {
        edit.write(entries)?;
    }
    match change.build_std {
        Some(true) => edit.list(
            &["unstable", "build-std"],
            &BUILD_STD.map(str::to_owned),
            false,
        )?,
        Some(false) => edit.release_build_std()?,
        None => {}
    }
    if !edit.conflicts.is_empty() {
        return Err(RenderError::Conflicts {
            conflicts: edit.conflicts,
        });
    }
    verify::only_touched(body, &edit.text, &edit.touched)?;
    Ok(Rendered {
        text: format!("{bom}{}", edit.text),
        claims: edit.claims,
        edited: edit.edited,
    })
}

/// The targets of which a text or its claims hold keys of ours.
pub fn targets(text: &str, claims: &[Claim]) -> Result<Vec<Triple>, SpliceError> {
    let (_, body) = splice::split_bom(text);
    let doc = splice::parse(body)?;
    let mut out: Vec<Triple> = claims
        .iter()
        .filter(|c| c.path.len() == 3 && c.path[0] == "target")
        .filter_map(|c| c.path[1].parse().ok())
        .collect();
    if let Some(table) = doc.get("target").and_then(Item::as_table_like) {
        for (name, item) in table.iter() {
            let ours = ["linker", "runner"]
                .iter()
                .filter_map(|k| item.as_table_like()?.get(k)?.as_str())
                .any(is_shim_path);
            if let (true, Ok(triple)) = (ours, name.parse()) {
                out.push(triple);
            }
        }
    }
    out.sort();
    out.dedup();
    Ok(out)
}
