//! Sources that fail, and the network that is out of bounds.

use super::rig::{Fake, Rig, TARGET, fail, manifest, succeed};
use crate::support::server::{Reply, Server};

/// F20: with everything cached `--offline` installs, and opens no socket; without, it names the archive.
#[test]
fn offline_uses_what_is_there_and_nothing_else() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    fail(rig.add().arg("--offline"), &["fake-1.tar.gz", "--offline"]);
    assert_eq!(server.connections(), 0);
    assert_eq!(rig.toolchains(), [""; 0]);

    succeed(&mut rig.xtool(&["fetch", TARGET]));
    assert_eq!(server.connections(), 1);
    // The download is there, the toolchain is not.
    fs_err::remove_dir_all(rig.home()).unwrap();
    succeed(rig.add().arg("--offline"));
    assert_eq!(server.connections(), 1);
    assert_eq!(rig.toolchains().len(), 1);
    // And with the toolchain there, not even the download is needed.
    fs_err::remove_dir_all(rig.cache()).unwrap();
    succeed(&mut rig.xtool(&["sync", "--offline", "--locked"]));
    assert_eq!(server.connections(), 1);
}

/// F21: the first source is down, the second gives it: installed, with a warning that names the first.
#[test]
fn the_next_source_steps_in() {
    let fake = Fake::new("fake", 1000);
    let down = Server::new(|_, _| Reply::status(404));
    let good = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::new();
    let urls = [
        down.url(&fake.file()).to_string(),
        good.url(&fake.file()).to_string(),
    ];
    rig.env.write("manifest.toml", manifest(&[(&fake, &urls)]));
    let said = succeed(&mut rig.add());
    let warnings: Vec<&str> = said.lines().filter(|l| l.starts_with("warning:")).collect();
    assert_eq!(warnings.len(), 1, "{said}");
    assert!(warnings[0].contains(&down.authority()), "{said}");
    assert_eq!(rig.toolchains().len(), 1);
    rig.assert_tidy();
}

/// F23, F22, F19: every source is bad in its own way: each is listed with its cause, and nothing is installed.
#[test]
fn every_source_is_listed_when_all_fail() {
    let fake = Fake::new("fake", 1000);
    let mut flipped = fake.archive.clone();
    flipped[500] ^= 1;
    let other = Server::new(move |r, _| Reply::file(r, &flipped));
    let gone = Server::new(|_, _| Reply::status(404));
    let login = Server::new(|_, _| {
        Reply::ok("<!DOCTYPE html><html>Log in</html>").header("Content-Type", "text/html")
    });
    let rig = Rig::new();
    let urls: Vec<String> = [&other, &gone, &login]
        .iter()
        .map(|s| s.url(&fake.file()).to_string())
        .collect();
    rig.env.write("manifest.toml", manifest(&[(&fake, &urls)]));
    let before = rig.project_files();
    let said = fail(&mut rig.add(), &["digest", "404", "HTML"]);
    for server in [&other, &gone, &login] {
        assert!(said.contains(&server.authority()), "{said}");
    }
    // A digest that is wrong, like a 404, is the server's last word.
    assert_eq!(other.requests().len(), 1);
    assert_eq!(rig.toolchains(), [""; 0]);
    assert_eq!(rig.project_files(), before);
    rig.assert_tidy();
}

/// F26: `--locked` with no entry: exit 1 without a connection. F27: a lock that another manifest would write:
/// which, and the command.
#[test]
fn locked_means_locked() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    rig.env.write(
        "project/xtool.toml",
        format!("[targets]\n\"{TARGET}\" = {{ rust-std = \"none\" }}\n"),
    );
    for command in ["sync", "fetch"] {
        fail(
            &mut rig.xtool(&[command, "--locked"]),
            &[TARGET, "xtool.lock", "help:"],
        );
    }
    assert_eq!(server.connections(), 0);

    succeed(&mut rig.xtool(&["sync"]));
    succeed(&mut rig.xtool(&["sync", "--locked"]));
    let lock = fs_err::read_to_string(rig.env.path("project/xtool.lock")).unwrap();
    let connections = server.connections();

    // The manifest moves on: same name and version, other bytes.
    let newer = Fake::new("fake", 2000);
    let elsewhere = Fake::serve(std::slice::from_ref(&newer));
    rig.serve_from(&elsewhere, std::slice::from_ref(&newer));
    for args in [&["sync", "--locked"][..], &["sync"], &["fetch", "--locked"]] {
        fail(&mut rig.xtool(args), &["fake", "xtool update"]);
    }
    assert_eq!(
        fs_err::read_to_string(rig.env.path("project/xtool.lock")).unwrap(),
        lock
    );
    assert_eq!(server.connections(), connections);
    assert_eq!(elsewhere.connections(), 0);
    succeed(&mut rig.xtool(&["update"]));
    assert_ne!(
        fs_err::read_to_string(rig.env.path("project/xtool.lock")).unwrap(),
        lock
    );
}

/// F27: xtool.toml asks for another toolchain than the lock has.
#[test]
fn a_lock_that_xtool_toml_has_left_behind() {
    let fakes = [Fake::new("fake", 1000), Fake::new("other", 1000)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    succeed(&mut rig.add());
    let connections = server.connections();
    rig.env.write(
        "project/xtool.toml",
        format!("[targets]\n\"{TARGET}\" = {{ toolchain = \"other\", rust-std = \"none\" }}\n"),
    );
    fail(
        &mut rig.xtool(&["sync", "--locked"]),
        &["other", "fake", "xtool update"],
    );
    assert_eq!(server.connections(), connections);
    succeed(&mut rig.xtool(&["sync"]));
    assert_eq!(rig.toolchains().len(), 2);
}
