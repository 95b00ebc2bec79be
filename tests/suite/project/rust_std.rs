//! rustc's own part, with scripts in place of rustc, cargo and rustup.
#![cfg(unix)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use xtool::help::Help;
use xtool::project::consent::check;
use xtool::project::settings::RustStd;
use xtool::project::version::Version;
use xtool::project::{Kind, Project, StateDirs};
use xtool::reporter::Silent;
use xtool::rust_std::{
    Context, Distro, Outcome, Provider, RustInfo, RustStdError, Wish, choose, is_present, provide,
    query,
};

use super::{MUSL, triple};

/// A home, a project and a `PATH` on which only our scripts are (and the shell's own folder).
struct Fake {
    _folder: tempfile::TempDir,
    base: PathBuf,
    variables: Mutex<Vec<(String, OsString)>>,
}

impl Fake {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let base = fs_err::canonicalize(folder.path()).expect("its path");
        let fake = Self {
            _folder: folder,
            variables: Mutex::default(),
            base,
        };
        for dir in ["bin", "project", "home/.rustup/toolchains"] {
            fs_err::create_dir_all(fake.base.join(dir)).expect("made");
        }
        let path = std::env::join_paths([fake.base.join("bin"), "/usr/bin".into(), "/bin".into()]);
        fake.set("PATH", &path.expect("a PATH"));
        fake.set("HOME", fake.base.join("home").as_os_str());
        fake.rustc("1.95.0");
        fake.script("cargo", "echo 'cargo 1.94.1 (abc 2026-01-01)'");
        fake
    }

    fn set(&self, name: &str, value: &std::ffi::OsStr) {
        let mut all = self.variables.lock().unwrap();
        all.retain(|(k, _)| k != name);
        all.push((name.to_owned(), value.to_owned()));
    }

    fn sysroot(&self) -> PathBuf {
        self.base
            .join("home/.rustup/toolchains/1.95.0-x86_64-unknown-linux-gnu")
    }

    fn script(&self, name: &str, body: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.base.join("bin").join(name);
        let log = self.base.join("log");
        let text = format!(
            "#!/bin/sh\necho \"{name} $*\" >> '{}'\n{body}\n",
            log.display()
        );
        // Written beside and moved, so that no other test's fork holds it open for writing ("text file busy").
        let temp = file.with_extension("new");
        fs_err::write(&temp, text).expect("written");
        fs_err::set_permissions(&temp, std::fs::Permissions::from_mode(0o755)).expect("mode");
        fs_err::rename(&temp, &file).expect("moved");
    }

    fn rustc(&self, release: &str) {
        let sysroot = self.sysroot();
        fs_err::create_dir_all(sysroot.join("bin")).expect("made");
        fs_err::write(sysroot.join("bin/rustc"), release).expect("written");
        self.script(
            "rustc",
            &format!(
                "case \"$1\" in\n-vV) printf 'rustc {release} (x)\\nhost: x86_64-unknown-linux-gnu\\nrelease: {release}\\n';;\n\
                 --print) echo '{}';;\nesac",
                sysroot.display()
            ),
        );
    }

    /// A rustup whose `target add` runs `body`, with `$OUT` the folder of std.
    fn rustup(&self, body: &str) {
        let out = self.sysroot().join(format!("lib/rustlib/{MUSL}/lib"));
        self.script("rustup", &format!("OUT='{}'\n{body}", out.display()));
    }

    fn source(&self) {
        let std = self.sysroot().join("lib/rustlib/src/rust/library/std");
        fs_err::create_dir_all(&std).expect("made");
        fs_err::write(std.join("Cargo.toml"), "").expect("written");
    }

    fn with<T>(&self, f: impl FnOnce(Context<'_>) -> T) -> T {
        self.with_in("project", f)
    }

    fn with_in<T>(&self, folder: &str, f: impl FnOnce(Context<'_>) -> T) -> T {
        let env = |name: &str| {
            let all = self.variables.lock().unwrap();
            all.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone())
        };
        let root = self.base.join(folder);
        let project = Project {
            cwd: root.clone(),
            root,
            kind: Kind::Cargo,
            named_by: None,
        };
        // There is nothing in it that its user would have to allow.
        let consented = check(&StateDirs::below(&self.base.join("home")), &project, &[]);
        f(Context {
            project: &consented.expect("nothing is asked for"),
            cache: &self.base.join("cache"),
            env: &env,
        })
    }

    fn query(&self) -> Result<RustInfo, RustStdError> {
        self.with(query)
    }

    fn query_in(&self, folder: &str) -> RustInfo {
        fs_err::create_dir_all(self.base.join(folder)).expect("made");
        self.with_in(folder, query).expect("rustc answers")
    }

    fn provide(&self, wish: Wish) -> Result<Outcome, RustStdError> {
        let info = self.query().expect("rustc answers");
        self.with(|context| provide(&info, &triple(MUSL), wish, context, &Silent))
    }

    fn log(&self) -> Vec<String> {
        let text = fs_err::read_to_string(self.base.join("log")).unwrap_or_default();
        let _ = fs_err::remove_file(self.base.join("log"));
        text.lines().map(str::to_owned).collect()
    }
}

