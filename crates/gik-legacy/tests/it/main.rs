//! Readers of legacy references, held against the files that their tools wrote.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, in its helpers too; what is cast is small"
)]

mod archive;
mod import;
mod kerchunk;
mod kv;
mod manifest;
mod table;
mod template;
mod written;

/// The bytes of a file in `fixtures/`.
fn fixture(name: &str) -> bytes::Bytes {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")).into()
}
