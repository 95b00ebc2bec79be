//! Parts of a toolchain: folders of its archive that only some targets need. Pure, but for [`Paths::found_in`].
//!
//! In: what the manifest says of a toolchain's parts, and which of them targets list. Out: an [`Extent`], what an
//! install must write and what it may leave out. What no part names belongs to every install: so what a newer version
//! of the toolchain brings is never missing, only perhaps too much.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The name of what no part has.
pub const CORE: &str = "core";

/// Why the parts of a toolchain, or a target's list of them, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// Not a path below the toolchain's root.
    #[error(
        "`{path}` is not a path inside the toolchain: expected names joined by `/`, without `..`, with at most one `*` in each"
    )]
    Leaves {
        /// As given, escaped.
        path: String,
    },
    /// Two parts, or one twice, with the same path or one inside the other.
    #[error(
        "`{path}` of the part `{part}` is, or may be, in `{other}` of the part `{other_part}` too: expected each folder in one part"
    )]
    Overlap {
        /// The later path.
        path: String,
        /// Its part.
        part: String,
        /// The earlier path.
        other: String,
        /// Its part.
        other_part: String,
    },
    /// A part with the name that stands for everything else.
    #[error("A part is named `{CORE}`, which is what no part has: expected another name")]
    Core,
    /// A target lists a part that its toolchain does not have.
    #[error(
        "The toolchain `{toolchain}` has no part `{part}`: expected {}",
        if known.is_empty() { "none, since it is always whole".to_owned() } else { format!("some of {}", known.join(", ")) }
    )]
    Unknown {
        /// The toolchain.
        toolchain: String,
        /// As given, escaped.
        part: String,
        /// Those that it has.
        known: Vec<String>,
    },
}

/// A folder, or several with like names, below a toolchain's root: `lib/libc/musl`, `lib/libc/include/*-linux-musl`.
/// A `*` stands for any text without `/`, the empty one too; a name has one at most, so that two of them can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Paths(String);

impl std::str::FromStr for Paths {
    type Err = PartsError;

    fn from_str(text: &str) -> Result<Self, PartsError> {
        let is_name = |name: &str| {
            !matches!(name, "" | "." | "..")
                && !name.contains(|c: char| c == '\\' || c == ':' || c.is_control())
                && name.matches('*').count() <= 1
        };
        if text.split('/').all(is_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PartsError::Leaves {
                path: text.escape_debug().to_string(),
            })
        }
    }
}

impl TryFrom<String> for Paths {
    type Error = PartsError;

    fn try_from(text: String) -> Result<Self, PartsError> {
        text.parse()
    }
}

impl From<Paths> for String {
    fn from(paths: Paths) -> Self {
        paths.0
    }
}

impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Paths {
    /// Whether a path below the root, `/` between its names, is one of these folders or lies in one.
    pub fn cover(&self, path: &str) -> bool {
        let mut names = path.split('/');
        self.names()
            .all(|pattern| names.next().is_some_and(|name| fits(pattern, name)))
    }

    /// Whether some path can be covered by both.
    pub fn overlap(&self, other: &Self) -> bool {
        self.names()
            .zip(other.names())
            .all(|(a, b)| may_be_equal(a, b))
    }

    /// Those of the folders that exist below `root`, relative to it, sorted. Links are not followed.
    pub fn found_in(&self, root: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = vec![PathBuf::new()];
        for pattern in self.names() {
            let mut next = Vec::new();
            for at in found {
                for name in names_in(&root.join(&at), pattern)? {
                    next.push(at.join(name));
                }
            }
            found = next;
        }
        found.sort();
        Ok(found)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

/// The names in a folder that fit; none where it is no folder, or a link to one.
fn names_in(folder: &Path, pattern: &str) -> io::Result<Vec<String>> {
    if !fs_err::symlink_metadata(folder).is_ok_and(|m| m.is_dir()) {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        // What was unpacked has names of UTF-8 only.
        if let Ok(name) = entry?.file_name().into_string()
            && fits(pattern, &name)
        {
            names.push(name);
        }
    }
    Ok(names)
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, end)) => {
            name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
        }
    }
}

