//! Windows resources with both toolchains: what is in the `.rc` is read back out of the program, and Windows finds it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{
    ImageNtHeaders, PeFile, PeFile32, PeFile64, ResourceDirectory, ResourceDirectoryEntryData,
    ResourceDirectoryTable, ResourceNameOrId,
};

use super::{Lab, need_library_source, project, succeed};

const TARGET: &str = "x86_64-pc-windows-gnu";
const FOUND: &str = "icon 1 version 1 manifest 1";

#[test]
fn cargo_compiles_resources_with_mingw_w64() {
    cargo("mingw-w64");
}

#[test]
fn cargo_compiles_resources_with_zig() {
    cargo("zig");
}

/// All builds put their program into one place.
pub static PROGRAM: Mutex<()> = Mutex::new(());

fn cargo(toolchain: &str) {
    need_library_source();
    let _mine = PROGRAM.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = Lab::enter();
    let project = project("resources", lab.dir.path());
    succeed(&mut lab.xtool(
        &project,
        &["add", TARGET, "--toolchain", toolchain, "--build-std"],
    ));
    let build = ["build", "--locked", "--target", TARGET];
    let exe = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("real/target")
        .join(TARGET)
        .join("debug/resources.exe");

    succeed(&mut lab.cargo(&project, &build));
    let resources = resources(&exe);
    check(&resources, "9.8.7.6");
    assert_eq!(version(&resources, "Comments"), "64");
    assert_eq!(version(&resources, "CompanyName"), "MinGW");
    assert_eq!(
        succeed(
            lab.cargo(&project, &["run", "-q", "--locked", "--target", TARGET])
                .env("WINEDEBUG", "-all")
        )
        .trim(),
        FOUND
    );

    succeed(lab.cargo(&project, &build).env("BY", "winresource, told"));
    check(&self::resources(&exe), "9.8.7.6");

    // By the names in PATH that winresource looks for.
    fs_err::remove_file(&exe).unwrap();
    let plain = lab.cargo(&project, &build);
    let mut exec = lab.xtool(&project, &["exec", TARGET, "--"]);
    exec.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => exec.env(name, value),
            None => exec.env_remove(name),
        };
    }
    succeed(exec.env("BY", "winresource"));
    check(&self::resources(&exe), "9.8.7.6");
}

#[test]
fn cmake_and_meson_compile_resources() {
    let lab = Lab::enter();
    for (target, toolchain, bits) in [
        (TARGET, "mingw-w64", "64"),
        (TARGET, "zig", "64"),
        ("i686-pc-windows-gnu", "mingw-w64", "32"),
        ("i686-pc-windows-gnu", "zig", "32"),
        ("aarch64-pc-windows-gnullvm", "zig", "64"),
    ] {
        let place = lab.dir.path().join(format!("{toolchain} {target}"));
        let folder = project("resources", &place);
        fs_err::remove_file(folder.join("Cargo.toml")).unwrap();
        succeed(&mut lab.xtool(
            &folder,
            &["add", "--no-cargo", target, "--toolchain", toolchain],
        ));
        let generators = ["Ninja", "Unix Makefiles"];
        let others = usize::from(target == TARGET);
        for generator in &generators[..=others] {
            let exe = cmake(&lab, &folder, target, generator);
            built(&exe, bits);
            if target == TARGET {
                let run = ["exec", target, "--", "sh", "-c", "\"${0%/*}/run\" \"$1\""];
                let mut run = lab.xtool(&folder, &run);
                run.arg(shims(&lab, &folder, target).join("cc")).arg(&exe);
                assert_eq!(succeed(run.env("WINEDEBUG", "-all")).trim(), FOUND);
            }
        }
        // Meson runs a program of the target to see that it can: without a 32-bit wine it stops there.
        if target == TARGET {
            built(&meson(&lab, &folder, target), bits);
        }
    }
}

