//! Byte-exact edits of a TOML text: every byte outside the key that is set or removed stays as it was.
//!
//! `toml_edit` finds the places (its spans), but the text is never rendered by it: rendering would normalise line
//! endings and lose the byte order mark. An edit is an insertion, a deletion or a replacement of a range, and
//! [`remove`] deletes exactly the bytes that [`set`] inserted.
//!
//! The text here has no byte order mark; the caller keeps it ([`split_bom`]).

use std::ops::Range;

use toml_edit::{Array, Document, InlineTable, Item, Table, TableLike, TomlError, Value};

mod text;
use text::{
    append_block, delete_block, delete_header, delete_lines, eol, insert_in_brackets, insert_line,
    remove_from_list, replace,
};

/// Why a text cannot be edited.
#[derive(Debug, thiserror::Error)]
pub enum SpliceError {
    /// It is not TOML.
    #[error("line {line}, column {column}: {message}")]
    Toml {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The parser's words.
        message: String,
    },
    /// It is TOML in a shape that has no place for the key.
    #[error("`{0}` is written in a way that cannot be edited")]
    Shape(String),
}

/// The byte order mark, if there is one, and the rest.
pub fn split_bom(text: &str) -> (&str, &str) {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text),
    }
}

/// The line (from 1) and column (from 1, in characters) of a byte offset.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// Parses, with line and column in the error.
pub fn parse(text: &str) -> Result<Document<String>, SpliceError> {
    Document::parse(text.to_owned()).map_err(|e: TomlError| {
        let (line, column) = position(text, e.span().map_or(0, |s| s.start));
        SpliceError::Toml {
            line,
            column,
            // The parser's text may span lines (a list of what it expected): one line is enough here.
            message: e.message().lines().next().unwrap_or_default().to_owned(),
        }
    })
}

/// A key as it stands in a header or before `=`: bare where it can be, else quoted.
pub fn key_text(key: &str) -> String {
    let bare = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare {
        key.to_owned()
    } else {
        string_text(key)
    }
}

/// A string as a TOML value, with the quotes that need the fewest escapes.
pub fn string_text(s: &str) -> String {
    Value::from(s).to_string()
}

/// Strings as a TOML array on one line.
pub fn array_text<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<String> = items.iter().map(|s| string_text(s.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// The item at `table`.`key`.
pub fn get<'d>(doc: &'d Document<String>, table: &[&str], key: &str) -> Option<&'d Item> {
    let mut at: &dyn TableLike = doc.as_table();
    for part in table {
        at = at.get(part)?.as_table_like()?;
    }
    at.get(key).filter(|i| !i.is_none())
}

/// Sets `table`.`key` to the TOML value `value`: in place where the key is there, else as a new line at the end of
/// its table, else in a new table at the end of the text.
pub fn set(text: &str, table: &[&str], key: &str, value: &str) -> Result<String, SpliceError> {
    let doc = parse(text)?;
    if let Some(item) = get(&doc, table, key) {
        let span = item
            .as_value()
            .and_then(Value::span)
            .ok_or_else(|| shape(table, key))?;
        return Ok(replace(text, span, value));
    }
    insert(text, &doc, table, key, value)
}

