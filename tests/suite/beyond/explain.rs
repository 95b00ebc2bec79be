//! What failed links are explained with: each cause by a link that really fails, with the real toolchain.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::real::{Lab, said, succeed};

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MAC: &str = "aarch64-apple-darwin";
const ARM: &str = "aarch64-unknown-linux-gnu";
const GNU: &str = "x86_64-unknown-linux-gnu";
const MUSL: &str = "x86_64-unknown-linux-musl";

/// A folder with sources and the drivers of some targets.
pub struct Bench<'a> {
    lab: &'a Lab,
    pub folder: PathBuf,
}

impl<'a> Bench<'a> {
    pub fn new(lab: &'a Lab, name: &str, add: &[&str]) -> Self {
        let folder = lab.dir.path().join(name);
        fs_err::create_dir_all(&folder).unwrap();
        let bench = Self { lab, folder };
        let mut args = vec!["add", "--no-cargo"];
        args.extend(add);
        succeed(&mut lab.xtool(&bench.folder, &args));
        for (file, text) in [
            ("m.c", "int main(void) { return 0; }"),
            (
                "f.c",
                "int fcntl64(int, int); int main(void) { return fcntl64(0, 1); }",
            ),
            (
                "lib28.c",
                "int fcntl64(int, int, ...); int lib(void) { return fcntl64(0, 1); }",
            ),
            (
                "lib38.c",
                "long __isoc23_strtol(const char *, char **, int); int lib(void) { return __isoc23_strtol(\"1\", 0, 10); }",
            ),
            ("use.c", "int lib(void); int main(void) { return lib(); }"),
            (
                "h.m",
                "#include <Foundation/Foundation.h>\nint main(void) { return 0; }",
            ),
            (
                "chk.c",
                "int __snprintf_chk(void); int main(void) { return __snprintf_chk(); }",
            ),
        ] {
            fs_err::write(bench.folder.join(file), format!("{text}\n")).unwrap();
        }
        bench
    }

    pub fn cc(&self, target: &str) -> String {
        let env = succeed(
            &mut self
                .lab
                .xtool(&self.folder, &["env", target, "--format", "json"]),
        );
        let env: Value = serde_json::from_str(&env).unwrap();
        env["CC"].as_str().unwrap().to_owned()
    }

    pub fn run(&self, target: &str, args: &[&str]) -> Output {
        Command::new(self.cc(target))
            .args(args)
            .current_dir(&self.folder)
            .output()
            .unwrap()
    }

    /// A link that fails with the tool's own words and one line of help.
    #[track_caller]
    pub fn explains(&self, target: &str, args: &[&str], words: &str, help: &str) {
        let mut all = args.to_vec();
        all.extend(["-o", "m.out"]);
        let output = self.run(target, &all);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{target} {args:?}: {text}");
        assert!(text.contains(words), "{target} {args:?}: {text}");
        assert_eq!(
            text.matches("help: ").count(),
            1,
            "{target} {args:?}: {text}"
        );
        let line = text.lines().last().unwrap_or_default();
        assert!(
            line.starts_with("help: ") && line.contains(help),
            "{target} {args:?}: {text}"
        );
    }
}

/// A library of this machine's, where its packages keep theirs.
fn hosts_libc() -> &'static str {
    [
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/lib/aarch64-linux-gnu/libc.so.6",
        "/lib64/libc.so.6",
    ]
    .into_iter()
    .find(|p| Path::new(p).exists())
    .expect("a libc")
}

