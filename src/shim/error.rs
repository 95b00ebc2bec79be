//! What a shim can say instead of running its tool.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use super::explain::{fixed, known};
use super::rules::windres::WindresError;
use super::{LipoError, XcrunError};
use crate::help::Help;
use crate::target::Triple;

/// Why a shim could not be written, or could not run its tool.
#[derive(Debug, thiserror::Error)]
pub enum ShimError {
    /// `shim.toml` could not be read.
    #[error("Cannot read the shim's settings `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `shim.toml` is not what this version writes.
    #[error("The shim's settings `{}` are not readable by this xtool", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// `shim.toml` was written by another version.
    #[error("The shim's settings `{}` have schema {found}, this xtool reads schema {}", path.display(), super::spec::SCHEMA)]
    Schema {
        /// The file.
        path: PathBuf,
        /// The number in the file.
        found: u32,
    },
    /// A path in the settings cannot be written as TOML (it is not Unicode).
    #[error("The settings of a shim for `{triple}` cannot be written as TOML")]
    Render {
        /// The target.
        triple: Triple,
        /// Why.
        #[source]
        source: Box<toml::ser::Error>,
    },
    /// The variant's folder could not be written.
    #[error("Cannot write the shims in `{}`", path.display())]
    Write {
        /// The variant's folder or a file in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The toolchain has no such tool.
    #[error("The toolchain for `{triple}` in `{}` has no `{tool}`", root.display())]
    NoTool {
        /// The target.
        triple: Triple,
        /// The tool's name.
        tool: &'static str,
        /// The toolchain's folder.
        root: PathBuf,
    },
    /// `-l:FILE` names a file that is nowhere.
    #[error(
        "Cannot find `{file}`, which `-l:{file}` names for `{triple}`, in {}",
        in_folders(folders)
    )]
    NoSuchLibrary {
        /// The target.
        triple: Triple,
        /// The file's name.
        file: String,
        /// Where it was looked for.
        folders: Vec<PathBuf>,
    },
    /// A file that the link needs could not be made.
    #[error("Cannot make `{}` for the link", path.display())]
    NotMade {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The linker's output could not be made a bundle.
    #[error("Cannot make `{}` a bundle", path.display())]
    Bundle {
        /// The output.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The toolchain's folder is not there any more.
    #[error("The toolchain for `{triple}` is gone: `{}` does not exist", root.display())]
    ToolchainGone {
        /// The target.
        triple: Triple,
        /// The folder.
        root: PathBuf,
    },
    /// A program could not be started.
    #[error("Cannot run `{}`", program.display())]
    Exec {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A shim's tool leads back to the shim.
    #[error("The shim `{}` calls itself", shim.display())]
    Loop {
        /// The shim.
        shim: PathBuf,
    },
    /// What was made could not be written to where it belongs.
    #[error("Cannot write to `{}`", path.display())]
    Output {
        /// As it was named.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A response file could not be read or written.
    #[error("Cannot use the response file `{}`", path.display())]
    Response {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Response files that name each other.
    #[error("The response file `{}` is nested too deeply", path.display())]
    ResponseDepth {
        /// The file at which it stopped.
        path: PathBuf,
    },
    /// Nothing on this machine runs the target's programs.
    #[error("Nothing here runs programs for `{triple}`: {wanted}")]
    NoRunner {
        /// The target.
        triple: Triple,
        /// What was looked for.
        wanted: String,
        /// How to get it.
        help: String,
    },
    /// The runner was called without a program.
    #[error("The runner for `{triple}` was called without a program")]
    NoProgram {
        /// The target.
        triple: Triple,
    },
    /// The Apple SDK is not in the store any more.
    #[error("The Apple SDK for `{triple}` is gone: `{}` does not exist", path.display())]
    SdkGone {
        /// The target.
        triple: Triple,
        /// The folder.
        path: PathBuf,
    },
    /// `xcrun` has no answer.
    #[error(transparent)]
    Xcrun(#[from] XcrunError),
    /// Our own `lipo` refused.
    #[error(transparent)]
    Lipo(#[from] LipoError),
    /// windres's arguments, or zig without what compiles resources.
    #[error(transparent)]
    Windres(#[from] WindresError),
    /// A file of windres's, the caller's or a temporary one, could not be read or written.
    #[error("Cannot use the file `{}`", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A variable of the user's that names a version does not.
    #[error("`{variable}` is `{value}`, which is no version")]
    NotAVersion {
        /// Its name.
        variable: &'static str,
        /// Its value, escaped.
        value: String,
    },
    /// `-arch` asks for what zig does not make in one run.
    #[error("zig builds for one of arm64 and x86_64 at a time, not for `-arch {}`", asked.join(" -arch "))]
    Arch {
        /// The target.
        triple: Triple,
        /// As asked for.
        asked: Vec<String>,
    },
    /// An option names a CPU that the toolchain does not have.
    #[error("Cannot use `{option}`: this zig has no CPU or feature `{what}` for {triple}")]
    Cpu {
        /// The target.
        triple: Triple,
        /// As given: `-march=foo`.
        option: String,
        /// What of it is not known.
        what: String,
        /// Names like it.
        alike: Vec<String>,
    },
    /// The linked program's header could not be changed.
    #[error("Cannot write the versions that were asked for into `{}`", path.display())]
    Header {
        /// The program.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// zig links nothing statically with glibc.
    #[error("Cannot use `{option}` for {triple}: zig links glibc dynamically only")]
    StaticGlibc {
        /// The target.
        triple: Triple,
        /// `-static` or `-static-pie`.
        option: &'static str,
    },
    /// The stand-in for `bcryptprimitives.dll` could not be built.
    #[error("Cannot build `bcryptprimitives.dll` for {wine} in `{}`: the compiler said: {said}", folder.display())]
    WineDll {
        /// The wine that needs it.
        wine: String,
        /// Where it was to go.
        folder: PathBuf,
        /// The compiler's first lines.
        said: String,
    },
}

impl Help for ShimError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Read { .. }
            | Self::Parse { .. }
            | Self::Schema { .. }
            | Self::Loop { .. }
            | Self::ToolchainGone { .. }
            | Self::Exec { .. } => {
                Some("run `xtool sync` in the project to set the toolchain up again".to_owned())
            }
            Self::NoTool { triple, .. } => Some(format!(
                "`xtool show {triple}` lists what the toolchain has; `xtool add {triple} --toolchain NAME` takes another"
            )),
            Self::NoSuchLibrary { file, .. } => Some(format!(
                "name the folder that has `{file}` with -L; a library of the target's, not of this machine's"
            )),
            Self::NotMade { path, .. } => Some(format!(
                "check that `{}` can be written to, and has space left",
                path.parent().unwrap_or(path).display()
            )),
            Self::SdkGone { triple, .. } => Some(format!(
                "import it again: xtool sdk import PATH; or set the target up with what there is: xtool add {triple}"
            )),
            Self::Xcrun(e) => e.help(),
            Self::Lipo(e) => e.help(),
            Self::Windres(e) => e.help(),
            Self::NoRunner { help, .. } => Some(help.clone()),
            Self::NotAVersion { variable, .. } => {
                Some(format!("give one such as 11.0, or unset {variable}"))
            }
            Self::Arch { triple, .. } => Some(format!(
                "build for each, then: xtool exec {triple} -- lipo -create -output BOTH ARM64 X86_64; or with an SDK: \
                 xtool add {triple} --toolchain osxcross"
            )),
            Self::Cpu {
                triple,
                option,
                what,
                alike,
            } => Some(cpu_help(triple, option, what, alike)),
            Self::StaticGlibc { triple, .. } => Some(fixed::instead(triple)),
            Self::WineDll { .. } => {
                Some("a wine of version 9 or newer does not need it".to_owned())
            }
            Self::NoProgram { .. } => Some(
                "cargo calls it: `cargo run`, `cargo test`; by hand: `run PROGRAM ARGS…`"
                    .to_owned(),
            ),
            Self::Render { .. } | Self::Write { .. } => {
                Some("check XTOOL_HOME: it must be writable, and Unicode".to_owned())
            }
            Self::Response { .. }
            | Self::ResponseDepth { .. }
            | Self::Output { .. }
            | Self::Header { .. }
            | Self::File { .. }
            | Self::Bundle { .. } => None,
        }
    }
}

/// How to name the CPU, or who has it.
fn cpu_help(triple: &Triple, option: &str, what: &str, alike: &[String]) -> String {
    let list = format!("xtool exec {triple} -- sh -c '$CC -print-supported-cpus'");
    let (name, _) = option.split_once('=').unwrap_or((option, ""));
    match (what, alike) {
        ("native", _) => format!(
            "this machine's CPU is not of the target's kind: name the CPU that runs the program; all that zig has: {list}"
        ),
        ("generic", _) => format!(
            "`generic` is for -mtune only: leave {option} out, or name a CPU; all that zig has: {list}"
        ),
        (_, []) => match known::gcc(triple) {
            Some(toolchain) => format!(
                "name one that zig has: {list}; or build with GCC: xtool add {triple} --toolchain {toolchain}"
            ),
            None => format!("name one that zig has: {list}"),
        },
        (_, alike) => format!(
            "did you mean {name}={}? All that zig has: {list}",
            alike.join(&format!(" or {name}="))
        ),
    }
}

/// `a, b`, or that there are none.
fn in_folders(folders: &[PathBuf]) -> String {
    if folders.is_empty() {
        return "no folder: the link has no -L".to_owned();
    }
    let names: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    names.join(", ")
}

/// Says the error on stderr as the command line would, and gives the exit code.
pub(super) fn report(error: &ShimError) -> ExitCode {
    let mut lines = vec![format!("error: {error}")];
    let mut cause = error.source();
    while let Some(e) = cause {
        lines.push(format!("  caused by: {}", e.to_string().trim_end()));
        cause = e.source();
    }
    lines.extend(error.help().map(|help| format!("help: {help}")));
    let text = lines.join("\n") + "\n";
    // A closed stderr leaves the exit code to tell it.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    ExitCode::FAILURE
}
