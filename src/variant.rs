//! (target, toolchain, options) → the shim's spec. Pure.
//!
//! A variant is a toolchain with a target and one set of options; two projects that differ in an option never meet in
//! one folder.

use std::path::{Path, PathBuf};

use crate::glibc::{self, minor};
use crate::help::Help;
use crate::manifest::{Family, Target, TargetTools, Toolchain, glibc_version};
use crate::shim::{Runner, Sdk, Spec, Tools, Zig};
use crate::target::{Host, TargetOs, Triple};

/// What a project asks for beyond the triple.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The oldest glibc: `2.17`.
    pub glibc: Option<String>,
    /// The project's own runner in place of the manifest's.
    pub runner: Option<String>,
    /// An Apple SDK; no meaning but for macOS.
    pub sdk: Option<Sdk>,
}

/// An option that the toolchain cannot follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariantError {
    /// The target has no glibc.
    #[error("`{triple}` has no glibc, so it can have no glibc floor")]
    NoGlibc {
        /// The target.
        triple: Triple,
    },
    /// The toolchain brings one glibc and can link against no other.
    #[error(
        "The toolchain `{toolchain}` links against the glibc that it brings, not against {glibc}"
    )]
    FixedGlibc {
        /// The target.
        triple: Triple,
        /// The toolchain.
        toolchain: String,
        /// As asked for.
        glibc: String,
    },
    /// An SDK is needed, and none is there.
    #[error("`{toolchain}` needs an Apple SDK to build for `{triple}`, and none was imported")]
    NoSdk {
        /// The target.
        triple: Triple,
        /// The toolchain.
        toolchain: String,
    },
    /// Newer than zig knows.
    #[error("glibc {asked} is newer than {newest}, the newest that zig {zig} can link against")]
    TooNew {
        /// The target.
        triple: Triple,
        /// As asked for.
        asked: String,
        /// Its version.
        zig: String,
        /// The newest.
        newest: String,
        /// A zig that can link against it.
        other: Option<&'static str>,
    },
    /// Not a version of glibc.
    #[error("`{asked}` is not a version of glibc: expected one such as `2.17`")]
    NotGlibc {
        /// The target.
        triple: Triple,
        /// As asked for.
        asked: String,
    },
    /// Older than the oldest that the target ever had, or than the toolchain knows.
    #[error("glibc {asked} is older than {lowest}, the oldest for `{triple}`")]
    TooOld {
        /// The target.
        triple: Triple,
        /// As asked for.
        asked: String,
        /// The oldest.
        lowest: String,
    },
}

impl Help for VariantError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoGlibc { triple } => format!("xtool add {triple}   (without --glibc)"),
            Self::FixedGlibc {
                triple,
                toolchain,
                glibc,
            } => format!(
                "xtool add {triple} --toolchain zig --glibc {glibc}; or without that floor: xtool remove {triple} && \
                 xtool add {triple} --toolchain {toolchain}"
            ),
            Self::NoSdk { triple, .. } => format!(
                "xtool sdk import MacOSX.sdk.tar.xz   (or without one: xtool add {triple} --toolchain zig)"
            ),
            Self::TooNew {
                triple,
                asked,
                other: Some(zig),
                ..
            } => format!("xtool add {triple} --toolchain zig@{zig} --glibc {asked}"),
            Self::TooNew { triple, newest, .. } => format!("xtool add {triple} --glibc {newest}"),
            Self::NotGlibc { triple, .. } => format!("xtool add {triple} --glibc 2.17"),
            Self::TooOld { triple, lowest, .. } => format!("xtool add {triple} --glibc {lowest}"),
        })
    }
}

/// Where the toolchain is, and what the spec must say of it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The toolchain's folder.
    pub root: &'a Path,
    /// The version that is installed there.
    pub version: &'a str,
    /// Where zig keeps what it compiles.
    pub zig_cache: &'a Path,
    /// The machine that it runs on.
    pub host: Host,
}

/// Whether the toolchain in a version can follow the options, as far as that can be told before it is installed.
pub fn check(
    target: &Target,
    toolchain: &Toolchain,
    tools: &TargetTools,
    version: &str,
    options: &Options,
) -> Result<(), VariantError> {
    floor(target, toolchain, tools, version, options)?;
    needs_sdk(target, toolchain, options)
}

/// clang brings no headers and libraries for macOS.
fn needs_sdk(
    target: &Target,
    toolchain: &Toolchain,
    options: &Options,
) -> Result<(), VariantError> {
    let needed = target.triple.os() == TargetOs::MacOs && toolchain.family == Family::Clang;
    if needed && options.sdk.is_none() {
        return Err(VariantError::NoSdk {
            triple: target.triple.clone(),
            toolchain: toolchain.name.clone(),
        });
    }
    Ok(())
}

