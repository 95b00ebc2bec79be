//! clang with an SDK (macOS, linked by `ld64.lld`), or with a sysroot of its own (llvm-mingw).

use std::ffi::OsString;
use std::path::Path;

use super::{Action, Arg, Environment, Invocation, apply, links, macos, objects};
use crate::build_env::shim;
use crate::shim::{Sdk, Spec, Tool};
use crate::target::{TargetOs, Triple};

/// What a clang tool is run as.
pub fn rewrite(
    spec: &Spec,
    program: &Path,
    variant: &Path,
    tool: Tool,
    args: Vec<OsString>,
    env: &Environment,
) -> Invocation {
    if tool == Tool::Ld64 {
        // What lld takes its own name for, else.
        let flavour = ["-flavor", "darwin"].map(OsString::from);
        return Invocation::new(program, flavour.into_iter().chain(args).collect());
    }
    if !tool.is_driver() {
        return Invocation::new(program, args);
    }
    match spec.triple.os() {
        TargetOs::MacOs => apple(spec, program, variant, tool, args, env),
        TargetOs::Windows => windows(program, args),
        TargetOs::Linux | TargetOs::Wasi | TargetOs::Other => sysroot(spec, program, args),
    }
}

fn sysroot(spec: &Spec, program: &Path, args: Vec<OsString>) -> Invocation {
    let mut out = Vec::with_capacity(args.len() + 2);
    if !names_its_target(program) {
        out.push(format!("--target={}", spec.triple).into());
    }
    if let Some(sysroot) = spec.sysroot_argument() {
        let mut option = OsString::from("--sysroot=");
        option.push(sysroot);
        out.push(option);
    }
    out.extend(args);
    Invocation::new(program, out)
}

/// A driver such as `x86_64-w64-mingw32-clang` knows its target by its own name.
fn names_its_target(program: &Path) -> bool {
    let name = program.file_name().and_then(|n| n.to_str());
    name.is_some_and(|n| n.contains("-clang") || n.starts_with("o64-") || n.starts_with("oa64-"))
}

fn windows(program: &Path, args: Vec<OsString>) -> Invocation {
    if !links(&args) {
        return Invocation::new(program, args);
    }
    let bare_crt = args
        .iter()
        .filter_map(|a| a.to_str())
        .any(|text| objects::is_bare_crt(Arg { text, next: None }));
    let out = apply(args, |arg| match arg.text {
        // Under `-Zbuild-std` nothing installed rustc's start-up objects; clang adds its own.
        "-nostartfiles" if bare_crt => Action::Drop,
        _ if objects::is_bare_crt(arg) => Action::Drop,
        // Programs may import the system's DLLs only.
        "-lc++" | "-lstdc++" => Action::Replace(
            ["-Wl,-Bstatic", "-lc++", "-Wl,-Bdynamic"]
                .map(str::to_owned)
                .into(),
        ),
        "-lunwind" => Action::replace("-l:libunwind.a"),
        _ => Action::Keep,
    });
    Invocation::new(program, out)
}

