//! glibc's history: which version brought which name, and which versions each zig can link against. Versions are the
//! number behind `2.`: 17 for 2.17.
//!
//! The names are data, `glibc/symbols.txt`, which scripts/glibc-symbols.py writes.

use std::io::Read as _;
use std::path::Path;

use fs_err::File;

use crate::manifest::numbers;
use crate::target::Triple;

const SYMBOLS: &str = include_str!("glibc/symbols.txt");

/// Which of glibc's libraries has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// libc, libm, libpthread and all others that every toolchain has.
    Common,
    /// libmvec, which zig does not have.
    Mvec,
}

/// Where and since when a name is in glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The first version that has it.
    pub version: u32,
    /// The library.
    pub library: Library,
}

/// Since when a target's glibc has a name; `None` for one that every glibc has, and for one that is not glibc's.
pub fn since(triple: &Triple, symbol: &str) -> Option<Since> {
    let cpu = cpu(triple.arch());
    // The file has what a set of CPUs is before the first line that uses it.
    let mut sets = Vec::new();
    for line in SYMBOLS.lines() {
        let mut words = line.split(' ');
        let library = match words.next() {
            Some("cpus") => {
                let number = words.next()?;
                if words.any(|word| word == cpu) {
                    sets.push(number);
                }
                continue;
            }
            Some("libc") => Library::Common,
            Some("libmvec") => Library::Mvec,
            _ => continue,
        };
        let version = minor(words.next()?)?;
        if words.next().is_some_and(|set| sets.contains(&set)) && words.any(|word| word == symbol) {
            return Some(Since { version, library });
        }
    }
    None
}

/// The newest version that a zig links against; with a newer one it warns "cannot build new glibc version" and takes
/// this. A zig that the data does not know has at least what the last one before it had.
pub fn newest_of_zig(version: &str) -> u32 {
    let mut known = zigs();
    let oldest = known.next().map_or(0, |(_, newest)| newest);
    let before = known.take_while(|(known, _)| numbers(known) <= numbers(version));
    before.last().map_or(oldest, |(_, newest)| newest)
}

/// The oldest zig that links against a version: `None` where none does.
pub fn zig_for(glibc: u32) -> Option<&'static str> {
    zigs().find_map(|(version, newest)| (newest >= glibc).then_some(version))
}

/// The oldest zig of the data.
pub fn oldest_zig() -> &'static str {
    zigs().next().map_or("", |(version, _)| version)
}

/// The newest version that any zig links against.
pub fn newest() -> u32 {
    zigs().map(|(_, newest)| newest).max().unwrap_or_default()
}

/// `17` of `2.17`.
pub fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("2.")?.split('.').next()?.parse().ok()
}

/// The version of the C library in a sysroot, as its newest names say; `None` where there is none to read.
pub fn of_sysroot(sysroot: &Path) -> Option<u32> {
    /// glibc's own has 2 MB.
    const MOST: u64 = 32 * 1024 * 1024;
    let mut bytes = Vec::new();
    let file = File::open(sysroot.join("lib").join("libc.so.6")).ok()?;
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    let words = bytes.split(|b| !b.is_ascii_alphanumeric() && !b"_.".contains(b));
    words
        .filter_map(|word| std::str::from_utf8(word.strip_prefix(b"GLIBC_")?).ok())
        .filter_map(minor)
        .max()
}

/// (version, the newest glibc), oldest first.
fn zigs() -> impl Iterator<Item = (&'static str, u32)> {
    SYMBOLS.lines().filter_map(|line| {
        let (version, newest) = line.strip_prefix("zig ")?.split_once(' ')?;
        Some((version, minor(newest)?))
    })
}

