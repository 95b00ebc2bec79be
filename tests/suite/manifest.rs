//! `toolchains.toml`: what is in the built-in one, and what is said of a broken one.

use std::path::Path;

use xtool::manifest::{Manifest, ManifestError, Source};
use xtool::target::{Host, Triple};

const GOOD: &str = r#"schema = 1

[toolchain.t]
version = "1.0"
family = "zig"
license = "MIT"
[[toolchain.t.artifact]]
host = "x86_64-unknown-linux-gnu"
sources = [
  { url = "https://example.com/t-1.0.tar.xz", sha256 = "02aa270f183da276e5b5920b1dac44a63f1a49e55050ebde3aecc9eb82f93239", size = 10, root = "t" },
]

[target.x86_64-unknown-linux-musl]
toolchains = ["t"]
[target.x86_64-unknown-linux-musl.t]
zig-target = "x86_64-linux-musl"
"#;

fn parse(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(text, Path::new("m.toml"))
}

/// What is said of the good manifest with one change.
#[track_caller]
fn said(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from:?} is not in the manifest");
    let text = GOOD.replacen(from, to, 1);
    parse(&text).expect_err(to).to_string()
}

#[test]
fn every_host_has_zig_from_both_of_its_sources() {
    let manifest = Manifest::load(None).unwrap();
    let zig = &manifest.toolchains["zig"];
    assert_eq!(zig.version.as_deref(), Some("0.15.2"));
    for host in Host::ALL {
        let artifact = zig
            .artifacts
            .iter()
            .find(|a| a.host == host && a.version == zig.version)
            .unwrap_or_else(|| panic!("{host}"));
        assert!(
            matches!(
                artifact.sources.as_slice(),
                [
                    Source::Pypi { .. },
                    Source::Url {
                        minisign: Some(_),
                        ..
                    }
                ]
            ),
            "{host}: {:?}",
            artifact.sources
        );
    }
    for needed in [
        "x86_64-pc-windows-gnu",
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-musl",
        "aarch64-unknown-linux-gnu",
        "aarch64-apple-darwin",
    ] {
        let triple: Triple = needed.parse().unwrap();
        assert!(manifest.target(&triple).is_some(), "{needed}");
    }
    let windows = manifest
        .target(&"x86_64-pc-windows-gnu".parse().unwrap())
        .unwrap();
    assert_eq!(windows.toolchains, ["mingw-w64", "zig"]);
}

/// F68: unknown keys, a wrong digest, a missing toolchain: file, line, what is expected.
#[test]
fn errors_name_file_line_and_expectation() {
    parse(GOOD).unwrap();
    let cases = [
        ("license", "licence", "m.toml:3:", "lacks `license`"),
        ("size = 10", "sise = 10", "m.toml:10:", "Unknown key `sise`"),
        (
            "93239\"",
            "9323\"",
            "m.toml:10:",
            "expected 64 hexadecimal digits, found 63",
        ),
        (
            "toolchains = [\"t\"]",
            "toolchains = [\"u\"]",
            "m.toml:14:",
            "expected one of t",
        ),
        (
            "family = \"zig\"",
            "family = \"msvc\"",
            "m.toml:5:",
            "expected `zig`, `gcc` or `clang`",
        ),
        ("zig-target", "sysroot", "m.toml:13:", "with `zig-target`"),
        (
            "size = 10",
            "size = \"10\"",
            "m.toml:10:",
            "expected a whole number",
        ),
        (
            "toolchains = [\"t\"]",
            "toolchains = []",
            "m.toml:13:",
            "lacks `toolchains`",
        ),
        (
            "host = \"x86_64-unknown-linux-gnu\"",
            "host = \"s390x-unknown-linux-gnu\"",
            "m.toml:8:",
            "expected one of x86_64",
        ),
        (
            "https://example.com",
            "http://example.com",
            "m.toml:10:",
            "expected an `https` address",
        ),
        (
            "schema = 1",
            "schema = 2",
            "m.toml:1:",
            "this xtool reads schema 1",
        ),
        ("schema = 1", "schema = ", "m.toml:1:", "Not TOML"),
        ("version = \"1.0\"\n", "", "m.toml:6:", "has no `version`"),
        (
            "root = \"t\"",
            "root = \"../t\"",
            "m.toml:10:",
            "without `..`",
        ),
        (
            "toolchains = [\"t\"]",
            "toolchains = [\"t\", \"t\"]",
            "m.toml:14:",
            "twice",
        ),
        (
            "url = \"https://example.com/t-1.0.tar.xz\",",
            "",
            "m.toml:10:",
            "exactly one of",
        ),
    ];
    for (from, to, place, what) in cases {
        let said = said(from, to);
        assert!(said.starts_with(place), "{to}: {said}");
        assert!(said.contains(what), "{to}: {said}");
    }
}

/// F28: a name or version that would leave its folder is refused before any path is made.
#[test]
fn names_that_would_become_paths_are_refused() {
    for bad in ["..", "/tmp/x", "a/b", "", "a\\u0000b", "-x"] {
        let version = said("version = \"1.0\"", &format!("version = \"{bad}\""));
        assert!(version.contains("m.toml:4:"), "{bad:?}: {version}");
        let name = GOOD.replace("[toolchain.t]", &format!("[toolchain.\"{bad}\"]"));
        let name = name.replace(
            "[[toolchain.t.artifact]]",
            &format!("[[toolchain.\"{bad}\".artifact]]"),
        );
        assert!(parse(&name).is_err(), "{bad:?}");
        let triple = said(
            "[target.x86_64-unknown-linux-musl]",
            &format!("[target.\"{bad}\"]"),
        );
        assert!(triple.contains("target triple"), "{bad:?}: {triple}");
    }
}

#[test]
fn one_manifest_over_another_adds_and_replaces_by_name() {
    let base = parse(GOOD).unwrap();
    let over = r#"schema = 1
[target.aarch64-unknown-linux-musl]
toolchains = ["t"]
[target.aarch64-unknown-linux-musl.t]
zig-target = "aarch64-linux-musl"
"#;
    let both = Manifest::parse_over(over, Path::new("o.toml"), base.clone()).unwrap();
    assert_eq!(both.targets.len(), 2);
    assert_eq!(both.toolchains, base.toolchains);
    let replaced = GOOD.replace("1.0\"", "2.0\"");
    let both = Manifest::parse_over(&replaced, Path::new("o.toml"), base).unwrap();
    assert_eq!(both.toolchains["t"].version.as_deref(), Some("2.0"));
}
