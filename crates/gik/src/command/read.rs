//! `gik read`.

use std::path::PathBuf;

use gik::analysis::{BoundingBox, Field, Format, Label, Query, read_field, write_field};
use serde_json::json;

use super::{Outcome, StateArguments, output};

#[derive(Debug, clap::Args)]
pub(super) struct Read {
    #[command(flatten)]
    store: StateArguments,
    /// The variable: see gik info.
    variable: String,
    /// A choice along a dimension: step=24, member=0:30, time=2025-01-06T00,
    /// isobaricInhPa=500. Repeat it for several.
    #[arg(long, value_name = "DIM=LABEL")]
    sel: Vec<Label>,
    /// A region, west, south, east, north in degrees: 21,-12,53,23.
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true)]
    bbox: Option<BoundingBox>,
    /// The file to write: .npy, .nc (CF NetCDF), .csv or .png (a map). Without it, a
    /// summary of the values is shown.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one line of JSON about what was read.
    #[arg(long)]
    json: bool,
}

impl Read {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        // An ending that cannot be written is found out before minutes of reading.
        self.output.as_deref().map(Format::of_path).transpose()?;
        let opened = self.store.open().await?;
        let query = Query { labels: self.sel.clone(), region: self.bbox };
        let bar = output::progress_bar("reading messages");
        let field = read_field(&opened, &self.variable, &query, &output::advance(&bar)).await;
        bar.finish_and_clear();
        let field = field?;
        if let Some(path) = &self.output {
            write_field(&field, path)?;
        }
        let statistics = Statistics::of(field.values());
        if self.json {
            let dimensions: Vec<_> = field.dimensions().iter().map(|it| &it.name).collect();
            output::print_json(&json!({
                "variable": field.name(),
                "dimensions": dimensions,
                "shape": field.shape(),
                "units": field.text("units"),
                "values": statistics.values,
                "missing": statistics.missing,
                "minimum": statistics.minimum,
                "maximum": statistics.maximum,
                "mean": statistics.mean,
                "file": self.output,
            }))?;
        } else {
            output::print(&describe(&field, &statistics))?;
            if let Some(path) = &self.output {
                output::print(&format!("written to {}", path.display()))?;
            }
        }
        Ok(Outcome::Complete)
    }
}

fn describe(field: &Field, statistics: &Statistics) -> String {
    let dimensions: Vec<String> =
        field.dimensions().iter().map(|it| format!("{} {}", it.name, it.length)).collect();
    let units = field.text("units").unwrap_or_default();
    let mut text = format!("{} ({})", field.name(), dimensions.join(", "));
    match (statistics.minimum, statistics.mean, statistics.maximum) {
        (Some(minimum), Some(mean), Some(maximum)) => {
            text.push_str(&format!("  {minimum} … {maximum} {units}, mean {mean:.4}"));
        }
        _ => text.push_str("  nothing but missing values"),
    }
    if statistics.missing > 0 {
        text.push_str(&format!(
            ", {} of {} values missing",
            output::count(statistics.missing),
            output::count(statistics.values)
        ));
    }
    text
}

/// What a glance at numbers tells.
pub(super) struct Statistics {
    values: u64,
    missing: u64,
    pub(super) minimum: Option<f32>,
    pub(super) maximum: Option<f32>,
    pub(super) mean: Option<f64>,
}

impl Statistics {
    #[expect(clippy::cast_precision_loss, reason = "a count of values in memory")]
    pub(super) fn of(values: &[f32]) -> Self {
        let (mut count, mut sum) = (0_u64, 0.0_f64);
        let (mut minimum, mut maximum) = (f32::INFINITY, f32::NEG_INFINITY);
        for &value in values.iter().filter(|value| !value.is_nan()) {
            count += 1;
            sum += f64::from(value);
            minimum = minimum.min(value);
            maximum = maximum.max(value);
        }
        let any = count > 0;
        Self {
            values: values.len() as u64,
            missing: values.len() as u64 - count,
            minimum: any.then_some(minimum),
            maximum: any.then_some(maximum),
            mean: any.then(|| sum / count as f64),
        }
    }
}
