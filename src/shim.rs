//! The shim: what cargo, the `cc` crate and build systems run in place of a compiler, linker, archiver or runner.
//!
//! `shims/<variant>/{cc,c++,ar,…,run}` are links to a copy of xtool. In: argv, and the `shim.toml` beside argv[0],
//! which holds everything resolved (no search, no network). Out: the real tool, in place of this process, with its
//! arguments rewritten by the [`rules`] of its family.
//!
//! ```text
//! argv[0] ─ tool, shim.toml → spec ─ rules (pure) → invocation ─ response file, guard → exec
//!                                  └ run → runner (wine, qemu, …) ┘
//! ```

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::manifest::Family;
use crate::target::TargetOs;

mod bundle;
mod driver;
mod error;
mod exec;
mod explain;
mod limits;
mod lipo;
mod nm;
mod osxcross;
mod output;
mod pe;
mod query;
mod response;
pub mod rules;
mod runner;
mod spec;
#[cfg(unix)]
mod terminal;
mod variant;
mod windres;
mod xcrun;

pub use driver::NAMES;
pub use error::ShimError;
pub use limits::limits;
pub use lipo::LipoError;
pub use osxcross::folder as osxcross_folder;
pub use rules::{Environment, Invocation};
pub use runner::{DEBIAN_WINE64, runs_directly};
pub use spec::{Runner, RunnerKind, Sdk, Spec, Tools, Zig};
pub use variant::{link_driver, tools_of, variant_name, write_variant};
pub use xcrun::XcrunError;

/// The file beside a shim that says what it stands for.
pub const SPEC_FILE: &str = "shim.toml";

/// What a shim is, told by its file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `cc`: C compiler and linker driver.
    Cc,
    /// `c++`: C++ compiler and linker driver.
    Cxx,
    /// `ar`: the archiver. The name must be exactly this for zig.
    Ar,
    /// `ranlib`: the archive indexer.
    Ranlib,
    /// `dlltool`: makes import libraries (Windows).
    Dlltool,
    /// `windres`: the resource compiler (Windows).
    Windres,
    /// `strip`: removes symbols.
    Strip,
    /// `lipo`: joins the files of several CPUs into one (macOS).
    Lipo,
    /// `nm`: lists symbols.
    Nm,
    /// `otool`: shows what an object holds (macOS).
    Otool,
    /// `install_name_tool`: changes the names of libraries in a program (macOS).
    InstallNameTool,
    /// `ld64.lld`: the linker that clang calls, where the toolchain has it by another name only (macOS).
    Ld64,
    /// `xcrun`: says where the Apple SDK is, and runs its tools.
    Xcrun,
    /// `run`: runs a program of the target on this machine.
    Run,
}

impl Tool {
    /// Every tool.
    pub const ALL: [Self; 14] = [
        Self::Cc,
        Self::Cxx,
        Self::Ar,
        Self::Ranlib,
        Self::Dlltool,
        Self::Windres,
        Self::Strip,
        Self::Lipo,
        Self::Nm,
        Self::Otool,
        Self::InstallNameTool,
        Self::Ld64,
        Self::Xcrun,
        Self::Run,
    ];

    /// The file name of its shim, without `.exe`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cc => "cc",
            Self::Cxx => "c++",
            Self::Ar => "ar",
            Self::Ranlib => "ranlib",
            Self::Dlltool => "dlltool",
            Self::Windres => "windres",
            Self::Strip => "strip",
            Self::Lipo => "lipo",
            Self::Nm => "nm",
            Self::Otool => "otool",
            Self::InstallNameTool => "install_name_tool",
            Self::Ld64 => "ld64.lld",
            Self::Xcrun => "xcrun",
            Self::Run => "run",
        }
    }

    /// The tool that a file name stands for; `.exe` is taken off first.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = match name.len().checked_sub(4) {
            Some(at) if name.is_char_boundary(at) && name[at..].eq_ignore_ascii_case(".exe") => {
                &name[..at]
            }
            _ => name,
        };
        Self::ALL
            .into_iter()
            .find(|t| t.name() == name)
            .or_else(|| osxcross::tool(name))
    }

    /// Whether it is a compiler driver, whose arguments the rules rewrite.
    pub fn is_driver(self) -> bool {
        matches!(self, Self::Cc | Self::Cxx)
    }
}

