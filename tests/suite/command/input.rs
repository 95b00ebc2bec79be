//! What is typed, and what the files say.

use super::rig::{Fake, Rig, TARGET, fail, names, run, said, succeed};

/// F28: names that are no names are refused before any path is made of them.
#[test]
fn names_that_are_no_names() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let before = rig.project_files();
    let bad = [
        "..", ".", "/tmp/x", "a/b", "a\\b", "", "../x", "a\nb", "C:x", "-x",
    ];
    for name in bad {
        let at = format!("fake@{name}");
        for args in [
            &["add", "--", name][..],
            &["remove", "--", name],
            &["show", "--", name],
            &["env", "--", name],
            &["fetch", "--", name],
            &["add", TARGET, "--toolchain", &at],
        ] {
            let output = run(&mut rig.xtool(args));
            let code = output.status.code();
            assert!(matches!(code, Some(1 | 2)), "{args:?}: {}", said(&output));
            assert!(!said(&output).contains("panicked"), "{args:?}");
        }
        let toolchain = format!("--toolchain={name}");
        fail(
            &mut rig.xtool(&["add", TARGET, &toolchain]),
            &["help:", "not a valid"],
        );
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(rig.project_files(), before);
    assert_eq!(names(&rig.home().join("toolchains")), [""; 0]);
    assert_eq!(names(rig.env.root()), ["manifest.toml", "project", "user"]);
}

/// A toolchain's name with a slip in it, and one that builds for another target, with the manifest that xtool brings.
#[test]
fn a_toolchain_that_is_not_there_is_told_from_a_slip() {
    let rig = Rig::new();
    let windows = "x86_64-pc-windows-gnu";
    let add = |name: &str| {
        let mut add = rig.xtool(&["add", windows, "--no-rust-std", "--toolchain", name]);
        add.env_remove("XTOOL_MANIFEST");
        add
    };
    fail(
        &mut add("mingw64"),
        &[
            "Unknown toolchain `mingw64`. Did you mean `mingw-w64`?",
            "help: xtool add x86_64-pc-windows-gnu --toolchain mingw-w64   (there are: mingw-w64, zig)",
        ],
    );
    fail(
        &mut add("clang-cl-of-mine"),
        &[
            "Unknown toolchain `clang-cl-of-mine`\n",
            "there are: mingw-w64, zig",
        ],
    );
    fail(
        &mut add("osxcross"),
        &["The toolchain `osxcross` does not build for"],
    );
    assert!(!rig.project().join("xtool.toml").exists());
}

/// F28: the same from the lock and from xtool.toml.
#[test]
fn names_that_files_bring() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    succeed(&mut rig.add());
    let lock = fs_err::read_to_string(rig.env.path("project/xtool.lock")).unwrap();
    for (from, to) in [
        ("\"fake\"", "\"../../evil\""),
        ("\"fake\"", "\"fake/evil\""),
        ("\"fake\"", "\"fake/../../evil\""),
        ("version = \"1\"", "version = \"..\""),
        ("fake-1.tar.gz\"", "../../evil.tar.gz\""),
    ] {
        let hostile = lock.replace(from, to);
        assert_ne!(hostile, lock, "{from}: {lock}");
        rig.env.write("project/xtool.lock", hostile);
        let said = fail(&mut rig.xtool(&["sync"]), &["xtool.lock:"]);
        assert!(!said.contains("Installed"), "{said}");
    }
    rig.env.write("project/xtool.lock", lock);
    rig.env
        .write("project/xtool.toml", "[targets]\n\"../x\" = {}\n");
    fail(&mut rig.xtool(&["sync"]), &["xtool.toml:2"]);
    assert_eq!(rig.toolchains().len(), 1);
    assert_eq!(
        names(rig.env.root()),
        ["cache", "home", "manifest.toml", "project", "user"]
    );
}

/// F62: an unknown triple gets the nearest names; one that rustc knows is told apart.
#[test]
fn an_unknown_triple() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    for command in ["add", "show", "fetch"] {
        fail(
            &mut rig.xtool(&[command, "aarch64-unknown-linux-gn"]),
            &[TARGET, "help:"],
        );
    }
    let said = fail(
        &mut rig.xtool(&["add", "thumbv7em-none-eabi"]),
        &["rustc knows"],
    );
    assert!(said.contains("manifest"), "{said}");
    assert_eq!(server.connections(), 0);
}

