//! The CPUs and features that a zig knows for an architecture, read from its own library: each version has its own, and
//! the file is a part of every install.
//!
//! ```text
//! lib/std/Target/x86.zig ─ parse → Names ─ set() → a CPU's features, closed over what they depend on
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::target::Triple;

/// Features by zig's names, with all that each depends on.
pub type Set = BTreeSet<String>;

/// What `lib/std/Target/<family>.zig` says. Empty where it could not be read: then names go to zig unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// A CPU's own features.
    cpus: BTreeMap<String, Vec<String>>,
    /// What a feature depends on.
    features: BTreeMap<String, Vec<String>>,
}

/// The file's name for a target's architecture.
fn family(triple: &Triple) -> Option<&'static str> {
    let arch = triple.arch();
    let begins = |start: &str| arch.starts_with(start);
    Some(match arch {
        "x86_64" | "i686" | "i586" | "i386" => "x86",
        "arm64ec" => "aarch64",
        _ if begins("aarch64") || begins("arm64") => "aarch64",
        _ if begins("arm") || begins("thumb") => "arm",
        _ if begins("riscv") => "riscv",
        _ if begins("powerpc") => "powerpc",
        _ if begins("loongarch") => "loongarch",
        _ if begins("mips") => "mips",
        _ if begins("sparc") => "sparc",
        _ if begins("wasm") => "wasm",
        "s390x" => "s390x",
        "m68k" => "m68k",
        _ => return None,
    })
}

/// Where a zig has the names for a target.
pub fn file(root: &Path, triple: &Triple) -> Option<PathBuf> {
    let name = format!("{}.zig", family(triple)?);
    Some(root.join("lib/std/Target").join(name))
}

impl Names {
    /// Reads the file's text, which zig's own `tools/update_cpu_features.zig` writes: one item a line.
    pub fn parse(text: &str) -> Self {
        let mut names = Self::default();
        let mut item: Option<Item> = None;
        for line in text.lines().map(str::trim) {
            if let Some(feature) = feature_of(line) {
                item = Some(Item::Feature(plain(feature)));
            } else if line.starts_with("pub const ") && line.contains("CpuModel = .{") {
                item = None;
            } else if let Some(cpu) = between(line, ".name = \"", "\"") {
                item = Some(Item::Cpu(cpu.to_owned()));
            }
            let (Some(item), true) = (&item, is_list(line)) else {
                continue;
            };
            let known = match item {
                Item::Feature(name) => names.features.entry(name.clone()),
                Item::Cpu(name) => names.cpus.entry(name.clone()),
            };
            known.or_default().extend(members(line));
        }
        names
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.cpus.is_empty()
    }

    /// Whether it is a CPU's name.
    pub fn has_cpu(&self, name: &str) -> bool {
        self.cpus.contains_key(name)
    }

    /// Whether it is a feature's name.
    pub fn has_feature(&self, name: &str) -> bool {
        self.features.contains_key(name)
    }

    /// The CPUs' names.
    pub fn cpus(&self) -> impl Iterator<Item = &str> {
        self.cpus.keys().map(String::as_str)
    }

    /// The features of a CPU.
    pub fn set(&self, cpu: &str) -> Set {
        let mut set = Set::new();
        for feature in self.cpus.get(cpu).into_iter().flatten() {
            self.add(&mut set, feature);
        }
        set
    }

    /// Adds a feature and what it depends on.
    pub fn add(&self, set: &mut Set, feature: &str) {
        if set.insert(feature.to_owned()) {
            for other in self.features.get(feature).into_iter().flatten() {
                self.add(set, other);
            }
        }
    }

    /// Takes a feature away and what depends on it. zig itself takes away the one: `-fp_armv8` of a CPU with NEON leaves
    /// it NEON, which brings the other back. The versions of an architecture (`v7a`) stay: they bring what is usual
    /// with them, and are not made of it.
    pub fn remove(&self, set: &mut Set, feature: &str) {
        set.remove(feature);
        let dependent: Vec<String> = set
            .iter()
            .filter(|other| {
                let depends_on = self.features.get(other.as_str());
                !is_version(other) && depends_on.is_some_and(|l| l.iter().any(|f| f == feature))
            })
            .cloned()
            .collect();
        for other in dependent {
            self.remove(set, &other);
        }
    }
}

enum Item {
    Feature(String),
    Cpu(String),
}

/// The name in `result[@intFromEnum(Feature.crc)] = .{`; 0.17 calls it `@backingInt`.
fn feature_of(line: &str) -> Option<&str> {
    let (_, name) = line.strip_prefix("result[@")?.split_once("(Feature.")?;
    name.split_once(")]").map(|(name, _)| name)
}

/// `v7a`, `v8_2a`
fn is_version(feature: &str) -> bool {
    let after = feature.strip_prefix('v').unwrap_or_default();
    after.starts_with(|c: char| c.is_ascii_digit())
}

