//! The arrays of a kerchunk store and their coordinates, wherever in the hierarchy they are.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value as Json};

use crate::{ReferenceSet, Value};

/// Elements of a coordinate that are read.
const ELEMENTS_LIMIT: usize = 1 << 16;

/// An array of messages.
#[derive(Debug)]
pub(crate) struct MessageArray<'s> {
    /// Its path, ending with `/`.
    pub(crate) path: &'s str,
    pub(crate) shape: Vec<u64>,
    pub(crate) dimensions: Vec<String>,
    pub(crate) attributes: Map<String, Json>,
}

/// One of its chunks.
#[derive(Debug)]
pub(crate) struct MessageChunk<'s> {
    pub(crate) key: &'s str,
    pub(crate) value: &'s Value,
    /// Its place along each dimension; none outside of the array.
    pub(crate) place: Option<Vec<u64>>,
}

/// The values of a coordinate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coordinate {
    pub(crate) dimensions: Vec<String>,
    pub(crate) shape: Vec<u64>,
    pub(crate) values: Vec<f64>,
    pub(crate) units: Option<String>,
}

impl<'s> MessageArray<'s> {
    /// The arrays whose chunks are GRIB messages, and the paths of those that have as many
    /// dimensions as a field and no chunk.
    pub(crate) fn all(set: &'s ReferenceSet) -> (Vec<Self>, Vec<&'s str>) {
        let (mut arrays, mut others) = (Vec::new(), Vec::new());
        for key in set.entries.keys() {
            let Some(path) = key.strip_suffix(".zarray") else { continue };
            let Some(metadata) = set.object(key) else { continue };
            let shape = numbers(metadata.get("shape"));
            let var = metadata.get("filters").and_then(grib_variable);
            match var {
                Some("latitude" | "longitude") => {}
                Some(_) => {
                    let attributes = set.object(&format!("{path}.zattrs")).unwrap_or_default();
                    let dimensions = texts(attributes.get("_ARRAY_DIMENSIONS"));
                    arrays.push(Self { path, shape, dimensions, attributes });
                }
                None if shape.len() > 2 && is_empty(set, path) => others.push(path),
                None => {}
            }
        }
        (arrays, others)
    }

    /// The array's name: the last part of its path.
    pub(crate) fn name(&self) -> &'s str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    /// The path of its group, ending with `/`; empty for the root.
    pub(crate) fn group(&self) -> &'s str {
        let path = self.path.trim_end_matches('/');
        path.get(..path.rfind('/').map_or(0, |at| at + 1)).unwrap_or_default()
    }

    /// A text attribute, or a part of the path counted from its end: 1 is the part before the
    /// array's name.
    pub(crate) fn text<'a>(&'a self, attribute: &str, part: usize) -> &'a str {
        let text = self.attributes.get(attribute).and_then(Json::as_str);
        let from_path = || self.path.trim_end_matches('/').rsplit('/').nth(part);
        text.or_else(from_path).unwrap_or_default()
    }

    /// Its chunks.
    pub(crate) fn chunks(&self, set: &'s ReferenceSet) -> impl Iterator<Item = MessageChunk<'s>> {
        let shape = self.shape.clone();
        set.below(self.path).filter_map(move |(key, value)| {
            let id = key.get(self.path.len()..)?;
            if crate::is_metadata_key(key) || id.contains('/') {
                return None;
            }
            let numbers: Option<Vec<u64>> =
                id.split('.').map(|number| number.parse().ok()).collect();
            // One message a chunk: of the last two dimensions there is one chunk.
            let is_inside = |place: &Vec<u64>| {
                place.len() == shape.len()
                    && place.iter().zip(&shape).all(|(at, length)| at < length)
            };
            Some(MessageChunk { key, value, place: numbers.filter(is_inside) })
        })
    }
}

