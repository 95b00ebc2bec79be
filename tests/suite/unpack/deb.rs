//! What only Debian packages have.

#[cfg(unix)]
use std::path::PathBuf;

#[cfg(unix)]
use xtool::unpack::Cause;
use xtool::unpack::Options;

use super::build::{ar, ar_header, deb, file, gz, tar, xz, zst};
#[cfg(unix)]
use super::build::{folder, symlink};
#[cfg(unix)]
use super::sandbox::{Found, Sandbox};
use super::sandbox::{chain, content, refused_bytes, unpacked};

/// F40: an absolute link inside a package leads to the same place of the tree, from wherever the tree is.
#[cfg(unix)]
#[test]
fn absolute_links_stay_inside() {
    let archive = deb(
        "data.tar.xz",
        &xz(&tar(&[
            folder("./"),
            file("./usr/lib/libx.so.1", "x"),
            symlink("./usr/bin/x", "/usr/lib/libx.so.1"),
            symlink("./usr/lib/libx.so", "/usr/lib/libx.so.1"),
            symlink("./top", "/"),
            symlink("./usr/deep/er/top", "//"),
            symlink("./usr/bin/alternative", "/etc/alternatives/x"),
        ])),
    );
    let sandbox = unpacked("a.deb", &archive, &Options::default());
    let tree = sandbox.tree();
    for (path, target) in [
        ("usr/bin/x", "../lib/libx.so.1"),
        ("usr/lib/libx.so", "libx.so.1"),
        ("top", "."),
        ("usr/deep/er/top", "../../.."),
        ("usr/bin/alternative", "../../etc/alternatives/x"),
    ] {
        assert_eq!(tree[path], Found::Link(PathBuf::from(target)), "{path}");
    }
    assert_eq!(
        fs_err::read(sandbox.dest().join("usr/bin/x")).unwrap(),
        b"x"
    );
}

/// The data tar comes in every compression that dpkg writes; control members are skipped, scripts never seen.
#[test]
fn every_compression_of_the_data_is_read() {
    let inner = tar(&[file("./usr/a", "1")]);
    for (name, data) in [
        ("data.tar", inner.clone()),
        ("data.tar.gz", gz(&inner)),
        ("data.tar.xz", xz(&inner)),
        ("data.tar.zst", zst(&inner)),
        // GNU ar's way to end a name.
        ("data.tar.gz/", gz(&inner)),
    ] {
        let sandbox = unpacked("a.deb", &deb(name, &data), &Options::default());
        assert_eq!(sandbox.tree()["usr/a"], content("1"), "{name}");
        assert_eq!(sandbox.tree().len(), 2, "{name}");
    }
}

/// F40: members missing, doubled, in another order, or in an unknown compression.
#[test]
fn packages_without_their_members_are_refused() {
    let data = xz(&tar(&[file("./a", "1")]));
    let version: (&str, &[u8]) = ("debian-binary", b"2.0\n");
    for (members, because) in [
        (vec![], "first member"),
        (vec![("data.tar.xz", &data[..])], "first member"),
        (vec![("data.tar.xz", &data[..]), version], "first member"),
        (vec![version], "no data.tar"),
        (vec![version, ("control.tar.xz", &data[..])], "no data.tar"),
        (
            vec![version, ("data.tar.xz", &data[..]), ("data.tar.gz", b"")],
            "more than one data.tar",
        ),
        (
            vec![version, ("data.tar.bz2", &data[..])],
            "unknown compression",
        ),
        (
            vec![("debian-binary", b"3.0\n"), ("data.tar.xz", &data[..])],
            "must be 2.x",
        ),
        (
            vec![("debian-binary", b"0.939000\n"), ("data.tar.xz", &data[..])],
            "must be 2.x",
        ),
    ] {
        let cause = refused_bytes("a.deb", &ar(&members));
        assert!(chain(&cause).contains(because), "{cause:?} lacks {because}");
    }
}

