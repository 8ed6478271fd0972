//! A manifest as references: one flat Zarr v2 group, as kerchunk makes it of single files.

use std::sync::Arc;

use bytes::Bytes;
use gik_core::{
    Chunk, DataType, Error, ManifestArray, ManifestGroup, ManifestStore, Result, SourceTable,
};
use serde_json::{Value, json};

use crate::zarr_v2::{DIMENSIONS, GRIB, ZarrArray, chunk_id};
use crate::{ReferenceSet, Value as Entry, longitudes, url_text};

/// The dimension that the codec turns.
const LONGITUDE: &str = "longitude";
/// What of the codec's configuration a GRIB filter can say, or does not depend on.
const CONFIGURATION: [&str; 3] = ["var", "adjust_longitude_range", "steps"];

impl ReferenceSet {
    /// The references of a manifest: Zarr v2 metadata with kerchunk's GRIB filter, coordinates
    /// with their values, and the longitudes of the messages, which that filter does not turn.
    ///
    /// # Errors
    /// When an array has another codec than one of GRIB messages or plain bytes, or the
    /// longitudes of the messages are not told by the arrays' attributes.
    pub fn from_manifest(manifest: &ManifestStore) -> Result<Self> {
        let mut set = Self::default();
        let group = &manifest.group;
        set.set_metadata(".zgroup", &json!({"zarr_format": 2}));
        set.set_metadata(".zattrs", &Value::Object(group.attributes.clone()));
        let urls = urls(&manifest.sources);
        let turn = turned_longitudes(group)?;
        for (name, array) in group.arrays() {
            let written = set.array(name, name, array, &urls);
            written.map_err(|error| error.in_url(name))?;
        }
        if let Some(turned) = turn {
            let bytes = turned.iter().flat_map(|it| it.to_le_bytes()).collect();
            set.entries.insert(format!("{LONGITUDE}/0"), Entry::Inline(bytes));
        }
        Ok(set)
    }

    pub(crate) fn set_metadata(&mut self, key: &str, document: &Value) {
        self.entries.insert(key.to_owned(), Entry::Metadata(document.to_string()));
    }

    /// Adds an array under `key`; `name` is what the messages are called.
    fn array(
        &mut self,
        key: &str,
        name: &str,
        array: &ManifestArray,
        urls: &[Arc<str>],
    ) -> Result<()> {
        let (metadata, rows) = zarr_array(name, array)?;
        let mut attributes = array.metadata.attributes.clone();
        attributes.insert(DIMENSIONS.to_owned(), json!(array.metadata.dimension_names));
        self.set_metadata(&format!("{key}/.zarray"), &metadata.to_json());
        self.set_metadata(&format!("{key}/.zattrs"), &Value::Object(attributes));
        let grid = metadata.grid();
        for (index, bytes) in array.chunks.inline_chunks() {
            let bytes = bytes.slice(..rows.unwrap_or(bytes.len()).min(bytes.len()));
            let chunk = format!("{key}/{}", chunk_id(&grid, index));
            self.entries.insert(chunk, Entry::Inline(bytes));
        }
        for (index, entry) in array.chunks.virtual_chunks() {
            if let Some(range) = range(urls, entry) {
                self.entries.insert(format!("{key}/{}", chunk_id(&grid, index)), range);
            }
        }
        Ok(())
    }
}

/// The url of each source, as references spell it.
pub(crate) fn urls(sources: &SourceTable) -> Vec<Arc<str>> {
    sources.iter().map(|(_, object)| url_text::literal(&object.url).into()).collect()
}

/// A chunk's place as a reference; `urls` are those of the manifest's sources.
pub(crate) fn range(urls: &[Arc<str>], entry: gik_core::ChunkEntry) -> Option<Entry> {
    let url = Arc::clone(urls.get(entry.source.position())?);
    Some(Entry::Range { url, offset: entry.offset, length: entry.length.get().into() })
}

