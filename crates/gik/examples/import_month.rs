//! How long it takes to import a month of GEFS from the files of the older workflow: 30 members × 4
//! runs × 30 days of `[key, value]` parquet, 8 variables × 81 steps each, generated at full scale.
//!
//! `cargo run --release -p gik --example import_month -- FOLDER` writes the files to `FOLDER/files`,
//! imports them into `FOLDER/store`, and prints seconds, memory and references.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use gik::legacy::ImportRequest;
use gik::{ImportFrom, ImportJob};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const MEMBERS: std::ops::RangeInclusive<u32> = 1..=30;
const DAYS: std::ops::RangeInclusive<u32> = 1..=30;
const CYCLES: [u32; 4] = [0, 6, 12, 18];
const STEPS: u64 = 81;

/// `cfVarName`, `stepType`, `typeOfLevel`, and the first step that has one.
const ARRAYS: [(&str, &str, &str, u64); 8] = [
    ("t2m", "instant", "heightAboveGround", 0),
    ("u10", "instant", "heightAboveGround", 0),
    ("v10", "instant", "heightAboveGround", 0),
    ("tp", "accum", "surface", 1),
    ("sp", "instant", "surface", 0),
    ("cape", "instant", "surface", 0),
    ("pwat", "instant", "atmosphereSingleLayer", 0),
    ("mslet", "instant", "meanSea", 0),
];

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("usage: import_month FOLDER")?;
    let folder = Path::new(&folder);
    let files = folder.join("files");
    std::fs::create_dir_all(&files)?;
    let started = Instant::now();
    let mut bytes = 0;
    for day in DAYS {
        for cycle in CYCLES {
            for member in MEMBERS {
                let name = format!("202501{day:02}{cycle:02}z-gep{member:02}.parquet");
                let file = table(day, cycle, member)?;
                bytes += file.len();
                std::fs::write(files.join(name), file)?;
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut out = std::io::stdout();
    writeln!(out, "3600 files, {} kB, written in {seconds:.1} s", bytes / 1000)?;

    let store = folder.join("store").display().to_string().parse()?;
    let job = ImportJob {
        from: ImportFrom::Files(vec![files.display().to_string()]),
        request: ImportRequest::default(),
        verify: false,
        store,
        s3: gik::icechunk::S3Settings::default(),
    };
    let done = gik::import(&gik::registry()?, &job, &|_, _, _| {}).await?;
    let report = done.to_json(&job.store);
    writeln!(
        out,
        "imported {} references of {} runs in {:.1} s, at most {:.0} MB of memory",
        done.imported,
        done.runs.len(),
        done.total_seconds,
        report.get("peak_memory_bytes").and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN)
            / 1e6
    )?;
    let expected = 120 * 30 * (8 * STEPS - 1);
    anyhow::ensure!(done.imported == expected, "{expected} references were written");
    Ok(())
}

/// One file: what the older workflow writes for a member of a run.
fn table(day: u32, cycle: u32, member: u32) -> Result<Vec<u8>> {
    let mut rows: Vec<(String, Vec<u8>)> = vec![(".zgroup".into(), br#"{"zarr_format":2}"#.into())];
    let folder = format!("s3://noaa-gefs-pds/gefs.202501{day:02}/{cycle:02}/atmos/pgrb2sp25");
    // 2025-01-01T00.
    let start = 1_735_689_600 + i64::from(day - 1) * 86_400 + i64::from(cycle) * 3600;
    for (number, (name, step_type, level, first)) in (0_u64..).zip(ARRAYS) {
        let group = format!("{name}/{step_type}/{level}");
        let mut add = |key: String, value: Vec<u8>| rows.push((format!("{group}/{key}"), value));
        add(
            format!("{name}/.zarray"),
            format!(
                r#"{{"chunks":[1,721,1440],"compressor":null,"dtype":"<f8","fill_value":NaN,
                "filters":[{{"dtype":"float64","id":"grib","var":"{name}"}}],"order":"C",
                "shape":[81,721,1440],"zarr_format":2}}"#
            )
            .into(),
        );
        add(
            format!("{name}/.zattrs"),
            format!(
                r#"{{"GRIB_cfVarName":"{name}","GRIB_stepType":"{step_type}",
                "GRIB_typeOfLevel":"{level}",
                "_ARRAY_DIMENSIONS":["valid_times","latitude","longitude"]}}"#
            )
            .into(),
        );
        let times: Vec<u8> =
            (0..81).flat_map(|step: i64| (start + step * 10_800).to_le_bytes()).collect();
        let steps: Vec<u8> =
            (0..81_u8).flat_map(|step| (f64::from(step) * 3.0).to_le_bytes()).collect();
        for (coordinate, dtype, values) in
            [("time", "<i8", &times), ("valid_time", "<i8", &times), ("step", "<f8", &steps)]
        {
            let array = format!(
                r#"{{"chunks":[81],"compressor":null,"dtype":"{dtype}","fill_value":0,"filters":null,
                "order":"C","shape":[81],"zarr_format":2}}"#
            );
            add(format!("{coordinate}/.zarray"), array.into());
            let attributes = r#"{"_ARRAY_DIMENSIONS":["valid_times"],"units":"hours"}"#;
            add(format!("{coordinate}/.zattrs"), attributes.into());
            // NUL bytes and the like stand as they are, where all of them are ASCII.
            add(format!("{coordinate}/0"), values.clone());
        }
        for step in first..STEPS {
            let offset = number * 600_000 + step * 17;
            let length = 250_000 + number * 1000 + step;
            let file = format!("gep{member:02}.t{cycle:02}z.pgrb2s.0p25.f{:03}", step * 3);
            let value = format!(r#"["{folder}/{file}", {offset}, {length}]"#);
            add(format!("{name}/{step}.0.0"), value.into());
        }
    }
    let schema = "message schema { optional binary key (STRING); optional binary value; }";
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = Vec::new();
    let schema = Arc::new(parse_message_type(schema)?);
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let levels = vec![1; rows.len()];
    let (keys, values): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .map(|(key, value)| (ByteArray::from(key.into_bytes()), ByteArray::from(value)))
        .unzip();
    for column in [keys, values] {
        let mut writer = group.next_column()?.context("the schema has two columns")?;
        writer.typed::<ByteArrayType>().write_batch(&column, Some(&levels), None)?;
        writer.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(file)
}
