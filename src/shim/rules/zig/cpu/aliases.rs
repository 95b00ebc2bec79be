//! CPUs that GCC and clang know by a name that zig does not have.

/// zig's name of the CPU that `name` means on an architecture's family (GCC's manual, "x86 Options", "AArch64 Options",
/// "ARM Options", "RS/6000 and PowerPC Options"; LLVM's `X86TargetParser.cpp`, `AArch64Processors.td`,
/// `PPCTargetParser.cpp`). Not here: those that zig has, with `_` for `-`.
pub(super) fn zigs_name(name: &str, family: &str) -> Option<&'static str> {
    Some(match (family, name) {
        ("x86", "corei7-avx") => "sandybridge",
        ("x86", "core-avx-i") => "ivybridge",
        ("x86", "core-avx2") => "haswell",
        ("x86", "pentium4m") => "pentium4",
        ("aarch64", "ares") => "neoverse_n1",
        ("aarch64", "zeus") => "neoverse_v1",
        ("aarch64", "demeter") => "neoverse_v2",
        ("aarch64", "vulcan" | "thunderx2t99p1") => "thunderx2t99",
        ("aarch64", "qdf24xx") => "falkor",
        ("aarch64", "octeontx" | "octeontx83") => "thunderxt83",
        ("aarch64", "octeontx81") => "thunderxt81",
        ("aarch64", "thunderxt88p1") => "thunderxt88",
        ("powerpc", "powerpc" | "powerpc32") => "ppc",
        ("powerpc", "powerpc64") => "ppc64",
        ("powerpc", "powerpc64le") => "ppc64le",
        ("powerpc", "power3") => "pwr3",
        ("powerpc", "power4") => "pwr4",
        ("powerpc", "power5") => "pwr5",
        ("powerpc", "power5+" | "power5x") => "pwr5x",
        ("powerpc", "power6") => "pwr6",
        ("powerpc", "power6x") => "pwr6x",
        ("powerpc", "power7") => "pwr7",
        ("powerpc", "power8") => "pwr8",
        ("powerpc", "power9") => "pwr9",
        ("powerpc", "power10") => "pwr10",
        ("powerpc", "power11") => "pwr11",
        ("powerpc", "G3") => "g3",
        ("powerpc", "G4") => "g4",
        ("powerpc", "G5" | "970") => "g5",
        // LLVM's newer name, which zig 0.15 does not have.
        ("s390x", "z17") => "arch15",
        _ => return None,
    })
}
