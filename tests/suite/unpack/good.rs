//! What must come out.

use std::collections::BTreeSet;
#[cfg(unix)]
use std::path::PathBuf;

use xtool::parts::Paths;
use xtool::unpack::{Cause, Keep, Options};

use super::build::{
    Entry, Format, Kind, entry, file, folder, hard_link, pax_record, symlink, tar_member,
};
use super::sandbox::{Found, chain, content, refused_with, unpacked};

/// Files, folders listed and implied, empty files, links: counted and there.
#[cfg(unix)]
#[test]
fn everything_comes_out() {
    for format in Format::ALL {
        let long = format!("deep/{}/{}", "n".repeat(120), "m".repeat(120));
        let mut entries = vec![
            folder("listed"),
            file("listed/empty", ""),
            file("./implied/a/b.txt", "text"),
            file(&long, "long"),
            file("ünïcode/日本", "u"),
            symlink("listed/link", "../implied/a/b.txt"),
            symlink("forward", "zz-last"),
            file("zz-last", "end"),
        ];
        let mut files = 5;
        if !format.is_zip() {
            entries.push(hard_link("hard", "implied/a/b.txt"));
            files += 1;
        }
        let sandbox = super::sandbox::Sandbox::new();
        let unpacked = sandbox
            .unpack(
                format.file(),
                &format.archive(&entries),
                &Options::default(),
            )
            .unwrap();
        assert_eq!(
            (unpacked.files, unpacked.links, unpacked.bytes),
            (files, 2, 12)
        );
        let tree = sandbox.tree();
        assert_eq!(tree["listed/empty"], content(""));
        assert_eq!(tree["implied/a/b.txt"], content("text"));
        assert_eq!(tree[&long], content("long"));
        assert_eq!(tree["ünïcode/日本"], content("u"));
        assert_eq!(
            tree["listed/link"],
            Found::Link(PathBuf::from("../implied/a/b.txt"))
        );
        assert_eq!(tree["forward"], Found::Link(PathBuf::from("zz-last")));
        if !format.is_zip() {
            assert_eq!(tree["hard"], content("text"));
        }
    }
}

/// A sub-folder becomes the tree; what lies beside it is left out, links in it keep their way.
#[cfg(unix)]
#[test]
fn the_root_becomes_the_tree() {
    for format in Format::ALL {
        let mut entries = vec![
            file("README", "no"),
            folder("pkg"),
            folder("pkg/sub"),
            file("pkg/sub/bin/tool", "tool"),
            file("pkg/sub/lib/a", "a"),
            symlink("pkg/sub/bin/l", "../lib/a"),
            file("pkg/subway", "no"),
            symlink("beside", "README"),
        ];
        if !format.is_zip() {
            entries.push(hard_link("pkg/sub/hard", "pkg/sub/lib/a"));
            entries.push(hard_link("hard", "pkg/sub/lib/a"));
        }
        for root in ["pkg/sub", "./pkg/sub/", "pkg//sub"] {
            let options = Options {
                root: Some(root),
                ..Options::default()
            };
            let sandbox = unpacked(format.file(), &format.archive(&entries), &options);
            let tree = sandbox.tree();
            let mut expected = vec!["bin", "bin/l", "bin/tool", "lib", "lib/a"];
            if !format.is_zip() {
                expected.insert(3, "hard");
            }
            assert_eq!(tree.keys().collect::<Vec<_>>(), expected, "{format:?}");
            assert_eq!(fs_err::read(sandbox.dest().join("bin/l")).unwrap(), b"a");
        }
    }
}

