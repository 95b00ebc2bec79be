//! Packages of the distribution. The tests with the real apt need a Debian-like machine with its sources set up.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use xtool::help::Help;
use xtool::pin::{AptPackage, Distribution, PinnedSource};
use xtool::source::apt::{AptError, Resolved, available, host_distribution, resolve};
use xtool::source::{Cause, Environment, SourceError, provide};

use super::rig::{Rig, archive, pin, text_of, url_source};

const FETCHING: &str = "Fetching package lists";

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

fn source(resolved: &Resolved) -> PinnedSource {
    PinnedSource::Apt {
        distribution: resolved.distribution.clone(),
        packages: resolved.packages.clone(),
    }
}

fn updates(rig: &Rig) -> usize {
    let steps = rig.steps();
    steps.iter().filter(|s| s.starts_with(FETCHING)).count()
}

fn cause(error: &SourceError) -> &AptError {
    match &error.failures[0].cause {
        Cause::Apt(e) => e,
        other => panic!("{other}"),
    }
}

/// What every closure must be, whichever the packages.
fn check(resolved: &Resolved, expected: &[&str]) {
    let has: Vec<&str> = resolved.packages.iter().map(|p| p.name.as_str()).collect();
    for name in expected {
        assert!(has.contains(name), "no {name} in {has:?}");
    }
    for left_out in ["libc6", "libgcc-s1"] {
        assert!(!has.contains(&left_out), "{has:?}");
    }
    assert!(has.is_sorted(), "{has:?}");
    for p in &resolved.packages {
        let numbered = p
            .name
            .strip_prefix("gcc-")
            .and_then(|n| n.strip_suffix("-base"));
        assert!(
            numbered.is_none_or(|n| n.parse::<u32>().is_err()),
            "{has:?}"
        );
        assert!(p.archive.size.is_some_and(|n| n > 500), "{p:?}");
        assert!(
            p.archive.file.starts_with(&p.name) && p.archive.file.contains(&p.architecture),
            "{p:?}"
        );
    }
    let mut digests: Vec<_> = resolved.packages.iter().map(|p| p.archive.sha256).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), resolved.packages.len());
    assert!(
        resolved.version.starts_with(|c: char| c.is_ascii_digit()),
        "{}",
        resolved.version
    );
    assert!(
        !resolved.version.contains([':', '-']),
        "{}",
        resolved.version
    );
}

/// The real apt resolves the toolchains that the manifest takes from it; the lists are fetched once.
#[test]
fn the_real_apt_resolves_whole_closures() {
    let rig = Rig::new();
    let mingw = names(&["gcc-mingw-w64-x86-64-posix", "g++-mingw-w64-x86-64-posix"]);
    let first = resolve(&mingw, "gcc-mingw-w64-x86-64-posix", &rig.context).unwrap();
    check(
        &first,
        &[
            "binutils-mingw-w64-x86-64",
            "g++-mingw-w64-x86-64-posix",
            "gcc-mingw-w64-base",
            "gcc-mingw-w64-x86-64-posix",
            "gcc-mingw-w64-x86-64-posix-runtime",
            "libgmp10",
            "libisl23",
            "libmpc3",
            "libmpfr6",
            "libstdc++6",
            "mingw-w64-common",
            "mingw-w64-x86-64-dev",
            "zlib1g",
        ],
    );
    assert_eq!(updates(&rig), 1);
    let second = resolve(&mingw, "gcc-mingw-w64-x86-64-posix", &rig.context).unwrap();
    assert_eq!((&second, updates(&rig)), (&first, 1));

    let i686 = names(&["gcc-mingw-w64-i686-posix"]);
    let i686 = resolve(&i686, "gcc-mingw-w64-i686-posix", &rig.context).unwrap();
    check(&i686, &["mingw-w64-i686-dev", "binutils-mingw-w64-i686"]);
    if cfg!(target_arch = "x86_64") {
        let gnu = names(&["gcc-aarch64-linux-gnu", "g++-aarch64-linux-gnu"]);
        let gnu = resolve(&gnu, "gcc-aarch64-linux-gnu", &rig.context).unwrap();
        check(
            &gnu,
            &[
                "libc6-dev-arm64-cross",
                "libgcc-s1-arm64-cross",
                "binutils-aarch64-linux-gnu",
            ],
        );
    }
    assert_eq!(updates(&rig), 1);
    assert!(rig.warnings().is_empty(), "{:?}", rig.warnings());

    let error = resolve(&names(&["xtool-no-such-package"]), "x1", &rig.context).unwrap_err();
    assert!(
        text_of(&error).contains("Unable to locate package"),
        "{error:?}"
    );
    let error = resolve(&mingw, "gcc", &rig.context).unwrap_err();
    assert!(matches!(error, AptError::NoVersion { .. }), "{error}");
}

