//! `verify` and `doctor`.

use serde_json::Value;

use super::folder;
use crate::real::{Lab, fail, project, succeed};

const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// Result and reason of a program's `built` or `ran`, both numbered as they stand in the report.
fn result(report: &Value, target: usize, program: usize, what: &str) -> (String, String) {
    let row = &report["targets"][target]["programs"][program][what];
    let result = row["result"].as_str().unwrap().to_owned();
    (result, row["reason"].to_string())
}

#[test]
fn verify_runs_what_it_can_and_says_what_it_cannot() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &[WINDOWS]);
    let text = succeed(&mut lab.xtool(&folder, &["verify", "--json"]));
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["passed"], true, "{text}");
    for program in [0, 1] {
        assert_eq!(result(&json, 0, program, "built").0, "passed", "{text}");
        assert_eq!(result(&json, 0, program, "ran").0, "passed", "{text}");
    }
    let (_, why) = result(&json, 0, 2, "built");
    assert!(why.contains("not a cargo project"), "{text}");
}

#[test]
fn verify_does_not_run_what_is_for_macos() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &["aarch64-apple-darwin"]);
    let text = succeed(&mut lab.xtool(&folder, &["verify", "--json"]));
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["passed"], true, "{text}");
    for program in [0, 1] {
        assert_eq!(result(&json, 0, program, "built").0, "passed", "{text}");
        let (ran, why) = result(&json, 0, program, "ran");
        assert!(
            ran == "skipped" && why.contains("do not run on this machine"),
            "{text}"
        );
    }
}

/// A toolchain that lost a part is found out.
#[test]
fn verify_fails_where_a_program_does_not_link() {
    let lab = Lab::with_own_store();
    let folder = folder(&lab, "cmake", &[WINDOWS]);
    let root = succeed(&mut lab.xtool(&folder, &["show", WINDOWS, "--json"]));
    let root: Value = serde_json::from_str(&root).unwrap();
    let path = std::path::Path::new(root["installed"]["path"].as_str().unwrap());
    fs_err::remove_file(path.join("usr/x86_64-w64-mingw32/lib/libmsvcrt.a")).unwrap();
    let said = fail(&mut lab.xtool(&folder, &["verify", WINDOWS]), 1);
    assert!(
        said.contains("failed") && said.contains("cannot find -lmsvcrt"),
        "{said}"
    );
}

#[test]
fn verify_builds_rust_with_the_projects_settings() {
    crate::real::need_library_source();
    let lab = Lab::enter();
    let project = project("natives", lab.dir.path());
    succeed(&mut lab.xtool(&project, &["add", WINDOWS, "--build-std"]));
    // A colleague's first build: cargo has not yet what Rust's library depends on. Without a network that is said.
    let cargo = lab.dir.path().join("cargo");
    fs_err::create_dir(&cargo).unwrap();
    let home = std::env::var_os("CARGO_HOME").map_or_else(
        || std::env::home_dir().unwrap_or_default().join(".cargo"),
        Into::into,
    );
    if home.join("config.toml").exists() {
        fs_err::copy(home.join("config.toml"), cargo.join("config.toml")).unwrap();
    }
    let verify = |args: &[&str]| {
        let mut command = lab.xtool(&project, &[&["verify"], args].concat());
        command.env("CARGO_HOME", &cargo);
        command
    };
    let said = fail(&mut verify(&["--offline"]), 1);
    assert!(
        said.contains("(--offline)") || said.contains("--offline was"),
        "{said}"
    );
    let text = succeed(&mut verify(&["--json"]));
    let json: Value = serde_json::from_str(&text).unwrap();
    let rust = &json["targets"][0]["programs"][2];
    assert_eq!(rust["built"]["result"], "passed", "{text}");
    assert_eq!(rust["ran"]["result"], "passed", "{text}");
}

#[test]
fn doctor_finds_what_hides_our_settings_and_what_leads_nowhere() {
    let lab = Lab::enter();
    let project = project("natives", lab.dir.path());
    // One with a sysroot, and one without: what keeps pkg-config out differs.
    for target in [WINDOWS, "x86_64-unknown-linux-musl"] {
        succeed(&mut lab.xtool(&project, &["add", target, "--no-rust-std"]));
        let text = succeed(&mut lab.xtool(&project, &["doctor"]));
        assert!(text.contains(target) && !text.contains("error "), "{text}");
    }

    let mut hidden = lab.xtool(&project, &["doctor", "--json"]);
    let text = succeed(hidden.env("RUSTFLAGS", "-Cdebuginfo=1"));
    let json: Value = serde_json::from_str(&text).unwrap();
    let findings = json["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|f| f["level"] == "warning" && f["what"].as_str().unwrap().contains("`RUSTFLAGS`")),
        "{text}"
    );

    let config = project.join(".cargo/config.toml");
    let moved = fs_err::read_to_string(&config)
        .unwrap()
        .replace("/shims/", "/moved/shims/");
    fs_err::write(&config, moved).unwrap();
    let text = fail(&mut lab.xtool(&project, &["doctor"]), 1);
    assert!(
        text.contains("which is not there") && text.contains("fix: xtool sync"),
        "{text}"
    );
    let mut proxy = lab.xtool(&project, &["doctor"]);
    let text = fail(proxy.env("SSL_CERT_FILE", "/no/such/file"), 1);
    assert!(text.contains("SSL_CERT_FILE"), "{text}");
}
