//! Which arguments a tool gets in place of those that rustc, the `cc` crate or a build system passed. Pure.

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::pe::Versions;
use super::{ShimError, Spec, Tool};
use crate::manifest::Family;

/// The version of the rules: raised when they give a compiler other arguments than before, so that compile caches do
/// not return what the old ones made (the test `tests/suite/shim/version.rs` notices). A part of a driver's identity.
pub const VERSION: u32 = 7;

mod apply;
pub mod clang;
pub mod gcc;
mod macos;
mod objects;
pub mod windres;
pub mod zig;

pub(super) use apply::{Action, Arg, apply, takes_value};

/// A program with its arguments and what changes in its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The program, absolute.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables to set.
    pub env: Vec<(String, OsString)>,
    /// Variables to take away.
    pub env_remove: Vec<String>,
    /// What a Windows program's header gets when it is linked: the program, and the versions.
    pub header: Option<(PathBuf, Versions)>,
    /// A file that is made before the program runs, unless it is there.
    pub(super) recipe: Option<Recipe>,
    /// The program's output, which becomes a bundle (`bundle.rs`).
    pub(super) bundle: Option<PathBuf>,
    /// What the user is told when it succeeds.
    pub(super) note: Option<&'static str>,
}

/// How a file that a link needs is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipe {
    /// The program, absolute.
    pub program: PathBuf,
    /// Its arguments but the one for the output.
    pub args: Vec<OsString>,
    /// The file.
    pub output: PathBuf,
    /// What stands before the output's path.
    pub output_option: &'static str,
}

impl Invocation {
    /// A program with arguments and the environment as it is.
    pub fn new(program: impl Into<PathBuf>, args: Vec<OsString>) -> Self {
        Self {
            program: program.into(),
            args,
            env: Vec::new(),
            env_remove: Vec::new(),
            header: None,
            recipe: None,
            bundle: None,
            note: None,
        }
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.env.push((name.to_owned(), value.as_ref().to_owned()));
    }
}

/// What the rules heed besides the settings and the arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `MACOSX_DEPLOYMENT_TARGET`: the oldest macOS that the user wants, as rustc reads it.
    pub deployment_target: Option<String>,
    /// Whether ccache runs the compiler (see [`macos::told_to_caches`]).
    pub ccache: bool,
    /// Whether the user overrides options of clang's driver.
    pub overrides: bool,
    /// This machine's CPU family, as Rust names it: which `-march=native` is for.
    pub host: &'static str,
    /// The CPUs that the toolchain's zig knows; empty where no argument names one.
    pub cpus: zig::Names,
}

impl Environment {
    /// This process's, and the toolchain's, for a tool that is run with `args`.
    pub fn read(spec: &Spec, tool: Tool, args: &[OsString]) -> Self {
        let name = crate::env_vars::MACOSX_DEPLOYMENT_TARGET;
        let cpus = zig::names_file(spec, tool, args)
            // What cannot be read cannot be checked; zig looks at the names too.
            .and_then(|file| fs_err::read_to_string(file).ok())
            .map(|text| zig::Names::parse(&text));
        Self {
            deployment_target: crate::env_vars::non_empty(name).and_then(|v| v.into_string().ok()),
            overrides: std::env::var_os(crate::env_vars::CCC_OVERRIDE_OPTIONS).is_some(),
            ccache: std::env::var_os(crate::env_vars::CCACHE_DISABLE).is_some(),
            host: std::env::consts::ARCH,
            cpus: cpus.unwrap_or_default(),
        }
    }
}

/// Small files that a variant's folder holds for the rules: relative path and text.
pub(super) fn files(spec: &Spec) -> Vec<(&'static str, String)> {
    let mut files = zig::stub_files(spec);
    files.extend(macos::stub_files(spec));
    files
}

/// What `tool` is run as, for any tool but [`Tool::Run`]. `args` come without argv[0] and without response files;
/// `variant` is the shim's folder, in which some rules have files.
pub fn rewrite(
    spec: &Spec,
    variant: &Path,
    tool: Tool,
    args: Vec<OsString>,
    env: &Environment,
) -> Result<Invocation, ShimError> {
    let program = spec.program(tool).ok_or_else(|| ShimError::NoTool {
        triple: spec.triple.clone(),
        tool: tool.name(),
        root: spec.root.clone(),
    })?;
    macos::check(spec, tool, env)?;
    Ok(match (spec.family, &spec.zig) {
        (_, Some(zig)) => zig::rewrite(spec, zig, variant, tool, args, env)?,
        (Family::Gcc, None) if tool == Tool::Windres => {
            Invocation::new(program, windres::with_preprocessor(variant, args))
        }
        (Family::Gcc, None) => gcc::rewrite(spec, program, tool, args),
        (Family::Clang | Family::Zig, None) => {
            clang::rewrite(spec, program, variant, tool, args, env)
        }
    })
}

/// Whether a driver is asked to link: it has an input, and nothing stops it earlier or makes it only tell about
/// itself.
pub(super) fn links(args: &[OsString]) -> bool {
    let mut input = false;
    let mut skip = false;
    for arg in args {
        let text = arg.to_str().unwrap_or_default();
        if skip {
            skip = false;
            continue;
        }
        match text {
            "-c" | "-S" | "-E" | "-M" | "-MM" | "-fsyntax-only" | "-###" | "--precompile" => {
                return false;
            }
            _ if is_question(text) => return false,
            _ if takes_value(text) => skip = true,
            _ if is_input(text) => input = true,
            _ => {}
        }
    }
    input
}

