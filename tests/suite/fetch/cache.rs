//! The cache: what is in it is checked again, downloaded once, and taken over from package clients.

use std::sync::Arc;
use std::time::Duration;

use xtool::fetch::{FetchError, Fetcher, Settings};
use xtool::help::Help as _;

use super::{Rig, archive, assert_holds, assert_says, quick, told};
use crate::support::noise;
use crate::support::recorder::Recorder;
use crate::support::server::{Reply, Server};

#[tokio::test]
async fn what_is_cached_is_not_downloaded() {
    let body = noise(1000);
    let server = Server::files([("t", body.clone())]);
    let wanted = archive(&body);
    let rig = Rig::new();
    assert!(rig.fetcher.cached(&wanted).unwrap().is_none());
    rig.download(&wanted, &server.url("t")).await.unwrap();
    let connections = server.connections();
    rig.download(&wanted, &server.url("t")).await.unwrap();
    assert_holds(&rig.fetcher.cached(&wanted).unwrap().unwrap(), &body);
    assert_eq!(server.connections(), connections);
}

/// F22: a cached file that rotted is removed with a warning, and downloaded anew.
#[tokio::test]
async fn a_damaged_cached_file_is_removed() {
    let body = noise(1000);
    let server = Server::files([("t", body.clone())]);
    let wanted = archive(&body);
    let rig = Rig::new();
    let path = rig
        .download(&wanted, &server.url("t"))
        .await
        .unwrap()
        .path()
        .to_owned();
    let mut rotten = body.clone();
    rotten[500] ^= 1;
    fs_err::write(&path, &rotten).unwrap();
    assert!(rig.fetcher.cached(&wanted).unwrap().is_none());
    assert!(!path.exists());
    let warnings = rig.recorder.warnings();
    assert_eq!(warnings.len(), 1);
    assert_says(&warnings[0], &["tool-1.0.tar.xz", "damaged"]);

    fs_err::write(&path, &rotten[..10]).unwrap();
    assert_holds(
        &rig.download(&wanted, &server.url("t")).await.unwrap(),
        &body,
    );
}

/// F42: twenty at once, as twenty processes are (a lock handle each): one download, and they all have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_at_once_download_once() {
    let body = noise(200_000);
    let wanted = archive(&body);
    let server = Server::new({
        let body = body.clone();
        move |request, _| Reply::file(request, &body).pace(20_000, Duration::from_millis(20))
    });
    let first = Rig::new();
    let url = server.url("t");
    let others: Vec<(Arc<Recorder>, Fetcher)> = (0..20)
        .map(|_| {
            let recorder = Arc::new(Recorder::default());
            let mut settings = Settings::new(first.env.path("cache"));
            settings.timeouts = quick();
            (recorder.clone(), Fetcher::new(settings, recorder).unwrap())
        })
        .collect();
    let tasks: Vec<_> = others
        .iter()
        .map(|(_, fetcher)| {
            let (fetcher, wanted, url) = (fetcher.clone(), wanted.clone(), url.clone());
            tokio::spawn(async move { fetcher.download(&wanted, &url).await })
        })
        .collect();
    for task in tasks {
        assert_holds(&task.await.unwrap().unwrap(), &body);
    }
    assert_eq!(server.requests().len(), 1);
    let told_to_wait: Vec<String> = others.iter().flat_map(|(r, _)| r.steps()).collect();
    assert_eq!(
        told_to_wait.len(),
        19,
        "once each, but for the one that downloads"
    );
    assert_says(
        &told_to_wait[0],
        &["Waiting for another xtool", "tool-1.0.tar.xz"],
    );
}

/// No more downloads at a time than allowed, over all clones; F42: different archives in parallel.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn downloads_at_a_time_are_limited() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = Server::new({
        let (now, most) = (now.clone(), most.clone());
        move |request, _| {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(running, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(100));
            now.fetch_sub(1, Ordering::SeqCst);
            Reply::ok(request.path())
        }
    });
    let rig = Rig::with(|s| s.concurrency = 3);
    let tasks: Vec<_> = (0..9)
        .map(|n| {
            let (fetcher, url) = (rig.fetcher.clone(), server.url(&n.to_string()));
            let wanted = archive(url.path().as_bytes());
            tokio::spawn(async move { fetcher.download(&wanted, &url).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let most = most.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most}");
}

/// F43, F44: a download that is dropped frees its lock, and leaves what it has.
#[tokio::test]
async fn a_dropped_download_frees_its_lock() {
    let body = noise(100_000);
    let wanted = archive(&body);
    let server = Server::new({
        let body = body.clone();
        move |request, n| match n {
            0 => Reply::file(request, &body).stall_after(5000),
            _ => Reply::file(request, &body),
        }
    });
    let rig = Rig::new();
    let url = server.url("t");
    rig.drop_at(&wanted, &url, 5000).await;
    let next = tokio::time::timeout(Duration::from_secs(5), rig.download(&wanted, &url)).await;
    assert_holds(&next.unwrap().unwrap(), &body);
    assert_eq!(server.requests()[1].header("range"), Some("bytes=5000-"));
}

#[test]
fn a_clients_file_is_adopted() {
    let rig = Rig::new();
    let body = noise(1000);
    let file = rig.env.write("staging/tool_1.0_amd64.deb", &body);
    let verified = rig.fetcher.adopt(&archive(&body), &file).unwrap();
    assert_holds(&verified, &body);
    assert!(!file.exists());
    assert!(rig.fetcher.cached(&archive(&body)).unwrap().is_some());
    // Again, over the one that is there.
    let file = rig.env.write("staging/tool_1.0_amd64.deb", &body);
    assert_holds(&rig.fetcher.adopt(&archive(&body), &file).unwrap(), &body);
}

/// F22: another file than pinned is removed, not adopted.
#[test]
fn another_file_is_not_adopted() {
    let rig = Rig::new();
    let file = rig.env.write("staging/x", "other bytes");
    let error = rig
        .fetcher
        .adopt(&archive(b"the bytes"), &file)
        .unwrap_err();
    assert!(matches!(error, FetchError::Verify(_)));
    assert!(error.next_source());
    assert!(!file.exists());
    assert!(rig.names().is_empty(), "{:?}", rig.names());
    let gone = rig
        .fetcher
        .adopt(&archive(b"the bytes"), &file)
        .unwrap_err();
    assert_says(&told(&gone), &["staging"]);
}

/// F47: a cache that cannot be made is named, with the way out.
#[tokio::test]
async fn an_unusable_cache_is_named() {
    let server = Server::files([("t", "x")]);
    let rig = Rig::new();
    rig.env.write("cache", "a file where the folder should be");
    let error = rig
        .download(&archive(b"x"), &server.url("t"))
        .await
        .unwrap_err();
    assert!(!error.next_source());
    assert_says(&told(&error), &["cache", "XTOOL_CACHE_DIR"]);
    assert_eq!(server.connections(), 0);
}

/// F45: a disk that is full names the file and the bytes needed; no other source is tried.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_names_path_and_bytes() {
    let body = noise(400_000);
    let wanted = archive(&body);
    let server = Server::files([("t", body)]);
    let rig = Rig::new();
    // Every write to it fails with ENOSPC.
    fs_err::create_dir_all(rig.env.path("cache/downloads/sha256")).unwrap();
    std::os::unix::fs::symlink("/dev/full", rig.part_path(&wanted, "part")).unwrap();
    let error = rig.download(&wanted, &server.url("t")).await.unwrap_err();
    assert!(!error.next_source());
    assert!(error.help().is_some());
    assert_says(&told(&error), &[".part", "400000 bytes", "No space left"]);
}
