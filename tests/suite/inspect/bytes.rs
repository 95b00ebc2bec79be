//! Bytes that are no program, or no whole one: an error that names what it is, and never a panic.

use std::error::Error as _;
use std::path::Path;

use proptest::prelude::*;
use xtool::help::Help;
use xtool::inspect::tables::Tables;
use xtool::inspect::{InspectError, facts_of};

use super::make::{
    ARM, CPU_ARM64, CPU_X86_64, Elf, Identity, MIPS, MachO, Pe, S390, X86_64, universal,
    with_build_id_section,
};
use super::report_bytes;

/// One small binary of each format, and one real one with everything in it.
fn samples() -> Vec<Vec<u8>> {
    let elf = Elf {
        needed: vec!["libstdc++.so.6", "libc.so.6"],
        runpath: Some("$ORIGIN/lib"),
        versions: vec![
            ("libstdc++.so.6", vec!["GLIBCXX_3.4.9"]),
            ("libc.so.6", vec!["GLIBC_2.2.5", "GLIBC_2.28"]),
        ],
        ..Elf::default()
    };
    let pe = Pe {
        imports: vec![
            ("KERNEL32.dll", vec!["ExitProcess", "GetLastError"]),
            ("mine.dll", vec!["f"]),
        ],
        delayed: vec![("user32.dll", vec!["MessageBoxW"])],
        ..Pe::default()
    };
    let macho = MachO {
        signature: Some(Identity::Team("ABCDE12345")),
        rpaths: vec!["@loader_path"],
        ..MachO::default()
    };
    let mut out = vec![
        elf.bytes(),
        Elf {
            wide: false,
            big: true,
            machine: 8,
            ..elf
        }
        .bytes(),
        pe.bytes(),
        Pe {
            wide: false,
            machine: 0x14c,
            ..pe
        }
        .bytes(),
        macho.bytes(),
        universal(&[
            (CPU_ARM64, macho.bytes()),
            (
                CPU_X86_64,
                MachO {
                    cpu: CPU_X86_64,
                    ..macho
                }
                .bytes(),
            ),
        ]),
    ];
    // This test's own program would be too big to copy a thousand times.
    out.extend(
        [
            "/usr/bin/true",
            "/bin/ls",
            "C:\\Windows\\System32\\where.exe",
        ]
        .iter()
        .find_map(|p| fs_err::read(p).ok()),
    );
    out
}

/// All stages that a file goes through; what comes out does not matter.
fn all_stages(bytes: &[u8]) {
    let Ok(slices) = facts_of(Path::new("fuzzed"), bytes) else {
        return;
    };
    let tables = Tables::built_in();
    for facts in slices {
        let verdicts = xtool::inspect::verdict::verdicts(&facts, tables);
        let slice = xtool::inspect::Slice {
            libraries: xtool::inspect::libraries::find(
                Path::new("fuzzed"),
                &facts,
                Some(Path::new("/nowhere")),
                tables,
            ),
            smallest_base: None,
            advice: xtool::inspect::size::advice(&facts),
            verdicts,
            facts,
        };
        let size = slice.facts.size;
        let slices = vec![slice];
        for text in [
            "glibc<=2.17",
            "static",
            "system-dlls-only",
            "runs-on=alpine",
            "macos<=11",
            "windows<=7",
        ] {
            let requirement = text.parse().expect("a requirement");
            xtool::inspect::require::check(&requirement, &slices, size, tables);
        }
        let report = xtool::inspect::Report {
            path: "fuzzed".into(),
            size,
            slices,
        };
        serde_json::to_string(&report).expect("JSON of any facts");
        xtool::inspect::render::text(&report, &[], tables);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    /// Real binaries with a few bytes changed, most of them in the headers.
    #[test]
    fn changed_bytes_never_panic(
        which in 0_usize..8,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..24),
    ) {
        let samples = samples();
        let mut bytes = samples[which % samples.len()].clone();
        for (at, value, in_header) in changes {
            let range = if in_header { bytes.len().min(1024) } else { bytes.len() };
            let at = at.index(range);
            bytes[at] = value;
        }
        all_stages(&bytes);
    }

    /// Numbers that are as large as they can be are the ones that overflow.
    #[test]
    fn extreme_numbers_never_panic(
        which in 0_usize..8,
        at in any::<prop::sample::Index>(),
        width in 1_usize..9,
        value in prop::sample::select(vec![0_u8, 1, 0x7f, 0x80, 0xff]),
    ) {
        let samples = samples();
        let mut bytes = samples[which % samples.len()].clone();
        let at = at.index(bytes.len().min(1024));
        let end = (at + width).min(bytes.len());
        bytes[at..end].fill(value);
        all_stages(&bytes);
    }

    /// Files cut short.
    #[test]
    fn truncated_files_never_panic(which in 0_usize..8, at in any::<prop::sample::Index>()) {
        let samples = samples();
        let bytes = &samples[which % samples.len()];
        all_stages(&bytes[..at.index(bytes.len())]);
    }

    /// Anything at all behind a magic number.
    #[test]
    fn noise_never_panics(
        magic in prop::sample::select(vec![
            &b"\x7fELF\x02\x01\x01"[..], b"\x7fELF\x01\x02\x01", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\x02", b"",
        ]),
        noise in prop::collection::vec(any::<u8>(), 0..2048),
    ) {
        let mut bytes = magic.to_vec();
        bytes.extend(noise);
        all_stages(&bytes);
    }
}

