//! Compiler drivers: what they are made of, what they hold, and that they find their way.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::run::{run, stdout};
use super::{Home, xtool};
use xtool::shim::rules::VERSION;
use xtool::shim::{Spec, write_variant};

#[test]
fn the_machine_code_is_what_its_source_says() {
    let dir = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(root.join("scripts/drivers.sh"))
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    for machine in ["x86_64.bin", "aarch64.bin"] {
        let committed = fs_err::read(root.join("src/shim/driver").join(machine)).unwrap();
        let fresh = fs_err::read(dir.path().join(machine)).unwrap();
        assert!(committed == fresh, "{machine}: run scripts/drivers.sh");
    }
}

/// Two files that a cache which compares content, or size and time, takes for two.
fn differ(one: &Path, other: &Path) {
    let facts = |path: &Path| {
        let meta = fs_err::metadata(path).unwrap();
        (meta.len(), meta.mtime())
    };
    assert_ne!(fs_err::read(one).unwrap(), fs_err::read(other).unwrap());
    assert_ne!(
        facts(one).1,
        facts(other).1,
        "{} {}",
        one.display(),
        other.display()
    );
}

#[test]
fn no_two_variants_share_a_driver() {
    let home = Home::new();
    let specs: Vec<Spec> = [
        ("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.17"),
        ("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.28"),
        ("x86_64-unknown-linux-musl", "x86_64-linux-musl"),
        ("aarch64-unknown-linux-musl", "aarch64-linux-musl"),
        ("x86_64-pc-windows-gnu", "x86_64-windows-gnu"),
    ]
    .map(|(triple, target)| home.zig_spec(triple, target))
    .into();
    let mut folders: Vec<_> = specs.iter().map(|spec| home.write(spec)).collect();
    folders
        .push(write_variant(&home.shims(), "toolchain-1.1-0a1b2c3d", &specs[0], xtool()).unwrap());
    for (i, one) in folders.iter().enumerate() {
        differ(&one.join("cc"), &one.join("c++"));
        for other in &folders[..i] {
            for tool in ["cc", "c++"] {
                differ(&one.join(tool), &other.join(tool));
            }
        }
    }
    // Rules that compile otherwise are another compiler.
    let cc = fs_err::read(folders[0].join("cc")).unwrap();
    let named = format!("xtool cc {VERSION}\n");
    assert!(cc.windows(named.len()).any(|w| w == named.as_bytes()));
    // An older xtool's were links: whoever follows one finds the same file.
    let kinds = |name: &str| {
        folders[0]
            .join(name)
            .symlink_metadata()
            .unwrap()
            .file_type()
    };
    assert!(kinds("cc").is_file() && kinds("c++").is_file());
}

#[test]
fn the_same_variant_in_another_home_is_the_same_compiler() {
    let [one, other] = [Home::new(), Home::new()].map(|home| {
        let folder =
            home.write(&home.zig_spec("x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.17"));
        let facts = ["cc", "c++"].map(|tool| {
            let path = folder.join(tool);
            (
                fs_err::read(&path).unwrap(),
                fs_err::metadata(&path).unwrap().mtime(),
            )
        });
        let text = home.dir.path().to_str().unwrap().as_bytes().to_vec();
        assert!(
            facts
                .iter()
                .all(|(bytes, _)| !bytes.windows(text.len()).any(|w| w == text))
        );
        facts
    });
    assert_eq!(one, other);
}

#[test]
fn links_of_an_older_xtool_become_drivers() {
    let home = Home::new();
    let spec = home.gcc_spec("x86_64-unknown-linux-musl");
    let folder = home.write(&spec);
    let cc = folder.join("cc");
    let driver = fs_err::read(&cc).unwrap();
    fs_err::remove_file(&cc).unwrap();
    fs_err::remove_dir_all(folder.join("tools")).unwrap();
    symlink(xtool(), &cc).unwrap();
    // As it is, it goes on working.
    home.script("gcc", "echo \"$1\"");
    assert_eq!(stdout(&run(&cc, &["-c"])), "-c\n");
    home.write(&spec);
    assert_eq!(fs_err::read(&cc).unwrap(), driver);
    assert_eq!(stdout(&run(&cc, &["-c"])), "-c\n");
}

#[test]
fn a_driver_finds_its_way_however_it_is_called() {
    let home = Home::new();
    home.script("gcc", "echo \"$1\"");
    let folder = home.write(&home.gcc_spec("x86_64-unknown-linux-musl"));
    let elsewhere = home.dir.path().join("else where");
    fs_err::create_dir(&elsewhere).unwrap();
    symlink(folder.join("cc"), elsewhere.join("my-cc")).unwrap();
    assert_eq!(stdout(&run(elsewhere.join("my-cc"), &["a b"])), "a b\n");
    let linked = home.dir.path().join("linked");
    symlink(&folder, &linked).unwrap();
    assert_eq!(stdout(&run(linked.join("cc"), &["x"])), "x\n");
    for (name, script) in [
        ("relative", "./cc x"),
        ("bare", "PATH=.:$PATH; cc x"),
        ("argv0", "exec -a other ./cc x"),
    ] {
        let out = Command::new("bash")
            .args(["-c", script])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert_eq!(stdout(&out), "x\n", "{name}");
    }
    // Without /proc, as in a bare chroot, the path that was executed is enough: nothing else was asked for above.
    fs_err::remove_dir_all(folder.join("tools")).unwrap();
    let said = run(folder.join("cc"), &["x"]);
    assert_eq!(said.status.code(), Some(127));
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    let expected = format!(
        "error: Cannot run `{}`\nhelp: run `xtool sync` in the project to set the toolchain up again; where this is a copy, use a symbolic link\n",
        folder.join("tools/cc").display()
    );
    assert_eq!(text, expected);
}
