//! F43: SIGKILL at one system call after the other. strace delivers it, at the n-th call of a kind, before the call
//! is carried out; so every step between two changes to a disk is an end that a run may come to.
//!
//! `XTOOL_TEST_KILLS` says how many runs are killed in each test; `scripts/kill.sh` asks for more and prints where.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::parts::{self, MUSL};
use super::rig::{Fake, Rig, TARGET, fail, is_a, names, run, said, succeed, tree};
use crate::support::noise;
use crate::support::server::Server;
use crate::unpack::build::file;

/// Kinds of calls, which of a thread's calls to begin with, and how fast to go on from there.
const KINDS: &[(&str, usize, f64)] = &[
    ("rename,renameat,renameat2", 1, 1.0),
    ("mkdir,mkdirat,symlink,symlinkat,link,linkat", 1, 1.2),
    ("unlink,unlinkat,rmdir", 1, 1.0),
    ("write,pwrite64", 1, 1.1),
    // The first are the loader's.
    ("openat", 6, 1.1),
    ("fsync,fdatasync,syncfs,ftruncate,fchmod", 1, 1.0),
    ("flock", 1, 1.0),
    ("read,pread64", 12, 1.1),
    ("recvfrom", 1, 1.1),
    ("close", 12, 1.2),
];

/// The command as one that dies at the n-th call of a kind.
fn killed_at(command: &Command, calls: &str, nth: usize) -> Command {
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg(format!("trace={calls}"))
        .arg("-e")
        .arg(format!("inject={calls}:signal=KILL:when={nth}"))
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    if let Some(folder) = command.get_current_dir() {
        traced.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            traced.env(name, value);
        }
    }
    traced
}

fn kills() -> usize {
    std::env::var("XTOOL_TEST_KILLS").map_or(24, |n| n.parse().expect("a number"))
}

/// Kills so many runs, spread over the kinds, and has `check` look at what is left of each.
fn kill_everywhere(
    title: &str,
    prepare: impl Fn(),
    command: impl Fn() -> Command,
    check: impl Fn() -> &'static str,
) {
    let (mut killed, mut round) = (0, 0);
    let mut phases: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kinds: Vec<(&str, f64, usize)> = KINDS.iter().map(|(c, n, f)| (*c, *f, *n)).collect();
    while killed < kills() && !kinds.is_empty() && round < 200 {
        round += 1;
        kinds.retain_mut(|(calls, factor, nth)| {
            if killed >= kills() {
                return true;
            }
            prepare();
            let output = run(&mut killed_at(&command(), calls, *nth));
            if output.status.signal() != Some(9) && output.status.code() != Some(128 + 9) {
                assert_eq!(
                    output.status.code(),
                    Some(0),
                    "{title}, {calls} {nth}: {}",
                    said(&output)
                );
                // No run has that many of them.
                return false;
            }
            let phase = phases.entry(check()).or_default();
            *phase += 1;
            // Where there were many already, go on in longer steps.
            let factor = if *phase > kills() / 6 { 1.4 } else { *factor };
            killed += 1;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a small count that grows"
            )]
            let next = (*nth as f64 * factor) as usize;
            *nth = next.max(*nth + 1);
            true
        });
    }
    eprintln!("measured: {title}: {killed} killed, 0 needed more than a rerun: {phases:?}");
    assert!(killed >= 10, "{title}: only {killed} runs could be killed");
}

/// What a killed `add` was about when it died, told by what it left.
fn phase(rig: &Rig) -> &'static str {
    let downloads = names(&rig.cache().join("downloads/sha256"));
    let toolchains = names(&rig.home().join("toolchains"));
    let has = |path: &str| rig.env.path(path).exists();
    if has("project/xtool.lock") {
        "finishing"
    } else if has("project/.cargo/config.toml") || !names(&rig.home().join("projects")).is_empty() {
        "writing the project's files"
    } else if toolchains.iter().any(|n| is_a(n, "toml")) {
        "making shims"
    } else if !toolchains.is_empty() {
        "renaming"
    } else if !names(&rig.home().join("staging")).is_empty() {
        "unpacking"
    } else if downloads.iter().any(|n| n.contains(".part")) {
        "downloading"
    } else if !downloads.is_empty() {
        "verifying"
    } else {
        "starting"
    }
}

fn rig_of(fake: &Fake, server: &Server) -> Rig {
    let rig = Rig::with(server, std::slice::from_ref(fake));
    // A configuration of the user's own, to be kept.
    rig.env
        .write("project/.cargo/own.toml", "[net]\nretry = 3\n");
    rig
}

