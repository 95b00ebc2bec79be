//! The subsystem of a Windows program, and the versions of Windows that its header asks for.
//!
//! zig ends neither at `-mwindows` nor at `--minor-subsystem-version`, and heeds neither; `--subsystem,windows:6.1` it does
//! not know. So it gets the name alone, and the versions are written into the program's header when it is linked.

use std::ffi::OsString;

use super::words::retain;
use crate::shim::pe::{Version, Versions};

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Subsystem {
    /// As zig has it: `console`, `windows`.
    name: Option<String>,
    /// Whether it is a driver's `-mwindows`, with which GCC links two libraries more ("x86 Windows Options").
    libraries: bool,
    /// For the header.
    pub versions: Versions,
}

/// GNU ld's options (its manual, "Options specific to i386 PE targets") whose value is the next word.
const WITH_VALUE: [&str; 5] = [
    "--subsystem",
    "--major-subsystem-version",
    "--minor-subsystem-version",
    "--major-os-version",
    "--minor-os-version",
];

/// The arguments without what is asked for, and that. The last of each counts, and the linker's word over the driver's.
pub(super) fn take(args: Vec<OsString>) -> (Vec<OsString>, Subsystem) {
    let mut asked = Subsystem::default();
    let mut option: Option<&'static str> = None;
    let out = retain(args, |word| {
        if let Some(option) = option.take() {
            return !asked.set(option, word);
        }
        let name = word.split('=').next().unwrap_or(word);
        let Some(found) = WITH_VALUE.iter().find(|o| **o == name || o[1..] == *name) else {
            return true;
        };
        match word.split_once('=') {
            Some((_, value)) => {
                asked.set(found, value);
            }
            None => option = Some(found),
        }
        false
    });
    let by_driver = out
        .iter()
        .rev()
        .find(|arg| *arg == "-mwindows" || *arg == "-mconsole");
    asked.libraries = out.iter().any(|arg| arg == "-mwindows");
    if asked.name.is_none() {
        let name = by_driver.map(|arg| {
            if arg == "-mwindows" {
                "windows"
            } else {
                "console"
            }
        });
        asked.name = name.map(str::to_owned);
    }
    (out, asked)
}

impl Subsystem {
    /// Sets what an option names. Always true: the value is read.
    fn set(&mut self, option: &str, value: &str) -> bool {
        let number = value.parse().ok();
        match option {
            "--subsystem" => {
                let (name, version) = value.split_once(':').unwrap_or((value, ""));
                self.name = Some(zigs_name(name).to_owned());
                let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
                if let Ok(major) = major.parse() {
                    self.versions.subsystem = Version {
                        major: Some(major),
                        minor: Some(minor.parse().unwrap_or(0)),
                    };
                }
            }
            "--major-subsystem-version" => self.versions.subsystem.major = number,
            "--minor-subsystem-version" => self.versions.subsystem.minor = number,
            "--major-os-version" => self.versions.os.major = number,
            _ => self.versions.os.minor = number,
        }
        true
    }

    /// What zig gets of it, last.
    pub(super) fn arguments(&self, libraries: bool) -> Vec<OsString> {
        let mut out: Vec<OsString> = Vec::new();
        out.extend(
            self.name
                .iter()
                .map(|name| format!("-Wl,--subsystem,{name}").into()),
        );
        if self.libraries && libraries {
            out.extend(["-lgdi32", "-lcomdlg32"].map(OsString::from));
        }
        out
    }
}

/// zig's name of GNU ld's subsystem, which may be a number.
fn zigs_name(name: &str) -> &str {
    match name {
        "1" => "native",
        "2" => "windows",
        "3" => "console",
        "7" => "posix",
        "10" | "efi-app" => "efi_application",
        "11" | "efi-bsd" => "efi_boot_service_driver",
        "12" | "efi-rtd" => "efi_runtime_driver",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &str) -> (String, String, Versions) {
        let args = args.split(' ').map(Into::into).collect();
        let (out, asked) = take(args);
        let text = |args: Vec<OsString>| args.join(" ".as_ref()).into_string().unwrap();
        let versions = asked.versions;
        (text(out), text(asked.arguments(true)), versions)
    }

    fn version(major: u16, minor: u16) -> Version {
        Version {
            major: Some(major),
            minor: Some(minor),
        }
    }

    #[test]
    fn the_last_one_counts_and_the_linkers_over_the_drivers() {
        let libraries = " -lgdi32 -lcomdlg32";
        for (args, expected) in [
            ("a.o", String::new()),
            ("-mwindows", format!("-Wl,--subsystem,windows{libraries}")),
            ("-mconsole", "-Wl,--subsystem,console".to_owned()),
            (
                "-mwindows -mconsole",
                format!("-Wl,--subsystem,console{libraries}"),
            ),
            (
                "-mconsole -mwindows",
                format!("-Wl,--subsystem,windows{libraries}"),
            ),
            (
                "-Wl,--subsystem,console -mwindows",
                format!("-Wl,--subsystem,console{libraries}"),
            ),
            (
                "-Wl,--subsystem=windows",
                "-Wl,--subsystem,windows".to_owned(),
            ),
            (
                "-Wl,--subsystem -Wl,windows",
                "-Wl,--subsystem,windows".to_owned(),
            ),
            (
                "-Xlinker -subsystem -Xlinker 2",
                "-Wl,--subsystem,windows".to_owned(),
            ),
        ] {
            assert_eq!(run(args).1, expected, "{args}");
        }
    }

    #[test]
    fn versions_are_for_the_header() {
        let (out, asked, versions) = run("a.o -Wl,--subsystem,windows:6.1,-s");
        assert_eq!(
            (out.as_str(), asked.as_str()),
            ("a.o -Wl,-s", "-Wl,--subsystem,windows")
        );
        assert_eq!(versions.subsystem, version(6, 1));
        let (out, asked, versions) = run(
            "-Wl,--major-subsystem-version,6 -Wl,--minor-subsystem-version=1 -Wl,--major-os-version,5 b.o",
        );
        assert_eq!((out.as_str(), asked.as_str()), ("b.o", ""));
        assert_eq!(versions.subsystem, version(6, 1));
        assert_eq!(versions.os.major, Some(5));
        assert_eq!(versions.os.minor, None);
        assert_eq!(run("-Wl,--subsystem,console:5").2.subsystem, version(5, 0));
    }
}
