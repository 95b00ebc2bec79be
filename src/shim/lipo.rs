//! `lipo`, for toolchains that bring none (zig): joins the files of several CPUs into a universal one, says which a
//! file has, and takes one out again. The formats are `fat_macho`'s business.
//!
//! In: lipo's arguments (Apple's manual page, lipo(1)), with one dash or two. Out: a line on stdout, or a file that
//! takes the output's place whole.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fat_macho::{Error, FatWriter};

use super::exec::say;
use crate::help::Help;

/// CPUs that a file is asked about, by lipo's names, in the order in which they are told.
const ARCHES: [&str; 9] = [
    "i386", "x86_64", "x86_64h", "armv7", "armv7s", "armv7k", "arm64_32", "arm64", "arm64e",
];

/// The first four bytes of a universal file (Apple's `mach-o/fat.h`): 32-bit and 64-bit offsets.
const FAT_MAGIC: [[u8; 4]; 2] = [[0xCA, 0xFE, 0xBA, 0xBE], [0xCA, 0xFE, 0xBA, 0xBF]];

/// What lipo cannot do.
#[derive(Debug, thiserror::Error)]
pub enum LipoError {
    /// The arguments ask for nothing that is known.
    #[error("`lipo` cannot be used like this: {problem}")]
    Usage {
        /// What is wrong with them.
        problem: String,
    },
    /// An input cannot be read, or is no file for macOS.
    #[error("`{}` cannot be a part of a universal file", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Error,
    },
    /// Two inputs are for one CPU.
    #[error("`{}` is for {arch}, and so is a file before it: a universal file has each CPU once", path.display())]
    Twice {
        /// The later file.
        path: PathBuf,
        /// The CPU.
        arch: String,
    },
    /// A file does not have the CPU.
    #[error("`{}` has no {arch}: it has {}", path.display(), there.join(" "))]
    NoArch {
        /// The file.
        path: PathBuf,
        /// The CPU.
        arch: String,
        /// Those that it has.
        there: Vec<&'static str>,
    },
    /// The result could not be written.
    #[error("Cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Error,
    },
}

impl Help for LipoError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Usage { .. } => Some(
                "lipo -create FILE FILE -output FILE; lipo -info FILE; lipo -archs FILE; \
                 lipo -thin|-extract ARCH FILE -output FILE; lipo FILE -verify_arch ARCH"
                    .to_owned(),
            ),
            Self::Input { source, .. } if !matches!(source, Error::Io(_)) => Some(
                "give programs, libraries or static libraries for macOS, such as target/aarch64-apple-darwin/release/NAME".to_owned(),
            ),
            Self::Twice { .. } => Some(
                "build one of them for the other CPU: cargo build --target x86_64-apple-darwin, or aarch64-apple-darwin".to_owned(),
            ),
            Self::NoArch { path, .. } => {
                Some(format!("`lipo -info {}` says what it has", path.display()))
            }
            Self::Input { .. } | Self::Write { .. } => None,
        }
    }
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    Create,
    Info,
    Archs,
    /// That CPU's file by itself.
    Thin(String),
    /// A universal file of these only.
    Extract(Vec<String>),
    /// Exit code 0 when all are there.
    Verify(Vec<String>),
}

#[derive(Debug, PartialEq, Eq)]
struct Request {
    action: Action,
    inputs: Vec<PathBuf>,
    output: Option<PathBuf>,
}

