//! A small store to try things on, as the examples of this crate do.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use gik_core::{
    ArrayMetadata, Attributes, ChunkEntry, CoordinateValues, DataType, Error, ManifestArray,
    ManifestGroup, ManifestStore, Result, SourceObject, SourceTable, coordinate_array,
};
use gik_icechunk::{
    Access, Container, Opened, Repository, S3Settings, StoreLocation, WriteOptions, Writer,
};
use serde_json::{Value, json};

const MEMBERS: u16 = 3;
const STEPS: [i64; 4] = [6, 12, 18, 24];
const LATITUDES: [f64; 2] = [1.0, 0.0];
const LONGITUDES: [f64; 3] = [36.0, 37.0, 38.0];

/// Makes a store in `folder` and opens it: `tp(time, member, step, latitude, longitude)`, rain
/// of 3 members over a day in mm, counted anew every six hours. In each of the four windows
/// member *m* has *m* mm at the first point, one more at each further point.
///
/// # Errors
/// When it cannot be written.
pub async fn store(folder: &Path) -> Result<Opened> {
    let folder = folder.canonicalize().map_err(|error| crate::write::failed(folder, error))?;
    let file = folder.join("rain.bin");
    let prefix = format!("file://{}/", folder.display());
    let (run, bytes) = run(&format!("{prefix}rain.bin"))?;
    std::fs::write(&file, bytes).map_err(|error| crate::write::failed(&file, error))?;

    let location: StoreLocation = folder.join("store").display().to_string().parse()?;
    let s3 = S3Settings::default();
    let name = "example".to_owned();
    let container = Container { name, url_prefix: prefix.clone(), access: Access::Local };
    let options = WriteOptions { message: "An example".to_owned(), ..WriteOptions::default() };
    let writer = Writer::open(&location, &s3, Duration::from_secs(1)).await?;
    writer.add(&[&run], &[container], &options).await?;
    Repository::open(&location, &s3, &[prefix]).await?.main().await
}

/// The manifest, and the bytes of the file that it refers to.
fn run(url: &str) -> Result<(ManifestStore, Vec<u8>)> {
    let mut sources = SourceTable::default();
    let url = url.to_owned();
    let source = sources.intern(SourceObject { url, last_modified: None, etag: None })?;
    let points = [LATITUDES.len() as u64, LONGITUDES.len() as u64];
    let names = ["time", "member", "step", "latitude", "longitude"];
    let sums = "step: sum (comment: since the last multiple of 6 hours before the step)";
    let mut rain = ManifestArray::empty(ArrayMetadata {
        shape: vec![1, MEMBERS.into(), STEPS.len() as u64, points[0], points[1]],
        chunk_shape: vec![1, 1, 1, points[0], points[1]],
        dimension_names: names.map(str::to_owned).to_vec(),
        data_type: DataType::Float32,
        codecs: json!([{"name": "bytes", "configuration": {"endian": "little"}}]),
        attributes: attributes(&[
            ("long_name", "Total precipitation"),
            ("standard_name", "precipitation_amount"),
            ("units", "kg m-2"),
            ("cell_methods", sums),
        ]),
    })?;
    let mut bytes = Vec::new();
    for member in 0..MEMBERS {
        for step in 0..STEPS.len() {
            let offset = bytes.len() as u64;
            for point in 0..(LATITUDES.len() * LONGITUDES.len()) {
                let amount = f32::from(member) + f32::from(u16::try_from(point).unwrap_or(0));
                bytes.extend(amount.to_le_bytes());
            }
            let length = u32::try_from(bytes.len() as u64 - offset).unwrap_or(0);
            let length = NonZeroU32::new(length)
                .ok_or_else(|| Error::mismatch("bytes of a chunk", "some", "none"))?;
            let index = u64::from(member) * STEPS.len() as u64 + step as u64;
            rain.chunks.set_virtual(index, ChunkEntry { source, offset, length })?;
        }
    }
    let whole = |values: Vec<i64>| CoordinateValues::Int64(values);
    let axis = |name: &str, values: CoordinateValues, facts: &[(&str, &str)]| {
        let length = values.len() as u64;
        let array = coordinate_array(&values, &[length], &[name], length, attributes(facts))?;
        Ok::<_, Error>((name.to_owned(), array))
    };
    let seconds = ("units", "seconds since 1970-01-01");
    let coordinates = vec![
        axis("time", whole(vec![1_736_121_600]), &[seconds, ("calendar", "proleptic_gregorian")])?,
        axis("member", whole((0..i64::from(MEMBERS)).collect()), &[])?,
        axis("step", whole(STEPS.to_vec()), &[("units", "hours")])?,
        axis(
            "latitude",
            CoordinateValues::Float64(LATITUDES.to_vec()),
            &[("units", "degrees_north")],
        )?,
        axis(
            "longitude",
            CoordinateValues::Float64(LONGITUDES.to_vec()),
            &[("units", "degrees_east")],
        )?,
    ];
    let group = ManifestGroup {
        attributes: attributes(&[("title", "An example")]),
        data: vec![("tp".to_owned(), rain)],
        coordinates,
    };
    Ok((ManifestStore { group, sources }, bytes))
}

fn attributes(facts: &[(&str, &str)]) -> Attributes {
    facts.iter().map(|&(name, value)| (name.to_owned(), Value::from(value))).collect()
}
