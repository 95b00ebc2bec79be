//! `--json`: the README says what every command prints, and no command prints anything else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rig::{Fake, Rig, TARGET, run, said};

/// Names by command, from the README's block. Everything in braces, and what it refers to by name.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let readme = include_str!("../../../README.md");
    let section = readme.split("\n## JSON\n").nth(1).expect("the section");
    let block = section.split("```text\n").nth(1).expect("the block");
    let block = block.split("```").next().unwrap_or_default();
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut commands = Vec::new();
    for line in block.lines() {
        let (head, shape) = line.split_at(20.min(line.len()));
        if !head.trim().is_empty() {
            commands = head.trim().split(", ").map(str::to_owned).collect();
        }
        // After the value, in words.
        let shape = shape.split(", as each").next().unwrap_or_default();
        let names = shape.split(|c: char| !c.is_alphanumeric() && c != '-');
        for command in &commands {
            let known = out.entry(command.clone()).or_default();
            known.extend(names.clone().filter(|n| !n.is_empty()).map(str::to_owned));
        }
    }
    for part in ["facts", "elf", "pe", "mach-o"] {
        let names = out.remove(part).expect(part);
        out.get_mut("inspect").expect("inspect").extend(names);
    }
    out
}

/// Every name in a value; what stands below `environment` are variables.
fn names(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                out.insert(name.clone());
                if name != "environment" {
                    names(value, out);
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|v| names(v, out)),
        _ => {}
    }
}

#[test]
fn the_readme_knows_every_name() {
    let documented = documented();
    let failure = &documented["a failure"];
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let own = env!("CARGO_BIN_EXE_xtool");
    let mut tried = BTreeSet::new();
    for (command, args) in [
        ("list", &["list"][..]),
        ("show", &["show", TARGET]),
        ("add", &["add", TARGET]),
        ("sync", &["sync"]),
        ("update", &["update"]),
        ("list", &["list"]),
        ("list --installed", &["list", "--installed"]),
        ("show", &["show", TARGET]),
        ("fetch", &["fetch"]),
        ("verify", &["verify"]),
        (
            "inspect",
            &["inspect", own, "Cargo.toml", "--require", "static"],
        ),
        ("doctor", &["doctor"]),
        ("mirror", &["mirror", "mirrored"]),
        ("sdk list", &["sdk", "list"]),
        ("sdk import", &["sdk", "import", "nothing.tar.xz"]),
        ("cache", &["cache"]),
        ("cache dir", &["cache", "dir"]),
        ("cache key", &["cache", "key"]),
        ("cache prune", &["cache", "prune"]),
        ("cache clean", &["cache", "clean"]),
        ("remove", &["remove", TARGET]),
    ] {
        let output = run(rig.xtool(args).arg("--json"));
        let value: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", said(&output)));
        let mut found = BTreeSet::new();
        names(&value, &mut found);
        let known = documented.get(command).expect(command);
        let unknown: Vec<_> = found
            .iter()
            .filter(|n| !known.contains(*n) && !failure.contains(*n))
            .collect();
        assert!(unknown.is_empty(), "{args:?}: {unknown:?} in {value:#}");
        tried.insert(command);
    }
    // Variables have the names that they have.
    let rest: Vec<_> = documented
        .keys()
        .filter(|c| !tried.contains(c.as_str()))
        .collect();
    assert_eq!(rest, ["a failure", "env"]);
}
