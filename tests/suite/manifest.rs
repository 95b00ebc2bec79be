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

/// Parts: a folder in two of them, one that leaves the root, a part that a target names and nobody has.
#[test]
fn parts_that_cannot_be_are_refused() {
    let with = |parts: &str, list: &str| {
        let parts = format!("[toolchain.t.parts]\n{parts}\n[[toolchain.t.artifact]]");
        let text = GOOD.replace("[[toolchain.t.artifact]]", &parts);
        text.replace("zig-target", &format!("{list}\nzig-target"))
    };
    let two = "a = [\"lib/a\"]\nb = [\"lib/b\", \"lib/*-any\"]";
    let good = parse(&with(two, "parts = [\"b\"]")).unwrap();
    let musl: Triple = "x86_64-unknown-linux-musl".parse().unwrap();
    let need = good.extent("t", &musl);
    assert_eq!(need.parts.iter().collect::<Vec<_>>(), ["b", "core"]);
    assert_eq!(need.without.len(), 1);
    assert!(parse(GOOD).unwrap().extent("t", &musl).is_whole());
    assert!(parse(&with(two, "")).unwrap().extent("t", &musl).is_whole());

    for (parts, list, place, what) in [
        (
            "a = [\"lib/a\"]\nb = [\"lib/a/b\"]",
            "",
            "m.toml:9:6:",
            "in `lib/a` of the part `a` too",
        ),
        (
            "a = [\"lib/x-any\"]\nb = [\"lib/*-any\"]",
            "",
            "m.toml:9:6:",
            "each folder in one part",
        ),
        ("a = [\"../lib\"]", "", "m.toml:8:6:", "without `..`"),
        (
            "a = [\"/lib\"]",
            "",
            "m.toml:8:6:",
            "not a path inside the toolchain",
        ),
        ("a = []", "", "m.toml:8:1:", "is empty"),
        (
            "a = \"lib\"",
            "",
            "m.toml:8:5:",
            "expected an array of strings",
        ),
        (
            "core = [\"lib\"]",
            "",
            "m.toml:8:9:",
            "expected another name",
        ),
        ("\"a/b\" = [\"lib\"]", "", "m.toml:8:1:", "part name"),
        (
            two,
            "parts = [\"c\"]",
            "m.toml:19:10:",
            "has no part `c`: expected some of a, b",
        ),
        (
            two,
            "parts = \"a\"",
            "m.toml:19:9:",
            "expected an array of strings",
        ),
    ] {
        let said = parse(&with(parts, list)).expect_err(parts).to_string();
        assert!(said.starts_with(place), "{parts} {list}: {said}");
        assert!(said.contains(what), "{parts} {list}: {said}");
    }
    let none = parse(&GOOD.replace("zig-target", "parts = [\"a\"]\nzig-target")).unwrap_err();
    assert!(none.to_string().contains("it is always whole"), "{none}");
}

/// Every target of the built-in manifest says which parts of zig it needs, and every part but the systems' that no
/// target is for is listed by some.
#[test]
fn every_target_lists_its_parts_of_zig() {
    let manifest = Manifest::load(None).unwrap();
    let mut listed = std::collections::BTreeSet::new();
    for target in manifest.targets.values() {
        let Some(tools) = target.tools.get("zig") else {
            continue;
        };
        let parts = tools
            .parts
            .as_ref()
            .unwrap_or_else(|| panic!("{}", target.triple));
        listed.extend(parts.iter().cloned());
        assert!(!manifest.extent("zig", &target.triple).is_whole());
    }
    let mut all = manifest.toolchains["zig"].parts.names();
    all.retain(|p| p != "bsd");
    assert_eq!(listed.into_iter().collect::<Vec<_>>(), all);
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
