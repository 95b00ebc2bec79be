//! Response files: `@file` arguments, read before the rules and written again where the arguments are too many.
//!
//! rustc writes `linker-arguments` into a temporary folder that it removes itself, one argument a line, a blank or
//! backslash escaped by a backslash (`rustc_codegen_ssa/src/back/link.rs`); for MSVC-like targets UTF-16 with
//! quotes. GCC and clang read what GNU ld's manual describes under `@file`. zig reads quotes too, but keeps a
//! backslash that no quote follows (its `ArgIteratorGeneral`), so each family is written its own way.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Invocation, ShimError};
use crate::manifest::Family;

/// Files within files; more is a circle.
const MAX_DEPTH: usize = 8;

/// How many bytes of arguments go on the command line itself. Windows takes 32,767 UTF-16 units; Linux counts 128
/// KiB for one argument and, with the environment, a quarter of the stack's limit (2 MiB as a rule) for all.
const INLINE_BYTES: usize = if cfg!(windows) { 24 * 1024 } else { 96 * 1024 };

/// Arguments without response files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expanded {
    /// Every argument, those of the files in their place.
    pub args: Vec<OsString>,
    /// The first response file, if there was one.
    pub origin: Option<PathBuf>,
}

/// Puts the content of every `@file` in its place. As GCC does, an `@x` that is no file stays as it is.
pub(super) fn expand(args: Vec<OsString>) -> Result<Expanded, ShimError> {
    let mut out = Expanded::default();
    for arg in args {
        expand_one(arg, 0, &mut out)?;
    }
    Ok(out)
}

fn expand_one(arg: OsString, depth: usize, out: &mut Expanded) -> Result<(), ShimError> {
    if let Some(words) = of_the_linker(&arg) {
        return expand_words(&words, depth, out);
    }
    let path = match arg.to_str().and_then(|a| a.strip_prefix('@')) {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => {
            out.args.push(arg);
            return Ok(());
        }
    };
    if !path.is_file() {
        out.args.push(arg);
        return Ok(());
    }
    if depth == MAX_DEPTH {
        return Err(ShimError::ResponseDepth { path });
    }
    let bytes = fs_err::read(&path).map_err(|source| ShimError::Response {
        path: path.clone(),
        source,
    })?;
    out.origin.get_or_insert(path);
    for inner in parse(&bytes) {
        expand_one(inner, depth + 1, out)?;
    }
    Ok(())
}

/// The parts of `-Wl,…`, where one of them is a response file, which GNU ld would read.
fn of_the_linker(arg: &OsStr) -> Option<Vec<String>> {
    let words: Vec<&str> = arg.to_str()?.strip_prefix("-Wl,")?.split(',').collect();
    let is_file = |word: &&str| {
        word.strip_prefix('@')
            .is_some_and(|path| Path::new(path).is_file())
    };
    let has_one = words.iter().any(is_file);
    has_one.then(|| words.into_iter().map(str::to_owned).collect())
}

/// Each word by itself, as the linker gets it.
fn expand_words(words: &[String], depth: usize, out: &mut Expanded) -> Result<(), ShimError> {
    let mut inner = Expanded::default();
    for word in words {
        expand_one(word.into(), depth + 1, &mut inner)?;
    }
    out.origin = out.origin.take().or(inner.origin);
    for word in inner.args {
        out.args.extend(["-Xlinker".into(), word]);
    }
    Ok(())
}

/// The arguments in a response file. Bytes that are not Unicode become U+FFFD.
fn parse(bytes: &[u8]) -> Vec<OsString> {
    if let Some(wide) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        let units: Vec<u16> = wide
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        // Written for MSVC's tools: a backslash escapes only a quote.
        return split(&String::from_utf16_lossy(&units), false);
    }
    split(&String::from_utf8_lossy(bytes), true)
}

/// Splits at white space outside quotes. With `gnu`, a backslash takes the next character as it is, in quotes too;
/// without, it does so only before a double quote, and `'` is no quote.
fn split(text: &str, gnu: bool) -> Vec<OsString> {
    let mut out = Vec::new();
    let mut current: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) if gnu || chars.peek() == Some(&'"') => {
                if let Some(next) = chars.next() {
                    current.get_or_insert_default().push(next);
                }
            }
            (c, Some(q)) if c == q => quote = None,
            ('"', None) => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            ('\'', None) if gnu => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            (c, None) if c.is_ascii_whitespace() => out.extend(current.take().map(OsString::from)),
            (c, _) => current.get_or_insert_default().push(c),
        }
    }
    out.extend(current.map(OsString::from));
    out
}

