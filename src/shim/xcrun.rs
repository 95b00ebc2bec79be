//! `xcrun`, as far as build scripts ask it: where the SDK is, which version it has, where a tool is, and to run one.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Sdk, Spec, Tool};
use crate::help::Help;
use crate::target::Triple;

/// What xcrun cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum XcrunError {
    /// No SDK was imported when the shims were made.
    #[error("`xcrun` has no SDK for `{triple}`")]
    NoSdk {
        /// The target.
        triple: Triple,
    },
    /// An SDK of another system, or another version.
    #[error("`xcrun` has no SDK `{asked}`: this project's is `macosx{version}`")]
    OtherSdk {
        /// As asked for.
        asked: String,
        /// The version of the one that is there.
        version: String,
    },
    /// The SDK does not say which build of macOS it is from.
    #[error("The SDK does not say its build: no `ProductBuildVersion` in `{}`", path.display())]
    NoBuild {
        /// Where it stands in Apple's.
        path: PathBuf,
    },
    /// The toolchain has no such tool.
    #[error("`xcrun` finds no `{tool}` in this toolchain; it has {}", there.join(" "))]
    NoTool {
        /// As asked for.
        tool: String,
        /// What there is, by Apple's names.
        there: Vec<String>,
        /// Whether the toolchain is zig.
        zig: bool,
    },
    /// Nothing was asked for.
    #[error("`xcrun` was called without a tool")]
    Nothing,
}

impl Help for XcrunError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoSdk { triple } => format!("xtool sdk import PATH && xtool add {triple}"),
            Self::OtherSdk { .. } => {
                "xcrun --sdk macosx …   (`xtool sdk list` shows others, `xtool add TARGET --sdk NAME` takes one)".to_owned()
            }
            Self::NoBuild { .. } => "import Apple's SDK whole: xtool sdk import PATH".to_owned(),
            Self::NoTool { tool, .. } if tool == "ld" => "link with `xcrun clang`".to_owned(),
            Self::NoTool { tool, .. } if tool == "libtool" => {
                "make static libraries with `xcrun ar` and `xcrun ranlib`".to_owned()
            }
            Self::NoTool { zig: true, .. } => {
                "the toolchain osxcross has more than zig: xtool add TARGET --toolchain osxcross".to_owned()
            }
            Self::NoTool { .. } => "no toolchain of xtool's has Apple's other tools: leave it out, or run it on a Mac".to_owned(),
            Self::Nothing => "xcrun --show-sdk-path, xcrun --find clang, xcrun clang ARGS…".to_owned(),
        })
    }
}

/// What xcrun does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Prints a line.
    Say(OsString),
    /// Runs a tool of the variant.
    Run(Tool, Vec<OsString>),
    /// Runs a program of the toolchain for which there is no shim.
    Exec(PathBuf, Vec<OsString>),
}

/// Reads xcrun's arguments (its manual page, xcrun(1)).
pub(super) fn plan(spec: &Spec, variant: &Path, args: Vec<OsString>) -> Result<Plan, XcrunError> {
    let sdk = spec.sdk.as_ref().ok_or_else(|| XcrunError::NoSdk {
        triple: spec.triple.clone(),
    })?;
    let mut find = false;
    let mut rest = args.into_iter();
    while let Some(arg) = rest.next() {
        let text = arg.to_str().unwrap_or_default();
        let option = text.strip_prefix("--").or_else(|| text.strip_prefix('-'));
        match option {
            Some("sdk") => check_sdk(sdk, &rest.next().unwrap_or_default())?,
            Some("toolchain") => drop(rest.next()),
            // The number is that of the Xcode whose SDK it is; scripts only look whether there is one.
            Some("version") => return Ok(Plan::Say("xcrun version 70.".into())),
            Some("show-sdk-path") => return Ok(Plan::Say(sdk.path.clone().into_os_string())),
            Some("show-sdk-version" | "show-sdk-platform-version") => {
                return Ok(Plan::Say((&sdk.version).into()));
            }
            Some("show-sdk-platform-path") => return Ok(Plan::Say(platform(&sdk.path).into())),
            Some("show-sdk-build-version") => return build(sdk),
            Some("show-toolchain-path") => {
                return Ok(Plan::Say(spec.root.clone().into_os_string()));
            }
            Some("find" | "f") => find = true,
            Some(_) => {}
            None => return tool(spec, variant, text, find, rest.collect()),
        }
    }
    Err(XcrunError::Nothing)
}

