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

pub(super) fn rule(triple: &Triple, arg: Arg<'_>) -> Action {
    let march = arg.text.strip_prefix("-march=");
    if is_arm(triple) {
        // `-mcpu` says it; and zig brings compiler_rt, whose symbols Rust's would repeat.
        if march.is_some() || objects::is_compiler_builtins(arg) {
            return Action::Drop;
        }
    } else if triple.arch().starts_with("riscv") {
        if march.is_some() {
            let bits = if triple.arch().starts_with("riscv32") {
                32
            } else {
                64
            };
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

/// `+crc-nofp` style of `-march=armv8-a+crc+nofp` in zig's words: `+crc-fp`.
fn features(march: &str) -> String {
    march
        .split('+')
        .skip(1)
        .filter(|f| !f.is_empty())
        .map(|feature| match feature.strip_prefix("no") {
            Some(without) => format!("-{without}"),
            None => format!("+{feature}"),
        })
        .collect()
}
