//! F45: a disk that is full, by way of a small file system of the test's own.

#![cfg(target_os = "linux")]

use std::process::Command;

use super::rig::{Fake, Rig, TARGET, fail, manifest, names, run, said, succeed};
use crate::support::skip;
use crate::support::small_disk::SmallDisk;

/// F45: full while downloading: the path and the bytes that are needed; the store and the project as before.
#[test]
fn full_while_downloading() {
    let fake = Fake::new("fake", 3_000_000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let Some(_small) = SmallDisk::mount(&rig.cache(), "1m") else {
        skip("F45", "this user may not mount a file system");
        return;
    };
    let before = rig.project_files();
    let size = fake.archive.len().to_string();
    let cache = rig.cache();
    fail(&mut rig.add(), &[cache.to_str().unwrap(), &size, "help:"]);
    assert_eq!(rig.project_files(), before);
    assert_eq!(rig.toolchains(), [""; 0]);
    // Elsewhere there is room; nothing has to be cleaned by hand.
    succeed(rig.add().env("XTOOL_CACHE_DIR", rig.env.path("roomy")));
    rig.assert_tidy();
}

/// A full disk is no source's fault: the next one is not asked, and no warning speaks of one.
#[test]
fn a_full_cache_asks_no_other_source() {
    let fake = Fake::new("fake", 3_000_000);
    let servers = [(), ()].map(|()| Fake::serve(std::slice::from_ref(&fake)));
    let rig = Rig::new();
    let urls = servers.each_ref().map(|s| s.url(&fake.file()).to_string());
    rig.env
        .write("manifest.toml", manifest(&[(&fake, &urls[..])]));
    let Some(_small) = SmallDisk::mount(&rig.cache(), "1m") else {
        skip("F45", "this user may not mount a file system");
        return;
    };
    let size = fake.archive.len().to_string();
    let cache = rig.cache();
    let said = fail(
        &mut rig.add(),
        &[cache.to_str().unwrap(), &size, "help: free some space"],
    );
    assert!(
        !said.contains("warning") && !said.contains(&urls[1]),
        "{said}"
    );
    assert_eq!(servers[1].connections(), 0);
}

/// F45: full while unpacking: the file and its bytes; staging is empty, what was installed is whole, and with room
/// the same command succeeds.
#[test]
fn full_while_unpacking() {
    let fakes = [Fake::new("fake", 1000), Fake::new("other", 40_000_000)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    let Some(_small) = SmallDisk::mount(&rig.home(), "24m") else {
        skip("F45", "this user may not mount a file system");
        return;
    };
    succeed(&mut rig.xtool(&["fetch", TARGET]));
    let before = rig.project_files();
    let said = fail(
        &mut rig.xtool(&["add", TARGET, "--toolchain", "other", "--no-rust-std"]),
        &["lib/libc.a", "40000000 bytes", "help:"],
    );
    assert!(said.contains("space"), "{said}");
    assert_eq!(rig.project_files(), before);
    assert_eq!(rig.toolchains().len(), 1);
    rig.assert_tidy();
    assert_eq!(names(&rig.home().join("toolchains")).len(), 2);
    let grown = Command::new("mount")
        .args(["-o", "remount,size=200m"])
        .arg(rig.home())
        .status();
    assert!(grown.unwrap().success());
    succeed(&mut rig.xtool(&["add", TARGET, "--toolchain", "other", "--no-rust-std"]));
}

/// F45: full while the project's files are written: each is as it was or complete.
#[test]
fn full_while_writing_the_project() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    succeed(&mut rig.xtool(&["fetch", TARGET]));
    let project = rig.env.path("small");
    let Some(_small) = SmallDisk::mount(&project, "64k") else {
        skip("F45", "this user may not mount a file system");
        return;
    };
    fs_err::write(project.join("Cargo.toml"), "[package]\nname = \"p\"\n").unwrap();
    fs_err::create_dir(project.join("src")).unwrap();
    fs_err::write(project.join("src/lib.rs"), "").unwrap();
    let config = "[net]\nretry = 3\n";
    fs_err::create_dir(project.join(".cargo")).unwrap();
    fs_err::write(project.join(".cargo/config.toml"), config).unwrap();
    // Not a page is left.
    let filler = project.join("filler");
    let mut size = 64 * 1024;
    while size > 0 {
        let more = vec![0; size];
        let mut file = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&filler)
            .unwrap();
        if std::io::Write::write_all(&mut file, &more).is_err() {
            size /= 2;
        }
    }
    fail(
        rig.add().current_dir(&project),
        &[project.to_str().unwrap()],
    );
    assert_eq!(
        fs_err::read_to_string(project.join(".cargo/config.toml")).unwrap(),
        config
    );
    for name in ["xtool.toml", "xtool.lock"] {
        assert!(
            fs_err::metadata(project.join(name)).is_ok_and(|m| m.len() > 0)
                || !project.join(name).exists()
        );
    }
    fs_err::remove_file(&filler).unwrap();
    succeed(rig.add().current_dir(&project));
    succeed(rig.xtool(&["remove", "--all"]).current_dir(&project));
    assert_eq!(
        fs_err::read_to_string(project.join(".cargo/config.toml")).unwrap(),
        config
    );
}

/// F45's neighbour: room for some of the project's files only: the user's own linker is not replaced by a run that
/// fails, and comes back when one has succeeded.
#[test]
fn full_between_the_projects_files() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    succeed(&mut rig.xtool(&["fetch", TARGET]));
    let project = rig.env.path("small");
    let config = format!("[target.{TARGET}]\nlinker = \"my-own\"\n");
    let mut failed = 0;
    for kib in (8..=40).step_by(4) {
        let Some(_small) = SmallDisk::mount(&project, &format!("{kib}k")) else {
            skip("F45", "this user may not mount a file system");
            return;
        };
        fs_err::write(project.join("Cargo.toml"), "[package]\nname = \"p\"\n").unwrap();
        fs_err::create_dir(project.join(".cargo")).unwrap();
        fs_err::write(project.join(".cargo/config.toml"), &config).unwrap();
        let mut add = rig.add();
        let output = run(add.arg("--force").current_dir(&project));
        let now = fs_err::read_to_string(project.join(".cargo/config.toml")).unwrap();
        assert_eq!(
            output.status.success(),
            now != config,
            "{kib}: {}",
            said(&output)
        );
        failed += u32::from(!output.status.success());
        let grown = Command::new("mount")
            .args(["-o", "remount,size=9m"])
            .arg(&project)
            .status();
        assert!(grown.unwrap().success());
        succeed(rig.add().arg("--force").current_dir(&project));
        succeed(rig.xtool(&["remove", "--all"]).current_dir(&project));
        let back = fs_err::read_to_string(project.join(".cargo/config.toml")).unwrap();
        assert_eq!(back, config, "{kib}");
    }
    assert!(failed > 1, "every size was enough");
}