/// Takes away everything that a run makes, but for what rustc said: asking it again is another program's run.
fn reset(rig: &Rig, original: &BTreeMap<String, Vec<u8>>) {
    for folder in ["home", "cache/downloads"] {
        let path = rig.env.path(folder);
        if path.exists() {
            fs_err::remove_dir_all(path).unwrap();
        }
    }
    for name in ["xtool.toml", "xtool.lock", ".cargo/config.toml"] {
        let path = rig.project().join(name);
        if path.exists() {
            fs_err::remove_file(path).unwrap();
        }
    }
    for name in names(&rig.project().join(".cargo")) {
        if name != "own.toml" {
            fs_err::remove_file(rig.project().join(".cargo").join(name)).unwrap();
        }
    }
    for name in names(&rig.project()) {
        if name.starts_with('.') && name != ".cargo" {
            fs_err::remove_file(rig.project().join(name)).unwrap();
        }
    }
    assert_eq!(rig.project_files(), *original);
}

/// What must be the same however often one was killed: the store without its lock files, and the project.
fn state(rig: &Rig) -> BTreeMap<String, Vec<u8>> {
    let mut all = tree(&rig.home());
    // What a killed process left half made of a variant is harmless, and the next prune's.
    all.retain(|path, _| !path.starts_with("locks") && !path.starts_with("shims/.staged-"));
    all.extend(rig.project_files());
    all
}

#[track_caller]
fn assert_same(
    now: &BTreeMap<String, Vec<u8>>,
    reference: &BTreeMap<String, Vec<u8>>,
    phase: &str,
) {
    let differ = |a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
        let keys = a.iter().filter(|(k, v)| b.get(*k) != Some(*v));
        keys.map(|(k, _)| k.clone()).collect()
    };
    let found = (differ(now, reference), differ(reference, now));
    assert_eq!(
        found,
        (vec![], vec![]),
        "{phase}: more or other, less or other"
    );
}

/// F43: an `add` that has everything before it: download, unpacking, renames, shims, project files; and one that finds
/// the download in the cache and begins with verifying it.
#[test]
fn an_add_from_nothing() {
    let headers = (0..40).map(|i| file(format!("include/{i}.h"), format!("{i}\n")));
    let ballast = [file("lib/libc.a", noise(3_000_000))];
    let fake = Fake::with("fake", headers.chain(ballast));
    let serving = fake.clone();
    let server =
        Server::new(move |r, _| serving.reply(r).pace(256 * 1024, Duration::from_millis(2)));
    for cached in [false, true] {
        let rig = rig_of(&fake, &server);
        let original = rig.project_files();
        succeed(&mut rig.add());
        let reference = state(&rig);
        let keep = rig.env.path("keep");
        fs_err::rename(rig.cache().join("downloads"), &keep).unwrap();
        kill_everywhere(
            if cached {
                "add with the download there"
            } else {
                "add"
            },
            || {
                reset(&rig, &original);
                if cached {
                    copy(&keep, &rig.cache().join("downloads"));
                }
            },
            || rig.add(),
            || {
                let phase = phase(&rig);
                succeed(&mut rig.add());
                rig.assert_tidy();
                assert_same(&state(&rig), &reference, phase);
                phase
            },
        );
        succeed(&mut rig.xtool(&["remove", TARGET]));
        assert_eq!(rig.project_files(), original);
    }
}

fn copy(from: &Path, to: &Path) {
    for (name, content) in tree(from) {
        let place = to.join(&name);
        if name.ends_with('/') {
            fs_err::create_dir_all(place).unwrap();
        } else {
            fs_err::create_dir_all(place.parent().unwrap()).unwrap();
            fs_err::write(place, content).unwrap();
        }
    }
}

/// F43: an `add` whose toolchain is there: only shims and the project's files, so that each of their calls is met.
#[test]
fn an_add_that_only_configures() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = rig_of(&fake, &server);
    let original = rig.project_files();
    succeed(&mut rig.add());
    let reference = state(&rig);
    kill_everywhere(
        "add with the toolchain there",
        || {
            reset(&rig, &original);
            succeed(&mut rig.xtool(&["fetch", TARGET]));
        },
        || rig.add(),
        || {
            let phase = phase(&rig);
            // Whatever half there is of it: remove takes it out, or add completes it.
            succeed(&mut rig.add());
            rig.assert_tidy();
            assert_same(&state(&rig), &reference, phase);
            succeed(&mut rig.xtool(&["remove", TARGET]));
            assert_eq!(rig.project_files(), original, "{phase}");
            phase
        },
    );
}

