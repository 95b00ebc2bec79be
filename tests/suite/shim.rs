//! Shims as cargo runs them: the real program under another name, with a stand-in for the toolchain.

use std::path::{Path, PathBuf};

use xtool::manifest::Family;
use xtool::shim::{Runner, Spec, Tool, Zig, tools_of, variant_name, write_variant};

#[cfg(unix)]
mod driver;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod version;

/// Names the bytes of the toolchain.
const ID: &str = "toolchain-1.0-0a1b2c3d";

/// A home with a toolchain folder and room for shims.
struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs_err::create_dir_all(dir.path().join("toolchain/bin")).expect("a toolchain folder");
        Self { dir }
    }

    fn toolchain(&self) -> PathBuf {
        self.dir.path().join("toolchain")
    }

    fn shims(&self) -> PathBuf {
        self.dir.path().join("shims")
    }

    fn gcc_spec(&self, triple: &str) -> Spec {
        let triple = triple.parse().expect("a triple");
        let mut spec = Spec::new(triple, Family::Gcc, self.toolchain());
        spec.tools.cc = Some(self.toolchain().join("bin/gcc"));
        spec
    }

    fn zig_spec(&self, triple: &str, target: &str) -> Spec {
        let triple = triple.parse().expect("a triple");
        let mut spec = Spec::new(triple, Family::Zig, self.toolchain());
        spec.zig = Some(Zig {
            exe: self.toolchain().join("bin/zig"),
            target: target.to_owned(),
            cpu: None,
            version: "0.15.2".to_owned(),
            cache_dir: self.dir.path().join("zig-cache"),
        });
        spec
    }

    fn write(&self, spec: &Spec) -> PathBuf {
        write_variant(&self.shims(), ID, spec, xtool()).expect("a variant")
    }
}

/// The program under test.
fn xtool() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_xtool"))
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("Unicode")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_variant_has_links_for_what_its_toolchain_has() {
    let home = Home::new();
    let mut spec = home.zig_spec("x86_64-pc-windows-gnu", "x86_64-windows-gnu");
    spec.runner = Runner::named("wine", None);
    let folder = home.write(&spec);
    let exe = std::env::consts::EXE_SUFFIX;
    let mut expected: Vec<String> = [
        "ar", "c++", "cc", "dlltool", "nm", "ranlib", "windres", "run",
    ]
    .iter()
    .map(|name| format!("{name}{exe}"))
    .collect();
    assert_eq!(tools_of(&spec).len(), expected.len());
    expected.extend(["lib", "shim.toml", "toolchain.cmake"].map(str::to_owned));
    if cfg!(unix) {
        // What the drivers run.
        assert_eq!(names_in(&folder.join("tools")), ["c++", "cc"]);
        expected.push("tools".to_owned());
    }
    expected.sort();
    assert_eq!(names_in(&folder), expected);

    let bare = home.gcc_spec("x86_64-unknown-linux-musl");
    // Its compiler, and the nm that every toolchain has.
    assert_eq!(tools_of(&bare), [Tool::Cc, Tool::Nm]);
}

#[test]
fn apple_without_an_sdk_gets_stub_libraries() {
    let home = Home::new();
    let folder = home.write(&home.zig_spec("aarch64-apple-darwin", "aarch64-macos-none"));
    assert_eq!(
        names_in(&folder.join("lib")),
        ["libcharset.tbd", "libiconv.tbd"]
    );
}

#[test]
fn options_that_differ_never_share_a_folder() {
    let home = Home::new();
    let name = |spec: &Spec| variant_name("zig-0.15.2-0a1b2c3d", &spec.triple, spec).unwrap();
    let old = home.zig_spec("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.17");
    let new = home.zig_spec("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.28");
    assert!(name(&old).starts_with("zig-0.15.2-0a1b2c3d-x86_64-unknown-linux-gnu-"));
    assert_eq!(name(&old), name(&old.clone()));
    assert_ne!(name(&old), name(&new));
    let mut with_runner = old.clone();
    with_runner.runner = Runner::named("qemu", None);
    assert_ne!(name(&old), name(&with_runner));
}

#[test]
fn a_right_folder_is_not_written_again() {
    let home = Home::new();
    let spec = home.gcc_spec("x86_64-unknown-linux-musl");
    let folder = home.write(&spec);
    let changed = || {
        let of = |path: &Path| fs_err::metadata(path).unwrap().modified().unwrap();
        (
            of(&folder),
            of(&folder.join("shim.toml")),
            of(&home.shims()),
        )
    };
    let before = changed();
    assert_eq!(home.write(&spec), folder);
    assert_eq!(changed(), before);
}

#[test]
fn a_damaged_folder_is_repaired() {
    let home = Home::new();
    let spec = home.gcc_spec("x86_64-unknown-linux-musl");
    let folder = home.write(&spec);
    let settings = fs_err::read(folder.join("shim.toml")).unwrap();
    fs_err::write(folder.join("shim.toml"), "schema").unwrap();
    let cc = folder.join(format!("cc{}", std::env::consts::EXE_SUFFIX));
    let driver = fs_err::read(&cc).unwrap();
    for damage in [&b"not a driver"[..], &driver[..driver.len() - 1]] {
        fs_err::remove_file(&cc).unwrap();
        fs_err::write(&cc, damage).unwrap();
        home.write(&spec);
        assert_eq!(fs_err::read(folder.join("shim.toml")).unwrap(), settings);
        assert_eq!(fs_err::read(&cc).unwrap(), driver);
    }
    // A copy of the store that kept no times: caches compare them.
    let time = || fs_err::metadata(&cc).unwrap().modified().unwrap();
    let before = time();
    let file = fs_err::OpenOptions::new().append(true).open(&cc).unwrap();
    file.file()
        .set_modified(std::time::SystemTime::now())
        .unwrap();
    home.write(&spec);
    assert_eq!(time(), before);
}

/// F42's neighbour: many processes that add the same target write the same variant.
#[test]
fn many_writers_at_once_leave_one_right_folder() {
    let home = Home::new();
    let spec = home.zig_spec("aarch64-apple-darwin", "aarch64-macos-none");
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| home.write(&spec));
        }
    });
    let leftovers = |folder: &Path| {
        let names = names_in(folder);
        names.into_iter().filter(|n| n.starts_with('.')).count()
    };
    let folder = home.write(&spec);
    assert_eq!((leftovers(&home.shims()), leftovers(&folder)), (0, 0));
    assert_eq!(names_in(&home.shims()).len(), 1);
    assert!(folder.join("shim.toml").is_file());
}
