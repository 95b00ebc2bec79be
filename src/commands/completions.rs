//! `xtool completions` and `xtool man`.

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

/// The manual page, with every command's section.
pub fn man(printer: Printer) -> Result<ExitCode> {
    let mut out = Vec::new();
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(&mut out)?;
    for sub in command.get_subcommands() {
        let name = format!("xtool {}", sub.get_name());
        let sub = sub.clone().display_name(name);
        let man = clap_mangen::Man::new(sub);
        man.render_name_section(&mut out)?;
        man.render_synopsis_section(&mut out)?;
        man.render_options_section(&mut out)?;
    }
    printer.raw(&out)?;
    Ok(ExitCode::SUCCESS)
}