/// The data's name, which is zig's, of a CPU of Rust's.
fn cpu(arch: &str) -> &str {
    match arch {
        "i386" | "i586" | "i686" => "x86",
        arch if arch.starts_with("arm") || arch.starts_with("thumb") => "arm",
        arch if arch.starts_with("riscv64") => "riscv64",
        arch if arch.starts_with("riscv32") => "riscv32",
        "sparcv9" => "sparc64",
        arch => arch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(triple: &str, symbol: &str) -> Option<u32> {
        since(&triple.parse().unwrap(), symbol).map(|s| s.version)
    }

    #[test]
    fn names_have_the_version_that_brought_them() {
        let x64 = "x86_64-unknown-linux-gnu";
        for (symbol, expected) in [
            ("getrandom", 25),
            ("reallocarray", 26),
            ("fcntl64", 28),
            ("gettid", 30),
            ("__libc_single_threaded", 32),
            ("stat", 33),
            ("fstat", 33),
            ("closefrom", 34),
            ("_dl_find_object", 35),
            ("arc4random", 36),
            ("__isoc23_strtoll", 38),
            ("__isoc23_sscanf", 38),
            ("strlcpy", 38),
            ("__strlcpy_chk", 38),
            ("pidfd_spawn", 39),
            ("exp10m1", 40),
            ("acospi", 41),
            ("__inet_ntop_chk", 42),
            ("memalignment", 43),
        ] {
            assert_eq!(version(x64, symbol), Some(expected), "{symbol}");
        }
        // Of every glibc, and of none. What moved from one library to another is no younger for it.
        for symbol in [
            "printf",
            "__memcpy_chk",
            "dlopen",
            "my_own_function",
            "libc",
            "2.38",
            "",
        ] {
            assert_eq!(version(x64, symbol), None, "{symbol}");
        }
    }

    #[test]
    fn a_cpu_may_have_a_name_earlier_than_another() {
        assert_eq!(version("riscv64gc-unknown-linux-gnu", "getrandom"), None);
        assert_eq!(version("riscv64gc-unknown-linux-gnu", "fcntl64"), Some(28));
        assert_eq!(version("i686-unknown-linux-gnu", "__time64"), Some(34));
        assert_eq!(
            version("armv7-unknown-linux-gnueabihf", "__time64"),
            Some(34)
        );
        assert_eq!(version("x86_64-unknown-linux-gnu", "__time64"), None);
        let cos = since(&"x86_64-unknown-linux-gnu".parse().unwrap(), "_ZGVbN2v_cos");
        let expected = Since {
            version: 22,
            library: Library::Mvec,
        };
        assert_eq!(cos, Some(expected));
    }

    #[test]
    fn each_zig_has_its_newest() {
        assert_eq!(newest_of_zig("0.15.2"), 42);
        assert_eq!(newest_of_zig("0.16.0"), 43);
        assert_eq!(newest_of_zig("0.17.1"), 44);
        // Between two, before all, and after all.
        assert_eq!(newest_of_zig("0.16.3"), 43);
        assert_eq!(newest_of_zig("0.11.0"), 42);
        assert_eq!(newest_of_zig("1.0.0-dev.3+abc"), 44);
        assert_eq!(zig_for(17), Some(oldest_zig()));
        assert_eq!(zig_for(43), Some("0.16.0"));
        assert_eq!(zig_for(newest() + 1), None);
    }

    /// Every target with glibc in the manifest is a CPU of the data.
    #[test]
    fn every_target_is_in_the_data() {
        let manifest =
            crate::manifest::Manifest::parse(crate::manifest::BUILT_IN, Path::new("")).unwrap();
        for triple in manifest.targets.keys().filter(|t| t.is_glibc()) {
            assert_eq!(version(triple.as_str(), "strlcpy"), Some(38), "{triple}");
        }
    }

    #[test]
    fn a_sysroots_version_is_that_of_its_newest_names() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(of_sysroot(folder.path()), None);
        fs_err::create_dir(folder.path().join("lib")).unwrap();
        let names = b"\x7fELF\0GLIBC_2.4\0GLIBC_2.36\0GLIBC_2.28\0GLIBC_PRIVATE\0GLIBC_2.3.4\0";
        fs_err::write(folder.path().join("lib/libc.so.6"), names).unwrap();
        assert_eq!(of_sysroot(folder.path()), Some(36));
    }
}
