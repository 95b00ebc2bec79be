//! This machine's own binaries, held against readelf, objdump and ldd.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use xtool::inspect::facts::{ByteOrder, Elf, Facts, Kind, Relro, SectionKind};
use xtool::inspect::libraries::Status;
use xtool::inspect::version::Version;

use super::{output, slice};

/// Binaries that are compared at least, and at most.
const FEWEST: usize = 30;
const MOST: usize = 120;

/// ELF files in /usr/bin and the libraries beside them, in an order that does not change, evenly picked.
fn binaries() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = [
        "/usr/bin",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
    ]
    .iter()
    .filter_map(|d| fs_err::read_dir(d).ok())
    .flatten()
    .flatten()
    .map(|e| e.path())
    .filter(|p| p.is_file() && is_elf(p))
    .collect();
    // ldd loads a link to a program from where the link is; the kernel, from where the program is.
    all = all
        .iter()
        .filter_map(|p| fs_err::canonicalize(p).ok())
        .collect();
    all.sort();
    all.dedup();
    let step = (all.len() / MOST).max(1);
    all.into_iter().step_by(step).take(MOST).collect()
}

fn is_elf(path: &Path) -> bool {
    use std::io::Read as _;
    let mut head = [0; 18];
    let read = fs_err::File::open(path).and_then(|mut f| f.read_exact(&mut head));
    // Programs and shared libraries: e_type 2 and 3, little-endian hosts.
    read.is_ok() && head.starts_with(b"\x7fELF") && matches!(head[16], 2 | 3)
}

#[test]
fn the_host_s_binaries_are_what_readelf_and_objdump_say() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: not Linux, so there is no ELF in /usr/bin");
        return;
    }
    if output("readelf", &["--version"], Path::new("-")).is_none() {
        eprintln!("skipped: readelf is not installed (Debian: binutils)");
        return;
    }
    let binaries = binaries();
    assert!(
        binaries.len() >= FEWEST,
        "only {} ELF files on this host",
        binaries.len()
    );
    for path in &binaries {
        compare(path, &slice(path).facts, "objdump");
    }
    eprintln!("compared {} files with readelf and objdump", binaries.len());
}

/// An ELF file against readelf and an objdump that knows its CPU.
pub fn compare(path: &Path, facts: &Facts, objdump: &str) {
    let elf = facts.elf().expect("an ELF file");
    compare_header(path, facts, elf);
    compare_dynamic(path, elf);
    compare_versions(path, elf, objdump);
    compare_sections(path, facts);
}

fn readelf(option: &str, path: &Path) -> String {
    output("readelf", &["-W", option], path).expect("readelf runs")
}

