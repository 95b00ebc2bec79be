//! What hides the settings that we write, or is hidden by them.
//!
//! The rules are those of cargo's reference, "Configuration": the environment wins over files, a file nearer to the
//! current folder over one further up, and of `CARGO_ENCODED_RUSTFLAGS`, `RUSTFLAGS`, `target.*.rustflags` and
//! `build.rustflags` only the first that is set counts ("build.rustflags").

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, Value};

use super::atomic::read_text;
use super::cargo_config::Entries;
use super::{Project, ProjectError, root, splice};

mod cfg;

/// One setting in the way of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shadow {
    /// A variable that cargo, rustc or a build script takes instead of what we wrote.
    Variable {
        /// Its name.
        name: String,
        /// What it hides.
        key: String,
    },
    /// A configuration file that cargo prefers to ours when it is started in `folder` or below.
    NearerFile {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// Where it applies.
        folder: PathBuf,
    },
    /// `build.rustflags` of the user's, which cargo ignores for a target that has `rustflags` of its own.
    BuildFlags {
        /// The file, or `CARGO_BUILD_RUSTFLAGS`.
        place: String,
        /// The target.
        target: String,
    },
    /// A name in `[env]` that build scripts look up before ours.
    FirstName {
        /// The file.
        file: PathBuf,
        /// `CC_x86_64-pc-windows-gnu`
        name: String,
        /// `CC_x86_64_pc_windows_gnu`
        ours: String,
    },
    /// A `[target.'cfg(…)']` table of the user's, from which cargo takes nothing that stands under the triple too.
    Cfg {
        /// The file.
        file: PathBuf,
        /// `target.'cfg(unix)'.runner`
        key: String,
        /// The target.
        target: String,
    },
}

impl Shadow {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::Variable { name, key } if key.ends_with(".rustflags") => format!(
                "unset {name} for builds with this target, and put its flags into `[target.'cfg(all())'] rustflags`, \
                 which cargo joins"
            ),
            Self::Variable { name, .. } => format!("unset {name} for builds with this target"),
            Self::NearerFile { folder, file, .. } => format!(
                "start builds in the project's root instead of `{}`, or take the key out of `{}`",
                folder.display(),
                file.display()
            ),
            Self::BuildFlags { .. } => {
                "set it as `[target.'cfg(all())'] rustflags`, which cargo joins".to_owned()
            }
            Self::FirstName { name, .. } => {
                format!("take `{name}` out, if it was meant for this target")
            }
            Self::Cfg { key, target, .. } if key.ends_with(".runner") => format!(
                "to keep it: `runner` of `{target}` in xtool.toml names the program, then xtool sync"
            ),
            Self::Cfg { .. } => "take the key out, if it was meant for this target".to_owned(),
        }
    }
}

impl fmt::Display for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable { name, key } => {
                write!(f, "`{name}` is set in the environment and hides `{key}`")?;
                if key.ends_with("-windows-gnu.rustflags") {
                    // rustc looks for it by its GNU name in PATH, and says `error calling dlltool`.
                    f.write_str(": rustc then finds no dlltool (raw-dylib, build-std)")?;
                }
                Ok(())
            }
            Self::NearerFile { file, key, folder } => write!(
                f,
                "`{}` hides `{key}` for builds started in `{}`",
                file.display(),
                folder.display()
            ),
            Self::BuildFlags { place, target } => write!(
                f,
                "`build.rustflags` in `{place}` does not reach `{target}`, which has `rustflags` of its own"
            ),
            Self::FirstName { file, name, ours } => write!(
                f,
                "`env.\"{name}\"` in `{}` hides `env.{ours}`: build scripts look up the name with hyphens first",
                file.display()
            ),
            Self::Cfg { file, key, target } => write!(
                f,
                "`{key}` in `{}` does not reach `{target}`, which has its own",
                file.display()
            ),
        }
    }
}

