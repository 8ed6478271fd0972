//! `gik exceedance`.

use std::path::PathBuf;

use gik::analysis::accumulation::{Alignment, Period, Request};
use gik::analysis::exceedance::{Exceedance, Plane, ProbabilityFile, RAIN_THRESHOLDS, Summary};
use gik::analysis::{BoundingBox, Format, Label, ProbabilitySheet, Zone, check_output};
use gik::core::Error;
use serde_json::json;

use super::memory::Memory;
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

/// Where planes go.
#[derive(Default)]
struct Files {
    tables: Vec<(PathBuf, ProbabilityFile)>,
    sheets: Vec<(PathBuf, ProbabilitySheet)>,
}

impl Files {
    fn take(&mut self, plane: &Plane<'_>) -> gik::core::Result<()> {
        for (_, file) in &mut self.tables {
            file.write(plane)?;
        }
        for (_, sheet) in &mut self.sheets {
            sheet.draw(plane)?;
        }
        Ok(())
    }

    fn finish(self, job: &Exceedance, summary: &Summary) -> gik::core::Result<()> {
        for (_, file) in self.tables {
            file.finish(job, summary)?;
        }
        for (path, sheet) in self.sheets {
            sheet.write_png(&path, summary)?;
        }
        Ok(())
    }
}

impl ExceedanceMaps {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let started = std::time::Instant::now();
        // What cannot be written is found out before minutes of reading.
        for path in &self.output {
            check_output(path)?;
            if !matches!(Format::of_path(path)?, Format::NetCdf | Format::Png) {
                let what = format!("output '{}'", path.display());
                return Err(Error::argument(what, "is neither .nc nor .png").into());
            }
        }
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
        let mut job = Exceedance::open(&opened, &request, &self.thresholds).await?;
        let mut files = Files::default();
        for path in &self.output {
            match Format::of_path(path)? {
                Format::NetCdf => {
                    files.tables.push((path.clone(), ProbabilityFile::create(path, &job)?));
                }
                _ => {
                    let sheet = ProbabilitySheet::new(&job, self.bbox, self.tz)?;
                    files.sheets.push((path.clone(), sheet));
                }
            }
        }
        let drawn = files.sheets.first().map(|(_, sheet)| sheet.windows_drawn());
        let bar = output::progress_bar("reading messages");
        let progress = output::advance(&bar);
        job.reserve(files.sheets.iter().map(|(_, sheet)| sheet.bytes()).sum());
        let summary = job.run(&progress, &mut |plane| files.take(&plane)).await;
        bar.finish_and_clear();
        let summary = summary?;
        files.finish(&job, &summary)?;
        self.report(&job, &summary, drawn, started.elapsed().as_secs_f64())
    }

    fn report(
        &self,
        job: &Exceedance,
        summary: &Summary,
        drawn: Option<usize>,
        seconds: f64,
    ) -> anyhow::Result<Outcome> {
        let totals = job.totals();
        let members = totals.members();
        let complete = summary.is_complete(members);
        let messages = job.messages();
        let (clipped, rejected) = lost::negative_json(&summary.account);
        let losses = &summary.account.losses;
        if self.json {
            let windows: Vec<_> = totals
                .windows()
                .iter()
                .zip(&summary.members)
                .map(|(window, used)| {
                    json!({"start": window.span.start, "end": window.span.end, "members": used})
                })
                .collect();
            output::print_json(&json!({
                "variable": self.variable,
                "units": totals.units(),
                "thresholds": job.threshold_labels(),
                "members": members,
                "step_unit": totals.unit().name(),
                "windows": windows,
                "complete": complete,
                "messages": messages,
                "messages_missing": losses.missing,
                "messages_damaged": losses.damaged,
                "losses": lost::json(losses),
                "clipped": clipped,
                "rejected": rejected,
                "files": self.output,
                "seconds": seconds,
                "peak_memory_bytes": gik::peak_memory(),
            }))?;
        } else {
            output::print(&format!(
                "{}: {} windows of {} × {} thresholds, {}, {} messages, {seconds:.1} s",
                self.variable,
                totals.windows().len(),
                self.window,
                job.thresholds().len(),
                if members == 1 { "1 member".to_owned() } else { format!("{members} members") },
                output::count(messages as u64),
            ))?;
            for path in &self.output {
                output::print(&format!("written to {}", path.display()))?;
            }
        }
        if let Some(drawn) = drawn.filter(|&drawn| drawn < totals.windows().len()) {
            output::remark(&format!(
                "the picture has the first {drawn} of {} windows; choose others with --sel step=",
                totals.windows().len()
            ));
        }
        lost::remark_totals(totals, &summary.account);
        let windows = totals.windows().iter().zip(&summary.members);
        let short =
            windows.filter(|(window, used)| window.plan.is_ok() && (**used as usize) < members);
        for (window, used) in short.take(10) {
            output::remark(&format!("  {}: {used} of {members} members", window.span));
        }
        Ok(if complete { Outcome::Complete } else { Outcome::Incomplete })
    }
}
