//! `cargo install --target`: cargo reads no project's configuration for it, so the variables carry everything.

use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The README's recipe, in a folder that is no cargo project; with `exec`, and with `env` in one's own shell.
#[test]
fn a_crate_is_installed_for_another_machine() {
    need_library_source();
    let lab = Lab::enter();
    let repository = repository(&lab);
    let tools = lab.dir.path().join("tools");
    fs_err::create_dir(&tools).unwrap();
    succeed(&mut lab.xtool(
        &tools,
        &["add", "--no-cargo", WINDOWS, "--toolchain", "mingw-w64"],
    ));
    let url = format!("file://{}", repository.display());
    let install = |to: &Path| {
        [
            "install",
            "--target",
            WINDOWS,
            "-Zbuild-std",
            "--root",
            to.to_str().unwrap(),
            "--git",
            &url,
        ]
        .map(str::to_owned)
    };
    let run = |program: &Path| {
        let runner = "exec \"$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER\" \"$0\"";
        let words = [
            "exec",
            WINDOWS,
            "--",
            "sh",
            "-c",
            runner,
            program.to_str().unwrap(),
        ];
        let out = succeed(&mut lab.xtool(&tools, &words));
        assert_eq!(out.trim(), "answer 42");
    };

    let one = lab.dir.path().join("one");
    let mut words: Vec<String> = ["exec", WINDOWS, "--", env!("CARGO")]
        .map(str::to_owned)
        .to_vec();
    words.extend(install(&one));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut inside = lab.xtool(&tools, &words);
    // As `Lab::cargo` has them.
    for (name, value) in lab.cargo(&tools, &[]).get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    succeed(&mut inside);
    run(&one.join("bin/c-tool.exe"));

    let two = lab.dir.path().join("two");
    let env = succeed(&mut lab.xtool(&tools, &["env", WINDOWS, "--format", "json"]));
    let env: serde_json::Value = serde_json::from_str(&env).unwrap();
    assert!(
        env["CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS"]
            .as_str()
            .is_some_and(|flags| flags.starts_with("-Cdlltool=")),
        "{env}"
    );
    let words = install(&two);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut shell = lab.cargo(&tools, &words);
    for (name, value) in env.as_object().unwrap() {
        shell.env(name, value.as_str().unwrap());
    }
    succeed(&mut shell);
    run(&two.join("bin/c-tool.exe"));
}