/// What was resolved can be had: by our own download, by apt-get where that is refused, and from the cache.
#[tokio::test]
async fn the_real_packages_are_downloaded() {
    let mut rig = Rig::new();
    let resolved = resolve(&names(&["libmpc3"]), "libmpc3", &rig.context).unwrap();
    check(&resolved, &["libgmp10", "libmpc3", "libmpfr6"]);
    assert_eq!(resolved.packages.len(), 3);
    let wanted = pin(vec![source(&resolved)]);
    let provided = provide(&wanted, &rig.context, &rig.net).await.unwrap();
    let got: Vec<_> = provided
        .archives
        .iter()
        .map(|a| a.archive().clone())
        .collect();
    let pinned: Vec<_> = resolved
        .packages
        .iter()
        .map(|p| p.archive.clone())
        .collect();
    assert_eq!(got, pinned, "in the pin's order");
    assert_eq!(rig.net.asked.lock().unwrap().len(), 3);

    // One of three is missing: only that one is asked for; refused, it comes by apt-get.
    fs_err::remove_file(provided.archives[1].path()).unwrap();
    rig.net.refuse = Some(StatusCode::UNAUTHORIZED);
    let provided = provide(&wanted, &rig.context, &rig.net).await.unwrap();
    assert_eq!(provided.archives.len(), 3);
    assert_eq!(rig.net.asked.lock().unwrap().len(), 4);
    assert!(
        rig.steps()
            .iter()
            .any(|s| s == "Downloading 1 package with apt-get"),
        "{:?}",
        rig.steps()
    );

    let steps = rig.steps().len();
    provide(&wanted, &rig.context, &rig.net).await.unwrap();
    assert_eq!(rig.steps().len(), steps, "all at hand: apt is not asked");
    let work: Vec<_> = fs_err::read_dir(&rig.context.work_dir)
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert_eq!(work, ["apt"]);
}

