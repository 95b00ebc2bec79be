//! What `go build` needs for a target. Pure.

use crate::target::{TargetOs, Triple};

/// `GOOS`, `GOARCH` and what refines it, and `CGO_ENABLED=1`, sorted by name; `None` where Go has no such port
/// (`go tool dist list`). `CC` and `CXX` are those of every other build.
pub fn variables(triple: &Triple) -> Option<Vec<(String, String)>> {
    let os = match triple.os() {
        TargetOs::Linux => "linux",
        TargetOs::Windows => "windows",
        TargetOs::MacOs => "darwin",
        TargetOs::Wasi => "wasip1",
        TargetOs::Other => return None,
    };
    // The second is GOARM, GO386 or the like (cmd/go, "Architecture-specific environment variables").
    let hard = triple.env().ends_with("hf");
    let (arch, level) = match triple.arch() {
        "x86_64" => ("amd64", None),
        "i686" => ("386", Some(("GO386", "sse2"))),
        "i586" => ("386", Some(("GO386", "softfloat"))),
        "aarch64" => ("arm64", None),
        "armv7" | "thumbv7neon" => ("arm", Some(("GOARM", if hard { "7" } else { "5" }))),
        "arm" => ("arm", Some(("GOARM", if hard { "6" } else { "5" }))),
        "armv5te" => ("arm", Some(("GOARM", "5"))),
        "riscv64gc" => ("riscv64", None),
        "powerpc64le" => ("ppc64le", None),
        "powerpc64" => ("ppc64", None),
        "s390x" => ("s390x", None),
        "loongarch64" => ("loong64", None),
        "mips64" => ("mips64", None),
        "mips64el" => ("mips64le", None),
        "mips" => ("mips", None),
        "mipsel" => ("mipsle", None),
        "wasm32" => ("wasm", None),
        _ => return None,
    };
    // Go's wasip1 port has no cgo.
    let cgo = if triple.os() == TargetOs::Wasi {
        "0"
    } else {
        "1"
    };
    let mut out = vec![("CGO_ENABLED", cgo), ("GOARCH", arch), ("GOOS", os)];
    out.extend(level);
    let mut out: Vec<(String, String)> = out
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    out.sort();
    Some(out)
}

#[cfg(test)]
mod tests {
    fn of(triple: &str) -> String {
        let variables = super::variables(&triple.parse().unwrap()).unwrap();
        let words: Vec<String> = variables
            .into_iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        words.join(" ")
    }

    #[test]
    fn ports_have_gos_names() {
        assert_eq!(
            of("x86_64-pc-windows-gnu"),
            "CGO_ENABLED=1 GOARCH=amd64 GOOS=windows"
        );
        assert_eq!(
            of("armv7-unknown-linux-gnueabihf"),
            "CGO_ENABLED=1 GOARCH=arm GOARM=7 GOOS=linux"
        );
        assert_eq!(of("wasm32-wasip1"), "CGO_ENABLED=0 GOARCH=wasm GOOS=wasip1");
        assert!(super::variables(&"sparc64-unknown-linux-gnu".parse().unwrap()).is_none());
    }
}
