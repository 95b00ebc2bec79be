//! What `add`, `sync` and `update` share: install what the targets need, then bring the project's files to it.

use std::process::ExitCode;

use anyhow::{Error, Result};
use xtool::build_env::{build_env, rustflags, shim};
use xtool::install::{Outcome as Installation, Want};
use xtool::pin::Pin;
use xtool::project::apply::Where;
use xtool::project::cargo_config::{Change, Entries};
use xtool::project::consent::{self, Consented};
use xtool::project::lock::Lock;
use xtool::project::settings::{Config, TargetOptions};
use xtool::project::{Held, Kind, Project, Record, StateDirs, check_cargo_config, shadows};
use xtool::resolve::{self, ToolchainSpec};
use xtool::rust_std;
use xtool::sdk;
use xtool::shim::{self as shims, Tool};
use xtool::store::Installed;
use xtool::target::{TargetOs, Triple};
use xtool::variant::{self, Options, Place};

mod rust;
mod tell;

pub use tell::installed as tell_installed;

use super::failure;
use super::pins::{self, LockUse};
use super::session::Session;
use super::wish;

/// What a command wants of the project.
pub struct Request<'a> {
    /// Where.
    pub project: &'a Project,
    /// Targets with what xtool.toml is to say of them in the end.
    pub targets: Vec<(Triple, TargetOptions)>,
    /// How the lock is used.
    pub lock: LockUse,
    /// Replace the user's own settings.
    pub force: bool,
}

/// One target, ready.
struct Ready {
    triple: Triple,
    options: TargetOptions,
    installed: Installed,
    fresh: bool,
    variant: String,
    entries: Entries,
    limits: Vec<String>,
}

/// Does it. Exit code 1 when a step could not be done; everything else was done and kept.
pub fn apply(session: &Session, request: &Request<'_>) -> Result<ExitCode> {
    let project = request.project;
    // Before anything is fetched for what then cannot be written.
    check_cargo_config(&project.root)?;
    let dirs = session.state_dirs();
    let config = Config::load(project)?.unwrap_or_default();
    let old_lock = Lock::load(project)?.unwrap_or_default();
    let consented = session.require_consent(project, &config, &old_lock)?;

    let mut lock = old_lock.clone();
    // An option that cannot be followed costs no download, and no question to apt.
    for (triple, options) in &request.targets {
        wish::check(session, triple, options, &lock, request.lock)?;
    }
    let mut pins: Vec<Pin> = Vec::new();
    for (triple, options) in &request.targets {
        let want = spec_of(options)?;
        pins.push(pins::pin(
            session,
            triple,
            want.as_ref(),
            &mut lock,
            request.lock,
        )?);
    }
    if request.lock == LockUse::Require {
        old_lock.require_unchanged(&lock)?;
    }

    if lock != old_lock {
        tell::differing(session, &request.targets)?;
    }
    let (ready, mut failures, changed) = {
        // Until it is written down that the project uses them, nobody else knows that the toolchains are needed.
        let _hold = session.store.hold(|| {
            session
                .printer
                .step("Waiting", "for another xtool that removes toolchains");
        })?;
        let (ready, failures) = install(session, &request.targets, &pins)?;
        let changed = write_files(session, request, &consented, &dirs, &config, &lock, &ready)?;
        (ready, failures, changed)
    };
    let (missing, bootstrap) = rust::provide(session, request, &consented, &ready, changed);
    failures.extend(missing);
    tell::summary(session, project, &ready, &failures, changed, bootstrap)?;
    Ok(match failures.as_slice() {
        [] => ExitCode::SUCCESS,
        all => {
            for e in all {
                failure::print(session.printer, e);
            }
            ExitCode::FAILURE
        }
    })
}

/// The toolchain that the options ask for.
pub fn spec_of(options: &TargetOptions) -> Result<Option<ToolchainSpec>> {
    Ok(options.toolchain.as_deref().map(str::parse).transpose()?)
}

