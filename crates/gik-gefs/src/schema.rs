//! What a run's store looks like.

use gik_core::{Attributes, ForecastSchema, Grid, ManifestGroup, Result, Run, SchemaOptions};
use serde_json::{Value, json};

use crate::config::{self, ProductConfig};

/// The statistics of GEFS start anew at 00, 06, 12 and 18 hours after the reference time.
const BUCKET: &str = "since the last multiple of 6 hours before the step";

/// The grid of the run's files.
pub(crate) fn grid(run: &Run) -> Result<Grid> {
    Ok(ProductConfig::of_run(run)?.grid.into())
}

pub(crate) fn group(run: &Run, options: &SchemaOptions) -> Result<ManifestGroup> {
    let product = ProductConfig::of_run(run)?;
    let mut shared = attributes([("GRIB_totalNumber", json!(30))]);
    shared.extend(product.grid.attributes());
    let (variables, levels) = (product.table)()?.arrays(run, &shared, |_| BUCKET);
    let schema = ForecastSchema {
        run,
        options: *options,
        grid: product.grid.into(),
        levels,
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

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
