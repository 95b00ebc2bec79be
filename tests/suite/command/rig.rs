//! A user with nothing but a project, and toolchains small enough to be served by a test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use xtool::digest::Sha256;
use xtool::target::Host;

use crate::support::server::{Reply, Server};
use crate::support::{TestEnv, noise};
use crate::unpack::build::{Entry, Format, entry, file, symlink};

/// What the tests build for.
pub const TARGET: &str = "aarch64-unknown-linux-gnu";
/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// One toolchain: its name, and its archive.
#[derive(Clone)]
pub struct Fake {
    pub name: String,
    pub archive: Vec<u8>,
}

impl Fake {
    /// A compiler, an archiver and `ballast` bytes of a library, packed.
    pub fn new(name: &str, ballast: usize) -> Self {
        Self::with(name, [file("lib/libc.a", noise(ballast))])
    }

    /// The same with `files` small headers.
    pub fn with_files(name: &str, files: usize) -> Self {
        let headers =
            (0..files).map(|i| file(format!("include/{}/{i}.h", i % 50), format!("{i}\n")));
        Self::with(name, headers)
    }

    pub fn with(name: &str, more: impl IntoIterator<Item = Entry>) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        for tool in ["cc", "ar"] {
            let script = format!("#!/bin/sh\necho {name} {tool} \"$@\"\n");
            let content = crate::unpack::build::Kind::File(script.into_bytes());
            entries.push(entry(format!("bin/{tool}"), content, 0o755));
        }
        entries.push(symlink("bin/gcc", "cc"));
        entries.extend(more);
        Self {
            name: name.to_owned(),
            archive: Format::TarGz.archive(&entries),
        }
    }

    /// `<name>-1.tar.gz`: the path on a server too.
    pub fn file(&self) -> String {
        format!("{}-1.tar.gz", self.name)
    }

    pub fn digest(&self) -> Sha256 {
        Sha256::of(&self.archive)
    }

    /// A server that has it, and others.
    pub fn serve(fakes: &[Self]) -> Server {
        Server::files(fakes.iter().map(|f| (f.file(), f.archive.clone())))
    }

    /// Its answer to a request for it.
    pub fn reply(&self, request: &crate::support::server::Request) -> Reply {
        Reply::file(request, &self.archive)
    }
}

/// A manifest in which `TARGET` takes the first of these toolchains, each with its sources' addresses.
pub fn manifest(toolchains: &[(&Fake, &[String])]) -> String {
    let mut text = "schema = 1\n".to_owned();
    let mut names = Vec::new();
    let mut tools = String::new();
    for (fake, urls) in toolchains {
        let name = &fake.name;
        let _ = write!(
            text,
            "[toolchain.{name}]\nversion = \"1\"\nfamily = \"gcc\"\nlicense = \"MIT\"\n"
        );
        for host in Host::ALL {
            let _ = write!(
                text,
                "[[toolchain.{name}.artifact]]\nhost = \"{host}\"\nsources = ["
            );
            for url in *urls {
                let _ = write!(
                    text,
                    "\n  {{ url = \"{url}\", sha256 = \"{}\", size = {} }},",
                    fake.digest(),
                    fake.archive.len()
                );
            }
            text.push_str("\n]\n");
        }
        names.push(format!("\"{name}\""));
        let _ = write!(
            tools,
            "[target.{TARGET}.{name}]\nlinker = \"bin/cc\"\nar = \"bin/ar\"\n"
        );
    }
    let _ = write!(
        text,
        "[target.{TARGET}]\ntoolchains = [{}]\n{tools}",
        names.join(", ")
    );
    text
}

/// A user: a home, a store, a cache, a project.
pub struct Rig {
    pub env: TestEnv,
}

