//! The last step: the guard against a shim that calls itself, and `exec`.

use std::ffi::{OsStr, OsString};
#[cfg(unix)]
use std::io::IsTerminal as _;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use super::bundle;
use super::explain::{explain, explain_crash, note};
use super::rules::Recipe;
use super::{Invocation, ShimError, Spec, Tool};
use crate::env_vars::XTOOL_SHIM;

/// How often one shim may stand in the chain of its own ancestors. Once or twice is legitimate (a program under `run`
/// that builds and runs another); a tool that leads back to its shim gets there at once.
const MAX_NESTED: usize = 8;

/// Runs the tool in place of this process; elsewhere than on Unix, runs it and hands its exit code on.
pub(super) fn exec(
    spec: &Spec,
    variant: &Path,
    tool: Tool,
    invocation: Invocation,
) -> Result<ExitCode, ShimError> {
    let program = invocation.program.clone();
    let command = command(spec, variant, tool, invocation)?;
    replace(command).map_err(|source| not_run(spec, program, source))
}

/// Runs a tool and waits for it, where more is to be done afterwards.
pub(super) fn wait(
    spec: &Spec,
    variant: &Path,
    tool: Tool,
    invocation: Invocation,
) -> Result<ExitStatus, ShimError> {
    let program = invocation.program.clone();
    let mut command = command(spec, variant, tool, invocation)?;
    command
        .status()
        .map_err(|source| not_run(spec, program, source))
}

/// Runs a driver that links, and adds a `help:` line when it fails for a reason that we know. What it says and its
/// exit status stay as they are; on a terminal it has one too, so that it keeps its colours and progress.
pub(super) fn link(
    spec: &Spec,
    variant: &Path,
    tool: Tool,
    mut invocation: Invocation,
) -> Result<ExitStatus, ShimError> {
    let program = invocation.program.clone();
    let header = invocation.header.clone();
    let bundle = invocation.bundle.take();
    let notes = [
        note(spec, tool, &invocation.args),
        invocation.note.map(str::to_owned),
    ];
    let args = invocation.args.clone();
    if let Some(recipe) = invocation.recipe.take() {
        make(&recipe, &invocation)?;
    }
    let command = command(spec, variant, tool, invocation)?;
    let (mut child, said) =
        watch(command).map_err(|source| not_run(spec, program.clone(), source))?;
    let status = child
        .wait()
        .map_err(|source| not_run(spec, program, source))?;
    if let Some((path, versions)) = header.filter(|_| status.success()) {
        super::pe::set_versions(&path, versions)
            .map_err(|source| ShimError::Header { path, source })?;
    }
    if !status.success()
        && let Some(help) = explain(spec, brought_glibc(spec), &said).or_else(|| {
            // No code: a signal ended it.
            status
                .code()
                .is_none()
                .then(|| explain_crash(spec, &args))?
        })
    {
        // A closed stderr leaves the exit code to tell it.
        let _ = writeln!(io::stderr(), "{}help: {help}", to_line_start(&said));
    }
    let mut start = to_line_start(&said);
    for note in notes.into_iter().flatten().filter(|_| status.success()) {
        let _ = writeln!(io::stderr(), "{start}note: {note}");
        start = "";
    }
    if let Some(path) = bundle.filter(|_| status.success()) {
        bundle::make(&path)?;
    }
    Ok(status)
}

/// The glibc of a toolchain that has one of its own; zig's is what its target says.
fn brought_glibc(spec: &Spec) -> Option<u32> {
    let sysroot = spec.sysroot.as_deref()?;
    (spec.zig.is_none() && spec.triple.is_glibc()).then(|| crate::glibc::of_sysroot(sysroot))?
}

/// Makes a file that the link needs, unless it is there. Any number of processes may do it at once: each makes its own,
/// and the last one's stays.
fn make(recipe: &Recipe, link: &Invocation) -> Result<(), ShimError> {
    if recipe.output.exists() {
        return Ok(());
    }
    let failed = |source| ShimError::NotMade {
        path: recipe.output.clone(),
        source,
    };
    let folder = recipe.output.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder).map_err(failed)?;
    let staged = tempfile::Builder::new()
        .prefix(".made-")
        .tempdir_in(folder)
        .map_err(failed)?;
    let path = staged
        .path()
        .join(recipe.output.file_name().unwrap_or_default());
    let mut output = OsString::from(recipe.output_option);
    output.push(&path);
    let made = Command::new(&recipe.program)
        .args(&recipe.args)
        .arg(output)
        .envs(link.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .map_err(failed)?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr);
        return Err(failed(io::Error::other(said.trim().to_owned())));
    }
    fs_err::rename(&path, &recipe.output).map_err(failed)
}

/// What brings the cursor to an empty line behind what a program said, of which no word is lost. zig may redraw its
/// progress once more after its last message, and leaves the cursor at the top of it: only that is cleared away.
fn to_line_start(said: &str) -> &'static str {
    if said.is_empty() || said.ends_with('\n') {
        ""
    } else if said.ends_with("\x1b[?2026l") {
        "\r\x1b[J"
    } else {
        "\n"
    }
}

/// Starts the program, and passes on what it says until it closes its stderr.
fn watch(mut command: Command) -> io::Result<(Child, String)> {
    #[cfg(unix)]
    if io::stderr().is_terminal()
        && let Ok(terminal) = super::terminal::like(&io::stderr())
    {
        let child = command.stderr(terminal.inner).spawn()?;
        // The command holds the inner end: until it is gone, the outer one has no end of file.
        drop(command);
        return Ok((child, pass_on(terminal.outer, Keep::Last)));
    }
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let said = child.stderr.take().map(|from| pass_on(from, Keep::First));
    Ok((child, said.unwrap_or_default()))
}

