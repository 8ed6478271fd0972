//! A folder laid out like a model's bucket, for the tests of model crates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gik_core::{
    BuildOptions, Error, FileReferences, ManifestStore, ObjectStoreRegistry, Parser, Report,
    Result, Run, RunRequest, SourceReader, build_manifest,
};
use object_store::local::LocalFileSystem;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::generated::io_error;

/// A temporary folder laid out like a bucket, and its url.
#[derive(Debug)]
pub struct Mirror {
    folder: TempDir,
    root: Url,
}

impl Mirror {
    /// An empty one.
    ///
    /// # Errors
    /// When there is no place for a temporary folder.
    pub fn new() -> Result<Self> {
        let folder = TempDir::new().map_err(|error| io_error(Path::new("a folder"), error))?;
        let root = Url::from_directory_path(folder.path())
            .map_err(|()| Error::argument(folder.path().display().to_string(), "is no url"))?;
        Ok(Self { folder, root })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The url of the folder, ending with `/`.
    #[must_use]
    pub const fn root(&self) -> &Url {
        &self.root
    }

    /// A path below the folder.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes an index and a data file of `size` bytes, of which nobody reads one.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn put(&self, data: &str, index: &str, text: &[u8], size: u64) -> Result<()> {
        crate::generated::write_sparse(&self.path(data), size)?;
        let index = self.path(index);
        std::fs::write(&index, text).map_err(|error| io_error(&index, error))
    }

    /// The store of the folder.
    ///
    /// # Errors
    /// When the folder is gone.
    pub fn stores(&self) -> Result<ObjectStoreRegistry> {
        let store = LocalFileSystem::new_with_prefix(self.folder.path())
            .map_err(|error| io_error(self.folder.path(), error.into()))?;
        let mut stores = ObjectStoreRegistry::default();
        stores.register(&self.root, Arc::new(store))?;
        Ok(stores)
    }

    /// Reads files of the folder.
    ///
    /// # Errors
    /// As [`stores`](Self::stores).
    pub fn reader(&self) -> Result<SourceReader> {
        Ok(SourceReader::new(self.stores()?))
    }

    /// All of a product's run, read from the folder.
    ///
    /// # Errors
    /// When `time` is no `YYYY-MM-DDTHH`.
    pub fn request(&self, product: &str, time: &str) -> Result<RunRequest> {
        let mut request = RunRequest::new(time.parse()?);
        request.product = Some(product.to_owned());
        request.source = Some(self.root.clone());
        Ok(request)
    }

    /// The references of the first file of a run.
    ///
    /// # Errors
    /// As [`Parser::references`].
    pub fn read(&self, parser: &dyn Parser, run: &Run) -> Result<FileReferences> {
        let sources = parser.sources(run)?;
        let first = sources.first().ok_or_else(|| Error::argument("run", "has no files"))?;
        runtime()?.block_on(parser.references(run, first, &self.reader()?))
    }

    /// The manifest of a request.
    ///
    /// # Errors
    /// As [`build_manifest`].
    pub fn build(
        &self,
        parser: &dyn Parser,
        request: &RunRequest,
    ) -> Result<(ManifestStore, Report)> {
        let run = parser.run(request)?;
        let options = BuildOptions::default();
        let mut reader = self.reader()?;
        runtime()?.block_on(build_manifest(parser, &run, &options, &mut reader, &|_, _| {}))
    }
}

/// A runtime on this thread.
///
/// # Errors
/// When none can be started.
pub fn runtime() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| io_error(Path::new("runtime"), error))
}
