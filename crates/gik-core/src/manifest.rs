//! Where the chunks of a virtual store lie.
//!
//! A manifest of an ensemble run has 10⁵ entries, a store of years 10⁸: entries are held
//! as parallel arrays of numbers, and a url is stored once in a [`SourceTable`].

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;

use bytes::Bytes;

use crate::{ArrayMetadata, Error, ErrorKind, Result};

/// An object that chunks refer to, with what tells whether it was overwritten since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceObject {
    /// The absolute url.
    pub url: String,
    /// When it was last modified, in seconds since 1970, if the store says so.
    pub last_modified: Option<i64>,
    /// Its entity tag, if the store says so.
    pub etag: Option<String>,
}

/// A number for an object in a [`SourceTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

impl SourceId {
    /// The position in [`SourceTable::iter`].
    #[must_use]
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

/// Each object once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTable {
    objects: Vec<SourceObject>,
    by_url: HashMap<String, SourceId>,
}

impl SourceTable {
    /// The id of `object`, which is added unless its url is there already.
    ///
    /// # Errors
    /// Beyond 2³² objects.
    pub fn intern(&mut self, object: SourceObject) -> Result<SourceId> {
        if let Some(&id) = self.by_url.get(&object.url) {
            return Ok(id);
        }
        let id = u32::try_from(self.objects.len()).map(SourceId).map_err(|_| {
            Error::new(ErrorKind::LimitExceeded {
                what: "number of source objects",
                limit: u64::from(u32::MAX),
                found: self.objects.len() as u64,
            })
        })?;
        self.by_url.insert(object.url.clone(), id);
        self.objects.push(object);
        Ok(id)
    }

    /// The object of an id that this table gave out.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&SourceObject> {
        self.objects.get(id.position())
    }

    /// The objects, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &SourceObject)> {
        (0..).map(SourceId).zip(&self.objects)
    }

    /// The number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// One chunk of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// There is none: it reads as the fill value.
    Missing,
    /// The encoded bytes themselves.
    Inline(&'a Bytes),
    /// A range of an object.
    Virtual(ChunkEntry),
}

/// A range of an object: `length` bytes from byte `offset` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkEntry {
    /// The object, in the store's [`SourceTable`].
    pub source: SourceId,
    /// The first byte, counted from the start of the object.
    pub offset: u64,
    /// The number of bytes.
    pub length: NonZeroU32,
}

/// The chunks of one array, by their position in the chunk grid (C order).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkManifest {
    // Three parallel arrays, 16 bytes an entry. A length of `None` is a chunk that is not
    // virtual.
    sources: Vec<SourceId>,
    offsets: Vec<u64>,
    lengths: Vec<Option<NonZeroU32>>,
    inline: BTreeMap<u64, Bytes>,
    virtual_count: u64,
}

impl ChunkManifest {
    /// A grid of `chunks` chunks, all missing.
    ///
    /// # Errors
    /// When the memory for that many entries cannot be had.
    pub fn new(chunks: u64) -> Result<Self> {
        let too_many = || {
            Error::new(ErrorKind::LimitExceeded {
                what: "number of chunks in an array",
                limit: u64::from(u32::MAX),
                found: chunks,
            })
        };
        let count = u32::try_from(chunks).map_err(|_| too_many())? as usize;
        Ok(Self {
            sources: filled(count, SourceId(0)).ok_or_else(too_many)?,
            offsets: filled(count, 0).ok_or_else(too_many)?,
            lengths: filled(count, None).ok_or_else(too_many)?,
            inline: BTreeMap::new(),
            virtual_count: 0,
        })
    }

    /// The number of chunks in the grid.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.lengths.len() as u64
    }

    /// Whether the grid has no chunk.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The number of virtual chunks.
    #[must_use]
    pub fn virtual_count(&self) -> u64 {
        self.virtual_count
    }

    /// Sets the chunk at `index` unless there is one; whether it was set. The first entry
    /// wins: an index that lists a message twice lists the same message.
    ///
    /// # Errors
    /// When `index` is outside the grid.
    pub fn set_virtual(&mut self, index: u64, entry: ChunkEntry) -> Result<bool> {
        let position = self.position(index)?;
        let (Some(length), Some(offset), Some(source)) = (
            self.lengths.get_mut(position),
            self.offsets.get_mut(position),
            self.sources.get_mut(position),
        ) else {
            return Ok(false);
        };
        if length.is_some() || self.inline.contains_key(&index) {
            return Ok(false);
        }
        *length = Some(entry.length);
        *offset = entry.offset;
        *source = entry.source;
        self.virtual_count += 1;
        Ok(true)
    }

    /// Sets the chunk at `index` to these encoded bytes.
    ///
    /// # Errors
    /// When `index` is outside the grid.
    pub fn set_inline(&mut self, index: u64, bytes: Bytes) -> Result<()> {
        self.position(index)?;
        self.inline.insert(index, bytes);
        Ok(())
    }

    /// The chunk at `index`; outside the grid it is missing.
    #[must_use]
    pub fn get(&self, index: u64) -> Chunk<'_> {
        if let Some(bytes) = self.inline.get(&index) {
            return Chunk::Inline(bytes);
        }
        let entry = usize::try_from(index).ok().and_then(|position| {
            Some(ChunkEntry {
                source: *self.sources.get(position)?,
                offset: *self.offsets.get(position)?,
                length: (*self.lengths.get(position)?)?,
            })
        });
        entry.map_or(Chunk::Missing, Chunk::Virtual)
    }

    /// The virtual chunks with their positions, ascending.
    pub fn virtual_chunks(&self) -> impl Iterator<Item = (u64, ChunkEntry)> + '_ {
        let columns = self.sources.iter().zip(&self.offsets).zip(&self.lengths);
        (0..).zip(columns).filter_map(|(index, ((&source, &offset), &length))| {
            Some((index, ChunkEntry { source, offset, length: length? }))
        })
    }

    /// The inline chunks with their positions, ascending.
    pub fn inline_chunks(&self) -> impl Iterator<Item = (u64, &Bytes)> + '_ {
        self.inline.iter().map(|(&index, bytes)| (index, bytes))
    }

    fn position(&self, index: u64) -> Result<usize> {
        usize::try_from(index).ok().filter(|&position| position < self.lengths.len()).ok_or_else(
            || {
                Error::mismatch(
                    "position of a chunk",
                    format!("less than {}", self.lengths.len()),
                    index.to_string(),
                )
            },
        )
    }
}

