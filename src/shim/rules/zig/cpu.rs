//! CPU names: zig has its own for what GCC and clang call `-march`.

use super::objects;
use super::{Action, Arg};
use crate::target::Triple;

/// The `-mcpu` that makes zig's code for a triple what rustc's is (`rustc_target`'s features of the target); `None`
/// where zig's default for the architecture is.
pub fn default_cpu(triple: &Triple) -> Option<&'static str> {
    let hard_float = triple.env().ends_with("eabihf");
    Some(match triple.arch() {
        "arm" if hard_float => "generic+v6+strict_align+vfp2-d32",
        "arm" => "generic+v6+strict_align",
        "armv5te" => "generic+soft_float+strict_align",
        "armv7" => "generic+v7a+vfp3-d32+thumb2-neon",
        "i586" => "pentium",
        "i686" => "pentium4",
        "riscv64gc" => "generic_rv64+m+a+f+d+c",
        _ => return None,
    })
}

/// Whether the architecture is 32-bit ARM.
fn is_arm(triple: &Triple) -> bool {
    ["arm", "thumb"]
        .iter()
        .any(|a| triple.arch().starts_with(a))
        && triple.arch() != "arm64ec"
}

/// An option that chooses instructions (`-mavx2`, `-march=…`). Of no meaning to a link of objects; but zig takes it as
/// said of the whole program, and compiles its libc and `compiler_rt` anew for each such set: half a minute a time, and
/// CMake projects that ask for every instruction set do it dozens of times.
pub(super) fn is_machine_option(text: &str) -> bool {
    const OTHERS: [&str; 13] = [
        "-m32",
        "-m64",
        "-mabi=",
        "-mcmodel=",
        "-mconsole",
        "-mdll",
        "-mexec-model=",
        "-mfloat-abi=",
        "-mllvm",
        "-mmacos",
        "-mthreads",
        "-municode",
        "-mwindows",
    ];
    text.starts_with("-m") && !OTHERS.iter().any(|other| text.starts_with(other))
}

pub(super) fn rule(triple: &Triple, arg: Arg<'_>) -> Action {
    let march = arg.text.strip_prefix("-march=");
    if is_arm(triple) {
        // `-mcpu` says it; and zig brings compiler_rt, whose symbols Rust's would repeat.
        if march.is_some() || objects::is_compiler_builtins(arg) {
            return Action::Drop;
        }
        // zig knows no `-mfpu`: what it brings beyond the target's is a part of the CPU.
        if let Some(fpu) = arg.text.strip_prefix("-mfpu=") {
            let cpu = default_cpu(triple).and_then(|base| with_fpu(base, fpu));
            return cpu.map_or(Action::Drop, |cpu| Action::replace(format!("-mcpu={cpu}")));
        }
    } else if triple.arch().starts_with("riscv") {
        if let Some(march) = march {
            // The extensions that the ABI needs stay, whatever this file asks for on top.
            if let Some(base) = default_cpu(triple) {
                let more = riscv_extensions(march, base);
                return if more.is_empty() {
                    Action::Drop
                } else {
                    Action::replace(format!("-mcpu={base}{more}"))
                };
            }
            let bits = &triple.arch()[5..7];
            return Action::replace(format!("-march=generic_rv{bits}"));
        }
    } else if matches!(triple.arch(), "aarch64" | "arm64")
        && let Some(march) = march.filter(|m| m.starts_with("armv"))
    {
        let base = if triple.as_str().ends_with("-apple-darwin") {
            "apple_m1"
        } else {
            "generic"
        };
        return Action::replace(format!("-mcpu={base}{}", features(march)));
    }
    Action::Keep
}

/// A CPU with GCC's `-mfpu=neon…` on top ("ARM Options"); `None` for one that has no vectors, and so no more than
/// Rust's targets have.
fn with_fpu(base: &str, fpu: &str) -> Option<String> {
    let more = match fpu {
        "neon" | "neon-vfpv3" => "+neon",
        "neon-fp16" => "+neon+fp16",
        "neon-vfpv4" => "+neon+vfp4",
        "neon-fp-armv8" => "+neon+fp_armv8",
        "crypto-neon-fp-armv8" => "+neon+fp_armv8+crypto",
        _ => return None,
    };
    // NEON has 32 registers of 64 bits.
    let base = base.replace("-d32", "").replace("-neon", "");
    Some(format!("{base}{more}"))
}

