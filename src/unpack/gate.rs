//! The one gate that every path of an archive passes: raw bytes in, a [`SafePath`] or a [`Refusal`] out. Pure.
//!
//! Why no path can leave the tree, nor any link lead out of it, whatever archives are unpacked one over the other:
//!
//! 1. A [`SafePath`] is made of plain names only, so joined to a folder it lies below it.
//! 2. Nothing is ever written through a link: within one archive `tree` sees to it; archives that are unpacked together
//!    get their links when all files are there; and of what was there before, the writer looks at the real folders.
//! 3. A link is written with the text that [`link_target`] made: as many `..` as needed, then names. Its own folder
//!    is a real one (2), so the `..` stay inside; the names go down only, or over another such link. By induction
//!    every chain of links stays inside, also one that a later archive completes.

use std::fmt;
use std::path::{Path, PathBuf};

/// Longest path, in bytes: what fits under a store's folder into Linux' `PATH_MAX` of 4096 (limits.h).
pub const MAX_PATH_BYTES: usize = 2048;
/// Longest name between two slashes, in bytes: `NAME_MAX` of every common file system.
pub const MAX_NAME_BYTES: usize = 255;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 128;

/// Why an entry of an archive is not unpacked, and with it the archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No name at all.
    #[error("The path is empty")]
    Empty,
    /// Bytes that are no text.
    #[error("The path is not UTF-8")]
    NotUtf8,
    /// `/x`
    #[error("The path is absolute")]
    Absolute,
    /// `../x`, `a/../x`
    #[error("The path has `..` in it")]
    Parent,
    /// `C:x`
    #[error("The path begins with a drive letter")]
    Drive,
    /// `a\x`: a separator on Windows, a plain character elsewhere.
    #[error("The path has a backslash in it")]
    Backslash,
    /// NUL, newline, escape and the like.
    #[error("The path has a control character in it")]
    Control,
    /// Longer or deeper than file systems take.
    #[error("The path is too long or too deep")]
    TooLong,
    /// `aux.txt`, `x.`, `a:b`: names that Windows gives a meaning of its own.
    #[error("Windows cannot have a file named `{name}`")]
    WindowsName {
        /// The offending part of the path.
        name: String,
    },
    /// Something other than a folder where the tree's own folder is.
    #[error("The tree's own folder would become a file or a link")]
    Top,
    /// The same path twice.
    #[error("The path comes twice in the archive")]
    Duplicate,
    /// A folder here, a file or link there.
    #[error("`{path}` is a folder and something else in the same archive")]
    FolderAndFile {
        /// The contested path.
        path: String,
    },
    /// A path that goes over a link of the same archive.
    #[error("The path goes through the link `{link}`")]
    ThroughLink {
        /// The link.
        link: String,
    },
    /// A symbolic link with an absolute target, outside a deb.
    #[error("The link's target `{target}` is absolute")]
    AbsoluteTarget {
        /// As the archive has it.
        target: String,
    },
    /// A link that leads out of the tree.
    #[error("The link's target `{target}` is outside the tree")]
    TargetLeaves {
        /// As the archive has it.
        target: String,
    },
    /// A link's target that is no acceptable path for a reason of its own.
    #[error("The link's target `{target}` is refused")]
    Target {
        /// As the archive has it.
        target: String,
        /// The reason.
        #[source]
        reason: Box<Refusal>,
    },
    /// `x/../y` where `x` is a link: where that leads depends on what `x` is.
    #[error("The link's target `{target}` goes back over the link `{link}`")]
    TargetOverLink {
        /// As the archive has it.
        target: String,
        /// The link it goes over.
        link: String,
    },
    /// A hard link to what is no earlier file of the same archive.
    #[error("The hard link's target `{target}` is no earlier file of the archive")]
    HardLinkTarget {
        /// As the archive has it.
        target: String,
    },
    /// A device, a FIFO, a socket, or a kind that only some archivers know.
    #[error("It is {kind}, and only files, folders and links are unpacked")]
    Special {
        /// With its article: `a FIFO`.
        kind: &'static str,
    },
}

