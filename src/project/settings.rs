//! `xtool.toml`: the project's targets and their options. Committed; edited with its comments and order kept.
//!
//! ```toml
//! config = "include"              # or "direct": where cargo's keys go; chosen by xtool when it is not set
//!
//! [targets]
//! x86_64-pc-windows-gnu = {}
//! aarch64-unknown-linux-gnu = { toolchain = "zig@0.15.2", glibc = "2.17", rust-std = "auto" }
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml_edit::Item;

use super::atomic::{self, Held, read_text};
use super::splice::{self, SpliceError};
use super::{CONFIG_FILE, Project, ProjectError};
use crate::target::{Triple, check_name};

/// The first line of a file that we create; a file that holds nothing else is deleted again.
const HEADER: &str =
    "# The targets that this project is built for; `xtool sync` sets them up on another machine.\n";

/// `xtool.toml`, validated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// By triple.
    pub targets: BTreeMap<Triple, TargetOptions>,
    /// Where cargo's keys go; `None`: xtool decides.
    pub config: Option<ConfigMode>,
}

/// Where the keys for cargo are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfigMode {
    /// `.cargo/xtool.toml`, which `.cargo/config.toml` includes (cargo 1.94 or newer).
    Include,
    /// `.cargo/config.toml` itself.
    Direct,
}

/// Where rustc's own part for a target may come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RustStd {
    /// What is there, else rustup or the distribution.
    #[default]
    Auto,
    /// cargo builds it from source (`-Zbuild-std`).
    Build,
    /// The user sees to it.
    None,
}

/// The options of one target; what is not set is decided by the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetOptions {
    /// `NAME` or `NAME@VERSION`.
    pub toolchain: Option<String>,
    /// The oldest glibc to run on: `2.17`.
    pub glibc: Option<String>,
    /// An Apple SDK: a name that `sdk import` gave, or a path.
    pub sdk: Option<String>,
    /// The program that runs the target's programs; needs consent in a cloned project.
    pub runner: Option<String>,
    /// Where std comes from.
    pub rust_std: RustStd,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    #[serde(default)]
    targets: BTreeMap<Spanned<String>, RawTarget>,
    config: Option<ConfigMode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawTarget {
    toolchain: Option<Spanned<String>>,
    glibc: Option<Spanned<String>>,
    sdk: Option<Spanned<String>>,
    runner: Option<Spanned<String>>,
    #[serde(default)]
    rust_std: RustStd,
}

impl Config {
    /// Reads the project's file; `None` where there is none.
    pub fn load(project: &Project) -> Result<Option<Self>, ProjectError> {
        let path = project.root.join(CONFIG_FILE);
        read_text(&path)?
            .map(|text| Self::parse(&text, &path))
            .transpose()
    }

    /// Parses and validates; an error has file, line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ProjectError> {
        let (_, body) = splice::split_bom(text);
        let raw: RawConfig =
            toml::from_str(body).map_err(|e| ProjectError::from_toml(path, body, &e))?;
        let mut targets = BTreeMap::new();
        for (name, raw) in raw.targets {
            let at = name.span().start;
            let triple: Triple =
                name.get_ref()
                    .parse()
                    .map_err(|e: crate::target::InvalidName| {
                        ProjectError::at(path, body, at, &e.to_string())
                    })?;
            targets.insert(triple, raw.validated(path, body)?);
        }
        Ok(Self {
            targets,
            config: raw.config,
        })
    }
}

impl RawTarget {
    fn validated(self, path: &Path, text: &str) -> Result<TargetOptions, ProjectError> {
        let checked = |value: Option<Spanned<String>>,
                       check: &dyn Fn(&str) -> Result<(), String>| {
            let Some(value) = value else { return Ok(None) };
            let at = value.span().start;
            check(value.get_ref()).map_err(|e| ProjectError::at(path, text, at, &e))?;
            Ok(Some(value.into_inner()))
        };
        Ok(TargetOptions {
            toolchain: checked(self.toolchain, &check_toolchain)?,
            glibc: checked(self.glibc, &check_glibc)?,
            sdk: checked(self.sdk, &check_text)?,
            runner: checked(self.runner, &check_text)?,
            rust_std: self.rust_std,
        })
    }
}

