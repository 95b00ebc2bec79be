//! The names under which osxcross has its tools, so that scripts made for it run: `x86_64-apple-darwin23-clang`,
//! `o64-clang`, `xcrun`. They lie in a folder of their own below the variant's, which can stand on PATH without hiding
//! the host's `cc` and `ar`.

use std::path::{Path, PathBuf};

use super::{Spec, Tool};
use crate::target::TargetOs;

/// Below the variant's folder.
const FOLDER: [&str; 2] = ["osxcross", "bin"];

/// What osxcross calls a tool, behind `<arch>-apple-darwin<NN>-`.
const NAMES: [(&str, Tool); 12] = [
    ("clang", Tool::Cc),
    ("cc", Tool::Cc),
    ("gcc", Tool::Cc),
    ("clang++", Tool::Cxx),
    ("c++", Tool::Cxx),
    ("ar", Tool::Ar),
    ("ranlib", Tool::Ranlib),
    ("strip", Tool::Strip),
    ("lipo", Tool::Lipo),
    ("nm", Tool::Nm),
    ("otool", Tool::Otool),
    ("install_name_tool", Tool::InstallNameTool),
];

/// The tool behind one of osxcross's names.
pub(super) fn tool(name: &str) -> Option<Tool> {
    let plain = ["o64-", "oa64-"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .filter(|rest| rest.starts_with("clang"))
        .or_else(|| {
            let (_, rest) = name.split_once("-apple-darwin")?;
            let (version, rest) = rest.split_once('-')?;
            version.bytes().all(|b| b.is_ascii_digit()).then_some(rest)
        })?;
    let found = NAMES.iter().find(|(name, _)| *name == plain);
    found.map(|(_, tool)| *tool)
}

/// The variant's folder, when `folder` is the one with osxcross's names.
pub(super) fn variant_of(folder: &Path) -> Option<PathBuf> {
    let below: PathBuf = FOLDER.iter().collect();
    let above = folder.ancestors().nth(FOLDER.len())?;
    folder.ends_with(below).then(|| above.to_owned())
}

/// Tools that only macOS has a name for: in this folder as they are, since no host's own is hidden by them.
const APPLES: [Tool; 3] = [Tool::Lipo, Tool::Otool, Tool::InstallNameTool];

/// The folder with these names in a variant's folder; `None` where the variant has none.
pub fn folder(spec: &Spec, variant: &Path) -> Option<PathBuf> {
    let path = FOLDER.iter().fold(variant.to_owned(), |p, n| p.join(n));
    (spec.triple.os() == TargetOs::MacOs).then_some(path)
}

/// The names for the tools that a variant has, relative to its folder. osxcross's own names need an SDK, whose version
/// is a part of them.
pub(super) fn names(spec: &Spec, tools: &[Tool]) -> Vec<(String, Tool)> {
    if spec.triple.os() != TargetOs::MacOs {
        return Vec::new();
    }
    let has = |tool: &Tool| tools.contains(tool);
    let folder = FOLDER.join("/");
    let mut out: Vec<(String, Tool)> = APPLES
        .into_iter()
        .filter(has)
        .map(|tool| (format!("{folder}/{}", tool.name()), tool))
        .collect();
    let Some(darwin) = spec.sdk.as_ref().and_then(|sdk| darwin(&sdk.version)) else {
        return out;
    };
    let (arches, short): (&[&str], _) = match spec.triple.arch() {
        "aarch64" => (&["aarch64", "arm64"], "oa64"),
        "x86_64" => (&["x86_64"], "o64"),
        _ => return out,
    };
    for (name, tool) in NAMES.into_iter().filter(|(_, tool)| has(tool)) {
        for arch in arches {
            out.push((format!("{folder}/{arch}-apple-darwin{darwin}-{name}"), tool));
        }
        if name.starts_with("clang") {
            out.push((format!("{folder}/{short}-{name}"), tool));
        }
    }
    out.push((format!("{folder}/{}", Tool::Xcrun.name()), Tool::Xcrun));
    out
}

/// Darwin's major version for an SDK's: the kernel that came with that macOS.
pub fn darwin(sdk: &str) -> Option<u32> {
    let mut parts = sdk.split('.').map(str::parse::<u32>);
    let major = parts.next()?.ok()?;
    Some(match major {
        10 => parts.next()?.ok()? + 4,
        11..=25 => major + 9,
        // macOS 26 came after 15, its Darwin 25 after 24.
        26.. => major - 1,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;
    use crate::shim::Sdk;

    #[test]
    fn the_kernel_follows_from_the_sdk() {
        for (sdk, kernel) in [
            ("10.15", 19),
            ("11.3", 20),
            ("14.5", 23),
            ("15.0", 24),
            ("26.1", 25),
        ] {
            assert_eq!(darwin(sdk), Some(kernel), "{sdk}");
        }
        assert_eq!(darwin("x"), None);
    }

    #[test]
    fn every_name_leads_back_to_its_tool() {
        let mut spec = Spec::new(
            "aarch64-apple-darwin".parse().unwrap(),
            Family::Clang,
            "/t".into(),
        );
        let without = names(&spec, &[Tool::Cc, Tool::Lipo]);
        assert_eq!(
            without,
            [("osxcross/bin/lipo".to_owned(), Tool::Lipo)],
            "no SDK, no name with its version"
        );
        spec.sdk = Some(Sdk {
            path: "/sdk".into(),
            version: "14.5".into(),
            id: None,
        });
        let names = names(&spec, &Tool::ALL);
        for (name, tool) in &names {
            let name = name.strip_prefix("osxcross/bin/").unwrap();
            assert_eq!(Tool::from_name(name), Some(*tool), "{name}");
        }
        let has = |name: &str| {
            names
                .iter()
                .any(|(n, _)| n == &format!("osxcross/bin/{name}"))
        };
        assert!(has("oa64-clang++") && has("arm64-apple-darwin23-lipo") && has("xcrun"));
        assert!(!has("o64-clang"));
    }

    #[test]
    fn their_folder_is_below_the_variants() {
        let variant = Path::new("/s/v");
        assert_eq!(
            variant_of(&variant.join("osxcross").join("bin")).as_deref(),
            Some(variant)
        );
        assert_eq!(variant_of(&variant.join("bin")), None);
        assert_eq!(tool("x86_64-linux-gnu-gcc"), None);
        assert_eq!(tool("o64-ar"), None);
    }
}
