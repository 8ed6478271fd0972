//! What a run's store looks like.

use gik_core::{
    Attributes, DataVariable, ForecastSchema, LatLonGrid, ManifestGroup, Result, Run,
    SchemaOptions, TableVariable, VariableRow, VariableTable,
};
use serde_json::{Value, json};

use crate::config::{self, ProductConfig};

/// The statistics of GEFS start anew at 00, 06, 12 and 18 hours after the reference time.
const BUCKET: &str = "comment: since the last multiple of 6 hours before the step";

pub(crate) fn group(run: &Run, options: &SchemaOptions) -> Result<ManifestGroup> {
    let product = ProductConfig::of_run(run)?;
    let table = (product.table)()?;
    let variables: Vec<DataVariable> = table
        .variables()
        .iter()
        .filter(|variable| run.variables.iter().any(|name| name == variable.name))
        .filter_map(|variable| data_variable(table, variable, &product.grid))
        .collect();
    let schema = ForecastSchema {
        run,
        options: *options,
        grid: product.grid,
        levels: table
            .levels()
            .filter(|level| {
                variables.iter().any(|it| it.level_dimension.as_ref() == Some(&level.dimension))
            })
            .cloned()
            .collect(),
        variables,
        model_codec: config::CODEC,
        attributes: group_attributes(run),
    };
    schema.group()
}

fn group_attributes(run: &Run) -> Attributes {
    attributes([
        ("title", json!(format!("NOAA GEFS {} ensemble forecast", run.product))),
        ("institution", json!("US National Weather Service - NCEP")),
        ("source", json!(config::INFO.title)),
        ("GRIB_edition", json!(2)),
        ("GRIB_centre", json!("kwbc")),
        ("GRIB_centreDescription", json!("US National Weather Service - NCEP")),
        ("GRIB_subCentre", json!(2)),
        ("gik_model", json!(run.model)),
        ("gik_product", json!(run.product)),
    ])
}

fn data_variable(
    table: &VariableTable,
    variable: &TableVariable,
    grid: &LatLonGrid,
) -> Option<DataVariable> {
    let row = table.rows().get(*variable.rows.first()?)?;
    let method = row.statistic.and_then(|statistic| statistic.cell_method());
    Some(DataVariable {
        name: variable.name.to_owned(),
        level_dimension: variable.dimension.map(str::to_owned),
        cell_method: method.map(|method| format!("{method} ({BUCKET})")),
        attributes: variable_attributes(row, grid),
    })
}

/// CF's attributes, and those that cfgrib copies from GRIB keys. cfgrib's `GRIB_dataType`
/// is left out: it differs between the control and the other members.
fn variable_attributes(row: &VariableRow, grid: &LatLonGrid) -> Attributes {
    let step_type = row.statistic.map_or("instant", |statistic| statistic.step_type());
    let mut list = attributes([
        ("long_name", json!(row.fact("long_name"))),
        ("units", json!(row.fact("units"))),
        ("GRIB_paramId", number(row.fact("paramId"))),
        ("GRIB_shortName", json!(row.fact("shortName"))),
        ("GRIB_name", json!(row.fact("long_name"))),
        ("GRIB_cfName", json!(row.fact("cfName"))),
        ("GRIB_cfVarName", json!(row.fact("cfVarName"))),
        ("GRIB_units", json!(row.fact("grib_units"))),
        ("GRIB_typeOfLevel", json!(row.fact("typeOfLevel"))),
        ("GRIB_stepType", json!(step_type)),
        ("GRIB_stepUnits", json!(1)),
        ("GRIB_totalNumber", json!(30)),
        ("GRIB_missingValue", json!(3.402_823_466_385_288_6e38)),
        ("GRIB_NV", json!(0)),
    ]);
    list.extend(grid.attributes());
    let standard_name = row.fact("standard_name");
    if !standard_name.is_empty() {
        list.insert("standard_name".into(), json!(standard_name));
    }
    if row.dimension.is_none() {
        if let Some(level) = row.level.value() {
            list.insert("GRIB_level".into(), json!(level));
        }
        // A layer's surfaces, in the words of the index: `180-0 mb above ground`.
        list.insert("level".into(), json!(row.level_text));
    }
    list
}

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn number(text: &str) -> Value {
    text.parse::<u32>().map_or_else(|_| json!(text), |number| json!(number))
}
