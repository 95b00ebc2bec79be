//! A run with nothing to do does nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use super::{Lab, project, succeed};

/// F52: `add` again: no network, no process, no file touched. strace counts.
#[test]
fn a_second_add_starts_nothing_and_touches_nothing() {
    // What other tests do to the shared store would be taken for this command's doing.
    let lab = Lab::with_own_store();
    let project = project("natives", lab.dir.path());
    let add = ["add", "x86_64-pc-windows-gnu", "--no-rust-std"];
    succeed(&mut lab.xtool(&project, &add));
    let before = snapshot(&project);
    let store = snapshot(lab.home());

    let trace = lab.dir.path().join("trace");
    let plain = lab.xtool(&project, &add);
    let mut traced = Command::new("strace");
    traced
        .args([
            "-f",
            "-qq",
            "-e",
            "trace=execve,fork,vfork,clone,clone3,socket,connect,openat,creat",
            "-o",
        ])
        .arg(&trace)
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(&project);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    succeed(&mut traced);

    let trace = fs_err::read_to_string(&trace).unwrap();
    let calls = |name: &str| {
        trace
            .lines()
            .filter(|l| l.contains(&format!(" {name}(")))
            .count()
    };
    assert_eq!(calls("execve"), 1, "{trace}");
    for none in [
        "fork", "vfork", "clone", "clone3", "socket", "connect", "creat",
    ] {
        assert_eq!(calls(none), 0, "{none}: {trace}");
    }
    assert_eq!(snapshot(&project), before);
    assert_eq!(snapshot(lab.home()), store);
}

/// Every file and folder with its modification time. Lock files are opened, not written.
fn snapshot(root: &Path) -> BTreeMap<std::path::PathBuf, SystemTime> {
    let mut out = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let meta = entry.path().symlink_metadata().unwrap();
            out.insert(entry.path(), meta.modified().unwrap());
            // A toolchain's inside is immutable and large.
            if meta.is_dir()
                && folder
                    .file_name()
                    .is_none_or(|n| n != "toolchains" && n != "zig-cache")
            {
                folders.push(entry.path());
            }
        }
    }
    out
}
