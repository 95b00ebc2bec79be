//! CPU names: what GCC's and clang's `-march`, `-mcpu`, `-mtune` and `-mfpu` mean, as the one `-mcpu` that zig takes.
//!
//! zig's driver takes each of the first three for its own `-mcpu=CPU+feature-feature`, the last one for all: `-mtune`,
//! which must not change the instructions, changed them, and `x86-64-v3` was a CPU `x86` without two features. So they
//! are read here, together, and zig gets one answer.
//!
//! ```text
//! arguments ─ Wish ─ CPU and changes ─ checked against zig's own list (Names) → -mcpu=cortex_a53+crypto
//! ```

use std::ffi::OsString;

use super::{Action, Arg, objects, words};
use crate::shim::ShimError;
use crate::target::{TargetOs, Triple};

mod aliases;
mod arm;
mod flags;
pub mod names;
mod riscv;

use names::{Names, Set};

/// The `-mcpu` that makes zig's code for a triple what rustc's is (`rustc_target`'s features of the target); `None`
/// where zig's default for the architecture is.
pub fn default_cpu(triple: &Triple) -> Option<&'static str> {
    let hard_float = triple.env().ends_with("eabihf");
    Some(match triple.arch() {
        "arm" if hard_float => "generic+v6+strict_align+vfp2-d32",
        "arm" => "generic+v6+strict_align",
        "armv5te" => "generic+soft_float+strict_align",
        "armv7" => "generic+v7a+vfp3-d32+thumb2-neon",
        "i586" => "pentium",
        "i686" => "pentium4",
        "riscv64gc" => "generic_rv64+m+a+f+d+c",
        _ => return None,
    })
}

/// What lets functions that ask for AVX-512 themselves (`__attribute__((target("avx512f")))`: libdeflate, `simdutf`)
/// compile, as they do with clang: zig before 0.17 takes 512-bit registers away from every CPU that does not have them,
/// and such a function too ("requires target feature 'evex512'"; seen with 0.15.2 and 0.16.0). By itself it changes no
/// code. 0.17.1 does not know the option and needs none.
pub(super) fn wide_registers(triple: &Triple, minor: u32) -> Option<&'static str> {
    (Family::of(triple) == Family::X86 && minor < 17).then_some("-mevex512")
}

/// Whether the architecture is 32-bit ARM.
fn is_arm(triple: &Triple) -> bool {
    ["arm", "thumb"]
        .iter()
        .any(|a| triple.arch().starts_with(a))
        && triple.arch() != "arm64ec"
}

/// An option that chooses instructions (`-mavx2`, `-march=…`). Of no meaning to a link of objects; but zig takes it as
/// said of the whole program, and compiles its libc and `compiler_rt` anew for each such set: half a minute a time, and
/// CMake projects that ask for every instruction set do it dozens of times.
pub(super) fn is_machine_option(text: &str) -> bool {
    const OTHERS: [&str; 13] = [
        "-m32",
        "-m64",
        "-mabi=",
        "-mcmodel=",
        "-mconsole",
        "-mdll",
        "-mexec-model=",
        "-mfloat-abi=",
        "-mllvm",
        "-mmacos",
        "-mthreads",
        "-municode",
        "-mwindows",
    ];
    text.starts_with("-m") && !OTHERS.iter().any(|other| text.starts_with(other))
}

/// A change of a CPU's features, by zig's names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Add(String),
    Remove(String),
    /// The floating-point unit is this, and nothing of another.
    Fpu(Vec<String>),
}

impl Change {
    fn add(feature: &str) -> Self {
        Self::Add(feature.to_owned())
    }

    fn remove(feature: &str) -> Self {
        Self::Remove(feature.to_owned())
    }

    fn fpu(features: &[&str]) -> Self {
        Self::Fpu(features.iter().map(|&f| f.to_owned()).collect())
    }
}

/// The families whose options differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    X86,
    Arm,
    Aarch64,
    Riscv,
    /// One option names a CPU: `-mcpu` (PowerPC) or `-march` (s390x, MIPS).
    Other,
}