const INSTALL: &str = "mkdir -p \"$OUT\" && : > \"$OUT/libstd-0123.rlib\"";

/// A run with nothing to do starts no process: rustc is asked once, and again when something that decides changes.
#[test]
fn rustc_is_asked_once() {
    let fake = Fake::new();
    fake.rustup("exit 1");
    let info = fake.query().expect("rustc answers");
    assert_eq!(info.version, Version::new(1, 95, 0));
    assert_eq!(info.cargo, Some(Version::new(1, 94, 1)));
    assert_eq!(
        (info.host.as_str(), info.nightly),
        ("x86_64-unknown-linux-gnu", false)
    );
    assert_eq!(info.rustc, fake.base.join("bin/rustc"));
    let rustup = info.rustup.clone().expect("rustup");
    assert_eq!(rustup.toolchain, "1.95.0-x86_64-unknown-linux-gnu");
    let mut asked = fake.log();
    asked.sort();
    assert_eq!(asked, ["cargo -V", "rustc --print sysroot", "rustc -vV"]);
    assert_eq!(fake.query().expect("kept"), info);
    assert_eq!(fake.log(), Vec::<String>::new());

    let project = fake.base.join("project/rust-toolchain.toml");
    fs_err::write(&project, "[toolchain]\nchannel = \"1.95\"\n").expect("written");
    fake.query().expect("rustc answers");
    assert_eq!(fake.log().len(), 3);
    fs_err::write(fake.base.join("home/.rustup/settings.toml"), "x = 1").expect("written");
    fake.query().expect("rustc answers");
    assert_eq!(fake.log().len(), 3);
    fake.set("RUSTUP_TOOLCHAIN", "nightly".as_ref());
    fake.query().expect("rustc answers");
    assert_eq!(fake.log().len(), 3);
    // `rustup update`: the proxy is the same, the toolchain behind it is not.
    fs_err::write(fake.sysroot().join("bin/rustc"), "another compiler").expect("written");
    fake.query().expect("rustc answers");
    assert_eq!(fake.log().len(), 3);
    fake.query().expect("kept");
    assert_eq!(fake.log().len(), 0);
    // A spoilt answer is asked for anew.
    for entry in fs_err::read_dir(fake.base.join("cache")).expect("a folder") {
        fs_err::write(entry.expect("an entry").path(), "{").expect("written");
    }
    fake.query().expect("rustc answers");
    assert_eq!(fake.log().len(), 3);
}

/// A project that is new asks nothing that another has asked, unless rustup may choose by the folder.
#[test]
fn projects_share_an_answer() {
    let fake = Fake::new();
    let settings = fake.base.join("home/.rustup/settings.toml");
    fs_err::write(&settings, "version = \"12\"\n\n[overrides]\n").expect("written");
    let first = fake.query_in("one");
    assert_eq!(fake.log().len(), 3);
    assert_eq!(fake.query_in("two"), first);
    assert_eq!(fake.log(), Vec::<String>::new());

    for text in ["[overrides]\n\"/elsewhere\" = \"nightly\"\n", "not TOML ["] {
        fs_err::write(&settings, text).expect("written");
        for project in ["one", "two"] {
            fake.query_in(project);
            assert_eq!(fake.log().len(), 3, "{project}: {text}");
        }
    }
}

