//! `scripts/onboard.sh`, as a newcomer runs it.

use std::path::Path;
use std::process::Command;

use super::folder;
use crate::real::{Lab, fail, said, succeed};

fn onboard(lab: &Lab, folder: &Path, args: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/onboard.sh");
    let plain = lab.xtool(folder, &[]);
    let mut command = Command::new(script);
    command.args(args).current_dir(folder);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("XTOOL_BIN", env!("CARGO_BIN_EXE_xtool"));
    command
}

#[test]
fn a_newcomer_is_set_up_once_and_left_alone_after() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &["aarch64-unknown-linux-musl"]);
    let first = succeed(&mut onboard(&lab, &folder, &[]));
    assert!(first.contains("ran passed"), "{first}");
    assert!(
        first.contains("xtool exec aarch64-unknown-linux-musl -- make"),
        "{first}"
    );
    let second = onboard(&lab, &folder, &[]).output().unwrap();
    assert!(
        second.status.success() && second.stdout.is_empty(),
        "{}",
        said(&second)
    );

    let outside = lab.dir.path().join("outside");
    fs_err::create_dir(&outside).unwrap();
    let text = fail(&mut onboard(&lab, &outside, &[]), 1);
    assert!(
        text.contains("no xtool.toml") && text.contains("help: "),
        "{text}"
    );
    fail(&mut onboard(&lab, &folder, &["--ye"]), 2);
}

/// Nothing is built or installed without a yes.
#[test]
fn a_missing_xtool_is_not_installed_unasked() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &["aarch64-unknown-linux-musl"]);
    let mut command = onboard(&lab, &folder, &[]);
    let bin = lab.dir.path().join("bin");
    fs_err::create_dir(&bin).unwrap();
    fs_err::os::unix::fs::symlink("/bin/true", bin.join("cargo")).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    command
        .env_remove("XTOOL_BIN")
        .env("PATH", path)
        .stdin(std::process::Stdio::null());
    let text = fail(&mut command, 1);
    assert!(text.contains("--yes"), "{text}");
}