/// Does it.
pub(super) fn run(args: Vec<OsString>) -> Result<ExitCode, LipoError> {
    let Request {
        action,
        inputs,
        output,
    } = parse(args)?;
    match action {
        Action::Create => {
            let mut all = FatWriter::new();
            for path in &inputs {
                add(&mut all, path)?;
            }
            write_universal(&all, &wanted(output)?)?;
        }
        Action::Thin(arch) => {
            let (path, mut file) = single(&inputs, "-thin")?;
            let there = arches(&file);
            let found = file.remove(&arch).map_err(input(path))?;
            let bytes = found.ok_or_else(|| no_arch(path, &arch, there))?;
            let output = wanted(output)?;
            replace(&output, |at| fs_err::write(at, &bytes).map_err(Error::Io))?;
        }
        Action::Extract(wanted_arches) => {
            let (path, mut file) = single(&inputs, "-extract")?;
            require(path, &file, &wanted_arches)?;
            for arch in arches(&file) {
                if !wanted_arches.iter().any(|wanted| wanted == arch) {
                    file.remove(arch).map_err(input(path))?;
                }
            }
            write_universal(&file, &wanted(output)?)?;
        }
        Action::Info => {
            for path in &inputs {
                let there = arches(&open(path)?).join(" ");
                let path_said = path.display();
                // Word for word Apple's, the space at the end included: scripts match it.
                let line = if is_universal(path)? {
                    format!("Architectures in the fat file: {path_said} are: {there} ")
                } else {
                    format!("Non-fat file: {path_said} is architecture: {there}")
                };
                say(&line);
            }
        }
        Action::Archs => {
            let (_, file) = single(&inputs, "-archs")?;
            return Ok(say(&arches(&file).join(" ")));
        }
        Action::Verify(wanted) => {
            let (path, file) = single(&inputs, "-verify_arch")?;
            require(path, &file, &wanted)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the arguments. `-create` is what lipo does when nothing else is said.
fn parse(args: Vec<OsString>) -> Result<Request, LipoError> {
    let mut action = None;
    let mut inputs = Vec::new();
    let mut output = None;
    let mut rest = args.into_iter().peekable();
    while let Some(arg) = rest.next() {
        let text = arg.to_str().unwrap_or_default();
        let Some(option) = text.strip_prefix('-').filter(|o| !o.is_empty()) else {
            inputs.push(PathBuf::from(arg));
            continue;
        };
        let option = option.strip_prefix('-').unwrap_or(option);
        let mut value = || {
            rest.next()
                .ok_or_else(|| usage(format!("`-{option}` has no value")))
        };
        let name = |value: OsString| value.to_string_lossy().into_owned();
        let next = match option {
            "create" => Action::Create,
            "info" => Action::Info,
            "archs" => Action::Archs,
            "thin" => Action::Thin(name(value()?)),
            "extract" => {
                let arch = name(value()?);
                if let Some(Action::Extract(arches)) = &mut action {
                    arches.push(arch);
                    continue;
                }
                Action::Extract(vec![arch])
            }
            // Always the last: every word after it is a CPU.
            "verify_arch" => Action::Verify(rest.by_ref().map(name).collect()),
            "output" | "o" => {
                output = Some(PathBuf::from(value()?));
                continue;
            }
            // The CPU of the file after it, which says so itself.
            "arch" => {
                value()?;
                continue;
            }
            _ => return Err(usage(format!("`-{option}` is not known here"))),
        };
        if action.replace(next).is_some() {
            return Err(usage("it can do one thing at a time".to_owned()));
        }
    }
    if inputs.is_empty() {
        return Err(usage("no file is named".to_owned()));
    }
    Ok(Request {
        action: action.unwrap_or(Action::Create),
        inputs,
        output,
    })
}

fn usage(problem: String) -> LipoError {
    LipoError::Usage { problem }
}

fn wanted(output: Option<PathBuf>) -> Result<PathBuf, LipoError> {
    output.ok_or_else(|| usage("no `-output FILE`".to_owned()))
}

fn single<'a>(
    inputs: &'a [PathBuf],
    option: &str,
) -> Result<(&'a Path, FatWriter<'static>), LipoError> {
    match inputs {
        [path] => Ok((path, open(path)?)),
        _ => Err(usage(format!("`{option}` takes one file"))),
    }
}

fn open(path: &Path) -> Result<FatWriter<'static>, LipoError> {
    let mut file = FatWriter::new();
    add(&mut file, path)?;
    Ok(file)
}

fn add(to: &mut FatWriter<'static>, path: &Path) -> Result<(), LipoError> {
    to.add_file(path).map_err(|source| match source {
        Error::DuplicatedArch(arch) => LipoError::Twice {
            path: path.to_owned(),
            arch,
        },
        source => input(path)(source),
    })
}

fn input(path: &Path) -> impl FnOnce(Error) -> LipoError + use<> {
    let path = path.to_owned();
    move |source| LipoError::Input { path, source }
}

fn arches(file: &FatWriter<'_>) -> Vec<&'static str> {
    ARCHES.into_iter().filter(|a| file.exists(a)).collect()
}

fn require(path: &Path, file: &FatWriter<'_>, wanted: &[String]) -> Result<(), LipoError> {
    match wanted.iter().find(|arch| !file.exists(arch)) {
        Some(arch) => Err(no_arch(path, arch, arches(file))),
        None => Ok(()),
    }
}

fn no_arch(path: &Path, arch: &str, there: Vec<&'static str>) -> LipoError {
    LipoError::NoArch {
        path: path.to_owned(),
        arch: arch.to_owned(),
        there,
    }
}

fn is_universal(path: &Path) -> Result<bool, LipoError> {
    let mut magic = [0; 4];
    let read = fs_err::File::open(path)
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut magic))
        .map_err(|e| input(path)(Error::Io(e)));
    read.map(|()| FAT_MAGIC.contains(&magic))
}

fn write_universal(file: &FatWriter<'_>, output: &Path) -> Result<(), LipoError> {
    replace(output, |at| file.write_to_file(at))
}