/// A version that the lists do not have any more: one update, then an error that names it and the ways out.
#[tokio::test]
async fn a_version_that_is_gone_is_told() {
    let rig = Rig::new();
    let mut resolved = resolve(&names(&["libmpc3"]), "libmpc3", &rig.context).unwrap();
    resolved.packages.retain(|p| p.name == "libmpc3");
    let good = resolved.packages[0].clone();
    "0.0-1".clone_into(&mut resolved.packages[0].version);
    let before = updates(&rig);
    let error = provide(&pin(vec![source(&resolved)]), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(
        matches!(cause(&error), AptError::VersionGone { package, version, .. } if package == "libmpc3" && version == "0.0-1"),
        "{error}"
    );
    let help = error.help().unwrap();
    assert!(
        help.contains("xtool update") && help.contains("XTOOL_MIRROR"),
        "{help}"
    );
    assert_eq!(updates(&rig), before + 1);

    // The same version with another digest is no other file to download.
    resolved.packages[0] = good;
    resolved.packages[0].archive.sha256 = xtool::digest::Sha256::of(b"other");
    let error = provide(&pin(vec![source(&resolved)]), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(
        matches!(cause(&error), AptError::OtherDigest { .. }),
        "{error}"
    );
    assert!(rig.net.asked.lock().unwrap().is_empty());
}

/// F42: processes that resolve at once share one state, and one update is enough.
#[test]
fn resolutions_at_once_wait_for_each_other() {
    let rig = Rig::new();
    let resolved: Vec<Resolved> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| resolve(&names(&["libmpc3"]), "libmpc3", &rig.context).unwrap())
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(resolved.iter().all(|r| *r == resolved[0]));
    assert_eq!(updates(&rig), 1);
}

/// Any user may resolve and download; so does root, whose apt would write as another user.
#[test]
fn an_ordinary_user_needs_no_right() {
    let this = std::env::current_exe().unwrap();
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root {
        eprintln!("skipped: not root, so every other test here is this one");
        return;
    }
    let (test, home) = (folder.path().join("test"), folder.path().join("home"));
    fs_err::copy(this, &test).unwrap();
    fs_err::create_dir(&home).unwrap();
    let owned = Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(owned.success());
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&test)
        .args(["--exact", "source::apt::the_real_packages_are_downloaded"])
        .current_dir(&home)
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// An apt of the test's own.
struct Fake {
    rig: Rig,
    distribution: Distribution,
}

const DEB: &[u8] = b"a package";

impl Fake {
    /// Answers `download` by the body, and counts its updates.
    fn new(print_uris: &str, download: &str) -> Self {
        let rig = Rig::with_own_programs();
        rig.script(
            "apt-get",
            &format!(
                "echo \"$@\" >> \"$RIG/args\"; ls -A >> \"$RIG/ls\"\n\
                 case \"$*\" in\n\
                 *--print-uris*) {print_uris};;\n\
                 *update) [ ! -e \"$RIG/update-fails\" ] || {{ cat \"$RIG/update-fails\" >&2; exit 100; }};;\n\
                 *download*) {download};;\nesac"
            ),
        );
        rig.script("apt-cache", "exit 1");
        let distribution =
            host_distribution(&rig.context.environment).expect("a Debian-like machine");
        Self { rig, distribution }
    }

    fn source(&self) -> PinnedSource {
        let package = AptPackage {
            name: "libx".to_owned(),
            version: "1:2-3".to_owned(),
            architecture: "all".to_owned(),
            archive: archive("libx_1%3a2-3_all.deb", DEB),
        };
        PinnedSource::Apt {
            distribution: self.distribution.clone(),
            packages: vec![package],
        }
    }

    async fn provide(&self) -> Result<xtool::source::Provided, SourceError> {
        provide(&pin(vec![self.source()]), &self.rig.context, &self.rig.net).await
    }
}

/// A source of apt's that is no HTTP server is left to apt-get, which works in a folder of ours.
#[tokio::test]
async fn an_odd_scheme_is_left_to_apt() {
    for uri in [
        "file:/srv/x.deb",
        "mirror+https://deb.invalid/x.deb",
        "cdrom:[x]/x.deb",
    ] {
        let fake = Fake::new(
            &format!("echo \"'{uri}' libx_1%3a2-3_all.deb 9 SHA512:00\""),
            "printf 'a package' > libx_1%3a2-3_all.deb",
        );
        let provided = fake.provide().await.unwrap();
        assert_eq!(fs_err::read(provided.archives[0].path()).unwrap(), DEB);
        assert_eq!(fake.rig.read("ls"), "", "only ever in an empty folder");
        assert!(
            fake.rig
                .read("args")
                .trim_end()
                .ends_with("download libx=1:2-3"),
            "{}",
            fake.rig.read("args")
        );
    }
}

/// A proxy in apt's settings is one that only apt knows.
#[tokio::test]
async fn a_proxy_of_apts_is_left_to_apt() {
    let fake = Fake::new(
        "echo \"'http://127.0.0.1:9/x.deb' libx_1%3a2-3_all.deb 9 SHA512:00\"",
        "printf 'a package' > libx_1%3a2-3_all.deb",
    );
    fake.rig.script(
        "apt-config",
        "echo 'Acquire::http::Proxy \"http://127.0.0.1:3142\";'",
    );
    fake.provide().await.unwrap();
    assert!(fake.rig.net.asked.lock().unwrap().is_empty());
}

/// What apt-get downloads is verified as everything else, and credentials in its words are cut out.
#[tokio::test]
async fn apts_downloads_are_verified_and_its_words_redacted() {
    let uris = "echo \"'file:/srv/x.deb' libx_1%3a2-3_all.deb 9\"";
    let fake = Fake::new(uris, "printf 'a packagE' > libx_1%3a2-3_all.deb");
    let error = fake.provide().await.unwrap_err();
    assert!(error.to_string().contains("different digest"), "{error}");

    let words = "echo 'E: Failed to fetch https://me:s3cret@deb.invalid/x.deb  401' >&2; exit 100";
    let error = Fake::new(uris, words).provide().await.unwrap_err();
    assert!(
        error.to_string().contains("https://deb.invalid/x.deb  401"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

/// Package lists that cannot be fetched are told with apt's words, and the next source is used (F21).
#[tokio::test]
async fn lists_that_cannot_be_fetched_are_told() {
    let fake = Fake::new("exit 100", "exit 100");
    let words = "E: Failed to fetch http://me:s3cret@deb.invalid/InRelease  Could not resolve\n";
    fs_err::write(fake.rig.folder.path().join("update-fails"), words).unwrap();
    let error = fake.provide().await.unwrap_err();
    assert!(matches!(cause(&error), AptError::Update { .. }), "{error}");
    assert!(error.to_string().contains("Could not resolve"), "{error}");
    assert!(error.help().unwrap().contains("apt-get update"));

    let server = super::rig::Server::start(|_| Some((200, "x/y", b"other".to_vec())));
    let next = url_source(&server.url("/x"), &archive("x.tar", b"other"));
    let wanted = pin(vec![fake.source(), next]);
    let provided = provide(&wanted, &fake.rig.context, &fake.rig.net)
        .await
        .unwrap();
    assert_eq!((provided.source, fake.rig.warnings().len()), (1, 1));
    assert!(!fake.rig.seen().contains("s3cret"), "{}", fake.rig.seen());
}

/// The pin of another distribution is not looked for here.
#[tokio::test]
async fn another_distribution_is_told() {
    let mut fake = Fake::new("exit 100", "exit 100");
    "plan9".clone_into(&mut fake.distribution.id);
    let error = fake.provide().await.unwrap_err();
    assert!(
        matches!(cause(&error), AptError::OtherDistribution { .. }),
        "{error}"
    );
    assert!(error.help().unwrap().contains("xtool update"));
    assert!(
        !fake.rig.folder.path().join("args").exists(),
        "apt is not asked"
    );
}

/// F28: names from a manifest or lock are not options, patterns or paths to apt.
#[tokio::test]
async fn names_that_mean_something_else_to_apt_are_refused() {
    let mut fake = Fake::new("exit 100", "exit 100");
    for bad in [
        "-oDir::Bin::Methods=/tmp",
        "gcc-",
        "./x.deb",
        "*",
        "~nx",
        "",
    ] {
        let error = resolve(&names(&[bad]), "gcc", &fake.rig.context).unwrap_err();
        assert!(matches!(error, AptError::Name { .. }), "{bad}: {error}");
    }
    for (name, version, architecture) in [
        ("--version", "1", "all"),
        ("libx", "1 --version", "all"),
        ("libx", "1", "../../x"),
    ] {
        let PinnedSource::Apt {
            mut packages,
            distribution,
        } = fake.source()
        else {
            unreachable!();
        };
        name.clone_into(&mut packages[0].name);
        version.clone_into(&mut packages[0].version);
        architecture.clone_into(&mut packages[0].architecture);
        let source = PinnedSource::Apt {
            distribution,
            packages,
        };
        let error = provide(&pin(vec![source]), &fake.rig.context, &fake.rig.net)
            .await
            .unwrap_err();
        assert!(
            matches!(
                cause(&error),
                AptError::Name { .. } | AptError::Version { .. } | AptError::Architecture { .. }
            ),
            "{error}"
        );
    }
    // F20: and offline nothing is asked at all.
    fake.rig.context.offline = true;
    let error = resolve(&names(&["gcc"]), "gcc", &fake.rig.context).unwrap_err();
    assert!(matches!(error, AptError::Offline), "{error}");
    assert!(
        !fake.rig.folder.path().join("args").exists(),
        "apt is not asked"
    );
}

/// A state that another process holds is waited for, and given up when the work is.
#[test]
fn a_held_state_does_not_hang_for_ever() {
    let fake = Fake::new("exit 100", "exit 100");
    resolve(&names(&["gcc"]), "gcc", &fake.rig.context).unwrap_err();
    let state = fs_err::read_dir(fake.rig.context.work_dir.join("apt"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let held = fs_err::File::open(state.path().join("lock")).unwrap();
    held.file().lock().unwrap();
    let cancel = fake.rig.context.cancel.clone();
    let started = Instant::now();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        cancel.cancel();
    });
    let error = resolve(&names(&["gcc"]), "gcc", &fake.rig.context).unwrap_err();
    thread.join().unwrap();
    assert!(matches!(error, AptError::Locked { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// apt is there when both programs are and the machine says which distribution it is.
#[test]
fn apt_needs_its_programs_and_a_distribution() {
    let fake = Fake::new("", "");
    let environment = &fake.rig.context.environment;
    let text = "ID=debian\nVERSION_CODENAME=bookworm\n";
    assert_eq!(
        available(environment, text).unwrap().to_string(),
        "debian/bookworm"
    );
    assert_eq!(available(environment, "NAME=x\n"), None);
    assert_eq!(available(&Environment::default(), text), None);
    fs_err::remove_file(fake.rig.bin().join("apt-cache")).unwrap();
    assert_eq!(available(environment, text), None);
}
