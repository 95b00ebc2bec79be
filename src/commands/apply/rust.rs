//! Rust's own part, as far as the set-up of targets sees to it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Error;
use xtool::project::Kind;
use xtool::project::consent::Consented;
use xtool::project::settings::RustStd;
use xtool::reporter::{Reporter, Silent};
use xtool::rust_std::{self, Outcome, Wish};

use super::{Ready, Request};
use crate::commands::session::Session;

/// Sees to Rust's own part for each target; what cannot be had is told at the end.
///
/// Returns what failed, and whether builds need `RUSTC_BOOTSTRAP=1` that is not set.
pub(super) fn provide(
    session: &Session,
    request: &Request<'_>,
    consented: &Consented,
    ready: &[Ready],
    changed: bool,
) -> (Vec<Error>, bool) {
    if request.project.kind != Kind::Cargo {
        return (Vec::new(), false);
    }
    let wanted: Vec<&Ready> = ready
        .iter()
        .filter(|r| r.options.rust_std != RustStd::None)
        .collect();
    if wanted.is_empty() {
        return (Vec::new(), false);
    }
    let cache = cache(session);
    let context = context(consented, &cache);
    let info = match rust_std::query(context) {
        Ok(info) => info,
        Err(e) => return (vec![e.into()], false),
    };
    let mut failures = Vec::new();
    let mut bootstrap = false;
    // What is said of build-std holds for the whole project: once, and when something has changed.
    let mut told = !changed;
    for r in wanted {
        let wish = Wish {
            rust_std: r.options.rust_std,
            offline: session.offline,
        };
        let built = r.options.rust_std == RustStd::Build;
        let reporter: &dyn Reporter = if built && told {
            &Silent
        } else {
            session.reporter.as_ref()
        };
        told |= built;
        match rust_std::provide(&info, &r.triple, wish, context, reporter) {
            Ok(Outcome::BuildStd { needs_bootstrap }) => bootstrap |= needs_bootstrap,
            Ok(Outcome::Installed) => {
                session.printer.step(
                    "Installed",
                    &format!("Rust's standard library for {}", r.triple),
                );
            }
            Ok(_) => {}
            Err(e) => failures.push(e.into()),
        }
    }
    (failures, bootstrap)
}

pub(super) fn cache(session: &Session) -> PathBuf {
    session.store.layout().cache().join("rustc")
}

pub(super) fn context<'a>(project: &'a Consented, cache: &'a Path) -> rust_std::Context<'a> {
    rust_std::Context {
        project,
        cache,
        env: &process_env,
    }
}

fn process_env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
