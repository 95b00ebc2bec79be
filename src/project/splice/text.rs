//! Insertions and deletions in plain text, each undone exactly by its counterpart. Nothing here knows TOML.

use std::ops::Range;

/// Removes one item of a comma-separated list, with the comma that joins it.
pub(super) fn remove_from_list(text: &str, spans: &[Range<usize>], index: usize) -> String {
    let me = &spans[index];
    let range = if index > 0 {
        spans[index - 1].end..me.end
    } else if let Some(next) = spans.get(1) {
        me.start..next.start
    } else {
        let rest = &text[me.end..];
        let comma = rest.len() - rest.trim_start().len();
        if rest[comma..].starts_with(',') {
            me.start..me.end + comma + 1
        } else {
            me.clone()
        }
    };
    replace(text, range, "")
}

pub(super) fn insert_in_brackets(
    text: &str,
    brackets: &Range<usize>,
    last: Option<usize>,
    item: &str,
) -> String {
    match last {
        Some(end) => replace(text, end..end, &format!(", {item}")),
        None => replace(text, brackets.start + 1..brackets.start + 1, item),
    }
}

pub(super) fn replace(text: &str, range: Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..range.start], &text[range.end..])
}

/// The line ending of the text's first line; a text of one line has `\n`.
pub(super) fn eol(text: &str) -> &'static str {
    match text.find('\n') {
        Some(i) if text[..i].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Inserts a line after the one that holds `offset`. A last line without an end stays the one without an end.
pub(super) fn insert_line(text: &str, offset: usize, line: &str) -> String {
    let eol = eol(text);
    match text[offset..].find('\n') {
        Some(i) => {
            let at = offset + i + 1;
            replace(text, at..at, &format!("{line}{eol}"))
        }
        None => format!("{text}{eol}{line}"),
    }
}

pub(super) fn append_block(text: &str, header: &str, assignment: &str) -> String {
    let eol = eol(text);
    let block = format!("[{header}]{eol}{assignment}");
    if text.is_empty() {
        format!("{block}{eol}")
    } else if text.ends_with('\n') {
        format!("{text}{eol}{block}{eol}")
    } else {
        format!("{text}{eol}{eol}{block}")
    }
}

/// Deletes the lines that a range touches. When they were the last ones and had no final line end, the line before
/// loses its own, because it was given to it when they were appended.
pub(super) fn delete_lines(text: &str, range: Range<usize>) -> String {
    let start = text[..range.start].rfind('\n').map_or(0, |i| i + 1);
    let end = text[range.end..].find('\n').map(|i| range.end + i + 1);
    if let Some(end) = end {
        return replace(text, start..end, "");
    }
    let kept = &text[..start];
    let kept = kept.strip_suffix('\n').unwrap_or(kept);
    kept.strip_suffix('\r').unwrap_or(kept).to_owned()
}

/// Deletes a table's header and the blank line that parts it from what is before; a comment right under the header
/// keeps it.
pub(super) fn delete_header(text: &str, header: Range<usize>) -> String {
    let mut rest = after_line(text, header.end);
    let mut comments = 0;
    while rest.trim_start_matches([' ', '\t']).starts_with('#') {
        rest = after_line(rest, 0);
        comments += 1;
    }
    // Comments right above another header are about that one.
    if comments > 0 && !rest.trim_start_matches([' ', '\t']).starts_with('[') {
        return text.to_owned();
    }
    delete_block(text, header)
}

/// What follows the line that holds `offset`.
fn after_line(text: &str, offset: usize) -> &str {
    text[offset..]
        .find('\n')
        .map_or("", |i| &text[offset + i + 1..])
}

/// Deletes the lines of a range that begins with a header, and the blank line before.
pub(super) fn delete_block(text: &str, range: Range<usize>) -> String {
    let start = text[..range.start].rfind('\n').map_or(0, |i| i + 1);
    let before = &text[..start];
    let blank_before = ["\r\n", "\n"].into_iter().find(|eol| {
        before
            .strip_suffix(eol)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('\n'))
    });
    if let Some(eol) = blank_before {
        return delete_lines(text, start - eol.len()..range.end);
    }
    let out = delete_lines(text, range);
    if start > 0 {
        return out;
    }
    // It was the first line: a blank line that parted it from the next table has nothing to part any more.
    match out.strip_prefix("\r\n").or_else(|| out.strip_prefix('\n')) {
        Some(rest) => rest.to_owned(),
        None => out,
    }
}