/// Whether one name fits both patterns. With a `*` in each, the text between can always be made long enough.
fn may_be_equal(a: &str, b: &str) -> bool {
    match (a.split_once('*'), b.split_once('*')) {
        (_, None) => fits(a, b),
        (None, _) => fits(b, a),
        (Some((begin, end)), Some((other_begin, other_end))) => {
            (begin.starts_with(other_begin) || other_begin.starts_with(begin))
                && (end.ends_with(other_end) || other_end.ends_with(end))
        }
    }
}

/// The parts of a toolchain by name; no path is in two of them. Empty for one that is always whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts(BTreeMap<String, Vec<Paths>>);

impl Parts {
    /// Takes another path into a part.
    pub fn insert(&mut self, part: &str, paths: Paths) -> Result<(), PartsError> {
        if part == CORE {
            return Err(PartsError::Core);
        }
        let other = self
            .0
            .iter()
            .flat_map(|(name, all)| all.iter().map(move |paths| (name, paths)))
            .find(|(_, other)| other.overlap(&paths));
        if let Some((other_part, other)) = other {
            return Err(PartsError::Overlap {
                path: paths.to_string(),
                part: part.to_owned(),
                other: other.to_string(),
                other_part: other_part.clone(),
            });
        }
        self.0.entry(part.to_owned()).or_default().push(paths);
        Ok(())
    }

    /// The names.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Whether there is a part of that name.
    pub fn has(&self, part: &str) -> bool {
        self.0.contains_key(part)
    }

    /// What a target needs that lists these parts; one without a list needs everything, and so does one whose list was
    /// made for other parts than these (a toolchain that another manifest replaced).
    pub fn extent(&self, listed: Option<&[String]>) -> Extent {
        let Some(listed) = listed.filter(|l| !self.0.is_empty() && l.iter().all(|p| self.has(p)))
        else {
            return Extent::whole();
        };
        let mut parts = BTreeSet::from([CORE.to_owned()]);
        parts.extend(listed.iter().cloned());
        let without = self
            .0
            .iter()
            .filter(|(name, _)| !parts.contains(*name))
            .flat_map(|(_, paths)| paths.iter().cloned())
            .collect();
        Extent { parts, without }
    }
}

/// How much of a toolchain: everything but some paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    /// The names of the parts, for people; empty for a whole toolchain.
    pub parts: BTreeSet<String>,
    /// What is, or may be, left out. This decides, so that another partition in a newer manifest needs no other store.
    pub without: BTreeSet<Paths>,
}

impl Extent {
    /// Everything.
    pub fn whole() -> Self {
        Self::default()
    }

    /// Whether nothing is left out and nothing says otherwise.
    pub fn is_whole(&self) -> bool {
        self.parts.is_empty() && self.without.is_empty()
    }

