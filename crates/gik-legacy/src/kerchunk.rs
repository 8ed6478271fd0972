//! Kerchunk's own formats: JSON (versions 0 and 1) and directories of parquet.

mod expression;
mod generate;
mod json;
mod parquet;
mod template;

pub use json::{read_json, read_json_limited, write_json};
pub use parquet::{is_parquet_folder, read_parquet, write_parquet};