fn install(
    session: &Session,
    targets: &[(Triple, TargetOptions)],
    pins: &[Pin],
) -> Result<(Vec<Ready>, Vec<Error>)> {
    let manifest = session.manifest()?;
    let mut wants: Vec<Want> = Vec::new();
    for ((triple, _), pin) in targets.iter().zip(pins) {
        let extent = manifest.extent(&pin.toolchain, triple);
        Want::add(&mut wants, pin, extent, programs(session, triple, pin)?);
    }
    let outcomes = session.installer()?.install_all(&wants);
    let mut failures = Vec::new();
    let mut installed: Vec<Installation> = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(outcome) => {
                if outcome.fresh {
                    tell::installed(session, &outcome);
                }
                installed.push(outcome);
            }
            Err(e) => failures.push(Error::new(e)),
        }
    }
    // A run that was broken off, or that could do nothing at all, changes nothing.
    if installed.is_empty()
        && let Some(first) = failures.pop()
    {
        return Err(first);
    }
    let exe = session.store.own_executable()?;
    let mut ready = Vec::new();
    for ((triple, options), pin) in targets.iter().zip(pins) {
        let id = pin.id();
        let Some(outcome) = installed.iter().find(|o| o.installed.id == id) else {
            continue;
        };
        match variant(session, triple, options, outcome, pin, &exe) {
            Ok(r) => ready.push(r),
            Err(e) => failures.push(e),
        }
    }
    Ok((ready, failures))
}

/// What the target needs of its toolchain, as the manifest has it.
pub fn programs(session: &Session, triple: &Triple, pin: &Pin) -> Result<Vec<variant::Program>> {
    let manifest = session.manifest()?;
    let tools = manifest
        .target(triple)
        .and_then(|t| t.tools.get(&pin.toolchain));
    let (Some(toolchain), Some(tools)) = (manifest.toolchains.get(&pin.toolchain), tools) else {
        // An older lock's; what it is used for will say so.
        return Ok(Vec::new());
    };
    let host = session.machine().host;
    Ok(variant::programs(
        triple,
        toolchain,
        tools,
        &pin.version,
        host,
    ))
}

fn variant(
    session: &Session,
    triple: &Triple,
    options: &TargetOptions,
    outcome: &Installation,
    pin: &Pin,
    exe: &std::path::Path,
) -> Result<Ready> {
    session.store.adopt_zig_cache(&outcome.installed.id)?;
    let spec = spec(session, triple, options, &outcome.installed, pin)?;
    if spec.zig.is_some() {
        session.store.own_zig_cache(&outcome.installed.id);
    }
    let name = shims::variant_name(&outcome.installed.id, triple, &spec)?;
    let shims_dir = session.store.layout().shims();
    let folder = shims::write_variant(&shims_dir, &outcome.installed.id, &spec, exe)?;
    let tools = shims::tools_of(&spec);
    Ok(Ready {
        entries: Entries {
            triple: triple.clone(),
            linker: shim(&folder, Tool::Cc),
            runner: tools.contains(&Tool::Run).then(|| shim(&folder, Tool::Run)),
            rustflags: rustflags(triple, &folder, &tools),
            env: build_env(&spec, &folder).suffixed,
        },
        triple: triple.clone(),
        options: options.clone(),
        installed: outcome.installed.clone(),
        fresh: outcome.fresh,
        variant: name,
        limits: shims::limits(&spec),
    })
}

/// The Apple SDK for a target: the one asked for, else the newest that was imported.
pub fn sdk_of(
    session: &Session,
    triple: &Triple,
    options: &TargetOptions,
) -> Result<Option<shims::Sdk>> {
    if triple.os() != TargetOs::MacOs {
        return Ok(None);
    }
    let found = sdk::find(&session.store, options.sdk.as_deref())?;
    Ok(found.map(|sdk| sdk.for_shim()))
}

/// What the shim of a target does in this project.
pub fn spec(
    session: &Session,
    triple: &Triple,
    options: &TargetOptions,
    installed: &Installed,
    pin: &Pin,
) -> Result<shims::Spec> {
    let manifest = session.manifest()?;
    let target = resolve::target(manifest, triple)?;
    let (Some(toolchain), Some(tools)) = (
        manifest.toolchains.get(&pin.toolchain),
        target.tools.get(&pin.toolchain),
    ) else {
        return Err(resolve::ResolveError::NotForTarget {
            toolchain: pin.toolchain.clone(),
            triple: triple.clone(),
            available: target.toolchains.clone(),
        }
        .into());
    };
    let place = Place {
        root: &installed.path,
        version: &pin.version,
        zig_cache: &session.store.layout().zig_cache(&installed.id),
        host: session.machine().host,
    };
    let wanted = Options {
        glibc: options.glibc.clone(),
        runner: options.runner.clone(),
        sdk: sdk_of(session, triple, options)?,
    };
    let mut spec = variant::spec(target, toolchain, tools, place, &wanted)?;
    if let (Some(runner), Ok(project)) = (&mut spec.runner, session.project()) {
        runner.anchor(&project.root);
    }
    Ok(spec)
}