/// Looks for settings that hide what `entries` wrote; `env` answers for the environment.
pub fn shadows(
    project: &Project,
    entries: &[Entries],
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Vec<Shadow>, ProjectError> {
    let mut out = Vec::new();
    for e in entries {
        variables(e, env, &mut out);
    }
    for folder in nearer_folders(project)? {
        for (file, doc) in configs(&folder)? {
            for e in entries {
                for (table, key) in keys(e) {
                    let table: Vec<&str> = table.iter().map(String::as_str).collect();
                    // Lists join; only a single value hides another.
                    if key != "rustflags" && splice::get(&doc, &table, &key).is_some() {
                        out.push(Shadow::NearerFile {
                            file: file.clone(),
                            key: format!("{}.{key}", table.join(".")),
                            folder: folder.clone(),
                        });
                    }
                }
            }
        }
    }
    cfg_tables(project, entries, env, &mut out)?;
    first_names(project, entries, env, &mut out)?;
    let flagged: Vec<&Entries> = entries.iter().filter(|e| !e.rustflags.is_empty()).collect();
    if !flagged.is_empty() {
        let mut places = build_flags(project, env)?;
        if env("CARGO_BUILD_RUSTFLAGS").is_some_and(|v| !v.is_empty()) {
            places.push("CARGO_BUILD_RUSTFLAGS".to_owned());
        }
        for place in places {
            out.extend(flagged.iter().map(|e| Shadow::BuildFlags {
                place: place.clone(),
                target: e.triple.to_string(),
            }));
        }
    }
    Ok(out)
}

fn variables(e: &Entries, env: &dyn Fn(&str) -> Option<OsString>, out: &mut Vec<Shadow>) {
    let upper = e.triple.env_upper();
    let target = |key: &str| format!("target.{}.{key}", e.triple);
    let mut look = |name: String, key: String, ours: &str| {
        if env(&name).is_some_and(|v| !v.is_empty() && v != ours) {
            out.push(Shadow::Variable { name, key });
        }
    };
    let text = |p: &Path| p.to_string_lossy().into_owned();
    look(
        format!("CARGO_TARGET_{upper}_LINKER"),
        target("linker"),
        &text(&e.linker),
    );
    if let Some(runner) = &e.runner {
        look(
            format!("CARGO_TARGET_{upper}_RUNNER"),
            target("runner"),
            &text(runner),
        );
    }
    if !e.rustflags.is_empty() {
        for name in [
            crate::env_vars::CARGO_ENCODED_RUSTFLAGS,
            crate::env_vars::RUSTFLAGS,
        ] {
            look(name.to_owned(), target("rustflags"), "");
        }
    }
    for (name, value) in &e.env {
        look(name.clone(), format!("env.{name}"), value);
        if let Some(first) = looked_up_first(e, name) {
            look(first, format!("env.{name}"), value);
        }
    }
}

/// The name that crates try before ours: `CC_x86_64-pc-windows-gnu` before `CC_x86_64_pc_windows_gnu`. So do cc
/// (`target_envs`), cmake (`getenv_target_os`), pkg-config (`targeted_env_var`) and bindgen
/// (`get_target_dependent_env_var`); `TARGET_CC` and `CC` come after ours in all of them.
fn looked_up_first(e: &Entries, name: &str) -> Option<String> {
    let base = name.strip_suffix(&e.triple.env_suffix())?;
    Some(format!("{base}{}", e.triple))
}

/// The same names in the `[env]` of any configuration that applies, the project's own too.
fn first_names(
    project: &Project,
    entries: &[Entries],
    env: &dyn Fn(&str) -> Option<OsString>,
    out: &mut Vec<Shadow>,
) -> Result<(), ProjectError> {
    let mut docs = applying(project, env)?;
    for folder in nearer_folders(project)? {
        docs.extend(configs(&folder)?);
    }
    for (file, doc) in docs {
        for e in entries {
            for (ours, _) in &e.env {
                let Some(name) = looked_up_first(e, ours) else {
                    continue;
                };
                if splice::get(&doc, &["env"], &name).is_some() {
                    out.push(Shadow::FirstName {
                        file: file.clone(),
                        name,
                        ours: ours.clone(),
                    });
                }
            }
        }
    }
    Ok(())
}

fn keys(e: &Entries) -> Vec<(Vec<String>, String)> {
    let target = vec!["target".to_owned(), e.triple.to_string()];
    let mut out = vec![(target.clone(), "linker".to_owned())];
    if e.runner.is_some() {
        out.push((target, "runner".to_owned()));
    }
    out.extend(
        e.env
            .iter()
            .map(|(k, _)| (vec!["env".to_owned()], k.clone())),
    );
    out
}

/// The folders below the root in which a build may be started: the current one, the members', and those between.
fn nearer_folders(project: &Project) -> Result<Vec<PathBuf>, ProjectError> {
    let mut out = Vec::new();
    let starts = root::member_folders(&project.root)?;
    for start in starts.iter().chain([&project.cwd]) {
        for dir in start.ancestors() {
            if dir == project.root || !dir.starts_with(&project.root) {
                break;
            }
            out.push(dir.to_owned());
        }
    }
    out.sort();
    out.dedup();
    Ok(out)
}

/// The configuration that applies in the project: its own, those above, and the one in cargo's home.
fn applying(
    project: &Project,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Vec<(PathBuf, Document<String>)>, ProjectError> {
    let mut docs = Vec::new();
    for dir in project.root.ancestors() {
        docs.extend(configs(dir)?);
    }
    let home = env("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = env("HOME").or_else(|| env("USERPROFILE"))?;
        Some(Path::new(&home).join(".cargo"))
    });
    if let Some(home) = home {
        docs.extend(configs_in(&home)?);
    }
    docs.sort_by(|a, b| a.0.cmp(&b.0));
    docs.dedup_by(|a, b| a.0 == b.0);
    Ok(docs)
}

/// `runner` and `linker` of `[target.'cfg(…)']` that would be taken, were there none under the triple.
fn cfg_tables(
    project: &Project,
    entries: &[Entries],
    env: &dyn Fn(&str) -> Option<OsString>,
    out: &mut Vec<Shadow>,
) -> Result<(), ProjectError> {
    for (file, doc) in applying(project, env)? {
        let Some(targets) = doc.get("target").and_then(Item::as_table_like) else {
            continue;
        };
        for (name, table) in targets.iter() {
            let Some(table) = table.as_table_like().filter(|_| name.starts_with("cfg(")) else {
                continue;
            };
            for e in entries.iter().filter(|e| cfg::may_hold(name, &e.triple)) {
                for (key, ours) in [("runner", e.runner.is_some()), ("linker", true)] {
                    if ours && table.contains_key(key) {
                        out.push(Shadow::Cfg {
                            file: file.clone(),
                            key: format!("target.'{name}'.{key}"),
                            target: e.triple.to_string(),
                        });
                    }
                }
            }
        }
    }
    Ok(())
}

/// The files with a `build.rustflags` that applies in the project.
fn build_flags(
    project: &Project,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Vec<String>, ProjectError> {
    let docs = applying(project, env)?;
    let mut out: Vec<String> = docs
        .iter()
        .filter(|(_, doc)| {
            splice::get(doc, &["build"], "rustflags")
                .and_then(Item::as_value)
                .is_some_and(|v| match v {
                    Value::Array(a) => !a.is_empty(),
                    Value::String(s) => !s.value().trim().is_empty(),
                    _ => false,
                })
        })
        .map(|(file, _)| file.display().to_string())
        .collect();
    out.sort();
    out.dedup();
    Ok(out)
}

fn configs(dir: &Path) -> Result<Vec<(PathBuf, Document<String>)>, ProjectError> {
    configs_in(&dir.join(".cargo"))
}

/// The configuration that cargo reads in a `.cargo` folder. One that is not TOML is cargo's to complain about.
fn configs_in(folder: &Path) -> Result<Vec<(PathBuf, Document<String>)>, ProjectError> {
    for name in ["config", "config.toml"] {
        let file = folder.join(name);
        if !file.is_file() {
            continue;
        }
        let text = read_text(&file)?.unwrap_or_default();
        let (_, body) = splice::split_bom(&text);
        return Ok(splice::parse(body)
            .ok()
            .map(|doc| (file, doc))
            .into_iter()
            .collect());
    }
    Ok(Vec::new())
}
