//! What is in a store, from its manifests alone.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;
use gik_core::{CoordinateValues, Error, ErrorKind, Result};
use icechunk::format::ChunkIndices;
use icechunk::format::manifest::{Checksum, ChunkPayload, VirtualChunkRef};

use crate::stored::unravel;
use crate::transaction::array_path;
use crate::{Container, Opened, fault};

/// Chunks of one array that one run may have: a hundred times those of the largest.
const CHUNKS_LIMIT: u64 = 1 << 24;

/// A part of a run, as a request for it names it.
#[derive(Debug, Clone, Copy)]
pub struct RunPart<'a> {
    /// The reference time, in seconds since 1970.
    pub time: i64,
    /// The data arrays.
    pub arrays: &'a [String],
    /// The members; none for models without.
    pub members: Option<&'a [i64]>,
    /// The steps, in the unit of the store.
    pub steps: &'a [i64],
}

/// A reference as a manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReference {
    /// The object.
    pub url: String,
    /// The first byte.
    pub offset: u64,
    /// The number of bytes.
    pub length: u64,
    /// When the object was modified at the latest, in seconds since 1970, if that is known.
    pub last_modified: Option<u32>,
    /// Its entity tag, where one is kept.
    pub etag: Option<String>,
}

impl StoredReference {
    fn of(reference: &VirtualChunkRef, containers: &[Container]) -> Self {
        let (last_modified, etag) = match &reference.checksum {
            Some(Checksum::LastModified(seconds)) => (Some(seconds.0), None),
            Some(Checksum::ETag(etag)) => (None, Some(etag.0.clone())),
            None => (None, None),
        };
        Self {
            url: url_of(reference.location.url(), containers),
            offset: reference.offset,
            length: reference.length,
            last_modified,
            etag,
        }
    }
}

impl Opened {
    /// Calls `each` with the position in the chunk grid of every chunk of `array` that is there,
    /// in any order.
    ///
    /// # Errors
    /// When the manifests cannot be read.
    pub async fn for_each_chunk(&self, array: &str, mut each: impl FnMut(&[u32])) -> Result<()> {
        let failed = |error| fault::session(&self.location, &error);
        let path = array_path(array)?;
        let session = self.session.read().await;
        let mut chunks = Box::pin(session.array_chunk_iterator(&path).await);
        while let Some(chunk) = chunks.try_next().await.map_err(failed)? {
            each(&chunk.coord.0);
        }
        Ok(())
    }

    /// Calls `each` with the position in the chunk grid and the reference of every virtual chunk of
    /// `array`, in any order. `containers` are those of the repository.
    ///
    /// # Errors
    /// When the manifests cannot be read.
    pub async fn for_each_reference(
        &self,
        array: &str,
        containers: &[Container],
        mut each: impl FnMut(&[u32], StoredReference),
    ) -> Result<()> {
        let failed = |error| fault::session(&self.location, &error);
        let path = array_path(array)?;
        let session = self.session.read().await;
        let mut chunks = Box::pin(session.array_chunk_iterator(&path).await);
        while let Some(chunk) = chunks.try_next().await.map_err(failed)? {
            if let ChunkPayload::Virtual(reference) = chunk.payload {
                each(&chunk.coord.0, StoredReference::of(&reference, containers));
            }
        }
        Ok(())
    }

    /// Of each object that references of `part` go to, how many do so; none where the store does
    /// not have its time. `containers` are those of the repository.
    ///
    /// # Errors
    /// When the manifests cannot be read.
    pub async fn references_of(
        &self,
        part: &RunPart<'_>,
        containers: &[Container],
    ) -> Result<Option<HashMap<String, u64>>> {
        let names = self.array_names().await?;
        let mut chosen = HashMap::new();
        let labels = [
            ("time", Some(&[part.time][..])),
            ("member", part.members),
            ("step", Some(part.steps)),
        ];
        for (name, wanted) in labels {
            let Some(wanted) = wanted.filter(|_| names.iter().any(|it| it == name)) else {
                continue;
            };
            let CoordinateValues::Int64(there) = self.array(name).await?.coordinate().await? else {
                return Ok(None);
            };
            let wanted: HashSet<&i64> = wanted.iter().collect();
            let positions = (0_u32..).zip(&there).filter(|(_, label)| wanted.contains(label));
            chosen.insert(name, positions.map(|(position, _)| position).collect::<Vec<u32>>());
        }
        if chosen.get("time").is_none_or(Vec::is_empty) {
            return Ok(None);
        }
        let mut found = HashMap::new();
        for name in part.arrays.iter().filter(|name| names.contains(name)) {
            let array = self.array(name).await?;
            let dimensions = array.dimension_names();
            if dimensions.len() < 3 || dimensions.first().map(String::as_str) != Some("time") {
                continue;
            }
            let axes: Vec<Axis<'_>> = dimensions
                .iter()
                .zip(array.grid())
                .map(|(dimension, length)| match chosen.get(dimension.as_str()) {
                    Some(positions) => Axis::At(positions),
                    None => Axis::All(length),
                })
                .collect();
            self.count(name, &axes, containers, &mut found).await?;
        }
        Ok(Some(found))
    }

    /// Counts the references of `array` at all combinations of positions along its axes.
    async fn count(
        &self,
        array: &str,
        axes: &[Axis<'_>],
        containers: &[Container],
        found: &mut HashMap<String, u64>,
    ) -> Result<()> {
        let path = array_path(array)?;
        let session = self.session.read().await;
        let grid: Vec<u64> = axes.iter().map(Axis::len).collect();
        let count = grid.iter().fold(1_u64, |count, &it| count.saturating_mul(it));
        if count > CHUNKS_LIMIT {
            let what = "number of chunks of one run";
            let limit = CHUNKS_LIMIT;
            return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found: count })
                .in_url(format!("{}/{array}", self.location)));
        }
        for index in 0..count {
            let at = unravel(&grid, index);
            let at = at.iter().zip(axes).filter_map(|(&position, axis)| axis.get(position));
            let chunk = session
                .get_chunk_ref(&path, &ChunkIndices(at.collect()))
                .await
                .map_err(|error| fault::session(&self.location, &error))?;
            if let Some(ChunkPayload::Virtual(reference)) = chunk {
                let url = url_of(reference.location.url(), containers);
                *found.entry(url).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// What is wanted along one dimension.
enum Axis<'a> {
    /// These positions.
    At(&'a [u32]),
    /// So many, from the first on.
    All(u64),
}

impl Axis<'_> {
    fn len(&self) -> u64 {
        match self {
            Self::At(positions) => positions.len() as u64,
            Self::All(length) => *length,
        }
    }

    fn get(&self, position: u64) -> Option<u32> {
        match self {
            Self::At(positions) => positions.get(usize::try_from(position).ok()?).copied(),
            Self::All(_) => u32::try_from(position).ok(),
        }
    }
}

/// The url that a location stands for: `vcc://NAME/key` is a key in a container.
pub(crate) fn url_of(location: &str, containers: &[Container]) -> String {
    let named = location.strip_prefix("vcc://").and_then(|rest| rest.split_once('/'));
    named
        .and_then(|(name, key)| {
            let container = containers.iter().find(|container| container.name == name)?;
            Some(format!("{}{key}", container.url_prefix))
        })
        .unwrap_or_else(|| location.to_owned())
}
