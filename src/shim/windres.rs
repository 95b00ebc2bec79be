//! windres for zig, which has a resource compiler of another command line: the target's C compiler preprocesses the
//! script, as GNU windres has it done, and `zig rc` compiles the result.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use super::rules::windres::{self, Compile, Request, WindresError};
use super::{Environment, ShimError, Spec, Tool, Zig, exec, rules};

/// Does what GNU windres does for the arguments.
pub(super) fn run(
    spec: &Spec,
    zig: &Zig,
    variant: &Path,
    args: Vec<OsString>,
) -> Result<ExitCode, ShimError> {
    let mut compile = match windres::parse(args, &spec.triple)? {
        Request::Version => {
            return Ok(exec::say(&windres::version(&format!(
                "zig rc {}",
                zig.version
            ))));
        }
        Request::Help => return Ok(exec::say(windres::USAGE)),
        Request::Compile(compile) => compile,
    };
    let sources = windres::sources(spec);
    if !sources.is_dir() {
        return Err(WindresError::NoCompiler(sources).into());
    }
    if let (false, Some(input)) = (compile.is_script, &compile.input) {
        let invocation = compile.compiler(zig, input);
        return exec::exec(spec, variant, Tool::Windres, invocation);
    }
    // The temporary folder is gone before the status is handed on, which may end this process.
    let status = compile_script(spec, zig, variant, &mut compile)?;
    Ok(exec::hand_on(status))
}

/// Both steps; the status of the one that failed, or of the last.
fn compile_script(
    spec: &Spec,
    zig: &Zig,
    variant: &Path,
    compile: &mut Compile,
) -> Result<ExitStatus, ShimError> {
    let scratch = tempfile::Builder::new()
        .prefix("windres-")
        .tempdir()
        .map_err(file_error(&std::env::temp_dir()))?;
    let script = scratch.path().join("script.rcpp");
    let input = readable(compile, scratch.path())?;
    let cc = compile.preprocessor(&input, &script);
    let environment = Environment::read(spec, Tool::Cc, &cc);
    let cc = rules::rewrite(spec, variant, Tool::Cc, cc, &environment)?;
    let status = exec::wait(spec, variant, Tool::Cc, cc)?;
    if !status.success() {
        return Ok(status);
    }
    let text = fs_err::read(&script).map_err(file_error(&script))?;
    fs_err::write(&script, windres::with_code_pages(&text, &script))
        .map_err(file_error(&script))?;
    exec::wait(spec, variant, Tool::Windres, compile.compiler(zig, &script))
}

/// The input, or a copy that the C compiler can read: zig's reads no standard input, and none reads UTF-16.
fn readable(compile: &mut Compile, scratch: &Path) -> Result<PathBuf, ShimError> {
    let script = match compile.input.clone() {
        None => {
            let mut script = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut script);
            read.map_err(file_error(Path::new("<stdin>")))?;
            script
        }
        Some(input) => {
            let script = fs_err::read(&input).map_err(file_error(&input))?;
            if !windres::is_utf16(&script) {
                return Ok(input);
            }
            script
        }
    };
    let copy = scratch.join("script.rc");
    fs_err::write(&copy, compile.moved(script)).map_err(file_error(&copy))?;
    Ok(copy)
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> ShimError {
    |source| ShimError::File {
        path: path.to_owned(),
        source,
    }
}
