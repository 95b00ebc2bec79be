//! Which toolchain the project at hand takes for a target, here and on other hosts.

use xtool::manifest::Manifest;
use xtool::pin::Distribution;
use xtool::project::lock::Lock;
use xtool::project::settings::Config;
use xtool::resolve::{self, Machine};
use xtool::target::Triple;

use super::apply::spec_of;
use super::session::Session;

/// What the project's files say; nothing outside a project or where they are broken, which is then told.
pub struct Chosen {
    config: Config,
    lock: Lock,
}

impl Chosen {
    /// Reads them.
    pub fn of(session: &Session) -> Self {
        let mut out = Self {
            config: Config::default(),
            lock: Lock::default(),
        };
        let Ok(project) = session.project() else {
            return out;
        };
        match Config::load(&project) {
            Ok(config) => out.config = config.unwrap_or_default(),
            Err(e) => session.printer.warn(&e.to_string()),
        }
        match Lock::load(&project) {
            Ok(lock) => out.lock = lock.unwrap_or_default(),
            Err(e) => session.printer.warn(&e.to_string()),
        }
        out
    }

    /// Whether it is a target of the project.
    pub fn has(&self, triple: &Triple) -> bool {
        self.config.targets.contains_key(triple)
    }

    /// `zig 0.16.0` for a target of the project on a machine: as locked for it, else as xtool.toml asks for it there;
    /// `None` where that machine can have none.
    pub fn on(
        &self,
        manifest: &Manifest,
        machine: Machine,
        distribution: Option<&Distribution>,
        triple: &Triple,
    ) -> Option<String> {
        let want = match self.config.targets.get(triple).map(spec_of)? {
            Ok(want) => want,
            Err(e) => return Some(e.to_string()),
        };
        if let Some(pin) = self.lock.get(triple, machine.host, distribution)
            && want.as_ref().is_none_or(|want| want.fits(pin))
        {
            return Some(format!("{} {}", pin.toolchain, pin.version));
        }
        let choice = resolve::resolve(manifest, machine, triple, want.as_ref()).ok()?;
        Some(choice.describe())
    }
}
