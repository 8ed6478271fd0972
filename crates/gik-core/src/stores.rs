//! Object stores by url, and reading a model's small files from them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use crate::{Error, ErrorKind, Result, SourceFile};

/// Object stores, each answering for the urls below a prefix. The longest prefix wins.
///
/// The core opens no store by itself: whoever builds the registry decides which places
/// can be read, and with which credentials.
#[derive(Default, Clone)]
pub struct ObjectStoreRegistry {
    stores: BTreeMap<String, Arc<dyn ObjectStore>>,
}

impl fmt::Debug for ObjectStoreRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.stores.keys()).finish()
    }
}

impl ObjectStoreRegistry {
    /// Lets `store` answer for the urls below `prefix`; its paths are relative to it.
    ///
    /// # Errors
    /// When `prefix` does not end with `/`.
    pub fn register(&mut self, prefix: &Url, store: Arc<dyn ObjectStore>) -> Result<()> {
        if !prefix.as_str().ends_with('/') {
            return Err(Error::argument(
                prefix.as_str(),
                "is a prefix of urls and must end with /",
            ));
        }
        self.stores.insert(prefix.as_str().to_owned(), store);
        Ok(())
    }

    /// The store for `url`, and the path in it.
    ///
    /// # Errors
    /// When no registered prefix covers it.
    pub fn resolve(&self, url: &Url) -> Result<(&Arc<dyn ObjectStore>, Path)> {
        let (prefix, store) = self
            .stores
            .iter()
            .rev()
            .find(|(prefix, _)| url.as_str().starts_with(prefix.as_str()))
            .ok_or_else(|| {
                Error::argument(
                    url.as_str(),
                    format!("lies below none of the places opened for reading: {self:?}"),
                )
            })?;
        let relative = url.as_str().get(prefix.len()..).unwrap_or_default();
        let path = Path::from_url_path(relative).map_err(|error| {
            Error::argument(url.as_str(), "is no path of an object").with_source(error)
        })?;
        Ok((store, path))
    }
}

/// What a store knows about an object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its size in bytes.
    pub size: u64,
    /// When it was last modified, in seconds since 1970, rounded up: later than every
    /// moment of the modification itself.
    pub last_modified: i64,
    /// Its entity tag.
    pub etag: Option<String>,
}

impl From<ObjectMeta> for ObjectInfo {
    fn from(meta: ObjectMeta) -> Self {
        let partial = i64::from(meta.last_modified.timestamp_subsec_nanos() > 0);
        Self {
            size: meta.size,
            last_modified: meta.last_modified.timestamp() + partial,
            etag: meta.e_tag,
        }
    }
}

/// The bytes of an index and what is known about it and its data file.
#[derive(Debug, Clone)]
pub struct IndexedFile {
    /// The index.
    pub index: Bytes,
    /// What the store says about the index.
    pub index_info: ObjectInfo,
    /// What the store says about the data file.
    pub data: ObjectInfo,
    /// Whether there is no such index: its text was made from the headers of the file.
    pub is_scanned: bool,
}

/// How much newer than its index a file may be: both are published within minutes.
const STALE_SECONDS: i64 = 3600;

impl IndexedFile {
    /// The bytes of the index; none of one that was made from headers, which are counted as they
    /// are read.
    #[must_use]
    pub fn index_bytes(&self) -> u64 {
        if self.is_scanned { 0 } else { self.index.len() as u64 }
    }

    /// Checks that the index is not much older than its file: it would be about what the file
    /// was before. Producers have replaced files without writing their indexes anew.
    ///
    /// The times of local files are those of their copying; they are not compared.
    ///
    /// # Errors
    /// [`Mismatch`](ErrorKind::Mismatch), when it is.
    pub fn check_age(&self, source: &SourceFile) -> Result<()> {
        let older = self.data.last_modified - self.index_info.last_modified;
        if older > STALE_SECONDS && source.index.scheme() != "file" {
            return Err(Error::mismatch(
                "age of the index",
                "written after its file",
                format!("{} minutes before it; the file was replaced since", older / 60),
            )
            .in_url(source.index.as_str()));
        }
        Ok(())
    }
}

/// The largest index read. The largest real ones have 2.5 MB.
const INDEX_LIMIT: u64 = 64 << 20;
/// Objects in a page of a listing, on every store of the S3 kind.
const LIST_PAGE: u64 = 1000;

/// Reads indexes, and counts what it asks for.
///
/// Folders are listed once, beforehand: a listing tells the sizes and times of a thousand
/// objects in one request. Objects of folders that were not listed are asked for singly.
#[derive(Debug)]
pub struct SourceReader {
    stores: ObjectStoreRegistry,
    listings: HashMap<Url, HashMap<String, ObjectInfo>>,
    requests: AtomicU64,
    range_bytes: AtomicU64,
}

impl SourceReader {
    /// Reads from these stores.
    #[must_use]
    pub fn new(stores: ObjectStoreRegistry) -> Self {
        Self {
            stores,
            listings: HashMap::new(),
            requests: AtomicU64::new(0),
            range_bytes: AtomicU64::new(0),
        }
    }

    /// The requests made so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether a folder was listed.
    #[must_use]
    pub fn is_listed(&self, folder: &Url) -> bool {
        self.listings.contains_key(folder)
    }

