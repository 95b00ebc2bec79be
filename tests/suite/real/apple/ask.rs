//! What is asked of an Apple toolchain besides a program: its names on PATH, the user's oldest macOS, and what libclang
//! makes of the headers.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ARM, INTEL, facts, shims};
use crate::real::{Lab, succeed};

/// Scripts made for osxcross find its names on PATH, and the host's own compiler where it was.
pub(super) fn osxcrosss_own_names(lab: &Lab, project: &Path) {
    for (target, names) in [
        (
            ARM,
            &[
                "oa64-clang",
                "arm64-apple-darwin23-clang++",
                "xcrun",
                "lipo",
            ][..],
        ),
        (INTEL, &["o64-clang", "x86_64-apple-darwin23-ar", "xcrun"]),
    ] {
        for name in names {
            let ask = [
                "exec",
                target,
                "--",
                "sh",
                "-c",
                "command -v \"$1\"",
                "-",
                name,
            ];
            let found = succeed(&mut lab.xtool(project, &ask));
            assert!(found.contains("osxcross/bin/"), "{target} {name}: {found}");
        }
        let clang = names[0];
        let said = succeed(&mut lab.xtool(project, &["exec", target, "--", clang, "--version"]));
        assert!(said.contains("clang version"), "{target}: {said}");
        let host = ["exec", target, "--", "sh", "-c", "command -v cc"];
        let host = succeed(&mut lab.xtool(project, &host));
        assert!(!host.contains("shims"), "{host}");
    }
    let shown = succeed(&mut lab.xtool(project, &["show", ARM]));
    assert!(shown.contains("osxcross/bin (on PATH in"), "{shown}");
}

