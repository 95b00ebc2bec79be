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
    } else if triple.arch().starts_with("riscv") {
        if march.is_some() {
            // Where `-mcpu` says it (with the extensions that the ABI needs), another would take them away again.
            if default_cpu(triple).is_some() {
                return Action::Drop;
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
    use super::features;

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
