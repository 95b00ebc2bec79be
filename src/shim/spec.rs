//! `shim.toml`: everything resolved that a shim needs.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ShimError, Tool};
use crate::manifest::Family;
use crate::target::{TargetOs, Triple};

/// The format of `shim.toml`; a change that an older xtool would misread raises it.
pub(super) const SCHEMA: u32 = 1;

/// Everything resolved that a shim needs; what `shim.toml` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spec {
    pub(super) schema: u32,
    /// The target.
    pub triple: Triple,
    /// Which rules rewrite the arguments.
    pub family: Family,
    /// The toolchain's folder, absolute.
    pub root: PathBuf,
    /// Headers and libraries of the target, absolute. What GCC and clang get as `--sysroot` (see
    /// [`Spec::sysroot_argument`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sysroot: Option<PathBuf>,
    /// Folders that the toolchain's own programs need on their library path, absolute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub library_path: Vec<PathBuf>,
    /// The oldest macOS to run on: `11.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_target: Option<String>,
    /// The compiler's own version, where known (`17.0.6`); only clang's rules ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler_version: Option<String>,
    /// The programs.
    #[serde(default)]
    pub tools: Tools,
    /// Set exactly when the family is zig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zig: Option<Zig>,
    /// An Apple SDK of the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<Sdk>,
    /// What runs the target's programs; `None`: there is no `run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<Runner>,
}

/// Programs, as absolute paths. Empty for zig, whose one program is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tools {
    /// The C compiler, which also links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cc: Option<PathBuf>,
    /// The C++ compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cxx: Option<PathBuf>,
    /// The archiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ar: Option<PathBuf>,
    /// The archive indexer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranlib: Option<PathBuf>,
    /// Makes import libraries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dlltool: Option<PathBuf>,
    /// The resource compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windres: Option<PathBuf>,
    /// Strips symbols.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strip: Option<PathBuf>,
    /// Joins the files of several CPUs into one (macOS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lipo: Option<PathBuf>,
    /// Lists symbols.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nm: Option<PathBuf>,
    /// Shows what an object holds (macOS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otool: Option<PathBuf>,
    /// Changes the names of libraries in a program (macOS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_name_tool: Option<PathBuf>,
    /// lld by another name than `ld64.lld`, by which alone clang looks for it (macOS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lld: Option<PathBuf>,
}

/// What the zig rules need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Zig {
    /// The program, absolute.
    pub exe: PathBuf,
    /// zig's name of the target, with the glibc floor: `x86_64-linux-gnu.2.17`.
    pub target: String,
    /// `-mcpu`; `None`: what the triple implies (see [`super::rules::zig::default_cpu`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// zig's version: some rules depend on it.
    pub version: String,
    /// Where zig keeps what it compiles of its own libraries; shared by all projects, writable.
    pub cache_dir: PathBuf,
}

/// An Apple SDK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sdk {
    /// The folder `MacOSX….sdk`, absolute.
    pub path: PathBuf,
    /// `14.5`.
    pub version: String,
    /// What tells it from another of the same name and version; an older xtool's settings have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What runs the target's programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Runner {
    /// Which one.
    pub kind: RunnerKind,
    /// The program and its first arguments; only for [`RunnerKind::Custom`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The folder with the target's own dynamic loader and libraries (qemu's `-L`); `None`: looked for where the
    /// distribution's cross packages put it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sysroot: Option<PathBuf>,
}

/// Which runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunnerKind {
    /// wine, for Windows.
    Wine,
    /// qemu's user mode, for Linux on another CPU; the architecture follows from the triple.
    Qemu,
    /// wasmtime, for WASI.
    Wasmtime,
    /// The user's own command.
    Custom,
}

