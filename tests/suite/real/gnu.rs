//! Debian's GNU cross compilers, unpacked into the store: Rust, C and C++ run under qemu with the toolchain's own libc.

use std::path::Path;
use std::process::Command;

use super::{Lab, need_library_source, project, succeed};

#[test]
fn arm64_runs_with_the_toolchains_own_libc() {
    rust_c_and_cxx("aarch64-unknown-linux-gnu");
}

/// 32 bits, and a CPU whose programs this machine may run by itself.
#[test]
fn i686_runs_with_the_toolchains_own_libc() {
    rust_c_and_cxx("i686-unknown-linux-gnu");
}

fn rust_c_and_cxx(target: &str) {
    need_library_source();
    let lab = Lab::enter();
    let project = project("matrix", lab.dir.path());
    succeed(&mut lab.xtool(
        &project,
        &["add", target, "--toolchain", "gnu-cross", "--build-std"],
    ));
    let shown = succeed(&mut lab.xtool(&project, &["show", target, "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let glibc = shown["installed"]["glibc"].as_str().unwrap();
    assert!(glibc.starts_with("2."), "{glibc}");

    for crate_ in ["std", "cxx"] {
        let package = format!("matrix-{crate_}");
        let out = succeed(&mut lab.cargo(
            &project,
            &["run", "--locked", "-q", "-p", &package, "--target", target],
        ));
        assert_eq!(out.trim(), format!("{crate_} ok"));
    }

    // Without cargo: threads and exceptions of C++.
    let shims = Path::new(shown["installed"]["shims"].as_str().unwrap());
    let source = lab.dir.path().join("threads.cc");
    fs_err::write(
        &source,
        "#include <stdexcept>\n#include <thread>\nint main() {\n  int got = 0;\n  \
         std::thread worker([&] { try { throw std::runtime_error(\"x\"); } catch (...) { got = 42; } });\n  \
         worker.join();\n  return got == 42 ? 0 : 1;\n}\n",
    )
    .unwrap();
    let program = lab.dir.path().join("threads");
    succeed(
        Command::new(shims.join("c++"))
            .args(["-pthread", "-o"])
            .arg(&program)
            .arg(&source),
    );
    succeed(Command::new(shims.join("run")).arg(&program));
}
