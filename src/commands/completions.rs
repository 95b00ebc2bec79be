//! `xtool completions`: what a shell needs to complete our commands.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;
use clap::builder::PossibleValuesParser;
use xtool::manifest::Manifest;

use crate::cli::{Cli, Completions, TRIPLE};
use crate::printer::Printer;

/// The shell's script. It offers the targets of the compiled-in manifest.
pub fn script(args: &Completions, printer: Printer) -> Result<ExitCode> {
    let manifest = Manifest::load(None)?;
    let triples = PossibleValuesParser::new(manifest.targets.keys().map(ToString::to_string));
    let mut command = Cli::command().mut_subcommands(|command| {
        command.mut_args(|arg| {
            let is_triple = arg
                .get_value_names()
                .is_some_and(|names| names.iter().any(|name| name == TRIPLE));
            if is_triple {
                arg.value_parser(triples.clone())
            } else {
                arg
            }
        })
    });
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut command, "xtool", &mut out);
    printer.raw(&out)?;
    Ok(ExitCode::SUCCESS)
}
