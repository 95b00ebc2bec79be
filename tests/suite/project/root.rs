//! Where a project begins.

use xtool::help::Help;
use xtool::project::{Kind, Project, ProjectError};

use super::Env;

fn root_from(env: &Env, folder: &str) -> String {
    let cwd = env.root.join(folder);
    fs_err::create_dir_all(&cwd).expect("made");
    let project = Project::find(&cwd).expect("a project");
    assert_eq!(project.cwd, cwd);
    let root = project.root.strip_prefix(&env.root).expect("inside");
    root.to_string_lossy().replace('\\', "/")
}

/// F61: not in a project → an error with the way out; with `--no-cargo` the folder itself.
#[test]
fn no_project_is_an_error_with_the_way_out() {
    let env = Env::new();
    fs_err::remove_file(env.root.join("Cargo.toml")).expect("gone");
    let error = Project::find(&env.root).expect_err("no project");
    assert!(matches!(&error, ProjectError::NotFound { cwd } if *cwd == env.root));
    let help = error.help().expect("help");
    assert!(
        help.contains("cargo new") && help.contains("--no-cargo"),
        "{help}"
    );
    let project = Project::find_or_no_cargo(&env.root).expect("the folder");
    assert_eq!(
        (project.root, project.kind),
        (env.root.clone(), Kind::NoCargo)
    );
    assert!(matches!(
        Project::find(&env.root.join("gone")),
        Err(ProjectError::Read { .. })
    ));
}

#[test]
fn a_single_package_is_its_own_root() {
    let env = Env::new();
    assert_eq!(root_from(&env, "src/bin"), "");
    env.put("vendor/x/Cargo.toml", "[package]\nname = \"x\"\n");
    assert_eq!(root_from(&env, "vendor/x/src"), "vendor/x");
}

#[test]
fn the_workspace_is_the_root() {
    let env = Env::new();
    env.put(
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\", \"tools/in\"]\nexclude = [\"tools\"]\n",
    );
    for package in ["crates/a", "tools/in", "tools/out"] {
        env.put(
            &format!("{package}/Cargo.toml"),
            "[package]\nname = \"p\"\n",
        );
    }
    assert_eq!(root_from(&env, "crates/a/src"), "");
    assert_eq!(root_from(&env, "tools/in"), "");
    assert_eq!(root_from(&env, "tools/out/src"), "tools/out");
    env.put(
        "else/Cargo.toml",
        "[package]\nname = \"p\"\nworkspace = \"../crates/../ws\"\n",
    );
    env.put("ws/Cargo.toml", "[workspace]\nmembers = [\"../else\"]\n");
    assert_eq!(root_from(&env, "else/src"), "ws");
}

#[test]
fn xtool_toml_comes_first() {
    let env = Env::new();
    env.put("a/b/Cargo.toml", "[package]\nname = \"p\"\n");
    env.put("xtool.toml", "");
    assert_eq!(root_from(&env, "a/b"), "");
    env.put("a/xtool.toml", "");
    assert_eq!(root_from(&env, "a/b"), "a");
    assert_eq!(
        Project::find(&env.root.join("a/b")).expect("found").kind,
        Kind::Cargo
    );
    // Not a project: the file that cargo's configuration includes.
    env.put("a/b/.cargo/xtool.toml", "");
    assert_eq!(root_from(&env, "a/b/.cargo"), "a");
    // A folder above the cargo project, and one without cargo at all.
    fs_err::remove_file(env.root.join("Cargo.toml")).expect("gone");
    assert_eq!(Project::find(&env.root).expect("found").kind, Kind::NoCargo);
}

/// F56: a broken manifest is named with its line.
#[test]
fn a_broken_manifest_is_placed() {
    let env = Env::new();
    env.put("Cargo.toml", "[workspace]\nmembers = [\n");
    let error = Project::find(&env.root).expect_err("not TOML").to_string();
    assert!(error.contains("Cargo.toml:"), "{error}");
}

/// F61's neighbour: a file that another user left in a folder above, as anybody may in `/tmp`, takes no project over.
#[cfg(unix)]
#[test]
fn a_file_of_another_users_above_is_passed_over() {
    use std::os::unix::fs::chown;
    const STRANGER: Option<u32> = Some(54_321);
    let env = Env::new();
    env.put("me/src/main.rs", "");
    env.put("me/Cargo.toml", "[package]\nname = \"p\"\n");
    env.put("elsewhere/x", "");
    env.put("xtool.toml", "");
    env.put("Cargo.toml", "[workspace]\n");
    assert_eq!(root_from(&env, "me/src"), "");
    let files = ["xtool.toml", "Cargo.toml"].map(|name| env.root.join(name));
    if files
        .iter()
        .any(|file| chown(file, STRANGER, None).is_err())
    {
        crate::support::skip("F61's neighbour", "this user may not give a file away");
        return;
    }
    assert_eq!(root_from(&env, "me/src"), "me");
    let error = Project::find(&env.root.join("elsewhere")).expect_err("no project");
    assert!(
        matches!(&error, ProjectError::Foreign { file } if *file == files[0]),
        "{error}"
    );
    assert!(error.help().expect("help").contains("chown"));
    // A link of theirs is no better for leading to a file of root's.
    fs_err::remove_file(&files[0]).expect("gone");
    std::os::unix::fs::symlink("/etc/hostname", &files[0]).expect("linked");
    std::os::unix::fs::lchown(&files[0], STRANGER, None).expect("given away");
    assert_eq!(root_from(&env, "me/src"), "me");
    // Where the folder is theirs too, one works in what is theirs.
    chown(&env.root, STRANGER, None).expect("given away");
    fs_err::remove_file(&files[0]).expect("gone");
    env.put("xtool.toml", "");
    chown(&files[0], STRANGER, None).expect("given away");
    assert_eq!(root_from(&env, "me/src"), "");
}
