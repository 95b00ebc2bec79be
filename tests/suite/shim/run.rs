//! Running them. The stand-ins are shell scripts, so these tests are for Unix.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtool::shim::Runner;

use super::{Home, xtool};

/// Tells its arguments, one a line, and the variables that shims set.
const TELL: &str = r#"printf '%s\n' "$@"
printf 'LD=%s\n' "$LD_LIBRARY_PATH"
printf 'CACHE=%s\n' "$ZIG_GLOBAL_CACHE_DIR""#;

/// zig is asked for a library of xtool's own at the first link.
const LIBRARY: &str =
    r#"[ "$1" = build-lib ] && for last; do :; done && touch "${last#-femit-bin=}" && exit"#;

impl Home {
    /// Puts a script into the toolchain's `bin`.
    pub(super) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.toolchain().join("bin").join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{LIBRARY}\n{text}\n")).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

pub(super) fn run(program: impl AsRef<Path>, args: &[&str]) -> Output {
    command(program, args).output().expect("the shim starts")
}

fn command(program: impl AsRef<Path>, args: &[&str]) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .args(args)
        .env_remove("XTOOL_SHIM")
        .env_remove("LD_LIBRARY_PATH");
    command
}

pub(super) fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_tool_gets_its_arguments_by_the_rules() {
    let home = Home::new();
    home.script("zig", TELL);
    let folder = home.write(&home.zig_spec("x86_64-unknown-linux-musl", "x86_64-linux-musl"));
    let told = stdout(&run(
        folder.join("cc"),
        &["crt1.o", "a b.o", "-lgcc_s", "-lc"],
    ));
    let cache = home.dir.path().join("zig-cache");
    let (before, after) = told.split_once("-lunwind\n").unwrap();
    assert_eq!(
        before,
        "cc\n-g\n-fno-sanitize=all\n-target\nx86_64-linux-musl\na b.o\n"
    );
    let (library, environment) = after.split_once('\n').unwrap();
    assert!(
        library.starts_with(cache.join("xtool/libatomic-").to_str().unwrap()),
        "{library}"
    );
    assert_eq!(environment, format!("LD=\nCACHE={}\n", cache.display()));
}

#[test]
fn exit_codes_are_handed_on() {
    let home = Home::new();
    home.script("gcc", "exit 42");
    let folder = home.write(&home.gcc_spec("x86_64-unknown-linux-musl"));
    assert_eq!(run(folder.join("cc"), &[]).status.code(), Some(42));
}

#[cfg(target_os = "linux")]
#[test]
fn the_library_path_is_for_the_toolchains_programs_only() {
    let home = Home::new();
    home.script("gcc", TELL);
    let tell = home.script("tell", TELL);
    let mut spec = home.gcc_spec("riscv64gc-unknown-linux-gnu");
    spec.library_path = vec!["/t/lib".into()];
    spec.runner = Runner::named(&format!("{} x", tell.display()), None);
    let folder = home.write(&spec);
    let mut cc = command(folder.join("cc"), &["-c", "a.c"]);
    let told = stdout(&cc.env("LD_LIBRARY_PATH", "/mine").output().unwrap());
    assert!(told.contains("LD=/t/lib:/mine\n"), "{told}");
    let told = stdout(&run(folder.join("run"), &["prog", "a b"]));
    assert!(told.starts_with("x\nprog\na b\nLD=\n"), "{told}");
}

#[test]
fn a_shim_is_found_through_path() {
    let home = Home::new();
    home.script("gcc", "echo here");
    let folder = home.write(&home.gcc_spec("x86_64-unknown-linux-musl"));
    let path =
        std::env::join_paths([Path::new("/nonexistent"), &folder, Path::new("/bin")]).unwrap();
    let mut sh = command("/bin/sh", &["-c", "exec cc a.o"]);
    assert_eq!(stdout(&sh.env("PATH", path).output().unwrap()), "here\n");
}

#[test]
fn a_link_to_a_shim_is_not_followed() {
    let home = Home::new();
    home.script("gcc", "echo one");
    let one = home.write(&home.gcc_spec("x86_64-unknown-linux-musl"));
    // The same xtool behind both: only the folder tells them apart.
    let mut spec = home.gcc_spec("x86_64-unknown-linux-musl");
    spec.tools.cc = Some(home.script("gcc-2", "echo two"));
    let two = home.write(&spec);
    assert_eq!(stdout(&run(one.join("cc"), &["a.o"])), "one\n");
    assert_eq!(stdout(&run(two.join("cc"), &["a.o"])), "two\n");
}

