//! Tests of the ECMWF model on real and generated indexes.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod damage;
mod eras;
mod headers;
mod real;
mod requests;
mod schema;

use gik_testkit::mirror::Mirror;
use std::path::PathBuf;

/// Writes an index and a file of this size, of which nobody reads a byte.
fn put(mirror: &Mirror, path: &str, index: &[u8], size: u64) {
    mirror.put(path, &path.replace(".grib2", ".index"), index, size).unwrap();
}

fn fixture(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read_to_string(folder.join(name)).unwrap()
}
