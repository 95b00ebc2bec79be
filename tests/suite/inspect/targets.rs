//! Binaries for the targets that xtool builds for, held against readelf, LLVM's tools and `file`. A few are built here;
//! `XTOOL_TEST_BINARIES` names folders of more (separated as in PATH), such as what scripts/matrix.sh built.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtool::inspect::facts::{Facts, Format, Kind};

use super::{host, output, report};
use crate::real::{Lab, succeed};

/// One of each family.
const FAMILIES: [&str; 4] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-gnu",
    "x86_64-pc-windows-gnu",
    "aarch64-apple-darwin",
];

/// And of each odd shape: 32 bits, big-endian, other relocations, DLLs without GCC, the other macOS.
const SHAPES: [&str; 5] = [
    "armv7-unknown-linux-gnueabihf",
    "s390x-unknown-linux-gnu",
    "riscv64gc-unknown-linux-gnu",
    "aarch64-pc-windows-gnullvm",
    "x86_64-apple-darwin",
];

#[test]
fn every_familys_binaries_are_what_the_platforms_tools_say() {
    build_and_compare(&FAMILIES);
}

#[test]
#[ignore = "compiles five more C libraries from nothing, minutes: scripts/test.sh shapes -- --ignored"]
fn the_odd_shapes_binaries_are_what_the_platforms_tools_say() {
    build_and_compare(&SHAPES);
}

fn build_and_compare(targets: &[&str]) {
    let lab = Lab::enter();
    let folder = lab.dir.path().join("targets");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("lib.c"), "int answer(void) { return 42; }\n").unwrap();
    fs_err::write(
        folder.join("main.c"),
        "#include <stdio.h>\n#include <pthread.h>\n#include <math.h>\nstatic void *work(void *x) { return x; }\n\
         int main(int argc, char **argv) { pthread_t t; pthread_create(&t, 0, work, argv); pthread_join(t, 0);\n\
         printf(\"%f\\n\", pow(argc, 2.5)); return 0; }\n",
    )
    .unwrap();
    let mut args = vec!["add", "--no-cargo"];
    args.extend(targets);
    succeed(&mut lab.xtool(&folder, &args));
    let mut compared = 0;
    for &target in targets {
        let env = succeed(&mut lab.xtool(&folder, &["env", target, "--format", "json"]));
        let env: serde_json::Value = serde_json::from_str(&env).unwrap();
        for (out, args) in [
            ("debug", &["main.c", "-g", "-lm", "-pthread"][..]),
            ("bare", &["main.c", "-O2", "-s", "-lm", "-pthread"]),
            ("library", &["lib.c", "-shared", "-fPIC"]),
        ] {
            // With an ending: GCC for Windows adds `.exe` to a name without one.
            let out = folder.join(format!("{out}-{target}.out"));
            let mut cc = Command::new(env["CC"].as_str().unwrap());
            succeed(cc.args(args).arg("-o").arg(&out).current_dir(&folder));
            compare(&out);
            compared += 1;
        }
    }
    assert_eq!(compared, targets.len() * 3);
    let more = std::env::var_os("XTOOL_TEST_BINARIES").unwrap_or_default();
    for folder in std::env::split_paths(&more).filter(|f| !f.as_os_str().is_empty()) {
        for path in programs(&folder) {
            compare(&path);
            compared += 1;
        }
    }
    eprintln!("compared {compared} files");
}

/// The programs in a folder: what `file` takes for one.
fn programs(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs_err::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_file() && xtool::inspect::read_facts(p).is_ok())
        .collect();
    all.sort();
    all
}

fn tool(program: &str, args: &[&str], path: &Path) -> String {
    output(program, args, path)
        .unwrap_or_else(|| panic!("{program} is not installed: scripts/test.sh installs it"))
}

fn compare(path: &Path) {
    for slice in report(path).slices {
        let facts = &slice.facts;
        match facts.format {
            Format::Elf => {
                host::compare(path, facts, "llvm-objdump");
                compare_with_file(path, facts);
            }
            Format::Pe => compare_pe(path, facts),
            Format::MachO => compare_mach_o(path, facts),
        }
    }
}