/// Whose rules for names apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Refuse what Windows cannot store or reads as a device, a stream or another name. Elsewhere such names are in use:
    /// Linux' headers have an `aux.c`, Perl's manual pages `::`.
    pub windows: bool,
}

impl Rules {
    /// Those of the host that runs this.
    pub const fn of_host() -> Self {
        Self {
            windows: cfg!(windows),
        }
    }
}

/// What becomes of a symbolic link with an absolute target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbsoluteTargets {
    /// It is refused.
    Refuse,
    /// `/` is the tree's own folder, as it is for a Debian package once installed.
    FromTop,
}

/// A path inside the tree: relative, plain names with `/` between them. Empty: the tree's own folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafePath(String);

impl SafePath {
    /// What an archive or a manifest says, checked. `.` and doubled or trailing slashes are dropped.
    pub fn parse(raw: &[u8], rules: Rules) -> Result<Self, Refusal> {
        let text = plain_text(raw)?;
        if text.starts_with('/') {
            return Err(Refusal::Absolute);
        }
        let mut path = Self(String::with_capacity(text.len()));
        for name in text.split('/') {
            match name {
                "" | "." => {}
                ".." => return Err(Refusal::Parent),
                name => path.push(checked_name(name, rules)?),
            }
        }
        // Behind `./` too: what passes is joined to a folder without it.
        if begins_with_drive(path.as_str()) {
            return Err(Refusal::Drive);
        }
        path.bounded()
    }

    /// The tree's own folder.
    pub const fn top() -> Self {
        Self(String::new())
    }

    /// Whether this is the tree's own folder.
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// As text, with `/` between the names.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its names, from the top.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// The folder that holds it; `None` for the tree's own.
    pub fn parent(&self) -> Option<Self> {
        if self.is_top() {
            return None;
        }
        Some(Self(
            self.0
                .rfind('/')
                .map_or(String::new(), |at| self.0[..at].to_owned()),
        ))
    }

    /// The path as seen from `root`; `None` when it is not below it.
    pub fn within(&self, root: &Self) -> Option<Self> {
        if root.is_top() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&root.0)?;
        if rest.is_empty() {
            return Some(Self::top());
        }
        rest.strip_prefix('/').map(|rest| Self(rest.to_owned()))
    }

    /// The path on disk below `base`, name by name: a verbatim Windows path (`\\?\`) knows no `/`.
    pub fn under(&self, base: &Path) -> PathBuf {
        if cfg!(windows) {
            let mut path = base.to_owned();
            path.extend(self.names());
            return path;
        }
        base.join(&self.0)
    }

    fn push(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push('/');
        }
        self.0.push_str(name);
    }

    fn bounded(self) -> Result<Self, Refusal> {
        if self.0.len() > MAX_PATH_BYTES || self.names().count() > MAX_DEPTH {
            return Err(Refusal::TooLong);
        }
        Ok(self)
    }
}

impl fmt::Display for SafePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_top() { "." } else { &self.0 })
    }
}

/// Where a symbolic link leads, and what to write into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTarget {
    /// The place in the tree.
    pub place: SafePath,
    /// The link's text: from the link's folder up by `..`, then down by names.
    pub text: String,
    /// Folders that the raw text went into and out of again. That is the same as not going there only where none of
    /// them is a link; the caller knows the links.
    pub detours: Vec<SafePath>,
}

