//! One build for two systems: C for the target, and C for the host in a proc macro and in a build script, which run
//! while cargo builds. Nothing that is set for the target may reach the latter.

use std::path::Path;
use std::process::Command;

use super::{Lab, need_library_source, project, succeed};

/// This machine's own triple, which is a target of the project too.
const HOST: &str = "x86_64-unknown-linux-gnu";
/// Targets, and what C says that is compiled for them.
const TARGETS: [(&str, &str); 2] = [
    ("x86_64-pc-windows-gnu", "windows"),
    ("x86_64-unknown-linux-musl", "musl"),
];

/// Names that a build for the host would obey, as `cc`, `cmake`, `bindgen`, `pkg-config`, `embed-resource` and
/// `winresource` document them.
const OBEYED: [&str; 22] = [
    "CC",
    "CXX",
    "AR",
    "RANLIB",
    "LD",
    "NM",
    "STRIP",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "ARFLAGS",
    "RANLIBFLAGS",
    "LDFLAGS",
    "CMAKE",
    "CMAKE_TOOLCHAIN_FILE",
    "CMAKE_GENERATOR",
    "BINDGEN_EXTRA_CLANG_ARGS",
    "SDKROOT",
    "MACOSX_DEPLOYMENT_TARGET",
    "RUSTC_LINKER",
    "RC",
    "WINDRES",
];

#[test]
fn the_hosts_build_scripts_and_proc_macros_see_nothing_of_the_targets() {
    need_library_source();
    let lab = Lab::enter();
    let project = project("both", lab.dir.path());
    for (target, std) in [
        (HOST, "--no-rust-std"),
        (TARGETS[0].0, "--build-std"),
        (TARGETS[1].0, "--build-std"),
    ] {
        succeed(&mut lab.xtool(&project, &["add", target, "--toolchain", "zig", std]));
    }
    assert!(
        fs_err::read_to_string(project.join("xtool.toml"))
            .unwrap()
            .contains(HOST)
    );
    let config = fs_err::read_to_string(project.join(".cargo/config.toml")).unwrap();
    for name in [HOST.to_owned(), HOST.replace('-', "_")] {
        assert!(!config.contains(&name), "{config}");
    }

    for (target, system) in TARGETS {
        let printed = succeed(&mut build(&lab, &project, &["run", "--target", target]));
        assert_eq!(
            printed.trim(),
            format!("macro glibc, build script glibc, program {system}")
        );
        let shims = lab.home().join("shims");
        for script in ["macros", "made"] {
            unseen(&project.join(script).join("seen.txt"), &shims);
        }
        // The check sees what is there: the target's own build script has the target's tools.
        let seen = seen(&project.join("seen.txt"));
        let cc = format!("CC_{}", target.replace('-', "_"));
        let (_, value) = seen.iter().find(|(name, _)| *name == cc).expect(&cc);
        assert!(Path::new(value).starts_with(&shims), "{value}");
    }

    // cargo's way to keep `[target]` from the host altogether, which is to be its default one day.
    let strict = [
        "run",
        "--target",
        TARGETS[1].0,
        "-Ztarget-applies-to-host",
        "-Zhost-config",
        "--config",
        "target-applies-to-host=false",
    ];
    let printed = succeed(&mut build(&lab, &project, &strict));
    assert_eq!(
        printed.trim(),
        "macro glibc, build script glibc, program musl"
    );

    // A build for the host itself has the host's compiler, though its triple is a target of the project.
    let own = ["run", "--config", "unstable.build-std=[]"];
    for target in [&[][..], &["--target", HOST]] {
        let printed = succeed(&mut build(&lab, &project, &[&own[..], target].concat()));
        assert_eq!(
            printed.trim(),
            "macro glibc, build script glibc, program glibc"
        );
        unseen(&project.join("seen.txt"), &lab.home().join("shims"));
    }
}

/// Plain cargo, with none of the variables that the user of this test may have set.
fn build(lab: &Lab, project: &Path, args: &[&str]) -> Command {
    let mut command = lab.cargo(project, args);
    command.args(["--locked", "-q"]);
    for (name, _) in std::env::vars() {
        if OBEYED.contains(&name.as_str()) || name.starts_with("PKG_CONFIG") {
            command.env_remove(name);
        }
    }
    command
}

/// What a build script wrote down of its environment.
fn seen(file: &Path) -> Vec<(String, String)> {
    let text = fs_err::read_to_string(file).unwrap();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// No variable that a build for the host obeys, and none of ours without a target's name at its end.
#[track_caller]
fn unseen(file: &Path, shims: &Path) {
    let seen = seen(file);
    assert!(seen.iter().any(|(name, _)| name == "OUT_DIR"), "{seen:?}");
    let of_a_target = |name: &str| {
        TARGETS
            .iter()
            .any(|(target, _)| name.ends_with(&format!("_{}", target.replace('-', "_"))))
    };
    for (name, value) in &seen {
        let obeyed = OBEYED.contains(&name.as_str())
            || name.starts_with("HOST_")
            || name.starts_with("TARGET_")
            || name.starts_with("PKG_CONFIG") && !of_a_target(name)
            || name.replace('-', "_").ends_with(&HOST.replace('-', "_"));
        assert!(!obeyed, "{}: {name}={value}", file.display());
        let ours = value.contains(&*shims.to_string_lossy());
        assert!(
            !ours || of_a_target(name),
            "{}: {name}={value}",
            file.display()
        );
    }
}