fn built(exe: &Path, bits: &str) {
    let resources = resources(exe);
    check(&resources, "none");
    assert_eq!(version(&resources, "Comments"), bits);
    assert_eq!(version(&resources, "CompanyName"), "MinGW");
}

/// The target's shims, by the path of its `CC`.
fn shims(lab: &Lab, folder: &Path, target: &str) -> PathBuf {
    let cc = succeed(&mut lab.xtool(folder, &["exec", target, "--", "sh", "-c", "echo \"$CC\""]));
    Path::new(cc.trim()).parent().unwrap().to_owned()
}

fn cmake(lab: &Lab, folder: &Path, target: &str, generator: &str) -> PathBuf {
    let build = folder.join(generator);
    let toolchain = shims(lab, folder, target).join("toolchain.cmake");
    succeed(
        Command::new("cmake")
            .args(["-G", generator, "-S"])
            .arg(folder.join("native"))
            .arg("-B")
            .arg(&build)
            .arg("--toolchain")
            .arg(toolchain),
    );
    succeed(Command::new("cmake").arg("--build").arg(&build));
    build.join("native.exe")
}

/// Twice: a header of the script's is seen to have changed.
fn meson(lab: &Lab, folder: &Path, target: &str) -> PathBuf {
    let text = succeed(&mut lab.xtool(folder, &["env", target, "--format", "meson"]));
    let file = folder.join("cross.ini");
    fs_err::write(&file, text).unwrap();
    let build = folder.join("meson");
    succeed(
        Command::new("meson")
            .args(["setup", "--cross-file"])
            .args([&file, &build, folder]),
    );
    let ninja = || succeed(Command::new("ninja").arg("-C").arg(&build));
    ninja();
    assert!(ninja().contains("no work to do"));
    let header = folder.join("native/words.h");
    let words = fs_err::read_to_string(&header).unwrap();
    fs_err::write(&header, words.replace("Viel", "Noch")).unwrap();
    ninja();
    assert_eq!(
        version(&resources(&build.join("native.exe")), "ProductName"),
        "Noch größer"
    );
    fs_err::write(&header, words).unwrap();
    ninja();
    build.join("native.exe")
}

