//! rustc's own part for a target: its `rust-std`.
//!
//! In: the rustc that the project's builds run ([`query`], cached) and the user's [`RustStd`] wish. Out: std is
//! there, or an error with the command that gets it. [`choose`] decides without touching anything; [`provide`] acts.
//!
//! A `rust-toolchain.toml` with `path =` makes `rustc` a program of the project's: [`query`] takes a project only with
//! its user's [`Consented`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::env_vars;
use crate::help::Help;
use crate::project::ProjectError;
use crate::project::consent::Consented;
use crate::project::settings::RustStd;
use crate::project::version::Version;
use crate::reporter::Reporter;
use crate::target::Triple;

mod distribution;
mod process;
mod query;
pub use distribution::{Distro, package};
pub use query::query;

/// What the outside world is asked through, so that a test can have a `PATH` of its own.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The project: rustup selects the toolchain by its root, and its files may name a rustc of their own.
    pub project: &'a Consented,
    /// Where answers are kept.
    pub cache: &'a Path,
    /// The environment.
    pub env: &'a (dyn Fn(&str) -> Option<OsString> + Sync),
}

/// The rustc that builds the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustInfo {
    /// The program that cargo runs; rustup's proxy where rustup is used.
    pub rustc: PathBuf,
    /// Its release.
    pub version: Version,
    /// Whether it takes unstable flags by itself (nightly, dev).
    pub nightly: bool,
    /// The triple that it runs on.
    pub host: String,
    /// Where its libraries are.
    pub sysroot: PathBuf,
    /// The installed cargo's version, where it answers.
    pub cargo: Option<Version>,
    /// rustup and the name of its toolchain, where the sysroot is one of rustup's.
    pub rustup: Option<Rustup>,
    /// The standard library's source, `…/library`.
    pub source: Option<PathBuf>,
    /// The distribution that packaged it, where one did.
    pub distro: Option<Distro>,
}

/// A toolchain of rustup's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rustup {
    /// The program.
    pub program: PathBuf,
    /// `stable-x86_64-unknown-linux-gnu`
    pub toolchain: String,
}

/// What the user wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish {
    /// `rust-std` in `xtool.toml`, or `--build-std`/`--no-rust-std`.
    pub rust_std: RustStd,
    /// No network.
    pub offline: bool,
}

/// Where std for a target comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// It is in the sysroot.
    Present,
    /// The user sees to it.
    Skipped,
    /// `rustup target add`.
    Rustup(Rustup),
    /// A package that only root can install.
    Distribution {
        /// Which distribution.
        distro: Distro,
        /// Its package.
        package: String,
    },
    /// cargo builds it, from this source.
    BuildStd {
        /// `…/library`
        source: PathBuf,
        /// Whether `RUSTC_BOOTSTRAP=1` must be set for the builds, because rustc is not a nightly.
        bootstrap: bool,
    },
    /// cargo is to build it, but there is no source.
    NoSource,
    /// Nobody that we know.
    Nobody,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was there.
    Present,
    /// rustup has just installed it.
    Installed,
    /// `[unstable] build-std` must be written.
    BuildStd {
        /// Whether the builds need `RUSTC_BOOTSTRAP=1`, which the environment does not have.
        needs_bootstrap: bool,
    },
    /// Nothing was to be done.
    Skipped,
}

