//! C++ exceptions: where a toolchain's C++ library lets them go.

use std::ffi::OsString;

use super::arguments::other_toolchain;
use crate::shim::{Spec, Tool};
use crate::target::TargetOs;

/// What throws, compiled against a C++ library that cannot.
pub(super) fn on_wasi(spec: &Spec, line: &str) -> Option<String> {
    let thrown = [
        "__cxa_allocate_exception",
        "__cxa_throw",
        "__cxa_begin_catch",
    ];
    (spec.triple.os() == TargetOs::Wasi && thrown.iter().any(|name| line.contains(name))).then(|| {
        "the C++ library for WebAssembly has no exceptions: compile with -fno-exceptions, as this toolchain does by itself"
            .to_owned()
    })
}

/// What the link of a C++ library for Linux with zig is to be told. zig links its libc++abi into each file with hidden
/// symbols. There type information is compared by address, and each file has its own of `std::exception` and of
/// libc++abi's classes that know base classes, so no other file's `catch` finds a match and the program is ended.
/// (Seen with 0.15.2: "terminating due to uncaught exception".) `-w` switches compilers' warnings off, and this.
pub(in crate::shim) fn note(spec: &Spec, tool: Tool, args: &[OsString]) -> Option<String> {
    let has = |option: &str| args.iter().any(|arg| arg == option);
    let quiet = [
        "-w",
        "-fno-exceptions",
        "-nostdlib",
        "-nostdlib++",
        "-nodefaultlibs",
    ];
    let is_library = tool == Tool::Cxx && has("-shared") && spec.triple.os() == TargetOs::Linux;
    if spec.zig.is_none() || !is_library || quiet.into_iter().any(has) {
        return None;
    }
    let other = other_toolchain(spec).map_or_else(String::new, |name| {
        format!(
            "; with another toolchain they are: xtool add {} --toolchain {name}",
            spec.triple
        )
    });
    Some(format!(
        "C++ exceptions that leave this library are not caught outside it, as zig links a C++ library of its own into \
         each file{other}   (-w hides this)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;
    use crate::shim::Zig;

    #[test]
    fn only_a_cxx_library_of_zigs_for_linux_is_told() {
        let of = |triple: &str, tool: Tool, args: &str| {
            let mut spec = Spec::new(triple.parse().unwrap(), Family::Zig, "/z".into());
            spec.zig = Some(Zig {
                exe: "/z/zig".into(),
                target: "T".into(),
                cpu: None,
                version: "0.15.2".into(),
                cache_dir: "/c".into(),
            });
            let args: Vec<OsString> = args.split(' ').map(Into::into).collect();
            note(&spec, tool, &args)
        };
        let (gnu, musl) = ("aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl");
        for triple in [gnu, musl] {
            assert!(
                of(triple, Tool::Cxx, "-shared a.o")
                    .unwrap()
                    .starts_with("C++ exceptions that leave")
            );
            assert_eq!(of(triple, Tool::Cc, "-shared a.o"), None);
            assert_eq!(of(triple, Tool::Cxx, "a.o"), None);
            assert_eq!(of(triple, Tool::Cxx, "-shared -fno-exceptions a.o"), None);
            assert_eq!(of(triple, Tool::Cxx, "-w -shared a.o"), None);
        }
        assert_eq!(of("x86_64-pc-windows-gnu", Tool::Cxx, "-shared a.o"), None);
    }
}
