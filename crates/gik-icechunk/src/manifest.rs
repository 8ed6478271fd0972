//! A state of a repository, read back into the manifest that it was written from.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use futures::TryStreamExt;
use gik_core::{
    ArrayMetadata, Attributes, ChunkEntry, CoordinateValues, DataType, Error, ErrorKind,
    ManifestArray, ManifestGroup, ManifestStore, Result, SourceObject, SourceTable,
    coordinate_array,
};
use icechunk::format::ChunkIndices;
use icechunk::format::manifest::{Checksum, ChunkPayload, VirtualChunkRef};
use serde_json::Value;

use crate::stored::{StoredMetadata, unravel};
use crate::transaction::array_path;
use crate::{Opened, Repository, fault};

/// What of a state to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The data arrays; all of them without.
    pub variables: Option<Vec<String>>,
    /// Positions along dimensions, ascending; all of a dimension that is not named. Only
    /// dimensions of which each label has chunks of its own can be named: times, members, steps.
    pub positions: BTreeMap<String, Vec<u64>>,
}

/// The most chunks of all arrays together, for each reference of the store, and in any case: a
/// grid is held as a whole, 16 bytes a chunk, whether its chunks are there or not.
const CHUNKS_PER_REFERENCE: u64 = 64;
const CHUNKS: u64 = 1 << 20;
/// The most bytes of chunks that lie in the repository itself.
const BYTES_LIMIT: u64 = 1 << 30;

impl Repository {
    /// The arrays of a state with all their references; chunks that lie in the repository
    /// become inline. Coordinates are those arrays that are named as a dimension, or by the
    /// attributes `coordinates`, `bounds` and `grid_mapping` of another.
    ///
    /// # Errors
    /// When it cannot be read, when a variable or position is not there, when an array is none
    /// that a [`ManifestStore`] can have, or when of its chunks nearly all are missing.
    pub async fn manifest(&self, opened: &Opened, selection: &Selection) -> Result<ManifestStore> {
        let mut all = BTreeMap::new();
        for name in opened.array_names().await? {
            let document = opened.metadata(&name).await?;
            all.insert(name, document);
        }
        let coordinates = coordinate_names(&all, &opened.attributes().await?);
        let (mut data, mut used) = (Vec::new(), BTreeSet::new());
        for (name, stored) in &all {
            let is_wanted = selection.variables.as_ref().is_none_or(|list| list.contains(name));
            if is_wanted && !coordinates.contains(name) {
                used.extend(stored.dimensions.iter().cloned());
                data.push((name, stored));
            }
        }
        if let Some(unknown) = selection
            .variables
            .iter()
            .flatten()
            .find(|name| !data.iter().any(|(other, _)| other == name))
        {
            let names: Vec<_> = all.keys().filter(|it| !coordinates.contains(*it)).collect();
            let names = names.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::argument(
                format!("variable '{unknown}'"),
                format!("is not in {}; there are {names}", self.location),
            ));
        }
        let there: u64 = self.manifests(opened).await?.iter().map(|it| it.references).sum();
        let mut reading = Reading {
            limit: CHUNKS.max(there.saturating_mul(CHUNKS_PER_REFERENCE)),
            repository: self,
            opened,
            selection,
            sources: SourceTable::default(),
            chunks: 0,
            bytes: 0,
        };
        let mut group =
            ManifestGroup { attributes: opened.attributes().await?, ..ManifestGroup::default() };
        for (name, stored) in data {
            group.data.push((name.clone(), reading.data(name, stored).await?));
        }
        for name in &coordinates {
            let Some(stored) = all.get(name) else { continue };
            if stored.dimensions.first().is_none_or(|first| used.contains(first)) {
                group.coordinates.push((name.clone(), reading.coordinate(name, stored).await?));
            }
        }
        Ok(ManifestStore { group, sources: reading.sources })
    }
}

/// The arrays that describe others (CF 1.11, chapter 5).
fn coordinate_names(
    all: &BTreeMap<String, StoredMetadata>,
    group: &Attributes,
) -> BTreeSet<String> {
    let mut names: BTreeSet<String> =
        all.values().flat_map(|stored| stored.dimensions.iter().cloned()).collect();
    let texts = all
        .values()
        .flat_map(|stored| {
            ["coordinates", "bounds", "grid_mapping"].map(|key| stored.attribute(key))
        })
        .chain([group.get("coordinates")]);
    for text in texts.flatten().filter_map(Value::as_str) {
        names.extend(text.split_whitespace().map(str::to_owned));
    }
    names.retain(|name| all.contains_key(name));
    names
}

struct Reading<'r> {
    repository: &'r Repository,
    opened: &'r Opened,
    selection: &'r Selection,
    sources: SourceTable,
    limit: u64,
    chunks: u64,
    bytes: u64,
}