/// `count` copies of `value`, or nothing when memory is short.
fn filled<T: Clone>(count: usize, value: T) -> Option<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).ok()?;
    values.resize(count, value);
    Some(values)
}

/// An array: what it is, and where its chunks are.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestArray {
    /// Its Zarr v3 metadata.
    pub metadata: ArrayMetadata,
    /// Its chunks, one entry for each position of the chunk grid.
    pub chunks: ChunkManifest,
}

impl ManifestArray {
    /// An array of which every chunk is missing.
    ///
    /// # Errors
    /// When the chunk grid is too large to hold.
    pub fn empty(metadata: ArrayMetadata) -> Result<Self> {
        let chunks = ChunkManifest::new(metadata.chunk_count())?;
        Ok(Self { metadata, chunks })
    }
}

/// A group of arrays; the order of a model's variable table is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ManifestGroup {
    /// The group's attributes.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// The data arrays, in the order of [`Run::variables`](crate::Run::variables).
    pub data: Vec<(String, ManifestArray)>,
    /// The coordinate arrays.
    pub coordinates: Vec<(String, ManifestArray)>,
}

impl ManifestGroup {
    /// The data and coordinate arrays.
    pub fn arrays(&self) -> impl Iterator<Item = (&str, &ManifestArray)> {
        self.coordinates.iter().chain(&self.data).map(|(name, array)| (name.as_str(), array))
    }

    /// The array of this name.
    #[must_use]
    pub fn array(&self, name: &str) -> Option<&ManifestArray> {
        self.arrays().find(|(other, _)| *other == name).map(|(_, array)| array)
    }

    /// The number of virtual chunks.
    #[must_use]
    pub fn virtual_count(&self) -> u64 {
        self.arrays().map(|(_, array)| array.chunks.virtual_count()).sum()
    }
}

/// A whole virtual store, before it is written anywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestStore {
    /// The one flat group.
    pub group: ManifestGroup,
    /// The objects that the chunks refer to.
    pub sources: SourceTable,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(url: &str) -> SourceObject {
        SourceObject { url: url.to_owned(), last_modified: Some(7), etag: None }
    }

    #[test]
    fn urls_are_stored_once() {
        let mut table = SourceTable::default();
        let a = table.intern(object("s3://b/a")).unwrap();
        let b = table.intern(object("s3://b/b")).unwrap();
        assert_eq!(table.intern(object("s3://b/a")).unwrap(), a);
        assert_eq!((table.len(), table.get(b).unwrap().url.as_str()), (2, "s3://b/b"));
    }

    #[test]
    fn the_first_entry_of_a_chunk_wins() {
        let mut chunks = ChunkManifest::new(3).unwrap();
        let source = SourceId(0);
        let entry = |offset| ChunkEntry { source, offset, length: NonZeroU32::new(5).unwrap() };
        assert!(chunks.set_virtual(2, entry(10)).unwrap());
        assert!(!chunks.set_virtual(2, entry(20)).unwrap());
        chunks.set_inline(0, Bytes::from_static(b"x")).unwrap();
        assert!(chunks.set_virtual(3, entry(0)).is_err());
        assert_eq!(chunks.get(2), Chunk::Virtual(entry(10)));
        assert_eq!(chunks.get(1), Chunk::Missing);
        assert_eq!(chunks.get(0), Chunk::Inline(&Bytes::from_static(b"x")));
        assert_eq!(chunks.virtual_chunks().collect::<Vec<_>>(), [(2, entry(10))]);
        assert_eq!(chunks.virtual_count(), 1);
    }

    #[test]
    fn an_entry_takes_sixteen_bytes() {
        let bytes = size_of::<SourceId>() + size_of::<u64>() + size_of::<Option<NonZeroU32>>();
        assert_eq!(bytes, 16);
    }
}
