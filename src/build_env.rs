//! The variables by which native build scripts find a target's tools.
//!
//! In: a triple and the folder of its shims. Out: names and values. Only names that end in the triple go into cargo's
//! configuration: an unsuffixed one would reach the host's own build scripts too.

use std::path::{Path, PathBuf};

use crate::shim::Tool;
use crate::target::{TargetOs, Triple};

pub mod cmake;
pub mod format;
pub mod go;
pub mod meson;

/// Variables of one target, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildEnv {
    /// For cargo's `[env]`: `CC_<triple>` and the like, as the `cc` crate's documentation lists them under "External
    /// configuration via environment variables".
    pub suffixed: Vec<(String, String)>,
    /// For builds that are not cargo's: `CC`, `CXX`, `AR`, …
    pub plain: Vec<(String, String)>,
}

/// The variables for the shims that the variant has.
pub fn build_env(triple: &Triple, shims: &Path, tools: &[Tool]) -> BuildEnv {
    let names = [
        (Tool::Cc, "CC"),
        (Tool::Cxx, "CXX"),
        (Tool::Ar, "AR"),
        (Tool::Ranlib, "RANLIB"),
        (Tool::Strip, "STRIP"),
        (Tool::Windres, "WINDRES"),
        (Tool::Dlltool, "DLLTOOL"),
    ];
    let mut plain: Vec<(String, String)> = names
        .into_iter()
        .filter(|(tool, _)| tools.contains(tool))
        .map(|(tool, name)| (name.to_owned(), text(&shim(shims, tool))))
        .collect();
    plain.sort();
    // The cc crate asks for these four; further names would only be noise in the configuration.
    let mut suffixed: Vec<(String, String)> = plain
        .iter()
        .filter(|(name, _)| ["CC", "CXX", "AR", "RANLIB"].contains(&name.as_str()))
        .map(|(name, value)| (format!("{name}_{}", triple.env_suffix()), value.clone()))
        .collect();
    suffixed.sort();
    BuildEnv { suffixed, plain }
}

/// A shim's path in its variant's folder.
pub fn shim(shims: &Path, tool: Tool) -> PathBuf {
    shims.join(format!("{}{}", tool.name(), std::env::consts::EXE_SUFFIX))
}

/// What rustc must be told in flags because nothing else can carry it: where dlltool is, for import libraries made on
/// the fly (raw-dylib). rustc looks at `-Cdlltool` and PATH only.
pub fn rustflags(triple: &Triple, shims: &Path, tools: &[Tool]) -> Vec<String> {
    let gnu = triple.os() == TargetOs::Windows && triple.env().starts_with("gnu");
    if gnu && tools.contains(&Tool::Dlltool) {
        vec![format!("-Cdlltool={}", text(&shim(shims, Tool::Dlltool)))]
    } else {
        Vec::new()
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_variables_all_end_in_the_triple() {
        let t: Triple = "x86_64-pc-windows-gnu".parse().unwrap();
        let env = build_env(&t, Path::new("/s"), &Tool::ALL);
        assert_eq!(env.suffixed.len(), 4);
        assert!(
            env.suffixed
                .iter()
                .all(|(n, _)| n.ends_with("_x86_64_pc_windows_gnu"))
        );
        let cc = (
            "CC_x86_64_pc_windows_gnu".to_owned(),
            text(&shim(Path::new("/s"), Tool::Cc)),
        );
        assert!(env.suffixed.contains(&cc));
    }

    #[test]
    fn only_windows_gnu_needs_flags() {
        let flags = |t: &str| rustflags(&t.parse().unwrap(), Path::new("/s"), &Tool::ALL).len();
        assert_eq!(flags("x86_64-pc-windows-gnu"), 1);
        assert_eq!(flags("x86_64-pc-windows-gnullvm"), 1);
        assert_eq!(flags("x86_64-unknown-linux-musl"), 0);
    }
}
