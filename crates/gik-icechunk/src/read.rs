//! Repositories opened for reading.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use gik_core::{Attributes, CoordinateValues, Error, ErrorKind, Result};
use icechunk::config::{ManifestConfig, ManifestPreloadCondition, ManifestPreloadConfig};
use icechunk::format::manifest::{ChunkPayload, VirtualReferenceErrorKind};
use icechunk::format::snapshot::NodeData;
use icechunk::format::{ByteRange, ChunkIndices};
use icechunk::repository::VersionInfo;
use icechunk::session::{Session, SessionErrorKind};
use icechunk::store::StoreErrorKind;
use icechunk::{RepositoryConfig, Store};
use tokio::sync::RwLock;
use zarrs::array::codec::api::{
    ArrayBytesRaw, ArrayToBytesCodecTraits, BytesPartialDecoderTraits, CodecError,
};
use zarrs::array::data_type::{Float32DataType, Float64DataType, Int64DataType};
use zarrs::array::{Array, ArrayBytes, ArraySubset, CodecOptions};
use zarrs::storage::StorageError;
use zarrs::storage::byte_range::ByteRangeIterator;
use zarrs_icechunk::AsyncIcechunkStore;

use crate::{Container, S3Settings, StoreLocation, container, fault};

/// A repository, and which of the places that it refers to may be read.
pub struct Repository {
    pub(crate) inner: icechunk::Repository,
    pub(crate) location: StoreLocation,
    containers: Vec<Container>,
    /// Whether each of these may be read here.
    authorized: Vec<bool>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("location", &self.location)
            .field("containers", &self.containers)
            .finish_non_exhaustive()
    }
}

/// A commit on `main`.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Its id.
    pub snapshot: String,
    /// When it was made, in seconds since 1970.
    pub seconds: i64,
    /// Its message.
    pub message: String,
    /// Facts kept with it.
    pub properties: serde_json::Map<String, serde_json::Value>,
}

impl Repository {
    /// Opens the repository at `location`. References are read only in containers that lie
    /// at or below one of the urls of `allowed`: a repository from elsewhere could
    /// otherwise point at any file or host that the reader can reach.
    ///
    /// # Errors
    /// When there is no repository, or it cannot be read.
    pub async fn open(
        location: &StoreLocation,
        s3: &S3Settings,
        allowed: &[String],
    ) -> Result<Self> {
        if location.folder().is_some_and(|folder| !folder.is_dir()) {
            // Icechunk would make the folder.
            return Err(Error::new(ErrorKind::NotFound).in_url(location.to_string()).with_source(
                std::io::Error::other("there is no such folder; build a store with gik build"),
            ));
        }
        let failed = |error| fault::repository(location, &error);
        let storage = location.storage(s3).await?;
        let config =
            icechunk::Repository::fetch_config(Arc::clone(&storage)).await.map_err(failed)?;
        let containers: Vec<Container> = config
            .iter()
            .flat_map(|(config, _)| config.virtual_chunk_containers())
            .filter_map(Container::of_config)
            .collect();
        let may_read = |container: &&Container| container.may_be_read(allowed, s3);
        let authorized: Vec<bool> = containers.iter().map(|it| may_read(&it)).collect();
        let access = container::authorize(containers.iter().filter(may_read));
        let inner = icechunk::Repository::open(storage)
            .config(without_preloading())
            .authorize_virtual_chunk_access(access)
            .execute()
            .await
            .map_err(failed)?;
        Ok(Self { inner, location: location.clone(), containers, authorized })
    }

    /// The places its references may reach, whether allowed here or not.
    #[must_use]
    pub fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// The places its references may reach that were allowed when it was opened.
    pub fn authorized(&self) -> impl Iterator<Item = &Container> {
        let all = self.containers.iter().zip(&self.authorized);
        all.filter(|(_, authorized)| **authorized).map(|(container, _)| container)
    }

