//! Names of a glibc that is newer than the one linked against.

use super::undefined;
use crate::glibc::{self, Library, Since};
use crate::manifest::Family;
use crate::shim::Spec;

/// A symbol, or the version of one, that the toolchain's glibc does not have yet. `brought` is the version that a
/// toolchain other than zig has.
pub(super) fn newer_glibc(spec: &Spec, brought: Option<u32>, line: &str) -> Option<String> {
    if !spec.triple.is_glibc() || !line.contains("undefined ") {
        return None;
    }
    let floor = spec.glibc_floor().and_then(glibc::minor).or(brought);
    if let Some((symbol, version)) = versioned(line) {
        let Some(version) = glibc::minor(version) else {
            return (version == "PRIVATE").then(|| foreign_glibc(spec, symbol));
        };
        return (floor < Some(version)).then(|| {
            format!(
                "a library in this link needs `{symbol}` of glibc 2.{version}: build it for the target too{}",
                raised(spec, version).map_or_else(
                    || format!(" ({})", beyond()),
                    |command| format!(", or raise the floor: {command}")
                )
            )
        });
    }
    let symbol = undefined(line)?;
    let Since { version, library } = glibc::since(&spec.triple, symbol)?;
    if library == Library::Mvec && spec.family == Family::Zig {
        return Some(format!(
            "`{symbol}` is of glibc's libmvec, which zig does not have: compile what uses it with this target's compiler, or without -ffast-math"
        ));
    }
    if floor >= Some(version) {
        return None;
    }
    let than = match floor {
        Some(floor) if spec.family == Family::Zig => format!("this target's floor, 2.{floor}"),
        Some(floor) => format!("this toolchain's, 2.{floor}"),
        None => "this toolchain's".to_owned(),
    };
    Some(format!(
        "`{symbol}` came with glibc 2.{version}, newer than {than}: {}",
        raised(spec, version)
            .unwrap_or_else(|| format!("{}, so build what uses it for an older glibc", beyond()))
    ))
}

/// The command that links against a version; `None` where no toolchain can.
fn raised(spec: &Spec, version: u32) -> Option<String> {
    let zig = glibc::zig_for(version)?;
    let toolchain = match &spec.zig {
        Some(own) if version <= glibc::newest_of_zig(&own.version) => String::new(),
        None if zig == glibc::oldest_zig() => " --toolchain zig".to_owned(),
        _ => format!(" --toolchain zig@{zig}"),
    };
    Some(format!(
        "xtool add {}{toolchain} --glibc 2.{version}   (programs then need that glibc)",
        spec.triple
    ))
}

fn beyond() -> String {
    format!(
        "no toolchain links against a glibc newer than 2.{}",
        glibc::newest()
    )
}

/// Only glibc's own libraries may use such a name, each of them those of its own version.
fn foreign_glibc(spec: &Spec, symbol: &str) -> String {
    format!(
        "`{symbol}` is internal to another machine's glibc, whose libraries are in this link: build them for {}, and keep \
         the host's folders (-L/usr/lib) out",
        spec.triple
    )
}

