//! What every command starts from: flags, host, store, manifest, project.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use xtool::env_vars;
use xtool::fetch::{Fetcher, Settings};
use xtool::install::Installer;
use xtool::manifest::Manifest;
use xtool::pin::Distribution;
use xtool::project::consent::{Consented, Item};
use xtool::project::lock::Lock;
use xtool::project::settings::Config;
use xtool::project::{CONFIG_FILE, Project, StateDirs, consent};
use xtool::regular;
use xtool::resolve::Machine;
use xtool::source;
use xtool::store::{Layout, Store};
use xtool::target::{Host, Triple};

use super::failure::with_help;
use crate::cli::Global;
use crate::printer::Printer;
use crate::progress::Terminal;

/// One run of a command.
pub struct Session {
    /// How much is said, and where.
    pub printer: Printer,
    /// What the library reports to.
    pub reporter: Arc<Terminal>,
    /// The store.
    pub store: Store,
    /// Whether the network is out of bounds.
    pub offline: bool,
    /// Whether the user allows what the project brings.
    pub trust: bool,
    host: Host,
    distribution: Option<Distribution>,
    replacement: Option<PathBuf>,
    manifest: OnceLock<Manifest>,
    project: OnceLock<Project>,
}

impl Session {
    /// Reads flags and environment; touches no file.
    pub fn open(global: &Global, printer: Printer) -> Result<Self> {
        let this_build = Host::of_this_build();
        let host = match env_vars::non_empty(env_vars::XTOOL_HOST) {
            Some(name) => name
                .to_string_lossy()
                .parse()
                .with_context(|| format!("Cannot use {}", env_vars::XTOOL_HOST))?,
            None => this_build.ok_or_else(|| {
                with_help(
                    "No toolchain is published for this machine",
                    format!("the hosts are {}", Host::names()),
                )
            })?,
        };
        // Another host's distribution is not to be known from here.
        let here = Some(host) == this_build;
        let distribution = if here {
            source::apt::host_distribution(&source::Environment::of_process())
        } else {
            None
        };
        Ok(Self {
            printer,
            reporter: Arc::new(Terminal::new(printer)),
            store: Store::new(Layout::from_env()?),
            offline: global.offline,
            trust: global.trust,
            host,
            distribution,
            replacement: global
                .manifest
                .clone()
                .or_else(|| env_vars::non_empty(env_vars::XTOOL_MANIFEST).map(PathBuf::from)),
            manifest: OnceLock::new(),
            project: OnceLock::new(),
        })
    }

    /// The machine that toolchains are chosen for.
    pub fn machine(&self) -> Machine {
        Machine {
            host: self.host,
            apt: self.distribution.is_some(),
        }
    }

    /// The distribution whose apt can be asked; `None` elsewhere.
    pub fn distribution(&self) -> Option<&Distribution> {
        self.distribution.as_ref()
    }

    /// The manifest, with the project's own on top once the user has agreed to it.
    pub fn manifest(&self) -> Result<&Manifest> {
        if let Some(manifest) = self.manifest.get() {
            return Ok(manifest);
        }
        let base = Manifest::load(self.replacement.as_deref())?;
        let manifest = match self.project() {
            Ok(project) => self.with_projects_own(base, &project)?,
            Err(_) => base,
        };
        Ok(self.manifest.get_or_init(|| manifest))
    }

    fn with_projects_own(&self, base: Manifest, project: &Project) -> Result<Manifest> {
        let path = project.root.join("toolchains.toml");
        // A checkout of xtool itself has the manifest there that is compiled in; only one beside xtool.toml counts.
        if !path.is_file() || !project.root.join(CONFIG_FILE).is_file() {
            return Ok(base);
        }
        self.consented(project)?;
        let text = regular::read_text(&path)?;
        Ok(Manifest::parse_over(&text, &path, base)?)
    }

    /// Where what belongs to projects is kept.
    pub fn state_dirs(&self) -> StateDirs {
        StateDirs::below(self.store.layout().home())
    }

    /// Asks for consent to what the project's files bring, or takes `--trust` for it.
    pub fn consented(&self, project: &Project) -> Result<Consented> {
        let config = Config::load(project)?.unwrap_or_default();
        let lock = Lock::load(project)?.unwrap_or_default();
        self.require_consent(project, &config, &lock)
    }

    /// The same with the files that were read already.
    pub fn require_consent(
        &self,
        project: &Project,
        config: &Config,
        lock: &Lock,
    ) -> Result<Consented> {
        let items = consent::required(project, Some(config), Some(lock))?;
        self.allowed(project, &items)
    }

    /// Asks for consent only to where files are written: what takes something out runs nothing of the project's.
    pub fn require_consent_to_write(&self, project: &Project) -> Result<()> {
        self.allowed(project, &consent::writes_outside(project))
            .map(|_| ())
    }

    fn allowed(&self, project: &Project, items: &[Item]) -> Result<Consented> {
        let dirs = self.state_dirs();
        if self.trust && !consent::missing(&dirs, project, items)?.is_empty() {
            let held = project.hold(&dirs)?;
            consent::grant(&held, &dirs, project, items)?;
        }
        Ok(consent::check(&dirs, project, items)?)
    }

    /// The project that the current folder is in.
    pub fn project(&self) -> Result<Project> {
        if let Some(project) = self.project.get() {
            return Ok(project.clone());
        }
        let cwd = std::env::current_dir().context("Cannot tell the current folder")?;
        let project = Project::find(&cwd)?;
        Ok(self.project.get_or_init(|| project).clone())
    }

    /// The targets that the project names; none outside a project or where its file is broken.
    pub fn project_targets(&self) -> BTreeSet<Triple> {
        let Ok(project) = self.project() else {
            return BTreeSet::new();
        };
        match Config::load(&project) {
            Ok(config) => config.unwrap_or_default().targets.into_keys().collect(),
            Err(e) => {
                // With its cause: the file may be a pipe.
                self.printer.warn(&format!("{:#}", anyhow::Error::from(e)));
                BTreeSet::new()
            }
        }
    }

    /// What the sources need.
    pub fn source_context(&self) -> source::Context {
        let mut context = source::Context::new(
            self.store.layout().cache().join("work"),
            self.reporter.clone(),
        );
        context.offline = self.offline;
        context.verbose = self.printer.verbose() > 0;
        let cancel = context.cancel.clone();
        xtool::interrupt::before_exit(move || cancel.cancel());
        context
    }

    /// What installs.
    pub fn installer(&self) -> Result<Installer> {
        let settings = Settings::from_env(self.store.layout().cache().to_owned(), self.offline)?;
        Ok(Installer {
            store: self.store.clone(),
            fetcher: Fetcher::new(settings, self.reporter.clone())?,
            context: self.source_context(),
            reporter: self.reporter.clone(),
        })
    }
}

/// A triple from the command line.
pub fn triple(text: &str) -> Result<Triple> {
    text.parse().map_err(|e: xtool::target::InvalidName| {
        with_help(e.to_string(), "xtool list   (shows every target)")
    })
}

/// Several triples from the command line, each once.
pub fn triples(texts: &[String]) -> Result<Vec<Triple>> {
    let mut out: Vec<Triple> = Vec::new();
    for text in texts {
        let t = triple(text)?;
        if !out.contains(&t) {
            out.push(t);
        }
    }
    Ok(out)
}
