//! A CMake toolchain file for a target's shims. Pure.
//!
//! The variables are those of CMake's manual, "cmake-toolchains(7), Cross Compiling".

use std::fmt::Write as _;
use std::path::Path;

use super::{PkgConfig, shim};
use crate::manifest::Family;
use crate::shim::{Spec, Tool, tools_of};
use crate::target::{TargetOs, Triple};

/// The text of the file: system, compilers and binutils, where to look for what, and how to run results. `shims` is
/// the variant's folder, absolute.
pub fn toolchain_file(spec: &Spec, shims: &Path) -> String {
    let triple = &spec.triple;
    let tools = tools_of(spec);
    let path = |tool: Tool| quoted(&slashes(&shim(shims, tool)));
    let mut out = format!(
        "# {triple}, written by xtool; after changes: `xtool env {triple} --format cmake`.\n"
    );
    let mut set = |name: &str, value: &str| {
        let _ = writeln!(out, "set({name} {value})");
    };

    set("CMAKE_SYSTEM_NAME", system_name(triple));
    set("CMAKE_SYSTEM_PROCESSOR", processor(triple));
    if triple.os() == TargetOs::Windows {
        // Its default, 10.0, stands for the host's own version when CMake runs on Windows.
        set("CMAKE_SYSTEM_VERSION", "10.0");
    }
    for (tool, names) in [
        (Tool::Cc, &["CMAKE_C_COMPILER", "CMAKE_ASM_COMPILER"][..]),
        (Tool::Cxx, &["CMAKE_CXX_COMPILER"]),
        (
            Tool::Ar,
            &[
                "CMAKE_AR",
                "CMAKE_C_COMPILER_AR",
                "CMAKE_CXX_COMPILER_AR",
                "CMAKE_ASM_COMPILER_AR",
            ],
        ),
        (
            Tool::Ranlib,
            &[
                "CMAKE_RANLIB",
                "CMAKE_C_COMPILER_RANLIB",
                "CMAKE_CXX_COMPILER_RANLIB",
                "CMAKE_ASM_COMPILER_RANLIB",
            ],
        ),
        (Tool::Windres, &["CMAKE_RC_COMPILER"]),
        (Tool::Dlltool, &["CMAKE_DLLTOOL"]),
        (Tool::Strip, &["CMAKE_STRIP"]),
        (Tool::Nm, &["CMAKE_NM"]),
        (Tool::Otool, &["CMAKE_OTOOL"]),
        (Tool::InstallNameTool, &["CMAKE_INSTALL_NAME_TOOL"]),
    ] {
        if tools.contains(&tool) {
            for name in names {
                // In the cache, and by force: CMake looks for binutils of its own and would keep the host's.
                let _ = writeln!(out, "set({name} {} CACHE FILEPATH \"\" FORCE)", path(tool));
            }
        }
    }
    if tools.contains(&Tool::Run) {
        let _ = writeln!(
            out,
            "set(CMAKE_CROSSCOMPILING_EMULATOR {})",
            path(Tool::Run)
        );
    }
    let mut set = |name: &str, value: &str| {
        let _ = writeln!(out, "set({name} {value})");
    };

    let roots = spec
        .sysroot
        .iter()
        .chain(spec.sdk.iter().map(|sdk| &sdk.path));
    let mut roots: Vec<String> = roots.map(|p| quoted(&slashes(p))).collect();
    if roots.is_empty() {
        // With no root at all, ONLY would let the host's folders through; nothing is found in this one.
        roots.push(quoted(&slashes(shims)));
    }
    // A prefix that the user names holds the target's files: a root, so that it is looked at as it stands.
    set(
        "CMAKE_FIND_ROOT_PATH",
        &format!("{} ${{CMAKE_PREFIX_PATH}}", roots.join(" ")),
    );
    // Programs are the host's; libraries, headers and packages are the target's, never the host's.
    for (what, mode) in [
        ("PROGRAM", "NEVER"),
        ("LIBRARY", "ONLY"),
        ("INCLUDE", "ONLY"),
        ("PACKAGE", "ONLY"),
    ] {
        set(&format!("CMAKE_FIND_ROOT_PATH_MODE_{what}"), mode);
    }
    pkg_config(&mut out, spec, shims);
    let mut set = |name: &str, value: &str| {
        let _ = writeln!(out, "set({name} {value})");
    };
    if spec.family == Family::Zig {
        // zig's linker takes no `--dependency-file`.
        set("CMAKE_C_LINKER_DEPFILE_SUPPORTED", "FALSE");
        set("CMAKE_CXX_LINKER_DEPFILE_SUPPORTED", "FALSE");
    }
    if triple.os() == TargetOs::MacOs {
        apple(&mut out, spec, &tools);
    }
    out
}

