//! `xtool completions`: what a shell needs to complete our commands.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;

use crate::cli::{Cli, Completions};
use crate::printer::Printer;

/// The shell's script.
pub fn script(args: &Completions, printer: Printer) -> Result<ExitCode> {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "xtool", &mut out);
    printer.raw(&out)?;
    Ok(ExitCode::SUCCESS)
}
