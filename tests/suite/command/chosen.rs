//! A project that takes another toolchain than the manifest's first: what is shown, and what is fetched.

use std::process::Command;

use serde_json::Value;

use super::rig::{Fake, Rig, TARGET, run, said, succeed, tree};

/// The document that a command prints.
#[track_caller]
fn json(command: &mut Command) -> Value {
    let output = run(command.arg("--json"));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn list_and_show_tell_the_projects_toolchain_from_the_manifests() {
    let fakes = [Fake::new("first", 100), Fake::new("second", 100)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    let before = json(&mut rig.xtool(&["show", TARGET]));
    assert_eq!(before["default"], "first 1");
    assert_eq!(before["chosen"], Value::Null);
    assert_eq!(before["configured"], false);

    succeed(&mut rig.xtool(&["add", TARGET, "--no-rust-std", "--toolchain", "second"]));
    let shown = json(&mut rig.xtool(&["show", TARGET]));
    assert_eq!(shown["default"], "first 1");
    assert_eq!(shown["chosen"], "second 1");
    for host in shown["hosts"].as_array().unwrap() {
        assert_eq!(host["toolchain"], "second 1", "{host}");
    }
    let text = succeed(&mut rig.xtool(&["show", TARGET]));
    assert!(text.contains("second 1   (this project's)"), "{text}");

    let listed = json(&mut rig.xtool(&["list"]));
    let row = &listed["targets"][0];
    assert_eq!(
        (&row["default"], &row["chosen"]),
        (&"first 1".into(), &"second 1".into())
    );
    let text = succeed(&mut rig.xtool(&["list"]));
    let row = text.lines().find(|l| l.contains(TARGET)).unwrap();
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(words[..4], ["*", TARGET, "second", "1"], "{row}");

    // Outside the project nothing is chosen.
    let outside = json(&mut rig.outside(&["list"]));
    assert_eq!(outside["targets"][0]["chosen"], Value::Null);
    let text = succeed(&mut rig.outside(&["list"]));
    assert!(text.contains("  first 1"), "{text}");
}

/// What is locked counts, not what the manifest would give today.
#[test]
fn list_and_show_go_by_the_lock() {
    let fakes = [Fake::new("first", 100), Fake::new("second", 100)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    succeed(&mut rig.add());
    let [first, second] = fakes;
    rig.serve_from(&server, &[second, first]);
    let shown = json(&mut rig.xtool(&["show", TARGET]));
    assert_eq!(shown["default"], "second 1");
    assert_eq!(shown["chosen"], "first 1");
}

#[test]
fn fetch_takes_the_toolchain_that_is_asked_for_also_where_the_project_has_another() {
    let fakes = [Fake::new("first", 100), Fake::new("second", 100)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    succeed(&mut rig.add());
    assert_eq!(rig.toolchains().len(), 1);
    let before = tree(&rig.project());
    succeed(&mut rig.xtool(&["fetch", TARGET, "--toolchain", "second"]));
    let there = rig.toolchains();
    assert_eq!(there.len(), 2, "{there:?}");
    assert!(there.iter().any(|id| id.starts_with("second-1-")));
    assert_eq!(tree(&rig.project()), before, "the project's files stay");
    assert_eq!(json(&mut rig.xtool(&["show", TARGET]))["chosen"], "first 1");
}
