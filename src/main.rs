//! The program: a shim when argv[0] says so, else the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = xtool::shim::dispatch(&mut std::env::args_os()) {
        return code;
    }
    eprintln!("error: this build has the shims only");
    ExitCode::FAILURE
}
