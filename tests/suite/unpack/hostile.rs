//! Archives that want something outside the tree, or something that no toolchain has.

use xtool::unpack::{Cause, Limits, Options};

use super::build::{
    Entry, Format, Kind, entry, file, folder, hard_link, pax_record, symlink, tar_header,
    tar_member,
};
use super::sandbox::{assert_refused, refused_bytes, refused_with, unpacked};

const BAD_PATHS: &[(&[u8], &str)] = &[
    (b"../x", "`..`"),
    (b"a/../../x", "`..`"),
    (b"a/..", "`..`"),
    (b"/abs", "absolute"),
    (b"//srv/share/x", "absolute"),
    (b"C:\\x", "backslash"),
    (b"C:x", "drive letter"),
    (b"c:/x", "drive letter"),
    (b"\\\\srv\\x", "backslash"),
    (b"\\\\?\\C:\\x", "backslash"),
    (b"a\\..\\..\\x", "backslash"),
    (b"..\\x", "backslash"),
    (b"a\xff", "UTF-8"),
    (b"a\xc0\xae\xc0\xae/x", "UTF-8"),
];

/// F29: paths that lead elsewhere, as a file, a folder or a link, with good entries before and after.
#[test]
fn paths_that_leave_are_refused() {
    for format in Format::ALL {
        for (path, because) in BAD_PATHS {
            let before = file("before", "1");
            let after = file("after", "2");
            for bad in [file(path, "3"), folder(path), symlink(path, "before")] {
                assert_refused(format, &[before.clone(), bad, after.clone()], because);
            }
        }
    }
}

/// F29: the same behind a root that leaves them out.
#[test]
fn entries_outside_the_root_pass_the_gate_too() {
    let options = Options {
        root: Some("pkg"),
        ..Options::default()
    };
    for format in Format::ALL {
        for bad in [
            file("../x", ""),
            file("other/C:\\x", ""),
            symlink("link", "../.."),
            entry("fifo", Kind::Special(b'6', 0o010_000), 0o644),
        ] {
            let archive = format.archive(&[file("pkg/a", "1"), bad]);
            refused_with(format.file(), &archive, &options);
        }
    }
}

/// F30: newlines, control characters, NUL, and what terminals break lines at.
#[test]
fn control_characters_are_refused() {
    for format in Format::ALL {
        for path in [
            "a\nb",
            "a\rb",
            "a\tb",
            "a\x1b[2Jb",
            "a\x7f",
            "a\u{85}b",
            "a\u{2028}b",
            "a\0b",
        ] {
            assert_refused(
                format,
                &[file("ok", ""), file(path, "")],
                "control character",
            );
        }
    }
}

/// F30: no control character of a refused path reaches the message.
#[test]
fn messages_show_refused_paths_escaped() {
    let cause = refused_bytes("a.tar", &Format::Tar.archive(&[file("a\x1b[31m\nb", "")]));
    let message = super::sandbox::chain(&cause);
    assert!(message.contains(r"a\u{1b}[31m\u{a}b"), "{message}");
    assert!(!message.contains(char::is_control), "{message}");
}

/// F31: a link out of the tree, then a file through it.
#[test]
fn a_file_through_a_link_is_refused() {
    for format in Format::ALL {
        let through = [symlink("etc", "/etc"), file("etc/passwd", "x")];
        if format == Format::Deb {
            // Rewritten to stay inside, it is still not written through.
            assert_refused(format, &through, "through the link `etc`");
        } else {
            assert_refused(format, &through, "absolute");
        }
        for target in ["sub", ".", "sub/deep"] {
            let entries = [folder("sub/deep"), symlink("l", target), file("l/x", "x")];
            assert_refused(format, &entries, "through the link `l`");
            let entries = [folder("sub/deep"), symlink("l", target), folder("l/x")];
            assert_refused(format, &entries, "through the link `l`");
            let entries = [
                folder("sub/deep"),
                symlink("l", target),
                symlink("l/x", "y"),
            ];
            assert_refused(format, &entries, "through the link `l`");
        }
    }
}

/// F31: the link comes after the file that lies below it, or replaces a file.
#[test]
fn a_link_created_after_what_uses_its_path_is_refused() {
    for format in Format::ALL {
        assert_refused(
            format,
            &[file("l/x", "x"), symlink("l", "..")],
            "a folder and something else",
        );
        assert_refused(format, &[file("f", "x"), symlink("f", "g")], "twice");
        assert_refused(format, &[symlink("f", "g"), file("f", "x")], "twice");
        assert_refused(
            format,
            &[symlink("f", "g"), folder("f")],
            "a folder and something else",
        );
    }
}

