//! Tests of the ECMWF model on real and generated indexes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails says so by panicking"
)]

mod damage;
mod eras;
mod real;
mod requests;
mod schema;

use std::path::PathBuf;
use std::sync::Arc;

use gik_core::{
    BuildOptions, FileReferences, ManifestStore, ObjectStoreRegistry, Parser, Report, Result, Run,
    RunRequest, SourceReader, build_manifest,
};
use gik_ecmwf::EcmwfParser;
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

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes an index and a file of this size, of which nobody reads a byte.
    fn put(&self, path: &str, index: &[u8], size: u64) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(&path).unwrap().set_len(size).unwrap();
        std::fs::write(path.with_extension("index"), index).unwrap();
    }

    fn request(&self, product: &str, time: &str) -> RunRequest {
        let mut request = RunRequest::new(time.parse().unwrap());
        request.product = Some(product.to_owned());
        request.source = Some(self.root.clone());
        request
    }

    /// The references of the first file of a run.
    fn read(&self, run: &Run) -> Result<FileReferences> {
        let source = &EcmwfParser.sources(run).unwrap()[0];
        runtime().block_on(EcmwfParser.references(run, source, &self.reader()))
    }

    fn build(&self, request: &RunRequest) -> Result<(ManifestStore, Report)> {
        let run = EcmwfParser.run(request).unwrap();
        let options = BuildOptions::default();
        runtime().block_on(async {
            build_manifest(&EcmwfParser, &run, &options, &mut self.reader(), &|_, _| {}).await
        })
    }
}

fn fixture(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
