//! `xtool.lock`.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use xtool::archive::Archive;
use xtool::digest::Sha256;
use xtool::help::Help;
use xtool::manifest::{Artifact, Family, Manifest, Source, Target, Toolchain};
use xtool::parts::Parts;
use xtool::pin::{AptPackage, Distribution, Pin, PinnedSource};
use xtool::project::ProjectError;
use xtool::project::lock::{Lock, LockKey};
use xtool::target::Host;

use super::{Env, MUSL, WINDOWS, triple};

fn archive(name: &str) -> Archive {
    Archive {
        file: format!("{name}.tar.xz"),
        sha256: Sha256::of(name.as_bytes()),
        size: Some(name.len() as u64),
    }
}

fn url(name: &str) -> PinnedSource {
    PinnedSource::Url {
        url: format!("https://example.org/{name}?a=b")
            .parse()
            .expect("an address"),
        archive: archive(name),
        root: Some("a/b".to_owned()),
        minisign: Some("RWS\"+/=".to_owned()),
    }
}

fn pin(version: &str) -> Pin {
    Pin {
        toolchain: "zig".to_owned(),
        version: version.to_owned(),
        family: Family::Zig,
        sources: vec![
            PinnedSource::Pypi {
                package: "ziglang".to_owned(),
                archive: archive(&format!("wheel-{version}")),
                root: None,
            },
            url(&format!("zig-{version}")),
        ],
    }
}

fn bookworm() -> Distribution {
    "debian/bookworm"
        .to_owned()
        .try_into()
        .expect("a distribution")
}

fn apt_pin() -> Pin {
    let package = |name: &str, version: &str| AptPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: "amd64".to_owned(),
        archive: Archive {
            file: format!("{name}_{}_amd64.deb", version.replace(':', "%3a")),
            ..archive(name)
        },
    };
    Pin {
        toolchain: "mingw-w64".to_owned(),
        version: "12.2.0-14+25.2".to_owned(),
        family: Family::Gcc,
        sources: vec![PinnedSource::Apt {
            distribution: bookworm(),
            packages: vec![package("a", "1:2.0-1~deb12u1"), package("b", "3")],
        }],
    }
}

fn parse(text: &str) -> Result<Lock, ProjectError> {
    Lock::parse(text, Path::new("xtool.lock"))
}

#[test]
fn the_entry_of_the_distribution_comes_first() {
    let mut lock = Lock::default();
    let t = triple(WINDOWS);
    lock.insert(t.clone(), Host::LinuxX64, None, pin("1.0"));
    lock.insert(t.clone(), Host::LinuxX64, Some(bookworm()), apt_pin());
    let get = |host, d: Option<&Distribution>| lock.get(&t, host, d).map(|p| p.toolchain.as_str());
    let trixie = "debian/trixie"
        .to_owned()
        .try_into()
        .expect("a distribution");
    assert_eq!(get(Host::LinuxX64, Some(&bookworm())), Some("mingw-w64"));
    assert_eq!(get(Host::LinuxX64, Some(&trixie)), Some("zig"));
    assert_eq!(get(Host::LinuxX64, None), Some("zig"));
    assert_eq!(get(Host::MacArm64, None), None);
}

/// F26: `--locked` with no entry is an error, told from the file alone.
#[test]
fn a_missing_entry_is_an_error() {
    let error = Lock::default()
        .require(&triple(WINDOWS), Host::MacArm64, None)
        .expect_err("nothing there");
    assert!(
        error
            .to_string()
            .contains("`x86_64-pc-windows-gnu` on `aarch64-apple-darwin`")
    );
    assert!(
        error
            .help()
            .expect("help")
            .contains("xtool add x86_64-pc-windows-gnu")
    );
}

/// F27: what would change is named, with the command that changes it.
#[test]
fn a_change_is_named() {
    let mut old = Lock::default();
    old.insert(triple(WINDOWS), Host::LinuxX64, None, pin("1.0"));
    let mut new = old.clone();
    new.insert(triple(WINDOWS), Host::LinuxX64, None, pin("2.0"));
    new.insert(triple(MUSL), Host::LinuxX64, Some(bookworm()), apt_pin());
    assert!(old.require_unchanged(&old).is_ok());
    let error = old.require_unchanged(&new).expect_err("changed");
    let text = error.to_string();
    assert!(
        text.contains("zig-1.0-") && text.contains("→ zig-2.0-"),
        "{text}"
    );
    assert!(
        text.contains("(debian/bookworm): new, mingw-w64-12.2.0-14+25.2-"),
        "{text}"
    );
    let help = error.help().expect("help");
    assert!(
        help.contains("xtool update x86_64-pc-windows-gnu x86_64-unknown-linux-musl"),
        "{help}"
    );
    new.remove(&triple(MUSL));
    new.remove(&triple(WINDOWS));
    assert!(old.changes(&new)[0].to_string().contains("removed"));
}

