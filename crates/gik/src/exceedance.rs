//! From a store to the probabilities of totals, in files and in memory.

use std::path::{Path, PathBuf};
use std::time::Instant;

use gik_analysis::accumulation::{Request, Window};
use gik_analysis::exceedance::{Exceedance, Plane, ProbabilityFile, Summary};
use gik_analysis::{Format, ProbabilitySheet, Progress, Zone, check_output};
use gik_core::{Error, Result};
use gik_icechunk::Opened;
use serde_json::{Value, json};

use crate::{losses_json, negative_json, peak_memory};

/// Probabilities that were computed.
#[derive(Debug)]
pub struct Probabilities {
    /// What was computed.
    pub job: Exceedance,
    /// What it came to.
    pub summary: Summary,
    /// The files that have it.
    pub files: Vec<PathBuf>,
    /// Windows in the picture, if there is one.
    pub drawn: Option<usize>,
    /// Messages that were read, some more than once where memory asked for it.
    pub messages: usize,
    /// Seconds from start to end.
    pub total_seconds: f64,
}

impl Probabilities {
    /// The windows that lack members, each with the members that it has and the fewest of them at
    /// any point; those for which the store has no steps are not among them.
    pub fn short(&self) -> impl Iterator<Item = (&Window, u32, u32)> {
        let totals = self.job.totals();
        let members = totals.members();
        let used = self.summary.members.iter().copied().zip(self.summary.fewest.iter().copied());
        let windows = totals.windows().iter().zip(used);
        let windows = windows.map(|(window, (used, fewest))| (window, used, fewest));
        windows.filter(move |(window, _, it)| window.plan.is_ok() && (*it as usize) < members)
    }

    /// Whether every member has every total.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.summary.is_complete(self.job.totals().members())
    }

    /// Everything about it, for machines. The keys are stable.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let totals = self.job.totals();
        let losses = &self.summary.account.losses;
        let (clipped, rejected) = negative_json(&self.summary.account);
        let negative = &self.summary.account.negative;
        let windows: Vec<_> = totals
            .windows()
            .iter()
            .zip(self.summary.members.iter().zip(&self.summary.fewest))
            .enumerate()
            .map(|(number, (window, (used, fewest)))| {
                let clipped = negative.get(number).map_or(0, |it| it.noise.count);
                json!({
                    "start": window.span.start,
                    "end": window.span.end,
                    "members": used,
                    "members_fewest": fewest,
                    "clipped": clipped,
                })
            })
            .collect();
        json!({
            "variable": totals.request().variable,
            "units": totals.units(),
            "thresholds": self.job.threshold_labels(),
            "members": totals.members(),
            "step_unit": totals.unit().name(),
            "windows": windows,
            "complete": self.is_complete(),
            "messages": self.messages,
            "messages_missing": losses.missing,
            "messages_damaged": losses.damaged,
            "losses": losses_json(losses),
            "clipped": clipped,
            "rejected": rejected,
            "files": self.files,
            "seconds": self.total_seconds,
            "peak_memory_bytes": peak_memory(),
        })
    }
}

/// Where probabilities go.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Files to write: `.nc` (CF NetCDF) or `.png` (a sheet of maps).
    pub files: Vec<PathBuf>,
    /// The time zone of the picture's times.
    pub zone: Zone,
}

impl Destination {
    /// Finds out, before minutes of reading, what cannot be written.
    fn check(&self) -> Result<()> {
        for path in &self.files {
            check_output(path)?;
            if !matches!(Format::of_path(path)?, Format::NetCdf | Format::Png) {
                let what = format!("output '{}'", path.display());
                return Err(Error::argument(what, "is neither .nc nor .png"));
            }
        }
        Ok(())
    }
}

/// Computes the probabilities that totals reach thresholds, writes them into files, and hands
/// each plane to `take` as well: windows in order, for each the thresholds in order.
///
/// # Errors
/// When a file cannot be written, and as [`Exceedance::open`] and [`Exceedance::run`]. No file is
/// there then.
pub async fn exceedance(
    store: &Opened,
    request: &Request,
    thresholds: &[f32],
    destination: &Destination,
    progress: Progress<'_>,
    take: &mut dyn FnMut(&Plane<'_>),
) -> Result<Probabilities> {
    let started = Instant::now();
    destination.check()?;
    let mut job = Exceedance::open(store, request, thresholds).await?;
    let mut files = Files::default();
    for path in &destination.files {
        files.open(path, &job, destination.zone)?;
    }
    let drawn = files.sheets.first().map(|(_, sheet)| sheet.windows_drawn());
    job.reserve(files.sheets.iter().map(|(_, sheet)| sheet.bytes()).sum());
    let summary = job
        .run(progress, &mut |plane| {
            take(&plane);
            files.take(&plane)
        })
        .await?;
    files.finish(&job, &summary)?;
    Ok(Probabilities {
        messages: job.messages(),
        job,
        summary,
        files: destination.files.clone(),
        drawn,
        total_seconds: started.elapsed().as_secs_f64(),
    })
}

/// Files being written.
#[derive(Default)]
struct Files {
    tables: Vec<ProbabilityFile>,
    sheets: Vec<(PathBuf, ProbabilitySheet)>,
}

impl Files {
    fn open(&mut self, path: &Path, job: &Exceedance, zone: Zone) -> Result<()> {
        match Format::of_path(path)? {
            Format::NetCdf => self.tables.push(ProbabilityFile::create(path, job)?),
            _ => {
                let region = job.totals().request().region;
                self.sheets.push((path.to_owned(), ProbabilitySheet::new(job, region, zone)?));
            }
        }
        Ok(())
    }

    fn take(&mut self, plane: &Plane<'_>) -> Result<()> {
        for file in &mut self.tables {
            file.write(plane)?;
        }
        for (_, sheet) in &mut self.sheets {
            sheet.draw(plane)?;
        }
        Ok(())
    }

    fn finish(self, job: &Exceedance, summary: &Summary) -> Result<()> {
        for file in self.tables {
            file.finish(job, summary)?;
        }
        for (path, sheet) in self.sheets {
            sheet.write_png(&path, summary)?;
        }
        Ok(())
    }
}
