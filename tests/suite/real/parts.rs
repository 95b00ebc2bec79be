//! What an install of zig writes for one target, from the real archive.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use xtool::manifest::Manifest;

use super::{Lab, succeed};

fn zig(lab: &Lab) -> PathBuf {
    let mut found: Vec<PathBuf> = fs_err::read_dir(lab.home().join("toolchains"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn files(folder: &Path) -> usize {
    let entries = fs_err::read_dir(folder).unwrap();
    entries
        .map(|e| e.unwrap().path())
        .map(|p| if p.is_dir() { files(&p) } else { 1 })
        .sum()
}

/// One target's families of headers and no others; another target's from the cached archive; and every folder that the
/// manifest names for a part is one that the archive has.
#[test]
fn a_target_gets_its_parts_of_zig_and_no_others() {
    let lab = Lab::with_own_store();
    let folder = lab.dir.path().to_owned();
    let fetch = |targets: &[&str], more: &[&str]| {
        let mut args = vec!["fetch", "--toolchain", "zig"];
        args.extend(targets);
        args.extend(more);
        succeed(lab.xtool(&folder, &args).env_remove("XTOOL_HOST"))
    };
    fetch(&["x86_64-unknown-linux-musl"], &[]);
    let root = zig(&lab);
    let has = |path: &str| root.join(path).exists();
    for there in [
        "lib/std/std.zig",
        "lib/libcxx",
        "lib/libc/musl",
        "lib/libc/include/any-linux-any",
        "lib/libc/include/x86_64-linux-musl",
    ] {
        assert!(has(there), "{there}");
    }
    for absent in [
        "lib/compiler",
        "lib/libtsan",
        "lib/libc/glibc",
        "lib/libc/mingw",
        "lib/libc/darwin",
        "lib/libc/freebsd",
        "lib/libc/include/any-windows-any",
        "lib/libc/include/generic-netbsd",
    ] {
        assert!(!has(absent), "{absent}");
    }
    let first = files(&root);

    let manifest = Manifest::load(None).unwrap();
    let rest: Vec<&str> = manifest
        .targets
        .values()
        .filter(|t| t.tools.contains_key("zig"))
        .map(|t| t.triple.as_str())
        .collect();
    fetch(&rest, &["--offline"]);
    let all = files(&root);
    assert!(first * 2 < all, "{first} of {all}");

    // `bsd` is no target's, and folders come and go with versions.
    let listed: BTreeSet<String> = manifest
        .targets
        .values()
        .filter_map(|t| t.tools.get("zig")?.parts.clone())
        .flatten()
        .collect();
    let listed: Vec<String> = listed.into_iter().collect();
    let parts = &manifest.toolchains["zig"].parts;
    let named = parts.extent(Some(&[])).lacks(&parts.extent(Some(&listed)));
    let lost: Vec<String> = named
        .iter()
        .filter(|p| p.found_in(&root).unwrap().is_empty())
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        lost,
        ["lib/libc/include/any-darwin-any"],
        "which 0.16.0 has in place of `any-macos-any`"
    );
}
