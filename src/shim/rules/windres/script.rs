//! A resource script's text before and after preprocessing.

use std::path::Path;

/// Puts each `#pragma code_page` of a preprocessed script under the name of the file that zig reads: it heeds the
/// pragma in that file only, and after preprocessing all text is of other files. GNU windres heeds it everywhere.
pub fn with_code_pages(script: &[u8], name: &Path) -> Vec<u8> {
    let name = escaped(name);
    // A comment first: zig warns of a script that starts with the pragma.
    let mut out = b"// preprocessed\n".to_vec();
    let (mut number, mut file) = (1, &b""[..]);
    for line in script.split_inclusive(|&byte| byte == b'\n') {
        if let Some(place) = line_directive(line) {
            (number, file) = place;
            out.extend_from_slice(line);
            continue;
        }
        number += 1;
        if line.starts_with(b"#pragma code_page") && !file.is_empty() {
            out.extend_from_slice(format!("#line 1 \"{name}\"\n").as_bytes());
            out.extend_from_slice(line.trim_ascii_end());
            out.extend_from_slice(format!("\n#line {number} ").as_bytes());
            out.extend_from_slice(file);
            out.push(b'\n');
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}

/// The number of the next line and its quoted file, of `#line 4 "app.rc"`.
fn line_directive(line: &[u8]) -> Option<(usize, &[u8])> {
    let rest = line.strip_prefix(b"#line ")?.trim_ascii();
    let space = rest.iter().position(|&byte| byte == b' ')?;
    let number = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
    Some((number, &rest[space + 1..]))
}

/// Whether a script is in UTF-16, by its first bytes.
pub fn is_utf16(script: &[u8]) -> bool {
    script.starts_with(&[0xff, 0xfe]) || script.starts_with(&[0xfe, 0xff])
}

/// The text of a script in UTF-16, as Visual Studio saves it; `None` for all others.
pub fn from_utf16(script: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match script {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = script[2..]
        .chunks_exact(2)
        .map(|pair| unit([pair[0], pair[1]]));
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(text.collect())
}

/// A path in a `#line` directive.
pub fn escaped(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.replace('\\', r"\\").replace('"', "\\\"")
}
