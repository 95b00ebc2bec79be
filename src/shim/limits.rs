//! What a toolchain cannot do for a target, for people to know before they meet it. Pure.

use super::Spec;
use super::explain::other_toolchain;
use crate::target::TargetOs;

/// A sentence each, with the way on where there is one.
pub fn limits(spec: &Spec) -> Vec<String> {
    if spec.zig.is_none() {
        return Vec::new();
    }
    let triple = &spec.triple;
    let otherwise = |what: &str| match other_toolchain(spec) {
        Some(name) => format!("{what}; they are with: xtool add {triple} --toolchain {name}"),
        None => what.to_owned(),
    };
    match triple.os() {
        // musl's programs are static as a rule, and can load no library.
        TargetOs::Linux if triple.is_glibc() => vec![otherwise(
            "C++ exceptions that leave a shared library are not caught outside it",
        )],
        // compiler_rt's functions crash there: LLVM passes the value in two registers, C in memory.
        TargetOs::Windows if triple.arch() == "x86_64" => vec![otherwise(
            "16-byte atomics (`std::atomic<__int128>`) are not supported",
        )],
        TargetOs::Wasi => vec!["C++ has no exceptions".to_owned()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;
    use crate::shim::Zig;

    #[test]
    fn only_zigs_targets_have_them() {
        let of = |triple: &str, zig: bool| {
            let mut spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/t".into());
            spec.zig = zig.then(|| Zig {
                exe: "/t/zig".into(),
                target: "x".into(),
                cpu: None,
                version: "0.15.2".into(),
                cache_dir: "/c".into(),
            });
            limits(&spec)
        };
        let glibc = of("aarch64-unknown-linux-gnu", true);
        assert!(
            glibc[0].contains("exceptions") && glibc[0].contains("--toolchain gnu-cross"),
            "{glibc:?}"
        );
        assert!(of("x86_64-pc-windows-gnu", true)[0].contains("16-byte"));
        assert_eq!(of("wasm32-wasip1", true).len(), 1);
        for (triple, zig) in [
            ("aarch64-unknown-linux-gnu", false),
            ("x86_64-unknown-linux-musl", true),
            ("aarch64-apple-darwin", true),
        ] {
            assert!(of(triple, zig).is_empty(), "{triple}");
        }
    }
}
