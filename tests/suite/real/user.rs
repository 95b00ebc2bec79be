//! As an ordinary user, with nothing of the system's changed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{Lab, said, succeed};
use crate::support::skip;

/// Debian's `nobody`.
const NOBODY: &str = "65534";

#[test]
fn apt_serves_a_user_who_is_not_root() {
    let lab = Lab::enter();
    let root = succeed(Command::new("id").arg("-u")).trim() == "0";
    if !root {
        // Every other test of this binary runs as that ordinary user then.
        return skip(
            "apt_serves_a_user_who_is_not_root",
            "not root, so there is no second user to become",
        );
    }
    // Below /tmp: another user cannot enter every folder above a checkout.
    let dir = tempfile::Builder::new()
        .prefix("xtool-user-")
        .tempdir_in("/tmp")
        .unwrap();
    fs_err::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let exe = dir.path().join("xtool");
    fs_err::copy(env!("CARGO_BIN_EXE_xtool"), &exe).unwrap();
    let project = dir.path().join("project");
    fs_err::create_dir_all(project.join("src")).unwrap();
    fs_err::write(
        project.join("Cargo.toml"),
        "[package]\nname = \"p\"\nedition = \"2021\"\n",
    )
    .unwrap();
    fs_err::write(project.join("src/lib.rs"), "").unwrap();
    fs_err::write(project.join("a.c"), "int main(void) { return 0; }\n").unwrap();
    succeed(Command::new("chown").args(["-R", NOBODY]).arg(dir.path()));

    let as_nobody = |program: &Path, args: &[&str]| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"])
            .arg(program)
            .args(args)
            .current_dir(&project)
            .env("HOME", dir.path())
            .env("XTOOL_HOME", dir.path().join("home"))
            .env("XTOOL_SYSTEM_HOME", "")
            .env("PATH", "/usr/bin:/bin")
            .env_remove("XTOOL_MIRROR");
        command
    };
    succeed(&mut as_nobody(
        &exe,
        &[
            "add",
            "x86_64-pc-windows-gnu",
            "--toolchain",
            "mingw-w64",
            "--no-rust-std",
        ],
    ));
    let env = succeed(&mut as_nobody(
        &exe,
        &["env", "x86_64-pc-windows-gnu", "--format", "json"],
    ));
    let env: serde_json::Value = serde_json::from_str(&env).unwrap();
    let cc = Path::new(env["CC"].as_str().unwrap());
    let out = as_nobody(cc, &["a.c", "-o", "a.exe"]).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    assert!(
        fs_err::read(project.join("a.exe"))
            .unwrap()
            .starts_with(b"MZ")
    );
    drop(lab);
}
