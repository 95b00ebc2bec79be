//! Many processes at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::rig::{Fake, Rig, TARGET, finish, said, spawn, succeed, tree, until};
use crate::support::server::{Reply, Server};

/// F42: twenty processes add one target: one download, and all of them succeed, each in a project of its own.
#[test]
fn twenty_of_one_share_a_download() {
    let fake = Fake::new("fake", 4_000_000);
    let serving = fake.clone();
    let slow = move |r: &crate::support::server::Request, _| {
        serving.reply(r).pace(256 * 1024, Duration::from_millis(20))
    };
    let server = Server::new(slow);
    let one = Rig::with(&server, std::slice::from_ref(&fake));
    let start = Instant::now();
    succeed(&mut one.xtool(&["add", TARGET, "--no-cargo"]));
    let alone = start.elapsed();
    let reference = tree(&one.home().join("toolchains"));
    assert_eq!(server.requests().len(), 1);

    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let start = Instant::now();
    let children: Vec<_> = (0..20)
        .map(|i| {
            let folder = rig.env.path(&format!("p{i}"));
            fs_err::create_dir(&folder).unwrap();
            let mut command = rig.xtool(&["add", TARGET, "--no-cargo"]);
            spawn(command.current_dir(folder))
        })
        .collect();
    for child in children {
        let output = finish(child);
        assert!(output.status.success(), "{}", said(&output));
    }
    let together = start.elapsed();
    assert_eq!(server.requests().len(), 2, "one download for all twenty");
    // The receipt names no time and no place: the two stores are the same.
    assert_eq!(tree(&rig.home().join("toolchains")), reference);
    assert_eq!(super::rig::names(&rig.home().join("projects")).len(), 20);
    rig.assert_tidy();
    eprintln!(
        "measured: one add {alone:?}, twenty at once {together:?}, ratio {:.2}, downloads 1",
        together.as_secs_f64() / alone.as_secs_f64()
    );
}

/// F42: twenty different toolchains do not wait for each other: all are downloaded before any is answered.
#[test]
fn twenty_different_run_in_parallel() {
    let fakes: Vec<Fake> = (0..20)
        .map(|i| Fake::new(&format!("fake{i}"), 1000 + i))
        .collect();
    let serving = fakes.clone();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(0)));
    let (counting, highest) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::new(move |request, _| {
        let here = counting.fetch_add(1, Ordering::SeqCst) + 1;
        {
            let mut most = highest.lock().unwrap();
            *most = here.max(*most);
        }
        // Nobody is answered before all have asked; a queue would never get there.
        until(Duration::from_secs(20), || {
            counting.load(Ordering::SeqCst) >= 20
        });
        let name = request.path().trim_start_matches('/');
        let fake = serving.iter().find(|f| f.file() == name);
        fake.map_or(Reply::status(404), |f| f.reply(request))
    });
    let rig = Rig::with(&server, &fakes);
    let children: Vec<_> = fakes
        .iter()
        .map(|fake| {
            let folder = rig.env.path(&fake.name);
            fs_err::create_dir(&folder).unwrap();
            let args = ["add", TARGET, "--no-cargo", "--toolchain", &fake.name];
            spawn(rig.xtool(&args).current_dir(folder))
        })
        .collect();
    for child in children {
        let output = finish(child);
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(*most.lock().unwrap(), 20);
    assert_eq!(rig.toolchains().len(), 20);
    rig.assert_tidy();
}

/// F59: two adds of different targets in one project at once: both are in every file in the end.
#[test]
fn two_adds_in_one_project_are_both_there() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let other = "x86_64-unknown-linux-musl";
    let manifest = fs_err::read_to_string(rig.env.path("manifest.toml")).unwrap();
    let (head, target) = manifest.split_once("[target.").unwrap();
    let both = format!(
        "{head}[target.{target}[target.{}",
        target.replace(TARGET, other)
    );
    rig.env.write("manifest.toml", both);
    for _ in 0..3 {
        let children = [TARGET, other].map(|t| spawn(&mut rig.xtool(&["add", t, "--no-rust-std"])));
        for child in children {
            let output = finish(child);
            assert!(output.status.success(), "{}", said(&output));
        }
        for file in ["xtool.toml", "xtool.lock", ".cargo/config.toml"] {
            let text = fs_err::read_to_string(rig.project().join(file)).unwrap();
            assert!(
                text.contains(TARGET) && text.contains(other),
                "{file}: {text}"
            );
        }
        succeed(&mut rig.xtool(&["sync", "--locked", "--offline"]));
        succeed(&mut rig.xtool(&["remove", "--all"]));
    }
}

/// F42's neighbour: `cache clean` beside a download: neither takes the other's files away.
#[test]
fn clean_leaves_a_running_download_alone() {
    let fake = Fake::new("fake", 400_000);
    let serving = fake.clone();
    let server = Server::new(move |r, _| serving.reply(r).pace(20_000, Duration::from_millis(50)));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let child = spawn(&mut rig.add());
    let sha256 = rig.cache().join("downloads/sha256");
    assert!(until(Duration::from_secs(20), || {
        super::rig::names(&sha256)
            .iter()
            .any(|n| super::rig::is_a(n, "part"))
    }));
    succeed(&mut rig.xtool(&["cache", "clean"]));
    let output = finish(child);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(server.requests().len(), 1);
    succeed(&mut rig.xtool(&["cache", "clean"]));
    assert_eq!(super::rig::names(&sha256), [""; 0]);
}
