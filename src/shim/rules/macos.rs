//! The oldest macOS that a program is to run on, which clang's and zig's drivers are told in different ways.

use std::ffi::OsString;

use std::path::Path;

use super::{Environment, is_preprocessed, links};
use crate::env_vars::MACOSX_DEPLOYMENT_TARGET;
use crate::shim::{ShimError, Spec, Tool};
use crate::target::TargetOs;

/// The options that name it.
const OPTIONS: [&str; 2] = ["-mmacosx-version-min=", "-mmacos-version-min="];

/// Headers in a variant's folder for [`told_to_caches`].
const TIMED: &str = "caches/timed.h";
const VERSION: &str = "caches/version.h";

pub(super) fn stub_files(spec: &Spec) -> Vec<(&'static str, String)> {
    if spec.triple.os() != TargetOs::MacOs {
        return Vec::new();
    }
    vec![
        (TIMED, include_str!("macos/timed.h").to_owned()),
        (VERSION, include_str!("macos/version.h").to_owned()),
    ]
}

/// Compile caches take objects for one that differ only by `MACOSX_DEPLOYMENT_TARGET`: ccache 4.7.5 and 4.14.2 always,
/// sccache 0.16.0 where it looks only at the files that were included. Where no argument names the version, a header
/// behind the user's own names `__TIME__`, which keeps both from that (ccache's manual, "The direct mode"), and for
/// ccache another makes what is preprocessed differ. ccache sets `CCACHE_DISABLE` for what it runs.
pub(super) fn told_to_caches(
    spec: &Spec,
    variant: &Path,
    args: &[OsString],
    env: &Environment,
) -> Vec<OsString> {
    let mut texts = args.iter().filter_map(|a| a.to_str());
    let is_named = texts.any(|a| asked(a).is_some());
    if spec.triple.os() != TargetOs::MacOs || is_named || links(args) || !is_preprocessed(args) {
        return Vec::new();
    }
    let headers = [Some(TIMED), env.ccache.then_some(VERSION)];
    let include = |name: &str| ["-include".into(), variant.join(name).into()];
    headers.into_iter().flatten().flat_map(include).collect()
}

/// Whether an argument is one of the options that name it.
pub(super) fn is_option(text: &str) -> bool {
    OPTIONS.iter().any(|option| text.starts_with(option))
}

/// What the arguments ask for, else what the user's environment does, but nothing older than the settings say. That is
/// rustc's own rule (`rustc_codegen_ssa/src/back/apple.rs`, `deployment_target`), so that C and Rust are for the same
/// macOS: rustc and the `cc` crate always name a version in the arguments, a bare compiler run does not.
pub(super) fn minimum(spec: &Spec, args: &[OsString], env: &Environment) -> Option<String> {
    let asked = args.iter().filter_map(|a| a.to_str()).rev().find_map(asked);
    let wanted = asked.or_else(|| {
        let user = env.deployment_target.as_deref();
        user.filter(|version| is_version(version))
    });
    let set = spec.deployment_target.as_deref();
    let newest = set.into_iter().chain(wanted).max_by_key(|v| parts(v))?;
    Some(newest.to_owned())
}

/// Refuses a version in the environment that is none, as rustc does.
pub(super) fn check(spec: &Spec, tool: Tool, env: &Environment) -> Result<(), ShimError> {
    match env.deployment_target.as_deref() {
        Some(value)
            if spec.triple.os() == TargetOs::MacOs && tool.is_driver() && !is_version(value) =>
        {
            Err(ShimError::NotAVersion {
                variable: MACOSX_DEPLOYMENT_TARGET,
                value: value.escape_debug().to_string(),
            })
        }
        _ => Ok(()),
    }
}