fn manifest(sources: Vec<Source>, family: Family) -> Manifest {
    let toolchain = Toolchain {
        name: "zig".to_owned(),
        version: Some("1.0".to_owned()),
        family,
        license: "MIT".to_owned(),
        artifacts: vec![Artifact {
            version: Some("1.0".to_owned()),
            host: Host::LinuxX64,
            targets: vec![],
            sources,
        }],
        library_path: vec![],
        parts: Parts::default(),
    };
    let target = Target {
        triple: triple(MUSL),
        toolchains: vec!["zig".to_owned()],
        runner: None,
        tools: BTreeMap::default(),
    };
    Manifest {
        toolchains: [("zig".to_owned(), toolchain)].into(),
        targets: [(triple(MUSL), target)].into(),
    }
}

/// The manifest's sources for what a pin has.
fn known(pin: &Pin) -> Vec<Source> {
    let of = |source: &PinnedSource| match source.clone() {
        PinnedSource::Url { archive, .. } => Source::Url {
            url: "https://example.org/x".parse().expect("an address"),
            archive,
            root: None,
            minisign: None,
        },
        PinnedSource::Pypi {
            package, archive, ..
        } => Source::Pypi {
            package,
            archive,
            root: None,
        },
        other => panic!("{other:?}"),
    };
    pin.sources.iter().map(of).collect::<Vec<_>>()
}

fn agrees(t: &str, host: Host, pin: &Pin, manifest: &Manifest) -> Result<(), String> {
    let distribution = pin.sources.iter().find_map(|s| match s {
        PinnedSource::Apt { distribution, .. } => Some(distribution.clone()),
        _ => None,
    });
    let mut lock = Lock::default();
    lock.insert(triple(t), host, distribution.clone(), pin.clone());
    let key = LockKey {
        triple: triple(t),
        host,
        distribution,
    };
    lock.agrees(&key, manifest).map_err(|e| {
        assert!(e.help().expect("help").contains("xtool update"));
        e.to_string()
    })
}

/// F27: a lock and a manifest that contradict each other; so a clone's lock cannot bring in an archive of its own.
#[test]
fn a_lock_cannot_bring_archives_of_its_own() {
    let good = manifest(known(&pin("1.0")), Family::Zig);
    assert_eq!(agrees(MUSL, Host::LinuxX64, &pin("1.0"), &good), Ok(()));
    // What is asked then is the manifest's address, whatever stands in the lock.
    let mut lock = Lock::default();
    lock.insert(triple(MUSL), Host::LinuxX64, None, pin("1.0"));
    let taken = lock
        .pin(&triple(MUSL), Host::LinuxX64, None, &good)
        .expect("it agrees")
        .expect("an entry");
    assert_eq!(taken.id(), pin("1.0").id());
    for source in &taken.sources {
        if let PinnedSource::Url { url, .. } = source {
            assert_eq!(url.as_str(), "https://example.org/x");
        }
    }
    for (t, host, pin, manifest, word) in [
        (
            WINDOWS,
            Host::LinuxX64,
            pin("1.0"),
            &good,
            "does not have this target",
        ),
        (MUSL, Host::MacX64, pin("1.0"), &good, "another host"),
        (MUSL, Host::LinuxX64, pin("2.0"), &good, "zig 2.0"),
        (MUSL, Host::LinuxX64, apt_pin(), &good, "`mingw-w64`"),
        (
            MUSL,
            Host::LinuxX64,
            pin("1.0"),
            &manifest(known(&pin("1.0")), Family::Gcc),
            "family",
        ),
        (
            MUSL,
            Host::LinuxX64,
            pin("1.0"),
            &manifest(vec![], Family::Zig),
            "sha256",
        ),
    ] {
        let error = agrees(t, host, &pin, manifest).expect_err(word);
        assert!(error.contains(word), "{word}: {error}");
    }
}

