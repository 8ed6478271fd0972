//! Kerchunk's JSON (its specification, version 1): one object of all references.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gik_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value as Json, json};

use super::generate::generate;
use super::template::{Scope, Template, Templates};
use crate::{ROWS_LIMIT, ReferenceSet, Value, is_metadata_key, parse_json};

/// Reads kerchunk's JSON: version 0, the bare references, and version 1, with `templates` and
/// `gen`. Of jinja it takes what the specification shows; see the errors.
///
/// # Errors
/// When it is no such JSON, when an expression is not understood, and when there would be more
/// than two million generated references. The text names the key.
pub fn read_json(text: &str) -> Result<ReferenceSet> {
    read_json_limited(text, ROWS_LIMIT)
}

/// As [`read_json`], with another limit to the number of references where some are generated.
///
/// # Errors
/// As [`read_json`].
pub fn read_json_limited(text: &str, limit: u64) -> Result<ReferenceSet> {
    let Json::Object(mut document) = parse_json(text)? else {
        return Err(Error::malformed("kerchunk JSON", "an object", "something else"));
    };
    let version = document.get("version").cloned();
    let Some(Json::Object(refs)) = document.get_mut("refs").map(Json::take) else {
        if version.is_some() {
            return Err(Error::malformed("kerchunk JSON", "an object under refs", "none"));
        }
        return references(&document, None);
    };
    if version.as_ref().and_then(Json::as_i64).is_none_or(|version| version > 1) {
        let version = version.unwrap_or_default().to_string();
        return Err(Error::unsupported("version of kerchunk JSON", version));
    }
    let templates = match document.get("templates") {
        Some(Json::Object(templates)) => Templates::parse(templates)?,
        None | Some(Json::Null) => Templates::default(),
        Some(_) => return Err(Error::malformed("templates", "an object", "something else")),
    };
    // Without templates braces are what they are, as fsspec has it.
    let has_templates = document.contains_key("templates");
    let mut set = references(&refs, has_templates.then_some(&templates))?;
    match document.get("gen") {
        Some(Json::Array(generators)) => {
            for (number, generator) in generators.iter().enumerate() {
                generate(&mut set, generator, &templates, limit)
                    .map_err(|error| error.in_url(format!("gen[{number}]")))?;
            }
        }
        None | Some(Json::Null) => {}
        Some(_) => return Err(Error::malformed("gen", "a list", "something else")),
    }
    Ok(set)
}

fn references(refs: &Map<String, Json>, templates: Option<&Templates>) -> Result<ReferenceSet> {
    let mut set = ReferenceSet::default();
    for (key, value) in refs {
        let value = reference(key, value, templates).map_err(|error| error.in_url(key.clone()))?;
        set.entries.insert(key.trim_start_matches('/').to_owned(), value);
    }
    Ok(set)
}

fn reference(key: &str, value: &Json, templates: Option<&Templates>) -> Result<Value> {
    let Some(templates) = templates else { return Value::of_json(key, value) };
    let made = |text: &str| Template::parse(text)?.render(&Scope { templates, values: &[] });
    match value {
        // Only places have templates: elsewhere braces are what they are.
        Json::Array(list) if !is_metadata_key(key) => {
            let Some(Json::String(url)) = list.first() else { return Value::of_json(key, value) };
            if !url.contains("{{") {
                return Value::of_json(key, value);
            }
            let mut list = list.clone();
            if let Some(first) = list.first_mut() {
                *first = made(url)?.into();
            }
            Value::of_json(key, &Json::Array(list))
        }
        value => Value::of_json(key, value),
    }
}

/// Writes references as kerchunk's JSON of version 1: strict JSON, full urls, bytes in base64.
///
/// # Errors
/// When `to` cannot be written.
pub fn write_json(set: &ReferenceSet, to: impl Write) -> Result<()> {
    written(set, to)
        .map_err(|error| Error::new(ErrorKind::Io { retryable: false }).with_source(error))
}

fn written(set: &ReferenceSet, mut to: impl Write) -> std::io::Result<()> {
    to.write_all(b"{\"version\":1,\"refs\":{")?;
    let mut separator = "";
    for (key, value) in &set.entries {
        let value = match value {
            Value::Metadata(text) => json!(text),
            Value::Inline(bytes) => json!(format!("base64:{}", STANDARD.encode(bytes))),
            Value::Range { url, offset, length } => json!([&**url, offset, length]),
            Value::Whole { url } => json!([&**url]),
        };
        write!(to, "{separator}\n{}:{value}", json!(key))?;
        separator = ",";
    }
    to.write_all(b"\n}}\n")?;
    to.flush()
}
