//! Linux distributions and container bases.

use crate::inspect::facts::{Elf, Facts, Kind, Libc, Needs};
use crate::inspect::tables::{LibcName, Linux, Tables};
use crate::inspect::version::Version;

use super::{Verdict, foreign};

/// One verdict a distribution.
pub fn verdicts(facts: &Facts, tables: &Tables) -> Vec<Verdict> {
    tables
        .linux
        .iter()
        .map(|l| {
            let (runs, reasons) = match (foreign(facts, "linux"), facts.elf()) {
                (Some(other), _) => (false, vec![other]),
                (None, Some(elf)) => judge(facts, elf, l, tables),
                (None, None) => (false, vec!["not an ELF file".to_owned()]),
            };
            Verdict {
                id: l.id.clone(),
                name: l.name.clone(),
                family: "linux",
                runs,
                reasons,
            }
        })
        .collect()
}

/// The smallest container base among the verdicts that say yes.
pub fn smallest_base<'v>(verdicts: &'v [Verdict], tables: &Tables) -> Option<&'v Verdict> {
    verdicts
        .iter()
        .filter(|v| v.runs)
        .filter_map(|v| Some((tables.linux.iter().find(|l| l.id == v.id)?.container, v)))
        .min_by_key(|(order, _)| *order)
        .map(|(_, v)| v)
}

fn judge(facts: &Facts, elf: &Elf, l: &Linux, tables: &Tables) -> (bool, Vec<String>) {
    if !has_architecture(facts, l) {
        return (
            false,
            vec![format!(
                "{} is not made for {}",
                short(&l.name),
                facts.architecture
            )],
        );
    }
    // Not the program's need but the system's: older machines do not start it at all.
    let cpu = l.cpus.get(&facts.architecture);
    let cpu = cpu.map(|cpu| format!("the system needs {cpu} CPUs"));
    if facts.is_static {
        let mut notes = vec!["static".to_owned()];
        notes.extend(cpu);
        return (true, notes);
    }
    if let Some(reason) = loader(facts, elf, l, tables) {
        return (false, vec![reason]);
    }
    let mut problems = Vec::new();
    if let (Some(needs), Some(has)) = (&elf.highest.glibc, l.glibc) {
        problems.extend(too_old(needs, "GLIBC", has, l));
    }
    let mut notes = Vec::new();
    for library in &elf.needed {
        if l.libraries.contains(library) {
            problems.extend(versions_of(library, elf, l));
        } else if let Some(place) = own_place(elf) {
            notes.push(format!("with `{library}` in {place}"));
        } else {
            problems.push(missing(library, l));
        }
    }
    if problems.is_empty() {
        notes.extend(cpu);
        (true, notes)
    } else {
        (false, problems)
    }
}

/// The kernel runs a static program for old ARM too where it runs one for newer.
fn has_architecture(facts: &Facts, l: &Linux) -> bool {
    let has = |a: &str| l.architectures.iter().any(|x| x == a);
    l.architectures.is_empty()
        || has(&facts.architecture)
        || (facts.is_static && facts.architecture == "armel" && has("armhf"))
}

/// Why the program is not even loaded, if so.
fn loader(facts: &Facts, elf: &Elf, l: &Linux, tables: &Tables) -> Option<String> {
    let system = match l.libc {
        LibcName::Glibc => "it has glibc",
        LibcName::Musl => "it has musl",
        LibcName::None => "it has no C library",
    };
    if facts.kind == Kind::Library && elf.interpreter.is_none() {
        // Only a C library can be amiss: what loads the library brings its own.
        let other = elf.libc != Libc::None && !l.libc.is(elf.libc);
        return other.then(|| format!("needs {}, {system}", elf.libc));
    }
    let interpreter = elf.interpreter.as_deref()?;
    if l.libc.is(elf.libc) {
        let expected = tables.interpreter(elf.libc, &facts.architecture)?;
        return (interpreter != expected)
            .then(|| format!("interpreter {interpreter} is missing: it is at {expected} there"));
    }
    Some(format!("interpreter {interpreter} is missing: {system}"))
}

fn too_old(needs: &Needs, family: &str, has: Version, l: &Linux) -> Option<String> {
    (needs.version > has).then(|| {
        let symbols = match needs.symbols.first() {
            Some(first) => format!(" (`{first}`)"),
            None => String::new(),
        };
        format!(
            "needs {family}_{}{symbols}, {} has {has}",
            needs.version,
            short(&l.name)
        )
    })
}

/// The name without what stands in brackets.
fn short(name: &str) -> &str {
    name.split(" (").next().unwrap_or(name)
}

fn versions_of(library: &str, elf: &Elf, l: &Linux) -> Vec<String> {
    let check = |needs: &Option<Needs>, family, has: Option<Version>| {
        too_old(needs.as_ref()?, family, has?, l)
    };
    match library {
        "libstdc++.so.6" => [
            check(&elf.highest.glibcxx, "GLIBCXX", l.glibcxx),
            check(&elf.highest.cxxabi, "CXXABI", l.cxxabi),
        ]
        .into_iter()
        .flatten()
        .collect(),
        "libgcc_s.so.1" => check(&elf.highest.gcc, "GCC", l.gcc).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn missing(library: &str, l: &Linux) -> String {
    match l.packages.get(library) {
        Some(package) => format!("`{library}` is not there (it is in {package})"),
        None => format!("`{library}` is not part of a base installation"),
    }
}

/// The first place beside the program where it looks for libraries.
fn own_place(elf: &Elf) -> Option<&str> {
    elf.runpath
        .iter()
        .chain(&elf.rpath)
        .map(String::as_str)
        .find(|p| p.starts_with("$ORIGIN") || p.starts_with("${ORIGIN}"))
}