/// Of what is below the root, some paths can be left out, or taken alone: the two halves make the whole.
#[test]
fn a_part_of_the_tree_is_written() {
    let left_out: BTreeSet<Paths> = ["lib/*-any", "share"].map(|p| p.parse().unwrap()).into();
    for format in Format::ALL {
        let mut entries = vec![
            folder("pkg"),
            folder("pkg/lib/x-any"),
            file("pkg/tool", "tool"),
            file("pkg/lib/x-any/a", "a"),
            file("pkg/lib/y-any/deep/b", "b"),
            file("pkg/lib/other", "o"),
            file("pkg/shared", "s"),
            file("pkg/share/c", "c"),
        ];
        if !format.is_zip() {
            entries.push(hard_link("pkg/share/hard", "pkg/share/c"));
        }
        let archive = format.archive(&entries);
        let written = |keep| {
            let options = Options {
                root: Some("pkg"),
                keep,
                ..Options::default()
            };
            let sandbox = unpacked(format.file(), &archive, &options);
            sandbox.tree().into_keys().collect::<Vec<_>>()
        };
        assert_eq!(
            written(Keep::AllBut(&left_out)),
            ["lib", "lib/other", "shared", "tool"],
            "{format:?}"
        );
        let mut alone = vec![
            "lib",
            "lib/x-any",
            "lib/x-any/a",
            "lib/y-any",
            "lib/y-any/deep",
            "lib/y-any/deep/b",
            "share",
            "share/c",
        ];
        if !format.is_zip() {
            alone.push("share/hard");
        }
        assert_eq!(written(Keep::Only(&left_out)), alone, "{format:?}");
        assert_eq!(written(Keep::Only(&BTreeSet::new())), [""; 0], "{format:?}");
    }
}

/// What is left out is looked at all the same, and a file that is kept cannot be one that is not.
#[test]
fn what_is_left_out_is_checked() {
    let left_out: BTreeSet<Paths> = BTreeSet::from(["out".parse().unwrap()]);
    let options = Options {
        keep: Keep::AllBut(&left_out),
        ..Options::default()
    };
    for format in Format::ALL {
        for bad in [
            file("out/../../x", "x"),
            symlink("out/l", "../../x"),
            symlink("out/m", "/x"),
        ] {
            // In a deb an absolute target is inside.
            if format == Format::Deb && bad.path == b"out/m" {
                continue;
            }
            let archive = format.archive(&[file("in", "1"), bad]);
            let cause = refused_with(format.file(), &archive, &options);
            assert!(
                matches!(cause, Cause::Refused { .. }),
                "{format:?}: {cause}"
            );
        }
        if !format.is_zip() {
            let archive = format.archive(&[file("out/a", "1"), hard_link("in", "out/a")]);
            let cause = refused_with(format.file(), &archive, &options);
            assert!(
                matches!(cause, Cause::Refused { .. }),
                "{format:?}: {cause}"
            );
        }
    }
}

/// A root that is not there is named with what is; one that is a file, or leaves, is no root.
#[test]
fn a_missing_root_is_named_with_what_there_is() {
    for format in Format::ALL {
        let archive = format.archive(&[file("zig-0.15/zig", "1"), file("LICENSE", "2")]);
        let refused = |root| {
            let options = Options {
                root: Some(root),
                ..Options::default()
            };
            refused_with(format.file(), &archive, &options)
        };
        let cause = refused("zig");
        let message = chain(&cause);
        assert!(
            matches!(cause, Cause::RootMissing { .. })
                && message.contains("`zig`")
                && message.contains("LICENSE, zig-0.15"),
            "{message}"
        );
        assert!(chain(&refused("LICENSE")).contains("own folder"));
        for root in ["", "..", "/zig-0.15", "a/../zig-0.15", "C:\\zig"] {
            assert!(matches!(refused(root), Cause::BadRoot { .. }), "{root}");
        }
    }
}

