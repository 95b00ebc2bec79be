//! What `xtool inspect` does with a file, on any bytes.

use std::path::PathBuf;
use std::sync::LazyLock;

use xtool::inspect::require::{Requirement, check};
use xtool::inspect::tables::Tables;
use xtool::inspect::{InspectError, facts_of, inspect, render};

use crate::folder_of_its_own;

/// One of every kind of requirement (`require::FORMS`).
const REQUIREMENTS: [&str; 17] = [
    "glibc<=2.17",
    "glibcxx<=3.4.19",
    "cxxabi<=1.3",
    "gcc<=4.8",
    "macos<=11",
    "windows<=7",
    "static",
    "pie",
    "stripped",
    "nx",
    "relro",
    "signed",
    "system-dlls-only",
    "libs-found",
    "runs-on=alpine",
    "max-size=1M",
    "arch=x86_64",
];

/// A file for the bytes, beside an empty sysroot: no library of the host's decides what happens.
static PLACE: LazyLock<(tempfile::TempDir, PathBuf, PathBuf)> = LazyLock::new(|| {
    let folder = folder_of_its_own();
    let sysroot = folder.path().join("sysroot");
    fs_err::create_dir(&sysroot).expect("a folder");
    let file = folder.path().join("file");
    (folder, file, sysroot)
});

/// Inspects the bytes as a file, checks every requirement and prints the report, as text and as JSON. Whatever they
/// are, there is no panic; what is printed has no control characters of theirs; an error says something; and reading
/// piece by piece finds what reading from memory finds.
pub fn inspects_or_refuses(bytes: &[u8]) {
    let (_, file, sysroot) = &*PLACE;
    fs_err::write(file, bytes).expect("the file is written");
    let tables = Tables::built_in();
    let in_memory = facts_of(file, bytes);
    let report = match inspect(file, Some(sysroot), tables) {
        Ok(report) => report,
        Err(e) => {
            let text = e.to_string();
            assert!(!text.is_empty() && !text.contains('\0'), "{text:?}");
            // The pieces are metered, memory is not: only there may the headers ask for too much.
            assert!(
                in_memory.is_err() || matches!(e, InspectError::Malformed { .. }),
                "{text}, but not in memory"
            );
            return;
        }
    };
    let in_memory = in_memory.expect("what can be read in pieces can be read whole");
    let facts: Vec<_> = report.slices.iter().map(|s| s.facts.clone()).collect();
    assert_eq!(facts, in_memory);
    let outcomes: Vec<_> = REQUIREMENTS
        .iter()
        .map(|text| {
            let requirement: Requirement = text.parse().expect("a requirement");
            check(&requirement, &report.slices, report.size, tables)
        })
        .collect();
    assert!(outcomes.iter().all(|o| !o.reason.is_empty()));
    serde_json::to_string(&report).expect("JSON of any report");
    let text = render::text(&report, &outcomes, tables);
    assert!(only_colours(&text), "{text:?}");
}

/// Whether there are no control characters but ends of lines and the colours that we print ourselves.
fn only_colours(text: &str) -> bool {
    let mut parts = text.split('\u{1b}');
    let plain = |s: &str| !s.contains(|c: char| c.is_control() && c != '\n');
    parts.next().is_some_and(plain)
        && parts.all(|part| {
            let Some((colour, rest)) = part.strip_prefix('[').and_then(|p| p.split_once('m'))
            else {
                return false;
            };
            colour.chars().all(|c| c.is_ascii_digit() || c == ';') && plain(rest)
        })
}
