//! Writes cargo's configuration: reads under the project's lock, asks [`cargo_config`] for the new texts, and
//! replaces whole files. With nothing to do it starts no process and writes nothing.
//!
//! Order on disk: the record first (a claim on a value that is not there is harmless), then the included file, then
//! the file that includes it. An interrupted run is completed by the next one.
//!
//! In include mode `.cargo/xtool.toml` is kept out of git by `.cargo/.gitignore`. Where there is none, one is made
//! that also ignores itself, so nothing shows in `git status`; `.git/info/exclude` would be lost in other
//! worktrees and is git's own folder.

use std::path::{Path, PathBuf};

use super::atomic::{self, Held, StateDirs, read_text};
use super::cargo_config::{self, Change, Claim};
use super::record::Record;
use super::settings::ConfigMode;
use super::toolchain_file::ToolchainFile;
use super::version::Version;
use super::{CONFIG_FILE, Project, ProjectError, git};
use crate::target::Triple;

/// The first cargo that knows `include` with `optional` (cargo's reference, "Configuration", "Including extra
/// configuration files").
pub const INCLUDE_SINCE: Version = Version::new(1, 94, 0);

const IGNORE_OWN: &str = "# Made by xtool; it ignores itself too.\n/.gitignore\n/xtool.toml\n";
const IGNORE_LINE: &str = "/xtool.toml";

/// What decides where the keys go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Where {
    /// `config` in `xtool.toml`.
    pub mode: Option<ConfigMode>,
    /// The installed cargo, where it is known.
    pub cargo: Option<Version>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Files that were written or deleted.
    pub changed: Vec<PathBuf>,
    /// One line each.
    pub warnings: Vec<String>,
    /// Where the keys are.
    pub mode: ConfigMode,
}

/// The project's configuration files.
struct Files {
    /// `.cargo/config.toml`, or `.cargo/config` where cargo reads that one; relative to the root.
    main: &'static str,
    main_text: Option<String>,
    included_text: Option<String>,
}

const INCLUDED: &str = ".cargo/xtool.toml";

/// The texts to be, and the claims on them.
struct Plan {
    mode: ConfigMode,
    main: String,
    included: String,
    claims: Vec<Claim>,
    warnings: Vec<String>,
}

impl Project {
    /// What [`Project::apply`] would refuse: a conflict with the user's own settings, a file that is no TOML. Writes
    /// nothing, so that it can be asked before anything is written.
    pub fn check(
        &self,
        dirs: &StateDirs,
        change: &Change<'_>,
        place: Where,
    ) -> Result<(), ProjectError> {
        let files = self.read_files()?;
        let record = Record::load(dirs, &self.root)?.unwrap_or_else(|| Record::new(&self.root));
        let mode = place.mode.unwrap_or_else(|| files.mode_now());
        self.plan(&files, &record, change, mode).map(|_| ())
    }

