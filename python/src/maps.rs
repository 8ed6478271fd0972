//! Probabilities that totals reach thresholds.

use std::path::PathBuf;

use gik::analysis::accumulation::{Alignment, Request};
use gik::analysis::{Attributes, BoundingBox, Coordinate, CoordinateValues, Field, Label, Zone};
use gik::core::Error;
use gik::{Destination, Memory};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::failure::exception;
use crate::runs::parsed;
use crate::runtime::{Listener, wait};
use crate::state::State;

/// What is to be computed: the arguments that the command has, as texts.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Arguments {
    store: String,
    at: Option<String>,
    allow: Vec<String>,
    variable: String,
    window: String,
    sliding: bool,
    start: u32,
    thresholds: Vec<f32>,
    bbox: Option<String>,
    sel: Vec<String>,
    timezone: String,
    memory: String,
    output: Vec<PathBuf>,
}

impl Arguments {
    fn request(&self) -> PyResult<Request> {
        Ok(Request {
            variable: self.variable.clone(),
            period: parsed(&self.window)?,
            alignment: if self.sliding { Alignment::Sliding } else { Alignment::From(self.start) },
            labels: self.sel.iter().map(|text| parsed::<Label>(text)).collect::<PyResult<_>>()?,
            region: self.bbox.as_deref().map(parsed::<BoundingBox>).transpose()?,
            point: None,
            memory: parsed::<Memory>(&self.memory)?.bytes(),
        })
    }

    fn destination(&self) -> PyResult<Destination> {
        Ok(Destination { files: self.output.clone(), zone: parsed::<Zone>(&self.timezone)? })
    }
}

/// The probabilities as the parts of a dataset; the report as JSON; what of it is missing, in
/// words; and of each window the members with a total.
type Outcome<'py> = (Bound<'py, PyDict>, String, Vec<String>, Vec<u32>);

/// Computes probabilities, and writes them into files as well.
#[pyfunction]
pub(crate) fn exceedance<'py>(
    py: Python<'py>,
    arguments: Arguments,
    progress: Option<Py<PyAny>>,
) -> PyResult<Outcome<'py>> {
    let state = State::new(&arguments.store, arguments.at.clone(), &arguments.allow)?;
    let (request, destination) = (arguments.request()?, arguments.destination()?);
    let listener = Listener::new(progress);
    let (field, done) = wait(py, &listener, || async {
        let tell = |done, total| listener.tell(done, total);
        let computed = async {
            let opened = state.open().await?;
            let mut values = Vec::new();
            let done = gik::exceedance(
                &opened,
                &request,
                &arguments.thresholds,
                &destination,
                &tell,
                &mut |plane| values.extend_from_slice(plane.values),
            )
            .await?;
            Ok::<_, Error>((done.job.field(values, &done.summary)?, done))
        };
        computed.await.map_err(|error| exception(&error))
    })?;
    let missing = done
        .short()
        .map(|(window, used, fewest)| {
            let all = done.job.totals().members();
            let least =
                if fewest < used { format!(", {fewest} at some points") } else { String::new() };
            format!("{}: {used} of {all} members{least}", window.span)
        })
        .chain(done.summary.account.losses.errors.iter().map(|error| gik::explain(error)))
        .collect();
    let members = done.summary.members.clone();
    Ok((dataset(py, field)?, done.to_json().to_string(), missing, members))
}

/// A field's parts: name, dimensions, values of one dimension in C order, attributes as JSON.
fn dataset(py: Python<'_>, field: Field) -> PyResult<Bound<'_, PyDict>> {
    let parts = PyDict::new(py);
    parts.set_item("name", field.name())?;
    let names: Vec<_> = field.dimensions().iter().map(|it| it.name.as_str()).collect();
    parts.set_item("dimensions", names)?;
    parts.set_item("shape", field.shape())?;
    parts.set_item("attributes", text(field.attributes()))?;
    parts.set_item("dataset_attributes", text(field.dataset_attributes()))?;
    let coordinates = PyList::empty(py);
    for coordinate in field.coordinates() {
        coordinates.append(coordinate_parts(py, coordinate)?)?;
    }
    parts.set_item("coordinates", coordinates)?;
    parts.set_item("values", field.into_values().into_pyarray(py))?;
    Ok(parts)
}

type Parts<'py> = (String, Vec<String>, Bound<'py, PyAny>, String);

fn coordinate_parts<'py>(py: Python<'py>, coordinate: &Coordinate) -> PyResult<Parts<'py>> {
    let values = match coordinate.values.clone() {
        CoordinateValues::Int64(values) => values.into_pyarray(py).into_any(),
        CoordinateValues::Float64(values) => values.into_pyarray(py).into_any(),
    };
    let attributes = text(&coordinate.attributes);
    Ok((coordinate.name.clone(), coordinate.dimensions.clone(), values, attributes))
}

fn text(attributes: &Attributes) -> String {
    serde_json::Value::Object(attributes.clone()).to_string()
}
