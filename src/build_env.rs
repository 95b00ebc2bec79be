//! The variables by which native build scripts find a target's tools.
//!
//! In: what a target's shims stand for, and their folder. Out: names and values. Only names that end in the triple go
//! into cargo's configuration: an unsuffixed one would reach the host's own build scripts too.

use std::path::{Path, PathBuf};

use crate::shim::{Spec, Tool, tools_of};
use crate::target::{TargetOs, Triple};

mod bindgen;
pub mod cmake;
pub mod format;
pub mod go;
pub mod meson;
mod zig_headers;

/// The CMake toolchain file in a variant's folder.
pub const CMAKE_FILE: &str = "toolchain.cmake";

/// Variables of one target, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildEnv {
    /// For cargo's `[env]`: the names that build scripts look for with the triple at the end.
    pub suffixed: Vec<(String, String)>,
    /// For builds that are not cargo's: `CC`, `CXX`, `AR`, …
    pub plain: Vec<(String, String)>,
}

/// The variables for the shims of a variant; `shims` is its folder.
///
/// The suffixed names are those of the crates that read them: `cc` ("External configuration via environment
/// variables"), `embed-resource` (`RC`), `cmake` (`CMAKE_TOOLCHAIN_FILE`), `bindgen` ("Environment variables"), `pkg-config` ("Environment
/// variables").
pub fn build_env(spec: &Spec, shims: &Path) -> BuildEnv {
    let tools = tools_of(spec);
    let names = [
        (Tool::Cc, "CC"),
        (Tool::Cxx, "CXX"),
        (Tool::Ar, "AR"),
        (Tool::Ranlib, "RANLIB"),
        (Tool::Strip, "STRIP"),
        (Tool::Nm, "NM"),
        (Tool::Windres, "WINDRES"),
        (Tool::Windres, "RC"),
        (Tool::Dlltool, "DLLTOOL"),
    ];
    let mut plain: Vec<(String, String)> = names
        .into_iter()
        .filter(|(tool, _)| tools.contains(tool))
        .map(|(tool, name)| (name.to_owned(), text(&shim(shims, tool))))
        .collect();
    // The cc crate asks for the first four, embed-resource for `RC`, and a build script that uses winresource can ask
    // for `WINDRES`; further names would only be noise in the configuration.
    let wanted = ["CC", "CXX", "AR", "RANLIB", "RC", "WINDRES"];
    let mut suffixed: Vec<(String, String)> = plain
        .iter()
        .filter(|(name, _)| wanted.contains(&name.as_str()))
        .cloned()
        .collect();
    let pkg_config = PkgConfig::of(spec, shims).variables().into_iter();
    let others = [
        (
            "CMAKE_TOOLCHAIN_FILE",
            Some(text(&shims.join(CMAKE_FILE)).replace('\\', "/")),
        ),
        (
            "BINDGEN_EXTRA_CLANG_ARGS",
            bindgen::arguments(spec, &|folder| folder.is_dir()),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .chain(pkg_config.map(|(name, value)| (name.to_owned(), value)));
    for (name, value) in others {
        plain.push((name.clone(), value.clone()));
        suffixed.push((name, value));
    }
    for (name, _) in &mut suffixed {
        name.push('_');
        name.push_str(&spec.triple.env_suffix());
    }
    plain.sort();
    suffixed.sort();
    BuildEnv { suffixed, plain }
}

/// Where pkg-config looks for a target that brings no libraries: a folder of the variant's that is never made.
pub const PKG_CONFIG_FOLDER: &str = "pkgconfig";

/// What keeps a cross build from the host's libraries: `.pc` files are looked for in the toolchain only, and the
/// paths in them are the sysroot's. Where the toolchain has no libraries of its own nothing is found, which is what
/// makes a crate build its bundled copy.
#[derive(Debug, PartialEq, Eq)]
struct PkgConfig {
    /// Where `.pc` files are looked for; never empty, which would mean the host's folders.
    folders: Vec<PathBuf>,
    /// What the paths in them begin at.
    root: Option<PathBuf>,
}

impl PkgConfig {
    fn of(spec: &Spec, shims: &Path) -> Self {
        match (&spec.sysroot, &spec.sdk) {
            (Some(sysroot), _) => {
                let mut folders = vec![
                    sysroot.join("lib").join("pkgconfig"),
                    sysroot.join("share").join("pkgconfig"),
                ];
                if let Some(name) = debian_name(spec) {
                    let lib = spec.root.join("usr").join("lib").join(name);
                    folders.insert(0, lib.join("pkgconfig"));
                } else {
                    let usr = sysroot.join("usr");
                    folders.insert(0, usr.join("lib").join("pkgconfig"));
                }
                Self {
                    folders,
                    root: Some(spec.sysroot_argument().unwrap_or(&spec.root).to_owned()),
                }
            }
            (None, Some(sdk)) => Self {
                folders: vec![sdk.path.join("usr").join("lib").join("pkgconfig")],
                root: Some(sdk.path.clone()),
            },
            (None, None) => Self {
                folders: vec![shims.join(PKG_CONFIG_FOLDER)],
                root: None,
            },
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let list = std::env::join_paths(&self.folders).unwrap_or_default();
        let mut out = vec![
            ("PKG_CONFIG_ALLOW_CROSS", "1".to_owned()),
            // The user's is for the host's libraries, and pkg-config looks there first.
            ("PKG_CONFIG_PATH", String::new()),
            ("PKG_CONFIG_LIBDIR", list.to_string_lossy().into_owned()),
        ];
        let root = self.root.as_deref().map(text);
        out.extend(root.map(|root| ("PKG_CONFIG_SYSROOT_DIR", root)));
        out
    }
}

/// Debian's name of the target (`aarch64-linux-gnu`), where the toolchain has Debian's layout: the target's files in
/// `usr/<name>`.
fn debian_name(spec: &Spec) -> Option<&str> {
    let sysroot = spec.sysroot.as_deref()?;
    (sysroot.parent()? == spec.root.join("usr"))
        .then(|| sysroot.file_name())
        .flatten()?
        .to_str()
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
    use crate::manifest::Family;

    fn spec(triple: &str, sysroot: Option<&str>) -> Spec {
        let mut spec = Spec::new(triple.parse().unwrap(), Family::Gcc, "/t".into());
        spec.sysroot = sysroot.map(Into::into);
        for tool in [&mut spec.tools.cc, &mut spec.tools.cxx, &mut spec.tools.ar] {
            *tool = Some("/t/tool".into());
        }
        spec
    }

    fn value(env: &BuildEnv, name: &str) -> Option<String> {
        let found = env.suffixed.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone())
    }

    #[test]
    fn cargos_variables_all_end_in_the_triple() {
        let spec = spec("x86_64-pc-windows-gnu", Some("/t/usr/x86_64-w64-mingw32"));
        let env = build_env(&spec, Path::new("/s"));
        let suffix = "_x86_64_pc_windows_gnu";
        assert!(env.suffixed.iter().all(|(n, _)| n.ends_with(suffix)));
        let cc = value(&env, &format!("CC{suffix}")).unwrap();
        assert_eq!(cc, text(&shim(Path::new("/s"), Tool::Cc)));
        let cmake = value(&env, &format!("CMAKE_TOOLCHAIN_FILE{suffix}")).unwrap();
        assert!(cmake.ends_with("/toolchain.cmake"), "{cmake}");
        assert!(value(&env, &format!("RANLIB{suffix}")).is_none());
    }

    #[test]
    fn resources_are_compiled_by_the_targets_windres() {
        let mut spec = spec("i686-pc-windows-gnu", None);
        let names = |spec: &Spec| {
            let env = build_env(spec, Path::new("/s"));
            let all = env.suffixed.into_iter().chain(env.plain);
            let windres = text(&shim(Path::new("/s"), Tool::Windres));
            let named = all.filter(|(_, value)| *value == windres);
            named.map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert!(names(&spec).is_empty());
        spec.tools.windres = Some("/t/windres".into());
        let suffixed = ["RC_i686_pc_windows_gnu", "WINDRES_i686_pc_windows_gnu"];
        assert_eq!(names(&spec), [suffixed, ["RC", "WINDRES"]].concat());
    }

    #[cfg(unix)]
    #[test]
    fn pkg_config_sees_the_targets_libraries_only() {
        let spec = spec(
            "aarch64-unknown-linux-gnu",
            Some("/t/usr/aarch64-linux-gnu"),
        );
        let env = build_env(&spec, Path::new("/s"));
        let of = |name: &str| value(&env, &format!("{name}_aarch64_unknown_linux_gnu")).unwrap();
        assert_eq!(
            of("PKG_CONFIG_LIBDIR"),
            "/t/usr/lib/aarch64-linux-gnu/pkgconfig:/t/usr/aarch64-linux-gnu/lib/pkgconfig:\
             /t/usr/aarch64-linux-gnu/share/pkgconfig"
        );
        assert_eq!(of("PKG_CONFIG_SYSROOT_DIR"), "/t");
        assert_eq!(of("PKG_CONFIG_ALLOW_CROSS"), "1");
        assert_eq!(of("PKG_CONFIG_PATH"), "");
    }

    #[test]
    fn without_a_sysroot_pkg_config_finds_nothing() {
        let env = build_env(&spec("x86_64-unknown-linux-musl", None), Path::new("/s"));
        let name = "PKG_CONFIG_LIBDIR_x86_64_unknown_linux_musl";
        let folder = text(&Path::new("/s").join("pkgconfig"));
        assert_eq!(value(&env, name), Some(folder));
    }

    #[test]
    fn only_windows_gnu_needs_flags() {
        let flags = |t: &str| rustflags(&t.parse().unwrap(), Path::new("/s"), &Tool::ALL).len();
        assert_eq!(flags("x86_64-pc-windows-gnu"), 1);
        assert_eq!(flags("x86_64-pc-windows-gnullvm"), 1);
        assert_eq!(flags("x86_64-unknown-linux-musl"), 0);
    }
}
