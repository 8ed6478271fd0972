//! References as a manifest, without a model: one flat group of messages and coordinates.

mod plain;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use gik_core::{
    ArrayMetadata, Attributes, ChunkEntry, CoordinateValues, DataType, Error, ErrorKind,
    ManifestArray, ManifestGroup, ManifestStore, Result, SourceId, SourceObject, SourceTable,
    coordinate_array,
};
use serde_json::{Value as Json, json};

use crate::zarr_v2::{DIMENSIONS, ZarrArray, chunk_index};
use crate::{ReferenceSet, Value, longitudes, parse_json, url_text};

/// Chunks of all arrays together that may be missing, for each reference that is there: a grid
/// is held as a whole.
const CHUNKS_PER_REFERENCE: u64 = 64;
/// Chunks of all arrays that may be missing in any case.
const CHUNKS: u64 = 1 << 20;
/// Reference times in a chunk of `time`, and rows of one of `valid_time`: as in a fresh store,
/// so that others can be added.
const TIME_ROWS: (u64, u64) = (512, 32);

impl ReferenceSet {
    /// The manifest of a flat dataset: arrays with kerchunk's GRIB filter become arrays of the
    /// `gribberish` codec, arrays of numbers in the references themselves become coordinates.
    /// Longitudes around the globe are turned to −180…180°, and the codec told to do likewise.
    ///
    /// # Errors
    /// When there is no array or it lies in a group, when an array is of another codec or type,
    /// lacks the names of its dimensions, or refers to whole files. The text names the key.
    pub fn to_manifest(&self) -> Result<ManifestStore> {
        let mut arrays = BTreeMap::new();
        let mut chunks = 0_u64;
        for (key, value) in &self.entries {
            let (Value::Metadata(text), Some(name)) = (value, key.strip_suffix(".zarray")) else {
                continue;
            };
            let name = name.trim_end_matches('/');
            let in_key = |error: Error| error.in_url(key.clone());
            if name.is_empty() || name.contains('/') {
                let what = "layout of references";
                let found = "an array in a group; only a model's files can be read from groups";
                return Err(in_key(Error::unsupported(what, found)));
            }
            let array = ZarrArray::parse(&parse_json(text).map_err(in_key)?).map_err(in_key)?;
            chunks = chunks.saturating_add(array.chunk_count());
            arrays.insert(name, array);
        }
        if arrays.is_empty() {
            return Err(Error::mismatch("references", "at least one .zarray", "none"));
        }
        let limit = CHUNKS.max((self.entries.len() as u64).saturating_mul(CHUNKS_PER_REFERENCE));
        if chunks > limit {
            let what = "number of chunks, nearly all of which are missing,";
            return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found: chunks }));
        }
        let mut building = Building {
            set: self,
            arrays: &arrays,
            sources: SourceTable::default(),
            ids: BTreeMap::new(),
        };
        let mut group = ManifestGroup {
            attributes: self.object(".zattrs").unwrap_or_default(),
            ..ManifestGroup::default()
        };
        let coordinates = coordinate_names(self, &arrays, &group.attributes);
        for (name, array) in &arrays {
            let made = building
                .array(name, array)
                .map_err(|error| error.in_url(format!("{name}/.zarray")))?;
            // What others describe lies in the store; what points elsewhere cannot.
            if coordinates.contains(*name) && made.chunks.virtual_count() == 0 {
                group.coordinates.push(((*name).to_owned(), made));
            } else {
                group.data.push(((*name).to_owned(), made));
            }
        }
        turn(&mut group)?;
        Ok(ManifestStore { group, sources: building.sources })
    }
}

/// The arrays that describe others (CF 1.11, chapter 5).
fn coordinate_names(
    set: &ReferenceSet,
    arrays: &BTreeMap<&str, ZarrArray>,
    group: &Attributes,
) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut texts = vec![group.get("coordinates").cloned()];
    for name in arrays.keys() {
        let attributes = set.object(&format!("{name}/.zattrs")).unwrap_or_default();
        for dimension in attributes.get(DIMENSIONS).and_then(Json::as_array).into_iter().flatten() {
            names.extend(dimension.as_str().map(str::to_owned));
        }
        for key in ["coordinates", "bounds", "grid_mapping"] {
            texts.push(attributes.get(key).cloned());
        }
    }
    for text in texts.iter().flatten().filter_map(Json::as_str) {
        names.extend(text.split_whitespace().map(str::to_owned));
    }
    names
}

