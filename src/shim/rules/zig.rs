//! `zig cc` and its siblings: which of rustc's arguments zig's driver cannot take, by target.
//!
//! Found by reading rustc (`rustc_target/src/spec`), zig's driver, and tools that wrap it; each rule has a test here
//! or in its family's module.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{
    Action, Arg, Environment, Invocation, apply, is_source, links, macos, objects, only_asks,
    output, takes_value,
};
use crate::env_vars::CCC_OVERRIDE_OPTIONS;
use crate::shim::pe::Versions;
use crate::shim::{ShimError, Spec, Tool, Zig};
use crate::target::{TargetOs, Triple};

mod apple;
mod ar;
mod atomic;
mod compile_only;
mod cpu;
mod linker;
mod linux;
mod modes;
mod preprocessor;
mod procedures;
mod subsystem;
mod wasi;
mod windows;
mod words;

pub use cpu::default_cpu;
pub use cpu::names::Names;
pub use modes::one_by_one;

/// The file of zig's that says what the CPUs in these arguments are; `None` when they name none.
pub fn names_file(spec: &Spec, tool: Tool, args: &[OsString]) -> Option<PathBuf> {
    let zig = spec.zig.as_ref().filter(|_| tool.is_driver())?;
    if !words(args).any(cpu::needs_names) {
        return None;
    }
    let other = apple::other_cpu(spec, tool, args).ok().flatten();
    let triple = other.as_ref().map_or(&spec.triple, |other| &other.triple);
    cpu::names::file(zig.exe.parent()?, triple)
}

/// What the rules look at besides an argument.
#[derive(Clone, Copy)]
struct Context<'a> {
    spec: &'a Spec,
    triple: &'a Triple,
    /// The minor version: 15 for 0.15.2. Newer than every rule when it cannot be read.
    minor: u32,
    /// Whether the driver links.
    linking: bool,
    /// Whether all that it does is to link: no input is a source.
    only_links: bool,
}

/// What a tool is run as, as a subcommand of zig.
pub fn rewrite(
    spec: &Spec,
    zig: &Zig,
    variant: &Path,
    tool: Tool,
    args: Vec<OsString>,
    env: &Environment,
) -> Result<Invocation, ShimError> {
    let other = apple::other_cpu(spec, tool, &args)?;
    let (spec, zig) = match &other {
        Some(other) => (other, other.zig.as_ref().unwrap_or(zig)),
        None => (spec, zig),
    };
    let args = match spec.triple.os() {
        TargetOs::Wasi if tool.is_driver() => wasi::from_wasm_ld(args),
        _ => args,
    };
    let args = if tool.is_driver() {
        let args = compile_only::without_linkers(preprocessor::as_the_drivers(args));
        modes::in_zigs_words(tool, &zig.cache_dir, args)
    } else {
        args
    };
    let linking = tool.is_driver() && links(&args);
    let (args, subsystem) = match spec.triple.os() {
        TargetOs::Windows if linking => subsystem::take(args),
        _ => (args, subsystem::Subsystem::default()),
    };
    let quiet = args.iter().any(|arg| arg == "-w");
    let linker::Link { args, bundle, note } = if linking {
        linker::rewrite(&spec.triple, minor(&zig.version), args, &|path| {
            path.is_file()
        })?
    } else {
        linker::Link {
            args,
            ..linker::Link::default()
        }
    };
    let context = Context {
        spec,
        triple: &spec.triple,
        minor: minor(&zig.version),
        linking,
        only_links: linking && !compiles(&args),
    };
    linux::check_static(context, &args)?;
    let header = header(&args, &subsystem);
    let static_pie = match spec.triple.os() {
        TargetOs::Linux => linux::static_pie(context, &args),
        _ => Vec::new(),
    };
    let zigs = cpu::Zigs {
        triple: &spec.triple,
        base: zig.cpu.as_deref().or(default_cpu(&spec.triple)),
        host: env.host,
        names: &env.cpus,
    };
    let choice = if !tool.is_driver() || context.only_links || only_asks(&args) {
        cpu::Choice::default_of(zigs)
    } else {
        cpu::choose(zigs, &args)?
    };
    let mut out: Vec<OsString> = match tool {
        Tool::Cc => vec!["cc".into()],
        Tool::Cxx => vec!["c++".into()],
        other => vec![other.name().into()],
    };
    let bundle = bundle.then(|| output(&args).unwrap_or_else(|| "a.out".into()));
    let mut recipe = None;
    if tool.is_driver() {
        out.extend(fixed(context, zig, &args, env));
        out.extend(choice.mcpu.iter().map(|cpu| format!("-mcpu={cpu}").into()));
        out.extend(apple::before(context));
        out.extend(procedures::before(context, variant, &args));
        let subsystem = subsystem.arguments(!without_libraries(&args));
        recipe = atomic::recipe(context, zig, variant, &args);
        let atomic = recipe.as_ref().map(|recipe| atomic::late(recipe, &args));
        let told = macos::told_to_caches(spec, variant, &args, env);
        out.extend(apply(args, |arg| rule(context, &choice, arg)));
        out.extend(subsystem);
        out.extend(static_pie);
        out.extend(late(context, variant));
        out.extend(told);
        out.extend(atomic.into_iter().flatten());
    } else if tool == Tool::Dlltool {
        out.extend(apply(args, dlltool));
    } else if tool == Tool::Ar {
        out.extend(ar::whole(args));
    } else {
        out.extend(args);
    }

    let mut invocation = Invocation::new(&zig.exe, out);
    invocation.set("ZIG_GLOBAL_CACHE_DIR", &zig.cache_dir);
    invocation.set("ZIG_LOCAL_CACHE_DIR", &zig.cache_dir);
    invocation.header = header;
    apple::environment(context, &mut invocation);
    if context.linking && context.minor == 16 && !env.overrides {
        invocation.set(CCC_OVERRIDE_OPTIONS, QUIET_LIBCXX);
    }
    invocation.recipe = recipe;
    invocation.bundle = bundle;
    invocation.note = note.filter(|_| !quiet);
    Ok(invocation)
}

