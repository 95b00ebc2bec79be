//! A hostile clone: everything that a checkout can bring along, and no command of ours that acts on it.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::rig::{Fake, Rig, TARGET, manifest, names, run, said, succeed};
use crate::support::server::{Reply, Server};

/// What the clone would like to run or fetch.
struct Clone {
    rig: Rig,
    /// The hostile server.
    evil: Server,
    /// The user's own.
    good: Server,
}

const COMMANDS: &[&[&str]] = &[
    &["add", TARGET],
    &["add", TARGET, "--force"],
    &["add", "x86_64-unknown-linux-musl"],
    &["add", "thumbv7em-none-eabi"],
    &["add", TARGET, "--toolchain", "evil"],
    &["add", TARGET, "--build-std"],
    &["sync"],
    &["sync", "--locked"],
    &["sync", "--force"],
    &["update"],
    &["update", TARGET],
    &["fetch"],
    &["fetch", "--locked"],
    &["fetch", TARGET, "--toolchain", "evil"],
    &["list"],
    &["list", "--json"],
    &["list", "--installed"],
    &["show", TARGET],
    &["show", TARGET, "--json"],
    &["show", "thumbv7em-none-eabi"],
    &["env", TARGET],
    &["env", TARGET, "--format", "json"],
    &["cache"],
    &["cache", "dir"],
    &["cache", "key"],
    &["cache", "prune"],
    &["cache", "clean"],
    &["completions", "bash"],
    &["man"],
    &["doctor"],
    &["doctor", "--json"],
    &["verify", TARGET],
    &["exec", TARGET, "--", "true"],
    &["mirror", "mirrored"],
    &["inspect", "Cargo.toml"],
    &["sdk", "list"],
    &["remove", TARGET],
    &["remove", "--all"],
];

impl Clone {
    fn new() -> Self {
        let fake = Fake::new("fake", 1000);
        let good = Fake::serve(std::slice::from_ref(&fake));
        let rig = Rig::with(&good, std::slice::from_ref(&fake));
        let evil_fake = Fake::new("evil", 1000);
        let archive = evil_fake.archive.clone();
        let evil = Server::new(move |_, _| Reply::ok(archive.clone()));

        let url = evil.url(&evil_fake.file()).to_string();
        let clone = Self { rig, evil, good };
        clone.write(
            "xtool.toml",
            &format!(
                "[targets]\n\"{TARGET}\" = {{ toolchain = \"evil\", runner = \"{}\" }}\n",
                clone.canary("runner")
            ),
        );
        // Its own toolchain, and the user's under another address.
        clone.write(
            "toolchains.toml",
            &manifest(&[(&evil_fake, std::slice::from_ref(&url))]),
        );
        clone.write_lock(&fake, &evil_fake, &url);
        clone.plant_for_cargo();
        clone.plant_for_clients();
        clone
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        self.rig.env.write(&format!("project/{file}"), text)
    }