/// Which part of a very long text is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// The beginning, where the first cause stands.
    First,
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "only Unix has a terminal made for it")
    )]
    /// The end: on a terminal, pictures of the progress come before the messages.
    Last,
}

/// Copies to stderr as it comes, and keeps the text.
fn pass_on(mut from: impl Read, keep: Keep) -> String {
    const KEPT: usize = 256 * 1024;
    let mut said = Vec::new();
    let mut buffer = [0; 8192];
    let mut open = true;
    loop {
        let part = match from.read(&mut buffer) {
            Ok(n @ 1..) => &buffer[..n],
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            // A terminal that nobody writes to any more ends with an error.
            Ok(0) | Err(_) => break,
        };
        // Read on when nobody listens any more: a full pipe would stop the linker.
        open = open && io::stderr().write_all(part).is_ok();
        match keep {
            Keep::First => {
                said.extend_from_slice(&part[..part.len().min(KEPT.saturating_sub(said.len()))]);
            }
            Keep::Last => {
                said.extend_from_slice(part);
                if said.len() > 2 * KEPT {
                    said.drain(..said.len() - KEPT);
                }
            }
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// A line on stdout, in place of a tool.
pub(super) fn say(text: &str) -> ExitCode {
    let _ = writeln!(io::stdout(), "{text}");
    ExitCode::SUCCESS
}

fn not_run(spec: &Spec, program: PathBuf, source: io::Error) -> ShimError {
    if source.kind() == io::ErrorKind::NotFound && !spec.root.is_dir() {
        return ShimError::ToolchainGone {
            triple: spec.triple.clone(),
            root: spec.root.clone(),
        };
    }
    ShimError::Exec { program, source }
}

fn command(
    spec: &Spec,
    variant: &Path,
    tool: Tool,
    invocation: Invocation,
) -> Result<Command, ShimError> {
    let shim = variant.join(tool.name());
    let Some(chain) = guarded(std::env::var_os(XTOOL_SHIM).as_deref(), &shim) else {
        return Err(ShimError::Loop { shim });
    };
    let mut command = Command::new(&invocation.program);
    command.args(&invocation.args).env(XTOOL_SHIM, chain);
    for name in &invocation.env_remove {
        command.env_remove(name);
    }
    command.envs(invocation.env);
    if let Some((name, value)) = library_path(spec, tool) {
        command.env(name, value);
    }
    Ok(command)
}

/// The value of [`XTOOL_SHIM`] for the child: the shims that lead to it, as a list of paths. `None` when this shim
/// stands in it too often.
fn guarded(before: Option<&OsStr>, shim: &Path) -> Option<OsString> {
    let mut chain: Vec<_> = before.map_or_else(Vec::new, |v| std::env::split_paths(v).collect());
    if chain.iter().filter(|s| s.as_path() == shim).count() >= MAX_NESTED {
        return None;
    }
    chain.push(shim.to_owned());
    // A path with the separator in it cannot be listed, nor be a part of PATH; then the chain starts anew.
    Some(std::env::join_paths(chain).unwrap_or_default())
}

/// The library path of the toolchain's own programs, before what the user has. Never for `run`: a program of the
/// target is not one of them.
fn library_path(spec: &Spec, tool: Tool) -> Option<(&'static str, OsString)> {
    if spec.library_path.is_empty() || tool == Tool::Run || !cfg!(target_os = "linux") {
        return None;
    }
    let name = "LD_LIBRARY_PATH";
    let before = crate::env_vars::non_empty(name);
    let before = before.iter().flat_map(std::env::split_paths);
    let all = spec.library_path.iter().cloned().chain(before);
    Some((name, std::env::join_paths(all).ok()?))
}

#[cfg(unix)]
fn replace(mut command: Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> io::Result<ExitCode> {
    Ok(hand_on(command.status()?))
}

/// The exit code; a signal that ended the program ends this process too. Where it does not, as a shell tells of it.
#[cfg(unix)]
pub(super) fn hand_on(status: ExitStatus) -> ExitCode {
    use rustix::process::{Signal, getpid, kill_process};
    use std::os::unix::process::ExitStatusExt as _;
    if let Some(signal) = status.signal().and_then(Signal::from_named_raw) {
        let _ = kill_process(getpid(), signal);
    }
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|c| u8::try_from(c).ok()).unwrap_or(1))
}

/// Windows' codes are 32 bits (0xc0000135): only the process's own end can carry one.
#[cfg(not(unix))]
pub(super) fn hand_on(status: ExitStatus) -> ExitCode {
    std::process::exit(status.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_progress_is_cleared_away() {
        assert_eq!(to_line_start("error: x\n"), "");
        assert_eq!(to_line_start("error: x"), "\n");
        assert_eq!(
            to_line_start("error: x\r\n\x1b[J[1/1] Link\x1bM\x1b[?2026l"),
            "\r\x1b[J"
        );
    }

    #[test]
    fn a_shim_that_meets_itself_stops() {
        let cc = Path::new("/shims/a/cc");
        let mut chain: Option<OsString> = None;
        for _ in 0..MAX_NESTED {
            chain = Some(guarded(chain.as_deref(), cc).expect("still legitimate"));
        }
        assert_eq!(guarded(chain.as_deref(), cc), None);
        // Another shim is not stopped by this one's history.
        assert!(guarded(chain.as_deref(), Path::new("/shims/a/run")).is_some());
    }
}
