//! Releases of Windows.

use crate::inspect::facts::{Facts, Pe};
use crate::inspect::tables::{DllOrigin, Tables, Windows, WindowsTables};
use crate::inspect::version::Version;

use super::{Verdict, foreign};

/// A reason why an older Windows does not start the file.
struct Needed {
    since: Version,
    what: String,
}

/// One verdict a release.
pub fn verdicts(facts: &Facts, tables: &Tables) -> Vec<Verdict> {
    let tables = &tables.windows;
    let needed = facts.pe().map(|pe| needed(pe, tables)).unwrap_or_default();
    tables
        .windows
        .iter()
        .map(|w| {
            let (runs, reasons) = match (foreign(facts, "windows"), facts.pe()) {
                (Some(other), _) => (false, vec![other]),
                (None, Some(pe)) => judge(facts, pe, w, &needed, tables),
                (None, None) => (false, vec!["not a PE file".to_owned()]),
            };
            Verdict {
                id: w.id.clone(),
                name: w.name.clone(),
                family: "windows",
                runs,
                reasons,
            }
        })
        .collect()
}

/// The oldest Windows that starts the file, and what says so.
pub(in crate::inspect) fn oldest(pe: &Pe, tables: &Tables) -> (Version, String) {
    needed(pe, &tables.windows)
        .into_iter()
        .max_by_key(|n| n.since)
        .map_or(
            (pe.subsystem_version, "the subsystem's version".into()),
            |n| (n.since, n.what),
        )
}

fn needed(pe: &Pe, tables: &WindowsTables) -> Vec<Needed> {
    let mut out = vec![Needed {
        since: pe.subsystem_version,
        what: format!("the subsystem's version {}", pe.subsystem_version),
    }];
    // A delayed import is asked for when it is used; programs test for it first.
    for import in pe.imports.iter().filter(|i| !i.delayed) {
        if let DllOrigin::System {
            since: Some(since),
            note,
        } = tables.origin(&import.dll)
        {
            let note = note.map(|n| format!(" ({n})")).unwrap_or_default();
            out.push(Needed {
                since,
                what: format!("`{}`{note}", import.dll),
            });
        }
        for function in &import.functions {
            if let Some(since) = tables.function_since(&import.dll, function) {
                out.push(Needed {
                    since,
                    what: format!("`{function}` in `{}`", import.dll),
                });
            }
        }
    }
    out
}

fn judge(
    facts: &Facts,
    pe: &Pe,
    w: &Windows,
    needed: &[Needed],
    tables: &WindowsTables,
) -> (bool, Vec<String>) {
    if !w.architectures.contains(&facts.architecture) {
        return (
            false,
            vec![format!(
                "{} does not run {} programs",
                w.name, facts.architecture
            )],
        );
    }
    if pe.subsystem == "native" {
        return (
            false,
            vec!["a driver or boot program, not an ordinary one".to_owned()],
        );
    }
    let mut problems: Vec<String> = needed
        .iter()
        .filter(|n| n.since > w.to)
        .map(|n| format!("needs {}, in Windows since {}", n.what, release(n.since)))
        .collect();
    // The C runtime alone is a dozen DLLs with the same reason.
    problems.dedup_by_key(|p| {
        p.split_once('(')
            .map_or_else(|| p.clone(), |(_, note)| note.to_owned())
    });
    if !problems.is_empty() {
        return (false, problems);
    }
    let mut notes = Vec::new();
    if let Some(n) = needed
        .iter()
        .filter(|n| n.since > w.from)
        .max_by_key(|n| n.since)
    {
        notes.push(format!("from build {} ({})", n.since, n.what));
    }
    let shipped: Vec<_> = pe
        .imports
        .iter()
        .filter(|i| !matches!(tables.origin(&i.dll), DllOrigin::System { .. }))
        .map(|i| format!("`{}`", i.dll))
        .collect();
    if !shipped.is_empty() {
        notes.push(format!("with {} shipped", shipped.join(", ")));
    }
    if pe.dotnet {
        notes.push("with the .NET runtime".to_owned());
    }
    if facts.architecture == "aarch64" {
        notes.push("on ARM machines".to_owned());
    }
    (true, notes)
}

/// A version as people call the release: Microsoft Learn, "Operating System Version".
pub(in crate::inspect) fn release(v: Version) -> String {
    let name = if v < Version::new(6, 0) {
        "XP"
    } else if v < Version::new(6, 1) {
        "Vista"
    } else if v < Version::new(6, 2) {
        "7"
    } else if v < Version::new(6, 3) {
        "8"
    } else if v < Version::new(10, 0) {
        "8.1"
    } else if v < Version::new3(10, 0, 22000) {
        "10"
    } else {
        "11"
    };
    if v > Version::new(10, 0) && v != Version::new3(10, 0, 22000) {
        return format!("{name} (build {v})");
    }
    name.to_owned()
}
