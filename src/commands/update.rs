//! `xtool update`: newer versions into xtool.lock, on purpose.

use std::process::ExitCode;

use anyhow::Result;
use xtool::project::lock::Lock;
use xtool::project::settings::Config;

use super::apply::{self, Request};
use super::failure::with_help;
use super::pins::LockUse;
use super::session::{Session, triples};
use crate::cli::Update;

/// Resolves anew, tells what changed, and applies it.
pub fn run(args: &Update, session: &Session) -> Result<ExitCode> {
    let project = session.project()?;
    let config = Config::load(&project)?.unwrap_or_default();
    let asked = triples(&args.targets)?;
    if let Some(unknown) = asked.iter().find(|t| !config.targets.contains_key(t)) {
        return Err(with_help(
            format!("`{unknown}` is not a target of this project"),
            format!("xtool add {unknown}"),
        ));
    }
    let targets: Vec<_> = config
        .targets
        .into_iter()
        .filter(|(t, _)| asked.is_empty() || asked.contains(t))
        .collect();
    if targets.is_empty() {
        session
            .printer
            .note("The project has no target yet: `xtool add TRIPLE` adds one");
        return Ok(ExitCode::SUCCESS);
    }
    let before = Lock::load(&project)?.unwrap_or_default();
    let code = apply::apply(
        session,
        &Request {
            project: &project,
            targets,
            lock: LockUse::Renew,
            force: false,
        },
    )?;
    let after = Lock::load(&project)?.unwrap_or_default();
    let changes = before.changes(&after);
    for change in &changes {
        session.printer.step("Locked", &change.to_string());
    }
    if changes.is_empty() {
        session
            .printer
            .step("Unchanged", "xtool.lock has the newest versions");
    }
    Ok(code)
}
