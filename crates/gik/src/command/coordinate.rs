//! Coordinates in `gik read`: what people see of them are labels.

use std::path::Path;

use gik::analysis::{Coordinate, CoordinateValues, Format, Label, read_coordinate};
use gik::core::Error;
use gik::icechunk::Opened;
use serde_json::{Value, json};

use super::{Outcome, output};

/// Shows a coordinate's labels, or writes them to a table.
pub(super) async fn show(
    opened: &Opened,
    name: &str,
    labels: &[Label],
    file: Option<&Path>,
    as_json: bool,
) -> anyhow::Result<Outcome> {
    let coordinate = read_coordinate(opened, name, labels).await?;
    if let Some(path) = file {
        if Format::of_path(path)? != Format::Csv {
            let what = format!("output '{}'", path.display());
            return Err(Error::argument(what, "is not .csv, as a coordinate is written").into());
        }
        let mut text = format!("{name}\r\n");
        for label in coordinate.labels() {
            text.push_str(&label);
            text.push_str("\r\n");
        }
        std::fs::write(path, text)?;
    }
    if as_json {
        output::print_json(&json!({
            "variable": name,
            "dimensions": coordinate.dimensions,
            "units": coordinate.text("units"),
            "values": numbers(&coordinate),
            "labels": coordinate.labels(),
            "file": file,
        }))?;
    } else if let Some(path) = file {
        output::print(&format!("written to {}", path.display()))?;
    } else {
        output::print(&coordinate.labels().join("\n"))?;
    }
    Ok(Outcome::Complete)
}

fn numbers(coordinate: &Coordinate) -> Value {
    match &coordinate.values {
        CoordinateValues::Int64(values) => json!(values),
        CoordinateValues::Float64(values) => json!(values),
    }
}
