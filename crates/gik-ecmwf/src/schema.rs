//! What a run's store looks like.

use gik_core::{
    Attributes, DataVariable, ForecastSchema, LatLonGrid, ManifestGroup, Result, Run,
    SchemaOptions, TableVariable, VariableRow, VariableTable,
};
use serde_json::{Value, json};

use crate::config::{self, MEMBERS, ProductConfig};

pub(crate) fn group(run: &Run, options: &SchemaOptions) -> Result<ManifestGroup> {
    let product = ProductConfig::of_run(run)?;
    let table = &(product.table)(run.reference_time)?.table;
    let grid = product.era(run.reference_time)?.grid;
    let variables: Vec<DataVariable> = table
        .variables()
        .iter()
        .filter(|variable| run.variables.iter().any(|name| name == variable.name))
        .filter_map(|variable| data_variable(run, table, variable, &grid))
        .collect();
    let schema = ForecastSchema {
        run,
        options: *options,
        grid,
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
    let product = config::INFO.products.iter().find(|product| product.id == run.product);
    attributes([
        ("title", json!(format!("ECMWF {} forecast", run.product))),
        ("institution", json!("European Centre for Medium-Range Weather Forecasts")),
        ("source", json!(product.map_or("", |product| product.title))),
        ("license", json!("CC-BY-4.0, © ECMWF")),
        ("GRIB_edition", json!(2)),
        ("GRIB_centre", json!("ecmf")),
        ("GRIB_centreDescription", json!("European Centre for Medium-Range Weather Forecasts")),
        ("GRIB_subCentre", json!(0)),
        ("gik_model", json!(run.model)),
        ("gik_product", json!(run.product)),
    ])
}

fn data_variable(
    run: &Run,
    table: &VariableTable,
    variable: &TableVariable,
    grid: &LatLonGrid,
) -> Option<DataVariable> {
    let row = table.rows().get(*variable.rows.first()?)?;
    let method = row.statistic.and_then(|statistic| statistic.cell_method());
    Some(DataVariable {
        name: variable.name.to_owned(),
        level_dimension: variable.dimension.map(str::to_owned),
        cell_method: method.map(|method| format!("{method} (comment: {})", row.fact("window"))),
        attributes: variable_attributes(run, row, grid),
    })
}

/// CF's attributes, and those that cfgrib copies from GRIB keys. cfgrib's `GRIB_dataType`
/// is left out: it differs between the control and the other members.
fn variable_attributes(run: &Run, row: &VariableRow, grid: &LatLonGrid) -> Attributes {
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
        ("GRIB_missingValue", json!(3.402_823_466_385_288_6e38)),
        ("GRIB_NV", json!(0)),
    ]);
    list.extend(grid.attributes());
    if run.members.is_some() {
        list.insert("GRIB_totalNumber".into(), json!(MEMBERS));
    }
    for (attribute, column) in [("standard_name", "standard_name"), ("comment", "comment")] {
        if !row.fact(column).is_empty() {
            list.insert(attribute.into(), json!(row.fact(column)));
        }
    }
    if row.dimension.is_none() {
        if let Some(level) = row.level.value() {
            list.insert("GRIB_level".into(), json!(level));
        }
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
