//! zig for macOS, with its own headers and libSystem stub, or with an SDK.

use std::ffi::OsString;
use std::path::Path;

use super::{Action, Arg, Context, Environment, Invocation, macos, takes_value};
use crate::shim::{ShimError, Spec, Tool};
use crate::target::TargetOs;

/// Where in a variant's folder the stub libraries are.
const STUBS: &str = "lib";

/// Where in a variant's folder the headers are that zig does not ship.
const HEADERS: &str = "include";

pub(super) fn rule(arg: Arg<'_>) -> Action {
    match (arg.text, arg.next) {
        // macOS' libiconv keeps its character sets apart.
        ("-liconv", _) => Action::Replace(vec!["-liconv".into(), "-lcharset".into()]),
        ("-undefined", Some("dynamic_lookup")) => Action::ReplaceWithNext(vec![
            "-undefined".into(),
            "dynamic_lookup".into(),
            "-Wl,-undefined=dynamic_lookup".into(),
        ]),
        // The target says the version, see `minimum`; and the SDK is ours to name.
        (text, _) if macos::is_option(text) => Action::Drop,
        ("-isysroot" | "-arch", Some(_)) => Action::DropWithNext,
        _ => Action::Keep,
    }
}

/// The settings for the CPU that `-arch` names where it is not the target's: clang for macOS builds for either, as
/// `CMAKE_OSX_ARCHITECTURES` and hand-written makefiles expect. zig makes no file of both.
pub(super) fn other_cpu(
    spec: &Spec,
    tool: Tool,
    args: &[OsString],
) -> Result<Option<Spec>, ShimError> {
    if spec.triple.os() != TargetOs::MacOs || !tool.is_driver() {
        return Ok(None);
    }
    let mut asked: Vec<&str> = Vec::new();
    let mut rest = args.iter().map(|arg| arg.to_str().unwrap_or_default());
    while let Some(arg) = rest.next() {
        // Another option's value may be `-arch` too.
        let has_value = takes_value(arg) || arg == "-Xlinker";
        let value = has_value.then(|| rest.next()).flatten();
        asked.extend(value.filter(|_| arg == "-arch"));
    }
    asked.sort_unstable();
    asked.dedup();
    let arch = match asked.as_slice() {
        [] => return Ok(None),
        ["arm64"] => "aarch64",
        ["x86_64"] => "x86_64",
        _ => {
            return Err(ShimError::Arch {
                triple: spec.triple.clone(),
                asked: asked.iter().map(|a| a.escape_debug().to_string()).collect(),
            });
        }
    };
    let (Some(zig), false) = (&spec.zig, arch == spec.triple.arch()) else {
        return Ok(None);
    };
    let Ok(triple) = format!("{arch}-apple-darwin").parse() else {
        return Ok(None);
    };
    let mut zig = zig.clone();
    zig.cpu = None;
    if let Some((_, rest)) = zig.target.split_once('-') {
        zig.target = format!("{arch}-{rest}");
    }
    let mut other = spec.clone();
    other.triple = triple;
    other.zig = Some(zig);
    // There is no older macOS for arm64.
    if arch == "aarch64" {
        let set = other.deployment_target.iter().map(String::as_str);
        let newest = set.chain(["11.0"]).max_by_key(|v| macos::parts(v));
        other.deployment_target = newest.map(str::to_owned);
    }
    Ok(Some(other))
}

/// The SDK's folders, for compiling as for linking.
pub(super) fn before(context: Context<'_>) -> Vec<OsString> {
    let Some(sdk) = &context.spec.sdk else {
        return Vec::new();
    };
    let mut out = Vec::with_capacity(6);
    let frameworks = sdk.path.join("System/Library/Frameworks");
    out.push("-isystem".into());
    out.push(sdk.path.join("usr/include").into_os_string());
    for (option, folder) in [("-L", sdk.path.join("usr/lib")), ("-F", frameworks.clone())] {
        let mut arg = OsString::from(option);
        arg.push(folder);
        out.push(arg);
    }
    out.push("-iframework".into());
    out.push(frameworks.into_os_string());
    out
}