#[test]
fn foreign_files_are_named_with_what_was_expected() {
    for (bytes, what) in [
        (&b"#!/bin/sh\necho hello\n"[..], "a script for `/bin/sh`"),
        (b"\0asm\x01\0\0\0\0\0\0\0\0\0\0\0", "a WebAssembly module"),
        (b"!<arch>\nlib.o/          0 ", "an archive of object files"),
        (b"", "an empty file"),
    ] {
        let error = report_bytes(bytes).unwrap_err();
        assert!(matches!(error, InspectError::NotABinary { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(what) && text.contains("expected a program or library"),
            "{text}"
        );
    }
}

#[test]
fn a_file_cut_short_says_so() {
    for sample in samples() {
        // Behind the headers: all formats know then how long they should be.
        let short = &sample[..sample.len() - 1];
        match report_bytes(short) {
            Err(error @ InspectError::Malformed { .. }) => {
                let cause = error.source().unwrap().to_string();
                assert!(cause.contains("cut short"), "{error}: {cause}");
            }
            // The last byte of a signature is nobody's segment.
            Ok(report) => assert!(report.slices[0].facts.mach_o().is_some()),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Within the headers too, and what cannot be read at all has a way out.
#[test]
fn headers_cut_short_say_so() {
    for sample in samples() {
        for len in (64..sample.len().min(1024)).step_by(37) {
            let Err(error) = report_bytes(&sample[..len]) else {
                continue;
            };
            assert!(error.help().is_some(), "{len}: {error}");
        }
    }
    let pe = Pe::default().bytes();
    let error = report_bytes(&pe[..400]).unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("its headers would end"), "{error}: {cause}");
}

#[test]
fn folders_and_devices_are_not_read() {
    let tmp = tempfile::tempdir().unwrap();
    let error = xtool::inspect::read_facts(tmp.path()).unwrap_err();
    assert!(error.to_string().contains("is a folder"), "{error}");
    #[cfg(unix)]
    {
        let error = xtool::inspect::read_facts(Path::new("/dev/zero")).unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
    let error = xtool::inspect::read_facts(&tmp.path().join("nothing")).unwrap_err();
    assert!(matches!(error, InspectError::Read { .. }), "{error}");
}

/// Version tables may claim 65,535 × 65,535 entries in a few bytes, all of them the same.
#[test]
fn a_version_table_that_goes_round_ends() {
    let mut bytes = Elf {
        versions: vec![("libc.so.6", vec!["GLIBC_2.28"])],
        ..Elf::default()
    }
    .bytes();
    let table = bytes
        .windows(4)
        .position(|w| w == [1, 0, 1, 0])
        .expect("the version table");
    bytes[table + 2..table + 4].fill(0xff);
    bytes[table + 12..table + 16].copy_from_slice(&1_u32.to_le_bytes());
    let start = std::time::Instant::now();
    all_stages(&bytes);
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
}

/// A build id may stand in a section that no segment has; both classes and byte orders.
#[test]
fn a_build_id_outside_of_the_segments_is_found() {
    for (wide, big, machine) in [
        (true, false, X86_64),
        (false, true, MIPS),
        (true, true, S390),
        (false, false, ARM),
    ] {
        let elf = Elf {
            wide,
            big,
            machine,
            ..Elf::default()
        };
        let id = [0xde, 0xad, 0xbe, 0xef, 0x01, 0x23, 0x45, 0x67];
        for (bytes, expected) in [
            (elf.bytes(), None),
            (with_build_id_section(&elf, &id), Some("deadbeef01234567")),
        ] {
            let facts = facts_of(Path::new("x"), &*bytes).unwrap();
            let xtool::inspect::facts::Details::Elf(found) = &facts[0].details else {
                panic!("ELF");
            };
            assert_eq!(found.build_id.as_deref(), expected, "{machine}");
        }
    }
}
