//! A terminal for a child's stderr, so that what it says can be read by the way and still looks as on the user's own.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt as _;

use rustix::fs::{Mode, OFlags};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, OutputModes};
use rustix::{io, termios};

/// A pseudoterminal. Neither end becomes the controlling terminal of a process.
#[expect(
    clippy::disallowed_types,
    reason = "an end of a terminal has no path to name in errors"
)]
pub(super) struct Terminal {
    /// What the program says comes out here.
    pub outer: std::fs::File,
    /// For the program.
    pub inner: std::fs::File,
}

/// A new terminal of the size of `of`, which leaves line ends to `of` itself.
pub(super) fn like(of: &impl AsFd) -> io::Result<Terminal> {
    let outer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    // Not every system takes the flag when it opens one.
    fcntl_setfd(&outer, FdFlags::CLOEXEC)?;
    grantpt(&outer)?;
    unlockpt(&outer)?;
    let name = OsString::from_vec(ptsname(&outer, Vec::new())?.into_bytes());
    let options = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let inner = rustix::fs::open(&name, options, Mode::empty())?;
    let mut settings = termios::tcgetattr(&inner)?;
    settings.output_modes.remove(OutputModes::OPOST);
    termios::tcsetattr(&inner, OptionalActions::Now, &settings)?;
    termios::tcsetwinsize(&inner, termios::tcgetwinsize(of)?)?;
    Ok(Terminal {
        outer: outer.into(),
        inner: inner.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{IsTerminal as _, Read as _, Write as _};

    #[test]
    fn what_is_written_comes_out_unchanged() {
        // Any terminal will do to be like; a system without them has none for a shim either.
        let Ok(outer) = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY) else {
            eprintln!("skipped: this system gives no pseudoterminal");
            return;
        };
        unlockpt(&outer).unwrap();
        termios::tcsetwinsize(
            &outer,
            termios::Winsize {
                ws_row: 24,
                ws_col: 77,
                ws_xpixel: 0,
                ws_ypixel: 0,
            },
        )
        .unwrap();
        let mut terminal = like(&outer).unwrap();
        assert!(terminal.inner.is_terminal());
        assert_eq!(termios::tcgetwinsize(&terminal.inner).unwrap().ws_col, 77);
        terminal
            .inner
            .write_all(b"one\n\x1b[31mtwo\x1b[0m\n")
            .unwrap();
        drop(terminal.inner);
        let mut text = Vec::new();
        // Linux ends it with EIO.
        let _ = terminal.outer.read_to_end(&mut text);
        assert_eq!(text, b"one\n\x1b[31mtwo\x1b[0m\n");
    }
}
