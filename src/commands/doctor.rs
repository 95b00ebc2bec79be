//! `xtool doctor`: looks for what will not work, and says what to do about each.

use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::Style;
use anyhow::Result;
use serde_json::json;
use xtool::build_env::{build_env, rustflags, shim};
use xtool::disk::free_space;
use xtool::doctor::{self, Finding, Level};
use xtool::env_vars;
use xtool::help::Help as _;
use xtool::project::cargo_config::Entries;
use xtool::project::consent::Consented;
use xtool::project::settings::{Config, RustStd};
use xtool::project::{Kind, Project, shadows};
use xtool::rust_std::{self, Provider};
use xtool::shim::{self as shims, Tool};
use xtool::target::Triple;

mod network;

use super::env;
use super::session::Session;
use crate::printer::{DIM, ERROR, STEP, WARNING};

/// Looks. Exit code 1 when there is an error.
pub fn run(session: &Session) -> Result<ExitCode> {
    let mut found = vec![host(session)];
    found.extend(doctor::store(session.store.layout(), free_space));
    if let Err(e) = session.store.installed() {
        found.push(Finding::new("store", Level::Error, e.to_string()).fix("xtool sync"));
    }
    let project = session.project().ok();
    let targets: Vec<Triple> = session.project_targets().into_iter().collect();
    let cargo = project.as_ref().is_some_and(|p| p.kind == Kind::Cargo);
    let process = |name: &str| std::env::var_os(name);
    found.extend(doctor::clients(
        &targets,
        cargo,
        which,
        doctor::libclang(process),
    ));
    found.extend(network::look(session));
    match &project {
        Some(project) => found.extend(of_project(session, project, &targets)),
        None => found.push(Finding::new(
            "project",
            Level::Note,
            "The current folder is in no project: nothing was looked at there",
        )),
    }
    print(session, &found)
}

fn host(session: &Session) -> Finding {
    let distribution = session
        .distribution()
        .map_or_else(String::new, |d| format!(", {d}"));
    Finding::new(
        "host",
        Level::Ok,
        format!(
            "{}{distribution}, xtool {}",
            session.machine().host,
            env!("CARGO_PKG_VERSION")
        ),
    )
}

fn of_project(session: &Session, project: &Project, targets: &[Triple]) -> Vec<Finding> {
    const AREA: &str = "project";
    let mut out = doctor::stale_paths(&project.root);
    let config = match Config::load(project) {
        Ok(config) => config.unwrap_or_default(),
        Err(e) => {
            out.push(Finding::new(AREA, Level::Error, e.to_string()));
            return out;
        }
    };
    // Nothing of the project's runs before its user said so: not its rustc either, only to be asked its version.
    let consented = match session.consented(project) {
        Ok(consented) => consented,
        Err(e) => {
            out.push(
                Finding::new(AREA, Level::Error, e.to_string())
                    .fix("xtool doctor --trust   (once, when you have looked at these files)"),
            );
            return out;
        }
    };
    let mut entries = Vec::new();
    for triple in targets {
        match env::ready(session, triple) {
            Ok(ready) => {
                let tools = shims::tools_of(&ready.spec);
                out.push(Finding::new(
                    AREA,
                    Level::Ok,
                    format!(
                        "{triple} with {} {}",
                        ready.installed.receipt.toolchain, ready.installed.receipt.version
                    ),
                ));
                entries.push(Entries {
                    triple: triple.clone(),
                    linker: shim(&ready.folder, Tool::Cc),
                    runner: tools
                        .contains(&Tool::Run)
                        .then(|| shim(&ready.folder, Tool::Run)),
                    rustflags: rustflags(triple, &ready.folder, &tools),
                    env: build_env(&ready.spec, &ready.folder).suffixed,
                });
            }
            Err(e) => out
                .push(Finding::new(AREA, Level::Error, format!("{triple}: {e}")).fix("xtool sync")),
        }
    }
    if project.kind != Kind::Cargo {
        return out;
    }
    match shadows::shadows(project, &entries, &|name| std::env::var_os(name)) {
        Ok(list) => out.extend(
            list.iter()
                .map(|s| Finding::new(AREA, Level::Warning, s.to_string()).fix(s.fix())),
        ),
        Err(e) => out.push(Finding::new(AREA, Level::Error, e.to_string())),
    }
    out.extend(std_of(session, &consented, &config, targets));
    out
}

