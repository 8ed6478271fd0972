//! Parquet files of two columns, key and value: a flattened kerchunk store, one for each member.
//!
//! Layouts, told apart by their columns and rows:
//! - a row a key: `key` text, `value` bytes (later writers: `reference` for `value`);
//! - two rows, `refs` and `version`, of which the first is the whole store as JSON or as Python
//!   prints a dictionary; GFS has three more columns.

use bytes::Bytes;
use gik_core::{Error, Result};
use serde_json::Value as Json;

use crate::{ReferenceSet, Table, Value, parse_json, parse_python};

/// What was read of a file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct KeyValueFile {
    /// The references.
    pub references: ReferenceSet,
    /// The rows of the table, or entries of the dictionary.
    pub rows: u64,
    /// Rows that are none of a store's: `metadata`, `version`, ….
    pub junk: u64,
    /// Keys that end with `/`.
    pub slashes: u64,
    /// Rows that could not be used: which, and why.
    pub problems: Vec<String>,
    /// How many of these there are.
    pub problem_count: u64,
}

/// Keys that writers put beside a store's.
const JUNK: [&str; 4] = ["metadata", "zarr_consolidated_format", "_kerchunk_metadata", "version"];
/// Problems that are kept in words.
const PROBLEMS_KEPT: usize = 20;

impl KeyValueFile {
    /// References that were read of another format.
    #[must_use]
    pub fn of_references(references: ReferenceSet) -> Self {
        let slashes = references.entries.keys().filter(|key| key.ends_with('/')).count() as u64;
        Self { rows: references.entries.len() as u64, slashes, references, ..Self::default() }
    }

    /// Reads a file of which these are the bytes. Rows that cannot be used are left out.
    ///
    /// # Errors
    /// When it is no parquet file, has other columns, or cannot be read.
    pub fn read(file: Bytes) -> Result<Self> {
        let table = Table::open(file)?;
        if crate::mapping::is_mapping(&table) {
            return Err(Self::refused_mapping());
        }
        let value_column = ["value", "reference"].into_iter().find(|name| table.has(name));
        let (true, Some(value_column)) = (table.has("key"), value_column) else {
            let found = table.names().take(20).collect::<Vec<_>>().join(", ");
            return Err(Error::mismatch("columns", "'key' and 'value' or 'reference'", found));
        };
        let keys = table.bytes("key")?;
        let values = table.bytes(value_column)?;
        let mut read = Self::default();
        let is_whole = keys.len() <= 2 && keys.iter().any(|key| key.as_deref() == Some(b"refs"));
        for (row, (key, value)) in (0_u64..).zip(keys.into_iter().zip(values)) {
            let Some(key) = key.as_deref().and_then(|key| str::from_utf8(key).ok()) else {
                read.problem(format!("row {row}: the key is null, or no text"));
                continue;
            };
            match (is_whole, key) {
                (true, "refs") => read.read_store(value.as_deref().unwrap_or_default())?,
                (true, _) => read.junk += 1,
                (false, _) => {
                    read.rows += 1;
                    read.read_row(row, key, value);
                }
            }
        }
        read.resolve_slashes();
        Ok(read)
    }

    fn problem(&mut self, text: String) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_KEPT {
            self.problems.push(text);
        }
    }

    fn read_row(&mut self, row: u64, key: &str, value: Option<Bytes>) {
        if self.passes_over(key) {
            return;
        }
        // What a null stands for is nothing: the chunk is missing.
        let Some(bytes) = value else { return };
        let value = match str::from_utf8(&bytes) {
            Ok(text) => Value::of_text(key, text),
            Err(_) if crate::is_metadata_key(key) => {
                Err(Error::malformed("metadata", "text in UTF-8", "other bytes"))
            }
            Err(_) => Ok(Value::Inline(bytes)),
        };
        match value {
            Ok(value) => self.insert(key, value),
            Err(error) => self.problem(format!("row {row}, key {}: {error}", shortened(key))),
        }
    }

    /// The one row that holds a whole store.
    fn read_store(&mut self, bytes: &[u8]) -> Result<()> {
        let text = str::from_utf8(bytes).map_err(|error| {
            Error::malformed("row 'refs'", "text in UTF-8", "other bytes").with_source(error)
        })?;
        let store = match text.trim_start().starts_with("{'") {
            true => parse_python(text)?,
            false => parse_json(text)?,
        };
        let mut store = store;
        // Some writers put the row into the dictionary again.
        if let Some(Json::Object(inner)) = store.get_mut("refs").map(Json::take) {
            store = Json::Object(inner);
        }
        let Json::Object(entries) = store else {
            return Err(Error::malformed("row 'refs'", "a dictionary", "another value"));
        };
        for (key, value) in entries {
            self.rows += 1;
            if self.passes_over(&key) {
                continue;
            }
            match Value::of_json(&key, &value) {
                Ok(value) => self.insert(&key, value),
                Err(error) => self.problem(format!("key {}: {error}", shortened(&key))),
            }
        }
        Ok(())
    }

    fn passes_over(&mut self, key: &str) -> bool {
        let is_junk = JUNK.contains(&key);
        self.junk += u64::from(is_junk);
        is_junk
    }

    fn insert(&mut self, key: &str, value: Value) {
        self.slashes += u64::from(key.ends_with('/'));
        self.references.entries.insert(key.trim_start_matches('/').to_owned(), value);
    }

    /// Gives keys that end with `/` the number of the first chunk, which is what they mean: the
    /// writers forgot it where an array has no dimensions.
    fn resolve_slashes(&mut self) {
        let entries = &mut self.references.entries;
        let keys: Vec<String> = entries.keys().filter(|key| key.ends_with('/')).cloned().collect();
        for key in keys {
            let metadata = self.references.object(&format!("{key}.zarray"));
            let entries = &mut self.references.entries;
            let Some(value) = entries.remove(&key) else { continue };
            let dimensions = metadata
                .and_then(|it| it.get("shape").and_then(Json::as_array).map(Vec::len))
                .unwrap_or_default();
            // A shape of a thousand dimensions is none.
            let zeros = vec!["0"; dimensions.clamp(1, 32)].join(".");
            entries.entry(format!("{key}{zeros}")).or_insert(value);
        }
    }
}

/// A key for a message.
fn shortened(key: &str) -> String {
    let mut text: String = key.chars().take(80).collect();
    if text.len() < key.len() {
        text.push('…');
    }
    format!("'{}'", text.escape_debug())
}