impl Reading<'_> {
    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.opened.location)
    }

    fn chosen(&self, dimension: &str) -> Option<&[u64]> {
        self.selection.positions.get(dimension).map(Vec::as_slice)
    }

    /// An array without its chunks, cut to the selection.
    fn empty(&mut self, name: &str, stored: &StoredMetadata) -> Result<ManifestArray> {
        let mut metadata =
            array_metadata(stored).map_err(|error| error.in_url(self.place(name)))?;
        for (axis, dimension) in stored.dimensions.iter().enumerate() {
            let (Some(chosen), Some(length)) =
                (self.chosen(dimension), metadata.shape.get_mut(axis))
            else {
                continue;
            };
            let is_split = stored.chunk_shape.get(axis) == Some(&1);
            if !is_split || chosen.iter().any(|&at| at >= *length) {
                return Err(Error::argument(
                    format!("selection of {dimension}"),
                    format!("cannot be made of {name}, which has {length} of them"),
                ));
            }
            *length = chosen.len() as u64;
        }
        self.chunks = self.chunks.saturating_add(metadata.chunk_count());
        if self.chunks > self.limit {
            let what = "number of chunks, nearly all of which are missing,";
            let (limit, found) = (self.limit, self.chunks);
            return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found })
                .in_url(self.place(name))
                .with_source(std::io::Error::other("choose a run, or fewer variables")));
        }
        ManifestArray::empty(metadata)
    }

    async fn data(&mut self, name: &str, stored: &StoredMetadata) -> Result<ManifestArray> {
        let mut array = self.empty(name, stored)?;
        let grid = array.metadata.grid();
        let is_cut = stored.dimensions.iter().any(|it| self.chosen(it).is_some());
        let failed = |error| fault::session(&self.opened.location, &error);
        let path = array_path(name)?;
        let session = self.opened.session.read().await;
        if is_cut {
            // A store of years has a thousand times as many manifests as one run needs.
            for index in 0..array.metadata.chunk_count() {
                let at = self.stored_position(stored, &unravel(&grid, index))?;
                let payload = session.get_chunk_ref(&path, &at).await.map_err(failed)?;
                if let Some(payload) = payload {
                    self.put(name, &mut array, index, &at, payload).await?;
                }
            }
            return Ok(array);
        }
        let mut chunks = Box::pin(session.array_chunk_iterator(&path).await);
        while let Some(chunk) = chunks
            .try_next()
            .await
            .map_err(|error| fault::session(&self.opened.location, &error))?
        {
            // What lies outside of the array does not count: an array may have been cut.
            let Some(index) = position(&grid, &chunk.coord.0) else { continue };
            self.put(name, &mut array, index, &chunk.coord, chunk.payload).await?;
        }
        Ok(array)
    }

    /// Where in the store the chunk of the selection lies.
    fn stored_position(&self, stored: &StoredMetadata, at: &[u64]) -> Result<ChunkIndices> {
        let positions = stored.dimensions.iter().zip(at).map(|(dimension, &at)| {
            let at = match self.chosen(dimension) {
                Some(chosen) => usize::try_from(at).ok().and_then(|at| chosen.get(at)).copied(),
                None => Some(at),
            };
            at.and_then(|at| u32::try_from(at).ok())
        });
        positions.collect::<Option<Vec<u32>>>().map(ChunkIndices).ok_or_else(|| {
            Error::mismatch("position of a chunk", "less than 2^32", format!("{at:?}"))
        })
    }

    async fn put(
        &mut self,
        name: &str,
        array: &mut ManifestArray,
        index: u64,
        at: &ChunkIndices,
        payload: ChunkPayload,
    ) -> Result<()> {
        let bytes = match payload {
            ChunkPayload::Virtual(reference) => {
                let entry =
                    self.entry(&reference).map_err(|error| error.in_url(self.place(name)))?;
                array.chunks.set_virtual(index, entry)?;
                return Ok(());
            }
            ChunkPayload::Inline(bytes) => bytes,
            _ => {
                let at: Vec<u64> = at.0.iter().map(|&at| u64::from(at)).collect();
                let Some(bytes) = self.opened.array(name).await?.fetch(&at).await? else {
                    return Ok(());
                };
                bytes
            }
        };
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > BYTES_LIMIT {
            let what = "bytes of chunks in the repository itself";
            return Err(Error::new(ErrorKind::LimitExceeded {
                what,
                limit: BYTES_LIMIT,
                found: self.bytes,
            })
            .in_url(self.place(name)));
        }
        array.chunks.set_inline(index, bytes)
    }

    fn entry(&mut self, reference: &VirtualChunkRef) -> Result<ChunkEntry> {
        let location = reference.location.url();
        let url = match reference.location.parse_vcc() {
            Some((container, key)) => {
                let mut containers = self.repository.containers().iter();
                let found = containers.find(|it| it.name == container).ok_or_else(|| {
                    Error::mismatch("container of a reference", "one of the store's", location)
                })?;
                format!("{}{key}", found.url_prefix)
            }
            None => location.to_owned(),
        };
        let length = u32::try_from(reference.length).ok().and_then(NonZeroU32::new);
        let length = length.ok_or_else(|| {
            let found = reference.length.to_string();
            Error::mismatch("length of a reference", "1 to 2^32 - 1 bytes", found)
        })?;
        let (last_modified, etag) = match &reference.checksum {
            Some(Checksum::LastModified(seconds)) => (Some(i64::from(seconds.0)), None),
            Some(Checksum::ETag(etag)) => (None, Some(etag.0.clone())),
            None => (None, None),
        };
        let source = self.sources.intern(SourceObject { url, last_modified, etag })?;
        Ok(ChunkEntry { source, offset: reference.offset, length })
    }

    /// A coordinate, in one chunk as a fresh one is, or as it is where its codec is no plain one.
    async fn coordinate(&mut self, name: &str, stored: &StoredMetadata) -> Result<ManifestArray> {
        if stored.plain(name).is_err() {
            return self.data(name, stored).await;
        }
        let values = self.opened.array(name).await?.coordinate().await?;
        let (mut shape, mut kept) = (Vec::new(), Vec::new());
        for (dimension, &length) in stored.dimensions.iter().zip(&stored.shape) {
            let all = || (0..length).collect::<Vec<u64>>();
            let positions = self.chosen(dimension).map_or_else(all, <[u64]>::to_vec);
            if positions.iter().any(|&at| at >= length) {
                return Err(Error::argument(
                    format!("selection of {dimension}"),
                    format!("is beyond the {length} there are"),
                ));
            }
            shape.push(positions.len() as u64);
            kept.push(positions);
        }
        let values = take(&values, &stored.shape, &kept);
        // A chunk that is longer than its dimension is one for runs to come.
        let rows = match (stored.shape.first(), stored.chunk_shape.first()) {
            (Some(length), Some(rows)) if rows != length => *rows,
            _ => 0,
        };
        let names: Vec<&str> = stored.dimensions.iter().map(String::as_str).collect();
        let attributes = stored.document.get("attributes").and_then(Value::as_object).cloned();
        coordinate_array(&values, &shape, &names, rows, attributes.unwrap_or_default())
            .map_err(|error| error.in_url(self.place(name)))
    }
}