/// The target of the symbolic link at `link`, whose raw text is `raw`.
pub fn link_target(
    link: &SafePath,
    raw: &[u8],
    absolute: AbsoluteTargets,
    rules: Rules,
) -> Result<LinkTarget, Refusal> {
    let shown = || escaped(raw);
    let refused = |reason| Refusal::Target {
        target: shown(),
        reason: Box::new(reason),
    };
    let text = plain_text(raw).map_err(refused)?;
    let folder = link.parent().ok_or(Refusal::Top)?;
    let mut place: Vec<&str> = match (text.starts_with('/'), absolute) {
        (false, _) => folder.names().collect(),
        (true, AbsoluteTargets::FromTop) => Vec::new(),
        (true, AbsoluteTargets::Refuse) => {
            return Err(Refusal::AbsoluteTarget { target: shown() });
        }
    };
    let mut detours = Vec::new();
    // How many of the names in `place` the text itself went down into.
    let mut entered = 0_usize;
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                if entered > 0 {
                    detours.push(SafePath(place.join("/")));
                    entered -= 1;
                }
                if place.pop().is_none() {
                    return Err(Refusal::TargetLeaves { target: shown() });
                }
            }
            name => {
                place.push(checked_name(name, rules).map_err(refused)?);
                entered += 1;
            }
        }
    }
    let place = SafePath(place.join("/")).bounded().map_err(refused)?;
    let text = relative(&folder, &place);
    Ok(LinkTarget {
        place,
        text,
        detours,
    })
}

/// The way from one folder of the tree to a place in it.
fn relative(folder: &SafePath, place: &SafePath) -> String {
    let from: Vec<&str> = folder.names().collect();
    let to: Vec<&str> = place.names().collect();
    let mut shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    // A link to its own folder, or to one above it: the last step is a name or `.`, never nothing.
    shared = shared.min(from.len());
    let mut steps = vec![".."; from.len() - shared];
    steps.extend(&to[shared..]);
    if steps.is_empty() {
        steps.push(".");
    }
    steps.join("/")
}

/// What holds for a whole path or target before it is looked at name by name.
fn plain_text(raw: &[u8]) -> Result<&str, Refusal> {
    if raw.is_empty() {
        return Err(Refusal::Empty);
    }
    if raw.len() > MAX_PATH_BYTES {
        return Err(Refusal::TooLong);
    }
    let text = std::str::from_utf8(raw).map_err(|_| Refusal::NotUtf8)?;
    if text.chars().any(is_control) {
        return Err(Refusal::Control);
    }
    if text.contains('\\') {
        return Err(Refusal::Backslash);
    }
    if begins_with_drive(text) {
        return Err(Refusal::Drive);
    }
    Ok(text)
}

/// `C:x`, but not the `B::Deparse` of Perl's manual pages.
fn begins_with_drive(text: &str) -> bool {
    match text.as_bytes() {
        [letter, b':', rest @ ..] => letter.is_ascii_alphabetic() && !rest.starts_with(b":"),
        _ => false,
    }
}

/// Control characters, and the line and paragraph separators that terminals and editors also break lines at.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn checked_name(name: &str, rules: Rules) -> Result<&str, Refusal> {
    if name.len() > MAX_NAME_BYTES {
        return Err(Refusal::TooLong);
    }
    if rules.windows && is_windows_trap(name) {
        return Err(Refusal::WindowsName {
            name: name.to_owned(),
        });
    }
    Ok(name)
}

/// Names that Windows refuses or reads as something else.
///
/// Source: Microsoft, "Naming Files, Paths, and Namespaces", section "Naming Conventions".
fn is_windows_trap(name: &str) -> bool {
    if name.contains(['<', '>', ':', '"', '|', '?', '*']) || name.ends_with(['.', ' ']) {
        return true;
    }
    // A device keeps its meaning with any extension: `aux.txt` is `AUX`.
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    let stem = stem.to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        _ => ["COM", "LPT"].iter().any(|port| {
            stem.strip_prefix(port).is_some_and(|number| {
                let mut chars = number.chars();
                matches!(chars.next(), Some('0'..='9' | '¹' | '²' | '³')) && chars.next().is_none()
            })
        }),
    }
}

/// A raw path for messages: one line, nothing that a terminal acts on, of bounded length.
pub fn escaped(raw: &[u8]) -> String {
    const SHOWN: usize = 200;
    let text = String::from_utf8_lossy(raw);
    let mut out: String = text.chars().take(SHOWN).flat_map(escape_char).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

fn escape_char(c: char) -> impl Iterator<Item = char> {
    let escaped = is_control(c).then(|| c.escape_unicode());
    let plain = escaped.is_none().then_some(c);
    escaped.into_iter().flatten().chain(plain)
}
