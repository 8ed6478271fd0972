//! An array of a repository, fetched and decoded chunk by chunk.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use gik_core::{Attributes, CoordinateValues, Error, ErrorKind, Result};
use icechunk::Store;
use icechunk::format::manifest::{ChunkPayload, VirtualReferenceErrorKind};
use icechunk::format::{ByteRange, ChunkIndices};
use icechunk::session::{Session, SessionErrorKind};
use icechunk::store::StoreErrorKind;
use tokio::sync::RwLock;
use zarrs::array::codec::api::{
    ArrayBytesRaw, ArrayToBytesCodecTraits, BytesPartialDecoderTraits, CodecError,
};
use zarrs::array::data_type::{
    Float32DataType, Float64DataType, Int64DataType, NumpyDateTime64DataType,
    NumpyTimeDelta64DataType,
};
use zarrs::array::{Array, ArrayBytes, ArraySubset, CodecOptions};
use zarrs::plugin::ZarrVersion;
use zarrs::storage::StorageError;
use zarrs::storage::byte_range::ByteRangeIterator;
use zarrs_icechunk::AsyncIcechunkStore;

use crate::present::url_of;
use crate::transaction::array_path;
use crate::{Container, StoreLocation, fault};

/// The largest coordinate read: two-dimensional ones of the finest grids have 2 million values.
const COORDINATE_LIMIT: u64 = 1 << 26;

/// What an element takes at most in an encoded chunk, in bytes, and all that is not elements.
const ENCODED_ELEMENT: u64 = 16;
const ENCODED_REST: u64 = 1 << 20;

/// An array of a repository: its chunks are fetched and decoded separately, so that the
/// caller decides what waits for what.
#[derive(Clone)]
pub struct StoredArray {
    pub(crate) name: String,
    pub(crate) location: StoreLocation,
    pub(crate) session: Arc<RwLock<Session>>,
    pub(crate) store: Store,
    pub(crate) array: Arc<Array<AsyncIcechunkStore>>,
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

    /// What its elements are where they are NumPy's times in whole seconds, as some Python packages
    /// write them, with no word of it in the attributes: CF's `units`.
    #[must_use]
    pub fn time_units(&self) -> Option<&'static str> {
        let data_type = self.array.data_type();
        let units = if data_type.is::<NumpyDateTime64DataType>() {
            "seconds since 1970-01-01"
        } else if data_type.is::<NumpyTimeDelta64DataType>() {
            "seconds"
        } else {
            return None;
        };
        let configuration = data_type.configuration(ZarrVersion::V3);
        let has = |key: &str, value: serde_json::Value| configuration.get(key) == Some(&value);
        (has("unit", "s".into()) && has("scale_factor", 1.into())).then_some(units)
    }

    /// All its values, as a coordinate's; of [times](Self::time_units) their seconds.
    ///
    /// # Errors
    /// When it is neither of 64-bit integers, of times in seconds nor of double precision, or
    /// cannot be read.
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
        if self.time_units().is_some() {
            let bytes = array.async_retrieve_array_subset::<ArrayBytes<'_>>(&everything).await;
            let bytes = bytes.and_then(|bytes| Ok(bytes.into_fixed()?));
            let bytes = bytes.map_err(|error| self.failed(&error))?;
            return Ok(CoordinateValues::Int64(elements(&bytes).map(i64::from_ne_bytes).collect()));
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

    /// The error with which the chunk at `indices` could not be decoded, with the url and the byte
    /// of the message that it refers to.
    pub async fn traced(&self, indices: &[u64], error: Error) -> Error {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        match cause.zip(self.origin(indices).await) {
            Some((cause, origin)) if matches!(error.kind(), ErrorKind::Io { .. }) => {
                fault::io(&self.chunk_place(indices), &format!("{cause} [in {origin}]"))
            }
            _ => error,
        }
    }

    /// `s3://bucket/key at byte 1234`, of a reference.
    async fn origin(&self, indices: &[u64]) -> Option<String> {
        let path = array_path(&self.name).ok()?;
        let at: Option<Vec<u32>> = indices.iter().map(|&it| u32::try_from(it).ok()).collect();
        let session = self.session.read().await;
        let Ok(Some(ChunkPayload::Virtual(reference))) =
            session.get_chunk_ref(&path, &ChunkIndices(at?)).await
        else {
            return None;
        };
        let configured = session.config().virtual_chunk_containers();
        let containers: Vec<Container> = configured.filter_map(Container::of_config).collect();
        let url = url_of(reference.location.url(), &containers);
        Some(format!("{url} at byte {}", reference.offset))
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