impl Family {
    fn of(triple: &Triple) -> Self {
        match triple.arch() {
            "x86_64" | "i686" | "i586" | "i386" => Self::X86,
            arch if arch.starts_with("aarch64") || arch.starts_with("arm64") => Self::Aarch64,
            _ if is_arm(triple) => Self::Arm,
            arch if arch.starts_with("riscv") => Self::Riscv,
            _ => Self::Other,
        }
    }

    /// As [`aliases`] calls it.
    fn name(triple: &Triple) -> &'static str {
        match Self::of(triple) {
            Self::X86 => "x86",
            Self::Arm => "arm",
            Self::Aarch64 => "aarch64",
            Self::Riscv => "riscv",
            Self::Other if triple.arch().starts_with("powerpc") => "powerpc",
            Self::Other if triple.arch() == "s390x" => "s390x",
            Self::Other => "",
        }
    }
}

/// What the arguments say; of each option the last one counts.
#[derive(Default)]
struct Wish<'a> {
    march: Option<&'a str>,
    mcpu: Option<&'a str>,
    fpu: Option<&'a str>,
    /// The last of `-march` and `-mcpu`, as it stands.
    last: Option<&'a str>,
    /// `-mavx2`, `-mno-sse4.1`: the name and whether it is wanted.
    flags: Vec<(&'a str, bool)>,
}

impl<'a> Wish<'a> {
    fn of(args: &'a [OsString]) -> Self {
        let mut wish = Self::default();
        for text in words(args) {
            if let Some(march) = text.strip_prefix("-march=") {
                wish.march = Some(march);
                wish.last = Some(text);
            } else if let Some(mcpu) = text.strip_prefix("-mcpu=") {
                wish.mcpu = Some(mcpu);
                wish.last = Some(text);
            } else if let Some(fpu) = text.strip_prefix("-mfpu=") {
                wish.fpu = Some(fpu).filter(|fpu| *fpu != "auto");
            } else if let Some(flag) = text.strip_prefix("-m") {
                wish.flags.push(match flag.strip_prefix("no-") {
                    Some(without) => (without, false),
                    None => (flag, true),
                });
            }
        }
        wish
    }
}

/// A CPU in zig's words.
struct Cpu {
    model: String,
    changes: Vec<Change>,
}

/// What is wrong with an option.
struct Refusal {
    /// `-march=foo`
    option: String,
    /// What is not known.
    what: String,
}

/// What the choice depends on besides the arguments.
#[derive(Clone, Copy)]
pub(super) struct Zigs<'a> {
    pub triple: &'a Triple,
    /// The CPU that the target has by itself.
    pub base: Option<&'a str>,
    /// This machine's CPU family.
    pub host: &'a str,
    /// What this zig knows.
    pub names: &'a Names,
}

/// What becomes of the options that choose instructions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// zig's `-mcpu`; `None`: zig's default for the target.
    pub mcpu: Option<String>,
    /// The `-mavx2` and the like that are a part of it.
    folded: Vec<String>,
}

impl Choice {
    /// The target's own, for what compiles nothing.
    pub(super) fn default_of(zigs: Zigs<'_>) -> Self {
        Self {
            mcpu: zigs.base.map(str::to_owned),
            folded: Vec::new(),
        }
    }
}

/// The choice of a compile's arguments.
pub(super) fn choose(zigs: Zigs<'_>, args: &[OsString]) -> Result<Choice, ShimError> {
    let wish = Wish::of(args);
    let cpu = match wanted(zigs, &wish) {
        Ok(cpu) => cpu,
        Err(refusal) => return Err(refuse(zigs, refusal)),
    };
    let Some((mut cpu, option)) = cpu else {
        return Ok(Choice::default_of(zigs));
    };
    let flags = flags::of(zigs, &wish);
    cpu.changes.extend(flags.changes);
    match unknown(zigs, &cpu) {
        Some(what) => Err(refuse(zigs, Refusal { option, what })),
        None => Ok(Choice {
            mcpu: Some(spell(&cpu, zigs.names)),
            folded: flags.folded,
        }),
    }
}

