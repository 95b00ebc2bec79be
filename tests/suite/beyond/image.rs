//! A CI image as it is used: preloaded, copied with `cp -a`, mounted read-only, by another user without a network.

use std::path::Path;
use std::process::Command;

use crate::real::{Lab, project, succeed};
use crate::support::skip;

/// One of each family that zig links for; Windows' own with GCC besides, which compiles nothing at first use.
const EVERY_FAMILY: [&str; 6] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-gnu",
    "x86_64-pc-windows-gnullvm",
    "aarch64-apple-darwin",
    "wasm32-wasip1",
    "x86_64-pc-windows-gnu",
];

#[test]
fn a_preloaded_image_serves_jobs_that_have_nothing() {
    serves(
        "a_preloaded_image_serves_jobs_that_have_nothing",
        &["x86_64-unknown-linux-musl", "x86_64-pc-windows-gnu"],
    );
}

#[test]
#[ignore = "compiles every family's C libraries from nothing, minutes: scripts/test.sh image -- --ignored"]
fn a_preloaded_image_serves_every_family() {
    serves("a_preloaded_image_serves_every_family", &EVERY_FAMILY);
}

fn serves(test: &str, targets: &[&str]) {
    let lab = Lab::enter();
    if succeed(Command::new("id").arg("-u")).trim() != "0" {
        return skip(
            test,
            "not root, so nothing can be mounted and there is no second user",
        );
    }
    // Below /tmp: another user cannot enter every folder above a checkout.
    let dir = tempfile::Builder::new()
        .prefix("xtool-image-")
        .tempdir_in("/tmp")
        .unwrap();
    let dir = dir.path();
    succeed(Command::new("chmod").arg("755").arg(dir));
    let project = project("cmake", dir);
    let mut args = vec!["add", "--no-cargo"];
    args.extend(targets);
    succeed(&mut lab.xtool(&project, &args));

    let exe = dir.join("xtool");
    fs_err::copy(env!("CARGO_BIN_EXE_xtool"), &exe).unwrap();
    let layer = dir.join("opt/xtool");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/ci-preload.sh");
    let plain = lab.xtool(&project, &[]);
    let mut preload = Command::new(script);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => preload.env(name, value),
            None => preload.env_remove(name),
        };
    }
    succeed(
        preload
            .arg(&project)
            .env("XTOOL_HOME", &layer)
            .env("XTOOL_BIN", &exe),
    );
    for gone in ["bin", "shims", "projects"] {
        assert!(!layer.join(gone).exists(), "{gone}");
    }

    // Another layer of an image: other inodes, other file system, the same path.
    let copy = dir.join("copy");
    succeed(Command::new("cp").arg("-a").arg(&layer).arg(&copy));
    fs_err::remove_dir_all(&layer).unwrap();
    fs_err::create_dir(&layer).unwrap();
    let job = dir.join("job");
    fs_err::create_dir_all(job.join("project")).unwrap();
    fs_err::write(project.join("hello.c"), HELLO).unwrap();
    for file in ["xtool.toml", "xtool.lock", "words.c", "main.cc", "hello.c"] {
        fs_err::copy(project.join(file), job.join("project").join(file)).unwrap();
    }
    succeed(Command::new("chown").args(["-R", "65534:65534"]).arg(&job));
    fs_err::write(dir.join("job.sh"), JOB).unwrap();
    let said = succeed(
        Command::new("unshare")
            .args(["--mount", "--net", "--"])
            .args(["sh", "-euc", MOUNT, "sh"])
            .args([&copy, &layer, &dir.join("job.sh")])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("XTOOL_SYSTEM_HOME", &layer)
            .env("XTOOL_HOME", job.join("home"))
            .env("XTOOL", &exe)
            .env("HOME", &job)
            .env("TARGETS", targets.join(" "))
            .current_dir(job.join("project")),
    );
    // Every new thing in zig's cache is an object of the job's own sources.
    let built: Vec<&str> = said
        .lines()
        .filter_map(|l| l.strip_prefix("new: "))
        .collect();
    assert!(!built.is_empty(), "nothing was compiled: {said}");
    for file in built {
        let name = file.rsplit('/').next().unwrap_or_default();
        assert!(
            ["words", "main", "hello"].contains(&name.split('.').next().unwrap_or_default()),
            "{file} was compiled again: {said}"
        );
    }
}

const HELLO: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";

const MOUNT: &str = r#"
mount --bind "$1" "$2"
mount -o remount,ro,bind "$2"
! touch "$2/probe" 2>/dev/null
exec setpriv --reuid 65534 --regid 65534 --clear-groups -- sh -eu "$3"
"#;

const JOB: &str = r#"
"$XTOOL" sync --locked --offline
list() { find "$XTOOL_HOME/zig-cache" -path '*/o/*' -type f | sort; }
list >"$HOME/before"
for target in $TARGETS; do
  "$XTOOL" exec "$target" -- sh -euc '
    for strip in "" -Wl,--strip-debug; do
      $CC -c hello.c -o hello.o
      $CC hello.o $strip -o "hello-$1"
      # What zig has of WASI is built without exceptions.
      case $1 in wasm32-*) continue ;; esac
      $CC -c words.c -o words.o
      $CXX -c main.cc -o main.o
      $CXX main.o words.o $strip -o "greet-$1"
    done' sh "$target"
done
./greet-x86_64-unknown-linux-musl
list >"$HOME/after"
comm -13 "$HOME/before" "$HOME/after" | sed 's/^/new: /'
"#;
