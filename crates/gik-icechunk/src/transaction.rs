//! A run's manifest, added to what a session of a repository holds.
//!
//! Dimensions are matched by their labels. `time` takes a run where it belongs; other dimensions
//! take new labels at their end. What a run does not have stays missing, and what it does not
//! mention stays as it is: adding a run twice changes nothing.

mod coordinates;
mod room;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use gik_core::{
    CoordinateValues, Error, ManifestArray, ManifestStore, Result, SourceId, SourceObject,
    group_json,
};
use icechunk::Store;
use icechunk::format::manifest::{
    Checksum, ChunkPayload, SecondsSinceEpoch, VirtualChunkLocation, VirtualChunkRef,
};
use icechunk::format::snapshot::NodeData;
use icechunk::format::{ByteRange, ChunkIndices, Path};
use icechunk::session::Session;
use icechunk::storage::ETag;
use icechunk::store::{SetVirtualRefsResult, StoreErrorKind};
use serde_json::Value;
use tokio::sync::RwLock;

use crate::axis::Axis;
use crate::stored::{StoredMetadata, run_labels, unravel};
use crate::{StoreLocation, fault};
use coordinates::step_seconds;
pub(crate) use room::Room;

/// The append dimension.
const TIME: &str = "time";
/// Time at which a forecast is valid, over `time` and `step`.
const VALID_TIME: &str = "valid_time";
/// What must be the same in a store and a run that is added to it.
const IDENTITY: [&str; 3] = ["gik_model", "gik_product", "gik_layout"];
/// Likewise of an array.
const SAME: [&str; 5] = ["data_type", "chunk_grid", "codecs", "dimension_names", "fill_value"];
/// Likewise of an array's attributes.
const SAME_ATTRIBUTES: [&str; 4] = ["units", "cell_methods", "GRIB_paramId", "grid_mapping"];

/// What adding a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// References that were not there.
    pub added: u64,
    /// References that were there and pointed elsewhere: the source was published anew.
    pub replaced: u64,
    /// References that were there already.
    pub unchanged: u64,
    /// Whether a run, another label or another array was added.
    pub is_grown: bool,
}

impl Changes {
    /// Whether there is something to commit.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.added + self.replaced > 0 || self.is_grown
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            added: self.added + other.added,
            replaced: self.replaced + other.replaced,
            unchanged: self.unchanged + other.unchanged,
            is_grown: self.is_grown || other.is_grown,
        }
    }
}

/// A writable session, and what it holds.
pub(crate) struct Transaction<'a> {
    pub(crate) session: Arc<RwLock<Session>>,
    store: Store,
    location: &'a StoreLocation,
    /// Labels of `time` that were entered for this commit, of which no run has been added yet:
    /// nothing has to be looked up there.
    empty_times: BTreeSet<i64>,
}

/// The dimensions whose labels can be added to, by name.
type Axes = BTreeMap<String, Axis>;

impl<'a> Transaction<'a> {
    pub(crate) async fn new(session: Session, location: &'a StoreLocation) -> Self {
        let session = Arc::new(RwLock::new(session));
        let store = Store::from_session(Arc::clone(&session)).await;
        Self { session, store, location, empty_times: BTreeSet::new() }
    }