/// F40: sizes and names of the outer archive that are none, or want more than there is.
#[test]
fn bad_outer_headers_are_refused() {
    let start = ar(&[("debian-binary", b"2.0\n")]);
    for (name, size, because) in [
        ("data.tar.xz", "9999999999", "beyond the end"),
        ("data.tar.xz", "-1", "size"),
        ("data.tar.xz", "", "size"),
        ("data.tar.xz", "+4", "size"),
        ("data.tar.xz", "1x", "size"),
        ("", "4", "no member's name"),
        ("/", "4", "no member's name"),
        ("#1/9999999999", "9999999999", "no member's name"),
        // An index into a table of names that is not there.
        ("/99999", "4", "beyond the end"),
        ("//", "9999999999", "beyond the end"),
        ("data\x1btar", "4", "no member's name"),
    ] {
        let archive = [start.clone(), ar_header(name, size)].concat();
        let cause = refused_bytes("a.deb", &archive);
        assert!(chain(&cause).contains(because), "{name} {size}: {cause:?}");
    }
    let mut no_end_mark = [start, ar_header("data.tar", "0")].concat();
    *no_end_mark.last_mut().unwrap() = b' ';
    let cause = refused_bytes("a.deb", &no_end_mark);
    assert!(chain(&cause).contains("end mark"), "{cause:?}");
}

/// Several packages make one tree: folders are shared, and so is a file or link that both have the same.
#[cfg(unix)]
#[test]
fn packages_share_a_tree() {
    let sandbox = Sandbox::new();
    let shared = [
        folder("./usr"),
        file("./usr/doc", "same"),
        symlink("./usr/l", "doc"),
    ];
    for own in ["one", "two"] {
        let entries: Vec<_> = shared
            .iter()
            .cloned()
            .chain([file(format!("./usr/{own}"), own)])
            .collect();
        let archive = deb("data.tar.xz", &xz(&tar(&entries)));
        sandbox
            .unpack("a.deb", &archive, &Options::default())
            .unwrap();
    }
    let tree = sandbox.tree();
    assert_eq!(
        tree.keys().collect::<Vec<_>>(),
        ["usr", "usr/doc", "usr/l", "usr/one", "usr/two"]
    );
}

/// What an earlier package wrote is never changed, and a failed one takes only its own files back.
#[cfg(unix)]
#[test]
fn a_later_package_replaces_nothing() {
    for (clash, path) in [
        (file("./usr/doc", "other"), "usr/doc"),
        (file("./usr/doc", "sam"), "usr/doc"),
        (file("./usr/doc", "same and more"), "usr/doc"),
        (symlink("./usr/doc", "one"), "usr/doc"),
        (folder("./usr/doc"), "usr/doc"),
        (file("./usr/l", "same"), "usr/l"),
        (symlink("./usr/l", "other"), "usr/l"),
        (file("./usr/sub", "x"), "usr/sub"),
        (symlink("./usr/sub", "doc"), "usr/sub"),
        // Through a link of the earlier one, though it stays inside.
        (file("./usr/to-sub/x", "x"), "usr/to-sub"),
        (folder("./usr/to-sub"), "usr/to-sub"),
    ] {
        let sandbox = Sandbox::new();
        let first = deb(
            "data.tar.xz",
            &xz(&tar(&[
                file("./usr/doc", "same"),
                folder("./usr/sub"),
                symlink("./usr/l", "doc"),
                symlink("./usr/to-sub", "sub"),
            ])),
        );
        sandbox
            .unpack("one.deb", &first, &Options::default())
            .unwrap();
        let before = sandbox.tree();
        let second = deb(
            "data.tar.xz",
            &xz(&tar(&[
                file("./usr/own", "x"),
                file("./opt/own", "x"),
                clash,
                symlink("./usr/own-link", "own"),
            ])),
        );
        let error = sandbox
            .unpack("two.deb", &second, &Options::default())
            .unwrap_err();
        assert!(
            matches!(&error.cause, Cause::Conflict { path: at } if at.ends_with(path)),
            "{path}: {error:?}"
        );
        assert_eq!(sandbox.tree(), before, "{path}");
    }
}

/// F31: two packages cannot do together what one may not: the link that the second completes still stays inside.
#[cfg(unix)]
#[test]
fn links_of_two_packages_do_not_leave_together() {
    let sandbox = Sandbox::new();
    let one = deb(
        "data.tar.xz",
        &xz(&tar(&[symlink("./a", "b/.."), folder("./d")])),
    );
    let two = deb(
        "data.tar.xz",
        &xz(&tar(&[symlink("./b", "."), file("./d/x", "1")])),
    );
    sandbox
        .unpack("one.deb", &one, &Options::default())
        .unwrap();
    sandbox
        .unpack("two.deb", &two, &Options::default())
        .unwrap();
    let dest = fs_err::canonicalize(sandbox.dest()).unwrap();
    for link in ["a", "b", "a/b", "b/a/b/a"] {
        let real = fs_err::canonicalize(dest.join(link)).unwrap();
        assert!(
            real.starts_with(&dest),
            "{link} leads to {}",
            real.display()
        );
    }
}
