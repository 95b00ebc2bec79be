//! The one line `include = [{ path = "xtool.toml", optional = true }]` in a configuration file that git tracks.
//!
//! The table form is cargo's from 1.94 on; `optional` lets a clone build before it was synced.

use toml_edit::{Item, Value};

use super::{Claim, RenderError};
use crate::project::splice;

/// The file beside `config.toml` that holds our keys in include mode.
pub const INCLUDED_FILE: &str = "xtool.toml";

const ELEMENT: &str = r#"{ path = "xtool.toml", optional = true }"#;

fn names_ours(value: &Value) -> bool {
    let path = match value {
        Value::InlineTable(t) => t.get("path").and_then(Value::as_str),
        v => v.as_str(),
    };
    matches!(path, Some("xtool.toml" | "./xtool.toml"))
}

/// Whether a text includes our file.
pub fn includes(text: &str) -> bool {
    let (_, body) = splice::split_bom(text);
    let Ok(doc) = splice::parse(body) else {
        return false;
    };
    match splice::get(&doc, &[], "include") {
        Some(Item::Value(Value::Array(a))) => a.iter().any(names_ours),
        Some(Item::Value(v)) => names_ours(v),
        Some(Item::ArrayOfTables(tables)) => tables
            .iter()
            .any(|t| t.get("path").and_then(Item::as_str) == Some(INCLUDED_FILE)),
        _ => false,
    }
}

/// Adds the line, or an element to a list of the user's.
pub fn render_include(
    text: &str,
    file: &str,
    claims: &[Claim],
) -> Result<(String, Vec<Claim>), RenderError> {
    let mut claims = claims.to_vec();
    if includes(text) {
        return Ok((text.to_owned(), claims));
    }
    let (bom, body) = splice::split_bom(text);
    let doc = splice::parse(body)?;
    let (new, before) = match splice::get(&doc, &[], "include") {
        None => {
            let line = format!("[{ELEMENT}]");
            (splice::set(body, &[], "include", &line)?, None)
        }
        Some(Item::Value(v @ Value::Array(_))) => {
            let raw = v.span().map(|s| body[s].to_owned());
            let new = splice::push(body, &[], "include", &[ELEMENT.to_owned()])?;
            (new, raw)
        }
        Some(Item::Value(v @ Value::String(s))) => {
            let raw = v.span().map(|s| body[s].to_owned());
            let list = format!("[{}, {ELEMENT}]", splice::string_text(s.value()));
            (splice::set(body, &[], "include", &list)?, raw)
        }
        Some(_) => return Err(splice::SpliceError::Shape("include".to_owned()).into()),
    };
    super::verify::only_touched(body, &new, &[vec!["include".to_owned()]])?;
    claims.retain(|c| c.path != ["include"]);
    claims.push(Claim {
        file: file.to_owned(),
        path: vec!["include".to_owned()],
        wrote: vec![INCLUDED_FILE.to_owned()],
        before,
        table_existed: true,
    });
    Ok((format!("{bom}{new}"), claims))
}

/// Takes the line or the element out again.
pub fn unrender_include(text: &str, claims: &[Claim]) -> Result<(String, Vec<Claim>), RenderError> {
    let (bom, body) = splice::split_bom(text);
    let doc = splice::parse(body)?;
    let claim = claims.iter().find(|c| c.path == ["include"]);
    let mut rest = claims.to_vec();
    rest.retain(|c| c.path != ["include"]);
    let Some(Item::Value(Value::Array(array))) = splice::get(&doc, &[], "include") else {
        return Ok((text.to_owned(), rest));
    };
    let only_ours = !array.is_empty() && array.iter().all(names_ours);
    let new = match claim.and_then(|c| c.before.as_deref()) {
        Some(b) if b.starts_with(['"', '\'']) && array.len() == 2 => {
            splice::set(body, &[], "include", b)?
        }
        None if only_ours => splice::remove(body, &[], "include", true)?,
        _ => splice::take(body, &[], "include", names_ours)?,
    };
    Ok((format!("{bom}{new}"), rest))
}
