//! What is asked of an Apple toolchain besides a program: its names on PATH, the user's oldest macOS, and what libclang
//! makes of the headers.

use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object as _, ObjectSection as _};

use super::{ARM, INTEL, facts, shims};
use crate::real::{Lab, succeed};

/// Scripts made for osxcross find its names on PATH, and the host's own compiler where it was.
pub(super) fn osxcrosss_own_names(lab: &Lab, project: &Path) {
    for (target, names) in [
        (
            ARM,
            &[
                "oa64-clang",
                "arm64-apple-darwin23-clang++",
                "xcrun",
                "lipo",
            ][..],
        ),
        (INTEL, &["o64-clang", "x86_64-apple-darwin23-ar", "xcrun"]),
    ] {
        for name in names {
            let ask = [
                "exec",
                target,
                "--",
                "sh",
                "-c",
                "command -v \"$1\"",
                "-",
                name,
            ];
            let found = succeed(&mut lab.xtool(project, &ask));
            assert!(found.contains("osxcross/bin/"), "{target} {name}: {found}");
        }
        let clang = names[0];
        let said = succeed(&mut lab.xtool(project, &["exec", target, "--", clang, "--version"]));
        assert!(said.contains("clang version"), "{target}: {said}");
        let host = ["exec", target, "--", "sh", "-c", "command -v cc"];
        let host = succeed(&mut lab.xtool(project, &host));
        assert!(!host.contains("shims"), "{host}");
    }
    let shown = succeed(&mut lab.xtool(project, &["show", ARM]));
    assert!(shown.contains("osxcross/bin (on PATH in"), "{shown}");
}

/// Assembly in which procedures have unwind records and only local labels: zig's linker finds them, with and without the
/// directive that parts a file at its symbols, and leaves out neither what is called nor what is run into.
pub(super) fn a_procedure_without_a_symbol(lab: &Lab, target: &str, shims: &Path) {
    let dir = lab.dir.path();
    let (call, four, again) = match target {
        ARM => ("bl", "mov x1, #4", "b.ne _outer"),
        _ => ("call", "mov $4, %ecx", "jne _outer"),
    };
    for end in ["", ".subsections_via_symbols\n"] {
        let source = dir.join("procedures.S");
        let text = format!(
            ".text\n.globl _outer\n_outer:\n.cfi_startproc\n{again}\n{call} Linner\n{four}\n.cfi_endproc\n\
             Lnext:\n.cfi_startproc\n{four}\nret\n.cfi_endproc\nLinner:\n.cfi_startproc\n{four}\nret\n.cfi_endproc\n{end}"
        );
        fs_err::write(&source, text).unwrap();
        let main = dir.join("calls.c");
        fs_err::write(
            &main,
            "void outer(void);\nint main(void) { outer(); return 0; }\n",
        )
        .unwrap();
        for input in [&source, &main] {
            let object = input.with_extension("o");
            let mut compile = Command::new(shims.join("cc"));
            succeed(compile.arg("-c").arg(input).arg("-o").arg(object));
        }
        let program = dir.join("procedures");
        let mut link = Command::new(shims.join("cc"));
        succeed(
            link.arg(source.with_extension("o"))
                .arg(main.with_extension("o"))
                .args(["-Wl,-dead_strip", "-o"])
                .arg(&program),
        );
        let bytes = fs_err::read(&program).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let text = file.section_by_name("__text").unwrap();
        let text = text.data().unwrap();
        let four: &[u8] = match target {
            ARM => &[0x81, 0x00, 0x80, 0xd2],
            _ => &[0xb9, 4, 0, 0, 0],
        };
        let count = text.windows(four.len()).filter(|w| *w == four).count();
        assert_eq!(count, 3, "{target} {end:?}: {text:x?}");
    }
}

