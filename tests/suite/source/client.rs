//! Running a client: bounded in time and output.
#![cfg(unix)]

use std::time::{Duration, Instant, SystemTime};

use xtool::source::client::{ClientError, Run};

use super::rig::{Rig, WORK};
#[cfg(target_os = "linux")]
use crate::support::small_disk::SmallDisk;

fn run(
    rig: &Rig,
    script: &str,
    timeout: Duration,
) -> Result<xtool::source::client::Output, ClientError> {
    let sh = rig.context.environment.program("sh").unwrap();
    Run::new(&sh, "test", timeout)
        .args(["-c", script])
        .in_empty_folder(&rig.context)
}

/// A client gets an empty folder, no terminal, the C locale, and leaves nothing behind.
#[test]
fn a_client_runs_in_an_empty_folder() {
    let rig = Rig::new()
        .env("LANGUAGE", "de")
        .env("LC_ALL", "de_DE.UTF-8");
    let script = "ls -A | wc -l; cat | wc -c; echo $LC_ALL ${LANGUAGE-unset}; pwd; touch x";
    let output = run(&rig, script, Duration::from_secs(20)).unwrap();
    let lines: Vec<&str> = output.stdout.lines().map(str::trim).collect();
    assert_eq!(lines[..3], ["0", "0", "C unset"], "{lines:?}");
    assert!(lines[3].contains(&format!("/{WORK}/client-")), "{lines:?}");
    assert_eq!(fs_err::read_dir(&rig.context.work_dir).unwrap().count(), 0);
}

/// One that waits for room that nobody makes is stopped, long before its time is over: `apt-get update` does.
#[cfg(target_os = "linux")]
#[test]
fn a_client_on_a_full_disk_is_stopped() {
    let rig = Rig::new();
    let work = &rig.context.work_dir;
    let Some(_small) = SmallDisk::mount(work, "256k") else {
        crate::support::skip("client", "this user may not mount a file system");
        return;
    };
    let fill = "cat /dev/zero >filler; ";
    for after in ["exec sleep 60", "exit 1"] {
        let started = Instant::now();
        let script = format!("{fill}{after}");
        let error = run(&rig, &script, Duration::from_mins(1)).unwrap_err();
        assert!(matches!(error, ClientError::DiskFull { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(work.to_str().unwrap()), "{text}");
        assert!(started.elapsed() < Duration::from_secs(20));
        assert!(xtool::disk::takes_no_more(&error));
    }
    // With room again the same client fails for a reason of its own.
    let error = run(&rig, "exit 1", Duration::from_mins(1)).unwrap_err();
    assert!(matches!(error, ClientError::Failed { .. }), "{error:?}");
}

/// One that does not end is stopped.
#[test]
fn a_client_that_hangs_is_stopped() {
    let rig = Rig::new();
    let started = Instant::now();
    let error = run(&rig, "exec sleep 60", Duration::from_millis(300)).unwrap_err();
    assert!(matches!(error, ClientError::Timeout { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// A process that the client leaves behind holds its pipe open: no reason to wait for it.
#[test]
fn an_orphan_of_a_client_is_not_waited_for() {
    let rig = Rig::new();
    let started = Instant::now();
    let output = run(&rig, "sleep 30 & echo done", Duration::from_secs(20)).unwrap();
    assert_eq!(output.stdout, "done\n");
    assert!(started.elapsed() < Duration::from_secs(15));
}

/// F67: a failing client is named with its last words, without the credentials in them.
#[test]
fn a_failing_client_is_named_with_its_last_words() {
    let rig = Rig::new();
    let script = "i=0; while [ $i -lt 100 ]; do echo line $i >&2; i=$((i+1)); done; \
                  echo 'E: Failed to fetch https://me:s3cret@host.invalid/x?token=abc' >&2; exit 3";
    let text = run(&rig, script, Duration::from_secs(20))
        .unwrap_err()
        .to_string();
    assert!(
        text.starts_with("`sh test` failed (exit status: 3)"),
        "{text}"
    );
    assert!(text.contains("https://host.invalid/x"), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("abc"), "{text}");
    assert!(!text.contains("line 5\n"), "{text}");
}

/// More output than any answer has is an error, and is not kept in memory.
#[test]
fn a_flood_is_an_error() {
    let rig = Rig::new();
    let script = "exec head -c 40000000 /dev/zero";
    let error = run(&rig, script, Duration::from_mins(1)).unwrap_err();
    assert!(matches!(error, ClientError::TooLong { .. }), "{error}");
}

/// What was cancelled is stopped at once.
#[test]
fn a_cancelled_client_is_stopped() {
    let rig = Rig::new();
    let cancel = rig.context.cancel.clone();
    let started = Instant::now();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        cancel.cancel();
    });
    let error = run(&rig, "exec sleep 60", Duration::from_mins(1)).unwrap_err();
    thread.join().unwrap();
    assert!(matches!(error, ClientError::Cancelled { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// F50: a folder that a killed process left is removed when it is old, one that may be in use is not; links are not
/// followed.
#[test]
fn folders_of_dead_processes_are_swept() {
    let rig = Rig::new();
    let work = &rig.context.work_dir;
    let elsewhere = rig.folder.path().join("elsewhere");
    for folder in [
        &work.join("client-old"),
        &work.join("client-new"),
        &work.join("apt"),
        &elsewhere,
    ] {
        fs_err::create_dir_all(folder).unwrap();
        fs_err::write(folder.join("file"), "x").unwrap();
    }
    std::os::unix::fs::symlink(&elsewhere, work.join("client-old/link")).unwrap();
    let long_ago = SystemTime::now() - Duration::from_hours(100);
    for name in ["client-old", "apt"] {
        let folder = fs_err::File::open(work.join(name)).unwrap();
        folder.file().set_modified(long_ago).unwrap();
    }
    run(&rig, ":", Duration::from_secs(20)).unwrap();
    assert!(!work.join("client-old").exists());
    assert!(work.join("client-new/file").exists() && work.join("apt/file").exists());
    assert!(elsewhere.join("file").exists());
}
