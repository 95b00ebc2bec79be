//! What a clone's own repository, toolchain file, workspace and links would make a command do.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::rig::{Fake, Rig, TARGET, fail, names, run, said, succeed, tree};
use crate::support::server::Server;
use crate::support::stub_sdk;

/// A user with a toolchain to be had.
fn rig() -> (Rig, Server) {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    fs_err::create_dir(rig.env.path("traces")).unwrap();
    (rig, server)
}

/// A program that leaves a trace, and what was said when it ran.
fn program(rig: &Rig, file: &str) -> PathBuf {
    let trace = rig.env.path("traces").join(file.replace('/', "-"));
    let script = format!("#!/bin/sh\ntouch '{}'\nexit 1\n", trace.display());
    let path = rig.env.write(file, script);
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[track_caller]
fn assert_nothing_ran(rig: &Rig, what: &str) {
    assert_eq!(names(&rig.env.path("traces")), [""; 0], "{what}");
}

/// git, as the attacker runs it.
fn git(rig: &Rig, folder: &Path, args: &[&str]) -> String {
    let mut command = rig.program("git", &["-c", "user.name=a", "-c", "user.email=a@b"]);
    succeed(command.args(args).current_dir(folder))
}

/// A repository from which a folder's tree is missing, to be fetched by a program of its own as soon as git expands
/// the sparse index that names it.
fn lazy_repository(rig: &Rig, folder: &str) -> PathBuf {
    let at = rig.env.path(folder);
    program(rig, &format!("{folder}/evil.sh"));
    for (file, text) in [
        (
            "Cargo.toml",
            "[package]\nname = \"p\"\nversion = \"0.1.0\"\n[workspace]\n",
        ),
        ("src/main.rs", "fn main() {}\n"),
        ("d/e/f", "x\n"),
        (".cargo/config.toml", "[build]\njobs = 1\n"),
    ] {
        rig.env.write(&format!("{folder}/{file}"), text);
    }
    git(rig, &at, &["init", "-q", "."]);
    git(rig, &at, &["add", "-A"]);
    git(rig, &at, &["commit", "-qm", "x"]);
    git(
        rig,
        &at,
        &["sparse-checkout", "init", "--cone", "--sparse-index"],
    );
    git(rig, &at, &["sparse-checkout", "set", "src"]);
    let object = git(rig, &at, &["rev-parse", "HEAD:d"]).trim().to_owned();
    fs_err::remove_file(
        at.join(".git/objects")
            .join(&object[..2])
            .join(&object[2..]),
    )
    .unwrap();
    let monitor = at.join("evil.sh").display().to_string();
    for (key, value) in [
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", "ext::/proc/self/cwd/evil.sh"),
        ("protocol.ext.allow", "always"),
        ("core.fsmonitor", &monitor),
        ("core.pager", &monitor),
    ] {
        git(rig, &at, &["config", key, value]);
    }
    at
}

/// F28's neighbour: no program of a repository's is run, whether its configuration came in an unpacked archive or in
/// a bare repository that is a folder of an ordinary clone.
#[test]
fn a_repositorys_own_programs_do_not_run() {
    let (rig, _server) = rig();
    let lazy = lazy_repository(&rig, "lazy");
    // The attacker's own git runs the monitor.
    let clear = || fs_err::remove_dir_all(rig.env.path("traces")).unwrap();
    clear();
    fs_err::create_dir(rig.env.path("traces")).unwrap();
    let said = succeed(rig.add().current_dir(&lazy));
    assert_nothing_ran(&rig, &said);

    let outer = rig.env.path("outer");
    let sub = outer.join("sub");
    fs_err::create_dir_all(&sub).unwrap();
    git(&rig, &outer, &["init", "-q", "."]);
    let copied = rig
        .program(
            "cp",
            &[
                "-r",
                "../lazy/.git/.",
                "../lazy/src",
                "../lazy/Cargo.toml",
                "../lazy/evil.sh",
                "../outer/sub",
            ],
        )
        .current_dir(&lazy)
        .status();
    assert!(copied.unwrap().success());
    git(
        &rig,
        &sub,
        &["config", "-f", "config", "core.bare", "false"],
    );
    git(
        &rig,
        &sub,
        &["config", "-f", "config", "core.worktree", "."],
    );
    rig.env
        .write("outer/sub/.cargo/config.toml", "[build]\njobs = 1\n");
    git(&rig, &outer, &["add", "-Af", "sub"]);
    git(&rig, &outer, &["commit", "-qm", "x"]);
    git(&rig, rig.env.root(), &["clone", "-q", "outer", "victim"]);
    clear();
    fs_err::create_dir(rig.env.path("traces")).unwrap();
    let said = succeed(rig.add().current_dir(rig.env.path("victim/sub")));
    assert_nothing_ran(&rig, &said);
}

/// F28's neighbour: whatever PATH has in it, nothing of the project's is taken for git.
#[test]
fn no_git_of_the_projects_runs() {
    let (rig, _server) = rig();
    program(&rig, "project/git");
    program(&rig, "project/bin/git");
    rig.env.write("project/.git/HEAD", "ref: refs/heads/main\n");
    for (file, text) in [("index", "not an index"), ("config", "[core\n")] {
        rig.env.write(&format!("project/.git/{file}"), text);
    }
    let path = std::env::var("PATH").unwrap();
    for careless in [".:", ":", "bin:", "./bin:", "/proc/self/cwd:"] {
        for args in [&["add", TARGET, "--no-rust-std"][..], &["remove", "--all"]] {
            let mut command = rig.xtool(args);
            let said = succeed(command.env("PATH", format!("{careless}{path}")));
            assert_nothing_ran(&rig, &format!("{careless} {args:?}: {said}"));
        }
    }
}

/// A folder that rustup would take for a toolchain, whose programs leave a trace.
fn toolchain(rig: &Rig, folder: &str) -> PathBuf {
    fs_err::create_dir_all(rig.env.path(folder).join("lib")).unwrap();
    for tool in ["rustc", "cargo"] {
        program(rig, &format!("{folder}/bin/{tool}"));
    }
    rig.env.path(folder)
}

/// F28's neighbour: a toolchain file with a path is asked about in each of its forms, and wherever in the clone it
/// is, before its rustc runs.
#[test]
fn no_rustc_of_a_toolchain_file_runs() {
    let toml = "[toolchain]\npath = \"PATH\"\n";
    for (file, text, folder) in [
        ("rust-toolchain", "PATH", "project"),
        ("rust-toolchain", "  PATH\n", "project"),
        ("rust-toolchain", toml, "project"),
        ("rust-toolchain.toml", toml, "project"),
        ("rust-toolchain.toml", "toolchain.path = 'PATH'", "project"),
        ("rust-toolchain", "PATH\n", "project/sub"),
        ("rust-toolchain.toml", toml, "project/sub"),
    ] {
        let (rig, _server) = rig();
        let path = toolchain(&rig, "project/ev=il");
        rig.env.write(
            &format!("project/{file}"),
            text.replace("PATH", path.to_str().unwrap()),
        );
        rig.env.write(
            "project/sub/Cargo.toml",
            "[package]\nname = \"s\"\nversion = \"0.1.0\"\n[workspace]\n",
        );
        rig.env.write("project/sub/src/lib.rs", "");
        let xtool = |args: &[&str]| {
            let mut command = rig.xtool(args);
            command.current_dir(rig.env.path(folder));
            // cargo sets it for tests, and it is stronger than the file.
            command.env_remove("RUSTUP_TOOLCHAIN");
            command
        };
        for args in [
            &["add", TARGET][..],
            &["add", TARGET, "--no-rust-std"],
            &["doctor"],
            &["verify", TARGET],
        ] {
            let what = said(&run(&mut xtool(args)));
            assert_nothing_ran(&rig, &format!("{file} {text:?} {args:?}: {what}"));
        }
        fail(&mut xtool(&["add", TARGET]), &[file, "ev=il", "--trust"]);
        // Once it is allowed it does, or this test shows nothing.
        run(&mut xtool(&["add", TARGET, "--trust"]));
        let ran = names(&rig.env.path("traces"));
        assert!(!ran.is_empty() || !rustup_is_here(), "{file} {text:?}");
    }
}

/// Whether the `rustc` in PATH is rustup's, which reads toolchain files.
fn rustup_is_here() -> bool {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .find(|dir| dir.join("rustc").is_file())
        .is_some_and(|dir| dir.join("rustup").is_file())
}

/// F61's neighbour: `package.workspace` moves the project to another folder only if that is a workspace with this
/// package in it, and out of the checkout only with consent.
#[test]
fn a_clone_does_not_name_the_users_folder_as_the_project() {
    let package = |named: &str| {
        format!("[package]\nname = \"p\"\nversion = \"0.1.0\"\nworkspace = \"{named}\"\n")
    };
    let commands = [&["add", TARGET, "--no-rust-std"][..], &["remove", "--all"]];
    for (theirs, consent) in [
        (None, false),
        (
            Some("[package]\nname = \"u\"\nversion = \"0.1.0\"\n"),
            false,
        ),
        (Some("[workspace]\nmembers = [\"other\"]\n"), false),
        (Some("[workspace]\nmembers = [\"../project\"]\n"), true),
    ] {
        let (rig, _server) = rig();
        rig.env
            .write("user/.cargo/config.toml", "[build]\njobs = 2\n");
        if let Some(text) = theirs {
            rig.env.write("user/Cargo.toml", text);
        }
        let before = tree(&rig.env.path("user"));
        std::os::unix::fs::symlink("../user", rig.project().join("link")).unwrap();
        rig.env.write("project/.git/HEAD", "ref: refs/heads/main\n");
        let user = rig.env.path("user").display().to_string();
        for named in ["../user", "./../project/../user/.", "link", &user] {
            rig.env.write("project/Cargo.toml", package(named));
            for args in &commands {
                let why = if consent {
                    "--trust"
                } else {
                    "package.workspace"
                };
                fail(&mut rig.xtool(args), &["Cargo.toml", why]);
                assert_eq!(tree(&rig.env.path("user")), before, "{named} {args:?}");
            }
        }
        if consent {
            succeed(rig.add().arg("--trust"));
            assert_ne!(tree(&rig.env.path("user")), before);
            succeed(&mut rig.xtool(&["remove", "--all"]));
            assert_eq!(tree(&rig.env.path("user")), before);
        }
    }
    // In the same checkout it is what was cloned.
    let (rig, _server) = rig();
    rig.env.write(
        "user/Cargo.toml",
        "[workspace]\nmembers = [\"../project\"]\n",
    );
    rig.env.write("project/Cargo.toml", package("../user"));
    fs_err::create_dir(rig.env.path(".git")).unwrap();
    succeed(&mut rig.add());
    assert!(rig.env.path("user/.cargo/config.toml").is_file());
}

/// F57's neighbour: through a link that leads out of the project nothing is written, emptied or deleted before its
/// user said `--trust`, not by `remove` either.
#[test]
fn no_command_writes_through_a_link_out_of_the_project() {
    let shim = format!("/v/shims/zig-1-8063164a-{TARGET}-00c0ffee/cc");
    let ours = format!("[target.{TARGET}]\nlinker = \"{shim}\"\n");
    let targets = format!("[targets.{TARGET}]\n");
    for (link, to, file, text) in [
        (".cargo", "../victim", "config.toml", ours.as_str()),
        (
            ".cargo/config.toml",
            "../../victim/precious",
            "precious",
            &ours,
        ),
        (".cargo/config", "../../victim/precious", "precious", &ours),
        (
            ".cargo/xtool.toml",
            "../../victim/precious",
            "precious",
            &ours,
        ),
        (
            ".cargo/.gitignore",
            "../../victim/precious",
            "precious",
            "keep\n",
        ),
        (
            ".cargo/.gitignore",
            "../.git/info/exclude",
            "precious",
            "keep\n",
        ),
        ("xtool.toml", "../victim/precious", "precious", &targets),
        (
            "xtool.lock",
            "../victim/precious",
            "precious",
            "version = 1\n",
        ),
    ] {
        let (rig, _server) = rig();
        rig.env.write(&format!("victim/{file}"), text);
        rig.env.write("project/.git/info/exclude", "");
        rig.env.write("project/.git/HEAD", "ref: refs/heads/main\n");
        if link.starts_with(".cargo/") {
            rig.env.write("project/.cargo/audit.toml", "");
        }
        let path = rig.project().join(link);
        std::os::unix::fs::symlink(to, &path).unwrap();
        let all = || (tree(&rig.env.path("victim")), tree(&rig.project()));
        let before = all();
        for args in [
            &["add", TARGET, "--no-rust-std"][..],
            &["add", TARGET, "--no-rust-std", "--force"],
            &["sync"],
            &["update"],
            &["remove", TARGET],
            &["remove", "--all"],
        ] {
            let output = run(&mut rig.xtool(args));
            assert_eq!(all(), before, "{link} {args:?}: {}", said(&output));
        }
        fail(&mut rig.xtool(&["remove", "--all"]), &[link, "--trust"]);
        succeed(&mut rig.xtool(&["remove", "--all", "--trust"]));
        succeed(&mut rig.xtool(&["remove", "--all"]));
    }
}

/// F53's neighbour: a project whose path is not UTF-8 is refused before anything is written. Its record would be
/// another project's, so that `remove` could not bring the user's linker back and `prune` took what it uses.
#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let (rig, _server) = rig();
    let odd = rig.env.root().join(std::ffi::OsStr::from_bytes(b"n\xff"));
    let config = odd.join(".cargo/config.toml");
    fs_err::create_dir_all(odd.join(".cargo")).unwrap();
    fs_err::copy(rig.project().join("Cargo.toml"), odd.join("Cargo.toml")).unwrap();
    fs_err::write(&config, format!("[target.{TARGET}]\nlinker = \"my-own\"\n")).unwrap();
    let before = tree(&odd);
    for args in [
        &["add", TARGET, "--no-rust-std"][..],
        &["add", TARGET, "--no-rust-std", "--force"],
        &["add", TARGET, "--no-rust-std", "--no-cargo"],
        &["sync"],
        &["remove", "--all"],
    ] {
        fail(
            rig.xtool(args).current_dir(&odd),
            &["UTF-8", "help: rename"],
        );
        assert_eq!(tree(&odd), before, "{args:?}");
    }
    assert_eq!(names(&rig.home().join("projects")), [""; 0]);
}

