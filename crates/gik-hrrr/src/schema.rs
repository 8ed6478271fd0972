//! What a run's store looks like.

use gik_codec::grid_message;
use gik_core::{Attributes, ForecastSchema, Grid, ManifestGroup, Result, Run, SchemaOptions};
use serde_json::{Value, json};

use crate::config::{self, ProductConfig};
use crate::period;

/// The grid of the run's files.
pub(crate) fn grid(run: &Run) -> Result<Grid> {
    let grid = ProductConfig::of_run(run)?.region.grid;
    Ok(Grid::Projected { message: grid_message(&grid).into(), grid })
}

pub(crate) fn group(run: &Run, options: &SchemaOptions) -> Result<ManifestGroup> {
    let product = ProductConfig::of_run(run)?;
    let grid = product.region.grid;
    let (variables, levels) = (product.table)()?.arrays(run, &grid.attributes(), period::words);
    let schema = ForecastSchema {
        run,
        options: *options,
        grid: self::grid(run)?,
        levels,
        variables,
        model_codec: config::CODEC,
        attributes: group_attributes(run),
    };
    schema.group()
}

fn group_attributes(run: &Run) -> Attributes {
    attributes([
        ("title", json!(format!("NOAA HRRR {} forecast", run.product))),
        ("institution", json!("US National Weather Service - NCEP")),
        ("source", json!(config::INFO.title)),
        ("comment", json!("winds are relative to the grid, not to east and north")),
        ("GRIB_edition", json!(2)),
        ("GRIB_centre", json!("kwbc")),
        ("GRIB_centreDescription", json!("US National Weather Service - NCEP")),
        ("GRIB_subCentre", json!(0)),
        ("gik_model", json!(run.model)),
        ("gik_product", json!(run.product)),
    ])
}

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
