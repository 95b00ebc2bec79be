//! Programs built here with the host's gcc.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtool::inspect::Slice;
use xtool::inspect::facts::{Libc, Relro};
use xtool::inspect::libraries::Status;
use xtool::inspect::strip::{self, StripError};
use xtool::inspect::tables::Tables;

use super::slice;

/// A folder with a C file; none if there is no gcc to build with.
struct Workshop {
    dir: tempfile::TempDir,
}

impl Workshop {
    fn open() -> Option<Self> {
        if !cfg!(target_os = "linux") || Command::new("gcc").arg("--version").output().is_err() {
            eprintln!("skipped: no gcc on a Linux host");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("a.c"), "int main(void) { return 0; }\n").unwrap();
        Some(Self { dir })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn gcc(&self, out: &str, args: &[&str]) -> PathBuf {
        let status = Command::new("gcc")
            .current_dir(self.dir.path())
            .args(args)
            .args(["-o", out])
            .status()
            .unwrap();
        assert!(status.success(), "gcc {args:?}");
        self.path(out)
    }
}

fn relro(slice: &Slice) -> Relro {
    slice.facts.elf().unwrap().relro
}

#[test]
fn link_options_are_seen() {
    let Some(w) = Workshop::open() else { return };
    let pie = slice(&w.gcc("pie", &["a.c", "-fPIE", "-pie", "-Wl,-z,relro,-z,now"]));
    assert!(pie.facts.position_independent && !pie.facts.is_static && pie.facts.no_execute);
    assert_eq!(relro(&pie), Relro::Full);
    let fixed = slice(&w.gcc("fixed", &["a.c", "-no-pie", "-Wl,-z,relro,-z,lazy"]));
    assert!(!fixed.facts.position_independent);
    assert_eq!(relro(&fixed), Relro::Partial);
    let loose = slice(&w.gcc("loose", &["a.c", "-Wl,-z,norelro", "-Wl,-z,execstack"]));
    assert!(!loose.facts.no_execute);
    assert_eq!(relro(&loose), Relro::None);
    let debug = slice(&w.gcc("debug", &["a.c", "-g"]));
    assert!(debug.facts.debug_info && !debug.facts.stripped);
    let bare = slice(&w.gcc("bare", &["a.c", "-s"]));
    assert!(bare.facts.stripped && !bare.facts.debug_info);
    assert_eq!(bare.facts.strippable, 0);
}

#[test]
fn static_programs_are_told_from_static_pie() {
    let Some(w) = Workshop::open() else { return };
    let plain = slice(&w.gcc("plain", &["a.c", "-static"]));
    assert!(plain.facts.is_static && !plain.facts.position_independent);
    let pie = slice(&w.gcc("pie", &["a.c", "-static-pie"]));
    assert!(pie.facts.is_static && pie.facts.position_independent);
    for s in [&plain, &pie] {
        assert_eq!(
            s.facts.elf().unwrap().libc,
            Libc::Glibc,
            "the start-up code's note says so"
        );
        assert_eq!(s.smallest_base.as_deref(), Some("scratch"));
    }
}

/// A library beside the program, one below it, and one that is gone.
#[test]
fn run_paths_are_followed_from_the_program() {
    let Some(w) = Workshop::open() else { return };
    fs_err::create_dir(w.path("lib")).unwrap();
    for (name, body) in [
        ("inner", "int inner(void) { return 1; }"),
        (
            "outer",
            "int inner(void); int outer(void) { return inner(); }",
        ),
        ("gone", "int gone(void) { return 2; }"),
    ] {
        fs_err::write(w.path(&format!("{name}.c")), body).unwrap();
    }
    w.gcc("lib/libinner.so", &["-shared", "-fPIC", "inner.c"]);
    w.gcc(
        "lib/libouter.so",
        &[
            "-shared",
            "-fPIC",
            "outer.c",
            "-Llib",
            "-linner",
            "-Wl,-rpath,$ORIGIN",
        ],
    );
    w.gcc("lib/libgone.so", &["-shared", "-fPIC", "gone.c"]);
    fs_err::write(
        w.path("b.c"),
        "int outer(void), gone(void); int main(void) { return outer() + gone(); }",
    )
    .unwrap();
    let program = w.gcc(
        "program",
        &[
            "b.c",
            "-Llib",
            "-louter",
            "-lgone",
            "-Wl,-rpath,$ORIGIN/lib",
            "-Wl,--enable-new-dtags",
            "-Wl,-rpath-link,lib",
        ],
    );
    fs_err::remove_file(w.path("lib/libgone.so")).unwrap();
    let slice = slice(&program);
    let of = |name: &str| slice.libraries.iter().find(|l| l.name == name).expect(name);
    assert_eq!(of("libouter.so").status, Status::Found);
    let inner = of("libinner.so");
    assert_eq!(
        (inner.status, inner.needed_by.as_deref()),
        (Status::Found, Some("libouter.so"))
    );
    assert_eq!(of("libgone.so").status, Status::NotFound);
    assert_eq!(of("libc.so.6").status, Status::Found);
}

/// A sysroot is `/`: what the host has does not count.
#[test]
fn a_sysroot_hides_the_host() {
    let Some(w) = Workshop::open() else { return };
    let program = w.gcc("program", &["a.c"]);
    let sysroot = w.path("sysroot");
    fs_err::create_dir_all(sysroot.join("etc/ld.so.conf.d")).unwrap();
    fs_err::create_dir_all(sysroot.join("opt/libs")).unwrap();
    let look = || {
        let report = xtool::inspect::inspect(&program, Some(&sysroot), Tables::built_in()).unwrap();
        let libc = report.slices[0]
            .libraries
            .iter()
            .find(|l| l.name == "libc.so.6")
            .unwrap();
        (libc.status, libc.path.clone())
    };
    assert_eq!(look(), (Status::NotFound, None));
    fs_err::write(
        sysroot.join("etc/ld.so.conf"),
        "# comment\ninclude /etc/ld.so.conf.d/*.conf\n",
    )
    .unwrap();
    fs_err::write(sysroot.join("etc/ld.so.conf.d/mine.conf"), "/opt/libs\n").unwrap();
    // Another machine's library of the same name is passed over.
    let foreign = super::make::Elf {
        machine: super::make::S390,
        soname: Some("libc.so.6"),
        big: true,
        ..Default::default()
    };
    fs_err::write(sysroot.join("opt/libs/libc.so.6"), foreign.bytes()).unwrap();
    assert_eq!(look().0, Status::NotFound);
    let own = super::make::Elf {
        machine: machine_here(),
        interpreter: None,
        soname: Some("libc.so.6"),
        needed: vec![],
        ..Default::default()
    };
    fs_err::write(sysroot.join("opt/libs/libc.so.6"), own.bytes()).unwrap();
    assert_eq!(
        look(),
        (Status::Found, Some(sysroot.join("opt/libs/libc.so.6")))
    );
}

fn machine_here() -> u16 {
    if cfg!(target_arch = "aarch64") {
        super::make::AARCH64
    } else {
        super::make::X86_64
    }
}

/// What is counted is what `strip` takes, but for padding and section names.
#[test]
fn stripping_saves_what_was_said() {
    let Some(w) = Workshop::open() else { return };
    let Some(program_strip) = ["/usr/bin/strip", "/bin/strip"]
        .iter()
        .map(Path::new)
        .find(|p| p.is_file())
    else {
        eprintln!("skipped: strip is not installed (Debian: binutils)");
        return;
    };
    let program = w.gcc("program", &["a.c", "-g", "-static"]);
    let before = fs_err::read(&program).unwrap();
    let said = slice(&program).facts.strippable;
    let out = w.path("small");
    let stripped =
        strip::strip(&program_strip.into(), &program, &out).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        fs_err::read(&program).unwrap(),
        before,
        "the original is not changed"
    );
    let saved = stripped.before - stripped.after;
    assert!(saved.abs_diff(said) < 1024, "said {said}, saved {saved}");
    assert!(slice(&out).facts.stripped);
    assert!(
        Command::new(&out).status().unwrap().success(),
        "the copy runs: its mode is the original's"
    );
    let left: Vec<_> = fs_err::read_dir(w.dir.path())
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert!(
        left.iter()
            .all(|n| !n.to_string_lossy().starts_with(".xtool")),
        "{left:?}"
    );
}

#[test]
fn a_binary_is_never_stripped_in_place() {
    let Some(w) = Workshop::open() else { return };
    let program = w.gcc("program", &["a.c"]);
    fs_err::hard_link(&program, w.path("linked")).unwrap();
    fs_err::os::unix::fs::symlink(&program, w.path("pointing")).unwrap();
    let before = fs_err::read(&program).unwrap();
    for out in ["program", "linked", "pointing", "./program"] {
        let error =
            strip::strip(&Path::new("/usr/bin/strip").into(), &program, &w.path(out)).unwrap_err();
        assert!(
            matches!(error, StripError::SameFile { .. }),
            "{out}: {error}"
        );
    }
    assert_eq!(fs_err::read(&program).unwrap(), before);
    // A failing program leaves nothing behind.
    let error =
        strip::strip(&Path::new("/bin/false").into(), &program, &w.path("never")).unwrap_err();
    assert!(
        matches!(error, StripError::Failed { .. } | StripError::Run { .. }),
        "{error}"
    );
    assert!(!w.path("never").exists());
}