impl Rig {
    /// A user of a cargo project.
    pub fn new() -> Self {
        let env = TestEnv::new();
        env.write(
            "project/Cargo.toml",
            "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        );
        env.write("project/src/main.rs", "fn main() {}\n");
        fs_err::create_dir(env.path("user")).unwrap();
        Self { env }
    }

    /// The same with a manifest of these toolchains, all from one server.
    pub fn with(server: &Server, fakes: &[Fake]) -> Self {
        let rig = Self::new();
        rig.serve_from(server, fakes);
        rig
    }

    /// Writes the manifest anew.
    pub fn serve_from(&self, server: &Server, fakes: &[Fake]) {
        let urls: Vec<[String; 1]> = fakes
            .iter()
            .map(|f| [server.url(&f.file()).to_string()])
            .collect();
        let toolchains: Vec<(&Fake, &[String])> =
            fakes.iter().zip(&urls).map(|(f, u)| (f, &u[..])).collect();
        self.env.write("manifest.toml", manifest(&toolchains));
    }

    pub fn project(&self) -> PathBuf {
        self.env.path("project")
    }

    pub fn home(&self) -> PathBuf {
        self.env.path("home")
    }

    pub fn cache(&self) -> PathBuf {
        self.env.path("cache")
    }

    /// xtool in the project, with no variable of the test's but those that rustc and cargo need.
    pub fn xtool(&self, args: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_xtool"), args)
    }

    /// xtool outside any project.
    pub fn outside(&self, args: &[&str]) -> Command {
        let mut command = self.xtool(args);
        command.current_dir(self.env.path("user"));
        command
    }

    /// Another program with the same variables.
    pub fn program(&self, program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.project()).args(args).env_clear();
        for name in ["PATH", "RUSTUP_TOOLCHAIN", "SystemRoot", "TMPDIR", "TEMP"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let at_home = |name: &str, folder: &str| {
            std::env::var_os(name).map_or_else(
                || std::env::home_dir().unwrap_or_default().join(folder),
                PathBuf::from,
            )
        };
        command
            .env("RUSTUP_HOME", at_home("RUSTUP_HOME", ".rustup"))
            .env("CARGO_HOME", at_home("CARGO_HOME", ".cargo"))
            .env("RUSTUP_DIST_SERVER", "http://127.0.0.1:9")
            .env("HOME", self.env.path("user"))
            .env("XTOOL_HOME", self.home())
            .env("XTOOL_CACHE_DIR", self.cache())
            .env("XTOOL_SYSTEM_HOME", "")
            .env("XTOOL_MANIFEST", self.env.path("manifest.toml"))
            .stdin(Stdio::null());
        command
    }

    /// `add TARGET` without Rust's own part.
    pub fn add(&self) -> Command {
        self.xtool(&["add", TARGET, "--no-rust-std"])
    }

    /// Ids in the store.
    pub fn toolchains(&self) -> Vec<String> {
        let names = names(&self.home().join("toolchains"));
        names
            .iter()
            .filter_map(|n| n.strip_suffix(".toml").map(str::to_owned))
            .collect()
    }

    /// What is in the project.
    pub fn project_files(&self) -> BTreeMap<String, Vec<u8>> {
        tree(&self.project())
    }

    /// Nothing is left of work that was begun.
    pub fn assert_tidy(&self) {
        assert_eq!(names(&self.home().join("staging")), [""; 0], "staging");
        for folder in ["bin", "toolchains", "projects"] {
            let litter: Vec<_> = names(&self.home().join(folder))
                .into_iter()
                .filter(|n| n.starts_with('.'))
                .collect();
            assert_eq!(litter, [""; 0], "{folder}");
        }
    }
}

/// The names in a folder, sorted; none where there is no folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Whether a file's name has this extension.
pub fn is_a(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|e| e == extension)
}

/// Every file below a folder with its content; a link's content is where it leads.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for name in names(&at) {
            let path = at.join(name);
            let key = path
                .strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_symlink() {
                let leads = fs_err::read_link(&path).unwrap();
                out.insert(key, leads.as_os_str().as_encoded_bytes().to_vec());
            } else if meta.is_dir() {
                out.insert(format!("{key}/"), Vec::new());
                folders.push(path);
            } else {
                out.insert(key, fs_err::read(&path).unwrap());
            }
        }
    }
    out
}

/// Runs to the end, which must come.
pub fn run(command: &mut Command) -> Output {
    let child = spawn(command);
    finish(child)
}

/// Starts with both outputs captured.
pub fn spawn(command: &mut Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

/// Waits for the end; a process that does not end is a failed test, not a hanging one.
pub fn finish(mut child: Child) -> Output {
    let out = drain(child.stdout.take());
    let err = drain(child.stderr.take());
    let status = wait(&mut child, PATIENCE).unwrap_or_else(|| {
        let _ = child.kill();
        panic!("it did not end within {PATIENCE:?}");
    });
    Output {
        status,
        stdout: out.join().unwrap(),
        stderr: err.join().unwrap(),
    }
}

fn drain(pipe: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// The exit status, if it comes in time.
pub fn wait(child: &mut Child, limit: Duration) -> Option<std::process::ExitStatus> {
    let mut status = None;
    until(limit, || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status
}

/// Polls until it is so; `false` when it never was.
pub fn until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if done() {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Both outputs as text.
pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{command:?}:\n{}",
        said(&output)
    );
    said(&output)
}

/// Exit 1 with these words somewhere.
#[track_caller]
pub fn fail(command: &mut Command, words: &[&str]) -> String {
    let output = run(command);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{command:?}:\n{said}");
    for word in words {
        assert!(said.contains(word), "{command:?} lacks `{word}`:\n{said}");
    }
    assert!(
        !said.contains("panicked") && !said.contains("RUST_BACKTRACE"),
        "{said}"
    );
    said
}

/// Sends a signal to one process.
#[cfg(unix)]
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The program, where another user may run it.
#[cfg(unix)]
pub fn program_for_others(rig: &Rig) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let copy = rig.env.path("xtool");
    fs_err::copy(env!("CARGO_BIN_EXE_xtool"), &copy).unwrap();
    let mut folder = copy.as_path();
    while let Some(parent) = folder.parent().filter(|p| p.starts_with(rig.env.root())) {
        fs_err::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).unwrap();
        folder = parent;
    }
    copy
}
