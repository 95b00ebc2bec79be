//! Which folders of zig's hold a target's C headers. Pure.
//!
//! The rules are zig's own: `detectFromBuilding` in `std/zig/LibCDirs.zig`, and `osArchName`, `muslArchNameHeaders`,
//! `muslAbiNameHeaders` and `glibcArchNameHeaders` in `std/zig/target.zig`, the same in 0.15 to 0.17.

use crate::shim::Zig;
use crate::target::{TargetOs, Triple};

/// Names below `lib/libc/include`, in zig's order. A version may lack some: of the two for macOS 0.15 has the first,
/// newer ones the second.
pub(super) fn folders(zig: &Zig, triple: &Triple) -> Vec<String> {
    let mut parts = zig.target.split('-');
    let arch = parts.next().unwrap_or_default();
    let abi = parts.nth(1).unwrap_or_default();
    let Names { musl, family } = names(arch);
    let linux = |first: String, generic: &str| {
        vec![
            first,
            generic.to_owned(),
            format!("{family}-linux-any"),
            "any-linux-any".to_owned(),
        ]
    };
    match triple.os() {
        TargetOs::Linux if triple.is_musl() => {
            let abi = match abi {
                "muslx32" | "muslabin32" => abi,
                _ => "musl",
            };
            linux(format!("{musl}-linux-{abi}"), "generic-musl")
        }
        TargetOs::Linux => linux(format!("{family}-linux-gnu"), "generic-glibc"),
        TargetOs::Windows => vec!["any-windows-any".to_owned()],
        TargetOs::MacOs => vec!["any-macos-any".to_owned(), "any-darwin-any".to_owned()],
        TargetOs::Wasi => vec!["wasm-wasi-musl".to_owned(), "generic-musl".to_owned()],
        TargetOs::Other => Vec::new(),
    }
}

/// What folders call a CPU.
struct Names<'a> {
    /// Those of musl, which has one set for both byte orders.
    musl: &'a str,
    /// Those of glibc and of the kernel, which have one set a family.
    family: &'a str,
}

