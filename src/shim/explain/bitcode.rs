//! rustc's `-Clinker-plugin-lto`: objects of LLVM bitcode, which only a linker with an LLVM as new as rustc's reads.

use super::known::newest_zig;
use crate::manifest::numbers;
use crate::shim::Spec;

/// Bitcode that the linker could not read. rustc 1.95 has LLVM 22; zig 0.15 has 20, 0.16 has 21, 0.17 has 22.
pub(super) fn newer_bitcode(spec: &Spec, line: &str) -> Option<String> {
    if !(of_llvm(line) || of_gnu(line)) {
        return None;
    }
    let triple = &spec.triple;
    let other = match (&spec.zig, newest_zig(triple)) {
        (Some(own), Some(newest)) if numbers(&own.version) >= numbers(&newest) => String::new(),
        (_, Some(newest)) => format!(
            "; a zig whose LLVM is as new as rustc's (`rustc -vV`) reads them: xtool add {triple} --toolchain zig@{newest}"
        ),
        (_, None) => String::new(),
    };
    Some(format!(
        "this linker cannot read the LLVM bitcode that rustc makes of -Clinker-plugin-lto: drop that flag (`lto = true` in \
         Cargo.toml's profile needs nothing of the linker){other}"
    ))
}

/// LLVM's reader and verifier, in lld: `Broken module found`, `Unknown attribute kind (102) (Producer: 'LLVM22.1.2-rust…'
/// Reader: 'LLVM 20.1.2')`.
fn of_llvm(line: &str) -> bool {
    line.contains("LLVM ERROR: Broken module found") || line.contains("(Producer: 'LLVM")
}

/// Linkers without LLVM: an object of rustc's that they do not know, or LLVM's options to a plugin that is not there.
fn of_gnu(line: &str) -> bool {
    if line.contains("bad -plugin-opt option") {
        return true;
    }
    let file = line
        .split_once(": file not recognized")
        .map(|(file, _)| file)
        // zig for macOS, of any file that it does not know.
        .or_else(|| {
            line.split_once("note: while parsing ")
                .map(|(_, file)| file)
        });
    file.is_some_and(|file| file.trim_end().ends_with(".rcgu.o"))
}

#[cfg(test)]
mod tests {
    use crate::manifest::Family;
    use crate::shim::explain::explain;
    use crate::shim::{Spec, Zig};

    fn spec(triple: &str, zig: Option<&str>) -> Spec {
        let family = if zig.is_some() {
            Family::Zig
        } else {
            Family::Gcc
        };
        let mut spec = Spec::new(triple.parse().unwrap(), family, "/t".into());
        spec.zig = zig.map(|version| Zig {
            exe: "/t/zig".into(),
            target: "x".into(),
            cpu: None,
            version: version.into(),
            cache_dir: "/c".into(),
        });
        spec
    }

    /// Each text is what the real linker wrote of rustc 1.95's objects.
    #[test]
    fn bitcode_that_is_too_new_is_recognised() {
        let gnu = "x86_64-unknown-linux-gnu";
        let windows = "x86_64-pc-windows-gnu";
        for (spec, said) in [
            (
                spec(gnu, Some("0.15.2")),
                "  call void @llvm.lifetime.end.p0(ptr nonnull %3)\nLLVM ERROR: Broken module found, compilation aborted!\n",
            ),
            (
                spec(gnu, Some("0.15.2")),
                "ld.lld: error: o.rcgu.o: Unknown attribute kind (102) (Producer: 'LLVM22.1.2-rust-1.95.0-stable' Reader: 'LLVM 20.1.2')",
            ),
            (
                spec("aarch64-apple-darwin", Some("0.15.2")),
                "error: failed to parse TBD file: UnexpectedToken\n    note: while parsing /p/deps/st.1x.rcgu.o\n",
            ),
            (
                spec(windows, None),
                "/t/x86_64-w64-mingw32/bin/ld: bad -plugin-opt option\ncollect2: error: ld returned 1 exit status\n",
            ),
            (
                spec(windows, None),
                "/p/deps/lto.1x.rcgu.o: file not recognized: file format not recognized\n",
            ),
        ] {
            let help = explain(&spec, None, said).unwrap_or_default();
            assert!(help.contains("drop that flag"), "{said}: {help}");
            let newer = format!("xtool add {} --toolchain zig@0.17", spec.triple);
            assert!(help.contains(&newer), "{said}: {help}");
            assert_eq!(help.lines().count(), 1);
        }
        let said = "LLVM ERROR: Broken module found, compilation aborted!";
        let help = explain(&spec(gnu, Some("9.0.0")), None, said).unwrap();
        assert!(!help.contains("xtool add"), "{help}");
    }
}
