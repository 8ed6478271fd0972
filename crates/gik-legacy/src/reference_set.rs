//! The map that all reference formats hold, whatever they are written as.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

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

/// Keys of a Zarr v2 store with what is under them, in the order of the keys. A key that is
/// given twice has its last value, as in the Python dictionaries that these formats come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceSet {
    /// The values by key, without a leading `/`.
    pub entries: BTreeMap<String, Value>,
}
