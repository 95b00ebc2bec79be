//! PE files: what Windows starts them, and what must be shipped.

use std::path::{Path, PathBuf};

use xtool::inspect::Slice;
use xtool::inspect::facts::Kind;
use xtool::inspect::libraries::Status;
use xtool::inspect::tables::Tables;
use xtool::inspect::version::Version;

use super::make::Pe;
use super::{output, report_bytes, slice};

fn inspect(pe: &Pe) -> Slice {
    report_bytes(&pe.bytes())
        .unwrap_or_else(|e| panic!("{e}"))
        .slices
        .remove(0)
}

fn verdict(slice: &Slice, id: &str) -> (bool, String) {
    let v = slice
        .verdicts
        .iter()
        .find(|v| v.id == id)
        .expect("a verdict");
    (v.runs, v.reasons.join("; "))
}

#[test]
fn an_old_program_runs_on_all() {
    let slice = inspect(&Pe {
        imports: vec![
            ("KERNEL32.dll", vec!["ExitProcess"]),
            ("msvcrt.dll", vec!["printf", "exit"]),
        ],
        ..Pe::default()
    });
    for id in ["windows-7", "windows-10", "windows-11"] {
        assert_eq!(verdict(&slice, id), (true, String::new()), "{id}");
    }
    let pe = slice.facts.pe().unwrap();
    assert_eq!(pe.subsystem, "console");
    assert_eq!(pe.imports[1].functions, ["printf", "exit"]);
    assert!(
        pe.aslr
            && pe.high_entropy
            && slice.facts.no_execute
            && !pe.control_flow_guard
            && !pe.signed
    );
    assert!(slice.libraries.iter().all(|l| l.status == Status::System));
    assert!(verdict(&slice, "debian-12").1.contains("made for Windows"));
}

/// Rust's standard library since 1.78.
#[test]
fn rust_s_imports_need_windows_10() {
    let slice = inspect(&Pe {
        imports: vec![
            (
                "api-ms-win-core-synch-l1-2-0.dll",
                vec!["WaitOnAddress", "WakeByAddressSingle"],
            ),
            ("bcryptprimitives.dll", vec!["ProcessPrng"]),
        ],
        ..Pe::default()
    });
    let (runs, why) = verdict(&slice, "windows-7");
    assert!(!runs);
    assert!(
        why.contains("`ProcessPrng` in `bcryptprimitives.dll`, in Windows since 10"),
        "{why}"
    );
    assert!(why.contains("api-ms-win-core-synch-l1-2-0.dll"), "{why}");
    assert!(verdict(&slice, "windows-10").0);
}

#[test]
fn newer_functions_name_their_build() {
    let program = |f| Pe {
        imports: vec![("KERNEL32.dll", vec![f])],
        ..Pe::default()
    };
    let (runs, why) = verdict(&inspect(&program("SetThreadDescription")), "windows-10");
    assert!(runs);
    assert!(
        why.contains("from build 10.0.14393") && why.contains("SetThreadDescription"),
        "{why}"
    );
    let (runs, why) = verdict(&inspect(&program("GetTempPath2W")), "windows-10");
    assert!(!runs && why.contains("since 11"), "{why}");
    // Loaded on first use: a program that asks first runs without it.
    let delayed = Pe {
        delayed: vec![("KERNEL32.dll", vec!["GetTempPath2W"])],
        ..Pe::default()
    };
    let slice = inspect(&delayed);
    assert!(verdict(&slice, "windows-7").0);
    let import = &slice.facts.pe().unwrap().imports[0];
    assert!(import.delayed && import.functions == ["GetTempPath2W"]);
}

#[test]
fn the_subsystem_s_version_is_a_minimum() {
    let slice = inspect(&Pe {
        subsystem_version: (10, 0),
        ..Pe::default()
    });
    assert_eq!(
        slice.facts.pe().unwrap().subsystem_version,
        Version::new(10, 0)
    );
    assert!(!verdict(&slice, "windows-7").0 && verdict(&slice, "windows-10").0);
}

#[test]
fn the_cpu_decides_too() {
    let of = |machine, wide| {
        inspect(&Pe {
            wide,
            machine,
            ..Pe::default()
        })
    };
    let arm = of(0xaa64, true);
    assert_eq!(arm.facts.architecture, "aarch64");
    assert_eq!(
        verdict(&arm, "windows-7"),
        (false, "Windows 7 does not run aarch64 programs".into())
    );
    assert!(verdict(&arm, "windows-11").0);
    let x86 = of(0x14c, false);
    assert_eq!(
        (x86.facts.architecture.as_str(), x86.facts.bits),
        ("x86", 32)
    );
    assert!(verdict(&x86, "windows-7").0);
}