#[test]
fn a_shim_that_leads_to_itself_stops() {
    let home = Home::new();
    let mut spec = home.gcc_spec("x86_64-unknown-linux-musl");
    spec.tools.cc = Some(home.toolchain().join("bin/gcc"));
    let folder = home.write(&spec);
    fs_err::os::unix::fs::symlink(folder.join("cc"), home.toolchain().join("bin/gcc")).unwrap();
    let said = stderr(&run(folder.join("cc"), &["a.o"]));
    assert!(said.contains("calls itself"), "{said}");
    assert!(said.contains("help: run `xtool sync`"), "{said}");
}

#[test]
fn shims_within_a_runner_are_no_loop() {
    let home = Home::new();
    home.script("gcc", "echo compiled");
    let mut spec = home.gcc_spec("x86_64-unknown-linux-musl");
    let nested = home.script(
        "nested",
        "shift; exec \"$(dirname \"$0\")\"/../../shims/*/cc a.o",
    );
    spec.runner = Runner::named(&format!("{} x", nested.display()), None);
    let folder = home.write(&spec);
    assert_eq!(stdout(&run(folder.join("run"), &["p"])), "compiled\n");
}

/// F49's neighbour: the toolchain was pruned, the project still names its shim.
#[test]
fn a_toolchain_that_is_gone_is_named() {
    let home = Home::new();
    let folder = home.write(&home.gcc_spec("x86_64-unknown-linux-musl"));
    let said = stderr(&run(folder.join("cc"), &["a.o"]));
    assert!(said.contains("Cannot run `"), "{said}");
    fs_err::remove_dir_all(home.toolchain()).unwrap();
    let said = stderr(&run(folder.join("cc"), &["a.o"]));
    let root = home.toolchain();
    assert!(
        said.contains(&format!("`{}` does not exist", root.display())),
        "{said}"
    );
    assert!(
        said.contains("x86_64-unknown-linux-musl") && said.contains("`xtool sync`"),
        "{said}"
    );
}

/// F56's neighbour: settings that are no TOML, or another version's.
#[test]
fn settings_that_cannot_be_read_are_named() {
    let home = Home::new();
    let folder = home.write(&home.gcc_spec("x86_64-unknown-linux-musl"));
    fs_err::write(folder.join("shim.toml"), "schema = 1\nroot = 3\n").unwrap();
    let said = stderr(&run(folder.join("cc"), &["a.o"]));
    assert!(
        said.contains("shim.toml") && said.contains("`xtool sync`"),
        "{said}"
    );
    fs_err::write(folder.join("shim.toml"), "schema = 9\n").unwrap();
    let said = stderr(&run(folder.join("cc"), &["a.o"]));
    assert!(said.contains("schema 9"), "{said}");
}

#[test]
fn a_long_response_file_is_written_anew_beside_the_first() {
    let home = Home::new();
    home.script("zig", TELL);
    let folder = home.write(&home.zig_spec("x86_64-unknown-linux-musl", "x86_64-linux-musl"));
    let list = home.dir.path().join("linker-arguments");
    let at = format!("@{}", list.display());

    fs_err::write(&list, "crt1.o\na\\ b.o\n-lgcc_s\n").unwrap();
    let told = stdout(&run(folder.join("cc"), &[&at]));
    assert!(
        told.contains("x86_64-linux-musl\na b.o\n-lunwind\n"),
        "{told}"
    );

    let objects = (0..20_000)
        .map(|i| format!("/o/{i:08}.o\n"))
        .collect::<Vec<_>>()
        .concat();
    fs_err::write(&list, format!("crt1.o\n{objects}-lgcc_s\n")).unwrap();
    let told = stdout(&run(folder.join("cc"), &[&at]));
    assert!(told.starts_with(&format!("cc\n{at}.xtool\nLD=")), "{told}");
    let anew = fs_err::read_to_string(home.dir.path().join("linker-arguments.xtool")).unwrap();
    assert!(!anew.contains("crt1.o") && anew.contains(".o\"\n\"-lunwind\"\n"));
    assert_eq!(anew.matches("/o/").count(), 20_000);
}