/// Called first thing by `main` with argv. `None` when argv[0] is not a shim: its name is not a tool's, or no
/// [`SPEC_FILE`] lies beside it. Otherwise the tool runs: on Unix this process becomes it and the call returns only
/// when that failed; elsewhere the tool's exit code is handed on.
pub fn dispatch(args: &mut dyn Iterator<Item = OsString>) -> Option<ExitCode> {
    let argv0 = PathBuf::from(args.next()?);
    let tool = Tool::from_name(argv0.file_name()?.to_str()?)?;
    let variant = folder_of(&argv0)?;
    let spec_file = variant.join(SPEC_FILE);
    let text = match fs_err::read_to_string(&spec_file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        Err(source) => {
            return Some(error::report(&ShimError::Read {
                path: spec_file,
                source,
            }));
        }
    };
    let outcome =
        Spec::parse(&text, &spec_file).and_then(|spec| run(&spec, &variant, tool, args.collect()));
    Some(outcome.unwrap_or_else(|e| error::report(&e)))
}

fn run(
    spec: &Spec,
    variant: &Path,
    tool: Tool,
    args: Vec<OsString>,
) -> Result<ExitCode, ShimError> {
    if let Some(sdk) = &spec.sdk
        && !sdk.path.is_dir()
    {
        return Err(ShimError::SdkGone {
            triple: spec.triple.clone(),
            path: sdk.path.clone(),
        });
    }
    if tool == Tool::Xcrun {
        return match xcrun::plan(spec, variant, args)? {
            xcrun::Plan::Say(text) => xcrun::say(&text),
            xcrun::Plan::Run(tool, args) => run(spec, variant, tool, args),
            xcrun::Plan::Exec(program, args) => {
                exec::exec(spec, variant, tool, Invocation::new(program, args))
            }
        };
    }
    if tool == Tool::Run {
        let invocation = runner::plan(spec, variant, args)?;
        return exec::exec(spec, variant, tool, invocation);
    }
    if tool == Tool::Lipo && spec.program(tool).is_none() {
        return Ok(lipo::run(args)?);
    }
    if tool == Tool::Nm && spec.program(tool).is_none() {
        return Ok(nm::run(response::expand(args)?.args));
    }
    let mut expanded = response::expand(args)?;
    if let Some(name) = linker_name(spec, tool, &expanded.args) {
        return Ok(exec::say(&name));
    }
    if tool == Tool::Windres {
        if let Some(zig) = &spec.zig {
            return windres::run(spec, zig, variant, expanded.args);
        }
        if spec.family == Family::Clang
            && let Some(version) = rules::windres::llvm_version(&expanded.args)
        {
            return Ok(exec::say(&version));
        }
    }
    if tool.is_driver()
        && let Some(answer) = query::answer(spec, variant, &expanded.args)
    {
        return Ok(exec::say(&answer));
    }
    if tool.is_driver()
        && spec.zig.is_some()
        && let Some(runs) = rules::zig::one_by_one(&expanded.args)
    {
        return one_after_another(spec, variant, tool, runs);
    }
    let special = if tool.is_driver() && spec.zig.is_some() {
        output::take(&mut expanded.args)?
    } else {
        None
    };
    let explained = tool.is_driver() && is_explained(spec, &expanded.args);
    let environment = Environment::read(spec, tool, &expanded.args);
    let mut invocation = rules::rewrite(spec, variant, tool, expanded.args, &environment)?;
    if let Some(origin) = expanded.origin {
        response::shorten(spec.family, &mut invocation, &origin)?;
    }
    let status = match (explained, &special) {
        (true, _) => exec::link(spec, variant, tool, invocation)?,
        (false, Some(_)) => exec::wait(spec, variant, tool, invocation)?,
        (false, None) => return exec::exec(spec, variant, tool, invocation),
    };
    if let Some(special) = special.filter(|_| status.success()) {
        special.pass_on()?;
    }
    Ok(exec::hand_on(status))
}

