//! The commands of the documentation, as they stand.

use std::path::Path;
use std::process::Command;
use std::sync::PoisonError;

use super::folder;
use crate::real::caches::{Cache, programs};
use crate::real::resources::PROGRAM;
use crate::real::{Lab, need_library_source, project, succeed};

const MUSL: &str = "x86_64-unknown-linux-musl";

/// The blocks of shell commands on a page of `docs`.
pub fn recipes(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(page);
    let text = fs_err::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split_once("```").unwrap().0.to_owned())
        .collect()
}

/// A shell for a page's commands: with this xtool and the caches in PATH.
pub fn shell(lab: &Lab, at: &Path, script: &str) -> Command {
    let own = Path::new(env!("CARGO_BIN_EXE_xtool")).parent().unwrap();
    let wheels = programs().last().unwrap().parent().unwrap().to_owned();
    let before = std::env::var_os("PATH").unwrap();
    let folders = [own.to_owned(), wheels].into_iter();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&before))).unwrap();
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(at);
    for (name, value) in lab.cargo(at, &[]).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("PATH", path);
    command
}

/// As the page has them; the second is for what plain cargo cannot do.
#[test]
fn the_page_on_windows_resources() {
    need_library_source();
    let _mine = PROGRAM.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = Lab::enter();
    let recipes = recipes("windows-resources.md");
    let [plain, exec] = recipes.as_slice() else {
        panic!("{} recipes", recipes.len());
    };
    let project = project("resources", lab.dir.path());
    succeed(&mut lab.xtool(&project, &["add", "x86_64-pc-windows-gnu", "--build-std"]));
    succeed(&mut shell(&lab, &project, plain));
    succeed(shell(&lab, &project, exec).env("BY", "winresource"));

    // What the page says to write into a build script is what the tested one has.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = fs_err::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/windows-resources.md"),
    );
    let page = page.unwrap();
    let (_, rest) = page.split_once("```rust\n").unwrap();
    let (snippet, _) = rest.split_once("```").unwrap();
    let script = fs_err::read_to_string(project.join("build.rs")).unwrap();
    for line in snippet.lines().filter(|line| line.trim().len() > 1) {
        assert!(words(&script).contains(&words(line)), "{line}");
    }
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
        let mut command = shell(&lab, at, script);
        shared.settings(&mut command);
        succeed(command.env("CCACHE_DIR", local.folder()));
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
