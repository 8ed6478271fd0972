//! `gik read`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gik::Memory;
use gik::analysis::accumulation::{Account, Accumulation, Alignment, Period, Request};
use gik::analysis::{
    BoundingBox, Field, Format, Label, Losses, Place, Query, Reduction, check_output,
    is_coordinate, read_field, read_reduced, write_field,
};
use gik::core::Error;
use gik::icechunk::Opened;
use serde_json::json;

use super::job::Span;
use super::{Outcome, StateArguments, coordinate, lost, output};

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
    /// Take the nearest label where the one of --sel is not there, of those that are no range.
    #[arg(long)]
    nearest: bool,
    /// A region, west, south, east, north in degrees: 21,-12,53,23.
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true)]
    bbox: Option<BoundingBox>,
    /// The grid point nearest to a place: -1.29,36.82.
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true, conflicts_with = "bbox")]
    point: Option<Place>,
    /// Totals over whole windows of this length, in mm for water: 24h. For amounts that the
    /// model accumulates, whatever its own windows are; of the newest run, unless --sel time=
    /// chooses one.
    #[arg(long, value_name = "LENGTH")]
    accumulate: Option<Period>,
    /// Of --accumulate: a total at every step at which one ends, instead of one after the
    /// other.
    #[arg(long, requires = "accumulate", conflicts_with = "start")]
    sliding: bool,
    /// Of --accumulate: where the first total begins, as a step.
    #[arg(long, value_name = "STEP", requires = "accumulate")]
    start: Option<u32>,
    /// A statistic in place of a dimension: mean, min, max, std, median, p90. Repeat it for
    /// several, which are computed in turn.
    #[arg(long, value_name = "DIM=STATISTIC")]
    reduce: Vec<Reduction>,
    /// Memory to work in. What is read must fit into it.
    #[arg(long, value_name = "SIZE", default_value = "1GB")]
    memory: Memory,
    /// Give up after this time, like 10m, whatever is waited for; nothing is written then.
    #[arg(long, value_name = "SPAN")]
    deadline: Option<Span>,
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
        let limit = self.deadline.map(|span| span.0);
        gik::read_within(limit, async { Ok(self.read().await) }).await?
    }

    async fn read(&self) -> anyhow::Result<Outcome> {
        let opened = self.store.open().await?;
        let labels = self.sel.iter().cloned();
        let labels: Vec<Label> =
            if self.nearest { labels.map(Label::nearest).collect() } else { labels.collect() };
        if is_coordinate(&opened, &self.variable).await? {
            return self.coordinate(&opened, &labels).await;
        }
        let (field, got) = self.field(&opened, labels).await?;
        if let Some(path) = &self.output {
            write_field(&field, path)?;
        }
        self.report(&field, &got)?;
        Ok(if got.is_complete() { Outcome::Complete } else { Outcome::Incomplete })
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

    /// What was asked for, and what of it was not got.
    async fn field(&self, opened: &Opened, labels: Vec<Label>) -> anyhow::Result<(Field, Got)> {
        let bar = output::progress_bar("reading messages");
        let progress = output::advance(&bar);
        let mut reductions = self.reduce.as_slice();
        let memory = self.memory.bytes();
        let (mut field, got) = if let Some(period) = self.accumulate {
            let request = Request {
                variable: self.variable.clone(),
                period,
                alignment: match self.sliding {
                    true => Alignment::Sliding,
                    false => Alignment::From(self.start.unwrap_or(0)),
                },
                labels,
                region: self.bbox,
                point: self.point,
                memory,
            };
            let job = Accumulation::open(opened, &request).await?;
            let (field, account) = job.field(&progress).await?;
            (field, Got::Totals(Box::new(job), account))
        } else {
            let query = Query { labels, region: self.bbox, point: self.point, memory };
            let (field, losses) = match reductions.split_first() {
                Some((first, rest)) => {
                    reductions = rest;
                    read_reduced(opened, &self.variable, &query, first, &progress).await?
                }
                None => read_field(opened, &self.variable, &query, &progress).await?,
            };
            (field, Got::Messages(losses))
        };
        bar.finish_and_clear();
        for reduction in reductions {
            field = field.reduce(reduction)?;
        }
        Ok((field, got))
    }

    fn report(&self, field: &Field, got: &Got) -> anyhow::Result<()> {
        let statistics = Statistics::of(field.values());
        got.remark();
        if self.json {
            let dimensions: Vec<_> = field.dimensions().iter().map(|it| &it.name).collect();
            let mut report = json!({
                "variable": field.name(),
                "dimensions": dimensions,
                "shape": field.shape(),
                "units": field.text("units"),
                "at": chosen(field).into_iter().collect::<BTreeMap<_, _>>(),
                "values": statistics.values,
                "missing": statistics.missing,
                "minimum": statistics.minimum,
                "maximum": statistics.maximum,
                "mean": statistics.mean,
                "complete": got.is_complete(),
                "losses": gik::losses_json(got.losses()),
                "file": self.output,
                "peak_memory_bytes": gik::peak_memory(),
            });
            if let (Got::Totals(_, account), Some(report)) = (got, report.as_object_mut()) {
                let (clipped, rejected) = gik::negative_json(account);
                report.insert("clipped".to_owned(), clipped);
                report.insert("rejected".to_owned(), rejected);
            }
            return output::print_json(&report);
        }
        output::print(&describe(field, &statistics))?;
        if let Some(path) = &self.output {
            output::print(&format!("written to {}", path.display()))?;
        }
        Ok(())
    }
}

/// What was read besides the values.
enum Got {
    Messages(Losses),
    Totals(Box<Accumulation>, Account),
}

impl Got {
    const fn losses(&self) -> &Losses {
        match self {
            Self::Messages(losses) => losses,
            Self::Totals(_, account) => &account.losses,
        }
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Messages(losses) => losses.is_none(),
            Self::Totals(job, account) => {
                account.is_complete() && job.impossible().next().is_none()
            }
        }
    }

    fn remark(&self) {
        match self {
            Self::Messages(losses) => lost::remark(losses),
            Self::Totals(job, account) => lost::remark_totals(job, account),
        }
    }
}

/// The one label that was taken along a dimension, which may not be the one that was asked for.
fn chosen(field: &Field) -> Vec<(&str, String)> {
    let scalars = field
        .coordinates()
        .iter()
        .filter(|it| it.dimensions.is_empty() && !it.attributes.contains_key("grid_mapping_name"));
    scalars.map(|it| (it.name.as_str(), it.labels().concat())).collect()
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
    let chosen: Vec<String> =
        chosen(field).into_iter().map(|(name, label)| format!("{name} {label}")).collect();
    if !chosen.is_empty() {
        text.push_str(&format!(", at {}", chosen.join(", ")));
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
