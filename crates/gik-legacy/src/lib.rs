//! Kerchunk and Grib-Index-Kerchunk references, in and out of gik's manifests.
//!
//! Every format that is read or written here holds the same thing: a map from Zarr v2 keys to
//! metadata, bytes, or a range of a file. [`ReferenceSet`] is that map. Readers make one of
//! `[key, value]` parquet, kerchunk JSON and kerchunk parquet; it becomes a
//! [`ManifestStore`](gik_core::ManifestStore) laid out as a freshly built one, and one of any
//! manifest is written back in each of these formats.

mod archive;
mod catalogue;
mod claims;
mod columns;
mod findings;
mod from_manifest;
mod header;
mod hierarchy;
mod import;
mod inputs;
mod json;
pub mod kerchunk;
mod key_value;
mod kv;
mod longitudes;
mod manifest;
mod mapping;
mod member_files;
mod python;
mod reference_set;
mod table;
mod to_manifest;
mod url_text;
mod verify;
mod zarr_v2;

pub use findings::{Finding, Findings};
pub use header::HeaderFacts;
pub use import::{ImportRequest, Importer, ReadHeader};
pub use inputs::{Held, InputFile, inputs};
pub use json::{parse_json, strict_json};
pub use key_value::write_key_value;
pub use kv::KeyValueFile;
pub use manifest::{ImportedRun, Plan};
pub use mapping::{Mapping, MappingArchive};
pub use member_files::{MemberFile, MemberFiles, MemberOptions};
pub use python::parse_python;
pub use reference_set::{ReferenceSet, Value, is_metadata_key};
pub use table::{COLUMN_LIMIT, ROWS_LIMIT, Table};
pub use verify::{Message, Verdict};