/// Writes beside the output and renames over it: the output may be one of the inputs, and nobody sees half of it.
fn replace(output: &Path, write: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), LipoError> {
    let folder = output.parent().filter(|p| !p.as_os_str().is_empty());
    let made = || {
        let scratch = tempfile::Builder::new()
            .prefix(".lipo-")
            .tempdir_in(folder.unwrap_or(Path::new(".")))?;
        let fresh = scratch.path().join("file");
        write(&fresh)?;
        make_executable(&fresh)?;
        fs_err::rename(&fresh, output)?;
        Ok(())
    };
    made().map_err(|source| LipoError::Write {
        path: output.to_owned(),
        source,
    })
}

/// As Apple's lipo leaves its results.
#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "one signature on all systems")]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Mach-O header and as many bytes as asked for (`mach-o/loader.h`): little-endian, 64 bits, no load command.
    fn thin(cpu: u32, bytes: usize) -> Vec<u8> {
        let subtype = if cpu == 0x0100_0007 { 3 } else { 0 };
        let header = [0xFEED_FACF, cpu, subtype, 2, 0, 0, 0, 0_u32];
        let mut out: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
        out.resize(bytes, 0xAB);
        out
    }

    fn lipo(dir: &Path, args: &[&str]) -> Result<ExitCode, LipoError> {
        let in_dir = |arg: &&str| match arg.strip_prefix("./") {
            Some(file) => dir.join(file).into_os_string(),
            None => arg.into(),
        };
        run(args.iter().map(in_dir).collect())
    }

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("intel"), thin(0x0100_0007, 5000)).unwrap();
        fs_err::write(dir.path().join("arm"), thin(0x0100_000C, 3000)).unwrap();
        dir
    }

    #[test]
    fn what_is_joined_comes_apart_again_byte_for_byte() {
        let dir = folder();
        let dir = dir.path();
        lipo(dir, &["-create", "./arm", "./intel", "-output", "./both"]).unwrap();
        let both = fs_err::read(dir.join("both")).unwrap();
        // Two slices, big-endian, five words each: CPU, subtype, offset, size, alignment as a power of two.
        let word = |at: usize| u32::from_be_bytes(both[at..at + 4].try_into().unwrap());
        assert_eq!((word(0), word(4)), (0xCAFE_BABE, 2));
        assert_eq!((word(8), word(28)), (0x0100_0007, 0x0100_000C));
        assert_eq!((word(28 + 8) % 0x4000, word(28 + 16)), (0, 14));
        for (arch, name) in [("x86_64", "./intel"), ("arm64", "./arm")] {
            lipo(dir, &["./both", "-thin", arch, "-output", "./thin"]).unwrap();
            let name = name.strip_prefix("./").unwrap();
            assert_eq!(
                fs_err::read(dir.join("thin")).unwrap(),
                fs_err::read(dir.join(name)).unwrap()
            );
        }
        lipo(
            dir,
            &["-extract", "arm64", "./both", "--output", "./extracted"],
        )
        .unwrap();
        lipo(dir, &["./both", "-verify_arch", "arm64", "x86_64"]).unwrap();
        lipo(dir, &["-info", "./both", "./extracted", "./arm"]).unwrap();
        lipo(dir, &["-archs", "./extracted"]).unwrap();
        let missing = lipo(dir, &["./extracted", "-verify_arch", "x86_64"]).unwrap_err();
        assert!(missing.to_string().ends_with("has no x86_64: it has arm64"));
    }

    #[test]
    fn the_output_may_be_an_input() {
        let dir = folder();
        let args = ["-create", "./arm", "./intel", "-output", "./arm"];
        lipo(dir.path(), &args).unwrap();
        let both = fs_err::read(dir.path().join("arm")).unwrap();
        assert_eq!(both[..4], FAT_MAGIC[0]);
        assert_eq!(
            fs_err::read_dir(dir.path()).unwrap().count(),
            2,
            "nothing is left beside it"
        );
    }

    #[test]
    fn what_cannot_be_is_said_with_a_way_out() {
        let dir = folder();
        let dir = dir.path();
        fs_err::write(dir.join("elf"), b"\x7fELF and so on").unwrap();
        for (args, words) in [
            (
                &["-create", "./arm", "./arm", "-output", "./x"][..],
                "each CPU once",
            ),
            (
                &["-create", "./arm", "./elf", "-output", "./x"],
                "elf` cannot be a part",
            ),
            (&["-create", "./arm"], "no `-output FILE`"),
            (
                &["-thin", "x86_64", "./arm", "-output", "./x"],
                "it has arm64",
            ),
            (&["-replace", "./arm"], "`-replace` is not known"),
            (&["-info", "-archs", "./arm"], "one thing at a time"),
            (&["-archs", "./arm", "./intel"], "takes one file"),
            (&["-output"], "has no value"),
            (&[], "no file is named"),
        ] {
            let error = lipo(dir, args).unwrap_err();
            assert!(error.to_string().contains(words), "{args:?}: {error}");
            assert!(error.help().is_some(), "{args:?}");
        }
        let error = lipo(dir, &["-info", "./nowhere"]).unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error}");
        assert!(!dir.join("x").exists());
    }
}
