//! `cache prune`, and folders that dead and living processes left.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::rig::{Fake, Rig, TARGET, finish, is_a, names, said, spawn, succeed, tree, until};

/// F49: prune keeps what a project uses, takes what none uses, and follows no link out of the store.
#[test]
fn prune_asks_the_projects_and_follows_no_link() {
    let fakes = [Fake::new("fake", 1000), Fake::new("other", 1000)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    succeed(&mut rig.add());
    succeed(&mut rig.outside(&["fetch", TARGET, "--toolchain", "other"]));
    let ids = rig.toolchains();
    assert_eq!(ids.len(), 2);
    // Somebody put links into the store that lead out of it: inside a toolchain, and in the place of one.
    let mine = rig.env.write("precious/file", "mine");
    let precious = mine.parent().unwrap().to_owned();
    let other = rig.home().join("toolchains").join(&ids[1]);
    std::os::unix::fs::symlink(&precious, other.join("out")).unwrap();
    std::os::unix::fs::symlink(&mine, other.join("lib/out")).unwrap();
    let shims = rig.home().join("shims");
    std::os::unix::fs::symlink(&precious, shims.join(format!("{}-{TARGET}-x", ids[1]))).unwrap();

    let before = tree(rig.env.root());
    succeed(&mut rig.xtool(&["cache", "prune", "--dry-run"]));
    assert_eq!(tree(rig.env.root()), before, "a dry run removes nothing");
    let said = succeed(&mut rig.xtool(&["cache", "prune"]));
    assert!(said.contains(&ids[1]) && !said.contains(&ids[0]), "{said}");
    assert_eq!(rig.toolchains(), [ids[0].clone()]);
    assert_eq!(names(&rig.home().join("toolchains")).len(), 2);
    assert_eq!(tree(&precious).len(), 1);
    rig.assert_tidy();

    // The whole toolchain replaced by a link.
    succeed(&mut rig.outside(&["fetch", TARGET, "--toolchain", "other"]));
    fs_err::remove_dir_all(&other).unwrap();
    std::os::unix::fs::symlink(&precious, &other).unwrap();
    succeed(&mut rig.xtool(&["cache", "prune"]));
    assert!(other.symlink_metadata().is_err());
    assert_eq!(tree(&precious).len(), 1);
    // Still whole.
    succeed(&mut rig.xtool(&["sync", "--locked", "--offline"]));
}

/// F49: a toolchain that no project names any more stays as long as a process runs from it or was told of it.
#[test]
#[cfg(target_os = "linux")]
fn prune_leaves_what_a_running_build_holds() {
    let slow = "#!/bin/sh\nexec \"$(dirname \"$0\")/sleep\" 30\n";
    let content = crate::unpack::build::Kind::File(slow.as_bytes().to_vec());
    let program = fs_err::read("/bin/sleep").unwrap();
    let fake = Fake::with(
        "fake",
        [
            crate::unpack::build::entry("bin/slow", content, 0o755),
            crate::unpack::build::entry(
                "bin/sleep",
                crate::unpack::build::Kind::File(program),
                0o755,
            ),
        ],
    );
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let manifest = fs_err::read_to_string(rig.env.path("manifest.toml")).unwrap();
    rig.env.write(
        "manifest.toml",
        manifest.replace("linker = \"bin/cc\"", "linker = \"bin/slow\""),
    );
    succeed(&mut rig.add());
    let config = fs_err::read_to_string(rig.project().join(".cargo/config.toml")).unwrap();
    let linker = config.split('"').find(|p| p.ends_with("/cc")).unwrap();
    let linker = linker.to_owned();
    succeed(&mut rig.xtool(&["remove", "--all"]));
    let ids = rig.toolchains();

    // A compiler that runs, by way of the shim; then a build script that has only been told of the shim.
    let compiler = spawn(&mut rig.program(&linker, &["-c", "x.c"]));
    let inside = rig.home().join("toolchains").join(&ids[0]);
    assert!(until(Duration::from_secs(10), || {
        fs_err::read_link(format!("/proc/{}/exe", compiler.id()))
            .is_ok_and(|exe| exe.starts_with(&inside))
    }));
    let told = spawn(rig.program("sleep", &["30"]).env("CC_aarch64", &linker));
    for mut build in [compiler, told] {
        let said = succeed(&mut rig.xtool(&["cache", "prune"]));
        assert!(said.contains(&ids[0]) && said.contains("in use"), "{said}");
        assert_eq!(rig.toolchains(), ids);
        build.kill().unwrap();
        build.wait().unwrap();
    }
    succeed(&mut rig.xtool(&["cache", "prune"]));
    assert_eq!(rig.toolchains(), [""; 0]);
}

/// F49: prune beside a command that installs and has not written down yet that its project uses it.
#[test]
fn prune_beside_an_add_takes_nothing_from_it() {
    let fake = Fake::with_files("fake", 3000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    // An add that is slow between installing and writing: its rustc takes a second.
    let rustc = rig.env.write("tools/rustc", "#!/bin/sh\nsleep 1\nexit 1\n");
    fs_err::set_permissions(&rustc, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        rig.env.path("tools").display(),
        std::env::var("PATH").unwrap()
    );
    let mut add = spawn(rig.add().env("PATH", path));
    let toolchains = rig.home().join("toolchains");
    assert!(until(Duration::from_secs(30), || names(&toolchains)
        .iter()
        .any(|n| is_a(n, "toml"))));
    while add.try_wait().unwrap().is_none() {
        succeed(&mut rig.xtool(&["cache", "prune"]));
    }
    let output = finish(add);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(rig.toolchains().len(), 1);
    succeed(&mut rig.xtool(&["sync", "--locked", "--offline"]));
}

/// F50: staging that a dead process left goes with the next install; a living one's stays.
#[test]
fn staging_of_the_dead_and_of_the_living() {
    let fakes = [Fake::new("fake", 1000), Fake::with_files("other", 60_000)];
    let server = Fake::serve(&fakes);
    let rig = Rig::with(&server, &fakes);
    let staging = rig.home().join("staging");
    // One that dies in the middle.
    let other = ["fetch", TARGET, "--toolchain", "other"];
    let mut dead = spawn(&mut rig.xtool(&other));
    assert!(until(Duration::from_secs(30), || !names(&staging).is_empty()));
    dead.kill().unwrap();
    dead.wait().unwrap();
    let left = names(&staging);
    assert_eq!(left.len(), 1);
    // One that lives, stopped so that it stays where it is.
    let living = spawn(&mut rig.xtool(&other));
    assert!(until(Duration::from_secs(30), || {
        names(&staging).iter().any(|n| !left.contains(n))
    }));
    super::rig::signal(&living, "STOP");
    succeed(&mut rig.xtool(&["fetch", TARGET]));
    let now = names(&staging);
    assert_eq!(
        now.len(),
        1,
        "the dead one's is gone, the living one's is there"
    );
    assert!(!left.contains(&now[0]));
    super::rig::signal(&living, "CONT");
    let output = finish(living);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(rig.toolchains().len(), 2);
    rig.assert_tidy();
}

/// F49's neighbour: a note of a project that cannot be read may stand for anything, so nothing is removed.
#[test]
fn prune_with_a_note_that_cannot_be_read() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    succeed(&mut rig.xtool(&["fetch", TARGET]));
    rig.env.write("home/projects/abc.toml", "not = [toml");
    super::rig::fail(&mut rig.xtool(&["cache", "prune"]), &["abc.toml", "help:"]);
    assert_eq!(rig.toolchains().len(), 1);
}

/// F49's neighbour: the store is named by a link or with a `.` in it, and the system tells of the program's real place.
#[test]
#[cfg(target_os = "linux")]
fn prune_knows_a_running_program_under_the_stores_other_names() {
    let program = fs_err::read("/bin/sleep").unwrap();
    let content = crate::unpack::build::Kind::File(program);
    let fake = Fake::with(
        "fake",
        [crate::unpack::build::entry("bin/sleep", content, 0o755)],
    );
    let server = Fake::serve(std::slice::from_ref(&fake));
    for dotted in [false, true] {
        let rig = Rig::with(&server, std::slice::from_ref(&fake));
        fs_err::create_dir_all(rig.home()).unwrap();
        let home = if dotted {
            rig.env.path("./home")
        } else {
            let link = rig.env.path("link");
            fs_err::os::unix::fs::symlink(rig.home(), &link).unwrap();
            link
        };
        let with = |args: &[&str]| {
            let mut command = rig.xtool(args);
            command.env("XTOOL_HOME", &home);
            command
        };
        succeed(&mut with(&["add", TARGET, "--no-rust-std"]));
        let ids = rig.toolchains();
        let sleep = rig
            .home()
            .join("toolchains")
            .join(&ids[0])
            .join("bin/sleep");
        let mut running = spawn(&mut rig.program(&sleep, &["30"]));
        succeed(&mut with(&["remove", "--all"]));
        let said = succeed(&mut with(&["cache", "prune"]));
        assert!(said.contains(&ids[0]) && said.contains("in use"), "{said}");
        assert_eq!(rig.toolchains(), ids);
        running.kill().unwrap();
        running.wait().unwrap();
        succeed(&mut with(&["cache", "prune"]));
        assert_eq!(rig.toolchains(), [""; 0]);
    }
}

/// F49's neighbour: a project on a disk that is not mounted keeps its toolchain; one that was removed does not, and that
/// is said.
#[test]
fn prune_tells_a_project_that_is_away_from_one_that_is_gone() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let (disk, inside) = (rig.env.path("disk"), rig.env.path("disk/project"));
    fs_err::create_dir(&disk).unwrap();
    fs_err::rename(rig.project(), &inside).unwrap();
    let run = |args: &[&str]| {
        let mut command = rig.xtool(args);
        command.current_dir(rig.env.path("user"));
        succeed(&mut command)
    };
    let mut add = rig.add();
    succeed(add.current_dir(&inside));
    let ids = rig.toolchains();
    let unmounted = rig.env.path("unmounted");
    fs_err::rename(&disk, &unmounted).unwrap();
    let said = run(&["cache", "prune"]);
    assert!(said.contains("is away") && said.contains("rm '"), "{said}");
    assert_eq!(rig.toolchains(), ids);
    fs_err::rename(&unmounted, &disk).unwrap();
    fs_err::remove_dir_all(&inside).unwrap();
    let said = run(&["cache", "prune"]);
    assert!(said.contains("is gone") && said.contains(&ids[0]), "{said}");
    assert_eq!(rig.toolchains(), [""; 0]);
}
