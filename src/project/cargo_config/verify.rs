//! The last look before a text is written: everything but the touched keys means what it meant.

use toml_edit::{DocumentMut, Item, TableLike};

use super::RenderError;
use crate::project::splice::{self, SpliceError};

/// Compares two texts without the keys at `touched`; tables that are empty without them count for nothing.
pub(super) fn only_touched(
    old: &str,
    new: &str,
    touched: &[Vec<String>],
) -> Result<(), RenderError> {
    if touched.is_empty() {
        return Ok(());
    }
    let reduced = |text: &str| -> Result<Vec<(String, String)>, SpliceError> {
        let mut doc: DocumentMut = splice::parse(text)?.into_mut();
        for path in touched {
            drop_key(doc.as_item_mut(), path);
        }
        let mut out = Vec::new();
        flatten(doc.as_table(), "", &mut out);
        out.sort();
        Ok(out)
    };
    let (old, new) = (reduced(old)?, reduced(new)?);
    let differs = old
        .iter()
        .find(|kv| !new.contains(kv))
        .or_else(|| new.iter().find(|kv| !old.contains(kv)));
    match differs {
        None => Ok(()),
        Some((key, _)) => Err(RenderError::WouldChange { key: key.clone() }),
    }
}

fn drop_key(item: &mut Item, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut at = item;
    for part in parents {
        match at.as_table_like_mut().and_then(|t| t.get_mut(part)) {
            Some(next) => at = next,
            None => return,
        }
    }
    if let Some(table) = at.as_table_like_mut() {
        table.remove(last);
    }
}

/// Every leaf with its path, without layout.
fn flatten(table: &dyn TableLike, prefix: &str, out: &mut Vec<(String, String)>) {
    for (key, item) in table.iter() {
        let path = format!("{prefix}{}", splice::key_text(key));
        if let Item::ArrayOfTables(tables) = item {
            for (i, t) in tables.iter().enumerate() {
                flatten(t, &format!("{path}[{i}]."), out);
            }
        } else if let Some(t) = item.as_table_like() {
            flatten(t, &format!("{path}."), out);
        } else if let Some(v) = item.as_value() {
            let mut v = v.clone();
            v.decor_mut().clear();
            out.push((path, v.to_string()));
        }
    }
}
