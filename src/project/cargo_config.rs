//! What xtool writes into cargo's configuration, as a pure function of the text that is there.
//!
//! In: the text, the [`Change`] that is wanted, and the [`Claim`]s of an earlier run. Out: the new text and claims,
//! or every conflict with the user's own settings at once. The keys are those of cargo's reference, "Configuration":
//! `[target.<triple>] linker, runner, rustflags`, `[env]` and `[unstable] build-std`.
//!
//! A key is ours when a claim says that we wrote the value that stands there, or when the value names a program in
//! a store's `shims/<variant>/` folder: then it was written by an xtool whose record is not here (a fresh clone, a
//! copied file).

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml_edit::{Item, Value};

use super::splice::{self, SpliceError};
use crate::target::Triple;

mod include;
mod verify;
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
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{} = {}`", self.key, self.found)
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
        && program.is_some_and(|p| !p.is_empty())
        // A variant's name begins with a toolchain's id and holds the triple.
        && variant.is_some_and(|v| v.contains('-'))
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
    let mut edit = Edit {
        text: body.to_owned(),
        file,
        force: change.force,
        claims: claims.to_vec(),
        conflicts: Vec::new(),
        edited: Vec::new(),
        touched: Vec::new(),
    };
    for triple in change.remove {
        edit.release(triple, &[])?;
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

/// A value as far as we tell them apart.
#[derive(Debug, PartialEq)]
enum Found {
    Text(String),
    List(Vec<String>),
    Other,
}

struct Edit<'a> {
    text: String,
    file: &'a str,
    force: bool,
    claims: Vec<Claim>,
    conflicts: Vec<Conflict>,
    edited: Vec<Edited>,
    touched: Vec<Vec<String>>,
}

impl Edit<'_> {
    fn write(&mut self, entries: &Entries) -> Result<(), RenderError> {
        let triple = entries.triple.as_str();
        let mut keep = vec![vec!["target", triple, "linker"]];
        self.scalar(&["target", triple, "linker"], utf8(&entries.linker)?)?;
        if let Some(runner) = &entries.runner {
            self.scalar(&["target", triple, "runner"], utf8(runner)?)?;
            keep.push(vec!["target", triple, "runner"]);
        }
        self.list(&["target", triple, "rustflags"], &entries.rustflags, true)?;
        keep.push(vec!["target", triple, "rustflags"]);
        for (name, value) in &entries.env {
            if !is_suffixed(name, &entries.triple) {
                return Err(RenderError::Unsuffixed {
                    name: name.clone(),
                    triple: entries.triple.clone(),
                });
            }
            self.scalar(&["env", name], value)?;
            keep.push(vec!["env", name]);
        }
        self.release(&entries.triple, &keep)
    }

    /// Sets a string.
    fn scalar(&mut self, path: &[&str], want: &str) -> Result<(), RenderError> {
        let (found, raw) = self.find(path)?;
        let claim = self.claim(path).cloned();
        let ours = |text: &str| {
            is_shim_path(text) || claim.as_ref().is_some_and(|c| c.wrote == [text.to_owned()])
        };
        let before = match found {
            None => None,
            Some(Found::Text(text)) if text == want && !ours(&text) => return Ok(()),
            Some(Found::Text(text)) if ours(&text) => claim.as_ref().and_then(|c| c.before.clone()),
            Some(_) if self.force => Some(raw),
            Some(_) => {
                self.conflicts.push(Conflict {
                    key: dotted(path),
                    found: raw,
                });
                return Ok(());
            }
        };
        self.make_claim(path, &[want.to_owned()], before)?;
        if self.find(path)?.0 != Some(Found::Text(want.to_owned())) {
            self.put(path, &splice::string_text(want))?;
        }
        Ok(())
    }

    /// Makes our elements part of a list; the user's stay. `join` says whether a list of the user's can be added to;
    /// one that cannot is left alone.
    fn list(&mut self, path: &[&str], want: &[String], join: bool) -> Result<(), RenderError> {
        let (found, raw) = self.find(path)?;
        let claim = self.claim(path).cloned();
        let wrote = claim.as_ref().map_or(&[][..], |c| &c.wrote);
        let is_ours = |e: &str| is_shim_path(e) || wrote.iter().any(|w| w == e);
        let (current, as_string) = match found {
            None => {
                if !want.is_empty() {
                    self.make_claim(path, want, None)?;
                    self.put(path, &splice::array_text(want))?;
                }
                return Ok(());
            }
            Some(Found::List(items)) => (items, false),
            Some(Found::Text(text)) => (text.split_whitespace().map(str::to_owned).collect(), true),
            Some(Found::Other) => {
                self.conflicts.push(Conflict {
                    key: dotted(path),
                    found: raw,
                });
                return Ok(());
            }
        };
        let (ours, theirs): (Vec<String>, Vec<String>) =
            current.iter().cloned().partition(|e| is_ours(e));
        if !join && !theirs.is_empty() {
            return Ok(());
        }
        let add: Vec<String> = want
            .iter()
            .filter(|w| !theirs.contains(w))
            .cloned()
            .collect();
        let before = match &claim {
            Some(c) => c.before.clone(),
            None if theirs.is_empty() && !ours.is_empty() => None,
            None => Some(raw),
        };
        if ours == add {
            if !ours.is_empty() {
                self.make_claim(path, &add, before)?;
            }
            return Ok(());
        }
        if add.is_empty() {
            return self.release_list(path, &current, as_string);
        }
        self.make_claim(path, &add, before)?;
        if as_string {
            let all = [theirs, add.clone()].concat();
            let spaced = all.iter().any(|e| e.contains(char::is_whitespace));
            let value = if spaced {
                splice::array_text(&all)
            } else {
                splice::string_text(&all.join(" "))
            };
            return self.put(path, &value);
        }
        let (key, table) = path.split_last().unwrap_or((&"", &[]));
        let taken = splice::take(&self.text, table, key, |v| v.as_str().is_some_and(is_ours))?;
        let add: Vec<String> = add.iter().map(|e| splice::string_text(e)).collect();
        self.text = splice::push(&taken, table, key, &add)?;
        self.touch(path);
        Ok(())
    }

    /// Takes every key of a target out that is ours and not in `keep`.
    fn release(&mut self, triple: &Triple, keep: &[Vec<&str>]) -> Result<(), RenderError> {
        let t = triple.as_str();
        let mut paths: Vec<Vec<String>> = ["linker", "runner", "rustflags"]
            .iter()
            .map(|k| vec!["target".to_owned(), t.to_owned(), (*k).to_owned()])
            .collect();
        let linker_is_ours = matches!(self.find(&["target", t, "linker"])?.0, Some(Found::Text(s)) if is_shim_path(&s));
        let doc = splice::parse(&self.text)?;
        let env = doc.get("env").and_then(Item::as_table_like);
        let orphans: Vec<String> = env
            .into_iter()
            .flat_map(|e| e.iter())
            .filter(|(name, _)| is_suffixed(name, triple))
            .filter(|(_, item)| {
                item.as_str()
                    .is_some_and(|v| is_shim_path(v) || (linker_is_ours && is_store_value(v)))
            })
            .map(|(name, _)| name.to_owned())
            .collect();
        let claimed = self
            .claims
            .iter()
            .filter(|c| c.path.len() == 2 && c.path[0] == "env" && is_suffixed(&c.path[1], triple))
            .map(|c| c.path[1].clone());
        let mut names: Vec<String> = claimed.chain(orphans.iter().cloned()).collect();
        names.sort();
        names.dedup();
        paths.extend(names.into_iter().map(|n| vec!["env".to_owned(), n]));
        for path in &paths {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            if keep.contains(&path) {
                continue;
            }
            match self.find(&path)?.0 {
                None => self.claims.retain(|c| c.path != path),
                Some(Found::List(items)) if path[2..] == ["rustflags"] => {
                    self.release_list(&path, &items, false)?;
                }
                Some(Found::Text(s)) if path[2..] == ["rustflags"] => {
                    let items: Vec<String> = s.split_whitespace().map(str::to_owned).collect();
                    self.release_list(&path, &items, true)?;
                }
                Some(found) => {
                    let orphan = path[0] == "env" && orphans.iter().any(|o| o == path[1]);
                    self.release_scalar(&path, &found, orphan)?;
                }
            }
        }
        Ok(())
    }

    fn release_scalar(
        &mut self,
        path: &[&str],
        found: &Found,
        orphan: bool,
    ) -> Result<(), RenderError> {
        let claim = self.claim(path).cloned();
        let text = match found {
            Found::Text(s) => s.as_str(),
            _ => "",
        };
        let wrote = claim
            .as_ref()
            .is_some_and(|c| c.wrote.iter().eq([text].iter()) && matches!(found, Found::Text(_)));
        if wrote || is_shim_path(text) || (orphan && claim.is_none()) {
            match claim.as_ref().and_then(|c| c.before.clone()) {
                Some(before) => self.put(path, &before)?,
                None => self.delete(path)?,
            }
        } else if let Some(claim) = claim {
            let restored = self.find(path)?.1;
            if claim.before.as_deref() != Some(restored.as_str()) {
                self.edited.push(Edited {
                    key: dotted(path),
                    wrote: claim.wrote.join(" "),
                });
            }
        }
        self.claims.retain(|c| c.path != path);
        Ok(())
    }

    fn release_list(
        &mut self,
        path: &[&str],
        items: &[String],
        as_string: bool,
    ) -> Result<(), RenderError> {
        let claim = self.claim(path).cloned();
        let wrote = claim.as_ref().map_or(&[][..], |c| &c.wrote);
        let is_ours = |e: &str| is_shim_path(e) || wrote.iter().any(|w| w == e);
        let theirs: Vec<&str> = items
            .iter()
            .map(String::as_str)
            .filter(|e| !is_ours(e))
            .collect();
        for gone in wrote.iter().filter(|w| !items.contains(w)) {
            let flag = gone.split_once('=').map_or(gone.as_str(), |(flag, _)| flag);
            if theirs
                .iter()
                .any(|t| t.split_once('=').is_some_and(|(f, _)| f == flag))
            {
                self.edited.push(Edited {
                    key: dotted(path),
                    wrote: gone.clone(),
                });
            }
        }
        if theirs.len() < items.len() {
            let before = claim.as_ref().and_then(|c| c.before.as_deref());
            let was_string = before.is_some_and(|b| b.starts_with(['"', '\'']));
            let unchanged = before
                .and_then(decode)
                .is_some_and(|b| b.iter().map(String::as_str).eq(theirs.iter().copied()));
            if let (Some(before), true) = (before, (as_string || was_string) && unchanged) {
                let before = before.to_owned();
                self.put(path, &before)?;
            } else if theirs.is_empty() && before.is_none() {
                self.delete(path)?;
            } else if as_string {
                self.put(path, &splice::string_text(&theirs.join(" ")))?;
            } else {
                let (key, table) = path.split_last().unwrap_or((&"", &[]));
                self.text =
                    splice::take(&self.text, table, key, |v| v.as_str().is_some_and(is_ours))?;
                self.touch(path);
            }
        }
        self.claims.retain(|c| c.path != path);
        Ok(())
    }

    /// Without a claim it is only ours when it reads exactly as we write it.
    fn release_build_std(&mut self) -> Result<(), RenderError> {
        let path = ["unstable", "build-std"];
        let (found, _) = self.find(&path)?;
        let ours = found == Some(Found::List(BUILD_STD.map(str::to_owned).to_vec()));
        if ours {
            self.delete(&path)?;
        } else if let (Some(_), Some(claim)) = (found, self.claim(&path)) {
            let wrote = claim.wrote.join(" ");
            self.edited.push(Edited {
                key: dotted(&path),
                wrote,
            });
        }
        self.claims.retain(|c| c.path != path);
        Ok(())
    }

    fn find(&self, path: &[&str]) -> Result<(Option<Found>, String), RenderError> {
        let doc = splice::parse(&self.text)?;
        let (key, table) = path.split_last().unwrap_or((&"", &[]));
        let Some(item) = splice::get(&doc, table, key) else {
            return Ok((None, String::new()));
        };
        let span = item.as_value().and_then(Value::span);
        let raw = span.map_or_else(|| "{ … }".to_owned(), |s| self.text[s].to_owned());
        let found = match item.as_value() {
            Some(Value::String(s)) => Found::Text(s.value().clone()),
            Some(Value::Array(a)) => {
                match a.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
                    Some(items) => Found::List(items.into_iter().map(str::to_owned).collect()),
                    None => Found::Other,
                }
            }
            _ => Found::Other,
        };
        Ok((Some(found), raw))
    }

    fn claim(&self, path: &[&str]) -> Option<&Claim> {
        self.claims.iter().find(|c| c.path == path)
    }

    fn make_claim(
        &mut self,
        path: &[&str],
        wrote: &[String],
        before: Option<String>,
    ) -> Result<(), RenderError> {
        let table = &path[..path.len() - 1];
        let table_existed = match self
            .claims
            .iter()
            .find(|c| c.path.len() == path.len() && c.path.starts_with_strs(table))
        {
            Some(sibling) => sibling.table_existed,
            None => self.table_is_theirs(table)?,
        };
        let claim = Claim {
            file: self.file.to_owned(),
            path: path.iter().map(|&p| p.to_owned()).collect(),
            wrote: wrote.to_vec(),
            before,
            table_existed,
        };
        match self.claims.iter_mut().find(|c| c.path == path) {
            Some(old) => *old = claim,
            None => self.claims.push(claim),
        }
        Ok(())
    }

    /// A table is the user's when it stands in the text with nothing in it, or with something that is not ours.
    fn table_is_theirs(&self, table: &[&str]) -> Result<bool, RenderError> {
        let doc = splice::parse(&self.text)?;
        let Some((last, parent)) = table.split_last() else {
            return Ok(true);
        };
        let Some(item) = splice::get(&doc, parent, last) else {
            return Ok(false);
        };
        let (Some(entries), false) = (
            item.as_table_like(),
            // Only its sub-tables stand in the text.
            item.as_table()
                .is_some_and(|t| t.is_implicit() && !t.is_dotted()),
        ) else {
            return Ok(false);
        };
        let ours = |i: &Item| match i.as_value() {
            Some(Value::String(s)) => is_shim_path(s.value()),
            Some(Value::Array(a)) => a.iter().all(|v| v.as_str().is_some_and(is_shim_path)),
            _ => false,
        };
        let mut values = entries.iter().filter(|(_, i)| i.is_value()).peekable();
        Ok(values.peek().is_none() || !values.all(|(_, i)| ours(i)))
    }

    fn put(&mut self, path: &[&str], value: &str) -> Result<(), RenderError> {
        let (key, table) = path.split_last().unwrap_or((&"", &[]));
        self.text = splice::set(&self.text, table, key, value)?;
        self.touch(path);
        Ok(())
    }

    fn delete(&mut self, path: &[&str]) -> Result<(), RenderError> {
        let (key, table) = path.split_last().unwrap_or((&"", &[]));
        let keep = self.claim(path).is_some_and(|c| c.table_existed);
        self.text = splice::remove(&self.text, table, key, keep)?;
        self.touch(path);
        Ok(())
    }

    fn touch(&mut self, path: &[&str]) {
        self.touched
            .push(path.iter().map(|&p| p.to_owned()).collect());
    }
}

trait StartsWithStrs {
    fn starts_with_strs(&self, prefix: &[&str]) -> bool;
}

impl StartsWithStrs for Vec<String> {
    fn starts_with_strs(&self, prefix: &[&str]) -> bool {
        self.len() >= prefix.len() && self.iter().zip(prefix).all(|(a, b)| a == b)
    }
}

/// The words of a list or string given as TOML text.
fn decode(value: &str) -> Option<Vec<String>> {
    match value.parse::<Value>().ok()? {
        Value::String(s) => Some(s.value().split_whitespace().map(str::to_owned).collect()),
        Value::Array(a) => a.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn utf8(path: &Path) -> Result<&str, RenderError> {
    path.to_str().ok_or_else(|| RenderError::NotUtf8 {
        path: path.to_owned(),
    })
}

fn dotted(path: &[&str]) -> String {
    let parts: Vec<String> = path.iter().map(|p| splice::key_text(p)).collect();
    parts.join(".")
}

/// `CC_x86_64_pc_windows_gnu`, `CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER`.
fn is_suffixed(name: &str, triple: &Triple) -> bool {
    let ends = |suffix: &str| name.strip_suffix(suffix).is_some_and(|n| n.ends_with('_'));
    ends(&triple.env_suffix())
        || ends(triple.as_str())
        || ends(&triple.env_upper())
        || name.starts_with(&format!("CARGO_TARGET_{}_", triple.env_upper()))
}

/// What else of ours can stand in `[env]`: a switch, or something in a store's toolchain folder.
fn is_store_value(value: &str) -> bool {
    value == "1"
        || value.contains("/toolchains/")
        || value.contains("\\toolchains\\")
        || value.contains("/shims/")
        || value.contains("\\shims\\")
}