/// The program whose header gets versions, and those.
fn header(args: &[OsString], subsystem: &subsystem::Subsystem) -> Option<(PathBuf, Versions)> {
    let asked = subsystem.versions != Versions::default();
    // Without a name zig's is GCC's.
    asked.then(|| {
        let path = output(args).unwrap_or_else(|| "a.exe".into());
        (path, subsystem.versions)
    })
}

/// Whether a driver is told to add no library.
fn without_libraries(args: &[OsString]) -> bool {
    let options = ["-nostdlib", "-nodefaultlibs"];
    args.iter().any(|arg| options.iter().any(|o| arg == o))
}

/// Small files that a variant's folder holds for these rules: relative path and text.
pub(in crate::shim) fn stub_files(spec: &Spec) -> Vec<(&'static str, String)> {
    if spec.zig.is_none() {
        return Vec::new();
    }
    let mut files = apple::stub_files(spec);
    files.extend(atomic::stub_files(spec));
    files.extend(procedures::stub_files(spec));
    files
}

fn minor(version: &str) -> u32 {
    let mut parts = version.split('.');
    match (parts.next(), parts.next().map(str::parse)) {
        (Some("0"), Some(Ok(minor))) => minor,
        _ => u32::MAX,
    }
}

/// zig compiles its C++ library at a link, and with 0.16.0 clang prints 37,669 lines about one `_Nullable` in its
/// `string` (0.15.2 and 0.17.1: none). clang's driver takes this option from the environment, at the front (`^`) and
/// without telling (`#`), so that the user's own wins (clang's `DriverMain`, `CCC_OVERRIDE_OPTIONS`).
const QUIET_LIBCXX: &str = "#^-Wno-nullability-completeness";

/// Arguments that come first, so that the caller's win.
fn fixed(context: Context<'_>, zig: &Zig, args: &[OsString], env: &Environment) -> Vec<OsString> {
    let mut out: Vec<OsString> = Vec::with_capacity(6);
    if context.linking {
        // Without it zig strips what it links.
        out.push("-g".into());
    }
    // zig's own default for unoptimised code traps on undefined behaviour, which no other toolchain does.
    out.push("-fno-sanitize=all".into());
    let windows = context.triple.os() == TargetOs::Windows && !context.only_links;
    if windows || words(args).any(|text| text == "-S") {
        // zig passes an option that its clang has no use for (`-c` beside `-S`), which `-Werror` makes an error of.
        out.push("-Wno-unused-command-line-argument".into());
    }
    if !context.linking && !only_asks(args) {
        // Not where it links as well: zig would compile its libc for that CPU.
        out.extend(cpu::wide_registers(context.triple, context.minor).map(OsString::from));
    }
    out.push("-target".into());
    out.push(match apple::minimum(context, args, env) {
        Some(version) => apple::with_version(&zig.target, &version).into(),
        // clang knows no glibc version: asked about itself it would print an error and fail.
        None if only_asks(args) => without_glibc(&zig.target).into(),
        None => OsString::from(&zig.target),
    });
    if context.triple.os() == TargetOs::Wasi && !context.only_links {
        // zig's C++ library has none there: what only might throw, as in the library's own headers, then links, and
        // what does throw is told where it stands.
        out.push("-fno-exceptions".into());
    }
    out
}

/// `riscv64-linux-gnu` of `riscv64-linux-gnu.2.27`.
fn without_glibc(target: &str) -> &str {
    let end = target.find("-gnu").and_then(|at| {
        let dot = target[at..].find('.')?;
        Some(at + dot)
    });
    &target[..end.unwrap_or(target.len())]
}

/// Whether an input is compiled before it is linked. Standard input is, and so is what `-x` names.
fn compiles(args: &[OsString]) -> bool {
    words(args).any(|text| text.starts_with("-x") || text == "-" || is_source(text))
}

/// The options and inputs of a driver, without the options' values that are arguments of their own.
fn words(args: &[OsString]) -> impl Iterator<Item = &str> {
    let mut is_value = false;
    args.iter().filter_map(move |arg| {
        let text = arg.to_str().unwrap_or_default();
        if std::mem::take(&mut is_value) {
            return None;
        }
        is_value = takes_value(text);
        Some(text)
    })
}

