//! The commands of the documentation, as they stand.

use std::path::Path;
use std::process::Command;

use super::folder;
use crate::real::caches::{Cache, programs};
use crate::real::{Lab, need_library_source, project, succeed};

const MUSL: &str = "x86_64-unknown-linux-musl";

/// The blocks of shell commands on a page of `docs`.
fn recipes(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(page);
    let text = fs_err::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split_once("```").unwrap().0.to_owned())
        .collect()
}

/// The folder of this xtool, by its name, and the caches' in front of PATH.
fn path() -> std::ffi::OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_xtool"))
        .parent()
        .unwrap()
        .to_owned();
    let wheels = programs().last().unwrap().parent().unwrap().to_owned();
    let before = std::env::var_os("PATH").unwrap();
    std::env::join_paths(
        [own, wheels]
            .into_iter()
            .chain(std::env::split_paths(&before)),
    )
    .unwrap()
}

#[test]
fn the_page_on_compile_caches() {
    need_library_source();
    let lab = Lab::enter();
    let recipes = recipes("compile-caches.md");
    let [sccache, launcher, cmake, make] = recipes.as_slice() else {
        panic!("{} blocks", recipes.len());
    };
    let programs = programs();
    let of = |name: &str| Cache::new(programs.iter().rfind(|p| p.ends_with(name)).unwrap());
    let (local, shared) = (of("ccache"), of("sccache"));
    let run = |at: &Path, script: &str| {
        let mut command = Command::new("sh");
        let of = lab.cargo(at, &[]);
        command.args(["-euc", script]).current_dir(at);
        command.envs(of.get_envs().filter_map(|(k, v)| Some((k, v?))));
        shared.settings(&mut command);
        command
            .env("CCACHE_DIR", local.folder())
            .env("PATH", path());
        succeed(&mut command);
    };

    let cargo = project("both", lab.dir.path());
    succeed(&mut lab.xtool(&cargo, &["add", MUSL, "--build-std"]));
    run(&cargo, sccache);
    assert!(shared.misses() > 0, "nothing went through sccache");
    run(&cargo, launcher);

    let native = folder(&lab, "cmake", &[MUSL]);
    run(&native, cmake);
    assert!(local.misses() > 0, "nothing went through ccache");
    fs_err::write(
        native.join("Makefile"),
        "words.o: words.c\n\t$(CC) -c words.c -o words.o\n",
    )
    .unwrap();
    let before = local.misses();
    run(&native, make);
    assert!(local.misses() > before && native.join("words.o").is_file());
}
