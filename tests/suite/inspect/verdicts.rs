//! Where Linux programs run, by what they ask for.

use xtool::inspect::Slice;
use xtool::inspect::facts::{ByteOrder, Kind, Libc};
use xtool::inspect::version::Version;

use super::make::{self, Elf};
use super::report_bytes;

fn inspect(elf: &Elf) -> Slice {
    report_bytes(&elf.bytes())
        .unwrap_or_else(|e| panic!("{e}"))
        .slices
        .remove(0)
}

/// The ids that say yes.
fn yes(slice: &Slice) -> Vec<&str> {
    slice
        .verdicts
        .iter()
        .filter(|v| v.runs)
        .map(|v| v.id.as_str())
        .collect()
}

fn reasons(slice: &Slice, id: &str) -> String {
    slice
        .verdicts
        .iter()
        .find(|v| v.id == id)
        .expect("a verdict")
        .reasons
        .join("; ")
}

#[test]
fn a_static_program_runs_everywhere() {
    let slice = inspect(&Elf {
        interpreter: None,
        needed: vec![],
        ..Elf::default()
    });
    assert!(slice.facts.is_static && slice.libraries.is_empty());
    let linux = slice
        .verdicts
        .iter()
        .filter(|v| v.family == "linux")
        .count();
    assert_eq!(yes(&slice).len(), linux);
    assert_eq!(slice.smallest_base.as_deref(), Some("scratch"));
    assert!(reasons(&slice, "windows-10").contains("made for Linux"));
}

#[test]
fn a_newer_glibc_shuts_out_older_systems() {
    let program = |version| Elf {
        versions: vec![("libc.so.6", vec!["GLIBC_2.2.5", version])],
        ..Elf::default()
    };
    let old = inspect(&program("GLIBC_2.17"));
    for id in [
        "rhel-7",
        "debian-10",
        "ubuntu-24.04",
        "distroless-base",
        "distroless-cc",
    ] {
        assert!(yes(&old).contains(&id), "{id}: {}", reasons(&old, id));
    }
    assert_eq!(old.smallest_base.as_deref(), Some("distroless-base"));
    for id in ["scratch", "alpine", "distroless-static"] {
        assert!(!yes(&old).contains(&id), "{id}");
        assert!(reasons(&old, id).contains("interpreter /lib64/ld-linux-x86-64.so.2 is missing"));
    }
    let newer = inspect(&program("GLIBC_2.34"));
    assert_eq!(
        yes(&newer),
        [
            "distroless-base",
            "distroless-cc",
            "debian-12",
            "debian-13",
            "ubuntu-22.04",
            "ubuntu-24.04",
            "rhel-9"
        ]
    );
    assert_eq!(
        reasons(&newer, "debian-11"),
        "needs GLIBC_2.34, Debian 11 has 2.31"
    );
    assert_eq!(
        reasons(&newer, "rhel-7"),
        "needs GLIBC_2.34, RHEL 7 has 2.17"
    );
}

#[test]
fn cpp_needs_its_library_and_its_version() {
    let slice = inspect(&Elf {
        needed: vec!["libstdc++.so.6", "libgcc_s.so.1", "libc.so.6"],
        versions: vec![
            (
                "libstdc++.so.6",
                vec!["GLIBCXX_3.4.9", "GLIBCXX_3.4.29", "CXXABI_1.3"],
            ),
            ("libgcc_s.so.1", vec!["GCC_3.0"]),
            ("libc.so.6", vec!["GLIBC_2.14"]),
        ],
        ..Elf::default()
    });
    assert_eq!(
        reasons(&slice, "debian-11"),
        "needs GLIBCXX_3.4.29, Debian 11 has 3.4.28"
    );
    assert_eq!(
        reasons(&slice, "distroless-base"),
        "`libstdc++.so.6` is not there (it is in distroless cc); `libgcc_s.so.1` is not there (it is in distroless cc)"
    );
    assert!(yes(&slice).contains(&"distroless-cc") && yes(&slice).contains(&"rhel-9"));
    let elf = slice.facts.elf().unwrap();
    assert_eq!(
        elf.highest.glibcxx.as_ref().unwrap().version,
        Version::new3(3, 4, 29)
    );
    assert_eq!(
        elf.highest.gcc.as_ref().unwrap().version,
        Version::new(3, 0)
    );
}

#[test]
fn musl_runs_on_alpine_only() {
    let slice = inspect(&Elf {
        interpreter: Some("/lib/ld-musl-x86_64.so.1"),
        needed: vec!["libc.so"],
        ..Elf::default()
    });
    assert_eq!(slice.facts.elf().unwrap().libc, Libc::Musl);
    assert_eq!(yes(&slice), ["alpine"]);
    assert!(reasons(&slice, "debian-12").contains("it has glibc"));
    let with_cxx = inspect(&Elf {
        interpreter: Some("/lib/ld-musl-x86_64.so.1"),
        needed: vec!["libstdc++.so.6", "libc.musl-x86_64.so.1"],
        ..Elf::default()
    });
    assert_eq!(
        reasons(&with_cxx, "alpine"),
        "`libstdc++.so.6` is not there (it is in libstdc++)"
    );
}

