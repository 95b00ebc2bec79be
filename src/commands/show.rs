//! `xtool show`: one target, here and on other hosts.

use std::process::ExitCode;

use anstyle::Style;
use anyhow::Result;
use serde_json::{Value, json};
use xtool::resolve::{self, Machine};
use xtool::shim as shims;
use xtool::target::{Host, Triple};

use super::chosen::Chosen;
use super::env;
use super::session::{Session, triple};
use crate::cli::Show;
use crate::printer::{BOLD, DIM, Printer, bytes};

/// Prints it.
pub fn run(args: &Show, session: &Session) -> Result<ExitCode> {
    let triple = triple(&args.target)?;
    let manifest = session.manifest()?;
    let target = resolve::target(manifest, &triple)?;
    let here = resolve::resolve(manifest, session.machine(), &triple, None).ok();
    let chosen = Chosen::of(session);
    let configured = chosen.has(&triple);
    let hosts = hosts(session, &triple, &chosen)?;
    let chosen = chosen.on(manifest, session.machine(), session.distribution(), &triple);
    let ready = if configured {
        env::ready(session, &triple).ok()
    } else {
        None
    };
    let printer = session.printer;

    if printer.json() {
        return json_of(
            session,
            &triple,
            here.as_ref(),
            configured,
            chosen.as_deref(),
            ready.as_ref(),
            &hosts,
        );
    }

    printer.data(format!("{BOLD}{triple}{BOLD:#}"))?;
    let line = |name: &str, text: &str| line(printer, name, text);
    line("toolchains", &target.toolchains.join(", "))?;
    line(
        "default",
        here.as_ref()
            .map_or("none".to_owned(), resolve::Choice::describe)
            .as_str(),
    )?;
    if configured {
        let chosen = chosen.as_deref().unwrap_or("none on this host");
        line("chosen", &format!("{chosen}   (this project's)"))?;
    }
    let none = "none: its programs cannot run on this host";
    let runner = match target.runner.as_deref() {
        _ if shims::runs_directly(&triple) => "none needed: its programs run on this host",
        // wine runs programs of its own CPU only.
        Some("wine") if triple.arch() == "aarch64" && !session.machine().host.is_arm64() => none,
        Some(name) => name,
        None => none,
    };
    line("runner", runner)?;
    match &ready {
        None if configured => line("installed", "no: xtool sync")?,
        None => line(
            "project",
            &format!("not a target of this project: xtool add {triple}"),
        )?,
        Some(r) => ready_lines(session, &triple, r)?,
    }
    let heading = if configured {
        "by host, in this project"
    } else {
        "by host"
    };
    printer.data(format!("  {DIM}{heading}{DIM:#}"))?;
    for (host, toolchain) in hosts {
        let toolchain = toolchain.as_deref().unwrap_or("none");
        printer.hanging(&format!("    {host:<28}"), Style::new(), toolchain)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A label and its value.
fn line(printer: Printer, name: &str, text: &str) -> std::io::Result<()> {
    printer.hanging(&format!("  {DIM}{name:<12}{DIM:#}"), Style::new(), text)
}

/// What is installed for it, and where.
fn ready_lines(session: &Session, triple: &Triple, r: &env::Prepared) -> Result<()> {
    let line = |name: &str, text: &str| line(session.printer, name, text);
    let receipt = &r.installed.receipt;
    line(
        "installed",
        &format!(
            "{} {} ({}, from {})",
            receipt.toolchain,
            receipt.version,
            bytes(receipt.bytes),
            receipt.source
        ),
    )?;
    if !receipt.parts.is_empty() {
        let parts: Vec<&str> = receipt.parts.iter().map(String::as_str).collect();
        line("parts", &parts.join(", "))?;
    }
    line("path", &r.installed.path.display().to_string())?;
    line("shims", &r.folder.display().to_string())?;
    if let Some(sysroot) = &r.spec.sysroot {
        line("sysroot", &sysroot.display().to_string())?;
    }
    if let Some(zig) = &r.spec.zig {
        line("zig target", &zig.target)?;
    }
    if let Some(floor) = r.spec.glibc_floor() {
        line(
            "glibc",
            &format!("{floor}, the floor: programs run with any as new"),
        )?;
    }
    if let Some(glibc) = receipt.glibc() {
        line(
            "glibc",
            &format!("{glibc}, the toolchain's own: programs may need one as new"),
        )?;
    }
    if let Some(sdk) = &r.spec.sdk {
        line(
            "SDK",
            &format!("macOS {} in {}", sdk.version, sdk.path.display()),
        )?;
    }
    let tools: Vec<&str> = shims::tools_of(&r.spec).iter().map(|t| t.name()).collect();
    line("tools", &tools.join(" "))?;
    if let Some(folder) = shims::osxcross_folder(&r.spec, &r.folder) {
        line(
            "Apple names",
            &format!("{} (on PATH in `xtool exec {triple}`)", folder.display()),
        )?;
    }
    line("variables", &format!("xtool env {triple}"))?;
    for limit in shims::limits(&r.spec) {
        line("limit", &limit)?;
    }
    Ok(())
}

fn json_of(
    session: &Session,
    triple: &Triple,
    here: Option<&resolve::Choice<'_>>,
    configured: bool,
    chosen: Option<&str>,
    ready: Option<&env::Prepared>,
    hosts: &[(String, Option<String>)],
) -> Result<ExitCode> {
    let target = resolve::target(session.manifest()?, triple)?;
    let hosts: Vec<Value> = hosts
        .iter()
        .map(|(host, toolchain)| json!({ "host": host, "toolchain": toolchain }))
        .collect();
    let ready = ready.map(|r| {
        let variables: serde_json::Map<_, _> = r
            .variables(triple)
            .into_iter()
            .map(|(k, v)| (k, v.into()))
            .collect();
        let floor = r.spec.glibc_floor();
        json!({
            "toolchain": r.installed.receipt.toolchain,
            "version": r.installed.receipt.version,
            "path": r.installed.path,
            "bytes": r.installed.receipt.bytes,
            "source": r.installed.receipt.source,
            "parts": r.installed.receipt.parts,
            "shims": r.folder,
            "sysroot": r.spec.sysroot,
            "glibc": r.installed.receipt.glibc().or(floor),
            "sdk": r.spec.sdk,
            "limits": shims::limits(&r.spec),
            "tools": shims::tools_of(&r.spec).iter().map(|t| t.name()).collect::<Vec<_>>(),
            "environment": variables,
        })
    });
    session.printer.value(&json!({
        "triple": triple,
        "toolchains": target.toolchains,
        "default": here.map(resolve::Choice::describe),
        "runner": target.runner,
        "configured": configured,
        "chosen": chosen,
        "installed": ready,
        "hosts": hosts,
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// What each host would get, in this project where the target is one of it: with apt where Debian or Ubuntu run on it,
/// and without.
fn hosts(
    session: &Session,
    triple: &Triple,
    chosen: &Chosen,
) -> Result<Vec<(String, Option<String>)>> {
    let manifest = session.manifest()?;
    let choice = |host, apt| {
        let machine = Machine { host, apt };
        if chosen.has(triple) {
            let here = apt && session.machine() == machine;
            let distribution = if here { session.distribution() } else { None };
            return chosen.on(manifest, machine, distribution, triple);
        }
        resolve::resolve(manifest, machine, triple, None)
            .ok()
            .map(|c| c.describe())
    };
    let mut out = Vec::new();
    for host in Host::ALL {
        let without = choice(host, false);
        let with = if host.is_linux() {
            choice(host, true)
        } else {
            None
        };
        if with.is_some() && with != without {
            out.push((
                format!("{host}"),
                with.map(|w| match &without {
                    Some(without) => format!("{w}; {without} where there is no apt"),
                    None => w,
                }),
            ));
        } else {
            out.push((host.to_string(), without));
        }
    }
    Ok(out)
}
