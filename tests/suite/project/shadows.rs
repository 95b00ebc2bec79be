//! F60: what hides our settings is named.

use std::collections::BTreeMap;
use std::ffi::OsString;

use xtool::project::Project;
use xtool::project::shadows::{Shadow, shadows};

use super::{Env, WINDOWS, entries};

fn look(env: &Env, cwd: &str, variables: &[(&str, &str)]) -> Vec<Shadow> {
    let variables: BTreeMap<&str, OsString> = variables
        .iter()
        .map(|(k, v)| (*k, OsString::from(v)))
        .collect();
    let project = Project::find(&env.root.join(cwd)).expect("a project");
    shadows(&project, &[entries(WINDOWS, "/s")], &|name| {
        variables.get(name).cloned()
    })
    .expect("read")
}

fn words(found: &[Shadow]) -> String {
    found
        .iter()
        .map(|s| format!("{s}: {}", s.fix()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// F60: cargo's and rustc's variables win over every file.
#[test]
fn variables_are_named() {
    let env = Env::new();
    assert_eq!(look(&env, "", &[]), []);
    let found = look(
        &env,
        "",
        &[
            ("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", "gcc"),
            ("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "wine"),
            ("RUSTFLAGS", "-Cx"),
            ("CARGO_ENCODED_RUSTFLAGS", "-Cx"),
            ("CC_x86_64_pc_windows_gnu", "gcc"),
            ("PKG_CONFIG_ALLOW_CROSS_x86_64_pc_windows_gnu", "1"),
            ("CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER", "cc"),
        ],
    );
    assert_eq!(found.len(), 5, "{}", words(&found));
    let text = words(&found);
    assert!(
        text.contains("`RUSTFLAGS`") && text.contains("target.x86_64-pc-windows-gnu.rustflags")
    );
    assert_eq!(look(&env, "", &[("RUSTFLAGS", "")]), []);
}

/// F60's neighbour: crates look up the triple as it is before the one with underscores; unsuffixed names come last.
#[test]
fn names_that_crates_look_up_first_are_named() {
    let env = Env::new();
    let found = look(
        &env,
        "",
        &[
            ("CC_x86_64-pc-windows-gnu", "gcc"),
            ("CC_x86_64-pc-windows-msvc", "cl"),
            ("TARGET_CC", "gcc"),
            ("CC", "gcc"),
        ],
    );
    assert_eq!(found.len(), 1, "{}", words(&found));
    assert!(words(&found).contains("`CC_x86_64-pc-windows-gnu` is set in the environment and hides `env.CC_x86_64_pc_windows_gnu`"));
    let path = env.root.join(".cargo/config.toml");
    fs_err::create_dir_all(path.parent().expect("a folder")).expect("written");
    fs_err::write(path, "[env]\n\"CC_x86_64-pc-windows-gnu\" = \"gcc\"\n").expect("written");
    let text = words(&look(&env, "", &[]));
    assert!(
        text.contains("hides `env.CC_x86_64_pc_windows_gnu`"),
        "{text}"
    );
    assert!(text.contains("config.toml"), "{text}");
}

/// F60: a configuration nearer to the build hides ours; one further up does not, except that its `build.rustflags`
/// no longer reaches the target.
#[test]
fn files_are_named() {
    let env = Env::new();
    env.put("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n");
    env.put("crates/a/Cargo.toml", "[package]\nname = \"a\"\n");
    env.put("crates/b/Cargo.toml", "[package]\nname = \"b\"\n");
    env.put(
        "crates/a/.cargo/config.toml",
        "[target.x86_64-pc-windows-gnu]\nlinker = \"x\"\nrustflags = [\"-Cx\"]\n",
    );
    env.put(
        "../.cargo/config.toml",
        "[target.x86_64-pc-windows-gnu]\nlinker = \"x\"\n",
    );
    let found = look(&env, "", &[]);
    assert_eq!(
        found,
        [Shadow::NearerFile {
            file: env.root.join("crates/a/.cargo/config.toml"),
            key: "target.x86_64-pc-windows-gnu.linker".to_owned(),
            folder: env.root.join("crates/a"),
        }]
    );
    env.put(
        "crates/b/src/.cargo/config",
        "[env]\nCC_x86_64_pc_windows_gnu = \"x\"\n",
    );
    assert_eq!(look(&env, "crates/b/src", &[]).len(), 2);

    env.put(
        "../.cargo/config.toml",
        "[build]\nrustflags = [\"--cfg\", \"x\"]\n",
    );
    let text = words(&look(&env, "", &[("CARGO_BUILD_RUSTFLAGS", "-Cx")]));
    assert!(
        text.contains("CARGO_BUILD_RUSTFLAGS") && text.contains("cfg(all())"),
        "{text}"
    );
    let home = env.root.join("../cargo-home");
    env.put("../cargo-home/config.toml", "build.rustflags = '-Cx'\n");
    let found = look(&env, "", &[("CARGO_HOME", home.to_str().expect("UTF-8"))]);
    assert_eq!(found.len(), 3, "{}", words(&found));
}

/// cargo takes a runner from a `cfg` table only where none stands under the triple: ours does.
#[test]
fn tables_for_a_cfg_are_named() {
    let env = Env::new();
    env.put(
        "../.cargo/config.toml",
        "[target.'cfg(windows)']\nrunner = \"mine\"\nrustflags = [\"-Cx\"]\n[target.'cfg(unix)']\nrunner = \"other\"\n",
    );
    let found = look(&env, "", &[]);
    assert_eq!(found.len(), 1, "{}", words(&found));
    let text = words(&found);
    assert!(
        text.contains("`target.'cfg(windows)'.runner`") && text.contains("in xtool.toml"),
        "{text}"
    );
}