/// Runs a driver several times; the first failure is the whole's.
fn one_after_another(
    spec: &Spec,
    variant: &Path,
    tool: Tool,
    runs: Vec<Vec<OsString>>,
) -> Result<ExitCode, ShimError> {
    for args in runs {
        let environment = Environment::read(spec, tool, &args);
        let invocation = rules::rewrite(spec, variant, tool, args, &environment)?;
        let status = exec::wait(spec, variant, tool, invocation)?;
        if !status.success() {
            return Ok(exec::hand_on(status));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a failure is to be explained, which takes a process that waits for the driver's end: links, and Objective-C
/// for macOS without an SDK, where the headers of frameworks are missed before any link. All other compiling is `exec`
/// and costs nothing.
fn is_explained(spec: &Spec, args: &[OsString]) -> bool {
    let no_sdk = spec.triple.os() == TargetOs::MacOs && spec.sdk.is_none();
    rules::links(args) || no_sdk && rules::is_objective_c(args)
}

/// Whether zig is asked to compile resources for the target, and can: its part for them may have been left out.
pub fn compiles_resources(spec: &Spec) -> bool {
    spec.zig.is_some()
        && spec.program(Tool::Windres).is_some()
        && rules::windres::sources(spec).is_dir()
}

/// Whether the runner that the settings name is on this machine; what is missing otherwise. `program` is what it is
/// to run.
pub fn check_runner(spec: &Spec, variant: &Path, program: &Path) -> Result<(), ShimError> {
    runner::plan(spec, variant, vec![program.into()]).map(|_| ())
}

/// Meson asks a driver which linker it has (`-Wl,--version`) and gives up on a name that it does not know: before
/// version 1.4 that is zig's. For ELF and PE zig links with the lld of its LLVM.
fn linker_name(spec: &Spec, tool: Tool, args: &[OsString]) -> Option<String> {
    let zig = spec.zig.as_ref()?;
    let asks = tool.is_driver() && args.iter().any(|a| a == "-Wl,--version") && !rules::links(args);
    let lld = matches!(spec.triple.os(), TargetOs::Linux | TargetOs::Windows);
    (asks && lld).then(|| {
        format!(
            "LLD (compatible with GNU linkers), in zig ld {}",
            zig.version
        )
    })
}

/// The folder that holds the shim: argv[0]'s own, never where a link leads. A bare name is looked up in PATH, as the
/// shell did; on Windows, where argv[0] need not be a path, the running program's own path is taken.
fn folder_of(argv0: &Path) -> Option<PathBuf> {
    let parent = argv0.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = match parent {
        Some(parent) => parent.to_owned(),
        None if cfg!(windows) => std::env::current_exe().ok()?.parent()?.to_owned(),
        None => std::env::split_paths(&std::env::var_os("PATH")?)
            .find(|dir| dir.join(argv0).is_file())?,
    };
    // The path goes into the environment and arguments of children that may change folder.
    let folder = std::path::absolute(folder).ok()?;
    let folder = driver::beside(&folder).unwrap_or(folder);
    Some(driver::variant_of(&folder).unwrap_or(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_tool() {
        for tool in Tool::ALL {
            assert_eq!(Tool::from_name(tool.name()), Some(tool));
            assert_eq!(Tool::from_name(&format!("{}.EXE", tool.name())), Some(tool));
        }
        for other in [
            "xtool",
            "xtool-0.1.0",
            "",
            "exe",
            ".exe",
            "ld",
            "ccc",
            "é.ex",
        ] {
            assert_eq!(Tool::from_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_program_that_is_no_shim_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let bare = dir.path().join("cc").into_os_string();
        assert!(dispatch(&mut [bare].into_iter()).is_none());
        assert!(dispatch(&mut ["/usr/bin/xtool".into()].into_iter()).is_none());
        assert!(dispatch(&mut std::iter::empty()).is_none());
    }

    #[test]
    fn the_folder_is_argv0s_own() {
        assert_eq!(
            folder_of(Path::new("/a/b/cc")),
            Some(std::path::absolute("/a/b").unwrap())
        );
        assert!(folder_of(Path::new("no-such-program-anywhere")).is_none() || cfg!(windows));
    }
}
