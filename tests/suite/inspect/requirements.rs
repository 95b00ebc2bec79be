//! `--require`: what makes a build fail, and with which words.

use xtool::inspect::Report;
use xtool::inspect::require::{Outcome, Requirement, check};
use xtool::inspect::tables::Tables;

use super::make::{CPU_ARM64, CPU_X86_64, Elf, MachO, Pe, universal};
use super::report_bytes;

fn outcome(report: &Report, requirement: &str) -> Outcome {
    let requirement: Requirement = requirement.parse().unwrap_or_else(|e| panic!("{e}"));
    check(
        &requirement,
        &report.slices,
        report.size,
        Tables::built_in(),
    )
}

fn met(report: &Report, requirement: &str) -> bool {
    outcome(report, requirement).met
}

fn glibc() -> Report {
    let elf = Elf {
        versions: vec![("libc.so.6", vec!["GLIBC_2.2.5", "GLIBC_2.28"])],
        ..Elf::default()
    };
    report_bytes(&elf.bytes()).unwrap()
}

#[test]
fn versions_are_a_ceiling() {
    let report = glibc();
    assert!(met(&report, "glibc<=2.28") && met(&report, "glibc<=2.30"));
    let outcome = outcome(&report, "glibc<=2.17");
    assert!(!outcome.met);
    assert_eq!(outcome.reason, "it needs GLIBC_2.28");
    assert!(
        met(&report, "glibcxx<=3.4"),
        "a C program asks for no libstdc++"
    );
}

#[test]
fn systems_are_named_by_their_ids() {
    let report = glibc();
    assert!(met(&report, "runs-on=debian-10"));
    let rhel = outcome(&report, "runs-on=rhel-7");
    assert_eq!(
        (rhel.met, rhel.reason.as_str()),
        (false, "needs GLIBC_2.28, RHEL 7 has 2.17")
    );
    assert!(
        !met(&report, "runs-on=scratch")
            && !met(&report, "runs-on=windows-10")
            && !met(&report, "runs-on=macos")
    );
}

#[test]
fn properties_of_the_file() {
    let report = glibc();
    assert!(
        !met(&report, "static")
            && !met(&report, "pie")
            && !met(&report, "signed")
            && !met(&report, "relro")
    );
    assert!(met(&report, "stripped") && met(&report, "nx") && met(&report, "arch=x86_64"));
    assert!(met(&report, "arch=amd64") && !met(&report, "arch=arm64"));
    assert!(met(&report, "max-size=1MB"));
    let size = outcome(&report, "max-size=10");
    assert!(
        !size.met && size.reason.contains(&format!("{} bytes", report.size)),
        "{}",
        size.reason
    );
    assert!(met(&report, "system-libs-only"));
    let alone = report_bytes(
        &Elf {
            interpreter: None,
            needed: vec![],
            ..Elf::default()
        }
        .bytes(),
    )
    .unwrap();
    assert!(met(&alone, "static") && met(&alone, "glibc<=2.17") && met(&alone, "runs-on=alpine"));
}

#[test]
fn windows_by_the_names_that_people_use() {
    let pe = Pe {
        imports: vec![
            ("bcryptprimitives.dll", vec!["ProcessPrng"]),
            ("libgcc_s_seh-1.dll", vec!["x"]),
        ],
        ..Pe::default()
    };
    let report = report_bytes(&pe.bytes()).unwrap();
    assert!(
        met(&report, "windows<=10") && !met(&report, "windows<=8.1") && !met(&report, "windows<=7")
    );
    assert!(met(&report, "runs-on=windows-11") && !met(&report, "runs-on=windows-7"));
    let dlls = outcome(&report, "system-dlls-only");
    assert_eq!(
        (dlls.met, dlls.reason.as_str()),
        (false, "it needs `libgcc_s_seh-1.dll`")
    );
    assert!(!met(&report, "macos<=11"), "a PE file is not for macOS");
}

#[test]
fn every_slice_must_meet_it() {
    let arm = MachO::default().bytes();
    let intel = MachO {
        cpu: CPU_X86_64,
        minimum: (10, 12),
        signature: None,
        ..MachO::default()
    }
    .bytes();
    let report = report_bytes(&universal(&[(CPU_ARM64, arm), (CPU_X86_64, intel)])).unwrap();
    assert!(met(&report, "macos<=11.0"));
    let older = outcome(&report, "macos<=10.15");
    assert_eq!(
        (older.met, older.reason.as_str()),
        (false, "aarch64: runs from macOS 11.0 on")
    );
    let signed = outcome(&report, "signed");
    assert_eq!(
        (signed.met, signed.reason.as_str()),
        (false, "x86_64: it is not signed")
    );
    assert!(
        met(&report, "runs-on=macos-12")
            && met(&report, "runs-on=macos")
            && !met(&report, "runs-on=macos-10.14")
    );
}
