//! What a run's store looks like.

use gik_core::{Attributes, ForecastSchema, Grid, ManifestGroup, Result, Run, SchemaOptions};
use serde_json::{Value, json};

use crate::config::{self, MEMBERS, ProductConfig};

/// The grid of the run's files.
pub(crate) fn grid(run: &Run) -> Result<Grid> {
    Ok(ProductConfig::of_run(run)?.era(run.reference_time)?.grid.into())
}

pub(crate) fn group(run: &Run, options: &SchemaOptions) -> Result<ManifestGroup> {
    let product = ProductConfig::of_run(run)?;
    let table = &(product.table)(run.reference_time)?.table;
    let grid = product.era(run.reference_time)?.grid;
    let mut shared = grid.attributes();
    if run.members.is_some() {
        shared.insert("GRIB_totalNumber".to_owned(), json!(MEMBERS));
    }
    let (variables, levels) = table.arrays(run, &shared, |row| row.fact("window"));
    let schema = ForecastSchema {
        run,
        options: *options,
        grid: grid.into(),
        levels,
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

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