fn insert(
    text: &str,
    doc: &Document<String>,
    table: &[&str],
    key: &str,
    value: &str,
) -> Result<String, SpliceError> {
    let assignment = format!("{} = {value}", key_text(key));
    // The deepest part of the path that is there, and the nearest part with a header of its own.
    let mut at = doc.as_item();
    let mut depth = 0;
    let mut header_depth = 0;
    for part in table {
        let Some(next) = at.as_table_like().and_then(|t| t.get(part)) else {
            break;
        };
        at = next;
        depth += 1;
        if at
            .as_table()
            .is_some_and(|t| !t.is_dotted() && !t.is_implicit())
        {
            header_depth = depth;
        }
    }
    let complete = depth == table.len();
    match at {
        Item::Value(Value::InlineTable(inline)) if !inline.is_dotted() => {
            let span = inline.span().ok_or_else(|| shape(table, key))?;
            let mut entry = assignment;
            for part in table[depth..].iter().rev() {
                entry = format!("{} = {{ {entry} }}", key_text(part));
            }
            let last = last_of_inline(inline);
            Ok(insert_in_brackets(text, &span, last, &entry))
        }
        Item::Table(t) if t.is_dotted() => {
            let path: Vec<String> = table[header_depth..]
                .iter()
                .map(|p| key_text(p))
                .chain([assignment])
                .collect();
            let after = last_of_body(t).ok_or_else(|| shape(table, key))?;
            Ok(insert_line(text, after, &path.join(".")))
        }
        Item::Table(t) if complete && (depth == 0 || !t.is_implicit()) => match last_of_body(t) {
            Some(after) => Ok(insert_line(text, after, &assignment)),
            None if depth == 0 => Ok(format!("{assignment}{}{text}", eol(text))),
            None => {
                let header = t.span().ok_or_else(|| shape(table, key))?;
                Ok(insert_line(text, header.end, &assignment))
            }
        },
        Item::Table(_) => {
            let header: Vec<String> = table.iter().map(|p| key_text(p)).collect();
            Ok(append_block(text, &header.join("."), &assignment))
        }
        _ => Err(shape(table, key)),
    }
}

/// Removes `table`.`key`. A table that is empty then goes too, with the blank line before its header, unless
/// `keep_table` says that it was there before or a comment follows its header.
pub fn remove(
    text: &str,
    table: &[&str],
    key: &str,
    keep_table: bool,
) -> Result<String, SpliceError> {
    let doc = parse(text)?;
    let Some(item) = get(&doc, table, key) else {
        return Ok(text.to_owned());
    };
    let mut container = doc.as_item();
    for part in table {
        container = container.get(part).ok_or_else(|| shape(table, key))?;
    }
    let value = item
        .as_value()
        .and_then(Value::span)
        .ok_or_else(|| shape(table, key))?;
    match container {
        Item::Value(Value::InlineTable(inline)) if !inline.is_dotted() => {
            let out = remove_from_inline(text, inline, key).ok_or_else(|| shape(table, key))?;
            let emptied = inline.len() == 1;
            match table.split_last() {
                Some((last, parent)) if emptied && !keep_table && is_inline(&doc, parent) => {
                    remove(&out, parent, last, true)
                }
                _ => Ok(out),
            }
        }
        Item::Table(t) => {
            let start = t
                .key(key)
                .and_then(toml_edit::Key::span)
                .ok_or_else(|| shape(table, key))?
                .start;
            let out = delete_lines(text, start..value.end);
            let body = t.iter().filter(|(_, i)| belongs_to_body(i)).count();
            let has_header = !table.is_empty() && !t.is_dotted() && !t.is_implicit();
            if has_header && body == 1 && !keep_table {
                let header = t.span().ok_or_else(|| shape(table, key))?;
                // The header stands before its keys, so its span is still right.
                return Ok(delete_header(&out, header));
            }
            Ok(out)
        }
        _ => Err(shape(table, key)),
    }
}

/// Removes `table`.`key` whatever it is: a value, or a table with its header and everything under it. The table that
/// held it goes with its last entry.
pub fn remove_any(text: &str, table: &[&str], key: &str) -> Result<String, SpliceError> {
    let doc = parse(text)?;
    let Some(item) = get(&doc, table, key) else {
        return Ok(text.to_owned());
    };
    let Some(inner) = item.as_table() else {
        return remove(text, table, key, false);
    };
    let path: Vec<&str> = table.iter().copied().chain([key]).collect();
    let children: Vec<String> = inner.iter().map(|(k, _)| k.to_owned()).collect();
    let mut out = text.to_owned();
    for child in children.iter().rev() {
        out = remove_any(&out, &path, child)?;
    }
    let doc = parse(&out)?;
    match get(&doc, table, key).and_then(Item::as_table) {
        // An empty table, or one that a comment under its header had kept.
        Some(t) if !t.is_dotted() && !t.is_implicit() => {
            let header = t.span().ok_or_else(|| shape(table, key))?;
            let mut end = header.end;
            while let Some(line) = out[end..].find('\n').map(|i| end + i + 1)
                && out[line..].trim_start_matches([' ', '\t']).starts_with('#')
            {
                end = out[line..]
                    .find(['\r', '\n'])
                    .map_or(out.len(), |i| line + i);
            }
            // Comments right above another header are about that one.
            let next = out[end..].find('\n').map_or("", |i| &out[end + i + 1..]);
            if next.trim_start_matches([' ', '\t']).starts_with('[') {
                end = header.end;
            }
            Ok(delete_block(&out, header.start..end))
        }
        _ => Ok(out),
    }
}