/// Many jobs that start on an empty cache ask once between them.
#[test]
fn who_asks_at_the_same_time_shares_an_answer() {
    let fake = Fake::new();
    std::thread::scope(|scope| {
        for i in 0..8 {
            let fake = &fake;
            scope.spawn(move || fake.query_in(&format!("job{i}")));
        }
    });
    assert_eq!(fake.log().len(), 3);
}

#[test]
fn a_rustc_that_cannot_answer_is_an_error() {
    let fake = Fake::new();
    fake.script(
        "rustc",
        "echo \"error: toolchain '1.2' is not installed\" >&2; exit 1",
    );
    let error = fake.query().expect_err("no answer");
    assert!(
        error
            .to_string()
            .contains("toolchain '1.2' is not installed"),
        "{error}"
    );
    assert!(
        error
            .help()
            .expect("help")
            .contains("rustup toolchain install")
    );
    fake.script("rustc", "echo gibberish");
    assert!(matches!(fake.query(), Err(RustStdError::Rustc { .. })));
    fake.set("PATH", "bin:".as_ref());
    assert!(matches!(fake.query(), Err(RustStdError::NoRustc)));
    fake.set("RUSTC", fake.base.join("bin/rustc").as_os_str());
    assert!(matches!(fake.query(), Err(RustStdError::Rustc { .. })));
}

/// What is there is taken; a folder without std is not std.
#[test]
fn present_is_seen() {
    let fake = Fake::new();
    let lib = fake.sysroot().join(format!("lib/rustlib/{MUSL}/lib"));
    fs_err::create_dir_all(&lib).expect("made");
    let info = fake.query().expect("rustc answers");
    assert!(!is_present(&info, &triple(MUSL)));
    fs_err::write(lib.join("libcore-1.rlib"), "").expect("written");
    assert!(!is_present(&info, &triple(MUSL)));
    fs_err::write(lib.join("libstd-1.rlib"), "").expect("written");
    assert!(is_present(&info, &triple(MUSL)));
    assert_eq!(
        fake.provide(Wish::default()).expect("there"),
        Outcome::Present
    );
    let bare = fake.sysroot().join("lib/rustlib/thumbv7em-none-eabihf/lib");
    fs_err::create_dir_all(&bare).expect("made");
    fs_err::write(bare.join("libcore-1.rlib"), "").expect("written");
    assert!(is_present(&info, &triple("thumbv7em-none-eabihf")));
}

#[test]
fn rustup_installs_into_the_selected_toolchain() {
    let fake = Fake::new();
    fake.rustup(&format!(
        "pwd -P > \"{}\"\n{INSTALL}",
        fake.base.join("pwd").display()
    ));
    assert_eq!(
        fake.provide(Wish::default()).expect("installed"),
        Outcome::Installed
    );
    let log = fake.log();
    assert_eq!(
        log.last().map(String::as_str),
        Some(
            "rustup target add --toolchain 1.95.0-x86_64-unknown-linux-gnu x86_64-unknown-linux-musl"
        )
    );
    let pwd = fs_err::read_to_string(fake.base.join("pwd")).expect("written");
    assert_eq!(Path::new(pwd.trim()), fake.base.join("project"));
    assert_eq!(
        fake.provide(Wish::default()).expect("there"),
        Outcome::Present
    );
    assert_eq!(fake.log(), Vec::<String>::new());
}

/// F20: offline, nothing is run.
#[test]
fn offline_runs_nothing() {
    let fake = Fake::new();
    fake.rustup(INSTALL);
    fake.query().expect("rustc answers");
    fake.log();
    let wish = Wish {
        offline: true,
        ..Wish::default()
    };
    let error = fake.provide(wish).expect_err("offline");
    assert!(matches!(error, RustStdError::Offline { .. }));
    assert!(
        error
            .help()
            .expect("help")
            .contains("rustup target add --toolchain")
    );
    assert_eq!(fake.log(), Vec::<String>::new());
}