#[test]
fn the_program_under_its_own_name_is_no_shim() {
    let home = Home::new();
    let folder = home.write(&home.gcc_spec("x86_64-unknown-linux-musl"));
    let own = folder.join("xtool");
    fs_err::os::unix::fs::symlink(xtool(), &own).unwrap();
    let output = run(&own, &["--version"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("Cannot run `"), "{text}");
}

/// A folder that is the whole PATH, with one program in it.
fn path_with(home: &Home, name: &str, text: &str) -> PathBuf {
    let script = home.script(name, text);
    let folder = home.dir.path().join(format!("path-{name}"));
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::rename(script, folder.join(name)).unwrap();
    folder
}

#[test]
fn qemu_gets_the_folder_with_the_loader() {
    let home = Home::new();
    let path = path_with(&home, "qemu-riscv64", r#"printf '%s\n' "$@""#);
    let mut spec = home.gcc_spec("riscv64gc-unknown-linux-gnu");
    let sysroot = home.toolchain().join("usr/riscv64-linux-gnu");
    fs_err::create_dir_all(sysroot.join("lib")).unwrap();
    fs_err::write(sysroot.join("lib/ld-linux-riscv64-lp64d.so.1"), "").unwrap();
    spec.sysroot = Some(sysroot.clone());
    spec.runner = Runner::named("qemu-riscv64", None);
    let folder = home.write(&spec);
    let output = command(folder.join("run"), &["prog", "a b"])
        .env("PATH", &path)
        .output()
        .unwrap();
    assert_eq!(
        stdout(&output),
        format!("-L\n{}\nprog\na b\n", sysroot.display())
    );

    let output = command(folder.join("run"), &["prog"])
        .env("PATH", home.dir.path())
        .output()
        .unwrap();
    let said = stderr(&output);
    assert!(
        said.contains("neither `qemu-riscv64` nor `qemu-riscv64-static`"),
        "{said}"
    );
    assert!(said.contains("help: `apt-get install qemu-user`"), "{said}");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn an_old_wine_gets_the_dll_that_rust_needs() {
    let home = Home::new();
    let asked = home.dir.path().join("asked");
    let path = path_with(
        &home,
        "wine",
        &format!(
            r#"if [ "$1" = --version ]; then echo x >> '{}'; echo 'wine-8.0 (Debian)'; exit; fi
printf '%s\n' "$@" "$WINEDEBUG" "$WINEPATH"
exit 9"#,
            asked.display()
        ),
    );
    // The compiler, as it is called for the DLL: `-shared -O2 -s -o OUT SOURCE …`.
    let compiler = r#"while [ "$1" != -o ]; do shift; done; : > "$2"; : > "$2.made""#;
    home.script("gcc", compiler);
    let mut spec = home.gcc_spec("x86_64-pc-windows-gnu");
    spec.runner = Runner::named("wine", None);
    let folder = home.write(&spec);
    let run = |wine_path: &str| {
        let output = command(folder.join("run"), &["p.exe", "a b"])
            .env("PATH", &path)
            .env("WINEPATH", wine_path)
            .env_remove("WINEDEBUG")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(9), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = run("C:\\mine");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[..3], ["p.exe", "a b", "-all"]);
    let dll_folder = lines[3]
        .strip_suffix(";C:\\mine")
        .expect("the user's path stays");
    assert!(Path::new(dll_folder).join("bcryptprimitives.dll").is_file());
    assert!(dll_folder.starts_with(home.dir.path().join("wine").to_str().unwrap()));

    // Neither is done again: the compiler is gone, and wine tells its version once.
    fs_err::remove_file(home.toolchain().join("bin/gcc")).unwrap();
    assert_eq!(run("").lines().nth(3), Some(dll_folder));
    assert_eq!(fs_err::read_to_string(&asked).unwrap(), "x\n");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_dll_that_cannot_be_built_is_named() {
    let home = Home::new();
    let path = path_with(&home, "wine", "echo wine-8.0");
    home.script("gcc", "echo 'no headers here' >&2; exit 1");
    let mut spec = home.gcc_spec("x86_64-pc-windows-gnu");
    spec.runner = Runner::named("wine", None);
    let folder = home.write(&spec);
    let output = command(folder.join("run"), &["p.exe"])
        .env("PATH", &path)
        .output()
        .unwrap();
    let said = stderr(&output);
    assert!(
        said.contains("bcryptprimitives.dll") && said.contains("no headers here"),
        "{said}"
    );
}
