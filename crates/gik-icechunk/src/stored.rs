//! Arrays as a repository describes them, and coordinates as it keeps them.

use bytes::Bytes;
use gik_core::{CoordinateValues, Error, ManifestArray, Result};
use serde_json::Value;

/// The largest coordinate that is read to add a run: 10 years of runs have 15,000 times.
const LABELS_LIMIT: u64 = 1 << 24;

/// What an array's `zarr.json` says.
#[derive(Debug, Clone)]
pub(crate) struct StoredMetadata {
    pub(crate) document: Value,
    pub(crate) shape: Vec<u64>,
    pub(crate) chunk_shape: Vec<u64>,
    pub(crate) dimensions: Vec<String>,
}

impl StoredMetadata {
    /// Reads the metadata of an array; none of a group.
    ///
    /// # Errors
    /// When it is no metadata of a Zarr v3 array with named dimensions and regular chunks.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let wrong = |what: &str| Error::malformed("zarr.json", "metadata of a Zarr v3 array", what);
        let document: Value =
            serde_json::from_slice(bytes).map_err(|error| wrong(&error.to_string()))?;
        if document.get("node_type").and_then(Value::as_str) != Some("array") {
            return Ok(None);
        }
        let numbers = |pointer: &str| {
            let list = document.pointer(pointer).and_then(Value::as_array)?;
            list.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>()
        };
        let shape = numbers("/shape").ok_or_else(|| wrong("shape"))?;
        let chunk_shape =
            numbers("/chunk_grid/configuration/chunk_shape").ok_or_else(|| wrong("chunk_grid"))?;
        let names = document.get("dimension_names").and_then(Value::as_array);
        let dimensions: Vec<String> = names
            .map(|names| {
                names.iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect()
            })
            .unwrap_or_default();
        if chunk_shape.len() != shape.len()
            || dimensions.len() != shape.len()
            || chunk_shape.contains(&0)
        {
            return Err(wrong("dimensions that do not agree"));
        }
        Ok(Some(Self { document, shape, chunk_shape, dimensions }))
    }

    /// The same array with another length along some dimensions.
    pub(crate) fn resized(&self, shape: Vec<u64>) -> Self {
        let mut document = self.document.clone();
        if let Some(slot) = document.get_mut("shape") {
            *slot = Value::from(shape.clone());
        }
        Self { document, shape, ..self.clone() }
    }

    pub(crate) fn json(&self) -> Bytes {
        Bytes::from(self.document.to_string())
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&Value> {
        self.document.get("attributes").and_then(|attributes| attributes.get(name))
    }

    /// The number of chunks along each dimension.
    pub(crate) fn grid(&self) -> Vec<u64> {
        let lengths = self.shape.iter().zip(&self.chunk_shape);
        lengths.map(|(&length, &chunk)| length.div_ceil(chunk.max(1))).collect()
    }

    /// The element type, of a coordinate that is kept as plain little-endian numbers.
    ///
    /// # Errors
    /// When it is kept in another way, or is too long to be a dimension's labels.
    pub(crate) fn plain(&self, name: &str) -> Result<Elements> {
        let is_plain = self.document.pointer("/codecs/0/name").and_then(Value::as_str)
            == Some("bytes")
            && self.document.pointer("/codecs/1").is_none()
            && self.document.pointer("/codecs/0/configuration/endian").and_then(Value::as_str)
                == Some("little");
        let data_type = self.document.get("data_type").and_then(Value::as_str);
        let count = self.shape.iter().fold(1_u64, |count, &it| count.saturating_mul(it));
        match data_type {
            _ if count > LABELS_LIMIT => Err(Error::malformed(
                "coordinate",
                "at most 2^24 labels",
                format!("{count} of {name}"),
            )),
            Some("int64") if is_plain => Ok(Elements::Int64),
            Some("float64") if is_plain => Ok(Elements::Float64),
            _ => Err(Error::unsupported(
                "coordinate to add to",
                format!("{name} is not kept as plain little-endian 64-bit numbers"),
            )),
        }
    }
}

/// Plain 64-bit elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elements {
    Int64,
    Float64,
}

impl Elements {
    /// The bits of what fills a chunk beyond the array's end.
    pub(crate) const fn fill(self) -> u64 {
        match self {
            Self::Int64 => 0,
            Self::Float64 => f64::NAN.to_bits(),
        }
    }

