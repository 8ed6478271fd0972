//! `gik exceedance`.

use std::path::PathBuf;

use gik::analysis::accumulation::{Alignment, Period, Request};
use gik::analysis::exceedance::RAIN_THRESHOLDS;
use gik::analysis::{BoundingBox, Label, Zone};
use gik::{Destination, Memory, Probabilities};

use super::job::Span;
use super::{Outcome, StateArguments, lost, output};

#[derive(Debug, clap::Args)]
pub(super) struct ExceedanceMaps {
    #[command(flatten)]
    store: StateArguments,
    /// The variable: an amount that the model accumulates.
    #[arg(long, default_value = "tp")]
    variable: String,
    /// The length of a total: 24h, 3h, 5d.
    #[arg(long, value_name = "LENGTH", default_value = "24h")]
    window: Period,
    /// A total at every step at which one ends, instead of one after the other.
    #[arg(long, conflicts_with = "start")]
    sliding: bool,
    /// Where the first total begins, as a step: 6 for days from 06 UTC of a run at 00.
    #[arg(long, value_name = "STEP", default_value_t = 0)]
    start: u32,
    /// Amounts to reach, in mm for water, else in the units of the variable.
    #[arg(long, value_name = "AMOUNTS", value_delimiter = ',', default_values_t = RAIN_THRESHOLDS)]
    thresholds: Vec<f32>,
    /// A region, west, south, east, north in degrees: 21,-12,53,23. The globe without one.
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true)]
    bbox: Option<BoundingBox>,
    /// A choice along a dimension: member=1:30, step=0:120, time=2025-01-06T00 (without it
    /// the newest run). Repeat it for several.
    #[arg(long, value_name = "DIM=LABEL")]
    sel: Vec<Label>,
    /// The time zone of the picture's times: Africa/Nairobi, +3.
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone, allow_hyphen_values = true)]
    tz: Zone,
    /// Memory to work in; more of it saves reading messages twice on large jobs.
    #[arg(long, value_name = "SIZE", default_value = "1GB")]
    memory: Memory,
    /// Give up after this time, like 10m, whatever is waited for; nothing is written then.
    #[arg(long, value_name = "SPAN")]
    deadline: Option<Span>,
    /// The file to write: .nc (CF NetCDF) or .png (a sheet of maps). Repeat it for both.
    #[arg(short, long, value_name = "FILE", required = true)]
    output: Vec<PathBuf>,
    /// Print one line of JSON about what was done.
    #[arg(long)]
    json: bool,
}

fn zone(text: &str) -> gik::core::Result<Zone> {
    text.parse()
}

impl ExceedanceMaps {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let limit = self.deadline.map(|span| span.0);
        let done = gik::read_within(limit, self.compute()).await?;
        self.report(&done)
    }

    async fn compute(&self) -> gik::core::Result<Probabilities> {
        let opened = self.store.open().await?;
        let request = Request {
            variable: self.variable.clone(),
            period: self.window,
            alignment: if self.sliding { Alignment::Sliding } else { Alignment::From(self.start) },
            labels: self.sel.clone(),
            region: self.bbox,
            point: None,
            memory: self.memory.bytes(),
        };
        let destination = Destination { files: self.output.clone(), zone: self.tz };
        let bar = output::progress_bar("reading messages");
        let progress = output::advance(&bar);
        let done = gik::exceedance(
            &opened,
            &request,
            &self.thresholds,
            &destination,
            &progress,
            &mut |_| {},
        )
        .await;
        bar.finish_and_clear();
        done
    }

    fn report(&self, done: &Probabilities) -> anyhow::Result<Outcome> {
        let totals = done.job.totals();
        let members = totals.members();
        if self.json {
            output::print_json(&done.to_json())?;
        } else {
            output::print(&format!(
                "{}: {} windows of {} × {} thresholds, {}, {} messages, {:.1} s",
                self.variable,
                totals.windows().len(),
                self.window,
                done.job.thresholds().len(),
                if members == 1 { "1 member".to_owned() } else { format!("{members} members") },
                output::count(done.messages as u64),
                done.total_seconds,
            ))?;
            for path in &self.output {
                output::print(&format!("written to {}", path.display()))?;
            }
        }
        if let Some(drawn) = done.drawn.filter(|&drawn| drawn < totals.windows().len()) {
            output::remark(&format!(
                "the picture has the first {drawn} of {} windows; choose others with --sel step=",
                totals.windows().len()
            ));
        }
        lost::remark_totals(totals, &done.summary.account);
        for (window, used, fewest) in done.short().take(10) {
            let some = match fewest < used {
                true => format!("; at some points the values of {fewest}"),
                false => String::new(),
            };
            output::remark(&format!("  {}: {used} of {members} members{some}", window.span));
        }
        Ok(if done.is_complete() { Outcome::Complete } else { Outcome::Incomplete })
    }
}
