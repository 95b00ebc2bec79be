//! x86_64-pc-windows-gnu with both of its toolchains: native crates build with plain cargo, import only what Windows
//! has, and run.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::read::pe::PeFile64;

use super::{Lab, fail, need_library_source, project, succeed};

const TARGET: &str = "x86_64-pc-windows-gnu";

/// DLLs of every Windows 10; `api-ms-win-*` are names of its API sets.
const SYSTEM: [&str; 12] = [
    "kernel32.dll",
    "ntdll.dll",
    "msvcrt.dll",
    "advapi32.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "userenv.dll",
    "ws2_32.dll",
    "user32.dll",
    "ole32.dll",
    "oleaut32.dll",
    "ucrtbase.dll",
];

#[test]
fn mingw_w64_builds_native_crates_that_run() {
    build_and_run("mingw-w64");
}

#[test]
fn zig_builds_native_crates_that_run() {
    build_and_run("zig");
}

/// In a workspace member, in a folder whose path has spaces.
fn build_and_run(toolchain: &str) {
    need_library_source();
    let lab = Lab::enter();
    let root = lab.dir.path().join("a path with spaces");
    let member = project("natives", &root);
    fs_err::write(
        root.join("Cargo.toml"),
        "[workspace]\nmembers = [\"natives\"]\nresolver = \"3\"\n",
    )
    .unwrap();
    fs_err::rename(member.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();

    succeed(&mut lab.xtool(
        &member,
        &["add", TARGET, "--toolchain", toolchain, "--build-std"],
    ));
    assert!(root.join("xtool.toml").is_file() && root.join("xtool.lock").is_file());
    let config = fs_err::read_to_string(root.join(".cargo/config.toml")).unwrap();
    assert!(
        !member.join(".cargo").exists(),
        "the keys belong to the workspace's root"
    );
    assert!(config.contains("-Cdlltool="), "{config}");

    succeed(&mut lab.cargo(&member, &["build", "--locked", "--target", TARGET]));
    let exe = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("real/target")
        .join(TARGET)
        .join("debug/natives.exe");
    let imports = imports(&exe);
    assert!(!imports.is_empty());
    for dll in &imports {
        assert!(
            SYSTEM.contains(&dll.as_str()) || dll.starts_with("api-ms-win-"),
            "{dll} is not a system DLL: {imports:?}"
        );
    }

    // From an empty folder: nothing beside the program can have helped.
    let empty = lab.dir.path().join("empty");
    fs_err::create_dir(&empty).unwrap();
    fs_err::copy(&exe, empty.join("natives.exe")).unwrap();
    let runner = runner(&config);
    let out = succeed(
        Command::new(runner)
            .arg(empty.join("natives.exe"))
            .current_dir(&empty)
            .env("RUST_BACKTRACE", "0"),
    );
    let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
    assert!(lines[0].starts_with("zstd 3100 -> "), "{out}");
    assert_eq!(
        lines[1..],
        [
            "sqlite 42",
            "ring ba7816bf",
            "c++ 4000",
            "exception thrown in C++",
            "windows ok",
            "rust true 42"
        ],
        "{out}"
    );
}

fn runner(config: &str) -> String {
    let config: toml::Table = toml::from_str(config).unwrap();
    config["target"][TARGET]["runner"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn imports(exe: &Path) -> Vec<String> {
    let bytes = fs_err::read(exe).unwrap();
    let file = PeFile64::parse(&*bytes).unwrap();
    let table = file.import_table().unwrap().unwrap();
    let mut descriptors = table.descriptors().unwrap();
    let mut out = Vec::new();
    while let Some(descriptor) = descriptors.next().unwrap() {
        let name = table
            .name(descriptor.name.get(object::LittleEndian))
            .unwrap();
        out.push(String::from_utf8_lossy(name).to_ascii_lowercase());
    }
    out
}

/// A rustc whose sysroot has no std, whatever the machine's own has: the real one but for that answer, in a folder
/// where the real rustup knows no toolchain.
fn rustc_without_targets(folder: &Path) -> (PathBuf, PathBuf) {
    let rustup = folder.join("rustup");
    let sysroot = rustup.join("toolchains/stable-x86_64-unknown-linux-gnu");
    fs_err::create_dir_all(sysroot.join("lib")).unwrap();
    let real = succeed(Command::new("rustc").args(["--print", "sysroot"]));
    let rustc = folder.join("rustc");
    let script = format!(
        "#!/bin/sh\n[ \"$2\" = sysroot ] && exec echo '{}'\nexec '{}/bin/rustc' \"$@\"\n",
        sysroot.display(),
        real.trim()
    );
    fs_err::write(&rustc, script).unwrap();
    fs_err::set_permissions(&rustc, PermissionsExt::from_mode(0o755)).unwrap();
    (rustc, rustup)
}

#[test]
fn std_that_cannot_be_had_fails_at_the_end_and_keeps_the_rest() {
    let lab = Lab::enter();
    let project = project("natives", lab.dir.path());
    let (rustc, rustup) = rustc_without_targets(lab.dir.path());
    let xtool = |args: &[&str]| {
        let mut command = lab.xtool(&project, args);
        command.env("RUSTC", &rustc).env("RUSTUP_HOME", &rustup);
        command
    };
    let said = fail(&mut xtool(&["add", TARGET]), 1);
    assert!(said.contains("help: "), "{said}");
    assert!(said.contains("--build-std"), "{said}");
    for kept in ["xtool.toml", "xtool.lock", ".cargo/config.toml"] {
        assert!(project.join(kept).is_file(), "{kept}: {said}");
    }
    succeed(&mut xtool(&["add", TARGET, "--no-rust-std"]));
    succeed(&mut xtool(&["sync", "--locked", "--offline"]));
    succeed(&mut xtool(&["remove", TARGET]));
    for gone in ["xtool.toml", "xtool.lock", ".cargo"] {
        assert!(!project.join(gone).exists(), "{gone} is left");
    }
}
