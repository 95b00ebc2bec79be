//! Writes small binaries of each format into the folder that is named, for the `inspect` target to start from: those
//! that the suite makes for its own tests. `scripts/fuzz.sh` compiles it by itself, without a crate.

#[expect(dead_code, reason = "the suite uses all of it")]
#[path = "../suite/inspect/make.rs"]
mod make;

use std::path::PathBuf;

use make::{CPU_ARM64, CPU_X86_64, Elf, Identity, MachO, Pe, universal};

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("a folder"));
    for (name, bytes) in seeds() {
        std::fs::write(folder.join(name), bytes).expect("a seed is written");
    }
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let elf = Elf {
        needed: vec!["libstdc++.so.6", "libc.so.6"],
        runpath: Some("$ORIGIN/lib"),
        versions: vec![
            ("libstdc++.so.6", vec!["GLIBCXX_3.4.9"]),
            ("libc.so.6", vec!["GLIBC_2.2.5", "GLIBC_2.28"]),
        ],
        ..Elf::default()
    };
    let big = Elf {
        wide: false,
        big: true,
        machine: make::MIPS,
        ..elf.clone()
    };
    let pe = Pe {
        imports: vec![
            ("KERNEL32.dll", vec!["ExitProcess", "GetLastError"]),
            ("mine.dll", vec!["f"]),
        ],
        delayed: vec![("user32.dll", vec!["MessageBoxW"])],
        ..Pe::default()
    };
    let narrow = Pe {
        wide: false,
        machine: 0x14c,
        ..pe.clone()
    };
    let arm = MachO {
        signature: Some(Identity::Team("ABCDE12345")),
        rpaths: vec!["@loader_path"],
        ..MachO::default()
    };
    let intel = MachO {
        cpu: CPU_X86_64,
        old_minimum: true,
        minimum: (10, 12),
        ..arm.clone()
    };
    let both = universal(&[(CPU_ARM64, arm.bytes()), (CPU_X86_64, intel.bytes())]);
    vec![
        ("elf-64", elf.bytes()),
        ("elf-32-big", big.bytes()),
        ("pe-64", pe.bytes()),
        ("pe-32", narrow.bytes()),
        ("mach-o-arm64", arm.bytes()),
        ("mach-o-x86-64", intel.bytes()),
        ("mach-o-universal", both),
    ]
}
