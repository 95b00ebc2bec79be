//! Which toolchains, exactly: from the lock where it has an answer, else resolved anew for every host.

use anyhow::{Context as _, Result};
use xtool::pin::Pin;
use xtool::project::lock::Lock;
use xtool::resolve::{self, Machine, ToolchainSpec};
use xtool::source;
use xtool::target::{Host, Triple};

use super::failure::with_help;
use super::session::Session;

/// Whether the lock may be asked, and changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockUse {
    /// Take what it says; resolve what it does not.
    Prefer,
    /// Take what it says, or fail.
    Require,
    /// Resolve anew.
    Renew,
}

/// The pin for this machine; `lock` gets the entries of every host when it had none that fits.
pub fn pin(
    session: &Session,
    triple: &Triple,
    want: Option<&ToolchainSpec>,
    lock: &mut Lock,
    how: LockUse,
) -> Result<Pin> {
    let machine = session.machine();
    if how != LockUse::Renew {
        let there = if how == LockUse::Require {
            Some(lock.require(triple, machine.host, session.distribution())?)
        } else {
            lock.get(triple, machine.host, session.distribution())
        };
        if let Some(pin) = there {
            if fits(pin, want) {
                agree(session, triple, lock)?;
                let manifest = session.manifest()?;
                let pin = lock.pin(triple, machine.host, session.distribution(), manifest)?;
                return pin.context("The lock's entry went away");
            }
            if how == LockUse::Require {
                return Err(with_help(
                    format!(
                        "xtool.toml asks for `{}` for `{triple}`, and xtool.lock has {} {}",
                        want.map(ToString::to_string).unwrap_or_default(),
                        pin.toolchain,
                        pin.version
                    ),
                    format!("xtool update {triple}   (takes it into xtool.lock)"),
                ));
            }
        }
    }
    let here = resolve_here(session, triple, want)?;
    // Another distribution's entries stay, as only its own apt could renew them; but not one that is wrong.
    let distribution = here.distribution.clone();
    let manifest = session.manifest()?;
    let stale: Vec<_> = lock
        .entries
        .iter()
        .filter(|(key, pin)| {
            key.triple == *triple
                && (key.distribution.is_none()
                    || !fits(pin, want)
                    || lock.agrees(key, manifest).is_err())
        })
        .map(|(key, _)| key.clone())
        .collect();
    for key in stale {
        lock.entries.remove(&key);
    }
    for (host, pin) in elsewhere(session, triple, want)? {
        lock.insert(triple.clone(), host, None, pin);
    }
    lock.insert(triple.clone(), machine.host, distribution, here.pin.clone());
    Ok(here.pin)
}

/// The toolchain that [`pin`] will take, and its version where apt need not be asked for it. `None` where there is
/// none, which `pin` explains.
pub fn toolchain(
    session: &Session,
    triple: &Triple,
    want: Option<&ToolchainSpec>,
    lock: &Lock,
    how: LockUse,
) -> Result<Option<(String, Option<String>)>> {
    let machine = session.machine();
    let locked = lock
        .get(triple, machine.host, session.distribution())
        .filter(|pin| how != LockUse::Renew && fits(pin, want));
    if let Some(pin) = locked {
        return Ok(Some((pin.toolchain.clone(), Some(pin.version.clone()))));
    }
    let choice = resolve::resolve(session.manifest()?, machine, triple, want);
    Ok(choice
        .ok()
        .map(|c| (c.toolchain.name.clone(), c.artifact.version.clone())))
}

/// A lock that came with a clone must not bring in archives of its own.
fn agree(session: &Session, triple: &Triple, lock: &Lock) -> Result<()> {
    let manifest = session.manifest()?;
    for key in lock.entries.keys().filter(|k| k.triple == *triple) {
        lock.agrees(key, manifest)?;
    }
    Ok(())
}

fn fits(pin: &Pin, want: Option<&ToolchainSpec>) -> bool {
    want.is_none_or(|want| want.fits(pin))
}

struct Here {
    pin: Pin,
    distribution: Option<xtool::pin::Distribution>,
}

fn resolve_here(session: &Session, triple: &Triple, want: Option<&ToolchainSpec>) -> Result<Here> {
    let manifest = session.manifest()?;
    let choice = resolve::resolve(manifest, session.machine(), triple, want)?;
    if let Some(pin) = choice.pin() {
        return Ok(Here {
            pin,
            distribution: None,
        });
    }
    let Some((packages, version_of)) = choice.apt() else {
        unreachable!("a choice without a pin is apt's");
    };
    session.printer.step(
        "Resolving",
        &format!("{} for {triple} with apt", choice.toolchain.name),
    );
    let resolved = source::apt::resolve(packages, version_of, &session.source_context())?;
    Ok(Here {
        distribution: Some(resolved.distribution.clone()),
        pin: choice.apt_pin(resolved.distribution, resolved.version, resolved.packages),
    })
}

/// What every host would get that has no apt to ask.
fn elsewhere(
    session: &Session,
    triple: &Triple,
    want: Option<&ToolchainSpec>,
) -> Result<Vec<(Host, Pin)>> {
    let manifest = session.manifest()?;
    let pins = Host::ALL.into_iter().filter_map(|host| {
        let machine = Machine { host, apt: false };
        let choice = resolve::resolve(manifest, machine, triple, want).ok()?;
        Some((host, choice.pin()?))
    });
    Ok(pins.collect())
}