impl Runner {
    /// The runner that a manifest or `xtool.toml` names: `wine`, `qemu`, `qemu-<arch>`, `wasmtime`, or else a
    /// command whose words are separated by spaces. `None` for an empty name.
    pub fn named(name: &str, sysroot: Option<PathBuf>) -> Option<Self> {
        let command: Vec<String> = name.split_whitespace().map(str::to_owned).collect();
        let [first, rest @ ..] = command.as_slice() else {
            return None;
        };
        let kind = match first.as_str() {
            _ if !rest.is_empty() => RunnerKind::Custom,
            "wine" => RunnerKind::Wine,
            "wasmtime" => RunnerKind::Wasmtime,
            s if s == "qemu" || s.starts_with("qemu-") => RunnerKind::Qemu,
            _ => RunnerKind::Custom,
        };
        Some(Self {
            kind,
            command: if kind == RunnerKind::Custom {
                command
            } else {
                Vec::new()
            },
            sysroot,
        })
    }

    /// Takes a program that is named by a relative path (`./run.sh`, not `run.sh`) from `root`: cargo starts runners in
    /// whatever folder a test runs in.
    pub fn anchor(&mut self, root: &Path) {
        let Some(program) = self.command.first_mut() else {
            return;
        };
        let path = Path::new(program.as_str());
        if path.components().count() > 1 || program.starts_with('.') {
            // An absolute one stays what it is.
            let parts = root.join(path).components().collect::<PathBuf>();
            *program = parts.to_string_lossy().into_owned();
        }
    }
}

impl Spec {
    /// The glibc floor of zig's: `2.17` of `x86_64-linux-gnu.2.17`.
    pub fn glibc_floor(&self) -> Option<&str> {
        let (_, abi) = self.zig.as_ref()?.target.split_once("-gnu")?;
        Some(abi.split_once('.')?.1)
    }

    /// A spec without any program or option.
    pub fn new(triple: Triple, family: Family, root: PathBuf) -> Self {
        Self {
            schema: SCHEMA,
            triple,
            family,
            root,
            sysroot: None,
            library_path: Vec::new(),
            deployment_target: None,
            compiler_version: None,
            tools: Tools::default(),
            zig: None,
            sdk: None,
            runner: None,
        }
    }

