//! Toolchains of which targets need parts: what an install writes, what another target adds, and what the commands say.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::rig::{Fake, Rig, TARGET, fail, finish, manifest, names, said, spawn, succeed, tree};
use crate::support::noise;
use crate::support::server::Server;
use crate::unpack::build::file;

/// Needs `shared` and `musl`.
pub const MUSL: &str = "x86_64-unknown-linux-musl";
/// Lists no parts.
const WHOLE: &str = "armv7-unknown-linux-gnueabihf";

/// A toolchain with a core, a part each for two targets, one for both, and one for nobody.
pub fn fake() -> Fake {
    let files = [
        file("lib/core.h", "core"),
        file("lib/libc/glibc/a.h", "glibc"),
        file("lib/libc/glibc/deep/b.h", noise(100_000)),
        file("lib/libc/musl/c.h", "musl"),
        file("lib/include/x-any/d.h", "any"),
        file("lib/include/y-any/d.h", "any"),
        file("lib/include/x-musl/e.h", "x"),
        file("lib/include/y-musl/e.h", "y"),
        file("lib/libc/bsd/f.h", "bsd"),
    ];
    Fake::with("fake", files)
}

/// A manifest of it: [`TARGET`] needs `shared` and `glibc`.
pub fn with_parts(rig: &Rig, server: &Server, fake: &Fake) {
    let urls = [server.url(&fake.file()).to_string()];
    let text = manifest(&[(fake, &urls)]);
    let (head, target) = text.split_once("[target.").unwrap();
    let target = format!("[target.{target}");
    let listing = |triple: &str, parts: &str| target.replace(TARGET, triple) + parts;
    let parts = "[toolchain.fake.parts]\nbsd = [\"lib/libc/bsd\"]\nglibc = [\"lib/libc/glibc\"]\nmusl = [\"lib/libc/musl\", \"lib/include/*-musl\"]\nshared = [\"lib/include/*-any\", \"lib/no-such\"]\n";
    let text = [
        head,
        parts,
        &listing(TARGET, "parts = [\"shared\", \"glibc\"]\n"),
        &listing(MUSL, "parts = [\"shared\", \"musl\"]\n"),
        &listing(WHOLE, ""),
    ]
    .concat();
    rig.env.write("manifest.toml", text);
}

fn rig(server: &Server) -> Rig {
    let rig = Rig::new();
    with_parts(&rig, server, &fake());
    rig
}

fn add(rig: &Rig, triple: &str) -> std::process::Command {
    rig.xtool(&["add", triple, "--no-rust-std"])
}

/// The toolchain's folder.
fn root(home: &Path) -> std::path::PathBuf {
    let toolchains = home.join("toolchains");
    let id = names(&toolchains)
        .into_iter()
        .find(|n| !super::rig::is_a(n, "toml"));
    toolchains.join(id.expect("a toolchain"))
}

fn receipt(home: &Path) -> String {
    let root = root(home);
    let file = format!("{}.toml", root.file_name().unwrap().to_string_lossy());
    fs_err::read_to_string(home.join("toolchains").join(file)).unwrap()
}

/// What is there below `lib`, two names deep, folders only.
fn folders(home: &Path) -> Vec<String> {
    let files = tree(&root(home).join("lib"));
    let mut found: Vec<String> = files
        .keys()
        .filter(|k| k.ends_with('/') && k.matches('/').count() == 2)
        .map(|k| k.trim_end_matches('/').to_owned())
        .collect();
    found.sort();
    found
}

const OF_GLIBC: [&str; 3] = ["include/x-any", "include/y-any", "libc/glibc"];
const OF_BOTH: [&str; 6] = [
    "include/x-any",
    "include/x-musl",
    "include/y-any",
    "include/y-musl",
    "libc/glibc",
    "libc/musl",
];