/// Appends elements to the array at `table`.`key`.
pub fn push(
    text: &str,
    table: &[&str],
    key: &str,
    elements: &[String],
) -> Result<String, SpliceError> {
    let doc = parse(text)?;
    let array = array_at(&doc, table, key)?;
    let span = array.span().ok_or_else(|| shape(table, key))?;
    let last = array
        .get(array.len().wrapping_sub(1))
        .and_then(Value::span)
        .map(|s| s.end);
    Ok(insert_in_brackets(text, &span, last, &elements.join(", ")))
}

/// Takes the elements for which `ours` is true out of the array at `table`.`key`.
pub fn take(
    text: &str,
    table: &[&str],
    key: &str,
    ours: impl Fn(&Value) -> bool,
) -> Result<String, SpliceError> {
    let mut text = text.to_owned();
    loop {
        let doc = parse(&text)?;
        let array = array_at(&doc, table, key)?;
        let Some(index) = array.iter().position(&ours) else {
            return Ok(text);
        };
        let spans: Vec<Range<usize>> = array.iter().filter_map(Value::span).collect();
        if spans.len() != array.len() {
            return Err(shape(table, key));
        }
        text = remove_from_list(&text, &spans, index);
    }
}

fn array_at<'d>(
    doc: &'d Document<String>,
    table: &[&str],
    key: &str,
) -> Result<&'d Array, SpliceError> {
    get(doc, table, key)
        .and_then(Item::as_array)
        .ok_or_else(|| shape(table, key))
}

fn shape(table: &[&str], key: &str) -> SpliceError {
    let mut path: Vec<String> = table.iter().map(|p| key_text(p)).collect();
    path.push(key_text(key));
    SpliceError::Shape(path.join("."))
}

fn is_inline(doc: &Document<String>, table: &[&str]) -> bool {
    table
        .split_last()
        .and_then(|(last, parent)| get(doc, parent, last))
        .is_some_and(Item::is_inline_table)
}

/// Values and dotted tables stand under the table's own header; sub-tables have headers of their own.
fn belongs_to_body(item: &Item) -> bool {
    match item {
        Item::Value(_) => true,
        Item::Table(t) => t.is_dotted() && last_of_body(t).is_some(),
        _ => false,
    }
}

/// Where the last value under the table's own header ends.
fn last_of_body(table: &Table) -> Option<usize> {
    table
        .iter()
        .filter_map(|(_, item)| match item {
            Item::Value(v) => v.span().map(|s| s.end),
            Item::Table(t) if t.is_dotted() => last_of_body(t),
            _ => None,
        })
        .max()
}

fn last_of_inline(table: &InlineTable) -> Option<usize> {
    table.iter().filter_map(|(_, v)| end_of(v)).max()
}

fn end_of(value: &Value) -> Option<usize> {
    match value {
        Value::InlineTable(t) if t.is_dotted() => last_of_inline(t),
        v => v.span().map(|s| s.end),
    }
}

