//! Archives that are unpacked into one folder at the same time.

use xtool::unpack::{Cause, Options};

use super::build::{Entry, Format, deb, file, folder, symlink, tar, xz};
use super::sandbox::{Found, Sandbox};

fn package(entries: &[Entry]) -> Vec<u8> {
    deb("data.tar.xz", &xz(&tar(entries)))
}

fn with(threads: usize) -> Options<'static> {
    Options {
        threads,
        ..Options::default()
    }
}

/// Whoever is first with a file that all have, the others find it incomplete; it is the same file all the same.
#[test]
fn what_all_have_is_written_once() {
    let large = "0123456789abcdef".repeat(100_000);
    let packages: Vec<Vec<u8>> = (0..8)
        .map(|i| {
            package(&[
                file("./usr/shared", &large),
                file(format!("./usr/own-{i}"), "x"),
                symlink("./usr/link", "shared"),
            ])
        })
        .collect();
    let archives: Vec<(&str, &[u8])> = packages.iter().map(|p| ("p.deb", &p[..])).collect();
    for threads in [1, 2, 8] {
        let sandbox = Sandbox::new();
        let unpacked = sandbox.unpack_all(&archives, &with(threads)).unwrap();
        assert_eq!((unpacked.files, unpacked.links), (16, 8));
        let tree = sandbox.tree();
        assert_eq!(tree.len(), 1 + 1 + 8 + 1);
        assert!(
            matches!(&tree["usr/shared"], Found::File { content, .. } if content == large.as_bytes())
        );
    }
}

/// What contradicts another archive refuses all of them, in either order, and nothing is left.
#[test]
fn a_contradiction_leaves_nothing() {
    let one = package(&[
        file("./usr/doc", "same"),
        folder("./usr/sub"),
        symlink("./usr/l", "doc"),
        symlink("./usr/to-sub", "sub"),
    ]);
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
        // Through a link of the other one, though it stays inside.
        (file("./usr/to-sub/x", "x"), "usr/to-sub"),
        (folder("./usr/to-sub"), "usr/to-sub"),
        (symlink("./usr/to-sub/x", "y"), "usr/to-sub"),
    ] {
        let two = package(&[file("./opt/own", "x"), clash]);
        for archives in [
            [("1.deb", &one[..]), ("2.deb", &two)],
            [("2.deb", &two), ("1.deb", &one)],
        ] {
            for threads in [1, 4] {
                let sandbox = Sandbox::new();
                let error = sandbox.unpack_all(&archives, &with(threads)).unwrap_err();
                assert!(
                    matches!(&error.cause, Cause::Conflict { path: at } if at.ends_with(path)),
                    "{path}: {error:?}"
                );
                assert!(sandbox.tree().is_empty(), "{path}: {:?}", sandbox.tree());
            }
        }
    }
}

/// The error names the archive that is at fault, and what the others have written goes as well.
#[test]
fn one_bad_archive_refuses_all() {
    let good = Format::Tar.archive(&[file("a/x", "1")]);
    let bad = Format::Tar.archive(&[file("b/x", "1"), file("../out", "2")]);
    for threads in [1, 2, 8] {
        let sandbox = Sandbox::new();
        let archives = [("1.tar", &good[..]), ("2.tar", &bad), ("3.tar", &good)];
        let error = sandbox.unpack_all(&archives, &with(threads)).unwrap_err();
        assert_eq!(error.file, "2.tar");
        assert!(matches!(error.cause, Cause::Refused { .. }), "{error:?}");
        assert!(sandbox.tree().is_empty());
    }
}

/// Two cannot do together what one may not: the link that the other completes still stays inside.
#[test]
fn links_do_not_leave_together() {
    let one = package(&[symlink("./a", "b/.."), folder("./d")]);
    let two = package(&[symlink("./b", "."), file("./d/x", "1")]);
    let sandbox = Sandbox::new();
    sandbox
        .unpack_all(&[("1.deb", &one), ("2.deb", &two)], &with(2))
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
