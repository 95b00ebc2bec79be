//! What others may do with the files of a store, whatever the umask of the run that made them.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::rig::{Fake, Rig, TARGET, fail, succeed};
use crate::support::stub_sdk;

/// xtool under a umask.
fn under(umask: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("umask {umask} && exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap())
        .env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell
}

fn mode(path: &Path) -> u32 {
    fs_err::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every file and folder below, links left out.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut out = vec![folder.to_owned()];
    let mut at = 0;
    while at < out.len() {
        let path = out[at].clone();
        at += 1;
        if path.is_dir() && !path.is_symlink() {
            let entries = fs_err::read_dir(path).unwrap();
            out.extend(entries.map(|e| e.unwrap().path()));
        }
    }
    out.retain(|p| !p.is_symlink());
    out
}

/// F34's and F57's neighbour: under a umask of 000 or 002 nothing of store, cache and shims can be written by others,
/// and the project's own files follow the umask.
#[test]
fn an_open_umask_opens_no_store() {
    for (umask, project) in [("000", 0o666), ("002", 0o664), ("077", 0o600)] {
        let fake = Fake::new("fake", 1000);
        let server = Fake::serve(std::slice::from_ref(&fake));
        let rig = Rig::with(&server, std::slice::from_ref(&fake));
        succeed(&mut under(umask, &rig.add()));
        succeed(&mut under(
            umask,
            &rig.xtool(&["exec", TARGET, "--", "true"]),
        ));
        let made: Vec<_> = [rig.home(), rig.cache()]
            .iter()
            .flat_map(|f| all(f))
            .collect();
        assert!(made.len() > 20, "{made:?}");
        let forbidden = if umask == "077" { 0o077 } else { 0o022 };
        for path in made {
            assert_eq!(
                mode(&path) & forbidden,
                0,
                "{umask}: {:o} {}",
                mode(&path),
                path.display()
            );
        }
        for file in ["xtool.toml", "xtool.lock", ".cargo/config.toml"] {
            let path = rig.project().join(file);
            assert_eq!(mode(&path), project, "{umask}: {file}");
        }
    }
}

/// F34's neighbour: of an SDK's folder the modes are no more taken over than of an archive: no set-user-ID, set-group-ID
/// or sticky bit, and nothing for others to write; FIFOs are refused.
#[test]
fn an_sdks_folder_brings_no_modes() {
    let rig = Rig::new();
    let sdk = rig.env.path("MacOSX14.5.sdk");
    stub_sdk(&sdk);
    rig.env.write("MacOSX14.5.sdk/usr/bin/tool", "#!/bin/sh\n");
    let set = |file: &str, mode| {
        fs_err::set_permissions(sdk.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set("usr/bin/tool", 0o7777);
    set("usr/include/stdio.h", 0o6666);
    set("usr/include", 0o3777);
    let import = ["sdk", "import", sdk.to_str().unwrap()];
    succeed(&mut under("000", &rig.xtool(&import)));
    let there = rig.home().join("sdks/MacOSX14.5");
    for (file, expected) in [
        ("usr/bin/tool", 0o755),
        ("usr/include/stdio.h", 0o644),
        ("usr/include", 0o755),
        ("", 0o755),
    ] {
        assert_eq!(mode(&there.join(file)), expected, "{file}");
    }
    for path in all(&rig.home()) {
        assert_eq!(mode(&path) & 0o7022, 0, "{}", path.display());
    }

    fs_err::remove_dir_all(&there).unwrap();
    let fifo = Command::new("mkfifo").arg(sdk.join("usr/pipe")).status();
    assert!(fifo.unwrap().success());
    fail(&mut rig.xtool(&import), &["usr/pipe"]);
    assert!(!there.exists());
    rig.assert_tidy();
}
