//! What libclang must be told of a target, so that bindgen reads the target's headers and never the host's. Pure.
//!
//! The compiler's own headers (`stddef.h`, `stdint.h`, …) stay libclang's: `-nostdlibinc`, not `-nostdinc`, so that they
//! match its version. A libclang without a `clang` on PATH often does not find them (Debian's for any target but Linux,
//! pip's for all): zig's copy of them comes last.

use std::path::{Path, PathBuf};

use super::zig_headers;
use crate::shim::rules::clang::NO_FLOAT16;
use crate::shim::{Spec, Zig};
use crate::target::{TargetOs, Triple};

/// The value of `BINDGEN_EXTRA_CLANG_ARGS`, quoted as bindgen splits it; `None` where nothing is known. `has` tells whether
/// a folder is there.
pub(super) fn arguments(spec: &Spec, has: &dyn Fn(&Path) -> bool) -> Option<String> {
    let mut out = vec![format!("--target={}", clang_target(&spec.triple))];
    if spec.triple.os() == TargetOs::Wasi {
        // clang hides every symbol of WebAssembly by default, and bindgen leaves out functions that are hidden.
        out.push("-fvisibility=default".to_owned());
    }
    if spec.triple.os() == TargetOs::MacOs && spec.triple.arch() == "x86_64" {
        // Which libclang it is nobody knows here; newer ones only see a name that their headers do not need.
        out.push(NO_FLOAT16.to_owned());
    }
    if let (TargetOs::MacOs, Some(sdk)) = (spec.triple.os(), &spec.sdk) {
        out.extend(["-isysroot".to_owned(), path(&sdk.path)]);
        if let Some(zig) = &spec.zig {
            out.extend(["-idirafter".to_owned(), path(&compiler_headers(zig))]);
        }
    } else if let Some(zig) = &spec.zig {
        out.push("-nostdlibinc".to_owned());
        for (option, folder) in header_folders(zig, &spec.triple, has) {
            out.extend([option.to_owned(), path(&folder)]);
        }
    } else if let Some(sysroot) = &spec.sysroot {
        out.push(format!("--sysroot={}", path(sysroot)));
        if spec.triple.os() != TargetOs::Windows {
            // clang looks below `usr` of a sysroot; Debian's cross packages and musl's toolchains have no such folder.
            out.extend(["-isystem".to_owned(), path(&sysroot.join("include"))]);
        }
    } else {
        return None;
    }
    Some(
        out.iter()
            .map(|arg| quoted(arg))
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// clang's name of the target, where it differs from rustc's.
fn clang_target(triple: &Triple) -> String {
    let arch = match triple.arch() {
        "riscv64gc" => "riscv64",
        "aarch64" if triple.os() == TargetOs::MacOs => "arm64",
        arch => arch,
    };
    match triple.os() {
        TargetOs::Windows => format!("{arch}-w64-mingw32"),
        TargetOs::MacOs => format!("{arch}-apple-macosx"),
        TargetOs::Wasi => "wasm32-wasi".to_owned(),
        TargetOs::Linux | TargetOs::Other => {
            let rest = triple.as_str().split_once('-').map_or("", |(_, rest)| rest);
            format!("{arch}-{rest}")
        }
    }
}

/// zig's folders of C headers for a target, each with clang's option for it: those that are there.
fn header_folders(
    zig: &Zig,
    triple: &Triple,
    has: &dyn Fn(&Path) -> bool,
) -> Vec<(&'static str, PathBuf)> {
    let base = library(zig).join("libc").join("include");
    // WASI's own headers ask clang's `stddef.h` for single types, which musl's of the same name does not do: it must come
    // after clang's.
    let is_last = |name: &str| name == "generic-musl" && triple.os() == TargetOs::Wasi;
    let (last, first): (Vec<_>, Vec<_>) = zig_headers::folders(zig, triple)
        .into_iter()
        .map(|name| (is_last(&name), base.join(name)))
        .filter(|(_, folder)| has(folder))
        .partition(|(last, _)| *last);
    let first = first.into_iter().map(|(_, folder)| ("-isystem", folder));
    let last = last.into_iter().map(|(_, folder)| folder);
    // Behind those of the C library: clang's `limits.h` goes on to the next of that name.
    let last = last.chain([compiler_headers(zig)]);
    first
        .chain(last.map(|folder| ("-idirafter", folder)))
        .collect()
}

/// What clang brings itself, of zig's clang.
fn compiler_headers(zig: &Zig) -> PathBuf {
    library(zig).join("include")
}

fn library(zig: &Zig) -> PathBuf {
    zig.exe.parent().unwrap_or(Path::new("")).join("lib")
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// As a POSIX shell takes it, which is how bindgen splits the variable.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./+,:@%".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;
    use crate::shim::Sdk;

    fn all(_: &Path) -> bool {
        true
    }

    fn zig(triple: &str, target: &str, root: &str) -> Spec {
        let mut spec = Spec::new(triple.parse().unwrap(), Family::Zig, root.into());
        spec.zig = Some(Zig {
            exe: Path::new(root).join("zig"),
            target: target.to_owned(),
            cpu: None,
            version: "0.15.2".to_owned(),
            cache_dir: "/c".into(),
        });
        spec
    }

    #[cfg(unix)]
    #[test]
    fn zigs_headers_take_the_place_of_the_hosts() {
        let spec = zig("x86_64-unknown-linux-musl", "x86_64-linux-musl", "/z");
        let base = "/z/lib/libc/include";
        assert_eq!(
            arguments(&spec, &all).unwrap(),
            format!(
                "--target=x86_64-unknown-linux-musl -nostdlibinc -isystem {base}/x86_64-linux-musl -isystem \
                 {base}/generic-musl -isystem {base}/x86-linux-any -isystem {base}/any-linux-any \
                 -idirafter /z/lib/include"
            )
        );
        let spec = zig(
            "riscv64gc-unknown-linux-gnu",
            "riscv64-linux-gnu.2.27",
            "/z",
        );
        let said = arguments(&spec, &all).unwrap();
        assert!(said.contains("riscv-linux-gnu") && said.contains("=riscv64-unknown"));
    }

    #[test]
    fn functions_of_webassembly_are_not_hidden() {
        let spec = zig("wasm32-wasip1", "wasm32-wasi", "/z");
        let said = arguments(&spec, &all).unwrap();
        assert!(
            said.starts_with("--target=wasm32-wasi -fvisibility=default "),
            "{said}"
        );
        let last = " -idirafter /z/lib/libc/include/generic-musl -idirafter /z/lib/include";
        assert!(said.ends_with(last) || cfg!(windows), "{said}");
    }

    #[test]
    fn half_precision_of_macos_headers_is_declared() {
        let of = |triple: &str| arguments(&zig(triple, "x-macos-none", "/z"), &all).unwrap();
        let define = " '-D_Float16=struct _Float16_needs_clang_15' ";
        assert!(of("x86_64-apple-darwin").contains(define));
        assert!(!of("aarch64-apple-darwin").contains("_Float16"));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_with_spaces_is_quoted() {
        let spec = zig("x86_64-pc-windows-gnu", "x86_64-windows-gnu", "/a b");
        let said = arguments(&spec, &all).unwrap();
        assert!(
            said.contains("'/a b/lib/libc/include/any-windows-any'"),
            "{said}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn an_sdk_is_said_as_clang_wants_it() {
        let mut spec = zig("aarch64-apple-darwin", "aarch64-macos-none", "/z");
        spec.sdk = Some(Sdk {
            path: "/sdk".into(),
            version: "14.5".into(),
            id: None,
        });
        assert_eq!(
            arguments(&spec, &all).unwrap(),
            "--target=arm64-apple-macosx -isysroot /sdk -idirafter /z/lib/include"
        );
    }

    #[test]
    fn gcc_has_a_sysroot() {
        let mut spec = Spec::new(
            "x86_64-pc-windows-gnu".parse().unwrap(),
            Family::Gcc,
            "/t".into(),
        );
        assert_eq!(arguments(&spec, &all), None);
        spec.sysroot = Some("/t/sys".into());
        assert_eq!(
            arguments(&spec, &all).unwrap(),
            "--target=x86_64-w64-mingw32 --sysroot=/t/sys"
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_named() {
        let spec = zig("aarch64-apple-darwin", "aarch64-macos-none", "/z");
        let newer = |folder: &Path| !folder.ends_with("any-macos-any");
        let said = arguments(&spec, &newer).unwrap();
        assert!(
            !said.contains("any-macos-any") && said.contains("any-darwin-any"),
            "{said}"
        );
        let said = arguments(&spec, &|_| false).unwrap();
        assert!(!said.contains("isystem"), "{said}");
    }
}
