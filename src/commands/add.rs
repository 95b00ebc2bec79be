//! `xtool add`: targets into the project.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use xtool::project::lock::Lock;
use xtool::project::settings::{Config, RustStd, TargetOptions, check_glibc};
use xtool::project::{CONFIG_FILE, Kind, Project};
use xtool::resolve::ToolchainSpec;
use xtool::smoke::Warmth;
use xtool::target::TargetOs;

use super::apply::{self, Request};
use super::failure::{self, with_help};
use super::pins::LockUse;
use super::session::{Session, triples};
use super::warm;
use crate::cli::Add;

/// Adds the targets.
pub fn run(args: &Add, session: &Session) -> Result<ExitCode> {
    let project = project(args, session)?;
    let config = Config::load(&project)?.unwrap_or_default();
    let mut targets = Vec::new();
    for triple in triples(&args.targets)? {
        let before = config.targets.get(&triple).cloned().unwrap_or_default();
        let options = merge(before, args)?;
        if args.sdk.is_some() && triple.os() != TargetOs::MacOs {
            return Err(with_help(
                format!("`{triple}` is not built with an Apple SDK"),
                format!("xtool add {triple}   (without --sdk)"),
            ));
        }
        targets.push((triple, options));
    }
    let warm = args.warm.then(|| targets.clone());
    let code = apply::apply(
        session,
        &Request {
            project: &project,
            targets,
            lock: LockUse::Prefer,
            force: args.force,
        },
    )?;
    let Some(targets) = warm else {
        return Ok(code);
    };
    let lock = Lock::load(&project)?.unwrap_or_default();
    let failures = warm::targets(session, &targets, &lock, Warmth::FirstBuild);
    for e in &failures {
        failure::print(session.printer, e);
    }
    Ok(if failures.is_empty() {
        code
    } else {
        ExitCode::FAILURE
    })
}

/// What `--toolchain` says, checked before anything is done with it.
pub fn check_toolchain(spec: &str) -> Result<()> {
    match spec.parse::<ToolchainSpec>() {
        Ok(_) => Ok(()),
        Err(e) => Err(with_help(
            format!("Cannot use `--toolchain`: {e}"),
            "--toolchain NAME or --toolchain NAME@VERSION; `xtool show TRIPLE` names them",
        )),
    }
}

fn project(args: &Add, session: &Session) -> Result<Project> {
    if !args.no_cargo {
        return session.project();
    }
    let cwd = std::env::current_dir().context("Cannot tell the current folder")?;
    let found = Project::find_or_no_cargo(&cwd)?;
    // A folder inside somebody's cargo workspace is still the one that was meant.
    let root = if found.root.join(CONFIG_FILE).is_file() {
        found.root
    } else {
        found.cwd.clone()
    };
    let project = Project {
        root,
        kind: Kind::NoCargo,
        cwd: found.cwd,
        named_by: None,
    };
    Ok(project.with_text_for_a_path()?)
}

/// What was said before, and the flags over it.
fn merge(before: TargetOptions, args: &Add) -> Result<TargetOptions> {
    if let Some(spec) = &args.toolchain {
        check_toolchain(spec)?;
    }
    if let Some(glibc) = &args.glibc {
        check_glibc(glibc).map_err(|e| with_help(e, "--glibc 2.17"))?;
    }
    Ok(TargetOptions {
        toolchain: args.toolchain.clone().or(before.toolchain),
        glibc: args.glibc.clone().or(before.glibc),
        sdk: args.sdk.clone().or(before.sdk),
        rust_std: if args.build_std {
            RustStd::Build
        } else if args.no_rust_std {
            RustStd::None
        } else {
            before.rust_std
        },
        ..before
    })
}