/// The ends of the names of sources that a driver preprocesses (GCC's manual, "Options Controlling the Kind of Output";
/// clang's for Objective-C).
const PREPROCESSED: [&str; 10] = ["c", "cc", "cpp", "cxx", "c++", "C", "m", "mm", "S", "sx"];
/// Of those that it compiles as they are.
const COMPILED: [&str; 4] = ["i", "ii", "s", "ll"];

fn ends_in(text: &str, ends: &[&str]) -> bool {
    let end = text.rsplit_once('.').map(|(_, end)| end);
    !text.starts_with('-') && end.is_some_and(|end| ends.contains(&end))
}

/// Whether a file is a source, by its name.
pub(super) fn is_source(text: &str) -> bool {
    ends_in(text, &PREPROCESSED) || ends_in(text, &COMPILED)
}

/// Whether an input goes through the preprocessor, by its name or as standard input.
pub(super) fn is_preprocessed(args: &[OsString]) -> bool {
    let mut is_value = false;
    args.iter().filter_map(|a| a.to_str()).any(|text| {
        let is_input = !std::mem::replace(&mut is_value, takes_value(text));
        is_input && (text == "-" || ends_in(text, &PREPROCESSED))
    })
}

/// The file that a driver writes, where it is named: `-o FILE`, `-oFILE`.
pub(super) fn output(args: &[OsString]) -> Option<PathBuf> {
    output_at(args).map(|(_, path)| path.into())
}

/// The same with the arguments that name it. Of several the last counts.
pub(super) fn output_at(args: &[OsString]) -> Option<(Range<usize>, OsString)> {
    let mut found = None;
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        let text = arg.to_str().unwrap_or_default();
        let length = if takes_value(text) { 2 } else { 1 };
        let joined = text.strip_prefix("-o");
        if text == "-o" {
            found = args.get(at + 1).map(|path| (at..at + 2, path.clone()));
        } else if let Some(joined) = joined.filter(|_| length == 1 && !text.starts_with("-obj")) {
            found = Some((at..at + 1, joined.into()));
        }
        at += length;
    }
    found
}

/// Whether a driver is given Objective-C, by the name of a file or by `-x`.
pub(super) fn is_objective_c(args: &[OsString]) -> bool {
    args.iter().filter_map(|a| a.to_str()).any(|arg| {
        let end = arg.rsplit_once('.').map(|(_, end)| end);
        !arg.starts_with('-') && matches!(end, Some("m" | "mm"))
            || arg.trim_start_matches("-x").starts_with("objective-c")
    })
}

/// Whether a driver is only asked about itself: by name, or with nothing to work on (`-v`).
pub(super) fn only_asks(args: &[OsString]) -> bool {
    let mut is_value = false;
    let mut input = false;
    for arg in args {
        let text = arg.to_str().unwrap_or_default();
        if std::mem::take(&mut is_value) {
            continue;
        }
        if is_question(text) {
            return true;
        }
        is_value = takes_value(text);
        // A response file may name some.
        input |= is_input(text) || text.starts_with('@');
    }
    !input
}

fn is_question(text: &str) -> bool {
    matches!(
        text,
        "--version" | "--help" | "-dumpversion" | "-dumpfullversion" | "-dumpmachine"
    ) || text.starts_with("-print-")
        || text.starts_with("--print-")
}

fn is_input(text: &str) -> bool {
    // The linker takes a path as its own too (`-Wl,/p/x.o`).
    text.starts_with("-l") || text.starts_with("-Wl,/") || !text.starts_with('-') || text == "-"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(args: &[&str]) -> Vec<OsString> {
        args.iter().map(Into::into).collect()
    }

    #[test]
    fn linking_is_told_from_compiling() {
        for yes in [
            &["a.o", "-o", "a"][..],
            &["-shared", "-lfoo"],
            &["-x", "c", "-"],
        ] {
            assert!(links(&os(yes)), "{yes:?}");
        }
        for no in [
            &["-c", "a.c"][..],
            &["-E", "a.c"],
            &["--version"],
            &["-print-search-dirs"],
            &["-v"],
            &["-o", "a"],
            &[],
        ] {
            assert!(!links(&os(no)), "{no:?}");
        }
    }

    #[test]
    fn the_output_is_what_o_names() {
        let of = |args: &[&str]| output(&os(args)).map(|p| p.to_string_lossy().into_owned());
        assert_eq!(of(&["a.o", "-o", "a.exe"]).as_deref(), Some("a.exe"));
        assert_eq!(of(&["-oa.exe", "-D", "-ob"]).as_deref(), Some("a.exe"));
        assert_eq!(of(&["-objc", "a.o"]), None);
    }

    #[test]
    fn objective_c_is_told_from_c() {
        for yes in [
            &["-c", "a.m"][..],
            &["a.mm"],
            &["-x", "objective-c", "a"],
            &["-xobjective-c++", "a"],
        ] {
            assert!(is_objective_c(&os(yes)), "{yes:?}");
        }
        assert!(!is_objective_c(&os(&["-c", "a.c", "-o", "a.o", "-lm"])));
    }

    #[test]
    fn a_tool_that_is_not_there_is_named() {
        let spec = Spec::new(
            "x86_64-unknown-linux-musl".parse().unwrap(),
            Family::Gcc,
            "/t".into(),
        );
        let error = rewrite(
            &spec,
            Path::new("/v"),
            Tool::Windres,
            Vec::new(),
            &Environment::default(),
        )
        .unwrap_err();
        assert!(error.to_string().contains("has no `windres`"), "{error}");
    }
}
