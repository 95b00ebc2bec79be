//! What the toolchains of the store know of a built program: its strip, its libraries.

use std::cell::OnceCell;
use std::path::PathBuf;

use xtool::inspect::facts::Facts;
use xtool::inspect::strip::{Stripper, suits};
use xtool::project::lock::Lock;
use xtool::variant::{self, AfterBuild, Place};

use crate::cli::Global;
use crate::commands::session::Session;
use crate::printer::Printer;

/// The store's toolchains, looked at only when they are asked for. A store or a project that cannot be read is none:
/// a file is inspected anywhere.
pub struct Toolchains<'a> {
    global: &'a Global,
    printer: Printer,
    session: OnceCell<Option<Session>>,
}

impl<'a> Toolchains<'a> {
    /// Reads nothing yet.
    pub fn new(global: &'a Global, printer: Printer) -> Self {
        Self {
            global,
            printer,
            session: OnceCell::new(),
        }
    }

    /// The strip of the toolchain that the project builds with, else of any that is installed.
    pub fn stripper(&self, facts: &Facts) -> Option<Stripper> {
        self.all(facts).into_iter().find_map(|t| {
            Some(Stripper {
                program: t.strip.filter(|p| p.is_file())?,
                library_path: t.library_path,
            })
        })
    }

    /// The folder of the target's libraries.
    pub fn sysroot(&self, facts: &Facts) -> Option<PathBuf> {
        let mut all = self.all(facts).into_iter();
        all.find_map(|t| t.sysroot.filter(|p| p.is_dir()))
    }

    /// What the installed toolchains have for such a file; those that the project is locked to come first.
    fn all(&self, facts: &Facts) -> Vec<AfterBuild> {
        let session = self
            .session
            .get_or_init(|| Session::open(self.global, self.printer).ok());
        let Some(session) = session else {
            return Vec::new();
        };
        let (Ok(manifest), Ok(mut installed)) = (session.manifest(), session.store.installed())
        else {
            return Vec::new();
        };
        let lock = session.project().ok().and_then(|p| Lock::load(&p).ok()?);
        let machine = session.machine();
        let locked = |id: &str| {
            let Some(lock) = &lock else { return false };
            let pins = manifest.targets.keys().filter(|t| suits(facts, t));
            pins.filter_map(|t| lock.get(t, machine.host, session.distribution()))
                .any(|pin| pin.id() == id)
        };
        installed.sort_by_key(|i| !locked(&i.id));
        let mut out = Vec::new();
        for i in &installed {
            let Some(toolchain) = manifest.toolchains.get(&i.receipt.toolchain) else {
                continue;
            };
            let targets = manifest
                .targets
                .values()
                .filter(|t| suits(facts, &t.triple));
            for tools in targets.filter_map(|t| t.tools.get(&i.receipt.toolchain)) {
                let place = Place {
                    root: &i.path,
                    version: &i.receipt.version,
                    zig_cache: &i.path,
                    host: machine.host,
                };
                out.push(variant::after_build(toolchain, tools, place));
            }
        }
        out
    }
}
