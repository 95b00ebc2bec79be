//! GNU windres's command line, and what it becomes: its own program with the target's preprocessor, or zig's two steps.
//! Pure.
//!
//! Options and formats are those of binutils' manual, "windres".

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Invocation;
use crate::build_env::shim;
use crate::help::Help;
use crate::shim::{Spec, Tool, Zig};
use crate::target::Triple;

mod options;
mod script;

use options::{Opt, Words};
pub use script::{is_utf16, with_code_pages};

/// What windres is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To say what it is.
    Version,
    /// To list its options.
    Help,
    /// To compile.
    Compile(Box<Compile>),
}

/// One compilation.
#[derive(Debug, PartialEq, Eq)]
pub struct Compile {
    /// The input; `None` is standard input.
    pub input: Option<PathBuf>,
    output: PathBuf,
    /// Whether the input is a script; otherwise it is a `.res` file.
    pub is_script: bool,
    to: Format,
    /// For the preprocessor, in the caller's order.
    preprocess: Vec<OsString>,
    folders: Vec<OsString>,
    language: Option<u32>,
    code_page: Option<u32>,
    machine: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Rc,
    Res,
    Coff,
}

/// A command line that windres does not have, or that zig cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindresError {
    /// No option of windres's.
    #[error("windres has no option `{0}`")]
    Unknown(String),
    /// The command line ends where a value must follow.
    #[error("windres's option `{0}` needs a value")]
    NoValue(String),
    /// A third file.
    #[error("windres takes one input and one output, and `{0}` is one too many")]
    OneTooMany(String),
    /// No format.
    #[error("`{0}` is no format of windres's: it has rc, res and coff")]
    NoFormat(String),
    /// `-l` or `-c`.
    #[error("windres's option `{0}` needs a number, not `{1}`")]
    NoNumber(&'static str, String),
    /// `-c`.
    #[error("zig's resource compiler does not read code page {0}")]
    CodePage(u32),
    /// `-F`.
    #[error("windres cannot write objects for `{0}`")]
    NoTarget(String),
    /// No output, or from or to a format that zig does not read or write.
    #[error(
        "zig compiles a script to a .res file or an object, and a .res file to an object, not {0}"
    )]
    Direction(&'static str),
    /// zig's part for resources is not installed.
    #[error("zig's resource compiler is not installed: `{}` does not exist", .0.display())]
    NoCompiler(PathBuf),
}

impl Help for WindresError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unknown(_) | Self::NoValue(_) | Self::OneTooMany(_) | Self::NoFormat(_) => {
                "`windres --help` lists its options".to_owned()
            }
            Self::NoNumber(..) => "such as `-l 409` or `-c 65001`".to_owned(),
            Self::CodePage(_) => {
                "save the script as UTF-8 and pass `-c 65001`, or build with `--toolchain mingw-w64`"
                    .to_owned()
            }
            Self::NoTarget(_) => {
                "leave `-F` out: objects are then for the shim's own target".to_owned()
            }
            Self::Direction(_) => {
                "name the output: windres app.rc -O coff -o app.o; to read resources back: llvm-readobj --coff-resources"
                    .to_owned()
            }
            Self::NoCompiler(_) => "run `xtool sync` in the project, which adds it".to_owned(),
        })
    }
}

/// `--help`.
pub const USAGE: &str = "\
Usage: windres [options] [input] [output]
  -i, --input FILE              the input; standard input without one
  -o, --output FILE             the output
  -J, --input-format FORMAT     rc or res; by the file's name without it
  -O, --output-format FORMAT    res or coff; by the file's name without it
  -F, --target TARGET           pe-x86-64, pe-i386 or pe-aarch64-little; the shim's own target without it
  -I, --include-dir FOLDER      a folder of headers and of the files that the script names
  -D, --define NAME[=VALUE]     define a macro
  -U, --undefine NAME           undefine a macro
      --preprocessor-arg ARG    an argument for the preprocessor, which is the target's C compiler
  -c, --codepage NUMBER         the code page of the script: 1252 (the default) or 65001 (UTF-8)
  -l, --language NUMBER         the language, in hexadecimal
  -h, --help                    show this
  -V, --version                 show the version
Accepted without effect: --preprocessor, --use-temp-file, --no-use-temp-file, -r, -v.";

/// What crates and build systems tell a windres from an `rc.exe` by: embed-resource 1 and 2 look at how the line
/// begins, embed-resource 3 and Meson for `GNU windres` in it.
pub fn version(by: &str) -> String {
    format!("GNU windres (compatible), {by}")
}

/// The version, where that is what is asked. LLVM's own answer begins with its name, at which embed-resource 2 panics.
pub fn llvm_version(args: &[OsString]) -> Option<String> {
    let asks = args.first().is_some_and(|a| a == "-V");
    asks.then(|| version("LLVM"))
}

