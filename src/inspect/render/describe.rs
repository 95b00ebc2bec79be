//! The facts in words.

use crate::inspect::facts::{ByteOrder, Details, Elf, Facts, Kind, Libc, MachO, Needs, Pe, Relro};
use crate::inspect::verdict::{os_name, windows_release};

/// Label and value, in the order in which they are shown.
pub fn facts(facts: &Facts) -> Vec<(&'static str, String)> {
    let order = match facts.byte_order {
        ByteOrder::Little => "little-endian",
        ByteOrder::Big => "big-endian",
    };
    let mut out = vec![
        (
            "Format",
            format!(
                "{} {}-bit {order}, {}",
                facts.format, facts.bits, facts.architecture
            ),
        ),
        ("Kind", format!("{} for {}", kind(facts), os_name(facts))),
    ];
    match &facts.details {
        Details::Elf(elf) => elf_facts(facts, elf, &mut out),
        Details::Pe(pe) => pe_facts(facts, pe, &mut out),
        Details::MachO(macho) => mach_o_facts(macho, &mut out),
    }
    let symbols = if facts.stripped {
        "stripped"
    } else {
        "not stripped"
    };
    let debug = if facts.debug_info {
        "with debug information"
    } else {
        "no debug information"
    };
    out.push(("Symbols", format!("{symbols}, {debug}")));
    out
}

/// `static position-independent program`
pub fn kind(facts: &Facts) -> String {
    let mut words = Vec::new();
    let program = facts.kind == Kind::Program;
    if program {
        words.push(if facts.is_static { "static" } else { "dynamic" });
        if facts.position_independent {
            words.push("position-independent");
        }
    }
    words.push(match (facts.kind, &facts.details) {
        (Kind::Program, _) => "program",
        (Kind::Library, Details::Pe(_)) => "DLL",
        (Kind::Library, _) => "shared library",
    });
    words.join(" ")
}

fn needs(needs: Option<&Needs>, family: &str) -> Option<String> {
    let needs = needs?;
    let symbols = match needs.symbols.len() {
        0 => String::new(),
        _ => format!(" ({})", needs.symbols.join(", ")),
    };
    Some(format!("{family}_{}{symbols}", needs.version))
}

fn elf_facts(facts: &Facts, elf: &Elf, out: &mut Vec<(&'static str, String)>) {
    let libc = match (elf.libc, facts.is_static) {
        (Libc::None, true) => "none (static)".to_owned(),
        (libc, true) => format!("{libc} (static)"),
        (libc, false) => libc.to_string(),
    };
    let at_least = needs(elf.highest.glibc.as_ref(), "GLIBC").map(|n| format!(", needs {n}"));
    out.push((
        "C library",
        format!("{libc}{}", at_least.unwrap_or_default()),
    ));
    out.extend(elf.interpreter.clone().map(|i| ("Interpreter", i)));
    let cxx: Vec<_> = [
        needs(elf.highest.glibcxx.as_ref(), "GLIBCXX"),
        needs(elf.highest.cxxabi.as_ref(), "CXXABI"),
        needs(elf.highest.gcc.as_ref(), "GCC"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !cxx.is_empty() {
        out.push(("Versions", cxx.join(", ")));
    }
    out.extend(elf.soname.clone().map(|n| ("Soname", n)));
    for (label, list) in [("RPATH", &elf.rpath), ("RUNPATH", &elf.runpath)] {
        if !list.is_empty() {
            out.push((label, list.join(" : ")));
        }
    }
    let relro = match elf.relro {
        Relro::None => "no RELRO",
        Relro::Partial => "partial RELRO",
        Relro::Full => "full RELRO",
    };
    let stack = if facts.no_execute {
        "NX stack"
    } else {
        "executable stack"
    };
    let pie = match (facts.kind, facts.position_independent) {
        (Kind::Program, true) => ", PIE",
        (Kind::Program, false) => ", no PIE",
        _ => "",
    };
    out.push(("Hardening", format!("{relro}, {stack}{pie}")));
    out.extend(elf.kernel.map(|k| ("Kernel", format!("{k} or newer"))));
    out.extend(elf.build_id.clone().map(|id| ("Build ID", id)));
}

fn pe_facts(facts: &Facts, pe: &Pe, out: &mut Vec<(&'static str, String)>) {
    let v = pe.subsystem_version;
    out.push((
        "Subsystem",
        format!(
            "{}, version {v} (Windows {})",
            pe.subsystem,
            windows_release(v)
        ),
    ));
    let yes = |on: bool, name: &str| format!("{}{name}", if on { "" } else { "no " });
    out.push((
        "Hardening",
        [
            yes(
                pe.aslr,
                if pe.high_entropy && pe.aslr {
                    "ASLR (high entropy)"
                } else {
                    "ASLR"
                },
            ),
            yes(facts.no_execute, "DEP"),
            yes(pe.control_flow_guard, "CFG"),
        ]
        .join(", "),
    ));
    out.push((
        "Signature",
        if pe.signed {
            "present, not checked"
        } else {
            "none"
        }
        .to_owned(),
    ));
    out.extend(pe.pdb.clone().map(|p| ("PDB", p)));
    if pe.dotnet {
        out.push(("Runtime", ".NET".to_owned()));
    }
}

fn mach_o_facts(macho: &MachO, out: &mut Vec<(&'static str, String)>) {
    let minimum = macho
        .minimum_os
        .map_or("not noted".to_owned(), |v| v.to_string());
    let sdk = macho.sdk.map_or(String::new(), |v| format!(", SDK {v}"));
    out.push(("Minimum", format!("{minimum}{sdk}")));
    out.extend(macho.install_name.clone().map(|n| ("Install name", n)));
    if !macho.rpaths.is_empty() {
        out.push(("RPATH", macho.rpaths.join(" : ")));
    }
    let signature = match &macho.signature {
        None => "none".to_owned(),
        Some(s) if s.adhoc => "ad hoc".to_owned(),
        Some(s) => match &s.team {
            Some(team) => format!("team {team}, not checked"),
            None => "present, not checked".to_owned(),
        },
    };
    out.push(("Signature", signature));
    out.extend(macho.uuid.clone().map(|u| ("UUID", u)));
}