fn apple(
    spec: &Spec,
    program: &Path,
    variant: &Path,
    tool: Tool,
    args: Vec<OsString>,
    env: &Environment,
) -> Invocation {
    let linking = links(&args);
    let mut out: Vec<OsString> = Vec::with_capacity(args.len() + 8);
    let minimum = macos::minimum(spec, &args, env);
    if !names_its_target(program) {
        let version = minimum.as_deref().unwrap_or_default();
        out.push(
            format!(
                "--target={}-apple-macosx{version}",
                apple_arch(&spec.triple)
            )
            .into(),
        );
        if linking {
            // The host's own `ld` is no Mach-O linker.
            out.push("-fuse-ld=lld".into());
            if spec.tools.lld.is_some() {
                let mut path = OsString::from("--ld-path=");
                path.push(shim(variant, Tool::Ld64));
                out.push(path);
            }
        }
        if tool == Tool::Cxx && spec.tools.cc.as_deref() == Some(program) {
            // One program for both languages.
            out.push("--driver-mode=g++".into());
        }
        if tool == Tool::Cxx || is_cxx(&args) {
            // clang built for another system takes GCC's library for the default; an SDK has libc++ only. A later
            // `-stdlib` of the user's wins.
            out.push("-stdlib=libc++".into());
        }
    } else if let Some(version) = &minimum {
        out.push(format!("-mmacosx-version-min={version}").into());
    }
    if let Some(sdk) = &spec.sdk {
        out.push("-isysroot".into());
        out.push(sdk.path.clone().into_os_string());
        if let Some(define) = environment_define(spec, sdk, minimum.as_deref()) {
            out.push(define.into());
        }
        if spec.triple.arch() == "x86_64" && clang_major(spec).is_some_and(|major| major < 15) {
            out.push(NO_FLOAT16.into());
        }
    }
    let told = macos::told_to_caches(spec, variant, &args, env);
    let ours = spec.sdk.is_some();
    out.extend(apply(args, |arg| match (arg.text, arg.next) {
        // The SDK and the oldest version are ours to say.
        ("-isysroot", Some(_)) if ours => Action::DropWithNext,
        ("-target" | "--target", Some(_)) => Action::DropWithNext,
        (text, _) if text.starts_with("--target=") => Action::Drop,
        (text, _) if macos::is_option(text) => Action::Drop,
        _ => Action::Keep,
    }));
    out.extend(told);
    let mut invocation = Invocation::new(program, out);
    if let Some(sdk) = &spec.sdk {
        invocation.set("SDKROOT", &sdk.path);
    }
    if let Some(version) = minimum {
        invocation.set("MACOSX_DEPLOYMENT_TARGET", version);
    }
    invocation
}

/// `math.h` of SDKs from 15 on declares functions of a type that clang before 15 does not have for x86-64. As an
/// incomplete type it can be declared with, and whoever uses it still gets an error.
pub(crate) const NO_FLOAT16: &str = "-D_Float16=struct _Float16_needs_clang_15";