    /// The newest `limit` commits of `main`, the newest first. The empty state that a
    /// repository begins with is not among them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn history(&self, limit: usize) -> Result<Vec<Commit>> {
        let failed = |error| fault::repository(&self.location, &error);
        let commits = self
            .inner
            .ancestry(&VersionInfo::BranchTipRef("main".to_owned()))
            .await
            .map_err(failed)?;
        let commits: Vec<_> = commits.take(limit).try_collect().await.map_err(failed)?;
        Ok(commits
            .into_iter()
            .filter(|commit| commit.parent_id.is_some())
            .map(|commit| Commit {
                snapshot: commit.id.to_string(),
                seconds: commit.flushed_at.timestamp(),
                message: commit.message,
                properties: commit.metadata.into_iter().collect(),
            })
            .collect())
    }
}

/// A file of references, in the state that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its size in bytes.
    pub bytes: u64,
    /// References in it.
    pub references: u64,
}

impl Repository {
    /// The files that hold the references of a state.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn manifests(&self, opened: &Opened) -> Result<Vec<ManifestFile>> {
        let failed = |error| fault::repository(&self.location, &error);
        let snapshot = opened.session.read().await.snapshot_id().clone();
        let files = self.inner.lookup_manifest_files(&snapshot).await.map_err(failed)?;
        let file = |bytes, references: u32| ManifestFile { bytes, references: references.into() };
        Ok(files.map(|it| file(it.size_bytes, it.num_chunk_refs)).collect())
    }
}

/// Icechunk would fetch manifests in the background, and complain when the program is done
/// before they are there.
pub(crate) fn without_preloading() -> RepositoryConfig {
    RepositoryConfig {
        manifest: Some(ManifestConfig {
            preload: Some(ManifestPreloadConfig {
                preload_if: Some(ManifestPreloadCondition::False),
                ..ManifestPreloadConfig::default()
            }),
            ..ManifestConfig::default()
        }),
        ..RepositoryConfig::default()
    }
}

/// One state of a repository.
pub struct Opened {
    pub(crate) location: StoreLocation,
    snapshot: String,
    pub(crate) session: Arc<RwLock<Session>>,
    store: Store,
    zarr: Arc<AsyncIcechunkStore>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("location", &self.location)
            .field("snapshot", &self.snapshot)
            .finish_non_exhaustive()
    }
}

impl Opened {
    pub(crate) async fn new(location: StoreLocation, session: Session) -> Self {
        let snapshot = session.snapshot_id().to_string();
        let zarr = Arc::new(AsyncIcechunkStore::new(session.clone()));
        let session = Arc::new(RwLock::new(session));
        let store = Store::from_session(Arc::clone(&session)).await;
        Self { location, snapshot, session, store, zarr }
    }

    /// The id of this state.
    #[must_use]
    pub fn snapshot(&self) -> &str {
        &self.snapshot
    }

    /// The store, for readers that speak zarrs.
    #[must_use]
    pub fn zarr(&self) -> &Arc<AsyncIcechunkStore> {
        &self.zarr
    }

