//! `xtool.toml`.

use std::path::Path;

use proptest::prelude::*;
use xtool::project::settings::{
    Config, ConfigMode, RustStd, TargetOptions, with_target, without_target,
};

use super::{Env, MUSL, WINDOWS, triple};

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("xtool.toml")).map_err(|e| e.to_string())
}

#[test]
fn all_options_are_read() {
    let text = "\u{feff}config = \"include\"\r\n[targets]\r\nx86_64-pc-windows-gnu = {}\r\n\
        [targets.aarch64-unknown-linux-gnu]\r\ntoolchain = \"zig@0.15.2\"\r\nglibc = \"2.17\"\r\nsdk = \"macos-14\"\r\n\
        runner = \"qemu-aarch64 -L /x\"\r\nrust-std = \"build\"\r\n";
    let config = parse(text).expect("valid");
    assert_eq!(config.config, Some(ConfigMode::Include));
    assert_eq!(config.targets[&triple(WINDOWS)], TargetOptions::default());
    assert_eq!(
        config.targets[&triple("aarch64-unknown-linux-gnu")],
        TargetOptions {
            toolchain: Some("zig@0.15.2".to_owned()),
            glibc: Some("2.17".to_owned()),
            sdk: Some("macos-14".to_owned()),
            runner: Some("qemu-aarch64 -L /x".to_owned()),
            rust_std: RustStd::Build,
        }
    );
    assert_eq!(parse(""), Ok(Config::default()));
}