/// `macosx`, with or without the version, or the SDK's own path.
fn check_sdk(sdk: &Sdk, asked: &std::ffi::OsStr) -> Result<(), XcrunError> {
    let text = asked.to_string_lossy();
    let version = text.strip_prefix("macosx");
    if version.is_some_and(|v| v.is_empty() || v == sdk.version) || Path::new(asked) == sdk.path {
        return Ok(());
    }
    Err(XcrunError::OtherSdk {
        asked: text.escape_debug().to_string(),
        version: sdk.version.clone(),
    })
}

/// The platform's folder of an SDK in Xcode's layout, `….platform/Developer/SDKs/….sdk`; an SDK by itself is all of the
/// platform that there is.
fn platform(sdk: &Path) -> &Path {
    let above = sdk.ancestors().nth(3);
    above
        .filter(|path| path.extension().is_some_and(|e| e == "platform"))
        .unwrap_or(sdk)
}

/// `23F73`: as Apple's own `SystemVersion.plist` in the SDK has it.
fn build(sdk: &Sdk) -> Result<Plan, XcrunError> {
    let path = sdk
        .path
        .join("System/Library/CoreServices/SystemVersion.plist");
    let text = fs_err::read_to_string(&path).unwrap_or_default();
    let found = text
        .split_once("<key>ProductBuildVersion</key>")
        .and_then(|(_, rest)| rest.split_once("<string>")?.1.split_once("</string>"))
        .map(|(version, _)| version.trim().to_owned());
    found
        .map(|version| Plan::Say(version.into()))
        .ok_or(XcrunError::NoBuild { path })
}

fn tool(
    spec: &Spec,
    variant: &Path,
    name: &str,
    find: bool,
    args: Vec<OsString>,
) -> Result<Plan, XcrunError> {
    let tools = super::tools_of(spec);
    if let Some(tool) = named(name).filter(|tool| tools.contains(tool)) {
        if !find {
            return Ok(Plan::Run(tool, args));
        }
        let file = format!("{}{}", tool.name(), std::env::consts::EXE_SUFFIX);
        return Ok(Plan::Say(variant.join(file).into_os_string()));
    }
    if let Some(program) = beside_the_compiler(spec, name) {
        return Ok(if find {
            Plan::Say(program.into_os_string())
        } else {
            Plan::Exec(program, args)
        });
    }
    let there = tools.iter().filter_map(|tool| apples_name(*tool));
    let more = ["ld", "libtool", "dsymutil"]
        .into_iter()
        .filter(|name| beside_the_compiler(spec, name).is_some());
    Err(XcrunError::NoTool {
        tool: name.escape_debug().to_string(),
        there: there.chain(more).map(str::to_owned).collect(),
        zig: spec.zig.is_some(),
    })
}

/// A tool by Apple's name.
fn named(name: &str) -> Option<Tool> {
    match name {
        "clang" | "gcc" => Some(Tool::Cc),
        "clang++" | "g++" => Some(Tool::Cxx),
        "ld" => Some(Tool::Ld64),
        "xcrun" | "run" => None,
        name => Tool::from_name(name),
    }
}

fn apples_name(tool: Tool) -> Option<&'static str> {
    match tool {
        Tool::Cc => Some("clang"),
        Tool::Cxx => Some("clang++"),
        Tool::Run | Tool::Xcrun => None,
        Tool::Ld64 => Some("ld"),
        tool => Some(tool.name()),
    }
}

/// LLVM's own of Apple's tools that no shim is made for, where the compiler's folder has it: they need no settings.
fn beside_the_compiler(spec: &Spec, name: &str) -> Option<PathBuf> {
    let name = match name {
        "ld" => "ld64.lld",
        "libtool" => "llvm-libtool-darwin",
        "dsymutil" => "dsymutil",
        _ => return None,
    };
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = spec.tools.cc.as_ref()?.parent()?.join(file);
    path.is_file().then_some(path)
}

