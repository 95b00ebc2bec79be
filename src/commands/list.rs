//! `xtool list`: every target with its toolchains, or what is installed.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::chosen::Chosen;
use super::session::Session;
use crate::cli::List;
use crate::printer::{BOLD, DIM, bytes};

/// Prints the list.
pub fn run(args: &List, session: &Session) -> Result<ExitCode> {
    if args.installed {
        installed(session)?;
    } else {
        targets(session)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn targets(session: &Session) -> Result<()> {
    let manifest = session.manifest()?;
    let chosen = Chosen::of(session);
    let machine = session.machine();
    let printer = session.printer;
    let rows: Vec<_> = manifest
        .targets
        .values()
        .map(|target| {
            let default = xtool::resolve::resolve(manifest, machine, &target.triple, None).ok();
            let chosen = chosen
                .has(&target.triple)
                .then(|| chosen.on(manifest, machine, session.distribution(), &target.triple));
            (target, default.map(|c| c.describe()), chosen)
        })
        .collect();
    if printer.json() {
        let rows: Vec<_> = rows
            .iter()
            .map(|(target, default, chosen)| {
                json!({
                    "triple": target.triple,
                    "toolchains": target.toolchains,
                    "default": default,
                    "runner": target.runner,
                    "configured": chosen.is_some(),
                    "chosen": chosen.as_ref().and_then(Option::as_ref),
                })
            })
            .collect();
        printer.value(&json!({ "host": machine.host, "targets": rows }))?;
        return Ok(());
    }
    printer.data(format!(
        "{BOLD}  {:<32}{:<22}{}{BOLD:#}",
        "TARGET", "TOOLCHAIN HERE", "ALL"
    ))?;
    let configured = rows.iter().any(|(_, _, chosen)| chosen.is_some());
    for (target, default, chosen) in rows {
        let mark = if chosen.is_some() { "* " } else { "  " };
        let here = chosen.unwrap_or(default);
        let here = here.as_deref().unwrap_or("none");
        let head = format!("{mark}{:<32}{here:<22}", target.triple);
        printer.hanging(&head, DIM, &target.toolchains.join(", "))?;
    }
    if configured {
        printer.note("* in this project's xtool.toml, with the toolchain that this project takes");
    }
    Ok(())
}

fn installed(session: &Session) -> Result<()> {
    let installed = session.store.installed()?;
    let printer = session.printer;
    if printer.json() {
        let rows: Vec<_> = installed
            .iter()
            .map(|i| {
                json!({
                    "id": i.id,
                    "toolchain": i.receipt.toolchain,
                    "version": i.receipt.version,
                    "path": i.path,
                    "files": i.receipt.files,
                    "bytes": i.receipt.bytes,
                    "source": i.receipt.source,
                    "own": i.own,
                    "parts": i.receipt.parts,
                })
            })
            .collect();
        printer.value(&json!({ "installed": rows }))?;
        return Ok(());
    }
    if installed.is_empty() {
        printer
            .note("No toolchain is installed yet; `xtool add TRIPLE` installs what a target needs");
        return Ok(());
    }
    let width = installed.iter().map(|i| i.id.len()).max().unwrap_or(0);
    printer.data(format!(
        "{BOLD}{:<width$}{:>9}  {}{BOLD:#}",
        "TOOLCHAIN", "SIZE", "FROM"
    ))?;
    for i in installed {
        let receipt = &i.receipt;
        let head = format!("{:<width$}{:>9}  ", i.id, bytes(receipt.bytes));
        let layer = if i.own { "" } else { " (read-only layer)" };
        printer.hanging(&head, DIM, &format!("{}{layer}", receipt.source))?;
        if !receipt.parts.is_empty() {
            let parts: Vec<&str> = receipt.parts.iter().map(String::as_str).collect();
            let below = " ".repeat(head.chars().count());
            printer.hanging(&below, DIM, &format!("parts: {}", parts.join(", ")))?;
        }
    }
    Ok(())
}
