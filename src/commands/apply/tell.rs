//! What is said of targets and toolchains while they are set up, and at the end.

use anyhow::{Error, Result};
use serde_json::json;
use xtool::install::Outcome;
use xtool::manifest::{Manifest, Source};
use xtool::project::settings::TargetOptions;
use xtool::project::{Kind, Project};
use xtool::resolve;
use xtool::target::Triple;

use super::{Ready, failure, spec_of};
use crate::commands::session::Session;
use crate::printer::bytes;

/// Says so where a colleague on another host would build with another toolchain, and which one all can have.
pub(super) fn differing(session: &Session, targets: &[(Triple, TargetOptions)]) -> Result<()> {
    for (triple, options) in targets {
        let asked = spec_of(options)?;
        let differing = resolve::differing(
            session.manifest()?,
            session.machine(),
            triple,
            asked.as_ref(),
        );
        let Some(differing) = differing else {
            continue;
        };
        // What a host without apt gets is another matter only where apt has a part in it.
        let without = if from_apt(session.manifest()?, &differing.here) {
            "without apt: "
        } else {
            ""
        };
        let others: Vec<String> = differing
            .elsewhere
            .iter()
            .map(|(name, hosts)| {
                let hosts: Vec<&str> = hosts.iter().map(|host| host.rustc_triple()).collect();
                format!("{name} ({without}{})", hosts.join(", "))
            })
            .collect();
        let here = &differing.here;
        if !others.is_empty() {
            session.printer.note(&format!(
                "{triple} is built with {here} here; other hosts get {}",
                others.join(" and ")
            ));
        }
        if !differing.without.is_empty() {
            let hosts: Vec<&str> = differing.without.iter().map(|h| h.rustc_triple()).collect();
            session.printer.note(&format!(
                "{triple} is built with {here} here; other hosts cannot have it ({without}{})",
                hosts.join(", ")
            ));
        }
        if let Some(common) = differing.common {
            session.printer.advice(&format!(
                "xtool add {triple} --toolchain {common}   (which every host has)"
            ));
        }
    }
    Ok(())
}

fn from_apt(manifest: &Manifest, toolchain: &str) -> bool {
    let artifacts = manifest.toolchains.get(toolchain).map(|t| &t.artifacts);
    let mut sources = artifacts.into_iter().flatten().flat_map(|a| &a.sources);
    sources.any(|source| matches!(source, Source::Apt { .. }))
}

/// What was installed, or added to what was there.
pub fn installed(session: &Session, outcome: &Outcome) {
    let r = &outcome.installed.receipt;
    let toolchain = format!("{} {}", r.toolchain, r.version);
    match &outcome.added {
        None => session.printer.step(
            "Installed",
            &format!("{toolchain} ({}, from {})", bytes(r.bytes), r.source),
        ),
        Some(added) => {
            let parts: Vec<&str> = added.parts.iter().map(String::as_str).collect();
            let parts = if parts.is_empty() {
                "what was missing".to_owned()
            } else {
                parts.join(", ")
            };
            session.printer.step(
                "Added",
                &format!("{parts} of {toolchain} ({})", bytes(added.bytes)),
            );
        }
    }
}

pub(super) fn summary(
    session: &Session,
    project: &Project,
    ready: &[Ready],
    failures: &[Error],
    changed: bool,
    bootstrap: bool,
) -> Result<()> {
    let printer = session.printer;
    if printer.json() {
        let targets: Vec<_> = ready
            .iter()
            .map(|r| {
                json!({
                    "triple": r.triple,
                    "toolchain": r.installed.receipt.toolchain,
                    "version": r.installed.receipt.version,
                    "path": r.installed.path,
                    "fresh": r.fresh,
                    "linker": r.entries.linker,
                    "runner": r.entries.runner,
                })
            })
            .collect();
        let errors: Vec<_> = failures.iter().map(failure::json).collect();
        printer.value(&json!({
            "root": project.root, "targets": targets, "changed": changed, "errors": errors
        }))?;
        return Ok(());
    }
    let fresh = ready.iter().any(|r| r.fresh);
    for r in ready {
        let receipt = &r.installed.receipt;
        let what = format!(
            "{} with {} {}",
            r.triple, receipt.toolchain, receipt.version
        );
        if !failures.is_empty() {
            printer.step("Configured", &what);
        } else if changed || fresh {
            printer.step("Ready", &what);
            for limit in &r.limits {
                printer.note(&format!("note: {limit}"));
            }
        } else {
            printer.step("Unchanged", &what);
        }
    }
    if changed
        && failures.is_empty()
        && project.kind == Kind::Cargo
        && let [r] = ready
        && !r.triple.is_host_triple(session.machine().host)
    {
        let first = if bootstrap { "RUSTC_BOOTSTRAP=1 " } else { "" };
        printer.note(&format!("Now: {first}cargo build --target {}", r.triple));
    }
    Ok(())
}
