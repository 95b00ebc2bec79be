//! glibc's versions: what a link without the right one is told, and that what it is told works.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::explain::Bench;
use crate::real::{Lab, said, succeed};
use crate::support::skip;

const ARM: &str = "aarch64-unknown-linux-gnu";
const GNU: &str = "x86_64-unknown-linux-gnu";

/// Objects made with a newer glibc's headers: (name, the version that brought it).
const NAMES: [(&str, &str); 2] = [("__isoc23_strtoll", "2.38"), ("acospi", "2.41")];

fn declare(bench: &Bench, name: &str) -> String {
    let file = format!("{name}.c");
    let text = format!(
        "int {name}(void);\nint (*volatile used)(void) = {name};\nint main(void) {{ return used == 0; }}\n"
    );
    fs_err::write(bench.folder.join(&file), text).unwrap();
    file
}

/// The command of the help line, run as it stands; then the same link works.
#[test]
fn the_command_of_the_help_line_is_one_that_works() {
    let lab = Lab::enter();
    for (target, first) in [(GNU, "zig"), (ARM, "gnu-cross")] {
        for (name, version) in NAMES {
            // What gnu-cross's own glibc has, 2.36 in Debian 12, is no failure.
            if first == "gnu-cross" && version < "2.37" {
                continue;
            }
            let folder = format!("{first}-{name}");
            let bench = Bench::new(&lab, &folder, &[target, "--toolchain", first]);
            let file = declare(&bench, name);
            let failed = bench.run(target, &[&file, "-o", "m.out"]);
            let text = said(&failed);
            assert_eq!(failed.status.code(), Some(1), "{text}");
            let help = text.lines().last().unwrap_or_default();
            let expected = format!("help: `{name}` came with glibc {version}, newer than this");
            assert!(help.starts_with(&expected), "{text}");
            let command = help.split_once("xtool ").expect("a command").1;
            let command = command.split_once("  ").map_or(command, |(c, _)| c);
            let mut args: Vec<&str> = command.split(' ').collect();
            args.push("--no-cargo");
            succeed(&mut lab.xtool(&bench.folder, &args));
            let linked = bench.run(target, &[&file, "-o", "m.out"]);
            assert!(linked.status.success(), "{command}: {}", said(&linked));
        }
    }
}

/// A static program is refused with the target that makes one.
#[test]
fn static_glibc_is_explained() {
    let lab = Lab::enter();
    let bench = Bench::new(&lab, "static", &[GNU]);
    let words = "zig links glibc dynamically only";
    bench.explains(
        GNU,
        &["m.c", "-static"],
        words,
        "xtool add x86_64-unknown-linux-musl",
    );
}

/// rustc's own bitcode, which is newer than zig 0.15's LLVM, and which GCC does not know at all.
#[test]
fn bitcode_for_the_linker_is_explained() {
    let lab = Lab::enter();
    let zig = Bench::new(&lab, "lto", &[GNU, "--toolchain", "zig@0.15.2"]);
    let gnu = Bench::new(&lab, "lto-gnu", &[ARM, "--toolchain", "gnu-cross"]);
    let host = succeed(Command::new("rustc").args(["-vV"]));
    let host = host
        .lines()
        .find_map(|l| l.strip_prefix("host: "))
        .unwrap()
        .to_owned();
    if host != GNU {
        return skip(
            "bitcode_for_the_linker_is_explained",
            "needs rustc's std for x86_64-unknown-linux-gnu",
        );
    }
    fs_err::write(
        zig.folder.join("m.rs"),
        "fn main() { println!(\"{:?}\", std::env::args()); }\n",
    )
    .unwrap();
    let rustc = |linker: &str| {
        Command::new("rustc")
            .args([
                "-Clinker-plugin-lto",
                "-Copt-level=2",
                "-o",
                "m.out",
                "m.rs",
            ])
            .arg(format!("-Clinker={linker}"))
            .current_dir(&zig.folder)
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap()
    };
    let failed = rustc(&zig.cc(GNU));
    let text = said(&failed);
    assert!(
        !failed.status.success() && text.contains("LLVM ERROR"),
        "{text}"
    );
    assert!(
        text.contains("help: this linker cannot read the LLVM bitcode"),
        "{text}"
    );
    // An object of rustc's by itself.
    let object = Command::new("rustc")
        .args([
            "--crate-type=lib",
            "--emit=obj",
            "-Clinker-plugin-lto",
            "-o",
            "m.rcgu.o",
            "m.rs",
        ])
        .current_dir(&zig.folder)
        .output()
        .unwrap();
    assert!(object.status.success(), "{}", said(&object));
    let object = zig.folder.join("m.rcgu.o");
    gnu.explains(
        ARM,
        &["m.c", object.to_str().unwrap()],
        "file not recognized",
        "drop that flag",
    );
}

/// The table is what zig's own list of names makes of it.
#[test]
fn the_names_are_those_of_zigs_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lab = Lab::enter();
    let bench = Bench::new(&lab, "names", &[GNU]);
    let shown = succeed(&mut lab.xtool(&bench.folder, &["show", GNU, "--json"]));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let zig = &shown["installed"];
    let zig = format!(
        "{}={}",
        zig["version"].as_str().unwrap(),
        zig["path"].as_str().unwrap()
    );
    let check = |table: &Path| {
        Command::new("python3")
            .arg(root.join("scripts/glibc-symbols.py"))
            .arg("--check")
            .arg(table)
            .arg(&zig)
            .output()
    };
    let table = root.join("src/glibc/symbols.txt");
    let Ok(output) = check(&table) else {
        return skip(
            "the_names_are_those_of_zigs_list",
            "python3 is not installed",
        );
    };
    assert!(output.status.success(), "{}", said(&output));
    // One name less, one too many and another version are each found.
    let text = fs_err::read_to_string(&table).unwrap();
    for (from, to) in [
        (" arc4random ", " "),
        (" arc4random ", " arc5random "),
        ("libc 2.36 ", "libc 2.37 "),
    ] {
        let changed = bench.folder.join("symbols.txt");
        assert!(text.contains(from));
        fs_err::write(&changed, text.replace(from, to)).unwrap();
        let output = check(&changed).unwrap();
        assert!(!output.status.success(), "{from}: {}", said(&output));
    }
}
