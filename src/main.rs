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
    give_memory_back();
    match cli::Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => commands::usage(&error),
    }
}

/// Makes the C library return large blocks to the system as soon as they are freed. By default glibc keeps blocks of a
/// size that it has seen freed before (mallopt(3), `M_MMAP_THRESHOLD`, "dynamic"), so that a package's many archives
/// add up: installing mingw-w64 took 196 MB with the decoders' memory of each, and 84 MB like this.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "there is no safe binding of mallopt")]
fn give_memory_back() {
    // SAFETY: mallopt takes two integers and touches nothing of ours; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_memory_back() {}
