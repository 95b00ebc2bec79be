//! What can be told of a wish before anything is fetched for it: that the target is known, and that its toolchain can
//! follow the options.

use anyhow::{Error, Result};
use xtool::project::lock::Lock;
use xtool::project::settings::TargetOptions;
use xtool::resolve;
use xtool::target::Triple;
use xtool::variant::{self, Options};

use super::apply;
use super::pins::{self, LockUse};
use super::session::Session;

/// An error where it cannot be fulfilled.
pub fn check(
    session: &Session,
    triple: &Triple,
    options: &TargetOptions,
    lock: &Lock,
    how: LockUse,
) -> Result<()> {
    target(session, triple)?;
    options_fit(session, triple, options, lock, how)
}

/// The manifest's target; one that rustc knows and we do not is told apart.
fn target(session: &Session, triple: &Triple) -> Result<()> {
    match resolve::target(session.manifest()?, triple) {
        Ok(_) => Ok(()),
        Err(e) if rustc_knows(triple) => Err(Error::new(e).context(format!(
            "rustc knows `{triple}`, but no toolchain of the manifest builds for it"
        ))),
        Err(e) => Err(e.into()),
    }
}

fn options_fit(
    session: &Session,
    triple: &Triple,
    options: &TargetOptions,
    lock: &Lock,
    how: LockUse,
) -> Result<()> {
    let manifest = session.manifest()?;
    let want = apply::spec_of(options)?;
    let Some((name, version)) = pins::toolchain(session, triple, want.as_ref(), lock, how)? else {
        return Ok(());
    };
    let target = resolve::target(manifest, triple)?;
    if let (Some(toolchain), Some(tools)) =
        (manifest.toolchains.get(&name), target.tools.get(&name))
    {
        let options = Options {
            glibc: options.glibc.clone(),
            sdk: apply::sdk_of(session, triple, options)?,
            ..Options::default()
        };
        let version = version.unwrap_or_default();
        variant::check(target, toolchain, tools, &version, &options)?;
    }
    Ok(())
}

/// Only asked on the way to an error.
fn rustc_knows(triple: &Triple) -> bool {
    std::process::Command::new("rustc")
        .args(["--print", "target-list"])
        // Not in the project: a toolchain file, or a program, of somebody else's may lie there.
        .current_dir(std::path::MAIN_SEPARATOR_STR)
        .stdin(std::process::Stdio::null())
        .output()
        .is_ok_and(|out| {
            String::from_utf8_lossy(&out.stdout)
                .lines()
                .any(|l| l == triple.as_str())
        })
}
