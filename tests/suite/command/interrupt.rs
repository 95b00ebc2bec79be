//! Ctrl-C, which a shell sends to the process, and a supervisor too.

#![cfg(unix)]

use std::time::{Duration, Instant};

use super::rig::{
    Fake, Rig, TARGET, finish, is_a, names, said, signal, spawn, succeed, until, wait,
};
use crate::support::server::Server;

/// A second and a little for a machine that is busy.
const SOON: Duration = Duration::from_millis(1500);

/// F44: interrupted while downloading: exit 130 within a second, the lock is free, the part stays and is resumed.
#[test]
fn while_downloading() {
    let fake = Fake::new("fake", 400_000);
    let serving = fake.clone();
    let server = Server::new(move |r, n| {
        let reply = serving.reply(r);
        if n == 0 {
            reply.stall_after(100_000)
        } else {
            reply
        }
    });
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let before = rig.project_files();
    let mut child = spawn(&mut rig.add());
    let sha256 = rig.cache().join("downloads/sha256");
    assert!(until(Duration::from_secs(20), || part(&sha256) >= 100_000));
    let start = Instant::now();
    signal(&child, "INT");
    let status = wait(&mut child, SOON).expect("it ends within a second");
    assert_eq!(status.code(), Some(130), "{}", said(&finish(child)));
    assert!(start.elapsed() < SOON);
    assert_eq!(part(&sha256), 100_000);
    assert_eq!(rig.project_files(), before);

    // Nothing waits for a lock, and the rest only is asked for.
    succeed(&mut rig.add());
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].header("Range"), Some("bytes=100000-"));
    rig.assert_tidy();
}

/// F44: interrupted while unpacking: 130 within a second, and the next run clears the staging folder away.
#[test]
fn while_unpacking() {
    let fake = Fake::with_files("fake", 60_000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let mut child = spawn(&mut rig.add());
    let staging = rig.home().join("staging");
    assert!(until(Duration::from_secs(20), || !names(&staging).is_empty()));
    signal(&child, "INT");
    let status = wait(&mut child, SOON).expect("it ends within a second");
    assert_eq!(status.code(), Some(130), "{}", said(&finish(child)));
    assert_eq!(rig.toolchains(), [""; 0]);
    succeed(&mut rig.add());
    rig.assert_tidy();
    assert_eq!(server.requests().len(), 1);
}

/// F44: interrupted while it waits for another's lock.
#[test]
fn while_waiting() {
    let fake = Fake::new("fake", 400_000);
    let serving = fake.clone();
    let server = Server::new(move |r, _| serving.reply(r).stall_after(100_000));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let mut first = spawn(&mut rig.add());
    assert!(until(Duration::from_secs(20), || !names(
        &rig.home().join("locks")
    )
    .is_empty()
        && !server.requests().is_empty()));
    let mut second = spawn(&mut rig.add());
    std::thread::sleep(Duration::from_millis(400));
    for child in [&mut second, &mut first] {
        signal(child, "INT");
        let status = wait(child, SOON).expect("it ends within a second");
        assert_eq!(status.code(), Some(130));
    }
}

/// F44: interrupted in a step that is another program's: a package client, rustc or rustup that takes its time.
#[test]
fn while_another_program_runs() {
    use std::os::unix::fs::PermissionsExt as _;
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let marker = rig.env.path("started");
    let rustc = rig.env.write(
        "tools/rustc",
        format!("#!/bin/sh\ntouch '{}'\nexec sleep 20\n", marker.display()),
    );
    fs_err::set_permissions(&rustc, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        rig.env.path("tools").display(),
        std::env::var("PATH").unwrap()
    );
    let mut child = spawn(rig.add().env("PATH", path));
    assert!(until(Duration::from_secs(20), || marker.exists()));
    signal(&child, "INT");
    let status = wait(&mut child, SOON).expect("it ends within a second");
    assert_eq!(status.code(), Some(130), "{}", said(&finish(child)));
    succeed(&mut rig.add());
    succeed(&mut rig.xtool(&["remove", TARGET]));
}

/// F44's neighbour: with `--json` the interruption is an error object too.
#[test]
fn as_json() {
    let fake = Fake::new("fake", 400_000);
    let serving = fake.clone();
    let server = Server::new(move |r, _| serving.reply(r).stall_after(100_000));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let child = spawn(rig.add().arg("--json"));
    assert!(until(Duration::from_secs(20), || !server
        .requests()
        .is_empty()));
    signal(&child, "INT");
    let output = finish(child);
    assert_eq!(output.status.code(), Some(130));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(value["error"]["message"].is_string(), "{value}");
}

fn part(folder: &std::path::Path) -> u64 {
    names(folder)
        .iter()
        .filter(|n| is_a(n, "part"))
        .filter_map(|n| fs_err::metadata(folder.join(n)).ok())
        .map(|m| m.len())
        .sum()
}
