//! Another version of a toolchain for one target, and back: nothing else of the project changes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::{Lab, project, succeed};

/// The target that is switched, and one that stays.
const SWITCHED: &str = "aarch64-unknown-linux-musl";
const OTHER: &str = "x86_64-unknown-linux-musl";
const VERSIONS: [&str; 2] = ["zig@0.15.2", "zig@0.16.0"];

#[test]
fn another_version_for_one_target_changes_that_targets_lines_only() {
    let lab = Lab::enter();
    let project = project("both", lab.dir.path());
    fs_err::create_dir(project.join(".cargo")).unwrap();
    fs_err::write(
        project.join(".cargo/config.toml"),
        "# The user's own.\n[alias]\nb = \"build\"   # kept\n\n[env]\nMINE = \"1\"\n\n[net]\nretry = 2\n",
    )
    .unwrap();
    let add = |target: &str, toolchain: &str| {
        succeed(&mut lab.xtool(
            &project,
            &["add", target, "--toolchain", toolchain, "--no-rust-std"],
        ))
    };
    add(OTHER, VERSIONS[0]);
    add(SWITCHED, VERSIONS[0]);
    let before = files(&project);
    assert_eq!(
        clang(&lab, &project, OTHER),
        clang(&lab, &project, SWITCHED)
    );
    let old = clang(&lab, &project, SWITCHED);

    add(SWITCHED, VERSIONS[1]);
    let after = files(&project);
    let is_its = |line: &String| line.replace('-', "_").contains(&SWITCHED.replace('-', "_"));
    for (name, text) in &before {
        if *name == "xtool.lock" {
            locked_otherwise(text, &after[name]);
            continue;
        }
        let (removed, added) = difference(text, &after[name]);
        assert!(!removed.is_empty(), "{name} did not change");
        assert_eq!(removed.len(), added.len(), "{name}");
        if *name == "xtool.toml" {
            let line = |version: &str| {
                format!("{SWITCHED} = {{ toolchain = \"zig@{version}\", rust-std = \"none\" }}")
            };
            assert_eq!(removed, [line("0.15.2")]);
            assert_eq!(added, [line("0.16.0")]);
        } else {
            let key = |line: &String| line.split_once(" = ").unwrap().0.to_owned();
            let keys: Vec<String> = removed.iter().map(key).collect();
            assert_eq!(keys, added.iter().map(key).collect::<Vec<_>>());
            assert!(removed.iter().all(is_its), "{removed:?}");
            let is_new = |line: &String| is_its(line) && line.contains("/zig-0.16.0-");
            assert!(added.iter().all(is_new), "{added:?}");
        }
    }

    // The new one is what compiles, for that target only.
    assert_eq!(clang(&lab, &project, OTHER), old);
    let new = clang(&lab, &project, SWITCHED);
    assert_ne!(new, old);
    let shown = succeed(&mut lab.xtool(&project, &["show", SWITCHED, "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["chosen"], "zig 0.16.0");
    assert_eq!(shown["installed"]["version"], "0.16.0");

    add(SWITCHED, VERSIONS[0]);
    assert_eq!(files(&project), before);
    assert_eq!(clang(&lab, &project, SWITCHED), old);
}

/// The project's three files.
fn files(project: &Path) -> BTreeMap<&'static str, String> {
    ["xtool.toml", "xtool.lock", ".cargo/config.toml"]
        .into_iter()
        .map(|name| (name, fs_err::read_to_string(project.join(name)).unwrap()))
        .collect()
}

/// Lines of one text that are not at their place in the other, each way.
fn difference(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let less = |a: &str, b: &str| -> Vec<String> {
        let mut rest: Vec<&str> = b.lines().collect();
        a.lines()
            .filter(|line| match rest.iter().position(|l| l == line) {
                // In order: a line that moved counts as changed.
                Some(at) => {
                    rest.drain(..=at);
                    false
                }
                None => true,
            })
            .map(str::to_owned)
            .collect()
    };
    (less(before, after), less(after, before))
}

/// Entries of the other target are the same; those of this one name the new version, for the same hosts.
fn locked_otherwise(before: &str, after: &str) {
    let entries = |text: &str| -> Vec<toml::Value> {
        let lock: toml::Table = toml::from_str(text).unwrap();
        let lists: Vec<_> = lock.values().filter_map(toml::Value::as_array).collect();
        assert_eq!(lists.len(), 1, "{text}");
        lists[0].clone()
    };
    let of = |entries: &[toml::Value], target: &str| -> Vec<toml::Value> {
        let is = |e: &&toml::Value| e.to_string().contains(&format!("\"{target}\""));
        entries.iter().filter(is).cloned().collect()
    };
    let (before, after) = (entries(before), entries(after));
    assert_eq!(of(&before, OTHER), of(&after, OTHER));
    let (old, new) = (of(&before, SWITCHED), of(&after, SWITCHED));
    assert!(!old.is_empty());
    assert_eq!(old.len(), new.len());
    assert!(new.iter().all(|e| e.to_string().contains("0.16.0")));
}

/// What the target's compiler says of itself, read from what it compiled.
fn clang(lab: &Lab, project: &Path, target: &str) -> String {
    let env = succeed(&mut lab.xtool(project, &["env", target, "--format", "json"]));
    let env: serde_json::Value = serde_json::from_str(&env).unwrap();
    let source = project.join("version.c");
    fs_err::write(
        &source,
        "const char version[] = \"compiled by \" __VERSION__ \";\";\n",
    )
    .unwrap();
    let object = project.join("version.o");
    succeed(
        Command::new(env["CC"].as_str().unwrap())
            .arg("-c")
            .arg(&source)
            .arg("-o")
            .arg(&object),
    );
    let bytes = fs_err::read(&object).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (_, rest) = text
        .split_once("compiled by ")
        .expect("the version is in the object");
    rest.split_once(';').unwrap().0.to_owned()
}