/// Why std is not there.
#[derive(Debug, thiserror::Error)]
pub enum RustStdError {
    /// There is no rustc.
    #[error("No `rustc` on PATH")]
    NoRustc,
    /// rustc cannot be asked.
    #[error("Cannot ask `{}` about itself: {what}", rustc.display())]
    Rustc {
        /// The program.
        rustc: PathBuf,
        /// What it said.
        what: String,
    },
    /// The toolchain file cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// `--offline`, and it would have to be fetched.
    #[error(
        "Rust's standard library for `{triple}` is not installed, and `--offline` forbids fetching it"
    )]
    Offline {
        /// The target.
        triple: Triple,
        /// rustup's toolchain.
        toolchain: String,
    },
    /// rustup did not do it.
    #[error("`rustup target add {triple}` failed for the toolchain `{toolchain}`: {what}")]
    Rustup {
        /// The target.
        triple: Triple,
        /// rustup's toolchain.
        toolchain: String,
        /// Its last words, or that it took too long.
        what: String,
        /// Whether the library's source is there, so that `--build-std` is a way.
        has_source: bool,
    },
    /// A package has it.
    #[error("Rust's standard library for `{triple}` is not in `{}`, which {distro} has packaged", sysroot.display())]
    Distribution {
        /// The target.
        triple: Triple,
        /// Where it would be.
        sysroot: PathBuf,
        /// The distribution.
        distro: Distro,
        /// Its package.
        package: String,
    },
    /// Nothing to build it from.
    #[error("Rust's standard library cannot be built for `{triple}`: its source is not in `{}`", sysroot.display())]
    NoSource {
        /// The target.
        triple: Triple,
        /// Where it was looked for.
        sysroot: PathBuf,
        /// rustup's toolchain, where rustup can fetch it.
        toolchain: Option<String>,
        /// The distribution, where it packaged rustc.
        distro: Option<Distro>,
    },
    /// No way is known.
    #[error("Rust's standard library for `{triple}` is not in `{}`", sysroot.display())]
    Nobody {
        /// The target.
        triple: Triple,
        /// Where it would be.
        sysroot: PathBuf,
        /// Whether the library's source is there.
        has_source: bool,
    },
}

impl Help for RustStdError {
    fn help(&self) -> Option<String> {
        let build = |triple: &Triple| format!("`xtool add {triple} --build-std`");
        Some(match self {
            Self::NoRustc => "install Rust, or set RUSTC to the rustc to use".to_owned(),
            Self::Rustc { .. } => {
                "run `rustc -vV` in the project; where a toolchain is missing, `rustup toolchain install`".to_owned()
            }
            Self::Project(e) => return e.help(),
            Self::Offline { triple, toolchain } => format!(
                "run `rustup target add --toolchain {toolchain} {triple}` once with a network, or pass `--no-rust-std`"
            ),
            Self::Rustup {
                triple,
                toolchain,
                has_source,
                ..
            } => {
                let again = format!("run `rustup target add --toolchain {toolchain} {triple}` later");
                if *has_source {
                    format!("{again}, or let cargo build it: {}", build(triple))
                } else {
                    format!("{again}, or pass `--no-rust-std` to go without it")
                }
            }
            Self::Distribution {
                triple,
                distro,
                package,
                ..
            } => format!(
                "run `{}`, or let cargo build it: {}",
                distro.install_command(package),
                build(triple)
            ),
            Self::NoSource {
                toolchain: Some(toolchain),
                ..
            } => format!("run `rustup component add --toolchain {toolchain} rust-src`"),
            Self::NoSource {
                distro: Some(distro),
                ..
            } => format!("run `{}`", distro.install_command(distro.source_package())),
            Self::NoSource { .. } => {
                "install the library's source that belongs to this rustc (`rust-src`), or use rustup".to_owned()
            }
            Self::Nobody {
                triple,
                has_source: true,
                ..
            } => format!("let cargo build it: {}", build(triple)),
            Self::Nobody { triple, .. } => format!(
                "install Rust with rustup and run `rustup target add {triple}`, or pass `--no-rust-std`"
            ),
        })
    }
}

/// Whether std for the target is in the sysroot; for a target without an operating system `core` is all there is.
pub fn is_present(info: &RustInfo, triple: &Triple) -> bool {
    let folder = info
        .sysroot
        .join("lib/rustlib")
        .join(triple.as_str())
        .join("lib");
    let bare = triple.as_str().split('-').any(|part| part == "none");
    let prefixes: &[&str] = if bare {
        &["libstd-", "libcore-"]
    } else {
        &["libstd-"]
    };
    let Ok(entries) = fs_err::read_dir(folder) else {
        return false;
    };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.ends_with(".rlib") && prefixes.iter().any(|p| name.starts_with(p))
    })
}

