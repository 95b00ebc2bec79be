//! Small programs that prove a toolchain: C, C++ and Rust are compiled and linked for the target and, with a runner,
//! run.
//!
//! In: a variant's shims and a scratch folder. Out: a [`Row`] a language; nothing outside the scratch folder is
//! touched. [`warm`] makes the same links only for what the toolchain keeps of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::build_env::shim;
use crate::shim::{Spec, Tool, check_runner, compiles_resources, tools_of};
use crate::target::TargetOs;

mod process;
mod programs;

pub use process::{Ended, run};
use programs::{C, CXX, RUST, RUST_MANIFEST};

/// How one part of a proof ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it should.
    Passed,
    /// It did not; what was said, in a few lines.
    Failed(String),
    /// It could not be tried, and why.
    Skipped(String),
}

impl Verdict {
    /// `passed`, `failed` or `skipped`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// What was said, or why it was not tried.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed(text) | Self::Skipped(text) => Some(text),
        }
    }
}

/// What became of one language's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `C`, `C++`, `Rust`
    pub language: &'static str,
    /// Compiled and linked.
    pub built: Verdict,
    /// Run, with the right output.
    pub ran: Verdict,
}

impl Row {
    /// Whether nothing failed.
    pub fn is_good(&self) -> bool {
        !matches!(self.built, Verdict::Failed(_)) && !matches!(self.ran, Verdict::Failed(_))
    }

    fn skipped(language: &'static str, why: impl Into<String>) -> Self {
        Self {
            language,
            built: Verdict::Skipped(why.into()),
            ran: Verdict::Skipped("it was not built".to_owned()),
        }
    }
}

/// Where and with what is proved.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    /// The target's settings.
    pub spec: &'a Spec,
    /// The variant's folder.
    pub shims: &'a Path,
    /// A folder for sources and results; exists.
    pub scratch: &'a Path,
    /// The longest that one compilation or run may take.
    pub limit: Duration,
}

/// How Rust is built: with the project's own settings.
#[derive(Debug, Clone)]
pub struct RustBuild {
    /// cargo.
    pub cargo: PathBuf,
    /// The folder whose configuration and toolchain file apply.
    pub root: PathBuf,
    /// Whether Rust's standard library is built too, which takes minutes the first time.
    pub from_source: bool,
    /// No network.
    pub offline: bool,
}