    /// Brings cargo's configuration to what `change` asks for.
    pub fn apply(
        &self,
        held: &Held,
        dirs: &StateDirs,
        change: &Change<'_>,
        place: Where,
    ) -> Result<Applied, ProjectError> {
        let files = self.read_files()?;
        let mut record = Record::load(dirs, &self.root)?.unwrap_or_else(|| Record::new(&self.root));
        let guess = place.mode.unwrap_or_else(|| files.mode_now());
        let mut plan = self.plan(&files, &record, change, guess)?;
        let mut warnings = self.legacy_warning(&files);

        if files.differs(&plan) && place.mode.is_none() && !change.set.is_empty() {
            let (mode, warning) = self.decide(&files, place.cargo)?;
            warnings.extend(warning);
            if mode != guess {
                plan = self.plan(&files, &record, change, mode)?;
            }
        } else if plan.mode == ConfigMode::Include && files.differs(&plan) && !change.set.is_empty()
        {
            warnings.extend(self.too_old(place.cargo)?.map(|old| {
                format!(
                    "`include` in `{}` needs cargo {INCLUDE_SINCE}, but {old}",
                    files.main
                )
            }));
        }
        warnings.append(&mut plan.warnings);

        if !change.set.is_empty() {
            files.note_existing(&mut record);
        }
        let kept = record.existed.clone();
        let mut changed = Vec::new();
        // What is no longer claimed stays claimed until the files are written.
        let after = plan.claims.clone();
        let union = record
            .claims
            .iter()
            .filter(|c| !after.iter().any(|n| n.file == c.file && n.path == c.path));
        record.claims = after.iter().chain(union).cloned().collect();
        if files.differs(&plan) {
            record.save(held, dirs)?;
        }
        self.write(
            INCLUDED,
            files.included_text.as_deref(),
            &plan.included,
            &kept,
            &mut changed,
        )?;
        self.write(
            files.main,
            files.main_text.as_deref(),
            &plan.main,
            &kept,
            &mut changed,
        )?;
        if !changed.is_empty() {
            self.ignore(
                plan.mode == ConfigMode::Include && !plan.included.is_empty(),
                &mut changed,
            )?;
            self.remove_empty_folder();
        }
        record.claims = after;
        if record.claims.is_empty() {
            record.existed.clear();
        }
        record.save(held, dirs)?;
        Ok(Applied {
            changed,
            warnings,
            mode: plan.mode,
        })
    }

    /// The targets whose keys stand in cargo's configuration, by record or by value: what `remove --all` takes out.
    pub fn configured_targets(&self, dirs: &StateDirs) -> Result<Vec<Triple>, ProjectError> {
        let files = self.read_files()?;
        let record = Record::load(dirs, &self.root)?.unwrap_or_else(|| Record::new(&self.root));
        let mut out = Vec::new();
        for (file, text) in [
            (files.main, &files.main_text),
            (INCLUDED, &files.included_text),
        ] {
            let text = text.as_deref().unwrap_or_default();
            let found = cargo_config::targets(text, &record.claims)
                .map_err(|e| ProjectError::from_splice(&self.root.join(file), e))?;
            out.extend(found);
        }
        out.sort();
        out.dedup();
        Ok(out)
    }

    /// The configuration file that cargo reads in the root: `.cargo/config` wins over `.cargo/config.toml` where
    /// both are present (cargo's reference, "Configuration", "Hierarchical structure").
    pub fn cargo_config_file(&self) -> PathBuf {
        self.root.join(self.main_file())
    }

