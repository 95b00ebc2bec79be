//! `rust-toolchain.toml` and `rust-toolchain`: which toolchain rustup selects for a folder.
//!
//! The rules are those of the rustup book, "Overrides", "The toolchain file".

use std::path::{Path, PathBuf};

use super::ProjectError;
use super::atomic::read_text;
use super::splice;

/// The toolchain file that applies to a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolchainFile {
    /// Where it is.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// `stable`, `1.85.0`, `nightly-2026-01-01`, …
    pub channel: Option<String>,
    /// A folder whose `bin/rustc` would be run.
    pub path: Option<String>,
}

impl ToolchainFile {
    /// The nearest one, in `folder` or above.
    pub fn find(folder: &Path) -> Result<Option<Self>, ProjectError> {
        for dir in folder.ancestors() {
            // Where both are present, rustup takes the one without an extension.
            for name in ["rust-toolchain", "rust-toolchain.toml"] {
                let file = dir.join(name);
                if file.is_file() {
                    let text = read_text(&file)?.unwrap_or_default();
                    return Self::parse(file, text).map(Some);
                }
            }
        }
        Ok(None)
    }

    fn parse(file: PathBuf, text: String) -> Result<Self, ProjectError> {
        let (_, body) = splice::split_bom(&text);
        let one_line = body.trim();
        // Whatever stands in it: `/a=b` and `/a[b` are paths too.
        let legacy = file.extension().is_none() && !one_line.contains(['\n', '\r']);
        let (channel, path) = if legacy {
            let said = Some(one_line.to_owned()).filter(|c| !c.is_empty());
            // No name of a toolchain has a separator. rustup takes what is absolute on its host for a path, and runs
            // the programs in there.
            if one_line.contains(['/', '\\']) {
                (None, said)
            } else {
                (said, None)
            }
        } else {
            let doc = splice::parse(body).map_err(|e| ProjectError::from_splice(&file, e))?;
            let value = |key| {
                splice::get(&doc, &["toolchain"], key)
                    .and_then(toml_edit::Item::as_str)
                    .map(str::to_owned)
            };
            (value("channel"), value("path"))
        };
        Ok(Self {
            file,
            text,
            channel,
            path,
        })
    }
}