/// Arguments that come last.
fn late(context: Context<'_>, variant: &Path) -> Vec<OsString> {
    let mut out = match context.triple.os() {
        TargetOs::MacOs => apple::headers(context, variant),
        _ => Vec::new(),
    };
    if !context.linking {
        return out;
    }
    out.extend(match context.triple.os() {
        TargetOs::Windows => windows::late(context),
        TargetOs::MacOs => apple::late(context, variant),
        TargetOs::Linux => linux::late(context),
        TargetOs::Wasi | TargetOs::Other => Vec::new(),
    });
    out
}

fn rule(context: Context<'_>, choice: &cpu::Choice, arg: Arg<'_>) -> Action {
    let family = || match context.triple.os() {
        TargetOs::Windows => windows::rule(context, arg),
        TargetOs::MacOs => apple::rule(arg),
        TargetOs::Linux => linux::rule(context, arg),
        TargetOs::Wasi | TargetOs::Other => {
            if context.linking && objects::is_rustcs_crt(arg) {
                Action::Drop
            } else {
                Action::Keep
            }
        }
    };
    if context.only_links && (cpu::is_machine_option(arg.text) || is_code_option(arg.text)) {
        return Action::Drop;
    }
    cpu::rule(context.triple, choice, arg)
        .or_else(family)
        .or_else(|| everywhere(arg))
}

/// An option for the code of functions, which are compiled when only objects are linked (and in LTO's bitcode each has
/// its own). zig takes it as said of its libc and `compiler_rt` too, and compiles them anew: seen with 0.15.2, whose
/// other such options (`-fPIC`, `-fstack-protector`, `-f…-sections`, `-O1` to `-O3`) find what `--warm` compiled.
fn is_code_option(text: &str) -> bool {
    let name = text.strip_prefix("-fno-").or(text.strip_prefix("-f"));
    matches!(
        name,
        Some("omit-frame-pointer" | "builtin" | "unwind-tables" | "asynchronous-unwind-tables")
    )
}

/// For all targets, after the family's own rules.
fn everywhere(arg: Arg<'_>) -> Action {
    for option in ["--target", "-target"] {
        if let Some((_, in_next)) = arg.value_of(option) {
            // The target is ours to say.
            return if in_next {
                Action::DropWithNext
            } else {
                Action::Drop
            };
        }
    }
    match (arg.text, arg.next) {
        ("-lgcc_s", _) => Action::replace("-lunwind"),
        // It comes last, see `atomic.rs`; macOS has it in its system library.
        ("-latomic", _) => Action::Drop,
        // GCC's words for how many processes it takes (Ubuntu's flags: `-flto=auto`); zig from 0.16 on refuses them.
        (text, _)
            if text
                .strip_prefix("-flto=")
                .is_some_and(|how| !matches!(how, "thin" | "full")) =>
        {
            Action::replace("-flto")
        }
        ("-u", Some(symbol)) => Action::ReplaceWithNext(vec![format!("-Wl,-u,{symbol}")]),
        ("-e", Some(entry)) => Action::ReplaceWithNext(vec![format!("-Wl,--entry={entry}")]),
        ("-B", Some(folder)) if is_gcc_ld(folder) => Action::DropWithNext,
        // zig links with its own lld and knows no other.
        (text, _)
            if text.strip_prefix("-B").is_some_and(is_gcc_ld)
                || text.starts_with("-fuse-ld=")
                || text.starts_with("--ld-path=")
                || matches!(text, "-fuse-linker-plugin" | "-fno-use-linker-plugin") =>
        {
            Action::Drop
        }
        (text, _) => entry_or_symbol(text),
    }
}

/// `-eNAME` and `-uNAME`, which clang's driver does not take joined.
fn entry_or_symbol(text: &str) -> Action {
    let is_name = |name: &&str| !name.is_empty() && !name.starts_with(['-', '=']);
    if let Some(entry) = text.strip_prefix("-e").filter(is_name) {
        if !["xport", "mit-"].iter().any(|o| entry.starts_with(o)) {
            return Action::replace(format!("-Wl,--entry={entry}"));
        }
    } else if let Some(symbol) = text.strip_prefix("-u").filter(is_name)
        && !["ndef", "nexported_", "mbrella"]
            .iter()
            .any(|o| symbol.starts_with(o))
    {
        return Action::replace(format!("-Wl,-u,{symbol}"));
    }
    Action::Keep
}

/// `zig dlltool` is LLVM's: it has no assembler to pass options to and no temporary files. It ignores both options
/// today; nothing says that it must.
fn dlltool(arg: Arg<'_>) -> Action {
    match arg.text {
        "-f" | "--as-flags" | "--temp-prefix" | "-t" => Action::DropWithNext,
        _ => Action::Keep,
    }
}

/// The folder of rustc's that holds a wrapper named `ld.lld`.
fn is_gcc_ld(folder: &str) -> bool {
    folder.trim_end_matches(['/', '\\']).ends_with("gcc-ld")
}

#[cfg(test)]
mod tests;
