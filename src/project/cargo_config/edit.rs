//! One pass over a text: sets what is wanted, releases what is not, and notes what is in the way.

use std::path::Path;

use toml_edit::{Item, Value};

use super::{BUILD_STD, Claim, Conflict, Edited, Entries, RenderError, is_shim_path};
use crate::project::splice;
use crate::target::Triple;

/// A value as far as we tell them apart.
#[derive(Debug, PartialEq)]
enum Found {
    Text(String),
    List(Vec<String>),
    /// A value of another kind.
    Other,
    /// No value at all, but a table with a header.
    Table,
}

impl Found {
    /// A string, or the one string of a list.
    fn single(&self) -> Option<&str> {
        match self {
            Self::Text(s) => Some(s),
            Self::List(items) if items.len() == 1 => items.first().map(String::as_str),
            _ => None,
        }
    }
}

/// A text under change.
pub(super) struct Edit<'a> {
    pub(super) text: String,
    file: &'a str,
    force: bool,
    pub(super) claims: Vec<Claim>,
    pub(super) conflicts: Vec<Conflict>,
    pub(super) edited: Vec<Edited>,
    pub(super) touched: Vec<Vec<String>>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(text: &str, file: &'a str, force: bool, claims: &[Claim]) -> Self {
        Self {
            text: text.to_owned(),
            file,
            force,
            claims: claims.to_vec(),
            conflicts: Vec::new(),
            edited: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// Sets all that one target needs, and takes out what it no longer needs.
    pub(super) fn write(&mut self, entries: &Entries) -> Result<(), RenderError> {
        let triple = entries.triple.as_str();
        let unclaimed = self.is_unclaimed(&entries.triple)?;
        let mut keep = vec![vec!["target", triple, "linker"]];
        let linker = utf8(&entries.linker)?;
        self.scalar(&["target", triple, "linker"], linker, false, false)?;
        if let Some(runner) = &entries.runner {
            let runner = utf8(runner)?;
            let spaced = runner.contains(char::is_whitespace);
            self.scalar(&["target", triple, "runner"], runner, spaced, false)?;
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
            self.scalar(&["env", name], value, false, unclaimed)?;
            keep.push(vec!["env", name]);
        }
        self.release_all(&entries.triple, &keep, unclaimed)
    }

    /// Sets a single value; `listed` writes it as a list of one, because cargo splits a string at its spaces.
    /// `unclaimed`: what is there may be ours by its value alone, of a run with another home.
    fn scalar(
        &mut self,
        path: &[&str],
        want: &str,
        listed: bool,
        unclaimed: bool,
    ) -> Result<(), RenderError> {
        let (found, raw) = self.find(path)?;
        let claim = self.claim(path).cloned();
        let ours = |text: &str| {
            is_shim_path(text)
                || claim.as_ref().is_some_and(|c| c.wrote == [text.to_owned()])
                || (unclaimed && claim.is_none() && is_store_value(text))
        };
        let wanted = if listed {
            Found::List(vec![want.to_owned()])
        } else {
            Found::Text(want.to_owned())
        };
        let before = match &found {
            None => None,
            Some(found) => match found.single() {
                Some(text) if ours(text) => claim.as_ref().and_then(|c| c.before.clone()),
                Some(_) if *found == wanted => return Ok(()),
                _ if self.force && *found != Found::Table => Some(raw),
                _ => {
                    self.conflicts.push(Conflict {
                        key: dotted(path),
                        found: raw,
                        by_hand: *found == Found::Table,
                    });
                    return Ok(());
                }
            },
        };
        self.make_claim(path, &[want.to_owned()], before)?;
        if found.as_ref() == Some(&wanted) {
            return Ok(());
        }
        let value = if listed {
            splice::array_text(&[want])
        } else {
            splice::string_text(want)
        };
        self.put(path, &value)
    }

    /// Makes our elements part of a list; the user's stay. `join` says whether a list of the user's can be added to;
    /// one that cannot is left alone.
    pub(super) fn list(
        &mut self,
        path: &[&str],
        want: &[String],
        join: bool,
    ) -> Result<(), RenderError> {
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
            Some(Found::Other | Found::Table) => {
                self.conflicts.push(Conflict {
                    key: dotted(path),
                    found: raw,
                    by_hand: true,
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
    pub(super) fn release(&mut self, triple: &Triple) -> Result<(), RenderError> {
        let unclaimed = self.is_unclaimed(triple)?;
        self.release_all(triple, &[], unclaimed)
    }

    /// Whether the target's keys are ours and no claim is here to say which.
    fn is_unclaimed(&self, triple: &Triple) -> Result<bool, RenderError> {
        let path = ["target", triple.as_str(), "linker"];
        let found = self.find(&path)?.0;
        let ours = matches!(found, Some(Found::Text(s)) if is_shim_path(&s));
        Ok(ours && self.claim(&path).is_none())
    }

    /// `unclaimed`: a variable may be ours by its value alone.
    fn release_all(
        &mut self,
        triple: &Triple,
        keep: &[Vec<&str>],
        unclaimed: bool,
    ) -> Result<(), RenderError> {
        let t = triple.as_str();
        let mut paths: Vec<Vec<String>> = ["linker", "runner", "rustflags"]
            .iter()
            .map(|k| vec!["target".to_owned(), t.to_owned(), (*k).to_owned()])
            .collect();
        let doc = splice::parse(&self.text)?;
        let env = doc.get("env").and_then(Item::as_table_like);
        let orphans: Vec<String> = env
            .into_iter()
            .flat_map(|e| e.iter())
            .filter(|(name, _)| is_suffixed(name, triple))
            .filter(|(_, item)| {
                item.as_str()
                    .is_some_and(|v| is_shim_path(v) || (unclaimed && is_store_value(v)))
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
        let text = found.single();
        let wrote = claim
            .as_ref()
            .is_some_and(|c| text.is_some_and(|t| c.wrote == [t]));
        if wrote || text.is_some_and(is_shim_path) || (orphan && claim.is_none()) {
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
    pub(super) fn release_build_std(&mut self) -> Result<(), RenderError> {
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
            Some(_) => Found::Other,
            None => Found::Table,
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

/// What else of ours can stand in `[env]`: a switch, nothing (`PKG_CONFIG_PATH`), or something in a store.
fn is_store_value(value: &str) -> bool {
    value.is_empty()
        || value == "1"
        || value.contains("/toolchains/")
        || value.contains("\\toolchains\\")
        || value.contains("/shims/")
        || value.contains("\\shims\\")
}