fn compare_with_file(path: &Path, facts: &Facts) {
    let text = tool("file", &["-b"], path);
    let is_static = text.contains("statically linked") || text.contains("static-pie linked");
    if facts.kind == Kind::Program {
        assert_eq!(facts.is_static, is_static, "{}: {text}", path.display());
    }
    assert_eq!(
        facts.stripped,
        !text.contains("not stripped"),
        "{}: {text}",
        path.display()
    );
    assert_eq!(
        facts.debug_info,
        text.contains("with debug_info"),
        "{}: {text}",
        path.display()
    );
}

/// The values of `Name: value` lines, in order.
fn values<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    text.lines()
        .filter_map(|l| l.trim().strip_prefix(name)?.strip_prefix(": "))
        .collect()
}

fn compare_pe(path: &Path, facts: &Facts) {
    let shown = path.display();
    let pe = facts.pe().expect("a PE file");
    let text = tool(
        "llvm-readobj",
        &["--file-headers", "--coff-imports", "--sections"],
        path,
    );
    let has = |flag: &str| text.contains(flag);
    let machine = match facts.architecture.as_str() {
        "x86_64" => "IMAGE_FILE_MACHINE_AMD64",
        "aarch64" => "IMAGE_FILE_MACHINE_ARM64",
        "x86" => "IMAGE_FILE_MACHINE_I386",
        other => other,
    };
    assert!(has(machine), "{shown}: {machine}");
    assert_eq!(
        facts.kind == Kind::Library,
        has("IMAGE_FILE_DLL "),
        "{shown}"
    );
    let subsystem = match pe.subsystem.as_str() {
        "console" => "IMAGE_SUBSYSTEM_WINDOWS_CUI",
        "gui" => "IMAGE_SUBSYSTEM_WINDOWS_GUI",
        other => other,
    };
    assert!(has(subsystem), "{shown}: {subsystem}");
    let version = format!(
        "{}.{}",
        values(&text, "MajorSubsystemVersion")[0],
        values(&text, "MinorSubsystemVersion")[0]
    );
    assert_eq!(pe.subsystem_version.to_string(), version, "{shown}");
    let relocations = !has("IMAGE_FILE_RELOCS_STRIPPED");
    assert_eq!(
        pe.aslr,
        relocations && has("CHARACTERISTICS_DYNAMIC_BASE"),
        "{shown}"
    );
    assert_eq!(pe.high_entropy, has("HIGH_ENTROPY_VA"), "{shown}");
    assert_eq!(
        facts.no_execute,
        has("CHARACTERISTICS_NX_COMPAT"),
        "{shown}"
    );
    assert_eq!(
        pe.control_flow_guard,
        has("CHARACTERISTICS_GUARD_CF"),
        "{shown}"
    );
    let signed = values(&text, "CertificateTableSize") != ["0x0"];
    assert_eq!(pe.signed, signed, "{shown}");

    // `Import {` and `DelayImport {`, with the DLL's name first, then a line for each function.
    let (_, imports) = text.split_once("\nImport {").unwrap_or_default();
    let dlls: Vec<&str> = imports
        .lines()
        .filter_map(|l| l.strip_prefix("  Name: "))
        .collect();
    let ours: Vec<&str> = pe.imports.iter().map(|i| i.dll.as_str()).collect();
    assert_eq!(ours, dlls, "{shown}");
    let functions = imports
        .lines()
        .filter(|l| l.trim_start().starts_with("Symbol: "))
        .count();
    let ours: usize = pe.imports.iter().map(|i| i.functions.len()).sum();
    assert_eq!(ours, functions, "{shown}");

    // `Name: .text (2E 74 …)`
    let (_, sections) = text.split_once("Sections [").expect("sections");
    let names: Vec<&str> = sections
        .lines()
        .filter_map(|l| {
            l.strip_prefix("    Name: ")?
                .split_once(" (")
                .map(|(n, _)| n)
        })
        .collect();
    let ours: Vec<&str> = facts.sections.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(ours, names, "{shown}");
    let sizes: Vec<u64> = values(sections, "VirtualSize")
        .iter()
        .map(|v| u64::from_str_radix(v.trim_start_matches("0x"), 16).unwrap())
        .collect();
    let ours: Vec<u64> = facts.sections.iter().map(|s| s.size).collect();
    assert_eq!(ours, sizes, "{shown}");
    let debug = names.contains(&".debug_info");
    assert_eq!(facts.debug_info, debug, "{shown}");
    let symbols = values(&text, "SymbolCount") != ["0"];
    assert_eq!(facts.stripped, !symbols && !debug, "{shown}");
}