/// F34: set-user-ID, set-group-ID, sticky and others' write bits are dropped; executable stays executable.
#[cfg(unix)]
#[test]
fn only_the_executable_bit_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    for format in Format::ALL {
        let modes = [
            ("suid", 0o4755, true),
            ("sgid", 0o2755, true),
            ("sticky", 0o1777, true),
            ("open", 0o777, true),
            ("writable", 0o666, false),
            ("none", 0o000, false),
            ("group", 0o010, true),
        ];
        let mut entries: Vec<Entry> = modes
            .iter()
            .map(|(name, mode, _)| entry(name, Kind::File(b"x".to_vec()), *mode))
            .collect();
        entries.push(entry("folder", Kind::Folder, 0o7777));
        entries.push(entry("closed", Kind::Folder, 0o000));
        entries.push(file("closed/inside", "x"));
        let sandbox = unpacked(
            format.file(),
            &format.archive(&entries),
            &Options::default(),
        );
        let mode = |name: &str| {
            let path = sandbox.dest().join(name);
            fs_err::metadata(path).unwrap().permissions().mode() & 0o7777
        };
        for (name, _, executable) in modes {
            let found = mode(name);
            assert_eq!(found & 0o7022, 0, "{format:?} {name} {found:o}");
            assert_eq!(
                found & 0o100 != 0,
                executable,
                "{format:?} {name} {found:o}"
            );
            assert_eq!(found & 0o600, 0o600, "{format:?} {name} {found:o}");
        }
        for name in ["folder", "closed"] {
            assert_eq!(mode(name) & 0o7722, 0o700, "{format:?} {name}");
        }
    }
}

/// F34: the umask applies, and where it allows everything, nobody else may write all the same. It is the process's, so
/// a process of its own has another.
#[cfg(unix)]
#[test]
fn the_umask_applies() {
    for umask in ["077", "000"] {
        let status = std::process::Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored"])
            .arg(format!("unpack::good::under_umask_{umask}"))
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&status.stdout);
        assert!(
            status.status.success() && output.contains("1 passed"),
            "{output}"
        );
    }
}

#[cfg(unix)]
#[test]
#[ignore = "the_umask_applies runs it in a process with another umask"]
fn under_umask_077() {
    assert_modes([("d", 0o700), ("d/tool", 0o700), ("d/text", 0o600)]);
}

#[cfg(unix)]
#[test]
#[ignore = "the_umask_applies runs it in a process with another umask"]
fn under_umask_000() {
    assert_modes([("d", 0o755), ("d/tool", 0o755), ("d/text", 0o644)]);
}

#[cfg(unix)]
#[track_caller]
fn assert_modes(modes: [(&str, u32); 3]) {
    use std::os::unix::fs::PermissionsExt as _;
    for format in Format::ALL {
        let archive = format.archive(&[
            entry("d/tool", Kind::File(b"x".to_vec()), 0o777),
            entry("d/text", Kind::File(b"x".to_vec()), 0o666),
        ]);
        let sandbox = unpacked(format.file(), &archive, &Options::default());
        for (name, expected) in modes {
            let metadata = fs_err::metadata(sandbox.dest().join(name)).unwrap();
            let found = metadata.permissions().mode() & 0o7777;
            assert_eq!(found, expected, "{format:?} {name} {found:o}");
        }
    }
}

