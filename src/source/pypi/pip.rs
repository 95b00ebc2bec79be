//! pip itself: finding it, what it is set to, and having it download.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use url::Url;

use super::PypiError;
use super::page::Wheel;
use crate::digest::Sha256;
use crate::env_vars::PIP_INDEX_URL;
use crate::source::Context;
use crate::source::client::{ClientError, Run, empty_folder};

/// For a question about pip's settings. A cold Python on a slow disk takes a few.
const ASK: Duration = Duration::from_mins(1);

/// Prints the index that pip uses when nothing is set.
const DEFAULT_INDEX: &str =
    "import sys\nfrom pip._internal.models.index import PyPI\nsys.stdout.write(PyPI.simple_url)";

/// A pip that answers.
#[derive(Debug, Clone)]
pub(super) struct Pip {
    launcher: Launcher,
    settings: Vec<Setting>,
}

/// One line of `pip config list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// `global`, a command's name, or `:env:`.
    pub(super) section: String,
    /// `index-url`
    pub(super) key: String,
    /// May hold a password.
    pub(super) value: String,
}

#[derive(Debug, Clone)]
enum Launcher {
    /// A Python that has pip as a module, and what goes before `-m`.
    Python(PathBuf, &'static [&'static str]),
    /// pip's own script.
    Script(PathBuf),
}

impl Pip {
    /// The first pip on `PATH` that answers. Blocks.
    pub(super) fn find(ctx: &Context) -> Result<Self, PypiError> {
        const PYTHONS: &[(&str, &[&str])] = if cfg!(windows) {
            &[("python", &[]), ("python3", &[]), ("py", &["-3"])]
        } else {
            &[("python3", &[]), ("python", &[])]
        };
        let pythons = PYTHONS.iter().filter_map(|(name, before)| {
            Some(Launcher::Python(ctx.environment.program(name)?, before))
        });
        let scripts = ["pip3", "pip"]
            .iter()
            .filter_map(|name| Some(Launcher::Script(ctx.environment.program(name)?)));
        let mut last = None;
        for launcher in pythons.chain(scripts) {
            match launcher
                .pip("config list", ASK)
                .args(["config", "list"])
                .in_empty_folder(ctx)
            {
                Ok(output) => {
                    return Ok(Self {
                        launcher,
                        settings: parse_settings(&output.stdout),
                    });
                }
                Err(e @ ClientError::Cancelled { .. }) => {
                    return Err(PypiError::NoPip { source: Some(e) });
                }
                Err(e) => {
                    tracing::debug!(?launcher, error = %e, "no pip here");
                    last = Some(e);
                }
            }
        }
        Err(PypiError::NoPip { source: last })
    }

    /// What pip is set to: its files, and the variables that it reads.
    pub(super) fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The index that pip uses when nothing is set: as its own model has it, else as its help says. Blocks.
    pub(super) fn default_index(&self, ctx: &Context) -> Result<String, PypiError> {
        if let Launcher::Python(program, before) = &self.launcher {
            let asked = hardened(Run::new(program, "(pip's index)", ASK))
                .args(*before)
                .args(["-c", DEFAULT_INDEX])
                .in_empty_folder(ctx);
            match asked {
                Ok(output) if !output.stdout.trim().is_empty() => {
                    return Ok(output.stdout.trim().to_owned());
                }
                Ok(_) => {}
                Err(e) => tracing::debug!(error = %e, "pip's index model is elsewhere"),
            }
        }
        let help = self
            .launcher
            .pip("download --help", ASK)
            .args(["download", "--help"])
            // pip wraps its help to the terminal's width.
            .env("COLUMNS", "10000")
            .in_empty_folder(ctx)
            .map_err(|e| PypiError::Default { source: Some(e) })?;
        default_in_help(&help.stdout).ok_or(PypiError::Default { source: None })
    }

    /// Downloads a wheel, for whichever platform, into a folder that is gone when dropped. Blocks.
    pub(super) fn download(
        &self,
        wheel: &Wheel,
        sha256: &Sha256,
        index: &Url,
        timeout: Duration,
        ctx: &Context,
    ) -> Result<TempDir, ClientError> {
        let failed = |source| ClientError::Folder {
            program: "pip download".to_owned(),
            source,
        };
        let folder = empty_folder(ctx).map_err(failed)?;
        // With its digest, pip chooses this very file among those of the version.
        let wanted = format!("{}=={} --hash=sha256:{sha256}\n", wheel.name, wheel.version);
        let requirements = folder.path().join("requirements.txt");
        fs_err::write(&requirements, wanted).map_err(failed)?;
        self.launcher
            .pip("download", timeout)
            .args(download_args(wheel, &requirements))
            // Not an argument: it may hold a password.
            .env(PIP_INDEX_URL, index.as_str())
            .run_in(folder.path(), ctx)?;
        Ok(folder)
    }
}

