//! Stores at odd places: every build works there, or xtool refuses the place at once.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::{folder, magic};
use crate::real::{Lab, fail, said, succeed};

const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// A blank, and what no tool takes for anything: the compiler by itself, CMake, and make with `$(CC)` unquoted.
#[test]
fn a_store_with_a_blank_in_its_path_builds() {
    let lab = Lab::with_own_home("a b+ä#c");
    let project = folder(&lab, "cmake", &[WINDOWS, "--toolchain", "mingw-w64"]);
    fs_err::write(project.join("m.c"), "int main(void) { return 0; }\n").unwrap();
    fs_err::write(
        project.join("Makefile"),
        "m.exe: m.o\n\t$(CC) -o $@ m.o\n\t$(STRIP) $@\nm.o: m.c\n\t$(CC) -c -o $@ m.c\n\t$(AR) rcs libm.a m.o\n\t$(RANLIB) libm.a\n",
    )
    .unwrap();
    succeed(&mut lab.xtool(&project, &["exec", WINDOWS, "--", "make"]));
    assert!(magic(&project.join("m.exe")).starts_with(b"MZ"));
    let build = project.join("build");
    let build = build.to_str().unwrap();
    let cmake = [
        "exec", WINDOWS, "--", "cmake", "-G", "Ninja", "-S", ".", "-B", build,
    ];
    succeed(&mut lab.xtool(&project, &cmake));
    succeed(&mut lab.xtool(
        &project,
        &["exec", WINDOWS, "--", "cmake", "--build", build],
    ));
    assert!(magic(&Path::new(build).join("greet.exe")).starts_with(b"MZ"));
    let env = succeed(&mut lab.xtool(&project, &["env", WINDOWS, "--format", "json"]));
    let env: serde_json::Value = serde_json::from_str(&env).unwrap();
    let cc = env["CC"].as_str().unwrap();
    assert!(cc.contains("a b"), "{cc}");
    succeed(
        Command::new(cc)
            .args(["-o", "n.exe", "m.c"])
            .current_dir(&project),
    );
}

/// Where make, CMake or GCC would fail later, and name something else.
#[cfg(unix)]
#[test]
fn a_store_that_breaks_builds_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let lab = Lab::enter();
    let names: [(&[u8], &str); 12] = [
        (b"a'b", "`\\'`"),
        (b"a\"b", "`\\\"`"),
        (b"a\\b", "`\\\\`"),
        (b"a$x", "`$`"),
        (b"a%b", "`%`"),
        (b"a;b", "`;`"),
        (b"a&b", "`&`"),
        (b"a(b)", "`(`"),
        (b"a`b", "```"),
        (b"a:b", "`:`"),
        (b"a\nb", "a line break"),
        (b"a\xffb", "UTF-8"),
    ];
    for (name, named) in names {
        for variable in ["XTOOL_HOME", "XTOOL_SYSTEM_HOME"] {
            let home = lab.dir.path().join(OsString::from_vec(name.to_vec()));
            let mut add = lab.xtool(lab.dir.path(), &["add", "--no-cargo", WINDOWS]);
            let text = fail(add.env(variable, &home), 1);
            assert!(text.contains(&format!("error: {variable} is `")), "{text}");
            assert!(text.contains(named), "{named}: {text}");
            assert!(
                text.contains(&format!("help: set {variable} to a folder")),
                "{text}"
            );
            assert!(!home.exists());
        }
    }
    // The default's folder.
    let mut add = lab.xtool(lab.dir.path(), &["list"]);
    let home = lab.dir.path().join("o'brien");
    let output = add
        .env_remove("XTOOL_HOME")
        .env("HOME", &home)
        .env_remove("XDG_DATA_HOME")
        .output();
    let text = said(&output.unwrap());
    assert!(text.contains("error: XTOOL_HOME is `"), "{text}");
}