fn compare_header(path: &Path, facts: &Facts, elf: &Elf) {
    let header = readelf("-h", path);
    let field = |name: &str| -> String {
        let line = header
            .lines()
            .find(|l| l.trim_start().starts_with(name))
            .unwrap_or_default();
        line.split_once(':')
            .map(|(_, v)| v.trim().to_owned())
            .unwrap_or_default()
    };
    assert_eq!(
        field("Class:"),
        format!("ELF{}", facts.bits),
        "{}",
        path.display()
    );
    let order = match facts.byte_order {
        ByteOrder::Little => "little endian",
        ByteOrder::Big => "big endian",
    };
    assert!(field("Data:").contains(order), "{}", path.display());
    assert_eq!(
        field("Type:").starts_with("DYN"),
        facts.position_independent,
        "{}",
        path.display()
    );
    let machine = match facts.architecture.as_str() {
        "x86_64" => "X86-64",
        "aarch64" => "AArch64",
        "x86" => "Intel 80386",
        "armhf" | "armel" => "ARM",
        "riscv64" => "RISC-V",
        "powerpc64le" => "PowerPC64",
        "s390x" => "IBM S/390",
        other => other,
    };
    assert!(
        field("Machine:").contains(machine),
        "{}: {}",
        path.display(),
        field("Machine:")
    );
    // binutils tells programs from libraries by the PIE flag.
    if field("Type:").contains("Position-Independent Executable") {
        assert_eq!(facts.kind, Kind::Program, "{}", path.display());
    }

    let segments = readelf("-l", path);
    let interpreter = segments
        .split_once("program interpreter: ")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(path, _)| path.to_owned());
    assert_eq!(elf.interpreter, interpreter, "{}", path.display());
    let stack = segments
        .lines()
        .find(|l| l.trim_start().starts_with("GNU_STACK"));
    let executable = stack.is_none_or(|l| l.contains("RWE"));
    assert_eq!(facts.no_execute, !executable, "{}", path.display());
    let relro = segments
        .lines()
        .any(|l| l.trim_start().starts_with("GNU_RELRO"));
    let dynamic = readelf("-d", path);
    let now = dynamic.lines().any(|l| {
        l.contains("(BIND_NOW)")
            || l.contains("Flags: NOW")
            || (l.contains("(FLAGS)") && l.contains("BIND_NOW"))
    });
    let expected = match (relro, now) {
        (false, _) => Relro::None,
        (true, false) => Relro::Partial,
        (true, true) => Relro::Full,
    };
    assert_eq!(elf.relro, expected, "{}", path.display());

    let notes = readelf("-n", path);
    let build_id = notes.split_once("Build ID: ").map(|(_, rest)| {
        rest.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    });
    assert_eq!(elf.build_id, build_id, "{}", path.display());
    let kernel = notes.split_once("OS: Linux, ABI: ").map(|(_, rest)| {
        rest.split_whitespace()
            .next()
            .unwrap_or_default()
            .parse::<Version>()
            .unwrap()
    });
    assert_eq!(elf.kernel, kernel, "{}", path.display());
}

fn compare_dynamic(path: &Path, elf: &Elf) {
    let text = readelf("-d", path);
    let values = |tag: &str| -> Vec<String> {
        text.lines()
            .filter(|l| l.contains(tag))
            .filter_map(|l| Some(l.split_once('[')?.1.strip_suffix(']')?.to_owned()))
            .collect()
    };
    assert_eq!(elf.needed, values("(NEEDED)"), "{}", path.display());
    assert_eq!(
        elf.soname,
        values("(SONAME)").into_iter().next(),
        "{}",
        path.display()
    );
    assert_eq!(
        elf.rpath.join(":"),
        values("(RPATH)").join(":"),
        "{}",
        path.display()
    );
    assert_eq!(
        elf.runpath.join(":"),
        values("(RUNPATH)").join(":"),
        "{}",
        path.display()
    );
}

fn compare_versions(path: &Path, elf: &Elf, objdump: &str) {
    // readelf -V prints `Name: GLIBC_2.34  Flags: none  Version: 4` within `Version needs section`.
    let text = readelf("-V", path);
    let needs = text
        .split_once("Version needs section")
        .map_or("", |(_, rest)| rest);
    let expected: BTreeSet<&str> = needs
        .lines()
        .filter_map(|l| l.split_once("Name: ")?.1.split_whitespace().next())
        .collect();
    let ours: BTreeSet<&str> = elf.versions.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(ours, expected, "{}", path.display());

    // objdump -T: `… *UND*  0000000000000000 (GLIBC_2.34) __libc_start_main`, in brackets if it is asked for.
    let symbols = output(objdump, &["-T"], path).expect("objdump runs");
    let mut of_version: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in symbols.lines() {
        let Some((_, rest)) = line.split_once(" (") else {
            continue;
        };
        let Some((version, name)) = rest.split_once(')') else {
            continue;
        };
        of_version
            .entry(version)
            .or_default()
            .insert(name.trim().trim_start_matches(".hidden "));
    }
    for version in &elf.versions {
        let expected = of_version
            .get(version.name.as_str())
            .cloned()
            .unwrap_or_default();
        for symbol in &version.symbols {
            assert!(
                expected.contains(symbol.as_str()),
                "{}: {symbol} of {} is not in objdump's list {expected:?}",
                path.display(),
                version.name
            );
        }
        assert_eq!(
            version.symbols.is_empty(),
            expected.is_empty(),
            "{}: {}",
            path.display(),
            version.name
        );
    }
    for (prefix, highest) in [
        ("GLIBC_", &elf.highest.glibc),
        ("GLIBCXX_", &elf.highest.glibcxx),
        ("CXXABI_", &elf.highest.cxxabi),
        ("GCC_", &elf.highest.gcc),
    ] {
        let expected = expected
            .iter()
            .filter_map(|v| v.strip_prefix(prefix)?.parse::<Version>().ok())
            .chain(
                (prefix == "GLIBC_" && expected.contains("GLIBC_ABI_DT_RELR"))
                    .then(|| Version::new(2, 36)),
            )
            .max();
        assert_eq!(
            highest.as_ref().map(|n| n.version),
            expected,
            "{} {prefix}",
            path.display()
        );
    }
}