/// Decides where std comes from.
pub fn choose(info: &RustInfo, triple: &Triple, wish: RustStd) -> Provider {
    match wish {
        RustStd::None => return Provider::Skipped,
        RustStd::Build => {
            return match &info.source {
                Some(source) => Provider::BuildStd {
                    source: source.clone(),
                    bootstrap: !info.nightly,
                },
                None => Provider::NoSource,
            };
        }
        RustStd::Auto => {}
    }
    if is_present(info, triple) {
        return Provider::Present;
    }
    if let Some(rustup) = &info.rustup {
        return Provider::Rustup(rustup.clone());
    }
    match info.distro.and_then(|d| Some((d, package(d, triple)?))) {
        Some((distro, package)) => Provider::Distribution { distro, package },
        None => Provider::Nobody,
    }
}

/// Sees to it that std for the target is there. Blocks; bounded by `XTOOL_RUSTUP_TIMEOUT`.
pub fn provide(
    info: &RustInfo,
    triple: &Triple,
    wish: Wish,
    context: Context<'_>,
    reporter: &dyn Reporter,
) -> Result<Outcome, RustStdError> {
    let triple_owned = || triple.clone();
    let sysroot = || info.sysroot.clone();
    match choose(info, triple, wish.rust_std) {
        Provider::Present => Ok(Outcome::Present),
        Provider::Skipped => Ok(Outcome::Skipped),
        Provider::BuildStd { bootstrap, .. } => {
            let set = (context.env)(env_vars::RUSTC_BOOTSTRAP)
                .is_some_and(|v| !v.is_empty() && v != "0" && v != "-1");
            let needs_bootstrap = bootstrap && !set;
            if needs_bootstrap {
                reporter.warn(&format!(
                    "rustc {} is not a nightly: set RUSTC_BOOTSTRAP=1 for every build, or cargo ignores `build-std`",
                    info.version
                ));
            }
            reporter.warn(
                "cargo applies `build-std` to every target of the project, and without `--target` to this machine's \
                 own builds",
            );
            Ok(Outcome::BuildStd { needs_bootstrap })
        }
        Provider::Rustup(rustup) => {
            if wish.offline {
                return Err(RustStdError::Offline {
                    triple: triple_owned(),
                    toolchain: rustup.toolchain,
                });
            }
            add_with_rustup(info, &rustup, triple, context, reporter)
        }
        Provider::Distribution { distro, package } => Err(RustStdError::Distribution {
            triple: triple_owned(),
            sysroot: sysroot(),
            distro,
            package,
        }),
        Provider::NoSource => Err(RustStdError::NoSource {
            triple: triple_owned(),
            sysroot: sysroot(),
            toolchain: info.rustup.as_ref().map(|r| r.toolchain.clone()),
            distro: info.distro,
        }),
        Provider::Nobody => Err(RustStdError::Nobody {
            triple: triple_owned(),
            sysroot: sysroot(),
            has_source: info.source.is_some(),
        }),
    }
}

fn add_with_rustup(
    info: &RustInfo,
    rustup: &Rustup,
    triple: &Triple,
    context: Context<'_>,
    reporter: &dyn Reporter,
) -> Result<Outcome, RustStdError> {
    reporter.step(&format!(
        "Running rustup target add {triple} (toolchain {})",
        rustup.toolchain
    ));
    let args = [
        "target",
        "add",
        "--toolchain",
        &rustup.toolchain,
        triple.as_str(),
    ];
    let limit = (context.env)(env_vars::XTOOL_RUSTUP_TIMEOUT)
        .and_then(|v| v.to_str()?.trim().parse().ok())
        .map_or(Duration::from_mins(5), Duration::from_secs);
    let failed = |what: String| RustStdError::Rustup {
        triple: triple.clone(),
        toolchain: rustup.toolchain.clone(),
        what,
        has_source: info.source.is_some(),
    };
    let output = process::run(&rustup.program, &args, context, limit).map_err(failed)?;
    if !output.success {
        return Err(failed(output.last_words()));
    }
    if !is_present(info, triple) {
        return Err(failed(format!(
            "it reported success, but nothing is in `{}`",
            info.sysroot
                .join("lib/rustlib")
                .join(triple.as_str())
                .display()
        )));
    }
    Ok(Outcome::Installed)
}