/// F56, F28: a fault has its place; names that are unfit for a path are faults.
#[test]
fn faults_have_a_place() {
    for (text, place, word) in [
        ("[targets\n", "1:", ""),
        ("a = 1\n", "1:1: ", "unknown field `a`"),
        (
            "[targets]\nx86_64-pc-windows-gnu = { glib = \"2\" }\n",
            "2:",
            "unknown field `glib`",
        ),
        (
            "[targets]\nx86_64-pc-windows-gnu = { rust_std = \"auto\" }\n",
            "2:",
            "rust-std",
        ),
        (
            "[targets]\nx86_64-pc-windows-gnu = { rust-std = \"x\" }\n",
            "2:",
            "auto",
        ),
        ("[targets]\n\"../x-y\" = {}\n", "2:1: ", "target triple"),
        ("[targets]\n\"x-y\\u0000\" = {}\n", "2:1: ", "target triple"),
        ("[targets]\n\"\" = {}\n", "2:1: ", "target triple"),
        (
            "[targets]\na-b = { toolchain = \"../zig\" }\n",
            "2:21: ",
            "toolchain name",
        ),
        (
            "[targets]\na-b = { toolchain = \"zig@..\" }\n",
            "2:21: ",
            "toolchain version",
        ),
        (
            "[targets]\na-b = { glibc = \"2\" }\n",
            "2:17: ",
            "glibc version",
        ),
        (
            "[targets]\na-b = { glibc = \"2.+1\" }\n",
            "2:17: ",
            "glibc version",
        ),
        (
            "[targets]\na-b = { runner = \"\" }\n",
            "2:18: ",
            "not empty",
        ),
        ("config = \"both\"\n", "1:10: ", "include"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(
            error.starts_with(&format!("xtool.toml:{place}")),
            "{text}: {error}"
        );
        assert!(
            error.contains(word) && !error.contains('\n'),
            "{text}: {error}"
        );
    }
}

/// A file that we made goes with its last target; one of the user's does not.
#[test]
fn the_file_comes_and_goes() {
    let env = Env::new();
    let project = env.project();
    let held = project.hold(&env.dirs).expect("the lock");
    let options = TargetOptions {
        glibc: Some("2.17".to_owned()),
        ..TargetOptions::default()
    };
    assert!(
        project
            .add_target(&held, &triple(MUSL), &TargetOptions::default())
            .expect("added")
    );
    assert!(
        project
            .add_target(&held, &triple(WINDOWS), &options)
            .expect("added")
    );
    assert!(
        !project
            .add_target(&held, &triple(WINDOWS), &options)
            .expect("again")
    );
    assert!(
        !project
            .add_target(&held, &triple(WINDOWS), &TargetOptions::default())
            .expect("again")
    );
    assert!(
        env.text("xtool.toml")
            .ends_with("\n[targets]\nx86_64-unknown-linux-musl = {}\nx86_64-pc-windows-gnu = { glibc = \"2.17\" }\n")
    );
    assert!(
        project
            .remove_target(&held, &triple(MUSL))
            .expect("removed")
    );
    assert!(!project.remove_target(&held, &triple(MUSL)).expect("again"));
    assert!(
        project
            .remove_target(&held, &triple(WINDOWS))
            .expect("removed")
    );
    assert!(!env.has("xtool.toml"));

    env.put("xtool.toml", "# mine\n");
    project
        .add_target(&held, &triple(MUSL), &TargetOptions::default())
        .expect("added");
    project
        .remove_target(&held, &triple(MUSL))
        .expect("removed");
    assert_eq!(env.text("xtool.toml"), "# mine\n");

    env.put("xtool.toml", "x = 1\n");
    assert!(
        project
            .add_target(&held, &triple(MUSL), &TargetOptions::default())
            .is_err()
    );
    assert_eq!(env.text("xtool.toml"), "x = 1\n");
}

#[test]
fn options_are_set_in_place() {
    let text = "[targets]\nx86_64-pc-windows-gnu = { toolchain = 'zig' } # why\n\n[targets.a-b] # other\n# note\nglibc = \"2.17\"\n# tail\n";
    let options = TargetOptions {
        toolchain: Some("mingw-w64".to_owned()),
        rust_std: RustStd::None,
        ..TargetOptions::default()
    };
    let with = with_target(text, &triple(WINDOWS), &options).expect("set");
    assert_eq!(
        with,
        text.replace(
            "{ toolchain = 'zig' }",
            "{ toolchain = \"mingw-w64\", rust-std = \"none\" }"
        )
    );
    let with = with_target(text, &triple("a-b"), &options).expect("set");
    assert_eq!(
        with,
        text.replace(
            "\"2.17\"\n",
            "\"2.17\"\ntoolchain = \"mingw-w64\"\nrust-std = \"none\"\n"
        )
    );
    assert_eq!(
        without_target(text, &triple("a-b")).expect("removed"),
        "[targets]\nx86_64-pc-windows-gnu = { toolchain = 'zig' } # why\n"
    );
    // A comment above the next table is about that one.
    let text = "[targets.a-b]\nsdk = 'x' # gone\n# about c-d\n[targets.c-d]\nsdk = 'y'\n";
    assert_eq!(
        without_target(text, &triple("a-b")).expect("removed"),
        "# about c-d\n[targets.c-d]\nsdk = 'y'\n"
    );
    let dotted = "targets.a-b.glibc = '2.17'\ntargets.a-b.sdk = 'x'\ntargets.c-d.sdk = 'y'\n";
    assert_eq!(
        without_target(dotted, &triple("a-b")).expect("removed"),
        "targets.c-d.sdk = 'y'\n"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// F53: a target that was added can be removed byte for byte.
    #[test]
    fn targets_come_and_go(
        text in prop::sample::select(vec![
            "", "# c", "config = 'direct'\n", "[targets]\na-b = {}\n", "[targets.a-b]\nglibc = '2.17'",
            "targets = { a-b = {} }\n", "targets.a-b.glibc = '2.17'\r\n", "\u{feff}[targets]\r\na-b = {}\r\n\r\n# end\r\n",
            "[targets.a-b]\n\n[targets.c-d]\n# x\nsdk = 'a'\n",
        ]),
        glibc: bool,
        build: bool,
    ) {
        let options = TargetOptions {
            glibc: glibc.then(|| "2.28".to_owned()),
            rust_std: if build { RustStd::Build } else { RustStd::Auto },
            ..TargetOptions::default()
        };
        let t = triple(WINDOWS);
        let with = with_target(text, &t, &options).expect("added");
        let config = parse(&with).expect("valid");
        prop_assert_eq!(config.targets.get(&t), Some(&options));
        prop_assert_eq!(without_target(&with, &t).expect("removed"), text);
    }
}
