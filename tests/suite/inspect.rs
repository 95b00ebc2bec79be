//! `inspect`: against the tools that everyone trusts, on binaries built here, and on bytes made to mislead.

#[cfg(unix)]
mod built;
mod bytes;
mod host;
mod mach_o;
mod make;
mod requirements;
mod targets;
mod verdicts;
mod windows;

use std::path::Path;
use std::process::Command;

use xtool::inspect::tables::Tables;
use xtool::inspect::{InspectError, Report, Slice};

/// The report on a file, without a sysroot.
fn report(path: &Path) -> Report {
    xtool::inspect::inspect(path, None, Tables::built_in()).unwrap_or_else(|e| panic!("{e}"))
}

/// The only slice of a file that must be readable.
fn slice(path: &Path) -> Slice {
    let mut report = report(path);
    assert_eq!(report.slices.len(), 1);
    report.slices.remove(0)
}

/// The report on bytes, through a file as users have it.
fn report_bytes(bytes: &[u8]) -> Result<Report, InspectError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), bytes).unwrap();
    xtool::inspect::inspect(file.path(), None, Tables::built_in())
}

/// What a program prints, in the C locale; none if the program is not there.
fn output(program: &str, args: &[&str], file: &Path) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .arg(file)
        .env("LC_ALL", "C")
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
