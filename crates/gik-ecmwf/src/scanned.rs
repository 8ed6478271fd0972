//! The index of a file from its headers, for files whose own is missing or wrong.

use gik_codec::scan::{Scan, ScannedField, scanned_file};
use gik_core::{FileReferences, Level, Result, Run, SourceFile, SourceReader, VariableRow};
use serde_json::json;

use crate::config::ProductConfig;
use crate::refs;
use crate::schema;
use crate::vars::ParameterTable;

/// A soil level (code table 4.5).
const SOIL: u8 = 151;

/// The references that the headers of a file contribute to the run.
pub(crate) async fn references(
    run: &Run,
    source: &SourceFile,
    reader: &SourceReader,
) -> Result<FileReferences> {
    let table = (ProductConfig::of_run(run)?.table)(run.reference_time)?;
    let step = run.steps.get(source.step as usize).copied().unwrap_or_default();
    let scanned =
        scanned_file(reader, source, &schema::grid(run)?, |scan| index(scan, table, run, step))
            .await?;
    let mut found = refs::references(run, &scanned.source, &scanned.index)?;
    scanned.report_strays(&mut found);
    if table.table.is_whole(run) {
        scanned.keep_unknown(run, &mut found, |field| row(field, table, run, step).is_some());
    }
    Ok(found)
}

/// One line a field, in the form of ECMWF's indexes.
fn index(scan: &Scan, table: &ParameterTable, run: &Run, step: u32) -> String {
    let mut text = String::with_capacity(scan.fields.len() * 200);
    for field in &scan.fields {
        text.push_str(&line(field, row(field, table, run, step)));
        text.push('\n');
    }
    text
}

fn line(field: &ScannedField, row: Option<&VariableRow>) -> String {
    let civil = field.reference_time.civil();
    let member = field.member.map_or(0, |member| member.position());
    let level = row.filter(|row| row.fact("levtype") != "sfc").and_then(level_number);
    let mut entry = json!({
        "date": civil.format("%Y%m%d").to_string(),
        "time": civil.format("%H%M").to_string(),
        "type": if member > 0 { "pf" } else { "fc" },
        "step": field.window.map(|window| (window.end_seconds() / 3600).to_string()),
        "number": (member > 0).then(|| member.to_string()),
        "levtype": row.map_or("sfc", |row| row.fact("levtype")),
        "levelist": level,
        "param": row.map_or_else(|| field.parameter.code(), |row| row.abbreviation.to_owned()),
        "_offset": field.offset,
        "_length": field.length,
    });
    if let Some(entry) = entry.as_object_mut() {
        entry.retain(|_, value| !value.is_null());
    }
    entry.to_string()
}

fn level_number(row: &VariableRow) -> Option<String> {
    row.level.value().map(|value| value.to_string())
}

/// The row of a field. On the surface parameters are told apart by their numbers and
/// statistic; where these are of several rows, the level decides, then what is expected.
fn row<'t>(
    field: &ScannedField,
    table: &'t ParameterTable,
    run: &Run,
    step: u32,
) -> Option<&'t VariableRow> {
    let (level, statistic) = (field.level?, field.window?.statistic());
    let param = field.parameter.code();
    let soil = soil_layer(&level);
    let is_here = |row: &&VariableRow| match row.fact("levtype") {
        "sfc" => soil.is_none() && level.type_of_level() != "isobaricInhPa",
        "sol" => soil.is_some() && soil == row.level.value(),
        _ => row.level == level,
    };
    let mut rows: Vec<&VariableRow> = table
        .table
        .rows()
        .iter()
        .filter(|row| row.fact("param") == param && row.statistic == statistic)
        .filter(is_here)
        .collect();
    rows.sort_by_key(|row| (row.level != level, !row.is_expected(run.reference_time, step)));
    rows.first().copied()
}

/// The number of the layer whose lower surface this is: MARS counts layers of the soil by it.
fn soil_layer(level: &Level) -> Option<f64> {
    let surface = level.second().unwrap_or(level.first());
    (surface.code() == SOIL).then(|| surface.value().map(|value| value.to_f64())).flatten()
}