fn remove_from_inline(text: &str, inline: &InlineTable, key: &str) -> Option<String> {
    let mut spans = Vec::new();
    let mut index = None;
    for (i, (k, v)) in inline.iter().enumerate() {
        if k == key {
            index = Some(i);
        }
        spans.push(inline.key(k)?.span()?.start..end_of(v)?);
    }
    Some(remove_from_list(text, &spans, index?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: &[&str] = &["target", "x86_64-pc-windows-gnu"];

    fn there_and_back(text: &str, keep: bool) -> String {
        let with = set(text, T, "linker", "\"/s/cc\"").unwrap();
        let doc = parse(&with).unwrap();
        assert_eq!(
            get(&doc, T, "linker").and_then(Item::as_str),
            Some("/s/cc"),
            "{with}"
        );
        assert_eq!(remove(&with, T, "linker", keep).unwrap(), text, "{with}");
        with
    }

    #[test]
    fn set_then_remove_gives_the_same_bytes_in_every_shape() {
        for text in [
            "",
            "\n",
            "a = 1",
            "a = 1\n",
            "a = 1\r\n",
            "a = 1\r\n# end",
            "# only a comment",
            "[target]\n",
            "[target]\nx.linker = 'a'\n",
            "target.other.linker = 'a' # note\n\n[build]\njobs = 1",
            "target = { other = { linker = 'a' } }\n",
            "target = {}\n",
            "target = { }\n",
            "[target.x86_64-pc-windows-gnu.lib]\nrustc-flags = ''\n",
            "[[registry]]\na = 1\n",
        ] {
            there_and_back(text, false);
        }
        for text in [
            "[target.x86_64-pc-windows-gnu]",
            "[target.x86_64-pc-windows-gnu] # mine\n\n[z]\n",
            "[target.'x86_64-pc-windows-gnu']\nrustflags = [\n  'a', # why\n]\n# about z\n[z]\n",
            "[target]\nx86_64-pc-windows-gnu.ar = 'a'\n",
            "target.x86_64-pc-windows-gnu.ar = 'a'",
            "[target]\nx86_64-pc-windows-gnu = { ar = 'a' }\n",
            "[target]\nx86_64-pc-windows-gnu = {}\n",
        ] {
            there_and_back(text, true);
        }
    }

    #[test]
    fn a_new_table_stands_apart_from_what_was_there() {
        assert_eq!(
            there_and_back("a = 1\r\n", false),
            "a = 1\r\n\r\n[target.x86_64-pc-windows-gnu]\r\nlinker = \"/s/cc\"\r\n"
        );
        assert_eq!(
            there_and_back("target.other.linker = 'a'\n[b]\n", false),
            "target.other.linker = 'a'\ntarget.x86_64-pc-windows-gnu.linker = \"/s/cc\"\n[b]\n"
        );
    }

    #[test]
    fn a_comment_under_the_header_keeps_the_table() {
        let text = "[target.x86_64-pc-windows-gnu]\n# mine\nlinker = 'a'\n";
        assert_eq!(
            remove(text, T, "linker", false).unwrap(),
            "[target.x86_64-pc-windows-gnu]\n# mine\n"
        );
        let text = "[target.x86_64-pc-windows-gnu]\nlinker = 'a'\n# about b\n[b]\n";
        assert_eq!(
            remove(text, T, "linker", false).unwrap(),
            "# about b\n[b]\n"
        );
    }

    #[test]
    fn elements_come_and_go() {
        for list in [
            "[]",
            "[ ]",
            "['a']",
            "[\n 'a', # x\n 'b',\n]",
            "['a', ]",
            "[ # none\n]",
        ] {
            let text = format!("[target.x86_64-pc-windows-gnu]\nrustflags = {list}\n");
            let with = push(&text, T, "rustflags", &["\"-Z\"".to_owned()]).unwrap();
            let back = take(&with, T, "rustflags", |v| v.as_str() == Some("-Z")).unwrap();
            assert_eq!(back, text, "{with}");
        }
        let text = "a = ['x',]\n";
        assert_eq!(take(text, &[], "a", |_| true).unwrap(), "a = []\n");
    }

    #[test]
    fn errors_name_line_and_column() {
        let e = parse("a = 1\nb = [\n").unwrap_err();
        assert!(
            e.to_string().starts_with("line 2") || e.to_string().starts_with("line 3"),
            "{e}"
        );
        assert_eq!(position("aé\nbc", 5), (2, 2));
    }

    #[test]
    fn shapes_without_a_place_are_refused() {
        assert!(matches!(
            set("target = 3\n", T, "linker", "1"),
            Err(SpliceError::Shape(p)) if p == "target.x86_64-pc-windows-gnu.linker"
        ));
        assert!(set("[env.X]\nvalue = 'a'\n", &["env"], "X", "1").is_err());
    }
}