/// What `FindPkgConfig` runs sees the target's packages only. The name with the target in it is the user's or cargo's
/// and wins; the plain one is for the host's packages.
fn pkg_config(out: &mut String, spec: &Spec, shims: &Path) {
    for (name, value) in PkgConfig::of(spec, shims).variables() {
        let named = format!("{name}_{}", spec.triple.env_suffix());
        let _ = writeln!(
            out,
            "if(DEFINED ENV{{{named}}})\n  set(ENV{{{name}}} \"$ENV{{{named}}}\")\nelse()\n  \
             set(ENV{{{name}}} {})\nendif()",
            quoted(&value)
        );
    }
}

/// What CMake asks for on Darwin and does not find off a Mac. `true` stands in for tools that the toolchain lacks and
/// that only change names after the link.
fn apple(out: &mut String, spec: &Spec, tools: &[Tool]) {
    let arch = match spec.triple.arch() {
        "aarch64" => "arm64",
        arch => arch,
    };
    // Without force, as CMake itself sets them: what the user names with -D or in the environment wins.
    let _ = writeln!(out, "set(CMAKE_OSX_ARCHITECTURES {arch} CACHE STRING \"\")");
    if let Some(version) = &spec.deployment_target {
        let _ = writeln!(
            out,
            "if(DEFINED ENV{{MACOSX_DEPLOYMENT_TARGET}})\n  \
             set(CMAKE_OSX_DEPLOYMENT_TARGET \"$ENV{{MACOSX_DEPLOYMENT_TARGET}}\" CACHE STRING \"\")\n\
             else()\n  \
             set(CMAKE_OSX_DEPLOYMENT_TARGET {} CACHE STRING \"\")\n\
             endif()",
            quoted(version)
        );
    }
    let sysroot = spec
        .sdk
        .as_ref()
        .map_or_else(String::new, |sdk| slashes(&sdk.path));
    let _ = writeln!(
        out,
        "set(CMAKE_OSX_SYSROOT {} CACHE PATH \"\" FORCE)",
        quoted(&sysroot)
    );
    for (tool, variable) in [
        (Tool::InstallNameTool, "CMAKE_INSTALL_NAME_TOOL"),
        (Tool::Otool, "CMAKE_OTOOL"),
    ] {
        if !tools.contains(&tool) {
            let name = tool.name();
            let llvm = name.replace('_', "-");
            let _ = writeln!(
                out,
                "if(NOT CMAKE_HOST_APPLE)\n  \
                 find_program({variable} NAMES llvm-{llvm} {name} true)\n\
                 endif()"
            );
        }
    }
}

/// CMake's name of the system (`CMAKE_SYSTEM_NAME`).
fn system_name(triple: &Triple) -> &'static str {
    match triple.os() {
        TargetOs::Linux => "Linux",
        TargetOs::Windows => "Windows",
        TargetOs::MacOs => "Darwin",
        TargetOs::Wasi => "WASI",
        TargetOs::Other => "Generic",
    }
}

/// What `uname -m` says there, or on Windows `PROCESSOR_ARCHITECTURE`: projects compare with these. Only Windows on
/// ARM goes by Unix's name: there it is `ARM64` with Microsoft's compiler, and projects that ask for it where the
/// compiler is GCC's kin look for `aarch64` (seen: zlib-ng took the CPU for an x86).
fn processor(triple: &Triple) -> &str {
    match (triple.os(), triple.arch()) {
        (TargetOs::Windows, "x86_64") => "AMD64",
        (TargetOs::Windows, "i686" | "i586") => "X86",
        (TargetOs::MacOs, "aarch64") => "arm64",
        (_, "armv7" | "thumbv7neon") => "armv7l",
        (_, "armv5te") => "armv5tel",
        (_, "arm") => "armv6l",
        (_, "riscv64gc") => "riscv64",
        (_, "powerpc64le") => "ppc64le",
        (_, "powerpc64") => "ppc64",
        (_, "powerpc") => "ppc",
        (_, arch) => arch,
    }
}

fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.into_owned()
    }
}

