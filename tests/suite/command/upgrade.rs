//! Two builds of xtool of one version and one store: no shim runs the other build's code, or old code.

#![cfg(unix)]

use std::path::{Path, PathBuf};

use super::rig::{Fake, Rig, TARGET, names, succeed};

/// A build that differs in its last byte: bytes behind an executable's sections mean nothing to the system.
fn build(rig: &Rig, name: &str, last: u8) -> PathBuf {
    let mut bytes = fs_err::read(env!("CARGO_BIN_EXE_xtool")).unwrap();
    bytes.push(last);
    let path = rig.env.write(&format!("builds/{name}/xtool"), bytes);
    let mode = fs_err::metadata(env!("CARGO_BIN_EXE_xtool")).unwrap();
    fs_err::set_permissions(&path, mode.permissions()).unwrap();
    same_time(&path);
    path
}

/// As in builds that can be reproduced, and in images: size and time say nothing.
fn same_time(path: &Path) {
    let file = fs_err::OpenOptions::new().append(true).open(path).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    file.file().set_modified(time).unwrap();
}

/// The copy that the project's linker is.
fn linker(rig: &Rig, project: &Path) -> PathBuf {
    let config = fs_err::read_to_string(project.join(".cargo/config.toml")).unwrap();
    let line = config.lines().find_map(|l| l.strip_prefix("linker = "));
    let shim = line.expect("a linker").trim_matches('"');
    let tools = Path::new(shim).with_file_name("tools");
    let copy = fs_err::read_link(tools.join("cc")).unwrap();
    assert_eq!(copy.parent().unwrap(), rig.home().join("bin"));
    copy
}

fn copies(rig: &Rig) -> usize {
    let all = names(&rig.home().join("bin"));
    all.iter().filter(|n| n.starts_with("xtool-")).count()
}

#[test]
fn two_builds_of_one_version_do_not_meet() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let [one, two] = [build(&rig, "one", 1), build(&rig, "two", 2)];
    let add = ["add", TARGET, "--no-rust-std"];

    succeed(&mut rig.program(&one, &add));
    let first = linker(&rig, &rig.project());
    assert_eq!(fs_err::read(&first).unwrap(), fs_err::read(&one).unwrap());

    // Another project of the same user, with another build: the first one's linker stays what it was.
    let other = rig.env.path("other");
    fs_err::create_dir(&other).unwrap();
    fs_err::copy(rig.project().join("Cargo.toml"), other.join("Cargo.toml")).unwrap();
    fs_err::create_dir(other.join("src")).unwrap();
    fs_err::write(other.join("src/main.rs"), "fn main() {}\n").unwrap();
    let runner = [&add[..], &["--toolchain", "fake"]].concat();
    let text = format!("[targets]\n{TARGET} = {{ runner = \"/bin/echo\" }}\n");
    fs_err::write(other.join("xtool.toml"), text).unwrap();
    let mut command = rig.program(&two, &runner);
    succeed(command.arg("--trust").current_dir(&other));
    let second = linker(&rig, &other);
    assert_eq!(fs_err::read(&second).unwrap(), fs_err::read(&two).unwrap());
    assert_eq!(linker(&rig, &rig.project()), first);
    assert_eq!(copies(&rig), 2);

    // A new build in place of the old one, of the same size and time: the next run renews the shims. What is left of
    // the old build goes with a prune, the other project's stays.
    fs_err::rename(build(&rig, "three", 3), &one).unwrap();
    succeed(&mut rig.program(&one, &add));
    let third = linker(&rig, &rig.project());
    assert_eq!(fs_err::read(&third).unwrap(), fs_err::read(&one).unwrap());
    assert_eq!(copies(&rig), 3);
    for copy in [&first, &second, &third] {
        same_time(copy);
    }
    succeed(&mut rig.program(&one, &["cache", "prune", "--dry-run"]));
    assert_eq!(copies(&rig), 3);
    succeed(&mut rig.program(&one, &["cache", "prune"]));
    assert!(!first.exists() && second.exists() && third.exists());

    // Running again copies nothing.
    let before = fs_err::metadata(&third).unwrap().modified().unwrap();
    succeed(&mut rig.program(&one, &add));
    assert_eq!(
        fs_err::metadata(&third).unwrap().modified().unwrap(),
        before
    );

    // A copy that is not whole, as after a power cut, is made again.
    fs_err::write(&third, "half").unwrap();
    succeed(&mut rig.program(&one, &add));
    assert_eq!(fs_err::read(&third).unwrap(), fs_err::read(&one).unwrap());
}
