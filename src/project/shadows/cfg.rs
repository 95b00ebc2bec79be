//! Whether a `cfg(…)` of cargo's configuration holds for a target, as far as its triple tells. Pure.

use crate::target::{TargetOs, Triple};

/// Whether it may hold; what the triple does not tell (`target_feature = "…"`, `debug_assertions`) may.
pub fn may_hold(cfg: &str, triple: &Triple) -> bool {
    let mut rest = cfg;
    predicate(&mut rest, triple).is_none_or(|holds| holds)
}

/// One predicate from the front of `rest`: `name`, `name = "value"`, `all(…)`, `any(…)`, `not(…)`, `cfg(…)`.
fn predicate(rest: &mut &str, triple: &Triple) -> Option<bool> {
    *rest = rest.trim_start();
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after.trim_start();
    if let Some(inner) = rest.strip_prefix('(') {
        *rest = inner;
        let parts = list(rest, triple);
        return match name {
            "not" => parts.first().copied().flatten().map(|holds| !holds),
            "any" if parts.contains(&Some(true)) => Some(true),
            "any" if parts.contains(&None) => None,
            "any" => Some(false),
            _ if parts.contains(&Some(false)) => Some(false),
            _ if parts.contains(&None) => None,
            _ => Some(true),
        };
    }
    if let Some(value) = rest.strip_prefix('=') {
        let value = value.trim_start().strip_prefix('"')?;
        let (value, after) = value.split_once('"')?;
        *rest = after;
        return pair(name, value, triple);
    }
    match name {
        "unix" => Some(matches!(triple.os(), TargetOs::Linux | TargetOs::MacOs)),
        "windows" => Some(triple.os() == TargetOs::Windows),
        _ => None,
    }
}

fn list(rest: &mut &str, triple: &Triple) -> Vec<Option<bool>> {
    let mut parts = Vec::new();
    loop {
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(')') {
            *rest = after;
            return parts;
        }
        let before = rest.len();
        parts.push(predicate(rest, triple));
        *rest = rest.trim_start();
        *rest = rest.strip_prefix(',').unwrap_or(rest);
        // Not a list that cargo would take: cargo says so.
        if rest.len() == before || rest.is_empty() {
            return parts;
        }
    }
}

fn pair(name: &str, value: &str, triple: &Triple) -> Option<bool> {
    let os = triple.os();
    let arch = match triple.arch() {
        "i586" | "i686" => "x86",
        "riscv64gc" => "riscv64",
        "powerpc64le" => "powerpc64",
        arch if arch.starts_with("arm") => "arm",
        arch => arch,
    };
    match (name, os) {
        ("target_arch", _) => Some(value == arch),
        ("target_os", TargetOs::Linux) => Some(value == "linux"),
        ("target_os" | "target_family", TargetOs::Windows) => Some(value == "windows"),
        ("target_os", TargetOs::MacOs) => Some(value == "macos"),
        ("target_os", TargetOs::Wasi) => Some(value == "wasi"),
        ("target_family", TargetOs::Linux | TargetOs::MacOs) => Some(value == "unix"),
        ("target_family", TargetOs::Wasi) => Some(value == "wasm"),
        ("target_env", TargetOs::Linux) if triple.is_musl() => Some(value == "musl"),
        ("target_env", TargetOs::Linux) if triple.is_glibc() => Some(value == "gnu"),
        ("target_env", TargetOs::Windows) if triple.as_str().contains("-gnu") => {
            Some(value == "gnu")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_triple_tells_decides() {
        let windows: Triple = "x86_64-pc-windows-gnu".parse().unwrap();
        let arm: Triple = "armv7-unknown-linux-musleabihf".parse().unwrap();
        for (cfg, on_windows, on_arm) in [
            ("cfg(windows)", true, false),
            ("cfg(unix)", false, true),
            ("cfg(not(unix))", true, false),
            ("cfg(all())", true, true),
            ("cfg(any())", false, false),
            ("cfg(target_arch = \"arm\")", false, true),
            (
                "cfg(all(target_arch = \"arm\", target_os = \"none\"))",
                false,
                false,
            ),
            ("cfg(any(windows, target_env=\"musl\"))", true, true),
            ("cfg(all(unix, target_feature = \"neon\"))", false, true),
            ("cfg(not(debug_assertions))", true, true),
            ("cfg(all(", true, true),
        ] {
            assert_eq!(may_hold(cfg, &windows), on_windows, "{cfg}");
            assert_eq!(may_hold(cfg, &arm), on_arm, "{cfg}");
        }
    }
}
