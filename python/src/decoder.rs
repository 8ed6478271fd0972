//! A codec's entry in Zarr metadata as a decoder of chunks.

use gik::codec::CodecConfiguration;
use gik::core::{Error, GridRegion, Result, ValueBuffer};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::failure::{exception, grib_error};

/// Decodes messages as an entry of `codecs` in a `zarr.json` says. The interpreter is released
/// meanwhile, and values come in arrays of one dimension that nobody else has.
#[pyclass(frozen, module = "gik._gik")]
pub(crate) struct Decoder {
    configuration: CodecConfiguration,
}

/// The elements that are wanted of a message.
#[derive(Clone, Copy)]
enum Element {
    Float32,
    Float64,
    /// Whole seconds, of times.
    Int64,
}

impl Element {
    fn of_name(name: &str) -> PyResult<Self> {
        match name {
            "float32" => Ok(Self::Float32),
            "float64" => Ok(Self::Float64),
            "int64" => Ok(Self::Int64),
            _ => Err(crate::failure::argument(name, "is none of float32, float64, int64")),
        }
    }
}

#[pymethods]
impl Decoder {
    /// `configuration` is the text of a JSON object.
    #[new]
    fn new(name: &str, configuration: &str) -> PyResult<Self> {
        let configuration = serde_json::from_str(configuration).map_err(|error| {
            let argument = format!("configuration of codec '{name}'");
            exception(&Error::argument(argument, format!("is no JSON object: {error}")))
        })?;
        let configuration = CodecConfiguration::new(name, configuration);
        Ok(Self { configuration: configuration.map_err(|error| exception(&error))? })
    }

    /// What `__new__` takes, for pickling.
    fn __getnewargs__(&self) -> (&'static str, String) {
        let configuration = serde_json::Value::Object(self.configuration.configuration().clone());
        (self.name(), configuration.to_string())
    }

    /// The codec's name in Zarr metadata.
    #[getter]
    fn name(&self) -> &'static str {
        self.configuration.codec().info().id
    }

    /// Whether elements are points of a grid, and not times, steps or levels.
    #[getter]
    fn is_of_points(&self) -> bool {
        self.configuration.options().quantity.is_of_points()
    }

    /// The `elements` of a chunk in C order.
    fn decode<'py>(
        &self,
        py: Python<'py>,
        message: PyReadonlyArray1<'py, u8>,
        elements: usize,
        element: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.values(py, &message, elements, Element::of_name(element)?, None)
    }

    /// The elements of a chunk's rows and columns (first, last + 1), in C order. `shape` is
    /// that of the whole chunk's last two dimensions.
    fn decode_region<'py>(
        &self,
        py: Python<'py>,
        message: PyReadonlyArray1<'py, u8>,
        shape: [usize; 2],
        rows: [usize; 2],
        columns: [usize; 2],
        element: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let range = |[first, end]: [usize; 2]| first..end;
        let region = GridRegion { shape, rows: range(rows), columns: range(columns) };
        let elements = region.rows.len().saturating_mul(region.columns.len());
        self.values(py, &message, elements, Element::of_name(element)?, Some(&region))
    }
}

impl Decoder {
    fn values<'py>(
        &self,
        py: Python<'py>,
        message: &PyReadonlyArray1<'py, u8>,
        elements: usize,
        element: Element,
        region: Option<&GridRegion>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let message = message.as_slice()?;
        let failed = |error: Error| grib_error(self.name(), &error);
        Ok(match element {
            Element::Float32 => {
                let values = py.detach(|| {
                    let mut values = zeros(elements, 0.0_f32)?;
                    self.decode_into(message, region, ValueBuffer::F32(&mut values))?;
                    Ok(values)
                });
                values.map_err(failed)?.into_pyarray(py).into_any()
            }
            Element::Float64 => {
                let values = py.detach(|| self.doubles(message, elements, region));
                values.map_err(failed)?.into_pyarray(py).into_any()
            }
            Element::Int64 => {
                let values = py.detach(|| {
                    let values = self.doubles(message, elements, region)?;
                    #[expect(clippy::cast_possible_truncation, reason = "whole seconds of times")]
                    Ok(values.into_iter().map(|value| value as i64).collect::<Vec<_>>())
                });
                values.map_err(failed)?.into_pyarray(py).into_any()
            }
        })
    }

    fn doubles(
        &self,
        message: &[u8],
        elements: usize,
        region: Option<&GridRegion>,
    ) -> Result<Vec<f64>> {
        let mut values = zeros(elements, 0.0_f64)?;
        self.decode_into(message, region, ValueBuffer::F64(&mut values))?;
        Ok(values)
    }

    fn decode_into(
        &self,
        message: &[u8],
        region: Option<&GridRegion>,
        out: ValueBuffer<'_>,
    ) -> Result<()> {
        let (codec, options) = (self.configuration.codec(), self.configuration.options());
        match region {
            None => codec.decode_into(message, options, out),
            Some(region) => codec.decode_region_into(message, options, region, out),
        }
    }
}

/// An array of this many elements.
fn zeros<T: Copy>(elements: usize, zero: T) -> Result<Vec<T>> {
    let mut values = Vec::new();
    if values.try_reserve_exact(elements).is_err() {
        let reason = format!("{elements} elements do not fit memory");
        return Err(Error::argument("chunk", reason));
    }
    values.resize(elements, zero);
    Ok(values)
}