    fn main_file(&self) -> &'static str {
        if self.root.join(".cargo/config").is_file() {
            ".cargo/config"
        } else {
            ".cargo/config.toml"
        }
    }

    fn read_files(&self) -> Result<Files, ProjectError> {
        let main = self.main_file();
        Ok(Files {
            main,
            main_text: read_text(&self.root.join(main))?,
            included_text: read_text(&self.root.join(INCLUDED))?,
        })
    }

    fn plan(
        &self,
        files: &Files,
        record: &Record,
        change: &Change<'_>,
        mode: ConfigMode,
    ) -> Result<Plan, ProjectError> {
        let main_path = self.root.join(files.main);
        let included_path = self.root.join(INCLUDED);
        let main = files.main_text.as_deref().unwrap_or_default();
        let included = files.included_text.as_deref().unwrap_or_default();
        let claims = |file: &str| -> Vec<Claim> {
            let of = record.claims.iter().filter(|c| c.file == file);
            of.cloned().collect()
        };
        // What goes to one file is taken out of the other.
        let moved: Vec<Triple> = change.set.iter().map(|e| e.triple.clone()).collect();
        let gone: Vec<Triple> = change.remove.iter().chain(&moved).cloned().collect();
        let clear = |file: &str| {
            let claimed = claims(file)
                .iter()
                .any(|c| c.path.first().is_some_and(|p| p == "unstable"));
            Change {
                remove: &gone,
                // Without a claim the list may as well be the user's.
                build_std: change.build_std.filter(|_| claimed).map(|_| false),
                ..Change::default()
            }
        };
        let render = |path: &Path, text: &str, file: &str, change: &Change<'_>| {
            cargo_config::render(text, file, change, &claims(file))
                .map_err(|e| ProjectError::from_render(path, e))
        };
        let (new_main, new_included) = match mode {
            ConfigMode::Direct => (
                render(&main_path, main, files.main, change)?,
                render(&included_path, included, INCLUDED, &clear(INCLUDED))?,
            ),
            ConfigMode::Include => {
                let cleared = render(&main_path, main, files.main, &clear(files.main))?;
                // The including file's own values win, so the user's stand in the way there as well.
                let in_the_way = Change {
                    remove: &[],
                    force: false,
                    ..change.clone()
                };
                let probe = cargo_config::render(&cleared.text, files.main, &in_the_way, &[])
                    .map_err(|e| ProjectError::from_render(&main_path, e));
                match probe {
                    Err(ProjectError::Conflicts { .. }) if change.force => {
                        return self.plan(files, record, change, ConfigMode::Direct);
                    }
                    probe => probe?,
                };
                (cleared, render(&included_path, included, INCLUDED, change)?)
            }
        };
        let mut plan = Plan {
            mode,
            included: new_included.text,
            main: new_main.text,
            claims: new_included.claims,
            warnings: Vec::new(),
        };
        plan.warnings.extend(
            new_main
                .edited
                .iter()
                .map(|e| format!("{}: {e}", files.main)),
        );
        plan.warnings.extend(
            new_included
                .edited
                .iter()
                .map(|e| format!("{INCLUDED}: {e}")),
        );
        // The line stands as long as there is something to include.
        let (text, mut main_claims) = if plan.included.trim().is_empty() {
            cargo_config::unrender_include(&plan.main, &new_main.claims)
        } else {
            cargo_config::render_include(&plan.main, files.main, &new_main.claims)
        }
        .map_err(|e| ProjectError::from_render(&main_path, e))?;
        plan.main = text;
        plan.claims.append(&mut main_claims);
        Ok(plan)
    }

    /// Where the keys go when nothing has decided it: not into a file that git tracks, as the paths are this
    /// machine's.
    fn decide(
        &self,
        files: &Files,
        cargo: Option<Version>,
    ) -> Result<(ConfigMode, Option<String>), ProjectError> {
        match git::tracks(&self.root, files.main) {
            // Not tracked yet is not ignored: the next `git add` would take it.
            Some(false) if git::ignores(&self.root, files.main) == Some(false) => {
                let warning = format!(
                    "`{0}` holds paths of this machine, and git does not ignore it: add `/{0}` to `.gitignore`, or set \
                     `config = \"include\"` in `{CONFIG_FILE}`",
                    files.main
                );
                return Ok((ConfigMode::Direct, Some(warning)));
            }
            Some(false) => return Ok((ConfigMode::Direct, None)),
            None => {
                let warning = format!(
                    "it cannot be told whether git tracks `{}`: its keys hold paths of this machine, so do not commit them",
                    files.main
                );
                return Ok((ConfigMode::Direct, Some(warning)));
            }
            Some(true) => {}
        }
        Ok(match self.too_old(cargo)? {
            None => (ConfigMode::Include, None),
            Some(old) => {
                let warning = format!(
                    "git tracks `{}`, and now it holds paths of this machine: keeping them apart needs cargo {INCLUDE_SINCE}, but {old}",
                    files.main
                );
                (ConfigMode::Direct, Some(warning))
            }
        })
    }

    /// Why cargo's `include` cannot be used by everyone who builds the project.
    fn too_old(&self, cargo: Option<Version>) -> Result<Option<String>, ProjectError> {
        match cargo {
            None => {
                return Ok(Some(
                    "the installed cargo's version is not known".to_owned(),
                ));
            }
            Some(v) if v < INCLUDE_SINCE => return Ok(Some(format!("{v} is installed"))),
            Some(_) => {}
        }
        if let Some(v) = self.rust_version()?
            && v < INCLUDE_SINCE
        {
            return Ok(Some(format!("`rust-version` is {v}")));
        }
        let channel = ToolchainFile::find(&self.root)?.and_then(|f| f.channel);
        Ok(channel
            .and_then(|c| c.parse::<Version>().ok())
            .filter(|v| *v < INCLUDE_SINCE)
            .map(|v| format!("the toolchain file selects {v}")))
    }

    fn legacy_warning(&self, files: &Files) -> Vec<String> {
        let both = files.main == ".cargo/config" && self.root.join(".cargo/config.toml").exists();
        both.then(|| {
            "`.cargo/config` and `.cargo/config.toml` are both present: cargo reads the first, so that one is edited"
                .to_owned()
        })
        .into_iter()
        .collect()
    }

    fn write(
        &self,
        file: &str,
        old: Option<&str>,
        new: &str,
        existed: &[String],
        changed: &mut Vec<PathBuf>,
    ) -> Result<(), ProjectError> {
        if old.unwrap_or_default() == new {
            return Ok(());
        }
        let path = self.root.join(file);
        let link = fs_err::symlink_metadata(&path).is_ok_and(|m| m.file_type().is_symlink());
        if new.is_empty() && !link && !existed.iter().any(|f| f == file) {
            atomic::delete(&path)?;
        } else {
            atomic::replace(&path, new)?;
        }
        changed.push(path);
        Ok(())
    }

    /// Keeps the included file out of git, or takes that back.
    fn ignore(&self, wanted: bool, changed: &mut Vec<PathBuf>) -> Result<(), ProjectError> {
        let path = self.root.join(".cargo/.gitignore");
        let old = read_text(&path)?;
        let listed = |text: &str| text.lines().any(|l| l.trim_end() == IGNORE_LINE);
        let new = match (&old, wanted) {
            (_, true) if git::ignores(&self.root, INCLUDED) == Some(true) => return Ok(()),
            (None, true) => IGNORE_OWN.to_owned(),
            (Some(text), true) if !listed(text) => {
                let gap = if text.is_empty() || text.ends_with('\n') {
                    ""
                } else {
                    "\n"
                };
                format!("{text}{gap}{IGNORE_LINE}\n")
            }
            (Some(text), false) if text == IGNORE_OWN => {
                atomic::delete(&path)?;
                changed.push(path);
                return Ok(());
            }
            // A line in a file of the user's stays: it may be committed by now, and it does no harm.
            _ => return Ok(()),
        };
        atomic::replace(&path, &new)?;
        changed.push(path);
        Ok(())
    }

    /// Removes `.cargo` when it is empty; git does not keep such a folder either.
    fn remove_empty_folder(&self) {
        let folder = self.root.join(".cargo");
        let link = fs_err::symlink_metadata(&folder).is_ok_and(|m| m.file_type().is_symlink());
        if !link {
            // Fails, as it should, when something is in it.
            let _ = fs_err::remove_dir(folder);
        }
    }
}

impl Files {
    fn mode_now(&self) -> ConfigMode {
        let included = self
            .included_text
            .as_ref()
            .is_some_and(|t| !t.trim().is_empty());
        if included
            && self
                .main_text
                .as_deref()
                .is_some_and(cargo_config::includes)
        {
            ConfigMode::Include
        } else {
            ConfigMode::Direct
        }
    }

    /// Notes the files that were there before us. One in which keys of ours stand though the record has none was
    /// written by an xtool whose record is lost: nobody knows then, and an empty rest is taken away.
    fn note_existing(&self, record: &mut Record) {
        for (file, text) in [
            (self.main, &self.main_text),
            (INCLUDED, &self.included_text),
        ] {
            let first = !record.claims.iter().any(|c| c.file == file);
            let theirs = text
                .as_ref()
                .is_some_and(|t| cargo_config::targets(t, &[]).is_ok_and(|t| t.is_empty()));
            if first && theirs && !record.existed.iter().any(|f| f == file) {
                record.existed.push(file.to_owned());
            }
        }
    }

    fn differs(&self, plan: &Plan) -> bool {
        self.main_text.as_deref().unwrap_or_default() != plan.main
            || self.included_text.as_deref().unwrap_or_default() != plan.included
    }
}
