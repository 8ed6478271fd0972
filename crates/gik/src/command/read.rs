//! `gik read`.

use std::path::PathBuf;

use gik::Memory;
use gik::analysis::accumulation::{Period, Request, accumulate};
use gik::analysis::{
    BoundingBox, Field, Format, Label, Place, Query, Reduction, check_output, is_coordinate,
    read_field, read_reduced, write_field,
};
use gik::core::Error;
use gik::icechunk::Opened;
use serde_json::json;

use super::{Outcome, StateArguments, coordinate, output};

#[derive(Debug, clap::Args)]
pub(super) struct Read {
    #[command(flatten)]
    store: StateArguments,
    /// The variable or coordinate: see gik info.
    variable: String,
    /// A choice along a dimension: step=24, member=0:30, time=2025-01-06T00,
    /// isobaricInhPa=500. Repeat it for several.
    #[arg(long, value_name = "DIM=LABEL")]
    sel: Vec<Label>,
    /// Take the nearest label where the one of --sel is not there.
    #[arg(long)]
    nearest: bool,
    /// A region, west, south, east, north in degrees: 21,-12,53,23.
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true)]
    bbox: Option<BoundingBox>,
    /// The grid point nearest to a place: -1.29,36.82.
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true, conflicts_with = "bbox")]
    point: Option<Place>,
    /// Totals over whole windows of this length, in mm for water: 24h. For amounts that the
    /// model accumulates, whatever its own windows are.
    #[arg(long, value_name = "LENGTH", conflicts_with = "point")]
    accumulate: Option<Period>,
    /// A statistic in place of a dimension: mean, min, max, std, median, p90. Repeat it for
    /// several, which are computed in turn.
    #[arg(long, value_name = "DIM=STATISTIC")]
    reduce: Vec<Reduction>,
    /// Memory to reduce in.
    #[arg(long, value_name = "SIZE", default_value = "1GB")]
    memory: Memory,
    /// The file to write: .npy, .nc (CF NetCDF), .csv, .zarr (a folder) or .png (a map).
    /// Without it, a summary of the values is shown.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one line of JSON about what was read.
    #[arg(long)]
    json: bool,
}

impl Read {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        // An ending that cannot be written is found out before minutes of reading.
        if let Some(path) = &self.output
            && Format::of_path(path)? != Format::Zarr
        {
            check_output(path)?;
        }
        let opened = self.store.open().await?;
        let labels = self.sel.iter().cloned();
        let labels: Vec<Label> =
            if self.nearest { labels.map(Label::nearest).collect() } else { labels.collect() };
        if is_coordinate(&opened, &self.variable).await? {
            return self.coordinate(&opened, &labels).await;
        }
        let (field, complete) = self.field(&opened, labels).await?;
        if let Some(path) = &self.output {
            write_field(&field, path)?;
        }
        self.report(&field)?;
        Ok(if complete { Outcome::Complete } else { Outcome::Incomplete })
    }

    async fn coordinate(&self, opened: &Opened, labels: &[Label]) -> anyhow::Result<Outcome> {
        let other = self.bbox.is_some()
            || self.point.is_some()
            || self.accumulate.is_some()
            || !self.reduce.is_empty();
        if other {
            let what = format!("'{}'", self.variable);
            let reason = "is a coordinate; only --sel chooses from it";
            return Err(Error::argument(what, reason).into());
        }
        coordinate::show(opened, &self.variable, labels, self.output.as_deref(), self.json).await
    }

    /// What was asked for, and whether nothing of it is missing that totals need.
    async fn field(&self, opened: &Opened, labels: Vec<Label>) -> anyhow::Result<(Field, bool)> {
        let bar = output::progress_bar("reading messages");
        let progress = output::advance(&bar);
        let mut reductions = self.reduce.as_slice();
        let mut complete = true;
        let mut field = if let Some(period) = self.accumulate {
            let request =
                Request { period, labels, region: self.bbox, ..Request::new(&self.variable) };
            let (field, losses) = accumulate(opened, &request, &progress).await?;
            complete = losses.totals == 0;
            if !complete {
                output::remark(&format!(
                    "incomplete: {} totals lack messages ({} missing, {} damaged) and are NaN",
                    losses.totals, losses.missing, losses.damaged
                ));
            }
            field
        } else {
            let query = Query { labels, region: self.bbox, point: self.point };
            match reductions.split_first() {
                Some((first, rest)) => {
                    reductions = rest;
                    let memory = self.memory.bytes();
                    read_reduced(opened, &self.variable, &query, first, memory, &progress).await?
                }
                None => read_field(opened, &self.variable, &query, &progress).await?,
            }
        };
        bar.finish_and_clear();
        for reduction in reductions {
            field = field.reduce(reduction)?;
        }
        Ok((field, complete))
    }

    fn report(&self, field: &Field) -> anyhow::Result<()> {
        let statistics = Statistics::of(field.values());
        if self.json {
            let dimensions: Vec<_> = field.dimensions().iter().map(|it| &it.name).collect();
            return output::print_json(&json!({
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
            }));
        }
        output::print(&describe(field, &statistics))?;
        if let Some(path) = &self.output {
            output::print(&format!("written to {}", path.display()))?;
        }
        Ok(())
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
