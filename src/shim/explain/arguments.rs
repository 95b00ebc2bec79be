//! Options that the linker does not take: which one, and the toolchain that has it.

use super::after;
use crate::manifest::{Family, Manifest};
use crate::shim::Spec;
use crate::target::TargetOs;

/// zig's driver: `unsupported linker arg: X`, `unsupported linker extension flag: -z X`, `unsupported -undefined option
/// 'X'`; lld: `unknown argument 'X'`; GNU ld: `unrecognized option 'X'`; Apple's: `unknown option: X`.
pub(super) fn unknown_option(spec: &Spec, line: &str) -> Option<String> {
    let option = after(line, "unsupported linker arg: ")
        .map(str::to_owned)
        .or_else(|| {
            let keyword = after(line, "unsupported linker extension flag: -z ")?;
            Some(format!("-z {keyword}"))
        })
        .or_else(|| {
            let (_, value) = line.split_once("unsupported -undefined option ")?;
            Some(format!("-undefined {}", value.trim_matches(['\'', '"'])))
        })
        .or_else(|| {
            let known = [
                ": unknown argument '",
                "unrecognized option '",
                "unknown option: ",
            ];
            let value = known.iter().find_map(|mark| line.split_once(mark))?.1;
            line.contains("ld")
                .then(|| value.split('\'').next().unwrap_or(value).trim().to_owned())
        })?;
    let linker = match spec.family {
        Family::Zig => "zig's linker",
        Family::Gcc => "GNU ld",
        Family::Clang => "this linker",
    };
    Some(format!(
        "{linker} does not take `{option}`: {}",
        way_on(spec, &option)
    ))
}

/// Where it is taken, if anywhere.
fn way_on(spec: &Spec, option: &str) -> String {
    let triple = &spec.triple;
    let others =
        "leave it out (a `-Clink-arg`, a crate's build script or a build system's flags name it)";
    match other_toolchain(spec) {
        Some(name) if is_of(spec, option) => {
            let also = if triple.os() == TargetOs::MacOs {
                ", with Apple's SDK"
            } else {
                ""
            };
            format!("xtool add {triple} --toolchain {name}{also}; or {others}")
        }
        _ => others.to_owned(),
    }
}

/// Another toolchain for the target whose linker is the platform's own.
pub(in crate::shim) fn other_toolchain(spec: &Spec) -> Option<String> {
    if spec.family != Family::Zig {
        return None;
    }
    let manifest = Manifest::load(None).ok()?;
    let target = manifest.target(&spec.triple)?;
    let here = crate::target::Host::of_this_build()?;
    let is_other = |name: &&String| {
        manifest.toolchains.get(*name).is_some_and(|toolchain| {
            toolchain.family != Family::Zig
                && toolchain.artifacts.iter().any(|artifact| {
                    artifact.host == here
                        && (artifact.targets.is_empty() || artifact.targets.contains(&spec.triple))
                })
        })
    };
    target.toolchains.iter().find(is_other).cloned()
}

/// Whether the platform's own linker takes an option of this name. What nobody knows is taken by none for certain.
fn is_of(spec: &Spec, option: &str) -> bool {
    const GNU: [&str; 56] = [
        "-Map",
        "--wrap",
        "--dynamic-list",
        "--dynamic-list-data",
        "--export-dynamic-symbol",
        "--export-dynamic-symbol-list",
        "--defsym",
        "--cref",
        "--print-map",
        "-M",
        "--trace",
        "-t",
        "--trace-symbol",
        "-y",
        "--retain-symbols-file",
        "--exclude-libs",
        "--allow-multiple-definition",
        "--unresolved-symbols",
        "--warn-unresolved-symbols",
        "--emit-relocs",
        "-q",
        "--section-start",
        "-Ttext",
        "-Tdata",
        "-Tbss",
        "-init",
        "-fini",
        "--auxiliary",
        "--filter",
        "--nmagic",
        "-n",
        "-N",
        "--omagic",
        "--orphan-handling",
        "--verbose",
        "--stats",
        "--dependency-file",
        "--output-def",
        "--heap",
        "--kill-at",
        "--exclude-symbols",
        "--exclude-all-symbols",
        "--add-stdcall-alias",
        "--file-alignment",
        "--section-alignment",
        "--disable-dynamicbase",
        "--disable-high-entropy-va",
        "--disable-nxcompat",
        "--disable-reloc-section",
        "--disable-large-address-aware",
        "-Ttext-segment",
        "--start-lib",
        "--no-dynamic-linker",
        "--print-memory-usage",
        "--default-symver",
        "--noinhibit-exec",
    ];
    if spec.triple.os() == TargetOs::MacOs {
        // Apple's own list is long, and only its linker has all of it.
        return option.starts_with('-') && !option.starts_with("--");
    }
    let single = |name: &str| name.trim_start_matches('-').to_owned();
    option.starts_with("-z ") || GNU.iter().any(|known| single(known) == single(option))
}

#[cfg(test)]
mod tests {
    use super::super::explain;
    use super::*;

    fn help(triple: &str, said: &str) -> String {
        let spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/t".into());
        explain(&spec, None, said).unwrap_or_default()
    }

    #[test]
    fn an_option_that_only_gnu_ld_has_is_named_with_a_toolchain_that_has_it() {
        for option in ["-Map", "--wrap", "--dynamic-list", "-Ttext"] {
            let said = format!("error: unsupported linker arg: {option}");
            let help = help("aarch64-unknown-linux-gnu", &said);
            assert!(
                help.starts_with(&format!("zig's linker does not take `{option}`: ")),
                "{help}"
            );
            let has_gcc = cfg!(all(target_os = "linux", target_arch = "x86_64"));
            let command = "xtool add aarch64-unknown-linux-gnu --toolchain gnu-cross";
            assert_eq!(help.contains(command), has_gcc, "{help}");
        }
        let said = "error: unsupported linker extension flag: -z execstack";
        assert!(
            help("x86_64-unknown-linux-musl", said)
                .starts_with("zig's linker does not take `-z execstack`: ")
        );
    }

    #[test]
    fn an_option_that_nobody_knows_is_named_too() {
        let help = help(
            "aarch64-unknown-linux-gnu",
            "error: unsupported linker arg: --brand-new",
        );
        assert!(
            help.starts_with("zig's linker does not take `--brand-new`: leave it out"),
            "{help}"
        );
        assert!(!help.contains("--toolchain"), "{help}");
    }

    #[test]
    fn other_linkers_words_are_known() {
        let mut spec = Spec::new(
            "aarch64-unknown-linux-gnu".parse().unwrap(),
            Family::Gcc,
            "/t".into(),
        );
        let gnu = "/t/bin/ld: unrecognized option '--brand-new'";
        assert!(
            explain(&spec, None, gnu)
                .unwrap()
                .starts_with("GNU ld does not take `--brand-new`: ")
        );
        spec.family = Family::Clang;
        let lld = "ld64.lld: error: unknown argument '-brand_new'";
        assert!(explain(&spec, None, lld).unwrap().contains("`-brand_new`"));
        assert_eq!(
            explain(&spec, None, "clang: error: unknown argument: '-fnew'"),
            None
        );
    }
}
