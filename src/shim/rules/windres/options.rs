//! GNU windres's options, as getopt reads them: joined or apart, and long ones by any beginning that only one has.

use std::ffi::OsString;

use super::WindresError;

/// An option, or a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opt {
    Operand,
    Input,
    Output,
    InputFormat,
    OutputFormat,
    Target,
    Include,
    Define,
    Undefine,
    Preprocessor,
    PreprocessorArg,
    Language,
    CodePage,
    Ignored,
    Version,
    Help,
}

impl Opt {
    fn has_value(self) -> bool {
        !matches!(self, Self::Ignored | Self::Version | Self::Help)
    }
}

const LONG: [(&str, Opt); 18] = [
    ("input", Opt::Input),
    ("output", Opt::Output),
    ("input-format", Opt::InputFormat),
    ("output-format", Opt::OutputFormat),
    ("target", Opt::Target),
    ("include-dir", Opt::Include),
    ("define", Opt::Define),
    ("undefine", Opt::Undefine),
    ("preprocessor", Opt::Preprocessor),
    ("preprocessor-arg", Opt::PreprocessorArg),
    ("language", Opt::Language),
    ("codepage", Opt::CodePage),
    ("verbose", Opt::Ignored),
    ("use-temp-file", Opt::Ignored),
    ("no-use-temp-file", Opt::Ignored),
    ("yydebug", Opt::Ignored),
    ("version", Opt::Version),
    ("help", Opt::Help),
];

fn short(letter: char) -> Option<Opt> {
    Some(match letter {
        'i' => Opt::Input,
        'o' => Opt::Output,
        'J' => Opt::InputFormat,
        'O' => Opt::OutputFormat,
        'F' => Opt::Target,
        'I' => Opt::Include,
        'D' => Opt::Define,
        'U' => Opt::Undefine,
        'l' => Opt::Language,
        'c' => Opt::CodePage,
        'r' | 'v' => Opt::Ignored,
        'V' => Opt::Version,
        'h' | 'H' => Opt::Help,
        _ => return None,
    })
}

fn long(name: &str) -> Option<Opt> {
    let exact = LONG.iter().find(|(n, _)| *n == name);
    let mut beginnings = LONG.iter().filter(|(n, _)| n.starts_with(name));
    let only = || beginnings.next().filter(|_| beginnings.next().is_none());
    exact.or_else(only).map(|(_, option)| *option)
}

/// A command line, an option at a time.
pub struct Words {
    args: std::vec::IntoIter<OsString>,
    /// What is left of `-rv` after its first letter.
    cluster: String,
    only_files: bool,
}

impl Words {
    pub fn new(args: Vec<OsString>) -> Self {
        Self {
            args: args.into_iter(),
            cluster: String::new(),
            only_files: false,
        }
    }

    /// The next option with its value, which is empty where it has none.
    pub fn next(&mut self) -> Result<Option<(Opt, OsString)>, WindresError> {
        if !self.cluster.is_empty() {
            let letters = std::mem::take(&mut self.cluster);
            return self.short(&letters).map(Some);
        }
        let Some(arg) = self.args.next() else {
            return Ok(None);
        };
        let option = arg.to_str().filter(|t| t.len() > 1 && t.starts_with('-'));
        let Some(option) = option.filter(|_| !self.only_files) else {
            return Ok(Some((Opt::Operand, arg)));
        };
        match option.strip_prefix("--") {
            Some("") => {
                self.only_files = true;
                self.next()
            }
            Some(text) => self.long(text).map(Some),
            None => self.short(&option[1..]).map(Some),
        }
    }

    fn long(&mut self, text: &str) -> Result<(Opt, OsString), WindresError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let said = || format!("--{name}");
        let option = long(name).ok_or_else(|| WindresError::Unknown(said()))?;
        let value = match value {
            _ if !option.has_value() => OsString::new(),
            Some(value) => value.into(),
            None => self.value(&said())?,
        };
        Ok((option, value))
    }

    /// `letters` is not empty.
    fn short(&mut self, letters: &str) -> Result<(Opt, OsString), WindresError> {
        // As rc.exe has it; not documented.
        if let Some(value) = letters.strip_prefix("fo") {
            return Ok((Opt::Output, self.joined_or_next("-fo", value)?));
        }
        let letter = letters.chars().next().unwrap_or_default();
        let rest = &letters[letter.len_utf8()..];
        let said = format!("-{letter}");
        let option = short(letter).ok_or_else(|| WindresError::Unknown(said.clone()))?;
        if !option.has_value() {
            rest.clone_into(&mut self.cluster);
            return Ok((option, OsString::new()));
        }
        Ok((option, self.joined_or_next(&said, rest)?))
    }

    fn joined_or_next(&mut self, option: &str, joined: &str) -> Result<OsString, WindresError> {
        if joined.is_empty() {
            self.value(option)
        } else {
            Ok(joined.into())
        }
    }

    fn value(&mut self, option: &str) -> Result<OsString, WindresError> {
        let value = self.args.next();
        value.ok_or_else(|| WindresError::NoValue(option.to_owned()))
    }
}
