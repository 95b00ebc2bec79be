//! Outputs that are no plain files: `-o /dev/null`, `-o /dev/stdout`, a named pipe, `-o -`.
//!
//! zig renames what it made over the output, so that as root it puts a file in the place of `/dev/null` (`-S` and `-E`,
//! seen with 0.15.2), or waits for ever to write into a pipe (a link). clang and GCC write into what is there. So zig
//! makes a file in a folder of ours, and its bytes go where they belong.

use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::ShimError;
use super::rules::output_at;

/// A driver's output that is no plain file.
#[derive(Debug)]
pub(super) struct Special {
    /// `None`: standard output.
    to: Option<PathBuf>,
    folder: tempfile::TempDir,
}

/// The output in `args`, if it is no plain file; the arguments then name one of ours.
pub(super) fn take(args: &mut Vec<OsString>) -> Result<Option<Special>, ShimError> {
    let Some((at, given)) = named(args) else {
        return Ok(None);
    };
    let to = (given != "-").then(|| PathBuf::from(&given));
    if let Some(path) = &to
        && path.metadata().map_or(true, |m| m.is_file() || m.is_dir())
    {
        return Ok(None);
    }
    let failed = |source| ShimError::Output {
        path: given.clone().into(),
        source,
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    args.splice(at, ["-o".into(), made(folder.path()).into()]);
    Ok(Some(Special { to, folder }))
}

/// The arguments that name the output, and the path. Text that is preprocessed for standard output needs no file in
/// between.
fn named(args: &[OsString]) -> Option<(Range<usize>, OsString)> {
    output_at(args).filter(|(_, path)| path != "-" || !args.iter().any(|arg| arg == "-E"))
}

fn made(folder: &Path) -> PathBuf {
    folder.join("output")
}

impl Special {
    /// Writes what was made to where it belongs. A driver that was only to look at a source made nothing.
    pub(super) fn pass_on(self) -> Result<(), ShimError> {
        let copy = || -> io::Result<()> {
            let made = made(self.folder.path());
            if !made.is_file() {
                return Ok(());
            }
            let mut from = fs_err::File::open(made)?;
            match &self.to {
                None => io::copy(&mut from, &mut io::stdout())?,
                Some(path) => {
                    let mut to = fs_err::OpenOptions::new().write(true).open(path)?;
                    io::copy(&mut from, &mut to)?
                }
            };
            Ok(())
        };
        copy().map_err(|source| ShimError::Output {
            path: self.to.clone().unwrap_or_else(|| "-".into()),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Option<(Range<usize>, OsString)> {
        named(&args.iter().map(Into::into).collect::<Vec<_>>())
    }

    #[test]
    fn the_last_output_counts_and_values_are_none() {
        assert_eq!(of(&["-S", "a.c", "-o", "-"]), Some((2..4, "-".into())));
        assert_eq!(of(&["-o-", "-c", "a.c"]), Some((0..1, "-".into())));
        assert_eq!(
            of(&["-o/dev/null", "a.o"]),
            Some((0..1, "/dev/null".into()))
        );
        assert_eq!(of(&["-o", "a", "-o", "b"]), Some((2..4, "b".into())));
        for none in [
            &["-E", "a.c", "-o", "-"][..],
            &["-MF", "-o", "-c", "a.c"],
            &["-c", "a.c"],
            &["-o"],
        ] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }

    #[test]
    fn only_what_is_no_plain_file_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("a.o");
        fs_err::write(&plain, "").unwrap();
        for path in [plain.as_os_str(), "nowhere/a.o".as_ref()] {
            let mut args: Vec<OsString> =
                vec!["-c".into(), "a.c".into(), "-o".into(), path.to_owned()];
            let before = args.clone();
            assert!(take(&mut args).unwrap().is_none());
            assert_eq!(args, before);
        }
        #[cfg(unix)]
        {
            let mut args: Vec<OsString> = vec!["-c".into(), "a.c".into(), "-o/dev/null".into()];
            let special = take(&mut args).unwrap().unwrap();
            assert_eq!(args.len(), 4);
            fs_err::write(&args[3], "made").unwrap();
            special.pass_on().unwrap();
            assert!(!Path::new("/dev/null").is_file());
        }
    }
}