/// `MACOSX_DEPLOYMENT_TARGET` counts for a bare compiler and for CMake as it does for rustc.
pub(super) fn the_users_oldest_macos(lab: &Lab, toolchain: &str, shims: &Path) {
    let dir = lab.dir.path();
    let source = dir.join("plain.c");
    fs_err::write(&source, "int plain(void) { return 1; }\n").unwrap();
    let object = dir.join("plain.o");
    for (variable, argument, minimum) in [
        ("12.3", None, (12, 3)),
        ("12.3", Some("-mmacosx-version-min=11.5"), (11, 5)),
        // Not below the oldest of the CPU, as rustc has it.
        ("10.9", None, (11, 0)),
    ] {
        succeed(
            Command::new(shims.join("cc"))
                .args(argument)
                .arg("-c")
                .arg(&source)
                .arg("-o")
                .arg(&object)
                .env("MACOSX_DEPLOYMENT_TARGET", variable),
        );
        let found = facts(&fs_err::read(&object).unwrap()).minimum;
        assert_eq!(found, minimum, "{toolchain} {variable} {argument:?}");
    }

    let folder = dir.join(format!("{toolchain}-cmake"));
    fs_err::create_dir(&folder).unwrap();
    fs_err::copy(&source, folder.join("plain.c")).unwrap();
    fs_err::write(
        folder.join("CMakeLists.txt"),
        "cmake_minimum_required(VERSION 3.18)\nset(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n\
         project(plain C)\nadd_library(plain OBJECT plain.c)\n",
    )
    .unwrap();
    for (variable, minimum) in [(Some("12.3"), (12, 3)), (None, (11, 0))] {
        let build = folder.join(format!("build-{}", minimum.0));
        let mut configure = Command::new("cmake");
        configure
            .args(["-G", "Ninja", "-S"])
            .arg(&folder)
            .arg("-B")
            .arg(&build)
            .arg("--toolchain")
            .arg(shims.join("toolchain.cmake"))
            .env_remove("MACOSX_DEPLOYMENT_TARGET")
            .envs(variable.map(|v| ("MACOSX_DEPLOYMENT_TARGET", v)));
        succeed(&mut configure);
        // What was configured counts, not the shell that builds.
        succeed(
            Command::new("cmake")
                .arg("--build")
                .arg(&build)
                .env_remove("MACOSX_DEPLOYMENT_TARGET"),
        );
        let object = build.join("CMakeFiles/plain.dir/plain.c.o");
        let found = facts(&fs_err::read(&object).unwrap()).minimum;
        assert_eq!(found, minimum, "{toolchain}, CMake, {variable:?}");
        let cache = fs_err::read_to_string(build.join("CMakeCache.txt")).unwrap();
        let own = |name: &str| {
            let line = cache.lines().find(|line| line.starts_with(name));
            line.is_some_and(|line| line.contains("/shims/"))
        };
        for name in ["CMAKE_INSTALL_NAME_TOOL:", "CMAKE_OTOOL:"] {
            assert_eq!(own(name), toolchain == "osxcross", "{name} {cache}");
        }
        // xtool's own where the toolchain has none.
        assert!(own("CMAKE_NM:"), "{toolchain}: {cache}");
    }
}

/// The headers of the C standard, read as bindgen has libclang read them: by clang of the same LLVM, with nothing but
/// the arguments that bindgen gets.
pub(super) fn libclang_about_standard_headers(lab: &Lab, project: &Path) {
    let shown = succeed(&mut lab.xtool(project, &["show", ARM, "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let root = PathBuf::from(shown["installed"]["path"].as_str().unwrap());
    let llvm = fs_err::read_dir(root.join("usr/lib"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("bin/clang").exists())
        .expect("LLVM's folder");
    let library_path = format!(
        "{0}/lib:{0}/x86_64-linux-gnu:{0}/aarch64-linux-gnu",
        root.join("usr/lib").display()
    );
    let header =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/matrix/bindgen/csrc/record.h");
    let wasi = "wasm32-wasip1";
    let targets = [wasi, ARM, INTEL];
    let zig = ["--no-rust-std", "--toolchain", "zig"];
    succeed(&mut lab.xtool(project, &[&["add"], &targets[..], &zig[..]].concat()));
    let with_sdk = |target: &str| lab.home().join("sdks").is_dir() && target != wasi;
    let compiler = shims(lab, project, ARM).join("cc");
    for remove_sdk in [false, true] {
        if remove_sdk {
            fs_err::remove_dir_all(lab.home().join("sdks")).unwrap();
            // The shims say what is missing, and a new `add` does without.
            let gone = Command::new(&compiler).arg("-v").output().unwrap();
            let said = String::from_utf8_lossy(&gone.stderr).into_owned();
            assert!(
                said.contains("SDK") && said.contains("help: import it again: xtool sdk import"),
                "{said}"
            );
            succeed(&mut lab.xtool(project, &[&["add"], &targets[..], &zig[..]].concat()));
        }
        for target in targets {
            let env = succeed(&mut lab.xtool(project, &["env", target, "--format", "json"]));
            let env: serde_json::Value = serde_json::from_str(&env).unwrap();
            let args = env["BINDGEN_EXTRA_CLANG_ARGS"].as_str().unwrap();
            assert_eq!(args.contains("-isysroot"), with_sdk(target), "{args}");
            // bindgen splits the variable as a shell does.
            let script = format!("\"$1\" -fsyntax-only -x c {args} \"$2\"");
            let clang = llvm.join("bin/clang");
            succeed(
                Command::new("sh")
                    .args(["-c", &script, "-"])
                    .args([&clang, &header])
                    .env("LD_LIBRARY_PATH", &library_path),
            );
        }
    }
}
