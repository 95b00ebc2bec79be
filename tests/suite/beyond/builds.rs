//! CMake, Meson, `configure` and Go.

use std::process::Command;

use super::{folder, magic};
use crate::real::{Lab, fail, succeed};

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const ARM64: &str = "aarch64-unknown-linux-musl";

#[test]
fn cmake_builds_and_tests_for_other_machines() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &[WINDOWS, ARM64]);
    let packages = |of: &str, name: &str| {
        let folder = lab.dir.path().join(of);
        fs_err::create_dir(&folder).unwrap();
        let text = format!("Name: {name}\nDescription: {name}\nVersion: 1\nLibs: -l{name}\n");
        fs_err::write(folder.join(format!("{name}.pc")), text).unwrap();
        folder
    };
    let hosts = packages("hosts", "host-only");
    let own = packages("own", "own");
    for (target, program) in [(WINDOWS, "greet.exe"), (ARM64, "greet")] {
        let suffix = target.replace('-', "_");
        let text = succeed(&mut lab.xtool(&folder, &["env", target, "--format", "cmake"]));
        let file = folder.join(format!("{target}.cmake"));
        fs_err::write(&file, text).unwrap();
        let build = folder.join("build with spaces").join(target);
        succeed(
            Command::new("cmake")
                .env("OWN_PACKAGE", "own")
                .env("PKG_CONFIG_PATH", &hosts)
                .env(format!("PKG_CONFIG_PATH_{suffix}"), &own)
                .args(["-G", "Ninja", "-S"])
                .arg(&folder)
                .arg("-B")
                .arg(&build)
                .arg("--toolchain")
                .arg(&file),
        );
        succeed(Command::new("cmake").arg("--build").arg(&build));
        // By CMake's own test driver, through the runner.
        succeed(
            Command::new("ctest")
                .arg("--output-on-failure")
                .current_dir(&build),
        );
        let native: &[u8] = if target == WINDOWS { b"MZ" } else { b"\x7fELF" };
        assert!(magic(&build.join(program)).starts_with(native));
    }
}

#[test]
fn meson_builds_and_tests_for_other_machines() {
    let lab = Lab::enter();
    let folder = folder(&lab, "meson", &[WINDOWS, ARM64]);
    for target in [WINDOWS, ARM64] {
        let text = succeed(&mut lab.xtool(&folder, &["env", target, "--format", "meson"]));
        let file = folder.join(format!("{target}.ini"));
        fs_err::write(&file, text).unwrap();
        let build = folder.join(format!("build-{target}"));
        succeed(
            Command::new("meson")
                .args(["setup", "--cross-file"])
                .args([&file, &build, &folder]),
        );
        let said = succeed(Command::new("meson").args(["test", "-C"]).arg(&build));
        assert!(said.contains("1/1 greet") && said.contains("OK"), "{said}");
    }
}

/// By CC and the like, and by `--host` alone, as scripts do that ignore them.
#[test]
fn configure_and_make_find_the_compiler_both_ways() {
    let lab = Lab::enter();
    let folder = folder(&lab, "configure", &[WINDOWS]);
    let script = "./configure --host=x86_64-w64-mingw32 && make";
    let by_variables =
        succeed(&mut lab.xtool(&folder, &["exec", WINDOWS, "--", "sh", "-c", script]));
    assert!(by_variables.contains("/cc\n"), "{by_variables}");
    assert_eq!(magic(&folder.join("greet.exe"))[..2], *b"MZ");

    let script = "unset CC CXX AR RANLIB; make -s clean 2>/dev/null; rm -f *.o *.a; ./configure --host=x86_64-w64-mingw32 && make";
    let by_name = succeed(&mut lab.xtool(&folder, &["exec", WINDOWS, "--", "sh", "-c", script]));
    assert!(by_name.contains("with x86_64-w64-mingw32-gcc"), "{by_name}");
    // The host's own compiler is still the host's.
    let cc = succeed(&mut lab.xtool(
        &folder,
        &["exec", WINDOWS, "--", "sh", "-c", "command -v cc"],
    ));
    assert!(!cc.contains("shims"), "{cc}");
}