fn compare_mach_o(path: &Path, facts: &Facts) {
    let shown = path.display();
    let mach_o = facts.mach_o().expect("a Mach-O file");
    let text = tool("llvm-objdump", &["--macho", "--private-headers"], path);
    let header = text
        .lines()
        .find(|l| l.contains("MH_MAGIC"))
        .expect("a header");
    let cpu = match facts.architecture.as_str() {
        "aarch64" => "ARM64",
        "x86_64" => "X86_64",
        other => other,
    };
    assert!(header.contains(cpu), "{shown}: {header}");
    let kind = match facts.kind {
        Kind::Program => "EXECUTE",
        Kind::Library => "DYLIB",
    };
    assert!(header.contains(kind), "{shown}: {header}");
    if facts.kind == Kind::Program {
        assert_eq!(
            facts.position_independent,
            header.contains(" PIE"),
            "{shown}"
        );
    }
    // The commands, by name, with their fields.
    let commands: Vec<Vec<Vec<&str>>> = text
        .split("\nLoad command ")
        .skip(1)
        .map(|c| c.lines().map(|l| l.split_whitespace().collect()).collect())
        .collect();
    let fields = |names: &[&str], field: &str| -> Vec<String> {
        commands
            .iter()
            .filter(|c| {
                c.iter()
                    .any(|l| l.len() == 2 && l[0] == "cmd" && names.contains(&l[1]))
            })
            .filter_map(|c| c.iter().find(|l| l.len() > 1 && l[0] == field))
            .map(|l| l[1].to_owned())
            .collect()
    };
    let first = |names: &[&str], field: &str| fields(names, field).into_iter().next();
    let loads = [
        "LC_LOAD_DYLIB",
        "LC_LOAD_WEAK_DYLIB",
        "LC_REEXPORT_DYLIB",
        "LC_LAZY_LOAD_DYLIB",
    ];
    let ours: Vec<String> = mach_o.dylibs.iter().map(|d| d.name.clone()).collect();
    assert_eq!(ours, fields(&loads, "name"), "{shown}");
    assert_eq!(
        mach_o.install_name,
        first(&["LC_ID_DYLIB"], "name"),
        "{shown}"
    );
    assert_eq!(
        mach_o.dylinker,
        first(&["LC_LOAD_DYLINKER"], "name"),
        "{shown}"
    );
    assert_eq!(mach_o.rpaths, fields(&["LC_RPATH"], "path"), "{shown}");
    let minimum = first(&["LC_BUILD_VERSION"], "minos")
        .or_else(|| first(&["LC_VERSION_MIN_MACOSX"], "version"));
    assert_eq!(mach_o.minimum_os.map(|v| v.to_string()), minimum, "{shown}");
    let sdk = first(&["LC_BUILD_VERSION", "LC_VERSION_MIN_MACOSX"], "sdk").filter(|v| v != "n/a");
    assert_eq!(mach_o.sdk.map(|v| v.to_string()), sdk, "{shown}");
    let uuid = first(&["LC_UUID"], "uuid").map(|u| u.replace('-', "").to_lowercase());
    assert_eq!(
        mach_o
            .uuid
            .as_ref()
            .map(|u| u.replace('-', "").to_lowercase()),
        uuid,
        "{shown}"
    );
    let signed = first(&["LC_CODE_SIGNATURE"], "dataoff").is_some();
    assert_eq!(mach_o.signature.is_some(), signed, "{shown}");

    let names: Vec<String> = commands
        .iter()
        .flatten()
        .collect::<Vec<_>>()
        .windows(2)
        .filter(|pair| pair[0].first() == Some(&"sectname"))
        .map(|pair| format!("{},{}", pair[1][1], pair[0][1]))
        .collect();
    let ours: Vec<&str> = facts
        .sections
        .iter()
        .map(|s| s.name.as_str())
        .filter(|n| n.contains(",__"))
        .collect();
    assert_eq!(ours, names, "{shown}");
}