/// F43: an `add` that only adds parts to a toolchain that is there: between any two renames, a rerun is all it takes.
#[test]
fn an_add_of_parts() {
    let fake = parts::fake();
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = rig_of(&fake, &server);
    parts::with_parts(&rig, &server, &fake);
    let original = rig.project_files();
    let add = || rig.xtool(&["add", MUSL, "--no-rust-std"]);
    // What was there goes on working meanwhile; its first use makes more names for the shims.
    let use_it = || succeed(&mut rig.xtool(&["exec", TARGET, "--", "true"]));
    succeed(&mut rig.add());
    use_it();
    succeed(&mut add());
    let reference = state(&rig);
    kill_everywhere(
        "add of parts",
        || {
            reset(&rig, &original);
            succeed(&mut rig.add());
        },
        add,
        || {
            let files = state(&rig);
            let moved = [
                "lib/libc/musl/c.h",
                "lib/include/x-musl/e.h",
                "lib/include/y-musl/e.h",
            ]
            .iter()
            .filter(|f| {
                files
                    .keys()
                    .any(|k| k.starts_with("toolchains") && k.ends_with(**f))
            })
            .count();
            let noted = files.iter().any(|(k, v)| {
                is_a(k, "toml") && String::from_utf8_lossy(v).contains("\"musl\", \"shared\"]")
            });
            let phase = match (moved, noted) {
                (0, _) => "before the renames",
                (3, true) => "after the receipt",
                (3, false) => "before the receipt",
                _ => "between two renames",
            };
            use_it();
            succeed(&mut add());
            rig.assert_tidy();
            assert_same(&state(&rig), &reference, phase);
            phase
        },
    );
}

/// F43: `remove` that was killed, and run again.
#[test]
fn a_remove() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = rig_of(&fake, &server);
    let original = rig.project_files();
    kill_everywhere(
        "remove",
        || {
            reset(&rig, &original);
            succeed(&mut rig.add());
        },
        || rig.xtool(&["remove", TARGET]),
        || {
            let left = rig.project_files();
            let phase = if left == original {
                "nothing left to remove"
            } else if left.contains_key("xtool.toml") {
                "before xtool.toml"
            } else {
                "after xtool.toml"
            };
            let again = run(&mut rig.xtool(&["remove", TARGET]));
            // Gone already is what it says then.
            if again.status.code() != Some(0) {
                assert!(said(&again).contains("not a target"), "{}", said(&again));
            }
            assert_eq!(rig.project_files(), original, "{phase}: {}", said(&again));
            phase
        },
    );
}

/// F43: `cache prune` that was killed: what is left is whole or gone, and an add after it works.
#[test]
fn a_prune() {
    let fake = Fake::with_files("fake", 40);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = rig_of(&fake, &server);
    let original = rig.project_files();
    kill_everywhere(
        "prune",
        || {
            reset(&rig, &original);
            succeed(&mut rig.add());
            succeed(&mut rig.xtool(&["remove", TARGET]));
        },
        || rig.xtool(&["cache", "prune"]),
        || {
            let phase = match rig.toolchains().len() {
                0 => "after the receipt",
                _ => "before the receipt",
            };
            succeed(&mut rig.xtool(&["cache", "prune"]));
            assert_eq!(rig.toolchains(), [""; 0]);
            succeed(&mut rig.add());
            rig.assert_tidy();
            succeed(&mut rig.program("sh", &["-c", &linker_of(&rig)]));
            phase
        },
    );
    // A download whose bytes rotted while nobody looked is no way in either.
    let sha256 = rig.cache().join("downloads/sha256");
    for name in names(&sha256) {
        fs_err::write(sha256.join(name), "rotten").unwrap();
    }
    fs_err::remove_dir_all(rig.home()).unwrap();
    fail(rig.add().arg("--offline"), &["fake-1.tar.gz"]);
}

/// The linker that cargo would run.
fn linker_of(rig: &Rig) -> String {
    let config = fs_err::read_to_string(rig.project().join(".cargo/config.toml")).unwrap();
    let path = config.split('"').find(|p| p.ends_with("/cc"));
    format!("'{}' -v", path.expect("a linker"))
}