    /// A program in the clone that leaves a trace when it runs.
    fn program(&self, file: &str) -> String {
        let traces = self.rig.env.path("canaries");
        fs_err::create_dir_all(&traces).unwrap();
        let trace = traces.join(file.replace('/', "-"));
        let path = self.write(
            file,
            &format!("#!/bin/sh\ntouch '{}'\nexit 1\n", trace.display()),
        );
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    fn canary(&self, name: &str) -> String {
        self.program(&format!("evil/{name}"))
    }

    /// Toolchain files, at the root and in the member, and everything of cargo's that names a program or a server.
    fn plant_for_cargo(&self) {
        for folder in ["", "member/"] {
            // rustup takes an absolute path only, and of a folder that has `lib`: what a clone into a known place,
            // such as a CI's, can say.
            let rust = self.rig.project().join(folder).join("evil-rust");
            fs_err::create_dir_all(rust.join("lib")).unwrap();
            self.write(
                &format!("{folder}rust-toolchain.toml"),
                &format!("[toolchain]\npath = \"{}\"\n", rust.display()),
            );
            for tool in ["rustc", "cargo", "rustdoc"] {
                self.program(&format!("{folder}evil-rust/bin/{tool}"));
            }
        }
        self.write(
            "member/Cargo.toml",
            "[package]\nname = \"m\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        );
        self.write("member/src/lib.rs", "");
        self.write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"member\"]\n[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\nbuild = \"build.rs\"\n",
        );
        self.write(
            "build.rs",
            "fn main() { std::fs::write(\"../canaries/build.rs\", \"\").unwrap(); }\n",
        );
        self.write(
            ".cargo/config.toml",
            &format!(
                "[build]\nrustc = \"{0}\"\nrustc-wrapper = \"{0}\"\nrustc-workspace-wrapper = \"{0}\"\nrustdoc = \"{0}\"\n\
                 [target.{TARGET}]\nlinker = \"{1}\"\nrunner = \"{1}\"\n[target.'cfg(all())']\nrunner = \"{1}\"\n\
                 [registry]\nglobal-credential-providers = [\"{2}\"]\n[credential-alias]\nx = \"{2}\"\n\
                 [alias]\nmetadata = \"run\"\nversion = \"run\"\n\
                 [http]\nproxy = \"{3}\"\n[source.x]\nregistry = \"http://{3}/index\"\n[env]\nPATH = \"evil\"\nRUSTC = \"{0}\"\n",
                self.canary("rustc-of-cargo"),
                self.canary("linker-of-cargo"),
                self.canary("credentials"),
                self.evil.authority(),
            ),
        );
    }

    /// What an interpreter, a package client or a search in PATH would take from the folder that it is started in.
    fn plant_for_clients(&self) {
        let traces = self.rig.env.path("canaries");
        let python = format!("open('{}/python', 'w')\n", traces.display());
        for module in [
            "pip.py",
            "ensurepip/__init__.py",
            "sitecustomize.py",
            "usercustomize.py",
            "json.py",
            "member/pip.py",
            "member/sitecustomize.py",
        ] {
            self.write(module, &python);
        }
        let server = self.evil.authority();
        self.write(
            "pip.conf",
            &format!("[global]\nindex-url = http://{server}/simple\n"),
        );
        self.write(
            "uv.toml",
            &format!("index-url = \"http://{server}/simple\"\n"),
        );
        self.write(
            "apt.conf",
            &format!("Acquire::http::Proxy \"http://{server}\";\n"),
        );
        for tool in [
            "python3",
            "pip",
            "pip3",
            "apt-get",
            "apt-cache",
            "rustc",
            "cargo",
            "rustup",
            "git",
            "wine",
            "qemu-aarch64",
            "cc",
            "zig",
        ] {
            self.program(tool);
        }
    }

    /// A lock that names the user's toolchain with the clone's address and digest.
    fn write_lock(&self, fake: &Fake, evil: &Fake, url: &str) {
        let model = Rig::new();
        let server = Fake::serve(std::slice::from_ref(fake));
        model.serve_from(&server, std::slice::from_ref(fake));
        succeed(&mut model.xtool(&["add", TARGET, "--no-rust-std"]));
        let lock = fs_err::read_to_string(model.project().join("xtool.lock")).unwrap();
        let hostile = lock
            .replace(server.url(&fake.file()).as_str(), url)
            .replace(&fake.digest().to_string(), &evil.digest().to_string())
            .replace(
                &format!("size = {}", fake.archive.len()),
                &format!("size = {}", evil.archive.len()),
            );
        assert_ne!(lock, hostile);
        self.rig.env.write("project/xtool.lock", hostile);
    }

    #[track_caller]
    fn assert_untouched(&self, after: &str) {
        assert_eq!(names(&self.rig.env.path("canaries")), [""; 0], "{after}");
        assert_eq!(self.evil.connections(), 0, "{after}: it connected");
        assert_eq!(self.rig.toolchains(), [""; 0], "{after}: it installed");
    }
}

/// F27, F28: no command runs or fetches anything that a clone brings, at its root or in a member, before its user
/// said `--trust`.
#[test]
fn no_command_acts_for_a_hostile_clone() {
    for (folder, careless) in [("", false), ("member", false), ("", true), ("member", true)] {
        let clone = Clone::new();
        for args in COMMANDS {
            let mut command = clone.rig.xtool(args);
            command.current_dir(clone.rig.project().join(folder));
            // cargo sets it for tests, and it is stronger than the clone's rust-toolchain.toml.
            command.env_remove("RUSTUP_TOOLCHAIN");
            if careless {
                // Empty parts of PATH, and `.`, are the current folder: no place of tools.
                command.env("PATH", format!(":.:{}", std::env::var("PATH").unwrap()));
            }
            let output = run(&mut command);
            let what = format!("{folder}: {args:?}: {}", said(&output));
            assert!(!what.contains("panicked"), "{what}");
            clone.assert_untouched(&what);
        }
        assert_eq!(
            clone.good.connections(),
            0,
            "nor from the user's own server"
        );
    }
}

/// What a clone brings that no consent is asked for, since xtool takes no notice of it: cargo's own programs and
/// proxies, tools and modules beside the project's files, a toolchain file in a member. An `add` at the root and in
/// the member goes well, and none of it runs.
#[test]
fn what_needs_no_consent_is_not_run_either() {
    for (folder, careless) in [("", false), ("member", false), ("", true), ("member", true)] {
        let clone = Clone::new();
        for file in [
            "xtool.toml",
            "toolchains.toml",
            "xtool.lock",
            "rust-toolchain.toml",
        ] {
            fs_err::remove_file(clone.rig.project().join(file)).unwrap();
        }
        for args in [
            &["add", TARGET, "--no-rust-std", "--force"][..],
            &["sync"],
            &["update"],
            &["env", TARGET],
            &["add", "thumbv7em-none-eabi"],
            &["add", TARGET, "--build-std", "--force"],
            &["remove", "--all"],
        ] {
            let mut command = clone.rig.xtool(args);
            command.current_dir(clone.rig.project().join(folder));
            if careless {
                command.env("PATH", format!(":.:{}", std::env::var("PATH").unwrap()));
            }
            let output = run(&mut command);
            let what = format!("{folder} {careless} {args:?}: {}", said(&output));
            assert_eq!(names(&clone.rig.env.path("canaries")), [""; 0], "{what}");
            assert_eq!(clone.evil.connections(), 0, "{what}");
            // The others want what this host may lack: a library source, an unknown triple's toolchain.
            let must =
                !args.contains(&"--build-std") && args.last() != Some(&"thumbv7em-none-eabi");
            assert!(output.status.success() || !must, "{what}");
        }
        assert_eq!(clone.good.requests().len(), 1);
    }
}

/// F27: a lock that leads to another server for the bytes that the manifest pins, or takes its keys away: the
/// manifest's own address is asked, and the lock's never.
#[test]
fn a_lock_leads_to_no_server_of_its_own() {
    let fake = Fake::new("fake", 1000);
    let good = Fake::serve(std::slice::from_ref(&fake));
    let evil = Fake::serve(std::slice::from_ref(&fake));
    let rig = Rig::with(&good, std::slice::from_ref(&fake));
    succeed(&mut rig.add());
    let path = rig.project().join("xtool.lock");
    let lock = fs_err::read_to_string(&path).unwrap();
    let hostile = lock.replace(&good.authority(), &evil.authority());
    assert_ne!(lock, hostile);
    for args in [
        &["sync", "--locked"][..],
        &["sync"],
        &["fetch", "--locked"],
        &["update"],
    ] {
        fs_err::write(&path, &hostile).unwrap();
        fs_err::remove_dir_all(rig.home()).unwrap();
        fs_err::remove_dir_all(rig.cache()).unwrap();
        succeed(&mut rig.xtool(args));
        assert_eq!(evil.connections(), 0, "{args:?}");
    }
    // A package of that name for the same bytes is another place too.
    let moved = hostile.replace(
        &format!("url = \"{}\"", evil.url(&fake.file())),
        "pypi = \"elsewhere\"",
    );
    assert_ne!(moved, hostile);
    fs_err::write(&path, moved).unwrap();
    fs_err::remove_dir_all(rig.home()).unwrap();
    super::rig::fail(&mut rig.xtool(&["sync"]), &["manifest", "xtool update"]);
}

/// Each thing by itself needs consent, says which it is, and passes with `--trust`, which is remembered until it
/// changes.
#[test]
fn consent_is_asked_for_each_and_remembered() {
    let fake = Fake::new("fake", 1000);
    let server = Fake::serve(std::slice::from_ref(&fake));
    let own = Fake::new("own", 1000);
    let theirs = Fake::serve(std::slice::from_ref(&own));
    let url = [theirs.url(&own.file()).to_string()];
    let settings =
        |more: &str| format!("[targets]\n\"{TARGET}\" = {{ rust-std = \"none\"{more} }}\n");
    let cases: [(&str, String, String); 2] = [
        (
            "xtool.toml",
            settings(", runner = \"/bin/echo\""),
            settings(", runner = \"/bin/ls\""),
        ),
        (
            "toolchains.toml",
            manifest(&[(&own, &url)]),
            format!("{}\n# changed\n", manifest(&[(&own, &url)])),
        ),
    ];
    for (file, text, changed) in cases {
        let rig = Rig::with(&server, std::slice::from_ref(&fake));
        rig.env.write("project/xtool.toml", settings(""));
        rig.env.write(&format!("project/{file}"), &text);
        let connections = (server.connections(), theirs.connections());
        // The way out is what was typed, and `--trust`, where xtool reads it.
        super::rig::fail(
            &mut rig.xtool(&["exec", TARGET, "--", "sh", "-c", "true && x"]),
            &[&format!(
                "help: xtool exec {TARGET} --trust -- sh -c 'true && x'   ("
            )],
        );
        let said = super::rig::fail(&mut rig.xtool(&["sync", "--force"]), &[file]);
        assert_eq!((server.connections(), theirs.connections()), connections);
        let help = said.lines().find_map(|l| l.strip_prefix("help: "));
        let (next, _) = help.and_then(|h| h.split_once("   (")).expect(&said);
        assert_eq!(next, "xtool sync --force --trust");
        let words: Vec<&str> = next.split(' ').skip(1).collect();
        succeed(&mut rig.xtool(&words));
        succeed(&mut rig.xtool(&["sync"]));
        rig.env.write(&format!("project/{file}"), &changed);
        super::rig::fail(&mut rig.xtool(&["sync"]), &[file, "--trust"]);
        // Another project of the same user gains nothing by it.
        let copy = rig.env.path("copy");
        fs_err::create_dir(&copy).unwrap();
        for name in ["Cargo.toml", "xtool.toml", file] {
            fs_err::copy(rig.project().join(name), copy.join(name)).unwrap();
        }
        fs_err::write(copy.join(file), &text).unwrap();
        super::rig::fail(rig.xtool(&["sync"]).current_dir(&copy), &[file, "--trust"]);
    }
}