/// F67's neighbour: what a clone calls its files and folders cannot forge the question about them.
#[test]
fn the_question_cannot_be_forged() {
    let (rig, _server) = rig();
    let evil = "x`\n\u{1b}[2K\u{1b}[1Ahelp: all is well \u{202e}, pass --trust";
    let quoted = "x`\\n\\u001b[2K\\u001b[1Ahelp: all is well \\u202e, pass --trust";
    rig.env.write(&format!("victim/{evil}"), "");
    rig.env.write(
        &format!("project/{evil}/Cargo.toml"),
        "[package]\nname = \"p\"\nversion = \"0.1.0\"\n",
    );
    let sha = Fake::new("fake", 1000).digest();
    let lock = |path: &str| {
        format!(
            "version = 1\n[[entry]]\ntarget = \"{TARGET}\"\nhost = \"x86_64-unknown-linux-gnu\"\ntoolchain = \"fake\"\nversion = \"1\"\nfamily = \"gcc\"\nsources = [{{ path = \"{path}\", file = \"a.tar.gz\", sha256 = \"{sha}\" }}]\n"
        )
    };
    let folder = rig.project().join(evil);
    fs_err::write(folder.join("xtool.toml"), format!("[targets.{TARGET}]\n")).unwrap();
    fs_err::create_dir(folder.join(".cargo")).unwrap();
    for case in 0..3 {
        let file = match case {
            0 => {
                fs_err::write(folder.join("xtool.lock"), lock(&format!("/tmp/{quoted}"))).unwrap();
                folder.join("xtool.lock")
            }
            1 => {
                let link = folder.join(".cargo/config.toml");
                std::os::unix::fs::symlink(rig.env.path(&format!("victim/{evil}")), &link).unwrap();
                link
            }
            _ => {
                let file = folder.join("rust-toolchain.toml");
                fs_err::write(&file, format!("[toolchain]\npath = \"/{quoted}\"\n")).unwrap();
                file
            }
        };
        let mut sync = rig.xtool(&["--color", "always", "sync"]);
        let said = fail(sync.current_dir(&folder), &["--trust", "consent"]);
        assert!(
            !said.contains("\u{1b}[2K") && !said.contains('\u{202e}'),
            "{said:?}"
        );
        // What asks, what is asked, and the help.
        assert_eq!(said.lines().count(), 3, "{said}");
        fs_err::remove_file(file).unwrap();
    }
    // Other messages have no commands for a terminal in them either.
    fs_err::write(folder.join(".cargo/config.toml"), "broken").unwrap();
    let mut add = rig.xtool(&["--color", "always", "add", TARGET, "--no-rust-std"]);
    let said = fail(add.current_dir(&folder), &["config.toml", "\\u{1b}[2K"]);
    assert!(!said.contains("\u{1b}[2K"), "{said:?}");
}