#[test]
fn rustups_own_words_are_told() {
    let fake = Fake::new();
    fake.rustup("echo 'info: downloading' >&2; echo 'error: no network: https://u:pw@h.example/x' >&2; exit 1");
    let error = fake.provide(Wish::default()).expect_err("failed");
    let text = error.to_string();
    assert!(
        text.contains("error: no network: https://h.example/x"),
        "{text}"
    );
    let help = error.help().expect("help");
    assert!(
        help.contains("--no-rust-std") && !help.contains("--build-std"),
        "{help}"
    );
    fake.source();
    let error = fake.provide(Wish::default()).expect_err("failed");
    assert!(
        error
            .help()
            .expect("help")
            .contains("xtool add x86_64-unknown-linux-musl --build-std")
    );

    fake.rustup("exit 0");
    let error = fake.provide(Wish::default()).expect_err("nothing there");
    assert!(error.to_string().contains("reported success"), "{error}");
}

/// A rustup that hangs is ended, though a child of its own keeps its output open.
#[test]
fn a_hanging_rustup_is_ended() {
    let fake = Fake::new();
    fake.rustup("sleep 20 & exec sleep 20");
    fake.set("XTOOL_RUSTUP_TIMEOUT", "1".as_ref());
    let start = Instant::now();
    let error = fake.provide(Wish::default()).expect_err("ended");
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(error.to_string().contains("within 1 seconds"), "{error}");
}

#[test]
fn build_std_only_on_request() {
    let fake = Fake::new();
    fake.rustup(INSTALL);
    let build = Wish {
        rust_std: RustStd::Build,
        ..Wish::default()
    };
    let error = fake.provide(build).expect_err("no source");
    assert!(
        error.help().expect("help").ends_with(
            "rustup component add --toolchain 1.95.0-x86_64-unknown-linux-gnu rust-src`"
        )
    );
    fake.source();
    let needs = |needs_bootstrap| Outcome::BuildStd { needs_bootstrap };
    assert_eq!(fake.provide(build).expect("source"), needs(true));
    fake.set("RUSTC_BOOTSTRAP", "1".as_ref());
    assert_eq!(fake.provide(build).expect("source"), needs(false));
    fake.set("RUSTC_BOOTSTRAP", "0".as_ref());
    assert_eq!(fake.provide(build).expect("source"), needs(true));
    fake.rustc("1.97.0-nightly");
    assert_eq!(fake.provide(build).expect("source"), needs(false));
    let none = Wish {
        rust_std: RustStd::None,
        ..Wish::default()
    };
    assert_eq!(fake.provide(none).expect("skipped"), Outcome::Skipped);

    // cargo's own hook for the source is honoured.
    let elsewhere = fake.base.join("elsewhere/library");
    fs_err::create_dir_all(elsewhere.join("std")).expect("made");
    fs_err::write(elsewhere.join("std/Cargo.toml"), "").expect("written");
    fake.set("__CARGO_TESTS_ONLY_SRC_ROOT", elsewhere.as_os_str());
    assert_eq!(fake.query().expect("rustc answers").source, Some(elsewhere));
}

/// Without rustup: a distribution's package, or the honest answer that nobody has it.
#[test]
fn without_rustup_the_way_is_named() {
    let fake = Fake::new();
    let mut info = fake.query().expect("rustc answers");
    assert_eq!(info.rustup, None, "no rustup on PATH");
    assert_eq!(
        choose(&info, &triple(MUSL), RustStd::Auto),
        Provider::Nobody
    );
    let told = |info: &RustInfo, target: &str, wish: RustStd| {
        let wish = Wish {
            rust_std: wish,
            offline: false,
        };
        let error = fake
            .with(|c| provide(info, &triple(target), wish, c, &Silent))
            .expect_err("not there");
        error.help().expect("help")
    };
    assert!(told(&info, MUSL, RustStd::Auto).contains("install Rust with rustup"));
    info.distro = Some(Distro::Debian);
    assert!(
        told(&info, "x86_64-pc-windows-gnu", RustStd::Auto)
            .contains("sudo apt-get install libstd-rust-dev-windows")
    );
    assert!(told(&info, MUSL, RustStd::Build).contains("sudo apt-get install rust-src"));
    info.source = Some("/x".into());
    assert!(
        told(&info, MUSL, RustStd::Auto)
            .contains("xtool add x86_64-unknown-linux-musl --build-std")
    );
}