/// The same resources, for each form that a script comes in.
#[test]
fn zigs_windres_writes_what_gnus_writes() {
    let lab = Lab::enter();
    let folder = project("resources", &lab.dir.path().join("a path"));
    fs_err::remove_file(folder.join("Cargo.toml")).unwrap();
    let script = fs_err::read_to_string(folder.join("app.rc")).unwrap();
    let utf16: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(script.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    fs_err::write(folder.join("wide.rc"), utf16).unwrap();

    let windres = |toolchain: &str, command: &str| {
        let out = folder.join("out.res");
        let _ = fs_err::remove_file(&out);
        succeed(&mut lab.xtool(
            &folder,
            &[
                "add",
                "--force",
                "--no-cargo",
                TARGET,
                "--toolchain",
                toolchain,
            ],
        ));
        succeed(&mut lab.xtool(&folder, &["exec", TARGET, "--", "sh", "-c", command]));
        of_res(&fs_err::read(&out).unwrap())
    };
    let gnu = windres(
        "mingw-w64",
        r#"$WINDRES app.rc out.res '-DVERSION=\"1.2\"'"#,
    );
    for command in [
        r#"$WINDRES app.rc out.res '-DVERSION=\"1.2\"'"#,
        r#"$RC -i app.rc -o out.res -D 'VERSION="1.2"'"#,
        r#"x86_64-w64-mingw32-windres -O res '-DVERSION="1.2"' -o out.res < app.rc"#,
        r#"cd native && $WINDRES ../app.rc -I .. --output=../out.res --define='VERSION="1.2"'"#,
        r#"$WINDRES --input wide.rc --output out.res --output-format=res '-DVERSION="1.2"'"#,
        r#"echo '-DVERSION=\"1.2\" app.rc out.res' > args; $WINDRES @args"#,
    ] {
        assert_eq!(windres("zig", command), gnu, "{command}");
    }
}

/// What the resources of `app.rc` and of winresource have in common.
fn check(resources: &Resources, file_version: &str) {
    let icon = &resources[&pe::RT_ICON][0];
    assert_eq!(icon[..4], 40_u32.to_le_bytes(), "a bitmap's header");
    assert_eq!(resources[&pe::RT_GROUP_ICON][0][..6], [0, 0, 1, 0, 1, 0]);
    let manifest = String::from_utf8_lossy(&resources[&pe::RT_MANIFEST][0]);
    assert!(manifest.contains("xtool.test.resources"), "{manifest}");
    assert_eq!(version(resources, "ProductName"), "Viel größer");
    assert_eq!(version(resources, "FileVersion"), file_version);
}

/// A string of the version information: its key, zeros up to the next multiple of four, and its text.
fn version(resources: &Resources, key: &str) -> String {
    let units: Vec<u16> = resources[&pe::RT_VERSION][0]
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let key: Vec<u16> = key.encode_utf16().chain([0]).collect();
    let at = units
        .windows(key.len())
        .position(|found| found == key)
        .unwrap();
    let text = units[at + key.len()..]
        .iter()
        .skip_while(|&&unit| unit == 0);
    let text: Vec<u16> = text.copied().take_while(|&unit| unit != 0).collect();
    String::from_utf16(&text).unwrap()
}

/// The data of each resource, by its type.
type Resources = BTreeMap<u16, Vec<Vec<u8>>>;

/// Of a `.res` file: the sizes of data and header, the type behind a mark that it is a number, …, the data; all at
/// multiples of four. The first has type 0 and is none.
fn of_res(bytes: &[u8]) -> Resources {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut out = Resources::new();
    let mut at = 0;
    while at < bytes.len() {
        let (size, header) = (number(at) as usize, number(at + 4) as usize);
        let kind = number(at + 8);
        assert_eq!(kind & 0xffff, 0xffff, "types here are numbers");
        let data = at + header;
        let all = out.entry((kind >> 16).try_into().unwrap()).or_default();
        all.push(bytes[data..data + size].to_vec());
        at = (data + size).next_multiple_of(4);
    }
    out
}

fn resources(exe: &Path) -> Resources {
    let bytes = fs_err::read(exe).unwrap();
    match PeFile64::parse(&*bytes) {
        Ok(file) => of_file(&file, &bytes),
        Err(_) => of_file(&PeFile32::parse(&*bytes).unwrap(), &bytes),
    }
}

fn of_file<Pe: ImageNtHeaders>(file: &PeFile<'_, Pe>, bytes: &[u8]) -> Resources {
    let sections = file.section_table();
    let directories = file.data_directories();
    let directory = directories
        .resource_directory(bytes, &sections)
        .unwrap()
        .expect("the program has resources");
    let mut out = Resources::new();
    for entry in directory.root().unwrap().entries {
        let ResourceNameOrId::Id(kind) = entry.name_or_id() else {
            continue;
        };
        let ResourceDirectoryEntryData::Table(table) = entry.data(directory).unwrap() else {
            continue;
        };
        let mut places = Vec::new();
        leaves(directory, &table, &mut places);
        for (address, size) in places {
            let data = sections.pe_data_at(bytes, address).unwrap();
            out.entry(kind).or_default().push(data[..size].to_vec());
        }
    }
    out
}

fn leaves(
    directory: ResourceDirectory<'_>,
    table: &ResourceDirectoryTable<'_>,
    out: &mut Vec<(u32, usize)>,
) {
    for entry in table.entries {
        match entry.data(directory).unwrap() {
            ResourceDirectoryEntryData::Table(table) => leaves(directory, &table, out),
            ResourceDirectoryEntryData::Data(data) => {
                out.push((data.offset_to_data.get(LE), data.size.get(LE) as usize));
            }
        }
    }
}