/// GNU windres looks for a `gcc` beside itself and then in PATH, which is the host's and has no `windows.h`. Debian's
/// has its thread model in its name, and a target's compiler needs its shim's arguments: so the shim it is, unless
/// the caller names one.
pub fn with_preprocessor(variant: &Path, args: Vec<OsString>) -> Vec<OsString> {
    let named = |arg: &OsString| {
        let text = arg.to_string_lossy();
        text == "--preprocessor" || text.starts_with("--preprocessor=")
    };
    if args.iter().any(named) {
        return args;
    }
    let mut preprocessor = OsString::from("--preprocessor=");
    preprocessor.push(shim(variant, Tool::Cc));
    let mut out = vec![preprocessor];
    out.extend(["-E", "-xc", "-DRC_INVOKED"].map(|arg| format!("--preprocessor-arg={arg}").into()));
    out.extend(args);
    out
}

/// Reads a command line for zig's resource compiler; `triple` is the shim's target.
pub fn parse(args: Vec<OsString>, triple: &Triple) -> Result<Request, WindresError> {
    let mut found = Found::default();
    let mut words = Words::new(args);
    while let Some((option, value)) = words.next()? {
        match option {
            Opt::Version => return Ok(Request::Version),
            Opt::Help => return Ok(Request::Help),
            _ => found.take(option, value)?,
        }
    }
    found.finish(triple).map(|c| Request::Compile(Box::new(c)))
}

/// What was read so far.
#[derive(Default)]
struct Found {
    files: [Option<OsString>; 2],
    formats: [Option<Format>; 2],
    target: Option<String>,
    preprocess: Vec<OsString>,
    folders: Vec<OsString>,
    language: Option<u32>,
    code_page: Option<u32>,
}

impl Found {
    fn take(&mut self, option: Opt, value: OsString) -> Result<(), WindresError> {
        let text = || value.to_string_lossy().into_owned();
        let joined = |option: &str, value: &OsStr| {
            let mut arg = OsString::from(option);
            arg.push(value);
            arg
        };
        match option {
            Opt::Input => self.files[0] = Some(value),
            Opt::Output => self.files[1] = Some(value),
            Opt::Operand => match self.files.iter_mut().find(|file| file.is_none()) {
                Some(file) => *file = Some(value),
                None => return Err(WindresError::OneTooMany(text())),
            },
            Opt::InputFormat => self.formats[0] = Some(format(&text())?),
            Opt::OutputFormat => self.formats[1] = Some(format(&text())?),
            Opt::Target => self.target = Some(text()),
            Opt::Include => {
                self.preprocess.push(joined("-I", &value));
                self.folders.push(value);
            }
            Opt::Define => self.preprocess.push(joined("-D", &unquoted(&value))),
            Opt::Undefine => self.preprocess.push(joined("-U", &value)),
            Opt::PreprocessorArg => self.preprocess.push(value),
            Opt::Language => self.language = Some(number("-l", &text(), 16)?),
            Opt::CodePage => self.code_page = Some(code_page(&text())?),
            // The shim's compiler is the one with the target's headers; the rest is about windres's own process.
            Opt::Preprocessor | Opt::Ignored | Opt::Version | Opt::Help => {}
        }
        Ok(())
    }

    fn finish(self, triple: &Triple) -> Result<Compile, WindresError> {
        let [input, output] = self.files;
        let [from, to] = self.formats;
        let from = from.unwrap_or_else(|| match input.as_deref().and_then(by_name) {
            Some(format) => format,
            None => Format::Rc,
        });
        let to = to.unwrap_or_else(|| match output.as_deref() {
            Some(name) => by_name(name).unwrap_or(Format::Coff),
            None => Format::Rc,
        });
        let is_script = match (from, to) {
            (_, Format::Rc) => return Err(WindresError::Direction("to a script")),
            (Format::Coff, _) => return Err(WindresError::Direction("from an object")),
            (Format::Res, Format::Res) => return Err(WindresError::Direction("from .res to .res")),
            (Format::Rc, _) => true,
            (Format::Res, Format::Coff) => false,
        };
        let machine = match &self.target {
            Some(target) => machine(target).ok_or(WindresError::NoTarget(target.clone()))?,
            None => {
                machine(triple.arch()).ok_or_else(|| WindresError::NoTarget(triple.to_string()))?
            }
        };
        Ok(Compile {
            input: input.map(PathBuf::from),
            output: output
                .ok_or(WindresError::Direction("to standard output"))?
                .into(),
            is_script,
            to,
            preprocess: self.preprocess,
            folders: self.folders,
            language: self.language,
            code_page: self.code_page,
            machine,
        })
    }
}

fn number(option: &'static str, text: &str, radix: u32) -> Result<u32, WindresError> {
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, radix),
    };
    u32::from_str_radix(digits, radix).map_err(|_| WindresError::NoNumber(option, text.to_owned()))
}

/// zig has these two (its `code_pages.zig`). 0 is the system's, which for GNU windres is 1252 too.
fn code_page(text: &str) -> Result<u32, WindresError> {
    match number("-c", text, 10)? {
        0 => Ok(1252),
        known @ (1252 | 65001) => Ok(known),
        other => Err(WindresError::CodePage(other)),
    }
}