fn asked(text: &str) -> Option<&str> {
    let joined = OPTIONS.iter().find_map(|option| text.strip_prefix(option));
    joined
        .or_else(|| Some(text.rsplit_once("-apple-macosx")?.1))
        .filter(|version| is_version(version))
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// The numbers of a version, in order: `11.0` → 11, 0.
pub(super) fn parts(version: &str) -> Vec<u32> {
    version.split('.').map(|p| p.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;

    #[test]
    fn the_newer_of_settings_and_arguments_counts() {
        let triple = "aarch64-apple-darwin".parse().unwrap();
        let mut spec = Spec::new(triple, Family::Zig, "/z".into());
        let of = |spec: &Spec, arg: &str| {
            minimum(spec, &["a.o".into(), arg.into()], &Environment::default())
        };
        assert_eq!(of(&spec, "b.o"), None);
        assert_eq!(of(&spec, "--target=arm64-apple-macosx"), None);
        assert_eq!(
            of(&spec, "--target=arm64-apple-macosx12.3").as_deref(),
            Some("12.3")
        );
        spec.deployment_target = Some("11.0".into());
        assert_eq!(
            of(&spec, "-mmacosx-version-min=10.12").as_deref(),
            Some("11.0")
        );
        assert_eq!(
            of(&spec, "-mmacos-version-min=11.5").as_deref(),
            Some("11.5")
        );
        assert_eq!(
            of(&spec, "-mmacosx-version-min=9.9").as_deref(),
            Some("11.0")
        );
    }

    #[test]
    fn the_users_variable_counts_where_the_arguments_name_none() {
        let triple = "aarch64-apple-darwin".parse().unwrap();
        let mut spec = Spec::new(triple, Family::Zig, "/z".into());
        spec.deployment_target = Some("11.0".into());
        let of = |variable: &str, arg: &str| {
            let env = Environment {
                deployment_target: Some(variable.into()),
                ..Environment::default()
            };
            minimum(&spec, &["a.o".into(), arg.into()], &env).unwrap()
        };
        assert_eq!(of("12.3", "b.o"), "12.3");
        assert_eq!(of("12.3", "-mmacosx-version-min=11.5"), "11.5");
        assert_eq!(of("13", "--target=arm64-apple-macosx"), "13");
        // As rustc has it: nothing is older than the oldest of the CPU.
        assert_eq!(of("10.9", "b.o"), "11.0");
        assert_eq!(of("newest", "b.o"), "11.0");
    }

    #[test]
    fn caches_are_told_the_version_that_no_argument_names() {
        let spec = |triple: &str| Spec::new(triple.parse().unwrap(), Family::Zig, "/z".into());
        let of = |triple: &str, ccache, args: &[&str]| {
            let args: Vec<OsString> = args.iter().map(Into::into).collect();
            let env = Environment {
                ccache,
                ..Environment::default()
            };
            let out = told_to_caches(&spec(triple), Path::new("/v"), &args, &env);
            out.len() / 2
        };
        let apple = "aarch64-apple-darwin";
        for args in [
            &["-c", "a.c"][..],
            &["-E", "a.mm"],
            &["-c", "a.S"],
            &["-xc", "-c", "-"],
        ] {
            assert_eq!(
                (of(apple, false, args), of(apple, true, args)),
                (1, 2),
                "{args:?}"
            );
        }
        for args in [
            &["-c", "a.c", "-mmacosx-version-min=11.0"][..],
            &["a.o", "-o", "a"],
            &["--version"],
            // Nothing is preprocessed: the option would be called unused.
            &["-c", "a.s"],
            &["-c", "a.i"],
        ] {
            assert_eq!(of(apple, true, args), 0, "{args:?}");
        }
        assert_eq!(of("x86_64-unknown-linux-gnu", true, &["-c", "a.c"]), 0);
    }

    #[test]
    fn a_variable_that_names_no_version_is_refused() {
        let triple = "aarch64-apple-darwin".parse().unwrap();
        let spec = Spec::new(triple, Family::Zig, "/z".into());
        let of = |value: &str, tool| {
            let deployment_target = Some(value.into());
            let env = Environment {
                deployment_target,
                ..Environment::default()
            };
            check(&spec, tool, &env)
        };
        assert!(of("12.3", Tool::Cc).is_ok() && of("newest", Tool::Ar).is_ok());
        let said = of("newest", Tool::Cc).unwrap_err().to_string();
        assert!(
            said.contains("MACOSX_DEPLOYMENT_TARGET") && said.contains("newest"),
            "{said}"
        );
    }
}