/// The shim adds one line; text and exit status are the linker's.
#[test]
fn failed_links_are_explained() {
    let lab = Lab::enter();
    let host = hosts_libc();
    let bench = Bench::new(&lab, "zig", &[WINDOWS, MAC, ARM, GNU, MUSL]);
    bench.explains(
        WINDOWS,
        &["m.c", "-lfoo"],
        "cannot find -lfoo",
        "no `foo` for x86_64-pc-windows-gnu",
    );
    bench.explains(
        WINDOWS,
        &["m.c", host],
        "file in wrong format",
        "is this machine's",
    );
    bench.explains(
        MAC,
        &["m.c", "-framework", "Foundation"],
        "unable to find framework",
        "xtool sdk import",
    );
    // The second as the cc crate calls it: nothing is linked.
    for args in [&["h.m"][..], &["-c", "h.m"]] {
        let words = "'Foundation/Foundation.h' file not found";
        bench.explains(MAC, args, words, "xtool sdk import");
    }
    bench.explains(
        MAC,
        &["m.c", "-lobjc"],
        "unable to find dynamic system library",
        "xtool sdk import",
    );
    bench.explains(
        MAC,
        &["m.c", host],
        "failed to parse TBD file",
        "is this machine's",
    );
    bench.explains(
        ARM,
        &["m.c", host],
        "is incompatible with",
        "is this machine's",
    );
    bench.explains(GNU, &["f.c"], "undefined symbol: fcntl64", "--glibc 2.28");
    bench.explains(GNU, &["m.c", "-lfoo"], "'foo'", "no `foo`");

    // The floor that the last but one speaks of.
    let shown = succeed(&mut lab.xtool(&bench.folder, &["show", GNU]));
    assert!(shown.contains("2.17, the floor"), "{shown}");
    let shown = succeed(&mut lab.xtool(&bench.folder, &["show", GNU, "--json"]));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["installed"]["glibc"], "2.17");

    // A library made for a newer glibc than the program may need.
    let newer = Bench::new(&lab, "newer", &[GNU, "--glibc", "2.28"]);
    let library = newer.run(GNU, &["-shared", "-fPIC", "lib28.c", "-o", "lib28.so"]);
    assert!(library.status.success(), "{}", said(&library));
    let library = newer.folder.join("lib28.so");
    let words = "undefined reference: fcntl64@GLIBC_2.28";
    bench.explains(
        GNU,
        &["use.c", library.to_str().unwrap()],
        words,
        "--glibc 2.28",
    );

    // One of the host's, static, compiled against glibc: musl has none of its helpers.
    let archive = Path::new("/usr/local/lib/libxtool-test-of-help.a");
    let object = bench.run(GNU, &["-c", "chk.c", "-Dmain=lib", "-o", "chk.o"]);
    assert!(object.status.success(), "{}", said(&object));
    let made = Command::new("ar")
        .arg("rcs")
        .arg(archive)
        .arg("chk.o")
        .current_dir(&bench.folder)
        .output();
    if made.is_ok_and(|o| o.status.success()) {
        let path = archive.to_str().unwrap();
        bench.explains(
            MUSL,
            &["use.c", path],
            "undefined symbol: __snprintf_chk",
            "is this machine's",
        );
        fs_err::remove_file(archive).unwrap();
    } else {
        crate::support::skip(
            "failed_links_are_explained",
            "/usr/local/lib cannot be written: no archive of the host's",
        );
    }

    // Nothing is added to a link that succeeds, nor to a compilation that fails.
    let good = bench.run(GNU, &["m.c", "-o", "m.out"]);
    assert!(
        good.status.success() && good.stderr.is_empty(),
        "{}",
        said(&good)
    );
    fs_err::write(bench.folder.join("bad.c"), "int main(void) { return x; }\n").unwrap();
    let bad = bench.run(GNU, &["-c", "bad.c"]);
    assert!(
        !bad.status.success() && !said(&bad).contains("help: "),
        "{}",
        said(&bad)
    );
}

#[test]
fn gnus_and_llvms_own_words_are_explained_too() {
    let lab = Lab::enter();
    let host = hosts_libc();
    let gnu = Bench::new(&lab, "gnu", &[ARM, "--toolchain", "gnu-cross"]);
    gnu.explains(
        ARM,
        &["m.c", "-lfoo"],
        "cannot find -lfoo",
        "no `foo` for aarch64",
    );
    gnu.explains(
        ARM,
        &["m.c", host],
        "file in wrong format",
        "is this machine's",
    );
    let newer = Bench::new(
        &lab,
        "newer",
        &[ARM, "--toolchain", "zig", "--glibc", "2.38"],
    );
    let library = newer.run(ARM, &["-shared", "-fPIC", "lib38.c", "-o", "lib38.so"]);
    assert!(library.status.success(), "{}", said(&library));
    let library = newer.folder.join("lib38.so");
    let words = "__isoc23_strtol@GLIBC_2.38";
    gnu.explains(
        ARM,
        &["use.c", library.to_str().unwrap()],
        words,
        "--toolchain zig --glibc 2.38",
    );

    // A stand-in for Apple's SDK, which has neither.
    let zig = Bench::new(&lab, "zig", &[MAC, "--toolchain", "zig"]);
    let shown = succeed(&mut lab.xtool(&zig.folder, &["show", MAC, "--json"]));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/stub-sdk.sh");
    let sdk = succeed(
        Command::new(script)
            .arg(shown["installed"]["path"].as_str().unwrap())
            .arg(lab.dir.path()),
    );
    let mac = Bench::new(
        &lab,
        "mac",
        &[MAC, "--toolchain", "osxcross", "--sdk", sdk.trim()],
    );
    mac.explains(
        MAC,
        &["m.c", "-framework", "Nope"],
        "framework not found",
        "has no `Nope`",
    );
    mac.explains(
        MAC,
        &["m.c", "-lfoo"],
        "library not found for -lfoo",
        "no `foo`",
    );
    mac.explains(
        MAC,
        &["m.c", host],
        "unhandled file type",
        "is this machine's",
    );
}

