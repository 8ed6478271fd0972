//! Kerchunk's JSON (its specification, version 1): one object of all references.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gik_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::{ReferenceSet, Value};

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
