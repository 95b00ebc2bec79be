//! What build systems ask a compiler about itself before they use it.

use super::{Lab, succeed};

#[test]
fn a_compiler_with_a_glibc_floor_answers() {
    let lab = Lab::enter();
    let triple = "aarch64-unknown-linux-gnu";
    let folder = lab.dir.path();
    succeed(&mut lab.xtool(folder, &["add", "--no-cargo", triple, "--toolchain", "zig"]));
    for (question, answer) in [
        ("--version", "clang version"),
        ("-v", "Target: aarch64-unknown-linux-gnu\n"),
        ("-dumpmachine", "aarch64-unknown-linux-gnu\n"),
        ("-dumpversion", "20."),
        ("-print-search-dirs", "programs:"),
    ] {
        let ask = format!("$CC {question} 2>&1");
        let said = succeed(&mut lab.xtool(folder, &["exec", triple, "--", "sh", "-c", &ask]));
        assert!(
            said.contains(answer) && !said.contains("error"),
            "{question}: {said}"
        );
    }
}
