//! What only zips have: two lists of the same entries, and a list at the end.

use xtool::unpack::{Cause, Limits, Options};

use super::build::{Zip, ZipEntry, end_record, file};
use super::sandbox::{chain, content, refused_bytes, refused_with, unpacked};

fn zip(entries: impl IntoIterator<Item = ZipEntry>) -> Vec<u8> {
    let mut zip = Zip::default();
    for entry in entries {
        zip.add(entry);
    }
    zip.finish()
}

fn a() -> ZipEntry {
    ZipEntry::of(&file("a", "aaaaaaaaaaaaaaaa"))
}

fn b() -> ZipEntry {
    ZipEntry::of(&file("b", "bbbb"))
}

fn assert_refused(archive: &[u8], because: &str) {
    for name in ["a.zip", "a.whl"] {
        let cause = refused_bytes(name, archive);
        let message = chain(&cause);
        assert!(message.contains(because), "{message:?} lacks {because:?}");
    }
}

fn assert_entry_refused(change: impl FnOnce(&mut ZipEntry), because: &str) {
    let mut entry = a();
    change(&mut entry);
    assert_refused(&zip([b(), entry]), because);
}

/// F39: the local header says something else than the central directory.
#[test]
fn headers_that_disagree_are_refused() {
    assert_entry_refused(
        |e| e.local_name = b"../../x".to_vec(),
        "in its local header",
    );
    assert_entry_refused(|e| e.local_name = b"c".to_vec(), "in its local header");
    assert_entry_refused(|e| e.local_name = b"a2".to_vec(), "in its local header");
    assert_entry_refused(|e| e.local_size = 3, "different sizes");
    assert_entry_refused(|e| e.local_flags |= 8, "different flags");
    assert_entry_refused(|e| e.local_flags &= !0x800, "different flags");
}

/// F39: also where the root leaves the entry out.
#[test]
fn headers_outside_the_root_are_compared_too() {
    let options = Options {
        root: Some("pkg"),
        ..Options::default()
    };
    let inside = ZipEntry::of(&file("pkg/x", "1"));
    let mut bad = a();
    bad.local_name = b"c".to_vec();
    let cause = refused_with("a.zip", &zip([inside.clone(), bad]), &options);
    assert!(chain(&cause).contains("in its local header"), "{cause:?}");
    let mut gap = a();
    gap.after = b"hidden".to_vec();
    let cause = refused_with("a.zip", &zip([gap, inside]), &options);
    assert!(chain(&cause).contains("where the next begins"), "{cause:?}");
}

/// F36, F39: sizes and checksums that are not the data's.
#[test]
fn data_that_is_not_as_listed_is_refused() {
    let sizes = |size| {
        move |e: &mut ZipEntry| {
            e.size = size;
            e.local_size = size;
        }
    };
    assert_entry_refused(sizes(15), "more bytes than listed");
    assert_entry_refused(sizes(0), "more bytes than listed");
    assert_entry_refused(sizes(17), "another content than listed");
    assert_entry_refused(|e| e.crc ^= 1, "another content than listed");
    let stored = |size| {
        move |e: &mut ZipEntry| {
            e.method = 0;
            e.size = size;
            e.local_size = size;
        }
    };
    assert_entry_refused(stored(15), "more bytes than listed");
    assert_entry_refused(stored(17), "another content than listed");
}

/// F36: a bomb that declares little writes no more than it declared.
#[test]
fn a_bomb_is_stopped_at_its_declared_size() {
    let mut bomb = ZipEntry::of(&file("bomb", vec![0; 50 << 20]));
    bomb.size = 1000;
    bomb.local_size = 1000;
    assert_refused(&zip([bomb]), "more bytes than listed");
}

/// F39: bytes before the first entry, between two, after the data, after the end.
#[test]
fn bytes_that_belong_to_no_entry_are_refused() {
    let good = zip([a(), b()]);
    unpacked("a.zip", &good, &Options::default());
    assert_refused(&[&good[..], b"x"].concat(), "after its end");
    assert_refused(&[&good[..], &[0; 100]].concat(), "after its end");
    // A whole other zip behind it, which archivers that search from the end would see alone.
    assert_refused(&[&good[..], &good].concat(), "central directory");
    let script = [&b"PK\x03\x04#!/bin/sh\n"[..], &good].concat();
    assert_refused(&script, "central directory");
    for after in [&b"hidden"[..], &[0; 16], &[0; 300]] {
        assert_entry_refused(|e| e.after = after.to_vec(), "where the next begins");
    }
}

/// F39: two end records, one hidden in the comment of the other.
#[test]
fn ambiguous_ends_are_refused() {
    let mut one = Zip::default();
    one.add(a());
    one.comment = end_record(0, 0, 0, b"");
    assert_refused(&one.finish(), "more than one end record");
    let mut innocent = Zip::default();
    innocent.add(a());
    innocent.comment = b"0123456789abcdef, a commit".to_vec();
    unpacked("a.zip", &innocent.finish(), &Options::default());
}