/// The version beside the symbol, where a library asks for it: `fcntl64@GLIBC_2.28`. Two `@` are a default version, which
/// is there: its library was not named.
fn versioned(line: &str) -> Option<(&str, &str)> {
    let (before, version) = line.split_once("@GLIBC_")?;
    if before.ends_with('@') {
        return None;
    }
    let symbol = before.rsplit([' ', '`', '\'']).next().unwrap_or_default();
    let end = version
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_')
        .unwrap_or(version.len());
    Some((symbol, version[..end].trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::Zig;
    use crate::shim::explain::explain;

    const X64: &str = "x86_64-unknown-linux-gnu";

    fn zig(version: &str, floor: &str) -> Spec {
        let mut spec = Spec::new(X64.parse().unwrap(), Family::Zig, "/z".into());
        spec.zig = Some(Zig {
            exe: "/z/zig".into(),
            target: format!("x86_64-linux-gnu.{floor}"),
            cpu: None,
            version: version.into(),
            cache_dir: "/c".into(),
        });
        spec
    }

    fn gcc() -> Spec {
        let triple = "aarch64-unknown-linux-gnu".parse().unwrap();
        Spec::new(triple, Family::Gcc, "/t".into())
    }

    fn help(spec: &Spec, brought: Option<u32>, said: &str) -> String {
        let help = explain(spec, brought, said).unwrap_or_default();
        assert!(help.lines().count() <= 1, "{help}");
        help
    }

    /// Each text is what the real linker wrote (GNU ld 2.40, zig 0.15.2).
    #[test]
    fn the_command_raises_the_floor() {
        let old = zig("0.15.2", "2.17");
        for (symbol, version) in [
            ("fcntl64", "2.28"),
            ("getentropy", "2.25"),
            ("__isoc23_strtoll", "2.38"),
            ("arc4random", "2.36"),
            ("_dl_find_object", "2.35"),
        ] {
            for said in [
                format!("ld.lld: error: undefined symbol: {symbol}\n>>> referenced by f.c:2"),
                format!("/t/bin/ld: x.o: undefined reference to `{symbol}'"),
                format!(
                    "\x1b[?2026l\x1b[J\x1b[?2026lld.lld: \x1b[0;31merror: \x1b[0mundefined symbol: {symbol}\r\n>>> x"
                ),
            ] {
                let expected = format!(
                    "`{symbol}` came with glibc {version}, newer than this target's floor, 2.17: xtool add {X64} --glibc {version}   (programs then need that glibc)"
                );
                assert_eq!(help(&old, None, &said), expected);
            }
        }
    }

    #[test]
    fn a_library_that_asks_for_a_version_names_it() {
        let said = "ld.lld: error: undefined reference: fcntl64@GLIBC_2.28\n>>> referenced by ./liblib28.so (disallowed by --no-allow-shlib-undefined)";
        let found = help(&zig("0.15.2", "2.17"), None, said);
        assert!(found.contains("needs `fcntl64` of glibc 2.28"), "{found}");
        assert!(found.contains(&format!("xtool add {X64} --glibc 2.28 ")));
        // The name is old, what it is bound to is not.
        let said = "ld.lld: error: undefined reference: pthread_create@GLIBC_2.34";
        let found = help(&zig("0.15.2", "2.17"), None, said);
        assert!(found.contains("needs `pthread_create` of glibc 2.34"));
        assert_eq!(explain(&zig("0.15.2", "2.34"), None, said), None);
        let said = "/t/bin/ld: ./liblib38.so: undefined reference to `__isoc23_strtol@GLIBC_2.38'\ncollect2: error: ld returned 1 exit status";
        let found = help(&gcc(), Some(36), said);
        assert!(found.contains("--toolchain zig --glibc 2.38 "), "{found}");
        let said = "/usr/bin/ld: x.o: undefined reference to symbol 'fcntl64@GLIBC_2.28'";
        assert!(help(&gcc(), Some(19), said).contains("--glibc 2.28 "));
        let said = "ld.lld: error: undefined symbol: _dl_argv@GLIBC_PRIVATE";
        assert!(help(&gcc(), Some(36), said).contains("internal to another machine's glibc"));
    }

    #[test]
    fn a_glibc_that_this_zig_does_not_have_names_one_that_does() {
        let said = "ld.lld: error: undefined symbol: memalignment";
        let command = |zig: &str| format!("xtool add {X64}{zig} --glibc 2.43 ");
        let found = help(&zig("0.15.2", "2.42"), None, said);
        assert!(
            found.contains(&command(" --toolchain zig@0.16.0")),
            "{found}"
        );
        assert!(help(&zig("0.17.1", "2.17"), None, said).contains(&command("")));
        let found = help(&gcc(), Some(36), said);
        assert!(
            found.contains("newer than this toolchain's, 2.36"),
            "{found}"
        );
        assert!(
            found.contains("--toolchain zig@0.16.0 --glibc 2.43 "),
            "{found}"
        );
        // Newer than all.
        let said =
            "ld.lld: error: undefined reference: printf@GLIBC_2.99\n>>> referenced by ./x.so";
        let found = help(&zig("0.17.1", "2.17"), None, said);
        assert!(
            found.ends_with(
                "build it for the target too (no toolchain links against a glibc newer than 2.44)"
            ),
            "{found}"
        );
    }

    /// What the glibc has is missing for another reason, such as a library that was not named.
    #[test]
    fn a_name_that_is_there_is_no_matter_of_versions() {
        for said in [
            "ld.lld: error: undefined symbol: fcntl64",
            "ld: x.o: undefined reference to symbol 'pow@@GLIBC_2.29'",
            "ld: ./x.so: undefined reference to `fcntl64@GLIBC_2.28'",
        ] {
            assert_eq!(explain(&zig("0.15.2", "2.29"), None, said), None, "{said}");
            assert_eq!(explain(&gcc(), Some(36), said), None, "{said}");
        }
        let musl = "x86_64-unknown-linux-musl".parse().unwrap();
        let musl = Spec::new(musl, Family::Zig, "/z".into());
        let said = "ld.lld: error: undefined symbol: fcntl64";
        assert_eq!(explain(&musl, None, said), None);
    }

    #[test]
    fn zig_has_no_vectors() {
        let said = "ld.lld: error: undefined symbol: _ZGVbN2v_cos";
        assert!(help(&zig("0.15.2", "2.17"), None, said).contains("libmvec"));
    }
}
