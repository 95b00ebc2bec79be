//! The oldest macOS that a program is to run on, which clang's and zig's drivers are told in different ways.

use std::ffi::OsString;

use super::Environment;
use crate::env_vars::MACOSX_DEPLOYMENT_TARGET;
use crate::shim::{ShimError, Spec, Tool};
use crate::target::TargetOs;

/// The options that name it.
const OPTIONS: [&str; 2] = ["-mmacosx-version-min=", "-mmacos-version-min="];

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
    fn a_variable_that_names_no_version_is_refused() {
        let triple = "aarch64-apple-darwin".parse().unwrap();
        let spec = Spec::new(triple, Family::Zig, "/z".into());
        let of = |value: &str, tool| {
            let deployment_target = Some(value.into());
            check(&spec, tool, &Environment { deployment_target })
        };
        assert!(of("12.3", Tool::Cc).is_ok() && of("newest", Tool::Ar).is_ok());
        let said = of("newest", Tool::Cc).unwrap_err().to_string();
        assert!(
            said.contains("MACOSX_DEPLOYMENT_TARGET") && said.contains("newest"),
            "{said}"
        );
    }
}
