//! Writes a stripped copy; the original is only read.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::facts::{Facts, Format};
use crate::help::Help;
use crate::target::{TargetOs, Triple};

/// Why there is no stripped copy.
#[derive(Debug, thiserror::Error)]
pub enum StripError {
    /// Would overwrite what it reads.
    #[error("`{}` is the file to strip itself: a binary is not changed in place", path.display())]
    SameFile {
        /// The output.
        path: PathBuf,
    },
    /// No program for it.
    #[error("No installed toolchain strips this file, nor a program on PATH: looked for {}", names.join(", "))]
    NoProgram {
        /// What was looked for.
        names: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("Cannot write `{}`", path.display())]
    Write {
        /// The output.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The program could not be started.
    #[error("Cannot run `{}`", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The program failed.
    #[error("`{}` failed ({status}): {stderr}", program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said last.
        stderr: String,
    },
}

impl Help for StripError {
    fn help(&self) -> Option<String> {
        match self {
            Self::SameFile { .. } => Some("name another file for the copy".into()),
            Self::NoProgram { .. } => {
                Some("install LLVM's tools (apt-get install llvm), or a toolchain that has a strip: zig has none that works on built programs".into())
            }
            _ => None,
        }
    }
}

/// A program that strips (GNU's or LLVM's, both of which take `-o`), and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripper {
    /// The program.
    pub program: PathBuf,
    /// What it needs on its library path: a toolchain of Debian's packages, unpacked anywhere, brings its libraries.
    pub library_path: Vec<PathBuf>,
}

impl From<&Path> for Stripper {
    fn from(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            library_path: Vec::new(),
        }
    }
}

/// Whether a toolchain for the target can be asked about the file: its system and CPU are the file's.
pub fn suits(facts: &Facts, triple: &Triple) -> bool {
    let os = match triple.os() {
        TargetOs::Linux => "linux",
        TargetOs::Windows => "windows",
        TargetOs::MacOs => "macos",
        TargetOs::Wasi | TargetOs::Other => return false,
    };
    let arch = match triple.arch() {
        "i586" | "i686" => "x86",
        "riscv64gc" => "riscv64",
        arch if arch.starts_with("arm") && triple.env().ends_with("hf") => "armhf",
        arch if arch.starts_with("arm") => "armel",
        arch => arch,
    };
    facts.os == os && facts.architecture == arch
}

/// A stripped copy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stripped {
    /// What wrote it.
    pub program: PathBuf,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes of the original.
    pub before: u64,
    /// Bytes of the copy.
    pub after: u64,
}

/// Names of programs that can strip the file, best first.
pub fn candidates(facts: &Facts) -> Vec<String> {
    let mut out = vec!["llvm-strip".to_owned()];
    out.extend(gnu_triple(facts).map(|t| format!("{t}-strip")));
    let native = match facts.format {
        Format::Elf => cfg!(target_os = "linux"),
        Format::MachO => cfg!(target_os = "macos"),
        Format::Pe => false,
    };
    // Apple's strips every Apple CPU; GNU's only those that it was built for.
    if native && (facts.format == Format::MachO || facts.architecture == std::env::consts::ARCH) {
        out.push("strip".to_owned());
    }
    out
}

fn gnu_triple(facts: &Facts) -> Option<&'static str> {
    Some(match (facts.os.as_str(), facts.architecture.as_str()) {
        ("linux", "x86_64") => "x86_64-linux-gnu",
        ("linux", "x86") => "i686-linux-gnu",
        ("linux", "aarch64") => "aarch64-linux-gnu",
        ("linux", "armhf") => "arm-linux-gnueabihf",
        ("linux", "armel") => "arm-linux-gnueabi",
        ("linux", "riscv64") => "riscv64-linux-gnu",
        ("linux", "powerpc64le") => "powerpc64le-linux-gnu",
        ("linux", "s390x") => "s390x-linux-gnu",
        ("linux", "mips64el") => "mips64el-linux-gnuabi64",
        ("linux", "mipsel") => "mipsel-linux-gnu",
        ("linux", "loongarch64") => "loongarch64-linux-gnu",
        ("windows", "x86_64") => "x86_64-w64-mingw32",
        ("windows", "x86") => "i686-w64-mingw32",
        ("windows", "aarch64") => "aarch64-w64-mingw32",
        _ => return None,
    })
}

/// The first of the candidates that is on PATH.
pub fn on_path(facts: &Facts) -> Result<PathBuf, StripError> {
    let names = candidates(facts);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path)
        .filter(|d| d.is_absolute())
        .collect();
    names
        .iter()
        .flat_map(|n| {
            let file = format!("{n}{}", std::env::consts::EXE_SUFFIX);
            folders.iter().map(move |d| d.join(&file))
        })
        .find(|p| p.is_file())
        .ok_or(StripError::NoProgram { names })
}

/// Strips `input` into `out`.
///
/// `out` appears whole or not at all, with the permissions of `input`.
pub fn strip(stripper: &Stripper, input: &Path, out: &Path) -> Result<Stripped, StripError> {
    let write = |source| StripError::Write {
        path: out.to_owned(),
        source,
    };
    if is_same(input, out) {
        return Err(StripError::SameFile {
            path: out.to_owned(),
        });
    }
    let folder = match out.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    // Absolute, so that no name is taken for an option.
    let input = fs_err::canonicalize(input).map_err(write)?;
    let folder = fs_err::canonicalize(folder).map_err(write)?;
    let staged = tempfile::Builder::new()
        .prefix(".xtool-strip-")
        .tempfile_in(&folder)
        .map_err(write)?
        .into_temp_path();
    let program = &stripper.program;
    let mut command = Command::new(program);
    if cfg!(target_os = "linux") && !stripper.library_path.is_empty() {
        let name = "LD_LIBRARY_PATH";
        let before = crate::env_vars::non_empty(name);
        let before = before.iter().flat_map(std::env::split_paths);
        let all = stripper.library_path.iter().cloned().chain(before);
        if let Ok(all) = std::env::join_paths(all) {
            command.env(name, all);
        }
    }
    let output = command
        .arg("-o")
        .arg(staged.as_os_str())
        .arg(&input)
        .output()
        .map_err(|source| StripError::Run {
            program: program.clone(),
            source,
        })?;
    if !output.status.success() {
        return Err(StripError::Failed {
            program: program.clone(),
            status: output.status,
            stderr: last_line(&output.stderr),
        });
    }
    let metadata = fs_err::metadata(&input).map_err(write)?;
    fs_err::set_permissions(&staged, metadata.permissions()).map_err(write)?;
    let after = fs_err::metadata(&staged).map_err(write)?.len();
    staged.persist(out).map_err(|e| write(e.error))?;
    Ok(Stripped {
        program: program.clone(),
        path: out.to_owned(),
        before: metadata.len(),
        after,
    })
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text
        .lines()
        .rev()
        .find(|l| !l.trim().is_empty())
        .unwrap_or("it said nothing");
    line.chars().take(500).collect()
}

/// Whether two names lead to one file.
fn is_same(a: &Path, b: &Path) -> bool {
    let (Ok(real_a), Ok(real_b)) = (fs_err::canonicalize(a), fs_err::canonicalize(b)) else {
        return false;
    };
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (fs_err::metadata(&real_a), fs_err::metadata(&real_b)) {
        use std::os::unix::fs::MetadataExt as _;
        return a.dev() == b.dev() && a.ino() == b.ino();
    }
    real_a == real_b
}
