//! Reads a TOML table key by key, so that each error can name file, line, column and what was expected.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ManifestError;

/// The text that positions are counted in.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub path: &'a Path,
    pub text: &'a str,
}

impl Text<'_> {
    /// An error at a byte range of the text.
    pub fn error(self, span: &Range<usize>, message: impl Into<String>) -> ManifestError {
        let before = &self.text[..span.start.min(self.text.len())];
        ManifestError::Invalid {
            path: PathBuf::from(self.path),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|&c| c != '\n').count() + 1,
            message: message.into(),
        }
    }
}

/// One table, of which each key is taken once; what is left over is an error.
pub(super) struct Table<'a> {
    text: Text<'a>,
    name: String,
    span: Range<usize>,
    rest: Vec<(
        &'a Spanned<toml::de::DeString<'a>>,
        &'a Spanned<DeValue<'a>>,
    )>,
    known: Vec<&'static str>,
}

/// A value and where it stands.
pub(super) struct At<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// A key of the author's choice, and its array of strings.
type NamedStrings<'a> = (At<&'a str>, Vec<At<&'a str>>);

impl<'a> Table<'a> {
    pub fn new(text: Text<'a>, name: &str, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self {
            text,
            name: name.to_owned(),
            span,
            rest: table.iter().collect(),
            known: Vec::new(),
        }
    }

    /// A value that must be a table.
    pub fn of(
        text: Text<'a>,
        name: &str,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Result<Self, ManifestError> {
        match value.get_ref().as_table() {
            Some(table) => Ok(Self::new(text, name, table, value.span())),
            None => Err(text.error(
                &value.span(),
                format!(
                    "`{name}` is {}: expected a table",
                    article(value.get_ref().type_str())
                ),
            )),
        }
    }

    pub fn text(&self) -> Text<'a> {
        self.text
    }

    pub fn error(&self, message: impl Into<String>) -> ManifestError {
        self.text.error(&self.span, message)
    }

    pub fn take(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        let i = self
            .rest
            .iter()
            .position(|(k, _)| k.get_ref().as_ref() == key)?;
        Some(self.rest.swap_remove(i).1)
    }

    /// Whether the key is there and was not taken yet.
    pub fn has(&self, key: &str) -> bool {
        self.rest.iter().any(|(k, _)| k.get_ref().as_ref() == key)
    }

    pub fn string(&mut self, key: &'static str) -> Result<Option<At<&'a str>>, ManifestError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match value.get_ref().as_str() {
            Some(s) if !s.is_empty() => Ok(Some(At {
                value: s,
                span: value.span(),
            })),
            Some(_) => Err(self.text.error(
                &value.span(),
                format!("`{key}` is empty: expected a string with something in it"),
            )),
            None => Err(self.wrong_type(key, value, "a string")),
        }
    }

    pub fn required(&mut self, key: &'static str) -> Result<At<&'a str>, ManifestError> {
        self.string(key)?
            .ok_or_else(|| self.error(format!("{} lacks `{key}`: expected a string", self.name)))
    }

    /// A string that `parse` understands.
    pub fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ManifestError> {
        let Some(at) = self.string(key)? else {
            return Ok(None);
        };
        match parse(at.value) {
            Ok(v) => Ok(Some(v)),
            Err(e) => Err(self.text.error(&at.span, format!("`{key}`: {e}"))),
        }
    }

    pub fn required_parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, ManifestError> {
        self.parsed(key, parse)?
            .ok_or_else(|| self.error(format!("{} lacks `{key}`: expected a string", self.name)))
    }

    pub fn integer(&mut self, key: &'static str) -> Result<Option<u64>, ManifestError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        value
            .get_ref()
            .as_integer()
            .and_then(|i| u64::from_str_radix(i.as_str(), i.radix()).ok())
            .map(Some)
            .ok_or_else(|| {
                self.wrong_type(key, value, "a whole number from 0 to 18446744073709551615")
            })
    }

    pub fn strings(&mut self, key: &'static str) -> Result<Vec<At<&'a str>>, ManifestError> {
        match self.take(key) {
            Some(value) => self.strings_of(key, value),
            None => Ok(Vec::new()),
        }
    }

    /// Every key that is left, with arrays of strings under names of the author's choice.
    pub fn named_strings(&mut self) -> Result<Vec<NamedStrings<'a>>, ManifestError> {
        let mut rest = std::mem::take(&mut self.rest);
        rest.sort_by_key(|(k, _)| k.span().start);
        rest.into_iter()
            .map(|(key, value)| {
                let at = At {
                    value: key.get_ref().as_ref(),
                    span: key.span(),
                };
                Ok((at, self.strings_of(key.get_ref(), value)?))
            })
            .collect()
    }

    fn strings_of(
        &self,
        key: &str,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Result<Vec<At<&'a str>>, ManifestError> {
        let expected = "an array of strings";
        let Some(array) = value.get_ref().as_array() else {
            return Err(self.wrong_type(key, value, expected));
        };
        array
            .iter()
            .map(|item| match item.get_ref().as_str() {
                Some(s) if !s.is_empty() => Ok(At {
                    value: s,
                    span: item.span(),
                }),
                _ => Err(self.wrong_type(key, item, expected)),
            })
            .collect()
    }

    pub fn tables(&mut self, key: &'static str) -> Result<Vec<Table<'a>>, ManifestError> {
        let Some(value) = self.take(key) else {
            return Ok(Vec::new());
        };
        let Some(array) = value.get_ref().as_array() else {
            return Err(self.wrong_type(key, value, "an array of tables"));
        };
        array
            .iter()
            .map(|item| Table::of(self.text, key, item))
            .collect()
    }

    /// Every key that is left, as sub-tables with names of the author's choice.
    pub fn named_tables(&mut self) -> Result<Vec<(At<&'a str>, Table<'a>)>, ManifestError> {
        let mut rest = std::mem::take(&mut self.rest);
        rest.sort_by_key(|(k, _)| k.span().start);
        rest.into_iter()
            .map(|(key, value)| {
                let at = At {
                    value: key.get_ref().as_ref(),
                    span: key.span(),
                };
                if value.get_ref().as_table().is_none() {
                    return Err(self.unknown_key(key));
                }
                Ok((at, Table::of(self.text, key.get_ref(), value)?))
            })
            .collect()
    }

    /// Nothing may be left over.
    pub fn finish(self) -> Result<(), ManifestError> {
        match self.rest.iter().min_by_key(|(k, _)| k.span().start) {
            None => Ok(()),
            Some((key, _)) => Err(self.unknown_key(key)),
        }
    }

    fn unknown_key(&self, key: &Spanned<toml::de::DeString<'a>>) -> ManifestError {
        let known: Vec<String> = self.known.iter().map(|k| format!("`{k}`")).collect();
        self.text.error(
            &key.span(),
            format!(
                "Unknown key `{}` in {}: expected {}",
                key.get_ref().escape_debug(),
                self.name,
                known.join(", ")
            ),
        )
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'a>>, expected: &str) -> ManifestError {
        self.text.error(
            &value.span(),
            format!(
                "`{key}` is {}: expected {expected}",
                article(value.get_ref().type_str())
            ),
        )
    }
}

fn article(noun: &str) -> String {
    let an = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if an { "an" } else { "a" })
}
