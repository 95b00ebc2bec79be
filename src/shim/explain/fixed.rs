//! `-static`, and rustc's `-Ctarget-feature=+crt-static`, where the C library can only be linked dynamically.

use super::known;
use crate::shim::Spec;
use crate::target::{TargetOs, Triple};

/// zig: `libc of the specified target requires dynamic linking`.
pub(super) fn static_libc(spec: &Spec, line: &str) -> Option<String> {
    if !line.contains("libc of the specified target requires dynamic linking") {
        return None;
    }
    let triple = &spec.triple;
    if triple.os() == TargetOs::MacOs {
        return Some(
            "macOS has no C library to link statically: drop -static, or -Ctarget-feature=+crt-static"
                .to_owned(),
        );
    }
    Some(format!(
        "zig links glibc dynamically only: {}",
        instead(triple)
    ))
}

/// The ways out for a target with glibc.
pub(in crate::shim) fn instead(triple: &Triple) -> String {
    format!(
        "drop -static, or -Ctarget-feature=+crt-static{}",
        ways(&known::static_instead(triple))
    )
}

/// The commands that make static programs.
fn ways(commands: &[String]) -> String {
    if commands.is_empty() {
        return String::new();
    }
    format!(", or make a static program: {}", commands.join("; or "))
}

#[cfg(test)]
mod tests {
    use crate::manifest::Family;
    use crate::shim::Spec;
    use crate::shim::explain::explain;

    fn help(triple: &str) -> String {
        let spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/z".into());
        let said = "error: libc of the specified target requires dynamic linking\n";
        explain(&spec, None, said).unwrap()
    }

    #[test]
    fn a_static_program_has_a_target_of_its_own() {
        let x64 = help("x86_64-unknown-linux-gnu");
        assert!(
            x64.ends_with("make a static program: xtool add x86_64-unknown-linux-musl"),
            "{x64}"
        );
        let arm = help("armv7-unknown-linux-gnueabihf");
        assert!(
            arm.ends_with(
                "xtool add armv7-unknown-linux-musleabihf; or xtool add armv7-unknown-linux-gnueabihf --toolchain gnu-cross"
            ),
            "{arm}"
        );
        // No target of the manifest has musl on it.
        let s390x = help("s390x-unknown-linux-gnu");
        assert!(
            !s390x.contains("musl") && s390x.contains("gnu-cross"),
            "{s390x}"
        );
        assert!(help("aarch64-apple-darwin").starts_with("macOS has no C library"));
    }
}