/// Writes the project's three files and the store's note about the project. Returns whether anything changed.
fn write_files(
    session: &Session,
    request: &Request<'_>,
    consented: &Consented,
    dirs: &StateDirs,
    config: &Config,
    lock: &Lock,
    ready: &[Ready],
) -> Result<bool> {
    let project = request.project;
    let cargo = project.kind == Kind::Cargo;
    let cache = rust::cache(session);
    // Without a rustc the files are written all the same; what needs it says so itself.
    let rustc = if cargo {
        rust_std::query(rust::context(consented, &cache)).ok()
    } else {
        None
    };
    let host = rustc
        .as_ref()
        .map_or(session.machine().host.rustc_triple(), |r| r.host.as_str());
    let set: Vec<Entries> = ready
        .iter()
        .filter(|r| cargo && r.triple.as_str() != host)
        .map(|r| r.entries.clone())
        .collect();
    for r in ready.iter().filter(|r| cargo && r.triple.as_str() == host) {
        session.printer.warn(&format!(
            "`{}` is this host's own triple, and what stands in cargo's configuration for it would reach build scripts too: nothing was written there",
            r.triple
        ));
        session.printer.help(&format!(
            "eval \"$(xtool env {0})\" && cargo build --target {0}   (for one shell)",
            r.triple
        ));
    }

    let held = project.hold(dirs)?;
    let mut changed = false;
    // First what may be refused, then what other machines read too; cargo's configuration last. Where the disk is full,
    // the user's own settings are still what they were.
    let build = ready.iter().any(|r| {
        let provider = rustc
            .as_ref()
            .map(|info| rust_std::choose(info, &r.triple, r.options.rust_std));
        matches!(provider, Some(rust_std::Provider::BuildStd { .. }))
    });
    let change = Change {
        set: &set,
        remove: &[],
        build_std: build.then_some(true),
        force: request.force,
    };
    let place = Where {
        mode: config.config,
        cargo: rustc.as_ref().and_then(|r| r.cargo),
    };
    if cargo {
        project.check(dirs, &change, place)?;
    }
    changed |= lock_of(project, lock, ready)?.save(&held, project)?;
    for r in ready {
        // What the file asked for was allowed before, and the rest was typed.
        let items = consent::of_target(project, &r.triple, &r.options);
        consent::grant(&held, dirs, project, &items)?;
        changed |= project.add_target(&held, &r.triple, &r.options)?;
    }
    if cargo {
        let applied = project.apply(&held, dirs, &change, place)?;
        changed |= !applied.changed.is_empty();
        for warning in &applied.warnings {
            session.printer.warn(warning);
        }
    }
    note_use(&held, dirs, project, ready)?;
    drop(held);

    if cargo {
        for shadow in shadows::shadows(project, &set, &|name| std::env::var_os(name))? {
            session.printer.warn(&shadow.to_string());
            session.printer.note(&format!("  fix: {}", shadow.fix()));
        }
    }
    Ok(changed)
}

/// Notes what the project uses, so that `cache prune` leaves it.
fn note_use(held: &Held, dirs: &StateDirs, project: &Project, ready: &[Ready]) -> Result<()> {
    let mut record =
        Record::load(dirs, &project.root)?.unwrap_or_else(|| Record::new(&project.root));
    for r in ready {
        // A target's earlier toolchain and variant are no longer used by it; `sync` settles what is.
        record.toolchains.push(r.installed.id.clone());
        record
            .variants
            .retain(|v| !v.contains(&format!("-{}-", r.triple)));
        record.variants.push(r.variant.clone());
    }
    record.variants.sort();
    record.variants.dedup();
    record.toolchains.sort();
    record.toolchains.dedup();
    let variants = record.variants.clone();
    record
        .toolchains
        .retain(|id| variants.iter().any(|v| v.starts_with(&format!("{id}-"))));
    record.save(held, dirs)?;
    Ok(())
}

/// The file as it is now with our targets' entries: another xtool may have written others meanwhile.
fn lock_of(project: &Project, new: &Lock, ready: &[Ready]) -> Result<Lock> {
    let mut lock = Lock::load(project)?.unwrap_or_default();
    for r in ready {
        lock.remove(&r.triple);
    }
    for (key, pin) in &new.entries {
        if ready.iter().any(|r| r.triple == key.triple) {
            lock.entries.insert(key.clone(), pin.clone());
        }
    }
    Ok(lock)
}
