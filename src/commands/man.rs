//! `xtool man`: the manual, from the same definitions as `--help`; as one text, or a page a command.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;

use crate::cli::{Cli, Man};
use crate::printer::Printer;

/// Prints the manual, or writes the pages.
pub fn run(args: &Man, printer: Printer) -> Result<ExitCode> {
    let command = Cli::command();
    match &args.folder {
        None => printer.raw(&whole(&command)?)?,
        Some(folder) => {
            fs_err::create_dir_all(folder)?;
            pages(command, folder)?;
            let path = folder.display();
            printer.step(
                "Written",
                &format!("xtool.1 and a page a command to {path}"),
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A page a command, in the names that the pages themselves refer to each other by.
fn pages(command: clap::Command, folder: &std::path::Path) -> Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut left = vec![command];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().cloned());
        let page = clap_mangen::Man::new(command);
        let mut text = Vec::new();
        page.render(&mut text)?;
        let text = String::from_utf8(text)?.replace(".SH EXTRA\n", ".SH EXAMPLES\n");
        fs_err::write(folder.join(page.get_filename()), text)?;
    }
    Ok(())
}

/// The program's page, then a section a command.
fn whole(command: &clap::Command) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut out)?;
    let mut text = String::from_utf8(out)?.replace(".SH EXTRA\n", ".SH EXAMPLES\n");
    sections(command, "xtool", &mut text)?;
    Ok(text.into_bytes())
}

fn sections(of: &clap::Command, name: &str, text: &mut String) -> Result<()> {
    for command in of.get_subcommands() {
        let name = format!("{name} {}", command.get_name());
        let named = command.clone().display_name(&name).bin_name(&name);
        let man = clap_mangen::Man::new(named);
        let mut out = Vec::new();
        man.render_name_section(&mut out)?;
        man.render_synopsis_section(&mut out)?;
        if command.get_arguments().next().is_some() {
            man.render_options_section(&mut out)?;
        }
        if command.get_after_help().is_some() {
            man.render_extra_section(&mut out)?;
        }
        // Parts of one section, where pages of their own would have sections.
        let section = String::from_utf8(out)?
            .replace(".SH NAME\n", &format!(".SH {}\n", name.to_uppercase()))
            .replace(".SH SYNOPSIS\n", ".SS Synopsis\n")
            .replace(".SH OPTIONS\n", ".SS Options\n")
            .replace(".SH EXTRA\n", ".SS Examples\n");
        text.push_str(&section);
        sections(command, &name, text)?;
    }
    Ok(())
}