/// F31: links that leave by themselves, and chains of links that leave together.
#[test]
fn links_that_leave_are_refused() {
    for format in Format::ALL {
        for (path, target) in [
            ("l", ".."),
            ("l", "../dest/x"),
            ("l", "a/../../x"),
            ("a/l", "../.."),
            ("a/b/l", "../../../x"),
            ("a/l", "./.././../x"),
        ] {
            assert_refused(format, &[symlink(path, target)], "outside the tree");
        }
        for target in ["C:\\x", "C:x", "a\\..\\..\\x", "a\nb", ""] {
            assert_refused(format, &[symlink("l", target)], "");
        }
        if format != Format::Deb {
            assert_refused(format, &[symlink("l", "/usr")], "absolute");
        }
        // a → d/e, then b → a/../.., which is not the top's parent by its text but by where `a` leads.
        assert_refused(
            format,
            &[
                folder("d/e"),
                symlink("a", "d/e"),
                symlink("x/b", "../a/.."),
            ],
            "goes back over the link `a`",
        );
        // The same the other way round: what it goes over is not yet known to be a link.
        assert_refused(
            format,
            &[folder("d"), symlink("x/b", "../a/../d"), symlink("a", ".")],
            "goes back over the link `a`",
        );
    }
}

/// F31: a link inside the root that leads to what the root leaves out.
#[test]
fn links_out_of_the_root_are_refused() {
    let options = Options {
        root: Some("pkg"),
        ..Options::default()
    };
    for format in Format::ALL {
        let archive = format.archive(&[
            file("secret", "1"),
            file("pkg/a", "2"),
            symlink("pkg/l", "../secret"),
        ]);
        let cause = refused_with(format.file(), &archive, &options);
        assert!(super::sandbox::chain(&cause).contains("outside the tree"));
    }
}

/// F32: hard links to files outside, to links, to what comes later, to themselves.
#[test]
fn hard_links_reach_only_earlier_files() {
    for format in Format::TARS {
        for target in ["/etc/passwd", "../archive", "a/../../archive", "C:\\x", ""] {
            let entries = [file("ok", "1"), hard_link("h", target)];
            assert_refused(format, &entries, "The link's target");
        }
        for target in ["h", "later", "absent", "sub", "link", "."] {
            let entries = [
                folder("sub"),
                symlink("link", "sub"),
                hard_link("h", target),
                file("later", "1"),
            ];
            assert_refused(format, &entries, "no earlier file");
        }
    }
}

/// F32: a hard link over an existing path.
#[test]
fn hard_links_replace_nothing() {
    for format in Format::TARS {
        let entries = [file("a", "1"), file("b", "2"), hard_link("b", "a")];
        assert_refused(format, &entries, "twice");
    }
}

/// F33: devices, FIFOs, sockets, sparse files and unknown kinds.
#[test]
fn special_files_are_refused() {
    for format in Format::ALL {
        for (flag, file_type, kind) in [
            (b'3', 0o020_000, "device"),
            (b'4', 0o060_000, "device"),
            (b'6', 0o010_000, "FIFO"),
        ] {
            let special = entry("x", Kind::Special(flag, file_type), 0o644);
            assert_refused(format, &[file("ok", ""), special], kind);
        }
        if format.is_zip() {
            let socket = entry("x", Kind::Special(0, 0o140_000), 0o644);
            assert_refused(format, &[socket], "socket");
        } else {
            for flag in [b'S', b'V', b'Z', 0x80] {
                let odd = entry("x", Kind::Special(flag, 0), 0o644);
                assert_refused(format, &[odd], "only files, folders and links");
            }
        }
    }
}

/// F35: an extension header that claims 8 GiB is refused by its claim: nothing is reserved, nothing read.
#[test]
fn huge_extension_headers_are_refused() {
    for format in Format::TARS {
        for flag in [b'x', b'g', b'L', b'K'] {
            let mut tar = tar_header(flag, b"pax", b"", 0o644, 8 << 30).to_vec();
            tar.extend([b'a'; 2048]);
            let cause = refused_bytes(format.file(), &format.wrap(&tar));
            assert!(
                matches!(&cause, Cause::Malformed { what, .. } if what.contains("8589934592")),
                "{cause:?}"
            );
        }
    }
}

/// F35: pax headers that are malformed, or with which two archivers would see two archives.
#[test]
fn malformed_pax_headers_are_refused() {
    let path = pax_record("path", "x");
    let cases: &[(&[u8], &str)] = &[
        (b"path=x\n", "malformed"),
        (b"99 path=x\n", "malformed"),
        (b"5 path=x\n", "malformed"),
        (b"0 path=x\n", "malformed"),
        (b"10 path=xx", "malformed"),
        (b"99999999999999999999999 path=x\n", "malformed"),
        (b"8 pathx\n", "malformed"),
        (&[path.clone(), path].concat(), "same member"),
        (&pax_record("size", "999"), "where the header says"),
        (&pax_record("size", "-1"), "no number"),
        (&pax_record("GNU.sparse.major", "1"), "sparse"),
        (&pax_record("path", "../x"), "`..`"),
        (&pax_record("path", "a\0b"), "control"),
        (&pax_record("linkpath", "../x"), "outside the tree"),
    ];
    for format in Format::TARS {
        for (pax, because) in cases {
            let mut tar = Vec::new();
            tar_member(&mut tar, b'x', b"pax", b"", 0o644, pax);
            let flag = if because.contains("tree") { b'2' } else { b'0' };
            tar_member(&mut tar, flag, b"name", b"t", 0o644, b"");
            tar.extend([0; 1024]);
            let cause = refused_bytes(format.file(), &format.wrap(&tar));
            let message = super::sandbox::chain(&cause);
            assert!(message.contains(because), "{pax:?}: {message}");
        }
    }
}