#[test]
fn what_is_not_in_a_base_installation_is_named() {
    let slice = inspect(&Elf {
        needed: vec!["libgtk-3.so.0", "libc.so.6"],
        ..Elf::default()
    });
    assert!(yes(&slice).is_empty());
    assert!(
        reasons(&slice, "debian-12").contains("`libgtk-3.so.0` is not part of a base installation")
    );
    // Shipped beside the program, it is the program's own business.
    let shipped = inspect(&Elf {
        needed: vec!["libgtk-3.so.0", "libc.so.6"],
        runpath: Some("$ORIGIN/../lib"),
        ..Elf::default()
    });
    assert!(yes(&shipped).contains(&"debian-12"));
    assert_eq!(
        reasons(&shipped, "debian-12"),
        "with `libgtk-3.so.0` in $ORIGIN/../lib"
    );
}

#[test]
fn a_loader_at_another_place_is_missing() {
    let slice = inspect(&Elf {
        interpreter: Some("/nix/store/abc-glibc-2.38/lib/ld-linux-x86-64.so.2"),
        ..Elf::default()
    });
    assert!(yes(&slice).is_empty());
    assert!(reasons(&slice, "debian-12").contains("/nix/store/abc-glibc-2.38"));
}

#[test]
fn every_class_and_byte_order_is_read() {
    for (wide, big, machine, flags, name, interpreter) in [
        (
            true,
            false,
            make::AARCH64,
            0,
            "aarch64",
            "/lib/ld-linux-aarch64.so.1",
        ),
        (
            false,
            false,
            make::ARM,
            0x500_0400,
            "armhf",
            "/lib/ld-linux-armhf.so.3",
        ),
        (
            false,
            false,
            make::ARM,
            0x500_0200,
            "armel",
            "/lib/ld-linux.so.3",
        ),
        (
            true,
            false,
            make::RISCV,
            5,
            "riscv64",
            "/lib/ld-linux-riscv64-lp64d.so.1",
        ),
        (true, true, make::S390, 0, "s390x", "/lib/ld64.so.1"),
        (false, true, make::MIPS, 0, "mips", "/lib/ld.so.1"),
        (false, false, make::MIPS, 0, "mipsel", "/lib/ld.so.1"),
        (
            false,
            false,
            make::X86_64,
            0,
            "x32",
            "/libx32/ld-linux-x32.so.2",
        ),
    ] {
        let slice = inspect(&Elf {
            wide,
            big,
            machine,
            flags,
            interpreter: Some(interpreter),
            versions: vec![("libc.so.6", vec!["GLIBC_2.28"])],
            ..Elf::default()
        });
        let facts = &slice.facts;
        let elf = facts.elf().unwrap();
        assert_eq!(facts.architecture, name);
        assert_eq!(facts.bits, if wide { 64 } else { 32 });
        assert_eq!(
            facts.byte_order,
            if big {
                ByteOrder::Big
            } else {
                ByteOrder::Little
            }
        );
        assert_eq!(elf.interpreter.as_deref(), Some(interpreter));
        assert_eq!(elf.needed, ["libc.so.6"]);
        assert_eq!(
            elf.highest.glibc.as_ref().unwrap().version,
            Version::new(2, 28),
            "{name}"
        );
        let debian = yes(&slice).contains(&"debian-10");
        assert_eq!(
            debian,
            name != "riscv64" && name != "x32",
            "{name}: {}",
            reasons(&slice, "debian-10")
        );
    }
}

#[test]
fn systems_without_the_cpu_say_so() {
    let slice = inspect(&Elf {
        machine: make::RISCV,
        interpreter: None,
        needed: vec![],
        ..Elf::default()
    });
    assert_eq!(
        reasons(&slice, "debian-12"),
        "Debian 12 is not made for riscv64"
    );
    assert!(yes(&slice).contains(&"debian-13") && yes(&slice).contains(&"scratch"));
}

#[test]
fn libraries_are_judged_by_their_c_library() {
    let slice = inspect(&Elf {
        interpreter: None,
        soname: Some("libmine.so.1"),
        versions: vec![("libc.so.6", vec!["GLIBC_2.31"])],
        ..Elf::default()
    });
    assert_eq!(slice.facts.kind, Kind::Library);
    assert!(yes(&slice).contains(&"debian-11"));
    assert_eq!(reasons(&slice, "alpine"), "needs glibc, it has musl");
    assert_eq!(
        reasons(&slice, "debian-10"),
        "needs GLIBC_2.31, Debian 10 has 2.28"
    );
}

#[test]
fn other_systems_are_named() {
    for (interpreter, name) in [
        ("/system/bin/linker64", "Android"),
        ("/libexec/ld-elf.so.1", "FreeBSD"),
    ] {
        let slice = inspect(&Elf {
            interpreter: Some(interpreter),
            ..Elf::default()
        });
        assert!(yes(&slice).is_empty());
        assert_eq!(reasons(&slice, "debian-12"), format!("made for {name}"));
    }
}

#[test]
fn the_text_fits_80_columns() {
    let slice = inspect(&Elf {
        needed: vec!["libstdc++.so.6", "libgtk-3.so.0", "libc.so.6"],
        versions: vec![("libc.so.6", vec!["GLIBC_2.38"])],
        ..Elf::default()
    });
    let report = xtool::inspect::Report {
        path: "program".into(),
        size: 100,
        slices: vec![slice],
    };
    let tables = xtool::inspect::tables::Tables::built_in();
    let text = xtool::inspect::render::text(&report, &[], tables);
    let plain = anstream::adapter::strip_str(&text).to_string();
    for line in plain.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
    assert!(plain.contains("no   Debian 12"), "{plain}");
    assert!(
        plain.contains("no   Windows                        made for Linux"),
        "{plain}"
    );
}