impl Coordinate {
    /// The coordinate `name` of a group, if its values stand in the file as they are.
    pub(crate) fn read(set: &ReferenceSet, group: &str, name: &str) -> Option<Self> {
        let path = format!("{group}{name}/");
        let metadata = set.object(&format!("{path}.zarray"))?;
        let is_plain = |key: &str| match metadata.get(key) {
            None | Some(Json::Null) => true,
            Some(Json::Array(list)) => list.is_empty(),
            Some(_) => false,
        };
        if !is_plain("compressor") || !is_plain("filters") {
            return None;
        }
        let shape = numbers(metadata.get("shape"));
        let id = vec!["0"; shape.len().clamp(1, 32)].join(".");
        let Some(Value::Inline(bytes)) = set.entries.get(&format!("{path}{id}")) else {
            return None;
        };
        let values = elements(metadata.get("dtype")?.as_str()?, bytes)?;
        let count = shape.iter().try_fold(1_u64, |count, &length| count.checked_mul(length))?;
        if count != values.len() as u64 {
            return None;
        }
        let attributes = set.object(&format!("{path}.zattrs")).unwrap_or_default();
        let units = attributes.get("units").and_then(Json::as_str).map(str::to_owned);
        Some(Self { dimensions: texts(attributes.get("_ARRAY_DIMENSIONS")), shape, values, units })
    }

    /// The value at a place, of which the number along each dimension is given; none where the
    /// coordinate has another dimension.
    pub(crate) fn at(&self, place: &BTreeMap<&str, u64>) -> Option<f64> {
        let mut index = 0_u64;
        for (dimension, &length) in self.dimensions.iter().zip(&self.shape) {
            // A dimension of one element may be left out of the arrays.
            let at = match place.get(dimension.as_str()) {
                Some(&at) => at,
                None if length == 1 => 0,
                None => return None,
            };
            index = index.checked_mul(length)?.checked_add(at)?;
        }
        self.values.get(usize::try_from(index).ok()?).copied()
    }

    /// The value at a place of a coordinate that counts time, in seconds.
    pub(crate) fn seconds_at(&self, place: &BTreeMap<&str, u64>) -> Option<f64> {
        let unit = self.units.as_deref().unwrap_or("hours").split(' ').next();
        let factor = match unit {
            Some("days") => 86_400.0,
            Some("hours") => 3600.0,
            Some("minutes") => 60.0,
            Some("seconds") => 1.0,
            Some("nanoseconds") => 1e-9,
            _ => return None,
        };
        self.at(place).map(|value| value * factor)
    }
}

/// Whether an array has no chunk. A coordinate of three dimensions may have lost its chunk.
fn is_empty(set: &ReferenceSet, path: &str) -> bool {
    !path.ends_with("/valid_time/") && set.below(path).all(|(key, _)| crate::is_metadata_key(key))
}

/// `var` of the `grib` filter, if there is one.
fn grib_variable(filters: &Json) -> Option<&str> {
    let filters = filters.as_array()?;
    let grib = filters.iter().find(|it| it.get("id").and_then(Json::as_str) == Some("grib"))?;
    Some(grib.get("var").and_then(Json::as_str).unwrap_or_default())
}

fn numbers(list: Option<&Json>) -> Vec<u64> {
    list.and_then(Json::as_array)
        .map(|list| list.iter().filter_map(Json::as_u64).collect())
        .unwrap_or_default()
}

fn texts(list: Option<&Json>) -> Vec<String> {
    list.and_then(Json::as_array)
        .map(|list| list.iter().filter_map(Json::as_str).map(str::to_owned).collect())
        .unwrap_or_default()
}

/// The elements of a chunk of this NumPy type.
fn elements(dtype: &str, bytes: &Bytes) -> Option<Vec<f64>> {
    fn all<const N: usize>(bytes: &[u8], element: fn([u8; N]) -> f64) -> Option<Vec<f64>> {
        let (chunks, rest) = bytes.as_chunks::<N>();
        let fits = rest.is_empty() && chunks.len() <= ELEMENTS_LIMIT;
        fits.then(|| chunks.iter().map(|&chunk| element(chunk)).collect())
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 lie below 2^53")]
    fn whole(bytes: [u8; 8]) -> f64 {
        i64::from_le_bytes(bytes) as f64
    }
    match dtype {
        "<f8" => all(bytes, f64::from_le_bytes),
        "<f4" => all(bytes, |it| f64::from(f32::from_le_bytes(it))),
        "<i8" | "<m8[ns]" | "<M8[ns]" => all(bytes, whole),
        "<i4" => all(bytes, |it| f64::from(i32::from_le_bytes(it))),
        "<i2" => all(bytes, |it| f64::from(i16::from_le_bytes(it))),
        "|i1" => all(bytes, |it: [u8; 1]| f64::from(i8::from_le_bytes(it))),
        _ => None,
    }
}