/// F28's neighbour: an SDK that `xtool.toml` names by its path may be the clone's own. What the user typed is not asked
/// about again, but in another checkout it is.
#[test]
fn an_sdk_by_its_path_needs_consent() {
    const MAC: &str = "aarch64-apple-darwin";
    let (rig, _server) = rig();
    let manifest = rig.env.path("manifest.toml");
    let text = fs_err::read_to_string(&manifest).unwrap();
    fs_err::write(&manifest, text.replace(TARGET, MAC)).unwrap();
    stub_sdk(&rig.env.path("project/evil.sdk"));
    let sdk = rig.env.path("project/evil.sdk").display().to_string();
    let targets =
        |sdk: &str| format!("[targets]\n{MAC} = {{ sdk = \"{sdk}\", rust-std = \"none\" }}\n");
    for (sdk, asks) in [
        ("/proc/self/cwd/evil.sdk", true),
        (sdk.as_str(), true),
        ("MacOSX14.5", false),
    ] {
        rig.env.write("project/xtool.toml", targets(sdk));
        let mut sync = rig.xtool(&["sync"]);
        if asks {
            fail(&mut sync, &["xtool.toml", sdk, "--trust"]);
        } else {
            // The store's by its name, which this one does not have.
            let said = fail(&mut sync, &[sdk]);
            assert!(!said.contains("--trust"), "{said}");
        }
    }
    fs_err::remove_file(rig.project().join("xtool.toml")).unwrap();
    succeed(&mut rig.xtool(&["add", MAC, "--no-rust-std", "--sdk", &sdk]));
    succeed(&mut rig.xtool(&["sync"]));
    let copy = rig.env.path("copy");
    fs_err::create_dir(&copy).unwrap();
    for name in ["Cargo.toml", "xtool.toml", "xtool.lock"] {
        fs_err::copy(rig.project().join(name), copy.join(name)).unwrap();
    }
    fail(
        rig.xtool(&["sync"]).current_dir(&copy),
        &["evil.sdk", "--trust"],
    );
}