/// What `rv64gcv_zbc` has and `base` (`generic_rv64+m+a`) has not: `+v+zbc`. The string is the unprivileged ISA's
/// ("ISA Extension Naming Conventions"): single letters, then names with `_` between, each with a version or none.
fn riscv_extensions(march: &str, base: &str) -> String {
    let march = march.to_ascii_lowercase();
    let Some(isa) = march
        .strip_prefix("rv64")
        .or_else(|| march.strip_prefix("rv32"))
    else {
        // A profile (`rva22u64`): nothing that zig has a word for.
        return String::new();
    };
    let mut parts = isa.split('_');
    let letters = without_versions(parts.next().unwrap_or_default());
    // `rv64gczbc`, too, may end in one name that no `_` is before.
    let (letters, name) = letters.split_at(letters.find(['z', 's', 'x']).unwrap_or(letters.len()));
    let letters = letters.chars().filter(|c| !"ige".contains(*c));
    let mut out = String::new();
    for name in letters
        .map(String::from)
        .chain(std::iter::once(name.to_owned()))
        .chain(parts.map(|part| without_version(part).to_owned()))
    {
        if !name.is_empty() && !base.split('+').skip(1).any(|has| has == name) {
            out.push('+');
            out.push_str(&name);
        }
    }
    out
}

/// `i2p1m2p0` → `im`: each letter's `<major>p<minor>` goes; a `p` that follows no digit is an extension.
fn without_versions(letters: &str) -> String {
    let mut out = String::new();
    let mut in_version = false;
    for c in letters.chars() {
        let is_point = c == 'p' && in_version;
        in_version = c.is_ascii_digit() || is_point;
        if !in_version {
            out.push(c);
        }
    }
    out
}

/// `zbc1p0` → `zbc`. A name may hold digits (`zve32x`) but end in none without a version, bar `zvl128b`'s like.
fn without_version(name: &str) -> &str {
    let Some((before, minor)) = name.rsplit_once('p') else {
        return name;
    };
    let name_only = before.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_version = !minor.is_empty()
        && minor.bytes().all(|b| b.is_ascii_digit())
        && name_only.len() < before.len();
    if is_version { name_only } else { name }
}

/// GCC's `armv8.2-a+crc+nofp` in zig's words: `+v8_2a+crc-fp_armv8`.
fn features(march: &str) -> String {
    let mut parts = march.split('+').filter(|p| !p.is_empty());
    let version = parts
        .next()
        .and_then(|p| p.strip_prefix("armv"))
        .unwrap_or("8-a");
    let version = match version.strip_suffix("-a").unwrap_or(version) {
        // What every aarch64 CPU is.
        "8" => String::new(),
        version => format!("+v{}a", version.replace('.', "_")),
    };
    let extensions = parts.map(|part| match part.strip_prefix("no") {
        Some(without) => format!("-{}", zigs_name(without)),
        None => format!("+{}", zigs_name(part)),
    });
    std::iter::once(version).chain(extensions).collect()
}

/// LLVM's name, which zig uses with `_`, of what `-march` calls otherwise (GCC's manual, "AArch64 Options"; LLVM's
/// `AArch64Features.td`).
fn zigs_name(extension: &str) -> String {
    match extension {
        "fp" => "fp_armv8",
        "simd" => "neon",
        "fp16" => "fullfp16",
        "rdma" => "rdm",
        "rng" => "rand",
        "profile" => "spe",
        "memtag" => "mte",
        other => return other.replace('-', "_"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{features, riscv_extensions, with_fpu};

    #[test]
    fn neon_is_a_part_of_the_cpu() {
        let base = "generic+v7a+vfp3-d32+thumb2-neon";
        assert_eq!(
            with_fpu(base, "neon-vfpv4").unwrap(),
            "generic+v7a+vfp3+thumb2+neon+vfp4"
        );
        assert_eq!(with_fpu(base, "vfpv3-d16"), None);
    }

    #[test]
    fn riscvs_extensions_in_zigs_words() {
        let base = "generic_rv64+m+a+f+d+c";
        for (march, words) in [
            ("rv64gc", ""),
            ("rv64imafdc", ""),
            ("rv64gcv", "+v"),
            ("rv64gc_zbc", "+zbc"),
            ("rv64gcv_zba1p0_zvl128b", "+v+zba+zvl128b"),
            ("rv64i2p1_m2p0", ""),
            ("rv64i2p1m2p0v1p0_zve32x1p0", "+v+zve32x"),
            ("rva22u64", ""),
        ] {
            assert_eq!(riscv_extensions(march, base), words, "{march}");
        }
    }

    #[test]
    fn march_in_zigs_words() {
        for (march, words) in [
            ("armv8-a", ""),
            ("armv8-a+crc+crypto", "+crc+crypto"),
            ("armv8.2-a+fp16+sve2-aes", "+v8_2a+fullfp16+sve2_aes"),
            ("armv9-a+nosimd", "+v9a-neon"),
        ] {
            assert_eq!(features(march), words, "{march}");
        }
    }
}
