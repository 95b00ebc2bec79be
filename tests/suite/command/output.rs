//! What other programs see of ours.

use std::io::Read as _;
use std::process::Stdio;

use super::rig::{Fake, Rig, TARGET, run, said, spawn, succeed, wait};

/// F63: what goes into a file or a pipe has no colour and no carriage return, whatever the terminal's variables say;
/// a step is a line.
#[test]
fn piped_output_is_plain() {
    let fake = Fake::new("fake", 100_000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    for (name, value) in [
        ("TERM", "xterm-256color"),
        ("NO_COLOR", "1"),
        ("CI", "true"),
        ("COLORTERM", "truecolor"),
    ] {
        let rig = Rig::with(&server, std::slice::from_ref(&fake));
        for args in [
            &["add", TARGET, "--no-rust-std"][..],
            &["list"],
            &["show", TARGET],
            &["list", "--installed"],
            &["add", "nonsense"],
            &["remove", "--all"],
        ] {
            let output = run(rig.xtool(args).env(name, value));
            let text = said(&output);
            assert!(!text.contains('\x1b'), "{args:?} {name}: {text:?}");
            assert!(!text.contains('\r'), "{args:?} {name}: {text:?}");
            if args[0] == "add" && args[1] == TARGET {
                let steps: Vec<&str> = text.lines().map(str::trim_start).collect();
                for verb in ["Downloading", "Installed", "Ready"] {
                    let lines = steps.iter().filter(|l| l.starts_with(verb)).count();
                    assert_eq!(lines, 1, "{verb}: {text}");
                }
            }
        }
    }
    // Colour can be asked for.
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let always = said(&run(&mut rig.xtool(&["list", "--color", "always"])));
    assert!(always.contains('\x1b'), "{always:?}");
}

/// On a terminal of 80 columns no line of these is wider, and what is broken into lines is what a pipe gets in one.
#[cfg(target_os = "linux")]
#[test]
fn tables_fit_a_terminal_of_80_columns() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let home = rig
        .env
        .path("a-home/whose/path/is/as/long/as/those/of/ci/systems");
    succeed(rig.add().env("XTOOL_HOME", &home));
    let xtool = env!("CARGO_BIN_EXE_xtool");
    for args in [
        "list",
        "list --installed",
        &format!("show {TARGET}"),
        "cache",
        "doctor",
    ] {
        let words: Vec<&str> = args.split(' ').collect();
        let piped = run(rig.xtool(&words).env("XTOOL_HOME", &home));
        let piped = String::from_utf8(piped.stdout).unwrap();
        let line = format!("stty cols 80 rows 24; {xtool} {args} 2>/dev/null");
        let mut script = rig.program("script", &["-qec", &line, "/dev/null"]);
        script.env("XTOOL_HOME", &home).env("TERM", "xterm");
        let shown = run(&mut script);
        let shown = String::from_utf8(shown.stdout).unwrap();
        let shown = anstream::adapter::strip_str(&shown).to_string();
        for line in shown.lines() {
            assert!(line.chars().count() <= 80, "{args}: {line}");
        }
        // What is free on a disk changes from run to run.
        let free = |c: &char| args == "doctor" && c.is_ascii_digit();
        let bare = |s: &str| -> String {
            let all = s.split_whitespace().flat_map(str::chars);
            all.filter(|c| !free(c)).collect()
        };
        assert_eq!(bare(&shown), bare(&piped), "{args}");
        let wraps = !matches!(args, "list" | "list --installed");
        assert_eq!(
            shown.lines().count() > piped.lines().count(),
            wraps,
            "{args}:\n{shown}"
        );
        assert!(
            !wraps || piped.contains(home.to_str().unwrap()),
            "{args}: {piped}"
        );
    }
}

/// F64: with `--json` a failure is one valid JSON document on stdout too, with a message; the exit code is not 0.
#[test]
fn failures_are_json_where_that_is_asked_for() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(&[]);
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    for args in [
        &["add", TARGET][..],
        &["add", "nonsense"],
        &["add", ".."],
        &["show", "nonsense"],
        &["env", TARGET],
        &["sync"],
        &["remove", TARGET],
        &["fetch", TARGET],
        &["cache", "key"],
        &["list", "--manifest", "/nowhere.toml"],
        &["add"],
        &["nonsense"],
        &["add", "--nonsense"],
    ] {
        for first in [true, false] {
            let mut args = args.to_vec();
            args.insert(if first { 0 } else { args.len() }, "--json");
            let output = run(&mut rig.xtool(&args));
            assert!(
                matches!(output.status.code(), Some(1 | 2)),
                "{args:?}: {}",
                said(&output)
            );
            let value: serde_json::Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", said(&output)));
            assert!(value["error"]["message"].is_string(), "{args:?}: {value}");
        }
    }
    // One target of two fails: what was done, and the error, in one document.
    let good = Fake::serve(std::slice::from_ref(&fake));
    rig.serve_from(&good, std::slice::from_ref(&fake));
    let output = run(&mut rig.xtool(&["add", TARGET, "--json"]));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["targets"][0]["triple"], TARGET, "{value}");
    assert_eq!(output.status.code(), Some(1), "Rust's std was out of reach");
    assert!(value["errors"][0]["message"].is_string(), "{value}");
}

/// F65: a reader that goes away is no panic and no complaint.
#[test]
fn a_reader_that_goes_away() {
    let fakes: Vec<Fake> = (0..3).map(|i| Fake::new(&format!("fake{i}"), 10)).collect();
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["show", TARGET],
        &["completions", "zsh"],
        &["man"],
        &["--help"],
        &["cache"],
        &["cache", "dir"],
    ] {
        let mut command = rig.xtool(args);
        // The built-in manifest is longer than a pipe's one read.
        command.env_remove("XTOOL_MANIFEST");
        let mut child = spawn(command.stdout(Stdio::piped()));
        drop(child.stdout.take());
        let mut complaints = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut complaints).unwrap();
        let status = wait(&mut child, super::rig::PATIENCE).expect("it ends");
        assert!(!complaints.contains("panicked"), "{args:?}: {complaints}");
        assert!(
            !complaints.to_lowercase().contains("broken pipe"),
            "{args:?}: {complaints}"
        );
        assert_eq!(status.code(), Some(0), "{args:?}: {complaints}");
    }
    // Nor is a closed stderr.
    let mut child = spawn(&mut rig.add());
    drop(child.stderr.take());
    assert_eq!(
        wait(&mut child, super::rig::PATIENCE).unwrap().code(),
        Some(0)
    );
    succeed(&mut rig.xtool(&["remove", "--all"]));
}

/// F65's neighbour: the JSON of a usage error has no reader, or a full disk for one: no panic, exit 2.
#[cfg(unix)]
#[test]
fn a_usage_error_that_nobody_can_read() {
    let rig = Rig::new();
    for place in [">/dev/full", ">&-"] {
        let line = format!("\"$0\" --json nonsense {place}");
        let mut shell = rig.program("sh", &["-c", &line, env!("CARGO_BIN_EXE_xtool")]);
        let output = super::rig::run(&mut shell);
        let told = super::rig::said(&output);
        assert_eq!(output.status.code(), Some(2), "{place}: {told}");
        assert!(!told.contains("panicked"), "{place}: {told}");
        assert!(told.contains("nonsense"), "{place}: {told}");
    }
}