    pub(crate) fn values(self, bits: Vec<u64>) -> CoordinateValues {
        match self {
            Self::Int64 => {
                CoordinateValues::Int64(bits.into_iter().map(u64::cast_signed).collect())
            }
            Self::Float64 => {
                CoordinateValues::Float64(bits.into_iter().map(f64::from_bits).collect())
            }
        }
    }
}

/// The elements of little-endian bytes.
pub(crate) fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks_exact(8).filter_map(|word| Some(u64::from_le_bytes(word.try_into().ok()?)))
}

/// The bits of the elements of a run's coordinate, in C order: its chunk begins with them.
pub(crate) fn run_words(array: &ManifestArray) -> Vec<u64> {
    let count: u64 = array.metadata.shape.iter().product();
    let bytes = array.chunks.inline_chunks().next().map(|(_, bytes)| bytes.as_ref());
    words(bytes.unwrap_or_default()).take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
}

/// The labels of a run's coordinate of one dimension.
pub(crate) fn run_labels(array: &ManifestArray) -> CoordinateValues {
    let elements = match array.metadata.data_type {
        gik_core::DataType::Int64 => Elements::Int64,
        gik_core::DataType::Float32 | gik_core::DataType::Float64 => Elements::Float64,
    };
    elements.values(run_words(array))
}

/// The position along each dimension of the element with this position in C order.
pub(crate) fn unravel(shape: &[u64], index: u64) -> Vec<u64> {
    let mut rest = index;
    let mut indices: Vec<u64> = shape
        .iter()
        .rev()
        .map(|&length| {
            let length = length.max(1);
            let position = rest % length;
            rest /= length;
            position
        })
        .collect();
    indices.reverse();
    indices
}

/// The position in C order of the element at these positions along each dimension.
pub(crate) fn ravel(shape: &[u64], indices: &[u64]) -> usize {
    let index = shape.iter().zip(indices).fold(0_u64, |sum, (&length, &position)| {
        sum.saturating_mul(length).saturating_add(position)
    });
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The bytes of a chunk of 64-bit elements: `value` at each position in the array, `fill`
/// beyond its end.
pub(crate) fn chunk_bytes(
    shape: &[u64],
    chunk_shape: &[u64],
    chunk: &[u64],
    fill: u64,
    value: impl Fn(&[u64]) -> u64,
) -> Bytes {
    let elements: u64 = chunk_shape.iter().product();
    let mut bytes = Vec::new();
    for element in 0..elements {
        let within = unravel(chunk_shape, element);
        let at: Vec<u64> = within
            .iter()
            .zip(chunk)
            .zip(chunk_shape)
            .map(|((&within, &chunk), &length)| chunk * length + within)
            .collect();
        let inside = at.iter().zip(shape).all(|(&at, &length)| at < length);
        bytes.extend(if inside { value(&at) } else { fill }.to_le_bytes());
    }
    Bytes::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_there_and_back() {
        let shape = [3, 1, 4];
        for index in 0..12 {
            assert_eq!(ravel(&shape, &unravel(&shape, index)) as u64, index);
        }
        assert_eq!(unravel(&shape, 7), [1, 0, 3]);
    }

    #[test]
    fn a_chunk_is_filled_beyond_the_array() {
        let bytes = chunk_bytes(&[3, 2], &[2, 2], &[1, 0], 9, |at| at[0] * 10 + at[1]);
        assert_eq!(words(&bytes).collect::<Vec<_>>(), [20, 21, 9, 9]);
    }

    #[test]
    fn metadata_that_is_none_is_refused() {
        assert!(StoredMetadata::parse(b"{\"node_type\":\"group\"}").unwrap().is_none());
        for wrong in [
            "",
            "[]x",
            r#"{"node_type":"array"}"#,
            r#"{"node_type":"array","shape":[1],"chunk_grid":{"configuration":{"chunk_shape":[0]}},"dimension_names":["time"]}"#,
            r#"{"node_type":"array","shape":[1,2],"chunk_grid":{"configuration":{"chunk_shape":[1]}},"dimension_names":["time","step"]}"#,
        ] {
            assert!(StoredMetadata::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
