//! `xtool sync`: what a fresh clone runs.

use std::process::ExitCode;

use anyhow::Result;
use xtool::project::CONFIG_FILE;
use xtool::project::settings::Config;

use super::apply::{self, Request};
use super::failure::with_help;
use super::pins::LockUse;
use super::session::Session;
use crate::cli::Sync;

/// Brings the machine to what xtool.toml says.
pub fn run(args: &Sync, session: &Session) -> Result<ExitCode> {
    let project = session.project()?;
    let Some(config) = Config::load(&project)? else {
        return Err(with_help(
            format!("No `{CONFIG_FILE}` in `{}`", project.root.display()),
            "xtool add TRIPLE   (writes it)",
        ));
    };
    if config.targets.is_empty() {
        session
            .printer
            .note(&format!("`{CONFIG_FILE}` names no target: nothing to do"));
        return Ok(ExitCode::SUCCESS);
    }
    apply::apply(
        session,
        &Request {
            project: &project,
            targets: config.targets.into_iter().collect(),
            lock: if args.locked {
                LockUse::Require
            } else {
                LockUse::Prefer
            },
            force: args.force,
        },
    )
}