    /// What both need.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_whole() || other.is_whole() {
            return Self::whole();
        }
        Self {
            parts: self.parts.union(&other.parts).cloned().collect(),
            without: self.without.intersection(&other.without).cloned().collect(),
        }
    }

    /// What must be added to this for `wanted`.
    pub fn lacks(&self, wanted: &Self) -> BTreeSet<Paths> {
        self.without.difference(&wanted.without).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Paths {
        text.parse().unwrap()
    }

    fn parts(all: &[(&str, &str)]) -> Result<Parts, PartsError> {
        let mut parts = Parts::default();
        for (name, text) in all {
            parts.insert(name, paths(text))?;
        }
        Ok(parts)
    }

    #[test]
    fn a_path_covers_itself_and_what_lies_in_it() {
        let p = paths("lib/*-linux-musl");
        for inside in [
            "lib/x-linux-musl",
            "lib/x-linux-musl/a/b.h",
            "lib/-linux-musl",
        ] {
            assert!(p.cover(inside), "{inside}");
        }
        for outside in [
            "lib",
            "lib/x-linux-muslx32",
            "x-linux-musl",
            "lib/a/x-linux-musl",
            "",
        ] {
            assert!(!p.cover(outside), "{outside}");
        }
        // A begin and an end that share letters are two.
        assert!(!paths("ab*ba").cover("aba"));
    }

    #[test]
    fn a_path_that_leaves_the_root_is_refused() {
        for bad in [
            "", "/lib", "../lib", "lib/..", "lib//x", "lib/", "C:/x", "a\\b", "a/*x*", ".",
        ] {
            assert!(
                matches!(bad.parse::<Paths>(), Err(PartsError::Leaves { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_path_is_in_one_part_only() {
        for (a, b) in [
            ("lib/a", "lib/a"),
            ("lib", "lib/a"),
            ("lib/a/b", "lib/a"),
            ("lib/*-any", "lib/x-any"),
            ("lib/x*", "lib/*y"),
            ("lib/*", "lib/a/b"),
        ] {
            let e = parts(&[("one", a), ("two", b)]).unwrap_err();
            assert!(matches!(e, PartsError::Overlap { .. }), "{a} {b}");
            assert!(parts(&[("one", a), ("one", b)]).is_err(), "{a} {b}");
        }
        for (a, b) in [
            ("lib/a", "lib/b"),
            ("lib/*-gnu", "lib/*-musl"),
            ("lib/x*", "lib/y*"),
            ("lib/a/c", "lib/b"),
        ] {
            parts(&[("one", a), ("two", b)]).unwrap();
        }
        assert_eq!(parts(&[(CORE, "lib")]).unwrap_err(), PartsError::Core);
    }

    #[test]
    fn two_targets_need_what_either_needs() {
        let parts = parts(&[("a", "lib/a"), ("b", "lib/b"), ("c", "lib/c")]).unwrap();
        let need = |list: &[&str]| {
            let list: Vec<String> = list.iter().map(|&p| p.to_owned()).collect();
            parts.extent(Some(&list))
        };
        let both = need(&["a"]).union(&need(&["b"]));
        assert_eq!(both, need(&["a", "b"]));
        assert_eq!(both.without, BTreeSet::from([paths("lib/c")]));
        assert_eq!(need(&["a"]).lacks(&both), BTreeSet::from([paths("lib/b")]));
        assert!(both.lacks(&need(&["a"])).is_empty());
        assert!(both.lacks(&need(&[])).is_empty());
        assert_eq!(both.lacks(&Extent::whole()).len(), 1);
        assert!(Extent::whole().lacks(&both).is_empty());
        assert!(both.union(&Extent::whole()).is_whole());
        for whole in [
            parts.extent(None),
            need(&["gone"]),
            Parts::default().extent(Some(&[])),
        ] {
            assert!(whole.is_whole());
        }
    }

    /// What an install left out by an older partition is known by path, whatever the parts are called now.
    #[test]
    fn another_partition_finds_what_is_missing() {
        let old = parts(&[("bsd", "lib/bsd"), ("c", "lib/c")]).unwrap();
        let new = parts(&[("c", "lib/c"), ("d", "lib/d")]).unwrap();
        let installed = old.extent(Some(&["c".to_owned()]));
        let wanted = new.extent(Some(&["c".to_owned()]));
        assert_eq!(installed.lacks(&wanted), BTreeSet::from([paths("lib/bsd")]));
    }

    #[test]
    fn found_folders_are_real_ones() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["lib/a-any", "lib/b-any", "lib/c"] {
            fs_err::create_dir_all(dir.path().join(name)).unwrap();
        }
        let found = |text| paths(text).found_in(dir.path()).unwrap();
        assert_eq!(
            found("lib/*-any"),
            [Path::new("lib/a-any"), Path::new("lib/b-any")]
        );
        assert_eq!(found("lib/c"), [Path::new("lib/c")]);
        assert!(found("none/*").is_empty());
    }
}
