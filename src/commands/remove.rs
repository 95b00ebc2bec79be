//! `xtool remove`: a target out of the project, as if it had never been there.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use xtool::project::Record;
use xtool::project::apply::Where;
use xtool::project::cargo_config::Change;
use xtool::project::lock::Lock;
use xtool::project::settings::{Config, RustStd};

use super::failure::with_help;
use super::session::{Session, triples};
use crate::cli::Remove;

/// Takes the targets out. Toolchains stay in the store until `cache prune`.
pub fn run(args: &Remove, session: &Session) -> Result<ExitCode> {
    let project = session.project()?;
    let dirs = session.state_dirs();
    session.require_consent_to_write(&project)?;
    // What stands in cargo's files is known without xtool.toml, so that all of it can go even when that is broken.
    let (config, unreadable) = match Config::load(&project) {
        Ok(config) => (config.unwrap_or_default(), None),
        Err(e) if args.all => (Config::default(), Some(e)),
        Err(e) => return Err(e.into()),
    };
    let configured = project.configured_targets(&dirs)?;
    let targets = if args.all {
        let mut all: Vec<_> = config.targets.keys().cloned().chain(configured).collect();
        all.sort();
        all.dedup();
        all
    } else {
        let targets = triples(&args.targets)?;
        if let Some(unknown) = targets
            .iter()
            .find(|t| !config.targets.contains_key(t) && !configured.contains(t))
        {
            let known: Vec<String> = config.targets.keys().map(ToString::to_string).collect();
            return Err(with_help(
                format!("`{unknown}` is not a target of this project"),
                if known.is_empty() {
                    "the project has no target".to_owned()
                } else {
                    format!("its targets are {}", known.join(", "))
                },
            ));
        }
        targets
    };

    let still_builds_std = config
        .targets
        .iter()
        .any(|(t, o)| !targets.contains(t) && o.rust_std == RustStd::Build);
    let change = Change {
        remove: &targets,
        build_std: (!still_builds_std).then_some(false),
        ..Change::default()
    };
    let place = Where {
        mode: config.config,
        cargo: None,
    };
    let held = project.hold(&dirs)?;
    let applied = project.apply(&held, &dirs, &change, place)?;
    let mut lock = Lock::load(&project)?.unwrap_or_default();
    for triple in &targets {
        lock.remove(triple);
    }
    lock.save(&held, &project)?;
    if let Some(mut record) = Record::load(&dirs, &project.root)? {
        for triple in &targets {
            record
                .variants
                .retain(|v| !v.contains(&format!("-{triple}-")));
        }
        let variants = record.variants.clone();
        record
            .toolchains
            .retain(|id| variants.iter().any(|v| v.starts_with(&format!("{id}-"))));
        record.save(&held, &dirs)?;
    }
    // Last: as long as it names a target, a run that was broken off can be repeated.
    match &unreadable {
        Some(e) => session
            .printer
            .warn(&format!("{e}: it was left as it is, for you to delete")),
        None => {
            for triple in &targets {
                project.remove_target(&held, triple)?;
            }
        }
    }
    for warning in &applied.warnings {
        session.printer.warn(warning);
    }
    if session.printer.json() {
        session
            .printer
            .value(&json!({ "root": project.root, "removed": targets }))?;
    }
    for triple in &targets {
        session.printer.step(
            "Removed",
            &format!("{triple} from {}", project.root.display()),
        );
    }
    Ok(ExitCode::SUCCESS)
}