    /// The names of the arrays that are there.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        let failed = |error| fault::session(self.location, &error);
        let session = self.session.read().await;
        let mut names = Vec::new();
        for node in session.list_nodes(&Path::root()).await.map_err(failed)? {
            let node = node.map_err(failed)?;
            if matches!(node.node_data, NodeData::Array { .. }) {
                names.push(node.path.to_string().trim_start_matches('/').to_owned());
            }
        }
        Ok(names)
    }

    /// Adds a run; `locations` are those of its sources.
    ///
    /// # Errors
    /// When the run does not fit the store: the text says what differs and what to do. The
    /// session is to be thrown away then.
    pub(crate) async fn add(
        &mut self,
        manifest: &ManifestStore,
        locations: &[VirtualChunkLocation],
    ) -> Result<Changes> {
        let mut changes = Changes::default();
        let group = self.group().await?;
        match &group {
            Some(attributes) => self.check_identity(attributes, manifest)?,
            None => {
                let bytes = Bytes::from(group_json(&manifest.group.attributes).to_string());
                self.set("zarr.json".to_owned(), bytes).await?;
                changes.is_grown = true;
            }
        }
        let mut stored = self.stored().await?;
        let axes = self.axes(manifest, &stored).await?;
        for (name, array) in &manifest.group.data {
            if let Some(there) = stored.get(name) {
                check_same(name, there, array)?;
            }
        }
        changes.is_grown |= axes.values().any(Axis::has_grown);
        self.resize(&mut stored, &axes).await?;
        let unit = step_seconds(manifest);
        for (name, array) in &manifest.group.coordinates {
            changes.is_grown |= self.coordinate(name, array, stored.get(name), &axes, unit).await?;
        }
        for (name, array) in &manifest.group.data {
            let is_new = !stored.contains_key(name);
            if is_new {
                changes.is_grown = true;
                self.create(name, array, &axes).await?;
            }
            let references = references(manifest, array, locations, &axes)?;
            let is_new_run = axes.get(TIME).is_some_and(|time| {
                time.stored == 0 || is_new_label(time) || self.is_empty_at(time)
            });
            changes = changes.and(self.refer(name, references, is_new || is_new_run).await?);
            changes = changes.and(self.put(name, array, &axes).await?);
        }
        if let Some(CoordinateValues::Int64(times)) = manifest.group.array(TIME).map(run_labels) {
            for time in &times {
                // The time itself is something that the run added.
                changes.is_grown |= self.empty_times.remove(time);
            }
        }
        Ok(changes)
    }

    /// Whether no reference is there at the times of a run.
    fn is_empty_at(&self, time: &Axis) -> bool {
        let CoordinateValues::Int64(labels) = &time.labels else { return false };
        time.positions.iter().all(|&at| {
            labels.get(at as usize).is_some_and(|label| self.empty_times.contains(label))
        })
    }

    /// The metadata of the arrays that are there, by name.
    async fn stored(&self) -> Result<BTreeMap<String, StoredMetadata>> {
        let mut stored = BTreeMap::new();
        for name in self.names().await? {
            if let Some(bytes) = self.get(&format!("{name}/zarr.json")).await?
                && let Some(metadata) = StoredMetadata::parse(&bytes)
                    .map_err(|error| error.in_url(format!("{}/{name}", self.location)))?
            {
                stored.insert(name, metadata);
            }
        }
        Ok(stored)
    }

    /// The attributes of the group; none in a repository that holds nothing yet.
    async fn group(&self) -> Result<Option<Value>> {
        let Some(bytes) = self.get("zarr.json").await? else { return Ok(None) };
        let document: Value = serde_json::from_slice(&bytes).map_err(|error| {
            Error::malformed("group metadata", "JSON", error.to_string())
                .in_url(format!("{}/zarr.json", self.location))
        })?;
        // Icechunk begins with a group that says nothing.
        let attributes = document.get("attributes").cloned().unwrap_or_default();
        let is_empty = attributes.as_object().is_none_or(serde_json::Map::is_empty);
        Ok((!is_empty).then_some(attributes))
    }

    fn check_identity(&self, attributes: &Value, manifest: &ManifestStore) -> Result<()> {
        let text =
            |of: Option<&Value>| of.and_then(Value::as_str).unwrap_or("something else").to_owned();
        for key in IDENTITY {
            let (there, ours) = (attributes.get(key), manifest.group.attributes.get(key));
            if there != ours {
                let (there, ours) = (text(there), text(ours));
                let what = key.trim_start_matches("gik_");
                return Err(Error::argument(
                    format!("store {}", self.location),
                    format!(
                        "holds another {what} ({there}, not {ours}); a store grows by runs of one \
                         model, product and layout: name another place"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The dimensions that can grow: those of which each label has chunks of its own.
    async fn axes(
        &self,
        manifest: &ManifestStore,
        stored: &BTreeMap<String, StoredMetadata>,
    ) -> Result<Axes> {
        let is_forecast = manifest.group.array(VALID_TIME).is_some();
        let mut axes = Axes::new();
        for (_, array) in &manifest.group.data {
            let metadata = &array.metadata;
            for (dimension, &chunk) in metadata.dimension_names.iter().zip(&metadata.chunk_shape) {
                let Some(labels) = manifest.group.array(dimension).map(run_labels) else {
                    continue;
                };
                if chunk != 1 || axes.contains_key(dimension) {
                    continue;
                }
                let axis = match stored.get(dimension) {
                    None => Axis::new(labels),
                    Some(metadata) => {
                        let there = self.labels(dimension, metadata).await?;
                        if dimension == TIME && is_forecast {
                            Axis::insert(dimension, &there, &labels)?
                        } else {
                            Axis::extend(dimension, &there, &labels)?
                        }
                    }
                };
                axes.insert(dimension.clone(), axis);
            }
        }
        Ok(axes)
    }

    /// Gives all stored arrays the new lengths of their dimensions, and moves references behind
    /// a time that was put before others.
    async fn resize(
        &self,
        stored: &mut BTreeMap<String, StoredMetadata>,
        axes: &Axes,
    ) -> Result<()> {
        for (name, metadata) in stored.iter_mut() {
            self.resize_array(name, metadata, axes).await?;
        }
        Ok(())
    }

    async fn resize_array(
        &self,
        name: &str,
        metadata: &mut StoredMetadata,
        axes: &Axes,
    ) -> Result<()> {
        let shape: Vec<u64> = metadata
            .dimensions
            .iter()
            .zip(&metadata.shape)
            .map(|(dimension, &length)| axes.get(dimension).map_or(length, |it| it.len() as u64))
            .collect();
        if shape == metadata.shape {
            return Ok(());
        }
        *metadata = metadata.resized(shape);
        self.set(format!("{name}/zarr.json"), metadata.json()).await?;
        if let Some(time) = axes.get(TIME)
            && room::is_split(metadata)
            && !time.inserted.is_empty()
        {
            self.move_references(name, time).await?;
        }
        Ok(())
    }

    async fn move_references(&self, name: &str, time: &Axis) -> Result<()> {
        let failed = |error| fault::session(self.location, &error);
        let path = array_path(name)?;
        let first = time.first_changed();
        let mut moved = Vec::new();
        {
            let session = self.session.read().await;
            let mut chunks = Box::pin(session.array_chunk_iterator(&path).await);
            while let Some(chunk) = chunks.try_next().await.map_err(failed)? {
                if chunk.coord.0.first().is_some_and(|&at| at as usize >= first) {
                    let mut coord = chunk.coord.clone();
                    if let Some(at) = coord.0.first_mut() {
                        *at = time.moved(*at);
                    }
                    moved.push((chunk.coord, coord, chunk.payload));
                }
            }
        }
        // A place that another reference takes need not be emptied first.
        let taken: HashSet<ChunkIndices> =
            moved.iter().map(|(_, coord, _)| coord.clone()).collect();
        let mut session = self.session.write().await;
        for (coord, _, _) in &moved {
            if !taken.contains(coord) {
                session.set_chunk_ref(path.clone(), coord.clone(), None).await.map_err(failed)?;
            }
        }
        drop(taken);
        for (_, coord, payload) in moved {
            session.set_chunk_ref(path.clone(), coord, Some(payload)).await.map_err(failed)?;
        }
        Ok(())
    }

    /// A data array that the store does not have, over the store's dimensions.
    async fn create(&self, name: &str, array: &ManifestArray, axes: &Axes) -> Result<()> {
        let mut metadata = array.metadata.clone();
        for (length, dimension) in metadata.shape.iter_mut().zip(&metadata.dimension_names) {
            if let Some(axis) = axes.get(dimension) {
                *length = axis.len() as u64;
            }
        }
        self.set(format!("{name}/zarr.json"), Bytes::from(metadata.to_json().to_string())).await
    }

    /// Sets references, but for those that are there already.
    async fn refer(
        &self,
        name: &str,
        references: Vec<(ChunkIndices, VirtualChunkRef)>,
        is_new: bool,
    ) -> Result<Changes> {
        let mut changes = Changes::default();
        let path = array_path(name)?;
        let mut wanted = references;
        if is_new {
            changes.added = wanted.len() as u64;
        } else {
            let session = self.session.read().await;
            let mut different = Vec::new();
            for (coord, reference) in wanted {
                let there = session
                    .get_chunk_ref(&path, &coord)
                    .await
                    .map_err(|error| fault::session(self.location, &error))?;
                match there {
                    Some(ChunkPayload::Virtual(there)) if there == reference => {
                        changes.unchanged += 1;
                        continue;
                    }
                    Some(_) => changes.replaced += 1,
                    None => changes.added += 1,
                }
                different.push((coord, reference));
            }
            wanted = different;
        }
        if wanted.is_empty() {
            return Ok(changes);
        }
        // The containers were checked when the locations were made.
        let outcome = self
            .store
            .set_virtual_refs(&path, false, wanted)
            .await
            .map_err(|error| fault::store(self.location, &error))?;
        match outcome {
            SetVirtualRefsResult::Done => Ok(changes),
            SetVirtualRefsResult::FailedRefs(failed) => Err(Error::mismatch(
                format!("references of {name} that Icechunk takes"),
                "all",
                format!("{} refused", failed.len()),
            )),
        }
    }

    /// Writes the chunks of a data array that come with it, but for those that are there already.
    async fn put(&self, name: &str, array: &ManifestArray, axes: &Axes) -> Result<Changes> {
        let mut changes = Changes::default();
        let grid = array.metadata.grid();
        for (index, bytes) in array.chunks.inline_chunks() {
            let at = placed(&unravel(&grid, index), &array.metadata.dimension_names, axes);
            let key = chunk_key(name, &at);
            match self.get(&key).await {
                Ok(Some(there)) if there == *bytes => {
                    changes.unchanged += 1;
                    continue;
                }
                // A reference that cannot be read is replaced, too.
                Ok(Some(_)) | Err(_) => changes.replaced += 1,
                Ok(None) => changes.added += 1,
            }
            self.set(key, bytes.clone()).await?;
        }
        Ok(changes)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        match self.store.get(key, &ByteRange::ALL).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind, StoreErrorKind::NotFound(_)) => Ok(None),
            Err(error) => Err(fault::store(self.location, &error)),
        }
    }

    async fn set(&self, key: String, bytes: Bytes) -> Result<()> {
        self.store.set(&key, bytes).await.map_err(|error| fault::store(self.location, &error))
    }
}

/// Whether no label of the run was there.
fn is_new_label(time: &Axis) -> bool {
    let new = time.len() - time.stored;
    new == time.positions.len()
}

/// Where a run's element lies in the store, along each dimension.
fn placed(at: &[u64], dimensions: &[String], axes: &Axes) -> Vec<u64> {
    at.iter()
        .zip(dimensions)
        .map(|(&at, dimension)| match axes.get(dimension) {
            Some(axis) => usize::try_from(at)
                .ok()
                .and_then(|at| axis.positions.get(at))
                .map_or(u64::MAX, |&position| u64::from(position)),
            None => at,
        })
        .collect()
}

/// Refuses a run whose array is another one than the store's of the same name.
fn check_same(name: &str, stored: &StoredMetadata, array: &ManifestArray) -> Result<()> {
    let ours = array.metadata.to_json();
    for key in SAME {
        let (there, ours) = (stored.document.get(key), ours.get(key));
        if there != ours {
            return Err(differs(
                name,
                key,
                there.unwrap_or(&Value::Null),
                ours.unwrap_or(&Value::Null),
            ));
        }
    }
    for key in SAME_ATTRIBUTES {
        let (there, ours) = (stored.attribute(key), array.metadata.attributes.get(key));
        if there != ours {
            return Err(differs(
                name,
                key,
                there.unwrap_or(&Value::Null),
                ours.unwrap_or(&Value::Null),
            ));
        }
    }
    Ok(())
}

fn differs(name: &str, what: &str, there: &Value, ours: &Value) -> Error {
    Error::argument(
        format!("{name} of the run"),
        format!(
            "has another {what} than that of the store ({ours}, not {there}): values of both do not \
             belong in one array; build another store"
        ),
    )
}

fn references(
    manifest: &ManifestStore,
    array: &ManifestArray,
    locations: &[VirtualChunkLocation],
    axes: &Axes,
) -> Result<Vec<(ChunkIndices, VirtualChunkRef)>> {
    let grid = array.metadata.grid();
    let count = usize::try_from(array.chunks.virtual_count()).unwrap_or(usize::MAX);
    let mut references = Vec::new();
    references.try_reserve_exact(count).map_err(|error| {
        Error::new(gik_core::ErrorKind::LimitExceeded {
            what: "number of references in an array",
            limit: u64::from(u32::MAX),
            found: array.chunks.virtual_count(),
        })
        .with_source(error)
    })?;
    for (index, entry) in array.chunks.virtual_chunks() {
        let (object, location) = source(manifest, locations, entry.source)?;
        let at = placed(&unravel(&grid, index), &array.metadata.dimension_names, axes);
        let at = at.into_iter().map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        references.push((
            ChunkIndices(at),
            VirtualChunkRef {
                location: location.clone(),
                offset: entry.offset,
                length: u64::from(entry.length.get()),
                checksum: checksum(object),
            },
        ));
    }
    Ok(references)
}

/// What tells later whether an object was overwritten: the time of its last change or, where
/// the source gives none, its entity tag. A weak one says nothing of the bytes.
fn checksum(object: &SourceObject) -> Option<Checksum> {
    if let Some(seconds) = object.last_modified.and_then(|seconds| u32::try_from(seconds).ok()) {
        return Some(Checksum::LastModified(SecondsSinceEpoch(seconds)));
    }
    // Icechunk takes one pair of quotes away before it sends the tag back, and web servers
    // compare it with them.
    let tag = object.etag.as_deref().filter(|tag| tag.starts_with('"'))?;
    Some(Checksum::ETag(ETag(format!("\"{tag}\""))))
}

fn source<'m>(
    manifest: &'m ManifestStore,
    locations: &'m [VirtualChunkLocation],
    id: SourceId,
) -> Result<(&'m SourceObject, &'m VirtualChunkLocation)> {
    let position = id.position();
    manifest.sources.get(id).zip(locations.get(position)).ok_or_else(|| {
        Error::mismatch(
            "source of a reference",
            format!("less than {}", manifest.sources.len()),
            position.to_string(),
        )
    })
}

/// The key of a chunk (Zarr v3, chunk key encoding `default`).
fn chunk_key(name: &str, indices: &[u64]) -> String {
    let mut key = format!("{name}/c");
    for index in indices {
        key.push('/');
        key.push_str(&index.to_string());
    }
    key
}

pub(crate) fn array_path(name: &str) -> Result<Path> {
    format!("/{name}")
        .as_str()
        .try_into()
        .map_err(|_| Error::argument(name, "is no name of an array"))
}