/// One thread and many unpack the same tree: small files by the hundred, and files larger than any buffer.
#[test]
fn threads_make_no_difference() {
    let noise: Vec<u8> = (0..4_500_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let mut entries: Vec<Entry> = (0..200)
        .map(|n| {
            let kind = Kind::File(noise[n..n + n * 7].to_vec());
            entry(
                format!("d{}/s{}/f{n}", n % 7, n % 3),
                kind,
                0o644 | (u32::from(n % 2 == 0) * 0o111),
            )
        })
        .collect();
    entries.push(file("large", &noise));
    entries.push(file("zeros", vec![0; 3_000_000]));
    for format in Format::ALL {
        let archive = format.archive(&entries);
        let tree = |threads| {
            let options = Options {
                threads,
                ..Options::default()
            };
            unpacked(format.file(), &archive, &options).tree()
        };
        let one = tree(1);
        assert_eq!(one["large"], content(&noise));
        for threads in [0, 5] {
            assert!(tree(threads) == one, "{format:?} with {threads} threads");
        }
    }
}

/// Long names by pax, with a POSIX prefix, and before POSIX; headers that change nothing.
#[test]
fn dialects_of_tar_are_read() {
    let long = "p/".repeat(80) + "x";
    let mut tar = Vec::new();
    let comment = pax_record("comment", "0123abc");
    tar_member(&mut tar, b'g', b"pax_global_header", b"", 0o644, &comment);
    let pax = [
        pax_record("path", &long),
        pax_record("mtime", "1.5"),
        pax_record("SCHILY.xattr.user.x", "line\nbreak"),
        pax_record("size", "3"),
    ];
    tar_member(&mut tar, b'x', b"pax", b"", 0o644, &pax.concat());
    tar_member(&mut tar, b'0', b"short", b"", 0o644, b"pax");
    // Before POSIX: type NUL, and a folder is a file whose name ends in a slash.
    tar_member(&mut tar, 0, b"old/", b"", 0o755, b"");
    tar_member(&mut tar, 0, b"old/file", b"", 0o644, b"old");
    let at = tar.len();
    tar_member(&mut tar, b'0', b"name", b"", 0o644, b"posix");
    tar[at + 257..at + 265].copy_from_slice(b"ustar\x0000");
    tar[at + 345..at + 351].copy_from_slice(b"prefix");
    let header = &mut tar[at..at + 512];
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend([0; 10_240]);
    for format in Format::TARS {
        let sandbox = unpacked(format.file(), &format.wrap(&tar), &Options::default());
        let tree = sandbox.tree();
        assert_eq!(tree[&long], content("pax"));
        assert_eq!(tree["old"], Found::Folder);
        assert_eq!(tree["old/file"], content("old"));
        assert_eq!(tree["prefix/name"], content("posix"));
    }
}

/// F45: what cannot be written is named, and what was written is gone.
#[cfg(unix)]
#[test]
fn an_unwritable_destination_is_named() {
    for format in Format::ALL {
        let sandbox = super::sandbox::Sandbox::new();
        // A file where the archive has a folder, which an ordinary error and root's rights cannot get around.
        fs_err::write(sandbox.dest().join("d"), "in the way").unwrap();
        let archive = format.archive(&[file("a/b", "1"), file("d/x", "2")]);
        let error = sandbox
            .unpack(format.file(), &archive, &Options::default())
            .unwrap_err();
        assert!(chain(&error).contains("dest/d`"), "{}", chain(&error));
        assert_eq!(sandbox.tree().keys().collect::<Vec<_>>(), ["d"]);
    }
    let sandbox = super::sandbox::Sandbox::new();
    fs_err::remove_dir(sandbox.dest()).unwrap();
    fs_err::write(sandbox.dest(), "no folder").unwrap();
    let error = sandbox
        .unpack(
            "a.tar",
            &Format::Tar.archive(&[file("a", "1")]),
            &Options::default(),
        )
        .unwrap_err();
    assert!(matches!(error.cause, Cause::Write { .. }), "{error:?}");
}

/// The archive was exchanged between the check and the unpacking. F49's neighbour: its name was taken away meanwhile, by
/// `cache clean`, which is no fault: what was verified is still held.
#[test]
fn a_changed_file_is_noticed() {
    use xtool::archive::{Archive, VerifiedArchive};
    use xtool::digest::Sha256;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    let bytes = Format::Tar.archive(&[file("a", "1")]);
    fs_err::write(&path, &bytes).unwrap();
    let archive = Archive {
        file: "a.tar".to_owned(),
        sha256: Sha256::of(&bytes),
        size: None,
    };
    let archive = VerifiedArchive::check(&path, &archive).unwrap();
    fs_err::write(&path, [&*bytes, &[0; 512]].concat()).unwrap();
    let dest = folder.path().join("dest");
    fs_err::create_dir(&dest).unwrap();
    let error = xtool::unpack::unpack(&archive, &dest, &Options::default()).unwrap_err();
    assert!(matches!(error.cause, Cause::Changed { .. }), "{error:?}");
    fs_err::write(&path, &bytes).unwrap();
    fs_err::remove_file(&path).unwrap();
    xtool::unpack::unpack(&archive, &dest, &Options::default()).unwrap();
    assert!(dest.join("a").is_file());
}