/// The program under the shim sees a terminal too: its colours stay, and the line is added. `script` makes one.
#[test]
fn a_link_on_a_terminal_is_explained_too() {
    let lab = Lab::enter();
    let bench = Bench::new(&lab, "terminal", &[GNU]);
    let on_terminal = |args: &str| {
        let line = format!("stty cols 80 rows 24; {} {args} -o m.out", bench.cc(GNU));
        let output = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .current_dir(&bench.folder)
            .output()
            .expect("script (Debian: bsdutils) is there");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (code, text) = on_terminal("f.c");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("\x1b[") && text.contains("undefined symbol: fcntl64"),
        "{text}"
    );
    let last = text.trim_end().lines().last().unwrap_or_default();
    // Where zig drew its progress once more, that is cleared away first.
    let last = last.rsplit("\r\x1b[J").next().unwrap_or_default();
    assert!(
        last.starts_with("help: ") && last.contains("--glibc 2.28"),
        "{text}"
    );
    let (code, text) = on_terminal("m.c");
    assert!(code == Some(0) && !text.contains("help: "), "{text}");
}

/// rustc calls dlltool itself, before any link: the shim cannot speak, `doctor` can. The crate needs no library.
#[test]
fn a_hidden_dlltool_is_doctors_to_explain() {
    let lab = Lab::enter();
    let project = lab.dir.path().join("raw");
    fs_err::create_dir_all(project.join("src")).unwrap();
    fs_err::write(
        project.join("Cargo.toml"),
        "[package]\nname = \"raw\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
    )
    .unwrap();
    fs_err::write(
        project.join("src/lib.rs"),
        "#![feature(no_core, lang_items)]\n#![no_core]\n#[lang = \"pointee_sized\"]\npub trait PointeeSized {}\n#[lang = \"meta_sized\"]\npub trait MetaSized: PointeeSized {}\n\
         #[lang = \"sized\"]\npub trait Sized: MetaSized {}\n#[lang = \"copy\"]\npub trait Copy {}\n#[link(name = \"kernel32\", kind = \"raw-dylib\")]\n\
         extern \"system\" { pub fn Sleep(ms: u32); }\npub unsafe fn nap() { Sleep(1) }\nimpl Copy for u32 {}\n",
    )
    .unwrap();
    succeed(&mut lab.xtool(&project, &["add", WINDOWS, "--no-rust-std"]));
    let build = || {
        let mut cargo = lab.cargo(&project, &["build", "--target", WINDOWS]);
        cargo.env("CARGO_TARGET_DIR", project.join("target"));
        cargo
    };
    succeed(&mut build());
    let hidden = build().env("RUSTFLAGS", "-Cdebuginfo=0").output().unwrap();
    let text = said(&hidden);
    assert!(
        !hidden.status.success() && text.contains("dlltool"),
        "{text}"
    );
    let mut doctor = lab.xtool(&project, &["doctor"]);
    let text = succeed(doctor.env("RUSTFLAGS", "-Cdebuginfo=0"));
    assert!(
        text.contains("`RUSTFLAGS`") && text.contains("dlltool"),
        "{text}"
    );
    // Its other way out: with the toolchain's tools in PATH, under the names that rustc looks for.
    let mut inside = lab.xtool(
        &project,
        &[
            "exec",
            WINDOWS,
            "--",
            env!("CARGO"),
            "build",
            "--target",
            WINDOWS,
        ],
    );
    succeed(
        inside
            .env("RUSTFLAGS", "-Cdebuginfo=0")
            .env("CARGO_TARGET_DIR", project.join("target")),
    );
}