/// A quoted argument (cmake-language(7), "Quoted Argument"): backslash, quote and `$` are escaped, `;` is text in it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '\\' | '"' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::{Runner, Zig};

    fn zig(triple: &str) -> Spec {
        let mut spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/t".into());
        spec.zig = Some(Zig {
            exe: "/t/zig".into(),
            target: "x".to_owned(),
            cpu: None,
            version: "0.15.2".to_owned(),
            cache_dir: "/c".into(),
        });
        spec
    }

    #[test]
    fn a_windows_file_names_system_tools_and_runner() {
        let mut spec = zig("x86_64-pc-windows-gnu");
        spec.runner = Runner::named("wine", None);
        let text = toolchain_file(&spec, Path::new("/a b/$x"));
        for line in [
            "set(CMAKE_SYSTEM_NAME Windows)",
            "set(CMAKE_SYSTEM_PROCESSOR AMD64)",
            "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)",
            "set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)",
            "set(CMAKE_C_LINKER_DEPFILE_SUPPORTED FALSE)",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
        if cfg!(unix) {
            assert!(
                text.contains("set(CMAKE_C_COMPILER \"/a b/\\$x/cc\" CACHE FILEPATH \"\" FORCE)"),
                "{text}"
            );
            assert!(text.contains("set(CMAKE_CROSSCOMPILING_EMULATOR \"/a b/\\$x/run\")"));
        }
        let rc = quoted(&slashes(&shim(Path::new("/a b/$x"), Tool::Windres)));
        let line = format!("set(CMAKE_RC_COMPILER {rc} CACHE FILEPATH \"\" FORCE)");
        assert!(text.lines().any(|l| l == line), "{line}: {text}");
    }

    #[cfg(unix)]
    #[test]
    fn pkg_config_of_cmake_sees_the_targets_packages_only() {
        let mut spec = zig("aarch64-unknown-linux-gnu");
        spec.sysroot = Some("/t/usr/aarch64-linux-gnu".into());
        let text = toolchain_file(&spec, Path::new("/s"));
        for (name, value) in [
            (
                "PKG_CONFIG_LIBDIR",
                "/t/usr/lib/aarch64-linux-gnu/pkgconfig:/t/usr/aarch64-linux-gnu/lib/pkgconfig:\
                 /t/usr/aarch64-linux-gnu/share/pkgconfig",
            ),
            ("PKG_CONFIG_PATH", ""),
            ("PKG_CONFIG_SYSROOT_DIR", "/t"),
        ] {
            let named = format!("{name}_aarch64_unknown_linux_gnu");
            let lines = format!(
                "if(DEFINED ENV{{{named}}})\n  set(ENV{{{name}}} \"$ENV{{{named}}}\")\nelse()\n  \
                 set(ENV{{{name}}} \"{value}\")\nendif()\n"
            );
            assert!(text.contains(&lines), "{lines}: {text}");
        }
    }

    #[test]
    fn windows_on_arm_is_aarch64() {
        let text = toolchain_file(&zig("aarch64-pc-windows-gnullvm"), Path::new("/s"));
        assert!(
            text.contains("set(CMAKE_SYSTEM_PROCESSOR aarch64)"),
            "{text}"
        );
    }

    #[test]
    fn darwin_gets_stand_ins_for_apples_tools() {
        let text = toolchain_file(&zig("aarch64-apple-darwin"), Path::new("/s"));
        assert!(text.contains("set(CMAKE_SYSTEM_PROCESSOR arm64)"));
        for line in [
            "find_program(CMAKE_INSTALL_NAME_TOOL NAMES llvm-install-name-tool install_name_tool true)",
            "find_program(CMAKE_OTOOL NAMES llvm-otool otool true)",
        ] {
            assert!(text.lines().any(|l| l.trim() == line), "{line}: {text}");
        }
    }

    #[test]
    fn darwin_gets_the_tools_that_its_toolchain_has() {
        let triple = "aarch64-apple-darwin".parse().unwrap();
        let mut spec = Spec::new(triple, Family::Clang, "/t".into());
        spec.tools.nm = Some("/t/llvm-nm".into());
        spec.tools.otool = Some("/t/llvm-otool".into());
        spec.tools.install_name_tool = Some("/t/llvm-install-name-tool".into());
        let text = toolchain_file(&spec, Path::new("/s"));
        for (variable, name) in [
            ("CMAKE_NM", "nm"),
            ("CMAKE_OTOOL", "otool"),
            ("CMAKE_INSTALL_NAME_TOOL", "install_name_tool"),
        ] {
            let path = quoted(&slashes(&shim(
                Path::new("/s"),
                Tool::from_name(name).unwrap(),
            )));
            let line = format!("set({variable} {path} CACHE FILEPATH \"\" FORCE)");
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
        assert!(!text.contains("find_program("), "{text}");
    }

    #[test]
    fn the_users_oldest_macos_wins() {
        let mut spec = zig("aarch64-apple-darwin");
        spec.deployment_target = Some("11.0".into());
        let text = toolchain_file(&spec, Path::new("/s"));
        assert!(
            text.contains(
                "if(DEFINED ENV{MACOSX_DEPLOYMENT_TARGET})\n  \
                 set(CMAKE_OSX_DEPLOYMENT_TARGET \"$ENV{MACOSX_DEPLOYMENT_TARGET}\" CACHE STRING \"\")\n\
                 else()\n  set(CMAKE_OSX_DEPLOYMENT_TARGET \"11.0\" CACHE STRING \"\")\nendif()"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_sysroot_is_where_libraries_are_looked_for() {
        let mut spec = zig("aarch64-unknown-linux-gnu");
        spec.sysroot = Some("/t/usr/aarch64-linux-gnu".into());
        let text = toolchain_file(&spec, Path::new("/s"));
        let root = "set(CMAKE_FIND_ROOT_PATH \"/t/usr/aarch64-linux-gnu\" ${CMAKE_PREFIX_PATH})";
        assert!(text.contains(root), "{text}");
    }
}
