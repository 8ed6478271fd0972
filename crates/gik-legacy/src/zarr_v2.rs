//! Zarr v2 metadata (Zarr storage specification version 2), as far as references have it.

use gik_core::{Error, Result};
use serde_json::{Map, Value, json};

/// The attribute in which xarray keeps the names of a Zarr v2 array's dimensions.
pub(crate) const DIMENSIONS: &str = "_ARRAY_DIMENSIONS";
/// The id of kerchunk's codec of GRIB messages.
pub(crate) const GRIB: &str = "grib";
/// No array of forecasts has as many dimensions.
const MAX_DIMENSIONS: usize = 32;

/// The content of `.zarray`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ZarrArray {
    pub(crate) shape: Vec<u64>,
    /// Elements of a chunk along each dimension, at least 1.
    pub(crate) chunks: Vec<u64>,
    /// As NumPy writes it: `<f4`.
    pub(crate) dtype: String,
    pub(crate) fill_value: Value,
    pub(crate) filters: Vec<Value>,
    pub(crate) compressor: Option<Value>,
}

impl ZarrArray {
    /// Reads the metadata of an array.
    ///
    /// # Errors
    /// When it is none, or of Fortran order.
    pub(crate) fn parse(document: &Value) -> Result<Self> {
        let wrong = |what: &str| Error::malformed(".zarray", "metadata of a Zarr v2 array", what);
        let numbers = |key: &str| {
            let list = document.get(key).and_then(Value::as_array)?;
            list.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>()
        };
        let shape = numbers("shape").ok_or_else(|| wrong("a wrong shape"))?;
        let mut chunks = numbers("chunks").ok_or_else(|| wrong("wrong chunks"))?;
        if shape.len() != chunks.len() || shape.len() > MAX_DIMENSIONS {
            return Err(wrong("dimensions that do not agree"));
        }
        // What kerchunk writes for a dimension of no length.
        chunks.iter_mut().for_each(|length| *length = (*length).max(1));
        if document.get("order").and_then(Value::as_str).is_some_and(|order| order != "C") {
            return Err(Error::unsupported("order of an array's elements", "F"));
        }
        let separator = document.get("dimension_separator").and_then(Value::as_str);
        if separator.is_some_and(|separator| separator != ".") {
            return Err(Error::unsupported("separator of chunk keys", separator.unwrap_or("")));
        }
        let dtype = document.get("dtype").and_then(Value::as_str);
        let present = |key: &str| document.get(key).filter(|value| !value.is_null()).cloned();
        Ok(Self {
            dtype: dtype.ok_or_else(|| wrong("a dtype that is no text"))?.to_owned(),
            fill_value: document.get("fill_value").cloned().unwrap_or_default(),
            filters: match present("filters") {
                Some(Value::Array(filters)) => filters,
                Some(_) => return Err(wrong("filters that are no list")),
                None => Vec::new(),
            },
            compressor: present("compressor"),
            shape,
            chunks,
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        let filters = (!self.filters.is_empty()).then_some(&self.filters);
        json!({
            "zarr_format": 2,
            "shape": self.shape,
            "chunks": self.chunks,
            "dtype": self.dtype,
            "fill_value": self.fill_value,
            "order": "C",
            "filters": filters,
            "compressor": self.compressor,
        })
    }

    /// The number of chunks along each dimension.
    pub(crate) fn grid(&self) -> Vec<u64> {
        let lengths = self.shape.iter().zip(&self.chunks);
        lengths.map(|(length, &chunk)| length.div_ceil(chunk.max(1))).collect()
    }

    /// The number of chunks; 1 of a scalar.
    pub(crate) fn chunk_count(&self) -> u64 {
        self.grid().iter().fold(1_u64, |count, &length| count.saturating_mul(length))
    }

    /// Kerchunk's GRIB filter, if the array has it.
    pub(crate) fn grib_filter(&self) -> Option<&Map<String, Value>> {
        let filters = self.filters.iter().filter_map(Value::as_object);
        filters.into_iter().find(|it| it.get("id").and_then(Value::as_str) == Some(GRIB))
    }
}

/// The key of the chunk with this position in C order, without its array: `0.3.0`, and `0` of
/// a scalar.
pub(crate) fn chunk_id(grid: &[u64], index: u64) -> String {
    let mut rest = index;
    let mut parts: Vec<String> = Vec::new();
    for &length in grid.iter().rev() {
        let length = length.max(1);
        parts.push((rest % length).to_string());
        rest /= length;
    }
    if parts.is_empty() {
        return "0".to_owned();
    }
    parts.reverse();
    parts.join(".")
}

/// The position in C order of a chunk key; none of what is no key of a chunk in this grid. An
/// empty key is what kerchunk writes for a scalar.
pub(crate) fn chunk_index(grid: &[u64], id: &str) -> Option<u64> {
    if grid.is_empty() {
        return (id.is_empty() || id == "0").then_some(0);
    }
    let mut index = 0_u64;
    let mut parts = id.split('.');
    for &length in grid {
        let part = parts.next()?;
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let at: u64 = part.parse().ok().filter(|&at| is_number && at < length)?;
        index = index.checked_mul(length)?.checked_add(at)?;
    }
    parts.next().is_none().then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_keys_there_and_back() {
        let grid = [3, 1, 4];
        for index in 0..12 {
            assert_eq!(chunk_index(&grid, &chunk_id(&grid, index)), Some(index));
        }
        assert_eq!((chunk_id(&grid, 7), chunk_id(&[], 0)), ("1.0.3".into(), "0".into()));
        assert_eq!((chunk_index(&[], ""), chunk_index(&[], "0")), (Some(0), Some(0)));
        for wrong in ["", "1", "1.0.4", "3.0.0", "1.0.3.0", "+1.0.3", "1.0.", "a.b.c", "1.0.0x3"] {
            assert_eq!(chunk_index(&grid, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn metadata_there_and_back() {
        let document = json!({"zarr_format": 2, "shape": [9, 4], "chunks": [1, 4], "dtype": "<f4",
            "fill_value": "NaN", "order": "C", "filters": [{"id": "grib", "var": "tp"}],
            "compressor": null});
        let array = ZarrArray::parse(&document).unwrap();
        assert_eq!((array.to_json(), array.chunk_count()), (document, 9));
        assert!(array.grib_filter().is_some());
        for wrong in [
            json!([]),
            json!({"shape": [1], "chunks": [], "dtype": "<f4"}),
            json!({"shape": [-1], "chunks": [1], "dtype": "<f4"}),
            json!({"shape": [1], "chunks": [1], "dtype": [["a", "<f4"]]}),
            json!({"shape": [1], "chunks": [1], "dtype": "<f4", "order": "F"}),
            json!({"shape": [1], "chunks": [1], "dtype": "<f4", "filters": "grib"}),
        ] {
            assert!(ZarrArray::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