struct Building<'s> {
    set: &'s ReferenceSet,
    arrays: &'s BTreeMap<&'s str, ZarrArray>,
    sources: SourceTable,
    ids: BTreeMap<Arc<str>, SourceId>,
}

impl Building<'_> {
    fn array(&mut self, name: &str, array: &ZarrArray) -> Result<ManifestArray> {
        let mut attributes = self.set.object(&format!("{name}/.zattrs")).unwrap_or_default();
        let names: Option<Vec<String>> = match attributes.remove(DIMENSIONS) {
            Some(Json::Array(list)) => {
                list.iter().map(|name| name.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        let names = names.filter(|names| names.len() == array.shape.len()).ok_or_else(|| {
            let found = format!("an array of {}", array.shape.len());
            Error::malformed("_ARRAY_DIMENSIONS", "a name for each dimension", found)
        })?;
        if let Some(filter) = array.grib_filter() {
            let var = filter.get("var").and_then(Json::as_str).unwrap_or(name);
            return self.messages(name, array, names, attributes, var);
        }
        let is_here = self.chunks(name).all(|(_, value)| matches!(value, Value::Inline(_)));
        if is_here {
            self.numbers(name, array, &names, attributes)
        } else {
            self.ranges(name, array, names, attributes)
        }
    }

    /// The chunks of an array, by what follows its name in their keys.
    fn chunks<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + 'a {
        let prefix = format!("{name}/");
        let from = prefix.clone();
        let keys = self.set.entries.range(from..).map(|(key, value)| (key.as_str(), value));
        let length = prefix.len();
        keys.take_while(move |(key, _)| key.starts_with(&prefix))
            .filter(|(_, value)| !matches!(value, Value::Metadata(_)))
            .filter_map(move |(key, value)| Some((key.get(length..)?, value)))
    }

    /// An array of messages.
    fn messages(
        &mut self,
        name: &str,
        array: &ZarrArray,
        names: Vec<String>,
        attributes: Attributes,
        var: &str,
    ) -> Result<ManifestArray> {
        if array.filters.len() != 1 || array.compressor.is_some() {
            let found = json!([array.filters, array.compressor]).to_string();
            return Err(Error::unsupported("codecs beside that of GRIB messages", found));
        }
        let data_type = float(array)?;
        let mut configuration = json!({"var": var});
        let is_axis = |name: &String| name == LONGITUDE;
        if names.iter().any(is_axis)
            && let Some(object) = configuration.as_object_mut()
        {
            object.insert("adjust_longitude_range".to_owned(), json!(true));
        }
        let codecs = json!([{"name": "gribberish", "configuration": configuration}]);
        self.referred(name, array, names, attributes, data_type, codecs)
    }

    /// An array of plain numbers that lie elsewhere.
    fn ranges(
        &mut self,
        name: &str,
        array: &ZarrArray,
        names: Vec<String>,
        attributes: Attributes,
    ) -> Result<ManifestArray> {
        if !array.filters.is_empty() || array.compressor.is_some() {
            let found = json!([array.filters, array.compressor]).to_string();
            return Err(Error::unsupported("codecs of references", found));
        }
        let data_type = if array.dtype == "<i8" { DataType::Int64 } else { float(array)? };
        let codecs = json!([{"name": "bytes", "configuration": {"endian": "little"}}]);
        self.referred(name, array, names, attributes, data_type, codecs)
    }

    fn referred(
        &mut self,
        name: &str,
        array: &ZarrArray,
        dimension_names: Vec<String>,
        attributes: Attributes,
        data_type: DataType,
        codecs: Json,
    ) -> Result<ManifestArray> {
        let mut made = ManifestArray::empty(ArrayMetadata {
            shape: array.shape.clone(),
            chunk_shape: array.chunks.clone(),
            dimension_names,
            data_type,
            codecs,
            attributes,
        })?;
        let grid = array.grid();
        let set = self.set;
        let prefix = format!("{name}/");
        for (key, value) in set.entries.range(prefix.clone()..) {
            let Some(id) = key.strip_prefix(&prefix) else { break };
            // What lies outside of the array does not count.
            let Some(index) = chunk_index(&grid, id) else { continue };
            match value {
                Value::Metadata(_) => {}
                Value::Inline(bytes) => made.chunks.set_inline(index, bytes.clone())?,
                Value::Range { url, offset, length } => {
                    let length = u32::try_from(*length).ok().and_then(NonZeroU32::new);
                    let length = length.ok_or_else(|| {
                        let found = value_length(value);
                        Error::malformed("length of a reference", "1 to 2^32 - 1", found)
                            .in_url(key.clone())
                    })?;
                    let source = self.source(url).map_err(|error| error.in_url(key.clone()))?;
                    made.chunks
                        .set_virtual(index, ChunkEntry { source, offset: *offset, length })?;
                }
                Value::Whole { url } => {
                    let what = "reference to a whole file, whose length is not told";
                    return Err(Error::unsupported(what, &**url).in_url(key.clone()));
                }
            }
        }
        Ok(made)
    }

    fn source(&mut self, url: &Arc<str>) -> Result<SourceId> {
        if let Some(&id) = self.ids.get(url) {
            return Ok(id);
        }
        let object = SourceObject { url: url_text::encoded(url)?, last_modified: None, etag: None };
        let id = self.sources.intern(object)?;
        self.ids.insert(Arc::clone(url), id);
        Ok(id)
    }

    /// An array of numbers that lie in the references, as a coordinate of one chunk.
    fn numbers(
        &self,
        name: &str,
        array: &ZarrArray,
        names: &[String],
        attributes: Attributes,
    ) -> Result<ManifestArray> {
        let values = plain::values(array, self.chunks(name)).map_err(|(id, error)| match id {
            Some(id) => error.in_url(format!("{name}/{id}")),
            None => error,
        })?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rows = match names.as_slice() {
            ["time"] if self.arrays.contains_key("valid_time") => TIME_ROWS.0,
            ["time", "step"] if name == "valid_time" => TIME_ROWS.1,
            _ => 0,
        };
        coordinate_array(&values, &array.shape, &names, rows, attributes)
    }
}

fn value_length(value: &Value) -> String {
    match value {
        Value::Range { length, .. } => length.to_string(),
        _ => String::new(),
    }
}

/// The element type of messages.
fn float(array: &ZarrArray) -> Result<DataType> {
    match array.dtype.as_str() {
        "<f4" => Ok(DataType::Float32),
        "<f8" => Ok(DataType::Float64),
        other => Err(Error::unsupported("element type of references", other)),
    }
}

/// The dimension that the codec turns.
const LONGITUDE: &str = "longitude";

/// Turns the longitudes as the codec turns the messages.
fn turn(group: &mut ManifestGroup) -> Result<()> {
    let is_turned = group.data.iter().any(|(_, array)| {
        array.metadata.codecs.pointer("/0/configuration/adjust_longitude_range").is_some()
    });
    let axis = group.coordinates.iter_mut().find(|(name, _)| name == LONGITUDE);
    let Some((_, axis)) = axis.filter(|_| is_turned) else { return Ok(()) };
    if axis.metadata.dimension_names != [LONGITUDE] {
        return Ok(());
    }
    let Some((_, bytes)) = axis.chunks.inline_chunks().next() else { return Ok(()) };
    let turned = longitudes::of_store(&crate::from_manifest::floats(bytes));
    let shape = axis.metadata.shape.clone();
    let attributes = axis.metadata.attributes.clone();
    let values = CoordinateValues::Float64(turned);
    *axis = coordinate_array(&values, &shape, &[LONGITUDE], 0, attributes)?;
    Ok(())
}