fn std_of(
    session: &Session,
    project: &Consented,
    config: &Config,
    targets: &[Triple],
) -> Vec<Finding> {
    const AREA: &str = "project";
    let cache = session.store.layout().cache().join("rustc");
    let env = |name: &str| std::env::var_os(name);
    let context = rust_std::Context {
        project,
        cache: &cache,
        env: &env,
    };
    let info = match rust_std::query(context) {
        Ok(info) => info,
        Err(e) => {
            let finding = Finding::new(AREA, Level::Error, e.to_string());
            return vec![match e.help() {
                Some(help) => finding.fix(help),
                None => finding,
            }];
        }
    };
    let mut out = Vec::new();
    for triple in targets {
        let wish = config
            .targets
            .get(triple)
            .map(|o| o.rust_std)
            .unwrap_or_default();
        if wish == RustStd::None || info.host == triple.as_str() {
            continue;
        }
        match rust_std::choose(&info, triple, wish) {
            Provider::Present | Provider::Skipped => {}
            Provider::BuildStd { bootstrap, .. } => {
                if bootstrap && env_vars::non_empty(env_vars::RUSTC_BOOTSTRAP).is_none() {
                    out.push(
                        Finding::new(
                            AREA,
                            Level::Warning,
                            format!("{triple} is built with its standard library, which rustc {} does only with RUSTC_BOOTSTRAP=1", info.version),
                        )
                        .fix("export RUSTC_BOOTSTRAP=1"),
                    );
                }
            }
            Provider::Rustup(rustup) => out.push(
                Finding::new(
                    AREA,
                    Level::Error,
                    format!("Rust's standard library for {triple} is missing"),
                )
                .fix(format!(
                    "rustup target add --toolchain {} {triple}",
                    rustup.toolchain
                )),
            ),
            Provider::Distribution { package, .. } => out.push(
                Finding::new(
                    AREA,
                    Level::Error,
                    format!("Rust's standard library for {triple} is missing"),
                )
                .fix(format!(
                    "install the package {package}, or xtool add {triple} --build-std"
                )),
            ),
            Provider::NoSource | Provider::Nobody => out.push(
                Finding::new(
                    AREA,
                    Level::Error,
                    format!("Rust's standard library for {triple} is missing"),
                )
                .fix(format!("xtool add {triple}   (says what can be done)")),
            ),
        }
    }
    out
}

fn print(session: &Session, found: &[Finding]) -> Result<ExitCode> {
    let printer = session.printer;
    let errors = found.iter().filter(|f| f.level == Level::Error).count();
    let code = if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    if printer.json() {
        let rows: Vec<_> = found
            .iter()
            .map(|f| json!({ "area": f.area, "level": f.level.word(), "what": f.what, "fix": f.fix }))
            .collect();
        printer.value(&json!({ "errors": errors, "findings": rows }))?;
        return Ok(code);
    }
    let mut area = "";
    for f in found {
        if f.area != area {
            area = f.area;
            printer.data(area)?;
        }
        let style = match f.level {
            Level::Ok => STEP,
            Level::Note => DIM,
            Level::Warning => WARNING,
            Level::Error => ERROR,
        };
        let word = format!("  {style}{:<8}{style:#}", f.level.word());
        printer.hanging(&word, Style::new(), &f.what)?;
        if let Some(fix) = &f.fix {
            printer.hanging("          ", DIM, &format!("fix: {fix}"))?;
        }
    }
    let warnings = found.iter().filter(|f| f.level == Level::Warning).count();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    printer.note(&format!(
        "{}, {}",
        count(errors, "error"),
        count(warnings, "warning")
    ));
    Ok(code)
}

fn which(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&env_vars::non_empty("PATH")?)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(&file))
        .find(|path| path.is_file())
}
