//! Archives that are cut off, damaged, empty, or not what their name says.

use xtool::help::Help as _;
use xtool::unpack::{Cause, Limits, Options};

use super::build::{Format, file, folder, gz, tar, xz, zst};
use super::sandbox::{Sandbox, chain, refused_bytes, refused_with, unpacked};

fn sample(format: Format) -> Vec<u8> {
    let noise: Vec<u8> = (0..40_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    format.archive(&[folder("d"), file("d/noise", &noise), file("z", "last")])
}

/// F38: an archive cut off anywhere is an error, never a panic.
#[test]
fn truncated_archives_are_refused() {
    for format in Format::ALL {
        let whole = sample(format);
        unpacked(format.file(), &whole, &Options::default());
        let near_the_ends = (1..80.min(whole.len()))
            .step_by(3)
            .flat_map(|n| [n, whole.len() - n]);
        let between = (0..whole.len()).step_by(4999);
        for length in near_the_ends.chain(between) {
            // A tar may end after its first zero block: the second is a custom.
            let is_whole_tar = format == Format::Tar && length >= whole.len() - 512;
            if is_whole_tar {
                continue;
            }
            let cause = refused_bytes(format.file(), &whole[..length]);
            assert!(
                matches!(
                    cause,
                    Cause::Damaged { .. }
                        | Cause::Malformed { .. }
                        | Cause::Empty
                        | Cause::OtherFormat { .. }
                ),
                "{format:?} cut to {length}: {cause:?}"
            );
        }
    }
}

/// F38: a tar inside that is cut off while the compressed stream is whole.
#[test]
fn truncated_tars_inside_whole_streams_are_refused() {
    let whole = tar(&[file("a", vec![b'x'; 3000]), file("b", "2")]);
    for format in Format::TARS {
        for length in (0..whole.len() - 1024).step_by(256) {
            let cause = refused_bytes(format.file(), &format.wrap(&whole[..length]));
            assert!(
                matches!(
                    cause,
                    Cause::Damaged { .. } | Cause::OtherFormat { .. } | Cause::Empty
                ),
                "{format:?} {length}: {cause:?}"
            );
        }
    }
}

/// F38: flipped bits anywhere give an error or the same files, never a panic, never anything outside.
#[test]
fn damaged_archives_do_no_harm() {
    for format in Format::ALL {
        let whole = sample(format);
        let headers = (0..whole.len().min(700)).step_by(11);
        let rest = (700..whole.len()).step_by(2711);
        for at in headers.chain(rest) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x41;
            // The sandbox asserts that nothing escaped.
            let sandbox = Sandbox::new();
            if sandbox
                .unpack(format.file(), &damaged, &Options::default())
                .is_err()
            {
                assert!(sandbox.tree().is_empty(), "{format:?} at {at}");
            }
        }
    }
}

/// F37: an xz block that wants a dictionary of 4 GiB.
#[test]
fn xz_with_an_enormous_dictionary_is_refused() {
    let mut archive = xz(&tar(&[file("a", "1")]));
    // .xz file format 1.2, sections 3.1 and 5.3.1: after the stream header of 12 bytes the block header: its size, flags,
    // filter 0x21 with one byte of properties, the dictionary size; padding; CRC-32.
    let size = (usize::from(archive[12]) + 1) * 4;
    assert_eq!(archive[14..16], [0x21, 1]);
    archive[16] = 40;
    let mut crc = flate2::Crc::new();
    crc.update(&archive[12..12 + size - 4]);
    archive[12 + size - 4..12 + size].copy_from_slice(&crc.sum().to_le_bytes());
    let cause = refused_bytes("a.tar.xz", &archive);
    assert!(matches!(cause, Cause::DecoderMemory { .. }), "{cause:?}");
    let deb = super::build::deb("data.tar.xz", &archive);
    let cause = refused_bytes("a.deb", &deb);
    assert!(matches!(cause, Cause::DecoderMemory { .. }), "{cause:?}");
}

/// F37: a zstd frame that wants a window of 2 GiB; one of 8 MiB is fine until the limit says otherwise.
#[test]
fn zstd_with_an_enormous_window_is_refused() {
    let tar = tar(&[file("a", "1")]);
    // RFC 8878, sections 3.1.1.1 and 3.1.1.2: window descriptor with the exponent above 2^10, then one raw, last block.
    let frame = |window_log: u8| {
        let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (window_log - 10) << 3];
        let block = u32::try_from(tar.len()).unwrap() << 3 | 1;
        out.extend(&block.to_le_bytes()[..3]);
        out.extend(&tar);
        out
    };
    let small = Options {
        limits: Limits {
            decoder_memory: 8 << 20,
            ..Limits::default()
        },
        ..Options::default()
    };
    unpacked("a.tar.zst", &frame(23), &Options::default());
    let cause = refused_with("a.tar.zst", &frame(23), &small);
    assert!(
        matches!(cause, Cause::DecoderMemory { limit: 8_388_608 }),
        "{cause:?}"
    );
    let cause = refused_bytes("a.tar.zst", &frame(31));
    assert!(matches!(cause, Cause::DecoderMemory { .. }), "{cause:?}");
}