/// F35: two extension headers for one member, a global one that renames, one with nothing after it.
#[test]
fn contradicting_extension_headers_are_refused() {
    let pax = pax_record("path", "x");
    let cases: [&[(u8, &[u8])]; 4] = [
        &[(b'x', &pax), (b'x', &pax), (b'0', b"")],
        &[(b'x', &pax), (b'L', b"y\0"), (b'0', b"")],
        &[(b'g', &pax), (b'0', b"")],
        &[(b'0', b""), (b'x', &pax)],
    ];
    for format in Format::TARS {
        for members in cases {
            let mut tar = Vec::new();
            for (flag, content) in members {
                tar_member(&mut tar, *flag, b"name", b"", 0o644, content);
            }
            tar.extend([0; 1024]);
            let cause = refused_bytes(format.file(), &format.wrap(&tar));
            assert!(matches!(cause, Cause::Malformed { .. }), "{cause:?}");
        }
    }
}

/// F36: more bytes than the limit, in one file or in many, are stopped; exactly the limit is not.
#[test]
fn unpacked_size_is_limited() {
    let options = |max_bytes| Options {
        limits: Limits {
            max_bytes,
            ..Limits::default()
        },
        ..Options::default()
    };
    let one = [file("zeros", vec![0; 1 << 20])];
    let many: Vec<Entry> = (0..16)
        .map(|n| file(format!("z{n}"), vec![0; 1 << 16]))
        .collect();
    for format in Format::ALL {
        for entries in [&one[..], &many] {
            let archive = format.archive(entries);
            unpacked(format.file(), &archive, &options(1 << 20));
            let cause = refused_with(format.file(), &archive, &options((1 << 20) - 1));
            assert!(matches!(cause, Cause::TooLarge { .. }), "{cause:?}");
        }
    }
}

/// F36: entries without any content are limited in number, global headers among them.
#[test]
fn the_number_of_entries_is_limited() {
    let options = Options {
        limits: Limits {
            max_entries: 100,
            ..Limits::default()
        },
        ..Options::default()
    };
    let entries: Vec<Entry> = (0..101).map(|n| file(format!("e{n}"), "")).collect();
    for format in Format::ALL {
        unpacked(format.file(), &format.archive(&entries[1..]), &options);
        let cause = refused_with(format.file(), &format.archive(&entries), &options);
        assert!(
            matches!(cause, Cause::TooManyEntries { limit: 100 }),
            "{cause:?}"
        );
    }
    for format in Format::TARS {
        let mut tar = Vec::new();
        for _ in 0..101 {
            tar_member(&mut tar, b'g', b"pax", b"", 0o644, b"");
        }
        tar.extend([0; 1024]);
        let cause = refused_with(format.file(), &format.wrap(&tar), &options);
        assert!(matches!(cause, Cause::TooManyEntries { .. }), "{cause:?}");
    }
}

/// F36: ten million empty entries, which compress to almost nothing, stop at the default limit.
#[test]
fn ten_million_entries_stop_at_the_default_limit() {
    use std::io::Write as _;
    let header = tar_header(b'5', b"a", b"", 0o755, 0);
    let thousand = header.repeat(1000);
    let mut out = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..10_000 {
        out.write_all(&thousand).unwrap();
    }
    let archive = out.finish().unwrap();
    let cause = refused_bytes("a.tar.zst", &archive);
    assert!(
        matches!(cause, Cause::TooManyEntries { limit: 300_000 }),
        "{cause:?}"
    );
}

/// F36: padding after the end mark is no way around the limits.
#[test]
fn endless_padding_is_stopped() {
    let options = Options {
        limits: Limits {
            max_bytes: 1 << 20,
            max_entries: 10,
            ..Limits::default()
        },
        ..Options::default()
    };
    let mut tar = super::build::tar(&[file("a", "1")]);
    tar.resize(4 << 20, 0);
    for format in Format::TARS {
        let cause = refused_with(format.file(), &format.wrap(&tar), &options);
        assert!(matches!(cause, Cause::TooLarge { .. }), "{cause:?}");
    }
}

/// The same path twice, plainly or by another spelling, and a file where a folder is.
#[test]
fn contested_paths_are_refused() {
    for format in Format::ALL {
        assert_refused(format, &[file("a", "1"), file("a", "1")], "twice");
        assert_refused(format, &[file("a/b", "1"), file("a//./b", "2")], "twice");
        for entries in [
            [file("a", "1"), file("a/b", "2")],
            [file("a/b", "2"), file("a", "1")],
            [folder("a"), file("a", "1")],
        ] {
            assert_refused(format, &entries, "a folder and something else");
        }
        assert_refused(format, &[file(".", "1")], "own folder");
    }
}