fn compare_sections(path: &Path, facts: &Facts) {
    let text = readelf("-S", path);
    // `  [ 1] .interp  PROGBITS  0000000000000318 000318 00001c 00   A  0   0  1`
    let expected: BTreeMap<String, u64> = text
        .lines()
        .filter_map(|l| {
            let rest = l.trim_start().strip_prefix('[')?.split_once("] ")?.1;
            let words: Vec<_> = rest.split_whitespace().collect();
            let size = u64::from_str_radix(words.get(4)?, 16).ok()?;
            words
                .first()?
                .starts_with('.')
                .then(|| (words[0].to_owned(), size))
        })
        .collect();
    let ours: BTreeMap<String, u64> = facts
        .sections
        .iter()
        .filter(|s| s.name.starts_with('.'))
        .map(|s| (s.name.clone(), s.size))
        .collect();
    assert_eq!(ours, expected, "{}", path.display());
    assert_eq!(
        facts.stripped,
        !expected.contains_key(".symtab"),
        "{}",
        path.display()
    );
    for s in facts
        .sections
        .iter()
        .filter(|s| s.kind == SectionKind::Zero)
    {
        assert_eq!(s.file_size, 0, "{}: {}", path.display(), s.name);
    }
}

#[test]
fn the_host_s_libraries_are_where_ldd_finds_them() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: not Linux");
        return;
    }
    if output("ldd", &[], Path::new("--version")).is_none() {
        eprintln!("skipped: ldd is not installed (Debian: libc-bin)");
        return;
    }
    let mut compared = 0;
    for path in binaries() {
        let slice = slice(&path);
        // ldd starts the program's loader: it has nothing to say of a static program.
        let text = output("ldd", &[], &path).expect("ldd runs");
        if slice.facts.is_static
            || text.contains("not a dynamic executable")
            || text.contains("statically linked")
        {
            continue;
        }
        let mut expected: Vec<(String, Option<PathBuf>)> = Vec::new();
        for line in text.lines().map(str::trim) {
            if line.starts_with("linux-vdso") {
                continue;
            }
            let line = line.split(" (0x").next().unwrap_or(line);
            match line.split_once(" => ") {
                Some((name, "not found")) => expected.push((name.to_owned(), None)),
                Some((name, found)) => expected.push((name.to_owned(), Some(found.into()))),
                // The loader itself, and libraries named by their path.
                None => expected.push((line.to_owned(), Some(line.into()))),
            }
        }
        let interpreter = |name: &str| name.contains("ld-linux");
        let ours: Vec<(String, Option<PathBuf>)> = slice
            .libraries
            .iter()
            .filter(|l| !interpreter(&l.name))
            .map(|l| {
                assert_ne!(
                    l.status,
                    Status::NotChecked,
                    "{}: {}",
                    path.display(),
                    l.name
                );
                (l.name.clone(), l.path.clone())
            })
            .collect();
        let real = |list: Vec<(String, Option<PathBuf>)>| -> Vec<(String, Option<PathBuf>)> {
            // /lib and /usr/lib are one folder on most hosts.
            list.into_iter()
                .map(|(n, p)| (n, p.and_then(|p| fs_err::canonicalize(p).ok())))
                .collect()
        };
        expected.retain(|(name, _)| !interpreter(name));
        assert_eq!(real(ours), real(expected), "{}\n{text}", path.display());
        compared += 1;
    }
    assert!(
        compared >= FEWEST,
        "ldd had something to say of {compared} files only"
    );
    eprintln!("compared {compared} files with ldd");
}