/// The values at these positions along each dimension, in C order.
fn take(values: &CoordinateValues, shape: &[u64], kept: &[Vec<u64>]) -> CoordinateValues {
    let counts: Vec<u64> = kept.iter().map(|positions| positions.len() as u64).collect();
    let at = |index: u64| {
        let mut flat = 0;
        for ((&position, positions), &length) in unravel(&counts, index).iter().zip(kept).zip(shape)
        {
            let position = usize::try_from(position).ok().and_then(|it| positions.get(it));
            flat = flat * length + position.copied().unwrap_or_default();
        }
        usize::try_from(flat).unwrap_or(usize::MAX)
    };
    let positions: Vec<usize> = (0..counts.iter().product()).map(at).collect();
    values.take(&positions)
}

/// The position in C order of a chunk; none of one outside of the grid.
fn position(grid: &[u64], at: &[u32]) -> Option<u64> {
    if grid.len() != at.len() {
        return None;
    }
    let mut index = 0_u64;
    for (&length, &at) in grid.iter().zip(at) {
        if u64::from(at) >= length {
            return None;
        }
        index = index.checked_mul(length)?.checked_add(at.into())?;
    }
    Some(index)
}

/// The metadata of an array as manifests have it.
fn array_metadata(stored: &StoredMetadata) -> Result<ArrayMetadata> {
    let text = |key: &str| stored.document.get(key).cloned().unwrap_or_default();
    let data_type = match text("data_type").as_str() {
        Some("float32") => DataType::Float32,
        Some("float64") => DataType::Float64,
        Some("int64") => DataType::Int64,
        _ => {
            let found = text("data_type").to_string();
            return Err(Error::unsupported("element type of an array", found));
        }
    };
    if text("fill_value") != data_type.fill_value() {
        return Err(Error::unsupported("fill value of an array", text("fill_value").to_string()));
    }
    Ok(ArrayMetadata {
        shape: stored.shape.clone(),
        chunk_shape: stored.chunk_shape.clone(),
        dimension_names: stored.dimensions.clone(),
        data_type,
        codecs: text("codecs"),
        attributes: text("attributes").as_object().cloned().unwrap_or_default(),
    })
}
