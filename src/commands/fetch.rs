//! `xtool fetch`: fills the store and leaves the project alone; what a CI image runs.

use std::process::ExitCode;

use anyhow::{Error, Result};
use serde_json::json;
use xtool::install::Want;
use xtool::project::lock::Lock;
use xtool::project::settings::{Config, TargetOptions};
use xtool::smoke::Warmth;
use xtool::target::Triple;

use super::apply;
use super::failure::{self, with_help};
use super::pins::{self, LockUse};
use super::session::{Session, triples};
use super::warm;
use crate::cli::Fetch;
use crate::printer::bytes;

/// Installs what the lock or the arguments name.
pub fn run(args: &Fetch, session: &Session) -> Result<ExitCode> {
    if let Some(spec) = &args.toolchain {
        super::add::check_toolchain(spec)?;
    }
    let (targets, mut lock) = wanted(args, session)?;
    let how = if args.locked {
        LockUse::Require
    } else {
        LockUse::Prefer
    };
    let mut wants: Vec<Want> = Vec::new();
    for (triple, options) in &targets {
        let want = apply::spec_of(options)?;
        let pin = pins::pin(session, triple, want.as_ref(), &mut lock, how)?;
        let extent = session.manifest()?.extent(&pin.toolchain, triple);
        let programs = apply::programs(session, triple, &pin)?;
        Want::add(&mut wants, &pin, extent, programs);
    }
    let mut installed = Vec::new();
    let mut failures: Vec<Error> = Vec::new();
    for outcome in session.installer()?.install_all(&wants) {
        match outcome {
            Ok(outcome) => installed.push(outcome),
            Err(e) => failures.push(e.into()),
        }
    }
    if installed.is_empty()
        && let Some(first) = failures.pop()
    {
        return Err(first);
    }
    let printer = session.printer;
    for outcome in &installed {
        if outcome.fresh {
            apply::tell_installed(session, outcome);
            continue;
        }
        let r = &outcome.installed.receipt;
        printer.step(
            "Present",
            &format!("{} {} ({})", r.toolchain, r.version, bytes(r.bytes)),
        );
    }
    if args.warm {
        failures.extend(warm::targets(session, &targets, &lock, Warmth::Everything));
    }
    if printer.json() {
        let rows: Vec<_> = installed
            .iter()
            .map(|o| json!({ "id": o.installed.id, "path": o.installed.path, "fresh": o.fresh, "parts": o.installed.receipt.parts }))
            .collect();
        let errors: Vec<_> = failures.iter().map(failure::json).collect();
        printer.value(
            &json!({ "host": session.machine().host, "toolchains": rows, "errors": errors }),
        )?;
    }
    for e in &failures {
        failure::print(printer, e);
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The targets and the lock of the project; without a project, the targets given and an empty lock.
fn wanted(args: &Fetch, session: &Session) -> Result<(Vec<(Triple, TargetOptions)>, Lock)> {
    let asked = triples(&args.targets)?;
    let outside = |triple: &Triple| {
        let options = TargetOptions {
            toolchain: args.toolchain.clone(),
            ..TargetOptions::default()
        };
        (triple.clone(), options)
    };
    let project = match session.project() {
        Ok(project) => project,
        Err(e) if asked.is_empty() => return Err(e),
        Err(_) => return Ok((asked.iter().map(outside).collect(), Lock::default())),
    };
    let config = Config::load(&project)?.unwrap_or_default();
    let lock = Lock::load(&project)?.unwrap_or_default();
    session.require_consent(&project, &config, &lock)?;
    let mut targets: Vec<(Triple, TargetOptions)> = config
        .targets
        .into_iter()
        .filter(|(t, _)| asked.is_empty() || asked.contains(t))
        .collect();
    if let Some(toolchain) = &args.toolchain {
        for (_, options) in &mut targets {
            options.toolchain = Some(toolchain.clone());
        }
    }
    let more: Vec<Triple> = asked
        .into_iter()
        .filter(|t| targets.iter().all(|(known, _)| known != t))
        .collect();
    targets.extend(more.iter().map(outside));
    if targets.is_empty() {
        return Err(with_help(
            format!(
                "`{}` names no target",
                project.root.join("xtool.toml").display()
            ),
            "xtool fetch TRIPLE, or xtool add TRIPLE",
        ));
    }
    Ok((targets, lock))
}