/// The CPU and the option that names it. `None`: nothing is asked for.
fn wanted(zigs: Zigs<'_>, wish: &Wish<'_>) -> Result<Option<(Cpu, String)>, Refusal> {
    let march = wish.march.map(|m| ("-march=", m));
    let mcpu = wish.mcpu.map(|m| ("-mcpu=", m));
    let family = Family::of(zigs.triple);
    let option = match family {
        // For x86 `-mcpu` is an old name of `-mtune` ("x86 Options"); zig's own names are told by their spelling.
        Family::X86 => march.or(mcpu.filter(|(_, name)| is_zigs_own(name))),
        // The architecture is `-march`'s to say, and `-mcpu`'s where that is not given ("ARM Options", "AArch64
        // Options", "RISC-V Options").
        Family::Arm | Family::Aarch64 | Family::Riscv => march.or(mcpu),
        Family::Other => {
            let last = wish.last.and_then(|last| last.split_once('='));
            last.map(|(name, value)| {
                if name == "-march" {
                    ("-march=", value)
                } else {
                    ("-mcpu=", value)
                }
            })
        }
    };
    let cpu = match option {
        None => None,
        Some((name, value)) => {
            let given = format!("{name}{value}");
            let cpu = named(zigs, family, name, value).ok_or_else(|| Refusal {
                option: given.clone(),
                what: value.to_owned(),
            })?;
            Some((cpu, given))
        }
    };
    let Some(fpu) = wish.fpu.filter(|_| family == Family::Arm) else {
        let folds = !flags::of(zigs, wish).changes.is_empty();
        return Ok(cpu.or_else(|| folds.then(|| (base(zigs), String::new()))));
    };
    let option = format!("-mfpu={fpu}");
    let change = arm::fpu(fpu).ok_or_else(|| Refusal {
        option: option.clone(),
        what: fpu.to_owned(),
    })?;
    let (mut cpu, option) = cpu.unwrap_or_else(|| (base(zigs), option));
    cpu.changes.push(change);
    Ok(Some((cpu, option)))
}

/// The CPU that a value of `-march=` or `-mcpu=` stands for.
fn named(zigs: Zigs<'_>, family: Family, option: &str, value: &str) -> Option<Cpu> {
    let is_march = option == "-march=";
    match family {
        Family::Aarch64 if is_march && value.starts_with("armv") => Some(Cpu {
            changes: arm::aarch64(value),
            ..base(zigs)
        }),
        Family::Arm if is_march && value.starts_with("armv") => {
            let (version, changes) = arm::arm(value);
            let mut cpu = base(zigs);
            to_version(&mut cpu, &version);
            cpu.changes.extend(changes);
            Some(cpu)
        }
        Family::Riscv if value.starts_with("rv") => {
            let mut cpu = base(zigs);
            let has = |change: &Change| cpu.changes.contains(change);
            let more: Vec<Change> = riscv::march(value)?
                .into_iter()
                .filter(|c| !has(c))
                .collect();
            cpu.changes.extend(more);
            Some(cpu)
        }
        _ => model(zigs, family, value),
    }
}

/// `cortex-a53+crypto`, or as zig has it: `cortex_a53+crypto-neon`.
fn model(zigs: Zigs<'_>, family: Family, value: &str) -> Option<Cpu> {
    let (name, extensions) = value.split_once('+').unwrap_or((value, ""));
    let extension = |part: &str| match family {
        Family::Aarch64 => arm::aarch64_extension(part),
        Family::Arm => arm::arm_extension("v8", part),
        _ => vec![Change::add(&part.replace(['-', '.'], "_"))],
    };
    // zig's own spelling takes features away by `-` too.
    if let Some(cpu) = zigs_own(zigs.names, value) {
        return Some(cpu);
    }
    let parts = extensions.split('+').filter(|part| !part.is_empty());
    let changes: Vec<Change> = parts.flat_map(extension).collect();
    if name == "native" {
        return is_native(zigs.triple, zigs.host).then(|| Cpu {
            model: name.to_owned(),
            changes,
        });
    }
    if name == "generic" && family != Family::Aarch64 {
        // For x86 it is a word of `-mtune` only; elsewhere it is what the target is.
        return (family != Family::X86).then(|| {
            let mut cpu = base(zigs);
            cpu.changes.extend(changes);
            cpu
        });
    }
    // Of two (`cortex-a57.cortex-a53`) the instructions are the same.
    let name = name.rsplit_once('.').map_or(name, |(_, little)| little);
    let model = aliases::zigs_name(name, Family::name(zigs.triple))
        .map_or_else(|| name.replace('-', "_"), str::to_owned);
    let known = zigs.names.is_empty() || zigs.names.has_cpu(&model) || model == "baseline";
    known.then_some(Cpu { model, changes })
}