/// F27: the same for packages of a distribution.
#[test]
fn a_lock_cannot_bring_packages_of_its_own() {
    let apt = Pin {
        toolchain: "zig".to_owned(),
        family: Family::Zig,
        version: "2.0".to_owned(),
        ..apt_pin()
    };
    let named = |names: &[&str]| {
        let packages = names.iter().map(|&n| n.to_owned()).collect();
        manifest(
            vec![Source::Apt {
                packages,
                version_of: "a".to_owned(),
            }],
            Family::Zig,
        )
    };
    let named = |names: &[&str]| {
        let mut manifest = named(names);
        // apt decides the version.
        for toolchain in manifest.toolchains.values_mut() {
            toolchain.artifacts[0].version = None;
        }
        manifest
    };
    assert_eq!(agrees(MUSL, Host::LinuxX64, &apt, &named(&["a"])), Ok(()));
    assert!(agrees(MUSL, Host::LinuxX64, &apt, &named(&["a", "z"])).is_err());
}

/// What a hand did to one.
type Edit<T> = fn(&mut T);

/// F27: what a hand edited contradicts the rest of the entry, or the manifest.
#[test]
fn an_edited_entry_is_found() {
    let good = manifest(known(&pin("1.0")), Family::Zig);
    let edits: [(&str, Edit<Archive>); 2] = [
        ("bytes", |a| a.size = a.size.map(|s| s + 1)),
        ("calls a file", |a| a.file = "other.tar.xz".to_owned()),
    ];
    for (word, edit) in edits {
        let mut edited = pin("1.0");
        for source in &mut edited.sources {
            if let PinnedSource::Url { archive, .. } | PinnedSource::Pypi { archive, .. } = source {
                archive.size = Some(7);
                edit(archive);
            }
        }
        let mut known = known(&pin("1.0"));
        for source in &mut known {
            if let Source::Url { archive, .. } | Source::Pypi { archive, .. } = source {
                archive.size = Some(7);
            }
        }
        let error = agrees(MUSL, Host::LinuxX64, &edited, &manifest(known, Family::Zig));
        assert!(error.clone().is_err_and(|e| e.contains(word)), "{error:?}");
    }
    // The digest is another version's.
    let renamed = Pin {
        version: "2.0".to_owned(),
        ..pin("1.0")
    };
    let mut two = good.clone();
    for toolchain in two.toolchains.values_mut() {
        let mut newer = toolchain.artifacts[0].clone();
        newer.version = Some("2.0".to_owned());
        newer.sources = known(&pin("2.0"));
        toolchain.artifacts.push(newer);
    }
    let error = agrees(MUSL, Host::LinuxX64, &renamed, &two);
    assert!(
        error.clone().is_err_and(|e| e.contains("that is zig 1.0")),
        "{error:?}"
    );
    // The same archive under another host.
    let error = agrees(MUSL, Host::MacArm64, &pin("1.0"), &good);
    assert!(
        error.clone().is_err_and(|e| e.contains("another host")),
        "{error:?}"
    );
}

/// F27: the same for packages, whose files bear their versions.
#[test]
fn an_edited_entry_of_packages_is_found() {
    let mut good = manifest(
        vec![Source::Apt {
            packages: vec!["a".to_owned(), "b".to_owned()],
            version_of: "a".to_owned(),
        }],
        Family::Gcc,
    );
    for toolchain in good.toolchains.values_mut() {
        toolchain.artifacts[0].version = None;
    }
    let right = || Pin {
        toolchain: "zig".to_owned(),
        version: "2.0".to_owned(),
        ..apt_pin()
    };
    assert_eq!(agrees(MUSL, Host::LinuxX64, &right(), &good), Ok(()));
    let edits: [(&str, Edit<Pin>); 5] = [
        (
            "the lock has zig 2.9.9, and its package a 1:2.0-1~deb12u1 is 2.0",
            |p| {
                p.version = "2.9.9".to_owned();
            },
        ),
        ("for its file `a_1%3a2.0-1~deb12u1_amd64.deb`", |p| {
            first(p).version = "1:3.0-1".to_owned();
        }),
        ("for its file `a_1%3a2.0-1~deb12u1_amd64.deb`", |p| {
            first(p).architecture = "arm64".to_owned();
        }),
        ("does not name", |p| packages(p).truncate(1)),
        ("host's packages are for amd64", |p| {
            first(p).architecture = "arm64".to_owned();
            first(p).archive.file = first(p).file_name();
        }),
    ];
    for (word, edit) in edits {
        let mut pin = right();
        edit(&mut pin);
        let error = agrees(MUSL, Host::LinuxX64, &pin, &good);
        assert!(
            error.clone().is_err_and(|e| e.contains(word)),
            "{word}: {error:?}"
        );
    }
    // The entry's distribution is not its packages'.
    let mut lock = Lock::default();
    let trixie: Distribution = "debian/trixie".to_owned().try_into().expect("one");
    for distribution in [Some(trixie), None] {
        let key = LockKey {
            triple: triple(MUSL),
            host: Host::LinuxX64,
            distribution: distribution.clone(),
        };
        lock.insert(triple(MUSL), Host::LinuxX64, distribution, right());
        let error = lock.agrees(&key, &good).expect_err("other").to_string();
        assert!(
            error.contains("its packages are of debian/bookworm"),
            "{error}"
        );
    }
}

