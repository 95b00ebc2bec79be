//! What a driver does instead of compiling or linking, where zig's does not do what clang's and GCC's do.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::takes_value;
use crate::shim::Tool;
use crate::shim::rules;

/// The output of `-fsyntax-only`, in zig's cache: zig looks for the object that its clang would not write, and given
/// `-o /dev/null` writes one beside the source.
const OF_SYNTAX: &str = "syntax-only.o";

/// The arguments in zig's words.
pub(super) fn in_zigs_words(tool: Tool, cache: &Path, args: Vec<OsString>) -> Vec<OsString> {
    without_output(cache, renamed(to_stdout(with_language(tool, args))))
}

/// Standard input is C, or C++, to a driver that only preprocesses; zig gives up on it without a language.
fn with_language(tool: Tool, args: Vec<OsString>) -> Vec<OsString> {
    let has = |options: &[&str]| {
        options
            .iter()
            .any(|option| args.iter().any(|arg| arg == option))
    };
    if !has(&["-E", "-M", "-MM"]) || has_language(&args) {
        return args;
    }
    let Some(at) = positions(&args).find(|at| args[*at] == "-") else {
        return args;
    };
    let language = if tool == Tool::Cxx { "c++" } else { "c" };
    let mut out = args;
    out.splice(at..at, ["-x", language].map(OsString::from));
    out
}

/// `-E -o -` writes where it does without; zig would make a file of that name.
fn to_stdout(mut args: Vec<OsString>) -> Vec<OsString> {
    let preprocesses = args.iter().any(|arg| arg == "-E");
    let at = args
        .windows(2)
        .position(|pair| pair[0] == "-o" && pair[1] == "-");
    if let Some(at) = at.filter(|_| preprocesses) {
        args.drain(at..at + 2);
    } else if let Some(at) = args
        .iter()
        .position(|arg| arg == "-o-")
        .filter(|_| preprocesses)
    {
        args.remove(at);
    }
    args
}

/// clang's version is whole as it is.
fn renamed(args: Vec<OsString>) -> Vec<OsString> {
    let name = |arg: OsString| match arg.to_str() {
        Some("-dumpfullversion") => "-dumpversion".into(),
        _ => arg,
    };
    args.into_iter().map(name).collect()
}

fn without_output(cache: &Path, args: Vec<OsString>) -> Vec<OsString> {
    if !args.iter().any(|arg| arg == "-fsyntax-only") {
        return args;
    }
    let preprocesses = args
        .iter()
        .any(|arg| arg == "-E" || arg == "-M" || arg == "-MM");
    let mut out = Vec::with_capacity(args.len() + 3);
    let mut rest = args.into_iter();
    while let Some(arg) = rest.next() {
        let text = arg.to_str().unwrap_or_default();
        match text {
            "-fsyntax-only" => {}
            "-c" | "-S" if !preprocesses => {}
            "-o" if !preprocesses => drop(rest.next()),
            _ => {
                let value = takes_value(text).then(|| rest.next()).flatten();
                out.push(arg);
                out.extend(value);
            }
        }
    }
    if !preprocesses {
        out.extend(["-c".into(), "-o".into(), cache.join(OF_SYNTAX).into()]);
    }
    out
}

/// The arguments of a run for each source, where several are only preprocessed (`-MM a.c b.c`), which zig hands to a
/// clang that knows neither its headers nor its names of targets, or only read, or compiled (`-c a.c b.c`), of which zig
/// makes one object or none. `None` for what one run does.
pub fn one_by_one(args: &[OsString]) -> Option<Vec<Vec<OsString>>> {
    let alone = ["-E", "-M", "-MM", "-fsyntax-only", "-c", "-S"];
    let alone = args
        .iter()
        .any(|arg| alone.iter().any(|option| arg == option));
    let sources: Vec<usize> = positions(args).filter(|at| is_source(&args[*at])).collect();
    if !alone || sources.len() < 2 || args.iter().any(|arg| arg == "-o") {
        return None;
    }
    let run = |source: &usize| {
        let others = |at: &usize| at == source || !sources.contains(at);
        (0..args.len())
            .filter(others)
            .map(|at| args[at].clone())
            .collect()
    };
    Some(sources.iter().map(run).collect())
}

fn is_source(arg: &OsStr) -> bool {
    arg.to_str()
        .is_some_and(|text| text == "-" || rules::is_source(text))
}

fn has_language(args: &[OsString]) -> bool {
    positions(args).any(|at| args[at].to_str().is_some_and(|text| text.starts_with("-x")))
}

/// Where options and inputs stand, not the values of options.
fn positions(args: &[OsString]) -> impl Iterator<Item = usize> {
    let mut is_value = false;
    (0..args.len()).filter(move |at| {
        if std::mem::take(&mut is_value) {
            return false;
        }
        is_value = args[*at].to_str().is_some_and(takes_value);
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(args: &str) -> Vec<OsString> {
        args.split(' ').map(Into::into).collect()
    }

    fn text(args: &[OsString]) -> String {
        args.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn standard_input_has_a_language() {
        let run = |tool, args| text(&in_zigs_words(tool, Path::new("/c"), os(args)));
        for (args, expected) in [
            ("-dM -E -", "-dM -E -x c -"),
            ("-E -v -", "-E -v -x c -"),
            ("-M -", "-M -x c -"),
            ("-x c++ -E -", "-x c++ -E -"),
            ("-xc -E -", "-xc -E -"),
            ("-c -", "-c -"),
            ("-E a.c -o -", "-E a.c"),
            ("-E a.c -o a.i", "-E a.c -o a.i"),
            ("-dumpfullversion", "-dumpversion"),
        ] {
            assert_eq!(run(Tool::Cc, args), expected, "{args}");
        }
        assert_eq!(run(Tool::Cxx, "-E -"), "-E -x c++ -");
    }

    #[test]
    fn only_the_syntax_is_a_compile_without_an_output() {
        let run = |args| text(&in_zigs_words(Tool::Cc, Path::new("/c"), os(args)));
        for (args, expected) in [
            ("-fsyntax-only a.c", "a.c -c -o /c/syntax-only.o"),
            (
                "-Wall -fsyntax-only -c a.c -o a.o",
                "-Wall a.c -c -o /c/syntax-only.o",
            ),
            (
                "-fsyntax-only -MD -MF -o a.c",
                "-MD -MF -o a.c -c -o /c/syntax-only.o",
            ),
            ("-E -fsyntax-only a.c", "-E a.c"),
        ] {
            assert_eq!(run(args), expected, "{args}");
        }
    }

    #[test]
    fn sources_are_preprocessed_one_by_one() {
        let run = |args| {
            let runs = one_by_one(&os(args))?;
            Some(runs.iter().map(|run| text(run)).collect::<Vec<_>>())
        };
        assert_eq!(
            run("-MM -I inc.c a.c b.c -O2").unwrap(),
            ["-MM -I inc.c a.c -O2", "-MM -I inc.c b.c -O2"]
        );
        assert_eq!(run("-fsyntax-only a.c b.c").unwrap().len(), 2);
        assert_eq!(run("-c a.c b.cc -g").unwrap(), ["-c a.c -g", "-c b.cc -g"]);
        assert_eq!(run("-S a.c b.c").unwrap().len(), 2);
        for one in [
            "-MM a.c",
            "-c a.c",
            "-E a.c",
            "a.c b.c",
            "-c a.c b.c -o c.o",
        ] {
            assert_eq!(run(one), None, "{one}");
        }
    }
}