/// One target writes what it needs; another adds to it from the cache, without a download, and what is there stays as
/// it is; both at once come to the same, and a target without a list to the whole.
#[test]
fn a_target_installs_its_parts_and_another_adds_its_own() {
    let server = Fake::serve(&[fake()]);
    let rig = rig(&server);
    let said = succeed(&mut add(&rig, TARGET));
    assert!(said.contains("Installed fake 1"), "{said}");
    assert_eq!(folders(&rig.home()), OF_GLIBC);
    assert!(root(&rig.home()).join("lib/core.h").is_file());
    let first = receipt(&rig.home());
    assert!(first.starts_with("schema = 2\n"), "{first}");
    assert!(
        first.contains(r#"parts = ["core", "glibc", "shared"]"#),
        "{first}"
    );
    let before = times(&root(&rig.home()));

    let said = succeed(add(&rig, MUSL).arg("--offline"));
    assert!(said.contains("Added musl of fake 1"), "{said}");
    assert_eq!(folders(&rig.home()), OF_BOTH);
    assert_eq!(server.requests().len(), 1, "from the cache");
    let after = times(&root(&rig.home()));
    assert!(
        before.iter().all(|entry| after.contains(entry)),
        "it stays as it is"
    );
    rig.assert_tidy();
    let said = succeed(&mut rig.xtool(&["list", "--installed"]));
    assert!(said.contains("core, glibc, musl, shared"), "{said}");
    let said = succeed(&mut rig.xtool(&["show", MUSL]));
    assert!(said.contains("core, glibc, musl, shared"), "{said}");

    // A CI image for both gets the union at once.
    let image = self::rig(&server);
    succeed(&mut image.outside(&["fetch", TARGET, MUSL]));
    assert_eq!(
        tree(&image.home().join("toolchains")),
        tree(&rig.home().join("toolchains"))
    );

    succeed(add(&rig, WHOLE).arg("--offline"));
    assert!(folders(&rig.home()).contains(&"libc/bsd".to_owned()));
    assert!(receipt(&rig.home()).starts_with("schema = 1\n"));
    let whole = self::rig(&server);
    succeed(&mut whole.outside(&["fetch", WHOLE]));
    assert_eq!(
        tree(&whole.home().join("toolchains")),
        tree(&rig.home().join("toolchains"))
    );
    // And the whole is enough for each.
    let requests = server.requests().len();
    succeed(&mut whole.outside(&["fetch", MUSL]));
    assert_eq!(server.requests().len(), requests);
}

/// Files with their modification times; folders get new names in them.
fn times(folder: &Path) -> Vec<(String, SystemTime)> {
    tree(folder)
        .into_keys()
        .filter(|k| !k.ends_with('/'))
        .map(|k| {
            let meta = folder.join(&k).symlink_metadata().unwrap();
            (k, meta.modified().unwrap())
        })
        .collect()
}

/// The cache may have lost the archive, or have it damaged: then it is downloaded again, and verified.
#[test]
fn an_archive_that_the_cache_lost_is_downloaded_again() {
    let server = Fake::serve(&[fake()]);
    let rig = rig(&server);
    succeed(&mut add(&rig, TARGET));
    succeed(&mut rig.xtool(&["cache", "clean"]));
    fail(add(&rig, MUSL).arg("--offline"), &["fake-1.tar.gz"]);
    assert_eq!(folders(&rig.home()), OF_GLIBC);
    succeed(&mut add(&rig, MUSL));
    assert_eq!(server.requests().len(), 2);
    assert_eq!(folders(&rig.home()), OF_BOTH);

    let rig = self::rig(&server);
    succeed(&mut add(&rig, TARGET));
    let cached = rig
        .cache()
        .join("downloads/sha256")
        .join(fake().digest().to_string());
    let mut bytes = fs_err::read(&cached).unwrap();
    bytes[100] ^= 1;
    fs_err::write(&cached, bytes).unwrap();
    succeed(&mut add(&rig, MUSL));
    assert_eq!(server.requests().len(), 4);
    assert_eq!(folders(&rig.home()), OF_BOTH);
}

/// A project whose second target's part is missing, as after a `git pull`: nobody takes the toolchain for complete.
#[test]
fn a_missing_part_is_noticed_by_every_command() {
    let server = Fake::serve(&[fake()]);
    let rig = rig(&server);
    succeed(&mut add(&rig, TARGET));
    succeed(&mut add(&rig, MUSL));
    // Another machine: the store has only the first target's.
    fs_err::remove_dir_all(rig.home()).unwrap();
    succeed(&mut rig.outside(&["fetch", TARGET]));
    succeed(&mut rig.xtool(&["env", TARGET]));
    for args in [
        ["env", MUSL].as_slice(),
        &["exec", MUSL, "--", "true"],
        &["verify", MUSL],
    ] {
        let said = fail(&mut rig.xtool(args), &["xtool sync"]);
        assert!(said.contains("without what"), "{said}");
    }
    let said = succeed(&mut rig.xtool(&["show", MUSL]));
    assert!(said.contains("no: xtool sync"), "{said}");
    succeed(&mut rig.xtool(&["sync", "--locked", "--offline"]));
    assert_eq!(folders(&rig.home()), OF_BOTH);
    succeed(&mut rig.xtool(&["env", MUSL]));
    let said = succeed(&mut rig.xtool(&["sync", "--locked"]));
    assert!(said.contains("Unchanged"), "{said}");
}

/// What a killed process moved in before its receipt, or anything else that the receipt lacks, is replaced.
#[test]
fn a_folder_that_the_receipt_lacks_is_replaced() {
    let server = Fake::serve(&[fake()]);
    let rig = rig(&server);
    succeed(&mut add(&rig, TARGET));
    let root = root(&rig.home());
    for (path, text) in [
        ("lib/libc/musl/c.h", "other"),
        ("lib/include/x-musl/more.h", "x"),
    ] {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    succeed(&mut add(&rig, MUSL));
    assert_eq!(
        fs_err::read(root.join("lib/libc/musl/c.h")).unwrap(),
        b"musl"
    );
    assert_eq!(names(&root.join("lib/include/x-musl")), ["e.h"]);
    rig.assert_tidy();
}

/// Never through a link that somebody put there.
#[cfg(unix)]
#[test]
fn nothing_is_moved_through_a_link() {
    let server = Fake::serve(&[fake()]);
    let rig = rig(&server);
    succeed(&mut add(&rig, TARGET));
    let outside = rig.env.path("outside");
    fs_err::create_dir(&outside).unwrap();
    let include = root(&rig.home()).join("lib/include");
    fs_err::remove_dir_all(&include).unwrap();
    fs_err::os::unix::fs::symlink(&outside, &include).unwrap();
    fail(&mut add(&rig, MUSL), &["lib/include"]);
    assert_eq!(names(&outside), [""; 0]);
    assert!(!receipt(&rig.home()).contains("\"musl\""));
}

/// Two families of one toolchain at once, from nothing: one download, and both are there.
#[test]
fn two_families_at_once_share_a_download() {
    let fake = fake();
    let serving = fake.clone();
    let server = Server::new(move |r, _| serving.reply(r).pace(8192, Duration::from_millis(20)));
    for round in 1..=3 {
        let rig = rig(&server);
        let children = [TARGET, MUSL].map(|triple| {
            let folder = rig.env.path(triple);
            fs_err::create_dir(&folder).unwrap();
            let mut command = rig.xtool(&["add", triple, "--no-cargo"]);
            spawn(command.current_dir(folder))
        });
        for child in children {
            let output = finish(child);
            assert!(output.status.success(), "{}", said(&output));
        }
        assert_eq!(server.requests().len(), round);
        assert_eq!(folders(&rig.home()), OF_BOTH);
        assert!(receipt(&rig.home()).contains(r#"["core", "glibc", "musl", "shared"]"#));
        rig.assert_tidy();
    }
}

/// A read-only layer is not added to: the user's own layer gets all that the target needs.
#[test]
fn a_read_only_layer_without_the_part_is_left_alone() {
    let server = Fake::serve(&[fake()]);
    let rig = rig(&server);
    let system = rig.env.path("system");
    succeed(rig.outside(&["fetch", TARGET]).env("XTOOL_HOME", &system));
    let before = tree(&system);
    let with_layer = |triple: &str| {
        let mut command = add(&rig, triple);
        command.env("XTOOL_SYSTEM_HOME", &system);
        command
    };
    succeed(&mut with_layer(TARGET));
    assert_eq!(rig.toolchains(), [""; 0]);
    succeed(with_layer(MUSL).arg("--offline"));
    assert_eq!(
        folders(&rig.home()),
        [
            "include/x-any",
            "include/x-musl",
            "include/y-any",
            "include/y-musl",
            "libc/musl"
        ]
    );
    assert!(root(&rig.home()).join("lib/core.h").is_file());
    assert_eq!(tree(&system), before);
    // The first target goes on with the layer's.
    let linker = succeed(
        rig.xtool(&["show", TARGET])
            .env("XTOOL_SYSTEM_HOME", &system),
    );
    assert!(linker.contains(system.to_str().unwrap()), "{linker}");
    assert_eq!(server.requests().len(), 1);
}

/// A store of a newer xtool is not guessed at.
#[test]
fn a_receipt_of_a_later_format_is_refused() {
    let server = Fake::serve(&[fake()]);
    let rig = rig(&server);
    succeed(&mut add(&rig, TARGET));
    let path = root(&rig.home()).with_extension("toml");
    let text = receipt(&rig.home()).replace("schema = 2", "schema = 9");
    fs_err::write(&path, text).unwrap();
    fail(
        &mut add(&rig, MUSL),
        &["a newer xtool wrote it", path.to_str().unwrap()],
    );
    assert_eq!(folders(&rig.home()), OF_GLIBC);
}