fn packages(pin: &mut Pin) -> &mut Vec<AptPackage> {
    let [PinnedSource::Apt { packages, .. }] = &mut pin.sources[..] else {
        panic!("apt's");
    };
    packages
}

fn first(pin: &mut Pin) -> &mut AptPackage {
    &mut packages(pin)[0]
}

#[test]
fn a_newer_format_asks_for_a_newer_xtool() {
    let error = parse("version = 2\nwhatever = { x = 1 }\n").expect_err("newer");
    assert!(matches!(
        error,
        ProjectError::NewerLock {
            found: 2,
            known: 1,
            ..
        }
    ));
    assert_eq!(error.help().as_deref(), Some("upgrade xtool"));
}

/// F28, F56: names that would leave a folder, and other faults, have a place.
#[test]
fn faults_have_a_place() {
    let mut lock = Lock::default();
    lock.insert(
        triple(WINDOWS),
        Host::LinuxX64,
        Some(bookworm()),
        pin("1.0"),
    );
    lock.insert(triple(WINDOWS), Host::MacX64, None, apt_pin());
    let good = lock.render();
    assert_eq!(parse(&good).expect("valid"), lock);
    for (from, to, word) in [
        ("\"zig\"\nversion", "\"../zig\"\nversion", "toolchain name"),
        (
            "version = \"1.0\"",
            "version = \"a/b\"",
            "toolchain version",
        ),
        ("version = \"1.0\"", "version = \"\"", "toolchain version"),
        (
            "target = \"x86_64-pc-windows-gnu\"",
            "target = \"/tmp/x\"",
            "target triple",
        ),
        (
            "host = \"x86_64-apple-darwin\"",
            "host = \"sparc-sun-solaris\"",
            "host",
        ),
        (
            "debian/bookworm\"\ntool",
            "debian/../x\"\ntool",
            "distribution",
        ),
        (
            "debian/bookworm\"\ntool",
            "debian/..\"\ntool",
            "distribution",
        ),
        ("wheel-1.0.tar.xz", "../x", "file name"),
        ("wheel-1.0.tar.xz", "..", "file name"),
        ("wheel-1.0.tar.xz", "C:x", "file name"),
        ("wheel-1.0.tar.xz", "a\\u0000", "file name"),
        ("\"a/b\"", "\"/etc\"", "inside the archive"),
        ("\"a/b\"", "\"a/../../b\"", "inside the archive"),
        ("https://example.org", "http://example.org", "HTTPS"),
        ("https://example.org", "file:///etc", "HTTPS"),
        ("https://example.org", "https://[", "address"),
        ("pypi = \"ziglang\"", "pypi = \"-r/x\"", "package name"),
        (
            "pypi = \"ziglang\"",
            "nope = \"ziglang\"",
            "unknown field `nope`",
        ),
        ("pypi = \"ziglang\", file", "file", "exactly one"),
        (
            "pypi = \"ziglang\"",
            "pypi = \"z\", path = \"/x\"",
            "exactly one",
        ),
        ("name = \"a\"", "name = \"../a\"", "package name"),
        (
            "version = \"1:2.0-1~deb12u1\"",
            "version = \"1/2\"",
            "package version",
        ),
        ("family = \"gcc\"", "family = \"msvc\"", "msvc"),
        ("host = \"x86_64-apple-darwin\"", "host = 3", "string"),
        ("size = 9", "size = -1", "-1"),
        ("version = 1\n", "version = 0\n", "version"),
        ("version = 1\n", "", "version"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let error = parse(&bad).expect_err(to).to_string();
        assert!(error.starts_with("xtool.lock:"), "{error}");
        assert!(error.contains(word), "{to}: {error}");
    }
    let digest = Sha256::of(b"wheel-1.0").to_string();
    assert!(parse(&good.replace(&digest, &digest[1..])).is_err());
    let entry = &good[good.find("\n[[entry]]").expect("an entry")..];
    let error = parse(&format!("{good}{entry}"))
        .expect_err("twice")
        .to_string();
    assert!(error.contains("second entry"), "{error}");
    // A conflict of git's in the file is a fault with a place, too.
    assert!(parse(&good.replacen("[[entry]]", "<<<<<<< HEAD\n[[entry]]", 1)).is_err());
}

/// F52's neighbour: a lock is written once, and one without entries is not there.
#[test]
fn the_file_comes_and_goes() {
    let env = Env::new();
    let project = env.project();
    let held = project.hold(&env.dirs).expect("the lock");
    assert_eq!(Lock::load(&project).expect("read"), None);
    let mut lock = Lock::default();
    lock.insert(triple(WINDOWS), Host::LinuxX64, None, pin("1.0"));
    assert!(lock.save(&held, &project).expect("saved"));
    assert!(!lock.save(&held, &project).expect("again"));
    env.put("xtool.lock", &env.text("xtool.lock").replace('\n', "\r\n"));
    assert!(!lock.save(&held, &project).expect("CRLF"));
    assert_eq!(Lock::load(&project).expect("read"), Some(lock));
    assert!(Lock::default().save(&held, &project).expect("saved"));
    assert!(!env.has("xtool.lock"));
}

fn arb_archive() -> impl Strategy<Value = Archive> {
    (
        "[a-z][ !#-)+-.0-9;=@-\\[\\]-{}~é']{0,20}",
        any::<[u8; 8]>(),
        prop::option::of(0..u64::MAX / 2),
    )
        .prop_map(|(file, seed, size)| Archive {
            file,
            sha256: Sha256::of(&seed),
            size,
        })
}

fn arb_source() -> impl Strategy<Value = PinnedSource> {
    let root = || prop::option::of("[a-z.]?[a-z0-9_ -]{1,5}(/[a-z0-9]{1,5}){0,2}");
    let name = "[a-z][a-z0-9+-]{0,8}[a-z]";
    prop_oneof![
        (
            arb_archive(),
            root(),
            prop::option::of("[ -~]{1,30}"),
            "[a-z]{1,8}"
        )
            .prop_map(|(archive, root, minisign, path)| PinnedSource::Url {
                url: format!("https://example.org/{path}?q=%22")
                    .parse()
                    .expect("an address"),
                archive,
                root,
                minisign,
            }),
        (name, arb_archive(), root()).prop_map(|(package, archive, root)| PinnedSource::Pypi {
            package,
            archive,
            root
        }),
        (arb_archive(), root(), "/[ -~é]{1,20}").prop_map(|(archive, root, path)| {
            PinnedSource::Path {
                path: path.into(),
                archive,
                root,
            }
        }),
        prop::collection::btree_map(name, (arb_archive(), "[0-9][0-9~+-]{0,5}[0-9]"), 1..4)
            .prop_map(|all| {
                PinnedSource::Apt {
                    distribution: bookworm(),
                    packages: all
                        .into_iter()
                        .map(|(name, (archive, version))| AptPackage {
                            name,
                            version: format!("1:{version}"),
                            architecture: "all".to_owned(),
                            archive,
                        })
                        .collect(),
                }
            }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// What is rendered parses back to the same, and rendering does not depend on the order of insertion.
    #[test]
    fn a_lock_round_trips(
        pins in prop::collection::vec((0usize..3, 0usize..6, any::<bool>(), "[0-9][a-z0-9+~]{0,6}", prop::collection::vec(arb_source(), 1..4)), 0..5),
    ) {
        let triples = [WINDOWS, MUSL, "thumbv8m.main-none-eabi"];
        let mut lock = Lock::default();
        let mut backwards = Lock::default();
        let mut seen = Vec::new();
        let entry = |(t, h, d, version, sources): &(usize, usize, bool, String, Vec<PinnedSource>)| {
            let pin = Pin {
                toolchain: "zig".to_owned(),
                version: version.clone(),
                family: Family::Clang,
                sources: sources.clone(),
            };
            (triple(triples[*t]), Host::ALL[*h], d.then(bookworm), pin)
        };
        for p in &pins {
            let (t, h, d, pin) = entry(p);
            if !seen.contains(&(p.0, p.1, p.2)) {
                seen.push((p.0, p.1, p.2));
                lock.insert(t, h, d, pin);
            }
        }
        for key in seen.iter().rev() {
            let p = pins.iter().find(|p| (p.0, p.1, p.2) == *key).expect("there");
            let (t, h, d, pin) = entry(p);
            backwards.insert(t, h, d, pin);
        }
        let text = lock.render();
        prop_assert_eq!(&backwards.render(), &text);
        prop_assert_eq!(parse(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?, lock.clone());
        prop_assert_eq!(parse(&text.replace('\n', "\r\n")).expect("CRLF"), lock);
    }
}
