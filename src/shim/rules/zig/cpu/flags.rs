//! `-mavx2`, `-mno-sse4.1`, `-mgeneral-regs-only` and the like, as changes of the CPU that zig gets.
//!
//! zig passes each of clang's features on by itself and behind them says every feature of the CPU, on or off. So what a
//! CPU has on top of one that is taken away would bring it back, what comes along with one is switched off again, and
//! an option that stands for several features (`-msse4`) does nothing (seen with 0.15.2).

use super::names::Set;
use super::{Change, Family, Wish, Zigs};

/// What the flags of a compile come to.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// The arguments that the CPU stands for.
    pub folded: Vec<String>,
    pub changes: Vec<Change>,
}

/// Of the flags, those that the CPU has to say. The others zig's own way serves.
pub(super) fn of(zigs: Zigs<'_>, wish: &Wish<'_>) -> Flags {
    let family = Family::of(zigs.triple);
    let mut flags = Flags::default();
    for &(flag, wanted) in &wish.flags {
        let changes = special(family, flag, wanted);
        let known = |change: &Change| match change {
            Change::Add(name) | Change::Remove(name) => zigs.names.has_feature(name),
            Change::Fpu(_) => false,
        };
        flags.changes.extend(changes.into_iter().filter(known));
    }
    let mut sets = instruction_sets(zigs, wish);
    let along = match family {
        Family::X86 => with_them(zigs, wish, &sets.changes),
        _ => Vec::new(),
    };
    let taken_away = wish.flags.iter().any(|(_, wanted)| !wanted);
    if wish.march.is_some() || taken_away || !along.is_empty() || !flags.changes.is_empty() {
        sets.changes.extend(along);
        // What an option takes away from all, no other brings back.
        sets.changes.append(&mut flags.changes);
        return sets;
    }
    flags
}

/// Options that are no feature's name. clang's driver makes features of the first two (`X86.cpp`, `AArch64.cpp` and
/// `ARM.cpp` below `lib/Driver/ToolChains/Arch`); they stay among the arguments.
fn special(family: Family, flag: &str, wanted: bool) -> Vec<Change> {
    match (family, flag, wanted) {
        (Family::X86, "general-regs-only", true) => {
            ["x87", "mmx", "sse"].map(Change::remove).to_vec()
        }
        (Family::Aarch64, "general-regs-only", true) => vec![Change::remove("fp_armv8")],
        (Family::Arm | Family::Aarch64, "unaligned-access", true) => {
            vec![Change::remove("strict_align")]
        }
        (Family::Arm | Family::Aarch64, "unaligned-access", false) => {
            vec![Change::add("strict_align")]
        }
        _ => Vec::new(),
    }
}

/// The flags that name a feature, in their order.
fn instruction_sets(zigs: Zigs<'_>, wish: &Wish<'_>) -> Flags {
    let mut flags = Flags::default();
    for &(flag, wanted) in &wish.flags {
        let Some(feature) = feature(zigs, flag, wanted) else {
            continue;
        };
        if wanted {
            flags.folded.push(format!("-m{flag}"));
            flags.changes.push(Change::Add(feature));
        } else {
            flags.folded.push(format!("-mno-{flag}"));
            flags.changes.push(Change::Remove(feature));
        }
    }
    flags
}

/// zig's name of the feature that a flag names.
fn feature(zigs: Zigs<'_>, flag: &str, wanted: bool) -> Option<String> {
    let name = match (Family::name(zigs.triple), flag, wanted) {
        // GCC's `sse4` is both of its parts ("x86 Options").
        ("x86", "sse4", true) => "sse4_2".to_owned(),
        ("x86", "sse4", false) => "sse4_1".to_owned(),
        ("x86" | "powerpc", ..) => flag.replace(['-', '.'], "_"),
        ("s390x", "vx", _) => "vector".to_owned(),
        ("s390x", "htm", _) => "transactional_execution".to_owned(),
        _ => return None,
    };
    (is_instruction_set(&name) && zigs.names.has_feature(&name)).then_some(name)
}

/// What comes along, unless it is switched off itself: POPCNT with SSE4.2 and XSAVE with AVX (GCC's manual, "x86
/// Options"; LLVM's `X86TargetInfo::initFeatureMap`). `_mm_popcnt_u64` with `-msse4.2` did not compile.
fn with_them(zigs: Zigs<'_>, wish: &Wish<'_>, changes: &[Change]) -> Vec<Change> {
    let mut set = Set::new();
    for change in changes {
        match change {
            Change::Add(feature) => zigs.names.add(&mut set, feature),
            Change::Remove(feature) => zigs.names.remove(&mut set, feature),
            Change::Fpu(_) => {}
        }
    }
    let off = |flag: &str| wish.flags.contains(&(flag, false));
    [("sse4_2", "popcnt"), ("avx", "xsave")]
        .into_iter()
        .filter(|(of, with)| set.contains(*of) && !off(with) && zigs.names.has_feature(with))
        .map(|(_, with)| Change::add(with))
        .collect()
}

/// Not of how code is made safe, or of its mode, which clang's driver has more to do for.
fn is_instruction_set(feature: &str) -> bool {
    let others = [
        "retpoline",
        "lvi_",
        "harden_",
        "seses",
        "soft_float",
        "16bit",
        "32bit",
        "64bit",
        "secure_plt",
        "longcall",
        "hard_float",
    ];
    !others.iter().any(|other| feature.starts_with(other))
}