/// zig's CPUs by the first word of its targets; one that is not here has its own name in both.
fn names(arch: &str) -> Names<'_> {
    let (musl, family) = match arch {
        "aarch64" | "aarch64_be" => ("aarch64", "aarch64"),
        "arm" | "armeb" | "thumb" | "thumbeb" => ("arm", "arm"),
        "loongarch32" | "loongarch64" => (arch, "loongarch"),
        "mips" | "mipsel" => ("mips", "mips"),
        "mips64" | "mips64el" => ("mips64", "mips"),
        "powerpc" | "powerpcle" => ("powerpc", "powerpc"),
        "powerpc64" | "powerpc64le" => ("powerpc64", "powerpc"),
        "riscv32" | "riscv64" => (arch, "riscv"),
        "sparc" | "sparc64" => (arch, "sparc"),
        "x86" | "x86_64" => (arch, "x86"),
        other => (other, other),
    };
    Names { musl, family }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::manifest::{BUILT_IN, Manifest};

    /// `lib/libc/include` of zig 0.15.2, 0.16.0 and 0.17.1: what they share.
    const SHIPPED: &str = "aarch64-linux-any aarch64-linux-gnu aarch64-linux-musl any-linux-any any-windows-any \
        arc-linux-any arc-linux-gnu arm-linux-any arm-linux-gnu arm-linux-musl csky-linux-any csky-linux-gnu \
        generic-glibc generic-musl hexagon-linux-any hexagon-linux-musl loongarch-linux-any loongarch-linux-gnu \
        loongarch64-linux-musl m68k-linux-any m68k-linux-gnu m68k-linux-musl mips-linux-any mips-linux-gnu \
        mips-linux-musl mips64-linux-musl mips64-linux-muslabin32 powerpc-linux-any powerpc-linux-gnu \
        powerpc-linux-musl powerpc64-linux-musl riscv-linux-any riscv-linux-gnu riscv32-linux-musl \
        riscv64-linux-musl s390x-linux-any s390x-linux-gnu s390x-linux-musl sparc-linux-any sparc-linux-gnu \
        wasm-wasi-musl x86-linux-any x86-linux-gnu x86-linux-musl x86_64-linux-musl x86_64-linux-muslx32 \
        xtensa-linux-any";

    fn of(triple: &str, target: &str) -> Vec<String> {
        let zig = Zig {
            exe: "/z/zig".into(),
            target: target.into(),
            cpu: None,
            version: "0.15.2".into(),
            cache_dir: "/c".into(),
        };
        folders(&zig, &triple.parse().unwrap())
    }

    fn shipped(name: &str) -> bool {
        SHIPPED.split_whitespace().any(|shipped| shipped == name)
    }

    #[test]
    fn every_targets_folders_are_shipped() {
        let manifest = Manifest::parse(BUILT_IN, Path::new("")).unwrap();
        let mut seen = 0;
        for (triple, target) in &manifest.targets {
            let Some(zig) = target
                .tools
                .get("zig")
                .and_then(|t| t.zig_target.as_deref())
            else {
                continue;
            };
            let found = of(triple.as_str(), zig);
            if triple.os() == TargetOs::MacOs {
                assert_eq!(found, ["any-macos-any", "any-darwin-any"]);
            } else {
                assert!(
                    found.iter().all(|name| shipped(name)),
                    "{triple}: {found:?}"
                );
            }
            seen += 1;
        }
        assert!(seen > 15, "{seen}");
    }

    /// Targets that a manifest of the user's may add: all of Rust's with glibc or musl that zig has headers for.
    #[test]
    fn every_cpu_of_zigs_has_its_folders() {
        for (triple, target) in [
            ("loongarch64-unknown-linux-gnu", "loongarch64-linux-gnu"),
            ("loongarch64-unknown-linux-musl", "loongarch64-linux-musl"),
            ("mips-unknown-linux-gnu", "mips-linux-gnueabihf"),
            ("mipsel-unknown-linux-musl", "mipsel-linux-musleabi"),
            ("mips64-unknown-linux-gnuabi64", "mips64-linux-gnuabi64"),
            (
                "mips64el-unknown-linux-muslabi64",
                "mips64el-linux-muslabi64",
            ),
            ("powerpc-unknown-linux-gnu", "powerpc-linux-gnueabihf"),
            ("powerpc-unknown-linux-musl", "powerpc-linux-musleabihf"),
            ("powerpc64-unknown-linux-musl", "powerpc64-linux-musl"),
            ("powerpc64le-unknown-linux-musl", "powerpc64le-linux-musl"),
            ("riscv32gc-unknown-linux-gnu", "riscv32-linux-gnu"),
            ("riscv32gc-unknown-linux-musl", "riscv32-linux-musl"),
            ("s390x-unknown-linux-musl", "s390x-linux-musl"),
            ("sparc-unknown-linux-gnu", "sparc-linux-gnu"),
            ("sparc64-unknown-linux-gnu", "sparc64-linux-gnu"),
            ("csky-unknown-linux-gnuabiv2", "csky-linux-gnueabi"),
            ("hexagon-unknown-linux-musl", "hexagon-linux-musl"),
            ("m68k-unknown-linux-gnu", "m68k-linux-gnu"),
            ("aarch64_be-unknown-linux-gnu", "aarch64_be-linux-gnu"),
            ("aarch64_be-unknown-linux-musl", "aarch64_be-linux-musl"),
            ("armeb-unknown-linux-gnueabi", "armeb-linux-gnueabi"),
            (
                "thumbv7neon-unknown-linux-musleabihf",
                "thumb-linux-musleabihf",
            ),
            ("x86_64-unknown-linux-gnux32", "x86_64-linux-gnux32"),
            ("x86_64-unknown-linux-muslx32", "x86_64-linux-muslx32"),
        ] {
            let found = of(triple, target);
            assert!(
                found.iter().all(|name| shipped(name)),
                "{triple}: {found:?}"
            );
        }
        assert_eq!(
            of("loongarch64-unknown-linux-gnu", "loongarch64-linux-gnu"),
            [
                "loongarch-linux-gnu",
                "generic-glibc",
                "loongarch-linux-any",
                "any-linux-any"
            ]
        );
    }
}
