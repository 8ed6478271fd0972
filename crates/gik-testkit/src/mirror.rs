//! A folder laid out like a model's bucket, for the tests of model crates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gik_core::{
    BuildOptions, ChunkEntry, Error, FileReferences, Headers, ManifestArray, ManifestGroup,
    ManifestStore, ObjectStoreRegistry, Parser, Report, Result, Run, RunRequest, SourceReader,
    build_manifest,
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
        self.build_from(parser, request, Headers::default())
    }

    /// The manifest of a request, from indexes or from headers.
    ///
    /// # Errors
    /// As [`build_manifest`].
    pub fn build_from(
        &self,
        parser: &dyn Parser,
        request: &RunRequest,
        headers: Headers,
    ) -> Result<(ManifestStore, Report)> {
        let run = parser.run(request)?;
        let options = BuildOptions { headers, ..BuildOptions::default() };
        let mut reader = self.reader()?;
        runtime()?.block_on(build_manifest(parser, &run, &options, &mut reader, &|_, _| {}))
    }

    /// Removes all files with this ending: the indexes.
    ///
    /// # Errors
    /// A folder that cannot be read, or a file that cannot be removed.
    pub fn remove(&self, ending: &str) -> Result<u64> {
        let (mut folders, mut removed) = (vec![self.folder.path().to_owned()], 0);
        while let Some(folder) = folders.pop() {
            let failed = |error| io_error(&folder, error);
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_string_lossy().ends_with(ending) {
                    std::fs::remove_file(&path).map_err(failed)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

/// What differs between two stores, but for the order in which their files were read: attributes,
/// arrays and their metadata, coordinates, and every reference. Nothing if they are the same.
#[must_use]
pub fn difference(one: &ManifestStore, other: &ManifestStore) -> Option<String> {
    let (a, b) = (&one.group, &other.group);
    if a.attributes != b.attributes {
        return Some("attributes of the group".to_owned());
    }
    let names = |group: &ManifestGroup| {
        group.arrays().map(|(name, _)| name.to_owned()).collect::<Vec<String>>()
    };
    if names(a) != names(b) {
        return Some(format!("arrays: {:?} and {:?}", names(a), names(b)));
    }
    for ((name, first), (_, second)) in a.arrays().zip(b.arrays()) {
        if first.metadata != second.metadata {
            return Some(format!("metadata of {name}"));
        }
        if !first.chunks.inline_chunks().eq(second.chunks.inline_chunks()) {
            return Some(format!("inline chunks of {name}"));
        }
        let places = |store: &ManifestStore, array: &ManifestArray| {
            let place = |(index, entry): (u64, ChunkEntry)| {
                let source = store.sources.get(entry.source).cloned();
                (index, source, entry.offset, entry.length)
            };
            array.chunks.virtual_chunks().map(place).collect::<Vec<_>>()
        };
        if places(one, first) != places(other, second) {
            return Some(format!("references of {name}"));
        }
    }
    None
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
