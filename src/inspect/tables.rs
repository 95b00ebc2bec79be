//! The tables that verdicts are looked up in: `distributions.toml` and `windows.toml`, compiled in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::facts::Libc;
use super::version::Version;

/// Everything.
#[derive(Debug)]
pub struct Tables {
    /// Linux distributions and container bases, in the order in which they are shown.
    pub linux: Vec<Linux>,
    /// Loader paths: C library → CPU → path.
    pub interpreters: BTreeMap<String, BTreeMap<String, String>>,
    /// Windows.
    pub windows: WindowsTables,
}

/// One Linux distribution or container base.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Linux {
    /// `debian-12`
    pub id: String,
    /// `Debian 12`
    pub name: String,
    /// `glibc`, `musl` or `none`.
    pub libc: LibcName,
    /// Its glibc.
    pub glibc: Option<Version>,
    /// The last `GLIBCXX_` of its libstdc++.
    pub glibcxx: Option<Version>,
    /// The last `CXXABI_` of its libstdc++.
    pub cxxabi: Option<Version>,
    /// The last `GCC_` of its libgcc.
    pub gcc: Option<Version>,
    /// The CPUs that it is made for; empty means any.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// By architecture, the oldest CPU that the system itself runs on, where that is not the first of them.
    #[serde(default)]
    pub cpus: BTreeMap<String, String>,
    /// Names of sets of libraries in the file; after loading, the libraries.
    #[serde(default)]
    pub libraries: Vec<String>,
    /// What to install for a library that is not there from the start.
    #[serde(default)]
    pub packages: BTreeMap<String, String>,
    /// The place in the order of size among container bases.
    pub container: u32,
}

/// A C library as the file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LibcName {
    /// GNU.
    Glibc,
    /// musl.
    Musl,
    /// The system has none.
    None,
}

impl LibcName {
    /// Whether a program with this C library finds it there.
    pub fn is(self, libc: Libc) -> bool {
        matches!(
            (self, libc),
            (Self::Glibc, Libc::Glibc) | (Self::Musl, Libc::Musl)
        )
    }
}

/// What is known of Windows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WindowsTables {
    schema: u32,
    /// The releases.
    pub windows: Vec<Windows>,
    system: SystemDlls,
    since: Vec<DllRule>,
    redistributable: Vec<DllRule>,
    toolchain_runtime: Vec<DllRule>,
    function: Vec<FunctionRule>,
}

/// One release of Windows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Windows {
    /// `windows-10`
    pub id: String,
    /// `Windows 10`
    pub name: String,
    /// Its first build.
    pub from: Version,
    /// Its last build.
    pub to: Version,
    /// The CPUs whose programs it runs on some machine.
    pub architectures: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SystemDlls {
    dlls: Vec<String>,
    prefixes: Vec<String>,
}

/// DLLs by name, beginning or part of the name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DllRule {
    dll: Option<String>,
    prefix: Option<String>,
    contains: Option<String>,
    version: Option<Version>,
    note: Option<String>,
}

impl DllRule {
    fn matches(&self, name: &str) -> bool {
        let is = |part: &Option<String>, test: fn(&str, &str) -> bool| {
            part.as_deref().is_none_or(|p| test(name, p))
        };
        is(&self.dll, |n, p| n == p)
            && is(&self.prefix, |n, p| n.starts_with(p))
            && is(&self.contains, |n, p| n.contains(p))
    }
}

/// Functions that came later than their DLL.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FunctionRule {
    names: Vec<String>,
    dll: Option<String>,
    version: Version,
}

/// Who brings a DLL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DllOrigin {
    /// Windows, since this version if not always.
    System {
        /// The first Windows that has it.
        since: Option<Version>,
        /// What it is, or how to go without.
        note: Option<String>,
    },
    /// Microsoft, but not Windows: installed apart, or shipped.
    Redistributable {
        /// With what.
        note: Option<String>,
    },
    /// The program itself.
    Shipped {
        /// What it is, or how to go without.
        note: Option<String>,
    },
}

impl WindowsTables {
    /// Who brings the DLL; the name in any case, with or without `.dll`.
    pub fn origin(&self, dll: &str) -> DllOrigin {
        let lower = dll.to_ascii_lowercase();
        let name = lower.strip_suffix(".dll").unwrap_or(&lower);
        let find = |rules: &[DllRule]| {
            rules
                .iter()
                .find(|r| r.matches(name))
                .map(|r| (r.version, r.note.clone()))
        };
        if let Some((since, note)) = find(&self.since) {
            return DllOrigin::System { since, note };
        }
        if let Some((_, note)) = find(&self.redistributable) {
            return DllOrigin::Redistributable { note };
        }
        let system = self.system.dlls.iter().any(|d| d == name)
            || self
                .system
                .prefixes
                .iter()
                .any(|p| name.starts_with(p.as_str()));
        if system {
            return DllOrigin::System {
                since: None,
                note: None,
            };
        }
        let note = find(&self.toolchain_runtime).and_then(|(_, note)| note);
        DllOrigin::Shipped { note }
    }

