//! macOS from Linux, judged by structure: Apple's SDK imported (a stand-in made from what zig ships), clang with
//! ld64.lld and zig, programs for both CPUs, and one file of both.

mod ask;

use std::path::{Path, PathBuf};
use std::process::Command;

use object::macho;
use object::read::macho::{FatArch as _, LoadCommandVariant, MachHeader as _, MachOFatFile32};

use super::{Lab, need_library_source, project, succeed};

const ARM: &str = "aarch64-apple-darwin";
const INTEL: &str = "x86_64-apple-darwin";

/// A stand-in for Apple's SDK, made of the zig that a target's shims use.
fn stub_sdk(lab: &Lab, project: &Path) -> PathBuf {
    let shown = succeed(&mut lab.xtool(project, &["show", ARM, "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let zig = shown["installed"]["path"].as_str().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/stub-sdk.sh");
    let out = succeed(
        Command::new("bash")
            .arg(script)
            .arg(zig)
            .arg(lab.dir.path())
            .arg(libcxx(lab)),
    );
    PathBuf::from(out.trim())
}

/// The libc++ that belongs to Debian's clang, unpacked; nothing is installed.
fn libcxx(lab: &Lab) -> PathBuf {
    let dir = lab.dir.path().join("libcxx");
    fs_err::create_dir(&dir).unwrap();
    let depends = succeed(Command::new("apt-cache").args(["depends", "libc++-dev"]));
    let version = depends
        .split_once("Depends: libc++-")
        .and_then(|(_, rest)| rest.split_once("-dev"))
        .unwrap_or_else(|| panic!("`libc++-dev` depends on no version: {depends}"))
        .0
        .to_owned();
    let packages = ["libc++-V-dev", "libc++1-V", "libc++abi1-V"].map(|p| p.replace('V', &version));
    succeed(
        Command::new("apt-get")
            .args(["-qq", "download"])
            .args(packages)
            .current_dir(&dir),
    );
    for package in fs_err::read_dir(&dir).unwrap() {
        let package = package.unwrap().path();
        succeed(Command::new("dpkg").arg("-x").arg(package).arg(&dir));
    }
    dir.join("usr/lib").join(format!("llvm-{version}"))
}

/// The oldest macOS that a 64-bit file is for, its imports' install names, and whether it is signed.
struct Facts {
    minimum: (u16, u8),
    libraries: Vec<String>,
    signed: bool,
}

fn facts(bytes: &[u8]) -> Facts {
    let header = macho::MachHeader64::<object::Endianness>::parse(bytes, 0).expect("a Mach-O file");
    let endian = header.endian().unwrap();
    let mut out = Facts {
        minimum: (0, 0),
        libraries: Vec::new(),
        signed: false,
    };
    let version = |v: macho::Version| (v.major(), v.minor());
    let mut commands = header.load_commands(endian, bytes, 0).unwrap();
    while let Some(command) = commands.next().unwrap() {
        let data = command.raw_data();
        match command.variant().unwrap() {
            LoadCommandVariant::BuildVersion(c, _) => out.minimum = version(c.minos.get(endian)),
            LoadCommandVariant::VersionMin(c) => out.minimum = version(c.version.get(endian)),
            LoadCommandVariant::Dylib(c) => {
                let at = c.dylib.name.offset.get(endian) as usize;
                let name = data[at..].split(|b| *b == 0).next().unwrap();
                out.libraries
                    .push(String::from_utf8_lossy(name).into_owned());
            }
            _ => out.signed |= command.cmd() == macho::LC_CODE_SIGNATURE,
        }
    }
    out
}

fn shims(lab: &Lab, project: &Path, target: &str) -> PathBuf {
    let shown = succeed(&mut lab.xtool(project, &["show", target, "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    shown["installed"]["shims"].as_str().unwrap().into()
}

/// C++ with an exception that comes out of a map, and a part in C.
const CXX: &str = "#include <cstdio>\n#include <map>\n#include <stdexcept>\n#include <string>\n\
    extern \"C\" int c_part(int);\nint main() {\n  std::map<std::string, int> numbers{{\"a\", 40}};\n  \
    try { numbers.at(\"b\"); } catch (const std::out_of_range &e) { numbers[\"a\"] += c_part(1); }\n  \
    std::printf(\"%d\\n\", numbers[\"a\"]);\n  return numbers[\"a\"] == 42 ? 0 : 1;\n}\n";

/// Compiles it by a target's plain shims, and links it; everything is for the same oldest macOS.
fn cxx(lab: &Lab, toolchain: &str, shims: &Path, minimum: (u16, u8)) {
    let dir = lab.dir.path();
    let program = dir.join(format!("{toolchain}-cxx-{}", minimum.0));
    let mut objects = Vec::new();
    for (tool, file, text) in [
        ("c++", "main.cc", CXX),
        (
            "cc",
            "part.c",
            "#include <math.h>\nint c_part(int x) { return x + (int)fabs(-1.0); }\n",
        ),
    ] {
        let source = dir.join(file);
        fs_err::write(&source, text).unwrap();
        let object = source.with_extension("o");
        let mut compile = Command::new(shims.join(tool));
        succeed(compile.arg("-c").arg(&source).arg("-o").arg(&object));
        assert_eq!(facts(&fs_err::read(&object).unwrap()).minimum, minimum);
        objects.push(object);
    }
    // zig compiles a libc++ of its own before it links, which takes minutes: the matrix sees to that.
    if toolchain == "zig" {
        return;
    }
    let mut link = Command::new(shims.join("c++"));
    succeed(link.args(&objects).arg("-o").arg(&program));
    let shown = succeed(&mut lab.xtool(dir, &["inspect", "--json", program.to_str().unwrap()]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let file = &shown["files"][0];
    let found = facts(&fs_err::read(&program).unwrap());
    assert_eq!(found.minimum, minimum, "{toolchain}: {file}");
    assert!(found.signed || minimum.0 < 11, "{toolchain}: {file}");
    let shared = |l: &String| l == "/usr/lib/libc++.1.dylib";
    assert!(found.libraries.iter().any(shared), "{:?}", found.libraries);
    assert_eq!(file["error"], serde_json::Value::Null, "{file}");
}

#[test]
fn an_imported_sdk_serves_clang_and_zig_alike() {
    let lab = Lab::with_own_store();
    let project = project("natives", lab.dir.path());
    let add = |toolchain: &str| {
        let flags = ["--no-rust-std", "--toolchain", toolchain];
        succeed(&mut lab.xtool(&project, &[&["add", ARM, INTEL], &flags[..]].concat()))
    };
    add("zig");
    let sdk = stub_sdk(&lab, &project);
    let imported = succeed(&mut lab.xtool(
        &project,
        &["sdk", "import", "--json", sdk.to_str().unwrap()],
    ));
    assert!(imported.contains("\"MacOSX14.5\""), "{imported}");
    assert!(succeed(&mut lab.xtool(&project, &["sdk", "list"])).contains("MacOSX14.5"));

    let source = lab.dir.path().join("main.c");
    fs_err::write(
        &source,
        "#include <stdio.h>\n#include <Stub/Stub.h>\nint main(void) { return printf(\"%d\", stub_answer()) < 0; }\n",
    )
    .unwrap();
    for toolchain in ["zig", "osxcross"] {
        add(toolchain);
        let (arm, intel) = (shims(&lab, &project, ARM), shims(&lab, &project, INTEL));
        let mut programs = Vec::new();
        for (folder, name, minimum) in [
            (&arm, "oa64-clang", (11, 0)),
            (&intel, "x86_64-apple-darwin23-clang", (10, 12)),
        ] {
            let clang = folder.join("osxcross/bin").join(name);
            let object = lab.dir.path().join("main.o");
            succeed(
                Command::new(&clang)
                    .arg("-c")
                    .arg(&source)
                    .arg("-o")
                    .arg(&object),
            );
            assert_eq!(facts(&fs_err::read(&object).unwrap()).minimum, minimum);
            let program = lab.dir.path().join(format!("{toolchain}-{name}"));
            succeed(
                Command::new(&clang)
                    .arg(&object)
                    .args(["-framework", "Stub", "-o"])
                    .arg(&program),
            );
            let facts = facts(&fs_err::read(&program).unwrap());
            assert_eq!(facts.minimum, minimum, "{toolchain} {name}");
            assert!(
                facts
                    .libraries
                    .iter()
                    .any(|l| l.ends_with("Stub.framework/Stub")),
                "{:?}",
                facts.libraries
            );
            assert!(
                facts.signed || name != "oa64-clang",
                "{toolchain}: arm64 must be signed"
            );
            programs.push(program);
        }
        cxx(&lab, toolchain, &arm, (11, 0));
        cxx(&lab, toolchain, &intel, (10, 12));
        let xcrun = arm.join("osxcross/bin/xcrun");
        let path = succeed(Command::new(&xcrun).args(["--sdk", "macosx", "--show-sdk-path"]));
        assert!(Path::new(path.trim()).join("SDKSettings.json").is_file());
        universal(&lab, &project, toolchain, &programs);
        ask::osxcrosss_own_names(&lab, &project);
        ask::the_users_oldest_macos(&lab, toolchain, &arm);
        ask::a_procedure_without_a_symbol(&lab, ARM, &arm);
        ask::a_procedure_without_a_symbol(&lab, INTEL, &intel);
    }
    ask::libclang_about_standard_headers(&lab, &project);
}

/// One file of both programs, by `xtool exec` and by `xcrun`: both as they were, arm64's where its pages begin, and
/// still signed.
fn universal(lab: &Lab, project: &Path, toolchain: &str, programs: &[PathBuf]) {
    let dir = lab.dir.path();
    for (with, name) in [("lipo", "both"), ("xcrun lipo", "both-by-xcrun")] {
        let both = dir.join(format!("{toolchain}-{name}"));
        let words = ["exec", ARM, "--"].into_iter().chain(with.split(' '));
        let words: Vec<&str> = words.chain(["-create"]).collect();
        succeed(
            lab.xtool(project, &words)
                .args(programs)
                .arg("-output")
                .arg(&both),
        );
        let bytes = fs_err::read(&both).unwrap();
        let fat = MachOFatFile32::parse(&*bytes).unwrap();
        let [intel, arm] = fat.arches() else {
            panic!("{toolchain}: {} slices", fat.arches().len());
        };
        assert_eq!(
            (intel.cputype(), arm.cputype()),
            (macho::CPU_TYPE_X86_64, macho::CPU_TYPE_ARM64)
        );
        assert_eq!((arm.align(), arm.file_range().0 % 0x4000), (14, 0));
        // The arm64 program comes first in the list.
        for (slice, program) in [(arm, &programs[0]), (intel, &programs[1])] {
            let slice = slice.data(&*bytes).unwrap();
            assert!(slice == fs_err::read(program).unwrap(), "{toolchain}");
            assert!(facts(slice).signed || slice == intel.data(&*bytes).unwrap());
        }
        let said = succeed(
            lab.xtool(project, &["exec", ARM, "--", "lipo", "-archs"])
                .arg(&both),
        );
        assert_eq!(said.trim(), "x86_64 arm64", "{toolchain}");
        let inspected = succeed(&mut lab.xtool(dir, &["inspect", both.to_str().unwrap()]));
        assert!(inspected.contains("aarch64") && inspected.contains("x86_64"));
    }
}

#[test]
fn rust_and_c_are_for_the_same_oldest_macos() {
    need_library_source();
    let lab = Lab::enter();
    let project = project("matrix", lab.dir.path());
    succeed(&mut lab.xtool(&project, &["add", ARM, "--toolchain", "zig", "--build-std"]));
    succeed(&mut lab.cargo(
        &project,
        &["build", "--locked", "-p", "matrix-zstd", "--target", ARM],
    ));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("real/target")
        .join(ARM)
        .join("debug");
    let program = facts(&fs_err::read(built.join("matrix-zstd")).unwrap());
    assert_eq!(program.minimum, (11, 0));
    assert!(program.signed);
    let mut objects = 0;
    for folder in fs_err::read_dir(built.join("build")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("zstd-sys")
        {
            continue;
        }
        for object in walk(&folder)
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "o"))
        {
            let found = facts(&fs_err::read(object).unwrap());
            assert_eq!(found.minimum, (11, 0), "{}", object.display());
            objects += 1;
        }
    }
    assert!(objects > 10, "{objects}");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(walk(&path));
        } else {
            out.push(path);
        }
    }
    out
}
