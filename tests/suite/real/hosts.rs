//! One lock for every host, and one store for projects that differ in an option.

use std::path::Path;

use super::{Lab, project, succeed};

#[test]
fn the_lock_serves_macos_and_windows_from_linux() {
    let lab = Lab::with_own_store();
    let project = project("natives", lab.dir.path());
    succeed(&mut lab.xtool(
        &project,
        &[
            "add",
            "x86_64-pc-windows-gnu",
            "--toolchain",
            "zig",
            "--no-rust-std",
        ],
    ));
    for (host, program) in [
        ("aarch64-apple-darwin", "zig"),
        ("x86_64-pc-windows-msvc", "zig.exe"),
    ] {
        succeed(
            lab.xtool(&project, &["fetch", "--locked"])
                .env("XTOOL_HOST", host),
        );
        let found = toolchains(lab.home())
            .into_iter()
            .any(|dir| dir.join(program).is_file() && is_for(&dir.join(program), host));
        assert!(found, "{host}");
    }
    succeed(
        lab.xtool(&project, &["fetch", "--locked", "--offline"])
            .env("XTOOL_HOST", "aarch64-apple-darwin"),
    );
}

fn toolchains(home: &Path) -> Vec<std::path::PathBuf> {
    fs_err::read_dir(home.join("toolchains"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect()
}

/// Told by the magic number: Mach-O (64 bit, little endian) or PE.
fn is_for(program: &Path, host: &str) -> bool {
    let bytes = fs_err::read(program).unwrap();
    match host {
        "aarch64-apple-darwin" => bytes.starts_with(&[0xcf, 0xfa, 0xed, 0xfe]),
        _ => bytes.starts_with(b"MZ"),
    }
}

/// Two projects with different glibc floors compile and link at the same time from one store.
#[test]
fn two_glibc_floors_never_meet() {
    let lab = Lab::enter();
    let target = "x86_64-unknown-linux-gnu";
    let source = lab.dir.path().join("f.c");
    // fcntl became fcntl64@GLIBC_2.28; with a lower floor the old one must be taken.
    let text = "#define _GNU_SOURCE\n#define _FILE_OFFSET_BITS 64\n#include <fcntl.h>\nint main(int c, char **v) { return fcntl(c - 1, F_GETFD) < 0; }\n";
    fs_err::write(&source, text).unwrap();
    let builds: Vec<_> = ["2.17", "2.31"]
        .map(|floor| {
            let project = project("natives", &lab.dir.path().join(floor));
            succeed(&mut lab.xtool(
                &project,
                &[
                    "add",
                    target,
                    "--glibc",
                    floor,
                    "--no-rust-std",
                    "--no-cargo",
                ],
            ));
            let env = succeed(&mut lab.xtool(&project, &["env", target, "--format", "json"]));
            let env: serde_json::Value = serde_json::from_str(&env).unwrap();
            let out = project.join("f");
            let cc = env["CC"].as_str().unwrap();
            let child = std::process::Command::new(cc)
                .arg(&source)
                .arg("-o")
                .arg(&out)
                .spawn()
                .unwrap();
            (floor, out, child)
        })
        .into_iter()
        .collect();
    for (floor, out, mut child) in builds {
        assert!(child.wait().unwrap().success());
        let highest = highest_glibc(&out);
        let expected = if floor == "2.17" {
            highest <= 17
        } else {
            (28..=31).contains(&highest)
        };
        assert!(expected, "floor {floor}: GLIBC_2.{highest}");
    }
}

fn highest_glibc(file: &Path) -> u32 {
    let bytes = fs_err::read(file).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    text.match_indices("GLIBC_2.")
        .filter_map(|(i, found)| {
            let digits: String = text[i + found.len()..]
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse().ok()
        })
        .max()
        .unwrap()
}
