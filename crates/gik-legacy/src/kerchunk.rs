//! Kerchunk's own formats: JSON (versions 0 and 1) and directories of parquet.

mod json;

pub use json::write_json;
