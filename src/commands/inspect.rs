//! `xtool inspect`: what a built binary needs to run, and where it will.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Value, json};
use xtool::help::Help;
use xtool::inspect::facts::Facts;
use xtool::inspect::require::{self, Outcome, Requirement};
use xtool::inspect::strip::{self, StripError, Stripped};
use xtool::inspect::tables::Tables;
use xtool::inspect::{self, InspectError, Report};

use crate::cli::{Global, Inspect};
use crate::printer::{self, Printer};

mod toolchain;

use toolchain::Toolchains;

/// What became of one file.
struct Inspected {
    report: Report,
    outcomes: Vec<Outcome>,
    stripped: Option<Stripped>,
}

/// Why there is nothing to say of one file, or no copy of it.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    Strip(#[from] StripError),
}

impl Help for Failed {
    fn help(&self) -> Option<String> {
        match self {
            Self::Inspect(e) => e.help(),
            Self::Strip(e) => e.help(),
        }
    }
}

/// Inspects every file; fails if one could not be read or does not meet a requirement. What is no requirement is a
/// mistake in the command line: exit code 2.
pub fn run(args: &Inspect, global: &Global, printer: Printer) -> anyhow::Result<ExitCode> {
    let requirements = match parse(&args.require) {
        Ok(r) => r,
        Err(e) if printer.json() => {
            printer.value(&json!({ "ok": false, "error": error_value(&e) }))?;
            return Ok(ExitCode::from(2));
        }
        Err(e) => {
            say(printer, &e);
            return Ok(ExitCode::from(2));
        }
    };
    if args.strip.is_some() && args.files.len() > 1 {
        bail!("`--strip OUT` takes one file, not {}", args.files.len());
    }
    let toolchains = Toolchains::new(global, printer);
    let mut ok = true;
    let mut values = Vec::new();
    for (index, file) in args.files.iter().enumerate() {
        match one(args, file, &requirements, &toolchains) {
            Ok(done) => {
                ok &= done.outcomes.iter().all(|o| o.met);
                if printer.json() {
                    values.push(value(&done)?);
                } else {
                    show(printer, &done, index > 0)?;
                }
            }
            Err(e) => {
                ok = false;
                if printer.json() {
                    values.push(json!({ "path": file, "error": error_value(&e) }));
                } else {
                    say(printer, &e);
                }
            }
        }
    }
    if printer.json() {
        printer.value(&json!({ "ok": ok, "files": values }))?;
    }
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn parse(texts: &[String]) -> Result<Vec<Requirement>, require::RequireError> {
    texts.iter().map(|t| t.parse()).collect()
}

fn one(
    args: &Inspect,
    file: &Path,
    requirements: &[Requirement],
    toolchains: &Toolchains,
) -> Result<Inspected, Failed> {
    let tables = Tables::built_in();
    let mut report = inspect::inspect(file, args.sysroot.as_deref(), tables)?;
    // Another machine's libraries are where its toolchain keeps them, unless the user knows better.
    let sysroot = match report.slices.first() {
        Some(slice) if args.sysroot.is_none() && slice.is_foreign() => {
            toolchains.sysroot(&slice.facts)
        }
        _ => None,
    };
    if sysroot.is_some() {
        report = inspect::inspect(file, sysroot.as_deref(), tables)?;
    }
    let outcomes = requirements
        .iter()
        .map(|r| require::check(r, &report.slices, report.size, tables))
        .collect();
    let stripped = match (&args.strip, report.slices.first()) {
        (Some(out), Some(slice)) => {
            let stripper = match toolchains.stripper(&slice.facts) {
                Some(stripper) => stripper,
                None => strip::on_path(&slice.facts)?.as_path().into(),
            };
            Some(strip::strip(&stripper, file, out)?)
        }
        _ => None,
    };
    Ok(Inspected {
        report,
        outcomes,
        stripped,
    })
}

fn value(done: &Inspected) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(&done.report)?;
    value["requirements"] = serde_json::to_value(&done.outcomes)?;
    if let Some(stripped) = &done.stripped {
        value["stripped"] = serde_json::to_value(stripped)?;
    }
    Ok(value)
}

fn show(printer: Printer, done: &Inspected, after_another: bool) -> anyhow::Result<()> {
    let gap = if after_another { "\n" } else { "" };
    let text = inspect::render::text(&done.report, &done.outcomes, Tables::built_in());
    printer.data(format!("{gap}{}", text.trim_end()))?;
    if let Some(s) = &done.stripped {
        let [before, after] = [s.before, s.after].map(printer::bytes);
        let saved = printer::bytes(s.before.saturating_sub(s.after));
        printer.step(
            "Stripped",
            &format!("{} ({before} → {after}, {saved} saved)", s.path.display()),
        );
        printer.step("", &format!("with {}", s.program.display()));
    }
    if done.stripped.is_some() && done.report.slices.iter().any(|s| is_signed(&s.facts)) {
        printer
            .warn("the signature does not outlive stripping: sign the copy before it is shipped");
    }
    for o in done.outcomes.iter().filter(|o| !o.met) {
        printer.error(&format!(
            "`{}`: {} is not met: {}",
            done.report.path.display(),
            o.requirement,
            o.reason
        ));
    }
    Ok(())
}

/// Whether a signature covers the bytes that stripping changes.
fn is_signed(facts: &Facts) -> bool {
    facts.pe().is_some_and(|p| p.signed) || facts.mach_o().is_some_and(|m| m.signature.is_some())
}

fn say<E: Error + Help>(printer: Printer, error: &E) {
    let mut text = error.to_string();
    for cause in causes(error) {
        text.push_str("\n  cause: ");
        text.push_str(&cause);
    }
    printer.error(&text);
    if let Some(help) = error.help() {
        printer.help(&help);
    }
}

fn error_value<E: Error + Help>(error: &E) -> Value {
    json!({ "message": error.to_string(), "causes": causes(error), "help": error.help() })
}

fn causes(error: &dyn Error) -> Vec<String> {
    std::iter::successors(error.source(), |&e| e.source())
        .map(ToString::to_string)
        .collect()
}