/// An option that the toolchain cannot follow is refused before anything is asked for: with several targets, for the
/// last one too.
#[test]
fn a_glibc_that_cannot_be_is_refused_before_a_download() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let before = rig.project_files();
    let help = format!("help: xtool add {TARGET} --toolchain zig --glibc 2.30");
    fail(
        &mut rig.xtool(&["add", TARGET, "--glibc", "2.30"]),
        &[&help],
    );
    rig.env.write(
        "project/xtool.toml",
        format!("[targets]\n{TARGET} = {{ glibc = \"2.30\" }}\n"),
    );
    for args in [&["sync"][..], &["update"]] {
        fail(&mut rig.xtool(args), &[&help]);
    }
    assert_eq!(server.connections(), 0);
    fs_err::remove_file(rig.project().join("xtool.toml")).unwrap();

    // With the manifest that is compiled in; the sources that it names are out of reach.
    let gnu = "aarch64-unknown-linux-gnu";
    let musl = "aarch64-unknown-linux-musl";
    for (args, help) in [
        (&["add", gnu, "--glibc", "2.99"][..], "--glibc 2.4"),
        (&["add", gnu, "--glibc", "2.3"], "--glibc 2.17"),
        (
            &["add", gnu, "--glibc", "2.30", "--toolchain", "gnu-cross"],
            "--toolchain zig",
        ),
        (&["add", gnu, musl, "--glibc", "2.30"], "(without --glibc)"),
    ] {
        let mut command = rig.xtool(args);
        command
            .env_remove("XTOOL_MANIFEST")
            .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
            .env("HTTPS_PROXY", "http://127.0.0.1:9");
        let said = fail(&mut command, &["help: xtool add", help]);
        for step in ["Locating", "Downloading", "Fetching", "Resolving"] {
            assert!(!said.contains(step), "{args:?}: {said}");
        }
    }
    assert_eq!(rig.project_files(), before);
    assert!(!rig.cache().exists(), "nothing was begun");
}

/// F66: no HOME: with `XTOOL_HOME` it is not needed, and without it the error says what is.
#[test]
#[cfg(unix)]
fn without_a_home() {
    use std::os::unix::process::CommandExt as _;
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    succeed(rig.add().env_remove("HOME"));
    assert_eq!(rig.toolchains().len(), 1);

    // A relative path would put the store wherever one stands.
    fail(
        rig.add().env("XTOOL_HOME", "store"),
        &["XTOOL_HOME", "absolute"],
    );
    fail(
        rig.add().env("XTOOL_CACHE_DIR", "cache"),
        &["absolute", "help: export XTOOL_CACHE_DIR='"],
    );
    fail(
        rig.add().env_remove("XTOOL_HOME").env("HOME", "user"),
        &["HOME is `user`", "absolute"],
    );
    // A link that leads nowhere.
    #[cfg(unix)]
    {
        let link = rig.env.path("link");
        fs_err::os::unix::fs::symlink(rig.env.path("nowhere"), &link).unwrap();
        fail(
            rig.add().env("XTOOL_HOME", &link),
            &["a link that leads nowhere", "XTOOL_HOME"],
        );
    }
    assert!(!rig.project().join("store").exists());
    assert!(!rig.project().join("user").exists());

    let program = super::rig::program_for_others(&rig);
    let mut command = rig.program(program, &["list", "--installed"]);
    command
        .env_remove("HOME")
        .env_remove("XTOOL_HOME")
        .env_remove("XTOOL_CACHE_DIR");
    // The user database knows the home of most users; this one it does not know.
    command.uid(54321).gid(54321);
    match command.output() {
        Ok(output) => {
            let text = said(&output);
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(
                text.contains("XTOOL_HOME") && text.contains("help:"),
                "{text}"
            );
        }
        Err(e) => crate::support::skip("F66, a user without a home", &e.to_string()),
    }
}

/// F61: outside a cargo project: exit 1 with the way out.
#[test]
fn outside_a_project() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let nowhere = rig.env.path("user");
    for args in [
        &["add", TARGET][..],
        &["sync"],
        &["update"],
        &["remove", "--all"],
        &["cache", "key"],
    ] {
        fail(rig.xtool(args).current_dir(&nowhere), &["help:"]);
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(names(&nowhere), [""; 0]);
}

