//! The map that all reference formats hold, whatever they are written as.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gik_core::{Error, Result};
use serde_json::Value as Json;

use crate::parse_json;

/// What is under a key of a Zarr v2 store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The text of a metadata key (`.zgroup`, `.zattrs`, `.zarray`): JSON, in which numbers may
    /// be the bare `NaN` and `Infinity` of Python.
    Metadata(String),
    /// The encoded bytes of a chunk.
    Inline(Bytes),
    /// `length` bytes of an object, from byte `offset` on.
    Range {
        /// The object.
        url: Arc<str>,
        /// The first byte, counted from the start of the object.
        offset: u64,
        /// The number of bytes.
        length: u64,
    },
    /// A whole object.
    Whole {
        /// The object.
        url: Arc<str>,
    },
}

impl Value {
    /// What a text under `key` stands for, as kerchunk writes it: JSON under a metadata key;
    /// under any other one a list of url, offset and length, bytes in base64, or the bytes
    /// themselves where they are ASCII.
    ///
    /// # Errors
    /// When it looks like a list or base64, and is none.
    pub fn of_text(key: &str, text: &str) -> Result<Self> {
        if is_metadata_key(key) {
            return Ok(Self::Metadata(text.to_owned()));
        }
        if let Some(encoded) = text.strip_prefix("base64:") {
            let bytes = STANDARD.decode(encoded).map_err(|error| {
                Error::malformed("inline chunk", "base64", "other text").with_source(error)
            })?;
            return Ok(Self::Inline(bytes.into()));
        }
        // The bytes of a chunk may begin as a list does, too.
        let is_list = text.starts_with("[\"") && text.trim_end().ends_with(']');
        if !is_list {
            return Ok(Self::Inline(Bytes::copy_from_slice(text.as_bytes())));
        }
        Self::of_list(&parse_json(text)?)
    }

    /// What a value of kerchunk's JSON under `key` stands for: text as in
    /// [`of_text`](Self::of_text), a list of url, offset and length, or metadata.
    ///
    /// # Errors
    /// As [`of_text`](Self::of_text), and when it is something else.
    pub fn of_json(key: &str, value: &Json) -> Result<Self> {
        match value {
            Json::String(text) => Self::of_text(key, text),
            Json::Array(_) => Self::of_list(value),
            Json::Object(_) if is_metadata_key(key) => Ok(Self::Metadata(value.to_string())),
            other => Err(Error::malformed(
                "reference",
                "text or a list of url, offset and length",
                other.to_string().chars().take(60).collect::<String>(),
            )),
        }
    }

    fn of_list(list: &Json) -> Result<Self> {
        let wrong = || {
            let found = list.to_string().chars().take(200).collect::<String>();
            Error::malformed("reference", "a list of url, offset and length", found)
        };
        let parts = list.as_array().ok_or_else(wrong)?;
        let url = |url: &Json| url.as_str().filter(|url| !url.is_empty()).map(Arc::<str>::from);
        match parts.as_slice() {
            [whole] => Ok(Self::Whole { url: url(whole).ok_or_else(wrong)? }),
            [object, offset, length] => {
                let url = url(object).ok_or_else(wrong)?;
                let offset = offset.as_u64().ok_or_else(wrong)?;
                let length = length.as_u64().filter(|&length| length > 0).ok_or_else(wrong)?;
                offset.checked_add(length).ok_or_else(wrong)?;
                Ok(Self::Range { url, offset, length })
            }
            _ => Err(wrong()),
        }
    }
}

/// Keys of a Zarr v2 store with what is under them, in the order of the keys. A key that is
/// given twice has its last value, as in the Python dictionaries that these formats come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceSet {
    /// The values by key, without a leading `/`.
    pub entries: BTreeMap<String, Value>,
}

impl ReferenceSet {
    /// The text of a metadata key.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        match self.entries.get(key) {
            Some(Value::Metadata(text)) => Some(text),
            _ => None,
        }
    }

    /// The values of a metadata key. What is no JSON object has none.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<serde_json::Map<String, Json>> {
        match parse_json(self.metadata(key)?) {
            Ok(Json::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// The entries whose keys begin with `prefix`, in their order.
    pub fn below<'s>(&'s self, prefix: &'s str) -> impl Iterator<Item = (&'s str, &'s Value)> {
        self.entries
            .range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
            .map(|(key, value)| (key.as_str(), value))
            .take_while(move |(key, _)| key.starts_with(prefix))
    }
}

/// Whether a key is one of metadata: its last part begins with `.z`.
#[must_use]
pub fn is_metadata_key(key: &str) -> bool {
    key.rsplit('/').next().is_some_and(|last| last.starts_with(".z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_for_what_kerchunk_means() {
        let range = |offset, length| Value::Range { url: "s3://b/k".into(), offset, length };
        let inline = |bytes: &'static [u8]| Value::Inline(Bytes::from_static(bytes));
        let of = |text: &str| Value::of_text("a/0", text).unwrap();
        assert_eq!(of(r#"["s3:\/\/b\/k", 3, 4]"#), range(3, 4));
        assert_eq!(of(r#"["s3://b/k"]"#), Value::Whole { url: "s3://b/k".into() });
        assert_eq!(of("base64:AAE="), inline(b"\0\x01"));
        assert_eq!(of("\0\0\0\0\0\0\0@"), inline(b"\0\0\0\0\0\0\0@"));
        assert_eq!(of("[bytes]"), inline(b"[bytes]"));
        assert_eq!(Value::of_text("a/.zattrs", "{}").unwrap(), Value::Metadata("{}".into()));
        for wrong in [
            r#"["u", -1, 4]"#,
            r#"["u", 1.5, 4]"#,
            r#"["u", 1, 0]"#,
            r#"["u", 1]"#,
            r#"["", 1, 2]"#,
            r#"["u", 18446744073709551615, 1]"#,
            "base64:?",
            r#"["u", 1, 2, 3]"#,
            r#"["u", NaN, 1]"#,
        ] {
            assert!(Value::of_text("a/0", wrong).is_err(), "{wrong}");
        }
    }
}
