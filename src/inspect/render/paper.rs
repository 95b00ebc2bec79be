//! Lines of at most 80 columns.

use anstyle::{AnsiColor, Style};

use crate::wrap::words as wrap;

/// Columns.
pub const WIDTH: usize = 80;
/// Where the value of a field begins.
const FIELD: usize = 16;
/// Where the reason of an answer begins.
const REASON: usize = 38;

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const WARN: Style = AnsiColor::Yellow.on_default();

/// What is written so far.
#[derive(Debug, Default)]
pub struct Paper {
    text: String,
}

impl Paper {
    /// A line as it is.
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// An empty line, then a heading.
    pub fn heading(&mut self, text: &str) {
        self.line("");
        self.line(&format!("{BOLD}{text}{BOLD:#}"));
    }

    /// A label, then its value, broken at words.
    pub fn field(&mut self, label: &str, value: &str) {
        let lines = wrap(value, WIDTH - FIELD);
        for (i, line) in lines.iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            self.line(&format!("  {DIM}{label:<14}{DIM:#}{line}"));
        }
    }

    /// A name of `width` columns or more, then its state.
    pub fn row(&mut self, name: &str, width: usize, style: Style, state: &str) {
        let at = width + 4;
        if state.is_empty() {
            self.line(&format!("  {name}"));
            return;
        }
        let mut lines = wrap(state, WIDTH - at).into_iter();
        if name.chars().count() > width {
            self.line(&format!("  {name}"));
        } else {
            let first = lines.next().unwrap_or_default();
            self.line(&format!("  {name:<width$}  {style}{first}{style:#}"));
        }
        for line in lines {
            self.line(&format!("{:at$}{style}{line}{style:#}", ""));
        }
    }

    /// Yes or no, to what, and why.
    pub fn answer(&mut self, style: Style, word: &str, name: &str, reasons: &[String]) {
        let mut lines = reasons.iter().flat_map(|r| wrap(r, WIDTH - REASON));
        let width = REASON - 7;
        let head = format!("  {style}{word}{style:#}  ");
        if name.chars().count() > width - 1 {
            self.line(&format!("{head}{name}"));
        } else {
            let first = lines.next().unwrap_or_default();
            self.line(&format!("{head}{name:<width$}{first}"));
        }
        for line in lines {
            self.line(&format!("{:REASON$}{line}", ""));
        }
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.text
    }
}
