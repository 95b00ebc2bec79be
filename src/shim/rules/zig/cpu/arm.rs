//! What GCC's `-march`, `-mcpu` and `-mfpu` for ARM's CPUs say, as changes of zig's features.

use super::Change;

/// `armv8.2-a+crc+nofp`, for 64 bits: what it has beyond the generic CPU.
pub(super) fn aarch64(march: &str) -> Vec<Change> {
    let (version, extensions) = split(march);
    let version = version.strip_prefix("armv").unwrap_or(version);
    let version = match version {
        // What every aarch64 CPU is.
        "8" | "8-a" => None,
        version => Some(Change::add(&format!("v{}", joined(version)))),
    };
    version
        .into_iter()
        .chain(extensions.flat_map(aarch64_extension))
        .collect()
}

/// `+crc` or `+nocrc`, without the `+`.
pub(super) fn aarch64_extension(part: &str) -> Vec<Change> {
    match part.strip_prefix("no") {
        Some("crypto") => without(&["crypto", "aes", "sha2", "sha3", "sm4"]),
        Some(name) => vec![Change::remove(&aarch64_name(name))],
        None => vec![Change::add(&aarch64_name(part))],
    }
}

/// `crypto` is a name for its parts, which a CPU may have without it: `cortex-a72`, but not the one of a Raspberry Pi.
fn without(parts: &[&str]) -> Vec<Change> {
    parts.iter().map(|part| Change::remove(part)).collect()
}

/// LLVM's name, which zig uses with `_`, of what `-march` calls otherwise (GCC's manual, "AArch64 Options"; LLVM's
/// `AArch64Features.td`).
fn aarch64_name(extension: &str) -> String {
    match extension {
        "fp" => "fp_armv8",
        "simd" => "neon",
        "fp16" => "fullfp16",
        "rdma" => "rdm",
        "rng" => "rand",
        "profile" => "spe",
        "memtag" => "mte",
        "jscvt" => "jsconv",
        "fcma" => "complxnum",
        "frintts" => "fptoint",
        "flagm2" => "altnzcv",
        "pmuv3" => "perfmon",
        other => return other.replace('-', "_"),
    }
    .to_owned()
}

/// `armv7-a+neon-vfpv4`, for 32 bits: the architecture's version as zig's feature, and what comes on top.
pub(super) fn arm(march: &str) -> (String, Vec<Change>) {
    let (version, extensions) = split(march);
    let version = version.strip_prefix("arm").unwrap_or(version);
    let version = match version {
        // The part that all profiles share, for which LLVM has no word.
        "v7" | "v7l" | "v7hl" => "v7a".to_owned(),
        "v6z" | "v6zk" => "v6kz".to_owned(),
        // As `uname -m` and packages have them (LLVM's `ARMTargetParserCommon.cpp`, `getArchSynonym`).
        "v5" => "v5t".to_owned(),
        "v5e" => "v5te".to_owned(),
        "v6hl" => "v6k".to_owned(),
        "v8" | "v8l" => "v8a".to_owned(),
        "v8-m.base" => "v8m".to_owned(),
        other => joined(other),
    };
    let changes = extensions.flat_map(|part| arm_extension(&version, part));
    let changes = changes.collect();
    (version, changes)
}

/// `+neon`, without the `+`, on an architecture of a version ("ARM Options", `-march`).
pub(super) fn arm_extension(version: &str, part: &str) -> Vec<Change> {
    let before_v7 = ["v4", "v5", "v6"]
        .iter()
        .any(|old| version.starts_with(old));
    let before_v8 = before_v7 || version.starts_with("v7");
    let change = match part {
        "fp" if before_v7 => Change::fpu(&["vfp2"]),
        "fp" if before_v8 => Change::fpu(&["vfp3d16"]),
        "fp" => Change::fpu(&["fp_armv8"]),
        "simd" | "neon" if !before_v8 => Change::fpu(&["fp_armv8", "neon"]),
        "crypto" => Change::fpu(&["fp_armv8", "neon", "crypto"]),
        "simd" => Change::fpu(&["neon"]),
        "nofp" => Change::fpu(&[]),
        "nosimd" => Change::remove("neon"),
        "nocrypto" => return without(&["crypto", "aes", "sha2"]),
        "sec" => Change::add("trustzone"),
        "virt" => Change::add("virtualization"),
        "idiv" => return vec![Change::add("hwdiv"), Change::add("hwdiv_arm")],
        "fp16" => Change::add("fullfp16"),
        // Instructions that a compiler does not choose.
        "predres" => return Vec::new(),
        other => match (fpu(other), other.strip_prefix("no")) {
            (Some(fpu), _) => fpu,
            (None, Some(name)) => Change::remove(&name.replace('-', "_")),
            (None, None) => Change::add(&other.replace('-', "_")),
        },
    };
    vec![change]
}