/// F68: a manifest with a fault: the file, the line, and what is expected; nothing is fetched or written.
#[test]
fn a_manifest_with_a_fault() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let good = fs_err::read_to_string(rig.env.path("manifest.toml")).unwrap();
    let digest = fake.digest().to_string();
    let cases: [(&str, &str, &[&str]); 9] = [
        (
            "family = \"gcc\"",
            "family = \"gcc\"\ncolour = 1",
            &["colour", "expected"],
        ),
        (&digest, &digest[..63], &["64"]),
        (
            "toolchains = [\"fake\"]",
            "toolchains = [\"fak\"]",
            &["fak", "fake", "expected"],
        ),
        (
            "family = \"gcc\"",
            "family = \"gccc\"",
            &["expected", "clang"],
        ),
        ("schema = 1", "schema = 2", &["schema"]),
        ("schema = 1", "schema = ", &["TOML"]),
        (
            "linker = \"bin/cc\"",
            "linker = \"../bin/cc\"",
            &["..", "expected"],
        ),
        ("http://", "ftp://", &["https"]),
        (
            "toolchains = [\"fake\"]",
            "toolchains = [\"fake\", \"fake\"]",
            &["twice"],
        ),
    ];
    for (from, to, words) in cases {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let line = bad
            .lines()
            .zip(good.lines())
            .position(|(b, g)| b != g)
            .unwrap();
        let path = rig.env.write("bad.toml", &bad);
        let mut command = rig.add();
        command.env("XTOOL_MANIFEST", &path);
        let said = fail(&mut command, words);
        let at = format!("{}:", path.display());
        let named: usize = said
            .split(&at)
            .nth(1)
            .and_then(|rest| rest.split(':').next()?.parse().ok())
            .unwrap_or_else(|| panic!("no line: {said}"));
        // Of a table that lacks something, the head is named.
        assert!(named <= line + 2, "line {named} for {line}: {said}");
    }
    fail(
        &mut rig.xtool(&["add", TARGET, "--manifest", "/nowhere/m.toml"]),
        &["/nowhere/m.toml", "help:"],
    );
    assert_eq!(server.connections(), 0);
    assert_eq!(names(&rig.home().join("toolchains")), [""; 0]);
}

/// F56: a configuration or settings file that is no TOML: file, line and column, and nothing is touched.
#[test]
fn a_project_file_that_is_no_toml() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    for file in [".cargo/config.toml", "xtool.toml", "xtool.lock"] {
        let rig = Rig::with(&server, std::slice::from_ref(&fake));
        rig.env
            .write(&format!("project/{file}"), "# fine\n[a]\nb = = 1\n");
        let before = rig.project_files();
        fail(&mut rig.add(), &[&format!("{file}:3:5")]);
        assert_eq!(rig.project_files(), before, "{file}");
    }
}

/// F54: the user's own linker for the triple: a conflict that names it, and nothing is changed, in no file of the
/// project; `--force` replaces it and `remove` brings it back.
#[test]
fn a_linker_of_the_users_own() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&server, std::slice::from_ref(&fake));
    let own = format!("[target.{TARGET}]\nlinker = \"my-ld\" # mine\n");
    rig.env.write("project/.cargo/config.toml", &own);
    let before = rig.project_files();
    fail(&mut rig.add(), &["my-ld", "linker", "--force"]);
    assert_eq!(rig.project_files(), before);
    assert_eq!(names(&rig.home().join("projects")), [""; 0]);
    succeed(rig.add().arg("--force"));
    assert_ne!(rig.project_files(), before);
    succeed(&mut rig.xtool(&["remove", TARGET]));
    assert_eq!(rig.project_files(), before);
}

/// What is no requirement is a mistake in the command line, and the valid ones are told.
#[test]
fn requirements_that_are_none() {
    let rig = Rig::new();
    let own = env!("CARGO_BIN_EXE_xtool");
    for (text, told) in [
        ("nosuch", "runs-on=SYSTEM"),
        ("nosuch<=1", "glibc<=V"),
        ("glibc<=x", "2.17"),
        ("arch=foo", "aarch64"),
        ("runs-on=foo", "alpine"),
        ("max-size=big", "MiB"),
    ] {
        let output = run(&mut rig.xtool(&["inspect", own, "--require", text]));
        assert_eq!(output.status.code(), Some(2), "{text}: {}", said(&output));
        assert!(said(&output).contains(told), "{text}: {}", said(&output));
    }
    let said = fail(&mut rig.xtool(&["inspect", "nosuch"]), &["nosuch", "help:"]);
    assert!(said.contains("target/<triple>"), "{said}");
}