    /// The group's attributes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn attributes(&self) -> Result<Attributes> {
        let bytes = self
            .store
            .get("zarr.json", &ByteRange::ALL)
            .await
            .map_err(|error| fault::store(&self.location, &error))?;
        let document: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| {
            Error::malformed("group metadata", "JSON", error.to_string())
                .in_url(format!("{}/zarr.json", self.location))
        })?;
        Ok(document
            .get("attributes")
            .and_then(serde_json::Value::as_object)
            .cloned()
            .unwrap_or_default())
    }

    /// The names of the arrays, sorted.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn array_names(&self) -> Result<Vec<String>> {
        let failed = |error| fault::session(&self.location, &error);
        let session = self.session.read().await;
        let mut names = Vec::new();
        for node in session.list_nodes(&icechunk::format::Path::root()).await.map_err(failed)? {
            let node = node.map_err(failed)?;
            if matches!(node.node_data, NodeData::Array { .. }) {
                names.push(node.path.to_string().trim_start_matches('/').to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The number of chunks of `array` that are there.
    ///
    /// # Errors
    /// When its manifests cannot be read.
    pub async fn chunk_count(&self, array: &str) -> Result<u64> {
        let path = array_path(array)?;
        let session = self.session.read().await;
        let chunks = session.array_chunk_iterator(&path).await;
        chunks
            .try_fold(0, |count, _| async move { Ok(count + 1) })
            .await
            .map_err(|error| fault::session(&self.location, &error))
    }

    /// The array `name`.
    ///
    /// # Errors
    /// When there is none, or a codec of it is unknown; the text lists the arrays.
    pub async fn array(&self, name: &str) -> Result<StoredArray> {
        let names = self.array_names().await?;
        if !names.iter().any(|other| other == name) {
            return Err(Error::argument(
                format!("variable '{name}'"),
                format!("is not in {}; there are {}", self.location, names.join(", ")),
            ));
        }
        let path = format!("/{name}");
        let array = Array::async_open(Arc::clone(&self.zarr), &path)
            .await
            .map_err(|error| fault::io(&format!("{}{path}", self.location), &error))?;
        Ok(StoredArray {
            name: name.to_owned(),
            location: self.location.clone(),
            session: Arc::clone(&self.session),
            store: self.store.clone(),
            array: Arc::new(array),
        })
    }
}

fn array_path(name: &str) -> Result<icechunk::format::Path> {
    format!("/{name}")
        .as_str()
        .try_into()
        .map_err(|_| Error::argument(name, "is no name of an array"))
}

/// The largest coordinate read: two-dimensional ones of the finest grids have 2 million values.
const COORDINATE_LIMIT: u64 = 1 << 26;

/// What an element takes at most in an encoded chunk, in bytes, and all that is not elements.
const ENCODED_ELEMENT: u64 = 16;
const ENCODED_REST: u64 = 1 << 20;

/// An array of a repository: its chunks are fetched and decoded separately, so that the
/// caller decides what waits for what.
#[derive(Clone)]
pub struct StoredArray {
    name: String,
    location: StoreLocation,
    session: Arc<RwLock<Session>>,
    store: Store,
    array: Arc<Array<AsyncIcechunkStore>>,
}

impl fmt::Debug for StoredArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredArray")
            .field("name", &self.name)
            .field("location", &self.location)
            .field("shape", &self.shape())
            .finish_non_exhaustive()
    }
}

