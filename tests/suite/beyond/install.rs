//! `cargo install --target`: cargo reads no project's configuration for it, so the variables carry everything.

use std::path::PathBuf;
use std::process::Command;

use super::docs;
use crate::real::{Lab, need_library_source, succeed};

const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// A crate with C in it and an import by raw-dylib, in a git repository: for cargo as one from the registry.
fn repository(lab: &Lab) -> PathBuf {
    let root = lab.dir.path().join("c-tool");
    fs_err::create_dir_all(root.join("src")).unwrap();
    for (file, text) in [
        (
            "Cargo.toml",
            "[package]\nname = \"c-tool\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[build-dependencies]\ncc = \"1\"\n",
        ),
        (
            "build.rs",
            "fn main() { cc::Build::new().file(\"src/a.c\").compile(\"a\"); }\n",
        ),
        ("src/a.c", "int answer(void) { return 42; }\n"),
        (
            "src/main.rs",
            "extern \"C\" { fn answer() -> i32; }\n#[cfg(windows)]\n#[link(name = \"kernel32\", kind = \"raw-dylib\")]\n\
             extern \"system\" { fn GetTickCount64() -> u64; }\nfn main() {\n    #[cfg(windows)]\n    assert!(unsafe { GetTickCount64() } > 0);\n    \
             println!(\"answer {}\", unsafe { answer() });\n}\n",
        ),
    ] {
        fs_err::write(root.join(file), text).unwrap();
    }
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        succeed(
            Command::new("git")
                .args(identity)
                .args(args)
                .current_dir(&root),
        );
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "c-tool"]);
    root
}

/// Both recipes of `docs/cargo-install.md`, in a folder that is no cargo project.
#[test]
fn a_crate_is_installed_for_another_machine() {
    need_library_source();
    let lab = Lab::enter();
    let repository = repository(&lab);
    let recipes = docs::recipes("cargo-install.md");
    let [by_exec, by_env] = recipes.as_slice() else {
        panic!("{} recipes", recipes.len());
    };
    let tools = lab.dir.path().join("tools");
    fs_err::create_dir(&tools).unwrap();
    for recipe in [by_exec, by_env] {
        let named = recipe.replace("CRATE", &format!("--git file://{}", repository.display()));
        let mut shell = docs::shell(&lab, &tools, &named);
        // As the page has it for a machine without rustup.
        succeed(shell.env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort"));
        let program = tools.join("out/bin/c-tool.exe");
        let runner = "exec \"$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER\" \"$0\"";
        let mut run = lab.xtool(&tools, &["exec", WINDOWS, "--", "sh", "-c", runner]);
        assert_eq!(succeed(run.arg(&program)).trim(), "answer 42");
        fs_err::remove_dir_all(tools.join("out")).unwrap();
    }
    let env = succeed(&mut lab.xtool(&tools, &["env", WINDOWS, "--format", "json"]));
    let env: serde_json::Value = serde_json::from_str(&env).unwrap();
    let flags = env["CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS"].as_str();
    assert!(flags.is_some_and(|f| f.starts_with("-Cdlltool=")), "{env}");
}
