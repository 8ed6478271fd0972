//! Tests of the GEFS model on real indexes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    reason = "a test that fails says so by panicking"
)]

mod damage;
mod headers;
mod real;
mod schema;

use gik_core::{Parser, Run, RunRequest};
use gik_gefs::GefsParser;
use gik_testkit::mirror::Mirror;
use std::path::Path;

/// Writes an index and a file of this size, of which nobody reads a byte.
fn put(mirror: &Mirror, path: &str, index: &[u8], size: u64) {
    mirror.put(path, &format!("{path}.idx"), index, size).unwrap();
}

/// A real index of `tests/fixtures`, and what its name says.
struct Fixture {
    text: String,
    /// Its path in the bucket, without `.idx`.
    path: String,
    lines: usize,
    last_offset: u64,
}

impl Fixture {
    /// `gep01.20250801.t00z.pgrb2s.0p25.f015.idx`
    fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let parts: Vec<&str> = name.trim_end_matches(".idx").split('.').collect();
        let [member, date, cycle, stem, resolution, lead] = parts[..] else { panic!("{name}") };
        let product = match stem {
            "pgrb2s" => "pgrb2sp25",
            "pgrb2a" => "pgrb2ap5",
            _ => "pgrb2bp5",
        };
        let path = format!(
            "gefs.{date}/{}/atmos/{product}/{member}.{cycle}.{stem}.{resolution}.{lead}",
            &cycle[1..3]
        );
        let last = text.lines().last().unwrap().split(':').nth(1).unwrap().parse().unwrap();
        Self { lines: text.lines().count(), path, last_offset: last, text }
    }

    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".idx"))
            .collect();
        names.sort();
        names.iter().map(|name| Self::read(name)).collect()
    }

    /// The request for this one file.
    fn request(&self, mirror: &Mirror) -> RunRequest {
        GefsParser.request_of_url(&mirror.root().join(&self.path).unwrap()).unwrap()
    }

    fn run(&self, mirror: &Mirror) -> Run {
        GefsParser.run(&self.request(mirror)).unwrap()
    }
}