impl Bench<'_> {
    /// C.
    pub fn c(&self) -> Row {
        self.native("C", Tool::Cc, "smoke.c", C, "C 42")
    }

    /// C++ with an exception that crosses frames.
    pub fn cxx(&self) -> Row {
        self.native("C++", Tool::Cxx, "smoke.cc", CXX, "C++ caught 42")
    }

    /// Rust with threads and a panic that is caught; `Err` says why it cannot be tried.
    pub fn rust(&self, build: Result<&RustBuild, String>) -> Row {
        let build = match build {
            Ok(build) => build,
            Err(why) => return Row::skipped("Rust", why),
        };
        let project = self.scratch.join("rust");
        let target_dir = self.scratch.join("target");
        let wrote = fs_err::create_dir_all(project.join("src"))
            .and_then(|()| fs_err::write(project.join("Cargo.toml"), RUST_MANIFEST))
            .and_then(|()| fs_err::write(project.join("src/main.rs"), RUST));
        if let Err(e) = wrote {
            return Row::skipped("Rust", e.to_string());
        }
        let mut command = Command::new(&build.cargo);
        // Configuration and toolchain go by the folder that cargo is started in.
        command
            .current_dir(&build.root)
            .args(["build", "--quiet", "--target"])
            .arg(self.spec.triple.as_str())
            // Of the network only what Rust's library depends on is wanted, where that is built.
            .args(build.offline.then_some("--offline"))
            .arg("--manifest-path")
            .arg(project.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target_dir);
        let triple = self.spec.triple.as_str();
        let program = target_dir
            .join(triple)
            .join("debug")
            .join(self.file("smoke"));
        self.row("Rust", command, &program, "Rust 10 true")
    }

    fn native(
        &self,
        language: &'static str,
        tool: Tool,
        file: &str,
        source: &str,
        expected: &str,
    ) -> Row {
        if !tools_of(self.spec).contains(&tool) {
            return Row::skipped(language, format!("the toolchain has no `{}`", tool.name()));
        }
        let source_path = self.scratch.join(file);
        if let Err(e) = fs_err::write(&source_path, source) {
            return Row::skipped(language, e.to_string());
        }
        let program = self.scratch.join(self.file(&file.replace('.', "-")));
        let mut command = Command::new(shim(self.shims, tool));
        command
            .args(without_exceptions(self.spec, tool))
            .arg("-O2")
            .arg(&source_path)
            .arg("-o")
            .arg(&program)
            .current_dir(self.scratch);
        self.row(language, command, &program, expected)
    }

    fn row(
        &self,
        language: &'static str,
        mut compile: Command,
        program: &Path,
        expected: &str,
    ) -> Row {
        let built = match run(&mut compile, self.scratch, self.limit) {
            Ok(ended) if ended.success => Verdict::Passed,
            Ok(ended) => Verdict::Failed(ended.said(&compile)),
            Err(e) => Verdict::Failed(format!("{}: {e}", compile.get_program().display())),
        };
        let ran = if built == Verdict::Passed {
            self.ran(program, expected)
        } else {
            Verdict::Skipped("it was not built".to_owned())
        };
        Row {
            language,
            built,
            ran,
        }
    }

    fn ran(&self, program: &Path, expected: &str) -> Verdict {
        let mut command = if self.spec.runner.is_some() {
            if let Err(e) = check_runner(self.spec, self.shims, program) {
                let help =
                    crate::help::Help::help(&e).map_or_else(String::new, |h| format!(": {h}"));
                return Verdict::Skipped(format!("{e}{help}"));
            }
            let mut command = Command::new(shim(self.shims, Tool::Run));
            command.arg(program);
            command
        } else if self.is_native() {
            Command::new(program)
        } else {
            return Verdict::Skipped(format!(
                "programs for {} do not run on this machine",
                self.spec.triple
            ));
        };
        command.current_dir(self.scratch);
        match run(&mut command, self.scratch, self.limit) {
            Ok(ended) if ended.success && ended.stdout.trim() == expected => Verdict::Passed,
            Ok(ended) if ended.success => Verdict::Failed(format!(
                "it printed `{}`, expected `{expected}`",
                ended.stdout.trim().escape_debug()
            )),
            Ok(ended) => Verdict::Failed(ended.said(&command)),
            Err(e) => Verdict::Failed(e.to_string()),
        }
    }

    fn is_native(&self) -> bool {
        let os = match self.spec.triple.os() {
            TargetOs::Linux => "linux",
            TargetOs::Windows => "windows",
            TargetOs::MacOs => "macos",
            TargetOs::Wasi | TargetOs::Other => return false,
        };
        std::env::consts::OS == os && std::env::consts::ARCH == self.spec.triple.arch()
    }

    fn file(&self, stem: &str) -> String {
        match self.spec.triple.os() {
            TargetOs::Windows => format!("{stem}.exe"),
            TargetOs::Wasi => format!("{stem}.wasm"),
            _ => stem.to_owned(),
        }
    }
}

/// How much of the toolchain's own libraries is compiled beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmth {
    /// What the first `cargo build` links: the C library, with symbols.
    FirstBuild,
    /// C and C++, for debugging, optimised and without symbols, and Windows resources: an image's builds find
    /// everything.
    Everything,
}

/// Links what makes the toolchain compile its own libraries for the target: C and C++, for debugging and as rustc's
/// release profile does, whose `--strip-debug` has cache entries of its own. Gives the number of links.
pub fn warm(bench: Bench<'_>, warmth: Warmth) -> Result<usize, String> {
    // Only zig compiles anything of its own.
    if bench.spec.zig.is_none() {
        return Ok(0);
    }
    let mut links = 0;
    let c = (Tool::Cc, "warm.c", C);
    let languages = match warmth {
        Warmth::FirstBuild => &[c][..],
        Warmth::Everything => &[c, (Tool::Cxx, "warm.cc", CXX)],
    };
    for &(tool, file, source) in languages {
        let path = bench.scratch.join(file);
        fs_err::write(&path, source).map_err(|e| e.to_string())?;
        let links_of = match warmth {
            Warmth::FirstBuild => rustcs_links(bench.spec),
            Warmth::Everything => every_link(bench.spec),
        };
        for flags in links_of {
            let mut command = Command::new(shim(bench.shims, tool));
            command
                .args(without_exceptions(bench.spec, tool))
                .arg(&path)
                .args(*flags)
                .arg("-o")
                .arg(bench.scratch.join(bench.file("warm")))
                .current_dir(bench.scratch);
            let ended = run(&mut command, bench.scratch, bench.limit).map_err(|e| e.to_string())?;
            if !ended.success {
                return Err(ended.said(&command));
            }
            links += 1;
        }
    }
    if warmth == Warmth::Everything && compiles_resources(bench.spec) {
        warm_resources(bench)?;
    }
    Ok(links)
}