/// A CPU as zig's `-mcpu` has it, where that can be nothing else.
fn zigs_own(names: &Names, value: &str) -> Option<Cpu> {
    let cpu = parse(value);
    let feature = |change: &Change| match change {
        Change::Add(name) | Change::Remove(name) => names.has_feature(name),
        Change::Fpu(_) => false,
    };
    let own = names.has_cpu(&cpu.model) && cpu.changes.iter().all(feature);
    // `k8-sse3` is a CPU of GCC's, and would be `k8` without SSE3.
    let gccs = names.has_cpu(&value.replace('-', "_"));
    (own && !gccs && !is_clangs_name(value)).then_some(cpu)
}

/// `corei7-avx`, not zig's `corei7` without AVX.
fn is_clangs_name(value: &str) -> bool {
    aliases::zigs_name(value, "x86").is_some()
}

/// `generic+v7a-neon`, zig's spelling, in parts.
fn parse(text: &str) -> Cpu {
    let end = text.find(['+', '-']).unwrap_or(text.len());
    let (model, mut rest) = text.split_at(end);
    let mut changes = Vec::new();
    while let Some(sign) = rest.chars().next() {
        let end = rest[1..].find(['+', '-']).map_or(rest.len(), |at| at + 1);
        let feature = &rest[1..end];
        changes.push(match sign {
            '+' => Change::add(feature),
            _ => Change::remove(feature),
        });
        rest = &rest[end..];
    }
    Cpu {
        model: model.to_owned(),
        changes,
    }
}

/// The target's own CPU.
fn base(zigs: Zigs<'_>) -> Cpu {
    // As zig's `std.Target.Cpu.Model.baseline` has them.
    let default = match Family::of(zigs.triple) {
        Family::Aarch64 if zigs.triple.os() == TargetOs::MacOs => "apple_m1",
        Family::Aarch64 => "generic",
        Family::X86 if zigs.triple.os() == TargetOs::MacOs => "core2",
        Family::X86 => "x86_64",
        _ if zigs.triple.arch().starts_with("riscv32") => "generic_rv32",
        _ if zigs.triple.arch().starts_with("riscv") => "generic_rv64",
        _ if zigs.triple.arch() == "powerpc64le" => "ppc64le",
        _ if zigs.triple.arch() == "s390x" => "arch8",
        _ => "baseline",
    };
    parse(zigs.base.unwrap_or(default))
}

/// Another version of the ARM architecture in place of the base's: what is newer than it goes too. The floating-point
/// unit stays, which is a part of the target's ABI.
fn to_version(cpu: &mut Cpu, version: &str) {
    let is_version =
        |name: &str| name.starts_with('v') && name[1..].starts_with(|c: char| c.is_ascii_digit());
    let thumb2 = version == "v6t2"
        || !["v4", "v5", "v6"]
            .iter()
            .any(|old| version.starts_with(old));
    cpu.changes.retain(|change| match change {
        Change::Add(name) => !is_version(name) && (thumb2 || name != "thumb2"),
        _ => true,
    });
    // A version brings its usual unit with it: the target's takes its place.
    let unit = cpu.changes.iter().filter_map(|change| match change {
        Change::Add(name) if name.starts_with("vfp") => Some(name.clone()),
        _ => None,
    });
    let unit = Change::Fpu(unit.collect());
    cpu.changes.splice(0..0, [Change::add(version), unit]);
}

/// Names of zig's that no other compiler has for x86.
fn is_zigs_own(name: &str) -> bool {
    name == "baseline" || name.contains(['_', '+'])
}

/// Whether this machine's CPU is of the target's kind: GCC, too, takes `native` then, whatever the system.
fn is_native(triple: &Triple, host: &str) -> bool {
    match Family::of(triple) {
        Family::X86 => matches!(host, "x86_64" | "x86"),
        Family::Aarch64 => host == "aarch64",
        Family::Arm => host == "arm",
        Family::Riscv => host.starts_with("riscv"),
        Family::Other => triple.arch() == host,
    }
}

