//! `xtool cache`: folders and space.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anstyle::Style;
use anyhow::Result;
use serde_json::json;
use xtool::digest::Sha256;
use xtool::project::{LOCK_FILE, Record};
use xtool::regular;
use xtool::store::dir_size;

use super::failure::with_help;
use super::session::Session;
use crate::cli::{Cache, CacheCommand};
use crate::printer::bytes;

/// Does what was asked; shows the sizes when nothing was.
pub fn run(args: &Cache, session: &Session) -> Result<ExitCode> {
    match args.command.unwrap_or(CacheCommand::Size) {
        CacheCommand::Dir => {
            let dir = session.store.layout().cache();
            if session.printer.json() {
                session.printer.value(&json!({ "dir": dir }))?;
            } else {
                session.printer.data(dir.display().to_string())?;
            }
        }
        CacheCommand::Size => size(session)?,
        CacheCommand::Prune { dry_run } => prune(session, dry_run)?,
        CacheCommand::Clean => clean(session)?,
        CacheCommand::Key => key(session)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn size(session: &Session) -> Result<()> {
    let layout = session.store.layout();
    let parts = [
        ("toolchains", layout.toolchains()),
        ("compiled libraries", layout.home().join("zig-cache")),
        ("copies of xtool", layout.bin()),
        ("downloads", layout.downloads()),
    ];
    let sizes: Vec<_> = parts
        .iter()
        .map(|(name, path)| (*name, path, dir_size(path)))
        .collect();
    if session.printer.json() {
        let rows: Vec<_> = sizes
            .iter()
            .map(|(name, path, n)| json!({ "what": name, "path": path, "bytes": n }))
            .collect();
        session
            .printer
            .value(&json!({ "home": layout.home(), "cache": layout.cache(), "parts": rows }))?;
        return Ok(());
    }
    for (name, path, n) in sizes {
        let head = format!("{name:<20}{:>10}  ", bytes(n));
        let path = path.display().to_string();
        session.printer.hanging(&head, Style::new(), &path)?;
    }
    Ok(())
}

fn prune(session: &Session, dry_run: bool) -> Result<()> {
    let waiting = || {
        session
            .printer
            .step("Waiting", "for another xtool that installs something");
    };
    let pruned = session.store.prune(|| used(session), dry_run, waiting)?;
    if session.printer.json() {
        let removed: Vec<_> = pruned
            .removed
            .iter()
            .map(|(id, n)| json!({ "id": id, "bytes": n }))
            .collect();
        session
            .printer
            .value(&json!({ "dry-run": dry_run, "removed": removed, "busy": pruned.busy }))?;
    }
    let verb = if dry_run { "Would remove" } else { "Removed" };
    for (id, n) in &pruned.removed {
        session.printer.step(verb, &format!("{id} ({})", bytes(*n)));
    }
    for id in &pruned.busy {
        session
            .printer
            .warn(&format!("{id} is in use by a running program and stays"));
    }
    if pruned.removed.is_empty() && pruned.busy.is_empty() {
        session
            .printer
            .note("Every toolchain in the store is used by a project");
    }
    Ok(())
}

/// Ids that projects use.
fn used(session: &Session) -> Result<BTreeSet<String>> {
    let dirs = session.state_dirs();
    let records = Record::all(&dirs)?;
    // A note that cannot be read may stand for a project that needs anything.
    if let Some(path) = records.unreadable.first() {
        return Err(with_help(
            format!(
                "Cannot tell what the project of `{}` uses, so nothing is removed",
                path.display()
            ),
            format!("xtool sync in that project, or rm '{}'", path.display()),
        ));
    }
    let printer = session.printer;
    for record in &records.gone {
        printer.note(&format!(
            "The project `{}` is gone, and needs nothing any more; where it was moved to, `xtool sync` brings it back",
            record.root.display()
        ));
    }
    // An unmounted disk says nothing of its projects.
    for (path, record) in &records.away {
        printer.note(&format!(
            "The project `{}` is away, and what it uses stays; to give it up: rm '{}'",
            record.root.display(),
            path.display()
        ));
    }
    let away = records.away.into_iter().map(|(_, record)| record);
    let all = records.present.into_iter().chain(away);
    Ok(all.flat_map(|r| r.toolchains).collect())
}

fn clean(session: &Session) -> Result<()> {
    let downloads = session.store.layout().downloads();
    let (freed, left) = xtool::fetch::clear(session.store.layout().cache())?;
    if left > 0 {
        session
            .printer
            .warn("another xtool is downloading, and what it is about stays");
    }
    if session.printer.json() {
        session
            .printer
            .value(&json!({ "removed": downloads, "bytes": freed }))?;
    }
    session
        .printer
        .step("Removed", &format!("{} of downloads", bytes(freed)));
    Ok(())
}

/// The lock decides what the store holds, and the host decides which part of it.
fn key(session: &Session) -> Result<()> {
    let project = session.project()?;
    let path = project.root.join(LOCK_FILE);
    let text = regular::read(&path, regular::TEXT_LIMIT).map_err(|e| {
        with_help(
            format!("Cannot read `{}`: {e}", path.display()),
            "xtool add TRIPLE   (writes it)",
        )
    })?;
    let host = session.machine().host;
    let key = format!("xtool-{host}-{}", &Sha256::of(&text).to_string()[..16]);
    if session.printer.json() {
        session.printer.value(&json!({ "key": key }))?;
    } else {
        session.printer.data(key)?;
    }
    Ok(())
}