/// The folder of stubs, after all of the caller's own.
pub(super) fn late(context: Context<'_>, variant: &Path) -> Vec<OsString> {
    if context.spec.sdk.is_some() {
        return Vec::new();
    }
    let mut arg = OsString::from("-L");
    arg.push(variant.join(STUBS));
    vec![arg]
}

/// The folder of headers that zig lacks, after every other: what zig ships one day, or the caller has, wins.
pub(super) fn headers(context: Context<'_>, variant: &Path) -> Vec<OsString> {
    if context.spec.sdk.is_some() || context.only_links {
        return Vec::new();
    }
    vec!["-idirafter".into(), variant.join(HEADERS).into_os_string()]
}

/// zig looks for a SDK of its own accord where SDKROOT or xcrun names one: only ours may count.
pub(super) fn environment(context: Context<'_>, invocation: &mut Invocation) {
    if context.triple.os() != TargetOs::MacOs {
        return;
    }
    match &context.spec.sdk {
        Some(sdk) => invocation.set("SDKROOT", &sdk.path),
        None => invocation.env_remove.push("SDKROOT".to_owned()),
    }
}

/// The oldest macOS to run on. `None`: zig's default.
pub(super) fn minimum(
    context: Context<'_>,
    args: &[OsString],
    env: &Environment,
) -> Option<String> {
    if context.triple.os() != TargetOs::MacOs {
        return None;
    }
    macos::minimum(context.spec, args, env)
}

/// `aarch64-macos-none` with a version: `aarch64-macos.11.0-none`. A target that has one keeps it.
pub(super) fn with_version(target: &str, version: &str) -> String {
    match target.split_once("-macos") {
        Some((arch, rest)) if !rest.starts_with('.') => format!("{arch}-macos.{version}{rest}"),
        _ => target.to_owned(),
    }
}

/// What zig's part for macOS lacks and every macOS has. libiconv and libcharset: many crates ask for them; the symbols
/// are the public API (`iconv.h`, `libcharset.h`). And headers of functions that zig's libSystem stub does have:
/// mimalloc, OpenSSL and jemalloc include them.
pub(super) fn stub_files(spec: &Spec) -> Vec<(&'static str, String)> {
    if spec.triple.os() != TargetOs::MacOs || spec.sdk.is_some() {
        return Vec::new();
    }
    let iconv = [
        "_iconv",
        "_iconv_canonicalize",
        "_iconv_close",
        "_iconv_open",
        "_iconvctl",
        "_iconvlist",
        "_libiconv_set_relocation_prefix",
    ];
    let charset = ["_libcharset_set_relocation_prefix", "_locale_charset"];
    vec![
        (
            "lib/libiconv.tbd",
            stub("/usr/lib/libiconv.2.dylib", "7.0.0", &iconv),
        ),
        (
            "lib/libcharset.tbd",
            stub("/usr/lib/libcharset.1.dylib", "2.0.0", &charset),
        ),
        (
            "include/CommonCrypto/CommonCryptoError.h",
            include_str!("apple/CommonCryptoError.h").to_owned(),
        ),
        (
            "include/CommonCrypto/CommonRandom.h",
            include_str!("apple/CommonRandom.h").to_owned(),
        ),
        (
            "include/sys/syscall.h",
            include_str!("apple/syscall.h").to_owned(),
        ),
    ]
}

/// A text-based stub library, version 4 (LLVM's `TextAPI`).
fn stub(install_name: &str, version: &str, symbols: &[&str]) -> String {
    let targets = "[ x86_64-macos, arm64-macos ]";
    format!(
        "--- !tapi-tbd\ntbd-version: 4\ntargets: {targets}\ninstall-name: '{install_name}'\n\
         current-version: {version}\ncompatibility-version: {version}\nexports:\n  - targets: {targets}\n    \
         symbols: [ {} ]\n...\n",
        symbols.join(", ")
    )
}
