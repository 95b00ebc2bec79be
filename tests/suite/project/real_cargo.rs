//! The installed cargo judges what we write.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use xtool::project::apply::{INCLUDE_SINCE, Where};
use xtool::project::cargo_config::{Change, Entries};
use xtool::project::settings::ConfigMode;
use xtool::project::version::Version;

use super::{Env, triple};

const MAIN: &str = r#"fn main() {
    println!("{} {}", env!("LEVEL"), if cfg!(flagged) { "flagged" } else { "plain" })
}
"#;

fn cargo(args: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(std::env::var_os("CARGO").expect("run by cargo"));
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
    ] {
        command.env_remove(name);
    }
    command
        .args(args)
        .current_dir(folder)
        .output()
        .expect("cargo runs")
}

fn ask(args: &[&str]) -> String {
    let out = cargo(args, Path::new("/"));
    String::from_utf8(out.stdout).expect("UTF-8")
}

/// A `cc` and a `run` that log their names and do their work.
fn entries(host: &str, shims: &Path) -> Entries {
    fs_err::create_dir_all(shims).expect("made");
    for (name, run) in [("cc", "cc \"$@\""), ("run", "\"$@\"")] {
        let log = shims.join("log");
        let text = format!(
            "#!/bin/sh\necho {name} >> '{}'\nexec {run}\n",
            log.display()
        );
        let file = shims.join(name);
        fs_err::write(&file, text).expect("written");
        fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("mode");
    }
    let t = triple(host);
    Entries {
        linker: shims.join("cc"),
        runner: Some(shims.join("run")),
        rustflags: vec!["--cfg=flagged".to_owned()],
        env: vec![(format!("LEVEL_{}", t.env_suffix()), "1 \"\\ 2".to_owned())],
        triple: t,
    }
}

/// Linker, flags, variables and runner reach the build in both modes, from a store with a space in its path.
#[test]
fn cargo_takes_what_we_write() {
    let host = ask(&["-vV"]);
    let host = host
        .lines()
        .find_map(|l| l.strip_prefix("host: "))
        .expect("a host");
    let version: Version = ask(&["-V"])
        .trim_start_matches("cargo ")
        .parse()
        .expect("a version");
    let mut modes = vec![ConfigMode::Direct];
    if version >= INCLUDE_SINCE {
        modes.push(ConfigMode::Include);
    } else {
        eprintln!("skipped: include mode, because cargo {version} does not know it");
    }
    for mode in modes {
        let env = Env::new();
        let shims = env
            .root
            .with_file_name(format!("a store/shims/zig-1-8063164a-{host}-00c0ffee"));
        let set = [entries(host, &shims)];
        let variable = &set[0].env[0].0;
        env.put(
            "Cargo.toml",
            "[package]\nname = \"app\"\nedition = \"2021\"\n",
        );
        env.put("src/main.rs", MAIN);
        env.put(
            "build.rs",
            &format!("fn main() {{ println!(\"cargo::rustc-env=LEVEL={{}}\", std::env::var({variable:?}).unwrap()) }}\n"),
        );
        env.put(".cargo/config.toml", "[term]\nquiet = true\n");
        let change = Change {
            set: &set,
            ..Change::default()
        };
        let project = env.project();
        let held = project.hold(&env.dirs).expect("the lock");
        let place = Where {
            mode: Some(mode),
            cargo: Some(version),
        };
        project
            .apply(&held, &env.dirs, &change, place)
            .expect("applied");

        let out = cargo(&["run", "--offline", "--target", host], &env.root);
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{mode:?}: {said}");
        assert_eq!(
            String::from_utf8_lossy(&out.stdout),
            "1 \"\\ 2 flagged\n",
            "{mode:?}: {said}"
        );
        let log = fs_err::read_to_string(shims.join("log")).expect("our programs ran");
        // The target is the host's own triple here, so the build script is linked by it as well.
        assert_eq!(log, "cc\ncc\nrun\n", "{mode:?}");
    }
}
