//! `xtool verify`: proves the toolchains of the project's targets with small programs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use xtool::env_vars;
use xtool::project::Kind;
use xtool::project::settings::Config;
use xtool::rust_std::{self, Provider};
use xtool::smoke::{Bench, Row, RustBuild, Verdict};
use xtool::target::Triple;

use super::env;
use super::failure::{self, with_help};
use super::session::{Session, triples};
use crate::cli::Verify;
use crate::printer::{BOLD, DIM, ERROR, STEP, WARNING};

/// The longest that one program may take to build, with the standard library from source on a slow machine.
const LIMIT: Duration = Duration::from_mins(20);

/// Proves them. Exit code 1 when a program did not build or did not do what it should.
pub fn run(args: &Verify, session: &Session) -> Result<ExitCode> {
    let project = session.project()?;
    let config = Config::load(&project)?.unwrap_or_default();
    let mut targets = triples(&args.targets)?;
    if targets.is_empty() {
        targets = config.targets.keys().cloned().collect();
    }
    if targets.is_empty() {
        return Err(with_help(
            format!(
                "`{}` names no target",
                project.root.join("xtool.toml").display()
            ),
            "xtool add TRIPLE",
        ));
    }
    let printer = session.printer;
    let mut good = true;
    let mut out = Vec::new();
    for triple in &targets {
        match one(session, triple) {
            Ok((toolchain, rows)) => {
                good &= rows.iter().all(Row::is_good);
                if printer.json() {
                    out.push(json_of(triple, &toolchain, &rows));
                } else {
                    table(session, triple, &toolchain, &rows)?;
                }
            }
            Err(e) => {
                good = false;
                out.push(json!({ "triple": triple, "error": failure::json(&e) }));
                failure::print(printer, &e);
            }
        }
    }
    if printer.json() {
        printer.value(&json!({ "passed": good, "targets": out }))?;
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn one(session: &Session, triple: &Triple) -> Result<(String, Vec<Row>)> {
    let ready = env::ready(session, triple)?;
    let receipt = &ready.installed.receipt;
    let toolchain = format!("{} {}", receipt.toolchain, receipt.version);
    // By the variant's name: cargo's part of it is built once.
    let name = ready.folder.file_name().unwrap_or_default();
    let scratch = session.store.layout().cache().join("verify").join(name);
    // What is built there follows the umask, and runs: nobody else gets in.
    let base = scratch.parent().unwrap_or(&scratch);
    if !base.is_dir() {
        xtool::owner::create_dir_all(session.store.layout().cache())?;
        xtool::owner::create_dir_around(base)?;
    }
    xtool::owner::create_dir_all(&scratch)?;
    let bench = Bench {
        spec: &ready.spec,
        shims: &ready.folder,
        scratch: &scratch,
        limit: LIMIT,
    };
    session
        .printer
        .step("Verifying", &format!("{triple} with {toolchain}"));
    let rust = rust_build(session, triple);
    // The first program of a language may take half a minute, and Rust's library from source minutes.
    let building = |what: &str| session.printer.step("Building", what);
    building("a C program");
    let c = bench.c();
    building("a C++ program");
    let cxx = bench.cxx();
    if let Ok(build) = &rust {
        building(if build.from_source {
            "a Rust program, with Rust's standard library from its source"
        } else {
            "a Rust program"
        });
    }
    let rows = vec![c, cxx, bench.rust(rust.as_ref().map_err(Clone::clone))];
    Ok((toolchain, rows))
}

/// How Rust is built in this project, or why it cannot be.
fn rust_build(session: &Session, triple: &Triple) -> Result<RustBuild, String> {
    let project = session.project().map_err(|e| e.to_string())?;
    if project.kind != Kind::Cargo {
        return Err("this is not a cargo project".to_owned());
    }
    let wish = Config::load(&project)
        .ok()
        .flatten()
        .and_then(|c| c.targets.get(triple).map(|o| o.rust_std))
        .unwrap_or_default();
    let cache = session.store.layout().cache().join("rustc");
    let env = |name: &str| std::env::var_os(name);
    let consented = session.consented(&project).map_err(|e| e.to_string())?;
    let context = rust_std::Context {
        project: &consented,
        cache: &cache,
        env: &env,
    };
    let info = rust_std::query(context).map_err(|e| e.to_string())?;
    if info.host == triple.as_str() {
        return Err(
            "it is this host's own triple, and cargo uses the host's linker for it".to_owned(),
        );
    }
    let libs = info.sysroot.join("lib/rustlib").join(triple.as_str());
    let mut from_source = false;
    match rust_std::choose(&info, triple, wish) {
        Provider::Present => {}
        Provider::BuildStd { bootstrap, .. } => {
            from_source = true;
            let set = env_vars::non_empty(env_vars::RUSTC_BOOTSTRAP).is_some();
            if bootstrap && !set {
                return Err(format!(
                    "build-std on rustc {} needs RUSTC_BOOTSTRAP=1 in the environment",
                    info.version
                ));
            }
        }
        Provider::Skipped if libs.join("lib").is_dir() => {}
        _ => {
            return Err(format!(
                "Rust's standard library for it is not installed: `xtool add {triple}`, or `xtool add {triple} --build-std`"
            ));
        }
    }
    Ok(RustBuild {
        cargo: env_vars::non_empty("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from),
        root: project.root,
        from_source,
        offline: session.offline,
    })
}

fn table(session: &Session, triple: &Triple, toolchain: &str, rows: &[Row]) -> Result<()> {
    let printer = session.printer;
    printer.data(format!("{BOLD}{triple}{BOLD:#}  {DIM}{toolchain}{DIM:#}"))?;
    for row in rows {
        printer.data(format!(
            "  {:<6}built {}{:pad$}  ran {}",
            row.language,
            cell(&row.built),
            "",
            cell(&row.ran),
            pad = 8usize.saturating_sub(row.built.word().len())
        ))?;
        // What was not built need not be said twice.
        let why = match (&row.built, &row.ran) {
            (Verdict::Passed, ran) => ran.reason(),
            (built, _) => built.reason(),
        };
        for line in why.unwrap_or_default().lines() {
            printer.hanging("        ", DIM, line)?;
        }
    }
    Ok(())
}

fn cell(verdict: &Verdict) -> String {
    let style = match verdict {
        Verdict::Passed => STEP,
        Verdict::Failed(_) => ERROR,
        Verdict::Skipped(_) => WARNING,
    };
    format!("{style}{}{style:#}", verdict.word())
}

fn json_of(triple: &Triple, toolchain: &str, rows: &[Row]) -> serde_json::Value {
    let verdict = |v: &Verdict| json!({ "result": v.word(), "reason": v.reason() });
    let rows: Vec<_> = rows
        .iter()
        .map(|r| json!({ "language": r.language, "built": verdict(&r.built), "ran": verdict(&r.ran) }))
        .collect();
    json!({ "triple": triple, "toolchain": toolchain, "programs": rows })
}
