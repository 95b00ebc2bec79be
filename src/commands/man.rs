//! `xtool man`: the manual, from the same definitions as `--help`; as one text, or a page a command.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;
use xtool::env_vars;

use crate::cli::{Cli, Man};
use crate::printer::Printer;

/// What holds for every command: `(section, [(term, text)])`.
const COMMON: [(&str, &[(&str, &str)]); 3] = [
    (
        "ENVIRONMENT",
        &[
            (
                env_vars::XTOOL_HOME,
                "The store: toolchains, shims, and notes about projects.",
            ),
            (
                env_vars::XTOOL_CACHE_DIR,
                "Downloads; below the store's folder where XTOOL_HOME is set.",
            ),
            (
                env_vars::XTOOL_SYSTEM_HOME,
                "A store below the user's own that is only read; empty for none.",
            ),
            (
                env_vars::XTOOL_MANIFEST,
                "The manifest in place of the built-in one, as --manifest.",
            ),
            (
                env_vars::XTOOL_MIRROR,
                "Where archives are asked for first: an address, a folder, or a file of xtool mirror.",
            ),
            (
                env_vars::XTOOL_HOST,
                "The host to choose toolchains for, where it is not this one.",
            ),
            (
                env_vars::XTOOL_HTTP_TIMEOUT,
                "Seconds that one download may take in all.",
            ),
            (
                env_vars::XTOOL_HTTP_READ_TIMEOUT,
                "Seconds that a server may be silent.",
            ),
            (
                env_vars::XTOOL_RUSTUP_TIMEOUT,
                "Seconds that rustup may take.",
            ),
            (
                env_vars::XTOOL_LOG,
                "What to log, such as debug or xtool=trace; --verbose twice sets one.",
            ),
            (
                "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY",
                "Proxies, in capitals or small letters.",
            ),
            (
                "SSL_CERT_FILE, SSL_CERT_DIR",
                "Roots that certificates are checked against, in place of the system's.",
            ),
            ("RUSTC, CARGO", "The programs that are asked and run."),
            ("NO_COLOR", "No colours."),
        ],
    ),
    (
        "FILES",
        &[
            ("xtool.toml", "The project's targets and their options."),
            (
                "xtool.lock",
                "The toolchains that it uses, with a digest for every host.",
            ),
            (
                "toolchains.toml",
                "Targets, toolchains and artifacts of the project's own.",
            ),
            (
                ".cargo/config.toml",
                "What cargo reads; .cargo/xtool.toml with config = \"include\".",
            ),
        ],
    ),
    (
        "EXIT STATUS",
        &[
            ("0", "Done."),
            ("1", "The user can mend it; a help: line says how."),
            ("2", "Wrong usage."),
            ("101", "A bug."),
            ("130", "Interrupted."),
        ],
    ),
];

/// The common sections, in roff.
fn common() -> String {
    let mut out = String::new();
    for (section, entries) in COMMON {
        let _ = writeln!(out, ".SH {section}");
        for (term, text) in entries {
            // A line that begins with a dot would be a request.
            let (term, text) = (term.replace('-', "\\-"), text.replace('-', "\\-"));
            let _ = writeln!(out, ".TP\n\\fB{term}\\fR\n{text}");
        }
    }
    out
}

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
        let mut text = String::from_utf8(text)?.replace(".SH EXTRA\n", ".SH EXAMPLES\n");
        text.push_str(&common());
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
    text.push_str(&common());
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