/// The spec of one variant.
pub fn spec(
    target: &Target,
    toolchain: &Toolchain,
    tools: &TargetTools,
    place: Place<'_>,
    options: &Options,
) -> Result<Spec, VariantError> {
    let glibc = floor(target, toolchain, tools, place.version, options)?;
    let major = place.version.split('.').next().unwrap_or_default();
    let under = |path: &Option<String>| {
        let path = path.as_ref()?.replace("{major}", major);
        Some(below(place.root, &path))
    };
    let program =
        |path: &Option<String>| under(path).map(|p| with_suffix(p, place.host.exe_suffix()));
    let mut spec = Spec::new(
        target.triple.clone(),
        toolchain.family,
        place.root.to_owned(),
    );
    spec.sysroot = under(&tools.sysroot);
    if target.triple.os() == TargetOs::MacOs {
        spec.deployment_target = Some(oldest_macos(&target.triple).to_owned());
        spec.sdk.clone_from(&options.sdk);
        needs_sdk(target, toolchain, options)?;
        if toolchain.family == Family::Clang {
            spec.compiler_version = Some(place.version.to_owned());
        }
    }
    spec.library_path = library_path(toolchain, place);
    if toolchain.family == Family::Zig {
        spec.zig = tools.zig_target.as_ref().map(|zig_target| Zig {
            exe: with_suffix(place.root.join("zig"), place.host.exe_suffix()),
            target: glibc.map_or_else(|| zig_target.clone(), |g| format!("{zig_target}.{g}")),
            cpu: tools.zig_cpu.clone(),
            version: place.version.to_owned(),
            cache_dir: place.zig_cache.to_owned(),
        });
    } else {
        spec.tools = Tools {
            cc: program(&tools.linker),
            cxx: program(&tools.cxx),
            ar: program(&tools.ar),
            ranlib: program(&tools.ranlib),
            dlltool: program(&tools.dlltool),
            windres: program(&tools.windres),
            strip: program(&tools.strip),
            lipo: program(&tools.lipo),
            nm: program(&tools.nm),
            otool: program(&tools.otool),
            install_name_tool: program(&tools.install_name_tool),
            lld: program(&tools.lld),
        };
    }
    let runner = options.runner.as_deref().or(target.runner.as_deref());
    spec.runner = runner.and_then(|name| Runner::named(name, spec.sysroot.clone()));
    Ok(spec)
}

/// A program that a build for a target cannot do without.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// The target.
    pub triple: Triple,
    /// The manifest's key, `linker`; for zig, whose program is always the same, its name.
    pub key: &'static str,
    /// Relative to the toolchain's root, with `/` between its names.
    pub path: String,
}

/// What must be in a toolchain, so that it is of use to a target.
pub fn programs(
    triple: &Triple,
    toolchain: &Toolchain,
    tools: &TargetTools,
    version: &str,
    host: Host,
) -> Vec<Program> {
    let zig = "zig".to_owned();
    let named = if toolchain.family == Family::Zig {
        vec![("zig", Some(&zig))]
    } else {
        vec![
            ("linker", tools.linker.as_ref()),
            ("cxx", tools.cxx.as_ref()),
            ("ar", tools.ar.as_ref()),
        ]
    };
    let major = version.split('.').next().unwrap_or_default();
    let program = |(key, path): (&'static str, Option<&String>)| {
        Some(Program {
            triple: triple.clone(),
            key,
            path: path?.replace("{major}", major) + host.exe_suffix(),
        })
    };
    named.into_iter().filter_map(program).collect()
}

/// What a toolchain has for programs of a target once they are built, by absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterBuild {
    /// Removes symbols.
    pub strip: Option<PathBuf>,
    /// The target's libraries.
    pub sysroot: Option<PathBuf>,
    /// What the toolchain's own programs need on their library path.
    pub library_path: Vec<PathBuf>,
}

/// What is left to do with a built program needs no options of the target.
pub fn after_build(toolchain: &Toolchain, tools: &TargetTools, place: Place<'_>) -> AfterBuild {
    let major = place.version.split('.').next().unwrap_or_default();
    let under = |path: &Option<String>| {
        let path = path.as_ref()?.replace("{major}", major);
        Some(below(place.root, &path))
    };
    AfterBuild {
        strip: under(&tools.strip).map(|p| with_suffix(p, place.host.exe_suffix())),
        sysroot: under(&tools.sysroot),
        library_path: library_path(toolchain, place),
    }
}

fn library_path(toolchain: &Toolchain, place: Place<'_>) -> Vec<PathBuf> {
    let folders = toolchain.library_path.iter();
    folders
        .map(|p| below(place.root, &p.replace("{multiarch}", multiarch(place.host))))
        .collect()
}

