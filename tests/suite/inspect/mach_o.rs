//! Mach-O files, thin and universal.

use xtool::inspect::Slice;
use xtool::inspect::libraries::Status;
use xtool::inspect::version::Version;

use super::make::{CPU_ARM64, CPU_X86_64, Identity, MachO, universal};
use super::report_bytes;

fn inspect(macho: &MachO) -> Slice {
    report_bytes(&macho.bytes())
        .unwrap_or_else(|e| panic!("{e}"))
        .slices
        .remove(0)
}

fn macos(slice: &Slice) -> (String, bool, String) {
    let v = slice
        .verdicts
        .iter()
        .find(|v| v.id == "macos")
        .expect("a verdict");
    (v.name.clone(), v.runs, v.reasons.join("; "))
}

#[test]
fn the_minimum_is_read_from_either_command() {
    let new = inspect(&MachO::default());
    let facts = new.facts.mach_o().unwrap();
    assert_eq!(
        (facts.minimum_os, facts.sdk),
        (Some(Version::new(11, 0)), Some(Version::new(14, 0)))
    );
    assert_eq!(
        (new.facts.os.as_str(), new.facts.architecture.as_str()),
        ("macos", "aarch64")
    );
    assert!(new.facts.position_independent && !new.facts.is_static);
    assert_eq!(macos(&new).0, "macOS 11.0 and newer");

    let old = inspect(&MachO {
        cpu: CPU_X86_64,
        minimum: (10, 12),
        old_minimum: true,
        ..MachO::default()
    });
    assert_eq!(
        old.facts.mach_o().unwrap().minimum_os,
        Some(Version::new(10, 12))
    );
    let (name, runs, why) = macos(&old);
    assert_eq!((name.as_str(), runs), ("macOS 10.12 and newer", true));
    assert!(why.contains("Rosetta"));
}

#[test]
fn arm64_needs_a_signature() {
    let unsigned = inspect(&MachO {
        signature: None,
        ..MachO::default()
    });
    let (_, runs, why) = macos(&unsigned);
    assert!(!runs && why.contains("not signed"), "{why}");
    let intel = inspect(&MachO {
        cpu: CPU_X86_64,
        signature: None,
        ..MachO::default()
    });
    assert!(macos(&intel).1);
    let adhoc = inspect(&MachO::default());
    assert!(
        adhoc
            .facts
            .mach_o()
            .unwrap()
            .signature
            .as_ref()
            .unwrap()
            .adhoc
    );
    let team = inspect(&MachO {
        signature: Some(Identity::Team("ABCDE12345")),
        ..MachO::default()
    });
    let signature = team.facts.mach_o().unwrap().signature.clone().unwrap();
    assert_eq!(
        (signature.adhoc, signature.team.as_deref()),
        (false, Some("ABCDE12345"))
    );
}

#[test]
fn an_arm64_minimum_before_11_is_11() {
    let slice = inspect(&MachO {
        minimum: (10, 13),
        ..MachO::default()
    });
    assert_eq!(macos(&slice).0, "macOS 11.0 and newer");
}

#[test]
fn other_platforms_are_named() {
    let slice = inspect(&MachO {
        platform: 2,
        ..MachO::default()
    });
    assert_eq!(
        macos(&slice),
        ("macOS".into(), false, "made for iOS".into())
    );
}

#[test]
fn dylibs_of_the_system_and_others() {
    let tmp = tempfile::tempdir().unwrap();
    let program = tmp.path().join("app");
    let macho = MachO {
        dylibs: vec![
            "/usr/lib/libSystem.B.dylib",
            "/System/Library/Frameworks/AppKit.framework/Versions/C/AppKit",
            "@rpath/libmine.dylib",
            "/opt/homebrew/lib/libz.dylib",
        ],
        rpaths: vec!["@executable_path/../lib", "@loader_path/lib"],
        ..MachO::default()
    };
    fs_err::write(&program, macho.bytes()).unwrap();
    fs_err::create_dir(tmp.path().join("lib")).unwrap();
    fs_err::write(tmp.path().join("lib/libmine.dylib"), "").unwrap();
    let slice = super::slice(&program);
    let states: Vec<_> = slice
        .libraries
        .iter()
        .map(|l| (l.status, l.path.is_some()))
        .collect();
    assert_eq!(
        states,
        [
            (Status::System, false),
            (Status::System, false),
            (Status::MustShip, true),
            (Status::MustShip, false)
        ]
    );
    assert!(
        macos(&slice)
            .2
            .contains("`@rpath/libmine.dylib`, `/opt/homebrew/lib/libz.dylib` shipped")
    );
}

/// With an SDK as the sysroot, a framework that it lacks is not found.
#[test]
fn an_sdk_has_stubs() {
    let sdk = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(sdk.path().join("usr/lib")).unwrap();
    fs_err::write(sdk.path().join("usr/lib/libSystem.B.tbd"), "--- !tapi-tbd").unwrap();
    let program = sdk.path().join("app");
    let macho = MachO {
        dylibs: vec!["/usr/lib/libSystem.B.dylib", "/usr/lib/libobjc.A.dylib"],
        ..MachO::default()
    };
    fs_err::write(&program, macho.bytes()).unwrap();
    let tables = xtool::inspect::tables::Tables::built_in();
    let report = xtool::inspect::inspect(&program, Some(sdk.path()), tables).unwrap();
    let states: Vec<_> = report.slices[0]
        .libraries
        .iter()
        .map(|l| l.status)
        .collect();
    assert_eq!(states, [Status::System, Status::NotFound]);
}

#[test]
fn a_universal_file_has_a_slice_a_cpu() {
    let arm = MachO::default().bytes();
    let intel = MachO {
        cpu: CPU_X86_64,
        minimum: (10, 12),
        signature: None,
        ..MachO::default()
    }
    .bytes();
    let bytes = universal(&[(CPU_X86_64, intel), (CPU_ARM64, arm)]);
    let report = report_bytes(&bytes).unwrap();
    let names: Vec<_> = report.slices.iter().map(|s| macos(s).0).collect();
    assert_eq!(names, ["macOS 10.12 and newer", "macOS 11.0 and newer"]);
    assert_eq!(report.slices[1].facts.mach_o().unwrap().dylibs.len(), 1);
    let short = report_bytes(&bytes[..bytes.len() - 64]).unwrap_err();
    let why = std::error::Error::source(&short).unwrap().to_string();
    assert!(why.contains("a slice would end"), "{why}");
}

#[test]
fn numbers_are_read_in_either_order() {
    let slice = inspect(&MachO {
        big: true,
        cpu: 18,
        old_minimum: true,
        minimum: (10, 4),
        signature: None,
        ..MachO::default()
    });
    assert_eq!(slice.facts.architecture, "powerpc");
    assert_eq!(macos(&slice).0, "macOS 10.4 to 10.6");
}
