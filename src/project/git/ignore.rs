//! The patterns of gitignore(5): whether git would pass a file over that it does not track.

use std::path::{Path, PathBuf};

use super::text;
use crate::env_vars;

/// Whether the patterns that apply exclude a path (relative to `top`, with `/`).
pub(super) fn ignores(top: &Path, common: &Path, path: &[u8]) -> bool {
    let general: Vec<Vec<Pattern>> = [Some(common.join("info/exclude")), users_own()]
        .into_iter()
        .flatten()
        .map(|file| patterns(&file))
        .collect();
    let folders = path.iter().enumerate().filter(|(_, b)| **b == b'/');
    // What is in an excluded folder is excluded, whatever else is said of it.
    folders
        .map(|(end, _)| (&path[..end], true))
        .chain([(path, false)])
        .any(|(path, is_folder)| excluded(top, &general, path, is_folder))
}

/// What the nearest file with a word about the path says.
fn excluded(top: &Path, general: &[Vec<Pattern>], path: &[u8], is_folder: bool) -> bool {
    let mut end = path.len();
    while let Some(slash) = path[..end].iter().rposition(|b| *b == b'/') {
        let below = String::from_utf8_lossy(&path[..slash]);
        let patterns = of_folder(&top.join(&*below));
        if let Some(answer) = decide(&patterns, &path[slash + 1..], is_folder) {
            return answer;
        }
        end = slash;
    }
    std::iter::once(of_folder(top))
        .chain(general.iter().cloned())
        .find_map(|patterns| decide(&patterns, path, is_folder))
        .unwrap_or(false)
}

/// The last pattern that matches decides; `path` is relative to the file's folder.
fn decide(patterns: &[Pattern], path: &[u8], is_folder: bool) -> Option<bool> {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    patterns
        .iter()
        .rev()
        .filter(|p| is_folder || !p.folders_only)
        .find(|p| matches(&p.tokens, if p.by_name { name } else { path }))
        .map(|p| !p.negated)
}

fn of_folder(folder: &Path) -> Vec<Pattern> {
    let file = folder.join(".gitignore");
    // git does not follow a link here either.
    match fs_err::symlink_metadata(&file) {
        Ok(meta) if meta.is_file() => patterns(&file),
        _ => Vec::new(),
    }
}

fn patterns(file: &Path) -> Vec<Pattern> {
    let text = text(file).unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    text.lines().filter_map(Pattern::parse).collect()
}

/// `core.excludesFile` of the user's configuration, or what git takes without it.
fn users_own() -> Option<PathBuf> {
    let home = std::env::home_dir()?;
    let config = env_vars::non_empty(env_vars::XDG_CONFIG_HOME)
        .map_or_else(|| home.join(".config"), PathBuf::from)
        .join("git");
    let named = [
        PathBuf::from("/etc/gitconfig"),
        config.join("config"),
        home.join(".gitconfig"),
    ]
    .iter()
    .filter_map(|file| excludes_file(&text(file).ok()?))
    .next_back();
    Some(match named {
        Some(named) => match named.strip_prefix("~/") {
            Some(below) => home.join(below),
            None => home.join(named),
        },
        None => config.join("ignore"),
    })
}