/// What this zig does not know of a CPU.
fn unknown(zigs: Zigs<'_>, cpu: &Cpu) -> Option<String> {
    if zigs.names.is_empty() {
        return None;
    }
    cpu.changes.iter().find_map(|change| {
        let names = match change {
            Change::Add(name) | Change::Remove(name) => std::slice::from_ref(name),
            Change::Fpu(names) => names.as_slice(),
        };
        names
            .iter()
            .find(|name| !zigs.names.has_feature(name))
            .cloned()
    })
}

fn refuse(zigs: Zigs<'_>, refusal: Refusal) -> ShimError {
    let known = zigs.names.cpus().map(|name| name.replace('_', "-"));
    let alike = |name: &String| strsim::normalized_damerau_levenshtein(name, &refusal.what) > 0.7;
    ShimError::Cpu {
        triple: zigs.triple.clone(),
        alike: known.filter(alike).take(3).collect(),
        option: refusal.option,
        what: refusal.what,
    }
}

/// The `-mcpu` that says it. zig adds all that is to be added, with what that depends on, and then takes away each that
/// is to go, alone.
fn spell(cpu: &Cpu, names: &Names) -> String {
    if !names.has_cpu(&cpu.model) {
        return format!("{}{}", cpu.model, spelled(&cpu.changes));
    }
    let model = names.set(&cpu.model);
    let mut wanted = model.clone();
    for change in &cpu.changes {
        match change {
            Change::Add(feature) => names.add(&mut wanted, feature),
            Change::Remove(feature) => names.remove(&mut wanted, feature),
            Change::Fpu(features) => {
                for unit in [
                    "fpregs", "vfp2sp", "d32", "fp64", "fp16", "crypto", "aes", "sha2",
                ] {
                    names.remove(&mut wanted, unit);
                }
                for feature in features {
                    names.add(&mut wanted, feature);
                }
            }
        }
    }
    let closure = |of: &[&String]| {
        let mut set = Set::new();
        for feature in of {
            names.add(&mut set, feature);
        }
        set
    };
    let added: Vec<&String> = wanted.difference(&model).collect();
    // The roots: what no other brings.
    let roots: Vec<&String> = added
        .iter()
        .copied()
        .filter(|a| !added.iter().any(|b| a != b && closure(&[b]).contains(*a)))
        .collect();
    let with: Set = model.union(&closure(&roots)).cloned().collect();
    let mut out = cpu.model.clone();
    for feature in roots {
        out.push('+');
        out.push_str(feature);
    }
    for feature in with.difference(&wanted) {
        out.push('-');
        out.push_str(feature);
    }
    out
}

/// Changes in zig's spelling, as they stand.
fn spelled(changes: &[Change]) -> String {
    let mut out = String::new();
    for change in changes {
        match change {
            Change::Add(feature) => out.extend(["+", feature]),
            Change::Remove(feature) => out.extend(["-", feature]),
            Change::Fpu(features) => out.extend(features.iter().flat_map(|f| ["+", f])),
        }
    }
    out
}

/// The options that [`choose`] has read go.
pub(super) fn rule(triple: &Triple, choice: &Choice, arg: Arg<'_>) -> Action {
    let names = ["-march=", "-mcpu=", "-mtune="];
    // zig knows no `-mfpu`: what it brings beyond the target's is a part of the CPU.
    let fpu = is_arm(triple) && arg.text.starts_with("-mfpu=");
    let read = fpu || names.iter().any(|name| arg.text.starts_with(name));
    // zig brings compiler_rt, whose symbols Rust's would repeat.
    let twice = is_arm(triple) && objects::is_compiler_builtins(arg);
    if read || twice || choice.folded.iter().any(|flag| flag == arg.text) {
        return Action::Drop;
    }
    Action::Keep
}

/// Whether an argument is one that [`choose`] looks up in zig's list.
pub(super) fn needs_names(text: &str) -> bool {
    is_machine_option(text) && !text.starts_with("-mtune=")
}

#[cfg(test)]
mod tests;