/// F39: data after the end mark of a tar, or after the compressed stream; a tar behind the tar.
#[test]
fn data_after_the_end_is_refused() {
    let good = tar(&[file("a", "1")]);
    let more = [good.clone(), tar(&[file("b", "2")])].concat();
    for format in Format::TARS {
        let cause = refused_bytes(format.file(), &format.wrap(&more));
        assert!(chain(&cause).contains("after its end"), "{cause:?}");
    }
    for (name, compressed) in [
        ("a.tar.gz", gz(&good)),
        ("a.tar.xz", xz(&good)),
        ("a.tar.zst", zst(&good)),
    ] {
        for tail in [&b"x"[..], b"trailing garbage", b"PK\x05\x06"] {
            let cause = refused_bytes(name, &[&compressed, tail].concat());
            assert!(matches!(cause, Cause::Damaged { .. }), "{name}: {cause:?}");
        }
    }
}

/// Several members, streams or frames are one tar (RFC 1952 2.2, .xz 2, RFC 8878 3), also with xz' padding between.
#[test]
fn concatenated_streams_are_one_tar() {
    let whole = tar(&[file("a", vec![7; 5000]), file("b", "2")]);
    let (one, two) = whole.split_at(1234);
    for (name, archive) in [
        ("a.tar.gz", [gz(one), gz(two)].concat()),
        (
            "a.tar.xz",
            [xz(one), vec![0; 8], xz(two), vec![0; 4]].concat(),
        ),
        ("a.tar.zst", [zst(one), zst(two)].concat()),
    ] {
        let sandbox = unpacked(name, &archive, &Options::default());
        assert_eq!(sandbox.tree().len(), 2, "{name}");
    }
    let cause = refused_bytes("a.tar.xz", &[xz(&whole), vec![0; 3]].concat());
    assert!(matches!(cause, Cause::Damaged { .. }), "{cause:?}");
}

/// F41: nothing in it: no bytes, or no entries.
#[test]
fn empty_archives_are_refused() {
    for format in Format::ALL {
        for bytes in [Vec::new(), format.archive(&[])] {
            let cause = refused_bytes(format.file(), &bytes);
            assert!(matches!(cause, Cause::Empty), "{format:?}: {cause:?}");
        }
    }
}

/// F41: the name says one format, the content is another; F19's HTML page is called what it is.
#[test]
fn names_and_content_must_agree() {
    for named in Format::ALL {
        for content in Format::ALL {
            if named == content || (named.is_zip() && content.is_zip()) {
                continue;
            }
            let cause = refused_bytes(named.file(), &sample(content));
            assert!(
                matches!(cause, Cause::OtherFormat { .. }),
                "{named:?} {content:?}: {cause:?}"
            );
        }
        let cause = refused_bytes(named.file(), b"\n<!DOCTYPE html><title>Sign in</title>");
        assert!(chain(&cause).contains("an HTML page"), "{cause:?}");
    }
}

/// F41: a name that says nothing.
#[test]
fn unknown_names_are_refused_with_a_way_out() {
    for name in ["a", "a.rar", "a.tar.bz2", "zip", "a.zip.exe", ".."] {
        let sandbox = Sandbox::new();
        let error = sandbox
            .unpack(name, b"PK\x03\x04", &Options::default())
            .unwrap_err();
        assert!(matches!(error.cause, Cause::UnknownFormat), "{name}");
        assert!(error.help().is_some());
    }
}

/// Headers of a tar that are no tar's: a wrong checksum, a size that is no number.
#[test]
fn malformed_tar_headers_are_refused() {
    let good = tar(&[file("a", "1"), file("b", "2")]);
    for (at, byte) in [(1024, b'c'), (1024 + 124, b'9'), (1024 + 148, b'x')] {
        let mut bad = good.clone();
        bad[at] = byte;
        for format in Format::TARS {
            let cause = refused_bytes(format.file(), &format.wrap(&bad));
            assert!(matches!(cause, Cause::Malformed { .. }), "{cause:?}");
        }
    }
}