    /// The first Windows whose DLL has the function, where that is later than the DLL.
    pub fn function_since(&self, dll: &str, function: &str) -> Option<Version> {
        let lower = dll.to_ascii_lowercase();
        let name = lower.strip_suffix(".dll").unwrap_or(&lower);
        self.function
            .iter()
            .filter(|r| r.dll.as_deref().is_none_or(|d| d == name))
            .find(|r| r.names.iter().any(|n| n == function))
            .map(|r| r.version)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct LinuxFile {
    schema: u32,
    libraries: BTreeMap<String, Vec<String>>,
    interpreters: BTreeMap<String, BTreeMap<String, String>>,
    linux: Vec<Linux>,
}

static BUILT_IN: LazyLock<Tables> = LazyLock::new(|| {
    let file: LinuxFile = toml::from_str(include_str!("distributions.toml"))
        .expect("the table of distributions is compiled in and tested");
    let windows: WindowsTables = toml::from_str(include_str!("windows.toml"))
        .expect("the table of Windows is compiled in and tested");
    assert!(
        file.schema == 1 && windows.schema == 1,
        "the tables' schema is 1"
    );
    let mut linux = file.linux;
    for distribution in &mut linux {
        distribution.libraries = distribution
            .libraries
            .iter()
            .flat_map(|set| file.libraries[set].iter().cloned())
            .collect();
    }
    Tables {
        linux,
        interpreters: file.interpreters,
        windows,
    }
});

impl Tables {
    /// The tables compiled in.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Where a program with this C library on this CPU looks for its loader.
    pub fn interpreter(&self, libc: Libc, architecture: &str) -> Option<&str> {
        let libc = match libc {
            Libc::Glibc => "glibc",
            Libc::Musl => "musl",
            _ => return None,
        };
        self.interpreters
            .get(libc)?
            .get(architecture)
            .map(String::as_str)
    }

    /// Everything that `runs-on=` takes, but for `macos-<version>`.
    pub fn system_ids(&self) -> Vec<&str> {
        let linux = self.linux.iter().map(|l| l.id.as_str());
        linux
            .chain(self.windows.windows.iter().map(|w| w.id.as_str()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_whole() {
        let tables = Tables::built_in();
        for l in &tables.linux {
            assert_eq!(l.libc == LibcName::Glibc, l.glibc.is_some(), "{}", l.id);
            let has_cxx = l.libraries.iter().any(|n| n == "libstdc++.so.6");
            assert_eq!(
                has_cxx,
                l.glibcxx.is_some() && l.cxxabi.is_some(),
                "{}",
                l.id
            );
            let has_gcc = l.libraries.iter().any(|n| n == "libgcc_s.so.1");
            assert_eq!(has_gcc, l.gcc.is_some(), "{}", l.id);
        }
        let mut order: Vec<_> = tables.linux.iter().map(|l| l.container).collect();
        order.sort_unstable();
        order.dedup();
        assert_eq!(order.len(), tables.linux.len(), "two bases share a place");
        let ids = tables.system_ids();
        for id in [
            "scratch",
            "alpine",
            "distroless-cc",
            "debian-10",
            "ubuntu-24.04",
            "rhel-7",
            "windows-11",
        ] {
            assert!(ids.contains(&id), "{id}");
        }
    }

    #[test]
    fn every_rule_names_something() {
        let w = &Tables::built_in().windows;
        for r in w
            .since
            .iter()
            .chain(&w.redistributable)
            .chain(&w.toolchain_runtime)
        {
            assert!(
                r.dll.is_some() || r.prefix.is_some(),
                "{r:?} would match every DLL"
            );
        }
        assert!(w.since.iter().all(|r| r.version.is_some()));
    }

    #[test]
    fn dlls_have_an_origin() {
        let w = &Tables::built_in().windows;
        let since = |v: &str| Some(v.parse::<Version>().unwrap());
        let system = |dll| match w.origin(dll) {
            DllOrigin::System { since, .. } => since,
            other => panic!("{dll}: {other:?}"),
        };
        assert_eq!(system("KERNEL32.dll"), None);
        assert_eq!(system("winspool.drv"), None);
        assert_eq!(system("api-ms-win-core-file-l1-1-0.dll"), None);
        assert_eq!(system("api-ms-win-core-synch-l1-2-0.dll"), since("6.2"));
        assert_eq!(system("api-ms-win-crt-heap-l1-1-0.dll"), since("10.0"));
        assert_eq!(system("UCRTBASE.DLL"), since("10.0"));
        assert!(matches!(
            w.origin("VCRUNTIME140_1.dll"),
            DllOrigin::Redistributable { .. }
        ));
        assert!(matches!(
            w.origin("libstdc++-6.dll"),
            DllOrigin::Shipped { note: Some(_) }
        ));
        assert!(matches!(
            w.origin("mine.dll"),
            DllOrigin::Shipped { note: None }
        ));
        assert_eq!(
            w.function_since("bcryptprimitives.dll", "ProcessPrng"),
            since("10.0")
        );
        assert_eq!(w.function_since("other.dll", "ProcessPrng"), None);
        assert_eq!(
            w.function_since("KERNEL32.dll", "WaitOnAddress"),
            since("6.2")
        );
    }
}