    /// Lists a folder, so that its objects need not be asked for singly. A store that
    /// cannot or may not list is no error: the objects are then asked for singly.
    ///
    /// # Errors
    /// When `folder` is in no registered store.
    pub async fn list(&mut self, folder: &Url) -> Result<()> {
        let (store, path) = self.stores.resolve(folder)?;
        // Plain web servers have no listings, and some answer as if it were worth retrying.
        if matches!(folder.scheme(), "http" | "https") {
            return Ok(());
        }
        // The stream is read to its end before anything is kept: half a listing would make
        // files look missing.
        let listed: Result<Vec<ObjectMeta>, _> = store.list(Some(&path)).try_collect().await;
        let pages = listed.as_ref().map_or(1, |objects| 1 + objects.len() as u64 / LIST_PAGE);
        self.requests.fetch_add(pages, Ordering::Relaxed);
        if let Ok(objects) = listed {
            let objects = objects.into_iter().filter_map(|meta| {
                let name = meta.location.filename()?.to_owned();
                Some((name, ObjectInfo::from(meta)))
            });
            self.listings.insert(folder.clone(), objects.collect());
        }
        Ok(())
    }

    /// What the store knows about the object `url` of `folder`.
    ///
    /// # Errors
    /// When it is not there, or the store does not answer.
    pub async fn stat(&self, folder: &Url, url: &Url) -> Result<ObjectInfo> {
        let (store, path) = self.stores.resolve(url)?;
        if let Some(listing) = self.listings.get(folder) {
            return path
                .filename()
                .and_then(|name| listing.get(name))
                .cloned()
                .ok_or_else(|| Error::new(ErrorKind::NotFound).in_url(url.as_str()));
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let meta =
            store.head(&path).await.map_err(|error| Error::from(error).in_url(url.as_str()))?;
        Ok(meta.into())
    }

    /// The index of `source`, and what is known about both files.
    ///
    /// # Errors
    /// When one of them is not there or cannot be read, or the index is absurdly large.
    pub async fn read(&self, source: &SourceFile) -> Result<IndexedFile> {
        if self.listings.contains_key(&source.folder) {
            // No request for an index that the listing does not have.
            let data = self.stat(&source.folder, &source.data).await?;
            self.stat(&source.folder, &source.index).await?;
            let (index, index_info) = self.get(&source.index).await?;
            return Ok(IndexedFile { index, index_info, data, is_scanned: false });
        }
        let (data, index) =
            futures::join!(self.stat(&source.folder, &source.data), self.get(&source.index));
        let data = data?;
        let (index, index_info) = index?;
        Ok(IndexedFile { index, index_info, data, is_scanned: false })
    }

    /// A range of the bytes of the object `url`: fewer where it ends before.
    ///
    /// # Errors
    /// When it is not there, begins after its end, or cannot be read.
    pub async fn range(&self, url: &Url, range: Range<u64>) -> Result<Bytes> {
        let (store, path) = self.stores.resolve(url)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let wanted = range.end.saturating_sub(range.start);
        let start = range.start;
        let bytes = store
            .get_range(&path, range)
            .await
            .map_err(|error| Error::from(error).in_url(url.as_str()).at(start))?;
        self.range_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        // A server that ignores ranges would answer with other bytes.
        if bytes.len() as u64 > wanted {
            let expected = format!("{wanted} bytes from byte {start} on");
            let found = format!("{} bytes", bytes.len());
            return Err(Error::mismatch("answer to a range", expected, found).in_url(url.as_str()));
        }
        Ok(bytes)
    }

    /// The bytes of all [`range`](Self::range)s so far.
    #[must_use]
    pub fn range_bytes(&self) -> u64 {
        self.range_bytes.load(Ordering::Relaxed)
    }

    async fn get(&self, url: &Url) -> Result<(Bytes, ObjectInfo)> {
        let (store, path) = self.stores.resolve(url)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let failed = |error| Error::from(error).in_url(url.as_str());
        let too_large = |found| {
            Error::new(ErrorKind::LimitExceeded {
                what: "size of the index",
                limit: INDEX_LIMIT,
                found,
            })
            .in_url(url.as_str())
        };
        let answer = store.get_opts(&path, GetOptions::default()).await.map_err(failed)?;
        let info = ObjectInfo::from(answer.meta.clone());
        if info.size > INDEX_LIMIT {
            return Err(too_large(info.size));
        }
        // A server may send more than it announced.
        let mut stream = answer.into_stream();
        let mut pieces = Vec::new();
        let mut size = 0;
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(failed)?;
            size += piece.len() as u64;
            if size > INDEX_LIMIT {
                return Err(too_large(size));
            }
            pieces.push(piece);
        }
        let bytes = match pieces.len() {
            1 => pieces.pop().unwrap_or_default(),
            _ => Bytes::from(pieces.concat()),
        };
        Ok((bytes, info))
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn the_longest_prefix_answers() {
        let mut registry = ObjectStoreRegistry::default();
        let url = |text: &str| Url::parse(text).unwrap();
        registry.register(&url("s3://b/"), Arc::new(InMemory::new())).unwrap();
        registry.register(&url("s3://b/deep/"), Arc::new(InMemory::new())).unwrap();
        assert_eq!(registry.resolve(&url("s3://b/deep/x")).unwrap().1.as_ref(), "x");
        assert_eq!(registry.resolve(&url("s3://b/deepx/y")).unwrap().1.as_ref(), "deepx/y");
        let error = registry.resolve(&url("https://h/x")).unwrap_err().to_string();
        assert!(error.contains("s3://b/deep/"), "{error}");
        assert!(registry.register(&url("s3://b/deep"), Arc::new(InMemory::new())).is_err());
    }
}