/// `.features = featureSet(&[_]Feature{}),` or a line of such a list: `.crc,`.
fn is_list(line: &str) -> bool {
    line.contains("featureSet(")
        || line.starts_with('.') && line.ends_with(',') && !line.contains(' ')
}

/// `.crc` and `.@"64bit"` of such a line.
fn members(line: &str) -> impl Iterator<Item = String> {
    let list = line.rsplit_once('{').map_or(line, |(_, list)| list);
    list.split([',', '}', ')', ' '])
        .filter_map(|word| word.strip_prefix('.'))
        .map(plain)
}

/// `64bit` of `@"64bit"`, as zig quotes what is no identifier.
fn plain(name: &str) -> String {
    name.trim_start_matches("@\"")
        .trim_end_matches('"')
        .to_owned()
}

fn between<'a>(line: &'a str, mark: &str, end: &str) -> Option<&'a str> {
    line.strip_prefix(mark)?.split_once(end).map(|(s, _)| s)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An excerpt in the file's form.
    pub const AARCH64: &str = r#"
pub const Feature = enum {
    crc,
};
pub const all_features = blk: {
    result[@intFromEnum(Feature.aes)] = .{
        .llvm_name = "aes",
        .description = "Enable AES support",
        .dependencies = featureSet(&[_]Feature{
            .neon,
        }),
    };
    result[@backingInt(Feature.crc)] = .{
        .llvm_name = "crc",
        .dependencies = featureSet(&[_]Feature{}),
    };
    result[@intFromEnum(Feature.fp_armv8)] = .{
        .llvm_name = "fp-armv8",
        .dependencies = featureSet(&[_]Feature{}),
    };
    result[@intFromEnum(Feature.fullfp16)] = .{
        .dependencies = featureSet(&[_]Feature{
            .fp_armv8,
        }),
    };
    result[@intFromEnum(Feature.neon)] = .{
        .dependencies = featureSet(&[_]Feature{
            .fp_armv8,
        }),
    };
    result[@intFromEnum(Feature.v8_2a)] = .{
        .dependencies = featureSet(&[_]Feature{
            .crc,
        }),
    };
    result[@intFromEnum(Feature.@"64bit")] = .{
        .dependencies = featureSet(&[_]Feature{}),
    };
};
pub const cpu = struct {
    pub const apple_m1: CpuModel = .{
        .name = "apple_m1",
        .llvm_name = "apple-m1",
        .features = featureSet(&[_]Feature{
            .aes,
        }),
    };
    pub const cortex_a53: CpuModel = .{
        .name = "cortex_a53",
        .llvm_name = "cortex-a53",
        .features = featureSet(&[_]Feature{
            .crc,
            .neon,
        }),
    };
    pub const emag: CpuModel = .{
        .name = "emag",
        .llvm_name = null,
        .features = featureSet(&[_]Feature{}),
    };
    pub const generic: CpuModel = .{
        .name = "generic",
        .llvm_name = "generic",
        .features = featureSet(&[_]Feature{
            .neon,
        }),
    };
};
"#;

    #[test]
    fn zigs_own_list_is_read() {
        let names = Names::parse(AARCH64);
        let cpus: Vec<_> = names.cpus().collect();
        assert_eq!(cpus, ["apple_m1", "cortex_a53", "emag", "generic"]);
        assert!(names.has_feature("64bit") && names.has_feature("crc"));
        let set = names.set("cortex_a53");
        assert_eq!(
            set.into_iter().collect::<Vec<_>>(),
            ["crc", "fp_armv8", "neon"]
        );
        assert!(names.set("emag").is_empty());
        assert!(Names::parse("nothing").is_empty());
    }

    #[test]
    fn what_depends_on_a_feature_goes_with_it() {
        let names = Names::parse(AARCH64);
        let mut set = names.set("apple_m1");
        names.remove(&mut set, "fp_armv8");
        assert!(set.is_empty(), "{set:?}");
        names.add(&mut set, "aes");
        assert!(set.contains("neon") && set.contains("fp_armv8"));
    }

    #[test]
    fn each_architecture_has_its_file() {
        let file = |triple: &str| file(Path::new("/z"), &triple.parse().unwrap());
        for (triple, name) in [
            ("i686-pc-windows-gnu", "x86"),
            ("aarch64-apple-darwin", "aarch64"),
            ("armv7-unknown-linux-gnueabihf", "arm"),
            ("riscv64gc-unknown-linux-gnu", "riscv"),
            ("powerpc64le-unknown-linux-gnu", "powerpc"),
            ("s390x-unknown-linux-gnu", "s390x"),
        ] {
            let expected = format!("/z/lib/std/Target/{name}.zig");
            assert_eq!(file(triple), Some(expected.into()), "{triple}");
        }
        assert_eq!(file("bpfel-unknown-none"), None);
    }
}