/// Prints a line; a closed stdout leaves only the exit code.
#[expect(clippy::unnecessary_wraps, reason = "one shape for what a shim does")]
pub(super) fn say(text: &std::ffi::OsStr) -> Result<ExitCode, super::ShimError> {
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

    fn spec(root: &Path) -> Spec {
        let triple = "aarch64-apple-darwin".parse().unwrap();
        let mut spec = Spec::new(triple, Family::Clang, root.into());
        spec.sdk = Some(Sdk {
            path: root.join("sdk"),
            version: "14.5".into(),
            id: None,
        });
        let tools = &mut spec.tools;
        for (tool, name) in [
            (&mut tools.cc, "clang"),
            (&mut tools.cxx, "clang++"),
            (&mut tools.ar, "llvm-ar"),
        ] {
            *tool = Some(root.join(name));
        }
        spec
    }

    fn ask(root: &Path, args: &[&str]) -> Result<Plan, XcrunError> {
        let args = args.iter().map(Into::into).collect();
        plan(&spec(root), Path::new("/v"), args)
    }

    fn run(args: &[&str]) -> Option<Plan> {
        ask(Path::new("/t"), args).ok()
    }

    #[test]
    fn it_says_where_the_sdk_is() {
        let sdk = Path::new("/t").join("sdk");
        for args in [
            &["--show-sdk-path"][..],
            &["--sdk", "macosx", "--show-sdk-path"],
            &["--sdk", "macosx14.5", "--show-sdk-path"],
            &["--sdk", sdk.to_str().unwrap(), "--show-sdk-path"],
            &["-sdk", "macosx", "-show-sdk-path"],
        ] {
            let said = Plan::Say(sdk.clone().into());
            assert_eq!(run(args), Some(said), "{args:?}");
        }
        assert_eq!(run(&["--show-sdk-version"]), Some(Plan::Say("14.5".into())));
        assert_eq!(
            run(&["--show-toolchain-path"]),
            Some(Plan::Say("/t".into()))
        );
        assert!(
            matches!(run(&["--version"]), Some(Plan::Say(said)) if said.to_str().unwrap().starts_with("xcrun version "))
        );
    }

    #[test]
    fn another_sdk_is_not_answered_with_this_one() {
        for asked in ["iphoneos", "macosx13.3", "iphonesimulator17.5", ""] {
            let error = ask(Path::new("/t"), &["--sdk", asked, "--show-sdk-path"]).unwrap_err();
            let said = error.to_string();
            assert!(said.contains("this project's is `macosx14.5`"), "{said}");
            assert!(error.help().is_some());
        }
    }

    #[test]
    fn the_build_is_what_the_sdk_says() {
        let dir = tempfile::tempdir().unwrap();
        let asked = ["--show-sdk-build-version"];
        let error = ask(dir.path(), &asked).unwrap_err();
        assert!(error.to_string().contains("SystemVersion.plist"), "{error}");
        let folder = dir.path().join("sdk/System/Library/CoreServices");
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(
            folder.join("SystemVersion.plist"),
            "<dict>\n\t<key>ProductBuildVersion</key>\n\t<string>23F73</string>\n</dict>\n",
        )
        .unwrap();
        assert_eq!(ask(dir.path(), &asked).unwrap(), Plan::Say("23F73".into()));
    }

    #[test]
    fn it_runs_and_finds_tools() {
        assert_eq!(
            run(&["--sdk", "macosx", "clang++", "-c", "a.cc"]),
            Some(Plan::Run(Tool::Cxx, vec!["-c".into(), "a.cc".into()]))
        );
        assert_eq!(run(&["g++"]), Some(Plan::Run(Tool::Cxx, Vec::new())));
        assert_eq!(run(&["lipo"]), Some(Plan::Run(Tool::Lipo, Vec::new())));
        let ar = Path::new("/v").join(format!("ar{}", std::env::consts::EXE_SUFFIX));
        assert_eq!(run(&["-f", "ar"]), Some(Plan::Say(ar.into())));
        assert_eq!(run(&["xcodebuild"]), None);
        assert_eq!(run(&[]), None);
    }

    #[test]
    fn llvms_tools_without_a_shim_are_run_where_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let error = ask(dir.path(), &["ld", "-v"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`xcrun` finds no `ld` in this toolchain; it has clang clang++ ar lipo nm"
        );
        assert!(error.help().unwrap().contains("xcrun clang"));
        for (name, file) in [("ld", "ld64.lld"), ("dsymutil", "dsymutil")] {
            let file = format!("{file}{}", std::env::consts::EXE_SUFFIX);
            let program = dir.path().join(file);
            fs_err::write(&program, "").unwrap();
            let ran = ask(dir.path(), &[name, "-v"]).unwrap();
            assert_eq!(ran, Plan::Exec(program.clone(), vec!["-v".into()]));
            let found = ask(dir.path(), &["--find", name]).unwrap();
            assert_eq!(found, Plan::Say(program.into()));
        }
    }
}
