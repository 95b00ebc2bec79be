//! Apple SDKs, brought as a folder, an archive or an address: checked, listed, chosen by name.

use super::rig::{Fake, Rig, fail, names, run, said, succeed};
use crate::support::server::Server;
use crate::unpack::build::{Entry, Format, file, symlink};
use xtool::digest::Sha256;

const MAC: &str = "aarch64-apple-darwin";

/// What the smallest SDK has, in the folder that Apple's has at its top. The names of its libSystem and of the parts of
/// the C library are links, as in Apple's.
fn sdk(version: &str) -> Vec<Entry> {
    let settings = format!(r#"{{"CanonicalName":"macosx{version}","Version":"{version}"}}"#);
    let top = format!("MacOSX{version}.sdk");
    let mut entries = vec![
        file(format!("{top}/SDKSettings.json"), settings),
        file(format!("{top}/usr/lib/libSystem.B.tbd"), "--- !tapi-tbd\n"),
        file(
            format!("{top}/usr/include/stdio.h"),
            "int puts(const char *);\n",
        ),
        file(
            format!("{top}/usr/include/sys/types.h"),
            "typedef int pid_t;\n",
        ),
    ];
    for name in ["System", "c", "m", "pthread", "dl"] {
        let link = format!("{top}/usr/lib/lib{name}.tbd");
        entries.push(symlink(link, "libSystem.B.tbd"));
    }
    entries
}

/// Without what lies below a path.
fn without(version: &str, part: &str) -> Vec<Entry> {
    let mut entries = sdk(version);
    entries.retain(|e| !String::from_utf8_lossy(&e.path).contains(part));
    entries
}

#[test]
fn an_archive_of_any_kind_is_imported_and_listed() {
    let rig = Rig::new();
    let list = |rig: &Rig| succeed(&mut rig.xtool(&["sdk", "list"]));
    assert!(list(&rig).contains("xtool sdk import"), "{}", list(&rig));
    for (version, format) in [
        ("14.0", Format::TarXz),
        ("14.2", Format::TarGz),
        ("14.4", Format::TarZst),
    ] {
        let name = format!(
            "MacOSX{version}.sdk{}",
            format.file().strip_prefix('a').unwrap()
        );
        let archive = rig.env.write(&name, format.archive(&sdk(version)));
        let import = ["sdk", "import", archive.to_str().unwrap()];
        let told = succeed(&mut rig.xtool(&import));
        assert!(told.contains(&format!("--sdk MacOSX{version}")), "{told}");
        let again = succeed(&mut rig.xtool(&import));
        assert!(again.contains("Unchanged"), "{again}");
        // Another of the same name does not pass for it.
        let mut other = sdk(version);
        let header = format!("MacOSX{version}.sdk/usr/include/math.h");
        other.push(file(header, "double sin(double);\n"));
        let other = rig
            .env
            .write(&format!("other-{name}"), format.archive(&other));
        fail(
            &mut rig.xtool(&["sdk", "import", other.to_str().unwrap()]),
            &[
                &format!("Another SDK of the name `MacOSX{version}`"),
                "usr/include/math.h",
                "help: to replace it",
            ],
        );
        let there = rig.home().join(format!("sdks/MacOSX{version}"));
        let stub = fs_err::read_to_string(there.join("usr/lib/libSystem.tbd")).unwrap();
        assert_eq!(stub, "--- !tapi-tbd\n");
    }
    let listed = run(&mut rig.xtool(&["sdk", "list", "--json"]));
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let found: Vec<&str> = listed["sdks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["MacOSX14.4", "MacOSX14.2", "MacOSX14.0"]);
    rig.assert_tidy();
}

#[test]
fn an_address_needs_its_digest_and_a_folder_has_none() {
    let archive = Format::TarXz.archive(&sdk("14.5"));
    let server = Server::files([("sdk.tar.xz".to_owned(), archive.clone())]);
    let rig = Rig::new();
    let url = server.url("sdk.tar.xz").to_string();
    let digest = Sha256::of(&archive).to_string();
    let wrong = Sha256::of(b"other").to_string();

    fail(&mut rig.xtool(&["sdk", "import", &url]), &["--sha256"]);
    assert_eq!(
        server.connections(),
        0,
        "nothing is asked for without a digest"
    );
    let told = fail(
        &mut rig.xtool(&["sdk", "import", &url, "--sha256", &wrong]),
        &["different digest than pinned", "help: compare `--sha256`"],
    );
    assert!(told.contains(&digest) && told.contains(&wrong), "{told}");
    fail(
        &mut rig.xtool(&["sdk", "import", &url, "--sha256", "abc"]),
        &["--sha256"],
    );
    let gone = server.url("gone.tar.xz").to_string();
    fail(
        &mut rig.xtool(&["sdk", "import", &gone, "--sha256", &digest]),
        &["404", "help: check the address", "xtool sdk import FILE"],
    );
    fail(
        &mut rig.xtool(&["sdk", "import", "--offline", &url, "--sha256", &digest]),
        &["not in the cache", "help: run it again without `--offline`"],
    );
    assert!(!rig.home().join("sdks").exists());
    succeed(&mut rig.xtool(&["sdk", "import", &url, "--sha256", &digest]));
    assert_eq!(names(&rig.home().join("sdks")), ["MacOSX14.5"]);
    // What was downloaded once serves again, without the network.
    fs_err::remove_dir_all(rig.home().join("sdks")).unwrap();
    succeed(&mut rig.xtool(&["sdk", "import", "--offline", &url, "--sha256", &digest]));

    let file = rig.env.write("sdk.tar.xz", &archive);
    let file = file.to_str().unwrap();
    let told = fail(
        &mut rig.xtool(&["sdk", "import", file, "--sha256", &wrong]),
        &["sdk.tar.xz", "help: compare `--sha256`"],
    );
    assert!(told.contains(&digest) && told.contains(&wrong), "{told}");

    let folder = rig.home().join("sdks/MacOSX14.5");
    let copy = rig.env.path("MacOSX.sdk");
    xtool::sdk::copy_tree(&folder, &made(&copy)).unwrap();
    fs_err::remove_dir_all(&folder).unwrap();
    let copy = copy.to_str().unwrap();
    fail(
        &mut rig.xtool(&["sdk", "import", copy, "--sha256", &digest]),
        &["folder", "leave `--sha256` out"],
    );
    succeed(&mut rig.xtool(&["sdk", "import", copy]));
    assert!(folder.join("usr/include/stdio.h").is_file());
    rig.assert_tidy();
}

fn made(folder: &std::path::Path) -> std::path::PathBuf {
    fs_err::create_dir_all(folder).unwrap();
    folder.to_owned()
}

#[test]
fn what_is_no_sdk_of_macos_is_refused_and_leaves_nothing() {
    let rig = Rig::new();
    let phone = vec![file(
        "iPhoneOS17.5.sdk/SDKSettings.json",
        r#"{"CanonicalName":"iphoneos17.5","Version":"17.5"}"#,
    )];
    let mut hollow = without("14.5", "libSystem.B.tbd");
    hollow.push(file("MacOSX14.5.sdk/usr/lib/libSystem.B.tbd", ""));
    let mut leaving = without("14.5", "libc.tbd");
    leaving.push(symlink(
        "MacOSX14.5.sdk/usr/lib/libc.tbd",
        "../../../../etc/passwd",
    ));
    for (entries, words) in [
        (without("14.5", "SDKSettings"), "SDKSettings.json"),
        (without("14.5", "libSystem"), "usr/lib/libSystem.tbd"),
        // A link whose end was left out.
        (without("14.5", "libSystem.B"), "usr/lib/libSystem.tbd"),
        (without("14.5", "libm.tbd"), "has no `usr/lib/libm.tbd`"),
        (without("14.5", "stdio.h"), "usr/include/stdio.h"),
        (hollow, "usr/lib/libSystem.tbd`"),
        (without("14.5", "sys/types.h"), "usr/include/sys/types.h"),
        (phone, "another system than macOS"),
        (leaving, "libc.tbd"),
    ] {
        let archive = rig
            .env
            .write("Some.sdk.tar.gz", Format::TarGz.archive(&entries));
        let told = fail(
            &mut rig.xtool(&["sdk", "import", archive.to_str().unwrap()]),
            &[words, "Some.sdk.tar.gz"],
        );
        assert!(!told.contains("Imported"), "{told}");
        assert!(names(&rig.home().join("sdks")).is_empty(), "{told}");
    }
    let whole = Format::TarGz.archive(&sdk("14.5"));
    for (name, bytes, words) in [
        (
            "Some.sdk.tar.xz",
            &b"no archive at all"[..],
            "give it the name",
        ),
        ("Some.sdk.tar.gz", &whole[..whole.len() / 2], "not whole"),
        ("Xcode_16.xip", b"xar!", "open it on a Mac"),
        ("Some.sdk.dmg", b"no archive at all", "open it on a Mac"),
        ("Some.sdk.txt", b"no archive at all", "tar --create"),
    ] {
        let archive = rig.env.write(name, bytes);
        fail(
            &mut rig.xtool(&["sdk", "import", archive.to_str().unwrap()]),
            &[name, "help: ", words],
        );
    }
    fail(
        &mut rig.xtool(&["sdk", "import", "nowhere.sdk"]),
        &["nowhere.sdk` does not exist", "help: "],
    );
    #[cfg(unix)]
    {
        let pipe = rig.env.path("pipe.sdk.tar.xz");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        fail(
            &mut rig.xtool(&["sdk", "import", pipe.to_str().unwrap()]),
            &["neither a file nor a folder", "help: "],
        );
    }
    rig.assert_tidy();
}

/// What is wrong is said of what the user gave; the staging folder it was found in is gone by then.
#[cfg(unix)]
#[test]
fn a_link_that_leaves_is_named_where_the_user_has_it() {
    let rig = Rig::new();
    let archive = rig
        .env
        .write("a.sdk.tar.gz", Format::TarGz.archive(&sdk("14.5")));
    succeed(&mut rig.xtool(&["sdk", "import", archive.to_str().unwrap()]));
    let copy = rig.env.path("Mine.sdk");
    xtool::sdk::copy_tree(&rig.home().join("sdks/MacOSX14.5"), &made(&copy)).unwrap();
    fs_err::remove_dir_all(rig.home().join("sdks/MacOSX14.5")).unwrap();
    fs_err::os::unix::fs::symlink("../../../etc", copy.join("usr/etc")).unwrap();
    let told = fail(
        &mut rig.xtool(&["sdk", "import", copy.to_str().unwrap()]),
        &[
            "Mine.sdk` has a link that is refused: `usr/etc`",
            "`../../../etc` is outside",
            "help: ",
        ],
    );
    assert!(!told.contains("staging"), "{told}");
    let mut whole = without("14.5", "libdl");
    whole.retain(|e| !e.path.ends_with(b"libm.tbd"));
    let archive = rig.env.write("b.sdk.tar.gz", Format::TarGz.archive(&whole));
    let told = fail(
        &mut rig.xtool(&["sdk", "import", archive.to_str().unwrap()]),
        &[
            "b.sdk.tar.gz/MacOSX14.5.sdk",
            "has no `usr/lib/libm.tbd`, `usr/lib/libdl.tbd`",
        ],
    );
    assert!(!told.contains("staging"), "{told}");
    rig.assert_tidy();
}

#[test]
fn only_targets_of_apple_take_an_sdk() {
    let rig = Rig::new();
    let target = "x86_64-unknown-linux-musl";
    fail(
        &mut rig.xtool(&["add", target, "--no-rust-std", "--sdk", "MacOSX14.5"]),
        &["is not built with an Apple SDK", "without --sdk"],
    );
    assert!(!rig.project().join("xtool.toml").exists());
}

/// What can only work with an SDK says so before anything is downloaded, with the manifest that xtool brings.
#[test]
fn without_an_sdk_its_toolchain_is_refused_at_once() {
    let rig = Rig::new();
    let told = fail(
        rig.xtool(&["add", MAC, "--toolchain", "osxcross", "--no-rust-std"])
            .env_remove("XTOOL_MANIFEST"),
        &["SDK", "help: xtool sdk import"],
    );
    for started in ["Resolving", "Fetching", "Downloading"] {
        assert!(!told.contains(started), "{told}");
    }
    assert!(!rig.project().join("xtool.toml").exists());
    assert!(!rig.home().join("toolchains").exists());
}

/// With several, the newest; by name or version, that one; of none, an error that names those that are there.
#[test]
fn an_sdk_is_chosen_by_its_name() {
    let fake = Fake::new("fake", 100);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let manifest = fs_err::read_to_string(rig.env.path("manifest.toml")).unwrap();
    let manifest = manifest
        .replace(super::rig::TARGET, MAC)
        .replace("\"gcc\"", "\"clang\"");
    rig.env.write("manifest.toml", manifest);
    for version in ["14.5", "15.1"] {
        let archive = Format::TarGz.archive(&sdk(version));
        let archive = rig.env.write("sdk.tar.gz", archive);
        succeed(&mut rig.xtool(&["sdk", "import", archive.to_str().unwrap()]));
    }
    let chosen = |rig: &Rig| {
        let shown = run(&mut rig.xtool(&["show", MAC, "--json"]));
        let value: serde_json::Value =
            serde_json::from_slice(&shown.stdout).unwrap_or_else(|_| panic!("{}", said(&shown)));
        value["installed"]["sdk"]["version"]
            .as_str()
            .map(str::to_owned)
    };
    let add = |more: &[&str]| rig.xtool(&[&["add", MAC, "--no-rust-std"], more].concat());
    succeed(&mut add(&[]));
    assert_eq!(chosen(&rig).as_deref(), Some("15.1"));
    for name in ["MacOSX14.5", "14.5", "MacOSX14.5.sdk"] {
        succeed(&mut add(&["--sdk", name]));
        assert_eq!(chosen(&rig).as_deref(), Some("14.5"), "{name}");
    }
    let settings = fs_err::read_to_string(rig.project().join("xtool.toml")).unwrap();
    assert!(settings.contains("sdk = \"MacOSX14.5.sdk\""), "{settings}");
    fail(
        &mut add(&["--sdk", "MacOSX99"]),
        &["MacOSX99", "MacOSX15.1, MacOSX14.5", "xtool sdk import"],
    );
    assert_eq!(
        chosen(&rig).as_deref(),
        Some("14.5"),
        "a refused choice changes nothing"
    );
}

/// F31's neighbour: a link of an SDK's folder leaves it over another link; one that stays is written so that it leads
/// inside by itself. F31's other neighbour: the folder holds the store that it is to be copied into.
#[cfg(unix)]
#[test]
fn a_folders_links_stay_inside() {
    let rig = Rig::new();
    let there = rig.home().join("sdks/MacOSX14.5");
    rig.env.write("user/secret", "private");
    let cases = [
        // (place, text): the first leads up to the SDK's top, the second looks as if it stayed below `q`.
        (
            &[
                ("q/r/s/up", "../../.."),
                ("e", "q/r/s/up/../../user/secret"),
            ][..],
            None,
        ),
        (&[("e", "../user/secret")], None),
        (&[("e", "/etc/passwd")], None),
        (
            &[("usr/lib/c.tbd", "./../../usr/lib/.//libSystem.tbd")],
            Some("libSystem.tbd"),
        ),
    ];
    for (links, good) in cases {
        let folder = rig.env.path("sdk/MacOSX14.5.sdk");
        for entry in sdk("14.5") {
            let path = String::from_utf8(entry.path).unwrap();
            match entry.kind {
                crate::unpack::build::Kind::File(bytes) => {
                    rig.env.write(&format!("sdk/{path}"), bytes);
                }
                _ => {
                    rig.env.write(&format!("sdk/{path}"), "--- !tapi-tbd\n");
                }
            }
        }
        for (place, text) in links {
            let place = folder.join(place);
            fs_err::create_dir_all(place.parent().unwrap()).unwrap();
            fs_err::os::unix::fs::symlink(text, place).unwrap();
        }
        let (last, _) = links.last().unwrap();
        let import = ["sdk", "import", folder.to_str().unwrap()];
        if let Some(text) = good {
            succeed(&mut rig.xtool(&import));
            let written = fs_err::read_link(there.join(last)).unwrap();
            assert_eq!(written.to_str(), Some(text));
        } else {
            fail(&mut rig.xtool(&import), &[last, "help:"]);
            assert!(!there.exists());
        }
        let mut inside = rig.xtool(&import);
        inside.env("XTOOL_HOME", folder.join("store"));
        if good.is_some() {
            fail(&mut inside, &["the store is in it", "XTOOL_HOME"]);
        }
        fs_err::remove_dir_all(&folder).unwrap();
    }
    rig.assert_tidy();
}

/// F41's neighbour: an archive with two SDKs: which one is not guessed.
#[test]
fn of_two_sdks_none_is_guessed() {
    let rig = Rig::new();
    let both = [sdk("14.5"), sdk("15.1")].concat();
    let archive = rig.env.write("sdks.tar.gz", Format::TarGz.archive(&both));
    fail(
        &mut rig.xtool(&["sdk", "import", archive.to_str().unwrap()]),
        &["MacOSX14.5.sdk, MacOSX15.1.sdk", "help:"],
    );
    assert!(names(&rig.home().join("sdks")).is_empty());
    rig.assert_tidy();
}
