//! Running them. The stand-ins are shell scripts, so these tests are for Unix.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtool::shim::{Runner, write_variant};

use super::{Home, xtool};

/// Tells its arguments, one a line, and the variables that shims set.
const TELL: &str = r#"printf '%s\n' "$@"
printf 'LD=%s\n' "$LD_LIBRARY_PATH"
printf 'CACHE=%s\n' "$ZIG_GLOBAL_CACHE_DIR""#;

impl Home {
    /// Puts a script into the toolchain's `bin`.
    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.toolchain().join("bin").join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

fn run(program: impl AsRef<Path>, args: &[&str]) -> Output {
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

fn stdout(output: &Output) -> String {
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
    assert_eq!(
        told,
        format!(
            "cc\n-g\n-fno-sanitize=all\n-target\nx86_64-linux-musl\na b.o\n-lunwind\nLD=\nCACHE={}\n",
            cache.display()
        )
    );
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
    // The same program behind both: only argv[0]'s own folder tells them apart.
    let mut spec = home.gcc_spec("x86_64-unknown-linux-musl");
    spec.tools.cc = Some(home.script("gcc-2", "echo two"));
    let two = write_variant(&home.shims(), "two", &spec, &one.join("cc")).unwrap();
    assert_eq!(stdout(&run(one.join("cc"), &["a.o"])), "one\n");
    assert_eq!(stdout(&run(two.join("cc"), &["a.o"])), "two\n");
}

#[test]
fn a_shim_that_leads_to_itself_stops() {
    let home = Home::new();
    let mut spec = home.gcc_spec("x86_64-unknown-linux-musl");
    spec.tools.cc = Some(home.shims().join("v/cc"));
    let folder = home.write(&spec);
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
        "shift; exec \"$(dirname \"$0\")/../../shims/v/cc\" a.o",
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
        told.contains("x86_64-linux-musl\na b.o\n-lunwind\nLD="),
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
    assert!(!anew.contains("crt1.o") && anew.ends_with("\"-lunwind\"\n"));
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
