//! What build systems ask a compiler about itself before they use it.

use super::{Lab, succeed};

#[test]
fn a_compiler_with_a_glibc_floor_answers() {
    let lab = Lab::enter();
    let triple = "aarch64-unknown-linux-gnu";
    let folder = lab.dir.path();
    succeed(&mut lab.xtool(folder, &["add", "--no-cargo", triple, "--toolchain", "zig"]));
    for (question, answer) in [
        ("--version", "clang version"),
        ("-v", "Target: aarch64-unknown-linux-gnu\n"),
        ("-dumpmachine", "aarch64-unknown-linux-gnu\n"),
        ("-dumpversion", "20."),
        ("-print-search-dirs", "programs:"),
    ] {
        let ask = format!("$CC {question} 2>&1");
        let said = succeed(&mut lab.xtool(folder, &["exec", triple, "--", "sh", "-c", &ask]));
        assert!(
            said.contains(answer) && !said.contains("error"),
            "{question}: {said}"
        );
    }
}

#[test]
fn what_the_user_set_for_the_target_stays() {
    let lab = Lab::enter();
    let triple = "aarch64-unknown-linux-gnu";
    let folder = lab.dir.path();
    succeed(&mut lab.xtool(folder, &["add", "--no-cargo", triple, "--toolchain", "zig"]));
    let script = "echo \"$CC_aarch64_unknown_linux_gnu|$CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER|$CC|$PKG_CONFIG_PATH\"";
    let mut command = lab.xtool(folder, &["exec", triple, "--", "sh", "-c", script]);
    let said = succeed(
        command
            .env("CC_aarch64_unknown_linux_gnu", "/my/cc")
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", "/my/run")
            // These two are the host's.
            .env("CC", "/host/cc")
            .env("PKG_CONFIG_PATH", "/usr/lib/pkgconfig"),
    );
    // What is said of the target goes for the plain name too, under which `configure` looks.
    assert_eq!(said.trim_end(), "/my/cc|/my/run|/my/cc|");
    let mut command = lab.xtool(folder, &["exec", triple, "--", "sh", "-c", script]);
    let said = succeed(
        command
            .env("CC", "/host/cc")
            .env("PKG_CONFIG_PATH", "/usr/lib/pkgconfig")
            .env("PKG_CONFIG_PATH_aarch64_unknown_linux_gnu", "/my/pkgconfig"),
    );
    let parts: Vec<&str> = said.trim_end().split('|').collect();
    assert!(parts[2].contains("/shims/"), "{said}");
    assert_eq!(parts[3], "/my/pkgconfig");
    // What an earlier `xtool env` gave is not the user's: another floor is another folder.
    let old = lab.home().join("shims/old/cc");
    let mut command = lab.xtool(folder, &["exec", triple, "--", "sh", "-c", script]);
    let said = succeed(command.env("CC_aarch64_unknown_linux_gnu", &old));
    assert!(!said.starts_with(old.to_str().unwrap()), "{said}");
}
