//! The `[key, value]` table of Grib-Index-Kerchunk: a row for each key of a member's store.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gik_core::Result;
use parquet::basic::Compression;
use parquet::data_type::ByteArray;
use serde_json::Value as Json;

use crate::columns::{Column, Values, write};
use crate::{ReferenceSet, Value};

/// Writes references as a `[key, value]` table: text and bytes, SNAPPY, one row group, as the
/// legacy workflow does with pandas.
///
/// # Errors
/// When `to` cannot be written.
pub fn write_key_value(set: &ReferenceSet, to: impl Write + Send) -> Result<()> {
    let bytes = |text: String| Some(ByteArray::from(text.into_bytes()));
    let keys = set.entries.keys().map(|key| bytes(key.clone())).collect();
    let values = set.entries.values().map(|value| bytes(text(value))).collect();
    let columns = [
        Column { name: "key", values: Values::Text(keys) },
        Column { name: "value", values: Values::Bytes(values) },
    ];
    write(&columns, Compression::SNAPPY, to)
}

/// A value as its row has it: lists as Python writes them.
fn text(value: &Value) -> String {
    match value {
        Value::Metadata(text) => text.clone(),
        Value::Inline(bytes) => format!("base64:{}", STANDARD.encode(bytes)),
        Value::Range { url, offset, length } => {
            format!("[{}, {offset}, {length}]", Json::from(&**url))
        }
        Value::Whole { url } => format!("[{}]", Json::from(&**url)),
    }
}