impl Launcher {
    fn pip(&self, task: &str, timeout: Duration) -> Run<'_> {
        match self {
            Self::Python(program, before) => {
                hardened(Run::new(program, &format!("-m pip {task}"), timeout))
                    .args(*before)
                    .args(["-m", "pip"])
            }
            Self::Script(program) => hardened(Run::new(program, task, timeout)),
        }
        .args(["--disable-pip-version-check", "--no-input"])
    }
}

/// Python's search path is without the current folder (which `-P` does too, where it exists) and without what a
/// project's environment may add to it.
fn hardened(run: Run<'_>) -> Run<'_> {
    run.env("PYTHONSAFEPATH", "1")
        .env("PYTHONPATH", "")
        .env("PYTHONIOENCODING", "utf-8")
}

fn download_args(wheel: &Wheel, requirements: &Path) -> Vec<std::ffi::OsString> {
    let mut args: Vec<std::ffi::OsString> = [
        "download",
        "--quiet",
        "--no-deps",
        "--no-cache-dir",
        "--progress-bar=off",
        "--only-binary=:all:",
        "--require-hashes",
        "--dest=.",
    ]
    .map(Into::into)
    .into();
    if wheel.platform != "any" {
        args.push(format!("--platform={}", wheel.platform).into());
    }
    // A wheel for any Python 3 needs no more; one for a certain Python must not depend on the one that runs pip.
    if let Some(version) = wheel.python.strip_prefix("cp").filter(|v| !v.is_empty()) {
        args.push(format!("--python-version={version}").into());
        args.push("--implementation=cp".into());
        args.push(format!("--abi={}", wheel.abi).into());
    }
    args.push("--requirement".into());
    args.push(requirements.into());
    args
}

/// `section.key='value'` a line, the value as Python's `repr` has it.
fn parse_settings(text: &str) -> Vec<Setting> {
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.trim().split_once('=')?;
            let (section, key) = name.split_once('.')?;
            Some(Setting {
                section: section.to_owned(),
                key: key.to_owned(),
                value: unquoted(value)?,
            })
        })
        .collect()
}

/// A Python string literal's text; `None` if it is none.
fn unquoted(literal: &str) -> Option<String> {
    let quote = literal.chars().next().filter(|c| "'\"".contains(*c))?;
    let inner = literal.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                other => out.push(other),
            },
            (c, false) => out.push(c),
        }
    }
    Some(out)
}

/// `--index-url <url>  Base URL of the Python Package Index (default …)` in pip's help, however it is wrapped.
fn default_in_help(help: &str) -> Option<String> {
    let option = help.split("--index-url").nth(1)?;
    let (_, rest) = option.split_once("(default")?;
    let (url, _) = rest.split_once(')')?;
    let url: String = url.split_whitespace().collect();
    url.starts_with("http").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_pip_prints_them() {
        let text = ":env:.cert='/etc/ssl/ca.crt'\n:env:.index-url='https://u:p@a.invalid/simple'\n\
                    global.extra-index-url='\\nhttps://b.invalid\\nhttps://c.invalid'\n\
                    install.trusted-host=\"it's\"\nWARNING: nonsense = here\nno line\n";
        let settings = parse_settings(text);
        assert_eq!(settings.len(), 4, "{settings:?}");
        assert_eq!(settings[1].section, ":env:");
        assert_eq!(settings[1].key, "index-url");
        assert_eq!(settings[1].value, "https://u:p@a.invalid/simple");
        assert_eq!(settings[2].value, "\nhttps://b.invalid\nhttps://c.invalid");
        assert_eq!(settings[3].value, "it's");
    }

    #[test]
    fn the_default_is_found_in_wrapped_help() {
        let help = "  -i, --index-url <url>       Base URL of the Python Package Index (default\n\
                    \x20                             https://index.invalid/simple). This should point\n";
        assert_eq!(
            default_in_help(help).as_deref(),
            Some("https://index.invalid/simple")
        );
        assert_eq!(default_in_help("Usage:"), None);
    }

    #[test]
    fn a_foreign_wheel_is_asked_for_by_its_tags() {
        let args = |file: &str| {
            download_args(&Wheel::parse(file).unwrap(), Path::new("r.txt"))
                .into_iter()
                .map(|a| a.into_string().unwrap())
                .collect::<Vec<_>>()
        };
        let zig = args("ziglang-0.15.2-py3-none-win_arm64.whl");
        assert!(zig.contains(&"--platform=win_arm64".to_owned()), "{zig:?}");
        assert!(!zig.iter().any(|a| a.starts_with("--abi")), "{zig:?}");
        let cp = args("a-1-cp311-cp311-macosx_11_0_arm64.whl");
        assert!(cp.contains(&"--python-version=311".to_owned()), "{cp:?}");
        let any = args("a-1-py3-none-any.whl");
        assert!(!any.iter().any(|a| a.starts_with("--platform")), "{any:?}");
    }
}
