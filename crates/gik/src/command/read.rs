//! `gik read`.

use std::path::PathBuf;

use gik::analysis::accumulation::{Accumulation, Losses, Period, Request, accumulate};
use gik::analysis::{
    BoundingBox, Field, Format, Label, Place, Query, Reduction, check_output, is_coordinate,
    read_field, read_reduced, write_field,
};
use gik::core::Error;
use gik::icechunk::Opened;
use serde_json::json;

use super::memory::Memory;
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
    /// Memory to work in. A result that does not fit is refused before anything is read.
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
        let (field, losses, unmade) = self.field(&opened, labels).await?;
        if let Some(path) = &self.output {
            write_field(&field, path)?;
        }
        self.report(&field, &losses, &unmade)?;
        say(&losses, &unmade, field.text("units").unwrap_or_default());
        let complete =
            losses.totals == 0 && losses.damaged == 0 && losses.uneven == 0 && unmade.is_empty();
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

    /// What was asked for, what of it was lost, and totals that the steps do not add up to.
    async fn field(
        &self,
        opened: &Opened,
        labels: Vec<Label>,
    ) -> anyhow::Result<(Field, Losses, Vec<String>)> {
        let bar = output::progress_bar("reading messages");
        let progress = output::advance(&bar);
        let memory = self.memory.bytes();
        let mut reductions = self.reduce.as_slice();
        let mut unmade = Vec::new();
        let (mut field, losses) = if let Some(period) = self.accumulate {
            let request =
                Request { period, labels, region: self.bbox, ..Request::new(&self.variable) };
            unmade = windows_unmade(&Accumulation::open(opened, &request).await?);
            accumulate(opened, &request, memory, &progress).await?
        } else {
            let query = Query { labels, region: self.bbox, point: self.point };
            match reductions.split_first() {
                Some((first, rest)) => {
                    reductions = rest;
                    read_reduced(opened, &self.variable, &query, first, memory, &progress).await?
                }
                None => read_field(opened, &self.variable, &query, memory, &progress).await?,
            }
        };
        bar.finish_and_clear();
        for reduction in reductions {
            field = field.reduce(reduction)?;
        }
        Ok((field, losses, unmade))
    }

    fn report(&self, field: &Field, losses: &Losses, unmade: &[String]) -> anyhow::Result<()> {
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
                "messages_missing": losses.missing,
                "messages_damaged": losses.damaged,
                "totals_missing": losses.totals + unmade.len() as u64,
                "of_fewer_members": losses.uneven,
                "clipped": {"values": losses.clipped.count, "lowest": losses.clipped.lowest},
                "errors": losses.errors.iter().map(output::told).collect::<Vec<_>>(),
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

/// Totals that the steps of the store do not add up to, and what is missing for them.
pub(super) fn windows_unmade(totals: &Accumulation) -> Vec<String> {
    let unmade = totals.windows().iter().filter_map(|window| {
        let missing = window.plan.as_ref().err()?.clone();
        Some(Error::from(missing).to_string())
    });
    unmade.collect()
}

/// Lines of one kind, at most.
const LINES: usize = 10;

/// Says what is missing, and why.
fn say(losses: &Losses, unmade: &[String], units: &str) {
    if losses.missing + losses.damaged > 0 {
        output::remark(&format!(
            "{} messages are not in the store, {} cannot be read: NaN in their place",
            output::count(losses.missing),
            output::count(losses.damaged)
        ));
    }
    for error in losses.errors.iter().take(LINES) {
        output::remark(&format!("  {}", output::told(error)));
    }
    if losses.totals > 0 {
        output::remark(&format!(
            "incomplete: {} totals lack messages and are NaN",
            output::count(losses.totals)
        ));
    }
    for text in unmade.iter().take(LINES) {
        output::remark(&format!("incomplete: {text}"));
    }
    if losses.uneven > 0 {
        output::remark(&format!(
            "incomplete: {} fields of the statistic are of fewer members than there are",
            output::count(losses.uneven)
        ));
    }
    say_clipped(losses, units);
}

/// Says how many values were raised to zero.
pub(super) fn say_clipped(losses: &Losses, units: &str) {
    if losses.clipped.count > 0 {
        output::remark(&format!(
            "{} values below zero (packing noise, the lowest {:.3} {units}) were raised to 0",
            output::count(losses.clipped.count as u64),
            losses.clipped.lowest
        ));
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