impl StoredArray {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Elements along each dimension.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        self.array.shape()
    }

    /// Chunks along each dimension.
    #[must_use]
    pub fn grid(&self) -> Vec<u64> {
        self.array.chunk_grid_shape().to_vec()
    }

    /// The dimensions' names; unnamed ones are empty.
    #[must_use]
    pub fn dimension_names(&self) -> Vec<String> {
        let names = self.array.dimension_names().as_deref().unwrap_or_default();
        names.iter().map(|name| name.clone().unwrap_or_default()).collect()
    }

    /// Its attributes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        self.array.attributes()
    }

    /// Whether its elements are single or double precision numbers that a codec of messages
    /// or bytes yields, as a field's are, and not integers.
    #[must_use]
    pub fn is_float(&self) -> bool {
        self.array.data_type().is::<Float64DataType>()
            || self.array.data_type().is::<Float32DataType>()
    }

    /// Elements of the chunk at `indices` along each dimension.
    ///
    /// # Errors
    /// When `indices` is not in the chunk grid.
    pub fn chunk_shape(&self, indices: &[u64]) -> Result<Vec<u64>> {
        let shape = self.array.chunk_shape(indices).map_err(|error| self.failed(&error))?;
        Ok(shape.iter().map(|length| length.get()).collect())
    }

    /// All its values, as a coordinate's.
    ///
    /// # Errors
    /// When it is neither of 64-bit integers nor of double precision, or cannot be read.
    pub async fn coordinate(&self) -> Result<CoordinateValues> {
        let length: u64 = self.shape().iter().fold(1, |length, &it| length.saturating_mul(it));
        if length > COORDINATE_LIMIT {
            return Err(Error::new(ErrorKind::LimitExceeded {
                what: "length of a coordinate",
                limit: COORDINATE_LIMIT,
                found: length,
            })
            .in_url(format!("{}/{}", self.location, self.name)));
        }
        let everything = self.array.subset_all();
        let array = &self.array;
        if array.data_type().is::<Int64DataType>() {
            let values = array.async_retrieve_array_subset::<Vec<i64>>(&everything).await;
            return values.map(CoordinateValues::Int64).map_err(|error| self.failed(&error));
        }
        let values = array.async_retrieve_array_subset::<Vec<f64>>(&everything).await;
        values.map(CoordinateValues::Float64).map_err(|error| self.failed(&error))
    }

    /// The length in bytes of the encoded chunk at `indices`, from the reference alone; none
    /// when it is missing.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub async fn encoded_length(&self, indices: &[u64]) -> Result<Option<u64>> {
        let failed = |error| fault::session(&self.location, &error);
        let path = array_path(&self.name)?;
        let mut coordinates = Vec::new();
        for &index in indices {
            // Icechunk has no array with more chunks along a dimension.
            let Ok(index) = u32::try_from(index) else { return Ok(None) };
            coordinates.push(index);
        }
        let session = self.session.read().await;
        let payload = session.get_chunk_ref(&path, &ChunkIndices(coordinates)).await;
        Ok(match payload.map_err(failed)? {
            Some(ChunkPayload::Virtual(reference)) => Some(reference.length),
            Some(ChunkPayload::Ref(reference)) => Some(reference.length),
            Some(ChunkPayload::Inline(bytes)) => Some(bytes.len() as u64),
            // What a later version of Icechunk may have is found out by fetching it.
            Some(_) => Some(0),
            None => None,
        })
    }

    /// Where the chunk at `indices` is, for error texts.
    #[must_use]
    pub fn chunk_place(&self, indices: &[u64]) -> String {
        let chunk: Vec<String> = indices.iter().map(u64::to_string).collect();
        format!("{}/{}/c/{}", self.location, self.name, chunk.join("/"))
    }

    /// The encoded bytes of the chunk at `indices`; none when it is missing.
    ///
    /// # Errors
    /// When the object cannot be read, was overwritten since, or lies in a place that was
    /// not allowed; and when the chunk is longer than any encoding of its elements is. Nothing
    /// is fetched then.
    pub async fn fetch(&self, indices: &[u64]) -> Result<Option<Bytes>> {
        let Some(found) = self.encoded_length(indices).await? else { return Ok(None) };
        let shape = self.chunk_shape(indices)?;
        let elements = shape.iter().fold(1_u64, |product, &it| product.saturating_mul(it));
        let limit = elements.saturating_mul(ENCODED_ELEMENT).saturating_add(ENCODED_REST);
        if found > limit {
            let what = "length of an encoded chunk in bytes";
            return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found })
                .in_url(self.chunk_place(indices))
                .with_source(std::io::Error::other(
                    "no message of this shape is as long: the index that the store was built from \
                     was damaged",
                )));
        }
        let mut key = format!("{}/c", self.name);
        for index in indices {
            key.push('/');
            key.push_str(&index.to_string());
        }
        match self.store.get(&key, &ByteRange::ALL).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => match error.kind {
                StoreErrorKind::NotFound(_) => Ok(None),
                StoreErrorKind::SessionError(SessionErrorKind::VirtualReferenceError(kind)) => {
                    Err(self.virtual_failure(&key, &kind))
                }
                kind => Err(fault::io(&format!("{}/{key}", self.location), &kind)),
            },
        }
    }

    fn virtual_failure(&self, key: &str, kind: &VirtualReferenceErrorKind) -> Error {
        let place = format!("{}/{key}", self.location);
        match kind {
            VirtualReferenceErrorKind::UnauthorizedVirtualChunkContainer { url_prefix, .. } => {
                Error::new(ErrorKind::Denied).in_url(place).with_source(std::io::Error::other(
                    format!(
                        "the store refers to {url_prefix}, which may not be read unless you say \
                         so: --allow {url_prefix}"
                    ),
                ))
            }
            VirtualReferenceErrorKind::ObjectModified(url) => {
                Error::mismatch("time of the object", "not after the store was built", "later")
                    .with_source(std::io::Error::other(format!(
                        "{url} was overwritten since; build the run again"
                    )))
                    .in_url(place)
            }
            VirtualReferenceErrorKind::FetchError(cause) => {
                Error::new(ErrorKind::Io { retryable: true })
                    .with_source(std::io::Error::other(cause.to_string()))
                    .in_url(place)
            }
            other => fault::io(&place, other),
        }
    }

    /// The values of a part of an encoded chunk, in C order: of each dimension the range
    /// `part`, counted from the chunk's first element. Only what that needs is decoded, where
    /// the codec can do so. It blocks: run it on a thread that may.
    ///
    /// # Errors
    /// When the bytes are no message of the chunk's shape, or the part is not within it.
    pub fn decode(&self, indices: &[u64], bytes: Bytes, part: &[Range<usize>]) -> Result<Vec<f32>> {
        let is_double = self.array.data_type().is::<Float64DataType>();
        if !is_double && !self.array.data_type().is::<Float32DataType>() {
            return Err(Error::unsupported("element type of a field", self.data_type_name())
                .in_url(format!("{}/{}", self.location, self.name)));
        }
        let failed = |error: &dyn fmt::Display| fault::io(&self.chunk_place(indices), error);
        let shape = self.array.chunk_shape(indices).map_err(|error| failed(&error))?;
        let options = CodecOptions::default();
        let decoder = self
            .array
            .codecs()
            .partial_decoder(
                Arc::new(Encoded(bytes)),
                &shape,
                self.array.data_type(),
                self.array.fill_value(),
                &options,
            )
            .map_err(|error| failed(&error))?;
        let ranges: Vec<_> =
            part.iter().map(|range| range.start as u64..range.end as u64).collect();
        let part = ArraySubset::from(ranges);
        let decoded = decoder.partial_decode(&part, &options).map_err(|error| failed(&error))?;
        let ArrayBytes::Fixed(raw) = decoded else {
            return Err(self.failed(&"elements of variable length"));
        };
        Ok(if is_double {
            elements(&raw).map(|bytes| narrow(f64::from_ne_bytes(bytes))).collect()
        } else {
            elements(&raw).map(f32::from_ne_bytes).collect()
        })
    }

    fn data_type_name(&self) -> String {
        format!("{:?}; only float32 and float64 are read as fields", self.array.data_type())
    }

    fn failed(&self, error: &dyn fmt::Display) -> Error {
        fault::io(&format!("{}/{}", self.location, self.name), error)
    }
}

/// The encoded bytes of a chunk, as input of its codecs.
struct Encoded(Bytes);

impl BytesPartialDecoderTraits for Encoded {
    fn exists(&self) -> Result<bool, StorageError> {
        Ok(true)
    }

    fn size_held(&self) -> usize {
        self.0.len()
    }

    fn partial_decode_many(
        &self,
        ranges: ByteRangeIterator<'_>,
        _options: &CodecOptions,
    ) -> Result<Option<Vec<ArrayBytesRaw<'_>>>, CodecError> {
        let length = self.0.len() as u64;
        let mut parts = Vec::new();
        for range in ranges {
            let bytes = range.to_range_usize(length);
            let outside = || CodecError::Other(format!("{range} of {length} bytes"));
            parts.push(Cow::Borrowed(self.0.get(bytes).ok_or_else(outside)?));
        }
        Ok(Some(parts))
    }

    fn supports_partial_decode(&self) -> bool {
        true
    }
}

fn elements<const N: usize>(raw: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    raw.chunks_exact(N).filter_map(|bytes| bytes.try_into().ok())
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to nearest is what is asked for")]
const fn narrow(value: f64) -> f32 {
    value as f32
}