fn format(name: &str) -> Result<Format, WindresError> {
    match name.to_ascii_lowercase().as_str() {
        "rc" => Ok(Format::Rc),
        "res" => Ok(Format::Res),
        "coff" => Ok(Format::Coff),
        _ => Err(WindresError::NoFormat(name.to_owned())),
    }
}

/// The format that a file's name tells.
fn by_name(name: &OsStr) -> Option<Format> {
    let extension = Path::new(name).extension()?.to_str()?;
    match extension.to_ascii_lowercase().as_str() {
        "rc" => Some(Format::Rc),
        "res" => Some(Format::Res),
        "o" | "obj" | "exe" | "dll" => Some(Format::Coff),
        _ => None,
    }
}

/// zig's name of the machine that a CPU's name, or a target of binutils' or LLVM's, begins or ends with.
fn machine(target: &str) -> Option<&'static str> {
    let is = |names: &[&str]| names.iter().any(|name| target.contains(name));
    if is(&["x86-64", "x86_64"]) {
        Some("X64")
    } else if is(&["i386", "i686"]) {
        Some("I386")
    } else if is(&["aarch64", "arm64"]) {
        Some("ARM64")
    } else {
        None
    }
}

/// GNU windres hands definitions to a shell, so that callers write `VERSION=\"1.2\"` for a string; others, who found
/// no shell, `VERSION="1.2"`. Both mean the string.
fn unquoted(definition: &OsStr) -> OsString {
    let Some(text) = definition
        .to_str()
        .filter(|text| text.contains("=\\\"") || text.starts_with("\\\""))
    else {
        return definition.to_owned();
    };
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        });
    }
    out.into()
}

impl Compile {
    /// The arguments of the C compiler that preprocesses `input` into `output`. `#line` is what zig reads.
    pub fn preprocessor(&self, input: &Path, output: &Path) -> Vec<OsString> {
        let mut out: Vec<OsString> = [
            "-E",
            "-xc",
            "-DRC_INVOKED",
            "-fuse-line-directives",
            // zig passes clang more than a preprocessor uses.
            "-Wno-unused-command-line-argument",
        ]
        .map(OsString::from)
        .into();
        out.extend(self.preprocess.iter().cloned());
        out.extend([input.into(), "-o".into(), output.into()]);
        out
    }

    /// What the preprocessor reads from a file elsewhere, in place of an input that it cannot read: standard input, or
    /// text in UTF-16.
    pub fn moved(&mut self, script: Vec<u8>) -> Vec<u8> {
        let input = self.input.as_deref().unwrap_or(Path::new("<stdin>"));
        let mut out = format!("#line 1 \"{}\"\n", script::escaped(input)).into_bytes();
        let folder = input.parent().filter(|f| !f.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        self.preprocess.extend(["-iquote".into(), folder.into()]);
        match script::from_utf16(&script) {
            Some(text) => {
                self.code_page.get_or_insert(65001);
                out.extend(text.into_bytes());
            }
            None => out.extend(script),
        }
        out
    }

    /// `zig rc`, given the preprocessed script, or the `.res` file as it is. Files that the script names lie beside
    /// it, in the current folder, or in a folder of `-I`.
    pub fn compiler(&self, zig: &Zig, input: &Path) -> Invocation {
        // `/x`: the variable INCLUDE is another compiler's.
        let mut args: Vec<OsString> = ["rc", "/x", "/:auto-includes", "none"]
            .map(OsString::from)
            .into();
        let mut option = |name: &str, value: &OsStr| {
            args.extend([name.into(), value.to_owned()]);
        };
        option(
            "/:input-format",
            (if self.is_script { "rcpp" } else { "res" }).as_ref(),
        );
        match self.to {
            Format::Coff => {
                option("/:output-format", "coff".as_ref());
                option("/:target", self.machine.as_ref());
            }
            Format::Rc | Format::Res => option("/:output-format", "res".as_ref()),
        }
        if self.is_script {
            if let Some(language) = self.language {
                option("/l", format!("{language:x}").as_ref());
            }
            if let Some(code_page) = self.code_page {
                option("/c", code_page.to_string().as_ref());
            }
            let beside = self.input.as_deref().and_then(Path::parent);
            let beside = beside.filter(|folder| !folder.as_os_str().is_empty());
            for folder in beside
                .map(Path::as_os_str)
                .into_iter()
                .chain(self.folders.iter().map(AsRef::as_ref))
            {
                option("/i", folder);
            }
        }
        args.extend(["--".into(), input.into(), self.output.clone().into()]);
        let mut invocation = Invocation::new(&zig.exe, args);
        invocation.set("ZIG_GLOBAL_CACHE_DIR", &zig.cache_dir);
        invocation.set("ZIG_LOCAL_CACHE_DIR", &zig.cache_dir);
        invocation
    }
}

/// What `zig rc` is compiled from, which is a part of the toolchain.
pub fn sources(spec: &Spec) -> PathBuf {
    spec.root.join("lib").join("compiler").join("resinator")
}

#[cfg(test)]
mod tests;
