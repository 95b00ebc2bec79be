//! The read-only layer, a store without permission, two file systems, a full disk's neighbours.

#![cfg(unix)]

use std::time::Duration;

use super::rig::{Fake, Rig, TARGET, fail, names, succeed, tree};
use crate::support::server::Server;
use crate::support::skip;

/// F46: a read-only layer that holds the target is used as it is; what it lacks goes to the user's own layer.
#[test]
fn a_read_only_layer_is_used_and_never_written() {
    use super::rig::program_for_others;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let fakes = [Fake::new("fake", 1000), Fake::new("other", 1000)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    let system = rig.env.path("system");
    succeed(
        rig.outside(&["fetch", TARGET])
            .env("XTOOL_HOME", &system)
            .env("XTOOL_CACHE_DIR", rig.env.path("other-cache")),
    );
    let before = tree(&system);
    for folder in [".", "toolchains"] {
        let folder = system.join(folder);
        fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    }
    let connections = server.connections();

    // As a user who could not write there; root could.
    let program = program_for_others(&rig);
    for folder in ["home", "cache", "project"] {
        let path = rig.env.path(folder);
        fs_err::create_dir_all(&path).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let as_user = |args: &[&str]| {
        let mut command = rig.program(&program, args);
        command.env("XTOOL_SYSTEM_HOME", &system);
        if is_root() {
            command.uid(65534).gid(65534);
        }
        command
    };
    // Not a cargo project's business here: that user's rustc is another question.
    let add = ["add", TARGET, "--no-cargo"];
    succeed(&mut as_user(&add));
    assert_eq!(server.connections(), connections, "nothing was downloaded");
    assert_eq!(rig.toolchains(), [""; 0]);
    assert!(succeed(&mut as_user(&["list", "--installed"])).contains("read-only"));
    assert_eq!(tree(&system), before);

    succeed(&mut as_user(&[
        "add",
        TARGET,
        "--no-cargo",
        "--toolchain",
        "other",
    ]));
    assert_eq!(rig.toolchains().len(), 1);
    // Neither does a prune look at what is not the user's.
    succeed(&mut as_user(&["remove", "--all"]));
    succeed(&mut as_user(&["cache", "prune"]));
    assert_eq!(rig.toolchains(), [""; 0]);
    assert_eq!(tree(&system), before);
    fs_err::set_permissions(&system, std::fs::Permissions::from_mode(0o755)).unwrap();
    let toolchains = system.join("toolchains");
    fs_err::set_permissions(&toolchains, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// F47: a store, a cache or a project that this user may not write is named, with the way out.
#[test]
fn a_folder_without_permission_is_named() {
    use super::rig::program_for_others;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let fakes = [Fake::new("fake", 1000)];
    let server = Fake::serve(&fakes);
    for forbidden in ["home", "cache", "project"] {
        let rig = Rig::with(&server, &fakes);
        let program = program_for_others(&rig);
        for folder in ["home", "cache", "project"] {
            let path = rig.env.path(folder);
            fs_err::create_dir_all(&path).unwrap();
            let mode = if folder == forbidden { 0o555 } else { 0o777 };
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let before = rig.project_files();
        let mut command = rig.program(&program, &["add", TARGET, "--no-cargo"]);
        if is_root() {
            command.uid(65534).gid(65534);
        }
        let path = rig.env.path(forbidden);
        let said = fail(&mut command, &[path.to_str().unwrap(), "help:"]);
        assert!(
            said.to_lowercase().contains("permission denied"),
            "{forbidden}: {said}"
        );
        assert_eq!(rig.project_files(), before, "{forbidden}");
    }
}

/// F48: the cache is on another file system than the store: nothing is renamed from one to the other.
#[test]
#[cfg(target_os = "linux")]
fn store_and_cache_on_different_file_systems() {
    use std::os::unix::fs::MetadataExt as _;
    let fakes = [Fake::new("fake", 1000)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    let device = |path: &std::path::Path| fs_err::metadata(path).map(|m| m.dev());
    let here = device(rig.env.root()).unwrap();
    let other = ["/dev/shm", "/tmp", "/var/tmp"]
        .map(std::path::Path::new)
        .into_iter()
        .filter(|p| device(p).is_ok_and(|d| d != here))
        .find_map(|p| tempfile::tempdir_in(p).ok());
    let Some(other) = other else {
        skip(
            "F48",
            "this host has only one file system that can be written",
        );
        return;
    };
    let cache = other.path().join("cache");
    succeed(rig.add().env("XTOOL_CACHE_DIR", &cache));
    assert_eq!(rig.toolchains().len(), 1);
    assert_eq!(names(&cache.join("downloads/sha256")).len(), 1);
    rig.assert_tidy();
    // And the store on the other one.
    let rig = Rig::with(&server, &fakes);
    let home = other.path().join("home");
    succeed(rig.add().env("XTOOL_HOME", &home));
    assert_eq!(names(&home.join("staging")), [""; 0]);
}

/// F48's neighbour: a file system without locks (NFS without its lock daemon): a warning in the log, and every command
/// works, two at once too; each change is a rename.
#[test]
#[cfg(target_os = "linux")]
fn a_file_system_without_locks() {
    use super::rig::{finish, said, spawn};
    let fakes = [Fake::with_files("fake", 2000)];
    let serving = fakes[0].clone();
    let server = Server::new(move |r, _| serving.reply(r).pace(4096, Duration::from_millis(40)));
    for error in ["ENOLCK", "EOPNOTSUPP", "ENOSYS"] {
        let rig = Rig::with(&server, &fakes);
        let without_locks = |args: &[&str]| {
            let inject = format!("inject=flock:error={error}");
            let program = env!("CARGO_BIN_EXE_xtool");
            let mut all = vec!["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e"];
            all.extend([inject.as_str(), program]);
            all.extend(args);
            rig.program("strace", &all)
        };
        let add = ["add", TARGET, "--no-rust-std"];
        let children = [
            spawn(&mut without_locks(&add)),
            spawn(&mut without_locks(&add)),
        ];
        for child in children {
            let output = finish(child);
            assert!(output.status.success(), "{error}: {}", said(&output));
        }
        assert_eq!(rig.toolchains().len(), 1, "{error}");
        succeed(&mut without_locks(&["sync", "--locked", "--offline"]));
        succeed(&mut without_locks(&["update"]));
        succeed(&mut without_locks(&["remove", "--all"]));
        succeed(&mut without_locks(&["cache", "prune"]));
        succeed(&mut without_locks(&["cache", "clean"]));
        assert_eq!(rig.toolchains(), [""; 0]);
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // /proc/self is owned by whom the process runs as.
    fs_err::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}