    /// Reads `shim.toml`; `path` is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ShimError> {
        // Another schema may have keys that this version does not know: judge it first where parsing fails.
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
        }
        let other_schema = |found| ShimError::Schema {
            path: path.to_owned(),
            found,
        };
        match toml::from_str::<Self>(text) {
            Ok(spec) if spec.schema == SCHEMA => Ok(spec),
            Ok(spec) => Err(other_schema(spec.schema)),
            Err(source) => Err(match toml::from_str::<Head>(text) {
                Ok(head) if head.schema != SCHEMA => other_schema(head.schema),
                _ => ShimError::Parse {
                    path: path.to_owned(),
                    source: Box::new(source),
                },
            }),
        }
    }

    /// The text of `shim.toml`.
    pub fn render(&self) -> Result<String, ShimError> {
        toml::to_string(self).map_err(|source| ShimError::Render {
            triple: self.triple.clone(),
            source: Box::new(source),
        })
    }

    /// The program behind a tool: the real one, or zig. `None` when the toolchain has none; never for
    /// [`Tool::Run`] and [`Tool::Xcrun`], which have none of their own. A [`Tool::Lipo`] without one is xtool's.
    pub fn program(&self, tool: Tool) -> Option<&Path> {
        if let Some(zig) = &self.zig {
            let has = match tool {
                Tool::Cc | Tool::Cxx | Tool::Ar | Tool::Ranlib => true,
                Tool::Dlltool | Tool::Windres => self.triple.os() == TargetOs::Windows,
                _ => false,
            };
            return has.then_some(zig.exe.as_path());
        }
        let t = &self.tools;
        match tool {
            Tool::Cc => &t.cc,
            Tool::Cxx => &t.cxx,
            Tool::Ar => &t.ar,
            Tool::Ranlib => &t.ranlib,
            Tool::Dlltool => &t.dlltool,
            Tool::Windres => &t.windres,
            Tool::Strip => &t.strip,
            Tool::Lipo => &t.lipo,
            Tool::Nm => &t.nm,
            Tool::Otool => &t.otool,
            Tool::InstallNameTool => &t.install_name_tool,
            Tool::Ld64 => &t.lld,
            Tool::Run | Tool::Xcrun => &None,
        }
        .as_deref()
    }

    /// What GCC gets as `--sysroot`. Debian's cross packages keep the target's files in `usr/<gnu triple>`, and their
    /// `libc.so` is a linker script with paths from `/` on, which ld looks up under the sysroot: so there it is the
    /// folder above `usr`. `None` for Windows: mingw-w64 GCC finds its parts relative to itself.
    pub fn sysroot_argument(&self) -> Option<&Path> {
        if self.triple.os() == TargetOs::Windows {
            return None;
        }
        let sysroot = self.sysroot.as_deref()?;
        let above = sysroot.parent()?;
        if above.file_name().is_some_and(|n| n == "usr") && above.parent() == Some(&self.root) {
            return Some(&self.root);
        }
        Some(sysroot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn full() -> Spec {
        let mut spec = Spec::new(
            "aarch64-unknown-linux-gnu".parse().unwrap(),
            Family::Gcc,
            "/t/gnu".into(),
        );
        spec.sysroot = Some("/t/gnu/usr/aarch64-linux-gnu".into());
        spec.library_path = vec!["/t/gnu/lib".into()];
        spec.tools.cc = Some("/t/gnu/usr/bin/aarch64-linux-gnu-gcc".into());
        spec.zig = Some(Zig {
            exe: "/t/zig".into(),
            target: "aarch64-linux-gnu.2.17".into(),
            cpu: None,
            version: "0.15.2".into(),
            cache_dir: "/c".into(),
        });
        spec.sdk = Some(Sdk {
            path: "/sdk".into(),
            version: "14.5".into(),
            id: None,
        });
        spec.deployment_target = Some("11.0".into());
        spec.runner = Runner::named("qemu-aarch64", None);
        spec
    }

    #[test]
    fn settings_round_trip() {
        let spec = full();
        let text = spec.render().unwrap();
        assert_eq!(Spec::parse(&text, Path::new("shim.toml")).unwrap(), spec);
    }

    #[test]
    fn another_schema_is_told_apart_from_a_broken_file() {
        let text = full().render().unwrap();
        let newer = text.replace("schema = 1", "schema = 2\nnovel = true");
        let path = Path::new("shim.toml");
        assert!(matches!(
            Spec::parse(&newer, path),
            Err(ShimError::Schema { found: 2, .. })
        ));
        assert!(matches!(
            Spec::parse("schema = 1\n", path),
            Err(ShimError::Parse { .. })
        ));
        assert!(matches!(
            Spec::parse(&text.replace("schema = 1", "schema = 7"), path),
            Err(ShimError::Schema { found: 7, .. })
        ));
    }

    #[test]
    fn debians_layout_takes_the_folder_above_usr() {
        let mut spec = full();
        assert_eq!(spec.sysroot_argument(), Some(Path::new("/t/gnu")));
        spec.sysroot = Some("/t/gnu/aarch64-linux-musl".into());
        assert_eq!(
            spec.sysroot_argument(),
            Some(Path::new("/t/gnu/aarch64-linux-musl"))
        );
        spec.triple = "x86_64-pc-windows-gnu".parse().unwrap();
        assert_eq!(spec.sysroot_argument(), None);
    }

    #[test]
    fn runners_go_by_their_names() {
        let kind = |name: &str| Runner::named(name, None).map(|r| r.kind);
        assert_eq!(kind("wine"), Some(RunnerKind::Wine));
        assert_eq!(kind("qemu-aarch64"), Some(RunnerKind::Qemu));
        assert_eq!(kind("wasmtime"), Some(RunnerKind::Wasmtime));
        assert_eq!(kind("wasmtime run"), Some(RunnerKind::Custom));
        assert_eq!(kind("/opt/emu"), Some(RunnerKind::Custom));
        #[cfg(unix)]
        for (named, program) in [
            ("./run.sh -v", "/p/run.sh"),
            ("tools/run", "/p/tools/run"),
            ("/opt/emu", "/opt/emu"),
            ("emu", "emu"),
        ] {
            let mut runner = Runner::named(named, None).unwrap();
            runner.anchor(Path::new("/p"));
            assert_eq!(runner.command[0], program);
        }
        assert_eq!(kind(" "), None);
    }
}
