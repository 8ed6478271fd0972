//! A run's manifest as Python takes it over: one buffer for each column, no object a chunk.

use gik::core::{
    ArrayMetadata, BuildOptions, Chunk, Error, ManifestArray, ManifestStore, Report, Result,
    RunRequest, SourceReader, build_manifest,
};
use gik::icechunk::S3Settings;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use serde_json::json;
use url::Url;

use crate::failure::exception;
use crate::runs::{build_options, s3_settings};
use crate::runtime::{Listener, wait};

/// What a parser is asked for; selections as the command takes them, `0-30` or `0,6,12-24`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Request {
    model: String,
    url: String,
    product: Option<String>,
    members: Option<String>,
    steps: Option<String>,
    variables: Option<Vec<String>>,
    layout: String,
    codec: String,
    data_type: String,
    headers: String,
    endpoint: Option<String>,
    region: Option<String>,
    anonymous: Option<bool>,
}

/// The manifest of the run or file that a url of the model's layout names.
///
/// A dictionary: `attributes` (JSON), `urls` (each object once), `report` (JSON), the names of
/// the `coordinates`, and `arrays`: name,
/// `zarr.json`, and for each chunk in C order its object (`u32`, counted from 1, 0 where there is
/// none), offset and length (`u64`), and the bytes of the inline chunks by position.
#[pyfunction]
pub(crate) fn parse(py: Python<'_>, request: Request) -> PyResult<Bound<'_, PyDict>> {
    let Request { layout, codec, data_type, headers, .. } = &request;
    let options = build_options(layout, codec, data_type, headers)?;
    let (store, report) = wait(py, &Listener::new(None), || async {
        request.parse(&options).await.map_err(|error| exception(&error))
    })?;
    let answer = PyDict::new(py);
    let (group, sources) = (&store.group, &store.sources);
    answer.set_item("attributes", json!(group.attributes).to_string())?;
    let urls = PyList::new(py, sources.iter().map(|(_, object)| object.url.as_str()))?;
    answer.set_item("urls", urls)?;
    answer.set_item("report", report_json(&report))?;
    let coordinates = group.coordinates.iter().map(|(name, _)| name);
    answer.set_item("coordinates", PyList::new(py, coordinates)?)?;
    let arrays = PyList::empty(py);
    for (name, array) in group.arrays() {
        arrays.append((name, columns(py, array)?))?;
    }
    answer.set_item("arrays", arrays)?;
    Ok(answer)
}

impl Request {
    async fn parse(self, options: &BuildOptions) -> Result<(ManifestStore, Report)> {
        let registry = gik::registry()?;
        let parser = registry.get(&self.model)?.as_ref();
        let url = Url::parse(&self.url).map_err(|error| {
            Error::argument(format!("url '{}'", self.url), "is no url; a path begins with file:///")
                .with_source(error)
        })?;
        let named = parser.request_of_url(&url)?;
        let root = named.source.clone();
        let request = RunRequest {
            product: self.product.or(named.product),
            members: self.members.map(|it| it.parse()).transpose()?.or(named.members),
            steps: self.steps.map(|it| it.parse()).transpose()?.or(named.steps),
            variables: self.variables,
            ..named
        };
        let run = parser.run(&request)?;
        let is_public = self.endpoint.is_none()
            && parser.info().hosts.iter().any(|host| host.root == run.root.as_str());
        let source = match root {
            Some(root) if !is_public => {
                let usual = s3_settings();
                let s3 = S3Settings {
                    region: self.region.or(usual.region),
                    endpoint: self.endpoint.or(usual.endpoint),
                    anonymous: self.anonymous.unwrap_or(usual.anonymous),
                };
                gik::Source::named(parser, &root, &s3)?
            }
            _ => gik::Source::public(parser, &run.root)?,
        };
        let mut reader = SourceReader::new(source.stores);
        build_manifest(parser, &run, options, &mut reader, &|_, _| {}).await
    }
}

/// `zarr.json`, objects, offsets, lengths, and inline chunks of an array.
type Columns<'py> = (
    String,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Vec<(u64, Bound<'py, PyBytes>)>,
);

fn columns<'py>(py: Python<'py>, array: &ManifestArray) -> PyResult<Columns<'py>> {
    let chunks = &array.chunks;
    let count = usize::try_from(chunks.len()).unwrap_or(usize::MAX);
    let mut objects = vec![0_u32; count];
    let mut offsets = vec![0_u64; count];
    let mut lengths = vec![0_u64; count];
    let places = objects.iter_mut().zip(&mut offsets).zip(&mut lengths);
    for (index, ((object, offset), length)) in (0..).zip(places) {
        if let Chunk::Virtual(entry) = chunks.get(index) {
            *object = u32::try_from(entry.source.position() + 1).unwrap_or(u32::MAX);
            *offset = entry.offset;
            *length = u64::from(entry.length.get());
        }
    }
    let (metadata, inline) = whole(array);
    let inline =
        inline.into_iter().map(|(index, bytes)| (index, PyBytes::new(py, bytes))).collect();
    Ok((
        metadata.to_json().to_string(),
        buffer(py, &objects, |value| value.to_ne_bytes())?,
        buffer(py, &offsets, |value| value.to_ne_bytes())?,
        buffer(py, &lengths, |value| value.to_ne_bytes())?,
        inline,
    ))
}

/// Metadata and inline chunks, without what a coordinate's chunk holds beyond the array: datasets
/// whose chunks are longer than their arrays cannot be concatenated.
fn whole(array: &ManifestArray) -> (ArrayMetadata, Vec<(u64, &[u8])>) {
    let mut metadata = array.metadata.clone();
    let mut inline: Vec<(u64, &[u8])> =
        array.chunks.inline_chunks().map(|(index, bytes)| (index, bytes.as_ref())).collect();
    let is_longer =
        metadata.chunk_shape.iter().zip(&metadata.shape).any(|(chunk, all)| chunk > all);
    if let (true, [(_, bytes)]) = (is_longer, inline.as_mut_slice()) {
        // Rows are whole: the values are the chunk's first elements in C order.
        let (all, there) = (metadata.shape.iter(), metadata.chunk_shape.iter());
        let (all, there) = (all.product::<u64>(), there.product::<u64>().max(1));
        let element = bytes.len() as u64 / there;
        let length = usize::try_from(all.saturating_mul(element)).unwrap_or(usize::MAX);
        *bytes = bytes.get(..length).unwrap_or_default();
        metadata.chunk_shape.clone_from(&metadata.shape);
    }
    (metadata, inline)
}

/// The values as numbers of this machine, in one allocation.
fn buffer<'py, T: Copy, const N: usize>(
    py: Python<'py>,
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, values.len() * N, |buffer| {
        for (place, &value) in buffer.chunks_exact_mut(N).zip(values) {
            place.copy_from_slice(&bytes(value));
        }
        Ok(())
    })
}

fn report_json(report: &Report) -> String {
    let diagnostics: Vec<_> = report
        .diagnostics
        .iter()
        .map(|it| json!({"problem": it.problem.name(), "url": it.url, "text": it.text}))
        .collect();
    json!({
        "complete": report.is_complete(),
        "files": {"expected": report.files_expected, "used": report.files_used},
        "references": {"expected": report.references_expected, "found": report.references},
        "requests": report.requests,
        "bytes_read": report.index_bytes,
        "diagnostics": diagnostics,
    })
    .to_string()
}