/// End records that count wrong or point elsewhere.
#[test]
fn end_records_that_lie_are_refused() {
    let good = zip([a(), b()]);
    let end = good.len() - 22;
    let with = |at: usize, value: &[u8]| {
        let mut bad = good.clone();
        bad[end + at..end + at + value.len()].copy_from_slice(value);
        bad
    };
    for (at, value, because) in [
        (8, &[1, 0, 1, 0][..], ""),
        (8, &[3, 0, 3, 0], ""),
        (12, &[1, 0, 0, 0], "does not end"),
        (16, &[1, 0, 0, 0], "does not end"),
        (4, &[1, 0, 0, 0], "volumes"),
        (20, &[1, 0], "after its end"),
    ] {
        assert_refused(&with(at, value), because);
    }
    assert_refused(&good[..end], "no end record");
}

/// F36: a count that no file of this size can hold costs nothing.
#[test]
fn a_count_beyond_the_limit_is_refused_before_anything_is_read() {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.extend(end_record(60_000, 0, 4, b""));
    let options = Options {
        limits: Limits {
            max_entries: 59_999,
            ..Limits::default()
        },
        ..Options::default()
    };
    let cause = refused_with("a.zip", &bytes, &options);
    assert!(matches!(cause, Cause::TooManyEntries { .. }), "{cause:?}");
}

/// Entries that share their bytes [overlapping zip bombs].
#[test]
fn overlapping_entries_are_refused() {
    let good = zip([a(), b()]);
    // The second entry of the central directory points to the first's local header.
    let second = good
        .windows(4)
        .enumerate()
        .filter(|(_, w)| *w == b"PK\x01\x02")
        .map(|(at, _)| at)
        .nth(1)
        .unwrap();
    let mut bad = good;
    bad[second + 42..second + 46].fill(0);
    assert_refused(&bad, "shares its place");
}

/// Encrypted entries and methods other than stored and deflated.
#[test]
fn only_plain_methods_are_read() {
    for flag in [1_u16, 1 << 5, 1 << 6, 1 << 13] {
        assert_entry_refused(
            |e| {
                e.flags |= flag;
                e.local_flags |= flag;
            },
            "encrypted or patched",
        );
    }
    for method in [1_u16, 9, 12, 14, 93, 95, 99, 0xffff] {
        assert_entry_refused(|e| e.method = method, "");
    }
}

/// Sizes in data descriptors, as archivers write them that cannot go back; with and without their magic.
#[test]
fn data_descriptors_are_read() {
    let streamed = |magic: bool, wide: bool, wrong: bool| {
        let mut entry = a();
        entry.flags |= 8;
        entry.local_flags |= 8;
        entry.local_size = 0;
        let mut compressed =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
        std::io::Write::write_all(&mut compressed, &entry.content).unwrap();
        let compressed = compressed.finish().unwrap().len();
        if magic {
            entry.after.extend(b"PK\x07\x08");
        }
        entry.after.extend(entry.crc.to_le_bytes());
        for n in [compressed as u64, entry.size + u64::from(wrong)] {
            let bytes = n.to_le_bytes();
            entry
                .after
                .extend(if wide { &bytes[..] } else { &bytes[..4] });
        }
        zip([b(), entry, ZipEntry::of(&file("c", ""))])
    };
    for magic in [true, false] {
        for wide in [true, false] {
            let archive = streamed(magic, wide, false);
            let sandbox = unpacked("a.zip", &archive, &Options::default());
            assert_eq!(sandbox.tree()["a"], content("aaaaaaaaaaaaaaaa"));
            assert_refused(&streamed(magic, wide, true), "data descriptor");
        }
    }
}

/// Zips of the 64-bit kind, whatever their size.
#[test]
fn zip64_is_read() {
    let mut entry = a();
    entry.zip64 = true;
    let mut archive = Zip::default();
    archive.zip64 = true;
    archive.add(entry);
    archive.add(b());
    let archive = archive.finish();
    let sandbox = unpacked("a.zip", &archive, &Options::default());
    assert_eq!(sandbox.tree()["a"], content("aaaaaaaaaaaaaaaa"));
    assert_eq!(sandbox.tree()["b"], content("bbbb"));
    // Its locator points elsewhere; its record is larger than it is.
    let locator = archive.len() - 22 - 20;
    for (at, value) in [(locator + 8, 0_u8), (locator - 56 + 4, 45)] {
        let mut bad = archive.clone();
        bad[at] = value;
        assert_refused(&bad, "64-bit end record");
    }
    // The two end records disagree.
    let mut bad = archive.clone();
    let end = bad.len() - 22;
    bad[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
    assert_refused(&bad, "disagree");
}

/// What a folder may not be.
#[test]
fn folders_are_folders_in_every_respect() {
    assert_entry_refused(
        |e| {
            e.name = b"a/".to_vec();
            e.local_name = b"a/".to_vec();
        },
        "by its name or its mode",
    );
    assert_entry_refused(|e| e.mode = 0o040_755, "by its name or its mode");
    assert_entry_refused(
        |e| {
            e.name = b"a/".to_vec();
            e.local_name = b"a/".to_vec();
            e.mode = 0o040_755;
        },
        "has content",
    );
}

/// A link whose target is no path but a payload.
#[test]
fn link_targets_are_bounded() {
    let target = "x/".repeat(4000);
    let link = ZipEntry::of(&super::build::symlink("l", target));
    assert_refused(&zip([link]), "too long");
}