/// Moves the arguments into `<origin>.xtool` when they are too many for the command line. The file lies beside the
/// one they came from because whoever made that one removes the folder; after `exec` nobody here could.
pub(super) fn shorten(
    family: Family,
    invocation: &mut Invocation,
    origin: &Path,
) -> Result<(), ShimError> {
    let bytes: usize = invocation.args.iter().map(|a| a.len() + 1).sum();
    if bytes <= INLINE_BYTES {
        return Ok(());
    }
    let mut path = origin.as_os_str().to_owned();
    path.push(".xtool");
    let path = PathBuf::from(path);
    // zig's subcommand is no argument of the compiler's: it must stay on the command line.
    let fixed = usize::from(family == Family::Zig);
    let text = render(family, &invocation.args[fixed..]);
    fs_err::write(&path, text).map_err(|source| ShimError::Response {
        path: path.clone(),
        source,
    })?;
    invocation.args.truncate(fixed);
    let mut at = OsString::from("@");
    at.push(path);
    invocation.args.push(at);
    Ok(())
}

/// The text of a response file, one argument a line, as the family's driver reads it.
fn render(family: Family, args: &[OsString]) -> String {
    args.iter()
        .map(|arg| match family {
            Family::Zig => quoted_for_zig(arg),
            Family::Gcc | Family::Clang => quoted_for_gnu(arg),
        } + "\n")
        .collect()
}

fn quoted_for_gnu(arg: &OsStr) -> String {
    let mut out = String::from("\"");
    for c in arg.to_string_lossy().chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// In zig a run of backslashes means itself, except before a quote, where each pair is one.
fn quoted_for_zig(arg: &OsStr) -> String {
    let mut out = String::from("\"");
    let mut backslashes = 0;
    for c in arg.to_string_lossy().chars() {
        if c == '"' {
            out.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        out.push(c);
    }
    out.extend(std::iter::repeat_n('\\', backslashes));
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustcs_escapes_are_undone() {
        let text = b"-o\n/a\\ b/c\\\\d\n-Wl,x=\"y z\"\n'q r'\n\n\"\"\n";
        assert_eq!(parse(text), ["-o", "/a b/c\\d", "-Wl,x=y z", "q r", ""]);
    }

    #[test]
    fn msvcs_form_is_utf16() {
        let mut bytes = vec![0xFF, 0xFE];
        for unit in "\"C:\\a b\"\n\"say \\\"x\\\"\"\n".encode_utf16() {
            bytes.extend(unit.to_le_bytes());
        }
        assert_eq!(parse(&bytes), ["C:\\a b", "say \"x\""]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let args: Vec<OsString> = ["a b", "c\\d", "e\"f", "", "g\\\"", "h\\", "#i", "'j"]
            .map(Into::into)
            .into();
        let text = render(Family::Gcc, &args);
        assert_eq!(parse(text.as_bytes()), args);
        // zig: only the quote is escaped, and backslashes before one.
        assert_eq!(
            render(Family::Zig, &args),
            "\"a b\"\n\"c\\d\"\n\"e\\\"f\"\n\"\"\n\"g\\\\\\\"\"\n\"h\\\\\"\n\"#i\"\n\"'j\"\n"
        );
    }

    #[test]
    fn files_nest_but_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let outer = dir.path().join("outer");
        let inner = dir.path().join("inner");
        let at = |p: &Path| OsString::from(format!("@{}", p.display()));
        fs_err::write(&inner, "-lfoo\n").unwrap();
        fs_err::write(&outer, format!("-a\n@{}\n-b\n", inner.display())).unwrap();
        let got = expand(vec!["x".into(), at(&outer), "@none".into()]).unwrap();
        assert_eq!(got.args, ["x", "-a", "-lfoo", "-b", "@none"]);
        assert_eq!(got.origin.as_deref(), Some(outer.as_path()));

        fs_err::write(&inner, format!("@{}\n", inner.display())).unwrap();
        assert!(matches!(
            expand(vec![at(&inner)]),
            Err(ShimError::ResponseDepth { .. })
        ));
    }

    #[test]
    fn the_linkers_files_are_read_too() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("words");
        fs_err::write(&file, "--whole-archive a.a\n").unwrap();
        let arg = format!("-Wl,-x,@{}", file.display());
        let got = expand(vec![arg.into(), "-Wl,@none".into()]).unwrap();
        let words = ["-x", "--whole-archive", "a.a"];
        let expected: Vec<&str> = words.iter().flat_map(|word| ["-Xlinker", word]).collect();
        assert_eq!(got.args[..6], expected);
        assert_eq!(got.args[6..], ["-Wl,@none"]);
        assert_eq!(got.origin, Some(file));
    }

    #[test]
    fn only_long_command_lines_move_into_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let origin = dir.path().join("linker-arguments");
        let mut short = Invocation::new("zig", vec!["cc".into(), "-lfoo".into()]);
        shorten(Family::Zig, &mut short, &origin).unwrap();
        assert_eq!(short.args, ["cc", "-lfoo"]);

        let many = std::iter::once("cc".into())
            .chain((0..20_000).map(|i| OsString::from(format!("/a b/{i}.o"))))
            .collect::<Vec<_>>();
        let mut long = Invocation::new("zig", many.clone());
        shorten(Family::Zig, &mut long, &origin).unwrap();
        let file = dir.path().join("linker-arguments.xtool");
        assert_eq!(
            long.args,
            ["cc".into(), OsString::from(format!("@{}", file.display()))]
        );
        assert_eq!(parse(&fs_err::read(&file).unwrap()), many[1..]);
    }
}