#[test]
fn firmware_programs_are_no_windows_programs() {
    let slice = inspect(&Pe {
        subsystem: 10,
        ..Pe::default()
    });
    assert_eq!(
        verdict(&slice, "windows-11"),
        (false, "made for UEFI firmware".into())
    );
}

/// The toolchain's own DLLs must be shipped, and what they need in turn.
#[test]
fn dlls_beside_the_program_are_followed() {
    let tmp = tempfile::tempdir().unwrap();
    let write = |name: &str, imports| {
        let path = tmp.path().join(name);
        fs_err::write(
            &path,
            Pe {
                imports,
                ..Pe::default()
            }
            .bytes(),
        )
        .unwrap();
        path
    };
    let program = write(
        "app.exe",
        vec![
            ("libstdc++-6.dll", vec!["f"]),
            ("VCRUNTIME140.dll", vec!["memcpy"]),
            ("mine.dll", vec!["g"]),
        ],
    );
    write(
        "LIBSTDC++-6.DLL",
        vec![("libgcc_s_seh-1.dll", vec!["h"]), ("KERNEL32.dll", vec![])],
    );
    let slice = slice(&program);
    let of = |name: &str| slice.libraries.iter().find(|l| l.name == name).expect(name);
    assert_eq!(of("libstdc++-6.dll").status, Status::MustShip);
    assert!(
        of("libstdc++-6.dll").path.is_some(),
        "names are found in any case"
    );
    assert_eq!(of("VCRUNTIME140.dll").status, Status::Redistributable);
    assert_eq!(of("mine.dll").path, None);
    let inner = of("libgcc_s_seh-1.dll");
    assert_eq!(
        (inner.status, inner.needed_by.as_deref()),
        (Status::MustShip, Some("libstdc++-6.dll"))
    );
    assert!(inner.note.as_ref().unwrap().contains("-static-libgcc"));
    assert!(verdict(&slice, "windows-10").1.contains("`mine.dll`"));
}

/// Wine's DLLs are real PE files with hundreds of imports: held against objdump, where both are installed.
#[test]
fn wine_s_dlls_are_what_objdump_says() {
    let folder = Path::new("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows");
    let Ok(entries) = fs_err::read_dir(folder) else {
        eprintln!("skipped: wine's DLLs are not installed (Debian: libwine)");
        return;
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "dll" || e == "exe"))
        .collect();
    files.sort();
    let mut compared = 0;
    for path in files.iter().step_by(10) {
        let text = output("objdump", &["-p"], path).unwrap_or_default();
        if !text.contains("pei-x86-64") {
            continue;
        }
        let slice = slice(path);
        let pe = slice.facts.pe().expect("a PE file");
        // objdump lists the ordinary imports only.
        let dlls: Vec<&str> = text
            .lines()
            .filter_map(|l| l.trim().strip_prefix("DLL Name: "))
            .collect();
        let ours: Vec<&str> = pe
            .imports
            .iter()
            .filter(|i| !i.delayed)
            .map(|i| i.dll.as_str())
            .collect();
        assert_eq!(ours, dlls, "{}", path.display());
        let is_dll = text.lines().any(|l| l.trim() == "DLL");
        assert_eq!(
            slice.facts.kind == Kind::Library,
            is_dll,
            "{}",
            path.display()
        );
        let number = |name: &str| -> u32 {
            let line = text
                .lines()
                .find(|l| l.starts_with(name))
                .unwrap_or_default();
            line.split_whitespace()
                .last()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        };
        let version = Version::new(
            number("MajorSubsystemVersion"),
            number("MinorSubsystemVersion"),
        );
        assert_eq!(pe.subsystem_version, version, "{}", path.display());
        let functions: usize = pe
            .imports
            .iter()
            .filter(|i| !i.delayed)
            .map(|i| i.functions.len())
            .sum();
        let listed = count_functions(&text);
        assert_eq!(functions, listed, "{}", path.display());
        compared += 1;
    }
    if compared == 0 {
        eprintln!("skipped: objdump does not read PE files (Debian: binutils)");
        return;
    }
    assert!(compared >= 30, "{compared} of {}", files.len());
    eprintln!("compared {compared} files with objdump");
    assert!(Tables::built_in().windows.windows.len() >= 3);
}

/// Lines `\t<address>\t <hint> <name>` below each `vma:  Hint/Ord Member-Name Bound-To`.
fn count_functions(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for line in text.lines() {
        if line.trim_start().starts_with("vma:") && line.contains("Member-Name") {
            inside = true;
        } else if line.trim().is_empty() {
            inside = false;
        } else if inside {
            count += 1;
        }
    }
    count
}
