//! What the terminal sees: data on stdout, everything else on stderr.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use xtool::wrap;

use crate::cli::{Color, Global};

/// Bold green, for the verb of a step.
pub const STEP: Style = AnsiColor::Green.on_default().bold();
/// Bold yellow.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Bold red.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Bold cyan, for the way out.
pub const HELP: Style = AnsiColor::Cyan.on_default().bold();
/// Headings.
pub const BOLD: Style = Style::new().bold();
/// Less important.
pub const DIM: Style = Style::new().dimmed();

/// Knows how much to say, and where.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    quiet: bool,
    verbose: u8,
    json: bool,
}

#[expect(
    clippy::unused_self,
    reason = "all output goes by way of the printer, whether it is silenced or not"
)]
impl Printer {
    /// As the flags say; sets the process's colour choice.
    pub fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self {
            quiet: global.quiet,
            verbose: global.verbose,
            json: global.json,
        }
    }

    /// Whether stdout gets JSON.
    pub fn json(self) -> bool {
        self.json
    }

    /// How often `-v` was given.
    pub fn verbose(self) -> u8 {
        self.verbose
    }

    /// Whether progress bars make sense: a terminal, nobody asked for silence, and no CI that keeps the log.
    pub fn bars(self) -> bool {
        !self.quiet && io::stderr().is_terminal() && std::env::var_os("CI").is_none()
    }

    /// One line of data. A reader that has gone away is no error (`| head -1`).
    pub fn data(self, text: impl AsRef<str>) -> io::Result<()> {
        ignore_closed(writeln!(anstream::stdout(), "{}", text.as_ref()))
    }

    /// Text behind what stands `first` in the line, and on a terminal that is too narrow for it in more lines, below where
    /// it began. Elsewhere it is one line, for `grep` and the like.
    pub fn hanging(self, first: &str, style: Style, text: &str) -> io::Result<()> {
        let indent = anstream::adapter::strip_str(first)
            .to_string()
            .chars()
            .count();
        let room = columns()
            .map(|c| c.saturating_sub(indent))
            .filter(|room| *room >= LEAST_ROOM)
            .unwrap_or(usize::MAX);
        for (i, line) in wrap::paths(text, room).iter().enumerate() {
            let before = if i == 0 { first } else { &" ".repeat(indent) };
            self.data(format!("{before}{style}{line}{style:#}"))?;
        }
        Ok(())
    }

    /// Text as it is, such as a script.
    pub fn raw(self, bytes: &[u8]) -> io::Result<()> {
        ignore_closed(io::stdout().write_all(bytes))
    }

    /// A value as JSON, indented.
    pub fn value(self, value: &serde_json::Value) -> io::Result<()> {
        ignore_closed(writeln!(io::stdout(), "{value:#}"))
    }

    /// A step that was done: its verb, and what it was done to.
    pub fn step(self, verb: &str, rest: &str) {
        if !self.quiet {
            let rest = plain(rest);
            let _ = writeln!(anstream::stderr(), "{STEP}{verb:>12}{STEP:#} {rest}");
        }
    }

    /// A line without a verb.
    pub fn note(self, text: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// Something to know; the work goes on.
    pub fn warn(self, text: &str) {
        if !self.quiet {
            let text = plain(text);
            let _ = writeln!(anstream::stderr(), "{WARNING}warning{WARNING:#}: {text}");
        }
    }

    /// A way to do it otherwise, where nothing failed.
    pub fn advice(self, text: &str) {
        if !self.quiet {
            self.help(text);
        }
    }

    /// The way out.
    pub fn help(self, text: &str) {
        let text = plain(text);
        let _ = writeln!(anstream::stderr(), "{HELP}help{HELP:#}: {text}");
    }

    /// What failed; said even when quiet.
    pub fn error(self, text: &str) {
        let text = plain(text);
        let _ = writeln!(anstream::stderr(), "{ERROR}error{ERROR:#}: {text}");
    }
}

/// With fewer columns for the text the terminal wraps it as well by itself.
const LEAST_ROOM: usize = 24;

/// The width of the terminal that gets the data; `None` where it is none.
fn columns() -> Option<usize> {
    let size = terminal_size::terminal_size_of(io::stdout());
    size.map(|(width, _)| usize::from(width.0))
}

/// Without commands for the terminal, which a file's name or a server's words may hold.
fn plain(text: &str) -> Cow<'_, str> {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(odd) {
        return text.into();
    }
    let mut out = String::new();
    for c in text.chars() {
        if odd(c) {
            out.extend(c.escape_debug());
        } else {
            out.push(c);
        }
    }
    out.into()
}

fn ignore_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        // Windows, when the reader went away in time: ERROR_PIPE_NOT_CONNECTED (System Error Codes).
        Err(e) if cfg!(windows) && e.raw_os_error() == Some(233) => Ok(()),
        other => other,
    }
}

/// Bytes for people: `56.3 MB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut scaled = n;
    let mut rest = 0;
    while scaled >= 1000 && unit + 1 < UNITS.len() {
        rest = scaled % 1000;
        scaled /= 1000;
        unit += 1;
    }
    if unit == 0 || scaled >= 100 {
        format!("{scaled} {}", UNITS[unit])
    } else {
        format!("{scaled}.{} {}", rest / 100, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_short() {
        for (n, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1500, "1.5 kB"),
            (93_508_126, "93.5 MB"),
            (345_000_000, "345 MB"),
        ] {
            assert_eq!(super::bytes(n), text);
        }
    }
}