#[test]
fn go_builds_cgo_programs_that_run() {
    let lab = Lab::enter();
    let folder = folder(&lab, "go", &[WINDOWS, ARM64]);
    let env = succeed(&mut lab.xtool(&folder, &["env", WINDOWS, "--format", "json"]));
    let env: serde_json::Value = serde_json::from_str(&env).unwrap();
    for (target, program, os) in [
        (WINDOWS, "greet.exe", "windows/amd64"),
        (ARM64, "greet", "linux/arm64"),
    ] {
        let mut go = lab.xtool(
            &folder,
            &["exec", target, "--", "go", "build", "-o", program, "."],
        );
        // What Go compiles of its own is kept between runs of the tests.
        let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("real/go");
        succeed(
            go.env("GOCACHE", cache)
                .env("GOPROXY", "off")
                .env("GOTOOLCHAIN", "local")
                .env("GOFLAGS", "-mod=mod"),
        );
        let runner = format!(
            "CARGO_TARGET_{}_RUNNER",
            target.to_ascii_uppercase().replace('-', "_")
        );
        let env = if target == WINDOWS {
            env.clone()
        } else {
            let text = succeed(&mut lab.xtool(&folder, &["env", target, "--format", "json"]));
            serde_json::from_str(&text).unwrap()
        };
        let said = succeed(Command::new(env[&runner].as_str().unwrap()).arg(folder.join(program)));
        assert_eq!(said.trim(), format!("{os}: 2 spaces, length 14"));
    }
    // Static, so that it runs in an empty container.
    let elf = fs_err::read(folder.join("greet")).unwrap();
    let file = object::read::elf::ElfFile64::<object::Endianness>::parse(&*elf).unwrap();
    let interpreter = file
        .elf_program_headers()
        .iter()
        .any(|h| h.p_type.get(object::Endianness::Little) == object::elf::PT_INTERP);
    assert!(!interpreter);
    let go = succeed(&mut lab.xtool(&folder, &["env", ARM64, "--format", "go"]));
    assert!(
        go.contains("CGO_ENABLED=0") && go.contains("export GOARCH='arm64'"),
        "{go}"
    );
}

/// Each shell that is here reads its own format back.
#[test]
fn formats_are_what_their_readers_expect() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &[ARM64]);
    let cc = |format: &str| succeed(&mut lab.xtool(&folder, &["env", ARM64, "--format", format]));
    let script = format!("{}printf %s \"$CC\"", cc("sh"));
    let read = succeed(Command::new("sh").args(["-c", &script]));
    assert!(read.ends_with("/cc"), "{read}");
    assert!(cc("fish").contains(&format!("set -gx CC '{read}'\n")));
    assert!(cc("powershell").contains(&format!("$env:CC = '{read}'\n")));
    assert!(cc("github").contains(&format!("\nCC={read}\n")));
    let said = fail(
        &mut lab.xtool(&folder, &["env", ARM64, "--format", "tcsh"]),
        2,
    );
    assert!(
        said.contains("powershell") && said.contains("meson"),
        "{said}"
    );
}

#[test]
fn exec_hands_the_exit_code_on() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &[ARM64]);
    fail(
        &mut lab.xtool(&folder, &["exec", ARM64, "--", "sh", "-c", "exit 57"]),
        57,
    );
    let said = fail(
        &mut lab.xtool(&folder, &["exec", ARM64, "--", "no-such-program"]),
        1,
    );
    assert!(
        said.contains("`no-such-program`") && said.contains("help: "),
        "{said}"
    );
    let said = fail(&mut lab.xtool(&folder, &["exec", WINDOWS, "--", "true"]), 1);
    assert!(said.contains("xtool add x86_64-pc-windows-gnu"), "{said}");
}

/// fish takes every value as it is. (PowerShell is not in Debian: its form is checked as text, beside its code.)
#[test]
fn fish_reads_what_env_writes_for_it() {
    let odd = [
        ("PLAIN", "/a/b"),
        ("SPACES", "a  b 'c' \"d\""),
        ("SIGNS", r"$HOME \\n \' %x `y` (z) ~ * {a,b}"),
        ("LINES", "one\ntwo"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let script = xtool::build_env::format::fish(&odd);
    for (name, value) in &odd {
        let code = format!("{script}printf %s \"${name}\"");
        let mut fish = Command::new("fish");
        let said = succeed(fish.args(["--no-config", "-c", &code]));
        assert_eq!(said, *value, "{name}");
    }
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &[ARM64]);
    let code = format!(
        "{} env {ARM64} --format fish | source; and $CC --version",
        env!("CARGO_BIN_EXE_xtool")
    );
    let plain = lab.xtool(&folder, &[]);
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-c", &code]).current_dir(&folder);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => fish.env(name, value),
            None => fish.env_remove(name),
        };
    }
    let said = succeed(&mut fish);
    assert!(said.contains("clang version"), "{said}");
}