/// `NAME` or `NAME@VERSION`, both fit to be part of a path.
pub fn check_toolchain(value: &str) -> Result<(), String> {
    let (name, version) = match value.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (value, None),
    };
    check_name(name, "toolchain name").map_err(|e| e.to_string())?;
    version.map_or(Ok(()), |v| {
        check_name(v, "toolchain version").map_err(|e| e.to_string())
    })
}

/// `2.17`
pub fn check_glibc(value: &str) -> Result<(), String> {
    let numbers: Vec<_> = value.split('.').map(str::parse::<u16>).collect();
    let digits = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if digits && numbers.len() == 2 && numbers.iter().all(Result::is_ok) {
        return Ok(());
    }
    Err(format!(
        "`{}` is not a glibc version: expected two numbers, such as `2.17`",
        value.escape_debug()
    ))
}

fn check_text(value: &str) -> Result<(), String> {
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err("expected text that is not empty and has no control characters".to_owned());
    }
    Ok(())
}

/// The text with a target in it: added, or the options that are given set and the others left.
pub fn with_target(
    text: &str,
    triple: &Triple,
    options: &TargetOptions,
) -> Result<String, SpliceError> {
    let (bom, body) = splice::split_bom(text);
    let pairs = pairs(options);
    let doc = splice::parse(body)?;
    let there = splice::get(&doc, &["targets"], triple.as_str()).is_some();
    let mut out = body.to_owned();
    if there {
        for (key, value) in pairs {
            let path = ["targets", triple.as_str()];
            let doc = splice::parse(&out)?;
            let same = splice::get(&doc, &path, key).and_then(Item::as_str) == Some(value);
            if !same {
                out = splice::set(&out, &path, key, &splice::string_text(value))?;
            }
        }
    } else {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(k, v)| format!("{k} = {}", splice::string_text(v)))
            .collect();
        let value = if pairs.is_empty() {
            "{}".to_owned()
        } else {
            format!("{{ {} }}", pairs.join(", "))
        };
        out = splice::set(body, &["targets"], triple.as_str(), &value)?;
    }
    Ok(format!("{bom}{out}"))
}

/// The text without a target and its options.
pub fn without_target(text: &str, triple: &Triple) -> Result<String, SpliceError> {
    let (bom, body) = splice::split_bom(text);
    let out = splice::remove_any(body, &["targets"], triple.as_str())?;
    Ok(format!("{bom}{out}"))
}

fn pairs(options: &TargetOptions) -> Vec<(&'static str, &str)> {
    let rust_std = match options.rust_std {
        RustStd::Auto => None,
        RustStd::Build => Some("build"),
        RustStd::None => Some("none"),
    };
    [
        ("toolchain", options.toolchain.as_deref()),
        ("glibc", options.glibc.as_deref()),
        ("sdk", options.sdk.as_deref()),
        ("runner", options.runner.as_deref()),
        ("rust-std", rust_std),
    ]
    .into_iter()
    .filter_map(|(k, v)| Some((k, v?)))
    .collect()
}

impl Project {
    /// Adds a target to `xtool.toml`, or sets the options that are given (`None` and `Auto` leave what stands
    /// there). Returns whether the file changed.
    pub fn add_target(
        &self,
        held: &Held,
        triple: &Triple,
        options: &TargetOptions,
    ) -> Result<bool, ProjectError> {
        self.edit_settings(held, |text| with_target(text, triple, options))
    }

    /// Takes a target out of `xtool.toml`; a file that we created and that is then empty goes too. Returns whether
    /// something changed.
    pub fn remove_target(&self, held: &Held, triple: &Triple) -> Result<bool, ProjectError> {
        self.edit_settings(held, |text| without_target(text, triple))
    }

    fn edit_settings(
        &self,
        _held: &Held,
        edit: impl Fn(&str) -> Result<String, SpliceError>,
    ) -> Result<bool, ProjectError> {
        let path = self.root.join(CONFIG_FILE);
        let old = read_text(&path)?;
        if let Some(old) = &old {
            Config::parse(old, &path)?;
        }
        let base = old.as_deref().unwrap_or(HEADER);
        let new = edit(base).map_err(|e| ProjectError::from_splice(&path, e))?;
        if new == base {
            return Ok(false);
        }
        Config::parse(&new, &path)?;
        if new == HEADER {
            atomic::delete(&path)?;
        } else {
            atomic::replace(&path, &new)?;
        }
        Ok(true)
    }
}