fn excludes_file(config: &str) -> Option<String> {
    let mut in_core = false;
    let mut found = None;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            in_core = line.to_ascii_lowercase().starts_with("[core]");
        } else if in_core
            && let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("excludesfile")
        {
            found = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

#[derive(Clone)]
struct Pattern {
    negated: bool,
    folders_only: bool,
    /// Without a `/` it is about a name in any folder.
    by_name: bool,
    tokens: Vec<Token>,
}

#[derive(Clone)]
enum Token {
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Some,
    /// `**/`
    Folders,
    /// `/**` at the end, after its `/`
    Rest,
    Class {
        negated: bool,
        ranges: Vec<(u8, u8)>,
    },
}

impl Pattern {
    /// `None` for a line that says nothing, and for one that git takes for broken.
    fn parse(line: &str) -> Option<Self> {
        let trimmed = line.trim_end_matches(' ');
        // A backslash keeps the first of the spaces.
        let line = if trimmed.len() < line.len() && trimmed.ends_with('\\') {
            &line[..=trimmed.len()]
        } else {
            trimmed
        };
        if line.starts_with('#') {
            return None;
        }
        let (negated, line) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (folders_only, line) = match line.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let by_name = !line.contains('/');
        let line = line.strip_prefix('/').unwrap_or(line);
        if line.is_empty() {
            return None;
        }
        Some(Self {
            negated,
            folders_only,
            by_name,
            tokens: tokens(line.as_bytes())?,
        })
    }
}

fn tokens(pattern: &[u8]) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        at += 1;
        out.push(match byte {
            b'\\' => {
                at += 1;
                Token::Byte(*pattern.get(at - 1)?)
            }
            b'?' => Token::One,
            b'*' => {
                let begins = at == 1 || pattern[at - 2] == b'/';
                let stars = pattern[at..].iter().take_while(|b| **b == b'*').count();
                at += stars;
                match pattern.get(at) {
                    Some(b'/') if stars > 0 && begins => {
                        at += 1;
                        Token::Folders
                    }
                    None if stars > 0 && begins => Token::Rest,
                    _ => Token::Some,
                }
            }
            b'[' => {
                let (class, len) = class(&pattern[at..])?;
                at += len;
                class
            }
            byte => Token::Byte(byte),
        });
    }
    Some(out)
}

/// What stands after `[`, and its length with the `]`.
fn class(text: &[u8]) -> Option<(Token, usize)> {
    let negated = matches!(text.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    let mut at = start;
    let mut ranges = Vec::new();
    loop {
        let byte = *text.get(at)?;
        if byte == b']' && at > start {
            return Some((Token::Class { negated, ranges }, at + 1));
        }
        if text[at..].starts_with(b"[:") {
            let end = at + 2 + text[at + 2..].windows(2).position(|w| w == b":]")?;
            ranges.extend_from_slice(named_class(&text[at + 2..end])?);
            at = end + 2;
            continue;
        }
        let low = of_class(text, &mut at)?;
        let mut high = low;
        if text.get(at) == Some(&b'-') && text.get(at + 1).is_some_and(|b| *b != b']') {
            at += 1;
            high = of_class(text, &mut at)?;
        }
        ranges.push((low, high));
    }
}

/// The byte at a place in a class, which a backslash may stand before.
fn of_class(text: &[u8], at: &mut usize) -> Option<u8> {
    if *text.get(*at)? == b'\\' {
        *at += 1;
    }
    *at += 1;
    text.get(*at - 1).copied()
}

fn named_class(name: &[u8]) -> Option<&'static [(u8, u8)]> {
    Some(match name {
        b"alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        b"alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        b"digit" => &[(b'0', b'9')],
        b"lower" => &[(b'a', b'z')],
        b"upper" => &[(b'A', b'Z')],
        b"xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        b"space" => &[(b'\t', b'\r'), (b' ', b' ')],
        b"punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        _ => return None,
    })
}

/// Whether the tokens take the whole text. Every place that a token can end at is followed at the same time, so that
/// the work is the product of both lengths whatever a hostile pattern says.
fn matches(tokens: &[Token], text: &[u8]) -> bool {
    let mut at = vec![false; text.len() + 1];
    at[0] = true;
    for token in tokens {
        let mut next = vec![false; text.len() + 1];
        let mut before = false;
        for i in 0..=text.len() {
            let last = i.checked_sub(1).map(|i| text[i]);
            let one = |fits: &dyn Fn(u8) -> bool| i > 0 && at[i - 1] && last.is_some_and(fits);
            next[i] = match token {
                Token::Byte(byte) => one(&|b| b == *byte),
                Token::One => one(&|b| b != b'/'),
                Token::Class { negated, ranges } => one(&|b| {
                    let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&b));
                    b != b'/' && within != *negated
                }),
                Token::Some => at[i] || (i > 0 && next[i - 1] && last != Some(b'/')),
                Token::Folders => at[i] || (before && last == Some(b'/')),
                Token::Rest => before,
            };
            before |= at[i];
        }
        at = next;
    }
    at.last() == Some(&true)
}
