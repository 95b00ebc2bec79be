//! The oldest macOS that a program is to run on, which clang's and zig's drivers are told in different ways.

use std::ffi::OsString;

use crate::shim::Spec;

/// The options that name it.
const OPTIONS: [&str; 2] = ["-mmacosx-version-min=", "-mmacos-version-min="];

/// Whether an argument is one of the options that name it.
pub(super) fn is_option(text: &str) -> bool {
    OPTIONS.iter().any(|option| text.starts_with(option))
}

/// The newer of what the project's settings and what the arguments say: rustc and the `cc` crate always say one
/// (`MACOSX_DEPLOYMENT_TARGET`, else a default of their own), so that neither alone can be taken.
pub(super) fn minimum(spec: &Spec, args: &[OsString]) -> Option<String> {
    let asked = args.iter().filter_map(|a| a.to_str()).rev().find_map(asked);
    let set = spec.deployment_target.as_deref();
    let newest = set.into_iter().chain(asked).max_by_key(|v| parts(v))?;
    Some(newest.to_owned())
}

fn asked(text: &str) -> Option<&str> {
    let joined = OPTIONS.iter().find_map(|option| text.strip_prefix(option));
    joined
        .or_else(|| Some(text.rsplit_once("-apple-macosx")?.1))
        .filter(|version| {
            version.starts_with(|c: char| c.is_ascii_digit())
                && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        })
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
        let of = |spec: &Spec, arg: &str| minimum(spec, &["a.o".into(), arg.into()]);
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
}
