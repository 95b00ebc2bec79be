//! Pipes, devices and endless files where a file is looked for: an error that names them, soon and in little memory.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::rig::{Fake, Rig, TARGET, fail, names, said, succeed};

fn fifo(path: &Path) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn link_to(target: &str, path: &Path) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::os::unix::fs::symlink(target, path).unwrap();
}

/// F56's neighbour: a file of the project is a FIFO, or leads to a device.
#[test]
fn in_the_project() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let settings = format!("[targets.{TARGET}]\n");
    let sync = &["sync"][..];
    // A link out of the project needs consent.
    let add = &["add", TARGET, "--no-rust-std", "--trust"][..];
    for (file, args) in [
        ("xtool.lock", sync),
        (".cargo/config.toml", add),
        (".cargo/xtool.toml", add),
    ] {
        for make in [fifo as fn(&Path), |path| link_to("/dev/zero", path)] {
            let rig = Rig::with(&server, std::slice::from_ref(&fake));
            rig.env.write("project/xtool.toml", &settings);
            make(&rig.project().join(file));
            fail(&mut rig.xtool(args), &[file, "not a regular file", "help:"]);
        }
    }
    // A link that is no file is none of xtool's settings, and does not hold a run up.
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    link_to("/dev/zero", &rig.project().join("xtool.toml"));
    let start = Instant::now();
    fail(
        &mut rig.xtool(&["sync"]),
        &["xtool.toml", "not a regular file"],
    );
    assert!(start.elapsed().as_secs() < 20);
}

/// F35's neighbour: a file of text that is as large as a disk.
#[test]
fn endless_text() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let lock = rig.env.write("project/xtool.lock", "");
    rig.env
        .write("project/xtool.toml", format!("[targets.{TARGET}]\n"));
    let file = fs_err::OpenOptions::new().write(true).open(lock).unwrap();
    file.set_len(1 << 40).unwrap();
    fail(
        &mut rig.xtool(&["sync"]),
        &["xtool.lock", "16777216 bytes", "help:"],
    );
}

/// F68's neighbour: what the user names is a pipe or a device.
#[test]
fn named_by_the_user() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let pipe = rig.env.path("pipe.tar.gz");
    fifo(&pipe);
    for path in ["/dev/zero", pipe.to_str().unwrap()] {
        let words = &[path, "not a regular file", "help:"];
        fail(&mut rig.xtool(&["list", "--manifest", path]), words);
        let words = &[path, "neither a file nor a folder", "help:"];
        fail(&mut rig.xtool(&["sdk", "import", path]), words);
    }
    assert_eq!(names(&rig.home().join("sdks")), [""; 0]);
}

/// F37's neighbour: the mirror's file of that digest is a FIFO or a device; the next source serves.
#[test]
fn in_a_mirror() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    for make in [fifo as fn(&Path), |path| link_to("/dev/zero", path)] {
        for whole in [false, true] {
            let rig = Rig::with(&server, std::slice::from_ref(&fake));
            let place = if whole {
                rig.env.path("mirror.tar.zst")
            } else {
                rig.env.path(&format!("mirror/sha256/{}", fake.digest()))
            };
            make(&place);
            let mirror = rig
                .env
                .path(if whole { "mirror.tar.zst" } else { "mirror" });
            let told = succeed(rig.add().env("XTOOL_MIRROR", &mirror));
            assert!(told.contains("not a regular file"), "{told}");
            assert_eq!(
                rig.toolchains().len(),
                1,
                "{}",
                said(&super::rig::run(&mut rig.add()))
            );
        }
    }
}
