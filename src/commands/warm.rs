//! `--warm`: what a toolchain compiles at its first use for a target is compiled now.

use std::time::Duration;

use anyhow::{Error, Result};
use xtool::project::lock::Lock;
use xtool::project::settings::TargetOptions;
use xtool::smoke::{self, Bench, Warmth};
use xtool::target::Triple;

use super::env;
use super::failure::with_help;
use super::session::Session;

/// zig's slowest target takes 34 s on two cores; a small machine is given much more.
const LIMIT: Duration = Duration::from_mins(15);

/// Warms each target that is installed. What failed is told; the others are done.
pub fn targets(
    session: &Session,
    targets: &[(Triple, TargetOptions)],
    lock: &Lock,
    warmth: Warmth,
) -> Vec<Error> {
    let mut failures = Vec::new();
    for (triple, options) in targets {
        if let Err(e) = one(session, triple, options, lock, warmth) {
            failures.push(e);
        }
    }
    failures
}

fn one(
    session: &Session,
    triple: &Triple,
    options: &TargetOptions,
    lock: &Lock,
    warmth: Warmth,
) -> Result<()> {
    let ready = env::prepare(session, triple, options, lock)?;
    if ready.spec.zig.is_none() {
        return Ok(());
    }
    let name = ready.folder.file_name().unwrap_or_default();
    // Only the results in the toolchain's own cache are wanted.
    let base = session.store.layout().cache().join("warm");
    xtool::owner::create_dir_all(&base)?;
    let scratch = tempfile::Builder::new().prefix(name).tempdir_in(&base)?;
    session.printer.step(
        "Warming",
        &format!("{} for {triple}", ready.installed.receipt.toolchain),
    );
    let bench = Bench {
        spec: &ready.spec,
        shims: &ready.folder,
        scratch: scratch.path(),
        limit: LIMIT,
    };
    smoke::warm(bench, warmth).map_err(|said| {
        with_help(
            format!("Cannot warm the toolchain of `{triple}`: {said}"),
            format!("xtool verify {triple}"),
        )
    })?;
    Ok(())
}