/// The floor to link for: what was asked for, else the target's own.
fn floor(
    target: &Target,
    toolchain: &Toolchain,
    tools: &TargetTools,
    version: &str,
    options: &Options,
) -> Result<Option<String>, VariantError> {
    let triple = &target.triple;
    let Some(asked) = &options.glibc else {
        return Ok(tools.glibc.clone());
    };
    if !triple.is_glibc() {
        return Err(VariantError::NoGlibc {
            triple: triple.clone(),
        });
    }
    if toolchain.family != Family::Zig {
        return Err(VariantError::FixedGlibc {
            triple: triple.clone(),
            toolchain: toolchain.name.clone(),
            glibc: asked.clone(),
        });
    }
    if glibc_version(asked).is_err() {
        return Err(VariantError::NotGlibc {
            triple: triple.clone(),
            asked: asked.clone(),
        });
    }
    if let Some(asked_minor) = minor(asked)
        && asked_minor > glibc::newest_of_zig(version)
    {
        return Err(VariantError::TooNew {
            triple: triple.clone(),
            asked: asked.clone(),
            zig: version.to_owned(),
            newest: format!("2.{}", glibc::newest_of_zig(version)),
            other: glibc::zig_for(asked_minor),
        });
    }
    match &tools.glibc {
        Some(lowest) if minor(asked) < minor(lowest) => Err(VariantError::TooOld {
            triple: triple.clone(),
            asked: asked.clone(),
            lowest: lowest.clone(),
        }),
        _ => Ok(Some(asked.clone())),
    }
}

/// rustc's own default (`rustc_target/src/spec/base/apple`), for C as for Rust. Who asks for a newer one by
/// `MACOSX_DEPLOYMENT_TARGET` or an argument gets it.
fn oldest_macos(triple: &Triple) -> &'static str {
    match triple.arch() {
        "aarch64" | "arm64e" => "11.0",
        _ => "10.12",
    }
}

/// Debian's name of the host's architecture in library paths.
fn multiarch(host: Host) -> &'static str {
    match host {
        Host::LinuxArm64 => "aarch64-linux-gnu",
        _ => "x86_64-linux-gnu",
    }
}

/// The manifest's `/` become the host's separators.
fn below(root: &Path, relative: &str) -> PathBuf {
    relative
        .split('/')
        .fold(root.to_owned(), |path, part| path.join(part))
}

fn with_suffix(path: PathBuf, suffix: &str) -> PathBuf {
    if suffix.is_empty() {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    fn spec_for(triple: &str, toolchain: &str, glibc: Option<&str>) -> Result<Spec, VariantError> {
        let m = Manifest::load(None).unwrap();
        let target = m.target(&triple.parse().unwrap()).unwrap();
        spec(
            target,
            &m.toolchains[toolchain],
            &target.tools[toolchain],
            Place {
                root: Path::new("/t"),
                version: "0.15.2",
                zig_cache: Path::new("/z"),
                host: Host::LinuxX64,
            },
            &Options {
                glibc: glibc.map(str::to_owned),
                ..Options::default()
            },
        )
    }

    #[test]
    fn the_floor_is_part_of_zigs_target() {
        let zig_target = |t: &str, g| spec_for(t, "zig", g).unwrap().zig.unwrap().target;
        assert_eq!(
            zig_target("x86_64-unknown-linux-gnu", None),
            "x86_64-linux-gnu.2.17"
        );
        assert_eq!(
            zig_target("x86_64-unknown-linux-gnu", Some("2.28")),
            "x86_64-linux-gnu.2.28"
        );
        assert_eq!(
            zig_target("x86_64-unknown-linux-musl", None),
            "x86_64-linux-musl"
        );
    }

    #[test]
    fn a_floor_that_cannot_be_is_refused() {
        assert!(matches!(
            spec_for("x86_64-unknown-linux-musl", "zig", Some("2.17")),
            Err(VariantError::NoGlibc { .. })
        ));
        assert!(matches!(
            spec_for("riscv64gc-unknown-linux-gnu", "zig", Some("2.17")),
            Err(VariantError::TooOld { .. })
        ));
    }

    #[test]
    fn macos_has_rustcs_oldest_version_and_clang_an_sdk() {
        let zig = spec_for("aarch64-apple-darwin", "zig", None).unwrap();
        assert_eq!(zig.deployment_target.as_deref(), Some("11.0"));
        let zig = spec_for("x86_64-apple-darwin", "zig", None).unwrap();
        assert_eq!(zig.deployment_target.as_deref(), Some("10.12"));
        let e = spec_for("x86_64-apple-darwin", "osxcross", None).unwrap_err();
        assert!(e.help().unwrap().contains("xtool sdk import"), "{e}");
    }

    #[test]
    fn gcc_gets_its_programs_and_library_path() {
        let spec = spec_for("x86_64-pc-windows-gnu", "mingw-w64", None).unwrap();
        let gcc = "/t/usr/bin/x86_64-w64-mingw32-gcc-posix";
        assert_eq!(spec.tools.cc.as_deref(), Some(Path::new(gcc)));
        assert_eq!(
            spec.library_path,
            [
                Path::new("/t/usr/lib/x86_64-linux-gnu"),
                Path::new("/t/lib/x86_64-linux-gnu")
            ]
        );
        assert!(spec.runner.is_some());
    }
}