fn clang_major(spec: &Spec) -> Option<u32> {
    major(spec.compiler_version.as_deref()?)
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// Whether the C driver is given C++.
fn is_cxx(args: &[OsString]) -> bool {
    let sources = ["cc", "cpp", "cxx", "c++", "C", "mm"];
    args.iter().filter_map(|a| a.to_str()).any(|arg| {
        let end = arg.rsplit_once('.').map(|(_, end)| end);
        !arg.starts_with('-') && end.is_some_and(|end| sources.contains(&end))
            || matches!(arg, "c++" | "-xc++" | "objective-c++" | "-xobjective-c++")
    })
}

fn apple_arch(triple: &Triple) -> &str {
    match triple.arch() {
        "aarch64" => "arm64",
        arch => arch,
    }
}

/// SDKs from 14 on use a macro that clang defines itself from 17 on.
fn environment_define(spec: &Spec, sdk: &Sdk, minimum: Option<&str>) -> Option<String> {
    if major(&sdk.version)? < 14 || clang_major(spec)? >= 17 {
        return None;
    }
    let oldest = macos::parts(minimum.unwrap_or("11.0"));
    let part = |at: usize| oldest.get(at).copied().unwrap_or(0);
    // Apple's `Availability.h`: two digits a part.
    Some(format!(
        "-D__ENVIRONMENT_OS_VERSION_MIN_REQUIRED__={}",
        part(0) * 10_000 + part(1) * 100
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;

    fn run(spec: &Spec, program: &str, args: &[&str]) -> String {
        let args = args.iter().map(Into::into).collect();
        let out = rewrite(
            spec,
            Path::new(program),
            Path::new("/v"),
            Tool::Cc,
            args,
            &Environment::default(),
        );
        out.args.join(" ".as_ref()).into_string().unwrap()
    }

    fn apple() -> Spec {
        let mut spec = Spec::new(
            "aarch64-apple-darwin".parse().unwrap(),
            Family::Clang,
            "/t".into(),
        );
        spec.sdk = Some(Sdk {
            path: "/sdk".into(),
            version: "14.5".into(),
            id: None,
        });
        spec
    }

    #[test]
    fn plain_clang_is_told_everything() {
        let mut spec = apple();
        spec.deployment_target = Some("11.0".into());
        spec.compiler_version = Some("14.0.6".into());
        assert_eq!(
            run(
                &spec,
                "/usr/bin/clang",
                &["a.o", "-mmacosx-version-min=10.12", "-arch", "arm64"]
            ),
            "--target=arm64-apple-macosx11.0 -fuse-ld=lld -isysroot /sdk \
             -D__ENVIRONMENT_OS_VERSION_MIN_REQUIRED__=110000 a.o -arch arm64"
        );
    }

    #[test]
    fn half_precision_of_newer_sdks_is_declared_for_older_clangs() {
        let defines = |triple: &str, clang: &str| {
            let mut spec = apple();
            spec.triple = triple.parse().unwrap();
            spec.compiler_version = Some(clang.into());
            run(&spec, "/usr/bin/clang", &["-c", "a.c"]).contains("-D_Float16=")
        };
        assert!(defines("x86_64-apple-darwin", "14.0.6"));
        assert!(!defines("x86_64-apple-darwin", "15.0"));
        assert!(!defines("aarch64-apple-darwin", "14.0.6"));
    }

    #[test]
    fn newer_clangs_know_the_macro() {
        let mut spec = apple();
        spec.compiler_version = Some("17.0.1".into());
        assert_eq!(
            run(
                &spec,
                "/usr/bin/clang",
                &["-c", "a.c", "--target=arm64-apple-macosx12.0"]
            ),
            "--target=arm64-apple-macosx12.0 -isysroot /sdk -c a.c"
        );
    }

    #[test]
    fn the_sdks_own_cxx_library_is_used() {
        let run = |tool, args: &[&str]| {
            let args = args.iter().map(Into::into).collect();
            let clang = Path::new("/usr/bin/clang");
            let out = rewrite(
                &apple(),
                clang,
                Path::new("/v"),
                tool,
                args,
                &Environment::default(),
            );
            out.args.iter().any(|a| a == "-stdlib=libc++")
        };
        assert!(run(Tool::Cxx, &["a.o"]));
        assert!(run(Tool::Cc, &["-c", "a.cc"]));
        assert!(run(Tool::Cc, &["-c", "-x", "c++", "a"]));
        assert!(!run(Tool::Cc, &["-c", "a.c", "-I../c++"]));
        assert!(!run(Tool::Cc, &["a.o", "-lc++"]));
    }

    #[test]
    fn osxcross_wrappers_know_their_target() {
        assert_eq!(
            run(&apple(), "/o/bin/oa64-clang", &["a.o"]),
            "-isysroot /sdk a.o"
        );
    }

    #[test]
    fn llvm_mingw_links_its_libraries_statically() {
        let spec = Spec::new(
            "x86_64-pc-windows-gnullvm".parse().unwrap(),
            Family::Clang,
            "/t".into(),
        );
        let program = "/t/bin/x86_64-w64-mingw32-clang";
        assert_eq!(
            run(
                &spec,
                program,
                &["crt2.o", "a.o", "-lc++", "-lunwind", "-nostartfiles"]
            ),
            "a.o -Wl,-Bstatic -lc++ -Wl,-Bdynamic -l:libunwind.a"
        );
        assert_eq!(run(&spec, program, &["-c", "a.c"]), "-c a.c");
    }

    #[test]
    fn other_targets_get_their_sysroot() {
        let mut spec = Spec::new(
            "x86_64-unknown-linux-musl".parse().unwrap(),
            Family::Clang,
            "/t".into(),
        );
        spec.sysroot = Some("/t/sys".into());
        assert_eq!(
            run(&spec, "/t/bin/clang", &["a.o"]),
            "--target=x86_64-unknown-linux-musl --sysroot=/t/sys a.o"
        );
    }
}
