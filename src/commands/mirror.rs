//! `xtool mirror`: the lock's archives, for hosts without a network and for static file servers.

use std::process::ExitCode;

use anyhow::{Error, Result};
use serde_json::json;
use xtool::fetch::{Fetcher, Settings};
use xtool::mirror;
use xtool::pin::{Pin, PinnedSource};
use xtool::project::lock::Lock;
use xtool::project::settings::Config;

use super::failure::{self, with_help};
use super::session::Session;
use crate::cli::Mirror;
use crate::printer::bytes;

/// Writes the mirror. What could not be had is told, and the rest is written.
pub fn run(args: &Mirror, session: &Session) -> Result<ExitCode> {
    let project = session.project()?;
    let config = Config::load(&project)?.unwrap_or_default();
    let lock = Lock::load(&project)?.unwrap_or_default();
    session.require_consent(&project, &config, &lock)?;
    let manifest = session.manifest()?;
    let mut pins: Vec<Pin> = Vec::new();
    for key in lock.entries.keys() {
        // The manifest's addresses, never the lock's.
        let distribution = key.distribution.as_ref();
        let Some(pin) = lock.pin(&key.triple, key.host, distribution, manifest)? else {
            continue;
        };
        if args.this_host && key.host != session.machine().host {
            continue;
        }
        // Another distribution's packages: only its own apt knows where they are.
        if key.distribution.is_some() && key.distribution.as_ref() != session.distribution() {
            session.printer.warn(&format!(
                "`{}` for {} is left out: run this there",
                key.triple,
                key.distribution
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            ));
            continue;
        }
        if pins.iter().all(|p| p.id() != pin.id()) {
            pins.push(pin);
        }
    }
    if pins.is_empty() {
        return Err(with_help(
            format!(
                "`{}` names nothing to mirror",
                project.root.join("xtool.lock").display()
            ),
            "xtool add TRIPLE   (writes the lock)",
        ));
    }
    // A file of the user's own has no place in a mirror, nor in the next machine's lock.
    for pin in &mut pins {
        pin.sources
            .retain(|s| !matches!(s, PinnedSource::Path { .. }));
    }
    pins.retain(|p| !p.sources.is_empty());

    let settings = Settings::from_env(session.store.layout().cache().to_owned(), session.offline)?;
    let fetcher = Fetcher::new(settings, session.reporter.clone())?;
    let mut archives = Vec::new();
    let mut failures: Vec<Error> = Vec::new();
    for result in mirror::collect(&pins, &session.source_context(), &fetcher)? {
        match result {
            Ok(more) => archives.extend(more),
            Err(e) => failures.push(e.into()),
        }
    }
    if archives.is_empty()
        && let Some(first) = failures.pop()
    {
        return Err(first);
    }
    let written = if mirror::is_tar(&args.to) {
        mirror::write_tar(&args.to, &archives)?
    } else {
        mirror::write_folder(&args.to, &archives)?
    };
    let printer = session.printer;
    printer.step(
        "Mirrored",
        &format!(
            "{} archives ({}) into {}",
            written.archives,
            bytes(written.bytes),
            args.to.display()
        ),
    );
    if printer.json() {
        let errors: Vec<_> = failures.iter().map(failure::json).collect();
        printer.value(&json!({
            "to": args.to, "archives": written.archives, "present": written.present,
            "bytes": written.bytes, "errors": errors,
        }))?;
    } else {
        printer.note("Used with XTOOL_MIRROR=<its absolute path, or the address it is served at>");
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