/// What `-mfpu` names; `None` for no unit of GCC's.
pub(super) fn fpu(name: &str) -> Option<Change> {
    let features: &[&str] = match name {
        "vfp" | "vfpv2" => &["vfp2"],
        "vfpv3" => &["vfp3"],
        "vfpv3-fp16" => &["vfp3", "fp16"],
        "vfpv3-d16" => &["vfp3d16"],
        "vfpv3-d16-fp16" => &["vfp3d16", "fp16"],
        "vfpv3xd" => &["vfp3d16sp"],
        "vfpv3xd-fp16" => &["vfp3d16sp", "fp16"],
        "vfpv4" => &["vfp4"],
        "vfpv4-d16" => &["vfp4d16"],
        "fpv4-sp-d16" => &["vfp4d16sp"],
        "fpv5-d16" => &["fp_armv8d16"],
        "fpv5-sp-d16" => &["fp_armv8d16sp"],
        "fp-armv8" => &["fp_armv8"],
        "neon" | "neon-vfpv3" => &["neon"],
        "neon-fp16" => &["neon", "fp16"],
        "neon-vfpv4" => &["neon", "vfp4"],
        "neon-fp-armv8" => &["neon", "fp_armv8"],
        "crypto-neon-fp-armv8" => &["neon", "fp_armv8", "crypto"],
        _ => return None,
    };
    Some(Change::fpu(features))
}

fn split(march: &str) -> (&str, impl Iterator<Item = &str>) {
    let mut parts = march.split('+');
    let version = parts.next().unwrap_or_default();
    (version, parts.filter(|part| !part.is_empty()))
}

/// `8_2a` of `8.2-a`
fn joined(version: &str) -> String {
    version.replace('-', "").replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::super::spelled;
    use super::*;

    #[test]
    fn aarch64s_march_in_zigs_words() {
        for (march, words) in [
            ("armv8-a", ""),
            ("armv8-a+crc+crypto", "+crc+crypto"),
            ("armv8.2-a+fp16+sve2-aes", "+v8_2a+fullfp16+sve2_aes"),
            ("armv9-a+nosimd", "+v9a-neon"),
            ("armv8-a+nocrypto", "-crypto-aes-sha2-sha3-sm4"),
            ("armv8-r", "+v8r"),
        ] {
            assert_eq!(spelled(&aarch64(march)), words, "{march}");
        }
    }

    #[test]
    fn arms_march_in_zigs_words() {
        for (march, version, words) in [
            ("armv7-a", "v7a", ""),
            ("armv7-a+neon", "v7a", "+neon"),
            ("armv7ve+simd", "v7ve", "+neon"),
            ("armv8-a+crc+simd", "v8a", "+crc+fp_armv8+neon"),
            ("armv6kz", "v6kz", ""),
            ("armv8.1-m.main", "v8_1m_main", ""),
            ("armv7-a+mp+sec+nosimd", "v7a", "+mp+trustzone-neon"),
            ("armv6+fp", "v6", "+vfp2"),
            ("armv8-a+nocrypto", "v8a", "-crypto-aes-sha2"),
            ("armv7l", "v7a", ""),
            ("armv8", "v8a", ""),
            ("armv6hl", "v6k", ""),
        ] {
            let (found, changes) = arm(march);
            assert_eq!(found, version, "{march}");
            assert_eq!(spelled(&changes), words, "{march}");
        }
    }

    #[test]
    fn the_floating_point_unit_by_its_name() {
        assert_eq!(spelled(&[fpu("neon-vfpv4").unwrap()]), "+neon+vfp4");
        assert_eq!(spelled(&[fpu("vfpv3-d16").unwrap()]), "+vfp3d16");
        assert!(fpu("nonsense").is_none());
    }
}
