//! `xcrun`, as far as build scripts ask it: where the SDK is, which version it has, where a tool is, and to run one.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::{ShimError, Spec, Tool};

/// What xcrun does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Prints a line.
    Say(OsString),
    /// Runs a tool of the variant.
    Run(Tool, Vec<OsString>),
}

/// Reads xcrun's arguments (its manual page, xcrun(1)).
pub(super) fn plan(spec: &Spec, variant: &Path, args: Vec<OsString>) -> Result<Plan, ShimError> {
    let missing = |tool| ShimError::NoTool {
        triple: spec.triple.clone(),
        tool,
        root: spec.root.clone(),
    };
    let sdk = spec.sdk.as_ref().ok_or_else(|| missing("xcrun"))?;
    let mut find = false;
    let mut rest = args.into_iter();
    while let Some(arg) = rest.next() {
        let text = arg.to_str().unwrap_or_default();
        let option = text.strip_prefix("--").or_else(|| text.strip_prefix('-'));
        match option {
            Some("sdk" | "toolchain") => drop(rest.next()),
            Some("show-sdk-path") => return Ok(Plan::Say(sdk.path.clone().into_os_string())),
            Some("show-sdk-version" | "show-sdk-platform-version") => {
                return Ok(Plan::Say((&sdk.version).into()));
            }
            Some("find" | "f") => find = true,
            Some(_) => {}
            None => {
                let tool = named(text).ok_or_else(|| missing("tool of that name"))?;
                if !find {
                    return Ok(Plan::Run(tool, rest.collect()));
                }
                let name = format!("{}{}", tool.name(), std::env::consts::EXE_SUFFIX);
                return Ok(Plan::Say(variant.join(name).into_os_string()));
            }
        }
    }
    Err(missing("tool without a name"))
}

/// A tool by Apple's name.
fn named(name: &str) -> Option<Tool> {
    match name {
        "clang" | "gcc" => Some(Tool::Cc),
        "clang++" | "g++" => Some(Tool::Cxx),
        "xcrun" | "run" => None,
        name => Tool::from_name(name),
    }
}

/// Prints a line; a closed stdout leaves only the exit code.
#[expect(clippy::unnecessary_wraps, reason = "one shape for what a shim does")]
pub(super) fn say(text: &std::ffi::OsStr) -> Result<ExitCode, ShimError> {
    let line = format!("{}\n", text.to_string_lossy());
    let done = std::io::stdout().write_all(line.as_bytes());
    Ok(if done.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;
    use crate::shim::Sdk;

    fn run(args: &[&str]) -> Option<Plan> {
        let mut spec = Spec::new(
            "aarch64-apple-darwin".parse().unwrap(),
            Family::Clang,
            "/t".into(),
        );
        spec.sdk = Some(Sdk {
            path: "/sdk".into(),
            version: "14.5".into(),
        });
        plan(
            &spec,
            Path::new("/v"),
            args.iter().map(Into::into).collect(),
        )
        .ok()
    }

    #[test]
    fn it_says_where_the_sdk_is() {
        for args in [
            &["--show-sdk-path"][..],
            &["--sdk", "macosx", "--show-sdk-path"],
            &["-sdk", "macosx", "-show-sdk-path"],
        ] {
            assert_eq!(run(args), Some(Plan::Say("/sdk".into())), "{args:?}");
        }
        assert_eq!(run(&["--show-sdk-version"]), Some(Plan::Say("14.5".into())));
    }

    #[test]
    fn it_runs_and_finds_tools() {
        assert_eq!(
            run(&["--sdk", "macosx", "clang++", "-c", "a.cc"]),
            Some(Plan::Run(Tool::Cxx, vec!["-c".into(), "a.cc".into()]))
        );
        let ar = Path::new("/v").join(format!("ar{}", std::env::consts::EXE_SUFFIX));
        assert_eq!(run(&["-f", "ar"]), Some(Plan::Say(ar.into())));
        assert_eq!(run(&["xcodebuild"]), None);
        assert_eq!(run(&[]), None);
    }
}
