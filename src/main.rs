//! The `xtool` program: a shim when it is called by a tool's name, else the command line.

mod cli;
mod commands;
mod printer;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // First, before anything is parsed: cargo calls a shim hundreds of times in a build.
    if let Some(code) = xtool::shim::dispatch(&mut std::env::args_os()) {
        return code;
    }
    match cli::Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => commands::usage(&error),
    }
}