/// The Zarr v2 metadata of an array, and the bytes of its one chunk that lie in the array where
/// the chunk is longer: what a store keeps for runs to come.
pub(crate) fn zarr_array(name: &str, array: &ManifestArray) -> Result<(ZarrArray, Option<usize>)> {
    let metadata = &array.metadata;
    let (dtype, filter_dtype) = match metadata.data_type {
        DataType::Float32 => ("<f4", "float32"),
        DataType::Float64 => ("<f8", "float64"),
        DataType::Int64 => ("<i8", "int64"),
    };
    let mut chunks = metadata.chunk_shape.clone();
    let (mut filters, mut rows) = (Vec::new(), None);
    match codec(&metadata.codecs)? {
        Codec::Grib(_) => {
            let var = grib_variable(&metadata.codecs).unwrap_or(name);
            filters.push(json!({"id": GRIB, "var": var, "dtype": filter_dtype}));
        }
        Codec::Plain => {
            if let (Some(chunk), Some(&length)) = (chunks.first_mut(), metadata.shape.first())
                && *chunk > length
            {
                *chunk = length.max(1);
                let elements = metadata.shape.iter().product::<u64>();
                rows = usize::try_from(elements.saturating_mul(8)).ok();
            }
        }
    }
    let fill_value = match metadata.data_type {
        DataType::Float32 | DataType::Float64 => json!("NaN"),
        // Readers take the fill value for a missing one, and 0 is a member and a step.
        DataType::Int64 => Value::Null,
    };
    let array = ZarrArray {
        shape: metadata.shape.clone(),
        chunks,
        dtype: dtype.to_owned(),
        fill_value,
        filters,
        compressor: None,
    };
    Ok((array, rows))
}

/// What chunks are encoded with.
enum Codec {
    /// GRIB messages; whether their longitudes are turned.
    Grib(bool),
    /// Little-endian numbers.
    Plain,
}

fn codec(codecs: &Value) -> Result<Codec> {
    let unsupported = || Error::unsupported("codec to write as a reference", codecs.to_string());
    let [codec] = codecs.as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err(unsupported());
    };
    let name = codec.get("name").and_then(Value::as_str).unwrap_or_default();
    let configuration = codec.get("configuration").and_then(Value::as_object);
    if name == "gribberish" || name.ends_with("_gribberish") {
        let mut keys = configuration.into_iter().flat_map(|it| it.keys());
        if keys.any(|key| !CONFIGURATION.contains(&key.as_str())) {
            return Err(unsupported());
        }
        let turn = configuration.and_then(|it| it.get("adjust_longitude_range"));
        return Ok(Codec::Grib(turn.and_then(Value::as_bool) == Some(true)));
    }
    let endian = configuration.and_then(|it| it.get("endian")).and_then(Value::as_str);
    if name == "bytes" && endian == Some("little") {
        return Ok(Codec::Plain);
    }
    Err(unsupported())
}

/// The variable that a codec of messages is configured with.
fn grib_variable(codecs: &Value) -> Option<&str> {
    codecs.pointer("/0/configuration/var").and_then(Value::as_str)
}

/// The longitudes of the messages; none where they are the store's or there is no such axis.
pub(crate) fn turned_longitudes(group: &ManifestGroup) -> Result<Option<Vec<f64>>> {
    let mut firsts = Vec::new();
    for (name, array) in &group.data {
        let has = array.metadata.dimension_names.iter().any(|it| it == LONGITUDE);
        if has && matches!(codec(&array.metadata.codecs)?, Codec::Grib(true)) {
            let first = array.metadata.attributes.get("GRIB_longitudeOfFirstGridPointInDegrees");
            let first = first.and_then(Value::as_f64).ok_or_else(|| {
                Error::mismatch(
                    format!("attribute GRIB_longitudeOfFirstGridPointInDegrees of {name}"),
                    "the first longitude of its messages",
                    "none",
                )
            })?;
            firsts.push(first);
        }
    }
    let Some(&first) = firsts.first() else { return Ok(None) };
    if firsts.iter().any(|other| other.to_bits() != first.to_bits()) {
        let what = "first longitude of the messages of different arrays";
        return Err(Error::mismatch(what, first.to_string(), "several"));
    }
    let Some(axis) = group.array(LONGITUDE).and_then(plain_floats) else { return Ok(None) };
    longitudes::of_message(&axis, first).map(Some)
}

/// The values of a coordinate of double precision in one chunk.
fn plain_floats(array: &ManifestArray) -> Option<Vec<f64>> {
    let Chunk::Inline(bytes) = array.chunks.get(0) else { return None };
    if array.metadata.data_type != DataType::Float64 || array.metadata.chunk_count() != 1 {
        return None;
    }
    Some(floats(bytes))
}

pub(crate) fn floats(bytes: &Bytes) -> Vec<f64> {
    let words = bytes.chunks_exact(8).filter_map(|word| word.try_into().ok());
    words.map(f64::from_le_bytes).collect()
}