/// A resource script, which has zig compile its resource compiler: half a minute on two cores.
fn warm_resources(bench: Bench<'_>) -> Result<(), String> {
    let script = bench.scratch.join("warm.rc");
    fs_err::write(&script, "1 RCDATA { 1 }\n").map_err(|e| e.to_string())?;
    let mut command = Command::new(shim(bench.shims, Tool::Windres));
    command
        .arg(&script)
        .arg(bench.scratch.join("warm.res"))
        .current_dir(bench.scratch);
    let ended = run(&mut command, bench.scratch, bench.limit).map_err(|e| e.to_string())?;
    if ended.success {
        Ok(())
    } else {
        Err(ended.said(&command))
    }
}

/// As rustc links for debugging: with which start-up code, and by its own list of libraries.
fn rustcs_links(spec: &Spec) -> &'static [&'static [&'static str]] {
    match spec.triple.os() {
        TargetOs::Linux if spec.triple.is_glibc() => {
            &[&["-pie", "-nodefaultlibs", "-lgcc_s", "-lc"]]
        }
        TargetOs::Linux => &[&["-static-pie", "-lgcc_s"]],
        TargetOs::Windows => &[&["-lgcc_eh"]],
        TargetOs::MacOs | TargetOs::Wasi | TargetOs::Other => &[&[]],
    }
}

/// What zig has of C++ for WASI is built without exceptions: a program with them does not link.
fn without_exceptions(spec: &Spec, tool: Tool) -> Option<&'static str> {
    let no = tool == Tool::Cxx && spec.triple.os() == TargetOs::Wasi;
    no.then_some("-fno-exceptions")
}

/// Each is an entry of zig's cache of its own: for debugging, optimised (CMake and Meson pass the level to the link
/// too), and as rustc links, by its own list of libraries, with and without symbols.
fn every_link(spec: &Spec) -> &'static [&'static [&'static str]] {
    match spec.triple.os() {
        TargetOs::Linux if spec.triple.is_glibc() => &[
            &[],
            &["-O2"],
            &["-Wl,--strip-debug"],
            &["-pie", "-nodefaultlibs", "-lgcc_s", "-lc"],
            &[
                "-pie",
                "-nodefaultlibs",
                "-lgcc_s",
                "-lc",
                "-Wl,--strip-debug",
            ],
            &["-shared", "-fPIC"],
        ],
        TargetOs::Linux => &[
            &[],
            &["-O2"],
            &["-Wl,--strip-debug"],
            &["-static-pie", "-lgcc_s"],
            &["-static-pie", "-lgcc_s", "-Wl,--strip-debug"],
        ],
        TargetOs::Windows | TargetOs::MacOs | TargetOs::Wasi | TargetOs::Other => {
            &[&[], &["-O2"], &["-Wl,--strip-debug"]]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Family;

    #[cfg(unix)]
    fn rig(dir: &Path, cc: &str) -> Spec {
        use std::os::unix::fs::PermissionsExt as _;
        let path = dir.join("cc");
        fs_err::write(&path, format!("#!/bin/sh\n{cc}\n")).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let arch = std::env::consts::ARCH;
        let mut spec = Spec::new(
            format!("{arch}-unknown-linux-gnu").parse().unwrap(),
            Family::Gcc,
            dir.into(),
        );
        spec.tools.cc = Some("/cc".into());
        spec
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_compiler_that_fails_hangs_or_lies_is_found_out() {
        let dir = tempfile::tempdir().unwrap();
        let row = |cc: &str| {
            let spec = rig(dir.path(), cc);
            let bench = Bench {
                spec: &spec,
                shims: dir.path(),
                scratch: dir.path(),
                limit: Duration::from_secs(2),
            };
            (bench.c(), bench.cxx())
        };
        let (c, cxx) = row("echo 'no such thing' >&2; exit 3");
        assert!(
            !c.is_good() && c.built.reason().unwrap().contains("no such thing"),
            "{c:?}"
        );
        assert!(
            cxx.is_good() && cxx.built.word() == "skipped",
            "no C++ compiler: {cxx:?}"
        );
        let (c, _) = row("sleep 60");
        assert!(c.built.reason().unwrap().contains("2 s"), "{c:?}");
        let (c, _) = row("printf '#!/bin/sh\\necho something else\\n' >smoke-c; chmod +x smoke-c");
        assert!(c.ran.reason().unwrap().contains("expected `C 42`"), "{c:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_for_another_system_is_built_and_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let mut spec = rig(dir.path(), "echo >smoke-c; touch made");
        spec.triple = "aarch64-apple-darwin".parse().unwrap();
        let bench = Bench {
            spec: &spec,
            shims: dir.path(),
            scratch: dir.path(),
            limit: Duration::from_secs(2),
        };
        let c = bench.c();
        assert!(dir.path().join("made").exists());
        assert!(c.is_good() && c.built == Verdict::Passed, "{c:?}");
        let why = c.ran.reason().unwrap();
        assert!(why.contains("for aarch64-apple-darwin do not run"), "{c:?}");
    }
}
