//! Zarr v3 array metadata, as far as virtual stores need it.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{Error, ManifestArray, Result};

/// Attributes of an array or group.
pub type Attributes = Map<String, Value>;

/// The element types that stores have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// Single precision.
    Float32,
    /// Double precision.
    Float64,
    /// 64-bit signed integers, of time coordinates and member numbers.
    Int64,
}

impl DataType {
    /// The name in Zarr v3 metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Int64 => "int64",
        }
    }

    /// What a missing chunk reads as: NaN, and 0 for integers.
    #[must_use]
    pub fn fill_value(self) -> Value {
        match self {
            Self::Float32 | Self::Float64 => json!("NaN"),
            Self::Int64 => json!(0),
        }
    }
}

/// The metadata of one array.
///
/// # Shape
/// `shape`, `chunk_shape` and `dimension_names` have one element a dimension, the slowest
/// first (C order).
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayMetadata {
    /// Elements along each dimension.
    pub shape: Vec<u64>,
    /// Elements of a chunk along each dimension, at least 1.
    pub chunk_shape: Vec<u64>,
    /// The dimensions' names.
    pub dimension_names: Vec<String>,
    /// The element type.
    pub data_type: DataType,
    /// The codec chain, as in `zarr.json`.
    pub codecs: Value,
    /// The attributes.
    pub attributes: Attributes,
}

impl ArrayMetadata {
    /// The number of chunks along each dimension.
    #[must_use]
    pub fn grid(&self) -> Vec<u64> {
        self.shape
            .iter()
            .zip(&self.chunk_shape)
            .map(|(&length, &chunk)| length.div_ceil(chunk.max(1)))
            .collect()
    }

    /// The number of chunks; 1 for a scalar.
    #[must_use]
    pub fn chunk_count(&self) -> u64 {
        self.grid().iter().fold(1_u64, |count, &length| count.saturating_mul(length))
    }

    /// The content of `zarr.json` (Zarr v3 core specification, array metadata).
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "zarr_format": 3,
            "node_type": "array",
            "shape": self.shape,
            "data_type": self.data_type.name(),
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": self.chunk_shape},
            },
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": self.data_type.fill_value(),
            "codecs": self.codecs,
            "dimension_names": self.dimension_names,
            "attributes": self.attributes,
        })
    }
}

/// The content of a group's `zarr.json` (Zarr v3 core specification, group metadata).
#[must_use]
pub fn group_json(attributes: &Attributes) -> Value {
    json!({"zarr_format": 3, "node_type": "group", "attributes": attributes})
}

/// A coordinate's values.
#[derive(Debug, Clone, PartialEq)]
pub enum CoordinateValues {
    /// Integers.
    Int64(Vec<i64>),
    /// Double precision.
    Float64(Vec<f64>),
}

impl CoordinateValues {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int64(values) => values.len(),
            Self::Float64(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index` as a float; integers beyond 2⁵³ are rounded.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "documented; times and steps lie below 2^53")]
    pub fn get(&self, index: usize) -> Option<f64> {
        match self {
            Self::Int64(values) => values.get(index).map(|&value| value as f64),
            Self::Float64(values) => values.get(index).copied(),
        }
    }

    /// The values at these positions, in their order; positions outside are left out.
    #[must_use]
    pub fn take(&self, positions: &[usize]) -> Self {
        match self {
            Self::Int64(values) => {
                Self::Int64(positions.iter().filter_map(|&at| values.get(at).copied()).collect())
            }
            Self::Float64(values) => {
                Self::Float64(positions.iter().filter_map(|&at| values.get(at).copied()).collect())
            }
        }
    }

    const fn data_type(&self) -> DataType {
        match self {
            Self::Int64(_) => DataType::Int64,
            Self::Float64(_) => DataType::Float64,
        }
    }

    /// The element at `index`, or what fills the chunk beyond the array's end.
    fn bytes_at(&self, index: usize) -> [u8; 8] {
        match self {
            Self::Int64(values) => values.get(index).copied().unwrap_or(0).to_le_bytes(),
            Self::Float64(values) => values.get(index).copied().unwrap_or(f64::NAN).to_le_bytes(),
        }
    }
}

/// An ordinary Zarr array that carries its one chunk with it.
///
/// `chunk_rows` is the chunk's length along the first dimension, at least `shape[0]`: the
/// append dimension's chunk is longer than the array, so that later runs fill it. The
/// other dimensions are not split. A scalar has an empty shape.
///
/// # Errors
/// When the number of values is not that of `shape`.
pub fn coordinate_array(
    values: &CoordinateValues,
    shape: &[u64],
    dimension_names: &[&str],
    chunk_rows: u64,
    attributes: Attributes,
) -> Result<ManifestArray> {
    let count: u64 = shape.iter().product();
    if values.len() as u64 != count || dimension_names.len() != shape.len() {
        return Err(Error::mismatch(
            format!("coordinate over ({})", dimension_names.join(", ")),
            format!("{count} values in {} dimensions", shape.len()),
            format!("{} values in {} dimensions", values.len(), dimension_names.len()),
        ));
    }
    let mut chunk_shape = shape.to_vec();
    if let Some(rows) = chunk_shape.first_mut() {
        *rows = chunk_rows.max(*rows).max(1);
    }
    let elements: u64 = chunk_shape.iter().product();
    let mut array = ManifestArray::empty(ArrayMetadata {
        shape: shape.to_vec(),
        chunk_shape,
        dimension_names: dimension_names.iter().map(|&name| name.to_owned()).collect(),
        data_type: values.data_type(),
        codecs: json!([{"name": "bytes", "configuration": {"endian": "little"}}]),
        attributes,
    })?;
    // Rows are whole, so that the values are the chunk's first elements in C order.
    let bytes: Bytes = (0..usize::try_from(elements).unwrap_or(usize::MAX))
        .flat_map(|i| values.bytes_at(i))
        .collect();
    array.chunks.set_inline(0, bytes)?;
    Ok(array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chunk;

    #[test]
    fn a_chunk_longer_than_the_array_is_filled_up() {
        let values = CoordinateValues::Int64(vec![5]);
        let array = coordinate_array(&values, &[1], &["time"], 3, Attributes::new()).unwrap();
        assert_eq!(array.metadata.chunk_count(), 1);
        let mut bytes = [0; 24];
        bytes[0] = 5;
        assert_eq!(array.chunks.get(0), Chunk::Inline(&Bytes::copy_from_slice(&bytes)));
    }

    #[test]
    fn a_scalar_has_one_chunk() {
        let values = CoordinateValues::Float64(vec![2.0]);
        let array = coordinate_array(&values, &[], &[], 1, Attributes::new()).unwrap();
        assert_eq!((array.metadata.chunk_count(), array.chunks.len()), (1, 1));
        assert_eq!(array.metadata.to_json()["shape"], json!([]));
    }

    #[test]
    fn values_must_fill_the_shape() {
        let values = CoordinateValues::Float64(vec![2.0]);
        assert!(coordinate_array(&values, &[2], &["x"], 1, Attributes::new()).is_err());
    }
}
