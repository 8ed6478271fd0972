//! Tests of the GEFS model on real indexes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    reason = "a test that fails says so by panicking"
)]

mod damage;
mod real;
mod schema;

use std::path::Path;
use std::sync::Arc;

use gik_core::{ObjectStoreRegistry, Parser, Run, RunRequest, SourceReader};
use gik_gefs::GefsParser;
use object_store::local::LocalFileSystem;
use tempfile::TempDir;
use url::Url;

/// A folder laid out like the bucket, and its url.
struct Mirror {
    folder: TempDir,
    root: Url,
}

impl Mirror {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let root = Url::from_directory_path(folder.path()).unwrap();
        Self { folder, root }
    }

    fn stores(&self) -> ObjectStoreRegistry {
        let store = LocalFileSystem::new_with_prefix(self.folder.path()).unwrap();
        let mut stores = ObjectStoreRegistry::default();
        stores.register(&self.root, Arc::new(store)).unwrap();
        stores
    }

    fn reader(&self) -> SourceReader {
        SourceReader::new(self.stores())
    }

    /// Writes an index and a file of this size, of which nobody reads a byte.
    fn put(&self, path: &str, index: &[u8], size: u64) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(&path).unwrap().set_len(size).unwrap();
        std::fs::write(format!("{}.idx", path.display()), index).unwrap();
    }
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
        GefsParser.request_of_url(&mirror.root.join(&self.path).unwrap()).unwrap()
    }

    fn run(&self, mirror: &Mirror) -> Run {
        GefsParser.run(&self.request(mirror)).unwrap()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
