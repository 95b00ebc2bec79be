//! What the manifest says of parts: which a toolchain has, and which a target needs.

use super::reader::Table;
use super::{ManifestError, Toolchain};
use crate::parts::{Parts, PartsError, Paths};
use crate::target::check_name;

/// `[toolchain.NAME.parts]`: names of the author's choice, each with its folders.
pub(super) fn toolchain_parts(mut table: Table<'_>) -> Result<Parts, ManifestError> {
    let text = table.text();
    let mut parts = Parts::default();
    for (name, folders) in table.named_strings()? {
        check_name(name.value, "part name").map_err(|e| text.error(&name.span, e.to_string()))?;
        if folders.is_empty() {
            return Err(text.error(
                &name.span,
                format!("The part `{}` is empty: expected folders", name.value),
            ));
        }
        for at in folders {
            at.value
                .parse::<Paths>()
                .and_then(|paths| parts.insert(name.value, paths))
                .map_err(|e| text.error(&at.span, e.to_string()))?;
        }
    }
    Ok(parts)
}

/// `parts` of a target; an empty list is one of the core alone, and no list is the whole toolchain.
pub(super) fn target_parts(
    table: &mut Table<'_>,
    toolchain: &Toolchain,
) -> Result<Option<Vec<String>>, ManifestError> {
    let text = table.text();
    if !table.has("parts") {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for at in table.strings("parts")? {
        if !toolchain.parts.has(at.value) {
            let unknown = PartsError::Unknown {
                toolchain: toolchain.name.clone(),
                part: at.value.escape_debug().to_string(),
                known: toolchain.parts.names(),
            };
            return Err(text.error(&at.span, unknown.to_string()));
        }
        parts.push(at.value.to_owned());
    }
    Ok(Some(parts))
}
