//! Tests of the HRRR model on real indexes and on generated files.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod damage;
mod generated;
mod real;
mod schema;

use std::path::Path;

use gik_core::{Parser, Run, RunRequest};
use gik_hrrr::HrrrParser;
use gik_testkit::mirror::Mirror;

/// The size of the last message, which no index tells.
const LAST: u64 = 4321;

/// A real index of `tests/fixtures`, and what its name says.
struct Fixture {
    text: String,
    /// Its path in the bucket, without `.idx`.
    path: String,
    lines: usize,
    last_offset: u64,
}

impl Fixture {
    /// `hrrr.20250801.t00z.wrfsfcf08.grib2.idx`
    fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let date = name.split('.').nth(1).unwrap();
        let file = name.replace(&format!(".{date}"), "").replace(".idx", "");
        let last = text.lines().last().unwrap().split(':').nth(1).unwrap().parse().unwrap();
        let path = format!("hrrr.{date}/conus/{file}");
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

    /// A mirror with this index, changed, and a file of the right size.
    fn mirror(&self, change: impl FnOnce(&str) -> String) -> Mirror {
        let mirror = Mirror::new().unwrap();
        let index = change(&self.text);
        let size = self.last_offset + LAST;
        mirror.put(&self.path, &format!("{}.idx", self.path), index.as_bytes(), size).unwrap();
        mirror
    }

    fn request(&self, mirror: &Mirror) -> RunRequest {
        HrrrParser.request_of_url(&mirror.root().join(&self.path).unwrap()).unwrap()
    }

    fn run(&self, mirror: &Mirror) -> Run {
        HrrrParser.run(&self.request(mirror)).unwrap()
    }
}
